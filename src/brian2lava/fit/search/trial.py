"""One candidate searched with one seed: sample, forced, free, and the registers' last bits.

1. *sample*: points all over the cube.
2. *forced*: optimisers started at the best of them, on the forced loss (see
   :mod:`brian2lava.fit.batch.kernel`), which is smooth and has few local minima. Left out for
   neurons that have no margin to a threshold.
3. *free*: optimisers on the spikes that the neuron fires by itself. They race: the fewer are
   left, the more generations each has, and a covariance of ten parameters needs some hundred.
4. *polish*: single bits of the registers.

A trial stops between any two rounds and goes on from what :meth:`Trial.state` returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.batch.kernel import has_margin
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.optimisers import Maker, Optimiser
from brian2lava.fit.search.registers import RegisterSearch, joined
from brian2lava.fit.search.space import Space

PHASES = ("sample", "forced", "free", "polish", "done")
#: The part of all evaluations after which a phase ends.
_UNTIL = {"sample": 0.12, "forced": 0.3, "free": 0.9, "polish": 1.0}
#: Optimisers side by side, (the part of a phase after which, how many), and the points that each
#: proposes; together a batch. Of those that stop, the best stay.
_SIDE_BY_SIDE = {"forced": ((0.0, 4),), "free": ((0.0, 6), (0.3, 3), (0.6, 2))}
_PROPOSED = 24
_SPREAD = {"forced": 0.15, "free": 0.08}
#: Optimisers begin at least so far from each other, in one parameter of the unit cube.
_APART = 0.2
_ROUND = 256


@dataclass
class _Racing:
    """An optimiser, and the least loss that it has seen."""

    optimiser: Optimiser
    best: float = np.inf


@dataclass
class Trial:
    """A search of one candidate.

    Attributes
    ----------
    space : Space
    loss : Loss
    make : function that makes an optimiser
    seed : int
    evaluations : int
        How many settings may be evaluated in all.
    phase : str
        One of ``PHASES``.
    spent : int
    best : Settings of size 1, or None
    best_loss : float
        The free loss of ``best``.
    history : list of (spent, best loss)
    """

    space: Space
    loss: Loss
    make: Maker
    seed: int
    evaluations: int
    phase: str = "sample"
    spent: int = 0
    best: Settings | None = None
    best_loss: float = np.inf
    history: list[tuple[int, float]] = field(default_factory=list)
    _starts: Any = None
    _running: list[_Racing] = field(default_factory=list)
    _registers: RegisterSearch | None = None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.phase == "done"

    def round(self) -> None:
        """Evaluate one batch, and go on to the next phase where this one is over."""
        if self.done:
            return
        {
            "sample": self._sample,
            "forced": self._optimise,
            "free": self._optimise,
            "polish": self._polish,
        }[self.phase]()
        if self.best_loss <= 0:
            self._enter("done")
        elif self.spent >= _UNTIL[self.phase] * self.evaluations:
            self._next()

    # ------------------------------------------------------------ phases
    def _next(self) -> None:
        place = PHASES.index(self.phase) + 1
        if PHASES[place] == "forced" and not self._can_be_forced():
            place += 1
        self._enter(PHASES[place])

    def _enter(self, phase: str) -> None:
        if self.phase == "forced":
            # what the forced loss likes may fire quite differently by itself: let both compete
            self._starts = np.concatenate([self._starts, self._bests()])
        self.phase, self._running, self._registers = phase, [], None

    def _can_be_forced(self) -> bool:
        return has_margin(self.space.candidate.neuron, self.loss.batch.arithmetic)

    def _sample(self) -> None:
        from scipy.stats import qmc  # a second of importing that others need not wait for

        size = max(64, int(_UNTIL["sample"] * self.evaluations))
        sampler = qmc.Sobol(self.space.dimensions, seed=self.seed)
        points = sampler.random_base2(int(np.ceil(np.log2(size))))[:size]
        losses = self._free(points)
        order = np.argsort(losses, kind="stable")
        self._starts = points[order[:64]]
        if self._can_be_forced():
            forced = self._forced(points)
            order = np.argsort(forced, kind="stable")
            self._starts = np.concatenate([points[order[:32]], self._starts[:32]])

    def _optimise(self) -> None:
        evaluate = self._forced if self.phase == "forced" else self._free
        if not self._running:
            self._begin(evaluate)
        self._running = sorted(self._running, key=lambda each: each.best)[: self._places()]
        asked = [each.optimiser.ask() for each in self._running]
        losses = evaluate(np.concatenate(asked))
        for each, points in zip(self._running, asked):
            own, losses = losses[: len(points)], losses[len(points) :]
            each.optimiser.tell(points, own)
            each.best = min(each.best, float(own.min()))
        for k, each in enumerate(self._running):
            if each.optimiser.converged:
                self._running[k] = _Racing(self._anew(k))

    def _places(self) -> int:
        """How many optimisers run side by side at this point of a phase."""
        first, last = _UNTIL[PHASES[PHASES.index(self.phase) - 1]], _UNTIL[self.phase]
        part = (self.spent / self.evaluations - first) / (last - first)
        return [n for after, n in _SIDE_BY_SIDE[self.phase] if after <= max(0.0, part)][-1]

    def _begin(self, evaluate: Any) -> None:
        starts = self._starts
        if self.best is not None and self.phase == "free":
            starts = np.concatenate([starts, self._point_of(self.best)])
        order = np.argsort(evaluate(starts), kind="stable")
        spread, seed = _SPREAD[self.phase], 1000 * self.seed
        self._running = [
            _Racing(self.make(start, spread, _PROPOSED, seed + k))
            for k, start in enumerate(_apart(starts[order], self._places()))
        ]

    def _anew(self, k: int) -> Optimiser:
        """In the place of one that has converged: one around the best, or somewhere else."""
        rng = np.random.default_rng((self.seed, self.spent, k))
        if k % 2 and self.best is not None:
            start = self._point_of(self.best)[0]
        else:
            start = rng.random(self.space.dimensions)
        spread = (0.02, 0.2)[k % 2 == 0]
        return self.make(start, spread, _PROPOSED, int(rng.integers(1 << 30)))

    def _bests(self) -> Any:
        """Proposals of each optimiser, as good as its last generation."""
        if not self._running:
            return self._starts[:0]
        return np.clip(np.concatenate([each.optimiser.ask()[:4] for each in self._running]), 0, 1)

    def _polish(self) -> None:
        if self._registers is None:
            assert self.best is not None
            names = [n for n in self.space.candidate.polish if self._moves(n)]
            self._registers = RegisterSearch(
                self.best, names, self._free_settings, self.seed, size=_ROUND
            )
        self._registers.round()

    def _moves(self, name: str) -> bool:
        """Whether single bits of a register are searched; those of fixed parameters are not.

        Without a synapse its weight is 0 and its current decays for nothing.
        """
        of_synapses = ["weight", "weight2", "du", "delta_i"]
        if len(self.space.candidate.neuron.ports) == 1:
            of_synapses.append("own_weight")
        if self.space.frame.drive == "bias" and name in of_synapses:
            return False
        fixed = [self.space.candidate.parameter(each) for each in self.space.fixed]
        if name in ("vth", "theta_0"):
            # all that is measured in thresholds goes with it
            return not any(each.unit in ("threshold", "1/I") for each in fixed)
        return name not in {each.register for each in fixed}

    # ------------------------------------------------------------ evaluation
    def _free(self, points: Any) -> Any:
        return self._free_settings(self.space.settings(points))

    def _free_settings(self, settings: Settings) -> Any:
        losses = self.loss.free(settings)
        self.spent += len(settings)
        k = int(np.argmin(losses))
        if losses[k] < self.best_loss:
            self.best, self.best_loss = settings.one(k), float(losses[k])
        self.history.append((self.spent, self.best_loss))
        return losses

    def _forced(self, points: Any) -> Any:
        settings = self.space.settings(points)
        self.spent += len(settings)
        return self.loss.forced(settings, self.space.frame.threshold << 6)

    def _point_of(self, settings: Settings) -> Any:
        return self.space.points(self.space.candidate.to_physical(settings, self.space.frame))

    # ------------------------------------------------------------ stopping and going on
    def state(self) -> dict[str, Any]:
        """What is needed to go on, in lists and numbers."""
        return {
            "candidate": self.space.candidate.name,
            "seed": self.seed,
            "evaluations": self.evaluations,
            "phase": self.phase,
            "spent": self.spent,
            "best_loss": self.best_loss if np.isfinite(self.best_loss) else None,
            "best": None if self.best is None else settings_state(self.best),
            "history": [list(each) for each in self.history],
            "starts": None if self._starts is None else np.asarray(self._starts).tolist(),
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on where :meth:`state` was taken; optimisers begin anew around the best."""
        self.phase, self.spent = str(state["phase"]), int(state["spent"])
        if self.phase not in PHASES:
            raise FitError(f"a fit in the phase {self.phase!r} can't go on; it was damaged.")
        self.best_loss = np.inf if state["best_loss"] is None else float(state["best_loss"])
        self.best = None if state["best"] is None else settings_from(state["best"])
        self.history = [(int(n), float(loss)) for n, loss in state["history"]]
        self._starts = None if state["starts"] is None else np.array(state["starts"], float)


