"""The gamma factor: coincident spikes beyond chance, with one-to-one matching.

Source: Jolivet, Kobayashi, Rauch, Naud, Shinomoto, Gerstner 2008, J. Neurosci. Methods 169:417-424;
it differs in that a spike is the partner of one spike at most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError
from brian2lava.fit.metrics.matching import Matching, match
from brian2lava.fit.metrics.trains import Spans, as_spans, duration, within

#: The windows at which gamma factors are shown, in seconds.
WINDOWS = (2e-3, 4e-3)


def gamma_of(matching: Matching, length: float) -> float:
    """The gamma factor of spikes that have been matched.

    ``2 / (1 - 2 r w) * (pairs - 2 r w n) / (n + m)``: n and m are the spikes of target and model,
    w is the window, and ``r = m / length`` the model's rate, so that a Poisson process of the
    model's rate scores about 0.

    Parameters
    ----------
    matching : Matching
    length : float
        Duration of the recording, in the unit of the times, above 0.

    Returns
    -------
    float
        1 for identical trains, and where both are empty; 0 where the model has no spikes; below 0
        where there are fewer pairs than by chance, without limit.

    Raises
    ------
    FitError
        ``2 r w >= 1``: chance alone covers the whole recording.
    """
    if not length > 0:
        raise FitError(f"gamma factor: a recording of length {length}; it must be above 0.")
    n, m = len(matching.target), len(matching.model)
    if not n + m:
        return 1.0
    covered = 2 * m / length * matching.window
    if covered >= 1:
        raise FitError(
            f"gamma factor: the model fires at {m / length:.4g}, so windows of"
            f" {matching.window:.4g} to both sides of its spikes cover {covered:.2f} of the"
            " recording and chance predicts every spike (2 * rate * window must be below 1)."
            f" Use a window below {length / (2 * m):.4g}, or the Victor-Purpura distance."
        )
    return 2 / (1 - covered) * (matching.count - covered * n) / (n + m)


def gamma_factor(target: ArrayLike, model: ArrayLike, spans: Spans, window: float = 2e-3) -> float:
    """The gamma factor of two trains inside spans; see :func:`gamma_of`.

    Parameters
    ----------
    target, model : sorted array of shape (spikes,)
    spans : list of (start, stop)
        What counts of the recording; spikes are matched in each span apart.
    window : float
        The farthest that coincident spikes lie apart, 2 ms if times are seconds.
    """
    return gamma_of(match_within(target, model, spans, window), duration(spans))


def match_within(target: ArrayLike, model: ArrayLike, spans: Spans, window: float) -> Matching:
    """The largest matching of the spikes inside spans, in which no pair leaves its span.

    ``target`` and ``model`` of the result hold the spikes inside the spans only.
    """
    parts = [
        match(within(target, [(start, stop)]), within(model, [(start, stop)]), window)
        for start, stop in as_spans(spans).tolist()
    ]
    if len(parts) == 1:
        return parts[0]
    whole = within(target, spans), within(model, spans)
    sizes = np.array([[len(part.target), len(part.model)] for part in parts])
    before = np.cumsum(sizes, axis=0) - sizes
    pairs = np.concatenate([part.pairs + first for part, first in zip(parts, before)])
    return Matching(pairs, *whole, float(window))


def reliability(repeats: Sequence[ArrayLike], spans: Spans, window: float = 2e-3) -> float:
    """The mean gamma factor of all ordered pairs of repeats, at most 1.

    How well a recording predicts itself: no model can be expected to do better.

    Parameters
    ----------
    repeats : list of sorted arrays of shape (spikes,)
        At least two, of the same stimulus.

    Raises
    ------
    FitError
        Fewer than two repeats, or a rate at which gamma factors are refused.
    """
    if len(repeats) < 2:
        raise FitError(
            f"reliability: {len(repeats)} repeat of the stimulus; two are needed. Without repeats,"
            " use the gamma factor as it is."
        )
    values = [
        gamma_factor(one, other, spans, window)
        for i, one in enumerate(repeats)
        for j, other in enumerate(repeats)
        if i != j
    ]
    return float(np.mean(values))


def relative_gamma(
    repeats: Sequence[ArrayLike], model: ArrayLike, spans: Spans, window: float = 2e-3
) -> float:
    """The model's mean gamma factor against all repeats, divided by their :func:`reliability`.

    With one repeat the divisor is 1. Values above 1 are possible: a model may be nearer to all
    repeats than they are to each other.

    Raises
    ------
    FitError
        No repeats, or repeats that agree no better than by chance.
    """
    if not len(repeats):
        raise FitError("gamma factor: the target has no spike trains. Give at least one repeat.")
    mean = float(np.mean([gamma_factor(each, model, spans, window) for each in repeats]))
    if len(repeats) == 1:
        return mean
    own = reliability(repeats, spans, window)
    if own <= 0:
        raise FitError(
            f"gamma factor: the repeats agree with a reliability of {own:.3g} at a window of"
            f" {window:.4g}, which is no better than chance, so nothing can be divided by it. Use a"
            " wider window, or check that all repeats had the same stimulus."
        )
    return mean / own
