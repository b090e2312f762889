"""One setting, run: on the chip's integers and in double precision, beside the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.candidates import Candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.studio.real_model import run_real
from brian2lava.studio.real_registers import real_setting
from brian2lava.studio.setup import Setup


@dataclass(frozen=True)
class Trace:
    """What a neuron did.

    Attributes
    ----------
    spikes : array of float64
        Seconds.
    membrane, threshold : arrays of float64, shape (steps,)
        What is compared, in multiples of the resting threshold.
    states : dict of str to array, shape (steps,)
    counters : dict of str to int
        How often a state wrapped or saturated.
    """

    spikes: Any
    membrane: Any
    threshold: Any
    states: Mapping[str, Any]
    counters: Mapping[str, int]


@dataclass(frozen=True)
class Pair:
    """The same physical parameters on the chip and in floating point."""

    chip: Trace
    real: Trace
    settings: Settings
    stimulus: Stimulus


def run_pair(setup: Setup, stimulus: Stimulus | None = None) -> Pair:
    """The setup's neuron, through the shown sweep or another stimulus."""
    stimulus = stimulus or setup.stimulus()
    settings = setup.settings()
    return Pair(
        run_chip(setup, settings, stimulus), run_in_real(setup, stimulus), settings, stimulus
    )


def run_chip(setup: Setup, settings: Settings, stimulus: Stimulus) -> Trace:
    """The chip's integers."""
    batch = Batch(setup.candidate.model, drive=setup.drive)
    return traced(setup.candidate, batch, settings, stimulus, setup.dt)


def traced(
    candidate: Candidate, batch: Batch, settings: Settings, stimulus: Stimulus, dt: float
) -> Trace:
    """One register set of a candidate through a stimulus with steps of ``dt`` seconds."""
    out = batch.run(settings, stimulus, traces=True)
    states = {name: values[0] for name, values in out.traces.items()}
    membrane, threshold = compared(candidate, states, unity_of(settings))
    return Trace(
        out.train(0) * dt,
        membrane,
        threshold,
        states,
        {name: int(count[0]) for name, count in out.counters.items()},
    )


def run_in_real(setup: Setup, stimulus: Stimulus) -> Trace:
    """Double precision, at the physical parameters before rounding."""
    frame = setup.frame
    made = real_setting(setup.candidate, setup.tuning.values, frame)
    arriving = stimulus.values.astype(np.float64) * made.per_unit
    out = run_real(setup.candidate.model, made.registers, arriving, made.own, made.share)
    membrane, threshold = compared(setup.candidate, out.traces, real_unity(frame))
    return Trace(out.spikes * setup.dt, membrane, threshold, out.traces, {})


def unity_of(settings: Settings) -> float:
    """The resting threshold in units of the state."""
    registers = settings.registers
    if "theta_0" in registers:
        return float(registers["theta_0"][0]) * (1 << ALIGNMENT)
    vth = float(registers["vth"][0])
    return vth if settings.model in ("RF", "RF_IZ") else vth * (1 << ALIGNMENT)


def real_unity(frame: Frame) -> float:
    """The same where nothing is rounded."""
    return float(frame.threshold << ALIGNMENT)


def compared(candidate: Candidate, states: Mapping[str, Any], unity: float) -> tuple[Any, Any]:
    """What a candidate compares with what, in resting thresholds."""
    unity = max(unity, 1.0)
    steps = len(next(iter(states.values())))
    resting = np.ones(steps)
    if candidate.model == "ATRLIF":
        # r is what a spike takes off v, so v - r looks like a voltage that is reset
        return (states["v"] - states["r"]) / unity, states["theta"] / unity
    if candidate.model == "ALIF":
        raised = np.asarray(states["theta1"], np.float64) + states["theta2"]
        return states["v"] / unity, 1 + raised / unity
    if candidate.model == "RF":
        return states["real"] / unity, resting
    if candidate.model == "RF_IZ":
        return states["imag"] / unity, resting
    return states["v"] / unity, resting
