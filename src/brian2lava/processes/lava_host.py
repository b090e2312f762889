"""Runs engines in a Lava process."""

from __future__ import annotations

import errno
import logging
import multiprocessing.util
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from brian2lava.engine.host import Executor, interrupts_deferred
from brian2lava.engine.memory import arena
from brian2lava.errors import EngineDied, EngineError
from brian2lava.processes.conversation import Caller
from brian2lava.processes.forking import ForkingThread
from brian2lava.processes.mailbox import MAILBOX_BYTES, Mailbox
from brian2lava.processes.shim import install

install()

from lava.magma.core.process.process import ProcessServer  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import RunConfig  # noqa: E402

from brian2lava.processes.brian_network import BrianNetwork  # noqa: E402
from brian2lava.processes.runtime import CHECK_SECONDS, WatchfulRuntime  # noqa: E402

#: Lava counts steps with 32 bits.
_MOST_STEPS = 2**31 - 1
#: What the semaphores of Lava's channels may take in /dev/shm while they are made (bytes).
_SEMAPHORE_ROOM = 1 << 16
#: How long a close waits for a thread that is using the host (seconds).
_CLOSE_SECONDS = 1.0
#: What often sends these signals.
_HINTS = {
    signal.SIGKILL: " (the system does that when memory runs out)",
    signal.SIGSEGV: " (C++ code of a user's function may use memory that isn't its own)",
}


class OnlyModel(RunConfig):
    """Takes the process model that there is."""

    def select(self, process: Any, proc_model: list[Any]) -> Any:
        return proc_model[0]


class LavaHost:
    """One Lava runtime with one process, which executes commands during runs.

    Commands carry addresses in the arena, which both processes map at the same place; so one host
    serves all networks of a program, one run at a time. Threads may share it: a run that begins
    waits for the end of another thread's.

    Parameters
    ----------
    make_worker : callable
        Makes what executes the commands; called in the Lava process.

    Raises
    ------
    EngineError
        Lava's processes can't be started.
    """

    name: Literal["lava"] = "lava"

    def __init__(self, make_worker: Callable[[], Executor]) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._depth = 0
        self._usable = self._closed = False
        self._command = "the start"
        self.last_result: object = None
        mailbox = Mailbox(arena().allocate(MAILBOX_BYTES))
        self._caller = Caller(mailbox, self._await_reply)
        self._thread = ForkingThread()
        try:
            with interrupts_deferred(), start_errors():
                self._process, self._runtime = self._thread.run(
                    lambda: self._start(mailbox, make_worker)
                )
                # Python's multiprocessing runs this at the end of its own processes too.
                self._at_exit = multiprocessing.util.Finalize(None, self.close, exitpriority=100)
                self._usable = True
        except BaseException:  # an interrupt that came while it started
            self.close()
            raise

    def _start(
        self, mailbox: Mailbox, make_worker: Callable[[], Executor]
    ) -> tuple[BrianNetwork, WatchfulRuntime]:
        with forgotten_by_lava():
            process = BrianNetwork(mailbox=mailbox, make_worker=make_worker)
            executable = process.compile(OnlyModel())
        runtime = WatchfulRuntime(executable, died=self._obituary)
        executable.assign_runtime_to_all_processes(runtime)
        try:
            runtime.initialize()
        except BaseException:
            runtime.stop()
            raise
        return process, runtime

    @property
    def alive(self) -> bool:
        """Whether the host was started by this process, isn't closed, and its processes run."""
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
        """Process ids of what runs: the process model and the runtime service."""
        names = ("process model", "runtime service")
        return {n: p.pid for n, p in zip(names, self._runtime.processes, strict=True)}

    def begin(self, steps: int) -> None:
        """A Brian2 run of ``steps`` time steps starts; one inside of another shares its turn."""
        self._lock.acquire()
        try:
            if self._depth == 0:
                with self._uninterrupted():
                    self._process.run(RunSteps(min(int(steps), _MOST_STEPS), blocking=False))
            self._depth += 1
        except BaseException:
            self._lock.release()
            raise

    def end(self) -> None:
        """The run is over; Lava's runtime is idle again."""
        try:
            self._depth -= 1
            if self._depth == 0 and self._usable:
                self._command = "the end of a run"
                with self._uninterrupted():
                    self._caller.leave()
                    self._runtime.finish_run()
        finally:
            self._lock.release()

    def execute(self, command: tuple[object, ...]) -> object:
        """What the worker returns for ``command``; see :class:`brian2lava.engine.host.Host`.

        Outside of a run it makes a short one for itself.
        """
        with self._lock:
            if self._depth == 0:
                return self._execute_in_own_run(command)
            self._command = f"the command {str(command[0])!r}"
            with self._uninterrupted():
                self.last_result = self._caller.call(command)
            return self.last_result

    def _execute_in_own_run(self, command: tuple[object, ...]) -> object:
        self.begin(0)
        try:
            return self.execute(command)
        finally:
            self.end()

    def close(self) -> None:
        """End Lava's processes. Can be repeated; does nothing in a forked copy of the program."""
        if self._pid != os.getpid():
            return
        waited = self._lock.acquire(timeout=_CLOSE_SECONDS)
        try:
            if self._usable:
                self._usable, self._closed = False, True
                with interrupts_deferred():
                    self._at_exit.cancel()
                    self._runtime.stop()
                    self._thread.release()
        finally:
            if waited:
                self._lock.release()

    @contextmanager
    def _uninterrupted(self) -> Iterator[None]:
        """Talk to Lava's processes; a failure ends them."""
        if not self._usable or self._pid != os.getpid():
            raise EngineDied(
                "the Lava process of this run is gone: it was closed, or belongs to the program "
                "that this one was forked from. A new run starts another one."
            )
        with interrupts_deferred():
            try:
                yield
            except EngineDied:
                self.close()
                raise

    def _await_reply(self, mailbox: Mailbox) -> None:
        try:
            self._watch(mailbox)
        except EngineDied:
            raise
        except (
            BaseException
        ):  # from a handler of some signal: the next command needs a free mailbox
            self._watch(mailbox)
            raise

    def _watch(self, mailbox: Mailbox) -> None:
        while not mailbox.has_reply(CHECK_SECONDS):
            self._runtime.check()

    def _obituary(self, process: Any, role: str) -> EngineDied:
        if self._closed:
            return EngineDied(f"Lava's {role} was closed during {self._command}.")
        return EngineDied(
            f"Lava's {role} (process {process.pid}) {cause_of_death(process.exitcode)} during "
            f"{self._command}. The arrays hold what was computed until then. "
            "The next run starts a new process."
        )


