"""From the mantissas that a projection is given to what a spike adds at its target."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.limits import ALIGNMENT, SCALED_WEIGHT, WEIGHT_BITS
from brian2lava.chip.network import Integers, Projection, SignMode, frozen
from brian2lava.chip.profiles import Arithmetic


def grid(projection: Projection) -> int:
    """Low bits of the mantissa that are always zero: 8 - bits, one more with mixed signs."""
    mixed = projection.signs is SignMode.MIXED
    return WEIGHT_BITS - projection.num_weight_bits + int(mixed)


def truncated(projection: Projection, arithmetic: Arithmetic) -> Integers:
    """The mantissas on their grid.

    "floor" is lava-nc's: toward minus infinity, but toward zero for inhibitory weights (2.4 in
    ``truncate_weights`` of ``lava.utils.weightutils``); "toward_zero" is brian2-loihi's; "nearest"
    nengo-loihi's: halves go to the even multiple, and the range is symmetric.
    """
    n = grid(projection)
    w = projection.weights
    size = np.abs(w)
    if arithmetic.weight_rounding == "floor":
        if projection.signs is SignMode.INHIBITORY:
            return frozen(-((-w >> n) << n))
        return frozen((w >> n) << n)
    if arithmetic.weight_rounding == "toward_zero":
        return frozen(np.sign(w) * ((size >> n) << n))
    return frozen(_nearest(w, n, _most(n)) << n)


def _most(n: int) -> int:
    """The greatest multiple of 2**n of either sign, in these multiples."""
    return (1 << (WEIGHT_BITS - n)) - 1


def _nearest(w: Integers, bits: int, most: int) -> Integers:
    """w / 2**bits to the nearest integer, half to even, between -most and most."""
    return np.clip(np.rint(w / 2.0**bits), -most, most).astype(np.int64)


def effective(projection: Projection, arithmetic: Arithmetic) -> Integers:
    """What one spike adds to the port, in units of 2**6 of the state.

    With the exponent on the sum and negative, that is the mantissa: the sum is shifted later.
    """
    mantissas = truncated(projection, arithmetic)
    exponent = projection.exponent
    if arithmetic.exponent == "sum":
        return frozen(mantissas << exponent) if exponent > 0 else mantissas
    if arithmetic.weight_rounding == "nearest":
        mantissas = _kept_bits(mantissas, grid(projection), exponent)
    shifted = mantissas << exponent if exponent >= 0 else mantissas >> -exponent
    limit = SCALED_WEIGHT.high >> ALIGNMENT
    return frozen(np.clip(shifted, -limit, limit))


def _kept_bits(mantissas: Integers, n: int, exponent: int) -> Integers:
    """Where an exponent shifts set bits out, nengo-loihi rounds them first (to even)."""
    lost = -(n + exponent)
    if lost <= 0:
        return mantissas
    most = _most(n)
    kept = _nearest(mantissas >> n, lost, most) << lost
    return np.clip(kept, -most, most) << n


def late_exponent(projection: Projection, arithmetic: Arithmetic) -> int:
    """The (negative) exponent that shifts the sum of what arrives together; 0: none."""
    return min(projection.exponent, 0) if arithmetic.exponent == "sum" else 0
