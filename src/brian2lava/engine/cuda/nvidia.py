"""An NVIDIA card, through CuPy: NVRTC compiles, and the kernels of a step are one CUDA graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.engine.cuda.card import Launch
from brian2lava.errors import CompileError, NotSupported

#: What NVRTC is told: functions without a mark are the card's.
OPTIONS = ("-std=c++17", "-default-device", "-w")
#: Blocks of a delivery for each multiprocessor.
_BLOCKS = 4


class NvidiaCard:
    """The current device of CuPy, with the kernels of ``text``.

    Raises
    ------
    NotSupported
        CuPy is not installed, or finds no card.
    CompileError
        With NVRTC's message.
    """

    threads = 256

    def __init__(self, text: str, deterministic: bool = False) -> None:
        try:
            import cupy
        except ImportError as problem:
            raise NotSupported(
                "set_device('lava', hardware='GPU'): CuPy is not installed: pip install"
                " brian2lava[gpu] (or the CuPy of your CUDA version), or hardware='CPU'."
            ) from problem
        self._cupy = cupy
        try:
            cupy.cuda.runtime.getDeviceCount()
            device = cupy.cuda.Device()
            self.most_blocks = _BLOCKS * int(device.attributes["MultiProcessorCount"])
        except cupy.cuda.runtime.CUDARuntimeError as problem:
            raise NotSupported(
                f"set_device('lava', hardware='GPU'): CuPy finds no card ({problem}); use"
                " hardware='CPU'."
            ) from problem
        options = (*OPTIONS, "-fmad=false") if deterministic else OPTIONS
        self._module = cupy.RawModule(code=text, options=options, backend="nvrtc")
        try:
            self._module.compile()
        except cupy.cuda.compiler.CompileException as problem:
            raise CompileError(str(problem)) from problem
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._memory: dict[int, Any] = {}

    def free(self) -> int:
        free, _ = self._cupy.cuda.runtime.memGetInfo()
        return int(free) + int(self._cupy.get_default_memory_pool().free_bytes())

    def allocate(self, nbytes: int) -> int:
        cupy = self._cupy
        try:
            memory = cupy.cuda.alloc(max(8, nbytes))
        except cupy.cuda.memory.OutOfMemoryError as problem:
            free, whole = cupy.cuda.runtime.memGetInfo()
            raise MemoryError(
                f"the graphics card has {free} of {whole} bytes free, and {nbytes} more are needed."
                " Record less, use single precision (prefs.core.default_float_dtype = float32), or"
                " hardware='CPU'."
            ) from problem
        memory.memset(0, max(8, nbytes))
        self._memory[int(memory.ptr)] = memory
        return int(memory.ptr)

    def release(self, address: int) -> None:
        del self._memory[address]

    def write(self, address: int, values: NDArray[Any]) -> None:
        if values.nbytes:
            self.finish()
            self._cupy.cuda.runtime.memcpy(
                address, values.ctypes.data, values.nbytes,
                self._cupy.cuda.runtime.memcpyHostToDevice,
            )  # fmt: skip

    def read(self, address: int, into: NDArray[Any]) -> None:
        if into.nbytes:
            self.finish()
            self._cupy.cuda.runtime.memcpy(
                into.ctypes.data, address, into.nbytes,
                self._cupy.cuda.runtime.memcpyDeviceToHost,
            )  # fmt: skip

    def set_constants(self, values: NDArray[np.int64]) -> None:
        self.write(int(self._module.get_global("b2l_constants").ptr), values)

    def sequence(self, launches: Sequence[Launch], state: int) -> Callable[[], None]:
        kernels = [(self._module.get_function(name), blocks) for name, blocks in launches]
        if not kernels:
            return lambda: None
        arguments = (self._cupy.uint64(state),)
        with self._stream:
            self._stream.begin_capture()
            for kernel, blocks in kernels:
                kernel((blocks,), (self.threads,), arguments)
            graph = self._stream.end_capture()
        return lambda: graph.launch(self._stream)

    def finish(self) -> None:
        self._stream.synchronize()

    def close(self) -> None:
        self.finish()
        self._memory.clear()
