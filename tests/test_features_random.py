"""Random numbers: right in distribution, everywhere where code can draw them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import (
    BinomialFunction,
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
    run,
    seed,
)
from scipy import stats

from tests.networks.devices import (  # noqa: F401
    ENGINES,
    Engine,
    needs_lava_device,
    pytest_generate_tests,
    reference,
    under,
)
from tests.networks.programs import program, run_program

#: Chance that a right generator fails a test by accident; seeds are fixed, so it did not.
_CHANCE = 1e-5
_SIZE = 4000

_DRAWS: dict[str, tuple[str, Any]] = {
    "rand": ("rand()", stats.uniform()),
    "randn": ("randn()", stats.norm()),
    "poisson": ("poisson(3.7)", stats.poisson(3.7)),
    "poisson, many": ("poisson(57.0)", stats.poisson(57.0)),
    "binomial": ("draw_binomial()", stats.binom(12, 0.3)),
    "binomial, many": ("draw_many()", stats.binom(40, 0.4)),
}


def _agrees(values: np.ndarray, expected: Any) -> None:
    """A test of fit: Kolmogorov-Smirnov for continuous numbers, chi-squared for counts."""
    if expected.dist.name in ("uniform", "norm"):
        assert stats.kstest(values, expected.cdf).pvalue > _CHANCE
        return
    counts = np.bincount(values.astype(int))
    assert np.all(values == np.round(values))
    probable = np.flatnonzero(expected.pmf(np.arange(len(counts))) * len(values) >= 5)
    low, high = probable[0], probable[-1]
    inner = counts[low : high + 1]
    wanted = expected.pmf(np.arange(low, high + 1)) * len(values)
    rest = max(len(values) - wanted.sum(), 1e-9)
    observed = np.append(inner, len(values) - inner.sum())
    chi = np.sum((observed - np.append(wanted, rest)) ** 2 / np.append(wanted, max(rest, 1)))
    assert stats.chi2(len(observed) - 1).sf(chi) > _CHANCE


def _independent(rows: np.ndarray) -> None:
    """Neighbours in space and in time are not correlated."""
    for one, two in ((rows[0], rows[1]), (rows[0][:-1], rows[0][1:])):
        if one.std() > 0:
            assert abs(np.corrcoef(one, two)[0, 1]) < 5 / np.sqrt(len(one))


@pytest.mark.parametrize("draw", _DRAWS)
def test_draws_in_the_loop(draw: str, engine: Engine) -> None:
    """In ``run_regularly`` of a group, over elements and over time."""
    code, expected = _DRAWS[draw]
    with under(engine):
        namespace = {
            "draw_binomial": BinomialFunction(12, 0.3, approximate=False),
            "draw_many": BinomialFunction(40, 0.4, approximate=False),
        }
        group = NeuronGroup(_SIZE, "x : 1", namespace=namespace)
        group.run_regularly(f"x = {code}")
        trace = StateMonitor(group, "x", record=True, when="end")
        run(0.3 * ms)
        rows = np.array(trace.x).T
    assert rows.shape == (3, _SIZE)
    for row in rows:
        _agrees(row, expected)
    _independent(rows)


@needs_lava_device
def test_binomial_numbers_of_many_trials() -> None:
    """(1 - p)**n needs more than 15 decimal places; a program of its own, as it must end."""
    text = program(
        """
        draw = BinomialFunction(300, 0.4, approximate=False)
        group = NeuronGroup(4000, "x : 1")
        group.run_regularly("x = draw()")
        run(0.1*ms)
        print(*(int(number) for number in group.x))
        """,
        'set_device("lava", host="inline", seed=3)',
    )
    values = np.array([int(word) for word in run_program(text).stdout.split()])
    _agrees(values, stats.binom(300, 0.4))


def test_binomial_numbers_by_the_normal_distribution(engine: Engine) -> None:
    """``approximate=True``: the right mean and spread."""
    with under(engine):
        draw = BinomialFunction(300, 0.4)
        group = NeuronGroup(_SIZE, "x : 1", namespace={"draw": draw})
        group.run_regularly("x = draw()")
        run(0.1 * ms)
        values = np.array(group.x)
    expected = stats.norm(120, np.sqrt(72))
    assert stats.kstest(values, expected.cdf).pvalue > _CHANCE


@pytest.mark.parametrize("place", ("reset", "threshold", "synapse", "summed", "set-up", "constant"))
def test_draws_in_every_place(place: str, engine: Engine) -> None:
    """Resets, thresholds, synaptic code, summed variables, set-up code, ``constant over dt``."""
    n = 3000
    with under(engine):
        if place == "reset":
            group = NeuronGroup(n, "x : 1", threshold="True", reset="x = rand()")
            run(0.1 * ms)
            values = np.array(group.x)
        elif place == "threshold":
            group = NeuronGroup(n, "x : 1", threshold="rand() < 0.25", reset="x += 1")
            run(20 * ms)
            _agrees(np.array(group.x), stats.binom(200, 0.25))
            return
        elif place == "synapse":
            group = NeuronGroup(n, "x : 1", threshold="True", reset="")
            synapses = Synapses(group, group, "w : 1", on_pre="w = rand()")
            synapses.connect(j="i")
            run(0.1 * ms)
            values = np.array(synapses.w)
        elif place == "summed":
            group = NeuronGroup(n, "x : 1")
            synapses = Synapses(group, group, "x_post = rand() : 1 (summed)")
            synapses.connect(j="i")
            run(0.1 * ms)
            values = np.array(group.x)
        elif place == "set-up":
            group = NeuronGroup(n, "x : 1")
            group.x["i >= 0"] = "rand()"
            values = np.array(group.x)
        else:
            group = NeuronGroup(n, "y = rand() : 1 (constant over dt)\nx : 1")
            group.run_regularly("x = y", when="end")
            run(0.1 * ms)
            values = np.array(group.x)
    _agrees(values, stats.uniform())


def test_draws_of_several_statements_differ(engine: Engine) -> None:
    """Every call draws a number of its own."""
    with under(engine):
        group = NeuronGroup(_SIZE, "x : 1\ny : 1")
        group.run_regularly("x = rand(); y = rand()")
        run(0.1 * ms)
        x, y = np.array(group.x), np.array(group.y)
    assert stats.kstest(x - y, stats.triang(0.5, loc=-1, scale=2).cdf).pvalue > _CHANCE
    assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(_SIZE)


@pytest.mark.parametrize("method", ("euler", "heun", "milstein"))
def test_ornstein_uhlenbeck(method: str, engine: Engine) -> None:
    """Mean, spread and memory of a process with noise ``xi``."""
    with under(engine):
        group = NeuronGroup(_SIZE, "dx/dt = -x/(2*ms) + 0.5*(2/(2*ms))**0.5*xi : 1", method=method)
        group.x = 1.0
        network = Network(group)
        network.run(1 * ms)
        early = np.array(group.x)
        network.run(11 * ms)
        before = np.array(group.x)
        network.run(1 * ms)
        after = np.array(group.x)
    bound = 5 / np.sqrt(_SIZE)
    assert abs(early.mean() - np.exp(-0.5)) < 0.5 * bound + 0.02
    assert abs(before.std() / 0.5 - 1) < bound + 0.02
    assert stats.kstest(before / before.std(), "norm").pvalue > _CHANCE
    assert abs(np.corrcoef(before, after)[0, 1] - np.exp(-0.5)) < bound + 0.02


def test_several_noise_sources(engine: Engine) -> None:
    """``xi_1`` twice is the same noise; ``xi_2`` is another."""
    with under(engine):
        group = NeuronGroup(
            _SIZE,
            """dx/dt = xi_1*ms**-0.5 : 1
            dy/dt = xi_1*ms**-0.5 : 1
            dz/dt = xi_2*ms**-0.5 : 1""",
            method="euler",
        )
        run(2 * ms)
        x, y, z = (np.array(values) for values in (group.x, group.y, group.z))
    assert np.array_equal(x, y)
    assert abs(np.corrcoef(x, z)[0, 1]) < 5 / np.sqrt(_SIZE)
    assert abs(x.std() / np.sqrt(2) - 1) < 5 / np.sqrt(_SIZE)


def test_multiplicative_noise(engine: Engine) -> None:
    """Geometric Brownian motion, in Stratonovich's sense: the logarithm is normal about 0."""
    with under(engine):
        group = NeuronGroup(_SIZE, "dx/dt = 0.5*x*xi*ms**-0.5 : 1", method="milstein", dt=0.02 * ms)
        group.x = 1
        run(2 * ms)
        logarithm = np.log(np.array(group.x))
    spread = 0.5 * np.sqrt(2)
    assert abs(logarithm.mean()) < 5 * spread / np.sqrt(_SIZE) + 0.02
    assert abs(logarithm.std() / spread - 1) < 5 / np.sqrt(_SIZE) + 0.02


