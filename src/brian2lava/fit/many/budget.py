"""How long many fits will take, measured on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.search import FitOptions, Fitting
from brian2lava.fit.target import Target

#: Settings that are tried of each candidate.
_CALIBRATION = 256
#: What a search adds: to the time of its evaluations, and to each (seconds; optimisers, scores).
_LONGER, _EACH = 1.5, 70e-6


def seconds_of(targets: Sequence[Target], candidates: Sequence[str], options: FitOptions) -> float:
    """Seconds that all targets with all candidates will take, in all seeds.

    Every candidate is tried on the shortest target that can be fitted; the others take longer by
    their number of samples.

    Raises
    ------
    FitError
        No target can be fitted; says why the last could not.
    """
    problem = "no cell can be read yet."
    steps = [_steps(target, options) for target in targets]
    for k in np.argsort(steps):
        try:
            rates = [_seconds_a_step(targets[k], name, options) for name in candidates]
        except BrianLavaError as error:
            problem = str(error)
            continue
        evaluations = options.evaluations * options.seeds
        each = sum(steps) * sum(rates) * _LONGER + _EACH * len(steps) * len(rates)
        return each * evaluations / options.workers
    raise FitError(problem)


def _steps(target: Target, options: FitOptions) -> int:
    """Steps of the chip that a search runs through: to the end of what is trained."""
    dt = options.dt or target.dt
    end = max(stop for _, stop in target.train)
    return sum(max(1, round(min(sweep.steps * target.dt, end) / dt)) for sweep in target.sweeps)


def _seconds_a_step(target: Target, name: str, options: FitOptions) -> float:
    fitting = Fitting(target, [name], options)
    trial = fitting.trials[0]
    points = np.random.default_rng(0).random((_CALIBRATION, trial.space.dimensions))
    settings = trial.space.settings(points)
    trial.loss.free(settings.one(0))  # compiles where it has to
    began = time.perf_counter()
    trial.loss.free(settings)
    return (time.perf_counter() - began) / _CALIBRATION / _steps(target, options)
