"""Runs a graph of Lava processes, one a Brian2 object, and talks to each of them."""

from __future__ import annotations

import ctypes
import multiprocessing.util
import os
import pickle
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from brian2lava.engine.host import interrupts_deferred
from brian2lava.engine.memory import Block, arena
from brian2lava.errors import EngineDied, EngineError
from brian2lava.processes.conversation import Caller
from brian2lava.processes.forking import ForkingThread
from brian2lava.processes.lava_host import (
    OnlyModel,
    cause_of_death,
    forgotten_by_lava,
    start_errors,
)
from brian2lava.processes.mailbox import Mailbox
from brian2lava.processes.passage import Passage, passage_bytes
from brian2lava.processes.semaphore import SEMAPHORE_BYTES
from brian2lava.processes.shim import install
from brian2lava.processes.walker import (
    ASK_PYTHON,
    ASK_ROOM,
    FAILED,
    LINE_BYTES,
    Line,
    make_bell,
)
from brian2lava.processes.ways import Graph

install()

from lava.magma.core.run_conditions import RunSteps  # noqa: E402

from brian2lava.processes.brian_objects import BrianObjects, brian_objects  # noqa: E402
from brian2lava.processes.runtime import CHECK_SECONDS, WatchfulRuntime  # noqa: E402

#: How long the bell is listened to before Lava is asked whether the run is over (seconds).
_LISTEN_SECONDS = 1e-3

_starting = threading.Lock()

_QUESTIONS: dict[int, Literal["python", "room"]] = {ASK_PYTHON: "python", ASK_ROOM: "room"}


@dataclass(frozen=True)
class Question:
    """A process waits in the middle of a step: for Python, or for room in a recorder's arrays."""

    part: int
    kind: Literal["python", "room"]


