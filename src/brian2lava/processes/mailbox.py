"""One request at a time, and its reply, between two processes that share memory.

::

    header: 64 bytes | request semaphore | reply semaphore | request text | reply text

A side writes its text, then its number, then posts its semaphore. Semaphores only wake: what counts
is the number, so a post too many does no harm. Texts that are too long lie in a block of their own,
which the asking side provides.
"""

from __future__ import annotations

import ctypes
import time
from typing import Protocol

from brian2lava.processes.semaphore import SEMAPHORE_BYTES, Semaphore

#: Longest text that lies in the mailbox itself (bytes).
ROOM = 1 << 16
#: Before a side sleeps it looks for an answer for so long: waking a sleeper costs about as much.
_SPIN_SECONDS = 20e-6

_HEADER_BYTES = 64
MAILBOX_BYTES = _HEADER_BYTES + 2 * SEMAPHORE_BYTES + 2 * ROOM


class Memory(Protocol):
    """A piece of shared memory, mapped at the same address on both sides."""

    address: int
    nbytes: int


class _Header(ctypes.Structure):
    _fields_ = [
        ("request_number", ctypes.c_uint64),
        ("request_kind", ctypes.c_uint64),
        ("request_bytes", ctypes.c_uint64),
        ("request_address", ctypes.c_uint64),
        ("reply_number", ctypes.c_uint64),
        ("reply_kind", ctypes.c_uint64),
        ("reply_bytes", ctypes.c_uint64),
    ]


class Mailbox:
    """The mailbox over ``memory`` (:data:`MAILBOX_BYTES` bytes or more); made before the fork."""

    def __init__(self, memory: Memory) -> None:
        if memory.nbytes < MAILBOX_BYTES:
            raise ValueError(f"a mailbox takes {MAILBOX_BYTES} bytes, not {memory.nbytes}")
        self._memory = memory
        self._header = _Header.from_address(memory.address)
        semaphores = memory.address + _HEADER_BYTES
        self._request = Semaphore(semaphores)
        self._reply = Semaphore(semaphores + SEMAPHORE_BYTES)
        self._request_room = semaphores + 2 * SEMAPHORE_BYTES
        self._reply_room = self._request_room + ROOM
        self._header.request_number = self._header.reply_number = 0
        self._request.create()
        self._reply.create()
        self._served = 0  # the server's own: a forked server counts on from here

    def ask(self, kind: int, text: bytes = b"", room: Memory | None = None) -> None:
        """Send a request. ``room`` holds texts longer than :data:`ROOM` until the reply is here."""
        address = self._request_room if room is None else room.address
        ctypes.memmove(address, text, len(text))
        self.point(kind, address, len(text))

    def point(self, kind: int, address: int, nbytes: int) -> None:
        """Send a request whose text is, or shall be, at ``address``."""
        header = self._header
        header.request_kind = kind
        header.request_address = address
        header.request_bytes = nbytes
        header.request_number += 1
        self._request.post()

    def has_reply(self, seconds: float) -> bool:
        """Wait for the reply to the last request; False when ``seconds`` have passed."""
        header = self._header
        _take(self._reply, seconds)
        return bool(header.reply_number == header.request_number)

    def reply(self) -> tuple[int, bytes]:
        """Kind and text of the reply."""
        header = self._header
        return header.reply_kind, ctypes.string_at(self._reply_room, header.reply_bytes)

    def has_request(self, seconds: float) -> bool:
        """Wait for a request that was not served yet; False when ``seconds`` have passed."""
        _take(self._request, seconds)
        return bool(self._header.request_number != self._served)

    def waiting(self) -> bool:
        """Whether a request waits to be served; returns at once."""
        self._request.try_wait()
        return bool(self._header.request_number != self._served)

    def request(self) -> tuple[int, int, int]:
        """Kind of the request, address and number of bytes of its text."""
        header = self._header
        return header.request_kind, header.request_address, header.request_bytes

    def answer(self, kind: int, text: bytes = b"") -> None:
        """Send the reply, of at most :data:`ROOM` bytes; the request is served."""
        header = self._header
        ctypes.memmove(self._reply_room, text, len(text))
        header.reply_kind = kind
        header.reply_bytes = len(text)
        self._served = header.request_number
        header.reply_number = self._served
        self._reply.post()


def _take(semaphore: Semaphore, seconds: float) -> None:
    """Take one from ``semaphore``: look often for a moment, then sleep."""
    until = time.perf_counter() + _SPIN_SECONDS
    while time.perf_counter() < until:
        if semaphore.try_wait():
            return
    semaphore.wait(seconds)
