"""The numbers of the tiles, for the training spans and for those held out."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.metrics import gamma_of, match_within, reliability, score
from brian2lava.fit.metrics.trains import duration
from brian2lava.fit.target import Target
from brian2lava.studio.identity import Same
from brian2lava.studio.runs import run_chip, run_in_real
from brian2lava.studio.setup import MOST_SHOWN, Setup

Spans = Sequence[tuple[float, float]]


def spans_of(
    target: Target, kind: str, sweep: int, shown: float = float("inf")
) -> list[tuple[float, float]]:
    """The spans of a kind, as far as a sweep has samples, and no further than ``shown`` seconds."""
    end = min(target.sweeps[sweep].steps * target.dt, shown)
    spans = [(a, min(b, end)) for a, b in sorted(getattr(target, kind))]
    return [(a, b) for a, b in spans if a < b]


def quick(setup: Setup, spikes: Any, window: float) -> dict[str, Any]:
    """Gamma factor, precision, recall and latency of the shown sweep, a span kind each.

    Gamma factors are divided by the recording's reliability; ``spread`` is their standard
    deviation over the repeats.
    """
    return trains_compared(setup.target, setup.sweep, spikes, window, MOST_SHOWN * setup.dt)


def trains_compared(
    target: Target, sweep: int, spikes: Any, window: float, shown: float
) -> dict[str, Any]:
    """The numbers of :func:`quick` for spikes of the first ``shown`` seconds of a sweep."""
    repeats, found = target.sweeps[sweep].spikes, {}
    for kind in ("train", "held_out"):
        spans = spans_of(target, kind, sweep, shown)
        found[kind] = _quick(repeats, spikes, spans, window) if repeats and spans else None
    return found


def _quick(repeats: Sequence[Any], spikes: Any, spans: Spans, window: float) -> dict[str, Any]:
    length = duration(spans)
    matched = [match_within(train, spikes, spans, window) for train in repeats]
    result: dict[str, Any] = {
        "precision": _mean([m.precision for m in matched]),
        "recall": _mean([m.recall for m in matched]),
        "latency": _mean([m.latency_mean for m in matched]),
        "latency_sd": _mean([m.latency_sd for m in matched]),
        "spikes": len(matched[0].model),
        "target_spikes": _mean([len(m.target) for m in matched]),
    }
    try:
        own = _reliability(Same(repeats), tuple(spans), window)
        gammas = [gamma_of(m, length) / own for m in matched]
        result |= {"gamma": _mean(gammas), "spread": float(np.std(gammas)), "reliability": own}
    except FitError as reason:
        result |= {"gamma": None, "spread": None, "refused": str(reason)}
    return result


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


@functools.lru_cache(maxsize=64)
def _reliability(trains: Same, spans: tuple[tuple[float, float], ...], window: float) -> float:
    if len(trains.value) < 2:
        return 1.0
    own = reliability(trains.value, spans, window)
    if own <= 0:
        raise FitError(
            f"the repeats agree no better than by chance at a window of {window * 1e3:g} ms; use a"
            " wider one."
        )
    return own


def full(setup: Setup) -> dict[str, Any]:
    """All numbers, of all sweeps together, on the chip and in floating point.

    Returns
    -------
    dict of "chip", "real" to dict of "train", "held_out" to the fields of
    :class:`brian2lava.fit.metrics.Score`, or None where there is nothing to compare with.
    """
    settings = setup.settings()
    chip, real = [], []
    for k in range(len(setup.target.sweeps)):
        stimulus = setup.stimulus(k)
        chip.append(run_chip(setup, settings, stimulus).spikes)
        real.append(run_in_real(setup, stimulus).spikes)
    shown = MOST_SHOWN * setup.dt
    return {
        "chip": compared(setup.target, chip, shown),
        "real": compared(setup.target, real, shown),
    }


def compared(target: Target, trains: Sequence[Any], shown: float = float("inf")) -> dict[str, Any]:
    """A model's spikes, a train a sweep, against the target: the fields of a score, by kind."""
    return {kind: _of_kind(target, trains, kind, shown) for kind in ("train", "held_out")}


def _of_kind(
    target: Target, trains: Sequence[Any], kind: str, shown: float
) -> Mapping[str, Any] | None:
    joined, spans, repeats = _joined(target, trains, kind, shown)
    if not spans or not repeats:
        return None
    return asdict(score(repeats, joined, spans))


def _joined(
    target: Target, trains: Sequence[Any], kind: str, shown: float
) -> tuple[Any, list[tuple[float, float]], list[Any]]:
    """Sweeps one behind the other in time, so that one score covers them all."""
    gap = 2 * target.duration
    count = min(len(sweep.spikes) for sweep in target.sweeps)
    spans = [
        (a + k * gap, b + k * gap)
        for k in range(len(target.sweeps))
        for a, b in spans_of(target, kind, k, shown)
    ]
    repeats = [
        np.concatenate([sweep.spikes[r] + k * gap for k, sweep in enumerate(target.sweeps)])
        for r in range(count)
    ]
    joined = np.concatenate([train + k * gap for k, train in enumerate(trains)])
    return joined, spans, repeats
