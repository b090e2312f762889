"""What the page Fit asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.search import FitOptions
from brian2lava.studio.setup import Setup, Tuning, numbers_of

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]


def options(desk: Desk, given: Mapping[str, Any]) -> FitOptions:
    """Options of a fit: what the page gave, and on the bench the step, the drive, the locks."""
    setup = desk.bench.setup
    fixed = {
        name: {locked: tuning.values[locked] for locked in tuning.locked}
        for name, tuning in setup.tunings.items()
        if tuning.locked and name in given.get("candidates", ())
    }
    bounds = {
        name: {parameter: (float(low), float(high)) for parameter, (low, high) in each.items()}
        for name, each in (given.get("bounds") or {}).items()
        if name in given.get("candidates", ())
    }
    return FitOptions(
        evaluations=int(given.get("evaluations", 6000)),
        seeds=int(given.get("seeds", 3)),
        window=setup.window,
        dt=setup.dt,
        drive=setup.drive,
        optimiser=str(given.get("optimiser", "auto")),
        workers=max(1, min(8, os.cpu_count() or 1)),
        bounds=bounds,
        fixed=fixed,
    )


def start(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Begin a fit of the chosen candidates to the target on the bench."""
    desk.fit.start(desk.bench.setup.target, given.get("candidates", ()), options(desk, given))
    desk.changed()
    return status(desk, given)


def status(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Where the fit stands."""
    return {"fit": desk.fit.report()}, desk.fit.curves()


def calibrate(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """How long a fit would take: the answer comes with the news of the fit."""
    names = given.get("candidates", ())
    if not names:
        raise FitError("no candidate is chosen; choose at least one.")
    desk.fit.estimate_in_background(desk.bench.setup.target, names, options(desk, given))
    return {}, {}


def _then_status(change: Any) -> Any:
    def operation(desk: Desk, given: Mapping[str, Any]) -> Answer:
        change(desk)
        desk.changed()
        return status(desk, given)

    return operation


def adopted(setup: Setup, found: Any) -> Setup:
    """A setup with what a fit found for a candidate: its registers, step, threshold and drive."""
    name, frame = found.candidate.name, found.frame
    values = {p.name: _inside(found, p) for p in found.candidate.parameters}
    before = setup.tunings.get(name)
    numbers = numbers_of(found.candidate, found.settings)
    tuning = Tuning(values, numbers, before.locked if before else frozenset())
    return replace(
        setup, candidate_name=name, tunings={**setup.tunings, name: tuning}, dt=frame.dt,
        threshold=frame.threshold, drive=frame.drive,
    )  # fmt: skip


def _inside(found: Any, parameter: Any) -> float:
    """A value that a slider can show: a decay of nothing, or of all, has no time constant."""
    value = found.physical[parameter.name]
    low, high = parameter.bounds(found.frame.reach)
    if not np.isfinite(value):
        return float(high if value > 0 else low)
    return float(max(value, found.frame.dt / 20) if parameter.log else value)


def found_of(desk: Desk, name: str) -> Any:
    """What a fit found for a candidate."""
    result = desk.fit.result
    if name not in CANDIDATES or result is None or name not in {
        each.candidate.name for each in result.found
    }:  # fmt: skip
        raise FitError(f"no fit has found anything for {name!r} yet; fit it first.")
    return result[name]


OPERATIONS: dict[str, Any] = {
    "fit_start": start,
    "fit_status": status,
    "fit_estimate": calibrate,
    "fit_pause": _then_status(lambda desk: desk.fit.pause()),
    "fit_resume": _then_status(lambda desk: desk.fit.go_on()),
    "fit_stop": _then_status(lambda desk: desk.fit.stop()),
}
