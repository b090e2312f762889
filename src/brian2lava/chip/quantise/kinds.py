"""How the real value of a register becomes an integer and what the integer means: a row a kind.

``unscale(scale(x))`` differs from x by at most half of what one unit of the register means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.ideal import Reals
from brian2lava.chip.limits import (
    ALIGNMENT,
    BIAS_EXPONENT,
    BIAS_MANTISSA,
    DECAY_UNITY,
    NOISE_LEVELS,
    NOISE_SHIFT,
    RANDOM_BITS,
    ROTATION_BITS,
    Limit,
)
from brian2lava.chip.profiles import Arithmetic


@dataclass(frozen=True)
class KindRow:
    """One kind of register.

    Attributes
    ----------
    kind : str
        One of :data:`brian2lava.chip.ideal.Kind`.
    scale, unscale : function of (values, A, profile) -> array of doubles
        Real value to register, before rounding; and back.
    scaled : bool
        Whether A enters.
    formula : str
    source : str
    """

    kind: str
    scale: Callable[[Any, Any, Arithmetic], Any]
    unscale: Callable[[Any, Any, Arithmetic], Any]
    scaled: bool
    formula: str
    source: str


#: Standard deviation of a chip's noise with the exponent 0: uniform whole numbers -127 .. 127, over
#: 2**7.
NOISE_UNIT = float(np.sqrt((NOISE_LEVELS**2 - 1) / 12) / (1 << NOISE_SHIFT))


def _noise_exponent(deviation: Any, a: Any, profile: Arithmetic) -> Any:
    """0 where there is no noise."""
    real = np.asarray(deviation * a, np.float64)
    return np.where(real > 0, np.log2(np.where(real > 0, real, 1.0) / NOISE_UNIT), 0.0)


def _noise_deviation(exponent: Any, a: Any, profile: Arithmetic) -> Any:
    exponent = np.asarray(exponent, np.float64)
    return np.where(exponent != 0, NOISE_UNIT * np.exp2(exponent) / a, 0.0)


KINDS: Mapping[str, KindRow] = {
    row.kind: row
    for row in (
        KindRow(
            "decay",
            lambda x, a, profile: x * DECAY_UNITY,
            lambda n, a, profile: n / DECAY_UNITY,
            False, "round(4096 d)", "LIF of lava-nc 0.10.0: 12 bits, no offset for voltages",
        ),
        KindRow(
            "current_decay",
            lambda x, a, profile: x * DECAY_UNITY - profile.decay_offset,
            lambda n, a, profile: (n + profile.decay_offset) / DECAY_UNITY,
            False, "round(4096 d) - offset",
            "LIF of lava-nc 0.10.0: the current decays by the register plus one",
        ),
        KindRow(
            "threshold",
            lambda x, a, profile: x * a / (1 << ALIGNMENT),
            lambda n, a, profile: n * (1 << ALIGNMENT) / a,
            True, "round(A x / 64)", "LIF of lava-nc 0.10.0: thresholds are shifted left by 6",
        ),
        KindRow(
            "bias",
            lambda x, a, profile: x * a,
            lambda n, a, profile: n / a,
            True, "mantissa << exponent nearest to A x",
            "LIF of lava-nc 0.10.0: 13 bits and an exponent 0..7",
        ),
        KindRow(
            "level",
            lambda x, a, profile: x * a,
            lambda n, a, profile: n / a,
            True, "round(A x)", "24-bit states of lava-nc 0.10.0",
        ),
        KindRow(
            "rotation",
            lambda x, a, profile: x * (1 << ROTATION_BITS.high),
            lambda n, a, profile: n / (1 << ROTATION_BITS.high),
            False, "4096 x, both parts together", "RF of lava-nc 0.10.0, with 12 decay bits",
        ),
        KindRow(
            "fraction",
            lambda x, a, profile: x * (1 << RANDOM_BITS),
            lambda n, a, profile: n / (1 << RANDOM_BITS),
            False, "round(2**24 p)", "random words of 24 bits",
        ),
        KindRow(
            "noise", _noise_exponent, _noise_deviation,
            True, "round(log2(A x / 0.575))", "uniform noise of Loihi 1, as in nengo-loihi 1.1",
        ),
        KindRow(
            "count",
            lambda x, a, profile: x * 1.0,
            lambda n, a, profile: n * 1.0,
            False, "n", "whole numbers",
        ),
    )
}  # fmt: skip


def inward(register: str) -> int:
    """What makes a threshold's register inclusive, for the chip fires beyond it.

    Inputs are multiples of 64 in state units, as thresholds are, so that without leak this is
    exact; with a leak a voltage within one step below the threshold fires as well.
    """
    return 1 if register == "vth_lo" else -1


def rounded(values: Any) -> Any:
    """The nearest integers (half to even), as int64."""
    return np.rint(np.asarray(values, dtype=np.float64)).astype(np.int64)


def mantissa_and_exponent(values: Any) -> tuple[Any, Any]:
    """The mantissas and exponents whose ``mantissa << exponent`` are nearest to ``values``.

    The least exponent that fits is the best one. Values beyond ``4095 << 7`` get mantissas beyond
    the limit, which the caller refuses.
    """
    x = np.asarray(values, dtype=np.float64)
    exponents = np.full(x.shape, BIAS_EXPONENT.high, dtype=np.int64)
    for exponent in range(BIAS_EXPONENT.high - 1, -1, -1):
        mantissas = np.rint(x / (1 << exponent))
        fits = (mantissas >= BIAS_MANTISSA.low) & (mantissas <= BIAS_MANTISSA.high)
        exponents = np.where(fits, exponent, exponents)
    return rounded(x / np.exp2(exponents)), exponents


def profile_limit(limit: Limit, profile: Arithmetic) -> Limit:
    """A register's limit in this profile: brian2-loihi's decays go up to 4096."""
    from brian2lava.chip.limits import DECAY, EFFECTIVE_DECAY

    return EFFECTIVE_DECAY if limit == DECAY and profile.decay_offset == 0 else limit


def relative_error(values: Any, meant: Any) -> Reals:
    """(meant - value) / |value|; 0 where both are 0, +-inf where only the value is."""
    x, y = np.broadcast_arrays(np.asarray(values, np.float64), np.asarray(meant, np.float64))
    difference = y - x
    with np.errstate(divide="ignore", invalid="ignore"):
        error = difference / np.abs(x)
    return np.where(difference == 0, 0.0, error)


def worst(errors: Any) -> float:
    """The error of greatest magnitude, with its sign; 0 of none."""
    flat = np.ravel(errors)
    return float(flat[np.argmax(np.abs(flat))]) if flat.size else 0.0
