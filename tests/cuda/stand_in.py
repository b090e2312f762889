"""A stand-in for CuPy, with as much of it as the engine uses: the processor runs what is launched.

Kernels are those of the text that NVRTC would get, with emulate.hpp in the place of nvidia.hpp.
"""

from __future__ import annotations

import ctypes
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from brian2lava.device.compiler import toolchain
from brian2lava.engine.cpu.toolchain import build
from brian2lava.engine.cuda import build as texts

#: Bytes that the card is said to have.
WHOLE = 1 << 30


class Refused(Exception):
    """What CuPy raises for errors of CUDA, of memory and of NVRTC."""


def make(whole: int = WHOLE, devices: int = 1, broken: str = "") -> types.ModuleType:
    """A module ``cupy``. ``broken``: what NVRTC says to every text."""
    used: dict[int, Any] = {}
    capturing: list[Any] = []

    class Memory:
        def __init__(self, nbytes: int) -> None:
            if sum(array.nbytes for array in used.values()) + nbytes > whole:
                raise Refused("out of memory")
            self._array = np.full(nbytes, 0xA5, np.uint8)  # what is not cleared is seen
            self.ptr = int(self._array.ctypes.data)
            used[self.ptr] = self._array

        def memset(self, value: int, nbytes: int) -> None:
            self._array[:nbytes] = value

        def __del__(self) -> None:
            used.pop(getattr(self, "ptr", 0), None)

    class Stream:
        def __init__(self, non_blocking: bool = False) -> None:
            assert non_blocking

        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *_: object) -> None: ...

        def begin_capture(self) -> None:
            capturing.clear()

        def end_capture(self) -> Any:
            calls = list(capturing)
            return types.SimpleNamespace(launch=lambda stream: [call() for call in calls])

        def synchronize(self) -> None: ...

    class RawModule:
        def __init__(self, code: str, options: tuple[str, ...], backend: str) -> None:
            assert backend == "nvrtc" and "-default-device" in options
            self._code = code

        def compile(self) -> None:
            if broken:
                raise Refused(broken)
            text = self._code.removeprefix(texts._text("nvidia.hpp"))
            built = build(text, toolchain(), texts._text("emulate.hpp"))
            self._library = ctypes.CDLL(str(built.path))

        def get_function(self, name: str) -> Callable[..., None]:
            function = getattr(self._library, name)
            function.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]

            def call(grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
                (state,) = arguments
                capturing.append(lambda: function(int(state), grid[0], 0))

            return call

        def get_global(self, name: str) -> Any:
            return types.SimpleNamespace(
                ptr=ctypes.addressof(ctypes.c_int64.in_dll(self._library, name))
            )

    def memcpy(target: int, source: int, nbytes: int, kind: int) -> None:
        assert kind in (1, 2)
        ctypes.memmove(target, source, nbytes)

    def count() -> int:
        if not devices:
            raise Refused("no CUDA-capable device is detected")
        return devices

    runtime = types.SimpleNamespace(
        memcpy=memcpy, memcpyHostToDevice=1, memcpyDeviceToHost=2, getDeviceCount=count,
        CUDARuntimeError=Refused,
        memGetInfo=lambda: (whole - sum(a.nbytes for a in used.values()), whole),
    )  # fmt: skip
    cupy = types.ModuleType("cupy")
    cupy.__dict__.update(
        RawModule=RawModule,
        uint64=np.uint64,
        used=used,
        get_default_memory_pool=lambda: types.SimpleNamespace(free_bytes=lambda: 0),
        cuda=types.SimpleNamespace(
            runtime=runtime,
            alloc=Memory,
            Stream=Stream,
            Device=lambda: types.SimpleNamespace(attributes={"MultiProcessorCount": 3}),
            memory=types.SimpleNamespace(OutOfMemoryError=Refused),
            compiler=types.SimpleNamespace(CompileException=Refused),
        ),
    )
    return cupy
