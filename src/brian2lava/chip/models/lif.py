"""Leaky integrate-and-fire neurons: LIF and LIFReset as in Lava, with what Lava leaves out.

Refractoriness is ours (the fixed-point models of lava-nc have none): a register counts the steps
in which v stays 0, as in Lava's floating-point LIFRefractory; u always moves on. Noise is ours as
well, as Loihi 1 has it.
"""

from __future__ import annotations

from brian2lava.chip.arithmetic import Name, call, select
from brian2lava.chip.limits import Limit
from brian2lava.chip.models.membrane import (
    BIAS_EXP,
    BIAS_MANT,
    BLOCKED,
    COUNTDOWN,
    DU,
    DV,
    NOISE,
    VTH,
    WORD,
    Assigned,
    Part,
    U,
    V,
    bias_and_threshold,
    current,
    noise,
    reset_to_zero,
    voltage,
)
from brian2lava.chip.models.neuron import NeuronModel, Register, Step
from brian2lava.chip.profiles import Arithmetic

_REGISTERS = (DU, DV, BIAS_MANT, BIAS_EXP, VTH, BLOCKED, *NOISE)
_COUNTER = Limit(0, (1 << 31) - 1, "32-bit counter")
INTERVAL = Register(
    "reset_interval", "steps between two resets", Limit(1, _COUNTER.high, _COUNTER.source), 1
)
OFFSET = Register("reset_offset", "step of the first reset", _COUNTER)


def _integrate(profile: Arithmetic, zero: frozenset[str], before: Assigned = ()) -> Step:
    blocked = "refractory" not in zero
    random = noise(zero)
    moved = (
        Part(before)
        + random.part
        + current(profile, noise=random.at_u)
        + voltage(profile, Name("u") + Name("bias"), blocked, noise=random.at_v)
    )
    return Step(
        assignments=moved.assignments,
        fired=Name("v") > Name("threshold"),
        after=reset_to_zero(blocked),
        counters=moved.counters,
        draws=moved.draws,
    )


LIF = NeuronModel(
    name="LIF",
    registers=_REGISTERS,
    states=(U, V, COUNTDOWN, WORD),
    ports=("a_in",),
    step=_integrate,
    derived=bias_and_threshold,
    lava="lava.proc.lif.process.LIF",
    equations=(
        "u = dec(u, du + 1) + 64 a; v = dec(v, dv) + u + bias; fires where v > 64 vth; v = 0;"
        " noise (ours): v or u gains (0..254, drawn a step before, - 127) 2**(noise_exp - 7)"
    ),
)


def _reset_first(profile: Arithmetic, zero: frozenset[str]) -> Step:
    """Every ``reset_interval`` steps u and v are 0 before the update."""
    due = call(
        "equal",
        call("remainder", Name("t"), Name("reset_interval")),
        call("remainder", Name("reset_offset"), Name("reset_interval")),
    )
    cleared = (
        ("due", due),
        ("u", select(Name("due"), 0, Name("u"))),
        ("v", select(Name("due"), 0, Name("v"))),
    )
    return _integrate(profile, zero, cleared)


LIF_RESET = NeuronModel(
    name="LIFReset",
    registers=(*_REGISTERS, INTERVAL, OFFSET),
    states=(U, V, COUNTDOWN, WORD),
    ports=("a_in",),
    step=_reset_first,
    derived=bias_and_threshold,
    lava="lava.proc.lif.process.LIFReset",
    equations="as LIF; u = v = 0 before step t where t mod interval = offset mod interval",
    clock=True,
)
