"""Inputs: SpikeGeneratorGroup, PoissonGroup, PoissonInput, TimedArray."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    kHz,
    ms,
    mV,
    run,
)

from tests.networks.compare import same_as_runtime
from tests.networks.devices import (  # noqa: F401
    Engine,
    pytest_generate_tests,
    under,
)


@same_as_runtime
def test_spike_generator() -> Any:
    """Unsorted times, several spikes in one step, neurons that never spike."""
    generator = SpikeGeneratorGroup(
        5, [3, 0, 0, 1, 3, 4], [2.04, 0, 5.01, 2.04, 0.1, 9.9] * ms, sorted=False
    )
    target = NeuronGroup(5, "v : 1")
    synapses = Synapses(generator, target, on_pre="v_post += 1 + t/ms")
    synapses.connect(j="i")
    spikes = SpikeMonitor(generator)
    run(12 * ms)
    assert spikes.num_spikes == 6
    return spikes, target


@same_as_runtime
def test_spike_generator_with_period() -> Any:
    """The pattern repeats, also over the end of a run."""
    generator = SpikeGeneratorGroup(3, [0, 1, 2, 0], [0, 1.3, 2.2, 2.9] * ms, period=3.1 * ms)
    spikes = SpikeMonitor(generator)
    run(10 * ms)
    run(7.5 * ms)
    return spikes


@same_as_runtime
def test_spike_generator_with_its_own_step() -> Any:
    """A generator that runs on another clock than what it drives."""
    generator = SpikeGeneratorGroup(2, [0, 1, 0], [0.5, 1.5, 3] * ms, dt=0.5 * ms)
    target = NeuronGroup(2, "dv/dt = -v/(3*ms) : 1", method="exact")
    synapses = Synapses(generator, target, on_pre="v_post += 1", delay=1 * ms)
    synapses.connect(j="i")
    trace = StateMonitor(target, "v", record=True)
    run(6 * ms)
    return trace


@same_as_runtime
def test_changing_spikes_between_runs() -> Any:
    """``set_spikes``, with and without a period, with more spikes than before."""
    generator = SpikeGeneratorGroup(4, [0], [1] * ms)
    spikes = SpikeMonitor(generator)
    network = Network(generator, spikes)
    network.run(5 * ms)
    generator.set_spikes([1, 2, 3, 1], [6, 6, 7.2, 9.5] * ms)
    network.run(5 * ms)
    generator.set_spikes([0, 3], [0, 0.4] * ms, period=1 * ms)
    network.run(3.3 * ms)
    generator.set_spikes([], [] * ms)
    network.run(2 * ms)
    return spikes


@same_as_runtime
def test_spike_generator_without_spikes() -> Any:
    """An empty generator."""
    generator = SpikeGeneratorGroup(3, [], [] * ms)
    spikes = SpikeMonitor(generator)
    run(2 * ms)
    return spikes


@same_as_runtime
def test_timed_array_of_one_dimension() -> Any:
    """With units, on another grid than the clock's, and held at its last value."""
    stimulus = TimedArray([0.3, 1.9, -0.4, 2.1] * mV, dt=2 * ms)  # noqa: F841  (found by name)
    group = NeuronGroup(
        3,
        """dv/dt = (stimulus(t)*(1 + i) - v)/(3*ms) : volt
        now = stimulus(t) : volt""",
        threshold="v > stimulus(t - 1*ms)*0.7 + 0.1037*mV",
        reset="v = 0*mV",
        method="euler",
    )
    trace = StateMonitor(group, ["v", "now"], record=True)
    spikes = SpikeMonitor(group)
    run(12 * ms)
    return group, trace, spikes


@same_as_runtime
def test_timed_array_of_two_dimensions() -> Any:
    """A column a neuron, and columns by an expression."""
    values = np.random.RandomState(3).uniform(-1, 1, (6, 4))
    stimulus = TimedArray(values, dt=1.5 * ms)  # noqa: F841  (found by name)
    group = NeuronGroup(9, "dv/dt = (stimulus(t, i % 4) - v)/(3*ms) : 1\nw : 1", method="euler")
    group.run_regularly("w = stimulus(t - 2*ms, (i + 1) % 4)", dt=0.5 * ms)
    trace = StateMonitor(group, ["v", "w"], record=True)
    run(11 * ms)
    return trace


