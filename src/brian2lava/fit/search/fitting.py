"""A fit under way: all candidates and seeds, advanced a little at a time, stopped and resumed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brian2lava.chip.profiles import LAVA, LOIHI1, Arithmetic
from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch
from brian2lava.fit.batch.batch import Drive
from brian2lava.fit.candidates import CANDIDATES, Candidate, candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.search.leading import Leading, leading
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.optimisers import optimiser
from brian2lava.fit.search.result import FitResult, Found, evaluate, ranked
from brian2lava.fit.search.space import Space
from brian2lava.fit.search.trial import Trial, gathered
from brian2lava.fit.search.weights import weights_of
from brian2lava.fit.target import Target
from brian2lava.fit.target.resample import resampled

#: Of the version of :meth:`Fitting.state`.
STATE_VERSION = 1


@dataclass(frozen=True)
class FitOptions:
    """How a fit is made.

    Attributes
    ----------
    evaluations : int
        Register sets that are tried, a candidate and seed.
    seeds : int
        Searches of each candidate, with other random numbers; their spread is shown.
    window : float
        Seconds that matched spikes may be apart.
    dt : float or None
        The chip's time step in seconds; None: the target's.
    drive : "graded" or "bias"
        How the stimulus enters; Loihi 1 has the bias only.
    arithmetic : "lava" or "loihi1"
    optimiser : "auto", "cma" or "differential_evolution"
    workers : int
        Threads; results do not depend on how many.
    bounds, fixed : dict of candidate name to dict of parameter name to (low, high), or number
    weights : dict of str to float
        How much each score counts in what the search makes small, by the names of
        ``brian2lava.fit.search.weights.WEIGHTS``; those left out count what they do there.
    """

    evaluations: int = 12_000
    seeds: int = 3
    window: float = 2e-3
    dt: float | None = None
    drive: Drive = "graded"
    arithmetic: str = "lava"
    optimiser: str = "auto"
    workers: int = 2
    bounds: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    fixed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("evaluations", 500), ("seeds", 1), ("workers", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise FitError(f"{name}={value!r}: a whole number, {least} or more, is needed.")
        if not (np.isfinite(self.window) and self.window > 0):
            raise FitError(f"window={self.window!r}: a positive number of seconds is needed.")
        if self.dt is not None and not (np.isfinite(self.dt) and self.dt > 0):
            raise FitError(f"dt={self.dt!r}: a positive number of seconds is needed.")
        if self.profile() is LOIHI1 and self.drive == "graded":
            raise FitError(
                "arithmetic='loihi1' with drive='graded': Loihi 1 has no graded spikes. Use"
                " drive='bias'."
            )
        for kind in ("bounds", "fixed"):
            for name, values in getattr(self, kind).items():
                for parameter in values:
                    candidate(name).parameter(parameter)
        weights_of(self.weights)
        put = object.__setattr__
        put(self, "weights", {name: float(value) for name, value in self.weights.items()})

    def profile(self) -> Arithmetic:
        """The arithmetic profile."""
        profiles = {"lava": LAVA, "loihi1": LOIHI1}
        if self.arithmetic not in profiles:
            raise FitError(f"arithmetic={self.arithmetic!r}: fits know 'lava' and 'loihi1'.")
        return profiles[self.arithmetic]


@dataclass(frozen=True)
class Progress:
    """Where a fit stands.

    Attributes
    ----------
    done : float
        The part that is done, 0 .. 1.
    seconds : float
        Spent so far.
    left : float
        Seconds that the rest will take, at the speed so far; nan before the first round.
    trials : tuple of dict
        Candidate, seed, phase, evaluations, loss of each.
    """

    done: float
    seconds: float
    left: float
    trials: tuple[Mapping[str, Any], ...]


class Fitting:
    """All candidates, searched with all seeds.

    Parameters
    ----------
    target : Target
    candidates : sequence of str, optional
        Names; all that the drive can serve, where it is left out.
    options : FitOptions, optional
    """

    def __init__(
        self,
        target: Target,
        candidates: Sequence[str] | None = None,
        options: FitOptions | None = None,
    ) -> None:
        self.options = options or FitOptions()
        self.target = resampled(target, self.options.dt or target.dt)
        self.candidates = [candidate(n) for n in candidates or _fitting(self.options.drive)]
        if len({each.name for each in self.candidates}) < len(self.candidates):
            raise FitError("a candidate is named twice.")
        reach = max(float(np.abs(sweep.current).max()) for sweep in self.target.sweeps)
        self.frame = Frame(self.target.dt, reach, drive=self.options.drive)
        make = optimiser(self.options.optimiser)
        self._batches = {each.name: self._batch(each) for each in self.candidates}
        self.trials = [
            Trial(
                space=self._space(each),
                loss=self._loss(each),
                make=make,
                seed=seed,
                evaluations=self.options.evaluations,
            )
            for seed in range(self.options.seeds)
            for each in self.candidates
        ]
        self.seconds = 0.0
        self._seconds_of = {each.name: 0.0 for each in self.candidates}

    def _batch(self, each: Candidate) -> Batch:
        return Batch(each.model, self.options.profile(), self.options.drive)

    def _loss(self, each: Candidate) -> Loss:
        batch, options = self._batches[each.name], self.options
        return Loss(self.target, batch, options.window, options.weights)

    def _space(self, each: Candidate) -> Space:
        return Space(
            each,
            self.frame,
            self.options.bounds.get(each.name, {}),
            self.options.fixed.get(each.name, {}),
        )

    @property
    def done(self) -> bool:
        """Whether every trial is done."""
        return all(trial.done for trial in self.trials)

    def advance(self, seconds: float = 0.5, executor: Executor | None = None) -> Progress:
        """Search for about ``seconds``; with ``inf`` to the end.

        ``executor`` is where rounds of different trials run side by side; without one, threads.
        """
        started = time.perf_counter()
        if executor is not None:
            self._rounds(executor, started + seconds)
        elif self.options.workers == 1:
            while not self.done and time.perf_counter() < started + seconds:
                for trial in self._next(1):
                    self._round(trial)
        else:
            with ThreadPoolExecutor(self.options.workers) as pool:
                self._rounds(pool, started + seconds)
        self.seconds += time.perf_counter() - started
        return self.progress

    def _rounds(self, executor: Executor, until: float) -> None:
        while not self.done and time.perf_counter() < until:
            list(executor.map(self._round, self._next(self.options.workers)))

    def _next(self, count: int) -> list[Trial]:
        """The trials that have done the least."""
        waiting = [trial for trial in self.trials if not trial.done]
        return sorted(waiting, key=lambda trial: trial.spent / trial.evaluations)[:count]

    def _round(self, trial: Trial) -> None:
        started = time.perf_counter()
        trial.round()
        self._seconds_of[trial.space.candidate.name] += time.perf_counter() - started

    @property
    def progress(self) -> Progress:
        """Where it stands."""
        parts = [1.0 if t.done else min(1.0, t.spent / t.evaluations) for t in self.trials]
        done = float(np.mean(parts))
        return Progress(
            done=done,
            seconds=self.seconds,
            left=self.seconds * (1 - done) / done if done else float("nan"),
            trials=tuple(
                {
                    "candidate": trial.space.candidate.name,
                    "seed": trial.seed,
                    "phase": trial.phase,
                    "evaluations": trial.spent,
                    "loss": trial.best_loss,
                }
                for trial in self.trials
            ),
        )

    def leading(self) -> dict[str, Leading]:
        """The best of each candidate by now, the least loss first: for looks between advances."""
        return leading(self.trials)

    def result(self) -> FitResult:
        """What has been found by now.

        Raises
        ------
        FitError
            No trial has been advanced yet.
        """
        found = []
        for each in self.candidates:
            trials = [t for t in self.trials if t.space.candidate is each and t.best is not None]
            if trials:
                found.append(self._found(each, trials))
        if not found:
            raise FitError("nothing has been searched yet; advance the fit first.")
        return FitResult(self.target, ranked(found))

    def _found(self, each: Candidate, trials: Sequence[Trial]) -> Found:
        batch = self._batches[each.name]
        bests = gathered(trials)
        evaluations = tuple(evaluate(bests.one(k), self.target, batch) for k in range(len(trials)))
        k = int(np.argmin([trial.best_loss for trial in trials]))
        physical = each.to_physical(bests.one(k), self.frame)
        return Found(
            candidate=each,
            frame=self.frame,
            settings=bests.one(k),
            physical={name: float(np.ravel(value)[0]) for name, value in physical.items()},
            evaluation=evaluations[k],
            seeds=evaluations,
            losses=tuple(trial.best_loss for trial in trials),
            history=tuple(list(trial.history) for trial in trials),
            evaluations=sum(trial.spent for trial in trials),
            seconds=self._seconds_of[each.name],
        )

    # ------------------------------------------------------------ stopping and going on
    def state(self) -> dict[str, Any]:
        """What is needed to go on later, in lists and numbers (JSON)."""
        return {
            "version": STATE_VERSION,
            "seconds": self.seconds,
            "seconds_of": dict(self._seconds_of),
            "trials": [trial.state() for trial in self.trials],
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state` was taken, with the same target, candidates and options.

        Raises
        ------
        FitError
            The state is of a newer version, or of another fit.
        """
        if state["version"] > STATE_VERSION:
            raise FitError(
                f"this fit was made by a newer version (its state is {state['version']}, known is"
                f" {STATE_VERSION}); update brian2lava."
            )
        by_name = {(t["candidate"], t["seed"]): t for t in state["trials"]}
        wanted = {(t.space.candidate.name, t.seed) for t in self.trials}
        if set(by_name) != wanted:
            raise FitError("the state belongs to a fit of other candidates or seeds.")
        self.seconds = float(state["seconds"])
        self._seconds_of |= {n: float(s) for n, s in state["seconds_of"].items()}
        for trial in self.trials:
            trial.resume(by_name[trial.space.candidate.name, trial.seed])


def _fitting(drive: str) -> list[str]:
    """The candidates that a drive can serve."""
    return [
        name
        for name, each in CANDIDATES.items()
        if drive == "graded" or any(p.register == "bias_mant" for p in each.parameters)
    ]


def fit(
    target: Target,
    candidates: Sequence[str] | None = None,
    options: FitOptions | None = None,
    executor: Executor | None = None,
    **changed: Any,
) -> FitResult:
    """Fit candidates to a target, to the end.

    ``changed`` are fields of :class:`FitOptions`: ``fit(target, evaluations=5000, seeds=5)``.
    """
    chosen = replace(options or FitOptions(), **changed)
    fitting = Fitting(target, candidates, chosen)
    while not fitting.done:
        fitting.advance(float("inf"), executor)
    return fitting.result()
