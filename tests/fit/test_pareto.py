"""Fronts between losses: what dominates, NSGA-II on known problems, and fits along a front."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.search.dominance import best_together, crowding, knee, ranks, thinned
from brian2lava.fit.search.evolution import METHODS, NSGA2, method_of

evolution = importlib.import_module("brian2lava.fit.search.evolution")


# ------------------------------------------------------------ what is best together
def ranks_one_by_one(losses: Any) -> list[int]:
    left, found, front = set(range(len(losses))), [-1] * len(losses), 0
    while left:
        free = {
            k for k in left
            if not any((losses[j] <= losses[k]).all() and (losses[j] < losses[k]).any()
                       for j in left)
        }  # fmt: skip
        for k in free:
            found[k] = front
        left -= free
        front += 1
    return found


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_fronts_are_what_is_dominated_by_none_that_is_left(objectives: int) -> None:
    losses = np.random.default_rng(objectives).integers(0, 6, (50, objectives)).astype(float)
    assert ranks(losses).tolist() == ranks_one_by_one(losses)
    assert ranks(losses[:0]).size == 0


def test_crowding_is_the_distance_of_the_neighbours() -> None:
    losses = np.array([[0.0, 8.0], [1.0, 4.0], [4.0, 0.0], [3.0, 2.0]])
    assert crowding(losses).tolist() == [np.inf, 3 / 4 + 6 / 8, np.inf, 3 / 4 + 4 / 8]
    assert crowding(np.ones((3, 2)))[1] == 0, "a front without a width"


def test_the_best_together_are_whole_fronts_and_what_is_not_crowded() -> None:
    losses = np.array([[5.0, 5.0], [0.0, 4.0], [2.0, 2.0], [2.1, 1.9], [4.0, 0.0], [5.0, 4.0]])
    assert set(best_together(losses, 3)) == {1, 4, 2} or set(best_together(losses, 3)) == {1, 4, 3}
    assert set(best_together(losses, 5)) == {1, 2, 3, 4, 5}
    assert len(best_together(losses, 99)) == 6


def test_a_thinned_front_keeps_its_ends_and_is_even() -> None:
    x = np.concatenate([np.linspace(0, 0.1, 60), np.linspace(0.2, 1, 9)])
    left = thinned(np.stack([x, 1 - x], axis=1), 9)
    assert {0, len(x) - 1} <= set(left) and len(left) == 9
    assert np.diff(np.sort(x[left])).max() < 0.35
    assert thinned(np.stack([x, 1 - x], axis=1), 999).size == x.size


def test_the_knee_is_where_it_bends_whatever_the_units() -> None:
    front = np.array([[0.0, 1.0], [0.1, 0.15], [0.6, 0.1], [1.0, 0.0]])
    assert knee(front) == knee(front * [1000, 0.01] + [3, 7]) == 1
    assert knee(front[:1]) == 0


# ------------------------------------------------------------ known problems
def zdt1(x: Any) -> Any:
    """Zitzler, Deb and Thiele (2000): the front is 1 - sqrt(f1)."""
    g = 1 + 9 * x[:, 1:].mean(axis=1)
    return np.stack([x[:, 0], g * (1 - np.sqrt(x[:, 0] / g))], axis=1)


def dtlz2(x: Any) -> Any:
    """Deb, Thiele, Laumanns and Zitzler (2002): the front is an eighth of the unit sphere."""
    g, a, b = ((x[:, 2:] - 0.5) ** 2).sum(axis=1), x[:, 0] * np.pi / 2, x[:, 1] * np.pi / 2
    shape = np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], axis=1)
    return (1 + g)[:, None] * shape


def found_by(method: str, problem: Any, objectives: int, dimensions: int) -> Any:
    start = np.random.default_rng(0).random((100, dimensions))
    search = METHODS[method](start, objectives, 1)
    for _ in range(200):
        points = search.ask()
        assert points.min() >= 0 and points.max() <= 1
        losses = problem(points)
        search.tell(points, losses)
    return losses[ranks(losses) == 0]


@pytest.mark.parametrize("method", METHODS)
def test_the_front_of_zdt1_is_reached_and_covered(method: str) -> None:
    if method == "pymoo":
        pytest.importorskip("pymoo", reason="compared where the extra 'pareto' is installed")
    found = found_by(method, zdt1, 2, 30)
    above = found[:, 1] - (1 - np.sqrt(found[:, 0]))
    assert above.min() > -1e-12 and above.mean() < 0.02
    assert np.diff(np.sort(found[:, 0])).max() < 0.15
    assert found[:, 0].min() < 0.02 and found[:, 0].max() > 0.98


@pytest.mark.parametrize("method", METHODS)
def test_the_front_of_dtlz2_is_reached_and_covered(method: str) -> None:
    if method == "pymoo":
        pytest.importorskip("pymoo", reason="compared where the extra 'pareto' is installed")
    found = found_by(method, dtlz2, 3, 7)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).mean() < 0.03
    assert (found.min(axis=0) < 0.05).all() and (found.max(axis=0) > 0.95).all()


def test_the_first_generation_is_what_is_given_and_a_seed_repeats_all() -> None:
    start = np.random.default_rng(3).random((7, 4))
    one, two, other = NSGA2(start, 2, 5), NSGA2(start, 2, 5), NSGA2(start, 2, 6)
    for each in (one, two, other):
        assert np.array_equal(each.ask(), start)
        each.tell(start, zdt1(start))
    points = one.ask()
    assert points.shape == (7, 4), "odd sizes too"
    assert np.array_equal(points, two.ask()) and not np.array_equal(points, other.ask())


def test_methods_that_there_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FitError, match="method 'nsga': there are 'nsga2', 'pymoo'. Did .*'nsga2'"):
        method_of("nsga")
    monkeypatch.setattr(evolution, "find_spec", lambda package: None)
    with pytest.raises(FitError, match=r"needs the package pymoo: .*brian2lava\[pareto\].*'nsga2'"):
        method_of("pymoo")
