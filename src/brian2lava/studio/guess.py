"""A first setting of a candidate, so that nobody begins with a neuron that stays silent."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from brian2lava.fit.batch import Batch, Stimulus
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.target import Target
from brian2lava.studio.identity import Same
from brian2lava.studio.setup import reach

_TRIES = 512
#: Seconds of the training span that are looked at, and how far a spike may be off.
_LENGTH, _WINDOW = 2.0, 16e-3


def first_values(target: Target, name: str) -> dict[str, float]:
    """The best of some random settings on the beginning of the first training span."""
    return dict(_guessed(Same(target.sweeps), target.dt, target.train[0][1], name))


@functools.lru_cache(maxsize=64)
def _guessed(sweeps: Same, dt: float, stop: float, name: str) -> tuple[tuple[str, float], ...]:
    candidate = CANDIDATES[name]
    target = Target("target", dt, sweeps.value, train=((0.0, stop),))
    frame = Frame(dt, reach(target))
    points = np.random.default_rng(7).random((_TRIES, len(candidate.parameters)))
    values: dict[str, Any] = {}
    for k, parameter in enumerate(candidate.parameters):
        low, high = parameter.bounds(frame.reach)
        if parameter.log:
            values[parameter.name] = low * (high / low) ** points[:, k]
        else:
            values[parameter.name] = low + (high - low) * points[:, k]
    best = _best(target, candidate.model, candidate.to_settings(values, frame))
    return tuple((p, float(values[p][best])) for p in values)


def _best(target: Target, model: str, settings: Any) -> int:
    sweep = target.sweeps[0]
    end = min(round(target.train[0][1] / target.dt), round(_LENGTH / target.dt), sweep.steps)
    out = Batch(model).run(settings, Stimulus(sweep.current[:end]), capacity=2048)
    if not sweep.spikes:
        return int(np.argmin(np.abs(out.counts - 10 * end * target.dt)))
    train = target.spike_steps(0)
    matched, fired, apart = out.coincidences(train, round(_WINDOW / target.dt), 0, end)
    wanted = int((train < end).sum())
    together = 2 * matched / np.maximum(fired + wanted, 1)
    return int(np.argmax(together - 1e-3 * apart * target.dt / np.maximum(matched, 1) / _WINDOW))
