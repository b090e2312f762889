"""How Lava's processes are forked, so that they disturb nobody and never outlive their parent.

All processes of a runtime are forked by one thread that lives as long as they do. In that thread
Ctrl-C is blocked, which children inherit, and the kernel kills children whose forking thread ends.
What is forked by other threads, such as a user's own pool, isn't touched.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from brian2lava.engine.memory import shared_with_children

T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
_FIRST_OWN_FILE = 3  # below are standard input, output and error

_this_thread = threading.local()
_libc = ctypes.CDLL(None)


class ForkingThread:
    """A thread in which children can be forked; they die when it is released.

    Python runs it as a daemon: a program that ends does not wait for it, and the kernel then kills
    the children.
    """

    def __init__(self) -> None:
        self._released = threading.Event()

    def run(self, start: Callable[[], T]) -> T:
        """What ``start()`` returns, or raises, when it is called in the thread. Call this once."""
        outcome: list[T] = []
        failure: list[BaseException] = []
        ready = threading.Event()

        def body() -> None:
            try:
                with _children_as_servants():
                    outcome.append(start())
            except BaseException as error:
                failure.append(error)
            finally:
                ready.set()
            self._released.wait()

        threading.Thread(target=body, name="brian2lava-host", daemon=True).start()
        try:
            ready.wait()
        except BaseException:  # from a handler of some signal
            ready.wait()
            self.release()
            raise
        if failure:
            self.release()
            raise failure.pop()
        return outcome.pop()

    def release(self) -> None:
        """Let the thread end, and what is left of its children with it."""
        self._released.set()


@contextmanager
def _children_as_servants() -> Iterator[None]:
    """Children that this thread forks in the block share the arena and serve this process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    flush_output()  # so that no child inherits, and writes, what was printed before
    _this_thread.host_pid = os.getpid()
    _this_thread.files = _open_files()
    try:
        with _fork_as_start_method(), shared_with_children(), warnings.catch_warnings():
            # Python 3.12 warns of forks while threads run: see _serve_the_host for what is done.
            warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")
            yield
    finally:
        del _this_thread.host_pid, _this_thread.files


@contextmanager
def _fork_as_start_method() -> Iterator[None]:
    """Lava's processes can only be forked; the user's choice is put back."""
    chosen = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("fork", force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(chosen, force=True)


def _open_files() -> dict[int, tuple[int, int]]:
    """Number and identity of each file that is open now, but for input, output and error."""
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    identities = {number: _identity(number) for number in numbers if number >= _FIRST_OWN_FILE}
    # The listing was an open file too; its number is free again.
    return {number: known for number, known in identities.items() if known is not None}


def _identity(number: int) -> tuple[int, int] | None:
    """What tells the file with this number from others; None if there is no such file."""
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def flush_output() -> None:
    """Write what Python and C code have printed; processes of Lava end without doing so."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):  # there is none, or it is closed
            stream.flush()
    _libc.fflush(None)


def _serve_the_host() -> None:
    """What a freshly forked process of Lava does first."""
    host_pid = getattr(_this_thread, "host_pid", None)
    if host_pid is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host_pid:  # it ended before the line above
        os._exit(1)
    _drop_signal_handlers()
    _let_go_of(_this_thread.files)
    # What the parent put in the place of its streams (a test's or a notebook's capture) is its own.
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    gc.freeze()  # a collection would copy every page that is shared with the parent


def _drop_signal_handlers() -> None:
    """The parent's handlers are about the parent; Ctrl-C is its business too."""
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _let_go_of(files: dict[int, tuple[int, int]]) -> None:
    """A pipe that the parent closes must end, so no copy may stay open here.

    The numbers stay taken: objects that were copied by the fork may still close them. A number
    that belongs to another file by now, to a pipe of Lava's, is left alone.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number, known in files.items():
        if _identity(number) == known:
            os.dup2(nowhere, number, inheritable=False)
    os.close(nowhere)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_serve_the_host)
