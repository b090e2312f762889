"""Start the worker, watch it, and collect the outcomes; brian2 is not imported here."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_POLL_SECONDS = 0.1
_LONGEST_LOG = 4000

Outcome = dict[str, Any]


class SuiteError(RuntimeError):
    """The suite itself could not be run (as opposed to: a test failed)."""


@dataclass(frozen=True)
class Setting:
    """What is tested, and for how long (seconds) a test or a start may take."""

    device: str
    module: str
    test_limit: float
    start_limit: float = 120.0
    options: Mapping[str, object] = field(default_factory=dict)


class Worker:
    """A worker process in a session and folder of its own, and the events that it wrote."""

    def __init__(self, setting: Setting, phase: str, tests: list[str], folder: Path) -> None:
        self._events = folder / "events"
        self._log = folder / "log"
        self._read = 0
        specification = folder / "specification.json"
        specification.write_text(
            json.dumps(
                {
                    "device": setting.device,
                    "options": dict(setting.options),
                    "module": setting.module,
                    "phase": phase,
                    "tests": tests,
                    "limit": setting.test_limit,
                    "events": str(self._events),
                }
            )
        )
        self._events.touch()
        package = __package__ or "tests.brian2_suite"
        with open(self._log, "w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", f"{package}.worker", str(specification)],
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def new_events(self) -> list[dict[str, Any]]:
        """The events written since the last call; a half-written line is left for the next."""
        with open(self._events) as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        return [json.loads(line) for line in whole.splitlines()]

    def log(self) -> str:
        """The end of what the worker printed."""
        return self._log.read_text(errors="replace")[-_LONGEST_LOG:]

    def end(self) -> None:
        """End the worker and all of its children.

        They get a moment first: after a normal end something may still tidy up shared memory.
        """
        self._wait_for_group(1.0 if self.process.poll() is not None else 0.0)
        for which, patience in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 10.0)):
            if self._signal_group(which):
                self._wait_for_group(patience)

    def _signal_group(self, which: int) -> bool:
        """Signal all processes of the worker's group; False where there is none left."""
        try:
            os.killpg(self.process.pid, which)
        except ProcessLookupError:
            return False
        return True

    def _wait_for_group(self, patience: float) -> None:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            self.process.poll()  # reaps the worker, which would count as alive until then
            if not self._signal_group(0):
                return
            time.sleep(0.02)


def _environment() -> dict[str, str]:
    """The caller's environment; the worker's folder differs, so paths to import are made whole.

    What pytest is told of the caller's own run (a file for its results) is not for the worker.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(_ROOT), *(str(Path(path).resolve()) for path in given if path)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONFAULTHANDLER": "1",
        "PYTEST_ADDOPTS": "",
    }


@contextmanager
def _worker(setting: Setting, phase: str, tests: list[str]) -> Iterator[Worker]:
    folder = Path(tempfile.mkdtemp(prefix="brian2_suite_"))
    try:
        worker = Worker(setting, phase, tests, folder)
        try:
            yield worker
        finally:
            worker.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def collect(setting: Setting, phase: str) -> list[str]:
    """The node ids of all tests of `phase`, sorted.

    Raises SuiteError where the worker does not deliver them.
    """
    with _worker(setting, phase, []) as worker:
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(setting.start_limit)
        for event in worker.new_events():
            if event["event"] == "collected":
                return sorted(event["tests"])
        raise SuiteError(f"the tests of phase {phase!r} could not be collected:\n{worker.log()}")


def run_tests(
    setting: Setting, phase: str, tests: list[str], tell: Callable[[str, Outcome], None]
) -> dict[str, Outcome]:
    """Run `tests` one after the other and return an outcome for each.

    `tell` is called with each as it comes. Where a test ends its worker, by a crash or by reaching
    the limit, a new worker goes on with the next test.
    """
    outcomes: dict[str, Outcome] = {}
    remaining = list(tests)
    while remaining:
        with _worker(setting, phase, remaining) as worker:
            for test, outcome in _watch(worker, setting, remaining[0]):
                outcomes[test] = outcome
                tell(test, outcome)
        remaining = [test for test in remaining if test not in outcomes]
    return outcomes


def _watch(worker: Worker, setting: Setting, first: str) -> Iterator[tuple[str, Outcome]]:
    """Yield (test, outcome) until the worker ends or is to be ended, at least one.

    A worker that ends between two tests without any outcome charges its end to `first`.
    """
    running: str | None = None
    since = time.monotonic()
    finished = 0
    while True:
        ended = worker.process.poll() is not None
        for event in worker.new_events():
            now = time.monotonic()
            if event["event"] == "finish":
                running, finished = None, finished + 1
                yield event["test"], {**event["outcome"], "seconds": round(now - since, 2)}
            elif event["event"] == "start":
                running = event["test"]
            since = now
        seconds = time.monotonic() - since
        limit = setting.test_limit if running else setting.start_limit
        if ended or seconds > limit:
            if running or not finished:
                yield running or first, _cut_short(worker, ended, seconds)
            return
        time.sleep(_POLL_SECONDS)


def _cut_short(worker: Worker, ended: bool, seconds: float) -> Outcome:
    """The outcome of the test that was running when the worker crashed or ran out of time."""
    reason = f"no result within {seconds:.0f} s"
    if ended:
        reason = f"the worker ended with status {worker.process.returncode}"
    outcome: Outcome = {"status": "crashed" if ended else "timeout", "reason": reason}
    return {**outcome, "seconds": round(seconds, 2), "report": worker.log()}
