"""Source text -> shared library, through the system's C++ compiler and a cache on disk.

An entry is ``<key>.so`` with ``<key>.cpp`` and ``<key>.json`` beside it; the key is the hash of the
source, the compiler and the flags. Entries are put in place by renaming, so that programs that
share the cache never see half of one; a library whose checksum is wrong is built again.
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
from dataclasses import dataclass
from pathlib import Path

from brian2lava.errors import CompileError

#: Needed by the rendered source, after all other flags. A library that is *linked* with
#: -ffast-math would turn denormal numbers off for the whole process, so linking is a step apart.
_REQUIRED = (
    "-std=c++17",
    "-fPIC",
    "-D__FAST_MATH__",
    "-w",
    *(("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()),
)
#: Our own exp has the standard name: calls of it must stay in the library.
_LINK = ("-shared", "-pthread", *(("-Wl,-Bsymbolic",) if sys.platform == "linux" else ()))


@dataclass(frozen=True)
class Toolchain:
    """A compiler with its arguments."""

    compiler: str
    compile_args: tuple[str, ...] = ()
    link_args: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What the key of a cache entry says of the compiler and the machine."""
        return "\n".join(
            [_version(self.compiler), _processor(), *self.compile_args, "|", *self.link_args]
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


def cache_folder() -> Path:
    """``$BRIAN2LAVA_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("BRIAN2LAVA_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "brian2lava"


def build(source: str, toolchain: Toolchain) -> Built:
    """The library of ``source``: from the cache, or compiled now."""
    extra = "".join(Path(path).read_text(encoding="utf-8") for path in toolchain.sources)
    key = hashlib.sha256((toolchain.identity + source + extra).encode()).hexdigest()[:40]
    folder = _usable_folder()
    library = folder / f"{key}.so"
    if _intact(library):
        return Built(library, compiled=False)
    _compile(source, key, folder, toolchain)
    return Built(library, compiled=True)


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


def _usable_folder() -> Path:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return _private_folder()


def _compile(source: str, key: str, folder: Path, toolchain: Toolchain) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder) as scratch:
        work = Path(scratch)
        text = work / f"{key}.cpp"
        text.write_text(source, encoding="utf-8")
        objects = []
        for place, path in enumerate([str(text), *toolchain.sources]):
            made = work / f"{place}.o"
            _run([toolchain.compiler, *toolchain.compile_args, *_REQUIRED, "-c", path, "-o", made])
            objects.append(made)
        library = work / f"{key}.so"
        _run([toolchain.compiler, *_LINK, *objects, *toolchain.link_args, "-o", library])
        note = work / f"{key}.json"
        note.write_text(
            json.dumps(
                {
                    "sha256": hashlib.sha256(library.read_bytes()).hexdigest(),
                    "compiler": toolchain.compiler,
                    "arguments": list(toolchain.compile_args),
                },
                indent=1,
            ),
            encoding="utf-8",
        )
        for made in (text, library, note):
            os.replace(made, folder / made.name)


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
