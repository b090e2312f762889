"""What one time step does to a population, in numbers: plain frozen values, free of Brian2.

All values are in SI units, all arrays read-only. Arrays that may differ between neurons have the
neuron as their last axis, with length 1 where all neurons share the values and N otherwise, so
that they broadcast. States are numbered in the order of :attr:`PopulationMap.states`; the
"augmented" reading ``x' = phi x + bias`` has x as a column of states.

The order in which Brian2 applies the parts in one step:

1. state update: ``x = phi x + bias + inputs``; held states keep their value while refractory;
2. threshold, on the new x, of neurons that are not refractory;
3. synapses (a held state takes no input while its neuron is refractory, which includes the step of
   the spike itself);
4. reset of the neurons that fired in 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

#: Powers of variables, sorted by name: ``(("apost", 1), ("w", 1))`` is apost·w, ``()`` is 1.
Monomial = tuple[tuple[str, int], ...]


def read_only(values: object, dtype: Any = float) -> Array:
    """A read-only copy as an array."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


# ---------------------------------------------------------------- neurons
@dataclass(frozen=True)
class State:
    """A variable that a step, a reset or a synapse changes.

    Attributes
    ----------
    name : str
        Brian2's name.
    unit : str
        Its SI base unit as text ("V", "A", "1"), for tables and messages.
    initial : array of shape (N,)
        Values before the first step.
    held : bool
        ``(unless refractory)``, in a group with a refractory period: neither the state update nor
        synapses change it while the neuron is refractory; resets do.
    continuous : bool
        Whether it has a differential equation; otherwise its row of ``phi`` is that of the identity
        (a parameter that a reset or a synapse changes).
    equation : str
        The right-hand side as the user wrote it; "" where there is none.
    """

    name: str
    unit: str
    initial: Array
    held: bool
    continuous: bool
    equation: str


@dataclass(frozen=True)
class TimedInput:
    """A ``TimedArray`` that enters additively: ``x' += gain * values[row(step + ahead), column]``.

    Attributes
    ----------
    name : str
        The name that the equations call it by.
    values : array of shape (rows, columns)
        One column for ``I(t)``, several for ``I(t, index)``.
    dt : float
        Seconds a row.
    columns : array of int, shape (1 | N,)
        Each neuron's column.
    ahead : int
        Steps after the one that begins: 0 for ``t``, 1 for ``t + dt`` (the later stages of
        Runge-Kutta methods).
    gain : array of shape (n_states, 1 | N)
        What a unit of the input adds to each state in a step; for a PoissonSource (1, 1 | N), added
        to the rates.
    group_dt : float
        Seconds a step.
    """

    name: str
    values: Array
    dt: float
    columns: Array
    ahead: int
    gain: Array
    group_dt: float

    def rows(self, first_step: int, steps: int) -> Array:
        """The row of ``values`` that each of ``steps`` steps from ``first_step`` on reads.

        Time is divided in parts of at most an eighth of a step before it is rounded down, as
        Brian2's TimedArray does, so that a row never begins a step late; the last row stays.
        """
        parts = max(int(2 ** np.ceil(np.log2(8 / self.group_dt * self.dt))), 1)
        times = (np.arange(first_step, first_step + steps) + self.ahead) * self.group_dt
        rows = np.int_(np.round(times / (self.dt / parts)) / parts)
        clipped: Array = np.clip(np.asarray(rows), 0, len(self.values) - 1)
        return clipped

    def at(self, first_step: int, steps: int) -> Array:
        """The input in each step, shape (steps, 1 | N); without ``gain``."""
        taken: Array = self.values[self.rows(first_step, steps)][:, self.columns]
        return taken


@dataclass(frozen=True)
class Noise:
    """A ``xi``: in each step, a normal number z of its own for each neuron, ``x' += gain * z``.

    ``gain`` has shape (n_states, 1 | N); ``name`` is the name that the equations call it by.
    """

    name: str
    gain: Array


@dataclass(frozen=True)
class Crossing:
    """Fires where ``weights · x + offset > 0`` (``>= 0`` where ``inclusive``).

    ``weights`` has shape (n_states, 1 | N), ``offset`` (1 | N,); ``text`` is the condition as the
    user wrote it. ``v > theta + c`` has weights +1 on v, -1 on theta, and offset -c.
    """

    weights: Array
    offset: Array
    inclusive: bool
    text: str
    kind: Literal["crossing"] = "crossing"


@dataclass(frozen=True)
class TwoSided:
    """Fires where either of two crossings with opposite ``weights`` does (``abs(v) > c``)."""

    above: Crossing
    below: Crossing
    text: str
    kind: Literal["two-sided"] = "two-sided"


@dataclass(frozen=True)
class Earlier:
    """A variable that keeps what a state was before the state update of a step.

    Attributes
    ----------
    name, state : str
    with_input : bool
        Whether what synapses added since the last threshold is in it (``y_before = y : 1 (constant
        over dt)``), or not (kept right after the threshold).
    initial : array of shape (N,) or None
        Its value in the first step; None where it is read anew at the start of each step.
    is_subexpression : bool
        Whether it is one that is constant over dt; else a ``run_regularly`` keeps it.
    """

    name: str
    state: str
    with_input: bool
    initial: Array | None
    is_subexpression: bool = False


@dataclass(frozen=True)
class PhaseCrossing:
    """Fires where a state crosses upward while another one is above its level.

    ``now`` is the crossing's condition on the state, which was below in the step before
    (``earlier``); ``level`` is the condition on the other state.
    """

    level: Crossing
    now: Crossing
    earlier: Earlier
    text: str
    kind: Literal["phase"] = "phase"


