"""Optimisers of a function on the unit cube, a generation at a time.

``cma`` (Hansen, CMA-ES) is the default; differential evolution serves where it is not installed,
and where only one parameter is free, which cma 4 can't take. SciPy has differential evolution too,
but calls the function itself; searches here are asked and told, so that they stop between any two
rounds.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from brian2lava.errors import FitError


class Optimiser(Protocol):
    """What a search needs: proposals, and somewhere to say how good they were."""

    def ask(self) -> Any:
        """Points to evaluate next, shape (size, dimensions), in the unit cube."""

    def tell(self, points: Any, losses: Any) -> None:
        """The losses of these points, shape (size,)."""

    @property
    def converged(self) -> bool:
        """Whether going on is pointless."""


class CMA:
    """CMA-ES from a starting point."""

    def __init__(self, start: Any, spread: float, size: int, seed: int) -> None:
        import cma

        rng = np.random.default_rng(seed)

        with warnings.catch_warnings():
            # it remarks on how few dimensions there are
            warnings.simplefilter("ignore")
            self._strategy = cma.CMAEvolutionStrategy(
                list(start), spread,
                # numbers of its own: NumPy's global ones are shared by all that run side by side
                {"bounds": [0, 1], "popsize": size, "seed": np.nan, "verbose": -9,
                 "randn": lambda *shape: rng.standard_normal(shape),
                 "tolfun": 1e-9, "tolx": 1e-5, "tolflatfitness": 12},
            )  # fmt: skip

    def ask(self) -> Any:
        return np.array(self._strategy.ask())

    def tell(self, points: Any, losses: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._strategy.tell(list(points), list(np.asarray(losses, float)))

    @property
    def converged(self) -> bool:
        return bool(self._strategy.stop())


class DifferentialEvolution:
    """best/1/bin with dither (Storn and Price 1997), with SciPy's defaults."""

    def __init__(self, start: Any, spread: float, size: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        start = np.asarray(start, np.float64)
        self._size = max(5, size)
        noise = self._rng.normal(0.0, spread, (self._size, start.size))
        self._points = np.clip(start + noise, 0.0, 1.0)
        self._points[0] = start
        self._losses = np.full(self._size, np.inf)

    def ask(self) -> Any:
        if not np.isfinite(self._losses).any():
            return self._points
        rng = self._rng
        n, d = self._points.shape
        best = self._points[int(np.argmin(self._losses))]
        one, two = (self._points[rng.permutation(n)] for _ in range(2))
        mutant = best + rng.uniform(0.5, 1.0) * (one - two)
        crossed = rng.random((n, d)) < 0.7
        crossed[np.arange(n), rng.integers(0, d, n)] = True
        trial = np.where(crossed, mutant, self._points)
        outside = (trial < 0) | (trial > 1)
        return np.where(outside, rng.random((n, d)), trial)

    def tell(self, points: Any, losses: Any) -> None:
        losses = np.asarray(losses, np.float64)
        better = losses <= self._losses
        self._points = np.where(better[:, None], points, self._points)
        self._losses = np.where(better, losses, self._losses)

    @property
    def converged(self) -> bool:
        return bool(np.ptp(self._points, axis=0).max() < 1e-5)


class Optuna:
    """Optuna's tree-structured Parzen estimator (Bergstra et al. 2011).

    It looks at all that it was told before each proposal, which takes long: for small budgets.
    """

    converged = False

    def __init__(self, start: Any, spread: float, size: int, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._size, self._trials = size, []  # type: int, list[Any]
        self._failed = optuna.trial.TrialState.FAIL
        self._axes = {
            f"x{k}": optuna.distributions.FloatDistribution(0.0, 1.0) for k in range(len(start))
        }
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(sampler=sampler)
        rng = np.random.default_rng(seed)
        near = np.clip(np.asarray(start) + rng.normal(0, spread, (size, len(start))), 0, 1)
        for point in (start, *near[1:]):
            self._study.enqueue_trial(dict(zip(self._axes, map(float, point))))

    def ask(self) -> Any:
        self._trials = [self._study.ask(self._axes) for _ in range(self._size)]
        return np.array([[trial.params[name] for name in self._axes] for trial in self._trials])

    def tell(self, points: Any, losses: Any) -> None:
        for trial, loss in zip(self._trials, np.asarray(losses, float)):
            if np.isfinite(loss):
                self._study.tell(trial, loss)
            else:
                self._study.tell(trial, state=self._failed)


Maker = Callable[[Any, float, int, int], Optimiser]
#: By name; a function put here is another: it gets a starting point in the unit cube, how far from
#: it to begin, how many points to propose at once, and a seed.
OPTIMISERS: dict[str, Maker] = {
    "cma": CMA,
    "differential_evolution": DifferentialEvolution,
    "optuna": Optuna,
}
#: The package and the extra that an optimiser needs.
_NEEDS = {"cma": ("cma", "fit"), "optuna": ("optuna", "optuna")}


def optimiser(name: str) -> Maker:
    """An optimiser by its name; "auto": CMA-ES where ``cma`` is installed.

    Raises
    ------
    FitError
        There is none of that name, or its package is not installed.
    """
    if name == "auto":
        name = "cma" if _installed("cma") else "differential_evolution"
    if name not in OPTIMISERS:
        raise FitError(f"optimiser {name!r}: there are 'auto', {', '.join(map(repr, OPTIMISERS))}.")
    package, extra = _NEEDS.get(name, (None, None))
    if package is not None and not _installed(package):
        raise FitError(
            f"optimiser {name!r} needs the package {package}: pip install 'brian2lava[{extra}]', or"
            " choose 'differential_evolution'."
        )
    return _cma_or_one if name == "cma" else OPTIMISERS[name]


def _cma_or_one(start: Any, spread: float, size: int, seed: int) -> Optimiser:
    """CMA-ES, but in one dimension."""
    make: Maker = CMA if len(start) > 1 else DifferentialEvolution
    return make(start, spread, size, seed)


def _installed(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package) is not None
