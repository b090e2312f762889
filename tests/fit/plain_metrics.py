"""Slow definitions, as the papers have them; the fast functions are held against these."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from brian2lava.fit.metrics.trains import Array


def random_train(rng: np.random.Generator, rate: float, length: float) -> Array:
    """A Poisson train in [0, length), shape (spikes,)."""
    return np.sort(rng.uniform(0, length, rng.poisson(rate * length)))


def largest_matching(a: Array, b: Array, window: float) -> int:
    """Pairs in the largest matching of the bipartite graph of spikes within a window."""
    if not len(a) or not len(b):
        return 0
    near = np.abs(a[:, None] - b[None, :]) <= window
    return int((maximum_bipartite_matching(csr_matrix(near)) >= 0).sum())


def victor_purpura(a: Array, b: Array, cost: float) -> float:
    """The whole table of the least costs of all pairs of beginnings."""
    table = np.zeros((len(a) + 1, len(b) + 1))
    table[:, 0], table[0] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i in range(len(a)):
        for j in range(len(b)):
            table[i + 1, j + 1] = min(
                table[i, j + 1] + 1, table[i + 1, j] + 1, table[i, j] + cost * abs(a[i] - b[j])
            )
    return float(table[-1, -1])


def van_rossum(a: Array, b: Array, tau: float, step: float) -> float:
    """The integral of the squared difference, by the midpoint rule on a fine grid."""
    grid = np.arange(0, max([*a, *b, 0.0]) + 30 * tau, step) + step / 2

    def trace(train: Array) -> Array:
        lag = grid[None, :] - train[:, None]
        return np.asarray(np.where(lag >= 0, np.exp(-np.abs(lag) / tau), 0).sum(axis=0))

    return float(np.sqrt(2 / tau * ((trace(a) - trace(b)) ** 2).sum() * step))


def explained_variance(a: Array, b: Array, length: float, sigma: float, step: float) -> float:
    """Each spike a Gaussian on a fine grid over the recording."""
    grid = np.arange(0, length, step) + step / 2

    def trace(train: Array) -> Array:
        return np.asarray(
            np.exp(-((grid[None, :] - train[:, None]) ** 2) / (2 * sigma**2)).sum(axis=0)
        )

    x, y = trace(a), trace(b)
    both = x.var() + y.var()
    return float((both - (x - y).var()) / both)
