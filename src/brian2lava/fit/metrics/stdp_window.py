"""Windows of spike-timing dependent plasticity: change of weight over the lag of two spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError


@dataclass(frozen=True)
class WindowComparison:
    """Two STDP windows at the same lags.

    Attributes
    ----------
    rmse : float
        Root mean square difference, at least 0, in the unit of the changes.
    relative : float
        ``rmse`` over the target's largest magnitude; nan for a target of zeros.
    sign_agreement : float
        The part of the lags at which both have the same sign, 0..1; lags count where the target is
        not 0. nan for a target of zeros.
    """

    rmse: float
    relative: float
    sign_agreement: float


def compare_windows(target: ArrayLike, model: ArrayLike) -> WindowComparison:
    """Compare changes of weight, arrays of shape (lags,), at the same lags.

    Raises
    ------
    FitError
        Unequal shapes, no lags, or values that are not finite.
    """
    a, b = np.asarray(target, dtype=np.float64), np.asarray(model, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise FitError(
            f"STDP window: shapes {a.shape} and {b.shape}; needed is one change a lag, at the same"
            " lags."
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise FitError("STDP window: changes of weight that are not finite. Leave those lags out.")
    error = float(np.sqrt(np.mean((a - b) ** 2)))
    counted = a != 0
    if not counted.any():
        return WindowComparison(error, float("nan"), float("nan"))
    agreement = float((np.sign(a) == np.sign(b))[counted].mean())
    return WindowComparison(error, error / float(np.abs(a).max()), agreement)
