"""Targets of the studio's tests: known registers, so that what is right is known too."""

from __future__ import annotations

import functools

import numpy as np

from brian2lava.fit.batch import Batch, Stimulus
from brian2lava.fit.candidates import candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.target import Sweep, Target

DT = 1e-3
#: A LIF that fires some 25 times a second under the current below.
KNOWN = {"tau_m": 20e-3, "tau_s": 5e-3, "gain": 2.0, "bias": 0.2}


@functools.cache
def known_target(steps: int = 3000, repeats: int = 1) -> Target:
    """What a chip LIF with the parameters ``KNOWN`` does, spikes only."""
    noise = np.random.default_rng(3).normal(size=steps)
    current = np.clip(0.6 + np.convolve(noise, np.exp(-np.arange(40) / 8), "same") * 0.15, 0, None)
    neuron = candidate("LIF")
    frame = Frame(DT, float(current.max()))
    values = {name: np.array([value]) for name, value in KNOWN.items()}
    out = Batch("LIF").run(neuron.to_settings(values, frame), Stimulus(current))
    train = out.train(0) * DT
    trains = tuple(train + 1e-4 * k for k in range(repeats))
    return Target("known LIF", DT, (Sweep(current, trains),), unit="1", source="registers")
