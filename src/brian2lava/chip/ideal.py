"""A recognised network between equations and integers: a chip's models with real numbers in them.

Recognition makes it from Brian2's discrete one-step map; quantisation makes a
:class:`~brian2lava.chip.network.ChipNetwork` of it, with one scale A a population. All voltages
are relative to the reset and in the unit of the user's v; currents and weights are what they add
to v in one step, so that A turns each of them into the chip's state units.

For a map x' = Phi x + b with reset to V_r (the chip: v' = dec(v) + u' + bias):

- decay of a state s: 1 - Phi_ss
- weight of a synapse onto a current u: J * Phi_vu; onto the voltage: J * Phi_vv
- bias: b_v + (Phi_vv - 1) * V_r (what v - V_r gains a step)
- threshold: V_th - V_r
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.learning.ideal import IdealLearning
from brian2lava.chip.models import MODELS
from brian2lava.chip.models.neuron import NeuronModel
from brian2lava.chip.network import Source

Reals = NDArray[np.float64]

#: How the real value of a register becomes an integer.
#: decay: fraction lost a step, in 1/4096 (minus the profile's offset for currents);
#: threshold: A * value / 64; bias: A * value as mantissa and exponent; level: A * value;
#: rotation: sine or cosine of a step's angle times what remains, in 1/4096;
#: fraction: value * 2**24 (probabilities); noise: a standard deviation, as an exponent of 2;
#: count: a whole number as it is.
Kind = Literal[
    "decay", "current_decay", "threshold", "bias", "level", "rotation", "fraction", "noise", "count"
]


def real(values: Any) -> Reals:
    """A read-only array of doubles."""
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


@dataclass(frozen=True)
class Quantity:
    """One register's real value.

    Attributes
    ----------
    register : str
        The register that it goes to ("bias" goes to ``bias_mant`` and ``bias_exp``).
    kind : Kind
    value : array of shape () or (size,)
        In the unit of v, as a fraction a step, or a count, by ``kind``.
    meaning : str
        What a user calls it: "time constant of v", "threshold v > 20 mV".
    time_constant : array or None
        For decays: dt / decay as the user's equations mean it, in seconds.
    inclusive : bool
        For thresholds: whether a voltage at the threshold fires, too (``v >= c``), in a model that
        fires beyond it.
    strict : bool
        The other way round: for levels of models that fire at the level, whether only what is
        beyond it does (``y > c``).
    """

    register: str
    kind: Kind
    value: Reals
    meaning: str = ""
    time_constant: Reals | None = None
    inclusive: bool = False
    strict: bool = False


@dataclass(frozen=True)
class StateLink:
    """How a user's variable and a state of the chip model belong together.

    user's = offset + state / (A * gain). With ``ahead`` the user's value at the start of a step is
    the chip's state *after* its current update of that step (Brian2 adds a spike's weight to a
    current at once, the chip with the next update).

    ``gain`` is Phi_vu for a current, 1 for a voltage; ``unit`` the text of the user's unit.
    """

    variable: str
    state: str
    gain: Reals
    offset: Reals
    ahead: bool = False
    unit: str = ""


@dataclass(frozen=True)
class IdealPopulation:
    """A population of a chip model with real numbers.

    Attributes
    ----------
    name, model : str
        ``model`` is a name in ``brian2lava.chip.models.MODELS``.
    size : int
    quantities : tuple of Quantity
    links : tuple of StateLink
    initial : dict of state to array of shape () or (size,)
        Before the first step, in the unit of v (``gain`` times user's value minus offset).
    ranges : dict of state to (least, greatest)
        From a short run in floating point, in the unit of v; empty before it.
    notes : tuple of str
        Where the chip computes something else than the equations say.
    """

    name: str
    model: str
    size: int
    quantities: tuple[Quantity, ...]
    links: tuple[StateLink, ...] = ()
    initial: Mapping[str, Reals] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def neuron(self) -> NeuronModel:
        """The chip model."""
        return MODELS[self.model]

    def quantity(self, register: str) -> Quantity | None:
        """The quantity of a register, if it has one."""
        return next((q for q in self.quantities if q.register == register), None)


@dataclass(frozen=True)
class IdealProjection:
    """Synapses with real weights.

    Attributes
    ----------
    name, source, target, port : str
    pre, post : arrays of int, shape (synapses,)
    weights : array of shape (synapses,)
        What one spike adds to v (through a current: in its first step), in the unit of v.
    delays : int or array of shape (synapses,)
        Steps.
    unit_gain : array of shape () or (size of target,)
        weights = unit_gain * the user's weight: the way back to the user's weight.
    share : float
        Mean drive of the target through this projection as a part of all, 0..1: how much its
        errors matter.
    learning : IdealLearning or None
        A recognised plasticity rule; ``unit_gain`` is then a single number.
    unit : str
        Text of the unit of the user's weight; "": that of the state behind the port.
    binary : bool
        Whether a spike is a spike, whatever number its model sends along (TernaryLIF's sign), as
        in Brian2.
    """

    name: str
    source: str
    target: str
    port: str
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    weights: Reals
    delays: Any = 0
    unit_gain: Reals = field(default_factory=lambda: real(1.0))
    share: float = 1.0
    learning: IdealLearning | None = None
    unit: str = ""
    binary: bool = False


@dataclass(frozen=True)
class IdealStimulus:
    """Real numbers that a port gets step by step, in the unit of v: (steps,) or (steps, size).

    ``after``: the update of the next step sees them, as with Brian2's currents.
    """

    name: str
    target: str
    port: str
    values: Reals
    repeat: bool = False
    after: bool = False


@dataclass(frozen=True)
class IdealNetwork:
    """A recognised network; sources are integers already. ``dt`` in seconds."""

    dt: float
    populations: tuple[IdealPopulation, ...]
    sources: tuple[Source, ...] = ()
    projections: tuple[IdealProjection, ...] = ()
    stimuli: tuple[IdealStimulus, ...] = ()
    notes: tuple[str, ...] = ()