def _apart(points: Any, count: int) -> list[Any]:
    """The first ``count`` points that lie apart from each other; then the first ones again."""
    chosen: list[Any] = []
    for point in points:
        if len(chosen) < count and all(np.abs(point - each).max() >= _APART for each in chosen):
            chosen.append(point)
    again = [points[k % len(points)] for k in range(count - len(chosen))]
    return chosen + again


def settings_state(settings: Settings) -> dict[str, Any]:
    """Settings in lists and numbers."""
    return {
        "model": settings.model,
        "registers": {name: values.tolist() for name, values in settings.registers.items()},
        "weights": settings.weights.tolist(),
        "exponents": settings.exponents.tolist(),
        "scale": [float(each) for each in settings.scale],
        "own_weights": settings.own_weights.tolist(),
        "own_exponents": settings.own_exponents.tolist(),
    }


def settings_from(state: Mapping[str, Any]) -> Settings:
    """The inverse of :func:`settings_state`; every number is held to the chip's limits."""
    return Settings(
        str(state["model"]),
        {str(name): np.array(values, np.int32) for name, values in state["registers"].items()},
        np.array(state["weights"], np.int32),
        np.array(state["exponents"], np.int32),
        np.array(state["scale"], np.float32),
        np.array(state["own_weights"], np.int32),
        np.array(state["own_exponents"], np.int32),
    )


def gathered(trials: Sequence[Trial]) -> Settings:
    """The best of several trials of one candidate, as one."""
    return joined([trial.best for trial in trials if trial.best is not None])
