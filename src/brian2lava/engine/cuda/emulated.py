"""A card that is none: kernels compiled for the processor, thread by thread."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.engine.cuda.card import Launch

#: The order of blocks and threads: 0 as they are numbered, 1 backwards, 2 mixed.
ORDER = 0
#: Bytes of its memory.
ROOM = 1 << 46


class EmulatedCard:
    """Runs a library that was built with emulate.hpp. Its memory is apart from the host's."""

    threads = 64
    most_blocks = 1 << 16

    def __init__(self, library: str) -> None:
        self._library = ctypes.CDLL(library)
        self._order = ORDER
        self._memory: dict[int, NDArray[np.uint8]] = {}

    def free(self) -> int:
        return ROOM - sum(memory.nbytes for memory in self._memory.values())

    def allocate(self, nbytes: int) -> int:
        memory = np.zeros(max(1, nbytes), np.uint8)
        address = int(memory.ctypes.data)
        self._memory[address] = memory
        return address

    def release(self, address: int) -> None:
        del self._memory[address]

    def write(self, address: int, values: NDArray[Any]) -> None:
        if values.nbytes:
            ctypes.memmove(address, values.ctypes.data, values.nbytes)

    def read(self, address: int, into: NDArray[Any]) -> None:
        if into.nbytes:
            ctypes.memmove(into.ctypes.data, address, into.nbytes)

    def set_constants(self, values: NDArray[np.int64]) -> None:
        place = ctypes.c_int64.in_dll(self._library, "b2l_constants")
        ctypes.memmove(ctypes.addressof(place), values.ctypes.data, values.nbytes)

    def sequence(self, launches: Sequence[Launch], state: int) -> Callable[[], None]:
        calls = []
        for name, blocks in launches:
            function = getattr(self._library, name)
            function.restype = ctypes.c_int64
            function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
            calls.append((function, blocks))

        def launch() -> None:
            for function, blocks in calls:
                function(state, blocks, self._order)

        return launch

    def finish(self) -> None:
        """Everything is done at once here."""

    def close(self) -> None:
        self._memory.clear()
