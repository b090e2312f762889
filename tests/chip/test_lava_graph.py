"""A chip network as Lava processes: the plain definition's integers, or what went wrong."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.network import (
    BinomialCounts,
    ChipNetwork,
    GivenCounts,
    PoissonSpikes,
    Population,
    Projection,
    SpikeTimes,
)
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.profiles import PROFILES
from brian2lava.errors import EngineDied, EngineError, NotSupported, OptionError
from brian2lava.interop import lava_run
from brian2lava.interop.lava_graph import lava_graph
from brian2lava.interop.lava_run import run_lava
from brian2lava.interop.notes import Notes
from tests.chip.lava_graph_networks import (
    LIBRARY,
    SIZE,
    drawn_part,
    every_state,
    registers,
    side_by_side,
)

STEPS = 90


def assert_same(got: Recorded, want: Recorded) -> None:
    assert got.spikes.keys() == want.spikes.keys()
    for name, (steps, who) in want.spikes.items():
        assert np.array_equal(got.spikes[name][0], steps), name
        assert np.array_equal(got.spikes[name][1], who), name
    assert got.states.keys() == want.states.keys()
    for pair, rows in want.states.items():
        assert np.array_equal(got.states[pair], rows), pair
        assert got.states[pair].dtype == rows.dtype


def compare(network: ChipNetwork, steps: int = STEPS, **options: Any) -> Recorded:
    record = every_state(network)
    want = PlainChip(network).run(steps, record)
    assert_same(run_lava(network, steps, record, **options), want)
    return want


def children() -> set[int]:
    """Processes whose parent is this one."""
    found: set[int] = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            words = status.read_text().rpartition(")")[2].split()
            if int(words[1]) == os.getpid():
                found.add(int(status.parent.name))
    return found


def named_memory() -> set[str]:
    """Files of shared memory that this process maps and that still have a name."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line for line in lines if "/dev/shm" in line and not line.endswith("(deleted)")}


@pytest.fixture(autouse=True)
def nothing_is_left() -> Any:
    """No process and no file in shared memory outlives a run."""
    before = children(), named_memory()
    yield
    assert children() <= before[0]
    assert named_memory() <= before[1]


# ------------------------------------------------------------ the library's processes
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_the_librarys_processes_compute_the_same_integers(form: Any) -> None:
    parts = [drawn_part(f"{model}{k}", model, 7 * k) for k in (1, 2) for model in LIBRARY]
    network = side_by_side(parts)
    graph = lava_graph(network, STEPS, form=form)
    assert not graph.ours.keys() & {population.name for population in network.populations}
    assert graph.hub is not None
    want = compare(network, form=form)
    for population in network.populations:
        assert len(want.spikes[population.name][0]), population.name


def test_the_processes_are_lavas_own() -> None:
    parts = [drawn_part(model, model, 3, exponents=(0, 5)) for model in LIBRARY]
    network = side_by_side(parts)
    graph = lava_graph(network, STEPS)
    assert not graph.ours
    for model in LIBRARY:
        made = type(graph.neurons[model])
        assert f"{made.__module__}.{made.__name__}" == network.population(model).neuron.lava
    kinds = {type(layer).__name__ for made in graph.layers.values() for layer in made}
    assert {"Dense", "DelayDense"} <= kinds
    sparse = lava_graph(network, STEPS, form="sparse")
    kinds = {type(layer).__name__ for made in sparse.layers.values() for layer in made}
    assert {"Sparse", "DelaySparse"} <= kinds


def test_registers_by_neuron_that_lavas_lif_takes() -> None:
    rng = np.random.default_rng(2)
    given = {
        **registers("LIF", rng),
        "du": rng.integers(0, 4096, SIZE),
        "dv": rng.integers(0, 2000, SIZE),
        "vth": rng.integers(1, 100, SIZE),
    }
    network = ChipNetwork((Population("a", "LIF", SIZE, given), Population("none", "LIF", 0)))
    assert not lava_graph(network, STEPS).ours
    compare(network)


def test_several_synapses_a_pair_are_layers_and_never_summed() -> None:
    source = SpikeTimes("s", 1, [0, 0], [1, 5])
    target = Population("a", "LIF", 1, {"du": 4095, "dv": 4095, "vth": 1000})
    # with mixed signs and one bit, -1 and 3 are truncated to -256 and 0; their sum would be 0
    twice = Projection("p", "s", "a", [0, 0, 0], [0, 0, 0], [-1, 3, 5], num_weight_bits=1)
    network = ChipNetwork((target,), (source,), (twice,))
    graph = lava_graph(network, STEPS)
    assert [layer.name for layer in graph.layers["p"]] == ["p", "p_1", "p_2"]
    want = compare(network)
    assert want.states["a", "u"][2, 0] == -256 << 6


