"""A front: register sets of a candidate of which none is better than another in everything."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Settings
from brian2lava.fit.candidates import Candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.search.dominance import knee
from brian2lava.fit.search.result import FitResult, Found, evaluate
from brian2lava.fit.target import Target


@dataclass(frozen=True)
class Point:
    """A register set on the front.

    Attributes
    ----------
    settings : Settings of size 1
    physical : dict of str to float
        What its registers mean.
    train, held_out : dict of str to float
        Every loss, where it was searched and where it was not; nan where one can't be had.
    """

    settings: Settings
    physical: Mapping[str, float]
    train: Mapping[str, float]
    held_out: Mapping[str, float]


@dataclass(frozen=True)
class Front:
    """What :func:`brian2lava.fit.pareto` found.

    Attributes
    ----------
    target : Target
        As it was fitted: at the chip's time step.
    candidate : Candidate
    frame : Frame
    objectives : tuple of str
    points : tuple of Point
        By the first objective, on the training spans; so are the front itself and every choice.
    refused : dict of str to str
        Objectives that the held-out part does not have, and why.
    batch : Batch
        What the candidate was run on.
    evaluations : int
    seconds : float
    """

    target: Target
    candidate: Candidate
    frame: Frame
    objectives: tuple[str, ...]
    points: tuple[Point, ...]
    refused: Mapping[str, str]
    batch: Batch
    evaluations: int
    seconds: float

    def losses(self, part: str = "train") -> Any:
        """Losses of "train" or "held_out", shape (points, objectives)."""
        return np.array([list(getattr(point, part).values()) for point in self.points])

    # ------------------------------------------------------------ choices
    def knee(self) -> Point:
        """Where nothing can be gained without losing more (each loss scaled to the front's width),
        on the training spans."""
        return self.points[knee(self.losses())]

    def chosen(self, weights: Mapping[str, float]) -> Point:
        """The point whose weighted sum of losses is least on the training spans.

        Raises
        ------
        FitError
            A name that is none of the objectives, or weights of which none is above 0.
        """
        for name, value in weights.items():
            if name not in self.objectives:
                raise FitError(
                    f"weights: {name!r} is none of this front's objectives; they are"
                    f" {', '.join(self.objectives)}."
                )
            if not (math.isfinite(value) and value >= 0):
                raise FitError(f"weights: {name}={value!r}; a number of 0 or more is needed.")
        each = np.array([float(weights.get(name, 0.0)) for name in self.objectives])
        if not each.any():
            raise FitError("weights: all are 0, so no point is the best. Give at least one.")
        return self.points[int(np.argmin(self.losses() @ each))]

    def result(self, point: Point | None = None) -> FitResult:
        """A point (the knee, unless another is given) as a fit's result.

        ``verify(result.best, result.target)`` and ``export(result, folder)`` take it as any other;
        its loss is the mean of the objectives.
        """
        taken = self.knee() if point is None else point
        evaluation = evaluate(taken.settings, self.target, self.batch)
        loss = float(np.mean(list(taken.train.values())))
        found = Found(
            candidate=self.candidate, frame=self.frame, settings=taken.settings,
            physical=taken.physical, evaluation=evaluation, seeds=(evaluation,), losses=(loss,),
            history=([(self.evaluations, loss)],), evaluations=self.evaluations,
            seconds=self.seconds,
        )  # fmt: skip
        return FitResult(self.target, (found,))

    # ------------------------------------------------------------ to look at
    def table(self) -> list[dict[str, Any]]:
        """A row a point: losses, physical values, registers."""
        middle = self.knee()
        return [
            {
                "candidate": self.candidate.name,
                "knee": point is middle,
                **{f"train {name}": value for name, value in point.train.items()},
                **{f"held_out {name}": value for name, value in point.held_out.items()},
                **point.physical,
                **{f"register {n}": int(v[0]) for n, v in point.settings.registers.items()},
            }
            for point in self.points
        ]

    def to_frame(self) -> Any:
        """The table as a ``pandas.DataFrame``.

        Raises
        ------
        FitError
            pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise FitError(
                "to_frame() needs pandas, which is not installed: pip install pandas. table()"
                " works without it."
            ) from None
        return pandas.DataFrame(self.table())

    def figure(self) -> str:
        """The front as an SVG document: trained and held-out losses, and the knee."""
        from brian2lava.fit.search.front_figure import front_figure

        return front_figure(self)

    def __str__(self) -> str:
        wide = [max(10, len(name) + 2) for name in self.objectives]
        names = "".join(f"{name:>{w}}" for name, w in zip(self.objectives, wide))
        total, middle = sum(wide), self.knee()
        lines = [
            f"{self.target.name}, {self.candidate.name}: {len(self.points)} register sets of which"
            f" none is better in all of {', '.join(self.objectives)} (* knee)",
            f"{'':>4}{'trained':>{total}} |{'held out':>{total}}",
            f"{'':>4}{names} |{names}",
        ]
        for k, point in enumerate(self.points):
            train, held = (
                "".join(f"{value:>{w}.3f}" for value, w in zip(part.values(), wide))
                for part in (point.train, point.held_out)
            )
            lines.append(f"{k:>3}{'*' if point is middle else ' '}{train} |{held}")
        lines += [f"{name}, held out: {why}" for name, why in self.refused.items()]
        return "\n".join(lines)
