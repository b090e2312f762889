"""Explained variance of spike trains that were smoothed with a Gaussian.

Source: Teeter et al. 2018, Nat. Commun. 9:709 (GLIF models, 68-78 % at 10 ms).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter1d

from brian2lava.errors import FitError
from brian2lava.fit.metrics.trains import Array, Spans, as_spans, within

#: Standard deviation of the Gaussian, in seconds.
SIGMA = 10e-3
#: Samples a standard deviation: spikes are counted in bins this much finer.
FINENESS = 20
#: The Gaussian ends after this many standard deviations.
TRUNCATE = 5.0


def smoothed(times: ArrayLike, spans: Spans, sigma: float = SIGMA) -> Array:
    """Spikes a bin of ``sigma / 20``, smoothed with a Gaussian; spans one after the other.

    Shape (bins,). Each span is smoothed alone, with no spikes beyond its ends.
    """
    if not sigma > 0:
        raise FitError(f"explained variance: a Gaussian of width {sigma}; it must be above 0.")
    return np.concatenate(
        [_smoothed(within(times, [(a, b)]), a, b, sigma) for a, b in as_spans(spans).tolist()]
    )


def _smoothed(train: Array, start: float, stop: float, sigma: float) -> Array:
    width = sigma / FINENESS
    # a bin that rounding has made of nothing is none
    bins = max(1, int(np.ceil((stop - start) / width - 1e-6)))
    places = np.minimum(((train - start) / width + 1e-6).astype(np.int64), bins - 1)
    counts = np.bincount(places, minlength=bins).astype(np.float64)
    return np.asarray(gaussian_filter1d(counts, FINENESS, mode="constant", truncate=TRUNCATE))


def explained(one: Array, other: Array) -> float:
    """``(var x + var y - var(x - y)) / (var x + var y)`` of two traces of shape (samples,).

    Between -1 and 1: 1 for traces that differ by a constant at most (two constant ones too), 0 for
    uncorrelated ones and where one is constant.
    """
    both = float(one.var() + other.var())
    return float(both - (one - other).var()) / both if both else 1.0


def explained_variance(
    target: ArrayLike, model: ArrayLike, spans: Spans, sigma: float = SIGMA
) -> float:
    """Explained variance of two trains, -1..1; 1 if equal, 0 if one is empty, 1 if both are."""
    return explained(smoothed(target, spans, sigma), smoothed(model, spans, sigma))


def explained_variance_ratio(
    repeats: Sequence[ArrayLike], model: ArrayLike, spans: Spans, sigma: float = SIGMA
) -> float:
    """Mean explained variance of model and each repeat, over that of the repeats' mean and each.

    The divisor says how much of a single repeat their mean predicts, which is what a model without
    noise can reach. With one repeat it is 1.

    Raises
    ------
    FitError
        No repeats, or repeats of which their mean predicts nothing.
    """
    if not len(repeats):
        raise FitError("explained variance: the target has no spike trains. Give at least one.")
    traces = [smoothed(each, spans, sigma) for each in repeats]
    own = smoothed(model, spans, sigma)
    mean = np.mean(traces, axis=0)
    reached = float(np.mean([explained(trace, own) for trace in traces]))
    possible = float(np.mean([explained(trace, mean) for trace in traces]))
    if possible <= 0:
        raise FitError(
            f"explained variance: the repeats' mean explains {possible:.3g} of a repeat, and"
            " nothing can be divided by that. Check that all repeats had the same stimulus."
        )
    return reached / possible