@same_as_runtime
def test_timed_array_in_synapses_and_initial_values() -> Any:
    """Timed arrays in synaptic code and in set-up code; two arrays with one name in turn."""
    gain = TimedArray(np.arange(5) * 0.1, dt=1 * ms)  # noqa: F841  (found by name)
    group = NeuronGroup(4, "v : 1", threshold="(t_in_timesteps + i) % 13 == 0")
    group.v = "gain(3.3*ms) + i"
    synapses = Synapses(group, group, on_pre="v_post += gain(t)")
    synapses.connect("i != j")
    network = Network(group, synapses)
    network.run(3 * ms)
    gain = TimedArray(np.arange(5) * -0.2, dt=1 * ms)  # noqa: F841  (found by name)
    network.run(3 * ms)
    return group


def _rates(counts: np.ndarray, duration: float) -> tuple[float, float]:
    """Mean rate (Hz) and variance over mean of the counts."""
    return float(counts.mean() / duration), float(counts.var() / counts.mean())


@pytest.mark.parametrize("rates", ("100*Hz", "(50 + 100*i/2000.0)*Hz", "'t' in"))
def test_poisson_group(rates: str, engine: Engine) -> None:
    """Counts are Poisson (binomial in steps) with the rates that were asked for."""
    with under(engine):
        if rates == "'t' in":
            rates = "100*Hz*(1 + sin(2*pi*10*Hz*t))"
        group = PoissonGroup(2000, rates)
        spikes = SpikeMonitor(group)
        run(500 * ms)
        counts = np.array(spikes.count, dtype=float)
        steps = np.round(np.array(spikes.t_) / 1e-4).astype(int)
    expected = 0.5 * (
        np.full(2000, 100.0) if "i/" not in rates else 50 + 100 * np.arange(2000) / 2000
    )
    total = expected.sum()
    assert abs(counts.sum() - total) < 5 * np.sqrt(total)
    residual = (counts - expected) / np.sqrt(expected)
    assert abs(residual.std() - 1) < 0.1
    assert abs(np.corrcoef(counts[:-1] - expected[:-1], counts[1:] - expected[1:])[0, 1]) < 0.12
    assert len(np.unique(steps)) > 4000
    if "sin" in rates:
        first, second = (np.sum((steps % 1000 < 500) == half) for half in (True, False))
        assert 4.0 < first / second < 5.0  # (1 + 2/pi)/(1 - 2/pi) = 4.5


@same_as_runtime
def test_poisson_group_at_its_limits() -> Any:
    """Rates of zero, and rates so high that every step has a spike."""
    silent, busy = PoissonGroup(5, 0 * Hz), PoissonGroup(5, 10 * kHz)
    monitors = SpikeMonitor(silent), SpikeMonitor(busy)
    Network(silent, busy, monitors).run(5 * ms)
    assert monitors[0].num_spikes == 0 and monitors[1].num_spikes == 250
    return monitors


def test_poisson_group_with_rates_changed_between_runs(engine: Engine) -> None:
    """``group.rates`` is read anew by each run."""
    with under(engine):
        group = PoissonGroup(1000, 20 * Hz)
        spikes = SpikeMonitor(group)
        network = Network(group, spikes)
        network.run(500 * ms)
        slow = spikes.num_spikes
        group.rates = 80 * Hz
        network.run(500 * ms)
        fast = spikes.num_spikes - slow
    assert abs(slow - 10_000) < 5 * 100
    assert abs(fast - 40_000) < 5 * 200


@pytest.mark.parametrize("size, rate", ((20, 30.0), (1000, 25.0)))
def test_poisson_input(size: int, rate: float, engine: Engine) -> None:
    """Mean and variance of the summed input are binomial; ``when`` and subgroups are served."""
    steps, neurons = 1000, 400
    with under(engine):
        group = NeuronGroup(neurons, "x : 1\ny : 1")
        inputs = PoissonInput(group, "x", N=size, rate=rate * Hz, weight=0.5)
        part = PoissonInput(group[:100], "y", N=size, rate=rate * Hz, weight="1.0/2", when="end")
        network = Network(group, inputs, part)
        network.run(100 * ms)
        x, y = np.array(group.x), np.array(group.y)
    p = rate * 1e-4
    mean, variance = steps * size * p * 0.5, steps * size * p * (1 - p) * 0.25
    assert np.all(y[100:] == 0)
    for values in (x, y[:100]):
        n = len(values)
        assert abs(values.mean() - mean) < 5 * np.sqrt(variance / n)
        assert abs(values.var() / variance - 1) < 5 * np.sqrt(2 / n)
        assert np.all(values * 2 == np.round(values * 2))
    assert abs(np.corrcoef(x[:100], y[:100])[0, 1]) < 0.5
