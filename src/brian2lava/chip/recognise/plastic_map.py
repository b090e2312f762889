"""What events do to plastic synapses, in numbers: plain frozen values, free of Brian2.

Units and shapes as in :mod:`brian2lava.chip.recognise.step_map`; arrays that may differ between
synapses have the length 1 where all share a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from brian2lava.chip.recognise.step_map import Array, Ends, Monomial


@dataclass(frozen=True)
class Polynomial:
    """A sum of products of variables: monomial -> coefficient, shape (1 | n_synapses,)."""

    terms: tuple[tuple[Monomial, Array], ...]

    def coefficient(self, monomial: Monomial) -> Array:
        """That of ``monomial``; zeros of shape (1,) where there is none."""
        return dict(self.terms).get(monomial, np.zeros(1))

    def variables(self) -> tuple[str, ...]:
        """Names of all variables in it, sorted."""
        return tuple(sorted({name for monomial, _ in self.terms for name, _ in monomial}))


@dataclass(frozen=True)
class Change:
    """What an event (or a step) does to one variable, in values from before it.

    kind "add": ``variable += value``, and "set": ``variable = value``; then the result is cut to
    ``low`` .. ``high`` (None: no bound; arrays of shape (1 | n_synapses,)).

    ``value`` is a :class:`Polynomial` in the traces, the weight, and variables of neurons
    (``v_post``, as Brian2 writes them), each *before* any statement of this same event: a trace
    that the event has increased before it was used appears with its impulse worked in.
    """

    variable: str
    kind: Literal["add", "set"]
    value: Polynomial
    low: Array | None
    high: Array | None
    text: str


@dataclass(frozen=True)
class Trace:
    """A synaptic variable that decays exponentially between events.

    Attributes
    ----------
    name : str
    side : "pre", "post" or "synapse"
        Whose spikes alone give it impulses that are constants, so that one value a source or target
        neuron would do; "synapse" where both do, or an impulse depends on other variables (an
        eligibility trace).
    decay : array of shape (1 | n_synapses,)
        Factor a step (0..1); 1 without decay.
    tau : array of shape (1 | n_synapses,)
        Seconds: -dt / log(decay) for clock-driven ones too; infinite where decay is 1.
    rest : array of shape (1 | n_synapses,)
        The value that it decays to.
    event_driven : bool
        ``(event-driven)``: decays in closed form between events; else step by step, before the
        synapses' events of the step.
    initial : array of shape (n_synapses,)
    """

    name: str
    side: Literal["pre", "post", "synapse"]
    decay: Array
    tau: Array
    rest: Array
    event_driven: bool
    initial: Array


@dataclass(frozen=True)
class PlasticEvent:
    """One pathway of plastic synapses: what it changes in the synapse and in the neuron.

    ``changes`` are those of synaptic variables (traces and the weight), ``deliveries`` those of
    variables of the neuron at ``ends.targets`` (named without suffix), all in values from before
    the event. ``delivered_after_change`` says, for each delivery, whether it uses the weight that
    this event has already changed and cut.
    """

    name: str
    side: Literal["pre", "post"]
    order: int
    ends: Ends
    changes: tuple[Change, ...]
    deliveries: tuple[Change, ...]
    delivered_after_change: tuple[bool, ...]
    text: str

    def change(self, variable: str) -> Change | None:
        """The change of ``variable``, if the event changes it."""
        return next((c for c in self.changes if c.variable == variable), None)


@dataclass(frozen=True)
class PlasticMap:
    """A Synapses object whose weights or traces change.

    Attributes
    ----------
    name : str
        The Synapses object.
    dt : float
        Seconds a step.
    count : int
        Number of synapses.
    traces : tuple of Trace
    weights : tuple of (str, array of shape (n_synapses,))
        Synaptic variables without decay that events change, with initial values: usually one, "w".
    events : tuple of PlasticEvent
        In the order of the schedule within a step.
    every_step : tuple of Change
        What differential equations that are no plain decay add to a variable in each step
        (``dw/dt = r*e/tau``: "w" gets r·e·dt/tau), in values from before the step.
    parameters : tuple of (str, array)
        Synaptic parameters by name, for tables.
    """

    name: str
    dt: float
    count: int
    traces: tuple[Trace, ...]
    weights: tuple[tuple[str, Array], ...]
    events: tuple[PlasticEvent, ...]
    every_step: tuple[Change, ...]
    parameters: tuple[tuple[str, Array], ...]
