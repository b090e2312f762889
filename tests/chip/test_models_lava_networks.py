"""Networks drawn at random: Lava's models, the plain definition and the compiled emulator agree.

Every spike and every state of 500 steps are identical integers. ``BRIAN2LAVA_LONG=1`` draws 300
networks, and shrinks one that fails.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

pytest.importorskip("lava")

from brian2lava.chip.emulate import Emulation, emulate
from brian2lava.chip.network import ChipNetwork, Population, Stimulus
from brian2lava.chip.plain import PlainChip
from tests.chip.drawn_networks import (
    MODELS,
    Drawn,
    assert_identical,
    drawn_networks,
    joined,
    part,
)
from tests.chip.lava_oracle import LavaOracle
from tests.networks.devices import LONG

_STEPS = 500
#: Networks that are compiled together, and how often that many are drawn.
_TOGETHER = 5
_EXAMPLES = 60 if LONG else 5


@pytest.mark.timeout(1800 if LONG else 300)
def test_drawn_networks_agree_with_lava() -> None:
    active: Counter[str] = Counter()
    drawn = 0

    @seed(20261124)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
    )
    @given(st.lists(drawn_networks(), min_size=_TOGETHER, max_size=_TOGETHER))
    def agree(batch: list[Drawn]) -> None:
        nonlocal drawn
        whole = joined([one.network for one in batch])
        record = [
            (f"n{k}_{name}", state) for k, one in enumerate(batch) for name, state in one.record
        ]
        with Emulation(whole, record) as emulation:
            compiled = emulation.run(_STEPS)
        for k, one in enumerate(batch):
            lava = LavaOracle(one.network, one.sparse).run(_STEPS, one.record)
            assert_identical(PlainChip(one.network).run(_STEPS, one.record), lava)
            assert_identical(part(compiled, k), lava)
            drawn += 1
            for population in one.network.populations:
                if 50 < len(lava.spikes[population.name][0]) < 450 * population.size:
                    active[population.model] += 1

    agree()
    assert drawn >= _EXAMPLES * _TOGETHER
    assert sum(active.values()) > drawn / 3, active
    if LONG:
        assert min(active[name] for name in ("LIF", "LIFReset", "ATRLIF", "RF")) > 10, active


def _at_the_edges() -> Drawn:
    """One population a model; all powers of two below 2**25 arrive, with both neighbours."""
    rng = np.random.default_rng(8)
    edges = np.array([sign * (2**k + near) for k in range(25) for near in (-1, 0, 1)
                      for sign in (-1, 1)])  # fmt: skip
    n = 10
    populations, stimuli = [], []
    for name, (registers, states) in MODELS.items():
        initial = {state: rng.choice([-1, 1], n) * rng.choice([0, 5, 2**23 - 1], n)
                   for state in states}  # fmt: skip
        populations.append(Population(name, name, n, registers(rng, n), initial))
        for port in populations[-1].neuron.ports:
            arriving = np.where(rng.random((_STEPS, n)) < 0.3, rng.choice(edges, (_STEPS, n)), 0)
            stimuli.append(Stimulus(f"{name}_{port}", name, arriving, port))
    return Drawn(ChipNetwork(tuple(populations), stimuli=tuple(stimuli)), frozenset())


def test_states_leave_their_range_as_in_lava() -> None:
    drawn = _at_the_edges()
    lava = LavaOracle(drawn.network).run(_STEPS, drawn.record)
    plain = PlainChip(drawn.network).run(_STEPS, drawn.record)
    assert_identical(plain, lava)
    assert all(count > 50 for count in plain.counts.values()), plain.counts
    compiled = emulate(drawn.network, _STEPS, drawn.record)
    assert_identical(compiled, lava)
    assert compiled.counts == plain.counts
