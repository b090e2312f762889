"""Spike metrics against slow definitions, known values, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.metrics import (
    Scales,
    explained_variance,
    explained_variance_ratio,
    gamma_factor,
    isi_cv,
    match,
    match_within,
    rate,
    relative_gamma,
    reliability,
    score,
    van_rossum,
    victor_purpura,
    within,
)
from brian2lava.fit.metrics.trains import Array
from tests.fit import plain_metrics as plain
from tests.fit.plain_metrics import random_train

SPANS = [(0.0, 10.0)]
EMPTY = np.zeros(0)
SEEDS = range(20)


def two_trains(seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    rates = rng.choice([0.0, 2.0, 10.0, 60.0], 2, p=[0.1, 0.3, 0.3, 0.3])
    return random_train(rng, rates[0], 10.0), random_train(rng, rates[1], 10.0)


# -- spans


def test_spans_are_half_open_and_apart() -> None:
    times = [0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]
    assert within(times, [(0.0, 1.0), (2.0, 4.0)]).tolist() == [0.0, 2.0, 3.0]
    assert within(times, [(0.0, 2.0), (2.0, 4.0)]).tolist() == [0.0, 1.0, 1.5, 2.0, 3.0]
    assert within(EMPTY, [(0.0, 1.0)]).size == 0
    assert rate(times, [(0.0, 1.0), (2.0, 4.0)]) == 1.0


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([], "at least one"),
        ([(1.0, 1.0)], "start before it stops"),
        ([(0.0, np.inf)], "finite"),
        ([(0.0, 2.0), (1.0, 3.0)], "overlap"),
        ([(4.0, 5.0), (1.0, 3.0)], "out of order"),
    ],
)
def test_spans_that_are_none(spans: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(FitError, match=message):
        within([1.0], spans)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([[1.0, 2.0]], "one-dimensional"),
        ([1.0, np.nan], "spike 1 is at nan"),
        ([1.0, 3.0, 2.0], "spike 2 is at 2.0, before"),
    ],
)
def test_trains_that_are_none(times: list[float], message: str) -> None:
    for measure in (
        lambda train: match(train, EMPTY, 1.0),
        lambda train: victor_purpura(EMPTY, train, 1.0),
        lambda train: van_rossum(train, EMPTY, 1.0),
        lambda train: within(train, SPANS),
        isi_cv,
    ):
        with pytest.raises(FitError, match=message):
            measure(times)


# -- matching


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("window", [0.002, 0.02, 0.3])
def test_no_matching_has_more_pairs(seed: int, window: float) -> None:
    a, b = two_trains(seed)
    found = match(a, b, window)
    assert found.count == plain.largest_matching(a, b, window)
    assert (np.abs(found.latencies) <= window).all()
    for column in found.pairs.T:
        assert (np.diff(column) > 0).all()  # one to one, in order
    assert found.hit.sum() == found.count == len(b) - found.extra.sum()
    assert (found.miss == ~found.hit).all()


def test_one_spike_is_no_doublet() -> None:
    found = match([1.0, 1.001, 2.0, 2.001], [1.0, 2.0], 0.002)
    assert found.hit.tolist() == [True, False, True, False]
    assert (found.precision, found.recall, found.f1) == (1.0, 0.5, pytest.approx(2 / 3))


def test_a_spike_takes_the_nearer_of_two() -> None:
    found = match([10.0], [9.0, 10.1], 2.0)
    assert found.extra.tolist() == [True, False]
    assert found.latency_mean == pytest.approx(0.1)
    assert match([9.0, 10.1], [10.0], 2.0).miss.tolist() == [True, False]


def test_the_limit_of_a_window_does_not_hang_on_a_bit() -> None:
    steps = np.arange(1, 5000, 50)
    found = match(steps * 1e-4, (steps + 20) * 1e-4, 2e-3)
    assert found.count == len(steps)
    assert match(steps * 1e-4, (steps + 21) * 1e-4, 2e-3).count == 0


def test_latencies_have_a_sign() -> None:
    late = match([1.0, 2.0], [1.001, 2.003], 0.004)
    assert late.latency_mean == pytest.approx(0.002)
    assert late.latency_sd == pytest.approx(0.001)
    assert match([1.001], [1.0], 0.004).latency_mean == pytest.approx(-0.001)
    assert np.isnan(match([1.0], EMPTY, 1.0).latency_mean)


def test_parts_without_spikes() -> None:
    nothing = match(EMPTY, EMPTY, 1.0)
    assert (nothing.precision, nothing.recall, nothing.f1) == (1.0, 1.0, 1.0)
    silent = match([1.0], EMPTY, 1.0)
    assert np.isnan(silent.precision) and (silent.recall, silent.f1) == (0.0, 0.0)
    alone = match(EMPTY, [1.0], 1.0)
    assert np.isnan(alone.recall) and (alone.precision, alone.f1) == (0.0, 0.0)


def test_no_pair_leaves_its_span() -> None:
    spans = [(0.0, 1.0), (1.0, 2.0)]
    found = match_within([0.5, 0.999, 1.5], [0.5, 1.0, 1.5], spans, 0.01)
    assert found.pairs.tolist() == [[0, 0], [2, 2]]
    assert match_within([0.5, 0.999], [0.5, 1.0], [(0.0, 2.0)], 0.01).count == 2
    with pytest.raises(FitError, match="overlap"):
        match_within([0.5], [0.5], [(0.0, 1.0), (0.5, 2.0)], 0.01)


# -- gamma factor


def test_gamma_factors_that_are_known() -> None:
    train = np.arange(0.5, 10, 0.1)
    assert gamma_factor(train, train, SPANS) == pytest.approx(1, abs=1e-12)
    assert gamma_factor(train, train + 0.001, SPANS) == pytest.approx(1, abs=1e-12)
    assert gamma_factor(EMPTY, EMPTY, SPANS) == 1
    assert gamma_factor(train, EMPTY, SPANS) == 0
    assert gamma_factor(EMPTY, train, SPANS) == 0
    # 95 spikes in 10 s, 2 ms: windows cover 0.038; shifted beyond them no spike coincides
    assert gamma_factor(train, train + 0.05, SPANS) == pytest.approx(-0.038 / (1 - 0.038))
    # half the spikes: 2 / (1 - 0.0192) * (48 - 0.0192 * 95) / 143
    assert gamma_factor(train, train[::2], SPANS) == pytest.approx(
        2 / (1 - 0.0192) * (48 - 0.0192 * 95) / 143
    )


def test_chance_scores_about_nothing() -> None:
    rng = np.random.default_rng(1)
    values = [
        gamma_factor(random_train(rng, 10, 10), random_train(rng, 10, 10), SPANS, 0.002)
        for _ in range(200)
    ]
    assert abs(np.mean(values)) < 0.01


def test_windows_that_cover_the_recording_are_refused() -> None:
    train = np.arange(0, 10, 0.004)  # 250 Hz
    with pytest.raises(FitError, match="cover 1.00 of the recording.*Use a window below 0.002"):
        gamma_factor(train, train, SPANS, 0.002)
    assert gamma_factor(train, train, SPANS, 0.00199) == pytest.approx(1)


def test_the_repeats_reliability_is_the_measure() -> None:
    rng = np.random.default_rng(2)
    true = np.arange(0.5, 10, 0.1)
    repeats = [np.sort(true + rng.normal(0, 0.002, true.shape)) for _ in range(4)]
    own = reliability(repeats, SPANS)
    pairs = [gamma_factor(x, y, SPANS) for i, x in enumerate(repeats)
             for j, y in enumerate(repeats) if i != j]  # fmt: skip
    assert own == pytest.approx(np.mean(pairs)) and 0.3 < own < 0.9
    mean = np.mean([gamma_factor(each, true, SPANS) for each in repeats])
    assert relative_gamma(repeats, true, SPANS) == pytest.approx(mean / own)
    assert relative_gamma(repeats[:1], repeats[0], SPANS) == pytest.approx(1)
    assert reliability([true] * 3, SPANS) == pytest.approx(1)


def test_repeats_from_which_nothing_follows() -> None:
    with pytest.raises(FitError, match="two are needed"):
        reliability([[1.0]], SPANS)
    with pytest.raises(FitError, match="at least one repeat"):
        relative_gamma([], [1.0], SPANS)
    with pytest.raises(FitError, match="no better than chance"):
        relative_gamma([[1.0], [2.0]], [1.0], SPANS)


# -- distances


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cost", [0.0, 0.3, 10.0, 200.0, 5000.0])
def test_victor_purpura_is_the_least_of_all_costs(seed: int, cost: float) -> None:
    a, b = two_trains(seed)
    a, b = a[:90], b[:90]
    assert victor_purpura(a, b, cost) == pytest.approx(plain.victor_purpura(a, b, cost))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tau", [0.02, 0.2])
def test_van_rossum_is_the_integral(seed: int, tau: float) -> None:
    a, b = two_trains(seed)
    a, b = within(a, [(2.0, 4.0)])[:20], within(b, [(2.0, 4.0)])[:20]
    # the jumps of the exponentials fall between midpoints, which costs about step / tau a spike
    wanted = plain.van_rossum(a, b, tau, tau / 1000)
    assert van_rossum(a, b, tau) == pytest.approx(wanted, rel=2e-3, abs=0.05 if wanted < 1 else 0)


def test_distances_that_are_known() -> None:
    train = np.arange(0.5, 10, 0.1)
    for distance in (lambda x, y: victor_purpura(x, y, 100.0), lambda x, y: van_rossum(x, y, 0.01)):
        assert distance(train, train) == 0
        assert distance(EMPTY, EMPTY) == 0
        assert distance(EMPTY, [3.0]) == distance([3.0], EMPTY) == pytest.approx(1)
    assert victor_purpura(train, train + 0.001, 100.0) == pytest.approx(0.1 * len(train))
    assert victor_purpura(train, EMPTY, 100.0) == len(train)
    assert victor_purpura([1.0, 2.0], [1.0, 2.5], np.inf) == 2
    assert victor_purpura([1.0], [1.021], 100.0) == 2  # beyond 2 / cost: deleted and inserted
    assert van_rossum([1.0], [1.01], 0.01) == pytest.approx(np.sqrt(2 * (1 - np.exp(-1))))
    assert van_rossum([1.0, 2.0], [1.5], np.inf) == 1
    assert van_rossum([1.0, 1.0], EMPTY, 0.01) == pytest.approx(2)


@pytest.mark.parametrize("measure", [lambda: victor_purpura([], [], -1.0),
                                     lambda: victor_purpura([], [], np.nan),
                                     lambda: van_rossum([], [], 0.0),
                                     lambda: match([], [], -1.0),
                                     lambda: explained_variance([], [], SPANS, 0.0)])  # fmt: skip
def test_scales_that_mean_nothing(measure: Callable[[], object]) -> None:
    with pytest.raises(FitError, match="must be"):
        measure()


# -- explained variance


@pytest.mark.parametrize("seed", range(8))
def test_explained_variance_is_that_of_gaussians(seed: int) -> None:
    a, b = two_trains(seed + 100)
    a, b = a[:100], np.sort(np.concatenate([a[:60] + 0.004, b[:20]]))
    a, b = within(a, SPANS), within(b, SPANS)
    if len(a) and len(b):
        wanted = plain.explained_variance(a, b, 10.0, 0.01, 0.0002)
        assert explained_variance(a, b, SPANS) == pytest.approx(wanted, abs=5e-3)


def test_explained_variances_that_are_known() -> None:
    train = np.arange(0.5, 10, 0.7)
    assert explained_variance(train, train, SPANS) == 1
    assert explained_variance(EMPTY, EMPTY, SPANS) == 1
    assert explained_variance(train, EMPTY, SPANS) == pytest.approx(0)
    # one shifted Gaussian, far from the ends: exp(-d^2 / 4 sigma^2), less the means
    assert explained_variance([50.0], [50.01], [(0.0, 100.0)]) == pytest.approx(
        np.exp(-0.25), abs=1e-3
    )


def test_the_mean_of_repeats_explains_all_that_can_be() -> None:
    rng = np.random.default_rng(3)
    true = np.arange(0.5, 10, 0.3)
    repeats = [np.sort(true + rng.normal(0, 0.01, true.shape)) for _ in range(6)]
    ratio = explained_variance_ratio(repeats, true, SPANS)
    alone = np.mean([explained_variance(each, true, SPANS) for each in repeats])
    assert alone < ratio <= 1.05
    assert explained_variance_ratio([true], repeats[0], SPANS) == pytest.approx(
        explained_variance(true, repeats[0], SPANS)
    )
    # two repeats that share nothing have variances of 1, their mean has 1/2 and a covariance of 1/2
    # with each: it explains 2 * 1/2 / (1 + 1/2); the model explains all of one, nothing of another
    assert explained_variance_ratio([[2.0], [8.0]], [2.0], SPANS) == pytest.approx(
        0.5 / (2 * 0.5 / (1 + 0.5)), abs=1e-2
    )


# -- intervals, and all together


def test_regularity_of_intervals() -> None:
    assert isi_cv(np.arange(10.0)) == 0
    assert isi_cv([0.0, 1.0, 4.0]) == pytest.approx(0.5)
    assert np.isnan(isi_cv([0.0, 1.0])) and np.isnan(isi_cv(EMPTY))
    times = [0.0, 1.0, 2.0, 7.0, 8.0, 9.0]
    assert isi_cv(times, [(0.0, 3.0), (6.0, 10.0)]) == 0 < isi_cv(times)


def test_a_score_has_what_the_functions_say() -> None:
    rng = np.random.default_rng(4)
    spans = [(0.0, 3.0), (5.0, 9.0)]
    true = random_train(rng, 8, 10)
    repeats = [np.sort(true + rng.normal(0, 0.001, true.shape)) for _ in range(3)]
    model = np.sort(np.concatenate([true[::2] + 0.001, random_train(rng, 2, 10)]))
    found = score(repeats, model, spans)
    assert found.windows == (0.002, 0.004) and found.refused == ()
    for place, window in enumerate(found.windows):
        matched = [match_within(each, model, spans, window) for each in repeats]
        assert found.gamma[place] == pytest.approx(relative_gamma(repeats, model, spans, window))
        assert found.reliability[place] == pytest.approx(reliability(repeats, spans, window))
        assert found.raw_gamma[place] == pytest.approx(
            found.gamma[place] * found.reliability[place]
        )
        assert found.recall[place] == pytest.approx(np.mean([m.recall for m in matched]))
        assert found.precision[place] == pytest.approx(np.mean([m.precision for m in matched]))
        assert 0 < found.latency_mean[place] < 0.003
    own = within(model, spans)
    assert found.victor_purpura == pytest.approx(
        np.mean([victor_purpura(within(each, spans), own, 200.0) for each in repeats])
    )
    assert found.van_rossum == pytest.approx(
        np.mean([van_rossum(within(each, spans), own, 0.01) for each in repeats])
    )
    assert found.explained_variance == explained_variance_ratio(repeats, model, spans)
    assert found.rate == len(own) / 7
    assert found.isi_cv == isi_cv(model, spans)


def test_a_score_says_what_it_refuses() -> None:
    train = np.arange(0, 10, 0.006)  # 167 Hz: 2 ms can be told from chance, 4 ms can't
    found = score([train], train, SPANS)
    assert found.gamma[0] == pytest.approx(1) and np.isnan(found.gamma[1])
    assert found.f1 == (1, 1)
    assert len(found.refused) == 1 and "0.004" in found.refused[0]
    unlike = score([[1.0], [2.0]], [1.0], SPANS, Scales(windows=(0.002,)))
    assert np.isnan(unlike.gamma[0]) and unlike.raw_gamma[0] > 0.4
    assert "no better than chance" in unlike.refused[0]
    with pytest.raises(FitError, match="at least one repeat"):
        score([], train, SPANS)


def test_scores_of_silence() -> None:
    silent = score([EMPTY], EMPTY, SPANS)
    assert silent.gamma == (1, 1) and silent.explained_variance == 1
    assert silent.victor_purpura == silent.van_rossum == silent.rate == 0
    assert np.isnan(silent.latency_mean).all() and np.isnan(silent.isi_cv)
