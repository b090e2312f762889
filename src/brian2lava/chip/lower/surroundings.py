"""What a chip network finds in the program that it becomes part of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Decode:
    """``target[i] = offset + state / scale`` in the user's unit, in the middle of a run.

    ``ahead``: of the state after its next update, as far as it is known (see
    :class:`~brian2lava.chip.ideal.StateLink`). ``scale`` and ``offset`` are numbers or arrays of
    shape (size,).
    """

    target: str
    state: str
    scale: Any
    offset: Any
    ahead: bool


@dataclass(frozen=True)
class SynapticDecode:
    """``target[k] = offset + unit * register`` for each plastic synapse k, during a run.

    ``register``: "w" (mantissas), "t" (tags), or a trace.
    """

    target: str
    register: str
    unit: float
    offset: float


@dataclass(frozen=True)
class RefractoryArrays:
    """Ids of the arrays in which Brian2 keeps when a neuron fired, and whether it is at rest."""

    lastspike: str
    not_refractory: str
    time: str


@dataclass(frozen=True)
class Surroundings:
    """What a chip network finds in the program that it becomes part of.

    Attributes
    ----------
    clock : int
        Its clock's place in the program.
    timestep : str
        The id of the clock's array of steps (int64, one element).
    events : dict of population or source to array id
        Event arrays that are there already (Brian2's); sources among them are not lowered, for
        somebody else makes their spikes.
    origins : dict of object name to code
        What the user wrote, for errors.
    decodes : dict of population to sequence of Decode
    at_spikes : frozenset of population
        Whose states are wanted as they are when neurons fire, before the reset, as well.
    seed : int
        Of the rounding of learning.
    steps_before : int
        Steps of learning before step 0 of the clock.
    traces : dict of projection to dict of trace to array
        What learning begins with where it goes on.
    synaptic : dict of projection to sequence of SynapticDecode
        Of projections that learn.
    refractory : dict of population to RefractoryArrays
        Written in every step, where they are there.
    """

    clock: int = 0
    timestep: str = "_array_chip_timestep"
    events: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    refractory: Mapping[str, RefractoryArrays] = field(default_factory=dict)
    decodes: Mapping[str, Sequence[Decode]] = field(default_factory=dict)
    at_spikes: frozenset[str] = frozenset()
    seed: int = 0
    steps_before: int = 0
    traces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    synaptic: Mapping[str, Sequence[SynapticDecode]] = field(default_factory=dict)
