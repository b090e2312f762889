"""Which spike of the model belongs to which spike of the target: one to one.

Counted many to one, a model that has one spike where the target has a doublet would be perfect.
Here a spike is the partner of one spike at most, and there is no set of more pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brian2lava.errors import FitError
from brian2lava.fit.metrics.trains import Array, as_train


@dataclass(frozen=True)
class Matching:
    """Pairs of spikes of a target and a model.

    Attributes
    ----------
    pairs : int array of shape (matched, 2)
        Index in the target, index in the model; both ascend.
    target, model : float array of shape (spikes,)
    window : float
        The farthest that two partners may lie apart, in the unit of the times.
    """

    pairs: NDArray[np.int64]
    target: Array
    model: Array
    window: float

    @property
    def count(self) -> int:
        """Number of pairs, 0 .. min(spikes of target, spikes of model)."""
        return len(self.pairs)

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Whether a spike of the target has a partner, shape (spikes of target,)."""
        return _marked(len(self.target), self.pairs[:, 0])

    @property
    def miss(self) -> NDArray[np.bool_]:
        """Whether a spike of the target has none, shape (spikes of target,)."""
        return ~self.hit

    @property
    def extra(self) -> NDArray[np.bool_]:
        """Whether a spike of the model has no partner, shape (spikes of model,)."""
        return ~_marked(len(self.model), self.pairs[:, 1])

    @property
    def latencies(self) -> Array:
        """Model minus target of each pair, in the unit of the times: above 0 where it is late."""
        return self.model[self.pairs[:, 1]] - self.target[self.pairs[:, 0]]

    @property
    def precision(self) -> float:
        """The part of the model's spikes that have a partner, 0..1; 1 without any spikes in both,
        nan if only the model has none."""
        return _part(self.count, len(self.model), len(self.target))

    @property
    def recall(self) -> float:
        """The part of the target's spikes that have a partner, 0..1; 1 without any spikes in both,
        nan if only the target has none."""
        return _part(self.count, len(self.target), len(self.model))

    @property
    def f1(self) -> float:
        """``2 pairs / (spikes of target + spikes of model)``, 0..1; 1 without any spikes."""
        spikes = len(self.target) + len(self.model)
        return 2 * self.count / spikes if spikes else 1.0

    @property
    def latency_mean(self) -> float:
        """Mean of :attr:`latencies`; nan without pairs."""
        return float(self.latencies.mean()) if self.count else float("nan")

    @property
    def latency_sd(self) -> float:
        """Standard deviation (over n) of :attr:`latencies`; nan without pairs."""
        return float(self.latencies.std()) if self.count else float("nan")


def match(target: ArrayLike, model: ArrayLike, window: float) -> Matching:
    """The largest one-to-one matching of spikes at most ``window`` apart, in O(spikes).

    Each spike, in order of time, takes the earliest free partner in its window: for windows of one
    width no other choice gives more pairs. A partner is then given up for a later free spike where
    that is nearer, which keeps the number of pairs.

    Parameters
    ----------
    target, model : sorted array of shape (spikes,)
    window : float
        At least 0, in the unit of the times. The limit itself counts, rounding of the times
        included: on a grid of time steps no pair depends on the last bit.

    Raises
    ------
    FitError
        A train that isn't one, or a negative window.
    """
    a, b = as_train(target, "target"), as_train(model, "model")
    if not window >= 0:
        raise FitError(f"window of coincidences: {window}; it must be 0 or more.")
    reach = window + _rounding(a, b)
    pairs = _greedy(a.tolist(), b.tolist(), reach)
    _to_nearer(pairs, a.tolist(), b.tolist())
    return Matching(np.asarray(pairs, dtype=np.int64).reshape(-1, 2), a, b, float(window))


def _rounding(a: Array, b: Array) -> float:
    """Some times the distance of neighbouring floats at the latest spike."""
    latest = max((float(np.abs(train[[0, -1]]).max()) for train in (a, b) if len(train)), default=0)
    return 8 * float(np.spacing(latest)) if latest else 0.0


def _greedy(a: list[float], b: list[float], reach: float) -> list[list[int]]:
    pairs = []
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i] < b[j] - reach:
            i += 1
        elif b[j] < a[i] - reach:
            j += 1
        else:
            pairs.append([i, j])
            i, j = i + 1, j + 1
    return pairs


def _to_nearer(pairs: list[list[int]], a: list[float], b: list[float]) -> None:
    """From the last pair to the first: on to later free spikes, as long as that is nearer."""
    free_a, free_b = len(a), len(b)  # from where on the spikes are taken by later pairs
    for pair in reversed(pairs):
        i, j = pair
        while j + 1 < free_b and abs(b[j + 1] - a[i]) < abs(b[j] - a[i]):
            j += 1
        while i + 1 < free_a and abs(a[i + 1] - b[j]) < abs(a[i] - b[j]):
            i += 1
        pair[:] = free_a, free_b = i, j


def _marked(size: int, places: NDArray[np.int64]) -> NDArray[np.bool_]:
    marks = np.zeros(size, dtype=np.bool_)
    marks[places] = True
    return marks


def _part(pairs: int, own: int, others: int) -> float:
    if own:
        return pairs / own
    return float("nan") if others else 1.0
