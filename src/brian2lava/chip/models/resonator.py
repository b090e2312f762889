"""Resonate-and-fire neurons, RF and RF_IZ, as in Lava; :func:`rotation` computes their registers.

A step turns (real, imag) by an angle and shrinks it. RF fires where the imaginary part crosses 0
upward while the real part is at the threshold or above, and resets nothing. RF_IZ fires where the
imaginary part reaches the threshold, and is then put just below it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from brian2lava.chip.arithmetic import Expression, Name, call, rotate, select
from brian2lava.chip.limits import (
    ROTATION,
    ROTATION_BITS,
    STATE,
    STATE_EXPONENT,
    STATE_MAX,
)
from brian2lava.chip.models.neuron import NeuronModel, Register, State, Step
from brian2lava.chip.profiles import Arithmetic
from brian2lava.errors import ChipLimit

_REGISTERS = (
    Register("sin_decay", "sine of a step's angle times what remains, << decay_bits", ROTATION),
    Register("cos_decay", "cosine of a step's angle times what remains, << decay_bits", ROTATION),
    Register("decay_bits", "bits of sin_decay and cos_decay", ROTATION_BITS, ROTATION_BITS.high),
    Register("state_exp", "input is shifted left by this", STATE_EXPONENT),
    Register("vth", "threshold, in the state's units", STATE, 1),
)
_STATES = (
    State("real", "real part", STATE, port="a_real_in"),
    State("imag", "imaginary part", STATE, port="a_imag_in"),
)
_PORTS = ("a_real_in", "a_imag_in")


def rotation(
    period: float, alpha: float, state_exp: int = 0, decay_bits: int = 12, vth: float = 1
) -> dict[str, int]:
    """Registers of a resonator, computed as Lava's processes RF and RF_IZ do.

    Parameters
    ----------
    period : float
        Steps of one turn.
    alpha : float
        Fraction that is lost in a step, 0 .. 1.
    state_exp, decay_bits : int
    vth : float
        Threshold in units of the input.

    Raises
    ------
    ChipLimit
        The period is 0 or not finite, or alpha is outside 0 .. 1.
    """
    if not math.isfinite(period) or period == 0:
        raise ChipLimit(f"resonator: period {period}; a number of steps other than 0 is needed.")
    if not 0 <= alpha <= 1:
        raise ChipLimit(f"resonator: alpha {alpha} is outside 0..1, the fraction lost a step.")
    ROTATION_BITS.check("resonator, decay_bits", decay_bits, "Choose 12, the most.")
    STATE_EXPONENT.check("resonator, state_exp", state_exp, "Choose a value in that range.")
    angle = 2 * math.pi / period
    return {
        "sin_decay": int((1 - alpha) * math.sin(angle) * (1 << decay_bits)),
        "cos_decay": int((1 - alpha) * math.cos(angle) * (1 << decay_bits)),
        "decay_bits": decay_bits,
        "state_exp": state_exp,
        "vth": int(vth * (1 << state_exp)),
    }


def _derived(profile: Arithmetic) -> Mapping[str, Expression]:
    return {}


def _turn() -> tuple[tuple[str, Expression], ...]:
    """The new real and imaginary parts, from the old ones."""
    real, imag, bits = Name("real"), Name("imag"), Name("decay_bits")
    sine, cosine = Name("sin_decay"), Name("cos_decay")
    shifted = Name("state_exp")
    return (
        ("imag_before", imag),
        ("minus_sine", call("subtract", 0, sine)),
        (
            "real_turned",
            rotate(real, cosine, imag, Name("minus_sine"), bits, Name("a_real_in") << shifted),
        ),
        ("imag", rotate(real, sine, imag, cosine, bits, Name("a_imag_in") << shifted)),
        ("real", Name("real_turned")),
    )


def _counters() -> tuple[tuple[str, Expression], ...]:
    """How often a part stands at a limit."""
    parts = [Name("real"), Name("imag")]
    real, imag = ((part >= STATE_MAX) | (part <= -STATE_MAX) for part in parts)
    return (("saturated", real | imag),)


def _crossing(profile: Arithmetic, zero: frozenset[str]) -> Step:
    imag = Name("imag")
    return Step(
        assignments=_turn(),
        fired=(Name("real") >= Name("vth")) & (imag >= 0) & (Name("imag_before") < 0),
        counters=_counters(),
    )


def _reaching(profile: Arithmetic, zero: frozenset[str]) -> Step:
    fired = Name("fired")
    return Step(
        assignments=_turn(),
        fired=Name("imag") >= Name("vth"),
        after=(
            ("real", select(fired, 0, Name("real"))),
            ("imag", select(fired, Name("vth") - 1, Name("imag"))),
        ),
        counters=_counters(),
    )


_TURNED = (
    "real = S(cos_decay real) - S(sin_decay imag) + (a_real << state_exp);"
    " imag = S(sin_decay real) + S(cos_decay imag) + (a_imag << state_exp);"
    " S(x) = sgn(x) (|x| >> decay_bits); both within +-(2**23 - 1);"
)

RF = NeuronModel(
    name="RF",
    registers=_REGISTERS,
    states=_STATES,
    ports=_PORTS,
    step=_crossing,
    derived=_derived,
    lava="lava.proc.rf.process.RF",
    equations=_TURNED + " fires where real >= vth, imag >= 0, and imag was negative",
)

RF_IZ = NeuronModel(
    name="RF_IZ",
    registers=_REGISTERS,
    states=_STATES,
    ports=_PORTS,
    step=_reaching,
    derived=_derived,
    lava="lava.proc.rf_iz.process.RF_IZ",
    equations=_TURNED + " fires where imag >= vth; real = 0, imag = vth - 1",
)
