"""Searches: a chip neuron refitted, stops and resumptions, rankings, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit import CANDIDATES, FitOptions, Fitting, Sweep, Target, candidate, fit
from brian2lava.fit.batch import Batch, Stimulus
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.search import optimisers
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.optimisers import OPTIMISERS, optimiser
from brian2lava.fit.search.result import ranked
from brian2lava.fit.search.space import Space
from brian2lava.fit.search.trial import _apart
from brian2lava.fit.target.resample import resampled

DT = 1e-3
QUICK = FitOptions(evaluations=2500, seeds=1, workers=1)


def made_by(name: str, steps: int = 4000, seed: int = 0, **values: float) -> Target:
    """What a candidate answers to noise; not on the grid of a search's points."""
    rng = np.random.default_rng(seed)
    current = np.convolve(rng.normal(0, 1, steps + 9), np.ones(10) / 10**0.5, "valid") * 0.4 + 0.3
    each = candidate(name)
    defaults = {p.name: (p.low * p.high) ** 0.5 if p.log else 0.0 for p in each.parameters}
    frame = Frame(DT, float(np.abs(current).max()))
    settings = each.to_settings(
        {n: np.array([v]) for n, v in {**defaults, **values}.items()}, frame
    )
    out = Batch(each.model).run(settings, Stimulus(current))
    assert 30 < out.counts[0] < steps / 5, out.counts
    return Target(name, DT, (Sweep(current, (out.train(0) * DT,)),), unit="1")


@pytest.fixture(scope="module")
def leaky() -> Target:
    return made_by("LIF", tau_m=0.02, tau_s=0.004, gain=2.4, bias=0.2)


# ------------------------------------------------------------ the whole
@pytest.mark.parametrize("method", ["cma", "differential_evolution", "optuna"])
def test_a_chip_neuron_is_refitted(leaky: Target, method: str) -> None:
    if method in ("cma", "optuna"):
        pytest.importorskip(method)
    budget = 1500 if method == "optuna" else 6000
    result = fit(leaky, ["LIF"], QUICK, evaluations=budget, optimiser=method)
    best = result.best
    assert best.evaluation.gamma("held_out") > 0.8 and best.evaluation.gamma("train") > 0.8
    assert best.evaluations <= 6000 + 512 and best.seconds > 0
    losses = [loss for _, loss in best.history[0]]
    assert losses == sorted(losses, reverse=True) and losses[-1] == best.losses[0]
    own = Batch("LIF").run(best.settings, Stimulus(leaky.sweeps[0].current)).train(0) * DT
    assert np.array_equal(own, best.evaluation.trains[0])


