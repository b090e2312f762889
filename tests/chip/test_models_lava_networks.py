"""Networks drawn at random: Lava's models, the plain definition and the compiled emulator agree.

Every spike and every state of 500 steps are identical integers. ``BRIAN2LAVA_LONG=1`` draws 300
networks, and shrinks one that fails.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

pytest.importorskip("lava")

from brian2lava.chip.emulate import Emulation
from brian2lava.chip.plain import PlainChip
from tests.chip.drawn_networks import Drawn, assert_identical, drawn_networks, joined, part
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
