"""A pathway's synapses sorted by source, delay and, where it is asked for, target."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Table:
    """Positions ``row[s]`` .. ``row[s + 1]`` - 1 are the synapses of source s.

    Attributes
    ----------
    row : array of int64
    order : array of int32, or None
        The synapse at each position; None: the position itself.
    steps : array of int32, or None
        The delay at each position, in steps; None: all have ``delay``.
    delay : int
        That delay, or the longest.
    fingerprint : tuple
        Equal for equal synapses, delays and time steps.
    """

    row: NDArray[np.int64]
    order: NDArray[np.int32] | None
    steps: NDArray[np.int32] | None
    delay: int
    fingerprint: tuple[int, ...]

    def synapses(self, low: int, high: int) -> NDArray[np.int32]:
        """Those at positions ``low`` .. ``high`` - 1."""
        if self.order is None:
            return np.arange(low, high, dtype=np.int32)
        return self.order[low:high]


def fingerprint(delays: NDArray[np.floating], synapses: int, dt: float) -> tuple[int, ...]:
    """Of what a table is made from; sources and targets change only with their number."""
    mark = zlib.crc32(np.ascontiguousarray(delays).data)
    return int(np.float64(dt).view(np.int64)), synapses, delays.size, mark


def make_table(
    first: int,
    last: int,
    sources: NDArray[np.int32],
    targets: NDArray[np.int32],
    delays: NDArray[np.floating],
    dt: float,
    by_target: bool,
) -> Table:
    """The table of synapses from sources ``first`` .. ``last`` - 1; ``delays`` (s) are one or all.

    Delays are rounded to steps as Brian2 does.
    """
    mark = fingerprint(delays, len(sources), dt)
    own = sources - first
    row = np.zeros(last - first + 1, np.int64)
    np.cumsum(np.bincount(own, minlength=last - first), out=row[1:])
    whole = (delays.astype(np.float64) / dt + 0.5).astype(np.int32)
    same = whole.size == 0 or bool((whole == whole[0]).all())
    keys: list[NDArray[np.int32]] = []  # the least important first, as lexsort takes them
    if by_target:
        keys.append(targets)
    if not same:
        keys.append(np.broadcast_to(whole, own.shape))
    keys.append(own)
    order: NDArray[np.int32] | None = None
    if not _ascend(keys):
        order = np.lexsort(keys).astype(np.int32)
    steps = None
    if not same:
        steps = np.ascontiguousarray(whole if order is None else whole[order])
    delay = int(whole.max()) if whole.size else 0
    return Table(row, order, steps, delay, mark)


def _ascend(keys: list[NDArray[np.int32]]) -> bool:
    """Whether entries are sorted already by the last key, then by those before it."""
    tied: NDArray[np.bool_] | None = None
    for key in reversed(keys):
        before, after = key[:-1], key[1:]
        if tied is None:
            if (before > after).any():
                return False
            tied = before == after
        else:
            if (tied & (before > after)).any():
                return False
            tied &= before == after
    return True


def entries_by_target(
    index: NDArray[np.int32], start: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each of ``count`` targets from ``start`` on, its synapses in their order."""
    own = index.astype(np.int64) - start
    row = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(own, minlength=count)[:count], out=row[1:])
    return row, np.argsort(own, kind="stable").astype(np.int32)
