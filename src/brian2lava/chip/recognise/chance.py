"""Neurons that fire at random -> ProbSpiker."""

from __future__ import annotations

from collections.abc import Collection

from brian2lava.chip.ideal import IdealPopulation, Quantity
from brian2lava.chip.recognise.matched import Matched, refuse_map, register_value
from brian2lava.chip.recognise.step_map import Chance, PopulationMap


def prob_spiker(found: PopulationMap, chance: Chance, driven: Collection[str]) -> Matched:
    """A population that fires with one fixed probability in each step."""
    if chance.kind != "poisson" or chance.inputs or driven or found.states:
        refuse_map(
            found,
            f"its threshold {chance.text!r} draws random numbers with a probability that changes"
            " with a state or in time",
            "The nearest model is ProbSpiker, which fires with a fixed probability in each step",
            "Use a constant rate",
        )
    quantity = Quantity("p_spike", "fraction", register_value(chance.offset), chance.text)
    return Matched(IdealPopulation(found.name, "ProbSpiker", found.count, (quantity,)))
