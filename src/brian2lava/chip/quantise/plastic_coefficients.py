"""A coefficient as a sum of products: mantissas of 4 bits, each with an exponent."""

from __future__ import annotations

import math

from brian2lava.chip.learning.widths import EXPONENT, MANTISSA

#: Products that a term may become.
PRODUCTS = 2


def nearest(wanted: float, products: int = PRODUCTS) -> tuple[float, list[tuple[int, int]]]:
    """What the sum of ``products`` mantissas * 2^exponent comes to at best, and these pairs.

    The first is the nearest single one, the next the nearest to what is left; none if that is
    below half of the smallest.
    """
    pairs: list[tuple[int, int]] = []
    meant = 0.0
    for _ in range(products):
        mantissa, exponent = _single(wanted - meant)
        if mantissa == 0:
            break
        pairs.append((mantissa, exponent))
        meant += mantissa * 2.0**exponent
    return meant, pairs


def _single(value: float) -> tuple[int, int]:
    """The nearest mantissa * 2^exponent, with the smallest mantissa; the finest that reaches it."""
    if value == 0:
        return 0, EXPONENT.low
    least = math.ceil(math.log2(abs(value) / (MANTISSA.high + 0.5)))
    found = []
    for exponent in (least, least + 1):
        exponent = min(max(exponent, EXPONENT.low), EXPONENT.high)
        mantissa = max(-MANTISSA.high, min(MANTISSA.high, round(value / 2.0**exponent)))
        found.append((abs(value - mantissa * 2.0**exponent), mantissa, exponent))
    _, mantissa, exponent = min(found)
    while mantissa and mantissa % 2 == 0 and exponent < EXPONENT.high:
        mantissa, exponent = mantissa // 2, exponent + 1
    return mantissa, exponent
