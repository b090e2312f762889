"""What a recognised population becomes: a chip model with real numbers, and where input goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, real
from brian2lava.chip.recognise.refusal import OTHERWISE
from brian2lava.chip.recognise.step_map import Array, PopulationMap
from brian2lava.errors import NotSupported

#: Relative to the largest coefficient of its kind, what counts as nothing.
NOTHING = 1e-12
#: What a note says where the chip's order differs from Brian2's.
DELTA_ORDER = (
    "a spike that arrives at {v} in the very step in which its target fires: Brian2's reset erases"
    " it, the chip keeps it for the next step"
)

#: What a note says where the chip's comparison can't be made strict.
FIRES_AT = (
    "{v} exactly at {what} ('{text}'): it does not fire in Brian2, and the chip's neuron does,"
    " which compares with >="
)


@dataclass(frozen=True)
class Port:
    """Where input of a variable goes: v gains ``gain`` times the input in its first step.

    ``late`` is 1 for currents: Brian2's v feels an input of the equations to a current one step
    after the current does, the chip's in the same step.

    ``direct`` is what the state behind the port gains of an input of the equations in the same
    step. ``beside`` are further ports that a spike's weight reaches as well: a resonator turns in
    the step after the spike, so that its weight acts on both parts.
    """

    name: str
    gain: Array
    late: int = 0
    direct: Array = field(default_factory=lambda: np.ones(1))
    beside: tuple[Port, ...] = ()


@dataclass(frozen=True)
class Matched:
    """A population in a chip model's form, and where its variables take input."""

    population: IdealPopulation
    ports: Mapping[str, Port] = field(default_factory=dict)


def refuse_map(found: PopulationMap, what: str, nearest: str, remedy: str) -> NoReturn:
    """Raise NotSupported about a population: what was found, the nearest model, the remedy."""
    raise NotSupported(f"NeuronGroup '{found.name}': {what}. {nearest}. {remedy}, {OTHERWISE}")


def register_value(values: Array) -> Any:
    """One value for all neurons as a number, else one each."""
    values = np.asarray(values, np.float64)
    return real(values[0] if values.size == 1 else values)


def nonzero(values: Array) -> Any:
    """Where coefficients are more than rounding errors."""
    return np.abs(values) > NOTHING
