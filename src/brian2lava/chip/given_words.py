"""Random words that were drawn elsewhere, in the place of a generator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.arithmetic import Name
from brian2lava.chip.limits import RANDOM_BITS
from brian2lava.chip.network import Population
from brian2lava.chip.plain import zero_registers
from brian2lava.chip.profiles import Arithmetic


class GivenWords:
    """Gives words, one row a step, as numbers in [0, 1) whose first bits they are.

    Parameters
    ----------
    rows : array of shape (steps, size)
        Integers of ``RANDOM_BITS`` bits.
    """

    def __init__(self, rows: Any) -> None:
        self._rows = iter(rows)

    def random(self, size: int) -> NDArray[np.float64]:
        """The next row, shape (size,)."""
        row: NDArray[np.float64] = np.asarray(next(self._rows)) / float(1 << RANDOM_BITS)
        return row


def word_state(population: Population, arithmetic: Arithmetic) -> str:
    """The state that keeps what a stochastic model drew in the step; empty if nothing is drawn."""
    step = population.neuron.step(arithmetic, zero_registers(population))
    drawn = [Name(draw) for draw in step.draws]
    return next((target for target, value in step.assignments if value in drawn), "")
