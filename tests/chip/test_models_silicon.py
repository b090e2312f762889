"""One neuron that was read from a Loihi 2 chip.

The recording (``data/nir``) is of a single neuron, with v from 0 to 1,589, positive weights, and a
current without memory: that is all it can confirm.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brian2lava.chip.emulate import emulate
from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.plain import PlainChip, Recorded

TRACE = Path(__file__).parent / "data" / "nir" / "lif_lava_loihi_fixed.csv"
#: dv = int(dt / tau * 4095), du = 4095, w = int(w * 256): the NIR paper's conversion to Lava.
REGISTERS = {"du": 4095, "dv": 163, "vth": 25}
WEIGHT = 10


def _network(arrivals: np.ndarray, **changed: int) -> ChipNetwork:
    return ChipNetwork(
        (Population("lif", "LIF", 1, {**REGISTERS, **changed}),),
        (SpikeTimes("input", 1, np.zeros(arrivals.size, np.int64), arrivals),),
        (Projection("w", "input", "lif", [0], [0], [WEIGHT]),),
    )


@pytest.mark.parametrize(
    "run",
    [
        lambda network, steps, record: PlainChip(network).run(steps, record),
        lambda network, steps, record: emulate(network, steps, record),
    ],
    ids=["plain", "compiled"],
)
def test_the_chip_is_reproduced(run: Callable[..., Recorded]) -> None:
    """All spikes; and v in all steps but those, where the chip's probe reads 128 instead of 0."""
    arrived, voltage, fired = np.loadtxt(TRACE, delimiter=",").T
    spikes = np.flatnonzero(fired)
    assert spikes.tolist() == [461, 511, 711, 761]
    assert np.all(voltage[spikes] == 128)
    recorded = run(_network(np.flatnonzero(arrived)), len(voltage), [("lif", "v")])
    np.testing.assert_array_equal(recorded.spikes["lif"][0], spikes)
    between = fired == 0
    assert between.sum() == 996 and voltage[between].max() == 1589
    computed = recorded.states["lif", "v"][:, 0]
    np.testing.assert_array_equal(computed[between], voltage[between])
    assert np.all(computed[spikes] == 0)


@pytest.mark.parametrize("changed", [{"dv": 162}, {"dv": 164}, {"vth": 24}, {"du": 4000}], ids=str)
def test_other_registers_do_not_reproduce_it(changed: dict[str, int]) -> None:
    arrived, voltage, fired = np.loadtxt(TRACE, delimiter=",").T
    recorded = PlainChip(_network(np.flatnonzero(arrived), **changed)).run(1000, [("lif", "v")])
    between = fired == 0
    assert np.any(recorded.states["lif", "v"][between, 0] != voltage[between])
