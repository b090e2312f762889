"""Who runs when: a process model that waits for a message lets the others go on.

Lava gives each process a process of the system, and a receiver sleeps until its message is there.
Here a model is called directly where all its messages are there already. Where a loop of processes
makes that impossible, it runs in a thread of its own, of which one at a time is awake.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from brian2lava.errors import EngineError

_awake = threading.local()


class _Closed(BaseException):
    """Ends the thread of a turn that is waiting for ever."""


def wait_for(channel: Any) -> None:
    """Let others go on until ``channel`` has an item.

    Raises
    ------
    EngineError
        This process is not in a thread of its own and can't wait.
    """
    turn: Turn | None = getattr(_awake, "turn", None)
    while not channel.items:
        if turn is None:
            raise EngineError(
                f"{channel.target} waits for a message of {channel.source}, which sends none in"
                " this phase."
            )
        turn.rest(channel)


class Turn:
    """A function that is called once a step, and may wait in the middle of it.

    Parameters
    ----------
    name : str
        Of the thread.
    work : callable
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._work = work
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._closing = False
        self._problem: BaseException | None = None
        self.waits_for: Any = None
        self.begun = False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def advance(self) -> bool:
        """Go on until the function returns (True) or waits for a message (False)."""
        self.begun = True
        self.waits_for = None
        self._go.release()
        self._back.acquire()
        if self._problem is not None:
            problem, self._problem = self._problem, None
            self.begun = False
            raise problem
        return not self.begun

    def rest(self, channel: Any) -> None:
        """Called from inside: wake the others, sleep until the next :meth:`advance`."""
        self.waits_for = channel
        self._back.release()
        self._go.acquire()
        if self._closing:
            raise _Closed

    def close(self) -> None:
        """End the thread, also in the middle of the function."""
        self._closing = True
        self._go.release()
        self._thread.join(timeout=1.0)

    def _live(self) -> None:
        _awake.turn = self
        while True:
            self._go.acquire()
            if self._closing:
                return
            try:
                self._work()
            except _Closed:
                return
            except BaseException as problem:
                self._problem = problem
            self.begun = False
            self._back.release()
