"""Source text -> shared library, through the system's C++ compiler and a cache on disk.

What all programs share (``runtime.cpp``) is compiled once, in the background while Brian2
generates code, and linked to each program. An entry is ``<key>.so`` with ``<key>.cpp`` and
``<key>.json`` beside it; the key is the hash of the source, the compiler and the flags. Entries
are put in place by renaming, so that programs that share the cache never see half of one; a
library whose checksum is wrong is built again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from brian2lava.cache import cache_folder
from brian2lava.errors import CompileError

#: Needed by the rendered source, after all other flags. A library that is *linked* with
#: -ffast-math would turn denormal numbers off for the whole process, so linking is a step apart.
_REQUIRED = (
    "-std=c++17",
    "-fPIC",
    "-w",
    *(("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()),
)
#: The system's vector functions are declared.
_FAST = ("-D__FAST_MATH__",)
#: Every operation is rounded by itself, in the order in which it is written.
_EXACT = (
    "-fno-fast-math",
    "-fno-unsafe-math-optimizations",
    "-fno-associative-math",
    "-fno-reciprocal-math",
    "-fno-finite-math-only",
    "-fno-single-precision-constant",
    "-fsigned-zeros",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
)
#: Our own exp has the standard name: calls of it must stay in the library.
_LINK = ("-shared", "-pthread", *(("-Wl,-Bsymbolic",) if sys.platform == "linux" else ()))


@dataclass(frozen=True)
class Toolchain:
    """A compiler with its arguments; ``exact`` compiles to the same bits on every processor."""

    compiler: str
    compile_args: tuple[str, ...] = ()
    link_args: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    exact: bool = False

    @property
    def required(self) -> tuple[str, ...]:
        """What stands behind all other arguments."""
        return _REQUIRED + (_EXACT if self.exact else _FAST)

    @property
    def identity(self) -> str:
        """What the key of a cache entry says of the compiler and the machine."""
        return "\n".join(
            [_version(self.compiler), _processor(), *self.compile_args, "|", *self.link_args]
            + ["exact"] * self.exact
        )


@dataclass(frozen=True)
class Built:
    """A library, and whether it had to be compiled."""

    path: Path
    compiled: bool


def find_compiler() -> str | None:
    """The C++ compiler: ``$CXX``, else the first of the usual names."""
    for name in filter(None, (os.environ.get("CXX"), "g++", "clang++", "c++")):
        found = shutil.which(name.split()[0])
        if found:
            return found
    return None


def build(source: str, toolchain: Toolchain, header: str | None = None) -> Built:
    """The library of ``source`` (without the runtime's text): from the cache, or compiled now.

    With a ``header``, that is what the source begins with, and no runtime is linked to it.
    """
    extra = "".join(Path(path).read_text(encoding="utf-8") for path in toolchain.sources)
    key = _key(
        toolchain.identity,
        runtime_text(toolchain.exact) if header is None else header,
        source,
        extra,
    )
    folder = usable_folder()
    library = folder / f"{key}.so"
    if _intact(library):
        return Built(library, compiled=False)
    runtime = start_runtime(toolchain) if header is None else None
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as scratch:
        text = Path(scratch) / f"{key}.cpp"
        text.write_text(
            (_header(toolchain.exact) if header is None else header) + source, encoding="utf-8"
        )
        objects = [
            _compile(path, Path(scratch) / f"{place}.o", toolchain)
            for place, path in enumerate([text, *map(Path, toolchain.sources)])
        ]
        made = Path(scratch) / f"{key}.so"
        linked = [*objects, runtime()] if runtime is not None else objects
        _run([toolchain.compiler, *_LINK, *linked, *toolchain.link_args, "-o", made])
        _put(made, folder, toolchain, beside=text)
    return Built(library, compiled=True)


def start_runtime(toolchain: Toolchain) -> Callable[[], Path]:
    """Compile the part that all programs share, in the background, unless it is there.

    What is returned waits for it and gives the object file.
    """
    key = _key(toolchain.identity, runtime_text(toolchain.exact))
    folder = usable_folder()
    place = folder / f"{key}.o"
    with _runtime_lock:
        if key not in _runtimes:
            if _intact(place):
                return lambda: place
            _runtimes[key] = _in_background(lambda: _compile_runtime(key, folder, toolchain))
        future = _runtimes[key]

    def wait() -> Path:
        try:
            return future.result()
        finally:
            with _runtime_lock:
                _runtimes.pop(key, None)

    return wait


_runtimes: dict[str, Future[Path]] = {}
_runtime_lock = threading.Lock()


def _in_background(work: Callable[[], Path]) -> Future[Path]:
    """Do ``work`` in a thread that ends with it."""
    future: Future[Path] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as problem:
            future.set_exception(problem)

    threading.Thread(target=do, name="brian2lava-compile", daemon=True).start()
    return future


def _compile_runtime(key: str, folder: Path, toolchain: Toolchain) -> Path:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as scratch:
        text = Path(scratch) / f"{key}.cpp"
        text.write_text(runtime_text(toolchain.exact), encoding="utf-8")
        return _put(
            _compile(text, Path(scratch) / f"{key}.o", toolchain), folder, toolchain, beside=text
        )


@functools.cache
def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@functools.cache
def _header(exact: bool) -> str:
    # <cmath> takes names of macros away, so it comes before them
    begin = "#define B2L_EXACT\n#include <cmath>\n" if exact else ""
    return begin + _text("headers.hpp") + portable_text(exact) + _text("runtime.hpp")


def portable_text(exact: bool = False) -> str:
    """What programs for processors and for graphics cards contain alike."""
    return (_text("exact.hpp") if exact else "") + _text("portable.hpp")


@functools.cache
def runtime_text(exact: bool = False) -> str:
    """The source of what all programs share."""
    return _header(exact) + _text("runtime.cpp")


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _intact(library: Path) -> bool:
    try:
        note = json.loads(library.with_suffix(".json").read_text(encoding="utf-8"))
        content = library.read_bytes()
    except (OSError, ValueError):
        return False
    return isinstance(note, dict) and note.get("sha256") == hashlib.sha256(content).hexdigest()


@functools.cache
def _private_folder() -> Path:
    """Where libraries go when the cache can't be written; removed when the process ends."""
    import atexit

    folder = tempfile.mkdtemp(prefix="brian2lava-")
    owner = os.getpid()

    def remove() -> None:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return Path(folder)


def usable_folder() -> Path:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _private_folder()


def _compile(text: Path, made: Path, toolchain: Toolchain) -> Path:
    _run([toolchain.compiler, *toolchain.compile_args, *toolchain.required, "-c", text, "-o", made])
    return made


def _put(made: Path, folder: Path, toolchain: Toolchain, beside: Path) -> Path:
    """Move a finished file into the cache; its note comes first, so that it is never without."""
    note = made.with_suffix(".json")
    note.write_text(
        json.dumps(
            {
                "sha256": hashlib.sha256(made.read_bytes()).hexdigest(),
                "compiler": toolchain.compiler,
                "arguments": list(toolchain.compile_args),
            },
            indent=1,
        ),
        encoding="utf-8",
    )
    for file in (beside, note, made):
        os.replace(file, folder / file.name)
    return folder / made.name


def _run(command: list[str | Path]) -> None:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, errors="replace")
    except OSError as problem:
        raise CompileError(f"the compiler {words[0]} could not be started: {problem}") from problem
    if done.returncode != 0:
        raise CompileError(f"{' '.join(words)}\nended with {done.returncode}:\n{done.stderr}")


def failing_operation(message: str) -> int | None:
    """The operation that a compiler's message is about, found by the line marks in the source."""
    found = re.search(r"operation_(\d+)", message)
    return int(found.group(1)) if found else None


@functools.cache
def _version(compiler: str) -> str:
    try:
        stat = os.stat(compiler)
    except OSError:
        return compiler
    return f"{compiler} {stat.st_size} {stat.st_mtime_ns}"


@functools.cache
def compiler_version(compiler: str) -> str:
    """The first line of ``compiler --version``."""
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else compiler


@functools.cache
def _processor() -> str:
    """The processor's name and abilities: -march=native makes code for just these."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            lines = [line for line in info if line.startswith(("model name", "flags", "Features"))]
        return "".join(sorted(set(lines)))
    except OSError:
        return platform.processor() + platform.machine()
