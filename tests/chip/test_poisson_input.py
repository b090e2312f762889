"""PoissonInput on a chip: counts, as payloads on Loihi 2 and as sources on Loihi 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import comb
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, PoissonInput, SpikeMonitor, Synapses, ms, mV, second

from brian2lava import lava_device
from brian2lava.chip.binomial import cumulative
from brian2lava.chip.emulate import Emulation, emulate
from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, IdealProjection, Quantity, real
from brian2lava.chip.network import (
    BinomialCounts,
    ChipNetwork,
    GivenCounts,
    PoissonSpikes,
    Population,
    Projection,
    Source,
)
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.profiles import LAVA, PROFILES, Arithmetic
from brian2lava.chip.quantise import quantise, replayed, run_real
from brian2lava.errors import ChipLimit, NotSupported
from tests.networks.devices import Engine, reference, under

N = 40


def counting(source: Source, arithmetic: Arithmetic = LAVA, **changes: Any) -> ChipNetwork:
    """A neuron a count, with other weights and delays each."""
    given = {"weights": 2 * np.arange(N), "delays": np.arange(N) % 3, "message_bits": 24, **changes}
    cells = Population("a", "LIF", N, {"vth": 5000, "du": 4095, "dv": 100})
    joined = Projection("p", source.name, "a", np.arange(N), np.arange(N), **given)
    return ChipNetwork((cells,), (source,), (joined,), arithmetic=arithmetic)


def counts_of(recorded: Recorded, steps: int) -> Any:
    counts = np.zeros((steps, N), int)
    counts[recorded.spikes["s"]] = recorded.payloads["s"]
    return counts


# ------------------------------------------------------------------ the distribution
@pytest.mark.parametrize(("inputs", "chance"), [(1, 0.3), (7, 0.5), (60, 0.01), (200, 0.9)])
def test_the_table_is_the_binomial_distribution(inputs: int, chance: float) -> None:
    first, table = cumulative(inputs, chance)
    exact = np.cumsum(
        [comb(inputs, k) * chance**k * (1 - chance) ** (inputs - k) for k in range(inputs + 1)]
    )
    last = first + len(table)
    np.testing.assert_allclose(table, exact[first:last], rtol=0, atol=1e-14)
    assert exact[first - 1] < 1e-15 if first else True
    assert 1 - exact[last] < 1e-14


def test_counts_of_many_inputs_are_within_reach() -> None:
    """Without powers: (1 - p)**n would vanish."""
    first, table = cumulative(8_000_000, 0.25)
    middle = first + np.searchsorted(table, 0.5)
    assert abs(middle - 2_000_000) <= 1
    deviation = np.sqrt(8e6 * 0.25 * 0.75)
    assert abs(first + np.searchsorted(table, 0.841345) - 2e6 - deviation) < 2


@pytest.mark.parametrize("inputs, chance, always", [(0, 0.5, 0), (9, 0.0, 0), (9, 1.0, 9)])
def test_counts_that_are_certain(inputs: int, chance: float, always: int) -> None:
    recorded = emulate(counting(BinomialCounts("s", N, inputs, chance)), 20)
    assert np.all(counts_of(recorded, 20) == always)


@pytest.mark.parametrize(("inputs", "chance"), [(20, 0.1), (1000, 0.02), (3, 0.6)])
def test_counts_have_their_mean_and_variance(inputs: int, chance: float) -> None:
    steps = 3000
    counts = counts_of(
        emulate(counting(BinomialCounts("s", N, inputs, chance)), steps, seed=2), steps
    )
    mean, variance, drawn = inputs * chance, inputs * chance * (1 - chance), steps * N
    assert abs(counts.mean() - mean) < 4 * np.sqrt(variance / drawn)
    assert abs(counts.var() - variance) < 4 * np.sqrt(3 * variance**2 / drawn)
    # neurons and steps are independent
    assert abs(np.corrcoef(counts[:, 0], counts[:, 1])[0, 1]) < 4 / np.sqrt(steps)
    assert abs(np.corrcoef(counts[1:, 0], counts[:-1, 0])[0, 1]) < 4 / np.sqrt(steps)


# ------------------------------------------------------------------ plain and compiled
def test_the_compiled_count_is_the_plain_one_of_the_same_random_number() -> None:
    """A Poisson source in its place draws the same numbers: each entry of the table is tried."""
    source = BinomialCounts("s", N, 12, 0.3)
    counts = counts_of(emulate(counting(source), 100, seed=7), 100)
    for place, chance in enumerate(source.cumulative):
        below = np.zeros((100, N), bool)
        below[
            emulate(ChipNetwork((), (PoissonSpikes("s", N, chance),)), 100, seed=7).spikes["s"]
        ] = True
        np.testing.assert_array_equal(below, counts <= source.first + place)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_run_is_the_plain_one_with_the_same_counts(profile: Arithmetic) -> None:
    states, network = [("a", "v")], counting(BinomialCounts("s", N, 30, 0.1), profile)
    drawn = emulate(network, 300, states, seed=5)
    assert len(drawn.spikes["a"][0]) > 100
    given = GivenCounts("s", N, counts_of(drawn, 300))
    for again in (
        PlainChip(counting(given, profile)).run(300, states),
        emulate(counting(given, profile), 300, states),
    ):
        np.testing.assert_array_equal(again.states["a", "v"], drawn.states["a", "v"])
        np.testing.assert_array_equal(again.payloads["s"], drawn.payloads["s"])
        for name in ("s", "a"):
            np.testing.assert_array_equal(again.spikes[name], drawn.spikes[name])


@pytest.mark.parametrize("delayed", [True, False])
def test_lava_gets_the_counts_of_the_emulator(delayed: bool) -> None:
    pytest.importorskip("lava")
    from brian2lava.interop.lava_run import run_lava

    network = counting(BinomialCounts("s", N, 30, 0.1), delays=np.arange(N) % 3 if delayed else 0)
    emulated = emulate(network, 60, [("a", "v")], seed=5)
    replay = {"s": (*emulated.spikes["s"], emulated.payloads["s"])}
    lava = run_lava(network, 60, [("a", "v")], replay=replay)
    np.testing.assert_array_equal(lava.states["a", "v"], emulated.states["a", "v"])
    with pytest.raises(NotSupported, match="'s' is random"):
        run_lava(network, 60)
    with pytest.raises(NotSupported, match="'s' sends counts"):
        run_lava(network, 60, replay=emulated.spikes)


def test_two_runs_are_one() -> None:
    network = counting(BinomialCounts("s", N, 30, 0.1))
    with Emulation(network, [("a", "v")], seed=4) as emulation:
        emulation.run(50)
        in_two = emulation.run(70)
    at_once = emulate(network, 120, [("a", "v")], seed=4)
    np.testing.assert_array_equal(in_two.states["a", "v"], at_once.states["a", "v"])
    np.testing.assert_array_equal(in_two.payloads["s"], at_once.payloads["s"])


def test_the_plain_chip_draws_from_its_generator() -> None:
    network = counting(BinomialCounts("s", N, 30, 0.1))
    recorded = PlainChip(network, np.random.default_rng(1)).run(300)
    assert abs(counts_of(recorded, 300).mean() - 3) < 4 * np.sqrt(2.7 / (300 * N))
    with pytest.raises(NotSupported, match="'s' draws random numbers"):
        PlainChip(network).run(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BinomialCounts("s", 1, 1 << 23, 0.1), "inputs a target: 8388608 is outside"),
        (lambda: BinomialCounts("s", 1, -1, 0.1), "inputs a target -1; a whole number"),
        (lambda: BinomialCounts("s", 1, 3, 1.5), "rate \\* dt must not exceed 1"),
        (lambda: BinomialCounts("s", 1, 3, np.nan), "the probability nan"),
        (lambda: GivenCounts("s", 2, [[1]]), "counts of shape .1, 1., expected .steps, 2."),
        (lambda: counting(BinomialCounts("s", N, 30, 0.1), message_bits=0),
         "'p': 's' sends counts of up to .*messages of 0 bits with sign carry up to 0"),
        (lambda: counting(BinomialCounts("s", N, 200, 0.9), message_bits=8),
         "'p': 's' sends counts of up to 200, .*8 bits with sign carry up to 127"),
    ],
)  # fmt: skip
def test_counts_that_no_spike_carries_raise(make: Any, message: str) -> None:
    with pytest.raises(ChipLimit, match=message):
        make()


# ------------------------------------------------------------------ real numbers
def ideal_network(inputs: int = 50) -> IdealNetwork:
    quantities = (
        Quantity("du", "current_decay", real(1.0)),
        Quantity("dv", "decay", real(20 / 4096)),
        Quantity("vth", "threshold", real(1.0)),
    )
    each = np.arange(N)
    joined = IdealProjection("p", "s", "a", "a_in", each, each, real(np.full(N, 0.01)))
    source = BinomialCounts("s", N, inputs, 0.02)
    return IdealNetwork(1e-4, (IdealPopulation("a", "LIF", N, quantities),), (source,), (joined,))


@pytest.mark.parametrize("chip", ["Loihi1", "Loihi2"])
def test_floating_point_gets_the_counts_of_the_emulator(chip: Any) -> None:
    made = quantise(ideal_network(), chip, LAVA)
    emulated = emulate(made.network, 400, [("a", "v")], seed=3)
    real_run = run_real(replayed(made.ideal, emulated), 400, [("a", "v")])
    assert len(real_run.spikes["a"][0]) > 80
    assert abs(len(emulated.spikes["a"][0]) / len(real_run.spikes["a"][0]) - 1) < 0.05
    before = emulated.spikes["a"][0].min()
    ours = emulated.states["a", "v"][:before] / made.scales["a"]
    assert np.abs(ours - real_run.states["a", "v"][:before]).max() < 1e-3


def test_loihi_1_has_a_source_for_each_input() -> None:
    network = quantise(ideal_network(), "Loihi1", LAVA).network
    (source,), (projection,) = network.sources, network.projections
    assert isinstance(source, PoissonSpikes) and source.size == 50 * N
    assert projection.message_bits == 0
    np.testing.assert_array_equal(projection.pre, np.arange(50 * N))
    np.testing.assert_array_equal(projection.post, np.repeat(np.arange(N), 50))
    with pytest.raises(ChipLimit, match="'s': 4097 inputs to each of 40 neurons.*core has 4096"):
        quantise(ideal_network(4097), "Loihi1", LAVA)


# ------------------------------------------------------------------ Brian2 scripts
@contextmanager
def on_chip(**options: Any) -> Iterator[None]:
    given = {"hardware": "Loihi2", "host": "inline", "seed": 1, **options}
    with under(Engine("chip", given)):
        yield


def rates(seed: int, durations: tuple[float, ...] = (0.2,)) -> Any:
    """Spikes of three kinds of neurons: one input, and another on all or on some."""
    brian2.seed(seed)
    group = NeuronGroup(
        240, "dv/dt = -v/(20*ms) : volt", threshold="v > 10*mV", reset="v = 0*mV", method="exact",
        name="cells",
    )  # fmt: skip
    first = PoissonInput(group, "v", 100, 15 * Hz, 0.5 * mV)
    second_input = PoissonInput(group[80:], "v", 2000, 10 * Hz, "0.01*mV")
    third = PoissonInput(group[160:], "v", 20, 20 * Hz, -0.2 * mV)
    spikes = SpikeMonitor(group)
    net = Network(group, first, second_input, third, spikes)
    for duration in durations:
        net.run(duration * second)
    return np.bincount(np.array(spikes.i) // 80, minlength=3) / 80 / sum(durations)


def test_rates_are_those_of_brian2() -> None:
    """Means over seeds, within three standard deviations and what 12 bits of a decay change."""
    with on_chip():
        ours = np.array([rates(seed) for seed in range(4)])
    with reference():
        theirs = np.array([rates(seed) for seed in range(4)])
    assert np.all(theirs.mean(axis=0) > 10), theirs
    assert np.ptp(theirs.mean(axis=0)) > 5
    error = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / 4)
    difference = np.abs(ours.mean(axis=0) - theirs.mean(axis=0))
    assert np.all(difference < 3 * error + 0.04 * theirs.mean(axis=0)), (ours, theirs)


def test_scripts_go_on_where_they_were() -> None:
    with on_chip():
        at_once = rates(3, (0.1,))
    with on_chip():
        in_two = rates(3, (0.05, 0.05))
    np.testing.assert_array_equal(at_once, in_two)


def test_a_script_on_loihi_1() -> None:
    def run() -> float:
        brian2.seed(2)
        group = NeuronGroup(60, "dv/dt = -v/(20*ms) : 1", threshold="v > 1", reset="v = 0",
                            method="exact")  # fmt: skip
        drive, spikes = PoissonInput(group, "v", 40, 40 * Hz, 0.05), SpikeMonitor(group)
        Network(group, drive, spikes).run(300 * ms)
        return float(spikes.num_spikes)

    with on_chip(hardware="Loihi1"):
        ours = run()
        assert lava_device.report() is not None
    with reference():
        theirs = run()
    assert theirs > 300 and abs(ours / theirs - 1) < 0.08, (ours, theirs)


def test_an_input_that_never_spikes_is_no_input() -> None:
    """Brian2's own code for it would be Python: its probability vanishes."""
    with on_chip():
        group = NeuronGroup(2, "dv/dt = (2 - v)/(20*ms) : 1", threshold="v > 1", reset="v = 0",
                            method="exact")  # fmt: skip
        silent, spikes = PoissonInput(group, "v", 40, 0 * Hz, 0.05), SpikeMonitor(group)
        Network(group, silent, spikes).run(50 * ms)
        assert spikes.num_spikes > 0


