"""Pieces that the models of the LIF family share: current, voltage, bias, threshold, refractory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from brian2lava.chip.arithmetic import (
    Expression,
    Name,
    Number,
    Operand,
    clip,
    decay,
    drawn_below,
    select,
    shift,
    wrap_modulo,
    wrap_once,
)
from brian2lava.chip.limits import (
    ALIGNMENT,
    BIAS_EXPONENT,
    BIAS_MANTISSA,
    DECAY,
    FLAG,
    NOISE_EXPONENT,
    NOISE_LEVELS,
    NOISE_SHIFT,
    RANDOM_WORD,
    REFRACTORY,
    STATE,
    STATE_HALF,
    STATE_MAX,
    THRESHOLD,
    Limit,
)
from brian2lava.chip.models.neuron import Register, State
from brian2lava.chip.profiles import Arithmetic

DU = Register("du", "current decay, minus one", DECAY)
DV = Register("dv", "voltage decay", DECAY)
BIAS_MANT = Register("bias_mant", "bias mantissa", BIAS_MANTISSA)
BIAS_EXP = Register("bias_exp", "bias exponent", BIAS_EXPONENT)
#: The threshold mantissa of a neuron that never fires: beyond every state, and no register's value
#: (17 bits end 63 below the highest voltage). Shifted to where states stand it fits 32 bits.
NEVER = (1 << (31 - ALIGNMENT)) - 1


class _OrNever(Limit):
    """The range of thresholds, and :data:`NEVER`."""

    def check(self, what: str, values: object, remedy: str) -> None:
        given = np.asarray(values)
        super().check(what, np.where(given == NEVER, self.low, given), remedy)


VTH = Register(
    "vth",
    "threshold mantissa",
    _OrNever(THRESHOLD.low, THRESHOLD.high, THRESHOLD.source),
    10,
)
BLOCKED = Register("refractory", "steps that the voltage is blocked after a spike", REFRACTORY)
INCLUSIVE = Register("inclusive", "whether a voltage at the threshold fires, too", FLAG)
#: One place of noise a neuron, as on Loihi 1.
NOISE = (
    Register("noise_exp", "exponent of the noise; 0 is none", NOISE_EXPONENT),
    Register("noise_at_u", "whether the noise enters the current, not the voltage", FLAG),
)

U = State("u", "current", STATE, port="a_in")
V = State("v", "voltage", STATE)
COUNTDOWN = State("blocked", "steps that the voltage is still blocked", REFRACTORY)
#: Drawn for the noise of the next step, so that what a current will be is known before it is.
WORD = State("word", "random word, of the next step's noise", RANDOM_WORD, Number(1 << 23))
DRAWN = "drawn"

#: Names and what is assigned to them.
Assigned = tuple[tuple[str, Expression], ...]


@dataclass(frozen=True)
class Part:
    """A piece of a step: what it assigns, the conditions that it counts, and what it draws."""

    assignments: Assigned
    counters: Assigned = ()
    draws: tuple[str, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part(
            self.assignments + other.assignments,
            self.counters + other.counters,
            self.draws + other.draws,
        )


@dataclass(frozen=True)
class Noise:
    """The noise of a step, and what it adds to the (first) current and to the voltage."""

    part: Part
    at_u: Operand = 0
    at_v: Operand = 0


def noise(zero: frozenset[str]) -> Noise:
    """Uniform in -127 .. 127, times 2**(noise_exp - 7); nothing where ``noise_exp`` is 0.

    The first step of all has a noise of 0.
    """
    if "noise_exp" in zero:
        return Noise(Part(()))
    exponent = Name("noise_exp")
    centred = drawn_below(Name(WORD.name), NOISE_LEVELS) - NOISE_LEVELS // 2
    drawn = Part(
        (
            ("noise", select(exponent, shift(centred, exponent - NOISE_SHIFT), 0)),
            (WORD.name, Name(DRAWN)),
        ),
        draws=(DRAWN,),
    )
    if "noise_at_u" in zero:
        return Noise(drawn, at_v=Name("noise"))
    at_u = Name("noise_at_u")
    return Noise(drawn, select(at_u, Name("noise"), 0), select(at_u, 0, Name("noise")))


def _plus(x: Expression, more: Operand) -> Expression:
    return x if isinstance(more, int) and more == 0 else x + more


def bias(profile: Arithmetic) -> Mapping[str, Expression]:
    """The effective bias: mantissa and exponent joined."""
    return {"bias": shift(Name("bias_mant"), Name("bias_exp"))}


def bias_and_threshold(profile: Arithmetic) -> Mapping[str, Expression]:
    """The effective bias, and the threshold where the state's bits stand."""
    return {**bias(profile), "threshold": Name("vth") << ALIGNMENT}


