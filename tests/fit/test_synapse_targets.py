"""Targets of synapse fits against closed forms and brute force, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.synapse import (
    ShortTermTarget,
    StdpTarget,
    SynapseOptions,
    SynapseTarget,
    TripletRule,
    alpha,
    double_exponential,
    exponential,
    fit_synapse,
    nmda,
    pair_stdp,
    recorded,
    recorded_trains,
    recorded_window,
    synapse_candidate,
    triplet_stdp,
    tsodyks_markram,
)
from brian2lava.fit.synapse.kernels import magnesium_block
from brian2lava.fit.synapse.short_term import release

T = np.arange(0, 0.2, 1e-3)
CHARGE: Any = "charge"
Make = Callable[..., Any]


# -- responses


def test_an_exponential_jumps_behind_its_delay() -> None:
    found = exponential(5e-3, 2e-10, delay=3e-3, duration=0.05)
    t = found.times - 3e-3
    wanted = np.where(t > 1e-9, 2e-10 * np.exp(-t / 5e-3), 0)
    assert found.trace == pytest.approx(wanted, rel=1e-9, abs=1e-20)
    assert found.trace[3] == 0 < found.trace[4]


def test_a_delay_between_two_steps_is_kept() -> None:
    found = exponential(5e-3, 1.0, delay=2.4e-3, duration=0.02)
    assert found.trace[2] == 0
    assert found.trace[3] == pytest.approx(np.exp(-0.6 / 5))


def test_an_alpha_function() -> None:
    found = alpha(10e-3, 3e-10, duration=0.1)
    t = found.times
    assert found.trace == pytest.approx(3e-10 * t / 10e-3 * np.exp(1 - t / 10e-3), abs=1e-20)
    assert found.peak == pytest.approx(3e-10) and np.argmax(found.trace) == 10


def test_a_double_exponential_and_its_limit() -> None:
    found = double_exponential(2e-3, 20e-3, 1.0, dt=1e-4)
    shape = np.exp(-found.times / 20e-3) - np.exp(-found.times / 2e-3)
    assert found.trace == pytest.approx(shape / shape.max(), abs=1e-4)
    alike = double_exponential(5e-3, 5e-3 * (1 + 1e-9), 1.0, duration=0.05)
    assert alike.trace == pytest.approx(alpha(5e-3, 1.0, duration=0.05).trace, abs=1e-6)


def test_nmda_is_blocked_by_magnesium() -> None:
    assert magnesium_block(-0.04, 1.0) == pytest.approx(1 / (1 + np.exp(2.48) / 3.57))
    free, blocked = nmda(magnesium=0.0), nmda(voltage=-0.07)
    assert free.peak == pytest.approx(1e-10, rel=1e-2)
    assert blocked.peak / free.peak == pytest.approx(magnesium_block(-0.07), rel=1e-6)
    both = nmda(magnesium=0.0, ampa=0.5, ampa_tau=1e-3, duration=0.1)
    only = nmda(magnesium=0.0, duration=0.1)
    fast = np.where(both.times > 0, 0.5e-10 * np.exp(-both.times / 1e-3), 0)
    assert both.trace - only.trace == pytest.approx(fast, abs=1e-20)


@pytest.mark.parametrize("make", [lambda **k: alpha(5e-3, **k), lambda **k: exponential(3e-3, **k)])
def test_a_potential_against_small_steps(make: Make) -> None:
    """dv/dt = (I - v) / tau_m, by Euler in steps of a microsecond."""
    fine = make(peak=1.0, dt=1e-6, duration=0.04).trace
    v, out = 0.0, []
    for current in fine:
        out.append(v)
        v += 1e-6 * (current - v) / 15e-3
    wanted = np.array(out)[::1000] / max(out)
    found = make(peak=1.0, tau_m=15e-3, duration=0.04)
    assert found.kind == "potential" and found.unit == "V"
    assert found.trace / found.trace.max() == pytest.approx(wanted / wanted.max(), abs=2e-3)


def test_a_recording_loses_its_baseline_and_comes_to_the_chips_steps() -> None:
    times = np.arange(-0.01, 0.05, 2e-4)
    values = -70e-3 + np.where(times > 0, 2e-3 * np.exp(-times / 8e-3), 0)
    found = recorded(times, values, 0.0, dt=1e-3, kind="potential", unit="V")
    assert found.trace[1:] == pytest.approx(2e-3 * np.exp(-found.times[1:] / 8e-3), rel=1e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exponential(-5e-3), r"tau=-0.005: a positive"),
        (lambda: exponential(float("nan")), r"tau=nan: a positive"),
        (lambda: double_exponential(20e-3, 2e-3), "Exchange them"),
        (lambda: alpha(5e-3, tau_m=0.0), r"tau_m=0.0: a positive"),
        (lambda: alpha(5e-3, peak=0.0), r"peak=0.0"),
        (lambda: alpha(5e-3, delay=-1e-3), r"delay=-0.001"),
        (lambda: alpha(5e-3, delay=0.063), r"63.0 steps of 0.001 s, .* up to 62"),
        (lambda: nmda(ampa=-1.0), r"ampa=-1.0"),
        (lambda: SynapseTarget("x", 1e-3, np.ones(3)), r"shape \(3,\); one of at least 8"),
        (lambda: SynapseTarget("x", 1e-3, np.zeros(30)), "0 throughout"),
        (lambda: SynapseTarget("x", 1e-3, [0, 1, np.nan] * 9), "the first at sample 2"),
        (lambda: SynapseTarget("x", 1e-3, np.ones(9), CHARGE), "kind='charge'"),
        (lambda: SynapseTarget("x", 1e-3, np.ones(9), tau_m=0.01), "a current has none"),
        (lambda: recorded(T, np.append(T[1:], np.nan), 0.0), "sample 199 is not finite"),
        (lambda: recorded(T[::-1], T, 0.1), "do not rise"),
        (lambda: recorded(T, T, 0.5), "0.5 s, and samples from 0 to 0.199 s"),
        (lambda: recorded(T, T[1:], 0.1), r"shape \(200,\) and values of shape \(199,\)"),
        (lambda: tsodyks_markram(0.0, 0.1), r"U=0.0"),
        (lambda: tsodyks_markram(0.5, -0.1), r"tau_d=-0.1"),
        (lambda: tsodyks_markram(0.5, 0.1, rates=(0.0,)), "positive numbers in Hz"),
        (lambda: tsodyks_markram(0.5, 0.1, pulses=1), "pulses=1"),
        (lambda: tsodyks_markram(0.5, 0.1, rates=(2000.0,)), "more than a spike a step"),
        (lambda: tsodyks_markram(0.5, 0.1, rates=(0.01,)), "Use higher rates"),
        (lambda: recorded_trains([10.0], [[0.0, 1.0]]), "the first of a train not 0"),
        (lambda: ShortTermTarget("x", 1e-3, [10.0], [[2.0, 1.0]], {}), "which is 1"),
        (lambda: pair_stdp(0.01, 0.01, tau_plus=-1.0), r"tau_plus=-1.0"),
        (lambda: pair_stdp(0.0, 0.0), "nothing to fit"),
        (lambda: pair_stdp(np.inf, 0.0), "a2_plus=inf"),
        (lambda: pair_stdp(0.01, 0.01, unit_mantissa=300), "unit_mantissa=300"),
        (lambda: StdpTarget("x", 1e-3, [0, 1, 2, 3], np.ones(4)), "leave 0 out"),
        (lambda: StdpTarget("x", 1e-3, [1, 2, 3], np.ones(3)), "four or more"),
        (lambda: StdpTarget("x", 1e-3, [1, 2, 3, 4.5], np.ones(4)), "not whole steps"),
        (lambda: triplet_stdp(rates=(80.0,)), "does not fit between its neighbours"),
        (lambda: triplet_stdp(rates=(0.1,)), "Use fewer pairs or higher rates"),
        (lambda: recorded_window([0.01, np.nan], [1.0, 1.0]), "all finite"),
        (lambda: SynapseOptions(evaluations=10), "evaluations=10"),
        (lambda: SynapseOptions(headroom=20), "headroom=20"),
        (lambda: SynapseOptions(scale=-1.0), "scale=-1.0"),
        (lambda: SynapseOptions(arithmetic="brian2loihi"), "'lava' and 'loihi1'"),
        (lambda: synapse_candidate("tripled"), "Did you mean 'triplet'"),
        (lambda: fit_synapse(T), "targets of neurons|of type ndarray"),  # type: ignore[arg-type]
        (lambda: fit_synapse(alpha(5e-3), ["pair"]), "candidates for it are exponential"),
        (lambda: fit_synapse(alpha(5e-3), ["delayed", "delayed"]), "named twice"),
        (lambda: fit_synapse(pair_stdp(0.01, 0.01), ["triplet"]), "nothing of triplet"),
    ],
)  # fmt: skip
def test_what_is_refused(make: Make, message: str) -> None:
    with pytest.raises(FitError, match=message):
        make()


# -- plasticity


@pytest.mark.parametrize(
    ("U", "tau_d", "tau_f"), [(0.5, 0.3, 0.0), (0.1, 0.05, 0.4), (0.2, 0.2, 0.2)]
)
def test_release_against_small_steps(U: float, tau_d: float, tau_f: float) -> None:
    """The model's differential equations by Euler in steps of 10 microseconds."""
    dt, u, resources, wanted = 1e-5, 0.0, 1.0, []
    for _ in range(6):
        u += U * (1 - u)
        wanted.append(u * resources)
        resources -= u * resources
        for _ in range(5000):
            u -= dt * u / tau_f if tau_f else u
            resources += dt * (1 - resources) / tau_d
    assert release(U, tau_d, tau_f, 0.05, 6) == pytest.approx(wanted, rel=1e-3)
    target = tsodyks_markram(U, tau_d, tau_f, rates=(20.0,), pulses=6)
    assert target.ratios[0] == pytest.approx(np.array(wanted) / wanted[0], rel=1e-3)


