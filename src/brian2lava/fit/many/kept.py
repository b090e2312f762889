"""What many fits have in memory and in their folder: both change together, the folder first."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from brian2lava.errors import FitError
from brian2lava.fit.many.asked import Asked
from brian2lava.fit.many.folder import Folder
from brian2lava.fit.many.rows import FAILED, RUNNING, STOPPED, WAITING, Row
from brian2lava.fit.many.work import Outcome, keep
from brian2lava.fit.target import Target

Key = tuple[str, str]
#: Targets that are held in memory; others are read from the folder when their turn comes.
_HELD = 4


class Kept:
    """Cells, candidates, options and rows.

    Parameters
    ----------
    folder : Folder

    Attributes
    ----------
    asked : Asked
    mark : path or None
        While rows are fitted: these go on as long as the file is there.
    changes : int
        Goes up with everything that changes.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.asked = Asked()
        self.mark: Path | None = None
        self.changes = 0
        self._rows: dict[Key, Row] = {}
        self._targets: dict[int, Target] = {}
        self._lock = threading.RLock()

    # ------------------------------------------------------------ reading and replacing
    def read(self) -> None:
        """All as it is in the folder; rows that were under way wait.

        Raises
        ------
        FitError
            There is nothing, or something is damaged or newer.
        """
        asked = Asked.from_json(self.folder.read_document(), str(self.folder.path))
        rows = self._rows_of(asked, {})
        with self._lock:
            self.asked, self._rows, self._targets = asked, rows, {}

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else changes anything, neither here nor in another process."""
        with self.folder.alone() as first, self._lock:
            if first and self.folder.taken:
                self.read()
            yield

    def replace(self, asked: Asked) -> None:
        """Other things asked for."""
        with self._lock:
            rows = self._rows_of(asked, self._rows)
            for number, cell in asked.cells.items():
                if cell.given is not None and number not in self.asked.cells:
                    self.folder.write_target(number, cell.target())
            self.folder.write_document(asked.to_json())
            self.asked, self._rows = asked, rows
            self.changes += 1

    def forget(self, number: int) -> None:
        """A cell that was taken away."""
        with self._lock:
            self._targets.pop(number, None)
            self.folder.forget(number, target=True)

    def forget_rows(self) -> None:
        """All that was found."""
        with self._lock:
            for number in self.asked.cells:
                self.folder.forget(number)
            self._rows = {}
            self.replace(replace(self.asked, stopped=False))

    def forget_failures(self) -> None:
        """Rows that failed wait again."""
        with self._lock:
            for key, row in self._rows.items():
                if row.state == FAILED:
                    self.folder.forget(self.asked.number(row.cell), row.candidate)
                    self._rows[key] = Row(*key)
            self.changes += 1

    def _rows_of(self, asked: Asked, known: Mapping[Key, Row]) -> dict[Key, Row]:
        """All rows in order: those that are known, those in the folder, and new ones."""
        return {
            (cell.name, name): known.get((cell.name, name))
            or self._row_in_folder(number, cell.name, name)
            for number, cell, name in asked.pairs()
        }

    def _row_in_folder(self, number: int, cell: str, name: str) -> Row:
        kept = self.folder.read_row(number, name)
        if kept is None:
            return Row(cell, name)
        try:
            row = replace(Row.from_json(kept), cell=cell, candidate=name)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            path = self.folder.row_path(number, name)
            raise FitError(
                f"{path} is damaged ({error!r}). Delete it, and that row begins anew."
            ) from error
        return replace(row, state=WAITING) if row.state == RUNNING else row

    # ------------------------------------------------------------ targets
    def target(self, cell: str) -> Target:
        """A cell's target: as it was read first, or read now.

        Raises
        ------
        FitError
            It can't be read, or there is no such cell.
        """
        number = self.asked.number(cell)
        with self._lock:
            if number in self._targets:
                return self._targets[number]
        found = self.folder.target_of(number)
        if found is None:
            found = self.asked.cells[number].target()
            self.folder.write_target(number, found)
        with self._lock:
            while len(self._targets) >= _HELD:
                self._targets.pop(next(iter(self._targets)))
            self._targets[number] = found
        return found

    # ------------------------------------------------------------ rows
    @property
    def rows(self) -> tuple[Row, ...]:
        """All as they are now, cell after cell."""
        with self._lock:
            stopped = self.asked.stopped and self.mark is None
            return tuple(
                replace(row, state=STOPPED) if stopped and row.state == WAITING else row
                for row in self._rows.values()
            )

    def first_waiting(self) -> Row | None:
        """The row whose turn it is."""
        with self._lock:
            return next((row for row in self._rows.values() if row.state == WAITING), None)

    def paths(self, row: Row) -> tuple[Path, Path]:
        """Where a row and the state of its fit are kept."""
        number = self.asked.number(row.cell)
        return (
            self.folder.row_path(number, row.candidate),
            self.folder.fit_path(number, row.candidate),
        )

    def put(self, row: Row) -> None:
        """A row as it is now, in memory; nothing, where its cell or candidate was taken away."""
        with self._lock:
            if row.key in self._rows:
                self._rows[row.key] = row
                self.changes += 1

    def end(self, outcome: Outcome) -> None:
        """A row after its turn, in the folder and in memory."""
        with self._lock:
            if outcome.row.key in self._rows:
                keep(*self.paths(outcome.row), outcome.row, outcome.state)
                self.put(outcome.row)

    def look(self, row: Row) -> None:
        """How far a row is that runs, from what is kept of it meanwhile, if anything is."""
        with self._lock:
            if row.key not in self._rows:
                return
            kept = self._row_in_folder(self.asked.number(row.cell), *row.key)
            if kept.part > self._rows[row.key].part:
                self.put(replace(kept, state=RUNNING))