def _noisy_network() -> tuple[float, float, float]:
    """Rate (Hz), irregularity of intervals, and mean potential of a network in balance."""
    group = NeuronGroup(
        400,
        """dv/dt = (1.05 - v + g)/(10*ms) + 0.4*(2/(10*ms))**0.5*xi : 1 (unless refractory)
        dg/dt = -g/(3*ms) : 1""",
        threshold="v > 1",
        reset="v = 0",
        refractory="2*ms + rand()*ms",
        method="euler",
    )
    group.v = "rand()"
    excite = Synapses(group[:320], group, on_pre="g_post += 0.02")
    excite.connect(p=0.1)
    inhibit = Synapses(group[320:], group, on_pre="g_post -= 0.1*(1 + 0.5*randn())")
    inhibit.connect(p=0.1)
    inhibit.delay = "rand()*2*ms"
    background = PoissonInput(group, "g", 20, 20 * Hz, 0.05)
    spikes = SpikeMonitor(group)
    run(300 * ms)
    assert len(excite) and background.weight == 0.05
    intervals = [np.diff(times / ms) for times in spikes.spike_trains().values() if len(times) > 3]
    variation = np.mean([part.std() / part.mean() for part in intervals])
    return spikes.num_spikes / 400 / 0.3, float(variation), float(np.mean(group.v))


