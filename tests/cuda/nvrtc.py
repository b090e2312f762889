"""NVRTC from its own wheel, which needs no card: whether a text compiles, and to what."""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

import pytest

from brian2lava.engine.cuda.nvidia import OPTIONS

#: The oldest and the newest kind of card that texts are compiled for.
ARCHITECTURES = ("compute_70", "compute_90")


def _library() -> ctypes.CDLL | None:
    try:
        found = importlib.util.find_spec("nvidia.cuda_nvrtc")
    except ModuleNotFoundError:
        return None
    if found is None or not found.submodule_search_locations:
        return None
    for folder in found.submodule_search_locations:
        for file in sorted(Path(folder, "lib").glob("libnvrtc.so.*")):
            return ctypes.CDLL(str(file))
    return None


LIBRARY = _library()
needs_nvrtc = pytest.mark.skipif(
    LIBRARY is None, reason="NVRTC is not installed (nvidia-cuda-nvrtc-cu12, for Linux on x86)"
)


def ptx(text: str, architecture: str = ARCHITECTURES[-1], *more: str) -> str:
    """The PTX of ``text``; fails with the compiler's message."""
    assert LIBRARY is not None
    program = ctypes.c_void_p()
    source = text.encode()
    assert LIBRARY.nvrtcCreateProgram(ctypes.byref(program), source, b"x.cu", 0, None, None) == 0
    words = [*OPTIONS, f"-arch={architecture}", *more]
    options = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
    failed = LIBRARY.nvrtcCompileProgram(program, len(words), options)
    kind = "ProgramLog" if failed else "PTX"
    size = ctypes.c_size_t()
    getattr(LIBRARY, f"nvrtcGet{kind}Size")(program, ctypes.byref(size))
    text_made = ctypes.create_string_buffer(size.value)
    getattr(LIBRARY, f"nvrtcGet{kind}")(program, text_made)
    LIBRARY.nvrtcDestroyProgram(ctypes.byref(program))
    made = text_made.value.decode()
    assert not failed, made
    return made