@dataclass(frozen=True)
class Chance:
    """Fires with probability ``weights · x + offset`` a step, cut to 0..1.

    kind "poisson": no state enters (``rand() < rates*dt``); else "stochastic". ``inputs`` are
    TimedArrays that add to the probability, with gains of shape (1, 1 | N).
    """

    weights: Array
    offset: Array
    inputs: tuple[TimedInput, ...]
    text: str
    kind: Literal["stochastic", "poisson"]


Threshold = Crossing | TwoSided | PhaseCrossing | Chance


@dataclass(frozen=True)
class Reset:
    """``x = matrix x + offset`` after a spike; shapes (n, n, 1 | N) and (n, 1 | N).

    All statements in order, composed: a statement sees what the ones before it wrote.
    """

    matrix: Array
    offset: Array
    text: str


@dataclass(frozen=True)
class PopulationMap:
    """A NeuronGroup as the map of one time step.

    Attributes
    ----------
    name, count, dt : str, int, float
        The group, its number of neurons N, seconds a step.
    method : str
        The integrator that Brian2 used, for tables ("exact", "euler", ...; "" without differential
        equations).
    states : tuple of State
        Those with differential equations first, in the user's order, then parameters that a reset
        or a synapse changes.
    phi : array of shape (n_states, n_states, 1 | N)
        Structural zeros are exactly 0; the last axis is 1 where all neurons are alike.
    bias : array of shape (n_states, 1 | N)
    inputs : tuple of TimedInput
    noises : tuple of Noise
    threshold : Threshold or None
        ``None``: never fires.
    reset : Reset or None
        ``None``: nothing is reset.
    refractory : array of int, shape (1 | N,)
        R steps: a neuron that fires in step n is refractory from the threshold of step n up to and
        with step n + R - 1; its states are held and it can't fire. 0 and 1 mean the same: it may
        fire again in step n + 1.
    has_refractory : bool
        Whether the group has a refractory period at all. With one, even of 0 steps, a held state
        takes no synaptic input in the step of its neuron's spike.
    refractory_left : array of int, shape (N,)
        Steps from now on in which the neuron is still refractory from a spike before this run.
    parameters : tuple of (str, array)
        Values of the group's parameters by name, for tables; in SI.
    first_step : int
        The step that comes next; 0 before the first run.
    """

    name: str
    count: int
    dt: float
    method: str
    states: tuple[State, ...]
    phi: Array
    bias: Array
    inputs: tuple[TimedInput, ...]
    noises: tuple[Noise, ...]
    threshold: Threshold | None
    reset: Reset | None
    refractory: Array
    has_refractory: bool
    refractory_left: Array
    parameters: tuple[tuple[str, Array], ...]
    first_step: int = 0

    def index(self, name: str) -> int:
        """The number of the state ``name``; ``KeyError`` if there is none."""
        for k, state in enumerate(self.states):
            if state.name == name:
                return k
        raise KeyError(name)

    def initial(self) -> Array:
        """Initial values, shape (n_states, N)."""
        return np.array([state.initial for state in self.states]).reshape(-1, self.count)


# ---------------------------------------------------------------- synapses
@dataclass(frozen=True)
class Ends:
    """Where a pathway's synapses lie.

    ``source`` and ``target`` name whole groups (a subgroup is its parent), and ``sources`` and
    ``targets`` (int, shape (n_synapses,)) are indices in them. An event is a spike of ``source`` at
    its neuron ``sources[k]``, which reaches synapse k ``delays[k]`` (int, (n_synapses,)) steps
    later; what it changes in a neuron is at ``targets[k]`` of ``target``. For ``on_post`` pathways
    the source is the group that Synapses calls its target.
    """

    source: str
    target: str
    sources: Array
    targets: Array
    delays: Array


@dataclass(frozen=True)
class Jump:
    """``variable += weights[k]`` at the target of synapse k when its source's spike arrives.

    Attributes
    ----------
    name : str
        The pathway ("synapses_pre").
    synapses : str
        The Synapses object.
    side : "pre" or "post"
        Which end's spikes are the events.
    order : int
        The pathway's order in the schedule (on_pre -1, on_post 1 unless changed).
    ends : Ends
    variable : str
        Of the group ``ends.target``.
    weights : array of shape (n_synapses,)
        In SI; may be a copy of the value of one parameter.
    text : str
        The statement as the user wrote it.
    """

    name: str
    synapses: str
    side: Literal["pre", "post"]
    order: int
    ends: Ends
    variable: str
    weights: Array
    text: str


# ---------------------------------------------------------------- sources of spikes
@dataclass(frozen=True)
class PoissonSource:
    """A PoissonGroup: neuron k fires with probability ``rates[k] * dt`` a step.

    ``rates`` in Hz, shape (1 | N,); ``inputs`` are TimedArrays that add to them.
    """

    name: str
    count: int
    dt: float
    rates: Array
    inputs: tuple[TimedInput, ...]


@dataclass(frozen=True)
class GivenSpikes:
    """A SpikeGeneratorGroup: neuron ``indices[k]`` fires in step ``steps[k]``, sorted by step.

    ``period`` in steps; 0: no repetition.
    """

    name: str
    count: int
    dt: float
    indices: Array
    steps: Array
    period: int


@dataclass(frozen=True)
class PoissonDrive:
    """A PoissonInput: in each step a neuron gets ``weight`` times a binomial count.

    ``targets`` (int) are neurons of the group ``target``, ``inputs`` the number of sources a
    neuron, each of which fires with probability ``rate * dt``; ``weights`` has shape
    (1 | n_targets,) and the unit of ``variable``.
    """

    name: str
    target: str
    targets: Array
    variable: str
    inputs: int
    rate: float
    dt: float
    weights: Array
