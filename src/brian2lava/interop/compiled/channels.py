"""Channels between the processes of a graph that runs in one process of the system.

They look like Lava's own to the ports of a process model (``send``, ``recv``, ``probe``, ``peek``),
and keep its conversions: what is sent becomes an array of the channel's shape, in the type of the
sending port. A receiver that finds nothing lets the others go on (:mod:`.turns`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import Any

import numpy as np
from lava.magma.compiler.channels.pypychannel import CspRecvPort, CspSendPort
from lava.utils.sparse import find
from scipy.sparse import csr_matrix

from brian2lava.interop.compiled.turns import wait_for

#: How often one who waits for the user's code looks whether the run is to end.
_LOOK_SECONDS = 0.01
#: Lava's command of a RefPort that a value follows (VarPortCmd.SET).
_SET = 1


class Channel:
    """What one port has sent and the other has not yet taken.

    Attributes
    ----------
    source, target : str
        The names of the ports at its ends.
    shape, dtype
        Of the port that sends.
    items : deque of arrays
    """

    def __init__(self, source: str, target: str, shape: tuple[int, ...], dtype: Any) -> None:
        self.source = source
        self.target = target
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.items: deque[Any] = deque()

    def post(self, data: Any) -> None:
        """Keep a copy of ``data``, as the receiver gets it."""
        if data.shape != self.shape:
            raise ValueError(
                f"{self.source} sends an array of shape {data.shape} to {self.target}; the ports"
                f" have shape {self.shape}."
            )
        if isinstance(data, csr_matrix):
            data = find(data, explicit_zeros=True)[2]
        item = np.empty(self.shape, self.dtype)
        item[...] = data
        self.items.append(item)

    def take(self) -> Any:
        """The oldest item; waits for one."""
        if not self.items:
            wait_for(self)
        return self.items.popleft()

    def first(self) -> Any:
        """The oldest item, which stays; waits for one."""
        if not self.items:
            wait_for(self)
        return self.items[0].copy()

    def free(self) -> bool:
        """Whether there is room for another item."""
        return True


class Halted(BaseException):
    """A process waited for the user's code when the user ended the run."""


class Pipe(Channel):
    """A channel to or from the user's own code, in another thread; it has a limited size.

    A process that waits here looks every now and then whether the run is to end.
    """

    def __init__(self, source: str, target: str, shape: tuple[int, ...], dtype: Any, size: int):
        super().__init__(source, target, shape, dtype)
        self.size = size
        self.changed = Condition()
        self.ended: Callable[[], bool] = lambda: False

    def _until(self, ready: Callable[[], bool], doing: str) -> None:
        while not self.changed.wait_for(ready, _LOOK_SECONDS):
            if self.ended():
                raise Halted(f"{doing} when the run was ended")

    def post(self, data: Any) -> None:
        with self.changed:
            self._until(self.free, f"{self.source} waited for room in its pipe")
            super().post(data)
            self.changed.notify_all()

    def take(self) -> Any:
        with self.changed:
            self._until(lambda: bool(self.items), f"{self.target} waited for data")
            item = self.items.popleft()
            self.changed.notify_all()
            return item

    def first(self) -> Any:
        with self.changed:
            self._until(lambda: bool(self.items), f"{self.target} waited for data")
            return self.items[0].copy()

    def free(self) -> bool:
        return len(self.items) < self.size

    def settle(self) -> None:
        """Nothing to wait for."""

    def close(self) -> None:
        """Nothing to end."""


class Wire(Channel):
    """A channel of Lava's own to the user's code, which reads it in a thread."""

    def __init__(self, source: str, port: CspSendPort) -> None:
        super().__init__(source, "the user's code", port.shape, port.d_type)
        self._port = port
        self.ended: Callable[[], bool] = lambda: False
        port.start()

    def post(self, data: Any) -> None:
        while not self._port.probe():
            if self.ended():
                raise Halted(f"{self.source} waited for room in its channel when the run was ended")
            time.sleep(_LOOK_SECONDS)
        self._port.send(data)

    def free(self) -> bool:
        return bool(self._port.probe())

    def settle(self) -> None:
        """Wait until the thread at the other end has seen what was sent."""
        time.sleep(_LOOK_SECONDS)

    def close(self) -> None:
        """End the thread at this end."""
        self._port.join()


class _End:
    """What both ends of a channel tell of it."""

    observer: Callable[[], Any] | None = None

    def __init__(self, name: str, channel: Channel) -> None:
        self._name = name
        self._shape = channel.shape
        self._dtype = channel.dtype
        self.channel = channel

    def start(self) -> None:
        """Nothing to do: no thread listens."""

    def join(self) -> None:
        """Nothing to do."""


class SendEnd(_End, CspSendPort):
    """The end of the sender."""

    def send(self, data: Any) -> None:
        self.channel.post(data)

    def probe(self) -> bool:
        return self.channel.free()


class ReceiveEnd(_End, CspRecvPort):
    """The end of the receiver."""

    def __init__(self, name: str, channel: Channel) -> None:
        super().__init__(name, channel)
        self._queue = _Size(channel)  # Lava's Injector looks into it

    def recv(self) -> Any:
        return self.channel.take()

    def peek(self) -> Any:
        return self.channel.first()

    def probe(self) -> bool:
        return bool(self.channel.items)


class _Size:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def qsize(self) -> int:
        return len(self._channel.items)


class RequestChannel(Channel):
    """From a RefPort to the variable that it reads and writes: each request is served at once.

    ``serve(value)`` writes ``value``, or for None sends the variable back.
    """

    def __init__(self, source: str, target: str, shape: tuple[int, ...], dtype: Any) -> None:
        super().__init__(source, target, shape, dtype)
        self.serve: Callable[[Any], None] | None = None

    def post(self, data: Any) -> None:
        super().post(data)
        command = int(np.ravel(self.items[0])[0])
        if command == _SET and len(self.items) < 2:
            return  # the value comes with the next message
        value = self.items[1] if command == _SET else None
        self.items.clear()
        assert self.serve is not None, "a RefPort was used before the graph was built"
        self.serve(value)
