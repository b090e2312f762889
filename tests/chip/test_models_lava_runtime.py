"""Lava's real runtime computes what the directly driven models compute.

``BRIAN2LAVA_LONG=1`` puts 25 networks into the one graph: some 250 processes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

pytest.importorskip("lava")

from tests.chip.drawn_networks import Drawn, drawn_networks
from tests.chip.lava_oracle import LavaOracle
from tests.chip.lava_runtime import through_the_runtime
from tests.networks.devices import LONG

_NETWORKS = 25 if LONG else 8
_READINGS = (40, 80)


def _some() -> list[Drawn]:
    networks: list[Drawn] = []

    @seed(3)
    @settings(
        max_examples=_NETWORKS, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(drawn_networks())
    def draw(network: Drawn) -> None:
        networks.append(network)

    draw()
    return networks[:_NETWORKS]


def test_the_runtime_agrees_with_the_models_driven_directly(tmp_path: Path) -> None:
    networks = _some()
    assert len(networks) == _NETWORKS
    read = through_the_runtime(networks, _READINGS, tmp_path, seconds=200)
    moved = 0
    for network, states in zip(networks, read):
        traces = LavaOracle(network.network, network.sparse).run(_READINGS[-1], network.record)
        for reading, values in zip(_READINGS, states):
            for pair, expected in traces.states.items():
                np.testing.assert_array_equal(values[pair], expected[reading - 1], str(pair))
                moved += bool(np.any(expected[reading - 1] != expected[0]))
    assert moved > _NETWORKS
