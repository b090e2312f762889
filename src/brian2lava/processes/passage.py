"""Messages from one process to another, one at a time, in memory that both map.

Lava's own channels wake a thread on either side for every message, which costs about as much as a
step of an empty process. Between processes of one graph, which share memory anyway, two semaphores
do the same.

::

    semaphore: a message is there | semaphore: there is room | the message
"""

from __future__ import annotations

import ctypes
import os
import time

import numpy as np

from brian2lava.processes.mailbox import Memory
from brian2lava.processes.semaphore import SEMAPHORE_BYTES, Semaphore

_WAIT_SECONDS = 1.0
#: How long a process looks for a message, and lets others run, before it sleeps: to be woken takes
#: longer than most of what it waits for.
_LOOK_SECONDS = 300e-6


def passage_bytes(nbytes: int) -> int:
    """Bytes of shared memory that a passage for messages of ``nbytes`` takes."""
    return 2 * SEMAPHORE_BYTES + nbytes


class Passage:
    """A passage over ``memory`` (:func:`passage_bytes` bytes or more), made before the fork."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._there = Semaphore(memory.address)
        self._room = Semaphore(memory.address + SEMAPHORE_BYTES)
        self._place = memory.address + 2 * SEMAPHORE_BYTES
        self._there.create()
        self._room.create()
        self._room.post()

    def send_number(self, number: int) -> None:
        """Send a number of 64 bits."""
        _wait(self._room)
        ctypes.c_int64.from_address(self._place).value = number
        self._there.post()

    def number(self) -> int:
        """Wait for a number."""
        _wait(self._there)
        number = ctypes.c_int64.from_address(self._place).value
        self._room.post()
        return number

    def send_events(self, events: np.ndarray) -> None:
        """Send an event space (int32): the events, as many as its last element says, and that."""
        count = int(events[-1])
        _wait(self._room)
        ctypes.c_int64.from_address(self._place).value = count
        ctypes.memmove(self._place + 8, events.ctypes.data, 4 * count)
        self._there.post()

    def events(self, into: np.ndarray) -> None:
        """Wait for events and write them into an event space of the same size."""
        _wait(self._there)
        count = ctypes.c_int64.from_address(self._place).value
        ctypes.memmove(into.ctypes.data, self._place + 8, 4 * count)
        into[-1] = count
        self._room.post()


def _wait(semaphore: Semaphore) -> None:
    until = time.perf_counter() + _LOOK_SECONDS
    while time.perf_counter() < until:
        if semaphore.try_wait():
            return
        os.sched_yield()
    host = os.getppid()
    while not semaphore.wait(_WAIT_SECONDS):
        if os.getppid() != host:
            os._exit(1)  # whoever started this process is gone
