"""A plasticity rule in real numbers: what recognition hands to quantisation.

::

    dz    = sum of terms,  z: the weight w or the tag t
    term  = coefficient * dependency * factor * factor ...
    dependency = x0 (a presynaptic spike arrives) | y0 (a postsynaptic spike) | u0 (every step)
    factor     = a trace, w, t, or x0, y0 (the other spike in the same step)

Traces are those of Loihi's learning engine by their registers (x1, x2, y1, y2, y3), in the unit of
the user's variable. As on the chip, a trace has its impulse in the step of its own spike already; a
factor that means the value before it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class IdealTrace:
    """A trace that lives at a neuron.

    Attributes
    ----------
    name : str
        The user's variable.
    register : str
        x1, x2 (presynaptic), y1, y2 or y3 (postsynaptic).
    decay : float
        Factor a step.
    impulse : float
        What a spike adds, or with ``sets`` what it sets the trace to; may be negative.
    sets : bool
    rest : float
        What it decays to; all else here is relative to it.
    initial : array of shape (synapses,)
    peak : float
        Largest magnitude in a run in floating point; 0 before one.
    """

    name: str
    register: str
    decay: float
    impulse: float
    sets: bool
    rest: float
    initial: Reals
    peak: float = 0.0


@dataclass(frozen=True)
class IdealTag:
    """A variable that each synapse has (an eligibility trace), with its decay a step."""

    name: str
    decay: float
    initial: Reals
    peak: float = 0.0


@dataclass(frozen=True)
class IdealFactor:
    """A variable of a term; ``earlier``: its value before the impulse of this step's spike."""

    variable: str
    earlier: bool = False


@dataclass(frozen=True)
class IdealTerm:
    """``target += coefficient * dependency * factors``.

    Attributes
    ----------
    target : "w" or "t"
    dependency : "x0", "y0" or "u0"
    coefficient : float
        In the user's unit of the target over those of the factors.
    factors : tuple of IdealFactor
    text : str
        The statements that it comes from.
    correction : bool
        Whether it only makes good for two spikes in one step, in Brian2's order.
    """

    target: str
    dependency: str
    coefficient: float
    factors: tuple[IdealFactor, ...]
    text: str
    correction: bool = False


@dataclass(frozen=True)
class IdealLearning:
    """How the weights of a projection change.

    Attributes
    ----------
    synapses : str
        The user's Synapses object.
    weight : str
        The user's variable.
    terms : tuple of IdealTerm
    traces : tuple of IdealTrace
    tag : IdealTag or None
    low, high : float
        Bounds of the weight in the user's unit; -inf, inf without.
    peak : float
        Largest magnitude of a weight in a run in floating point; 0 before one.
    unit : str
        Text of the weight's unit.
    late : bool
        Whether a spike delivers a weight that it has changed already (the chip: before).
    coincident : bool
        Whether two spikes in one step give something else than Brian2's order of pathways.
    notes : tuple of str
        Where the chip computes something else than the statements say.
    """

    synapses: str
    weight: str
    terms: tuple[IdealTerm, ...]
    traces: tuple[IdealTrace, ...] = ()
    tag: IdealTag | None = None
    low: float = -np.inf
    high: float = np.inf
    peak: float = 0.0
    unit: str = ""
    late: bool = False
    coincident: bool = False
    notes: tuple[str, ...] = field(default=())

    def trace(self, register: str) -> IdealTrace:
        """The trace in a register."""
        return next(trace for trace in self.traces if trace.register == register)

    def reading(self, variable: str) -> Iterator[IdealTerm]:
        """The terms that read a variable."""
        return (t for t in self.terms if any(f.variable == variable for f in t.factors))