def test_a_negative_exponent_of_several_synapses_shifts_their_sum() -> None:
    source = SpikeTimes("s", 1, [0], [1])
    target = Population("a", "LIF", 1, {"du": 4095, "dv": 4095, "vth": 1000})
    twice = Projection("p", "s", "a", [0, 0], [0, 0], [3, 3], exponent=-2)
    network = ChipNetwork((target,), (source,), (twice,))
    assert "negative exponent" in lava_graph(network, STEPS).ours["p"]
    assert compare(network).states["a", "u"][2, 0] == (6 >> 2) << 6


@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_the_longest_delay(form: Any) -> None:
    source = SpikeTimes("s", 2, [0, 1, 0], [1, 2, 8])
    target = Population("a", "LIF", 2, {"vth": 3, "dv": 100})
    late = Projection("p", "s", "a", [0, 1, 1], [0, 1, 1], [9, 9, 4], delays=[63, 62, 63])
    want = compare(ChipNetwork((target,), (source,), (late,)), form=form)
    assert want.spikes["a"][0][0] == 1 + 1 + 63


# ------------------------------------------------------------ our own processes
def test_what_lava_lacks_is_ours_and_computes_the_same() -> None:
    rng = np.random.default_rng(5)
    parts = []
    for model in ("CubaLIF2", "ALIF", "LIFSoft"):
        parts.append(drawn_part(model, model, 11))
    by_neuron = {**registers("ATRLIF", rng), "delta_v": rng.integers(0, 4096, SIZE)}
    refractory = {**registers("LIF", rng), "refractory": rng.integers(0, 5, SIZE)}
    populations = [
        Population("by_neuron", "ATRLIF", SIZE, by_neuron),
        Population("refractory", "LIF", SIZE, refractory),
    ]
    network = side_by_side([*parts, (populations, [], [], [])])
    graph = lava_graph(network, STEPS)
    assert {"CubaLIF2", "ALIF", "LIFSoft", "by_neuron", "refractory"} <= graph.ours.keys()
    assert "no 'refractory'" in graph.ours["refractory"]
    assert "one 'delta_v' for all" in graph.ours["by_neuron"]
    assert "brian2lava's own" in str(type(graph.neurons["ALIF"]).__doc__)
    compare(network)


@pytest.mark.parametrize("profile", ["loihi1", "brian2loihi"])
def test_other_arithmetic_is_ours(profile: str) -> None:
    part = drawn_part("a", "LIF", 4)
    capped = [
        Projection(**{**vars(item), "delays": np.minimum(item.delays, 62)}) for item in part[2]
    ]
    network = side_by_side([(part[0], part[1], capped, part[3])], PROFILES[profile])
    graph = lava_graph(network, STEPS)
    assert set(graph.ours) == {"a", *(item.name for item in capped)}
    assert len(compare(network).spikes["a"][0])


def test_noise_draws_from_a_generator_of_its_own() -> None:
    network = ChipNetwork((Population("a", "ProbSpiker", 50, {"p_spike": 1 << 22}),))
    want = PlainChip(network, np.random.default_rng([9, 0])).run(40, [("a", "rnd")])
    assert_same(run_lava(network, 40, [("a", "rnd")], seed=9), want)
    assert 300 < len(want.spikes["a"][0]) < 700


def test_random_sources_are_replayed() -> None:
    target = Population("a", "LIF", 3, {"vth": 3, "dv": 400})
    ahead = Projection("p", "s", "a", [0, 1, 2], [0, 1, 2], [9, 9, 9])
    network = ChipNetwork((target,), (PoissonSpikes("s", 3, 0.3),), (ahead,))
    with pytest.raises(NotSupported, match="source 's' is random"):
        run_lava(network, 30)
    want = PlainChip(network, np.random.default_rng(0)).run(30, [("a", "v")])
    assert len(want.spikes["a"][0])
    got = run_lava(network, 30, [("a", "v")], replay={"s": want.spikes["s"]})
    assert_same(got, want)


@pytest.mark.parametrize("delays", [0, [0, 3, 3]])
def test_sources_that_send_counts(delays: Any) -> None:
    rng = np.random.default_rng(4)
    target = Population("a", "LIF", 3, {"vth": 60, "dv": 400, "du": 900})
    given = GivenCounts("g", 2, rng.integers(-5, 6, (20, 2)))
    drawn = BinomialCounts("b", 3, 40, 0.1)
    joins = (
        Projection("p", "g", "a", [0, 1, 1], [0, 1, 2], [9, 9, -9], message_bits=8, delays=delays),
        Projection("q", "b", "a", [0, 1, 2], [0, 1, 2], [7, 8, 9], message_bits=8, delays=delays),
    )
    network = ChipNetwork((target,), (given, drawn), joins)
    with pytest.raises(NotSupported, match="source 'b' is random"):
        run_lava(network, 30)
    want = PlainChip(network, np.random.default_rng(0)).run(30, [("a", "v")])
    replay = {"b": (*want.spikes["b"], want.payloads["b"])}
    assert np.max(want.payloads["b"]) > 3
    assert len(want.spikes["a"][0])
    assert not lava_graph(network, 30, replay).ours
    assert_same(run_lava(network, 30, [("a", "v")], replay), want)


