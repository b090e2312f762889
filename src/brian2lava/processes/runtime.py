"""Lava's runtime, for programs that must survive what happens to its processes.

Lava's own waits for ever when one of its processes is killed, keeps its channels in named files
that a killed program leaves in /dev/shm, and stops when any forked copy of it is collected.
"""

from __future__ import annotations

import mmap
import multiprocessing.process
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from typing import Any

from lava.magma.core.process.message_interface_enum import ActorType
from lava.magma.runtime.message_infrastructure.multiprocessing import MultiProcessing
from lava.magma.runtime.mgmt_token_enums import MGMT_COMMAND, MGMT_RESPONSE, enum_equal
from lava.magma.runtime.runtime import Runtime

#: How often the life of the processes is checked while something is awaited (seconds).
CHECK_SECONDS = 0.05
#: What a stop may take before the processes are killed (seconds).
_STOP_SECONDS = 2.0


class _Segment:
    """Memory for a channel: shared with children, without a name or a file."""

    def __init__(self, nbytes: int) -> None:
        self.buf = memoryview(mmap.mmap(-1, nbytes))


class _Segments:
    """Stands in for Lava's manager of shared memory, which is a process of its own."""

    def create_shared_memory(self, size: int) -> _Segment:
        return _Segment(size)


class _ForkedProcesses(MultiProcessing):
    """Lava's message infrastructure over memory that needs no files and no server."""

    def start(self) -> None:
        self._smm = _Segments()

    def build_actor(self, *arguments: Any, **named: Any) -> Any:
        actor = super().build_actor(*arguments, **named)
        # Python joins the children that it knows of when it exits, and would wait for ever.
        multiprocessing.process._children.discard(actor)  # type: ignore[attr-defined]
        return actor


class WatchfulRuntime(Runtime):
    """A runtime that notices when one of its processes has ended, and stops in any case.

    Parameters
    ----------
    executable
        A compiled Lava network.
    died : callable
        Makes the exception to raise, from the process that ended (a ``multiprocessing.Process``)
        and what it is called.
    """

    def __init__(self, executable: Any, died: Callable[[Any, str], Exception]) -> None:
        super().__init__(executable, ActorType.MultiProcessing)
        self._died = died
        self.exception_q: list[Any] = []

    def __del__(self) -> None:
        """Nothing: who started the runtime stops it."""

    def initialize(self, node_cfg_idx: int = 0) -> None:
        """Start all processes; raises what the start of one raised."""
        self._build_watchdog_manager()
        self._build_message_infrastructure()
        self._build_channels()
        self._build_sync_channels()
        self._build_processes()
        self._build_runtime_services()
        self._start_ports()
        self._await_start()
        self._is_initialized = True

    def _build_message_infrastructure(self) -> None:
        self._messaging_infrastructure = _ForkedProcesses()
        self._messaging_infrastructure.start()

    def _await_start(self) -> None:
        for outcome in self.exception_q:
            error = self._first_word(outcome)
            outcome.close()
            if error is not None:
                raise error
        self.exception_q = []

    def _first_word(self, outcome: Any) -> Exception | None:
        """What a process says when it has started: nothing, or why it couldn't."""
        while True:
            with suppress(queue.Empty):
                error: Exception | None = outcome.get(timeout=CHECK_SECONDS)
                return error
            self.check()

    @property
    def processes(self) -> list[Any]:
        """The processes of the models, then those of the runtime services."""
        infrastructure = self._messaging_infrastructure
        return [] if infrastructure is None else list(infrastructure.actors)

    def check(self) -> None:
        """Raise if a process has ended."""
        processes = self.processes
        for index, process in enumerate(processes):
            if _has_ended(process):
                models = len(processes) - len(self._executable.runtime_service_builders)
                raise self._died(process, "process model" if index < models else "runtime service")

    @property
    def has_news(self) -> bool:
        """Whether the runtime services have said that a run is over."""
        return all(port.probe() for port in self.service_to_runtime)

    def finish_run(self) -> None:
        """Wait until Lava knows that a run is over."""
        self._await_word()
        self.wait()

    def _await_word(self) -> None:
        """Wait until the runtime services have said something."""
        pause = 20e-6
        checked = time.monotonic()
        while not self.has_news:
            time.sleep(pause)
            pause = min(2 * pause, 1e-3)
            if time.monotonic() - checked > CHECK_SECONDS:
                self.check()
                checked = time.monotonic()

    def stop(self) -> None:
        """End all processes: by Lava's protocol if they follow it, otherwise by killing them."""
        if not (self._is_initialized and self._asked_to_stop()):
            for process in self.processes:
                _kill(process)
        self.join()
        for process in self.processes:
            _bury(process)
        self._is_started = self._is_running = self._is_initialized = False

    def _asked_to_stop(self) -> bool:
        """Whether every process has followed the request to stop."""
        if self._is_running or any(map(_has_ended, self.processes)):
            return False
        for port in self.runtime_to_service:
            port.send(MGMT_COMMAND.STOP)
        until = time.monotonic() + _STOP_SECONDS
        while not all(port.probe() for port in self.service_to_runtime):
            if time.monotonic() > until or any(map(_has_ended, self.processes)):
                return False
            time.sleep(1e-4)
        words = [port.recv() for port in self.service_to_runtime]
        return all(enum_equal(word, MGMT_RESPONSE.TERMINATED) for word in words)


def _has_ended(process: Any) -> bool:
    try:
        # The sentinel tells the truth also where somebody else has waited for the process.
        return bool(wait([process.sentinel], timeout=0)) or not process.is_alive()
    except ValueError:  # another thread has stopped the runtime
        return True


def _kill(process: Any) -> None:
    if not _has_ended(process):  # its number may be another's by then
        process.kill()


def _bury(process: Any) -> None:
    """Wait for the end of ``process``, hurry it up if need be, and close its pipes."""
    multiprocessing.process.BaseProcess.join(process, _STOP_SECONDS)
    _kill(process)
    with suppress(ValueError):  # somebody else has waited for it
        process.join()
