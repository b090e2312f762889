"""Weights: from mantissas to what a spike adds, in each profile, against independent formulas."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from brian2lava.chip.limits import WEIGHT_EXPONENT, WEIGHT_PRECISIONS
from brian2lava.chip.network import Projection, SignMode
from brian2lava.chip.profiles import BRIAN2LOIHI, LAVA, LOIHI1, PROFILES, Arithmetic
from brian2lava.chip.weights import effective, late_exponent, truncated

EXPONENTS = range(WEIGHT_EXPONENT.low, WEIGHT_EXPONENT.high + 1)
EVERY = [(signs, bits) for signs in SignMode for bits in WEIGHT_PRECISIONS]


def all_weights(
    signs: SignMode, bits: int, arithmetic: Arithmetic, exponent: int = 0
) -> Projection:
    """One synapse for every mantissa that the sign mode allows."""
    empty = Projection("p", "a", "b", [], [], [], exponent, signs, bits)
    limit = empty.weight_limit(arithmetic)
    weights = np.arange(limit.low, limit.high + 1)
    zeros = np.zeros(weights.size, np.int64)
    return replace(empty, pre=zeros, post=zeros, weights=weights)


@pytest.mark.parametrize(("signs", "bits"), EVERY)
def test_lava_truncates_as_lava(signs: SignMode, bits: int) -> None:
    pytest.importorskip("lava")
    from brian2lava.processes.shim import import_lava

    import_lava()
    from lava.utils import weightutils

    projection = all_weights(signs, bits, LAVA)
    mode = weightutils.SignMode(signs.value)
    expected = weightutils.clip_weights(projection.weights.reshape(1, -1), mode, num_bits=8)
    expected = weightutils.truncate_weights(expected, mode, bits)
    np.testing.assert_array_equal(truncated(projection, LAVA), expected[0])


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_lava_shifts_the_sum_where_the_exponent_is_negative(exponent: int) -> None:
    projection = all_weights(SignMode.MIXED, 8, LAVA, exponent)
    even = projection.weights // 2 * 2
    np.testing.assert_array_equal(effective(projection, LAVA), even * 2 ** max(exponent, 0))
    assert late_exponent(projection, LAVA) == min(exponent, 0)
    for other in (LOIHI1, BRIAN2LOIHI):
        assert late_exponent(projection, other) == 0


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize(("signs", "bits"), EVERY)
def test_brian2loihi_follows_its_formula(signs: SignMode, bits: int, exponent: int) -> None:
    """P = 2**(8 - (bits - mixed)); trunc(w / P) P 2**(6 + exponent), floored to 64, 21 bits."""
    projection = all_weights(signs, bits, BRIAN2LOIHI, exponent)
    step = 2 ** (8 - (bits - (signs is SignMode.MIXED)))
    expected = []
    for w in projection.weights.tolist():
        scaled = math.trunc(w / step) * step * 2.0 ** (6 + exponent)
        expected.append(max(-(2**21) + 64, min(2**21 - 64, math.floor(scaled / 64) * 64)))
    np.testing.assert_array_equal(effective(projection, BRIAN2LOIHI) * 64, expected)


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize(("signs", "bits"), EVERY)
def test_loihi1_follows_nengo_loihi(signs: SignMode, bits: int, exponent: int) -> None:
    """k = w / 2**s, nearest, half to even, |k| <= m; bits that a shift loses are rounded first."""
    projection = all_weights(signs, bits, LOIHI1, exponent)
    s = 8 - bits + (signs is SignMode.MIXED)
    m, lost = 2 ** (8 - s) - 1, -(s + exponent)
    expected = []
    for w in projection.weights.tolist():
        k = max(-m, min(m, round(Fraction(w, 2**s))))
        if lost > 0:
            k = max(-m, min(m, round(Fraction(k, 2**lost)) * 2**lost))
        expected.append(math.floor(k * Fraction(2) ** (s + exponent)))
    np.testing.assert_array_equal(effective(projection, LOIHI1), expected)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize(("signs", "bits"), EVERY)
def test_truncated_weights_stay_near_and_in_range(name: str, signs: SignMode, bits: int) -> None:
    arithmetic = PROFILES[name]
    projection = all_weights(signs, bits, arithmetic)
    step = 2 ** (8 - bits + (signs is SignMode.MIXED))
    kept = truncated(projection, arithmetic)
    assert np.all(kept % step == 0)
    assert kept.min() >= -256 and kept.max() <= 255
    inside = np.abs(projection.weights) <= 256 - step
    error = np.abs(kept - projection.weights)[inside]
    assert error.max(initial=0) <= (step // 2 if arithmetic is LOIHI1 else step - 1)
    again = replace(projection, weights=kept)
    np.testing.assert_array_equal(truncated(again, arithmetic), kept)
    if signs is not SignMode.MIXED:
        sign = -1 if signs is SignMode.INHIBITORY else 1
        assert np.all(sign * kept >= 0)


def test_the_sign_mode_is_found_as_lava_finds_it() -> None:
    def mode(weights: list[int]) -> SignMode:
        return Projection("p", "a", "b", [0] * len(weights), [0] * len(weights), weights).signs

    assert mode([0, 3]) is SignMode.EXCITATORY
    assert mode([0, -3]) is SignMode.INHIBITORY
    assert mode([0, 0]) is SignMode.EXCITATORY
    assert mode([-1, 1]) is SignMode.MIXED
    assert mode([]) is SignMode.EXCITATORY
