"""Weights of the loss: each score against its own definition, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.cli import main
from brian2lava.errors import FitError
from brian2lava.fit import CANDIDATES, FitOptions, Fitting, Request, Session, Sweep, Target, fit
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.metrics import gamma_factor, match_within
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.space import Space
from brian2lava.fit.search.weights import TERMS, WEIGHTS, weights_from, weights_of, weights_text

DT, WINDOW = 1e-3, 3e-3
#: What all scores together count, whatever the weights.
WHOLE = sum(term.first for term in TERMS)


def tried() -> tuple[Settings, Frame, Any]:
    """Sixty LIF that fire at all rates, and a current."""
    rng = np.random.default_rng(5)
    current = np.convolve(rng.normal(0, 1, 2009), np.ones(10) / 10**0.5, "valid") * 0.4 + 0.3
    frame = Frame(DT, float(np.abs(current).max()))
    space = Space(CANDIDATES["LIF"], frame)
    return space.settings(rng.random((60, space.dimensions))), frame, current


def target_of(settings: Settings, current: Any, k: int, voltage: bool = False) -> Target:
    """What one of them does, in two spans of training and one that is held out."""
    out = Batch("LIF").run(settings.one(k), Stimulus(current), traces=True)
    recorded = np.asarray(out.traces["v"][0], np.float64) * 1e-5 - 0.07 if voltage else None
    trains = (out.train(0) * DT,)
    return Target("one of them", DT, (Sweep(current, trains, recorded),),
                  ((0, 0.7), (0.9, 1.4)), ((1.4, 2.0),), "1")  # fmt: skip


@pytest.fixture(scope="module")
def busy() -> tuple[Settings, Any, int]:
    settings, _, current = tried()
    counts = Batch("LIF").run(settings, Stimulus(current)).counts
    return settings, current, int(np.argmin(np.abs(counts - 60)))


def only(**weights: float) -> dict[str, float]:
    return {**{term.name: 0.0 for term in TERMS}, **weights}


def plain(name: str, target: Target, train: Any) -> float:
    """A score by its definition, on one train."""
    spans, wanted = target.train, target.sweeps[0].spikes[0]
    wide = {"f1": 1, "f1_wide": 4, "f1_widest": 16, "distance": 1, "rate": 1}
    if name in ("gamma_2ms", "gamma_4ms"):
        try:
            gamma = gamma_factor(wanted, train, spans, float(name[6]) * 1e-3)
        except FitError:
            gamma = -1.0
        return float(np.clip(1 - gamma, 0, 1.5))
    found = match_within(wanted, train, spans, WINDOW * wide[name])
    n, m = len(found.target), len(found.model)
    if name == "rate":
        return float(min(abs(m - n) / n, 1.5))
    if name == "distance":
        return float(np.abs(found.latencies).sum() / max(found.count, 1) / WINDOW)
    return float(1 - 2 * found.count / max(n + m, 1))


@pytest.mark.parametrize("name", [t.name for t in TERMS if t.name not in ("voltage", "distance")])
def test_a_score_alone_is_what_its_name_says(busy: tuple[Settings, Any, int], name: str) -> None:
    settings, current, k = busy
    target = target_of(settings, current, k)
    found = Loss(target, Batch("LIF"), WINDOW, only(**{name: 3.0})).free(settings)
    out = Batch("LIF").run(settings, Stimulus(current))
    own = [np.asarray(out.train(j), float) * DT for j in range(len(settings))]
    kept = out.counts < 4 * target.sweeps[0].spikes[0].size  # more are not all looked at
    assert kept.sum() > 30
    wanted = np.array([plain(name, target, train) for train in own])
    assert found[kept] == pytest.approx(WHOLE * wanted[kept], abs=1e-9)
    assert found[k] == 0


def test_voltage_is_compared_between_spikes(busy: tuple[Settings, Any, int]) -> None:
    settings, current, k = busy
    target = target_of(settings, current, k, voltage=True)
    found = Loss(target, Batch("LIF"), WINDOW, only(voltage=1.0)).free(settings)
    assert found[k] == pytest.approx(0, abs=1e-6)
    steps = np.arange(1400)
    compared = (steps < 700) | (steps >= 900)
    before, after = (round(width / DT) for width in target.spike_width)
    for spike in target.spike_steps(0, 0).tolist():
        compared[max(0, spike - before) : spike + after] = False
    out = Batch("LIF").run(settings, Stimulus(current[:1400]), traces=True)
    recorded = np.asarray(target.sweeps[0].voltage[:1400], float)[compared]
    few = np.flatnonzero(out.counts < 4 * target.sweeps[0].spikes[0].size)
    assert few.size > 30
    for j in few[::5]:
        own = out.traces["v"][j][compared].astype(float)
        r = np.corrcoef(own, recorded)[0, 1] if np.ptp(own) else 0.0
        assert found[j] == pytest.approx(WHOLE * (1 - max(r, 0) ** 2), abs=1e-4)


def test_what_is_left_out_counts_as_ever_and_only_ratios_count(
    busy: tuple[Settings, Any, int],
) -> None:
    settings, current, k = busy
    target = target_of(settings, current, k)

    def free(weights: Mapping[str, float]) -> Any:
        return Loss(target, Batch("LIF"), WINDOW, weights).free(settings)

    first = {term.name: term.first for term in TERMS}
    assert np.array_equal(free({}), free(first))
    doubled = {name: 2 * value for name, value in first.items()}
    assert free(doubled) == pytest.approx(free({}), abs=1e-12)
    parts = sum(free(only(**{name: 1.0})) * value for name, value in first.items() if value) / WHOLE
    assert free({}) == pytest.approx(parts, abs=1e-9)
    assert weights_of({"gamma_2ms": WHOLE})["gamma_2ms"] == pytest.approx(WHOLE / 2)


def test_the_forced_voltage_counts_beside_distances(busy: tuple[Settings, Any, int]) -> None:
    settings, current, k = busy
    target = target_of(settings, current, k, voltage=True)

    def forced(weight: float) -> Any:
        weights = {"forced_voltage": weight}
        return Loss(target, Batch("LIF"), WINDOW, weights).forced(settings, 8192 << 6)

    none, some, more = forced(0.0), forced(0.5), forced(1.0)
    assert (more >= none).all() and (more > none).any()
    assert some == pytest.approx((none + more) / 2)


def test_a_search_finds_what_counts(busy: tuple[Settings, Any, int]) -> None:
    """A neuron that fires as often, but when it likes, is best where only the rate counts."""
    settings, current, k = busy
    target = target_of(settings, current, k)
    options = FitOptions(evaluations=600, seeds=1, workers=1)
    often = fit(target, ["LIF"], options, weights=only(rate=1)).best
    assert often.losses[0] < 0.02
    (score,) = often.evaluation.train
    assert score.rate == pytest.approx(score.target_rate, rel=0.05)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"gama_2ms": 1.0}, "there is no score 'gama_2ms'; there are f1, .*mean 'gamma_2ms'"),
        ({"f1": -1.0}, "f1=-1.0; a number of 0 or more is needed"),
        ({"f1": float("nan")}, "f1=nan; a number of 0 or more"),
        ({"f1": float("inf")}, "f1=inf; a number of 0 or more"),
        ({"f1": "much"}, "f1='much'; a number of 0 or more"),
        ({"f1": None}, "f1=None; a number of 0 or more"),
        (only(), "are 0, so nothing would be searched for. Give at least one"),
    ],
)
def test_weights_that_are_none(weights: dict[str, Any], message: str) -> None:
    with pytest.raises(FitError, match=message):
        FitOptions(weights=weights)


def test_scores_that_a_target_does_not_have(busy: tuple[Settings, Any, int]) -> None:
    settings, current, k = busy
    target = target_of(settings, current, k)
    with pytest.raises(FitError, match="no voltage between the spikes.*weight 0"):
        Fitting(target, ["LIF"], FitOptions(weights={"voltage": 1.0}))
    fast = replace(target, sweeps=(Sweep(current, (np.arange(0, 2, 4e-3),)),))
    with pytest.raises(FitError, match="fires at 250 Hz.*within 2 ms.*'gamma_2ms'.*weight 0"):
        Fitting(fast, ["LIF"], FitOptions(weights={"gamma_2ms": 1.0}))


def test_weights_on_a_command_line() -> None:
    assert weights_from("gamma_2ms=1, voltage = 0.5") == {"gamma_2ms": 1.0, "voltage": 0.5}
    assert weights_from(weights_text({"f1": 0.1, "rate": 2.0})) == {"f1": 0.1, "rate": 2.0}
    for text, message in (
        ("gamma_2ms", "no score and number; write NAME=NUMBER"),
        ("gamma_2ms=much", "no score and number; write NAME=NUMBER"),
        ("", "no score and number.*Names are f1"),
        ("f1=1,f1=2", "f1 is given twice"),
        ("gamma2=1", "there is no score 'gamma2'.*mean 'gamma_2ms'"),
        ("f1=-1", "f1=-1.0; a number of 0 or more"),
    ):
        with pytest.raises(FitError, match=message):
            weights_from(text)


def test_the_command_line_refuses_what_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["fit", "AdEx", "--weights", "gamma2=1"])
    assert left.value.code == 2 and "Did you mean 'gamma_2ms'?" in capsys.readouterr().err


def test_what_was_asked_can_be_asked_again() -> None:
    options = FitOptions(weights={"gamma_2ms": 1, "f1": 0.25})
    asked = Request("AdEx", None, ("LIF",), options)
    assert asked.command() == (
        "brian2lava fit AdEx --candidates LIF --weights gamma_2ms=1.0,f1=0.25"
    )
    assert "weights={'gamma_2ms': 1.0, 'f1': 0.25}" in asked.python()


def test_a_session_keeps_weights_and_older_ones_have_none(
    busy: tuple[Settings, Any, int], tmp_path: Path
) -> None:
    settings, current, k = busy
    session = Session(target_of(settings, current, k), tmp_path / "a.b2l")
    session.set_options(weights={"rate": 2.0}, evaluations=500, seeds=1)
    session.set_candidates(["LIF"])
    session.keep(session.fitting())
    session.save()
    again = Session.load(tmp_path / "a.b2l")
    assert again.options.weights == {"rate": 2.0}
    assert again.resumed().trials[0].loss.weights == weights_of({"rate": 2.0})
    json.dumps(dict(again.options.weights))
    # options of a session that knew no weights
    older = {name: value for name, value in again.document["options"].items() if name != "weights"}
    again.edit("as it was", options=older)
    assert again.options.weights == {}


def test_every_score_says_what_it_means() -> None:
    assert all(term.meaning and term.first >= 0 for term in WEIGHTS.values())
    assert len(WEIGHTS) == len(TERMS) + 1