def test_a_noisy_network_agrees_in_distribution(engine: Engine) -> None:
    """Rates, intervals and potentials over several seeds have the same means."""
    results = []
    for device in (reference(), under(engine)):
        with device:
            drawn = []
            for number in range(3):
                seed(number)
                drawn.append(_noisy_network())
            results.append(np.array(drawn))
    theirs, ours = (part.mean(axis=0) for part in results)
    assert abs(ours[0] / theirs[0] - 1) < 0.06
    assert abs(ours[1] - theirs[1]) < 0.05
    assert abs(ours[2] - theirs[2]) < 0.06


@needs_lava_device
def test_engines_draw_the_same_numbers() -> None:
    """Host, threads and fusion change no random number: all compiled results are equal. A card
    rounds the logarithm and the cosine of a normal number in its own way."""
    results = {}
    for engine in ENGINES:
        if engine.name == "numpy":
            continue
        with under(engine):
            seed(11)
            group = NeuronGroup(
                103,
                "dv/dt = (1.1 - v)/(5*ms) + 0.2*xi*ms**-0.5 : 1\nw : 1",
                threshold="v > 1 + 0.1*rand()",
                reset="v = 0.1*randn(); w += poisson(2.5)",
                method="euler",
            )
            synapses = Synapses(group, group, on_pre="v_post += 0.05*rand()")
            synapses.connect("abs(i - j) < 5")
            noise = PoissonInput(group, "v", 10, 50 * Hz, 0.02)
            source = PoissonGroup(20, 200 * Hz)
            drive = Synapses(source, group, on_pre="v_post += 0.1")
            drive.connect("j % 20 == i")
            spikes = SpikeMonitor(group)
            Network(group, synapses, noise, source, drive, spikes).run(20 * ms)
            results[engine.name] = [
                np.array(values) for values in (spikes.i, spikes.t, group.v, group.w)
            ]
    first = results.pop("inline")
    assert len(first[0]) > 100
    for name, values in results.items():
        for one, other in zip(first, values, strict=True):
            if name == "card":
                np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)
            else:
                assert np.array_equal(one, other), name
