"""Coefficients of learning rules in registers: mantissa * 2**exponent, of either sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.learning import Factor, Product
from brian2lava.chip.learning.widths import (
    ACCUMULATOR_BITS,
    EXPONENT,
    FACTOR_BITS,
    MANTISSA,
    MANTISSA_BITS,
)


def _grid() -> tuple[Any, Any, Any]:
    """All magnitudes with their mantissas and exponents; of equals the largest mantissa."""
    pairs: dict[float, tuple[int, int]] = {}
    for exponent in range(EXPONENT.high, EXPONENT.low - 1, -1):
        for mantissa in range(1, MANTISSA.high + 1):
            pairs[mantissa * 2.0**exponent] = mantissa, exponent
    values = np.array(sorted(pairs))
    found = np.array([pairs[value] for value in values], np.int64)
    return values, found[:, 0], found[:, 1]


_VALUES, _MANTISSAS, _EXPONENTS = _grid()
#: The least and the largest magnitude of a coefficient.
SMALLEST, LARGEST = float(_VALUES[0]), float(_VALUES[-1])
#: Below this part of the smallest coefficient, none is nearer.
_HALF = 0.5


def nearest(values: Any) -> tuple[Any, Any]:
    """Mantissas and exponents next to ``values``, int64; mantissa 0 where 0 is nearer."""
    values = np.asarray(values, np.float64)
    size = np.abs(values)
    right = np.clip(np.searchsorted(_VALUES, size), 1, len(_VALUES) - 1)
    left = right - 1
    place = np.where(size - _VALUES[left] < _VALUES[right] - size, left, right)
    mantissa = np.where(size < _HALF * SMALLEST, 0, _MANTISSAS[place] * np.sign(values))
    return mantissa.astype(np.int64), _EXPONENTS[place]


def shift_of(*variables: str) -> int:
    """By how many bits the chip shifts a product of these factors to the right.

    It holds 15 bits beside the sign; what factors and mantissa have more is dropped.
    """
    bits = sum(FACTOR_BITS[variable] for variable in variables)
    return max(0, bits + MANTISSA_BITS - ACCUMULATOR_BITS)


def product(mantissa: int, exponent: int, dependency: str, *factors: Factor) -> tuple[Product, ...]:
    """The product, or nothing where the mantissa is 0."""
    if not mantissa:
        return ()
    return (Product(int(mantissa), int(exponent), dependency, factors),)
