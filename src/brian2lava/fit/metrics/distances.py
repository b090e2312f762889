"""Distances of spike trains: Victor-Purpura and van Rossum."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError
from brian2lava.fit.metrics.trains import Array, as_train


def victor_purpura(a: ArrayLike, b: ArrayLike, cost: float) -> float:
    """The least cost of making one train from the other.

    A spike that is inserted or deleted costs 1, one that is moved by d costs ``cost * d``. No spike
    moves farther than ``2 / cost``, so trains fall apart at longer gaps, and each piece is solved
    alone: O(spikes) where spikes are sparser than that, O(spikes of a * spikes of b) at worst.

    Parameters
    ----------
    a, b : sorted array of shape (spikes,)
    cost : float
        At least 0, per unit of the times. At 0 only the numbers of spikes count; at infinity only
        spikes at the same time are equal.

    Returns
    -------
    float
        0 for equal trains, at most the number of spikes of both.

    Source: Victor, Purpura 1996, J. Neurophysiol. 76:1310-1326.
    """
    one, other = as_train(a, "first train"), as_train(b, "second train")
    if not cost >= 0:
        raise FitError(f"Victor-Purpura distance: a cost of {cost}; it must be 0 or more.")
    if cost == 0:
        return float(abs(len(one) - len(other)))
    merged = np.sort(np.concatenate([one, other]))
    gaps = np.diff(merged)
    starts = merged[1:][gaps > 2 / cost]
    pieces = zip(
        np.split(one, np.searchsorted(one, starts)), np.split(other, np.searchsorted(other, starts))
    )
    return float(sum(_least_cost(x, y, cost) for x, y in pieces))


def _least_cost(a: Array, b: Array, cost: float) -> float:
    """Edit distance, a row at a time: insertions along a row are a running minimum."""
    if not len(a) or not len(b):
        return float(len(a) + len(b))
    columns = np.arange(len(b) + 1, dtype=np.float64)
    row = columns
    for count, time in enumerate(a, start=1):
        apart = np.abs(b - time)
        move = np.where(apart > 0, cost * np.maximum(apart, np.finfo(float).tiny), 0.0)
        best = np.minimum(row[1:] + 1, row[:-1] + move)
        row = columns + np.minimum.accumulate(np.append(float(count), best) - columns)
    return float(row[-1])


def van_rossum(a: ArrayLike, b: ArrayLike, tau: float) -> float:
    """Distance of the trains after each spike has become ``exp(-t / tau)``, in O(spikes).

    Scaled so that one spike more or less is a distance of 1:
    ``sqrt(2 / tau * integral (f - g)^2 dt)``. The paper's is smaller by ``sqrt(2)``.

    Parameters
    ----------
    a, b : sorted array of shape (spikes,)
    tau : float
        Above 0, in the unit of the times. At infinity it is the difference of the numbers of
        spikes.

    Source: van Rossum 2001, Neural Comput. 13:751-763; one pass as in Houghton, Kreuz 2012,
    Network 23:48-58.
    """
    one, other = as_train(a, "first train"), as_train(b, "second train")
    if not tau > 0:
        raise FitError(f"van Rossum distance: a time constant of {tau}; it must be above 0.")
    times = np.concatenate([one, other])
    signs = np.repeat([1.0, -1.0], [len(one), len(other)])
    order = np.argsort(times, kind="stable")
    decays = np.exp(-np.diff(times[order], prepend=times[order][:1]) / tau)
    square = left = 0.0
    for sign, decay in zip(signs[order].tolist(), decays.tolist()):
        left *= decay
        square += 1 + 2 * sign * left
        left += sign
    return math.sqrt(max(square, 0.0))
