"""Resources: the formulas, and the partition against a plain definition that counts one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.resources import LOIHI1, LOIHI2, Budget, resources
from brian2lava.chip.resources.account import account, costs
from brian2lava.chip.resources.flat import Flat, flatten, stable_order
from brian2lava.chip.resources.partition import partition
from brian2lava.errors import OptionError


def network(seed: int, n: int = 40, m: int = 300) -> ChipNetwork:
    """Two populations and a source; delays, exponents, bits, thresholds and profiles differ."""
    rng = np.random.default_rng(seed)

    def joined(name: str, source: str, target: str, **more: Any) -> Projection:
        sizes = {"a": n, "b": n // 2, "s": 7}
        return Projection(
            name, source, target, rng.integers(0, sizes[source], m),
            rng.integers(0, sizes[target], m), rng.integers(0, 200, m), **more,
        )  # fmt: skip

    return ChipNetwork(
        (
            Population("a", "LIF", n, {"vth": rng.integers(1, 12, n), "du": 3}),
            Population("b", "LIF", n // 2, {"vth": 8, "dv": rng.integers(0, 5, n // 2)}),
        ),
        (SpikeTimes("s", 7, [0], [0]),),
        (
            joined("aa", "a", "a", delays=rng.integers(0, 9, m)),
            joined("ab", "a", "b", num_weight_bits=5),
            joined("ba", "b", "a", exponent=2),
            joined("sb", "s", "b"),
        ),
    )


def small(seed: int) -> Budget:
    """A core of Loihi 1 in which a few neurons meet every limit."""
    rng = np.random.default_rng(seed)
    return replace(
        LOIHI1,
        cores=3,
        compartments=int(rng.integers(3, 20)),
        input_axons=int(rng.integers(45, 90)),
        output_axons=int(rng.integers(160, 260)) if seed % 2 else None,
        synapse_memory=int(rng.integers(3000, 9000)),
        accumulators=int(rng.integers(48, 200)),
        profiles=int(rng.integers(2, 5)),
        thresholds=int(rng.integers(1, 5)),
        block=4,
        index_bits=(0, 1, 2, 3, 4, 5),
    )


class Plain:
    """What a range of places takes, by visiting one synapse after another."""

    def __init__(self, flat: Flat, budget: Budget) -> None:
        self.flat, self.budget = flat, budget
        self.synapses = []
        start = dict(zip((p.name for p in flat.network.populations), flat.starts.tolist()))
        for k, p in enumerate(flat.network.projections):
            for pre, post in zip(p.pre.tolist(), p.post.tolist()):
                self.synapses.append((k, pre, int(flat.place[start[p.target] + post])))

    def axons(self, begin: int, end: int) -> Counter[tuple[int, int]]:
        """Synapses of each axon (projection, source neuron) that end in the range."""
        return Counter((k, pre) for k, pre, place in self.synapses if begin <= place < end)

    def memory(self, begin: int, end: int, core: tuple[int, int]) -> int:
        """Bits of the range's synapses, with indices that tell places from ``core`` apart."""
        width = self.budget.index_width(core[1] - core[0])
        total = 0
        for (k, _), synapses in self.axons(begin, end).items():
            each = self.flat.formats[k].bits + (0 if self.flat.formats[k].dense else width)
            for first in range(0, synapses, self.budget.block):
                here = min(synapses - first, self.budget.block)
                total += -(-(here * each + 10) // 64) * 64
        return total

    def fits(self, begin: int, end: int) -> bool:
        """Whether the range fits into a core, output axons apart."""
        budget, flat = self.budget, self.flat
        delays = [flat.formats[k].delay for k, p in enumerate(flat.network.projections)
                  for q in flat.population[begin:end]
                  if p.target == flat.network.populations[q].name]  # fmt: skip
        sums = {
            "compartments": end - begin,
            "input_axons": len(self.axons(begin, end)),
            "synapse_memory": self.memory(begin, end, (begin, end)),
            "accumulators": (end - begin) * 2 ** max(delays),
            "profiles": len(set(flat.profile[begin:end])),
            "thresholds": len(set(flat.threshold[begin:end])),
        }
        return all(value <= getattr(budget, name) for name, value in sums.items())


def cut(net: ChipNetwork, budget: Budget) -> tuple[Flat, Any]:
    flat = flatten(net, budget)
    return flat, partition(costs(flat, budget))


@pytest.mark.parametrize("seed", range(12))
def test_cores_are_what_counting_one_by_one_finds(seed: int) -> None:
    budget = small(seed)
    flat, made = cut(network(seed), budget)
    plain, cores = Plain(flat, budget), made.account.cores
    assert len(cores) > 2
    entries: Counter[tuple[str, int]] = Counter()
    for n, (begin, end) in enumerate(zip(cores.bounds[:-1].tolist(), cores.bounds[1:].tolist())):
        assert plain.fits(begin, end)
        edges = sorted({begin, end} | {s for s in flat.starts.tolist() if begin < s < end})
        assert cores.synapse_memory[n] == sum(
            plain.memory(low, high, (begin, high)) for low, high in zip(edges, edges[1:])
        )
        assert cores.input_axons[n] == len(plain.axons(begin, end))
        entries.update(
            (flat.network.projections[k].source, pre) for k, pre in plain.axons(begin, end)
        )
    start = dict(zip(("a", "b"), flat.starts.tolist()))
    for (name, pre), count in entries.items():
        if name in start:
            assert made.account.entries[flat.place[start[name] + pre]] == count
    if budget.output_axons is not None:
        assert cores.output_axons.max() <= budget.output_axons


@pytest.mark.parametrize("seed", range(0, 12, 2))
def test_a_core_ends_only_where_the_next_neuron_does_not_fit(seed: int) -> None:
    budget = small(seed)
    flat, made = cut(network(seed), budget)
    plain = Plain(flat, budget)
    for begin, end in zip(made.account.cores.bounds[:-2], made.account.cores.bounds[1:-1]):
        assert not plain.fits(int(begin), int(end) + 1)
    assert all(made.ended_by[:-1]) and made.ended_by[-1] == ""


def test_output_axons_end_cores_too() -> None:
    budget = replace(small(3), output_axons=40)
    _, tight = cut(network(3), budget)
    assert tight.account.cores.output_axons.max() <= 40 and tight.rounds > 1
    _, free = cut(network(3), replace(budget, output_axons=None))
    assert len(tight.account.cores) > len(free.account.cores)
    assert "output_axons" in tight.ended_by


@given(synapses=st.integers(0, 400), bits=st.integers(1, 40))
@settings(derandomize=True, deadline=None)
def test_synapse_memory_is_the_sum_over_blocks_of_whole_words(synapses: int, bits: int) -> None:
    blocks = [min(64, synapses - first) for first in range(0, synapses, 64)]
    assert LOIHI1.axon_memory(synapses, bits) == sum(
        ((n * bits + 4 + 6 + 63) // 64) * 64 for n in blocks
    )


def test_a_published_count_of_synapse_bits() -> None:
    """200 axons that each reach 1,000 neurons with 8 + 10 bits, by hand: 18,112 bits an axon."""
    pre, post = np.divmod(np.arange(200 * 999), 999)
    net = ChipNetwork(
        (Population("a", "LIF", 1000),),
        (SpikeTimes("s", 200, [0], [0]),),
        (Projection("sa", "s", "a", pre, post, np.ones(len(pre), int)),),
    )
    budget = replace(LOIHI1, synapse_memory=10**8)
    report = resources(net, "Loihi1", budget)
    by_hand = 15 * 1216 + 768  # ceil((64*18+10)/64)*64 = 1216, ceil((39*18+10)/64)*64 = 768
    assert report.synapse_bytes * 8 == 200 * by_hand
    assert report.cores.input_axons.tolist() == [200]


@pytest.mark.parametrize(
    ("targets", "bits"), [(1, 6), (64, 6), (65, 7), (128, 7), (129, 8), (1024, 10), (4096, 12)]
)
def test_index_widths_are_those_that_the_chip_has(targets: int, bits: int) -> None:
    assert LOIHI1.index_width(targets) == bits


def test_dense_projections_need_no_index() -> None:
    pre, post = np.divmod(np.arange(30 * 20), 20)
    shuffled = np.random.default_rng(0).permutation(len(pre))

    def bits(pre: Any, post: Any) -> str:
        net = ChipNetwork(
            (Population("a", "LIF", 40), Population("b", "LIF", 20)), (),
            (Projection("ab", "a", "b", pre, post, np.ones(len(pre), int)),),
        )  # fmt: skip
        return resources(net, "Loihi1").projections[0].bits

    assert bits(pre[shuffled], post[shuffled]) == "8 weight + dense"
    assert bits(np.where(pre > 3, pre, 3), post) == "8 weight + 6 index"  # several a pair
    twice = np.where((pre == 5) & (post == 1), 2, post)
    assert bits(pre, twice) == "8 weight + 6 index"  # as many synapses, one pair has two
    assert bits(pre[1:], post[1:]) == "8 weight + 6 index"
    assert bits(pre[pre % 2 == 1], post[pre % 2 == 1]) == "8 weight + dense"


def test_two_currents_are_two_compartments_on_loihi1() -> None:
    net = ChipNetwork((Population("a", "LIF", 1024),))
    two = replace(LOIHI1, per_neuron={"LIF": 2})
    assert len(resources(net, "Loihi1").cores) == 1
    report = resources(net, "Loihi1", two)
    assert report.cores.compartments.tolist() == [1024, 1024]
    assert report.populations[0].compartments == 2048
    assert report.ended_by == ("compartments", "")


def test_neurons_that_share_registers_come_together() -> None:
    vth = np.arange(640) % 16 + 1
    report = resources(ChipNetwork((Population("a", "LIF", 640, {"vth": vth}),)), "Loihi1")
    assert report.cores.thresholds.tolist() == [8, 8]
    assert any("come together" in note for note in report.notes)
    du = np.arange(640) % 64
    report = resources(ChipNetwork((Population("a", "LIF", 640, {"du": du}),)), "Loihi1")
    assert report.cores.profiles.tolist() == [32, 32]
    assert report.populations[0].ended_by == "compartment profiles"


def test_biases_take_no_registers_that_are_shared() -> None:
    net = ChipNetwork((Population("a", "LIF", 640, {"bias_mant": np.arange(640)}),))
    assert resources(net, "Loihi1").cores.profiles.tolist() == [1]


class Rule:
    """What resources read of a learning rule."""

    def __init__(self, x1: int = 0, dd: tuple[int, ...] = (), dt: tuple[int, ...] = ()) -> None:
        self.x1, self.x2, self.dd, self.dt = x1, 0, dd, dt


def plastic(*rules: Any) -> ChipNetwork:
    pre, post = np.arange(50), np.arange(50)
    return ChipNetwork(
        (Population("a", "LIF", 50),), (),
        tuple(
            Projection(f"p{n}", "a", "a", pre, post, np.ones(50, int), learning=rule)
            for n, rule in enumerate(rules)
        ),
    )  # fmt: skip


def test_plastic_axons_take_two_places_and_tags_take_bits() -> None:
    report = resources(plastic(None, Rule(dt=(1,), dd=(1,))), "Loihi1")
    fixed, learning = report.projections
    assert (fixed.input_axons, learning.input_axons) == (50, 100)
    assert (fixed.output_axons, learning.output_axons) == (50, 50)
    assert learning.bits == "8 weight + 6 delay + 9 tag + 6 index"


def test_a_core_has_few_trace_profiles() -> None:
    budget = replace(LOIHI1, traces=2)
    same = plastic(*(Rule(x1=n % 2) for n in range(6)))
    assert resources(same, "Loihi1", budget).cores.traces.tolist() == [2]


def test_host_sources_take_input_axons_only() -> None:
    report = resources(network(0), "Loihi1")
    assert report.projections[3].source == "s"
    assert report.projections[3].output_axons == 0 < report.projections[3].input_axons
    assert any("'s'" in note and "host" in note for note in report.notes)


def test_loihi2_shares_one_memory() -> None:
    report = resources(network(1), "Loihi2")
    cores = report.cores
    assert len(cores) == 1 and not report.budget.exact
    words = (3 + 1 + 16) * 40 + (3 + 1 + 1) * 20  # states, own registers, accumulators (delays < 9)
    axons = (cores.input_axons[0] + cores.output_axons[0]) * LOIHI2.axon_bits
    assert cores.core_memory[0] == words * 32 + axons + cores.synapse_memory[0]
    assert "estimate" in str(report)


def test_fan_in_and_fan_out() -> None:
    net = network(2)
    report = resources(net, "Loihi2")
    a = report.populations[0]
    into: Any = sum(np.bincount(p.post, minlength=40) for p in net.projections if p.target == "a")
    out: Any = sum(np.bincount(p.pre, minlength=40) for p in net.projections if p.source == "a")
    assert (a.fan_in_mean, a.fan_in_max) == (into.mean(), into.max())
    assert (a.fan_out_mean, a.fan_out_max) == (out.mean(), out.max())
    assert a.synapses == 600 and report.synapses == 1200
    one = report.projections[1]
    assert one.fan_in_max == np.bincount(net.projections[1].post).max()


@pytest.mark.parametrize("chip", ["Loihi1", "Loihi2"])
def test_empty_things(chip: str) -> None:
    nothing = resources(ChipNetwork(), chip)
    assert (nothing.chips, nothing.neurons, nothing.synapses) == (0, 0, 0)
    empty = ChipNetwork(
        (Population("a", "LIF", 0), Population("b", "LIF", 5)), (),
        (Projection("ab", "a", "b", [], [], []), Projection("bb", "b", "b", [2], [2], [1])),
    )  # fmt: skip
    report = resources(empty, chip)
    assert report.chips == 1 and report.populations[0].cores == 0
    assert report.projections[1].input_axons == 1
    assert "a" in str(report) and "<table>" in report.to_html()


def test_the_same_network_gives_the_same_cores() -> None:
    first, second = (resources(network(5), "Loihi1", small(5)) for _ in range(2))
    assert first.pieces == second.pieces and first.ended_by == second.ended_by


@pytest.mark.parametrize("largest", [1, 1000, 1 << 62])
def test_a_stable_order(largest: int) -> None:
    values = np.random.default_rng(0).integers(0, largest, 500)
    np.testing.assert_array_equal(stable_order(values), np.argsort(values, kind="stable"))


def test_an_account_of_one_core_has_all_synapses() -> None:
    flat = flatten(network(0), LOIHI1)
    whole = account(costs(flat, LOIHI1), np.array([0, 60]))
    assert whole.cores.synapses.tolist() == [1200]


def test_unknown_chips_and_budgets_of_another() -> None:
    with pytest.raises(OptionError, match="chip='Loihi3': there are 'Loihi1', 'Loihi2'"):
        resources(ChipNetwork(), "Loihi3")
    with pytest.raises(OptionError, match="the budget is that of 'Loihi2'"):
        resources(ChipNetwork(), "Loihi1", LOIHI2)
    with pytest.raises(OptionError, match="cores=0"):
        replace(LOIHI1, cores=0)
