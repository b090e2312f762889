"""TernaryLIF: a leaky integrate-and-fire neuron that sends +1, -1, or nothing, as in Lava.

A projection without ``message_bits`` takes both for a plain spike.
"""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.chip.arithmetic import Expression, Name, select
from brian2lava.chip.limits import ALIGNMENT, SIGNED_THRESHOLD
from brian2lava.chip.models.membrane import (
    BIAS_EXP,
    BIAS_MANT,
    BLOCKED,
    COUNTDOWN,
    DU,
    DV,
    NOISE,
    WORD,
    U,
    V,
    bias,
    current,
    noise,
    reset_to_zero,
    voltage,
)
from brian2lava.chip.models.neuron import NeuronModel, Register, Step
from brian2lava.chip.profiles import Arithmetic

VTH_HI = Register("vth_hi", "upper threshold mantissa", SIGNED_THRESHOLD, 10)
VTH_LO = Register("vth_lo", "lower threshold mantissa", SIGNED_THRESHOLD, -10)


def _thresholds(profile: Arithmetic) -> Mapping[str, Expression]:
    return {
        **bias(profile),
        "upper": Name("vth_hi") << ALIGNMENT,
        "lower": Name("vth_lo") << ALIGNMENT,
    }


def _step(profile: Arithmetic, zero: frozenset[str]) -> Step:
    blocked = "refractory" not in zero
    random = noise(zero)
    moved = (
        random.part
        + current(profile, noise=random.at_u)
        + voltage(profile, Name("u") + Name("bias"), blocked, noise=random.at_v)
    )
    sign: Expression = (Name("v") > Name("upper")) - (Name("v") < Name("lower"))
    if blocked:  # 0 may lie beyond a threshold, for these have both signs
        sign = select(Name("blocked"), 0, sign)
    return Step(
        assignments=(*moved.assignments, ("sign", sign)),
        fired=Name("sign") & 1,
        payload=Name("sign"),
        after=reset_to_zero(blocked),
        counters=moved.counters,
        draws=moved.draws,
    )


TERNARY_LIF = NeuronModel(
    name="TernaryLIF",
    registers=(DU, DV, BIAS_MANT, BIAS_EXP, VTH_HI, VTH_LO, BLOCKED, *NOISE),
    states=(U, V, COUNTDOWN, WORD),
    ports=("a_in",),
    step=_step,
    derived=_thresholds,
    lava="lava.proc.lif.process.TernaryLIF",
    equations="as LIF; sends 1 where v > 64 vth_hi, -1 where v < 64 vth_lo; v = 0",
)
