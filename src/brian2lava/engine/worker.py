"""Runs an engine's commands in whatever process hosts it.

Commands are small tuples of plain values, addresses among them: the arena is mapped at the same
place in the process that asks and in the one that works.
"""

from __future__ import annotations

import ctypes
from typing import Any

_PENDING_BYTES = 16  # sizeof(Pending): int64 due, int32 synapse, padding


class Worker:
    """Executes ``(verb, *arguments)``."""

    def __init__(self) -> None:
        self._libraries: dict[str, ctypes.CDLL] = {}
        self._cards: Any = None

    def execute(self, command: tuple[Any, ...]) -> Any:
        """Run one command and return its reply."""
        verb, *arguments = command
        return getattr(self, f"do_{verb}")(*arguments)

    def do_call(self, library: str, function: str, *arguments: int) -> int:
        """Call a function of a compiled program with integer arguments."""
        compiled = getattr(self._library(library), function)
        compiled.restype = ctypes.c_int64
        return int(compiled(*(ctypes.c_int64(argument) for argument in arguments)))

    def do_pending(self, library: str, context: int, which: int, place: int) -> bytes:
        """The spikes in flight of one queue, as records of (int64 steps, int64 synapse).

        ``place`` is the address of the context's ``exported`` field.
        """
        count = self.do_call(library, "b2l_pending", context, which)
        address = ctypes.c_int64.from_address(place).value
        records = ctypes.string_at(address, count * _PENDING_BYTES)
        self.do_call(library, "b2l_forget", context)
        return records

    def do_set_pending(self, library: str, context: int, which: int, records: bytes) -> int:
        """Put spikes in flight into one queue; the inverse of :meth:`do_pending`."""
        buffer = ctypes.create_string_buffer(records, max(1, len(records)))
        count = len(records) // _PENDING_BYTES
        return self.do_call(
            library, "b2l_set_pending", context, which, ctypes.addressof(buffer), count
        )

    def do_card(self, *command: Any) -> Any:
        """A command for a program on a graphics card; the first one imports what that needs."""
        if self._cards is None:
            from brian2lava.engine.cuda.worker import CardWorker

            self._cards = CardWorker()
        return self._cards.execute(*command)

    def do_nothing(self) -> None:
        """Answer, to show that the worker is there."""

    def _library(self, path: str) -> ctypes.CDLL:
        if path not in self._libraries:
            self._libraries[path] = ctypes.CDLL(path)
        return self._libraries[path]
