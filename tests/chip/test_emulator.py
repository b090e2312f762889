"""The compiled emulator computes the plain definition's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brian2lava.chip.emulate import Emulation, emulate
from brian2lava.chip.lower.projections import row_order
from brian2lava.chip.network import (
    ChipNetwork,
    PoissonSpikes,
    Population,
    Projection,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.profiles import LAVA, PROFILES, Arithmetic
from brian2lava.errors import ChipLimit, ChipOverflow, OptionError

RECORD = (("a", "u"), ("a", "v"), ("b", "u"), ("b", "v"))


def drawn(seed: int, arithmetic: Arithmetic) -> ChipNetwork:
    """Two recurrent populations, a periodic source, a stimulus; delays, exponents, all signs."""
    rng = np.random.default_rng(seed)
    n, m = 20, 100
    one_each = bool(seed % 2)
    a = Population(
        "a",
        "LIF",
        n,
        {
            "vth": rng.integers(1, 50, n),
            "du": int(rng.integers(0, 4096)),
            "dv": rng.integers(0, 4096, n),
            "bias_mant": rng.integers(-100, 400, n),
            "bias_exp": 3,
            "refractory": rng.integers(0, 5, n) if one_each else 0,
        },
        {"v": rng.integers(-1000, 1000, n)},
    )
    b = Population(
        "b",
        "LIFReset",
        n,
        {"vth": 20, "du": 300, "dv": 200, "reset_interval": 7, "reset_offset": 2},
    )
    projections = []
    for k, (origin, target) in enumerate([("a", "b"), ("b", "a"), ("a", "a"), ("s", "a")]):
        sources = 5 if origin == "s" else n
        projections.append(
            Projection(
                f"p{k}",
                origin,
                target,
                rng.integers(0, sources, m),
                rng.integers(0, n, m),
                rng.integers(-250, 250, m),
                exponent=int(rng.integers(-3, 4)),
                delays=rng.integers(0, 12, m) if k % 2 else 3,
                num_weight_bits=int(rng.choice([8, 6, 5])),
            )
        )
    source = SpikeTimes("s", 5, [0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 4, 9], period=10)
    stimulus = Stimulus("i", "b", rng.integers(-20, 100, (50, n)), repeat=True)
    return ChipNetwork((a, b), (source,), tuple(projections), (stimulus,), arithmetic)


def assert_identical(one: Recorded, other: Recorded) -> None:
    assert one.spikes.keys() == other.spikes.keys()
    for name, (steps, who) in one.spikes.items():
        np.testing.assert_array_equal(steps, other.spikes[name][0], err_msg=name)
        np.testing.assert_array_equal(who, other.spikes[name][1], err_msg=name)
    assert one.states.keys() == other.states.keys()
    for pair, values in one.states.items():
        np.testing.assert_array_equal(values, other.states[pair], err_msg=str(pair))
    assert one.counts == other.counts


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("arithmetic", PROFILES.values(), ids=lambda profile: profile.name)
def test_compiled_integers_are_the_plain_ones(seed: int, arithmetic: Arithmetic) -> None:
    network = drawn(seed, arithmetic)
    plain = PlainChip(network).run(200, RECORD)
    assert min(len(steps) for steps, _ in plain.spikes.values()) > 50
    with Emulation(network, RECORD) as emulation:
        emulation.run(77)
        assert_identical(emulation.run(123), plain)


@pytest.mark.parametrize("options", [{"threads": 2}, {"host": "lava"}], ids=str)
def test_neither_threads_nor_the_host_change_anything(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    n, m = 5000, 200_000
    network = ChipNetwork(
        (Population("a", "LIF", n, {"vth": 60, "dv": 128, "bias_mant": rng.integers(0, 300, n)}),),
        projections=(
            Projection(
                "p", "a", "a", rng.integers(0, n, m), rng.integers(0, n, m),
                rng.integers(-90, 90, m), delays=rng.integers(0, 4, m),
            ),
        ),
    )  # fmt: skip
    record = (("a", "v"),)
    expected = emulate(network, 100, record)
    assert len(expected.spikes["a"][0]) > 1000
    assert_identical(emulate(network, 100, record, **options), expected)


def test_several_synapses_a_pair_add_up_and_are_truncated_one_by_one() -> None:
    """Mixed weights of 1 are 0 on the chip, however many of them there are."""
    source = SpikeTimes("s", 1, [0], [0])

    def arrived(weights: list[int]) -> int:
        zeros = [0] * len(weights)
        network = ChipNetwork(
            (Population("a", "LIF", 1, {"vth": 131071}),),
            (source,),
            (Projection("p", "s", "a", zeros, zeros, weights),),
        )
        return int(emulate(network, 2, [("a", "u")]).states["a", "u"][1, 0]) // 64

    assert arrived([3, 5]) == 8
    assert arrived([1, 1, 1, -2]) == -2


def test_delays_are_steps_after_the_next_one() -> None:
    delays = [0, 1, 5, 62, 63]
    network = ChipNetwork(
        (Population("a", "LIF", 5, {"vth": 0, "du": 4095}),),
        (SpikeTimes("s", 1, [0], [3]),),
        (Projection("p", "s", "a", [0] * 5, range(5), [1] * 5, delays=delays),),
    )
    steps, who = emulate(network, 80).spikes["a"]
    assert dict(zip(who.tolist(), (steps - 4).tolist(), strict=False)) == dict(enumerate(delays))


def test_poisson_sources_have_their_rate_and_their_seed() -> None:
    chance = np.array([0.0, 0.1, 0.5, 1.0])
    network = ChipNetwork(sources=(PoissonSpikes("s", 4, chance),))
    steps, who = emulate(network, 4000, seed=3).spikes["s"]
    counts = np.bincount(who, minlength=4)
    assert counts[0] == 0 and counts[3] == 4000
    assert np.all(np.abs(counts - 4000 * chance) <= 4 * np.sqrt(4000 * chance * (1 - chance)))
    again = emulate(network, 4000, seed=3).spikes["s"]
    np.testing.assert_array_equal(steps, again[0])
    assert len(emulate(network, 4000, seed=4).spikes["s"][0]) != len(steps)


def test_overflow_raises_where_that_is_asked_for_and_is_counted_else() -> None:
    network = ChipNetwork(
        (Population("a", "LIF", 3, {"vth": 100, "bias_mant": [0, 4095, 0], "bias_exp": 7}),)
    )
    assert set(emulate(network, 40, overflow="raise").counts.values()) == {0}
    loop = Projection("p", "s", "a", [0], [1], [255], exponent=7, sign_mode=None)
    driven = ChipNetwork(network.populations, (SpikeTimes("s", 1, [0], [0], period=1),), (loop,))
    counted = emulate(driven, 40)
    assert counted.counts["a", "wrapped"] > 0
    with pytest.raises(ChipOverflow, match="population 'a': neuron 1 wrapped"):
        emulate(driven, 40, overflow="raise")


def test_state_can_be_set_between_runs() -> None:
    network = ChipNetwork((Population("a", "LIF", 2, {"vth": 10}),))
    with Emulation(network, [("a", "v")]) as emulation:
        emulation.run(1)
        emulation.state("a", "v")[:] = [5, 641]
        recorded = emulation.run(1)
    assert recorded.spikes["a"][1].tolist() == [1]
    assert recorded.states["a", "v"].tolist() == [[0, 0], [5, 0]]


def test_empty_things_run() -> None:
    network = ChipNetwork(
        (Population("a", "LIF", 0), Population("b", "LIF", 3)),
        (SpikeTimes("s", 2, [], []),),
        (Projection("p", "s", "b", [], [], []), Projection("q", "a", "b", [], [], [])),
        (Stimulus("i", "b", np.zeros((0,), int)),),
    )
    assert emulate(network, 0).spikes["b"][0].size == 0
    assert emulate(network, 5).spikes["b"][0].size == 0


POPULATION = Population("a", "LIF", 2)
SOURCE = SpikeTimes("s", 1, [0], [0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Population("a", "LIFE", 2), "no chip model 'LIFE'; there are LIF"),
        (lambda: Population("a", "LIF", -1), "size -1"),
        (lambda: Population("a", "LIF", 2, {"tau": 3}), "LIF has no register 'tau'; it has du"),
        (lambda: Population("a", "LIF", 2, {"du": [1, 2, 3]}), r"shape \(3,\), expected"),
        (lambda: Population("a", "LIF", 2, {"du": 0.5}), "whole numbers are needed, got 0.5"),
        (lambda: Population("a", "LIF", 1, {"du": np.nan}), "whole numbers are needed, got nan"),
        (
            lambda: ChipNetwork((Population("a", "LIF", 2, {"du": 4096}),)),
            "4096 is outside 0..4095",
        ),
        (lambda: ChipNetwork((Population("a", "LIF", 2, {"vth": [1, -1]}),)), "-1 at 1 is outside"),
        (lambda: SpikeTimes("s", 1, [1], [0]), "index: 1 is outside 0..0"),
        (lambda: SpikeTimes("s", 1, [0, 0], [3, 3]), "spikes twice in one step"),
        (lambda: SpikeTimes("s", 1, [0], [5], period=5), "step: 5 is outside 0..4"),
        (lambda: PoissonSpikes("s", 1, 1.5), "rate \\* dt must not exceed 1"),
        (lambda: PoissonSpikes("s", 1, np.nan), "rate \\* dt must not exceed 1"),
        (lambda: joined(weights=[256]), "weight .EXCITATORY.: 256 is outside 0..255"),
        (lambda: joined(weights=[256, -1]), "weight .MIXED.: 256 at 0 is outside -256..255"),
        (lambda: joined(delays=64), "delay in steps: 64 is outside 0..63"),
        (lambda: joined(exponent=8), "weight exponent: 8 is outside -8..7"),
        (lambda: joined(num_weight_bits=7), "7 weight bits; the chip has 1, 2"),
        (lambda: joined(post=[2]), "post: 2 is outside 0..1"),
        (lambda: joined(port="b_in"), "the port 'b_in' of 'a', which has a_in"),
        (lambda: joined(source="t"), "no population or source 't'"),
    ],
)
def test_what_the_chip_cannot_hold_raises(make: Any, message: str) -> None:
    with pytest.raises(ChipLimit, match=message):
        make()


def joined(**changes: Any) -> ChipNetwork:
    arguments: dict[str, Any] = {"source": "s", "pre": [0], "post": [0], "weights": [1]}
    arguments.update(changes)
    if len(arguments["weights"]) > 1:
        arguments.update(pre=[0, 0], post=[0, 1])
    projection = Projection("p", target="a", **arguments)
    return ChipNetwork((POPULATION,), (SOURCE,), (projection,))


def test_a_state_that_is_not_there_is_named() -> None:
    with pytest.raises(OptionError, match="keeps no state 'w'; it keeps u, v"):
        Emulation(ChipNetwork((POPULATION,)), [("a", "w")])


def test_a_profile_has_limits_of_its_own() -> None:
    late = (Projection("p", "s", "a", [0], [0], [1], delays=63),)
    ChipNetwork((POPULATION,), (SOURCE,), late, arithmetic=LAVA)
    for name in ("loihi1", "brian2loihi"):
        with pytest.raises(ChipLimit, match=f"63 is outside 0..62 .6-bit synaptic delay .{name}"):
            ChipNetwork((POPULATION,), (SOURCE,), late, arithmetic=PROFILES[name])


def test_states_of_some_neurons_can_be_recorded() -> None:
    network = drawn(3, LAVA)
    everything = emulate(network, 60, [("a", "v")]).states["a", "v"]
    assert np.any(everything)
    for chosen in ([4, 1, 1], [], np.arange(3)):
        for recorded in (
            emulate(network, 60, [("a", "v", chosen)]),
            PlainChip(network).run(60, [("a", "v", chosen)]),
        ):
            np.testing.assert_array_equal(
                recorded.states["a", "v"], everything[:, np.asarray(chosen, int)]
            )


@pytest.mark.parametrize("indices", [[2], [-1], [0.5], [[0]]])
def test_neurons_that_are_not_there_are_not_recorded(indices: Any) -> None:
    with pytest.raises(OptionError, match="whole numbers in 0..1, the neurons of 'a'"):
        emulate(ChipNetwork((POPULATION,)), 1, [("a", "v", indices)])


def test_a_state_that_the_model_computes_can_be_given_too() -> None:
    """The threshold relaxes from there to its rest, 64 theta_0."""
    registers = {"theta_0": 5, "delta_theta": 2048, "bias_mant": 100}
    network = ChipNetwork(
        (
            Population("given", "ATRLIF", 2, registers, {"theta": [0, 1320]}),
            Population("computed", "ATRLIF", 2, registers, {"theta": None}),
        )
    )
    record = [("given", "theta"), ("computed", "theta")]
    emulated, plain = emulate(network, 9, record), PlainChip(network).run(9, record)
    for pair in record:
        np.testing.assert_array_equal(emulated.states[pair], plain.states[pair])
    assert list(plain.states["given", "theta"][:2, 1]) == [820, 570]
    assert np.all(plain.states["computed", "theta"][0] == 320)
    for name in ("given", "computed"):
        np.testing.assert_array_equal(emulated.spikes[name], plain.spikes[name])
    assert plain.spikes["given"][0][0] < plain.spikes["computed"][0][0]


@pytest.mark.parametrize("shuffled", [False, True])
def test_rows_are_sorted_only_where_they_are_not_in_order(shuffled: bool) -> None:
    keys = [np.array(key) for key in ([0, 0, 0, 1, 1], [0, 0, 2, 1, 1], [3, 5, 4, 0, 0])]
    if shuffled:
        keys = [key[[4, 2, 0, 3, 1]] for key in keys]
    order = row_order(*keys)
    assert isinstance(order, slice) != shuffled
    rows = np.stack([key[order] for key in keys], 1).tolist()
    assert rows == sorted(rows)
    assert row_order(np.zeros(0), np.zeros(0)) == slice(None)
