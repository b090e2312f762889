"""Many fits from beginning to end; with a folder, from where they were left."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.many.asked import Asked
from brian2lava.fit.many.cells import Cells, as_cells
from brian2lava.fit.many.folder import Folder
from brian2lava.fit.many.queue import Many, Watch
from brian2lava.fit.many.result import ManyResult
from brian2lava.fit.search import FitOptions
from brian2lava.fit.target import Target


def fit_many(
    cells: Cells,
    candidates: Sequence[str] | None = None,
    options: FitOptions | None = None,
    folder: str | Path | None = None,
    executor: Executor | None = None,
    watch: Watch | None = None,
    **changed: Any,
) -> ManyResult:
    """Fit every cell with every candidate, to the end.

    Parameters are those of :class:`Many` and :meth:`Many.run`; ``changed`` are fields of
    :class:`~brian2lava.fit.FitOptions`: ``fit_many("cells", evaluations=5000, folder="fits")``.
    A folder that keeps fits of the same already is gone on with.

    Raises
    ------
    FitError
        The folder keeps fits of something else, or something is unknown. What is wrong with one
        cell fails its rows, and no others.
    """
    chosen = replace(options or FitOptions(), **changed)
    if folder is None or not Folder(folder).taken:
        return Many(cells, candidates, chosen, folder).run(executor, watch)
    asked = Asked.of(as_cells(cells), candidates, chosen)
    many = Many.load(folder)
    _same_or_refused(many, asked)
    many.again()
    return many.run(executor, watch)


def _same_or_refused(many: Many, asked: Asked) -> None:
    what = ""
    cells = list(asked.cells.values())
    if [cell.state() for cell in cells] != [cell.state() for cell in many.cells]:
        what = "cells"
    elif asked.candidates != many.candidates:
        what = "candidates"
    elif replace(asked.options, workers=1) != replace(many.options, workers=1):
        what = "options"
    elif not all(_same(c.given, many.target(c.name)) for c in cells if c.given is not None):
        what = "targets"
    if what:
        raise FitError(
            f"{many.folder} keeps fits of other {what}. Take another folder, or delete that one."
        )


def _same(given: Target, kept: Target) -> bool:
    """Whether two targets are the same but for their name."""

    def plain(target: Target) -> list[Any]:
        arrays = [
            each.tobytes()
            for sweep in target.sweeps
            for each in (sweep.current, *sweep.spikes, sweep.voltage)
            if each is not None
        ]
        counts = [len(sweep.spikes) for sweep in target.sweeps]
        return [target.dt, target.train, target.held_out, target.spike_width, counts, arrays]

    return plain(given) == plain(kept)
