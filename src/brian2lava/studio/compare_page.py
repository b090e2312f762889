"""What the page Compare asks for: the ranking, spikes of all, one spike from near, single bits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.metrics import match
from brian2lava.studio.fit_page import adopted, found_of
from brian2lava.studio.fit_run import rows
from brian2lava.studio.runs import run_chip
from brian2lava.studio.setup import Setup
from brian2lava.studio.variations import neighbours

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]
#: Seconds to both sides of a spike that is looked at.
_NEAR = 0.06


def compare(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """All candidates of the last fit: ranking, and spikes in the shown sweep."""
    result = desk.fit.result
    if result is None:
        return {"rows": []}, {}
    sweep = min(desk.bench.setup.sweep, len(result.target.sweeps) - 1)
    repeats = result.target.sweeps[sweep].spikes
    arrays: dict[str, Any] = {"target": repeats[0]} if repeats else {}
    for each in result.found:
        name, own = each.candidate.name, each.evaluation.trains[sweep]
        arrays[f"{name}_spikes"] = own
        if repeats:
            matched = match(repeats[0], own, desk.bench.setup.window)
            arrays[f"{name}_missed"] = matched.miss.astype(np.uint8)
            arrays[f"{name}_extra"] = matched.extra.astype(np.uint8)
    target = result.target
    return {
        "rows": rows(result),
        "duration": target.sweeps[sweep].steps * target.dt,
        "train": target.train,
        "held_out": target.held_out,
    }, arrays


def inspect(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The surroundings of a spike: the target's voltage, a candidate's membrane and threshold."""
    setup = _as_fitted(desk, given["name"])
    at = float(given["time"])
    stimulus = setup.stimulus()
    trace = run_chip(setup, setup.settings(), stimulus)
    first = max(0, round((at - _NEAR) / setup.dt))
    last = min(stimulus.steps, round((at + _NEAR) / setup.dt))
    if first >= last:
        raise FitError(f"there is nothing at {at:g} s.")
    arrays: dict[str, Any] = {
        "t": np.arange(first, last) * setup.dt,
        "membrane": np.asarray(trace.membrane[first:last], np.float32),
        "threshold": np.asarray(trace.threshold[first:last], np.float32),
    }
    target = setup.target
    voltage = target.sweeps[setup.sweep].voltage
    if voltage is not None:
        times = np.arange(voltage.size) * target.dt
        arrays["voltage"] = np.interp(arrays["t"], times, voltage)
    below = arrays["threshold"] - arrays["membrane"]
    near = np.abs(arrays["t"] - at) <= setup.window
    return {
        "time": at,
        "name": given["name"],
        "distance": float(below[near].min()) if near.any() else None,
    }, arrays


def sensitivity(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """What one bit of each register does to a candidate's gamma factor."""
    found = neighbours(_as_fitted(desk, given["name"]))
    return {"names": found.pop("names"), "name": given["name"]}, found


def _setup_of(desk: Desk, name: str) -> Setup:
    """The bench with a candidate as the fit left it; the bench itself stays."""
    return adopted(desk.bench.setup, found_of(desk, name))


def _as_fitted(desk: Desk, name: str) -> Setup:
    """The same before the target that was fitted, which need not be the bench's any more."""
    found, target = found_of(desk, name), desk.fit.target
    setup = desk.bench.setup
    if target is not None and target.sweeps is not setup.target.sweeps:
        sweep = min(setup.sweep, len(target.sweeps) - 1)
        setup = replace(setup, target=target, sweep=sweep)
    return adopted(setup, found)


OPERATIONS: dict[str, Any] = {
    "compare": compare,
    "inspect": inspect,
    "sensitivity": sensitivity,
}
CHANGES: dict[str, Any] = {
    "adopt": lambda desk, given: desk.bench.adopt(_setup_of(desk, given["name"]))
}