def test_an_optimiser_of_ones_own(leaky: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    class Guessing:
        """Asks for points at random."""

        converged = False

        def __init__(self, start: Any, spread: float, size: int, seed: int) -> None:
            self._rng, self._shape = np.random.default_rng(seed), (size, len(start))

        def ask(self) -> Any:
            return self._rng.random(self._shape)

        def tell(self, points: Any, losses: Any) -> None:
            asked.append(len(losses))

    asked: list[int] = []
    monkeypatch.setitem(OPTIMISERS, "guessing", Guessing)
    result = fit(leaky, ["LIF"], QUICK, evaluations=1500, optimiser="guessing")
    assert sum(asked) > 500 and np.isfinite(result.best.losses[0])


def test_an_optimiser_that_is_not_installed_is_named(
    leaky: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimisers, "_installed", lambda package: False)
    with pytest.raises(
        FitError, match=r"'optuna' needs the package optuna: .*brian2lava\[optuna\]"
    ):
        fit(leaky, ["LIF"], QUICK, optimiser="optuna")


def test_what_is_held_out_is_not_seen(leaky: Target) -> None:
    (sweep,) = leaky.sweeps
    start = leaky.held_out[0][0]
    blind = replace(
        leaky, sweeps=(Sweep(sweep.current, (sweep.spikes[0][sweep.spikes[0] < start],)),)
    )
    seen, unseen = (fit(t, ["LIF"], QUICK).best for t in (leaky, blind))
    assert seen.losses == unseen.losses and dict(seen.physical) == dict(unseen.physical)


def test_results_do_not_depend_on_the_number_of_threads(leaky: Target) -> None:
    options = replace(QUICK, evaluations=900, seeds=2)
    one, three = (
        fit(leaky, ["LIF", "ALIF"], options, workers=workers).table() for workers in (1, 3)
    )
    for row in (*one, *three):
        del row["seconds"]
    assert one == three


def test_an_adaptive_neuron_is_fitted_best_by_adaptive_candidates() -> None:
    target = made_by("ALIF", tau_m=0.015, tau_s=0.003, gain=4.0, bias=0.0, tau_theta1=0.15,
                     step1=0.8)  # fmt: skip
    result = fit(target, ["LIF", "ALIF"], QUICK, evaluations=12_000)
    assert [each.candidate.name for each in result.found] == ["ALIF", "LIF"]
    assert result["ALIF"].evaluation.gamma("held_out") > 0.7
    rows = result.table()
    assert rows[0]["held_out"] >= rows[1]["held_out"]
    text = str(result)
    assert text.index("ALIF") < text.index("\nLIF") and "held-out" in text
    with pytest.raises(KeyError, match="'RF' was not fitted; ALIF, LIF"):
        result["RF"]


def test_candidates_without_a_held_out_score_come_last(leaky: Target) -> None:
    found = fit(leaky, ["LIF", "RF"], replace(QUICK, evaluations=500)).found
    nothing = replace(found[0], evaluation=replace(found[0].evaluation, held_out=()))
    assert ranked([nothing, found[1]])[0] is found[1]


def test_several_sweeps_repeats_and_a_longer_step(leaky: Target) -> None:
    (sweep,) = leaky.sweeps
    late = Sweep(sweep.current, (sweep.spikes[0] + 0.3 * DT, sweep.spikes[0]))
    short = Sweep(sweep.current[:1000], (sweep.spikes[0][sweep.spikes[0] < 1.0],))
    several = replace(leaky, sweeps=(late, short))
    result = fit(several, ["LIF"], QUICK, dt=2e-3)
    assert result.target.dt == 2e-3 and result.target.sweeps[0].steps == 2000
    scores = result.best.evaluation
    assert len(scores.trains) == 2 and len(scores.held_out) == 1, "the short one holds nothing out"
    assert len(scores.train) == 2 and scores.gamma("held_out") > 0.5


# ------------------------------------------------------------ stop and go on
def test_a_fit_that_was_stopped_goes_on_as_well(leaky: Target) -> None:
    def started() -> Fitting:
        return Fitting(leaky, ["LIF"], replace(QUICK, evaluations=4000))

    fitting = started()
    while fitting.progress.done < 0.5:
        fitting.advance(0.0)
        for trial in fitting.trials:
            trial.round()
    state = json.loads(json.dumps(fitting.state()))
    assert 0.4 < fitting.progress.done < 0.9 and fitting.progress.left >= 0
    resumed = started()
    resumed.resume(state)
    assert resumed.progress.trials == fitting.progress.trials
    before = resumed.trials[0].best_loss
    assert resumed.result().best.losses == fitting.result().best.losses
    resumed.advance(float("inf"))
    assert resumed.done and resumed.progress.done == 1
    assert resumed.trials[0].best_loss <= before
    assert resumed.result().best.evaluation.gamma("held_out") > 0.8


@pytest.mark.parametrize("until", [0.0, 0.1, 0.2, 0.9, 1.0])
def test_every_phase_can_be_left_and_entered(leaky: Target, until: float) -> None:
    options = replace(QUICK, evaluations=800)
    fitting = Fitting(leaky, ["ALIF"], options)
    while fitting.progress.done < until:
        fitting.trials[0].round()
    resumed = Fitting(leaky, ["ALIF"], options)
    resumed.resume(json.loads(json.dumps(fitting.state())))
    resumed.advance(float("inf"))
    assert resumed.done and resumed.result().best.losses[0] <= fitting.trials[0].best_loss


def test_states_of_other_fits_and_newer_versions(leaky: Target) -> None:
    fitting = Fitting(leaky, ["LIF"], QUICK)
    with pytest.raises(FitError, match="nothing has been searched yet"):
        fitting.result()
    fitting.trials[0].round()
    state = fitting.state()
    with pytest.raises(FitError, match="a newer version \\(its state is 99, known is 1\\)"):
        fitting.resume({**state, "version": 99})
    with pytest.raises(FitError, match="of other candidates or seeds"):
        Fitting(leaky, ["ALIF"], QUICK).resume(state)
    damaged = json.loads(json.dumps(state))
    damaged["trials"][0]["phase"] = "dreaming"
    with pytest.raises(FitError, match="the phase 'dreaming'"):
        Fitting(leaky, ["LIF"], QUICK).resume(damaged)


# ------------------------------------------------------------ loss and space
def test_the_loss_of_the_settings_that_made_a_target_is_none(leaky: Target) -> None:
    each = CANDIDATES["LIF"]
    frame = Frame(DT, float(np.abs(leaky.sweeps[0].current).max()))
    values = {"tau_m": [0.02, 0.005], "tau_s": [0.004] * 2, "gain": [2.4, 9.0], "bias": [0.2] * 2}
    settings = each.to_settings({n: np.array(v) for n, v in values.items()}, frame)
    loss = Loss(leaky, Batch("LIF"))
    free, forced = loss.free(settings), loss.forced(settings, frame.threshold << 6)
    assert free[0] == 0 < free[1] and forced[0] == 0 < forced[1]
    assert loss.steps == round(leaky.train[0][1] / DT), "what is held out is not even simulated"


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("drive", ["graded", "bias"])
def test_what_registers_mean_is_what_was_asked_for(name: str, drive: Any) -> None:
    each = CANDIDATES[name]
    if drive == "bias" and "bias" not in {p.name for p in each.parameters}:
        pytest.skip(f"{name} has no bias")
    space = Space(each, Frame(2e-4, 3.0, drive=drive))
    points = 0.2 + 0.6 * np.random.default_rng(3).random((200, space.dimensions))
    asked, settings = space.values(points), space.settings(points)
    meant = each.to_physical(settings, space.frame)
    for p in space.free:
        tolerance = 0.35 if p.unit == "s" else 0.05  # slow decays have few bits
        near = np.isclose(meant[p.name], asked[p.name], rtol=tolerance, atol=p.high * 0.02)
        # a slow current's weight has few bits where its decay has few; the meaning tells it
        assert near.mean() > (0.15 if p.name == "slow" else 0.9), p.name
    again = space.points(meant)
    assert again.shape == points.shape and again.min() >= 0 and again.max() <= 1


def test_bounds_and_fixed_parameters_are_kept(leaky: Target) -> None:
    found = fit(leaky, ["LIF"], QUICK, evaluations=600, fixed={"LIF": {"bias": 0.0}},
                bounds={"LIF": {"tau_m": (0.03, 0.05)}}).best  # fmt: skip
    assert found.physical["bias"] == 0 and found.settings.registers["bias_mant"] == 0
    assert 0.025 < found.physical["tau_m"] < 0.06


def test_a_bias_drives_where_spikes_carry_no_payload(leaky: Target) -> None:
    result = fit(leaky, None, replace(QUICK, evaluations=500, drive="bias", arithmetic="loihi1"))
    names = {each.candidate.name for each in result.found}
    assert {"LIF", "ATRLIF", "ALIF2"} <= names and not names & {"RF", "RF_IZ"}
    assert all(each.settings.weights.max() == 0 for each in result.found)


def test_longer_steps_keep_the_charge() -> None:
    target = Target("x", 1e-4, (Sweep(np.arange(100.0), (np.array([0.002]),), np.arange(100.0)),))
    coarse = resampled(target, 5e-4)
    assert coarse.sweeps[0].current == pytest.approx([2 + 5 * k for k in range(20)])
    assert coarse.sweeps[0].spikes[0].tolist() == [0.002]
    assert resampled(target, 1e-4) is target


def test_one_parameter_alone_can_be_searched(leaky: Target) -> None:
    others = {"tau_m": 0.02, "tau_s": 0.001, "bias": 0.0}
    result = fit(leaky, ["LIF"], replace(QUICK, fixed={"LIF": others}))
    assert result.best.evaluation.gamma("train") > 0.3


def test_parameters_of_either_sign_are_fine_near_zero() -> None:
    space = Space(CANDIDATES["ALIF2"], Frame(1e-3, 1.0))
    place = [p.name for p in space.free].index("step1")
    low, high = space.limits(space.free[place])
    points = np.full((401, space.dimensions), 0.5)
    points[:, place] = np.linspace(0, 1, 401)
    steps = space.values(points)["step1"]
    assert steps[0] == pytest.approx(low) and steps[-1] == pytest.approx(high)
    assert (np.abs(steps) < 0.1).mean() > 5 * 0.2 / (high - low)
    assert space.points(space.values(points)) == pytest.approx(points)


def test_optimisers_race_and_the_best_stay(leaky: Target) -> None:
    trial = Fitting(leaky, ["LIF"], replace(QUICK, evaluations=4000)).trials[0]
    left = []
    while not trial.done:
        before = [each.best for each in trial._running] if trial.phase == "free" else []
        trial.round()
        if trial.phase == "free" and trial._running:
            left.append(len(trial._running))
            if len(before) > left[-1]:
                assert max(e.best for e in trial._running) <= sorted(before)[left[-1] - 1]
    assert left[0] == 6 and left[-1] == 2 and left == sorted(left, reverse=True)


def test_starts_lie_apart() -> None:
    points = np.array([[0.5, 0.5], [0.51, 0.5], [0.5, 0.75], [0.1, 0.5], [0.9, 0.9]])
    assert np.array_equal(_apart(points, 3), points[[0, 2, 3]])
    assert np.array_equal(_apart(points[:2], 3), points[[0, 0, 1]])


# ------------------------------------------------------------ refused
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluations": 10}, "evaluations=10: a whole number, 500 or more"),
        ({"seeds": 0}, "seeds=0: a whole number, 1 or more"),
        ({"workers": 1.5}, "workers=1.5: a whole number"),
        ({"window": 0.0}, "window=0.0: a positive number of seconds"),
        ({"dt": -1.0}, "dt=-1.0: a positive number of seconds"),
        ({"arithmetic": "loihi1"}, "Loihi 1 has no graded spikes. Use drive='bias'"),
        ({"arithmetic": "loihi3"}, "fits know 'lava' and 'loihi1'"),
        ({"bounds": {"LIFF": {}}}, None),
        ({"bounds": {"LIF": {"tau": (1, 2)}}}, "LIF has no parameter 'tau'; it has tau_m, tau_s"),
        ({"fixed": {"LIFE": {"bias": 1}}}, "no candidate 'LIFE'.*Did you mean 'LIF'"),
    ],
)
def test_options_that_can_not_be(options: dict[str, Any], message: str | None) -> None:
    if message is None:
        FitOptions(**options)  # nothing is asked of that candidate
        return
    with pytest.raises(FitError, match=message):
        FitOptions(**options)


