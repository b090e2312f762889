"""ALIF: a leaky integrate-and-fire neuron whose threshold moves with each spike; ours.

v is reset; one or two parts of the threshold relax to 0, above a base that stays. A part that is
not needed has a step of 0; one of a negative step, for which a spike lowers the threshold, makes
bursts.
"""

from __future__ import annotations

from brian2lava.chip.arithmetic import Expression, Name, clip, decay, select
from brian2lava.chip.limits import DECAY, STATE, THRESHOLD_STEP
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
    U,
    V,
    bias_and_threshold,
    current,
    noise,
    reset_to_zero,
    voltage,
)
from brian2lava.chip.models.neuron import NeuronModel, Register, State, Step
from brian2lava.chip.profiles import Arithmetic

_PARTS = ("1", "2")
_REGISTERS = tuple(
    register
    for part in _PARTS
    for register in (
        Register(f"dtheta{part}", f"decay of part {part} of the threshold", DECAY),
        Register(
            f"step{part}", f"what a spike adds to part {part}, in state units", THRESHOLD_STEP
        ),
    )
)


def _raised(part: str) -> Expression:
    theta = Name(f"theta{part}")
    return select(Name("fired"), clip(theta + Name(f"step{part}")), theta)


def _step(profile: Arithmetic, zero: frozenset[str]) -> Step:
    blocked = "refractory" not in zero
    random = noise(zero)
    moved = (
        random.part
        + current(profile, noise=random.at_u)
        + voltage(profile, Name("u") + Name("bias"), blocked, noise=random.at_v)
    )
    relaxed = tuple(
        (f"theta{part}", decay(Name(f"theta{part}"), Name(f"dtheta{part}"))) for part in _PARTS
    )
    fired: Expression = Name("v") > (Name("threshold") + Name("theta1") + Name("theta2"))
    if blocked:  # the sum may be negative where parts are below 0
        fired = fired & ~Name("blocked")
    return Step(
        assignments=(*moved.assignments, *relaxed),
        fired=fired,
        after=(
            *reset_to_zero(blocked),
            *((f"theta{part}", _raised(part)) for part in _PARTS),
        ),
        counters=moved.counters,
        draws=moved.draws,
    )


ALIF = NeuronModel(
    name="ALIF",
    registers=(DU, DV, BIAS_MANT, BIAS_EXP, VTH, *_REGISTERS, BLOCKED, *NOISE),
    states=(
        U,
        V,
        *(State(f"theta{part}", f"part {part} of the threshold", STATE) for part in _PARTS),
        COUNTDOWN,
        WORD,
    ),
    ports=("a_in",),
    step=_step,
    derived=bias_and_threshold,
    lava=None,
    equations=(
        "u, v as LIF; theta_k = dec(theta_k, dtheta_k);"
        " fires where v > 64 vth + theta_1 + theta_2; v = 0;"
        " theta_k = clip(theta_k + step_k, -(2**23 - 1), 2**23 - 1)"
    ),
)
