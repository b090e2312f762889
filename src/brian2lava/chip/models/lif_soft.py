"""LIFSoft: a leaky integrate-and-fire neuron that keeps what lies above the threshold; ours.

A spike subtracts the threshold from v. While the neuron is refractory v stays as it is, and no
spike is sent, as with Brian2's ``(unless refractory)``. ``v >= c`` has a register of its own: the
threshold could not be one lower, for it is what a spike subtracts.
"""

from __future__ import annotations

from brian2lava.chip.arithmetic import Expression, Name, select
from brian2lava.chip.models.membrane import (
    BIAS_EXP,
    BIAS_MANT,
    BLOCKED,
    COUNTDOWN,
    DU,
    DV,
    INCLUSIVE,
    NOISE,
    VTH,
    WORD,
    U,
    V,
    bias_and_threshold,
    countdown,
    current,
    noise,
    voltage,
)
from brian2lava.chip.models.neuron import NeuronModel, Step
from brian2lava.chip.profiles import Arithmetic


def _step(profile: Arithmetic, zero: frozenset[str]) -> Step:
    blocked = "refractory" not in zero
    v, threshold = Name("v"), Name("threshold")
    random = noise(zero)
    driven = Name("u") + Name("bias")
    moved = (
        random.part
        + current(profile, noise=random.at_u)
        + voltage(profile, driven, blocked, held=v, noise=random.at_v)
    )
    fired: Expression = v > threshold
    if "inclusive" not in zero:
        fired = select(Name("inclusive"), v >= threshold, fired)
    if blocked:
        fired = fired & ~Name("blocked")
    return Step(
        assignments=moved.assignments,
        fired=fired,
        after=(("v", select(Name("fired"), v - threshold, v)), *countdown(blocked)),
        counters=moved.counters,
        draws=moved.draws,
    )


LIF_SOFT = NeuronModel(
    name="LIFSoft",
    registers=(DU, DV, BIAS_MANT, BIAS_EXP, VTH, INCLUSIVE, BLOCKED, *NOISE),
    states=(U, V, COUNTDOWN, WORD),
    ports=("a_in",),
    step=_step,
    derived=bias_and_threshold,
    lava=None,
    equations="u, v as LIF; fires where v > 64 vth (inclusive: >=); v = v - 64 vth",
)