def test_fits_that_can_not_be(leaky: Target) -> None:
    with pytest.raises(FitError, match="a candidate is named twice"):
        Fitting(leaky, ["LIF", "LIF"], QUICK)
    with pytest.raises(FitError, match="bounds of 'tau_m': 0.05..0.01"):
        Fitting(leaky, ["LIF"], replace(QUICK, bounds={"LIF": {"tau_m": (0.05, 0.01)}}))
    with pytest.raises(FitError, match="logarithmic scale"):
        Fitting(leaky, ["LIF"], replace(QUICK, bounds={"LIF": {"tau_m": (-0.05, 0.01)}}))
    with pytest.raises(FitError, match="optimiser 'annealing'"):
        optimiser("annealing")
    still = Target("still", DT, (Sweep(np.zeros(100), (np.array([0.01]),)),))
    with pytest.raises(FitError, match="stimulus is zero throughout"):
        Fitting(still, ["LIF"], QUICK)
    unknown = Target("unknown", DT, (Sweep(np.ones(100)),))
    with pytest.raises(FitError, match="its spikes are not known"):
        Fitting(unknown, ["LIF"], QUICK)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sweep([]), "got shape"),
        (lambda: Sweep([0.0, np.nan]), "current: sample 1 is nan. Cut the recording"),
        (lambda: Sweep([1.0, 2.0], voltage=[1.0]), "2 samples of current and 1 of voltage"),
        (lambda: Sweep([1.0], ([np.inf],)), "spike times of repeat 0: sample 0 is inf"),
        (lambda: Target("a", 0.0, (Sweep([1.0]),)), "dt is 0.0"),
        (lambda: Target("a", 1.0, ()), "'a' has no sweep"),
        (lambda: Target("a", 1.0, (Sweep([1.0]),), ((0, 0),)), "train span 0.0..0.0 s is empty"),
        (lambda: Target("a", 1.0, (Sweep([1.0]),), (), ((0, 1),)), "no span to train on"),
        (
            lambda: Target("a", 1.0, (Sweep([1.0] * 9),), ((0, 5),), ((4, 9),)),
            "spans overlap at 4.0 s",
        ),
    ],
)  # fmt: skip
def test_targets_that_can_not_be(make: Any, message: str) -> None:
    with pytest.raises(FitError, match=message):
        make()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_find_the_bottom_of_a_bowl(name: str) -> None:
    if name in ("cma", "optuna"):
        pytest.importorskip(name)
    rounds, near = (10, 0.02) if name == "optuna" else (80, 1e-6)  # its points are few and apart
    goal = np.array([0.3, 0.7, 0.5])
    search = OPTIMISERS[name](np.full(3, 0.5), 0.2, 20, 4)
    best = np.inf
    for _ in range(rounds):
        points = search.ask()
        assert points.shape == (20, 3) and points.min() >= 0 and points.max() <= 1
        losses = ((points - goal) ** 2).sum(axis=1)
        best = min(best, float(losses.min()))
        search.tell(points, losses)
    assert best < near
