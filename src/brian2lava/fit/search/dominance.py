"""Which of several losses are best together: fronts, how crowded they are, and their knee.

Losses are arrays of shape (points, objectives); all are to be small. The definitions are those of
Deb, Pratap, Agarwal and Meyarivan (2002), *A fast and elitist multiobjective genetic algorithm:
NSGA-II*.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def ranks(losses: Any) -> Any:
    """The front of each point, shape (points,): 0 is dominated by none, 1 by those of 0 only, ...

    A point dominates another where it is worse in nothing and better in something.
    """
    losses = np.asarray(losses, np.float64)
    no_worse = np.ones((len(losses), len(losses)), bool)
    better = np.zeros_like(no_worse)
    for column in losses.T:
        no_worse &= column[:, None] <= column
        better |= column[:, None] < column
    dominates = no_worse & better
    by = dominates.sum(axis=0)
    found = np.full(len(losses), -1)
    for front in range(len(losses)):
        mine = (by == 0) & (found < 0)
        if not mine.any():
            break
        found[mine] = front
        by = by - dominates[mine].sum(axis=0)
    return found


def crowding(losses: Any) -> Any:
    """How far the neighbours of each point of one front are, shape (points,); inf at the ends.

    Of each objective the distance between the neighbours on both sides, over the front's width.
    """
    losses = np.asarray(losses, np.float64)
    apart = np.zeros(len(losses))
    for column in losses.T:
        order = np.argsort(column, kind="stable")
        sorted_ = column[order]
        apart[order[[0, -1]]] = np.inf
        width = sorted_[-1] - sorted_[0]
        if width > 0:
            apart[order[1:-1]] += (sorted_[2:] - sorted_[:-2]) / width
    return apart


def best_together(losses: Any, count: int) -> Any:
    """Indices of ``count`` points: front after front, of the last one the least crowded."""
    losses = np.asarray(losses, np.float64)
    found = ranks(losses)
    chosen: list[int] = []
    for front in range(int(found.max(initial=-1)) + 1):
        mine = np.flatnonzero(found == front)
        room = count - len(chosen)
        if mine.size > room:
            mine = mine[np.argsort(-crowding(losses[mine]), kind="stable")[:room]]
        chosen += mine.tolist()
        if len(chosen) == count:
            break
    return np.array(chosen, int)


def thinned(losses: Any, count: int) -> Any:
    """Indices of at most ``count`` points of one front, evenly spread: the most crowded go first,
    one at a time, the ends (the best of every objective) last."""
    losses = np.asarray(losses, np.float64)
    left = np.arange(len(losses))
    while left.size > count:
        left = np.delete(left, int(np.argmin(crowding(losses[left]))))
    return left


def knee(losses: Any) -> int:
    """The point of a front where nothing can be gained without losing more.

    Each objective is scaled to 0 .. 1 over the front; the knee is nearest to 0 in all of them.
    """
    losses = np.asarray(losses, np.float64)
    low, width = losses.min(axis=0), np.ptp(losses, axis=0)
    scaled = (losses - low) / np.where(width > 0, width, 1.0)
    return int(np.argmin((scaled**2).sum(axis=1)))
