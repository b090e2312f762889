"""Brian2 objects -> the numbers of the discrete map that one time step applies."""

from brian2lava.chip.recognise.population import population_map

__all__ = ["population_map"]
