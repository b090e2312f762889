"""A Brian2 network among Lava's own processes: its failures end the run, and are told."""

from __future__ import annotations

import ctypes
import multiprocessing.util
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lava.magma.core.run_conditions import RunSteps

from brian2lava.errors import EngineDied, EngineError
from brian2lava.processes.forking import flush_output
from brian2lava.processes.lava_host import cause_of_death
from brian2lava.processes.runtime import WatchfulRuntime

_MOST_BYTES = 1 << 15
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
#: This program, while it forks children that must not outlive it.
_host = 0


class Confession:
    """What a forked process tells the program that started it before it ends itself."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def make(self, text: str) -> None:
        """In a forked process: leave ``text`` behind and end. Elsewhere: nothing."""
        if os.getpid() == self._pid:
            return
        os.write(self._write, text[-_MOST_BYTES:].encode())
        flush_output()
        os._exit(1)

    def heard(self) -> str:
        """What was left behind."""
        try:
            return os.read(self._read, _MOST_BYTES).decode(errors="replace")
        except BlockingIOError:
            return ""

    def __del__(self) -> None:
        for end in (self._read, self._write):
            os.close(end)


class WatchedRuntime(WatchfulRuntime):
    """Lava's runtime for a program with Brian2 networks: no failure is waited for.

    Parameters
    ----------
    executable
        A compiled graph.
    networks : dict of str to Confession
        By name of the process.
    """

    def __init__(self, executable: Any, networks: dict[str, Confession]) -> None:
        super().__init__(executable, self._obituary)
        self._networks = networks
        self._names = [process.name for process in executable.proc_builders]
        self._at_exit = multiprocessing.util.Finalize(None, self.stop, exitpriority=100)

    def stop(self) -> None:
        """End all processes. Can be repeated."""
        if self._at_exit.still_active():
            self._at_exit.cancel()
            super().stop()

    def start(self, run_condition: Any) -> None:
        """As Lava's; a blocking run notices when a process ends."""
        blocking = isinstance(run_condition, RunSteps) and run_condition.blocking
        if blocking:
            run_condition = RunSteps(run_condition.num_steps, blocking=False)
        super().start(run_condition)
        if blocking:
            self.wait()

    def wait(self) -> None:
        """Until the run is over.

        Raises
        ------
        EngineError
            A process of the graph failed; all are ended.
        """
        if self._is_running:
            self._guarded(self._await_word)
        super().wait()

    def pause(self) -> None:
        """As Lava's, if all processes live."""
        self._guarded(self.check)
        super().pause()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (EngineDied, EngineError):
            self.stop()
            raise

    def _obituary(self, process: Any, role: str) -> Exception:
        for name, confession in self._networks.items():
            text = confession.heard()
            if text:
                return EngineError(
                    f"the Brian2 network in the Lava process '{name}' failed; all processes of the"
                    f" program were ended. Its traceback:\n{text}"
                )
        place = self.processes.index(process)
        name = f"process '{self._names[place]}'" if place < len(self._names) else role
        return EngineDied(
            f"Lava's {name} (process {process.pid}) {cause_of_death(process.exitcode)}; the others"
            " were ended."
        )


def start_watched(process: Any, executable: Any, networks: dict[str, Confession]) -> None:
    """Give the graph of ``process`` a :class:`WatchedRuntime`, started."""
    runtime = WatchedRuntime(executable, networks)
    process._runtime = runtime
    executable.assign_runtime_to_all_processes(runtime)
    with _children_die_with_us():
        runtime.initialize()


@contextmanager
def _children_die_with_us() -> Iterator[None]:
    """What is forked inside is killed when this program ends, however it ends.

    The kernel asks for the thread that forked, so in others than the main one nothing is done.
    """
    global _host
    if threading.current_thread() is threading.main_thread():
        _host = os.getpid()
    try:
        yield
    finally:
        _host = 0


def _ask_the_kernel() -> None:
    """In a freshly forked child."""
    if not _host or not hasattr(_libc, "prctl"):
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != _host:  # it ended before the line above
        os._exit(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ask_the_kernel)
