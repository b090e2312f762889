"""Traces as a screen shows them: two samples a pixel, the least and the largest in it."""

from __future__ import annotations

from typing import Any

import numpy as np


def grid(first: int, last: int, width: int) -> Any:
    """Edges of at most ``width`` bins over the samples first <= n < last, int64."""
    bins = max(1, min(width, last - first))
    return np.linspace(first, last, bins + 1).astype(np.int64)


def positions(first: int, last: int, width: int) -> Any:
    """Where the samples of :func:`least_and_largest` stand, as indices; float64."""
    if last - first <= 2 * width:
        return np.arange(first, last, dtype=np.float64)
    edges = grid(first, last, width)
    starts, sizes = edges[:-1], np.diff(edges)
    return np.stack([starts, starts + sizes / 2], axis=1).ravel()


def least_and_largest(trace: Any, first: int, last: int, width: int) -> Any:
    """Samples first <= n < last of a trace, at most two a pixel; float32.

    Of every pixel's samples the least and the largest are kept, in the order in which they come,
    so that neither spikes nor single samples vanish.
    """
    part = np.asarray(trace)[first:last]
    if part.size <= 2 * width:
        return part.astype(np.float32)
    edges = grid(first, last, width) - first
    starts = edges[:-1]
    low = np.minimum.reduceat(part, starts)
    high = np.maximum.reduceat(part, starts)
    falls = part[starts] > part[edges[1:] - 1]
    pairs = np.stack([np.where(falls, high, low), np.where(falls, low, high)], axis=1)
    return pairs.astype(np.float32).ravel()