def wrapped(profile: Arithmetic, x: Expression) -> Expression:
    """A current in its 24 bits."""
    return {
        "once": lambda: wrap_once(x),
        "modulo": lambda: wrap_modulo(x),
        "never": lambda: x,
    }[profile.wrap]()


def left_range(profile: Arithmetic, x: Expression) -> Expression:
    """Whether a current has to wrap."""
    if profile.wrap == "once":
        return (x > STATE_HALF) | (x <= -STATE_HALF)
    return (x >= STATE_HALF) | (x < -STATE_HALF)


def current(
    profile: Arithmetic,
    state: str = "u",
    register: str = "du",
    port: str = "a_in",
    suffix: str = "",
    noise: Operand = 0,
) -> Part:
    """A current decays and its input is added; ``suffix`` tells a second one's counters apart.

    u1 = dec(u, du + 1) + (a << 6) + noise; u = u1 in 24 bits.
    """
    arrived: Expression = Name(port) << ALIGNMENT
    counters: Assigned = ()
    if profile.accumulator_bits is not None:
        limit = 1 << profile.accumulator_bits
        counters = (("overflowed" + suffix, (arrived >= limit) | (arrived < -limit)),)
        arrived = wrap_modulo(arrived, profile.accumulator_bits + 1)
    before = f"{state}_decayed"
    decayed = decay(Name(state), Name(register) + profile.decay_offset)
    if profile.wrap != "never":
        counters += (("wrapped" + suffix, left_range(profile, Name(before))),)
    return Part(
        ((before, _plus(decayed + arrived, noise)), (state, wrapped(profile, Name(before)))),
        counters,
    )


def voltage(
    profile: Arithmetic,
    driven: Expression,
    blocked: bool,
    register: str = "dv",
    held: Operand = 0,
    noise: Operand = 0,
) -> Part:
    """v = clip(dec(v, dv) + driven + noise), or ``held`` while the neuron is blocked."""
    unclipped = _plus(decay(Name("v"), Name(register)) + driven, noise)
    if blocked:
        unclipped = select(Name("blocked"), held, unclipped)
    return saturated(profile, "v", unclipped)


def saturated(
    profile: Arithmetic, state: str, value: Expression, counter: str = "saturated"
) -> Part:
    """A state that stops at +-(2**23 - 1), where the profile says so; that is counted."""
    if not profile.saturate:
        return Part(((state, value),))
    total = Name(f"{state}_sum")
    return Part(
        ((total.name, value), (state, clip(total))),
        ((counter, (total > STATE_MAX) | (total < -STATE_MAX)),),
    )


def countdown(blocked: bool) -> Assigned:
    """Blocked steps after a spike: set by it, one fewer each step."""
    if not blocked:
        return ()
    left = Name("blocked")
    return (("blocked", select(Name("fired"), Name("refractory"), left - (left > 0))),)


def reset_to_zero(blocked: bool) -> Assigned:
    """After a spike v is 0, and the neuron is blocked for some steps."""
    return (("v", select(Name("fired"), 0, Name("v"))), *countdown(blocked))
