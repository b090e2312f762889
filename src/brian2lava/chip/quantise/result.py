"""What quantisation hands on: the chip's network, scales, one row a parameter, and the costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, Reals
from brian2lava.chip.learning.rule import PRE_TRACES, TRACES
from brian2lava.chip.network import ChipNetwork
from brian2lava.errors import ChipLimit

#: Beyond these a parameter, a bound or a head-room is flagged.
WORST_ERROR = 0.01
WORST_BOUND = 0.05
LEAST_HEADROOM = 1.1


@dataclass(frozen=True)
class Span:
    """Least and greatest of some numbers; both are the same for one number."""

    low: float
    high: float

    @classmethod
    def of(cls, values: object) -> Span:
        """The span of an array; that of nothing is 0."""
        array = np.asarray(values, dtype=np.float64)
        if array.size == 0:
            return cls(0.0, 0.0)
        return cls(float(array.min()), float(array.max()))

    @property
    def single(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    @property
    def magnitude(self) -> float:
        """The greatest absolute value."""
        return max(abs(self.low), abs(self.high))


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: what it is, where it went, and what that costs.

    Attributes
    ----------
    object : str
        Population, projection or stimulus.
    parameter : str
        What a user calls it.
    value : Span
        The physical value, in SI units; voltages relative to the reset.
    unit : str
        Text of the unit; "" where there is none.
    register : str
        The register or registers; "" for what the chip keeps elsewhere.
    integer : Span
        What stands in the register (the mantissas, where there is an exponent).
    meant : Span
        The physical value that the integers mean.
    error : float
        Relative error with its sign: of arrays the worst element's; of weights that differ the root
        of the mean square over that of the weights. inf where something became of nothing.
    note : str
    """

    object: str
    parameter: str
    value: Span
    unit: str
    register: str
    integer: Span
    meant: Span
    error: float
    note: str = ""

    @property
    def flagged(self) -> bool:
        """Whether the error is beyond 1 %."""
        return abs(self.error) > WORST_ERROR


@dataclass(frozen=True)
class Costs:
    """What the integers cost one population.

    Attributes
    ----------
    population : str
    scale : float
        State units a unit of v.
    bounded_by : str
        The limit that keeps the scale from being larger.
    headroom : float
        Largest state that the chip holds over the largest of the run in floating point; nan where
        no ranges are known.
    time_constants : dict of register to float
        Relative errors of the time constants.
    bound_u, bound_v : float
        Bounds of the errors of current and voltage, in state units: E_u <= 4096/d_u + input error,
        E_v <= (4096/d_v) (1 + E_u + E_bias). inf for a voltage without leak.
    bound_share : float
        ``bound_v`` over the threshold; nan without one.
    """

    population: str
    scale: float
    bounded_by: str
    headroom: float
    time_constants: Mapping[str, float]
    bound_u: float
    bound_v: float
    bound_share: float


@dataclass(frozen=True)
class Part:
    """Where the synapses of a projection of the chip come from.

    Attributes
    ----------
    projection : str
        Name in the ideal network.
    synapses : array of int
        Which of its synapses these are.
    step : array of shape () or (synapses,)
        What one unit of the mantissa means, in the unit of v (over ``unit_gain``: in the user's).
    """

    projection: str
    synapses: NDArray[np.int64]
    step: Reals


@dataclass(frozen=True)
class Reading:
    """How a register of plastic synapses is read: user's = offset + unit * integer.

    Attributes
    ----------
    variable : str
        Of the user's Synapses.
    register : str
        "w" (mantissas), "t" (tags), or a trace: x1, x2, y1, y2, y3.
    unit, offset : float
    """

    variable: str
    register: str
    unit: float
    offset: float


@dataclass(frozen=True)
class Learnt:
    """The way back from the integers of plastic synapses.

    Attributes
    ----------
    synapses : str
        The user's Synapses object.
    readings : tuple of Reading
    initial : dict of register to array of int, shape (synapses,)
        Traces and tags before the first step.
    """

    synapses: str
    readings: tuple[Reading, ...]
    initial: Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True)
class Quantised:
    """A network in the chip's integers, and the way back.

    Attributes
    ----------
    network : ChipNetwork
    scales : dict of population to float
        State units a unit of v.
    rows : tuple of ParameterRow
    costs : dict of population to Costs
    warnings : tuple of str
        What went beyond 1 % of a parameter, 5 % of a threshold, or below 1.1 of head-room; weights
        that became 0; thresholds out of reach.
    parts : dict of the chip's projection to Part
    ideal : IdealNetwork
        What was quantised.
    learning : dict of the chip's projection to Learnt
        Of projections that learn.
    """

    network: ChipNetwork
    scales: Mapping[str, float]
    rows: tuple[ParameterRow, ...]
    costs: Mapping[str, Costs]
    warnings: tuple[str, ...]
    parts: Mapping[str, Part]
    ideal: IdealNetwork = field(repr=False)
    learning: Mapping[str, Learnt] = field(default_factory=dict)

    def initial_traces(self) -> dict[str, dict[str, NDArray[np.int64]]]:
        """By projection and register: what learning begins with, as its arithmetic keeps it.

        lava-nc's traces belong to neurons, brian2-loihi's to synapses; tags always do.
        """
        by_neuron = self.network.arithmetic.learning_rounding == "nearest_draw"
        found: dict[str, dict[str, NDArray[np.int64]]] = {}
        for projection in self.network.projections:
            if projection.name not in self.learning:
                continue
            found[projection.name] = made = dict(self.learning[projection.name].initial)
            for register in set(made) & set(TRACES if by_neuron else ()):
                pre = register in PRE_TRACES
                end = projection.source if pre else projection.target
                values = np.zeros(self.network.origin(end).size, np.int64)
                values[projection.pre if pre else projection.post] = made[register]
                made[register] = values
        return found

    def population(self, name: str) -> IdealPopulation:
        """The ideal population of that name."""
        for population in self.ideal.populations:
            if population.name == name:
                return population
        known = ", ".join(repr(population.name) for population in self.ideal.populations)
        raise ChipLimit(f"there is no population {name!r}; there are {known or 'none'}.")
