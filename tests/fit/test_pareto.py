"""Fronts between losses: what dominates, NSGA-II on known problems, and fits along a front."""

from __future__ import annotations

import importlib
import io
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from brian2lava.cli import main
from brian2lava.errors import FitError
from brian2lava.fit import (
    FitOptions,
    Fitting,
    Front,
    Request,
    Sweep,
    Target,
    candidate,
    export,
    fit,
    pareto,
    verify,
)
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.command import fronts
from brian2lava.fit.search.dominance import best_together, crowding, knee, ranks, thinned
from brian2lava.fit.search.evolution import METHODS, NSGA2, method_of
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.objectives import Objectives, alone, objectives_of, weight_bits
from brian2lava.fit.search.space import Space
from brian2lava.fit.search.weights import TERMS

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


# ------------------------------------------------------------ objectives
DT = 1e-3
WINDOW = 2e-3


def noise(steps: int = 3000) -> Any:
    rng = np.random.default_rng(2)
    return np.convolve(rng.normal(0, 1, steps + 9), np.ones(10) / 10**0.5, "valid") * 0.4 + 0.3


@pytest.fixture(scope="module")
def adaptive() -> Target:
    """What an adaptive chip neuron does, with its v: a LIF can have its spikes or its v better."""
    current, each = noise(), candidate("ALIF")
    middle = {p.name: (p.low * p.high) ** 0.5 if p.log else 0.0 for p in each.parameters}
    values = {**middle, "tau_m": 0.015, "tau_s": 0.003, "gain": 5.0, "tau_theta1": 0.15,
              "step1": 0.8}  # fmt: skip
    settings = each.to_settings(
        {n: np.array([v]) for n, v in values.items()}, Frame(DT, float(np.abs(current).max()))
    )
    out = Batch(each.model).run(settings, Stimulus(current), traces=True)
    assert 30 < out.counts[0] < 600
    voltage = np.asarray(out.traces["v"][0], float) * 1e-5 - 0.07
    return Target("adaptive", DT, (Sweep(current, (out.train(0) * DT,), voltage),), unit="1")


def drawn(target: Target, name: str = "LIF", count: int = 40, **frame: Any) -> Settings:
    space = Space(
        candidate(name), Frame(DT, float(np.abs(target.sweeps[0].current).max()), **frame)
    )
    return space.settings(np.random.default_rng(4).random((count, space.dimensions)))


def test_each_objective_is_the_loss_with_its_weight_alone(adaptive: Target) -> None:
    (sweep,) = adaptive.sweeps
    train = sweep.spikes[0]
    repeated = Sweep(sweep.current, (train, train + 2 * DT), sweep.voltage)
    short = Sweep(sweep.current[:1500], (train[train < 1.5],))
    several = replace(adaptive, sweeps=(repeated, short))
    names = [term.name for term in TERMS]
    settings, batch = drawn(adaptive), Batch("LIF")
    found = Objectives(several, batch, WINDOW, names).each(settings)
    whole = sum(term.first for term in TERMS)
    for k, name in enumerate(names):
        loss = Loss(several, batch, WINDOW, alone([name])).free(settings) / whole
        few = batch.run(settings, Stimulus(sweep.current)).counts < 100
        assert few.sum() > 10
        assert found[few, k] == pytest.approx(loss[few], abs=1e-9), name


def test_bits_of_weights() -> None:
    weights = np.array([[0, 1, -128, 96, 255, 3], [0, 0, 5, 1, 0, 0]])
    settings = Settings("LIF", {}, weights[0], 0, np.ones(6))
    assert weight_bits(settings).tolist() == [0, 1, 1, 2, 8, 2]
    both = Settings("LIF", {}, weights[0], 0, np.ones(6), own_weights=weights[1])
    assert weight_bits(both).tolist() == [0, 1, 3, 2, 8, 2]


