"""One small network a chip model, in floating point and in the chip's integers.

What docs/what_your_model_becomes shows: a neuron of the model, driven by a drawn but fixed train of
spikes, once with real numbers and once in the integers that quantisation makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, IdealProjection, Quantity, real
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import SpikeTimes
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.profiles import LAVA
from brian2lava.chip.quantise import Quantised, RealRecorded, float_ranges, quantise, run_real

#: Seconds of a time step, and the number of steps.
DT, STEPS = 1e-3, 400
#: The scale A: state units a volt. Fixed, so that pages don't depend on the search for it.
SCALE = 2.0**25


@dataclass(frozen=True)
class Demo:
    """What a page shows of a model.

    Attributes
    ----------
    quantities : tuple of Quantity
        Registers as real numbers: voltages in volts, decays as a fraction a step.
    weights : mapping of port to (weight of input 0, weight of input 1)
        Volts that a spike adds, through a current in its first step.
    shows : tuple of str
        The states that are drawn.
    says : str
        What is worth knowing beside the equations.
    """

    quantities: tuple[Quantity, ...]
    weights: Mapping[str, tuple[float, float]]
    shows: tuple[str, ...]
    says: str


def _decay(register: str, kind: Any, milliseconds: float) -> Quantity:
    tau = milliseconds * 1e-3
    return Quantity(register, kind, real(DT / tau), f"time constant, {register}", real(tau))


def _of(register: str, kind: Any, value: float, meaning: str) -> Quantity:
    return Quantity(register, kind, real(value), meaning)


_MEMBRANE = (_decay("du", "current_decay", 8), _decay("dv", "decay", 20))
_THRESHOLD = _of("vth", "threshold", 10e-3, "threshold above the reset")
_BIAS = _of("bias", "bias", 6e-3 * DT / 20e-3, "constant drive")
_WAIT = _of("refractory", "count", 4, "refractory steps")
_LIF = (*_MEMBRANE, _THRESHOLD, _BIAS)
_ONE = {"a_in": (0.6e-3, -0.3e-3)}
_TURN = 2 * np.pi / 25
_RESONATOR = (
    _of("sin_decay", "rotation", 0.97 * np.sin(_TURN), "frequency"),
    _of("cos_decay", "rotation", 0.97 * np.cos(_TURN), "time constant"),
    _of("vth", "level", 2e-3, "threshold"),
)

DEMOS: Mapping[str, Demo] = {
    "LIF": Demo(
        (*_LIF, _WAIT), _ONE, ("v", "u"),
        "The workhorse. Voltage jumps (`v += w`) are the same neuron with a current that decays at"
        " once (`du = 4095`). The reset becomes 0, so the resting potential goes into the bias.",
    ),
    "LIFReset": Demo(
        (*_LIF, _of("reset_interval", "count", 100, "steps between resets")), _ONE, ("v", "u"),
        "Clears current and voltage at regular steps, for networks that see one input after"
        " another.",
    ),
    "TernaryLIF": Demo(
        (*_MEMBRANE, _of("bias", "bias", 0.0, "constant drive"),
         _of("vth_hi", "threshold", 4e-3, "upper threshold"),
         _of("vth_lo", "threshold", -3e-3, "lower threshold")),
        {"a_in": (0.6e-3, -1.2e-3)}, ("v", "u"),
        "Spikes have a sign. Only projections with `message_bits` carry it; others take both for"
        " a plain spike.",
    ),
    "CubaLIF2": Demo(
        (*_LIF, _decay("du2", "current_decay", 25), _WAIT),
        {"a_in": (0.6e-3, 0.0), "a_in2": (0.0, -0.3e-3)}, ("v", "u", "u2"),
        "Excitation and inhibition with time constants of their own need two currents in one"
        " neuron: spikes carry no current, so two populations can't do it.",
    ),
    "ALIF": Demo(
        (*_LIF, _decay("dtheta1", "decay", 40), _of("step1", "level", 3e-3, "step of part 1"),
         _decay("dtheta2", "decay", 200), _of("step2", "level", 1e-3, "step of part 2")),
        _ONE, ("v", "theta1", "theta2"),
        "The adaptive threshold as people write it. A part that is not needed has a step of 0.",
    ),
    "LIFSoft": Demo(
        (*_LIF, _WAIT), _ONE, ("v", "u"),
        "What lies above the threshold is kept, so rates follow the input more closely.",
    ),
    "ATRLIF": Demo(
        (_decay("delta_i", "current_decay", 8), _decay("delta_v", "decay", 20),
         _decay("delta_theta", "decay", 40), _decay("delta_r", "decay", 15),
         _of("theta_0", "threshold", 5e-3, "threshold at rest"),
         _of("theta_step", "threshold", 2e-3, "step of the threshold"), _BIAS),
        _ONE, ("v", "theta", "r"),
        "Lava's adaptive neuron. It never resets `v`: a spike raises `r`, by the threshold before"
        " its own step. For `v = v_r` at a spike see [ALIF](ALIF.md).",
    ),
    "RF": Demo(
        _RESONATOR, {"a_real_in": (1.2e-3, 0.0), "a_imag_in": (0.0, 1.2e-3)}, ("real", "imag"),
        "Fires once a turn while the oscillation is large, and resets nothing.",
    ),
    "RF_IZ": Demo(
        _RESONATOR, {"a_real_in": (1.2e-3, 0.0), "a_imag_in": (0.0, 1.2e-3)}, ("real", "imag"),
        "Izhikevich's resonator: fires at the threshold, and is put one unit below it.",
    ),
    "ProbSpiker": Demo(
        (_of("p_spike", "fraction", 0.08, "probability of a spike a step"),), {}, (),
        "Poisson groups that live on the chip. Draws differ between engines, so only rates can be"
        " compared.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """Both runs of a demo, and what the integers were made of."""

    demo: Demo
    quantised: Quantised
    floating: RealRecorded
    chip: Recorded

    def spikes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps of the spikes in floating point and on the chip."""
        return self.floating.spikes["neuron"][0], self.chip.spikes["neuron"][0]

    def states(self, state: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """A state in floating point, and what the chip's means, both in millivolts."""
        floating = self.floating.states["neuron", state][:, 0] * 1e3
        return floating, self.chip.states["neuron", state][:, 0] / SCALE * 1e3


def ideal_of(model: str) -> IdealNetwork:
    """The demo's network in real numbers: one neuron and two trains of spikes."""
    demo = DEMOS[model]
    spikes = np.random.default_rng(1).random((STEPS, 2)) < (0.25, 0.12)
    steps, who = np.nonzero(spikes)
    projections = tuple(
        IdealProjection(
            f"to_{port}", "input", "neuron", port, np.arange(2), np.zeros(2, np.int64),
            real(weights),
        )
        for port, weights in demo.weights.items()
    )  # fmt: skip
    return IdealNetwork(
        DT,
        (IdealPopulation("neuron", model, 1, demo.quantities),),
        (SpikeTimes("input", 2, who, steps),),
        projections,
    )


def run_demo(model: str) -> Shown:
    """Run the demo of ``model`` in floating point and in integers."""
    ideal = float_ranges(ideal_of(model), STEPS)
    quantised = quantise(ideal, "Loihi2", LAVA, scales={"neuron": SCALE})
    record = [("neuron", state) for state in DEMOS[model].shows]
    draws = np.random.default_rng(2)
    return Shown(
        demo=DEMOS[model],
        quantised=quantised,
        floating=run_real(ideal, STEPS, record, scales={"neuron": SCALE}),
        chip=PlainChip(quantised.network, draws).run(STEPS, record),
    )


def run_all() -> dict[str, Shown]:
    """The demos of all chip models.

    Raises
    ------
    KeyError
        A model has no demo: write one above.
    """
    return {name: run_demo(name) for name in MODELS}
