"""The bounds of a weight, and what has to be alike in all synapses of a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.recognise.plastic_map import PlasticMap
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.step_map import Array

NEAREST = (
    "A chip's learning rule changes the weight by sums of products of two presynaptic traces (x1,"
    " x2), three postsynaptic ones (y1, y2, y3), the weight, and one variable of the synapse (its"
    " tag), with one coefficient for all synapses"
)


def one(synapses: Any, values: Array, what: str) -> float:
    """The one number of an array; different ones are refused."""
    values = np.atleast_1d(np.asarray(values, dtype=float))
    if values.size and np.ptp(values) > 1e-9 * np.abs(values).max():
        refuse(
            synapses,
            f"{what} differs between synapses, from {values.min():.6g} to {values.max():.6g}",
            NEAREST,
            "give all synapses of the object the same, or make an object of each",
        )
    return float(values[0]) if values.size else 0.0


def bounds_of(synapses: Any, found: PlasticMap, weight: str) -> tuple[float, float, list[str]]:
    """The least and the greatest weight (infinite without), and notes.

    Raises
    ------
    NotSupported
        Bounds that a chip's weights can't have.
    """
    lows, highs, notes = [], [], []
    for event in found.events:
        change = event.change(weight)
        if change is None:
            continue
        what = f"the bound of '{change.text}'"
        lows.append(-np.inf if change.low is None else one(synapses, change.low, what))
        highs.append(np.inf if change.high is None else one(synapses, change.high, what))
    low, high = max(lows, default=-np.inf), min(highs, default=np.inf)
    if len(set(lows)) > 1 or len(set(highs)) > 1:
        notes.append(
            f"'{found.name}': events cut '{weight}' to different bounds; on the chip it lies"
            f" within {low:g} .. {high:g} always"
        )
    if low > 0 or high < 0 or low >= high:
        refuse(
            synapses,
            f"'{weight}' is cut to {low:g} .. {high:g}",
            "A chip's weights reach from 0 to a greatest one, or as far to both sides of 0",
            "let 0 be one of the bounds, and add the rest by synapses that are not plastic",
        )
    if np.isfinite(low) and np.isfinite(high) and low and high and not np.isclose(low, -high):
        refuse(
            synapses,
            f"'{weight}' is cut to {low:g} .. {high:g}",
            "A chip's weights of both signs reach equally far",
            "use bounds of equal magnitude, or 0 for one of them",
        )
    return low, high, notes
