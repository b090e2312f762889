"""What the page Batch asks for: cells, candidates, a budget, a queue, its table, distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit import pattern_cells
from brian2lava.fit.many import Cell, Distribution, Row
from brian2lava.fit.many.cells import model_cell
from brian2lava.fit.search import FitOptions
from brian2lava.fit.session import Session
from brian2lava.fit.target import Target
from brian2lava.fit.target.models import TARGET_MODELS
from brian2lava.studio.fit_page import adopted

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]
#: What the page can set of the options, each with how it is read; "" stands for None.
_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "evaluations": int, "seeds": int, "dt": lambda value: float(value) if value else None,
    "drive": str, "window": float,
}  # fmt: skip
_SHOWN = ("cell", "candidate", "state", "reason", "part", "evaluations", "seconds", "held_out",
          "held_out_mean", "held_out_spread", "train")  # fmt: skip


def status(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """All that the page shows, but for distributions."""
    run = desk.batch
    header: dict[str, Any] = {
        "error": run.error, "estimate": run.estimate, "running": run.running,
        "pausing": run.many.pausing,
        "models": [
            {"name": name, "patterns": list(model.patterns)}
            for name, model in TARGET_MODELS.items()
        ],
    }  # fmt: skip
    many = run.many
    options, progress = many.options, many.progress
    rows = many.rows
    return {
        **header,
        "cells": [run.facts(cell) for cell in many.cells],
        "candidates": many.candidates,
        "options": {name: getattr(options, name) for name in _OPTIONS},
        "fixed": any(row.found for row in rows) or run.running,
        "rows": [{name: getattr(row, name) for name in _SHOWN} for row in rows],
        "part": progress.part, "left": progress.left, "counts": progress.counts,
        "summary": [vars(each) for each in many.result().summary()],
    }, {}  # fmt: skip


def _then_status(change: Callable[[Desk, Mapping[str, Any]], None]) -> Any:
    def operation(desk: Desk, given: Mapping[str, Any]) -> Answer:
        change(desk, given)
        return status(desk, given)

    return operation


def add_file(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """A recording that was dropped; what is wrong with it is said, and it is shown all the same."""
    data = given["arrays"].get("file")
    if data is None:
        raise FitError("the file did not arrive; drop it again.")
    reading: dict[str, Any] = {}
    if given.get("dt"):
        reading["dt"] = float(given["dt"])
    if units := {key: unit for key, unit in (given.get("units") or {}).items() if unit}:
        reading["units"] = units
    if given.get("spike_threshold") is not None:
        reading["spike_threshold"] = float(given["spike_threshold"])
    wrong = desk.batch.add_file(str(given["name"]), np.asarray(data).tobytes(), reading)
    header, arrays = status(desk, given)
    return {**header, "wrong": wrong}, arrays


def add_models(desk: Desk, given: Mapping[str, Any]) -> None:
    """A model under its own stimulus, or a cell for each of its patterns that are named."""
    patterns = given.get("patterns") or []
    model = str(given["model"])
    cells = pattern_cells(model, patterns) if patterns else [model_cell(model)]
    reading = {"dt": float(given["dt"])} if given.get("dt") else {}
    made = desk.batch.many.add([replace(cell, reading=reading) for cell in cells])
    for cell in made:  # now, and not while rows are fitted: Brian2 makes their code
        desk.batch.facts(cell)


def add_bench(desk: Desk, given: Mapping[str, Any]) -> None:
    """The target on the bench."""
    target = desk.bench.setup.target
    desk.batch.many.add(Cell(target.name, given=target))


def set_options(desk: Desk, given: Mapping[str, Any]) -> None:
    """Fields of the options."""
    changed = {name: _OPTIONS[name](value) for name, value in given["options"].items()}
    desk.batch.many.set_options(**changed)


def distribution(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The held-out score, or a parameter, over cells: a group each candidate that has it."""
    result, name = desk.batch.many.result(), str(given["name"])
    groups = []
    unit, log = "1", False
    for each in result.candidates:
        found: Distribution | None = (
            result.scores(each) if name == "held_out" else result.parameters(each).get(name)
        )
        if found is None:
            continue
        unit, log = found.unit, found.log
        groups.append({
            "candidate": each, "cells": found.cells, "values": found.values,
            "quartiles": found.quartiles,
        })  # fmt: skip
    if not groups and result.rows:
        raise FitError(f"no candidate of the batch has the parameter {name!r}.")
    return {"name": name, "unit": unit, "log": log, "groups": groups}, {}


