"""Recordings of LIF neurons on the chip whose registers are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.fit import Sweep, Target
from brian2lava.fit.batch import Batch, Settings, Stimulus

DT = 1e-3
STEPS, TRAINED = 4000, 3000
HELD_OUT = (TRAINED * DT, STEPS * DT)
#: Where registers are drawn, and looked for.
BOUNDS = {
    "du": (10, 4000),
    "dv": (10, 2000),
    "vth": (10, 1000),
    "bias_mant": (-2000, 4000),
    "weight": (1, 255),
}


@dataclass(frozen=True)
class Known:
    """A recording and what made it."""

    target: Target
    settings: Settings
    stimulus: Stimulus
    train: Any
    bounds: dict[str, tuple[int, int]]


def drawn(rng: np.random.Generator, bounds: dict[str, tuple[int, int]]) -> Settings:
    """One register set: even on a logarithmic scale where bounds are positive."""
    values = {
        name: int(np.rint(low * (high / low) ** u if low > 0 else low + (high - low) * u))
        for (name, (low, high)), u in zip(bounds.items(), rng.random(len(bounds)))
    }
    weight = values.pop("weight")
    return Settings("LIF", values, weight, 0, 1.0)


def recording(
    seed: int, voltage: bool = True, vth: tuple[int, int] = BOUNDS["vth"], least: int = 40
) -> Known:
    """4,000 steps of noise, at least ``least`` spikes; the last 1,000 steps are held out."""
    rng = np.random.default_rng(seed)
    bounds = {**BOUNDS, "vth": vth}
    while True:
        settings = drawn(rng, bounds)
        stimulus = Stimulus(np.rint(rng.normal(6, 20, STEPS)))
        out = Batch("LIF").run(settings, stimulus, traces=True)
        train = out.train(0).astype(np.int64)
        if least <= train.size <= 1500 and (train < TRAINED).any() and (train >= TRAINED).any():
            break
    recorded = out.traces["v"][0].astype(float) if voltage else None
    sweep = Sweep(stimulus.values, (train * DT,), recorded)
    target = Target(f"LIF, seed {seed}", DT, (sweep,), ((0.0, TRAINED * DT),), (HELD_OUT,), "1", "",
                    (0.0, 0.0))  # fmt: skip
    return Known(target, settings, stimulus, train, bounds)


def same_registers(settings: Settings, known: Known) -> bool:
    """Whether all that was drawn is the same."""
    return bool(settings.weights[0, 0] == known.settings.weights[0, 0]) and all(
        settings.registers[name][0] == known.settings.registers[name][0]
        for name in known.bounds
        if name != "weight"
    )


def same_held_out(settings: Settings, known: Known) -> bool:
    """Whether the spikes of the part that was held out are the same."""
    own = Batch("LIF").run(settings, known.stimulus).train(0)
    return bool(np.array_equal(own[own >= TRAINED], known.train[known.train >= TRAINED]))


def held_out_in_their_step(settings: Settings, known: Known) -> float:
    """The part of the held-out spikes, of both sides, that fall into the same step."""
    out = Batch("LIF").run(settings, known.stimulus)
    matched, fired, _ = out.coincidences(known.train, 0, TRAINED, STEPS)
    return float(2 * matched[0] / (fired[0] + (known.train >= TRAINED).sum()))
