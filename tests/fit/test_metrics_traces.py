"""Metrics of voltages, f-I curves, synapses and plasticity."""

from __future__ import annotations

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.metrics import (
    area_between,
    compare_windows,
    normalised_mse,
    outside_spikes,
    paired_pulse_ratio,
    response,
    rheobase,
    rheobase_error,
    rmse,
)

TIMES = np.arange(0, 0.5, 1e-4)


# -- voltage


@pytest.mark.parametrize("seed", range(10))
def test_samples_outside_spikes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 1, 300))
    trains = [np.sort(rng.uniform(-0.1, 1.1, rng.integers(0, 20))) for _ in range(2)]
    found = outside_spikes(times, trains, 0.002, 0.01)
    wanted = [
        not any(-0.002 <= t - spike <= 0.01 for train in trains for spike in train) for t in times
    ]
    assert found.tolist() == wanted


def test_the_limits_of_a_window_are_left_out_too() -> None:
    found = outside_spikes([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [[2.0]], 1.0, 2.0)
    assert found.tolist() == [True, False, False, False, False, True]


def test_errors_of_voltage_that_are_known() -> None:
    target = np.sin(2 * np.pi * 10 * TIMES)
    assert rmse(target, target) == normalised_mse(target, target) == 0
    assert rmse(target, target + 3) == pytest.approx(3)
    assert normalised_mse(target, np.full_like(target, target.mean())) == pytest.approx(1)
    spoilt = target.copy()
    spoilt[100:120] = 50
    mask = outside_spikes(TIMES, [[TIMES[100]]], 0.0, 0.003)
    assert rmse(target, spoilt, mask) == 0 < rmse(target, spoilt)


@pytest.mark.parametrize(
    ("target", "model", "mask", "message"),
    [
        ([1.0, 2.0], [1.0], None, r"shape \(2,\), the model \(1,\)"),
        ([1.0, 2.0], [1.0, np.nan], None, "the model has values that are not finite"),
        ([1.0, 2.0], [1.0, 2.0], [False, False], "no samples are left"),
        ([1.0, 2.0], [1.0, 2.0], [True], "a mask of shape"),
        ([1.0, 1.0], [1.0, 2.0], None, "the target is constant"),
    ],
)
def test_voltages_that_cannot_be_compared(
    target: list[float], model: list[float], mask: list[bool] | None, message: str
) -> None:
    with pytest.raises(FitError, match=message):
        normalised_mse(target, model, mask)


def test_windows_before_spikes_are_not_negative() -> None:
    with pytest.raises(FitError, match="must be 0 or more"):
        outside_spikes(TIMES, [], -1.0, 0.0)


# -- f-I curves


@pytest.mark.parametrize("seed", range(10))
def test_area_between_broken_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, z = np.sort(rng.uniform(0, 1, 7)), np.sort(rng.uniform(0.2, 1.2, 5))
    f, g = rng.uniform(0, 50, 7), rng.uniform(0, 50, 5)
    low, high = max(x[0], z[0]), min(x[-1], z[-1])
    fine = np.linspace(low, high, 400001)
    wanted = np.abs(np.interp(fine, x, f) - np.interp(fine, z, g)).mean()
    assert area_between(x, f, z, g) == pytest.approx(wanted, rel=1e-4)
    assert area_between(x, f, x, f) == 0
    assert area_between(x, f, x, f + 2) == pytest.approx(2)


def test_where_firing_begins() -> None:
    current = [0.0, 1.0, 2.0, 3.0]
    assert rheobase(current, [0, 0, 5, 9]) == 2
    assert np.isnan(rheobase(current, [0, 0, 0, 0]))
    assert rheobase_error(current, [0, 0, 5, 9], current, [0, 3, 5, 9]) == -1
    assert rheobase_error(current, [0, 0, 5, 9], current, [0, 0, 0, 0]) == np.inf
    assert rheobase_error(current, [0, 0, 0, 0], current, [0, 0, 0, 1]) == -np.inf
    assert rheobase_error(current, [0, 0, 0, 0], current, [0, 0, 0, 0]) == 0


@pytest.mark.parametrize(
    ("current", "message"),
    [([0.0, 0.0], "ascend"), ([0.0], "one rate a current"), ([5.0, 6.0], "nothing in common")],
)
def test_curves_that_cannot_be_compared(current: list[float], message: str) -> None:
    with pytest.raises(FitError, match=message):
        area_between([0.0, 1.0], [0.0, 1.0], current, [0.0, 1.0])


# -- synapses


@pytest.mark.parametrize("sign", [1.0, -3.0])
def test_an_exponential_current(sign: float) -> None:
    tau = 0.01
    trace = 7 + sign * np.where(TIMES >= 0.1, np.exp(-(TIMES - 0.1) / tau), 0)
    found = response(TIMES, trace, 0.1)
    assert found.peak == pytest.approx(sign, rel=1e-6)
    assert found.time_to_peak == pytest.approx(0, abs=1e-9)
    assert found.decay == pytest.approx(tau, rel=1e-6)
    assert np.isnan(found.rise)


def test_an_alpha_function() -> None:
    tau, lag = 0.01, np.maximum(TIMES - 0.1, 0)
    found = response(TIMES, lag / tau * np.exp(1 - lag / tau), 0.1)
    assert found.peak == pytest.approx(1, rel=1e-4)
    assert found.time_to_peak == pytest.approx(tau, abs=1e-4)
    # x exp(1 - x) is 0.1 at x = 0.03822 and 0.9 at x = 0.60834
    assert found.rise == pytest.approx((0.60834 - 0.03822) * tau, rel=1e-3)
    assert tau < found.decay < 2 * tau  # the tail is slower than its exponential


def test_a_decay_that_is_not_seen_to_end_is_none() -> None:
    trace = np.where(TIMES >= 0.1, np.exp(-(TIMES - 0.1) / 0.5), 0)
    assert np.isnan(response(TIMES, trace, 0.1).decay)


@pytest.mark.parametrize("ratio", [0.4, 1.0, 2.5])
def test_paired_pulses(ratio: float) -> None:
    tau = 0.005

    def pulse(start: float) -> np.ndarray:
        return np.where(start <= TIMES, np.exp(-np.maximum(TIMES - start, 0) / tau), 0)

    trace = -2.0 * (pulse(0.1) + ratio * pulse(0.2))
    # each spike a sample before its current: the baseline is the value at the spike
    first, second = 0.1 - 1e-4, 0.2 - 1e-4
    assert paired_pulse_ratio(TIMES, trace, first, second) == pytest.approx(ratio, rel=1e-6)


def test_synapses_without_an_answer() -> None:
    with pytest.raises(FitError, match="does not leave its baseline"):
        response(TIMES, np.ones_like(TIMES), 0.1)
    with pytest.raises(FitError, match="on the clock of the trace"):
        response(TIMES, np.ones_like(TIMES), 0.7)
    with pytest.raises(FitError, match="a trace of shape"):
        response(TIMES, np.ones(3), 0.1)
    with pytest.raises(FitError, match="no response to the first"):
        paired_pulse_ratio(TIMES, np.ones_like(TIMES), 0.1, 0.2)
    with pytest.raises(FitError, match="the first is at"):
        paired_pulse_ratio(TIMES, np.ones_like(TIMES), 0.2, 0.1)
    with pytest.raises(FitError, match="not finite"):
        response(TIMES, np.full_like(TIMES, np.nan), 0.1)


def test_windows_of_plasticity() -> None:
    lags = np.linspace(-0.05, 0.05, 20)
    window = np.sign(lags) * np.exp(-np.abs(lags) / 0.02)
    same = compare_windows(window, window)
    assert (same.rmse, same.relative, same.sign_agreement) == (0, 0, 1)
    assert compare_windows(window, -window).sign_agreement == 0
    half = compare_windows(window, np.abs(window))
    assert half.sign_agreement == 0.5
    assert half.rmse == pytest.approx(np.sqrt(np.mean((2 * window[lags < 0]) ** 2) / 2))
    assert compare_windows([0.0, 2.0], [1.0, 2.0]).sign_agreement == 1
    assert compare_windows([0.0, 2.0], [1.0, 2.0]).relative == pytest.approx(np.sqrt(0.5) / 2)
    assert np.isnan(compare_windows([0.0], [1.0]).relative)
    with pytest.raises(FitError, match="at the same lags"):
        compare_windows([0.0], [1.0, 2.0])