def tables(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The table and the summary as files."""
    result = desk.batch.many.result()
    texts = {"table.csv": result.to_csv(), "summary.csv": result.summary_csv()}
    return {}, {name: np.frombuffer(text.encode(), np.uint8) for name, text in texts.items()}


def details(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """What was found for a row: registers, and what they mean."""
    row: Row = desk.batch.many.row(str(given["cell"]), str(given["candidate"]))
    return {"registers": row.registers, "physical": row.physical}, {}


def tune(desk: Desk, given: Mapping[str, Any]) -> None:
    """A row's cell and neuron go to the bench."""
    many = desk.batch.many
    found = many.fit_of(str(given["cell"]), str(given["candidate"])).best
    cell = next(each for each in many.cells if each.name == given["cell"])
    target = _once(desk.bench.session, many.target(cell.name))
    desk.bench.set_target(target, cell.origin())
    desk.bench.adopt(adopted(desk.bench.setup, found))


def _once(session: Session, target: Target) -> Target:
    """The target as the session has it already, if it has it: arrays are kept once."""
    for known in session.targets.values():
        if known.name == target.name and known.dt == target.dt and _same(known, target):
            return replace(target, sweeps=known.sweeps)
    return target


def _same(one: Target, other: Target) -> bool:
    def arrays(target: Target) -> list[Any]:
        return [a for s in target.sweeps for a in (s.current, *s.spikes, s.voltage)]

    pairs = list(zip(arrays(one), arrays(other)))
    return len(arrays(one)) == len(arrays(other)) and all(
        a is b or (a is not None and b is not None and np.array_equal(a, b)) for a, b in pairs
    )


def batch_code(desk: Desk) -> str:
    """The batch as Python."""
    many = desk.batch.many
    lines = ["from brian2lava.fit import Cell, fit_many", "", "cells = ["]
    for cell in many.cells:
        if not (cell.file or cell.model):
            lines.append(f"    # {cell.name}: a target that was given; put it here as it is")
            continue
        words = [repr(cell.name)]
        words += [f"file={Path(cell.file).name!r}"] if cell.file else []
        words += [f"model={cell.model!r}"] if cell.model else []
        words += [f"pattern={cell.pattern!r}"] if cell.pattern else []
        words += [f"reading={dict(cell.reading)!r}"] if cell.reading else []
        lines.append(f"    Cell({', '.join(words)}),")
    first = FitOptions()
    changed = [
        f"{name}={getattr(many.options, name)!r}"
        for name in _OPTIONS
        if getattr(many.options, name) != getattr(first, name)
    ]
    return "\n".join([
        *lines,
        "]",
        f"result = fit_many(cells, {list(many.candidates)!r},",
        f"                  {', '.join([*changed, 'folder=' + repr('batch')])})",
        "print(result)",
        "result.to_csv('table.csv')",
        "for name in result.candidates:",
        "    print(name, result.scores(name).quartiles,",
        "          {key: each.quartiles for key, each in result.parameters(name).items()})",
    ])  # fmt: skip


OPERATIONS: dict[str, Any] = {
    "batch_status": status,
    "batch_add_file": add_file,
    "batch_add_models": _then_status(add_models),
    "batch_add_bench": _then_status(add_bench),
    "batch_remove": _then_status(lambda desk, given: desk.batch.remove(list(given["cells"]))),
    "batch_candidates": _then_status(
        lambda desk, given: desk.batch.many.set_candidates(given["candidates"])
    ),
    "batch_options": _then_status(set_options),
    "batch_estimate": _then_status(lambda desk, given: desk.batch.estimate_in_background()),
    "batch_start": _then_status(lambda desk, given: desk.batch.start(bool(given.get("failed")))),
    "batch_pause": _then_status(lambda desk, given: desk.batch.pause()),
    "batch_stop": _then_status(lambda desk, given: desk.batch.stop()),
    "batch_clear": _then_status(lambda desk, given: desk.batch.many.clear()),
    "batch_distribution": distribution,
    "batch_tables": tables,
    "batch_details": details,
}
CHANGES: dict[str, Any] = {"batch_tune": tune}