def test_words_that_were_drawn_elsewhere() -> None:
    network = ChipNetwork((Population("a", "ProbSpiker", 50, {"p_spike": 1 << 22}),))
    want = PlainChip(network, np.random.default_rng(3)).run(40, [("a", "rnd")])
    words = {"a": want.states["a", "rnd"]}
    assert_same(run_lava(network, 40, [("a", "rnd")], words=words), want)


def test_the_hub_hears_all_spikes(monkeypatch: Any) -> None:
    """As it has to where neurons are on a chip and can't be watched."""
    network = side_by_side([drawn_part("a", "LIF", 4), drawn_part("b", "ATRLIF", 2)])
    want = PlainChip(network).run(STEPS)
    graph = lava_graph(network, STEPS, heard=True)
    assert graph.heard == tuple(graph.neurons)
    notes = Notes(network, STEPS, ())
    watching = notes.watching(graph, drawn=True)
    heard = {graph.hub: watching[graph.hub]}
    monkeypatch.setattr(Notes, "watching", lambda *_, **__: heard)
    lava_run._run(graph, lava_run._simulated("fixed_pt"), notes, drawn=True)
    assert_same(notes.recorded(), want)


def test_nothing_to_run() -> None:
    network = ChipNetwork((Population("a", "LIF", 2),))
    got = run_lava(network, 0, [("a", "v")])
    assert got.states["a", "v"].shape == (0, 2)
    assert not len(run_lava(ChipNetwork(), 5).spikes)
    with pytest.raises(OptionError, match="'a' keeps no state 'w'; it keeps u, v"):
        run_lava(network, 5, [("a", "w")])
    with pytest.raises(OptionError, match="-1 steps"):
        run_lava(network, -1)


def test_many_populations_that_all_project_to_all() -> None:
    names = [f"p{k}" for k in range(7)]
    populations = tuple(Population(name, "LIF", 1, {"bias_mant": 900}) for name in names)
    everywhere = tuple(Projection(f"{a}{b}", a, b, [0], [0], [5]) for a in names for b in names)
    compare(ChipNetwork(populations, (), everywhere), 10)


def test_more_processes_than_a_machine_runs_are_refused() -> None:
    populations = tuple(Population(f"p{k}", "LIF", 1) for k in range(600))
    with pytest.raises(NotSupported, match="601 Lava processes"):
        run_lava(ChipNetwork(populations), 5)


# ------------------------------------------------------------ when something goes wrong
def failing_network() -> ChipNetwork:
    loop = Projection("loop", "b", "b", [0], [0], [10])
    there = Projection("there", "a", "b", [0], [0], [10])
    refractory = Population("a", "LIF", 2, {"refractory": 2, "bias_mant": 900})
    return ChipNetwork((refractory, Population("b", "LIF", 2)), (), (there, loop))


@pytest.mark.parametrize("alone", [False, True])
def test_an_exception_in_a_process_is_told(alone: bool, monkeypatch: Any) -> None:
    """Lava alone would wait for ever where neighbours wait for the process that failed."""
    from brian2lava.chip.plain_steps import PopulationStep

    def failing(self: Any, states: Any, arrived: Any, step: int) -> Any:
        if step == 7:
            raise FloatingPointError("step seven")
        return np.zeros(2, np.int64)

    monkeypatch.setattr(PopulationStep, "__call__", failing)
    network = failing_network()
    if alone:
        network = ChipNetwork(network.populations[:1])
    with pytest.raises(EngineError, match="process 'a' failed: FloatingPointError: step seven"):
        run_lava(network, 10_000)


def test_an_exception_at_the_start_is_told(monkeypatch: Any) -> None:
    from brian2lava.interop import lava_graph as module

    def broken(*_: Any) -> Any:
        raise KeyError("no step")

    monkeypatch.setattr(module, "PopulationStep", broken)
    with pytest.raises(EngineError, match="process 'a' failed: KeyError: 'no step'"):
        run_lava(failing_network(), 10)


def test_a_killed_process_is_told(monkeypatch: Any) -> None:
    from brian2lava.chip.plain_steps import PopulationStep

    def leaving(self: Any, states: Any, arrived: Any, step: int) -> Any:
        os.kill(os.getpid(), 9)

    monkeypatch.setattr(PopulationStep, "__call__", leaving)
    with pytest.raises(EngineDied, match=r"process 'a' \(process \d+\) was killed by SIGKILL"):
        run_lava(failing_network(), 10)


def test_an_interrupt_ends_all_processes(monkeypatch: Any) -> None:
    def interrupted(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lava_run._GraphRuntime, "finish_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_lava(failing_network(), 100_000)
