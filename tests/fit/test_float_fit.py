"""Float fits: equations find the parameters that made a target, and say what they can't do."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brian2 import Mohm, ms, mV, nS, pF, uS

from brian2lava.errors import FitError
from brian2lava.fit.float_fit import FloatSpace, float_fit
from brian2lava.fit.float_loss import FloatLoss
from brian2lava.fit.search import optimisers
from brian2lava.fit.target import (
    Sweep,
    Target,
    model_target,
    neuron_equations,
    simulated,
    target_model,
)
from brian2lava.fit.target.stimuli import Noise, Step

LIF = neuron_equations(
    "dv/dt = (EL - v + R*I)/tau : volt",
    "v > VT",
    "v = EL",
    {"EL": -70 * mV, "R": 80 * Mohm, "tau": 15 * ms, "VT": -52 * mV},
    initial={"v": "EL"},
    name="mine",
)
#: Four conductances and a capacitance over two decades, as brian2modelfitting's example has them.
HH_BOUNDS = {
    "gL": (6 * nS, 600 * nS), "gNa": (2.4 * uS, 240 * uS), "gK": (0.7 * uS, 70 * uS),
    "C": (20 * pF, 400 * pF),
}  # fmt: skip


def steps_with_noise(noise: float = 1e-3) -> Target:
    """Three steps of current into a Hodgkin-Huxley neuron, with noise on its voltage."""
    neuron = target_model("Hodgkin-Huxley").neuron
    currents = [Step(0, 0.004) + Step(level, 0.006) for level in (1e-9, 4e-9, -1e-9)]
    clean = simulated(neuron, currents, 2e-5, train=((1e-3, 0.008),), held_out=((0.008, 0.01),))
    rng = np.random.default_rng(5)
    sweeps = tuple(
        Sweep(s.current, s.spikes, s.voltage + rng.normal(0, noise, s.steps)) for s in clean.sweeps
    )
    return replace(clean, sweeps=sweeps)


def test_hodgkin_huxley_is_found_within_2000_evaluations() -> None:
    target = steps_with_noise()
    fit = float_fit(
        target, "Hodgkin-Huxley", HH_BOUNDS, evaluations=2000, seeds=5, substeps=1, workers=2
    )
    assert fit.evaluations == 2000 and fit.compared == "voltage"
    # the bar is 33 mV²; the noise alone is 1 mV², and nothing can be better
    assert 0.9 < statistics.median(fit.seeds) * 1e6 < 1.5
    assert 0.8 < fit.held_out * 1e6 < 1.5
    truth = target_model("Hodgkin-Huxley").neuron.parameters
    for name in ("gNa", "gK", "C"):
        assert fit.parameters[name] == pytest.approx(truth[name].number, rel=0.1)
    assert "mV²" in str(fit) and "gNa = " in str(fit)


@pytest.mark.parametrize("method", ["cma", "differential_evolution"])
@pytest.mark.parametrize("compared", ["voltage", "spikes"])
def test_own_equations_get_their_parameters_back(method: str, compared: Any) -> None:
    target = simulated(LIF, Noise(3e-10, 1e-10, 5e-3, 1.2, seed=2), 1e-4)
    assert target.sweeps[0].spikes[0].size > 20
    fit = float_fit(
        target, LIF, {"R": (20 * Mohm, 300 * Mohm), "tau": (3 * ms, 60 * ms)},
        compared=compared, evaluations=800, method=method,
    )  # fmt: skip
    assert fit.parameters["tau"] == pytest.approx(15e-3, rel=0.02)
    assert fit.parameters["R"] == pytest.approx(80e6, rel=0.02)
    # the fitted neuron answers the held-out part, too
    ours, theirs = fit.answer().sweeps[0].spikes[0], target.sweeps[0].spikes[0]
    assert abs(ours.size - theirs.size) <= 1
    assert fit.held_out < (1e-6 if compared == "voltage" else 0.02)


def test_what_is_held_out_is_not_seen() -> None:
    target = simulated(LIF, Noise(3e-10, 1e-10, 5e-3, 0.6, seed=2), 1e-4)
    sweep = target.sweeps[0]
    spoiled = sweep.voltage.copy()
    spoiled[4000:] = 0.0
    other = replace(target, sweeps=(Sweep(sweep.current, sweep.spikes, spoiled),))
    fits = [
        float_fit(each, LIF, {"R": (20e6, 300e6)}, evaluations=60, first_seed=3)
        for each in (target, other)
    ]
    assert fits[0].parameters == fits[1].parameters and fits[0].train == fits[1].train
    assert fits[1].held_out > fits[0].held_out + 1e-4


def test_one_seed_is_one_result_and_threads_do_not_matter() -> None:
    target = simulated(LIF, Step(3e-10, 0.2), 1e-4)
    one, two, other = (
        float_fit(target, LIF, {"R": (20e6, 300e6)}, evaluations=60, first_seed=seed, workers=n)
        for seed, n in ((1, 1), (1, 2), (2, 1))
    )
    assert (one.parameters, one.history) == (two.parameters, two.history)
    assert one.parameters != other.parameters
    losses = [loss for _, loss in one.history]
    assert losses == sorted(losses, reverse=True) and one.history[-1][0] == 60


def test_a_fit_can_be_stopped_and_keeps_what_it_has() -> None:
    target = simulated(LIF, Step(3e-10, 0.2), 1e-4)
    seen: list[float] = []

    def progress(done: float, loss: float) -> bool:
        seen.append(done)
        return len(seen) < 3

    fit = float_fit(target, LIF, {"R": (20e6, 300e6)}, evaluations=500, seeds=2, progress=progress)
    assert len(seen) == 3 and fit.evaluations < 100 and len(fit.seeds) == 1
    assert np.isfinite(fit.train) and 20e6 <= fit.parameters["R"] <= 300e6


def test_models_are_simulated_in_their_own_substeps() -> None:
    target = model_target("AdEx", stimulus=Step(5e-10, 0.3))
    loss = FloatLoss(target, target_model("AdEx").neuron, "voltage", substeps=5)
    assert loss({})[0] == pytest.approx(0, abs=1e-20)
    spikes = FloatLoss(target, target_model("AdEx").neuron, "spikes", substeps=5)
    assert spikes({})[0] == pytest.approx(0, abs=1e-12)
    assert spikes({"b": np.array([60e-12, 200e-12])})[1] > 0.1


def test_forced_runs_count_what_is_missed_and_what_is_too_many() -> None:
    target = simulated(LIF, Step(3e-10, 0.2), 1e-4, train=((0.0, 0.2),))
    spikes = target.sweeps[0].spikes[0]
    loss = FloatLoss(target, LIF, "spikes")
    assert loss.can_be_forced
    assert loss.forced({})[0] == 0
    # no current reaches it: v rests at EL, 18 mV below the threshold, which is a spike missed
    assert loss.forced({"R": np.array([1.0])})[0] == pytest.approx(1.0)
    # the threshold is 4 mV higher than v at the recording's spikes (10 mV are a whole one)
    higher = loss.forced({"VT": np.array([-48e-3])})[0]
    assert higher == pytest.approx(0.4, abs=0.02)
    # a threshold at half the way is passed twice in a third of the time each
    half = loss.forced({"VT": np.array([-61e-3])})[0]
    assert half == pytest.approx(2.0, abs=2 / spikes.size)
    voltage = FloatLoss(target, LIF, "voltage")
    assert voltage.forced({})[0] == pytest.approx(0, abs=1e-12)
    values = {"R": np.linspace(40e6, 120e6, 41)}
    along = voltage.forced(values)
    assert np.argmin(along) == 20 and (np.diff(along[:20]) < 0).all()


def test_thresholds_that_are_no_comparison_are_forced_too() -> None:
    target = simulated(LIF, Step(3e-10, 0.2), 1e-4)
    both = replace(LIF, threshold="v > VT and v < 0*mV")
    assert FloatLoss(target, both, "spikes").forced({})[0] == 0
    assert FloatLoss(target, both, "spikes").forced({"R": np.array([1.0])})[0] == 1.0
    assert not FloatLoss(target, replace(LIF, reset=""), "voltage").can_be_forced


def test_voltage_losses_are_the_mean_squared_difference() -> None:
    target = simulated(LIF, [Step(1e-10, 0.05), Step(2e-10, 0.03)], 1e-4, train=((0.01, 0.02),),
                       held_out=((0.02, 0.06),))  # fmt: skip
    changed = LIF.with_parameters({"R": 50e6})
    other = simulated(changed, [Step(1e-10, 0.05), Step(2e-10, 0.03)], 1e-4)
    loss = FloatLoss(target, LIF, "voltage")
    for part, spans in (("train", (100, 200)), ("held_out", (200, 600))):
        expected = np.mean([
            np.mean((a.voltage[slice(*spans)] - b.voltage[slice(*spans)]) ** 2)
            for a, b in zip(target.sweeps, other.sweeps)
        ])  # fmt: skip
        assert loss({"R": np.array([50e6])}, part)[0] == pytest.approx(expected)  # type: ignore[arg-type]


def test_wild_parameters_cost_much_and_break_nothing() -> None:
    target = simulated(LIF, Step(3e-10, 0.1), 1e-4)
    values = {"tau": np.array([15e-3, 1e-320, np.nan, 0.0]), "R": np.array([80e6, 1e300, 1, 1])}
    losses = FloatLoss(target, LIF, "voltage")(values)
    assert losses[0] == pytest.approx(0, abs=1e-20) and (losses[1:] > 1e-4).all()
    assert np.isfinite(losses).all()


def test_silent_trains_agree() -> None:
    target = simulated(LIF, Step(1e-10, 0.1), 1e-4)
    assert target.sweeps[0].spikes[0].size == 0
    assert FloatLoss(target, LIF, "spikes")({})[0] == 0


def test_wide_bounds_are_logarithmic() -> None:
    space = FloatSpace({"a": (1.0, 100.0), "b": (0.0, 100.0), "c": (1.0, 3.0)})
    assert space.log == {"a"}
    values = space.values([[0.5, 0.5, 0.5], [2.0, -1.0, 1.0]])
    np.testing.assert_allclose(values["a"], [10, 100])
    np.testing.assert_allclose(values["b"], [50, 0])
    np.testing.assert_allclose(values["c"], [2, 3])


def test_without_cma_differential_evolution_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimisers, "_installed", lambda package: False)
    target = simulated(LIF, Step(3e-10, 0.1), 1e-4)
    fit = float_fit(target, LIF, {"R": (20e6, 300e6)}, evaluations=200)
    assert fit.parameters["R"] == pytest.approx(80e6, rel=0.02)
    with pytest.raises(FitError, match=r"brian2lava\[fit\]"):
        float_fit(target, LIF, {"R": (20e6, 300e6)}, method="cma")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bounds": {}}, "no parameter is free"),
        ({"bounds": {"R": (3, 2)}}, "bounds of 'R': 3..2"),
        ({"bounds": {"R": (3,)}}, "a low and a high value"),
        ({"bounds": {"R": (float("nan"), 2)}}, "below the second"),
        ({"bounds": {"Q": (1, 2)}}, "mine has no parameter 'Q'; it has"),
        ({"bounds": {"R": (1 * mV, 2 * mV)}}, "given in volt; it is in ohm"),
        ({"fixed": {"Q": 1}}, "no parameter 'Q'"),
        ({"evaluations": 3}, "evaluations=3: a whole number, 16 or more"),
        ({"seeds": 0}, "seeds=0"),
        ({"compared": "phase"}, "'voltage' and 'spikes'"),
        ({"method": "annealing"}, "annealing"),
        ({"substeps": 0}, "at least one"),
        ({"neuron": "LIFE"}, "Did you mean 'LIF'"),
        ({"neuron": replace(LIF, threshold="", reset=""), "compared": "spikes"}, "no threshold"),
        ({"neuron": replace(LIF, voltage="")  , "compared": "voltage"}, "names no variable"),
    ],
)  # fmt: skip
def test_fits_that_can_not_be_say_why(changes: dict[str, Any], says: str) -> None:
    target = simulated(LIF, Step(3e-10, 0.1), 1e-4)
    arguments: dict[str, Any] = {"target": target, "neuron": LIF, "bounds": {"R": (20e6, 300e6)}}
    arguments |= changes
    with pytest.raises(FitError, match=says):
        float_fit(**arguments)


def test_targets_without_what_is_compared() -> None:
    bare = Target("bare", 1e-4, (Sweep(np.ones(100) * 1e-10),))
    for compared, says in (("voltage", "no voltage"), ("spikes", "spikes are not known")):
        with pytest.raises(FitError, match=says):
            float_fit(bare, LIF, {"R": (20e6, 300e6)}, compared=compared)  # type: ignore[arg-type]
