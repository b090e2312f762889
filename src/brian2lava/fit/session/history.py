"""Every edit of a session, to be undone and redone; kept in SQLite."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brian2lava.errors import FitError

#: Edits that can be undone; older ones are forgotten.
MOST_EDITS = 500
#: Whether Python (3.11 and later, with an SQLite that can) keeps a data base in memory, so that a
#: process that is killed meanwhile leaves no folder behind.
IN_MEMORY = hasattr(sqlite3.Connection, "serialize")
_TABLE = "CREATE TABLE edit (number INTEGER PRIMARY KEY, what TEXT, at REAL, document TEXT)"


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes
    ----------
    what : str
        In words, for example "tau_m of LIF".
    at : float
        Seconds since 1970.
    document : dict
        All that can be edited, as it was after the edit.
    """

    what: str
    at: float
    document: Mapping[str, Any]


class History:
    """Documents one after another, and which of them is the present one."""

    def __init__(self, first: Mapping[str, Any]) -> None:
        self.edits = [Edit("the beginning", time.time(), dict(first))]
        self.position = 0

    @property
    def present(self) -> Mapping[str, Any]:
        """The document as it is now."""
        return self.edits[self.position].document

    def add(self, what: str, document: Mapping[str, Any], merge: bool = False) -> None:
        """The next document; what was undone is gone.

        ``merge``: an edit of the same name right before is replaced, as while a slider moves.
        """
        edit = Edit(what, time.time(), dict(document))
        del self.edits[self.position + 1 :]
        if merge and self.position and self.edits[-1].what == what:
            self.edits[-1] = edit
        else:
            self.edits.append(edit)
        del self.edits[: max(0, len(self.edits) - MOST_EDITS)]
        self.position = len(self.edits) - 1

    @property
    def undoable(self) -> str:
        """What :meth:`undo` would take back; "" where there is nothing."""
        return self.edits[self.position].what if self.position else ""

    @property
    def redoable(self) -> str:
        """What :meth:`redo` would do again; "" where there is nothing."""
        more = self.position + 1 < len(self.edits)
        return self.edits[self.position + 1].what if more else ""

    def undo(self) -> str:
        """Go one document back; returns what was taken back, "" if nothing could be."""
        what = self.undoable
        self.position -= bool(what)
        return what

    def redo(self) -> str:
        """Go one document on; returns what was done again, "" if nothing could be."""
        what = self.redoable
        self.position += bool(what)
        return what

    # ------------------------------------------------------------ on disk
    def to_bytes(self) -> bytes:
        """An SQLite data base with the table ``edit``."""
        with _database() as (base, whole):
            base.execute(_TABLE)
            base.executemany(
                "INSERT INTO edit VALUES (?, ?, ?, ?)",
                [(k, e.what, e.at, json.dumps(e.document)) for k, e in enumerate(self.edits)],
            )
            base.commit()
            return whole()

    @classmethod
    def from_bytes(cls, data: bytes, position: int, what: str) -> History:
        """The inverse of :meth:`to_bytes`.

        Raises
        ------
        FitError
            It is damaged, or something else than such a data base.
        """
        try:
            with _database(data) as (base, _):
                # neither triggers nor views nor functions of a stranger's schema run
                base.execute("PRAGMA trusted_schema = OFF")
                base.execute("PRAGMA query_only = ON")
                found = base.execute("SELECT type, sql FROM sqlite_master").fetchall()
                if found != [("table", _TABLE)]:
                    raise FitError(f"{what}: its history is not one of a session's.")
                rows = base.execute(
                    "SELECT what, at, document FROM edit ORDER BY number LIMIT ?",
                    (MOST_EDITS + 1,),
                ).fetchall()
            edits = [Edit(str(name), float(at), _document(text)) for name, at, text in rows]
        except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
            if isinstance(error, FitError):
                raise
            raise FitError(f"{what}: its history is damaged ({error}).") from error
        if not 0 <= position < len(edits) <= MOST_EDITS:
            raise FitError(f"{what}: its history is damaged ({len(edits)} edits, {position}).")
        made = cls({})
        made.edits, made.position = edits, position
        return made


def _document(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("a document is missing")
    return found


@contextlib.contextmanager
def _database(data: bytes = b"") -> Iterator[tuple[sqlite3.Connection, Callable[[], bytes]]]:
    """A data base, begun from its bytes, and what returns them; gone afterwards."""
    with contextlib.ExitStack() as stack:
        if IN_MEMORY:
            base: Any = stack.enter_context(contextlib.closing(sqlite3.connect(":memory:")))
            if data:
                base.deserialize(data)
            yield base, base.serialize
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="brian2lava-"))
        path = Path(folder) / "history.sqlite"
        path.write_bytes(data)
        base = stack.enter_context(contextlib.closing(sqlite3.connect(path)))
        yield base, path.read_bytes
