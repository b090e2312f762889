"""Brian2 objects -> the numbers of the discrete map that one time step applies."""

from brian2lava.chip.recognise.pathway import pathway_map
from brian2lava.chip.recognise.plastic import is_plastic, plastic_map
from brian2lava.chip.recognise.population import population_map
from brian2lava.chip.recognise.sources import (
    poisson_group_map,
    poisson_input_map,
    spike_generator_map,
)

__all__ = [
    "is_plastic",
    "pathway_map",
    "plastic_map",
    "poisson_group_map",
    "poisson_input_map",
    "population_map",
    "spike_generator_map",
]
