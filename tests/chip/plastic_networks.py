"""Small networks with plastic synapses whose postsynaptic spikes are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms

PRE, POST, STEPS = 8, 4, 2000

TRACES = """
dapre/dt = -apre/(20*ms) : 1 ({how})
dapost/dt = -apost/(30*ms) : 1 ({how})
"""
PAIR = (
    TRACES,
    "apre += 0.04\nw = clip(w + apost, 0, 1)",
    "apost += -0.03\nw = clip(w + apre, 0, 1)",
)
ANTI = (
    TRACES,
    "apre += 0.04\nw = clip(w - apost, 0, 1)",
    "apost += -0.03\nw = clip(w - apre, 0, 1)",
)
UNBOUNDED = (
    TRACES,
    "apre += 0.04\nw += apost",
    "apost += -0.03\nw += apre",
)
#: The traces of the last spike only.
NEAREST = (
    TRACES,
    "apre = 1\nw = clip(w + 0.03*apost, 0, 1)",
    "apost = -1\nw = clip(w + 0.04*apre, 0, 1)",
)
#: Pfister and Gerstner 2006: slow traces are read before their spike.
TRIPLET = (
    """
    dr1/dt = -r1/(17*ms) : 1 (event-driven)
    dr2/dt = -r2/(60*ms) : 1 (event-driven)
    do1/dt = -o1/(34*ms) : 1 (event-driven)
    do2/dt = -o2/(80*ms) : 1 (event-driven)
    """,
    "w = clip(w - o1*(0.02 + 0.01*r2), 0, 1)\nr1 += 1\nr2 += 1",
    "w = clip(w + r1*(0.02 + 0.015*o2), 0, 1)\no1 += 1\no2 += 1",
)
#: An eligibility trace in the synapse, and a reward that is the same for all of them.
REWARD = (
    TRACES
    + """
    delig/dt = -elig/(60*ms) : 1 (clock-driven)
    dw/dt = reward*elig/(40*ms) : 1 (clock-driven)
    reward : 1 (shared)
    """,
    "apre += 0.5\nelig += apost",
    "apost += -0.2\nelig += apre",
)


@dataclass
class Made:
    """A network, not yet run, and its parts."""

    network: Network
    synapses: Any
    spikes: Any
    targets: Any


def given_spikes(seed: int, size: int, steps: int, apart: int, chance: float) -> tuple[Any, Any]:
    """Indices and steps of spikes that are at least ``apart`` steps from each other."""
    draws = np.random.default_rng(seed)
    indices, times = [], []
    for neuron in range(size):
        now = int(draws.integers(1, apart))
        while now < steps - 2:
            if draws.random() < chance:
                indices.append(neuron)
                times.append(now)
            now += int(draws.integers(apart, 4 * apart))
    return np.array(indices), np.array(times)


def build(
    rule: tuple[str, str, str],
    how: str = "event-driven",
    first: Any = 0.5,
    delivered: str = "v_post += 0.02*w",
    before: bool = True,
    **kwds: Any,
) -> Made:
    """Synapses with ``rule`` onto neurons that a teacher lets fire whatever the weights."""
    model, on_pre, on_post = rule
    pre = SpikeGeneratorGroup(PRE, *_times(given_spikes(1, PRE, STEPS, 30, 0.8)))
    teacher = SpikeGeneratorGroup(POST, *_times(given_spikes(2, POST, STEPS, 40, 0.7)))
    cells = NeuronGroup(
        POST, "dv/dt = -v/(2*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    plain = "" if "dw/dt" in model else "w : 1\n"
    lines = [delivered, on_pre] if before else [on_pre, delivered]
    synapses = Synapses(
        pre, cells, plain + model.format(how=how), on_pre="\n".join(lines), on_post=on_post,
        method="exact" if "dw/dt" not in model else "euler", **kwds,
    )  # fmt: skip
    synapses.connect()
    synapses.w = first
    teaching = Synapses(teacher, cells, on_pre="v_post += 1.5")
    teaching.connect(j="i")
    spikes = SpikeMonitor(cells)
    network = Network(pre, teacher, cells, synapses, teaching, spikes)
    return Made(network, synapses, spikes, cells)


def _times(given: tuple[Any, Any]) -> tuple[Any, Any]:
    indices, steps = given
    return indices, steps * 0.1 * ms
