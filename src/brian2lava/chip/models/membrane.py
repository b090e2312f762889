"""Pieces that the models of the LIF family share: current, voltage, bias, threshold, refractory."""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.chip.arithmetic import (
    Expression,
    Name,
    Operand,
    clip,
    decay,
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
    REFRACTORY,
    STATE,
    STATE_HALF,
    STATE_MAX,
    THRESHOLD,
)
from brian2lava.chip.models.neuron import Register, State
from brian2lava.chip.profiles import Arithmetic

DU = Register("du", "current decay, minus one", DECAY)
DV = Register("dv", "voltage decay", DECAY)
BIAS_MANT = Register("bias_mant", "bias mantissa", BIAS_MANTISSA)
BIAS_EXP = Register("bias_exp", "bias exponent", BIAS_EXPONENT)
VTH = Register("vth", "threshold mantissa", THRESHOLD, 10)
BLOCKED = Register("refractory", "steps that the voltage is blocked after a spike", REFRACTORY)

U = State("u", "current", STATE)
V = State("v", "voltage", STATE)
COUNTDOWN = State("blocked", "steps that the voltage is still blocked", REFRACTORY)


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


def left_range(profile: Arithmetic, x: Operand) -> Expression:
    """Whether a current has to wrap."""
    name = x if isinstance(x, Expression) else Name(str(x))
    low = name <= -STATE_HALF if profile.wrap == "once" else name < -STATE_HALF
    return (name > STATE_HALF if profile.wrap == "once" else name >= STATE_HALF) | low


def current(
    profile: Arithmetic, state: str = "u", register: str = "du", port: str = "a_in"
) -> tuple[list[tuple[str, Expression]], list[tuple[str, Expression]]]:
    """Assignments that decay a current and add its input, and what is counted about it.

    u1 = dec(u, du + 1) + (a << 6); u = u1 in 24 bits.
    """
    arrived: Expression = Name(port) << ALIGNMENT
    counters: list[tuple[str, Expression]] = []
    if profile.accumulator_bits is not None:
        limit = 1 << profile.accumulator_bits
        counters.append(("overflowed", (arrived >= limit) | (arrived < -limit)))
        arrived = wrap_modulo(arrived, profile.accumulator_bits + 1)
    before = f"{state}_decayed"
    decayed = decay(Name(state), Name(register) + profile.decay_offset)
    assignments = [
        (before, decayed + arrived),
        (state, wrapped(profile, Name(before))),
    ]
    if profile.wrap != "never":
        counters.append(("wrapped", left_range(profile, Name(before))))
    return assignments, counters


def voltage(
    profile: Arithmetic, driven: Expression, blocked: bool
) -> tuple[list[tuple[str, Expression]], list[tuple[str, Expression]]]:
    """v = clip(dec(v, dv) + driven), 0 while the neuron is blocked; and what is counted."""
    unclipped = decay(Name("v"), Name("dv")) + driven
    if blocked:
        unclipped = select(Name("blocked"), 0, unclipped)
    assignments: list[tuple[str, Expression]] = [("v_sum", unclipped)]
    counters: list[tuple[str, Expression]] = []
    if profile.saturate:
        assignments.append(("v", clip(Name("v_sum"))))
        counters.append(("saturated", (Name("v_sum") > STATE_MAX) | (Name("v_sum") < -STATE_MAX)))
    else:
        assignments.append(("v", Name("v_sum")))
    return assignments, counters


def countdown(blocked: bool) -> tuple[tuple[str, Expression], ...]:
    """Blocked steps after a spike: set by it, one fewer each step."""
    if not blocked:
        return ()
    left = Name("blocked")
    return (("blocked", select(Name("fired"), Name("refractory"), left - (left > 0))),)
