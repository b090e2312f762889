"""Where the time of a run goes, and what is said of it while it runs."""

from __future__ import annotations

import sys
import time
from typing import Any

from brian2.core.network import Network, TextReport
from brian2.units import second


class Stopwatch:
    """Wall time by phase."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, phase: str) -> float:
        """The time since the last lap goes to ``phase``."""
        now = time.perf_counter()
        spent = now - self._since
        self.phases[phase] = self.phases.get(phase, 0.0) + spent
        self._since = now
        return spent


class Reporter:
    """The progress report of a run (``report=`` and ``report_period=``)."""

    def __init__(self, report: Any, period: Any, net: Network, t_start: Any, duration: Any) -> None:
        self._callback = _callback(report)
        self._period = float(period)
        self._t_start = t_start
        self._duration = duration
        self._began = time.time()
        self._next = self._began + self._period

    def first(self) -> None:
        """The report at the beginning."""
        if self._callback is not None:
            self._callback(0 * second, 0.0, self._t_start, self._duration)

    def seconds_left(self) -> float:
        """Until the next report is due."""
        if self._callback is None:
            return float("inf")
        return max(0.0, self._next - time.time())

    def due(self) -> bool:
        """Whether it is time for the next report."""
        return self._callback is not None and time.time() > self._next

    def maybe(self, t: float) -> None:
        """The report, if it is due."""
        if not self.due():
            return
        now = time.time()
        self._callback(
            (now - self._began) * second,
            (t - float(self._t_start)) / float(self._duration),
            self._t_start,
            self._duration,
        )
        self._next = now + self._period

    def last(self, device: Any) -> None:
        """The report at the end."""
        if self._callback is not None:
            self._callback(
                (time.time() - self._began) * second,
                device._last_run_completed_fraction,
                self._t_start,
                self._duration,
            )


def _callback(report: Any) -> Any:
    if report is None:
        return None
    if report in ("text", "stdout"):
        return TextReport(sys.stdout)
    if report == "stderr":
        return TextReport(sys.stderr)
    if isinstance(report, str):
        raise ValueError(f'Do not know how to handle report argument "{report}".')
    if callable(report):
        return report
    raise TypeError(
        "Do not know how to handle report argument, it has to be one of 'text', 'stdout', "
        f"'stderr', or a callable function/object, but it is of type {type(report)}"
    )
