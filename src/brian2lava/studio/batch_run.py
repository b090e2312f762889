"""Many cells in the background: a queue in a folder beside the session, run by a thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.many import Cell, Many, ManyProgress
from brian2lava.fit.many.budget import seconds_of
from brian2lava.fit.many.folder import Folder, written
from brian2lava.fit.search import FitOptions
from brian2lava.fit.target import Target

#: What one begins with: a quick look at one candidate of each kind.
CANDIDATES = ("LIF", "LIFRefractory", "ALIF2", "ATRLIF")
_EVALUATIONS, _SEEDS, _STEP = 1500, 2, 5e-4
#: Seconds between two pieces of news.
_NEWS = 0.5
#: Where recordings that were dropped are kept.
_FILES = "files"
Tell = Callable[[Mapping[str, Any]], None]


class BatchRun:
    """At most one queue, of the cells that are on the page.

    Parameters
    ----------
    session : path or None
        The session's file, beside which the folder lies; None: it lasts as long as the studio.
    tell : function
        Takes news for the pages.
    """

    def __init__(self, session: Path | None, tell: Tell) -> None:
        self.error = ""
        self.estimate: float | None = None
        self._path = None if session is None else session.with_suffix(".batch")
        self._tell = tell
        self._told_at = 0.0
        self._asked = 0
        self._facts: dict[str, dict[str, Any]] = {}
        self._thread: threading.Thread | None = None
        self._many: Many | None = None

    @property
    def many(self) -> Many:
        """The queue: as it was left, or an empty one.

        Raises
        ------
        FitError
            What was left is damaged.
        """
        if self._many is None:
            if self._path is not None and Folder(self._path).taken:
                self._many = Many.load(self._path)
            else:
                workers = max(1, min(8, os.cpu_count() or 1))
                options = FitOptions(
                    evaluations=_EVALUATIONS, seeds=_SEEDS, dt=_STEP, workers=workers
                )
                self._many = Many((), CANDIDATES, options, self._path)
        return self._many

    # --- cells -----------------------------------------------------------------------------------
    def add_file(self, name: str, data: bytes, reading: Mapping[str, Any]) -> str:
        """A recording that was dropped; one that could not be read gives way to its next version.

        Returns what is wrong with it, or "".
        """
        # of a name that comes from elsewhere only what is a name
        plain = Path(name.replace("\\", "/")).name or "recording"
        stem = Path(plain).stem or plain
        for cell in self.many.cells:
            if cell.name == stem and self.facts(cell)["error"]:
                self.remove([cell.name])
        folder = self.many.folder / _FILES
        number = 1 + max([0, *(int(each.name) for each in folder.glob("[0-9]*"))])
        place = folder / str(number)
        try:
            place.mkdir(parents=True)
        except OSError as problem:
            raise FitError(f"{place} can't be made: {problem.strerror}.") from problem
        written(place / plain, data)
        (made,) = self.many.add(Cell(stem, file=str(place / plain), reading=dict(reading)))
        return str(self.facts(made)["error"])

    def remove(self, names: list[str]) -> None:
        """Cells with what was found for them, and their files."""
        folder = self.many.folder / _FILES
        chosen = [cell for cell in self.many.cells if cell.name in names]
        self.many.remove(*names)
        for cell in chosen:
            self._facts.pop(cell.name, None)
            path = Path(cell.file)
            if cell.file and path.parent.parent == folder:
                path.unlink(missing_ok=True)
                path.parent.rmdir()

    def facts(self, cell: Cell) -> dict[str, Any]:
        """What is shown of a cell: length, spikes, unit; or why it can't be read."""
        if cell.name not in self._facts:
            try:
                found = _facts(self.many.target(cell.name))
            except BrianLavaError as problem:
                found = {"error": str(problem)}
            self._facts[cell.name] = {"name": cell.name, "from": _origin(cell), **_NONE, **found}
        return self._facts[cell.name]

    # --- running ---------------------------------------------------------------------------------
    def start(self, failed: bool = False) -> None:
        """Begin or go on; ``failed``: also with rows that failed.

        Raises
        ------
        FitError
            There is nothing to fit.
        """
        many = self.many
        if self.running and not many.pausing:
            return
        self.close()  # rows that are about to stop
        if not many.cells:
            raise FitError("there is no cell; drop recordings, or add models.")
        if not many.candidates:
            raise FitError("no candidate is chosen; choose at least one.")
        many.again(*(("failed", "stopped") if failed else ("stopped",)))
        if failed:
            self._facts.clear()
        if not many.progress.counts["waiting"]:
            raise FitError("nothing waits: all rows are done, or failed.")
        self.error = ""
        self._thread = threading.Thread(target=self._run, name="brian2lava-batch", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether rows are being fitted."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.many.run(watch=self._watch)
        except BrianLavaError as problem:
            self.error = str(problem)
        finally:
            self._thread = None
            self._tell({"news": "batch"})

    def _watch(self, progress: ManyProgress) -> None:
        if time.monotonic() > self._told_at + _NEWS:
            self._told_at = time.monotonic()
            self._tell({"news": "batch"})

    def pause(self) -> None:
        """Rows that run stop soon, and wait; returns at once."""
        if self._many is not None:
            self._many.pause()

    def stop(self) -> None:
        """What was found is enough; returns at once."""
        self.many.stop()

    def close(self) -> None:
        """The last that is done."""
        self.pause()
        thread = self._thread
        if thread is not None:
            thread.join()

    # --- how long --------------------------------------------------------------------------------
    def estimate_in_background(self) -> None:
        """Find out how long all will take; news says so. The newest question counts."""
        self._asked += 1
        self.estimate = None
        number = self._asked
        threading.Thread(target=self._estimate, args=(number,), daemon=True).start()

    def _estimate(self, number: int) -> None:
        many = self.many
        targets: list[Target] = []
        for cell in many.cells:
            if not self.facts(cell)["error"]:
                targets.append(many.target(cell.name))
        try:
            found = seconds_of(targets, many.candidates, many.options)
        except BrianLavaError:
            found = float("nan")  # rows that can't be fitted say so themselves
        if number == self._asked:
            self.estimate = found
            self._tell({"news": "batch"})


_NONE = {"seconds": None, "spikes": None, "sweeps": None, "unit": "", "dt": None, "error": ""}


def _facts(target: Target) -> dict[str, Any]:
    counts = [np.mean([t.size for t in s.spikes]) for s in target.sweeps if s.spikes]
    return {
        "seconds": sum(sweep.steps for sweep in target.sweeps) * target.dt,
        "spikes": float(sum(counts)) if counts else None,
        "sweeps": len(target.sweeps),
        "unit": target.unit,
        "dt": target.dt,
    }


def _origin(cell: Cell) -> str:
    """Where a cell is from, in a word or two."""
    if cell.file:
        return Path(cell.file).name
    return f"model {cell.model}" if cell.model else "given from the bench or Python"
