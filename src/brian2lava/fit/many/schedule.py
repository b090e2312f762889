"""A run of the queue: rows handed to an executor as long as they are wanted, and taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import replace
from pathlib import Path

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.many.kept import Kept
from brian2lava.fit.many.rows import RUNNING, WAITING, Row
from brian2lava.fit.many.work import Job, Outcome, failed, in_itself, work

#: Seconds between two looks at how far the rows are that run.
_LOOK = 0.5


class Schedule:
    """Works through the rows that wait.

    Parameters
    ----------
    kept : Kept
    mark : path
        Rows are begun, and go on, while this file is there.
    pool : Executor
    looked : function
        Called every half second, and whenever a row is done.
    """

    def __init__(self, kept: Kept, mark: Path, pool: Executor, looked: Callable[[], None]) -> None:
        self._kept = kept
        self._mark = mark
        self._pool = pool
        self._looked = looked
        self._flying: dict[Future[Outcome], Row] = {}

    def run(self) -> None:
        """To the end, or until the mark is gone; whatever happens, no row is lost.

        Raises
        ------
        FitError
            The executor's workers died.
        """
        try:
            self._fill()
            while self._flying:
                if not self._wanted:
                    self._take_back()
                done, _ = wait(self._flying, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for future in done:
                    self._take(future, self._flying.pop(future))
                for row in self._flying.values():
                    self._kept.look(row)
                self._looked()
                self._fill()
        finally:
            self._mark.unlink(missing_ok=True)
            for future, row in self._flying.items():
                future.cancel()
                with contextlib.suppress(FitError):  # one of the kind is under way already
                    self._take(future, row)

    def _take_back(self) -> None:
        """Rows that the executor has not begun."""
        for future in [each for each in self._flying if each.cancel()]:
            self._take(future, self._flying.pop(future))

    @property
    def _wanted(self) -> bool:
        return self._mark.exists() and not self._kept.asked.stopped

    def _fill(self) -> None:
        """As many rows side by side as the options say."""
        while self._wanted and len(self._flying) < self._kept.asked.options.workers:
            row = self._kept.first_waiting()
            if row is None:
                return
            job = self._job(row)
            if job is not None:
                self._flying[self._pool.submit(work, job)] = job.row

    def _job(self, row: Row) -> Job | None:
        """What a row's fit needs; a row whose cell can't be read fails, with all of that cell."""
        try:
            target = self._kept.target(row.cell)
            number = self._kept.asked.number(row.cell)
            state = self._kept.folder.read_fit(number, row.candidate)
        except BrianLavaError as error:
            self._fail_cell(row, str(error))
            return None
        except Exception as error:  # one cell must not stop the others
            self._fail_cell(row, in_itself(error))
            return None
        begun = replace(row, state=RUNNING)
        self._kept.put(begun)
        options = self._kept.asked.options
        return Job(begun, target, options, state, self._mark, *self._kept.paths(row))

    def _fail_cell(self, row: Row, reason: str) -> None:
        for each in self._kept.rows:
            if each.cell == row.cell and each.state == WAITING:
                self._kept.end(Outcome(failed(each, reason), None))

    def _take(self, future: Future[Outcome], row: Row) -> None:
        """What became of a row."""
        try:
            outcome = future.result()
        except CancelledError:
            self._kept.put(replace(row, state=WAITING))
            return
        except BrokenExecutor as error:
            self._kept.put(replace(row, state=WAITING))
            raise FitError(
                f"the executor's workers died ({error}). What they had not finished waits; run()"
                " with a new executor goes on."
            ) from error
        except Exception as error:  # on the way there or back: what can't be pickled, sent, ...
            outcome = Outcome(failed(row, in_itself(error)), None)
        self._kept.end(outcome)
