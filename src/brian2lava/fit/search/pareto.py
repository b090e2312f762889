"""The front between several losses of a candidate: fits of single losses, and what lies between."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.search.dominance import ranks, thinned
from brian2lava.fit.search.evolution import method_of
from brian2lava.fit.search.fitting import FitOptions, Fitting
from brian2lava.fit.search.front import Front, Point
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.objectives import (
    IMPOSSIBLE,
    Objectives,
    alone,
    objectives_of,
    on_held_out,
)
from brian2lava.fit.search.optimisers import optimiser
from brian2lava.fit.search.registers import joined
from brian2lava.fit.search.space import Space
from brian2lava.fit.search.trial import Trial
from brian2lava.fit.search.weights import WEIGHTS
from brian2lava.fit.target import Target

#: Points of a generation; a few more than lanes of the batch would gain nothing.
_SIZE = 48
#: The part of all evaluations that goes to fits of single losses, which the front begins with:
#: a front between silent neurons would go nowhere.
_SINGLE = 0.7
#: Scores that lead a fit of a single loss to where it has something to say, and how much.
_LEADING = {"f1_wide": 0.1, "f1_widest": 0.1}
#: Around what these fits found, in the unit cube.
_SPREAD = 0.08
#: Register sets that are kept while it is searched.
_KEPT = 256


def pareto(
    target: Target,
    candidate: str,
    objectives: Sequence[str] = ("f1", "voltage"),
    *,
    method: str = "nsga2",
    seed: int = 0,
    points: int = 16,
    options: FitOptions | None = None,
    stop: Callable[[], bool] = lambda: False,
    **changed: Any,
) -> Front:
    """The front of a candidate between two or three losses.

    Parameters
    ----------
    target : Target
    candidate : str
        Its name.
    objectives : sequence of str
        Two or three of ``brian2lava.fit.search.objectives.OBJECTIVES``: the scores of the loss, and
        what a chip pays.
    method : "nsga2" or "pymoo"
        Our own NSGA-II, or NSGA-II and for three objectives NSGA-III of the extra ``pareto``.
    seed : int
        The same has the same front.
    points : int
        At most so many are returned, evenly spread.
    options : FitOptions, optional
        Its ``seeds`` and ``workers`` say nothing here, and ``weights`` are refused.
    stop : function, optional
        Asked between any two rounds; where it is true, what was found by then is returned.
    changed
        Fields of ``FitOptions``: ``evaluations=4000, dt=0.5e-3``.

    Raises
    ------
    FitError
        Objectives that there are not or that the target does not have, a method that is not
        installed, or a stop before anything was found.
    """
    started = time.perf_counter()
    names, make = objectives_of(objectives), method_of(method)
    chosen = replace(options or FitOptions(), **changed)
    _refuse(chosen, seed, points)
    fitting = Fitting(target, [candidate], replace(chosen, seeds=1))
    (each,), (trial,) = fitting.candidates, fitting.trials
    losses = Objectives(fitting.target, trial.loss.batch, chosen.window, names)
    search = _Search(trial.space, losses, chosen, seed, stop)
    search.singly()
    if not search.settings:
        raise FitError("nothing has been searched yet; the front was stopped before it began.")
    search.between(make(search.first(), len(names), seed))
    found, values = search.front(points)
    held = on_held_out(found, fitting.target, losses.batch, chosen.window, names)
    physical = each.to_physical(found, fitting.frame)
    return Front(
        target=fitting.target,
        candidate=each,
        frame=fitting.frame,
        objectives=names,
        points=tuple(
            Point(
                found.one(k),
                {name: float(np.broadcast_to(v, len(found))[k]) for name, v in physical.items()},
                dict(zip(names, values[k].tolist())),
                dict(zip(names, held.losses[k].tolist())),
            )
            for k in range(len(found))
        ),
        refused=held.refused,
        batch=losses.batch,
        evaluations=search.spent,
        seconds=time.perf_counter() - started,
    )


def _refuse(options: FitOptions, seed: int, points: int) -> None:
    if options.weights:
        raise FitError(
            "weights: a front has objectives in their place; leave them out, and choose from the"
            " front by front.chosen(weights)."
        )
    for name, value, least in (("seed", seed, 0), ("points", points, 3)):
        if not isinstance(value, int) or value < least:
            raise FitError(f"{name}={value!r}: a whole number, {least} or more, is needed.")


@dataclass
class _Search:
    """What was evaluated so far, and the best of it.

    Attributes
    ----------
    settings : list of one Settings, or empty
        The front so far; ``losses`` are theirs, shape (size, objectives).
    """

    space: Space
    objectives: Objectives
    options: FitOptions
    seed: int
    stop: Callable[[], bool]
    spent: int = 0
    settings: list[Settings] = field(default_factory=list)
    losses: Any = None

    def singly(self) -> None:
        """Fits of each score alone, and of all of them together."""
        scores = [name for name in self.objectives.names if name in WEIGHTS]
        sums = [{name} for name in scores] + ([set(scores)] if len(scores) > 1 else [])
        budget = int(_SINGLE * self.options.evaluations / len(sums))
        for k, names in enumerate(sums):
            weights = {**_LEADING, **dict.fromkeys(names, 1.0)}
            loss = Loss(
                self.objectives.target, self.objectives.batch, self.options.window,
                {**alone(()), **weights},
            )  # fmt: skip
            make = optimiser(self.options.optimiser)
            trial = Trial(self.space, loss, make, self.seed * len(sums) + k, budget)
            while not trial.done and trial.spent < budget and not self.stop():
                trial.round()
            self.spent += trial.spent
            if trial.best is not None:
                self.evaluate(trial.best)

    def first(self) -> Any:
        """The first generation: what was found, around it, and anywhere; (size, dimensions)."""
        rng = np.random.default_rng((self.seed, 1))
        (known,) = self.settings
        physical = self.space.candidate.to_physical(known, self.space.frame)
        best = self.space.points(physical)
        near = best[np.arange(_SIZE // 2) % len(best)]
        near = near + rng.normal(0.0, _SPREAD, near.shape)
        anywhere = rng.random((_SIZE, self.space.dimensions))
        return np.clip(np.concatenate([best, near, anywhere])[:_SIZE], 0.0, 1.0)

    def between(self, search: Any) -> None:
        """Generations until the evaluations are spent."""
        while self.spent < self.options.evaluations and not self.stop():
            points = search.ask()
            search.tell(points, self.evaluate(self.space.settings(points)))

    def evaluate(self, settings: Settings) -> Any:
        """The losses, shape (size, objectives); what is on the front is kept."""
        losses = self.objectives.each(settings)
        self.spent += len(settings)
        together = joined([*self.settings, settings])
        every = losses if self.losses is None else np.concatenate([self.losses, losses])
        _, first = np.unique(every, axis=0, return_index=True)
        mine = first[(ranks(every[first]) == 0) & (every[first] < IMPOSSIBLE).all(axis=1)]
        if mine.size:
            mine = mine[thinned(every[mine], _KEPT)]
            self.settings, self.losses = [together.take(mine)], every[mine]
        return losses

    def front(self, count: int) -> tuple[Settings, Any]:
        """At most ``count`` of the front, by the first objective."""
        (settings,) = self.settings
        kept = thinned(self.losses, count)
        kept = kept[np.lexsort(self.losses[kept].T[::-1])]
        return settings.take(kept), self.losses[kept]
