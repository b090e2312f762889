"""All numbers of a model's spikes against a target with repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError
from brian2lava.fit.metrics.distances import van_rossum, victor_purpura
from brian2lava.fit.metrics.gamma import (
    WINDOWS,
    gamma_factor,
    match_within,
    relative_gamma,
    reliability,
)
from brian2lava.fit.metrics.trains import Spans, as_spans, isi_cv, rate, within
from brian2lava.fit.metrics.variance import SIGMA, explained_variance_ratio


@dataclass(frozen=True)
class Score:
    """Spikes of a model against a target; means over the target's repeats where nothing is said.

    Attributes
    ----------
    windows : tuple of float
        Windows of coincidence, as the times. ``gamma``, ``raw_gamma``, ``reliability``,
        ``precision``, ``recall``, ``f1`` and the latencies have one number a window.
    gamma : tuple of float
        Gamma factor over the recording's reliability; nan where it is refused (``refused``).
    raw_gamma : tuple of float
        Gamma factor as it is; nan where it is refused.
    reliability : tuple of float
        Of the repeats; 1 for a single one, nan where it is refused.
    precision, recall, f1 : tuple of float
        0..1; nan as in :class:`~brian2lava.fit.metrics.matching.Matching`.
    latency_mean, latency_sd : tuple of float
        Of all matched spikes of all repeats, as the times; nan without any.
    victor_purpura, van_rossum : float
    explained_variance : float
        Over what the repeats' mean explains; nan where that is nothing (``refused``).
    rate, target_rate : float
        In 1/unit of the times.
    isi_cv, target_isi_cv : float
        nan with too few spikes; of the target, over the repeats that have enough.
    refused : tuple of str
        Why a number is nan, in sentences for the user.
    """

    windows: tuple[float, ...]
    gamma: tuple[float, ...]
    raw_gamma: tuple[float, ...]
    reliability: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    latency_mean: tuple[float, ...]
    latency_sd: tuple[float, ...]
    victor_purpura: float
    van_rossum: float
    explained_variance: float
    rate: float
    target_rate: float
    isi_cv: float
    target_isi_cv: float
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scales:
    """Widths of the measures, in the unit of the times; the defaults are for seconds.

    Attributes
    ----------
    windows : tuple of float
        Windows of coincidence.
    cost : float
        Of Victor-Purpura, in 1/unit: a spike moves by at most ``2 / cost``.
    tau : float
        Of van Rossum.
    sigma : float
        Of the Gaussian of explained variance.
    """

    windows: tuple[float, ...] = WINDOWS
    cost: float = 200.0
    tau: float = 10e-3
    sigma: float = SIGMA


def score(
    repeats: Sequence[ArrayLike], model: ArrayLike, spans: Spans, scales: Scales | None = None
) -> Score:
    """All numbers of :class:`Score`, from the spikes inside the spans.

    Parameters
    ----------
    repeats : list of sorted arrays of shape (spikes,)
        The target's spikes, an array a repeat of the stimulus, at least one.
    model : sorted array of shape (spikes,)
    spans : list of (start, stop)
    scales : Scales, optional

    Raises
    ------
    FitError
        Trains or spans that are none, or no repeats. A number that can't be had is nan, and
        ``refused`` says why.
    """
    if not len(repeats):
        raise FitError("score: the target has no spike trains. Give at least one repeat.")
    used = scales or Scales()
    spans = [(start, stop) for start, stop in as_spans(spans).tolist()]
    targets, own = [within(each, spans) for each in repeats], within(model, spans)
    refused: list[str] = []

    def each_window(measure: Callable[[float], float]) -> tuple[float, ...]:
        return tuple(_or_nan(partial(measure, w), refused) for w in used.windows)

    matched = [[match_within(t, own, spans, w) for t in targets] for w in used.windows]
    latencies = [np.concatenate([each.latencies for each in row]) for row in matched]
    return Score(
        windows=used.windows,
        gamma=each_window(lambda w: relative_gamma(targets, own, spans, w)),
        raw_gamma=each_window(
            lambda w: float(np.mean([gamma_factor(t, own, spans, w) for t in targets]))
        ),
        reliability=each_window(
            lambda w: reliability(targets, spans, w) if len(targets) > 1 else 1.0
        ),
        precision=tuple(float(np.mean([each.precision for each in row])) for row in matched),
        recall=tuple(float(np.mean([each.recall for each in row])) for row in matched),
        f1=tuple(float(np.mean([each.f1 for each in row])) for row in matched),
        latency_mean=tuple(float(x.mean()) if len(x) else np.nan for x in latencies),
        latency_sd=tuple(float(x.std()) if len(x) else np.nan for x in latencies),
        victor_purpura=float(np.mean([victor_purpura(t, own, used.cost) for t in targets])),
        van_rossum=float(np.mean([van_rossum(t, own, used.tau) for t in targets])),
        explained_variance=_or_nan(
            lambda: explained_variance_ratio(targets, own, spans, used.sigma), refused
        ),
        rate=rate(own, spans),
        target_rate=float(np.mean([rate(t, spans) for t in targets])),
        isi_cv=isi_cv(own, spans),
        target_isi_cv=_mean_of_known([isi_cv(t, spans) for t in targets]),
        refused=tuple(dict.fromkeys(refused)),
    )


def _or_nan(measure: Callable[[], float], refused: list[str]) -> float:
    try:
        return measure()
    except FitError as reason:
        refused.append(str(reason))
        return float("nan")


def _mean_of_known(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
