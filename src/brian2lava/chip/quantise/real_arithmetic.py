"""The real meaning of every integer operation: the same expression without rounding or width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import Call, Expression, Name, Number
from brian2lava.chip.limits import DECAY_UNITY, RANDOM_BITS, STATE_MAX
from brian2lava.errors import NotSupported


def _clip(x: Any, low: Any, high: Any) -> Any:
    """Only bounds within the states' range are meant; a word's end has no real meaning."""
    low = np.where(np.asarray(low) <= -STATE_MAX, -np.inf, low)
    return np.clip(x, low, np.where(np.asarray(high) >= STATE_MAX, np.inf, high))


def _truth(x: Any) -> Any:
    return np.asarray(x, dtype=np.float64)


#: By the operation's name in ``brian2lava.chip.arithmetic.ROWS``.
REAL: Mapping[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "shift_left": lambda x, bits: x * np.exp2(bits),
    "shift_right": lambda x, bits: x * np.exp2(-bits),
    "shift": lambda x, bits: x * np.exp2(bits),
    "remainder": lambda x, y: x % y,
    "greater": lambda x, y: _truth(x > y),
    "greater_or_equal": lambda x, y: _truth(x >= y),
    "equal": lambda x, y: _truth(x == y),
    "both": lambda x, y: _truth((x != 0) & (y != 0)),
    "either": lambda x, y: _truth((x != 0) | (y != 0)),
    "negation": lambda x: _truth(x == 0),
    "select": lambda x, y, z: np.where(x != 0, y, z),
    "decay": lambda x, d: x * (1 - d / DECAY_UNITY),
    "rotate": lambda x, f, y, g, bits, more: (x * f + y * g) * np.exp2(-bits) + more,
    # whole numbers 0 .. y - 1 are y intervals of length 1: their middles have the same mean
    "drawn_below": lambda x, y: x * y / (1 << RANDOM_BITS) - 0.5,
    "wrap_once": lambda x: x,
    "wrap_modulo": lambda x, bits: x,
    "clip": _clip,
}


def evaluate_real(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value of an expression in doubles.

    Raises
    ------
    NotSupported
        An operation has no real meaning.
    """
    if isinstance(expression, Number):
        return np.float64(expression.value)
    if isinstance(expression, Name):
        return values[expression.name]
    assert isinstance(expression, Call)
    if expression.row.name not in REAL:
        raise NotSupported(
            f"the operation {expression.row.name!r} ({expression.row.formula}) has no meaning in"
            " real numbers, so the model that uses it cannot run in floating point."
        )
    return REAL[expression.row.name](
        *(evaluate_real(operand, values) for operand in expression.operands)
    )
