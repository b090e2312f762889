"""Registers of a chip neuron from a recording of one: spikes, and its voltage if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.models import MODELS
from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Settings
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.registers import RegisterSearch
from brian2lava.fit.target import Target

#: A loss below is none: what double precision leaves of 0.
_NONE = 1e-12
_SAMPLE, _SPREAD, _SIZE = 8192, 0.3, 2048
#: Without a gain for so many rounds a search begins anew.
_PATIENCE = 60

#: Where registers of the LIF family are looked for when nothing is said.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "du": (10, 4000),
    "dv": (10, 2000),
    "vth": (10, 4000),
    "bias_mant": (-2000, 4000),
    "weight": (1, 255),
}


@dataclass(frozen=True)
class Recovered:
    """Registers that explain a recording.

    Attributes
    ----------
    settings : Settings of size 1
        In the middle of those that explain the training span.
    loss : float
        Its forced loss; 0 (to rounding) means that every training spike and voltage is explained.
    exact : bool
        Whether it is 0.
    rounds, starts : int
    """

    settings: Settings
    loss: float
    exact: bool
    rounds: int
    starts: int


def recover(
    target: Target,
    model: str = "LIF",
    bounds: Mapping[str, tuple[int, int]] | None = None,
    exponent: int = 0,
    seed: int = 0,
    rounds: int = 600,
) -> Recovered:
    """Find registers with which ``model`` answers the target's current as recorded.

    Parameters
    ----------
    target : Target
        A recording of a chip neuron whose current is whole numbers, the payloads of its spikes;
        ``spike_width=(0, 0)`` where its voltage is recorded too.
    model : str
        A chip model with a margin to its threshold ``vth``.
    bounds : dict of register to (low, high), optional
        Where each is looked for; other registers keep their defaults. "weight" is the mantissa.
    exponent : int
        Of the weight.
    seed : int
    rounds : int
        At most so many, of 2048 register sets each.
    """
    searched = dict(bounds or BOUNDS)
    unknown = set(searched) - {r.name for r in MODELS[model].registers} - {"weight"}
    if unknown or "vth" not in searched:
        raise FitError(
            f"recover: {model} has no register {', '.join(sorted(unknown))}."
            if unknown
            else "recover: the bounds of 'vth' are missing."
        )
    loss = Loss(target, Batch(model))

    def forced(settings: Settings) -> Any:
        return loss.forced(settings, settings.registers["vth"] * 64.0)

    best: RegisterSearch | None = None
    spent = starts = 0
    while spent < rounds and (best is None or best.best > _NONE):
        rng = np.random.default_rng((seed, starts))
        start = _drawn(model, searched, exponent, rng)
        search = RegisterSearch(start, tuple(searched), forced, seed + starts, _SPREAD, _SIZE)
        starts += 1
        while spent < rounds and search.best > _NONE and search.rounds_without_gain < _PATIENCE:
            search.round()
            spent += 1
        if best is None or search.best < best.best:
            best = search
    assert best is not None
    middle = best.centre()
    return Recovered(middle, best.best, best.best <= _NONE, spent, starts)


def _drawn(model: str, bounds: Mapping[str, tuple[int, int]], exponent: int, rng: Any) -> Settings:
    """Register sets all over their bounds: logarithmically where these are positive."""
    drawn: dict[str, Any] = {}
    for name, (low, high) in bounds.items():
        if not low < high:
            raise FitError(f"recover: the bounds {low}..{high} of {name!r} hold nothing.")
        u = rng.random(_SAMPLE)
        values = low * (high / low) ** u if low > 0 else low + (high - low) * u
        drawn[name] = np.rint(values).astype(np.int32)
    weight = drawn.pop("weight", np.ones(_SAMPLE, np.int32))
    return Settings(model, drawn, weight, exponent, np.ones(_SAMPLE, np.float32))
