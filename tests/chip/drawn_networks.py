"""Chip networks that hypothesis draws: their structure element by element, bulk numbers by a seed.

What arrives at a port stays below 2**25 by far: beyond, lava-nc's own int32 sums overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from brian2lava.chip.limits import WEIGHT_PRECISIONS
from brian2lava.chip.models.resonator import rotation
from brian2lava.chip.network import (
    ChipNetwork,
    Population,
    Projection,
    SignMode,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain import Recorded

Rng = np.random.Generator
Registers = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Drawn:
    """A network, which of its projections are Sparse in Lava, and all states of Lava's models."""

    network: ChipNetwork
    sparse: frozenset[str]

    def __repr__(self) -> str:
        """Short: what joins what; :func:`repr` of the network has the numbers."""
        models = [f"{p.name}: {p.size} {p.model}" for p in self.network.populations]
        joints = [
            f"{p.name}: {p.source}->{p.target} exponent {p.exponent} {p.signs.name}"
            f" {p.num_weight_bits} bits, delay {p.delays.max(initial=0)}, {p.size} synapses"
            for p in self.network.projections
        ]
        return f"Drawn({'; '.join([*models, *joints])})"

    @property
    def record(self) -> tuple[tuple[str, str], ...]:
        return tuple(
            (population.name, state.name)
            for population in self.network.populations
            for state in population.neuron.states
            if state.name not in ("blocked", "word")
        )


def _decay(rng: Rng, n: int | None = None) -> Any:
    """Often a limit, often slow."""
    values = np.where(
        rng.random(n) < 0.2, rng.choice([0, 1, 4094, 4095], n), (4096 * rng.random(n) ** 3)
    ).astype(np.int64)
    return values if n is not None else int(values)


def _level(rng: Rng, highest: int, n: int | None = None) -> Any:
    """Spread over all magnitudes up to ``highest``."""
    values = np.floor(np.exp(rng.uniform(0, np.log(highest + 1), n))).astype(np.int64) - 1
    return values if n is not None else int(values)


def _bias(rng: Rng, n: int) -> Registers:
    signs = rng.choice([-1, 1, 1], n)
    return {
        "bias_mant": np.where(rng.random(n) < 0.3, 0, signs * _level(rng, 4095, n)),
        "bias_exp": rng.integers(0, 8, n),
    }


def _lif(rng: Rng, n: int) -> Registers:
    each = n if rng.random() < 0.5 else None
    top = 131071 if rng.random() < 0.2 else 3000
    return {
        "du": _decay(rng, each),
        "dv": _decay(rng, each),
        "vth": _level(rng, top, each),
        **_bias(rng, n),
    }


def _lif_reset(rng: Rng, n: int) -> Registers:
    interval = int(rng.integers(1, 80))
    offset = int(rng.integers(0, 2 * interval))
    return {**_lif(rng, n), "reset_interval": interval, "reset_offset": offset}


def _ternary(rng: Rng, n: int) -> Registers:
    return {
        "du": _decay(rng, n),
        "dv": _decay(rng, n),
        "vth_hi": _level(rng, 3000),
        "vth_lo": -_level(rng, 3000),
        **_bias(rng, n),
    }


def _atrlif(rng: Rng, n: int) -> Registers:
    decays = ("delta_i", "delta_v", "delta_theta", "delta_r")
    return {
        **{name: _decay(rng) for name in decays},
        "theta_0": _level(rng, 3000),
        "theta_step": _level(rng, 3000),
        **_bias(rng, n),
    }


def _resonator(rng: Rng, n: int) -> Registers:
    """Most of them ring: a turn to the left, little loss, a low threshold."""
    ringing = rng.random() < 0.7
    period = rng.uniform(2, 30) if ringing else rng.choice([-1, 1]) * rng.uniform(1, 60)
    lost = rng.random() ** (8 if ringing else 3)
    return {
        **rotation(float(period), float(lost), int(rng.integers(0, 8)),
                   int(rng.integers(9 if ringing else 1, 13))),
        "vth": int(rng.choice([-1, 1, 1])) * _level(rng, 100 if ringing else 1000),
    }  # fmt: skip


#: Lava's models with a fixed-point implementation: their registers, and states to begin with.
MODELS: dict[str, tuple[Callable[[Rng, int], Registers], tuple[str, ...]]] = {
    "LIF": (_lif, ("u", "v")),
    "LIFReset": (_lif_reset, ("u", "v")),
    "ATRLIF": (_atrlif, ("i", "v", "r")),
    "RF": (_resonator, ("real", "imag")),
    "TernaryLIF": (_ternary, ("u", "v")),
    "RF_IZ": (_resonator, ("real", "imag")),
}