def refused(make: Any, message: str, **options: Any) -> None:
    with on_chip(**options), pytest.raises((NotSupported, ChipLimit), match=message):
        group = NeuronGroup(2, "dv/dt = -v/ms : 1\ng : 1", threshold="v > 1", reset="v = 0",
                            method="exact")  # fmt: skip
        Network(group, *make(group)).run(1 * ms)


def drive(group: Any, *given: Any, **kwds: Any) -> Any:
    return PoissonInput(group, *given, **kwds)


def test_what_no_chip_gets_is_refused_by_name() -> None:
    many = lambda g: [drive(g, "v", 5000, 1 * Hz, 0.1)]  # noqa: E731
    refused(many, "'poissoninput': 5000 inputs to each of 2 neurons", hardware="Loihi1")
    refused(lambda g: [drive(g, "v", 10, 1 * Hz, "0.1*v")], "weight depends on 'v'")
    refused(lambda g: [drive(g, "g", 10, 1 * Hz, 0.1)], "'g' neither drives 'v'")
    refused(lambda g: [drive(g, "v", 10, 1 * Hz, 0.1, when="start")], "it runs in 'start'")

    def onto_synapses(group: Any) -> Any:
        synapses = Synapses(group, group, "v2 : 1", on_pre="v += v2")
        synapses.connect(j="i")
        return [synapses, drive(synapses, "v2", 10, 1 * Hz, 0.1)]

    refused(onto_synapses, "it adds to a Synapses")
