"""Fits of plasticity, by the chip's own learning, which rounds by chance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.learning import FixedLearning, LavaTape, PhiloxTape, Synapses, learning_rule
from brian2lava.errors import FitError
from brian2lava.fit.synapse import (
    SynapseFound,
    SynapseOptions,
    fit_synapse,
    pair_stdp,
    triplet_stdp,
    tsodyks_markram,
)
from brian2lava.fit.synapse.coefficients import nearest
from brian2lava.fit.synapse.short_term_fit import run_trains
from brian2lava.fit.synapse.short_term_rules import (
    RELAXING,
    TWO_FACTORS,
    relaxing_releases,
    relaxing_rule,
    two_factor_releases,
    two_factor_rule,
)
from brian2lava.fit.synapse.stdp_fit import run_rates, run_window
from brian2lava.fit.synapse.stdp_problem import StdpProblem
from brian2lava.fit.synapse.stdp_rules import FORMS, rule_of

QUICK = SynapseOptions(evaluations=800, seeds=1, draws=16)


def test_coefficients_are_the_nearest_that_4_bits_hold() -> None:
    every = {m * 2.0**e for m in range(-7, 8) for e in range(-7, 9)}
    values = np.concatenate([-np.geomspace(1e-3, 2000, 200), np.geomspace(1e-3, 2000, 200), [0.0]])
    mantissa, exponent = nearest(values)
    assert ((np.abs(mantissa) <= 7) & (exponent >= -7) & (exponent <= 8)).all()
    found = mantissa * np.exp2(exponent)
    least = np.array([min(abs(value - each) for each in every) for value in values])
    assert np.abs(found - values) == pytest.approx(least)


# -- spike-timing dependent plasticity


@pytest.fixture(scope="module")
def pair() -> SynapseFound:
    return fit_synapse(pair_stdp(0.02, 0.021, 17e-3, 34e-3), options=QUICK).best


def test_a_pair_rule_is_recovered(pair: SynapseFound) -> None:
    assert pair.candidate.name == "pair"
    assert pair.physical["a2_plus"] == pytest.approx(0.02, rel=0.01)
    assert pair.physical["a2_minus"] == pytest.approx(0.021, rel=0.01)
    assert (pair.registers["x1_tau"], pair.registers["y1_tau"]) == (17, 34)
    assert pair.errors["sign_agreement"] == 1 and pair.errors["nrmse"] < 0.03
    assert pair.loss < 0.01


def test_the_window_agrees_with_the_chips_learning_and_its_own_draws(pair: SynapseFound) -> None:
    """Independent of the fit's run: the rule's text, read again, and the emulator's tapes.

    One pair of spikes a lag, averaged over 60 seeds, each of which rounds all synapses alike.
    """
    target = pair_stdp(0.02, 0.021, 17e-3, 34e-3)
    assert pair.rule is not None
    rule = learning_rule(dw=pair.rule.text("dw"), x1=pair.rule.x1, y1=pair.rule.y1)
    size, steps = len(target.lags), int(np.abs(target.lags).max()) + 1
    each = np.arange(size)
    total = np.zeros(size)
    for seed in range(60):
        state = FixedLearning(rule, Synapses(each, each, size, size), 100, PhiloxTape(seed))
        for step in range(steps):
            state.step(np.maximum(0, -target.lags) == step, np.maximum(0, target.lags) == step)
        total += (state.weights - 100) / target.unit_mantissa
    # a change is rounded to whole mantissas: 1/255 * 0.5 / sqrt(60) is a standard error of 2.5e-4
    assert total / 60 == pytest.approx(target.window, abs=1.5e-3)


@pytest.mark.parametrize("form", ["pair", "triplet_minimal", "triplet"])
def test_expected_changes_are_the_means_of_the_chips(form: str) -> None:
    """With registers at random, over the window and over rates."""
    target = triplet_stdp(rates=(10.0, 40.0), pairs=5, reach=0.04)
    problem = StdpProblem(target, FORMS[form])
    rng = np.random.default_rng(3)
    registers = {}
    for name in problem.names:
        kind = name.split("_")[-1]
        low, high = {"mantissa": (2, 8), "exponent": (-6, -4), "impulse": (8, 30),
                     "tau": (15, 60)}[kind]  # fmt: skip
        registers[name] = int(rng.integers(low, high))
    row = np.array([[registers[name] for name in problem.names]])
    window, rates = problem.expected(row)
    rule = rule_of(registers, FORMS[form])
    got_window = run_window(rule, target, 400, 1)
    got_rates = run_rates(rule, target, 200, 2)
    error = got_window.std(axis=0) / np.sqrt(400) + 1e-9
    assert (np.abs(got_window.mean(axis=0) - window[0]) < 5 * error + 0.02).all()
    size = np.abs(rates).max()
    assert got_rates.mean(axis=0) == pytest.approx(rates[0], abs=0.06 * size)


@pytest.mark.parametrize("mantissa", [3, -3])
def test_bits_that_products_of_two_traces_lose_are_reckoned_with(mantissa: int) -> None:
    """Small traces: of 13 mantissas, 1 is lost, or gained where the product is negative."""
    target = triplet_stdp(rates=(20.0, 40.0), pairs=6, reach=0.04)
    terms = FORMS["triplet_minimal"]
    problem = StdpProblem(target, terms)
    registers = {"minus2_mantissa": 1, "minus2_exponent": -7, "plus3_mantissa": mantissa,
                 "plus3_exponent": -2, "x1_impulse": 9, "x1_tau": 20, "y1_impulse": 1,
                 "y1_tau": 20, "y2_impulse": 3, "y2_tau": 60}  # fmt: skip
    row = np.array([[registers[name] for name in problem.names]])
    got = run_rates(rule_of(registers, terms), target, 600, 2).mean(axis=0)
    assert got == pytest.approx(problem.expected(row)[1][0], abs=0.45)


def test_a_triplet_rule_depends_on_the_rate_as_its_target_does() -> None:
    target = triplet_stdp(rates=(10.0, 40.0), pairs=8, reach=0.06)
    found = fit_synapse(target, ["pair", "triplet_minimal"], QUICK)
    best = found.best
    assert best.candidate.name == "triplet_minimal"
    assert best.errors["nrmse"] < 0.06 < 0.2 < found["pair"].errors["nrmse"]
    assert best.errors["rates_relative"] < 0.05 and best.errors["sign_agreement"] == 1
    assert best.rule is not None and f"(y2-{best.registers['y2_impulse']})" in best.rule.text("dw")
    assert best.physical["a3_plus"] == pytest.approx(6.2e-3, rel=0.15)
    assert {curve.name for curve in best.curves} == {"window", "pairs at +10 ms", "pairs at -10 ms"}


def test_changes_below_the_smallest_coefficient_are_refused() -> None:
    with pytest.raises(FitError, match="below the chip's smallest"):
        fit_synapse(pair_stdp(1e-8, 1e-8), options=QUICK)


# -- short-term plasticity


def trains(rule: Any, first: dict[str, int], target: Any, every: int) -> Any:
    return run_trains(rule, first, target, 200, 0, every).mean(axis=0)


def test_expected_releases_of_a_relaxing_weight_are_the_means_of_the_chips() -> None:
    target = tsodyks_markram(0.5, 0.1, rates=(20.0, 50.0), pulses=6)
    registers = dict(zip(RELAXING, (3, -3, 5, -7, 2, 20, 240)))
    columns = {name: np.array([[value]]) for name, value in registers.items()}
    wanted = relaxing_releases(columns, target.intervals, target.pulses)[0]
    got = trains(relaxing_rule(registers), {"weight": 240}, target, 4)
    assert got == pytest.approx(wanted, abs=4)


def test_expected_releases_of_two_factors_are_the_means_of_the_chips() -> None:
    target = tsodyks_markram(0.2, 0.2, 0.2, rates=(10.0, 30.0), pulses=6)
    registers = dict(zip(TWO_FACTORS, (5, -5, 4, -4, 3, -7, 1, 4, -3, 4, -2, 12, 200)))
    columns = {name: np.array([[value]]) for name, value in registers.items()}
    wanted = two_factor_releases(columns, target.intervals, target.pulses)[0]
    got = trains(two_factor_rule(registers), {"weight": 128, "tag": 255}, target, 2)
    assert got == pytest.approx(wanted, abs=6)


def test_depression_is_a_weight_that_relaxes() -> None:
    target = tsodyks_markram(0.4, 0.15, rates=(10.0, 40.0), pulses=6)
    found = fit_synapse(target, ["constant", "relaxing_weight"], QUICK)
    best = found.best
    assert best.candidate.name == "relaxing_weight" and best.errors["nrmse"] < 0.06
    assert best.physical["push"] == pytest.approx(0.4, rel=0.15)
    assert best.physical["tau"] == pytest.approx(0.15, rel=0.25)
    assert found["constant"].errors["nrmse"] > 0.5
    assert "no short-term plasticity" in str(found)


def test_facilitation_and_depression_take_two_factors() -> None:
    """A weight that relaxes does one or the other."""
    target = tsodyks_markram(0.15, 0.2, 0.4, rates=(5.0, 20.0, 40.0), pulses=8)
    found = fit_synapse(target, ["relaxing_weight", "two_factors"], QUICK)
    assert found.best.candidate.name == "two_factors"
    assert found.best.errors["nrmse"] < 0.08 < 0.15 < found["relaxing_weight"].errors["nrmse"]
    assert found.best.registers["tag"] == 255 and found.best.rule is not None
    assert found.best.rule.dt and found.best.rule.dw


def test_payloads_from_the_host_are_only_tried_when_asked_for() -> None:
    target = tsodyks_markram(0.3, 0.2, rates=(20.0,), pulses=5)
    (only,) = fit_synapse(target, ["graded_spikes"]).found
    assert only.errors["nrmse"] < 0.01 and "known before the run" in only.notes[0]
    assert not only.candidate.offered


def test_loihi1_has_no_such_rules() -> None:
    target = tsodyks_markram(0.3, 0.2, rates=(20.0,), pulses=5)
    with pytest.raises(FitError, match="in the arithmetic 'lava'"):
        fit_synapse(target, ["two_factors"], QUICK, arithmetic="loihi1")


# -- code


def test_lavas_own_process_learns_the_same_integers(pair: SynapseFound, tmp_path: Path) -> None:
    """With the draws of Lava's generators; the neuron spikes 10 steps behind the source."""
    path = tmp_path / "script.py"
    path.write_text(pair.lava_code(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    said = np.array(done.stdout.split(), np.int64)
    assert pair.rule is not None
    one = Synapses(np.zeros(1, np.int64), np.zeros(1, np.int64), 1, 1)
    state = FixedLearning(pair.rule, one, said[0], LavaTape(0), "EXCITATORY")
    wanted = []
    for step in range(len(said)):
        state.step(np.array([step % 60 == 0 and step < 300]), np.array([step % 60 == 10]))
        wanted.append(int(state.weights[0]))
    assert said.tolist() == wanted and len(set(wanted)) > 3


def test_brian2_scripts_can_be_read(pair: SynapseFound) -> None:
    code = pair.brian2_code()
    compile(code, "script", "exec")
    assert 'set_device("lava", hardware="Loihi2")' in code and "x1 += 1" in code
    target = tsodyks_markram(0.3, 0.2, rates=(20.0,), pulses=5)
    for name in ("constant", "graded_spikes"):
        compile(fit_synapse(target, [name]).best.brian2_code(), "script", "exec")
