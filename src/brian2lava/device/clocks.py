"""Which clocks are due, and their next time steps, for the loop in Python.

Clocks have a ``dt``; Brian2's event clocks (from 2.10 on) have a table of times instead. The rule
is Brian2's, and that of the compiled engines: the earliest clock leads, and all within 1e-4 dt of
it are due (without a dt on either side: within 1e-14 s). Where times are given freely, a clock that
has reached its end waits for the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ticking:
    """A clock's arrays; ``table`` for an event clock, else ``dt``. All times in seconds."""

    clock: Any
    timestep: NDArray[np.int64]
    t: NDArray[np.float64]
    dt: NDArray[np.float64] | None
    table: NDArray[np.float64] | None

    @classmethod
    def of(cls, clock: Any) -> Ticking:
        """The arrays of a Brian2 clock."""
        found: dict[str, Any] = {
            name: clock.variables[name].get_value()
            for name in ("timestep", "t", "dt", "times")
            if name in clock.variables
        }
        return cls(clock, found["timestep"], found["t"], found.get("dt"), found.get("times"))

    @property
    def width(self) -> float:
        """The time step, infinite for an event clock."""
        return math.inf if self.dt is None else float(self.dt[0])

    @property
    def ended(self) -> bool:
        """Whether the run's last time step is done."""
        return bool(self.timestep[0] >= self.clock._i_end)

    def advance(self) -> None:
        """To the next time step."""
        self.timestep[0] += 1
        step = self.timestep[0]
        if self.dt is not None:
            self.t[0] = step * self.dt[0]
        elif self.table is not None:
            self.t[0] = self.table[step]


def due(clocks: Sequence[Ticking]) -> tuple[Ticking, list[Ticking]]:
    """The clock that leads, and all that are due with it."""
    leader = min(clocks, key=lambda clock: clock.t[0])
    with_events = any(clock.dt is None for clock in clocks)
    together = [
        clock
        for clock in clocks
        if _at_the_same_time(clock, leader)
        and (clock is leader or not (with_events and clock.ended))
    ]
    return leader, together


def _at_the_same_time(one: Ticking, other: Ticking) -> bool:
    if one.t[0] == other.t[0]:
        return True
    width = min(one.width, other.width)
    tolerance = 1e-14 if math.isinf(width) else 1e-4 * width
    return bool(abs(one.t[0] - other.t[0]) < tolerance)
