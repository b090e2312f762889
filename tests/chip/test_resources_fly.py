"""Loihi 2 against the one published mapping of a large irregular network: a fly's brain.

140,000 neurons and 50 million synapses on 12 chips (arXiv:2508.16792). The networks here have
these numbers and lognormal degrees; that the real one has neighbourhoods is left out.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.resources import LOIHI2, resources

NEURONS, SYNAPSES, CHIPS = 140_000, 50_000_000, 12
#: Chips by which the estimate may be wrong for degrees of any such breadth.
MARGIN = 1


def ends(rng: np.random.Generator, size: int, synapses: int, breadth: float) -> Any:
    """An end for each synapse; the degrees are lognormal with ``breadth``."""
    share = np.cumsum(rng.lognormal(0, breadth, size))
    counts = np.bincount(
        np.searchsorted(share, rng.random(10 * size) * share[-1]).clip(0, size - 1), minlength=size
    )
    drawn = np.repeat(np.arange(size), counts)
    return drawn[rng.integers(0, len(drawn), synapses)]


@pytest.mark.parametrize("breadth", [0.5, 1.0, 1.2])
def test_a_twelfth_of_a_fly_takes_one_chip(breadth: float) -> None:
    """A twelfth of the targets, with axons from everywhere.

    Axons that leave this twelfth are as many as those that arrive, and paid for with them.
    """
    rng = np.random.default_rng(1)
    neurons, synapses = NEURONS // CHIPS, SYNAPSES // CHIPS
    weights = np.ones(synapses, int)
    net = ChipNetwork(
        (Population("part", "LIF", neurons),),
        (SpikeTimes("brain", NEURONS, [0], [0]),),
        (
            Projection(
                "in", "brain", "part", ends(rng, NEURONS, synapses, breadth),
                ends(rng, neurons, synapses, breadth), weights,
            ),
        ),
    )  # fmt: skip
    budget = replace(LOIHI2, axon_bits=2 * LOIHI2.axon_bits)
    cores = len(resources(net, "Loihi2", budget).cores)
    assert abs(ceil(CHIPS * cores / LOIHI2.cores) - CHIPS) <= MARGIN


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_fly_takes_twelve_chips() -> None:
    rng = np.random.default_rng(1)
    pre, post = (ends(rng, NEURONS, SYNAPSES, 1.0) for _ in range(2))
    net = ChipNetwork(
        (Population("brain", "LIF", NEURONS),), (),
        (Projection("all", "brain", "brain", pre, post, np.ones(SYNAPSES, np.int8)),),
    )  # fmt: skip
    del pre, post
    report = resources(net, "Loihi2")
    assert abs(report.chips - CHIPS) <= MARGIN
    assert report.synapses / len(report.cores) == pytest.approx(35_000, rel=0.1)
    assert report.neurons / len(report.cores) == pytest.approx(97, rel=0.1)
