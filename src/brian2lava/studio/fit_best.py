"""The best trace by now, on the page Fit: the target against the register set that leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Stimulus
from brian2lava.fit.metrics import match
from brian2lava.fit.search.leading import Leading
from brian2lava.fit.target import Target
from brian2lava.studio.runs import Trace, traced
from brian2lava.studio.scores import trains_compared
from brian2lava.studio.view import WIDEST, Window, decimated

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]
#: Steps that are run and shown while a fit runs, which should not wait for it.
_MOST_LIVE = 50_000


def best_so_far(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The best of a candidate, or of all (``name`` empty), through the shown sweep.

    Run when it is asked for, so that a fit that nobody watches loses no time by it.
    """
    run = desk.fit
    leader = _chosen(run.bests, str(given.get("name") or ""))
    if leader is None or run.fitting is None or run.target is None:
        return {"best": None}, {}
    fitted, options = run.fitting.target, run.fitting.options
    sweep = min(desk.bench.setup.sweep, len(fitted.sweeps) - 1)
    batch = Batch(leader.candidate.model, options.profile(), options.drive)
    stimulus = Stimulus(fitted.sweeps[sweep].current[:_MOST_LIVE])
    trace = traced(leader.candidate, batch, leader.settings, stimulus, fitted.dt)
    shown = stimulus.steps * fitted.dt
    header = {
        "candidate": leader.candidate.name, "seed": leader.seed, "loss": leader.loss,
        "sweep": sweep, "sweeps": len(fitted.sweeps), "shown": shown,
        "cut": stimulus.steps < fitted.sweeps[sweep].steps,
        "train": fitted.train, "held_out": fitted.held_out,
        "scores": trains_compared(run.target, sweep, trace.spikes, options.window, shown),
    }  # fmt: skip
    arrays = _curves(given, trace, fitted.dt, run.target, sweep, shown)
    return {"best": header}, arrays | _spikes(run.target, sweep, trace, options.window, shown)


def _curves(
    given: Mapping[str, Any], trace: Trace, dt: float, target: Target, sweep: int, shown: float
) -> dict[str, Any]:
    """Membrane and threshold at the chip's step, the target's voltage at its own."""
    width = max(16, min(int(given.get("width", 1000)), WIDEST))
    window = Window(given.get("start"), given.get("stop"), width)
    arrays = decimated(
        {"membrane": trace.membrane, "threshold": trace.threshold}, dt, window, width, "t"
    )
    voltage = target.sweeps[sweep].voltage
    if voltage is not None:
        whole = {"voltage": voltage[: max(2, round(shown / target.dt))]}
        arrays |= decimated(whole, target.dt, window, width, "voltage_t")
    return arrays


def _spikes(
    target: Target, sweep: int, trace: Trace, window: float, shown: float
) -> dict[str, Any]:
    repeats = target.sweeps[sweep].spikes
    if not repeats:
        return {"chip_spikes": trace.spikes}
    matched = match(repeats[0][repeats[0] < shown], trace.spikes, window)
    return {
        "chip_spikes": trace.spikes,
        "target_spikes": matched.target,
        "missed": matched.miss.astype(np.uint8),
        "extra": matched.extra.astype(np.uint8),
    }


def _chosen(bests: Mapping[str, Leading], name: str) -> Leading | None:
    if not name:
        return next(iter(bests.values()), None)
    if bests and name not in bests:
        raise FitError(f"nothing was found for {name!r} yet; there are {', '.join(bests)}.")
    return bests.get(name)


OPERATIONS: dict[str, Any] = {"fit_best": best_so_far}
