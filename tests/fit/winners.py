"""Register sets that are exported: of each candidate one that fires, without a search."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from brian2lava.chip.profiles import LAVA
from brian2lava.fit import Sweep, Target, candidate
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.export import Winner
from brian2lava.fit.search.result import FitResult, Found, evaluate
from tests.fit.drawn_settings import drawn_stimulus

DT = 1e-3


def target(drive: str = "graded") -> Target:
    """Two sweeps of different lengths; as a bias, steps."""
    sweeps = []
    for k, steps in enumerate((400, 250)):
        current = drawn_stimulus(steps, k).values + 0.3
        if drive == "bias":
            current = np.repeat(current[::80], 80)[:steps]
        sweeps.append(Sweep(current, (np.arange(0.01, steps * DT, 0.02),)))
    return Target('a "quoted" target', DT, tuple(sweeps), unit="1", source="made")


def drawn(name: str, frame: Frame, rng: np.random.Generator) -> Settings:
    """Registers of physical values within the bounds."""
    each = candidate(name)
    values = {}
    for parameter in each.parameters:
        low, high = parameter.bounds(frame.reach)
        x = rng.random()
        value = low * (high / low) ** x if parameter.log else low + (high - low) * x
        values[parameter.name] = np.array([value])
    return each.to_settings(values, frame)


@functools.lru_cache
def winner(name: str, drive: Any = "graded", seed: int = 3) -> Winner:
    """Of thirty register sets that with about fifty spikes."""
    made, rng = target(drive), np.random.default_rng(seed)
    reach = max(float(np.abs(sweep.current).max()) for sweep in made.sweeps)
    frame, each = Frame(DT, reach, drive=drive), candidate(name)
    batch = Batch(each.model, LAVA, drive)
    found = []
    for _ in range(30):
        settings = drawn(name, frame, rng)
        stimuli = [Stimulus(sweep.current) for sweep in made.sweeps]
        if any(batch.run(settings, each).outside.any() for each in stimuli):
            continue  # a bias beyond its bits
        evaluation = evaluate(settings, made, batch)
        found.append((abs(sum(map(len, evaluation.trains)) - 50), settings, evaluation))
    _, settings, evaluation = min(found, key=lambda one: one[0])
    physical = {
        key: float(np.ravel(value)[0])
        for key, value in each.to_physical(settings, frame).items()
    }  # fmt: skip
    history = ([(100, 1.0), (200, 0.5)],)
    seeds = (evaluation,)
    return Winner(
        Found(each, frame, settings, physical, evaluation, seeds, (0.5,), history, 200, 1.0), made
    )


def result(*winners: Winner) -> FitResult:
    """As of a fit."""
    return FitResult(winners[0].target, tuple(each.found for each in winners))
