"""What the page Fit asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.candidates import CANDIDATES, candidate
from brian2lava.fit.search import FitOptions
from brian2lava.fit.search.space import Space
from brian2lava.fit.search.weights import WEIGHTS
from brian2lava.studio.keeping import KEY
from brian2lava.studio.setup import Setup, Tuning, numbers_of

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]


#: The session's key of what the page is set to.
_KEY = "fit_page"
#: What the page is set to, as far as nobody has changed it.
_FIRST: Mapping[str, Any] = {
    "candidates": None, "evaluations": 6000, "seeds": 3, "optimiser": "auto", "bounds": {},
    "weights": {},
}  # fmt: skip


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
        evaluations=int(given.get("evaluations", _FIRST["evaluations"])),
        seeds=int(given.get("seeds", _FIRST["seeds"])),
        window=setup.window,
        dt=setup.dt,
        drive=setup.drive,
        optimiser=str(given.get("optimiser", "auto")),
        workers=max(1, min(8, os.cpu_count() or 1)),
        bounds=bounds,
        fixed=fixed,
        weights={str(name): value for name, value in (given.get("weights") or {}).items()},
    )


def chosen(desk: Desk) -> dict[str, Any]:
    """What the page is set to: candidates (None: all), budget, bounds, weights.

    Bounds are those of the target that they were given for.
    """
    document = desk.bench.session.document
    kept = document.get(_KEY)
    if not isinstance(kept, dict):
        return dict(_FIRST)
    found = {name: kept.get(name, first) for name, first in _FIRST.items()}
    if kept.get("target") != document["target"]:
        found["bounds"] = {}
    try:
        for name in found["candidates"] or ():
            candidate(name)
        options(desk, {**found, "candidates": found["candidates"] or ()})
    except (FitError, TypeError, ValueError, AttributeError):
        return dict(_FIRST)  # of a session that somebody has written by hand
    return found


def choose(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Set the page to something else; that can be undone, and is kept."""
    for name in given.get("candidates") or ():
        candidate(name)
    asked = options(desk, given)
    for name, bounds in asked.bounds.items():
        Space(candidate(name), desk.bench.setup.frame, bounds, asked.fixed.get(name, {}))
    kept = {name: given.get(name, first) for name, first in _FIRST.items()}
    session = desk.bench.session
    session.edit("what is fitted", merge=True, **{
        _KEY: {**kept, "target": session.document["target"]},
        KEY: {**session.document[KEY], "first": False},
    })  # fmt: skip
    desk.changed()
    return {"undo": desk.bench.can_undo, "redo": desk.bench.can_redo}, {}


def choices(desk: Desk) -> dict[str, Any]:
    """What the page Fit is set to, and the scores that can have a weight."""
    return {
        "chosen": chosen(desk),
        "weights": [
            {"name": each.name, "meaning": each.meaning, "first": each.first}
            for each in WEIGHTS.values()
        ],
    }


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
    "fit_choose": choose,
    "fit_start": start,
    "fit_status": status,
    "fit_estimate": calibrate,
    "fit_pause": _then_status(lambda desk: desk.fit.pause()),
    "fit_resume": _then_status(lambda desk: desk.fit.go_on()),
    "fit_stop": _then_status(lambda desk: desk.fit.stop()),
}
