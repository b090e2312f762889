"""What does not fit a core or a board says which object and why, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.resources import LOIHI1, LOIHI2, Budget, check_fits, resources
from brian2lava.errors import ChipLimit


def converging(sources: int, copies: int = 1, **more: Any) -> ChipNetwork:
    """All ``sources`` reach neuron 2 of 4."""
    pre = np.tile(np.arange(sources), copies)
    post, weights = np.full(len(pre), 2), np.ones(len(pre), int)
    return ChipNetwork(
        (Population("target", "LIF", 4),),
        (SpikeTimes("crowd", sources, [0], [0]),),
        (Projection("in", "crowd", "target", pre, post, weights, **more),),
    )


def test_4096_axons_fit_and_the_4097th_does_not() -> None:
    assert resources(converging(4096), "Loihi1").cores.input_axons.max() == 4096
    with pytest.raises(
        ChipLimit,
        match=r"population 'target', neuron 2: it alone needs 4097 input axons; a core of Loihi1"
        r" has 4096 \(nengo-loihi 1.1\). Its synapses: 4097 of 'in'. Let fewer sources reach",
    ):
        check_fits(converging(4097), "Loihi1")


def test_a_neighbour_pays_for_no_axon_twice() -> None:
    pre = np.concatenate([np.arange(3000), np.arange(1500, 4500)])
    post = np.repeat([0, 1], 3000)
    net = ChipNetwork(
        (Population("a", "LIF", 2),),
        (SpikeTimes("s", 4500, [0], [0]),),
        (Projection("sa", "s", "a", pre, post, np.ones(6000, int)),),
    )
    report = resources(net, "Loihi1")
    assert report.cores.input_axons.tolist() == [3000, 3000]
    assert report.ended_by == ("input axons", "")
    assert len(resources(net, "Loihi1", replace(LOIHI1, input_axons=4500)).cores) == 1


def test_synapse_memory_of_one_neuron() -> None:
    # 4,096 axons of 20 synapses of 8 + 6 bits and a header: 320 bits each, more than 2**20
    with pytest.raises(
        ChipLimit,
        match="'target', neuron 2: it alone needs 1310720 bits of synapse memory; a core of Loihi1"
        " has 1048576 .* Use fewer synapses a neuron",
    ):
        check_fits(converging(4096, copies=20), "Loihi1")
    check_fits(converging(4096, copies=16), "Loihi1")


def test_core_memory_of_one_neuron_on_loihi2() -> None:
    with pytest.raises(ChipLimit, match=r"'target', neuron 2: .* bits of core memory.* of 'in'"):
        check_fits(converging(100_000), "Loihi2")
    check_fits(converging(40_000), "Loihi2")


def test_an_axon_limit_can_be_set_for_loihi2() -> None:
    with pytest.raises(ChipLimit, match="5000 input axons; a core of Loihi2 has 4096"):
        check_fits(converging(5000), "Loihi2", replace(LOIHI2, input_axons=4096))


@pytest.mark.parametrize(
    ("budget", "name"),
    [
        (replace(LOIHI1, per_neuron={"LIF": 2}, compartments=1), "2 compartments"),
        (replace(LOIHI1, accumulators=32), "64 accumulator slots"),
        (replace(LOIHI1, formats=0), "1 synapse formats"),
    ],
)
def test_other_limits_of_one_neuron(budget: Budget, name: str) -> None:
    with pytest.raises(ChipLimit, match=f"'target', neuron .: it alone needs {name}"):
        check_fits(converging(5, delays=62), "Loihi1", budget)


def test_output_axons_of_one_neuron() -> None:
    post = np.arange(40)
    net = ChipNetwork(
        (Population("hub", "LIF", 1), Population("rim", "LIF", 40)), (),
        (Projection("out", "hub", "rim", np.zeros(40, int), post, np.ones(40, int)),),
    )  # fmt: skip
    budget = replace(LOIHI1, compartments=2, output_axons=5)
    with pytest.raises(
        ChipLimit,
        match=r"'hub', neuron 0: it alone needs 21 output axons; .* has 5 .*: 40 of 'out'",
    ):
        check_fits(net, "Loihi1", budget)


def test_a_model_that_is_no_neuron_of_loihi1() -> None:
    budget = replace(LOIHI1, per_neuron={"LIFReset": 1})
    with pytest.raises(
        ChipLimit,
        match="'target': LIF is no neuron of Loihi1, which has LIFReset. Use chip=",
    ):
        check_fits(converging(3), "Loihi1", budget)


def test_a_board_has_so_many_chips() -> None:
    net = ChipNetwork((Population("small", "LIF", 10), Population("large", "LIF", 1024 * 128)))
    assert resources(net, "Loihi1", chips=2).chips == 2
    with pytest.raises(
        ChipLimit,
        match=r"needs 2 chips of Loihi1 \(129 cores of 128 a chip\), the board has 1. Most cores go"
        r" to population 'large': 129, most of which are full by compartments. Use a larger board",
    ):
        check_fits(net, "Loihi1", chips=1)
    check_fits(ChipNetwork(), "Loihi1", chips=0)
