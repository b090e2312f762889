"""POSIX semaphores at given addresses, shared by processes that map the same memory."""

from __future__ import annotations

import ctypes
import errno
import os
import time

#: Room for a ``sem_t`` in a cache line of its own; glibc and musl take 32 bytes of it.
SEMAPHORE_BYTES = 64

_NANOSECONDS = 1_000_000_000
_CLOCK_MONOTONIC = 1


class _TimeSpec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


# Calls that cannot block keep the interpreter's lock (PyDLL): giving it up and taking it again
# costs more than the call, and far more where other threads wait for it.
_short = ctypes.PyDLL(None, use_errno=True)
_long = ctypes.CDLL(None, use_errno=True)


class Semaphore:
    """A counting semaphore in shared memory.

    Parameters
    ----------
    address : int
        Where it lies, aligned to 8 bytes, with :data:`SEMAPHORE_BYTES` bytes of room. The memory
        must stay mapped at this address in every process that uses the object.
    """

    __slots__ = ("_address",)

    def __init__(self, address: int) -> None:
        self._address = ctypes.c_void_p(address)

    def create(self) -> None:
        """Begin at zero; one process calls this, before the others use it."""
        if _short.sem_init(self._address, 1, 0) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"sem_init: {os.strerror(code)}")

    def post(self) -> None:
        """Add one and wake a waiter."""
        _short.sem_post(self._address)

    def try_wait(self) -> bool:
        """Take one if there is one."""
        return bool(_short.sem_trywait(self._address) == 0)

    def wait(self, seconds: float) -> bool:
        """Take one; False when ``seconds`` have passed or a signal came."""
        if _wait_until(self._address, seconds) == 0:
            return True
        code = ctypes.get_errno()
        if code not in (errno.ETIMEDOUT, errno.EINTR):
            raise OSError(code, f"sem_wait: {os.strerror(code)}")
        return False


def _deadline(clock: int, seconds: float) -> _TimeSpec:
    return _TimeSpec(
        *divmod(time.clock_gettime_ns(clock) + int(seconds * _NANOSECONDS), _NANOSECONDS)
    )


def _wait_until(address: ctypes.c_void_p, seconds: float) -> int:
    """Wait on a clock that nobody can set back, where the C library offers that (glibc 2.30)."""
    if hasattr(_long, "sem_clockwait"):
        deadline = _deadline(time.CLOCK_MONOTONIC, seconds)
        return int(_long.sem_clockwait(address, _CLOCK_MONOTONIC, ctypes.byref(deadline)))
    deadline = _deadline(time.CLOCK_REALTIME, seconds)
    return int(_long.sem_timedwait(address, ctypes.byref(deadline)))
