"""What our own Lava processes compute in a step: the plain definition's pieces.

Lava's variables are 64-bit integers, whatever the profile's word.
"""

from __future__ import annotations

import numpy as np

from brian2lava.chip import plain_steps
from brian2lava.chip.network import Integers, Population
from brian2lava.chip.plain_steps import PopulationStep, SynapseRing, word_of
from brian2lava.chip.profiles import Arithmetic

__all__ = ["PopulationStep", "SynapseRing", "initial_states", "word_of"]


def initial_states(population: Population, arithmetic: Arithmetic) -> dict[str, Integers]:
    """States before the first step, each of shape (size,), int64."""
    states = plain_steps.initial_states(population, arithmetic)
    return {name: values.astype(np.int64) for name, values in states.items()}
