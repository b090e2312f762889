"""Kernels as text for NVRTC, and as a library for the processor."""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from brian2lava.engine.cpu.toolchain import Built, Toolchain, build, portable_text, usable_folder
from brian2lava.engine.cuda.plan import CudaSource

#: The emulated kernels are compared with others: each operation is rounded by itself.
_EXACT = ("-O1", "-ffp-contract=off")


@functools.cache
def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def cuda_text(source: CudaSource) -> str:
    """The whole text that NVRTC compiles."""
    return _text("nvidia.hpp") + _whole(source)


def _whole(source: CudaSource) -> str:
    return portable_text(source.exact) + source.sizes + _text("device.hpp") + source.text


def write_cuda(source: CudaSource) -> Built:
    """The text of kernels in the cache's folder, from where the card's process reads it."""
    text = cuda_text(source)
    folder = usable_folder()
    place = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}.cu"
    if place.exists():
        return Built(place, compiled=False)
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as file:
        file.write(text)
    os.replace(file.name, place)
    return Built(place, compiled=True)


def emulate_library(source: CudaSource, toolchain: Toolchain) -> Built:
    """The kernels of ``source`` for the processor, thread by thread."""
    header = ("#include <cmath>\n" if source.exact else "") + _text("emulate.hpp")
    return build(
        _whole(source), replace(toolchain, compile_args=(*_kept(toolchain), *_EXACT)), header
    )


def _kept(toolchain: Toolchain) -> tuple[str, ...]:
    """Arguments that are no matter of speed: folders and macros."""
    return tuple(word for word in toolchain.compile_args if word.startswith(("-I", "-D")))
