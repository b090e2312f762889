"""Where an engine runs: in a Lava process, or right here.

An engine executes commands (small tuples) wherever a :class:`Host` puts it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Literal, Protocol


class Executor(Protocol):
    """Whatever executes commands; ``brian2lava.engine.worker.Worker`` in earnest."""

    def execute(self, command: tuple[object, ...]) -> object:
        """Do what ``command`` says, in at most a quarter of a second."""
        ...


class Host(Protocol):
    """Executes the commands of one Brian2 ``run()`` after the other."""

    @property
    def name(self) -> Literal["lava", "inline"]:
        """Where commands are executed, as ``set_device("lava", host=...)`` calls it."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it belongs to this process and still works."""
        ...

    def execute(self, command: tuple[object, ...]) -> object:
        """What the worker returns for ``command``.

        Raises
        ------
        Exception
            What the worker raised, with the worker's traceback as its cause where the worker is in
            another process.
        EngineDied
            The process that executes commands ended.
        KeyboardInterrupt
            After the command is through; its result is in ``last_result``.
        """
        ...

    @property
    def last_result(self) -> object:
        """Result of the last command that returned, also when an interrupt followed it."""
        ...

    def begin(self, steps: int) -> None:
        """A Brian2 ``run()`` of ``steps`` time steps starts."""
        ...

    def end(self) -> None:
        """That ``run()`` is over."""
        ...

    def close(self) -> None:
        """End everything that the host started. Can be repeated."""
        ...


class WorkerTraceback(Exception):
    """The traceback of an exception in the worker's process, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class InlineHost:
    """Executes commands in this process: for pool workers, debuggers, and where Lava isn't.

    Parameters
    ----------
    worker : Executor
    """

    name: Literal["inline"] = "inline"

    def __init__(self, worker: Executor) -> None:
        self._worker = worker
        self._pid = os.getpid()
        self.last_result: object = None

    @property
    def alive(self) -> bool:
        """False in processes that were forked later: engines have threads, which stay behind."""
        return self._pid == os.getpid()

    def execute(self, command: tuple[object, ...]) -> object:
        """What the worker returns for ``command``; an interrupt waits until it has returned."""
        with interrupts_deferred():
            self.last_result = self._worker.execute(command)
        return self.last_result

    def begin(self, steps: int) -> None:
        """Nothing to do."""

    def end(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Ctrl-C is delivered at the end of the block, to the handler that would have had it.

    Only the main thread gets signals in Python, so elsewhere there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # ignored, or fatal, or not Python's
        yield
        return
    pending: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: pending.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pending:
            handler(*pending[-1])


def _default_worker() -> Executor:
    from brian2lava.engine.worker import Worker

    worker: Executor = Worker()
    return worker


_inline: tuple[Callable[[], Executor], InlineHost] | None = None


def choose_host(
    requested: Literal["lava", "inline"],
    make_worker: Callable[[], Executor] = _default_worker,
) -> tuple[Host, str | None]:
    """The host for a run, and in one sentence why it isn't a requested Lava host.

    Hosts are kept: a call returns the host of the last one as long as that is alive. Whoever loaded
    something into a host must load it again when it is given another one. ``make_worker`` makes
    what executes commands, in the process that does; a Lava host keeps the one it started with.

    Raises
    ------
    EngineError
        Lava is there but can't be started (no room in shared memory, no more processes allowed).
    """
    reason = why_not_lava() if requested == "lava" else None
    if requested == "lava" and reason is None:
        from brian2lava.processes.lava_host import shared_host

        return shared_host(make_worker), None
    return _inline_host(make_worker), reason


def _inline_host(make_worker: Callable[[], Executor]) -> InlineHost:
    global _inline
    if _inline is None or _inline[0] is not make_worker or not _inline[1].alive:
        _inline = make_worker, InlineHost(make_worker())
    return _inline[1]


def why_not_lava() -> str | None:
    """Why this process can't have a Lava host, in one sentence; None if it can."""
    if sys.platform != "linux":
        return f"Lava processes need Linux to share memory; this is {sys.platform}."
    if multiprocessing.current_process().daemon:
        return "This is a daemonic process, such as a worker of a pool, and can't start others."
    try:
        from brian2lava.processes.shim import import_lava

        import_lava()
    except ImportError as error:
        return f"Lava can't be imported ({type(error).__name__}: {error})."
    return None
