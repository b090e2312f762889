"""A file that is replaced as a whole, with the one before it kept beside it.

At any moment, also in the middle of a loss of power, the file at the path is a whole one: a new one
is written under another name, brought to the disk, and then takes the place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from brian2lava.errors import FitError
from brian2lava.fit.session.archive import MOST_FILE

#: What tells one state of a file from another: inode, size, time of its last change.
_Mark = tuple[int, int, int]


class Place:
    """Where a session is kept.

    Parameters
    ----------
    path : path
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._mark: _Mark | None = None

    @property
    def before(self) -> Path:
        """The file before the last one."""
        return self.path.with_name(self.path.name + ".before")

    def read(self) -> bytes:
        """What the file holds; from now on it may be replaced.

        Raises
        ------
        FitError
            There is none, or it is too large.
        """
        try:
            with open(self.path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size > MOST_FILE:
                    raise FitError(f"{self.path} has {size} bytes; {MOST_FILE} are the most.")
                data = file.read()
                self._mark = _mark(os.fstat(file.fileno()))
        except OSError as error:
            raise FitError(f"{self.path} can't be read: {error.strerror}.") from error
        return data

    def write(self, data: bytes) -> None:
        """Replace the file.

        Raises
        ------
        FitError
            There is a file that was neither read nor written here, or no room.
        """
        present = self._present()
        if present is not None and present != self._mark:
            raise FitError(
                f"{self.path} is not the file that this session was read from or saved to;"
                " something else made or changed it. Save under another name, so that nothing is"
                " lost."
            )
        scratch = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(scratch, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if present is not None:
                self._keep_before()
            os.replace(scratch, self.path)
            self._mark = self._present()
            _to_disk(self.path.parent)
        except OSError as error:
            raise FitError(
                f"{self.path} can't be written: {error.strerror}. What was saved before is as it"
                " was."
            ) from error
        finally:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)

    def _present(self) -> _Mark | None:
        try:
            return _mark(self.path.stat())
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None  # where nothing can be, writing says why

    def _keep_before(self) -> None:
        """The present file gets a second name, so that it is never without its first."""
        link = self.path.with_name(f".{self.path.name}.{os.getpid()}.before")
        link.unlink(missing_ok=True)
        try:
            os.link(self.path, link)
        except OSError:  # a file system without links
            shutil.copy2(self.path, link)
        os.replace(link, self.before)


def _mark(found: os.stat_result) -> _Mark:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _to_disk(folder: Path) -> None:
    """The names in a folder are on the disk, too; not every system can be asked."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
