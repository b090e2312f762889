"""Settings with fewer bits than the chip has, and with other exponents that mean the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.chip.limits import (
    BIAS_EXPONENT,
    BIAS_MANTISSA,
    DECAY_UNITY,
    PAYLOAD,
    WEIGHT_EXPONENT,
)
from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.batch.settings import WEIGHT

#: Bits of a decay register, of a weight's mantissa, and of a bias's with its sign.
DECAY_BITS, WEIGHT_BITS, BIAS_BITS = 12, 8, 13
#: What a current holds between a synapse and its neuron: payload times weight stays below.
_ARRIVING = 1 << 25

#: Decay registers, and what the chip adds to each.
DECAYS = {
    "du": 1, "du2": 1, "dv": 0, "delta_i": 1, "delta_v": 0, "delta_theta": 0, "delta_r": 0,
    "dtheta1": 0, "dtheta2": 0,
}  # fmt: skip


def with_decay_bits(settings: Settings, bits: int) -> Settings:
    """Decays rounded to multiples of 2**(12 - bits), one such multiple at least."""
    grain = 1 << (DECAY_BITS - bits)
    registers = dict(settings.registers)
    for name, values in registers.items():
        if name in DECAYS:
            whole = values + DECAYS[name]
            coarse = np.rint(whole / grain).astype(np.int64) * grain
            registers[name] = np.clip(coarse, grain, DECAY_UNITY) - DECAYS[name]
            registers[name] = np.minimum(registers[name], DECAY_UNITY - 1).astype(np.int32)
    return replace(settings, registers=registers)


def rounded_mantissas(mantissas: Any, bits: int) -> Any:
    """Mantissas of 8 bits rounded to their leading ``bits``; lower ones are 0."""
    grain = 1 << (WEIGHT_BITS - bits)
    coarse = np.rint(np.asarray(mantissas) / grain).astype(np.int64) * grain
    most = WEIGHT.high // grain * grain
    return np.clip(coarse, -most, most)


def with_weight_bits(settings: Settings, bits: int) -> Settings:
    """The weights of the stimulus rounded to their leading bits; payloads stay as they are."""
    return replace(settings, weights=rounded_mantissas(settings.weights, bits))


def with_payload_bits(settings: Settings, fewer: int) -> Settings:
    """Payloads with fewer bits; the exponents make up for it."""
    exponents = np.where(settings.weights != 0, settings.exponents + fewer, settings.exponents)
    return replace(settings, scale=settings.scale / 2.0**fewer, exponents=exponents)


def payload_of(settings: Settings, reach: float) -> float:
    """The largest payload, before rounding, of a setting (size 1)."""
    return abs(float(settings.scale[0])) * reach


def bits_of(number: float) -> int:
    """Bits of a magnitude without its sign; 0 of what rounds to 0."""
    return int(np.rint(abs(number))).bit_length()


def of_input(settings: Settings, bits: int, exponent: int, reach: float) -> Settings:
    """A setting whose stimulus comes through mantissas of ``bits`` bits and another exponent.

    What the payload carries makes up for the exponent: ``payload * mantissa * 2**exponent`` is as
    it was, but for the rounding of the payload to whole numbers and of the mantissas.

    Raises
    ------
    FitError
        There is no such exponent at another port, or the payload is more than a spike or a current
        can hold.
    """
    fewer = exponent - int(settings.exponents[0, 0])
    used = settings.weights[:, 0] != 0
    moved = settings.exponents[used, 0] + fewer
    beyond = moved[(moved < WEIGHT_EXPONENT.low) | (moved > WEIGHT_EXPONENT.high)]
    if beyond.size:
        raise FitError(
            f"another synapse that shares the payload would need the exponent {int(beyond[0])};"
            f" there are {WEIGHT_EXPONENT.low} to {WEIGHT_EXPONENT.high}."
        )
    made = with_weight_bits(with_payload_bits(settings, fewer), bits)
    payload = payload_of(made, reach)
    if round(payload) > PAYLOAD.high:
        raise FitError(f"the payload would need {bits_of(payload)} bits; a spike carries 23.")
    arriving = (
        payload * np.maximum(np.abs(made.weights), 1) * np.exp2(np.maximum(made.exponents, 0))
    )
    if (arriving >= _ARRIVING).any():
        raise FitError(
            f"a payload of {bits_of(payload)} bits times its weight would reach"
            f" {float(arriving.max()):.3g}; a current has 24 bits."
        )
    return made


def of_own(settings: Settings, bits: int, exponent: int) -> Settings:
    """A setting whose synapse onto itself has a mantissa of ``bits`` bits and another exponent.

    Raises
    ------
    FitError
        The mantissa would not fit.
    """
    mantissa = settings.own_weights[-1, 0] * 2.0 ** (settings.own_exponents[-1, 0] - exponent)
    if round(abs(mantissa)) > WEIGHT.high:
        raise FitError(f"the mantissa would be {mantissa:.0f}; it has {WEIGHT_BITS} bits.")
    weights, exponents = settings.own_weights.copy(), settings.own_exponents.copy()
    weights[-1] = rounded_mantissas(np.rint(mantissa), bits)
    exponents[-1] = exponent
    return replace(settings, own_weights=weights, own_exponents=exponents)


def of_bias(settings: Settings, exponent: int, reach: float) -> Settings:
    """A setting whose stimulus enters as a bias with another exponent.

    Raises
    ------
    FitError
        The mantissa, which is that of the bias and what the stimulus adds, would not fit.
    """
    shrink = 2.0 ** (int(settings.registers["bias_exp"][0]) - exponent)
    rest = float(settings.registers["bias_mant"][0]) * shrink
    most = abs(round(rest)) + round(abs(float(settings.scale[0])) * shrink * reach)
    if most > BIAS_MANTISSA.high:
        raise FitError(
            f"the bias's mantissa would reach {most}; it has {BIAS_BITS} bits with its sign."
        )
    registers = {
        **settings.registers,
        "bias_mant": np.array([round(rest)]),
        "bias_exp": np.array([exponent]),
    }
    return replace(settings, registers=registers, scale=settings.scale * shrink)


#: Exponents that there are: of a weight, of a bias.
WEIGHT_EXPONENTS = range(WEIGHT_EXPONENT.low, WEIGHT_EXPONENT.high + 1)
BIAS_EXPONENTS = range(BIAS_EXPONENT.low, BIAS_EXPONENT.high + 1)
