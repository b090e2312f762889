"""Many cells with many candidates: a queue that is paused, stopped, gone on with; and its table."""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.many.asked import Asked
from brian2lava.fit.many.cells import Cell, Cells, as_cells
from brian2lava.fit.many.folder import Folder
from brian2lava.fit.many.kept import Kept
from brian2lava.fit.many.result import ManyResult
from brian2lava.fit.many.rows import DONE, FAILED, STATES, STOPPED, Row
from brian2lava.fit.many.schedule import Schedule
from brian2lava.fit.search import FitOptions, FitResult, Fitting
from brian2lava.fit.target import Target


@dataclass(frozen=True)
class ManyProgress:
    """Where many fits stand.

    Attributes
    ----------
    part : float
        The part of all rows that is done, 0 .. 1; those that failed are not counted.
    seconds : float
        Since the run began that is under way, or that was the last one.
    left : float
        Seconds that the rest will take at the speed so far; nan where it is not known.
    counts : dict of str to int
        Rows in each state.
    """

    part: float
    seconds: float
    left: float
    counts: Mapping[str, int]


Watch = Callable[[ManyProgress], None]


class Many:
    """Every cell with every candidate, one row each.

    Parameters
    ----------
    cells : see :func:`brian2lava.fit.many.cells.as_cells`, optional
        Targets, files, folders of recordings, names of models, or a dict of name to these.
    candidates : sequence of str, optional
        Names; all that the drive can serve, where it is left out.
    options : FitOptions, optional
        Of every row; ``workers`` is how many rows are fitted side by side.
    folder : path, optional
        Where all is kept, so that a killed process can go on (:meth:`load`); without one it lasts
        as long as this object.

    Raises
    ------
    FitError
        The folder keeps other fits already, or something is unknown.
    """

    def __init__(
        self,
        cells: Cells = (),
        candidates: Sequence[str] | None = None,
        options: FitOptions | None = None,
        folder: str | Path | None = None,
    ) -> None:
        given = [] if isinstance(cells, (tuple, list)) and not cells else as_cells(cells)
        asked = Asked.of(given, candidates, options or FitOptions())
        self._begin(_folder_for(self, folder))
        if self._kept.folder.taken:
            raise FitError(
                f"{self.folder} keeps fits of many cells already. Many.load(...) goes on with them;"
                " or take another folder."
            )
        with self._kept.changing():
            self._kept.replace(asked)

    @classmethod
    def load(cls, folder: str | Path) -> Many:
        """Fits as they were left; those that were under way wait.

        Raises
        ------
        FitError
            There are none in the folder, or something there is damaged or newer.
        """
        made = cls.__new__(cls)
        made._begin(Folder(folder))
        made._kept.read()
        return made

    def _begin(self, folder: Folder) -> None:
        self._kept = Kept(folder)
        self._began = self._ended = 0.0
        self._part_before = 0.0

    # ------------------------------------------------------------ what is asked
    @property
    def folder(self) -> Path:
        """Where all is kept."""
        return self._kept.folder.path

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells."""
        return tuple(self._kept.asked.cells.values())

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names."""
        return self._kept.asked.candidates

    @property
    def options(self) -> FitOptions:
        """Of every row."""
        return self._kept.asked.options

    @property
    def changes(self) -> int:
        """Goes up with everything that changes."""
        return self._kept.changes

    def add(self, cells: Cells) -> list[Cell]:
        """More cells, also while others are fitted; returns them with their names."""
        given = as_cells(cells)
        with self._kept.changing():
            before = set(self._kept.asked.cells)
            self._kept.replace(self._kept.asked.with_cells(given))
            return [cell for n, cell in self._kept.asked.cells.items() if n not in before]

    def remove(self, *names: str) -> None:
        """Cells, with all that was found for them."""
        with self._kept.changing():
            numbers = [self._kept.asked.number(name) for name in names]
            self._kept.replace(self._kept.asked.without(names))
            for number in numbers:
                self._kept.forget(number)

    def set_candidates(self, names: Sequence[str] | None) -> None:
        """Other candidates; what was found for those that go is there again when they return."""
        with self._kept.changing():
            self._kept.replace(self._kept.asked.with_candidates(names))

    def set_options(self, **changed: Any) -> None:
        """Change fields of :class:`~brian2lava.fit.FitOptions`.

        Raises
        ------
        FitError
            Something was fitted already with the present ones.
        """
        with self._kept.changing():
            options = replace(self.options, **changed)
            same = replace(options, workers=self.options.workers) == self.options
            if not same and (self.running or self._kept.folder.fitted):
                raise FitError(
                    "some rows were fitted with the present options, and a table has to compare"
                    " like with like. clear() forgets what was found; or take another folder."
                )
            asked = replace(self._kept.asked, options=options)
            self._kept.replace(asked.with_candidates(asked.candidates))

    def clear(self) -> None:
        """Forget all that was found; cells, candidates and options stay.

        Raises
        ------
        FitError
            Rows are being fitted.
        """
        with self._kept.changing():
            if self.running:
                raise FitError("rows are being fitted; pause or stop them first.")
            self._kept.forget_rows()

    def again(self, *states: str) -> int:
        """Put rows that failed or were stopped back into the queue; returns how many.

        Parameters
        ----------
        states
            "failed", "stopped"; both, where none is given. The file of a cell that could not be
            read is read again.
        """
        chosen = set(states or (FAILED, STOPPED))
        if unknown := chosen - {FAILED, STOPPED}:
            raise FitError(f"rows that are {unknown.pop()!r} can't be put back.")
        with self._kept.changing():
            count = sum(row.state in chosen for row in self.rows)
            if FAILED in chosen:
                self._kept.forget_failures()
            if STOPPED in chosen:
                self._kept.replace(replace(self._kept.asked, stopped=False))
            return count

    # ------------------------------------------------------------ what there is
    def target(self, cell: str) -> Target:
        """A cell's target: as it was read first, or read now.

        Raises
        ------
        FitError
            It can't be read, or there is no such cell.
        """
        return self._kept.target(cell)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows as they are now, cell after cell."""
        return self._kept.rows

    def row(self, cell: str, candidate: str) -> Row:
        """A row.

        Raises
        ------
        FitError
            There is none.
        """
        for row in self.rows:
            if row.key == (cell, candidate):
                return row
        raise FitError(f"there is no row of the cell {cell!r} and the candidate {candidate!r}.")

    def fit_of(self, cell: str, candidate: str) -> FitResult:
        """What was found for a row, evaluated anew: to be verified, exported, compared.

        Raises
        ------
        FitError
            There is no such row, or nothing was found for it yet.
        """
        row, folder = self.row(cell, candidate), self._kept.folder
        number = self._kept.asked.number(cell)
        state = folder.read_fit(number, candidate)
        if state is None or not row.found:
            why = f" It failed: {row.reason}" if row.reason else ""
            raise FitError(f"nothing was found yet for {cell!r} with {candidate}.{why}")
        try:
            fitting = Fitting(self.target(cell), [candidate], replace(self.options, workers=1))
            fitting.resume(state)
            return fitting.result()
        except BrianLavaError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise FitError(
                f"{folder.fit_path(number, candidate)} is damaged ({error!r}). clear() forgets what"
                " was found."
            ) from error

    def result(self) -> ManyResult:
        """The table as it is now."""
        return ManyResult(self.rows)

    @property
    def progress(self) -> ManyProgress:
        """Where all stands."""
        rows = self.rows
        part = _part(rows)
        until = time.monotonic() if self.running else self._ended
        seconds, gained = until - self._began, part - self._part_before
        return ManyProgress(
            part=part,
            seconds=seconds,
            left=seconds * (1 - part) / gained if gained > 0 else float("nan"),
            counts={state: sum(row.state == state for row in rows) for state in STATES},
        )

    # ------------------------------------------------------------ running
    @property
    def running(self) -> bool:
        """Whether :meth:`run` is under way."""
        return self._kept.mark is not None

    @property
    def pausing(self) -> bool:
        """Whether a run is about to end: rows that were begun stop soon."""
        mark = self._kept.mark
        return mark is not None and not mark.exists()

    def run(self, executor: Executor | None = None, watch: Watch | None = None) -> ManyResult:
        """Fit the rows that wait; returns when none is left, or after :meth:`pause`.

        Parameters
        ----------
        executor : Executor, optional
            Where rows are fitted: processes, another machine; without one, threads. Results do not
            depend on it.
        watch : function of ManyProgress, optional
            Called every half second, and whenever a row is done.

        Raises
        ------
        FitError
            They run already, here or elsewhere; or the executor's workers died: rows that they had
            wait again.
        """
        with self._kept.folder.alone() as first:
            mark = self._marked(first)
            try:
                if executor is not None:
                    self._work(mark, executor, watch)
                else:
                    with ThreadPoolExecutor(self.options.workers) as pool:
                        self._work(mark, pool, watch)
            finally:
                mark.unlink(missing_ok=True)
                self._ended = time.monotonic()
                self._kept.mark = None
                self._kept.changes += 1
        return self.result()

    def _marked(self, first: bool) -> Path:
        """The mark of a run that begins."""
        with self._kept.changing():
            if self.running:
                raise FitError("these rows are being fitted already; pause or stop them first.")
            if first:
                self._kept.read()
            self._part_before = _part(self.rows)
            self._began = time.monotonic()
            self._kept.mark = self._kept.folder.begin()
            self._kept.changes += 1
            return self._kept.mark

    def _work(self, mark: Path, pool: Executor, watch: Watch | None) -> None:
        looked = (lambda: None) if watch is None else (lambda: watch(self.progress))
        Schedule(self._kept, mark, pool, looked).run()

    def pause(self) -> None:
        """Rows that run stop soon and wait, with what they have found; :meth:`run` goes on."""
        mark = self._kept.mark
        if mark is not None:
            mark.unlink(missing_ok=True)

    def stop(self) -> None:
        """Be content with what was found; :meth:`again` puts the rest back into the queue."""
        with self._kept.changing():
            self._kept.replace(replace(self._kept.asked, stopped=True))
        self.pause()


def _part(rows: Sequence[Row]) -> float:
    """The part that is done, of rows that did not fail."""
    parts = [1.0 if row.state == DONE else row.part for row in rows if row.state != FAILED]
    return sum(parts) / len(parts) if parts else float(bool(rows))


def _folder_for(owner: object, folder: str | Path | None) -> Folder:
    """The folder; without one, a new one that goes with its owner."""
    if folder is not None:
        return Folder(folder)
    made = tempfile.mkdtemp(prefix="brian2lava-many-")
    weakref.finalize(owner, shutil.rmtree, made, True)
    return Folder(made)
