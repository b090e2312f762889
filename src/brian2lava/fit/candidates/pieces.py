"""Physical quantities <-> registers, each row with its inverse.

Levels are multiples of the resting threshold, currents what the target gives; in the chip's
integers the resting threshold is 64 * ``frame.threshold``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import (
    BIAS_EXPONENT,
    BIAS_MANTISSA,
    DECAY_UNITY,
    REFRACTORY,
    STATE_MAX,
    WEIGHT_EXPONENT,
)
from brian2lava.fit.candidates.candidate import Frame

Values = Any  # float64 or int32, shape (size,)


def decay_register(tau: Values, frame: Frame, offset: int = 0) -> Values:
    """Nearest register of exp(-dt/tau); ``offset``: what the chip adds to it.

    A time constant far below a step is the largest decay: nothing is left after it.
    """
    lost = -np.expm1(-frame.dt / np.asarray(tau, np.float64)) * DECAY_UNITY
    return np.clip(np.rint(lost) - offset, 1 - offset, DECAY_UNITY - 1).astype(np.int32)


def time_constant(register: Values, frame: Frame, offset: int = 0) -> Values:
    """What a decay register means in seconds; 0 where nothing is left after a step."""
    lost = (np.asarray(register, np.float64) + offset) / DECAY_UNITY
    with np.errstate(divide="ignore"):
        return np.where(lost >= 1, 0.0, -frame.dt / np.log1p(-np.minimum(lost, 1)))


def fraction(register: Values, offset: int = 0) -> Values:
    """What is lost in a step, 0 .. 1."""
    return (np.asarray(register, np.float64) + offset) / DECAY_UNITY


@dataclass(frozen=True)
class Synapse:
    """How the stimulus comes in: payload = rint(I * scale), then mantissa * 2**exponent."""

    weight: Values
    exponent: Values
    scale: Values


def synapse(per_unit: Values, frame: Frame) -> Synapse:
    """The synapse that makes ``per_unit`` of input out of one unit of current.

    The mantissa has 128 .. 255 where the exponent allows; what is left goes into the scale of the
    payload, so that the product is exact but for the payload's rounding.
    """
    per_unit = np.asarray(per_unit, np.float64)
    wanted = np.abs(per_unit) * frame.reach / frame.payload
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2(np.maximum(wanted, 1e-300))) - 7
    exponent = np.clip(exponent, WEIGHT_EXPONENT.low, WEIGHT_EXPONENT.high)
    mantissa = np.clip(np.rint(wanted * np.exp2(-exponent)), 1, 255)
    scale = np.abs(per_unit) / (mantissa * np.exp2(exponent))
    # a gain beyond what an exponent reaches asks for a larger payload; that is the scale's to say
    return Synapse(
        (np.sign(per_unit) * mantissa).astype(np.int32),
        exponent.astype(np.int32),
        scale.astype(np.float32),
    )


def input_per_unit(weight: Values, exponent: Values, scale: Values) -> Values:
    """The inverse of :func:`synapse`."""
    return np.asarray(weight, np.float64) * np.exp2(exponent) * np.asarray(scale, np.float64)


def own_synapse(jump: Values) -> tuple[Values, Values]:
    """Mantissa and exponent nearest to what a neuron's spike adds at its own port."""
    jump = np.asarray(jump, np.float64)
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2(np.maximum(np.abs(jump), 1e-300))) - 7
    exponent = np.clip(exponent, WEIGHT_EXPONENT.low, WEIGHT_EXPONENT.high)
    mantissa = np.clip(np.rint(jump * np.exp2(-exponent)), -255, 255)
    return mantissa.astype(np.int32), exponent.astype(np.int32)


def bias_registers(level: Values) -> tuple[Values, Values]:
    """Mantissa and exponent nearest to a bias in the state's units."""
    level = np.clip(np.asarray(level, np.float64), -STATE_MAX, STATE_MAX)
    with np.errstate(divide="ignore"):
        bits = np.ceil(np.log2(np.maximum(np.abs(level), 1) / (BIAS_MANTISSA.high + 0.499)))
    exponent = np.clip(bits, 0, BIAS_EXPONENT.high)
    mantissa = np.rint(level * np.exp2(-exponent))
    mantissa = np.clip(mantissa, BIAS_MANTISSA.low, BIAS_MANTISSA.high)
    return mantissa.astype(np.int32), exponent.astype(np.int32)


@dataclass(frozen=True)
class BiasDrive:
    """The stimulus as a bias: mantissa = bias_mant + rint(I * scale), times 2**bias_exp."""

    bias_mant: Values
    bias_exp: Values
    scale: Values


def bias_drive(per_unit: Values, level: Values, frame: Frame) -> BiasDrive:
    """A bias of ``level`` and ``per_unit`` more for each unit of current, in state units."""
    per_unit = np.asarray(per_unit, np.float64)
    most = np.abs(np.asarray(level, np.float64)) + np.abs(per_unit) * frame.reach
    with np.errstate(divide="ignore"):
        bits = np.ceil(np.log2(np.maximum(most, 1) / (BIAS_MANTISSA.high - 1)))
    exponent = np.clip(bits, 0, BIAS_EXPONENT.high)
    shrink = np.exp2(-exponent)
    mantissa = np.clip(np.rint(level * shrink), BIAS_MANTISSA.low, BIAS_MANTISSA.high)
    return BiasDrive(
        mantissa.astype(np.int32), exponent.astype(np.int32), (per_unit * shrink).astype(np.float32)
    )


def steps(seconds: Values, frame: Frame) -> Values:
    """A duration in whole steps."""
    count = np.rint(np.asarray(seconds, np.float64) / frame.dt)
    return np.clip(count, 0, REFRACTORY.high).astype(np.int32)
