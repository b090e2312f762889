"""Searches of fronts in the unit cube, a generation at a time: NSGA-II, and those of pymoo.

Both are asked for points and told their losses, as the optimisers of one loss are, so that a whole
generation is one batch on the emulator, and a search stops between any two.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.search.dominance import best_together, crowding, ranks

#: Distribution indices of crossover and mutation, and how often a pair is crossed: those of Deb et
#: al. (2002) but for the crossover, which is wider with 15 than with their 20.
_CROSSED, _MUTATED, _OFTEN = 15.0, 20.0, 0.9


class Evolution(Protocol):
    """What a search of a front needs."""

    def ask(self) -> Any:
        """Points to evaluate next, shape (size, dimensions), in the unit cube."""

    def tell(self, points: Any, losses: Any) -> None:
        """The losses of these points, shape (size, objectives)."""


class NSGA2:
    """NSGA-II (Deb et al. 2002): simulated binary crossover, polynomial mutation, elitism.

    Parameters
    ----------
    start : array of float64, shape (size, dimensions)
        The first generation; all have its size.
    objectives : int
    seed : int
    """

    def __init__(self, start: Any, objectives: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._points = np.clip(np.asarray(start, np.float64), 0.0, 1.0)
        self._size = len(self._points)
        self._losses = np.zeros((0, objectives))

    def ask(self) -> Any:
        if not len(self._losses):
            return self._points
        parents = self._points[self._tournament(self._size + self._size % 2)]
        children = _crossed(parents[0::2], parents[1::2], self._rng)
        return _mutated(children[: self._size], self._rng)

    def tell(self, points: Any, losses: Any) -> None:
        first = not len(self._losses)
        together = points if first else np.concatenate([self._points, points])
        worth = losses if first else np.concatenate([self._losses, losses])
        kept = best_together(worth, self._size)
        self._points, self._losses = together[kept], np.asarray(worth, np.float64)[kept]

    def _tournament(self, count: int) -> Any:
        """The better of two, drawn ``count`` times: of an earlier front, or less crowded."""
        rank = ranks(self._losses)
        apart = np.zeros(len(rank))
        for front in range(int(rank.max()) + 1):
            mine = rank == front
            apart[mine] = crowding(self._losses[mine])
        one, two = self._rng.integers(0, len(rank), (2, count))
        first = (rank[one] < rank[two]) | ((rank[one] == rank[two]) & (apart[one] >= apart[two]))
        return np.where(first, one, two)


def _crossed(one: Any, two: Any, rng: Any) -> Any:
    """Simulated binary crossover of pairs, shape (2 * pairs, dimensions); folded into the cube."""
    drawn = rng.random(one.shape)
    power = 1 / (_CROSSED + 1)
    spread = np.where(drawn <= 0.5, (2 * drawn) ** power, (2 * (1 - drawn)) ** -power)
    crossed = (rng.random(one.shape) < 0.5) & (rng.random((len(one), 1)) < _OFTEN)
    spread = np.where(crossed, spread, 1.0)
    middle, half = (one + two) / 2, (two - one) / 2
    # who is near which parent is drawn anew for every parameter: that is what recombines them
    half = np.where(rng.random(one.shape) < 0.5, half, -half)
    both = np.concatenate([middle - spread * half, middle + spread * half])
    return np.clip(both, 0.0, 1.0)


def _mutated(points: Any, rng: Any) -> Any:
    """Polynomial mutation of one parameter a point on average, within the cube."""
    drawn = rng.random(points.shape)
    power = 1 / (_MUTATED + 1)
    down = (2 * drawn + (1 - 2 * drawn) * (1 - points) ** (_MUTATED + 1)) ** power - 1
    up = 1 - (2 * (1 - drawn) + (2 * drawn - 1) * points ** (_MUTATED + 1)) ** power
    step = np.where(drawn < 0.5, down, up)
    moved = rng.random(points.shape) < 1 / points.shape[1]
    return np.clip(np.where(moved, points + step, points), 0.0, 1.0)


class Pymoo:
    """pymoo's NSGA-II, and its NSGA-III for three objectives (Blank and Deb 2020)."""

    def __init__(self, start: Any, objectives: int, seed: int) -> None:
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination

        start = np.clip(np.asarray(start, np.float64), 0.0, 1.0)
        self._problem = Problem(n_var=start.shape[1], n_obj=objectives, xl=0.0, xu=1.0)
        self._algorithm = _pymoos(start, objectives)
        self._algorithm.setup(
            self._problem, termination=NoTermination(), seed=seed, verbose=False
        )  # fmt: skip
        self._asked: Any = None

    def ask(self) -> Any:
        self._asked = self._algorithm.ask()
        return np.asarray(self._asked.get("X"), np.float64)

    def tell(self, points: Any, losses: Any) -> None:
        from pymoo.core.evaluator import Evaluator
        from pymoo.problems.static import StaticProblem

        Evaluator().eval(StaticProblem(self._problem, F=np.asarray(losses)), self._asked)
        self._algorithm.tell(infills=self._asked)


def _pymoos(start: Any, objectives: int) -> Any:
    if objectives < 3:
        from pymoo.algorithms.moo.nsga2 import NSGA2 as TheirNSGA2

        return TheirNSGA2(pop_size=len(start), sampling=start)
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.util.ref_dirs import get_reference_directions

    parts = 1  # as many directions as there are points, or the next fewer
    while (parts + 2) * (parts + 3) // 2 <= len(start):
        parts += 1
    directions = get_reference_directions("das-dennis", objectives, n_partitions=parts)
    return NSGA3(directions, pop_size=len(start), sampling=start)


EvolutionMaker = Callable[[Any, int, int], Evolution]
#: By name: each gets the first generation, how many objectives there are, and a seed.
METHODS: dict[str, EvolutionMaker] = {"nsga2": NSGA2, "pymoo": Pymoo}


def method_of(name: str) -> EvolutionMaker:
    """A search of fronts by its name.

    Raises
    ------
    FitError
        There is none of that name, or its package is not installed.
    """
    if name not in METHODS:
        near = difflib.get_close_matches(str(name), METHODS, 1, 0.4)
        raise FitError(
            f"method {name!r}: there are {', '.join(map(repr, METHODS))}."
            + (f" Did you mean {near[0]!r}?" if near else "")
        )
    if name == "pymoo" and find_spec("pymoo") is None:
        raise FitError(
            "method 'pymoo' needs the package pymoo: pip install 'brian2lava[pareto]', or choose"
            " 'nsga2'."
        )
    return METHODS[name]
