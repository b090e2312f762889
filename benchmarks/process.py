"""A function call in a fresh Python process, with the peak of its memory where it is asked for.

The child side is `python -m benchmarks.process MODULE FUNCTION ARGUMENTS ANSWER`: the last two are
JSON files.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
_SAMPLE_SECONDS = 0.05
_BUILD_TOOLS = {"make", "g++", "c++", "cc1plus", "as", "ld", "collect2"}


class CaseError(RuntimeError):
    """A case did not deliver its figures."""


class PeakMemory(threading.Thread):
    """Samples the proportional set size of a session; `peak` is in bytes.

    Compilers are left out: how many of them run at once is chance, and in `cpp_standalone` they
    are the largest for most networks.
    """

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._session = session
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, _session_pss(self._session))

    def stop(self) -> int:
        self._end.set()
        self.join()
        return self.peak


def _session_pss(session: int) -> int:
    """Sum of the PSS (bytes) over the processes of `session` that have not just ended."""
    total = 0
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and os.getsid(int(folder.name)) == session:
                total += _pss(folder)
        except OSError:
            continue
    return total


def _pss(folder: Path) -> int:
    if (folder / "comm").read_text().strip() in _BUILD_TOOLS:
        return 0
    for line in (folder / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def execute(
    command: list[str], *, folder: Path, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Run `command` in a session of its own; return its wall time (s) and peak memory (bytes).

    Raises CaseError, with the end of what it printed, where it fails.
    """
    with tempfile.TemporaryFile("w+", dir=folder) as log:
        begin = perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        memory = PeakMemory(process.pid)
        memory.start()
        try:
            status = process.wait()
            seconds = perf_counter() - begin
        finally:
            peak = memory.stop()
            _end_session(process)
        if status != 0:
            log.seek(0)
            raise CaseError(f"{command[0]} ended with status {status}:\n{log.read()[-3000:]}")
    return {"wall": seconds, "peak": peak}


def _end_session(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def call(module: str, function: str, *, cache: Path, **arguments: Any) -> dict[str, Any]:
    """Call `module.function(**arguments)` in a fresh process and return its answer.

    The answer is a dict of what JSON can hold; `wall` (s) and `peak` (bytes) of the whole process
    and its children are added. Compiled code is kept in `cache`.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark_") as name:
        folder = Path(name)
        (folder / "arguments.json").write_text(json.dumps(arguments))
        command = [sys.executable, "-m", __name__, module, function]
        command += [str(folder / "arguments.json"), str(folder / "answer.json")]
        path = os.pathsep.join(
            [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        )
        environment = {"XDG_CACHE_HOME": str(cache), "PYTHONPATH": path}
        usage = execute(command, folder=folder, environment=environment)
        answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    return {**usage, **answer}


def _answer(module: str, function: str, arguments: str, answer: str) -> None:
    given = json.loads(Path(arguments).read_text())
    result = getattr(importlib.import_module(module), function)(**given)
    Path(answer).write_text(json.dumps(result))


if __name__ == "__main__":
    _answer(*sys.argv[1:])
