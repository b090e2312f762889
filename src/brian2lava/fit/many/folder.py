"""The folder in which many fits are kept: what was asked, targets, rows, and how far each came.

::

    many.json             cells, candidates, options
    cells/3.target        a cell's target, once it was read
    rows/3_LIF.json       where a row stands, and what was found
    fits/3_LIF.json       the state of its fit, with which it goes on
    running_...           there while somebody works here; who works stops when it is gone
    lock                  held by whoever works here

Every file is replaced as a whole or not at all, so that a killed process leaves a folder that can
be gone on with.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.session.archive import Member, packed, packed_arrays, unpacked, unpacked_arrays
from brian2lava.fit.session.targets import target_from, target_state
from brian2lava.fit.target import Target

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

#: Of the folder. A newer one is refused, and left as it is.
MANY_VERSION = 1
_FORMAT = "brian2lava many fits"
_DOCUMENT = "many.json"
_TARGET = (Member("target.json", 64 << 20), Member("arrays.npz", 2 << 30))
_RUNNING = "running_"
#: What reading something damaged may raise.
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


class Folder:
    """Reads and writes what is in the folder.

    Parameters
    ----------
    path : path
        Made where it does not exist.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self._depth = 0
        self._lock: Any = None
        self._guard = threading.RLock()

    # ------------------------------------------------------------ what was asked
    @property
    def taken(self) -> bool:
        """Whether many fits are kept here already."""
        return (self.path / _DOCUMENT).exists()

    def make(self) -> None:
        """Make the folder.

        Raises
        ------
        FitError
            It can't be made.
        """
        try:
            for name in ("cells", "rows", "fits"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FitError(f"{self.path} can't be made: {error.strerror}.") from error

    def write_document(self, document: Mapping[str, Any]) -> None:
        """Keep what was asked."""
        whole = {"format": _FORMAT, "version": MANY_VERSION, **document}
        written(self.path / _DOCUMENT, json.dumps(whole, indent=1).encode())

    def read_document(self) -> dict[str, Any]:
        """What was asked.

        Raises
        ------
        FitError
            There is nothing, it is damaged, or of a newer version.
        """
        path = self.path / _DOCUMENT
        if not path.exists():
            raise FitError(f"{self.path} keeps no fits of many cells; begin some there first.")
        found = _json(path, "Take another folder")
        if found.get("format") != _FORMAT:
            raise FitError(f"{path} is a file of another kind. Take another folder.")
        if not isinstance(found.get("version"), int) or found["version"] > MANY_VERSION:
            raise FitError(
                f"{path} was written by a newer version of brian2lava (its version is"
                f" {found.get('version')}, known is {MANY_VERSION}). Update brian2lava."
            )
        return found

    # ------------------------------------------------------------ targets
    def target_of(self, number: int) -> Target | None:
        """A cell's target, or None where it was not read yet."""
        path = self._target_path(number)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FitError(f"{path} can't be read: {error.strerror}.") from error
        try:
            members = unpacked(data, _TARGET, str(path))
            state = json.loads(members["target.json"])
            return target_from(state, unpacked_arrays(members["arrays.npz"], str(path)), "target")
        except _DAMAGE as error:
            raise FitError(f"{path} is damaged ({error!r}); {_again(path)}.") from error

    def write_target(self, number: int, target: Target) -> None:
        """Keep a cell's target."""
        state, arrays = target_state(target, "target")
        members = {"target.json": json.dumps(state).encode(), "arrays.npz": packed_arrays(arrays)}
        written(self._target_path(number), packed(members))

    def _target_path(self, number: int) -> Path:
        return self.path / "cells" / f"{number}.target"

    # ------------------------------------------------------------ rows
    def row_path(self, number: int, candidate: str) -> Path:
        """Where a row is kept."""
        return self.path / "rows" / f"{number}_{candidate}.json"

    def fit_path(self, number: int, candidate: str) -> Path:
        """Where the state of a row's fit is kept."""
        return self.path / "fits" / f"{number}_{candidate}.json"

    def read_row(self, number: int, candidate: str) -> dict[str, Any] | None:
        """A row as it was kept, or None."""
        path = self.row_path(number, candidate)
        return _json(path, _again(path)) if path.exists() else None

    def read_fit(self, number: int, candidate: str) -> dict[str, Any] | None:
        """The state of a row's fit, or None."""
        path = self.fit_path(number, candidate)
        return _json(path, _again(path)) if path.exists() else None

    @property
    def fitted(self) -> bool:
        """Whether anything was found for any row, also of candidates that were taken away."""
        return any((self.path / "fits").glob("*.json"))

    def forget(self, number: int, candidate: str | None = None, target: bool = False) -> None:
        """What was found for a row, or for all rows of a cell; its target, too, if so asked."""
        names = f"{number}_*.json" if candidate is None else f"{number}_{candidate}.json"
        for kind in ("rows", "fits"):
            for path in (self.path / kind).glob(names):
                path.unlink(missing_ok=True)
        if target:
            self._target_path(number).unlink(missing_ok=True)

    def remove(self) -> None:
        """The whole folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    # ------------------------------------------------------------ who works here
    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Nobody else changes anything; whether others may have done so since the last time.

        Raises
        ------
        FitError
            Somebody else works here.
        """
        with self._guard:
            first = self._depth == 0
            if first:
                self._lock = self._locked()
            self._depth += 1
        try:
            yield first
        finally:
            with self._guard:
                self._depth -= 1
                if not self._depth and self._lock is not None:
                    self._lock.close()
                    self._lock = None

    def _locked(self) -> Any:
        self.make()
        try:
            # closed by `alone`, and by the system where the process is killed
            file = open(self.path / "lock", "ab")  # noqa: SIM115
        except OSError as error:
            raise FitError(f"{self.path} can't be written: {error.strerror}.") from error
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.close()
                raise FitError(
                    f"another process works on the fits in {self.path}. Stop it, or wait until it"
                    " is done."
                ) from error
        return file

    def begin(self) -> Path:
        """A mark under which work is done; whoever worked under another one stops."""
        for path in self.path.glob(f"{_RUNNING}*"):
            path.unlink(missing_ok=True)
        mark = self.path / f"{_RUNNING}{secrets.token_hex(8)}"
        written(mark, b"")
        return mark


def written(path: Path, data: bytes) -> None:
    """A file as a whole or not at all.

    Raises
    ------
    FitError
        It can't be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        with open(scratch, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink(missing_ok=True)
        raise FitError(f"{path} can't be written: {error.strerror}.") from error


def _again(path: Path) -> str:
    return f"delete {path.name} there, and that part begins anew"


def _json(path: Path, remedy: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("no dictionary")
        return found
    except OSError as error:
        raise FitError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise FitError(f"{path} is damaged ({error}). {remedy[0].upper()}{remedy[1:]}.") from error
