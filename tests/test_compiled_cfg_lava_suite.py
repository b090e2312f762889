"""Lava's own tests of its library (its wheel ships them), with every graph through CompiledCfg."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brian2lava.processes.shim import import_lava

import_lava()

#: The plugin stands here; Lava's tests are in a package of the name of ours, so it is none of it.
_HERE = Path(__file__).parent
#: What takes few seconds; the rest has long time-outs and waits of its own.
_SHORT = ("lif", "dense", "sparse", "sdn", "rf", "monitor", "graded")


def _suite() -> Path:
    """The folder of Lava's tests of ``lava.proc``, beside the installed package."""
    found = importlib.util.find_spec("lava.proc.lif.process")
    assert found is not None and found.origin is not None
    folder = Path(found.origin).parents[3] / "tests" / "lava" / "proc"
    if not folder.is_dir():
        pytest.skip("this installation of Lava has no tests")
    return folder


def _outcome(paths: list[Path], seconds: float) -> dict[str, int]:
    """How many of Lava's tests passed, failed, ...; a program of its own runs them."""
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "served_everywhere", "-c", os.devnull,
        "-p", "no:cacheprovider", "-W", "ignore", "--timeout", "60", *map(str, paths),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=paths[0].parents[3], start_new_session=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=os.environ | {"PYTHONPATH": str(_HERE)},
    )  # fmt: skip
    try:
        text, _ = process.communicate(timeout=seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    last = text.strip().splitlines()[-1]
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", last)}
    assert "failed" not in counts and "errors" not in counts and "error" not in counts, text
    return counts


def test_lavas_tests_of_the_covered_processes_pass() -> None:
    folder = _suite()
    assert _outcome([folder / name for name in _SHORT], 120)["passed"] >= 150


@pytest.mark.long
def test_all_of_lavas_tests_of_its_library_pass() -> None:
    assert (
        _outcome([path for path in sorted(_suite().iterdir()) if path.is_dir()], 400)["passed"]
        >= 255
    )
