"""Spike trains: checked arrays of times, spans of a recording, rates and regularity.

A train is a sorted float array of shape (spikes,), in seconds; any unit will do if windows, time
constants and spans use the same. A span is a half-open interval (start, stop).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brian2lava.errors import FitError

Array = NDArray[np.float64]
#: Half-open intervals (start, stop) in the unit of the spike times, sorted and apart.
Spans = Sequence[tuple[float, float]]


def as_train(times: ArrayLike, name: str = "spike train") -> Array:
    """The times as a float array of shape (spikes,).

    Raises
    ------
    FitError
        Not one-dimensional, not finite, or not sorted.
    """
    train = np.asarray(times, dtype=np.float64)
    if train.ndim != 1:
        raise FitError(
            f"{name}: spike times have shape {train.shape}, and a train is one-dimensional."
            " Give one array a neuron and repeat."
        )
    if not np.isfinite(train).all():
        place = int(np.flatnonzero(~np.isfinite(train))[0])
        raise FitError(f"{name}: spike {place} is at {train[place]}. Remove it from the train.")
    if (np.diff(train) < 0).any():
        place = int(np.flatnonzero(np.diff(train) < 0)[0]) + 1
        raise FitError(
            f"{name}: spike {place} is at {train[place]}, before the one that precedes it in the"
            " array. Sort the times: numpy.sort(times)."
        )
    return train


def as_spans(spans: Spans) -> Array:
    """The spans as an array of shape (spans, 2).

    Raises
    ------
    FitError
        None at all, an empty or infinite one, or two that overlap or are out of order.
    """
    edges = np.asarray(spans, dtype=np.float64)
    if edges.ndim != 2 or edges.shape[1] != 2 or not len(edges):
        raise FitError(
            f"spans: {spans!r}; needed are pairs (start, stop), at least one: [(0.0, 10.0)]."
        )
    if not np.isfinite(edges).all() or (edges[:, 0] >= edges[:, 1]).any():
        raise FitError(f"spans: {spans!r}; each must be finite and start before it stops.")
    if (edges[1:, 0] < edges[:-1, 1]).any():
        raise FitError(f"spans: {spans!r} overlap or are out of order. Sort and merge them.")
    return edges


def duration(spans: Spans) -> float:
    """The time that spans cover together, above 0, in the unit of the spans."""
    edges = as_spans(spans)
    return float((edges[:, 1] - edges[:, 0]).sum())


def within(times: ArrayLike, spans: Spans) -> Array:
    """The spikes inside the spans: ``start <= t < stop``; shape (kept,), sorted."""
    train, edges = as_train(times), as_spans(spans)
    span = np.searchsorted(edges[:, 0], train, side="right") - 1
    return train[(span >= 0) & (train < edges[np.maximum(span, 0), 1])]


def rate(times: ArrayLike, spans: Spans) -> float:
    """Spikes inside the spans over their duration, at least 0, in 1/unit (Hz for seconds)."""
    return len(within(times, spans)) / duration(spans)


def isi_cv(times: ArrayLike, spans: Spans | None = None) -> float:
    """Coefficient of variation of the interspike intervals: SD (over n) divided by mean.

    0 for a regular train, about 1 for a Poisson process; nan with fewer than two intervals, or
    where all are 0. With spans, an interval counts only if both its spikes lie in the same span.
    """
    train = as_train(times)
    if spans is None:
        intervals = np.diff(train)
    else:
        pieces = [np.diff(within(train, [(start, stop)])) for start, stop in as_spans(spans)]
        intervals = np.concatenate(pieces)
    if len(intervals) < 2 or not intervals.any():
        return float("nan")
    return float(intervals.std() / intervals.mean())
