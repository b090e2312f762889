"""Noise of a chip's neurons: its integers, and what ``xi`` becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, PoissonGroup, SpikeMonitor, StateMonitor, Synapses, ms

from brian2lava import lava_device
from brian2lava.chip.emulate import emulate
from brian2lava.chip.given_words import GivenWords
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import ChipNetwork, Population, Stimulus
from brian2lava.chip.plain import PlainChip
from brian2lava.chip.profiles import LAVA, PROFILES, Arithmetic
from brian2lava.chip.quantise.kinds import KINDS, NOISE_UNIT
from brian2lava.errors import NotSupported
from tests.chip.test_on_chip import chip_report, on_chip
from tests.networks.devices import reference

NOISY = tuple(
    name
    for name, model in MODELS.items()
    if any(register.name == "noise_exp" for register in model.registers)
)
STEPS = 300
OFF = dict.fromkeys(("vth", "vth_hi"), 131071) | {"vth_lo": -131071}


def population(model: str, registers: dict[str, Any], size: int) -> Population:
    known = {register.name for register in MODELS[model].registers}
    return Population("a", model, size, {k: v for k, v in registers.items() if k in known})


def recorded_states(network: ChipNetwork) -> list[tuple[str, str]]:
    return [("a", state.name) for state in network.population("a").neuron.states]


# ---------------------------------------------------------------- the integers
def test_models_of_the_family_have_it() -> None:
    assert set(NOISY) == {"LIF", "LIFReset", "CubaLIF2", "ALIF", "LIFSoft", "TernaryLIF"}


@pytest.mark.parametrize("at_u", [0, 1])
def test_integers_follow_the_formula(at_u: int) -> None:
    """Drawn a step before: uniform -127..127, times 2**(exponent - 7), rounded down."""
    exponents = np.arange(24)
    registers = {"noise_exp": exponents, "noise_at_u": at_u, "du": 4095, "dv": 4095, **OFF}
    network = ChipNetwork((population("LIF", registers, 24),), (), (), (), LAVA)
    plain = PlainChip(network, np.random.default_rng(3)).run(STEPS, recorded_states(network))
    word, v = plain.states["a", "word"], plain.states["a", "v"]
    assert word.min() >= 0 and word.max() < 2**24 and len(np.unique(word)) > 7000
    v_before = 0
    for step in range(1, STEPS):
        for neuron, exponent in enumerate(exponents):
            number = int(word[step - 1, neuron]) * 255 // 2**24 - 127
            noise = number * 2 ** int(exponent) // 2**7 if exponent else 0
            if at_u:
                assert plain.states["a", "u"][step, neuron] == noise
            v_before = int(v[step - 1, neuron])
            kept = int(np.sign(v_before)) * (abs(v_before) // 4096)
            assert v[step, neuron] == np.clip(kept + noise, 1 - 2**23, 2**23 - 1)
    assert not v[0].any()


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
@pytest.mark.parametrize("model", NOISY)
def test_emulator_is_the_plain_definition(model: str, profile: Arithmetic) -> None:
    """Given the words that the emulator drew; with a stimulus, spikes, and all states."""
    n = 12
    draw = np.random.default_rng(1)
    registers = {
        "du": draw.integers(1, 900, n), "dv": draw.integers(1, 900, n), "vth": 300,
        "vth_hi": 300, "vth_lo": -300, "bias_mant": 40, "bias_exp": 2, "du2": 100,
        "refractory": draw.integers(0, 3, n), "noise_exp": draw.integers(0, 16, n),
        "noise_at_u": np.arange(n) % 2, "step1": 900, "dtheta1": 200, "reset_interval": 40,
    }  # fmt: skip
    made = population(model, registers, n)
    stimulus = Stimulus("i", "a", draw.integers(-20, 40, (STEPS, n)), "a_in")
    network = ChipNetwork((made,), (), (), (stimulus,), profile)
    states = recorded_states(network)
    ours = emulate(network, STEPS, states, seed=5)
    plain = PlainChip(network, GivenWords(ours.states["a", "word"])).run(STEPS, states)  # type: ignore[arg-type]
    assert len(ours.spikes["a"][0]) > 50
    for name, values in plain.states.items():
        np.testing.assert_array_equal(ours.states[name], values, str(name))
    np.testing.assert_array_equal(ours.spikes["a"], plain.spikes["a"])


def test_registers_mean_standard_deviations() -> None:
    registers = {"noise_exp": np.array([7, 12, 16]), "dv": 4095, **OFF}
    network = ChipNetwork((population("LIF", registers, 3),), (), (), (), LAVA)
    v = emulate(network, 20_000, [("a", "v")], seed=1).states["a", "v"]
    expected = KINDS["noise"].unscale(registers["noise_exp"], 1.0, LAVA)
    np.testing.assert_allclose(v.std(axis=0), expected, rtol=0.02)
    assert pytest.approx(np.arange(-127, 128).std() / 128) == NOISE_UNIT
    assert abs(v.mean(axis=0) / expected).max() < 0.03


# ---------------------------------------------------------------- from equations
DIRECT = "dv/dt = (I - v)/(10*ms) + s*sqrt(2/(10*ms))*xi : 1\nI : 1\ns : 1"
THROUGH_U = """dv/dt = (u + I - v)/(10*ms) : 1
du/dt = -u/(5*ms) + s*sqrt(2/(5*ms))*xi : 1
I : 1
s : 1"""


def noisy(equations: str, size: int, **arguments: Any) -> NeuronGroup:
    given = {"threshold": "v > 1", "reset": "v = 0", "method": "euler", **arguments}
    return NeuronGroup(size, equations, name="cells", **given)


def spread(equations: str, sigma: Any, size: int) -> tuple[Any, float]:
    """Standard deviation of v in each neuron without threshold, and rate of others with one."""
    free = noisy(equations, size, threshold=None, reset=None)
    free.s = sigma
    firing = NeuronGroup(size, equations, threshold="v > 1", reset="v = 0", method="euler")
    firing.I, firing.s = 0.8, sigma
    trace, spikes = StateMonitor(free, "v", record=True), SpikeMonitor(firing)
    Network(free, firing, trace, spikes).run(400 * ms)
    return trace.v[:, 500:].std(), spikes.num_spikes / size / 0.4


@pytest.mark.parametrize(("equations", "sigma"), [(DIRECT, 0.25), (THROUGH_U, 0.5)])
def test_spread_and_rate_are_brian2s(equations: str, sigma: float) -> None:
    with reference():
        brian2.seed(3)
        expected, rate = spread(equations, sigma, 300)
    with on_chip(seed=4):
        found, ours = spread(equations, sigma, 300)
        rows = chip_report().quantised.rows
    assert found == pytest.approx(expected, rel=0.05)
    assert ours == pytest.approx(rate, rel=0.05)
    row = next(row for row in rows if row.register == "noise_exp" and row.object == "cells")
    assert abs(row.error) < 0.01 and not row.flagged


def test_each_neuron_has_a_noise_of_its_own() -> None:
    """Powers of 2 apart, so that one scale serves all; 0 is none at all."""
    with on_chip():
        group = noisy(DIRECT, 4, threshold=None, reset=None)
        group.s = [0, 0.1, 0.2, 0.4]
        trace = StateMonitor(group, "v", record=True)
        Network(group, trace).run(2000 * ms)
        assert not trace.v[0].any()
        found = trace.v[1:, 500:].std(axis=1)
    np.testing.assert_allclose(found, [0.1, 0.2, 0.4], rtol=0.12)
    assert abs(np.corrcoef(trace.v[1:])[0, 1]) < 0.2


def test_noise_that_no_exponent_means_is_flagged() -> None:
    with on_chip():
        group = noisy(DIRECT, 2, threshold=None, reset=None)
        group.s = [0.1, 0.1 * np.sqrt(2)]
        Network(group).run(1 * ms)
        row = next(row for row in chip_report().quantised.rows if row.register == "noise_exp")
    assert row.flagged and 0.1 < abs(row.error) < 0.5


def test_several_noises_on_one_voltage_are_one() -> None:
    equations = "dv/dt = -v/(10*ms) + (3*xi_1 + 4*xi_2)*sqrt(0.02/(10*ms)) : 1"
    with on_chip():
        group = noisy(equations, 300, threshold=None, reset=None)
        trace = StateMonitor(group, "v", record=True)
        Network(group, trace).run(200 * ms)
        assert trace.v[:, 500:].std() == pytest.approx(0.5, rel=0.05)


def recorded(*durations: Any) -> dict[str, Any]:
    with on_chip(seed=7):
        group = noisy(THROUGH_U, 5)
        group.I, group.s = 0.9, 0.5
        spikes, trace = SpikeMonitor(group), StateMonitor(group, ["v", "u"], record=True)
        network = Network(group, spikes, trace)
        for duration in durations:
            network.run(duration * ms)
        return {"i": spikes.i[:], "t": spikes.t[:], "v": trace.v[:], "u": trace.u[:]}


def test_two_runs_are_one() -> None:
    whole, parts = recorded(40), recorded(15, 25)
    assert len(whole["i"]) > 3
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values, name)


def test_currents_are_read_as_they_act() -> None:
    """u at the start of a step has the noise that v feels in it."""
    states = recorded(40)
    u, v = states["u"][0], states["v"][0]
    quiet = np.flatnonzero(v[1:] > v[:-1] - 0.5)
    expected = v[:-1] + (u[:-1] + 0.9 - v[:-1]) * 0.01
    np.testing.assert_allclose(v[1:][quiet], expected[quiet], atol=2e-3)


def test_lava_draws_the_emulators_noise() -> None:
    def run(backend: str) -> Any:
        with on_chip(backend=backend, seed=2):
            group = noisy(DIRECT, 4)
            group.I, group.s = 0.9, 0.3
            source = PoissonGroup(3, rates=200 * brian2.Hz)
            synapses = Synapses(source, group, on_pre="v += 0.1")
            synapses.connect()
            spikes, trace = SpikeMonitor(group), StateMonitor(group, "v", record=True)
            Network(group, source, synapses, spikes, trace).run(15 * ms)
            return spikes.i[:], spikes.t[:], trace.v[:]

    for ours, lavas in zip(run("emulator"), run("lava"), strict=True):
        assert len(ours) > 1
        np.testing.assert_array_equal(ours, lavas)


def test_verify_compares_on_the_same_noise() -> None:
    with on_chip():
        group = noisy(DIRECT, 50)
        group.I, group.s = 0.8, 0.25
        Network(group).run(100 * ms)
        found = lava_device.verify(lava=False)
    (check,) = found.populations
    assert check.spikes > 30 and check.matched > 0.9
    assert "'cells' draws random numbers of its own" in str(found)
    assert "BUG" not in str(found)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "times a state": (
        lambda: noisy("dv/dt = -v/(10*ms) + v*xi/ms**0.5 : 1", 1, method="milstein"),
        r"dv/dt contains v\*xi",
    ),
    "two states": (
        lambda: noisy(
            "dv/dt = (u - v)/(10*ms) + xi_1/ms**0.5 : 1\ndu/dt = -u/ms + xi_2/ms**0.5 : 1", 1
        ),
        "noise reaches 'v' and 'u'.*one source of noise.*Keep xi in one equation",
    ),
    "the second of two currents": (
        lambda: noisy(
            "dv/dt = (a + b - v)/(10*ms) : 1\nda/dt = -a/ms : 1\n"
            "db/dt = -b/(2*ms) + xi/ms**0.5 : 1", 1
        ),
        "noise reaches 'b'.*Add xi to dv/dt",
    ),
    "a resonator": (
        lambda: noisy(
            "dv/dt = -v/(50*ms) - w/(5*ms) + xi/ms**0.5 : 1\ndw/dt = v/(5*ms) - w/(50*ms) : 1", 1,
            threshold="w > 1", reset="v = 0\nw = 1",
        ),
        "RF has no noise",
    ),
    "ATRLIF": (
        lambda: noisy(
            "dv/dt = -v/(10*ms) + xi/ms**0.5 : 1\ndtheta/dt = (1 - theta)/(20*ms) : 1\n"
            "dr/dt = -r/(10*ms) : 1", 1,
            threshold="v - r >= theta", reset="r += 2*theta\ntheta += 0.1",
        ),
        "ATRLIF has no noise",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    make, message = REFUSED[case]
    with on_chip():
        group = make()
        with pytest.raises(NotSupported, match=message):
            Network(group).run(1 * ms)
