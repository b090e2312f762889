"""What drives the neurons of a batch: a current, sampled once a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError

#: Longer ones are refused before any array is made: 10^7 samples are 40 MB, and 1000 s at 0.1 ms.
MOST_STEPS = 10_000_000


@dataclass(frozen=True)
class Stimulus:
    """A stimulus in any unit; :class:`Settings` scale and round it.

    Attributes
    ----------
    values : array of float32, shape (steps,)
    """

    values: Any

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.ndim != 1 or values.size == 0:
            raise FitError(
                f"a stimulus is a list of numbers, one a step; got shape {values.shape}."
            )
        if values.size > MOST_STEPS:
            raise FitError(
                f"a stimulus of {values.size} steps; {MOST_STEPS} are the most. Cut it, or use a"
                " longer time step."
            )
        values = np.array(values, np.float32)
        if not np.isfinite(values).all():
            raise FitError(
                f"the stimulus is {values[~np.isfinite(values)][0]} in step"
                f" {int(np.argmin(np.isfinite(values)))}; it has to be finite."
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return int(self.values.size)
