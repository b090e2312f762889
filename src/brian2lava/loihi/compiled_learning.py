"""Networks that learn, in compiled code: from a beginning at which nothing is under way.

The chip's emulator ends a step with learning, brian2-loihi begins one with it: what it would do in
the first step has to be nothing, and what it would do after the last one is left to the next run.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.chip.emulate import Emulation
from brian2lava.chip.learning import actual_weights
from brian2lava.chip.network import ChipNetwork, SignMode
from brian2lava.chip.plain import Recorded
from brian2lava.engine.cpu.toolchain import find_compiler
from brian2lava.loihi.describe import arriving, delays, projection_of
from brian2lava.loihi.members import Members, owner
from brian2lava.loihi.synapses import LoihiSynapses


def can_compile(found: Members, learning: list[LoihiSynapses], first: int) -> bool:
    """Whether nothing is under way, nothing is recorded of synapses, and no rule has u<k> terms."""
    watched = {owner(monitor.source)[0].name for monitor in found.state_monitors}
    return find_compiler() is not None and all(
        item.rule is not None
        and item.rule.decimation is None
        and item.name not in watched
        and not len(arriving(item, first).steps)
        and not owner(item.target)[0]._fired.size
        and len(np.unique(delays(item))) == 1
        and not any(np.any(_values(item, name)) for name in _traces(item))
        for item in learning
    )


def run_compiled(
    network: ChipNetwork,
    learning: list[LoihiSynapses],
    first: int,
    steps: int,
    pairs: list[tuple[str, str]],
) -> tuple[Recorded, dict[tuple[str, str], Any]]:
    """What was recorded, and final states; final weights and traces go into Brian2's variables."""
    plastic = tuple(
        replace(projection_of(item), weights=item.mantissas(), learning=item.rule)
        for item in learning
    )
    network = replace(network, projections=(*network.projections, *plastic))
    seed = int(np.random.randint(0, 1 << 32, dtype=np.uint64))  # governed by brian2.seed
    with Emulation(network, pairs, seed=seed, steps_before=first + 1) as emulation:
        emulation.run(steps - 1)
        for item in learning:
            _write(item, emulation, learned=steps > 1)
        recorded = emulation.run(1)
        final = {
            (population.name, state): emulation.state(population.name, state).copy()
            for population in network.populations
            for state in ("u", "v")
        }
    return recorded, final


def _traces(item: LoihiSynapses) -> list[str]:
    assert item.rule is not None
    return [name for name in item.rule.traces if name in item.variables]


def _values(item: LoihiSynapses, name: str) -> Any:
    return np.asarray(item.variables[name].get_value())


def _write(item: LoihiSynapses, emulation: Emulation, learned: bool) -> None:
    weights = emulation.plastic(item.name, "w")
    item.variables["w"].set_value(weights.astype(float))
    if item.dw and learned:
        signs = SignMode(item.sign_mode).name
        actual = actual_weights(weights, signs, item.num_weight_bits, item.w_exp, learned=True)
        item.variables["w_act"].set_value(actual.astype(float))
    for name in emulation.plastic_names(item.name):
        if name in item.variables and name != "w":
            item.variables[name].set_value(emulation.plastic(item.name, name).astype(float))
