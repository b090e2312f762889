"""ATRLIF: adaptive threshold and refractoriness, as in Lava.

It is not the adaptive-threshold neuron that people usually write: a spike does not reset v, it
raises r by twice the threshold, and v - r has to reach the threshold again. For a neuron whose v
is reset see :mod:`brian2lava.chip.models.alif`.

Where it differs from Lava's process: decays are registers k that mean k / 4096 (Lava takes the
fractions), and each register may differ from neuron to neuron.
"""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.chip.arithmetic import Expression, Name, decay, select
from brian2lava.chip.limits import ALIGNMENT, DECAY, STATE, THRESHOLD
from brian2lava.chip.models.membrane import (
    BIAS_EXP,
    BIAS_MANT,
    V,
    bias,
    current,
    voltage,
)
from brian2lava.chip.models.neuron import NeuronModel, Register, State, Step
from brian2lava.chip.profiles import Arithmetic

_REGISTERS = (
    Register("delta_i", "current decay, minus one", DECAY),
    Register("delta_v", "voltage decay", DECAY),
    Register("delta_theta", "decay of the threshold toward theta_0", DECAY),
    Register("delta_r", "decay of the refractory state", DECAY),
    Register("theta_0", "threshold mantissa at rest", THRESHOLD, 5),
    Register("theta_step", "what a spike adds to the threshold, mantissa", THRESHOLD, 3),
    BIAS_MANT,
    BIAS_EXP,
)


def _derived(profile: Arithmetic) -> Mapping[str, Expression]:
    return {
        **bias(profile),
        "resting": Name("theta_0") << ALIGNMENT,
        "raised": Name("theta_step") << ALIGNMENT,
    }


def _step(profile: Arithmetic, zero: frozenset[str]) -> Step:
    moved = current(profile, "i", "delta_i") + voltage(
        profile, Name("i") + Name("bias"), blocked=False, register="delta_v"
    )
    theta, r, resting = Name("theta"), Name("r"), Name("resting")
    relaxed = decay(theta - resting, Name("delta_theta")) + resting
    return Step(
        assignments=(
            *moved.assignments,
            ("theta", relaxed),
            ("r", decay(r, Name("delta_r"))),
        ),
        fired=(Name("v") - r) >= theta,
        after=(
            ("r", select(Name("fired"), r + theta + theta, r)),
            ("theta", select(Name("fired"), theta + Name("raised"), theta)),
        ),
        counters=moved.counters,
    )


ATRLIF = NeuronModel(
    name="ATRLIF",
    registers=_REGISTERS,
    states=(
        State("i", "current", STATE, port="a_in"),
        V,
        State("theta", "threshold", STATE, initial=Name("resting")),
        State("r", "refractory state", STATE),
    ),
    ports=("a_in",),
    step=_step,
    derived=_derived,
    lava="lava.proc.atrlif.process.ATRLIF",
    equations=(
        "i = dec(i, delta_i + 1) + 64 a; v = dec(v, delta_v) + i + bias;"
        " theta = dec(theta - 64 theta_0, delta_theta) + 64 theta_0; r = dec(r, delta_r);"
        " fires where v - r >= theta; r = r + 2 theta, then theta = theta + 64 theta_step"
    ),
)
