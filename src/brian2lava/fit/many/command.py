"""``brian2lava fit ... --many DIR``: many cells from the command line; Ctrl-C pauses."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from brian2lava.errors import FitError
from brian2lava.fit.many.cells import Cell, as_cells, pattern_cells
from brian2lava.fit.many.queue import Many, ManyProgress
from brian2lava.fit.many.rows import FAILED
from brian2lava.fit.search import FitOptions

#: What a shell reports of a command that Ctrl-C ended, and of one of which some rows failed.
INTERRUPTED = 130
SOME_FAILED = 1
#: The pattern that stands for all of a model's.
ALL = "all"


@dataclass(frozen=True)
class ManyCommand:
    """What was asked on the command line.

    Attributes
    ----------
    folder : path
        Where all is kept, the tables among it.
    sources : tuple of str
        Recordings, folders of recordings, models.
    pattern : str or None
        Of every model: a firing pattern, or "all" for a cell each.
    candidates : tuple of str or None
    options : FitOptions
    resume : bool
    """

    folder: Path
    sources: tuple[str, ...] = ()
    pattern: str | None = None
    candidates: tuple[str, ...] | None = None
    options: FitOptions = field(default_factory=FitOptions)
    resume: bool = False


def run_many(
    command: ManyCommand,
    stopped: Callable[[], bool] = lambda: False,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Fit, print and write the tables; returns the exit code.

    ``stopped`` is asked every half second whether to pause.

    Raises
    ------
    FitError
        Something is missing or unknown, or the folder is taken.
    """
    out, err = out or sys.stdout, err or sys.stderr
    many = _begun(command)

    def watch(progress: ManyProgress) -> None:
        _show(progress, err)
        if stopped():
            many.pause()

    result = many.run(watch=watch)
    if err.isatty():
        print(file=err)
    result.to_csv(many.folder / "table.csv")
    result.summary_csv(many.folder / "summary.csv")
    print(result, file=out)
    print(f"Written to {command.folder}: table.csv, summary.csv.", file=out)
    counts = many.progress.counts
    again = f"brian2lava fit --many {command.folder} --resume"
    if counts["waiting"]:
        print(f"Paused at {many.progress.part:.0%}. Go on: {again}", file=err)
        return INTERRUPTED
    if counts[FAILED]:
        print(f"{counts[FAILED]} rows failed. When that is mended: {again}", file=err)
        return SOME_FAILED
    return 0


def _begun(command: ManyCommand) -> Many:
    if command.resume:
        if command.sources:
            raise FitError(
                f"--resume goes on with the cells in {command.folder}; leave the others out."
            )
        many = Many.load(command.folder)
        many.again()
        return many
    if not command.sources:
        raise FitError(
            "name recordings, a folder of them, or models; or go on with --resume what --many"
            " names."
        )
    if (command.folder / "many.json").exists():
        raise FitError(
            f"{command.folder} keeps fits of many cells already. --resume goes on with them; or"
            " take another folder."
        )
    cells = [cell for source in command.sources for cell in _cells(source, command.pattern)]
    return Many(cells, command.candidates, command.options, command.folder)


def _cells(source: str, pattern: str | None) -> list[Cell]:
    """What a word on the command line stands for."""
    cells = as_cells(source)
    missing = [cell.file for cell in cells if cell.file and not Path(cell.file).exists()]
    if missing:
        raise FitError(f"{source}: there is no such file or folder.")
    if pattern is None:
        return cells
    if cells[0].file:
        raise FitError(
            f"{source} is a recording, and --pattern {pattern} is one of a model's firing patterns;"
            " leave it out."
        )
    return pattern_cells(cells[0].model, None if pattern == ALL else [pattern])


def _show(progress: ManyProgress, err: TextIO) -> None:
    """A line that is written over, where somebody looks on."""
    if err.isatty():
        counts = ", ".join(f"{count} {state}" for state, count in progress.counts.items() if count)
        left = f"  about {progress.left:.0f} s left" if math.isfinite(progress.left) else ""
        print(f"\r{progress.part:4.0%}  {counts}{left:<24}", end="", flush=True, file=err)
