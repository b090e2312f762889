"""CubaLIF2: a leaky integrate-and-fire neuron with two synaptic currents; ours.

Two currents with time constants of their own (excitation and inhibition, say) need two ports:
spikes carry no current, so two populations could not share one voltage. On Loihi 2 that is a
neuron program with one more state; on Loihi 1 two compartments that are added.
"""

from __future__ import annotations

from dataclasses import replace

from brian2lava.chip.arithmetic import Name
from brian2lava.chip.limits import DECAY, STATE
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

DU2 = Register("du2", "decay of the second current, minus one", DECAY)


def _step(profile: Arithmetic, zero: frozenset[str]) -> Step:
    blocked = "refractory" not in zero
    driven = Name("u") + Name("u2") + Name("bias")
    random = noise(zero)
    moved = (
        random.part
        + current(profile, noise=random.at_u)
        + current(profile, "u2", "du2", "a_in2", suffix="_u2")
        + voltage(profile, driven, blocked, noise=random.at_v)
    )
    return Step(
        assignments=moved.assignments,
        fired=Name("v") > Name("threshold"),
        after=reset_to_zero(blocked),
        counters=moved.counters,
        draws=moved.draws,
    )


CUBA_LIF2 = NeuronModel(
    name="CubaLIF2",
    registers=(replace(DU, meaning="decay of the first current, minus one"), DU2, DV, BIAS_MANT,
               BIAS_EXP, VTH, BLOCKED, *NOISE),
    states=(U, State("u2", "second current", STATE, port="a_in2"), V, COUNTDOWN, WORD),
    ports=("a_in", "a_in2"),
    step=_step,
    derived=bias_and_threshold,
    lava=None,
    equations=(
        "u = dec(u, du + 1) + 64 a; u2 = dec(u2, du2 + 1) + 64 a2;"
        " v = dec(v, dv) + u + u2 + bias; fires where v > 64 vth; v = 0"
    ),
)  # fmt: skip