class ObjectsHost:
    """One Lava runtime with a process a part of a Brian2 network.

    Parameters
    ----------
    graph : Graph
        The processes and their connections.

    Raises
    ------
    EngineError
        Lava's processes can't be started.
    """

    name: Literal["lava"] = "lava"

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.last_result: object = None
        self._pid = os.getpid()
        self._usable = False
        self._names: list[str] = []
        self._bell_memory = arena().allocate(SEMAPHORE_BYTES)
        self._bell = make_bell(self._bell_memory)
        self._memory: list[Block] = [arena().allocate(LINE_BYTES) for _ in graph.ways]
        self._lines = [Line(memory, self._bell) for memory in self._memory]
        self._passages = self._make_passages()
        self._callers = [Caller(line.commands, self._await_reply) for line in self._lines]
        self._thread = ForkingThread()
        try:
            with _starting, interrupts_deferred(), start_errors():
                self._processes, self._runtime = self._thread.run(self._start)
                self._at_exit = multiprocessing.util.Finalize(None, self.close, exitpriority=100)
                self._usable = True
        except BaseException:
            self.close()
            raise

    def _make_passages(self) -> list[dict[str, list[Passage]]]:
        """For each process the passages of its ports: one a connection."""
        sizes = [{port.name: port.nbytes for port in way.outputs} for way in self.graph.ways]
        found: list[dict[str, list[Passage]]] = [{} for _ in self.graph.ways]
        for each in self.graph.connections:
            memory = arena().allocate(passage_bytes(sizes[each.sender][each.output]))
            self._memory.append(memory)
            passage = Passage(memory)
            found[each.sender].setdefault(each.output, []).append(passage)
            found[each.receiver].setdefault(each.input, []).append(passage)
        return found

    def _start(self) -> tuple[list[BrianObjects], WatchfulRuntime]:
        with forgotten_by_lava():
            processes = [
                brian_objects(way, line, passages)
                for way, line, passages in zip(
                    self.graph.ways, self._lines, self._passages, strict=True
                )
            ]
            for each in self.graph.connections:
                sender = getattr(processes[each.sender], each.output)
                sender.connect(getattr(processes[each.receiver], each.input))
            executable = processes[0].compile(OnlyModel())
        self._names = [process.name for process in executable.proc_builders]
        runtime = WatchfulRuntime(executable, died=self._obituary)
        executable.assign_runtime_to_all_processes(runtime)
        try:
            runtime.initialize()
        except BaseException:
            runtime.stop()
            raise
        return processes, runtime

    @property
    def alive(self) -> bool:
        """Whether the graph was started by this process, isn't closed, and its processes run."""
        if not self._usable or self._pid != os.getpid():
            return False
        try:
            self._runtime.check()
        except EngineDied:
            self.close()
            return False
        return True

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name; the last is Lava's runtime service."""
        names = [*self._names, "runtime service"]
        return {n: p.pid for n, p in zip(names, self._runtime.processes, strict=True)}

    def execute_in(self, part: int, command: tuple[object, ...]) -> object:
        """What the process of ``part`` returns for ``command``; it must not be walking."""
        self._require_usable()
        with interrupts_deferred():
            return self._guarded(lambda: self._callers[part].call(command))

    def run(self, steps: int) -> None:
        """Lava runs ``steps`` steps from now on; see :meth:`wait`."""
        self._require_usable()
        self._guarded(lambda: self._processes[0].run(RunSteps(steps, blocking=False)))

    def wait(self) -> Question | None:
        """The next question of a process, or None where the steps are through.

        Raises
        ------
        EngineError
            A process failed; the message names it and has its traceback. All are ended.
        EngineDied
            A process was killed.
        """
        return self._guarded(self._wait)

    def answer(self, question: Question) -> None:
        """What was asked for is done; the process goes on."""
        self._lines[question.part].questions.answer(0)

    def begin(self, steps: int) -> None:
        """Nothing to do: Lava's runs begin with :meth:`run`."""

    def end(self) -> None:
        """Nothing to do."""

    def execute(self, command: tuple[object, ...]) -> object:
        """As :meth:`execute_in`, in the first process."""
        return self.execute_in(0, command)

    def close(self) -> None:
        """End all processes. Can be repeated; does nothing in a forked copy of the program."""
        if self._pid != os.getpid() or not self._usable:
            return
        self._usable = False
        with interrupts_deferred():
            self._at_exit.cancel()
            self._runtime.stop()
            self._thread.release()

    # ------------------------------------------------------------ waiting
    def _wait(self) -> Question | None:
        checked = time.monotonic()
        while True:
            if self._bell.wait(_LISTEN_SECONDS):
                question = self._question()
                if question is not None:
                    return question
            if self._runtime.has_news:
                self._runtime.finish_run()
                return None
            if time.monotonic() - checked > CHECK_SECONDS:
                self._runtime.check()
                checked = time.monotonic()

    def _question(self) -> Question | None:
        for part, line in enumerate(self._lines):
            if line.questions.waiting():
                kind, text = _read(line.questions)
                if kind == FAILED:
                    raise _failure(*pickle.loads(text))
                # An unanswered question stays one; the others' bells must not be lost with it.
                if self._more(part):
                    self._bell.post()
                return Question(part, _QUESTIONS[kind])
        return None

    def _more(self, part: int) -> bool:
        return any(
            line.questions.waiting() for other, line in enumerate(self._lines) if other != part
        )

    def _await_reply(self, mailbox: Mailbox) -> None:
        while not mailbox.has_reply(CHECK_SECONDS):
            self._runtime.check()

    def _guarded(self, talk: Callable[[], Any]) -> Any:
        """A failure ends all processes."""
        try:
            return talk()
        except (EngineDied, _ProcessFailed):
            self.close()
            raise

    def _require_usable(self) -> None:
        if not self._usable or self._pid != os.getpid():
            raise EngineDied(
                "the Lava processes of this network are gone: they were closed, or belong to the"
                " program that this one was forked from. A new run starts others."
            )

    def _obituary(self, process: Any, role: str) -> EngineDied:
        processes: Sequence[Any] = self._runtime.processes
        place = processes.index(process)
        name = f"'{self._names[place]}'" if place < len(self._names) else role
        return EngineDied(
            f"Lava's process {name} (process {process.pid}) {cause_of_death(process.exitcode)}."
            " The other processes of the network were ended; the arrays hold what was computed"
            " until then. The next run starts new processes."
        )


class _ProcessFailed(EngineError):
    """An exception in a process of the graph."""


def _failure(name: str, text: str) -> _ProcessFailed:
    return _ProcessFailed(
        f"the Lava process '{name}' failed; all processes of the network were ended. Its"
        f" traceback:\n{text}"
    )


def _read(mailbox: Mailbox) -> tuple[int, bytes]:
    kind, address, nbytes = mailbox.request()
    return kind, ctypes.string_at(address, nbytes)
