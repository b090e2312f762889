"""What the page can ask for: an operation is one row, name -> function of the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from brian2lava.errors import FitError
from brian2lava.studio import (
    batch_page,
    compare_page,
    export_page,
    fit_best,
    fit_page,
    precision_page,
    protocols,
    scores,
    synapse_page,
    target_page,
    variations,
)
from brian2lava.studio.python_code import code_of
from brian2lava.studio.view import Window, about, panel, traces

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]
Operation = Callable[["Desk", Mapping[str, Any]], Answer]


def view(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Panel and traces of what is on the bench."""
    pair = desk.pair()
    return panel(desk.bench, pair), traces(desk.bench.setup, pair, _window(given))


def _window(given: Mapping[str, Any]) -> Window:
    return Window(given.get("start"), given.get("stop"), int(given.get("width", 1000)))


def hello(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """All that a page needs that has just opened."""
    header, arrays = view(desk, given)
    return {**about(desk.bench.setup), **header, "fitting": fit_page.choices(desk)}, arrays


def look(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The same picture through another window of time."""
    return {}, traces(desk.bench.setup, desk.pair(), _window(given))


def _changing(change: Callable[[Desk, Mapping[str, Any]], None]) -> Operation:
    def operation(desk: Desk, given: Mapping[str, Any]) -> Answer:
        change(desk, given)
        desk.changed()
        return view(desk, given)

    return operation


def _whole(change: Callable[[Desk, Mapping[str, Any]], None]) -> Operation:
    """A change after which the target or the candidate may be another."""

    def operation(desk: Desk, given: Mapping[str, Any]) -> Answer:
        change(desk, given)
        desk.changed()
        return hello(desk, given)

    return operation


def tiles(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """Every number, over all sweeps."""
    return {"scores": scores.full(desk.bench.setup)}, {}


def bits(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """What one bit more or less of each register does."""
    found = variations.neighbours(desk.bench.setup)
    return {"names": found.pop("names")}, found


def code(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The page's state as Python."""
    if given.get("page") == "batch":
        return {"code": batch_page.batch_code(desk)}, {}
    return {"code": code_of(desk, str(given.get("page", "tune")))}, {}


#: Operations whose newest request replaces those that wait.
OPERATIONS: dict[str, Operation] = {
    "hello": hello,
    "look": look,
    "set_value": _changing(
        lambda desk, given: desk.bench.set_value(given["name"], float(given["value"]))
    ),
    "set_register": _changing(
        lambda desk, given: desk.bench.set_register(given["name"], float(given["value"]))
    ),
    "step_register": _changing(
        lambda desk, given: desk.bench.step_register(given["name"], int(given["by"]))
    ),
    "step_parameter": _changing(
        lambda desk, given: desk.bench.step_parameter(given["name"], int(given["by"]))
    ),
    "lock": _changing(lambda desk, given: desk.bench.lock(given["name"], bool(given["locked"]))),
    "reset": _changing(lambda desk, given: desk.bench.reset(given.get("name"))),
    "choose": _whole(lambda desk, given: desk.bench.choose(given["name"])),
    "option": _changing(lambda desk, given: desk.bench.set_option(given["name"], given["value"])),
    "undo": _whole(lambda desk, given: desk.bench.undo()),
    "redo": _whole(lambda desk, given: desk.bench.redo()),
    "spans": _whole(lambda desk, given: desk.bench.set_spans(given["train"], given["held_out"])),
    "tiles": tiles,
    "fi": lambda desk, given: ({}, protocols.fi_curve(desk.bench.setup)),
    "response": lambda desk, given: (
        {"kind": given["kind"]},
        protocols.response(desk.bench.setup, given["kind"], int(given.get("width", 800))),
    ),
    "bits": bits,
    "what_if": lambda desk, given: ({}, variations.what_if(desk.bench.setup)),
    "dt_scan": lambda desk, given: ({}, variations.over_steps(desk.bench.setup)),
    "phase": lambda desk, given: protocols.phase_plane(desk.bench.setup, float(given["current"])),
    "code": code,
    **target_page.OPERATIONS,
    **fit_page.OPERATIONS,
    **fit_best.OPERATIONS,
    **compare_page.OPERATIONS,
    **precision_page.OPERATIONS,
    **export_page.OPERATIONS,
    **synapse_page.OPERATIONS,
    **batch_page.OPERATIONS,
    **{name: _whole(change) for name, change in target_page.CHANGES.items()},
    **{name: _whole(change) for name, change in compare_page.CHANGES.items()},
    **{name: _changing(change) for name, change in precision_page.CHANGES.items()},
    **{name: _whole(change) for name, change in batch_page.CHANGES.items()},
}


def perform(desk: Desk, name: str, given: Mapping[str, Any]) -> Answer:
    """One operation.

    Raises
    ------
    FitError
        There is none of that name, or it lacks an argument.
    """
    if name not in OPERATIONS:
        raise FitError(f"the page asked for {name!r}, which this server does not know; reload it.")
    try:
        return OPERATIONS[name](desk, given)
    except KeyError as missing:
        raise FitError(f"{name}: {missing} is missing or unknown.") from missing