@st.composite
def drawn_networks(draw: Any, models: Sequence[str] = tuple(MODELS)) -> Drawn:
    """Networks of one to three populations of up to 12 neurons, with sources and stimuli."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    populations = tuple(
        _population(rng, f"p{k}", draw(st.sampled_from(models)), draw(st.integers(1, 12)))
        for k in range(draw(st.integers(1, 3)))
    )
    sources = tuple(
        _source(rng, f"s{k}", draw(st.integers(1, 6))) for k in range(draw(st.integers(0, 2)))
    )
    projections, sparse = [], set()
    for k in range(draw(st.integers(1, 4))):
        target = draw(st.sampled_from(populations))
        projection = _projection(
            draw, rng, f"w{k}", draw(st.sampled_from([*populations, *sources])), target
        )
        projections.append(projection)
        if draw(st.booleans()):
            sparse.add(projection.name)
    stimuli = tuple(
        _stimulus(rng, f"i{k}", populations[0], draw(st.booleans()))
        for k in range(draw(st.integers(0, 1)))
    )
    return Drawn(ChipNetwork(populations, sources, tuple(projections), stimuli), frozenset(sparse))


def _population(rng: Rng, name: str, model: str, size: int) -> Population:
    registers, states = MODELS[model]
    initial: Registers = {}
    if rng.random() < 0.5:
        for state in states:
            initial[state] = rng.choice([-1, 1], size) * _level(rng, (1 << 23) - 1, size)
    return Population(name, model, size, registers(rng, size), initial)


def _source(rng: Rng, name: str, size: int) -> SpikeTimes:
    period = int(rng.choice([0, rng.integers(1, 100)]))
    spikes = np.argwhere(rng.random((period or 400, size)) < rng.random())
    return SpikeTimes(name, size, spikes[:, 1], spikes[:, 0], period)


def _projection(draw: Any, rng: Rng, name: str, source: Any, target: Population) -> Projection:
    exponent = draw(st.integers(-8, 7))
    sign_mode = draw(st.sampled_from([None, *SignMode]))
    pre, post = _pairs(rng, source.size, target.size, several=exponent >= 0)
    low = -256 if sign_mode in (None, SignMode.MIXED) else -255
    weights = rng.integers(low, 256, pre.size) >> int(rng.integers(0, 8))
    if sign_mode is SignMode.EXCITATORY:
        weights = np.abs(weights)
    elif sign_mode is SignMode.INHIBITORY:
        weights = -np.abs(weights)
    longest = draw(st.sampled_from([0, 0, 3, 62]))
    one_delay = draw(st.booleans())
    delays = rng.integers(0, longest + 1, () if one_delay else pre.size)
    graded = draw(st.booleans()) and isinstance(source, Population)
    return Projection(
        name, source.name, target.name, pre, post, weights, exponent, sign_mode,
        draw(st.sampled_from(WEIGHT_PRECISIONS)), delays,
        draw(st.sampled_from(target.neuron.ports)), message_bits=8 if graded else 0,
    )  # fmt: skip


def _pairs(rng: Rng, sources: int, targets: int, several: bool) -> tuple[Any, Any]:
    """Who is joined. Several synapses a pair are layers in Lava, and with a negative exponent each
    layer would be shifted by itself: then there is at most one."""
    places = sources * targets
    count = int(rng.integers(1, min(60, places) + 1))
    chosen = rng.choice(places, count, replace=False)
    if several:
        chosen = np.concatenate([chosen, rng.choice(chosen, int(rng.integers(0, count + 1)))])
        rng.shuffle(chosen)
    return chosen // targets, chosen % targets


def _stimulus(rng: Rng, name: str, target: Population, repeat: bool) -> Stimulus:
    steps = int(rng.integers(1, 300))
    shape = (steps, target.size) if rng.random() < 0.5 else (steps,)
    values = rng.integers(-200, 400, shape)
    return Stimulus(name, target.name, values, target.neuron.ports[0], repeat)


# ------------------------------------------------------------------ joining and comparing
def joined(networks: Sequence[ChipNetwork]) -> ChipNetwork:
    """All of them side by side as one network; the names of the k-th begin with ``n<k>_``."""
    populations, sources, projections, stimuli = [], [], [], []
    for k, network in enumerate(networks):
        mark = f"n{k}_"
        populations += [replace(p, name=mark + p.name) for p in network.populations]
        sources += [replace(s, name=mark + s.name) for s in network.sources]
        projections += [
            replace(p, name=mark + p.name, source=mark + p.source, target=mark + p.target)
            for p in network.projections
        ]
        stimuli += [replace(s, name=mark + s.name, target=mark + s.target) for s in network.stimuli]
    return ChipNetwork(
        tuple(populations), tuple(sources), tuple(projections), tuple(stimuli),
        networks[0].arithmetic,
    )  # fmt: skip


def part(recorded: Recorded, k: int) -> Recorded:
    """What the k-th of joined networks left."""
    mark = f"n{k}_"
    return Recorded(
        spikes={
            name.removeprefix(mark): spikes
            for name, spikes in recorded.spikes.items()
            if name.startswith(mark)
        },
        states={
            (name.removeprefix(mark), state): values
            for (name, state), values in recorded.states.items()
            if name.startswith(mark)
        },
        counts={},
    )


def assert_identical(one: Recorded, other: Recorded) -> None:
    """The same spikes and states, integer by integer."""
    assert one.spikes.keys() == other.spikes.keys()
    assert one.states.keys() == other.states.keys()
    for pair, values in one.states.items():
        np.testing.assert_array_equal(values, other.states[pair], err_msg=str(pair))
    for name, (steps, who) in one.spikes.items():
        np.testing.assert_array_equal(steps, other.spikes[name][0], err_msg=name)
        np.testing.assert_array_equal(who, other.spikes[name][1], err_msg=name)