def test_the_window_of_a_pair_rule_is_two_exponentials() -> None:
    target = pair_stdp(0.01, 0.012, 15e-3, 30e-3)
    lag = target.lags * 1e-3
    wanted = np.where(lag > 0, 0.01 * np.exp(-lag / 15e-3), -0.012 * np.exp(lag / 30e-3))
    assert target.window == pytest.approx(wanted)
    assert 0 not in target.lags and target.rates.size == 0


def test_a_triplet_rule_by_hand() -> None:
    """Two pre-post pairs 100 ms apart: each spike's contribution written out."""
    rule = TripletRule(1e-3, 2e-3, 0.017, 0.034, 3e-3, 4e-3, 0.1, 0.12)
    first, second = np.exp(-0.01 / 0.017), np.exp(-0.11 / 0.017)
    o1, r2, o2 = np.exp(-0.09 / 0.034), np.exp(-0.1 / 0.1), np.exp(-0.1 / 0.12)
    wanted = first * 1e-3 + (first + second) * (1e-3 + 3e-3 * o2) - o1 * (2e-3 + 4e-3 * r2)
    assert rule.change([0.0, 0.1], [0.01, 0.11]) == pytest.approx(wanted)


def test_high_rates_potentiate_as_in_visual_cortex() -> None:
    """Sjostrom's finding, which the triplet rule was made for: both lags strengthen when fast."""
    target = triplet_stdp()
    behind, before = target.rate_changes.T
    assert before[0] < 0 < behind[-1] and before[-1] > 0
    assert (np.diff(behind) > 0).all()


def test_a_recorded_window_is_averaged_by_steps() -> None:
    lags = [0.0102, 0.0098, -0.005, 0.02, -0.02, 0.0]
    found = recorded_window(lags, [2.0, 4.0, -1.0, 1.0, -0.5, 9.0])
    assert found.lags.tolist() == [-20, -5, 10, 20]
    assert found.window.tolist() == [-0.5, -1.0, 3.0, 1.0]
