"""A fixed sample of Brian2's own tests on the lava device; `make test-all` runs all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.brian2_suite.verdict import judge

_ROOT = Path(__file__).parents[1]
_PHASES = ("standalone", "multiple_runs", "runtime_only", "codegen_independent")
_TESTS_A_PHASE = 4


def _run_suite(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.brian2_suite", "--out", str(out), *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=900)


def _outcomes(out: Path) -> dict[str, dict[str, Any]]:
    outcomes: dict[str, dict[str, Any]] = json.loads(out.read_text())["outcomes"]
    return outcomes


@pytest.mark.timeout(900)
def test_sample_of_each_phase_passes(tmp_path: Path) -> None:
    out = tmp_path / "outcomes.json"
    sample = ["--sample", str(_TESTS_A_PHASE), "--seed", "2", "--limit", "120"]
    result = _run_suite(out, "--phases", ",".join(_PHASES), *sample)
    assert result.returncode == 0, result.stdout + result.stderr
    numbers = {phase: len(tests) for phase, tests in _outcomes(out).items()}
    assert numbers == dict.fromkeys(_PHASES, _TESTS_A_PHASE)
    assert ", 0 failed" in result.stdout.splitlines()[-1]


def test_a_test_beyond_its_limit_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    out = tmp_path / "outcomes.json"
    two = ["--match", "test_network.py::test_multiple_runs_report", "--sample", "2"]
    result = _run_suite(
        out, "--phases", "multiple_runs", "--device", "runtime", "--limit", "0", *two
    )
    assert result.returncode == 1
    statuses = [outcome["status"] for outcome in _outcomes(out)["multiple_runs"].values()]
    assert len(statuses) == 2
    assert set(statuses) <= {"timeout", "passed"}
    assert "timeout" in statuses


@pytest.mark.parametrize(
    ("status", "expected", "verdict"),
    [
        ("passed", None, "passed"),
        ("skipped", None, "skipped"),
        ("failed", None, "failed"),
        ("timeout", None, "failed"),
        ("crashed", None, "failed"),
        ("failed", "failed", "expected"),
        ("skipped", "skipped", "expected"),
        ("passed", "failed", "failed"),
        ("timeout", "failed", "failed"),
    ],
)
def test_verdict_of_an_outcome(status: str, expected: str | None, verdict: str) -> None:
    assert judge({"status": status}, expected) == verdict
