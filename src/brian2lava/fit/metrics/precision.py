"""What the chip's integers cost: scores lost, bits of states, rounding of registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.chip.limits import STATE_BITS
from brian2lava.errors import FitError


def quantisation_loss(real: Mapping[str, float], chip: Mapping[str, float]) -> dict[str, float]:
    """Score in floating point minus score on the chip, at the same physical parameters.

    For scores of which more is better (gamma factor, F1, explained variance): above 0 is what
    rounding lost. For distances and errors, below 0 is.

    Parameters
    ----------
    real, chip : mapping of name to number
        The same names in both.

    Raises
    ------
    FitError
        A name that only one has.
    """
    if real.keys() != chip.keys():
        only = ", ".join(sorted(real.keys() ^ chip.keys()))
        raise FitError(f"quantisation loss: only one of the scores has {only}. Score both alike.")
    return {name: real[name] - chip[name] for name in real}


@dataclass(frozen=True)
class StateBits:
    """How much of a state's word a trace used.

    Attributes
    ----------
    largest : int
        Largest magnitude.
    used : int
        Bits of the magnitude, without sign: 0 for a state that is always 0.
    available : int
        Bits of the word without sign.
    headroom : float
        ``log2((2**available - 1) / largest)``, bits that are left: 0 at the limit, below 0 beyond,
        infinity for a state that is always 0.
    """

    largest: int
    used: int
    available: int
    headroom: float


def state_bits(trace: ArrayLike, bits: int = STATE_BITS) -> StateBits:
    """Bits used by integers of any shape in words of ``bits`` bits, one of which is the sign.

    Raises
    ------
    FitError
        No values, values that are not integers, or a word of fewer than 2 bits.
    """
    values = np.asarray(trace)
    if not values.size or not np.issubdtype(values.dtype, np.integer):
        raise FitError(
            f"bits of a state: {values.size} values of type {values.dtype}; needed are the chip's"
            " integers, at least one."
        )
    if bits < 2:
        raise FitError(f"bits of a state: words of {bits} bits; a sign and one bit are needed.")
    # as Python's integers: the magnitude of the least int64 is none
    largest = max(abs(int(values.min())), abs(int(values.max())))
    limit = (1 << (bits - 1)) - 1
    headroom = float(np.log2(limit / largest)) if largest else float("inf")
    return StateBits(largest, largest.bit_length(), bits - 1, headroom)


@dataclass(frozen=True)
class RoundingError:
    """What a register made of a physical value.

    Attributes
    ----------
    wanted, got : float
        Before and after rounding, in the user's unit.
    relative : float
        ``(got - wanted) / |wanted|``; 0 if both are 0, infinite if only ``wanted`` is.
    """

    wanted: float
    got: float
    relative: float


def rounding_errors(
    wanted: Mapping[str, float], got: Mapping[str, float]
) -> dict[str, RoundingError]:
    """Rounding error a register, by name.

    Parameters
    ----------
    wanted : mapping of name to number
        The physical parameters of the search.
    got : mapping of name to number
        What the registers stand for, in the same units.

    Raises
    ------
    FitError
        A name that only one has, or a value that is not finite.
    """
    if wanted.keys() != got.keys():
        only = ", ".join(sorted(wanted.keys() ^ got.keys()))
        raise FitError(f"rounding error: only one side has {only}. Give both for each register.")
    return {name: _rounded(name, float(wanted[name]), float(got[name])) for name in wanted}


def _rounded(name: str, wanted: float, got: float) -> RoundingError:
    if not (np.isfinite(wanted) and np.isfinite(got)):
        raise FitError(f"rounding error of {name}: {wanted} became {got}; both must be finite.")
    if wanted:
        return RoundingError(wanted, got, (got - wanted) / abs(wanted))
    return RoundingError(wanted, got, float(np.copysign(np.inf, got)) if got else 0.0)
