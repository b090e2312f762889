"""``xi`` in the equations -> the noise of a chip neuron."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.ideal import Quantity, real
from brian2lava.chip.recognise.leaky import Leaky
from brian2lava.chip.recognise.matched import nonzero, refuse_map, register_value
from brian2lava.chip.recognise.polynomial import Expansion
from brian2lava.chip.recognise.scope import GroupScope, stacked
from brian2lava.chip.recognise.step_map import Noise, PopulationMap

#: What a note says where the chip draws.
UNIFORM = (
    "the noise of {state} has the standard deviation of a step, and is uniform: a chip draws whole"
    " numbers from -127 to 127, times a power of 2"
)
_ONE_PLACE = "A chip neuron has one source of noise, which drives its voltage or its first current"


def noises_of(group: Any) -> set[str]:
    """The names by which a NeuronGroup's equations call their noises."""
    return set(group.equations.stochastic_variables)


def bind_noises(group: Any, scope: GroupScope) -> None:
    """A ``xi`` of a step is a normal number times the root of the time step."""
    width = np.full(1, np.sqrt(float(group.clock.dt_)))
    for name in noises_of(group):
        scope.bound[name] = Expansion.variable(name).scaled(width)


def noises_in(group: Any, rows: list[Expansion]) -> tuple[Noise, ...]:
    """What the noises add to the states in a step."""
    return tuple(
        Noise(name, stacked([row.coefficient(((name, 1),)) for row in rows]))
        for name in sorted(noises_of(group))
    )


def refuse_noise(found: PopulationMap, model: str) -> None:
    """Refuse noise in a model that has none."""
    for noise in found.noises:
        refuse_map(
            found,
            f"{noise.name} stands in its equations, and on the chip it is {model}",
            f"{model} has no noise; models that reset v (LIF) have",
            f"Replace {noise.name} by the spikes of a PoissonGroup or PoissonInput",
        )


def noise_quantities(leaky: Leaky, channels: list[int]) -> tuple[list[Quantity], tuple[str, ...]]:
    """The registers of a population's noise, and what the report notes; none without noise."""
    found, v = leaky.found, leaky.v
    gains = [noise.gain for noise in found.noises]
    reached = [
        k for k in range(len(leaky.names)) if any(np.any(nonzero(gain[k])) for gain in gains)
    ]
    if not reached:
        return [], ()
    if len(reached) > 1:
        told = " and ".join(repr(leaky.names[k]) for k in reached)
        leaky.refuse(
            f"noise reaches {told}", _ONE_PLACE,
            "Keep xi in one equation",
        )  # fmt: skip
    k = reached[0]
    name = leaky.names[k]
    if k != v and (not channels or channels[0] != k):
        leaky.refuse(
            f"noise reaches {name!r}", _ONE_PLACE,
            f"Add xi to d{leaky.names[v]}/dt, or replace it by a PoissonInput",
        )  # fmt: skip
    deviation = np.sqrt(sum(np.square(gain[k]) for gain in gains))
    made = []
    if k != v:
        deviation = deviation * np.abs(found.phi[v, k])
        made.append(Quantity("noise_at_u", "count", real(1.0), f"noise enters {name}"))
    meaning = f"noise of {name}, standard deviation a step"
    made.append(Quantity("noise_exp", "noise", register_value(deviation), meaning))
    return made, (UNIFORM.format(state=repr(name)),)
