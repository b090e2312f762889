"""Features of eFEL, as distances in standard deviations of the target; needs the extra "efel"."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError, NotSupported

#: Features that make sense for models without the shape of a spike.
FEATURES = ("Spikecount", "mean_frequency", "time_to_first_spike", "ISI_CV", "adaptation_index2")


def features(
    time: ArrayLike,
    voltage: ArrayLike,
    start: float,
    stop: float,
    names: Sequence[str] = FEATURES,
) -> dict[str, float]:
    """Mean of each feature over one trace; nan where eFEL finds none.

    Parameters
    ----------
    time : sorted array of shape (samples,), in ms
    voltage : array of shape (samples,), in mV
    start, stop : float
        Of the stimulus, in ms.
    names : list of str
        As eFEL names them.

    Raises
    ------
    NotSupported
        eFEL is not installed.
    FitError
        A feature that eFEL does not have, or a trace of another shape than its times.
    """
    efel = _efel()
    unknown = set(names) - set(efel.get_feature_names())
    if unknown:
        raise FitError(
            f"eFEL has no feature {', '.join(sorted(unknown))}. efel.get_feature_names() has all."
        )
    x, y = np.asarray(time, dtype=np.float64), np.asarray(voltage, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise FitError(f"eFEL: times of shape {x.shape} and a voltage of shape {y.shape}.")
    trace = {"T": x, "V": y, "stim_start": [start], "stim_end": [stop]}
    (found,) = efel.get_feature_values([trace], list(names), raise_warnings=False)
    return {name: _mean(found[name]) for name in names}


def in_standard_deviations(
    model: Mapping[str, float], targets: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """``(model - mean) / SD`` of each feature over the target's repeats (SD over n - 1).

    nan where the model or fewer than two repeats have the feature; where all repeats agree, 0 if
    the model agrees too, else infinite.

    Raises
    ------
    FitError
        Fewer than two repeats: no standard deviation.
    """
    if len(targets) < 2:
        raise FitError(
            f"eFEL: {len(targets)} repeat of the target; a standard deviation needs two or more."
        )
    return {
        name: _deviation(value, [each.get(name, math.nan) for each in targets])
        for name, value in model.items()
    }


def _deviation(value: float, repeats: list[float]) -> float:
    known = [each for each in repeats if math.isfinite(each)]
    if len(known) < 2 or not math.isfinite(value):
        return math.nan
    away, spread = value - float(np.mean(known)), float(np.std(known, ddof=1))
    if spread:
        return away / spread
    return math.copysign(math.inf, away) if away else 0.0


def _mean(values: Any) -> float:
    return math.nan if values is None or not len(values) else float(np.mean(values))


def _efel() -> Any:
    try:
        return importlib.import_module("efel")
    except ImportError as problem:
        raise NotSupported(
            f"eFEL's features need the package efel ({problem})."
            ' Install the extra: pip install "brian2lava[efel]".'
        ) from problem
