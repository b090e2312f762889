"""Firing rate over current: how far two curves lie apart, and where they begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError
from brian2lava.fit.metrics.trains import Array


def area_between(
    current: ArrayLike, target: ArrayLike, model_current: ArrayLike, model: ArrayLike
) -> float:
    """Area between two f-I curves over the currents that both have, over the width of those.

    The mean distance of the curves, at least 0, in the unit of the rates. Curves are straight
    between their points; the integral is exact, also where they cross.

    Parameters
    ----------
    current, model_current : strictly ascending array of shape (points,), at least two
    target, model : array of shape (points,)

    Raises
    ------
    FitError
        Unequal lengths, currents that do not ascend, or curves with no range of currents in common.
    """
    x, f = _curve(current, target, "target")
    z, g = _curve(model_current, model, "model")
    low, high = max(x[0], z[0]), min(x[-1], z[-1])
    if low >= high:
        raise FitError(
            f"f-I curve: the target has currents {x[0]:.4g}..{x[-1]:.4g}, the model"
            f" {z[0]:.4g}..{z[-1]:.4g}, and nothing in common. Measure both at the same currents."
        )
    grid = np.unique(np.clip(np.concatenate([x, z]), low, high))
    return _absolute_area(grid, np.interp(grid, z, g) - np.interp(grid, x, f)) / float(high - low)


def _absolute_area(x: Array, difference: Array) -> float:
    """Integral of the magnitude of a broken line."""
    first, second, width = difference[:-1], difference[1:], np.diff(x)
    sizes = np.abs(first) + np.abs(second)
    crossing = first * second < 0
    # two triangles where the line crosses zero, else a trapezium
    squares = first**2 + second**2
    heights = np.where(crossing, squares / np.where(sizes > 0, sizes, 1), sizes)
    return float((heights * width).sum() / 2)


def rheobase(current: ArrayLike, rates: ArrayLike) -> float:
    """The least current of the curve at which the neuron fires; nan if it never does.

    A neuron that fires at the lowest current given has its rheobase there or below: measure lower.
    """
    x, f = _curve(current, rates, "curve")
    fires = np.flatnonzero(f > 0)
    return float(x[fires[0]]) if len(fires) else float("nan")


def rheobase_error(
    current: ArrayLike, target: ArrayLike, model_current: ArrayLike, model: ArrayLike
) -> float:
    """Rheobase of the model minus that of the target, in the unit of the currents.

    Above 0 where the model needs more. 0 if neither fires; infinity if only the target fires,
    -infinity if only the model does.
    """
    wanted, present = rheobase(current, target), rheobase(model_current, model)
    if np.isnan(wanted) and np.isnan(present):
        return 0.0
    if np.isnan(present):
        return float("inf")
    return float("-inf") if np.isnan(wanted) else present - wanted


def _curve(current: ArrayLike, rates: ArrayLike, name: str) -> tuple[Array, Array]:
    x, f = np.asarray(current, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    if x.ndim != 1 or x.shape != f.shape or len(x) < 2:
        raise FitError(
            f"f-I curve: the {name} has currents of shape {x.shape} and rates of shape {f.shape};"
            " needed is one rate a current, at two currents or more."
        )
    if not (np.isfinite(x).all() and np.isfinite(f).all() and (np.diff(x) > 0).all()):
        raise FitError(
            f"f-I curve: currents and rates of the {name} must be finite, and the currents ascend."
            " Sort the points, and average those at the same current."
        )
    return x, f