def cause_of_death(code: int | None) -> str:
    """What an exit code says about the end of a process."""
    if code is None:
        return "ended"
    if code >= 0:
        return f"ended with exit code {code}"
    number = signal.Signals(-code)
    return f"was killed by {number.name}{_HINTS.get(number, '')}"


@contextmanager
def forgotten_by_lava() -> Iterator[None]:
    """Undo what Lava keeps for ever of each process: itself, and two handlers of log messages."""
    loggers = [logging.getLogger(), logging.getLogger("lava.magma.compiler.compiler")]
    handlers = [list(logger.handlers) for logger in loggers]
    server = ProcessServer()
    processes = list(server.processes)
    try:
        yield
    finally:
        server.processes[:] = processes
        for logger, kept in zip(loggers, handlers, strict=True):
            for handler in logger.handlers[:]:
                if handler not in kept:
                    logger.removeHandler(handler)


@contextmanager
def start_errors() -> Iterator[None]:
    """Say what to do when the system refuses what Lava needs."""
    try:
        _require_semaphore_room()
        yield
    except OSError as error:
        remedy = {
            errno.ENOSPC: f"/dev/shm is full; Lava's channels need {_SEMAPHORE_ROOM} bytes there. "
            "Remove what nobody uses from /dev/shm, or give it more room (docker run --shm-size).",
            errno.EAGAIN: "The system allows no more processes (ulimit -u).",
            errno.ENOMEM: "There is no memory left for another process.",
            errno.EMFILE: "Too many files are open (ulimit -n).",
        }.get(error.errno or 0, "")
        raise EngineError(
            f"Lava's processes can't be started: {error}. {remedy} "
            'Without Lava the same runs with set_device("lava", host="inline").'
        ) from error


def _require_semaphore_room() -> None:
    try:
        state = os.statvfs("/dev/shm")
    except OSError:
        return  # a system that keeps semaphores elsewhere
    free = state.f_bavail * state.f_frsize
    if free < _SEMAPHORE_ROOM:
        raise OSError(errno.ENOSPC, f"{free} bytes are free", "/dev/shm")


_shared: LavaHost | None = None
_shared_lock = threading.Lock()


def shared_host(make_worker: Callable[[], Executor]) -> LavaHost:
    """The living Lava host of this process; a new one if there is none."""
    global _shared
    with _shared_lock:
        if _shared is None or not _shared.alive:
            _shared = LavaHost(make_worker)
        return _shared


def _forget_lock() -> None:
    """A forked process must not wait for a thread that it does not have."""
    global _shared_lock
    _shared_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_lock)
