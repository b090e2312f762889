"""One row fitted, wherever an executor runs it: in a thread, a process, on another machine."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from brian2lava.errors import BrianLavaError
from brian2lava.fit.many.folder import written
from brian2lava.fit.many.rows import DONE, FAILED, RUNNING, WAITING, Row
from brian2lava.fit.search import FitOptions, Fitting
from brian2lava.fit.target import Target

#: Seconds of searching between two looks at whether to go on, and between two keepings.
_SLICE, _KEEP = 0.25, 2.0


@dataclass(frozen=True)
class Job:
    """All that a row's fit needs; it can be pickled.

    Attributes
    ----------
    row : Row
    target : Target
    options : FitOptions
    state : dict or None
        Of :meth:`brian2lava.fit.Fitting.state`, to go on from.
    mark : path
        The fit goes on while this is there. Where the folder is not, on a machine without it, the
        fit goes on to its end.
    row_path, fit_path : path
        Where row and state are kept meanwhile.
    """

    row: Row
    target: Target
    options: FitOptions
    state: Mapping[str, Any] | None
    mark: Path
    row_path: Path
    fit_path: Path

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for it."""
        return self.mark.exists() or not self.mark.parent.exists()


@dataclass(frozen=True)
class Outcome:
    """A row after its turn, and the state of its fit; None where it failed at once."""

    row: Row
    state: Mapping[str, Any] | None


def work(job: Job) -> Outcome:
    """Fit a row to its end, or until it is not wanted any more. Whatever fails is its outcome."""
    try:
        return _worked(job)
    except BrianLavaError as error:
        return Outcome(failed(job.row, str(error)), None)
    except Exception as error:  # the other rows go on; the trace goes to whoever started them
        logging.getLogger("brian2lava.fit").exception("an error in brian2lava itself")
        return Outcome(failed(job.row, in_itself(error)), None)


def failed(row: Row, reason: str) -> Row:
    """A row that can't be fitted."""
    return replace(row, state=FAILED, reason=reason)


def in_itself(error: BaseException) -> str:
    """What is said of an error that nobody foresaw."""
    return f"an error in brian2lava itself; please report it. {type(error).__name__}: {error}"


def _worked(job: Job) -> Outcome:
    # rows are what runs side by side
    options = replace(job.options, workers=1)
    fitting = Fitting(job.target, [job.row.candidate], options)
    if job.state is not None:
        fitting.resume(job.state)
    kept = time.monotonic()
    while not fitting.done and job.wanted:
        fitting.advance(_SLICE)
        if time.monotonic() > kept + _KEEP and job.mark.exists():
            keep(job.row_path, job.fit_path, job.row.advanced(fitting, RUNNING), fitting.state())
            kept = time.monotonic()
    row = job.row.advanced(fitting, DONE if fitting.done else WAITING)
    if fitting.done and not row.found:
        return Outcome(failed(row, _NOTHING), fitting.state())
    return Outcome(row, fitting.state())


_NOTHING = (
    "no register set could be evaluated: all that were tried leave what the chip takes. Choose"
    " other bounds, or a weaker stimulus."
)


def keep(row_path: Path, fit_path: Path, row: Row, state: Mapping[str, Any] | None) -> None:
    """A row and the state of its fit on the disk; the state first, for the row says how far."""
    if state is not None:
        written(fit_path, json.dumps(state).encode())
    written(row_path, json.dumps(row.to_json()).encode())
