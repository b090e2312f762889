"""Shape of postsynaptic currents and potentials, and how one follows another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError
from brian2lava.fit.metrics.trains import Array, as_train


@dataclass(frozen=True)
class Response:
    """One postsynaptic response.

    Attributes
    ----------
    peak : float
        Largest deflection from the baseline, with its sign, in the trace's unit.
    time_to_peak : float
        From the presynaptic spike to the peak, in the unit of the times.
    rise : float
        From 10 % to 90 % of the peak, between samples by straight lines; nan if the response is
        already above 10 % at the presynaptic spike.
    decay : float
        Time constant of the exponential that fits best from 80 % to 20 % of the peak behind it;
        nan if the trace ends before 20 %, or has fewer than two samples between.
    """

    peak: float
    time_to_peak: float
    rise: float
    decay: float


def response(times: ArrayLike, trace: ArrayLike, spike: float) -> Response:
    """Peak, times and time constant of the response to one presynaptic spike.

    Parameters
    ----------
    times : sorted array of shape (samples,)
    trace : array of shape (samples,)
        Current or potential; the baseline is its mean before ``spike``, or its value there if there
        is nothing before.
    spike : float
        When the presynaptic spike happened, inside the times.

    Raises
    ------
    FitError
        A trace of another shape or with values that are not finite, a spike outside the times, or a
        trace without any deflection.
    """
    x, y = _trace(times, trace)
    first = _sample(x, spike)
    after = x[first:] - spike
    shape = y[first:] - (y[:first].mean() if first else y[0])
    top = int(np.argmax(np.abs(shape)))
    peak = float(shape[top])
    if peak == 0:
        raise FitError(f"synapse: the trace does not leave its baseline after {spike:.6g}.")
    part = shape / peak
    low, high = _first_above(after, part, top, 0.1), _first_above(after, part, top, 0.9)
    return Response(peak, float(after[top]), high - low, _decay(after[top:], part[top:]))


def paired_pulse_ratio(times: ArrayLike, trace: ArrayLike, first: float, second: float) -> float:
    """Peak of the second response over the first, each from the value at its spike.

    Above 1 for facilitation, below for depression. What is left of the first response at the second
    spike belongs to the baseline of the second, and goes on to decay below it: for pulses that
    overlap, the ratio is the usual one of deflections, not that of conductances.

    Parameters
    ----------
    times, trace : as in :func:`response`
    first, second : float
        Presynaptic spikes, ``first < second``, both inside the times.
    """
    x, y = _trace(times, trace)
    if not first < second:
        raise FitError(f"paired pulses: the first is at {first}, the second at {second}.")
    start, middle = _sample(x, first), _sample(x, second)
    one, two = _deflection(y[start : middle + 1]), _deflection(y[middle:])
    if one == 0:
        raise FitError(f"paired pulses: there is no response to the first, at {first:.6g}.")
    return two / one


def _deflection(piece: Array) -> float:
    shape = piece - piece[0]
    return float(shape[np.argmax(np.abs(shape))])


def _first_above(times: Array, part: Array, top: int, level: float) -> float:
    """When the rising flank crosses ``level`` for the last time before the peak."""
    below = np.flatnonzero(part[:top] < level)
    if not len(below):
        return float("nan")
    i = below[-1]
    weight = (level - part[i]) / (part[i + 1] - part[i])
    return float(times[i] + weight * (times[i + 1] - times[i]))


def _decay(times: Array, part: Array) -> float:
    """Least squares line through the logarithm from 80 % to 20 %."""
    ended = np.flatnonzero(part < 0.2)
    if not len(ended):
        return float("nan")
    chosen = np.flatnonzero(part[: ended[0]] <= 0.8)
    if len(chosen) < 2:
        return float("nan")
    piece = slice(chosen[0], ended[0])
    slope = float(np.polyfit(times[piece], np.log(part[piece]), 1)[0])
    return -1 / slope if slope < 0 else float("nan")


def _trace(times: ArrayLike, trace: ArrayLike) -> tuple[Array, Array]:
    x, y = as_train(times, "times of samples"), np.asarray(trace, dtype=np.float64)
    if x.shape != y.shape or not len(x):
        raise FitError(f"synapse: {len(x)} times, and a trace of shape {y.shape}.")
    if not np.isfinite(y).all():
        raise FitError("synapse: the trace has values that are not finite. Leave them out.")
    return x, y


def _sample(times: Array, spike: float) -> int:
    """The first sample at or after the spike."""
    if not times[0] <= spike <= times[-1]:
        raise FitError(
            f"synapse: a presynaptic spike at {spike:.6g}, and samples from {times[0]:.6g} to"
            f" {times[-1]:.6g}. Give its time on the clock of the trace."
        )
    return int(np.searchsorted(times, spike))
