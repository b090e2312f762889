"""The process in which Brian2's tests run: it imports brian2, the supervisor does not.

`python -m tests.brian2_suite.worker SPEC.json`. The file names the phase, the device and its
options, the module that registers the device, the tests (an empty list: collect them only), the
seconds that each may take, and the file to which one JSON object a line is appended:
`{"event": "collected" | "start" | "finish", ...}`.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

import pytest

from .phases import PHASES, Phase

_LONGEST_REPORT = 6000


class Reporter:
    """A pytest plugin that writes what happens to each test, as it happens."""

    def __init__(self, events: TextIO) -> None:
        self._events = events
        self._outcome: dict[str, Any] = {}

    def emit(self, event: str, **fields: Any) -> None:
        self._events.write(json.dumps({"event": event, **fields}) + "\n")
        self._events.flush()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.emit("collected", tests=[item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._outcome = {"status": "passed"}
        self.emit("start", test=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._outcome = _failure(report)
        elif report.skipped and self._outcome["status"] == "passed":
            self._outcome = {"status": "skipped", "reason": _skip_reason(report)}

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.emit("finish", test=nodeid, outcome=self._outcome)


def _failure(report: pytest.TestReport) -> dict[str, Any]:
    """Status, the last line of the error, and the end of the report with what was printed."""
    text = report.longreprtext
    error = [line[1:].strip() for line in text.splitlines() if line.startswith("E  ")]
    printed = "".join(f"\n--- {title} ---\n{content}" for title, content in report.sections)
    return {
        "status": "failed",
        "reason": (error[-1] if error else text.strip().rpartition("\n")[2])[:400],
        "report": text[-_LONGEST_REPORT:] + printed[-_LONGEST_REPORT:],
    }


def _skip_reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return reason.removeprefix("Skipped: ")[:400]


def prepare_brian2(phase: Phase) -> None:
    """Bring preferences, units and log level to where `brian2.test` has them."""
    import brian2
    from brian2.units import fundamentalunits
    from brian2.utils.logger import LOG_LEVELS, BrianLogger

    brian2.prefs.reset_to_defaults()
    fundamentalunits.user_unit_register = fundamentalunits.UnitRegistry()
    BrianLogger.console_handler.setLevel(LOG_LEVELS["WARNING"])
    brian2.prefs["codegen.cpp.extra_compile_args_gcc"].extend(["-w", "-O0"])
    brian2.prefs["codegen.cpp.extra_compile_args_msvc"].extend(["/Od"])
    if phase.target is not None:
        brian2.prefs["codegen.target"] = phase.target


def pytest_arguments(phase: Phase, tests: list[str], limit: float) -> list[str]:
    """Brian2's pytest.ini and conftest.py; the tests by node id, or a search by marker.

    Shortly before `limit` (seconds) a test that hangs shows its Python stacks in the log.
    """
    import brian2

    package = Path(brian2.__file__).parent
    arguments = ["-c", str(package / "tests" / "pytest.ini"), "--confcutdir", str(package)]
    # The supervisor keeps the time, and one process runs one test at a time.
    arguments += ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:timeout", "--quiet"]
    arguments += ["-W", "ignore::pytest.PytestConfigWarning"]
    arguments += ["-o", f"faulthandler_timeout={max(1.0, limit - 2):g}"]
    if tests:
        return [str(package / "tests" / test) for test in tests] + arguments
    return [str(package), "--collect-only", "-m", phase.markers, *arguments]


def run(spec: dict[str, Any]) -> int:
    """Run (or collect) what `spec` names and return pytest's exit status."""
    phase = PHASES[spec["phase"]]
    prepare_brian2(phase)
    if spec["module"]:
        importlib.import_module(spec["module"])
    from brian2 import prefs
    from brian2.tests import PreferencePlugin

    # A NotImplementedError is a failure: nothing may hide as "skipped".
    preferences = PreferencePlugin(prefs, fail_for_not_implemented=True)
    if phase.on_device:
        preferences.device = spec["device"]
        preferences.device_options = {**phase.options, **spec["options"]}
    arguments = pytest_arguments(phase, spec["tests"], spec["limit"])
    with open(spec["events"], "a") as events:
        plugins = [preferences, Reporter(events)]
        return int(pytest.main(arguments, plugins=plugins))


def end_with_supervisor() -> None:
    """Ask the kernel to kill this process when its supervisor is gone (Linux only)."""
    if sys.platform == "linux":
        set_parent_death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


if __name__ == "__main__":
    end_with_supervisor()
    with open(sys.argv[1]) as file:
        specification = json.load(file)
    sys.exit(run(specification))
