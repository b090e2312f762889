"""What a fit found, candidate by candidate, on what it was trained on and on what it was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.candidates import Candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.metrics.score import Scales, Score, score
from brian2lava.fit.target import Target


@dataclass(frozen=True)
class Evaluation:
    """Settings (one register set) on a whole target.

    Attributes
    ----------
    trains : tuple of arrays of float64
        Spike times in seconds, one array a sweep.
    train, held_out : tuple of Score
        One a sweep; ``held_out`` is empty where the target holds nothing out.
    counters : dict of str to int
        How often states wrapped or saturated, in all sweeps.
    """

    trains: tuple[Any, ...]
    train: tuple[Score, ...]
    held_out: tuple[Score, ...]
    counters: Mapping[str, int]

    def gamma(self, part: str, window: int = 0) -> float:
        """Mean gamma factor over sweeps of "train" or "held_out"; nan where all refuse."""
        values = [each.gamma[window] for each in getattr(self, part)]
        known = [value for value in values if np.isfinite(value)]
        return float(np.mean(known)) if known else float("nan")


def evaluate(
    settings: Settings, target: Target, batch: Batch, scales: Scales | None = None
) -> Evaluation:
    """Run one register set through all sweeps of a target and score it."""
    trains: list[Any] = []
    train: list[Score] = []
    held_out: list[Score] = []
    counters: dict[str, int] = {}
    for sweep in target.sweeps:
        out = batch.run(settings, Stimulus(sweep.current), capacity=sweep.steps)
        own = out.train(0).astype(np.float64) * target.dt
        trains.append(own)
        for name, values in out.counters.items():
            counters[name] = counters.get(name, 0) + int(values[0])
        end = sweep.steps * target.dt
        for spans, found in ((target.train, train), (target.held_out, held_out)):
            inside = [(a, min(b, end)) for a, b in spans if a < end]
            if inside and sweep.spikes:
                found.append(score(sweep.spikes, own, inside, scales))
    return Evaluation(tuple(trains), tuple(train), tuple(held_out), counters)


@dataclass(frozen=True)
class Found:
    """The best of a candidate.

    Attributes
    ----------
    candidate : Candidate
    frame : Frame
    settings : Settings of size 1
        Of the seed whose training loss is least.
    physical : dict of str to float
        What its registers mean.
    evaluation : Evaluation
    seeds : tuple of Evaluation
        The best of every seed, for the spread.
    losses : tuple of float
        Training loss of every seed.
    history : tuple of lists of (evaluations, loss)
    evaluations : int
    seconds : float
    """

    candidate: Candidate
    frame: Frame
    settings: Settings
    physical: Mapping[str, float]
    evaluation: Evaluation
    seeds: tuple[Evaluation, ...]
    losses: tuple[float, ...]
    history: tuple[Any, ...]
    evaluations: int
    seconds: float

    def mean_and_spread(self, part: str) -> tuple[float, float]:
        """Mean and standard deviation over seeds of the gamma factor of "train" or "held_out"."""
        values = np.array([each.gamma(part) for each in self.seeds])
        values = values[np.isfinite(values)]
        if not values.size:
            return float("nan"), float("nan")
        return float(values.mean()), float(values.std())


@dataclass(frozen=True)
class FitResult:
    """What a fit found.

    Attributes
    ----------
    target : Target
        As it was fitted: at the chip's time step.
    found : tuple of Found
        Best first, by the held-out gamma factor of the register set that training chose.
    """

    target: Target
    found: tuple[Found, ...]

    @property
    def best(self) -> Found:
        """The first."""
        return self.found[0]

    def __getitem__(self, name: str) -> Found:
        for each in self.found:
            if each.candidate.name == name:
                return each
        raise KeyError(
            f"{name!r} was not fitted; {', '.join(f.candidate.name for f in self.found)}"
        )

    def table(self) -> list[dict[str, Any]]:
        """A row a candidate."""
        rows = []
        for each in self.found:
            (train, _), (held, spread) = (each.mean_and_spread(p) for p in ("train", "held_out"))
            rows.append({
                "candidate": each.candidate.name,
                "held_out": each.evaluation.gamma("held_out"),
                "held_out_mean": held,
                "held_out_spread": spread,
                "train": each.evaluation.gamma("train"),
                "train_mean": train,
                "stock": each.candidate.stock,
                "evaluations": each.evaluations,
                "seconds": each.seconds,
                **{name: float(value) for name, value in each.physical.items()},
            })  # fmt: skip
        return rows

    def __str__(self) -> str:
        lines = [
            f"{self.target.name}: gamma factor at 2 ms on the held-out part (with the mean and the"
            " spread over seeds) and on the trained one",
            f"{'candidate':<14}{'held out':>10}{'mean':>8}{'spread':>8}{'train':>8}  process",
        ]
        for row in self.table():
            lines.append(
                f"{row['candidate']:<14}{row['held_out']:>10.3f}{row['held_out_mean']:>8.3f}"
                f"{row['held_out_spread']:>8.3f}{row['train']:>8.3f}"
                f"  {'Lava' if row['stock'] else 'ours'}"
            )
        return "\n".join(lines)


def ranked(found: Sequence[Found]) -> tuple[Found, ...]:
    """Best first; those without a held-out score by what they were trained on, last."""

    def key(each: Found) -> tuple[bool, float]:
        held = each.evaluation.gamma("held_out")
        if np.isfinite(held):
            return False, -held
        train = each.evaluation.gamma("train")
        return True, -train if np.isfinite(train) else np.inf

    return tuple(sorted(found, key=key))
