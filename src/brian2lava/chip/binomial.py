"""The cumulative distribution of a binomial count, as a table that one uniform number is sought in.

The probabilities follow from their ratios, p(k+1) / p(k) = (n - k) / (k + 1) * p / (1 - p), outward
from the most probable count, and are divided by their sum: no powers, so nothing vanishes for large
n. Counts less probable than 2**-60 of the most probable one are left out: a uniform number has 53
bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Standard deviations around the mean that are looked at, and counts at least.
_SPREAD, _LEAST = 12.0, 40
_NEGLIGIBLE = 2.0**-60


def cumulative(inputs: int, probability: float) -> tuple[int, NDArray[np.float64]]:
    """The least count, and the probabilities of at most that count, that and one more, ...

    The last one, which is 1, is left out: the count for a uniform number u is the least count
    plus the entries that are not above u, ``searchsorted(table, u, side="right")``.
    """
    if probability in (0.0, 1.0):
        return inputs * int(probability), np.zeros(0)
    odds = probability / (1 - probability)
    mode = min(int((inputs + 1) * probability), inputs)
    reach = int(_SPREAD * np.sqrt(inputs * probability * (1 - probability))) + _LEAST
    up = np.arange(mode, min(inputs, mode + reach), dtype=np.float64)
    down = np.arange(mode, max(0, mode - reach), -1, dtype=np.float64)
    above = np.cumprod((inputs - up) / (up + 1) * odds)
    below = np.cumprod(down / (inputs - down + 1) / odds)
    weights = np.concatenate([below[::-1], [1.0], above])
    counts = mode - len(below) + np.arange(len(weights))
    kept = weights >= _NEGLIGIBLE
    weights, counts = weights[kept], counts[kept]
    return int(counts[0]), np.cumsum(weights / weights.sum())[:-1]