def test_overflows_are_what_the_batch_counts(adaptive: Target) -> None:
    settings, batch = drawn(adaptive, "ALIF", threshold=131071 // 2), Batch("ALIF")
    end = round(adaptive.train[0][1] / DT)
    out = batch.run(settings, Stimulus(adaptive.sweeps[0].current[:end]))
    counted = np.sum(list(out.counters.values()), axis=0)
    assert counted.any()
    found = Objectives(adaptive, batch, WINDOW, ("f1", "overflows")).each(settings)
    assert found[:, 1] == pytest.approx(1000 * counted / end)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("f1", "voltag"), "there is no score 'voltag'; there are f1, .*Did you mean 'voltage'"),
        (("f1", "forced_voltage"), "there is no score 'forced_voltage'"),
        (("f1", "f1"), "f1 is given twice"),
        (("f1",), "1 are given.*between two or three"),
        (("f1", "rate", "distance", "voltage"), "4 are given.*between two or three"),
        (("weight_bits", "overflows"), "are costs alone.*such as f1"),
        ("f1,rate", "names in a tuple are needed"),
    ],
)
def test_objectives_that_are_none(names: Any, message: str) -> None:
    with pytest.raises(FitError, match=message):
        objectives_of(names)


def test_what_a_target_does_not_have_is_refused_as_a_weight_is(adaptive: Target) -> None:
    (sweep,) = adaptive.sweeps
    blind = replace(adaptive, sweeps=(Sweep(sweep.current, sweep.spikes),))
    fast = replace(adaptive, sweeps=(Sweep(sweep.current, (np.arange(0, 3, 4e-3),)),))
    for target, name in ((blind, "voltage"), (fast, "gamma_2ms")):
        with pytest.raises(FitError) as by_weight:
            Fitting(target, ["LIF"], FitOptions(weights={name: 1.0}))
        with pytest.raises(FitError) as by_name:
            pareto(target, "LIF", ("f1", name))
        assert str(by_name.value) == str(by_weight.value)
    with pytest.raises(FitError, match="through no synapse, so the cost 'weight_bits' can't count"):
        pareto(adaptive, "LIF", ("f1", "weight_bits"), drive="bias")
    with pytest.raises(FitError, match="front.chosen"):
        pareto(adaptive, "LIF", ("f1", "rate"), weights={"f1": 1.0})
    with pytest.raises(FitError, match="points=2: a whole number, 3 or more"):
        pareto(adaptive, "LIF", ("f1", "rate"), points=2)


# ------------------------------------------------------------ fronts of fits
QUICK: dict[str, Any] = {"evaluations": 3000, "points": 8}


@pytest.fixture(scope="module")
def front(adaptive: Target) -> Front:
    return pareto(adaptive, "LIF", ("f1", "voltage"), **QUICK)


def test_a_front_is_one_and_its_losses_are_those_of_its_registers(
    front: Front, adaptive: Target
) -> None:
    losses = front.losses()
    assert 3 <= len(front.points) <= 8 and (ranks(losses) == 0).all()
    assert (np.diff(losses[:, 0]) > 0).all() and (np.diff(losses[:, 1]) < 0).all()
    again = [
        Objectives(adaptive, Batch("LIF"), WINDOW, front.objectives).each(point.settings)[0]
        for point in front.points
    ]
    assert np.array_equal(again, losses)
    judged = replace(adaptive, train=adaptive.held_out, held_out=())
    for k, name in enumerate(front.objectives):
        loss = Objectives(judged, Batch("LIF"), WINDOW, (name,))
        held = [float(loss.each(point.settings)[0, 0]) for point in front.points]
        assert held == front.losses("held_out")[:, k].tolist()
    single = fit(adaptive, ["LIF"], evaluations=1000, seeds=1, workers=1)
    assert losses[0, 0] <= 1 - single.best.evaluation.train[0].f1[0] + 0.05
    assert losses[-1, 1] < losses[0, 1] - 0.002, "the ends differ, or the test says nothing"


def test_what_is_held_out_is_not_seen_and_a_seed_repeats_all(
    front: Front, adaptive: Target
) -> None:
    (sweep,) = adaptive.sweeps
    start = adaptive.held_out[0][0]
    seen = sweep.spikes[0][sweep.spikes[0] < start]
    blind = replace(adaptive, sweeps=(Sweep(sweep.current, (seen,), sweep.voltage),))
    other = pareto(blind, "LIF", ("f1", "voltage"), **QUICK)
    assert np.array_equal(other.losses(), front.losses())
    assert [dict(p.physical) for p in other.points] == [dict(p.physical) for p in front.points]
    assert "no spike" in other.refused["f1"] and np.isnan(other.losses("held_out")[:, 0]).all()
    assert "f1, held out: target" in str(other)
    assert "<svg" in other.figure()
    third = pareto(adaptive, "LIF", ("f1", "voltage"), seed=1, **QUICK)
    assert not np.array_equal(third.losses(), front.losses())


