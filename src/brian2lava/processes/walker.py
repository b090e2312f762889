"""What a process of Brian2 objects does in a step: its passes, and messages in between."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brian2lava.engine.cpu.instance import DONE, FULL, PYTHON, STOP
from brian2lava.engine.worker import Worker
from brian2lava.errors import EngineError
from brian2lava.processes.conversation import serve
from brian2lava.processes.mailbox import MAILBOX_BYTES, Mailbox, Memory
from brian2lava.processes.passage import Passage
from brian2lava.processes.semaphore import SEMAPHORE_BYTES, Semaphore
from brian2lava.processes.ways import Hear, Pass, ReceiveEvents, SendEvents, Tell, Way

#: What a process asks of the host in the middle of a step.
ASK_PYTHON, ASK_ROOM, FAILED = range(3)

#: Bytes of shared memory that a :class:`Line` takes.
LINE_BYTES = 2 * MAILBOX_BYTES

_WAIT_SECONDS = 1.0


class _Piece:
    def __init__(self, address: int, nbytes: int) -> None:
        self.address, self.nbytes = address, nbytes


class Line:
    """The two mailboxes between the host and one process, and the bell that all processes ring.

    Parameters
    ----------
    memory : Memory
        :data:`LINE_BYTES` bytes of shared memory.
    bell : Semaphore
    """

    def __init__(self, memory: Memory, bell: Semaphore) -> None:
        self._memory = memory
        #: The host asks, the process answers.
        self.commands = Mailbox(_Piece(memory.address, MAILBOX_BYTES))
        #: The process asks, the host answers.
        self.questions = Mailbox(_Piece(memory.address + MAILBOX_BYTES, MAILBOX_BYTES))
        self._bell = bell

    def ask(self, kind: int, what: object) -> None:
        """Ask the host for something and wait until it is done."""
        self.questions.ask(kind, pickle.dumps(what)[: 1 << 16])
        self._bell.post()
        while not self.questions.has_reply(_WAIT_SECONDS):
            pass


def make_bell(memory: Memory) -> Semaphore:
    """A bell in ``memory`` (:data:`SEMAPHORE_BYTES` bytes)."""
    assert memory.nbytes >= SEMAPHORE_BYTES
    bell = Semaphore(memory.address)
    bell.create()
    return bell


@dataclass
class _Events:
    """The events of a group: where the group has them, and the copy of this process, if any."""

    place: np.ndarray
    copy: np.ndarray | None


class Walker(Worker):
    """Walks through the steps of a run as its ``way`` says.

    Commands come through ``line`` and are executed by a thread, so at any time; the host sends them
    while this process does not walk. ``passages`` has those of each port, by its name.
    """

    def __init__(self, way: Way, line: Line, passages: Mapping[str, Sequence[Passage]]) -> None:
        super().__init__()
        self._way = way
        self._line = line
        self._passages = passages
        self._events: dict[str, _Events] = {}
        self._run: list[Callable[[], None]] = []
        self._passed = 0
        self._open: Callable[[], int] = _nothing_loaded
        self._close: Callable[[], int] = _nothing_loaded

    def serve(self) -> None:
        """Execute the host's commands, for ever."""
        host = os.getppid()
        serve(self._line.commands, self, go_on=lambda: os.getppid() == host)

    def do_attach(
        self, library: str, context: int, events: Mapping[str, tuple[int, int, int]]
    ) -> None:
        """Walk through this program from now on.

        ``events`` has by array the address of the group's events, that of the copy here (or 0),
        and the number of elements (int32).
        """
        compiled = self._library(library)
        address = ctypes.c_int64(context)

        def function(name: str, *arguments: ctypes.c_int64) -> Callable[[], int]:
            called = getattr(compiled, name)
            called.restype = ctypes.c_int64
            return lambda: called(address, *arguments)

        self._open = function("b2l_open")
        self._close = function("b2l_close")
        self._events = {
            array: _Events(_view(place, size), _view(copy, size) if copy else None)
            for array, (place, copy, size) in events.items()
        }
        make = {
            Pass: lambda step: self._make_pass(function("b2l_pass", ctypes.c_int64(step.number))),
            SendEvents: self._make_send,
            ReceiveEvents: self._make_receive,
            Tell: self._make_tell,
            Hear: self._make_hear,
        }
        self._run = [make[type(step)](step) for step in self._way.steps]
        self._passed = 0

    def step(self) -> None:
        """One pass of the network's loop, unless the run is over."""
        if self._open() in (DONE, STOP):
            return
        self._passed += 1
        for do in self._run:
            do()
        self._close()

    def fail(self) -> None:
        """Tell the host what went wrong here, and wait for the end that it prepares."""
        text = traceback.format_exc()
        self._line.ask(FAILED, (self._way.name, text[-8000:]))
        signal.pause()

    # ------------------------------------------------------------ steps
    def _make_pass(self, call: Callable[[], int]) -> Callable[[], None]:
        def run() -> None:
            while (reason := call()) == FULL:
                self._line.ask(ASK_ROOM, None)
            if reason == PYTHON:
                self._line.ask(ASK_PYTHON, None)

        return run

    def _make_send(self, step: SendEvents) -> Callable[[], None]:
        events, passages = self._events[step.array].place, self._passages[step.port]

        def send() -> None:
            for passage in passages:
                passage.send_events(events)

        return send

    def _make_receive(self, step: ReceiveEvents) -> Callable[[], None]:
        copy = self._events[step.array].copy
        assert copy is not None
        (passage,) = self._passages[step.port]
        return lambda: passage.events(copy)

    def _make_tell(self, step: Tell) -> Callable[[], None]:
        passages = self._passages[step.port]

        def tell() -> None:
            for passage in passages:
                passage.send_number(self._passed)

        return tell

    def _make_hear(self, step: Hear) -> Callable[[], None]:
        (passage,) = self._passages[step.port]

        def hear() -> None:
            heard = passage.number()
            if heard != self._passed:
                raise EngineError(
                    f"'{self._way.name}' is in pass {self._passed} and heard of pass {heard} at its"
                    f" port '{step.port}'; two processes of a graph have lost each other."
                )

        return hear


def _view(address: int, size: int) -> np.ndarray:
    return np.ctypeslib.as_array((ctypes.c_int32 * size).from_address(address))


def _nothing_loaded() -> int:
    return DONE
