"""Registers that a model has beside what its equations say, and that quantisation chooses."""

from __future__ import annotations

from brian2lava.chip.ideal import IdealPopulation


def with_extras(population: IdealPopulation) -> IdealPopulation:
    """The population with the registers that its model leaves to quantisation."""
    return population
