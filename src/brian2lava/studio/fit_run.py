"""A fit in the background: started, paused, resumed, stopped; and what it has found by now."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.search import FitOptions, FitResult, Fitting
from brian2lava.fit.search.leading import Leading
from brian2lava.fit.session import KeptFit
from brian2lava.fit.target import Target

#: Seconds of searching between two looks at what the page wants, and between two rankings.
_SLICE, _RANKING = 0.25, 2.0
#: Settings that are tried to say how long a fit will take.
_CALIBRATION = 256
#: What a search adds: to the time of its evaluations, and to each (seconds; optimisers, scores).
_LONGER, _EACH = 1.5, 70e-6


class FitRun:
    """At most one fit at a time; its result stays until the next one begins."""

    def __init__(self) -> None:
        self.fitting: Fitting | None = None
        self.target: Target | None = None
        self.result: FitResult | None = None
        #: What leads by now, by candidate, the least loss first; replaced as a whole.
        self.bests: Mapping[str, Leading] = {}
        self.error = ""
        self.running = self.stopped = False
        self.changes = 0
        self._wanted = False
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._ranked_at = 0.0
        self.estimate: float | None = None
        self._no_estimate = ""
        self._asked = 0

    # --- what the page wants ---------------------------------------------------------------------
    def start(self, target: Target, names: Sequence[str], options: FitOptions) -> None:
        """Begin anew.

        Raises
        ------
        FitError
            A fit is running, no candidate is chosen, or the target can't be fitted.
        """
        if self.running:
            raise FitError("a fit is running; pause or stop it before another begins.")
        if not names:
            raise FitError("no candidate is chosen; choose at least one.")
        fitting = Fitting(target, list(names), options)
        with self._lock:
            self.fitting, self.target = fitting, target
            self.result, self.error, self.stopped = None, "", False
            self.bests = {}
        self.go_on()

    def pause(self) -> None:
        """Stop searching; :meth:`go_on` continues."""
        self._wanted = False
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def go_on(self) -> None:
        """Continue, where something is left to do."""
        if self.fitting is None:
            raise FitError("there is no fit to go on with; start one.")
        if self.running or self.fitting.done:
            return
        self._wanted = self.running = True
        self._thread = threading.Thread(target=self._run, name="brian2lava-fit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Be content with what has been found."""
        self.pause()
        with self._lock:
            self._rank()
            self.stopped = True
        self.changes += 1

    def _run(self) -> None:
        try:
            while self._wanted and self.fitting is not None and not self.fitting.done:
                with self._lock:
                    self.fitting.advance(_SLICE)
                    self.bests = self.fitting.leading()
                    if time.monotonic() > self._ranked_at + _RANKING:
                        self._rank()
                self.changes += 1
        except BrianLavaError as error:
            self.error = str(error)
        finally:
            with self._lock:
                if not self.error:
                    self._rank()
                self.running = False
            self.changes += 1

    def _rank(self) -> None:
        if self.fitting is not None and any(t.best is not None for t in self.fitting.trials):
            self.result = self.fitting.result()
        self._ranked_at = time.monotonic()

    def estimate_in_background(
        self, target: Target, names: Sequence[str], options: FitOptions
    ) -> None:
        """Find out how long a fit would take; the report says it then. The newest question counts.

        Elsewhere, for the first time it compiles.
        """
        self._asked += 1
        self.estimate, self._no_estimate = None, ""
        threading.Thread(
            target=self._estimate, args=(self._asked, target, names, options), daemon=True
        ).start()

    def _estimate(
        self, number: int, target: Target, names: Sequence[str], options: FitOptions
    ) -> None:
        found, trouble = float("nan"), ""
        try:
            found = estimate(target, names, options)
        except BrianLavaError as error:
            trouble = str(error)
        if number == self._asked:
            self.estimate, self._no_estimate = found, trouble
            self.changes += 1

    # --- what the page is told -------------------------------------------------------------------
    def report(self) -> dict[str, Any]:
        """Where it stands: a header for the page."""
        fitting = self.fitting
        found: dict[str, Any] = {
            "running": self.running,
            "can_resume": fitting is not None
            and not (fitting.done or self.running or self.stopped),
            "error": self.error or self._no_estimate,
            "rows": [] if self.result is None else rows(self.result),
            "done": 0.0,
            "seconds": 0.0,
            "left": None,
            "estimate": self.estimate,
            "bests": [{"candidate": name, "loss": each.loss} for name, each in self.bests.items()],
        }
        if fitting is not None:
            progress = fitting.progress
            found |= {
                "done": progress.done,
                "seconds": progress.seconds,
                "left": progress.left,
                "trials": list(progress.trials),
                "candidates": [each.name for each in fitting.candidates],
            }
        return found

    def curves(self) -> dict[str, Any]:
        """Convergence: a candidate's best training loss over its evaluations, over all seeds."""
        fitting = self.fitting
        if fitting is None:
            return {}
        arrays: dict[str, Any] = {}
        for each in fitting.candidates:
            points = sorted(
                (spent, loss)
                for trial in fitting.trials
                if trial.space.candidate is each
                for spent, loss in list(trial.history)
            )
            if points:
                spent, losses = np.array(points).T
                arrays[f"{each.name}_spent"] = spent
                arrays[f"{each.name}_loss"] = np.minimum.accumulate(losses)
        return arrays

    def kept(self) -> KeptFit | None:
        """The fit as a session keeps it; None without one."""
        with self._lock:
            if self.fitting is None or self.target is None:
                return None
            return KeptFit.of(self.fitting, self.target)

    def restore(self, fitting: Fitting, target: Target) -> None:
        """A fit as it was left, paused."""
        self.fitting, self.target = fitting, target
        self.bests = fitting.leading()
        self._rank()


def rows(result: FitResult) -> list[dict[str, Any]]:
    """The ranking as the page shows it."""
    found = []
    for each, row in zip(result.found, result.table()):
        scores = each.evaluation.held_out or each.evaluation.train
        found.append({
            **{name: row[name] for name in (
                "candidate", "held_out", "held_out_mean", "held_out_spread", "train", "train_mean",
                "stock", "evaluations", "seconds",
            )},
            "title": each.candidate.title,
            "parameters": len(each.candidate.parameters),
            "precision": scores[0].precision[0] if scores else None,
            "recall": scores[0].recall[0] if scores else None,
            "counters": dict(each.evaluation.counters),
            "physical": dict(each.physical),
        })  # fmt: skip
    return found


def estimate(target: Target, names: Sequence[str], options: FitOptions) -> float:
    """Seconds that a fit will take on this machine, from a short trial of each candidate."""
    total = 0.0
    fitting = Fitting(target, list(names), options)
    for trial in fitting.trials[: len(fitting.candidates)]:
        settings = trial.space.settings(
            np.random.default_rng(0).random((_CALIBRATION, trial.space.dimensions))
        )
        trial.loss.free(settings.one(0))  # compiles where it has to
        began = time.perf_counter()
        trial.loss.free(settings)
        total += (time.perf_counter() - began) / _CALIBRATION
    each = total * _LONGER / options.workers + _EACH * len(fitting.candidates)
    return each * options.evaluations * options.seeds
