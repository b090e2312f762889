"""Membrane voltage of a model against a target, outside the spikes of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brian2lava.errors import FitError
from brian2lava.fit.metrics.trains import Array, as_train


def outside_spikes(
    times: ArrayLike, trains: Sequence[ArrayLike], before: float, after: float
) -> NDArray[np.bool_]:
    """Which samples are far from the spikes of all trains.

    Parameters
    ----------
    times : sorted array of shape (samples,)
    trains : list of sorted arrays of shape (spikes,)
        Of the target and of the model.
    before, after : float
        At least 0, in the unit of the times: samples from ``before`` ahead of a spike to ``after``
        behind it are left out, the limits included.

    Returns
    -------
    bool array of shape (samples,)
    """
    if not (before >= 0 and after >= 0):
        raise FitError(
            f"spikes: a window of {before} before, {after} after; both must be 0 or more."
        )
    grid = as_train(times, "times of samples")
    edges = np.zeros(len(grid) + 1, dtype=np.int64)
    for train in trains:
        spikes = as_train(train)
        np.add.at(edges, np.searchsorted(grid, spikes - before, side="left"), 1)
        np.add.at(edges, np.searchsorted(grid, spikes + after, side="right"), -1)
    return np.cumsum(edges[:-1]) == 0


def rmse(target: ArrayLike, model: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Root mean square difference of two traces of shape (samples,), where ``mask`` is true.

    At least 0, in the unit of the traces; 0 for equal ones.

    Raises
    ------
    FitError
        Unequal shapes, values that are not finite, or no sample left.
    """
    a, b = _compared(target, model, mask)
    return float(np.sqrt(np.mean((a - b) ** 2)))


def normalised_mse(target: ArrayLike, model: ArrayLike, mask: ArrayLike | None = None) -> float:
    """Mean square difference over the target's variance, where ``mask`` is true; no unit.

    0 for equal traces, 1 for a model that is the target's mean, without limit above.

    Raises
    ------
    FitError
        As in :func:`rmse`, or a target that is constant.
    """
    a, b = _compared(target, model, mask)
    variance = float(a.var())
    if not np.ptp(a):
        raise FitError(
            f"normalised error: the target is constant ({a[0]:.6g}) over {len(a)} samples, so there"
            " is no variance to divide by. Use rmse, or spans in which something happens."
        )
    return float(np.mean((a - b) ** 2)) / variance


def _compared(target: ArrayLike, model: ArrayLike, mask: ArrayLike | None) -> tuple[Array, Array]:
    a, b = np.asarray(target, dtype=np.float64), np.asarray(model, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape:
        raise FitError(
            f"voltage: the target has shape {a.shape}, the model {b.shape}; both must be one trace"
            " at the same times. Resample one: numpy.interp."
        )
    if mask is not None:
        keep = np.asarray(mask, dtype=np.bool_)
        if keep.shape != a.shape:
            raise FitError(f"voltage: a mask of shape {keep.shape} for traces of {a.shape}.")
        a, b = a[keep], b[keep]
    if not len(a):
        raise FitError("voltage: no samples are left outside the spikes. Use a narrower window.")
    for name, trace in (("target", a), ("model", b)):
        if not np.isfinite(trace).all():
            raise FitError(f"voltage: the {name} has values that are not finite. Leave them out.")
    return a, b