def test_a_point_is_a_result_like_any_other(front: Front, tmp_path: Path) -> None:
    result = front.result()
    assert result.best.settings is front.knee().settings
    assert verify(result.best, result.target).spikes == sum(map(len, result.best.evaluation.trains))
    made = export(result, tmp_path / "knee")
    assert {"neuron.json", "report.html", "search.svg", "in_lava.py"} <= set(made.files)
    first = front.chosen({"f1": 1.0})
    assert first is front.points[0] and front.chosen({"voltage": 2}) is front.points[-1]
    assert front.result(first).best.settings is first.settings
    for weights, message in (
        ({"rate": 1.0}, "'rate' is none of this front's objectives; they are f1, voltage"),
        ({"f1": -1.0}, "f1=-1.0; a number of 0 or more"),
        ({}, "all are 0"),
    ):
        with pytest.raises(FitError, match=message):
            front.chosen(weights)


def test_a_front_is_a_table_and_a_figure(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = front.table()
    assert [row["train f1"] for row in rows] == front.losses()[:, 0].tolist()
    assert sum(row["knee"] for row in rows) == 1
    assert rows[0]["register vth"] == front.points[0].settings.registers["vth"][0]
    lines = str(front).splitlines()
    assert len(lines) == 3 + len(rows) and sum("*" in line for line in lines[3:]) == 1
    assert lines[2].replace("|", " ").split() == ["f1", "voltage", "f1", "voltage"]
    drawing = ElementTree.fromstring(front.figure())
    marks = drawing.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(marks) == 1 + 2 * len(rows) + 1
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(FitError, match="to_frame.. needs pandas"):
        front.to_frame()


def test_three_objectives_with_a_cost(adaptive: Target) -> None:
    found = pareto(adaptive, "LIF", ("f1", "rate", "weight_bits"), **QUICK)
    assert (ranks(found.losses()) == 0).all() and len(found.points) >= 3
    bits = [int(weight_bits(point.settings)[0]) for point in found.points]
    assert [point.train["weight_bits"] for point in found.points] == bits
    assert len(set(bits)) > 1 and min(bits) < 5
    assert len(ElementTree.fromstring(found.figure()).findall(".//{*}polyline")) > len(bits)


def test_methods_are_interchangeable(front: Front, adaptive: Target) -> None:
    pytest.importorskip("pymoo", reason="compared where the extra 'pareto' is installed")
    theirs = pareto(adaptive, "LIF", ("f1", "voltage"), method="pymoo", **QUICK).losses()
    assert (ranks(theirs) == 0).all()
    assert theirs.min(axis=0) == pytest.approx(front.losses().min(axis=0), abs=0.1)


def test_a_front_that_is_stopped(adaptive: Target) -> None:
    with pytest.raises(FitError, match="nothing has been searched yet"):
        pareto(adaptive, "LIF", ("f1", "rate"), stop=lambda: True)
    asked = iter(range(9999))
    found = pareto(adaptive, "LIF", ("f1", "rate"), stop=lambda: next(asked) > 2)
    assert found.points and found.evaluations < 2000


# ------------------------------------------------------------ the command line
def test_fronts_from_the_command_lines_words(tmp_path: Path, adaptive: Target) -> None:
    (sweep,) = adaptive.sweeps
    data = tmp_path / "cell.npz"
    np.savez(data, **{"current (nA)": sweep.current, "spikes (s)": sweep.spikes[0], "dt (s)": DT})
    request = Request(str(data), None, ("LIF", "ALIF"), FitOptions(evaluations=600))
    out = io.StringIO()
    words = {"pareto": "f1, rate", "output": tmp_path / "fronts"}
    assert fronts(words, request, out) == 0
    told = out.getvalue()
    assert ", LIF: " in told and ", ALIF: " in told and "f1, rate" in told
    made = {path.name for path in (tmp_path / "fronts" / "ALIF").iterdir()}
    assert {"front.svg", "neuron.json"} <= made
    with pytest.raises(FitError, match="--session does not go with --pareto"):
        fronts({"pareto": "f1,rate", "session": "a"}, request)
    with pytest.raises(FitError, match="--pareto: name a model or the file"):
        fronts({"pareto": "f1,rate"}, None)


def test_the_command_line_has_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "LIF", "--candidates", "LIF", "--evaluations", "500", "--pareto", "f1,rate"]
    assert main(words) == 0
    assert "of which none is better in all of f1, rate" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main([*words[:-1], "f1,voltag"])
    assert left.value.code == 2 and "Did you mean 'voltage'?" in capsys.readouterr().err
