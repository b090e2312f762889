"""Projections that learn, through Lava's runtime: the plain definition's integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brian2lava.chip.emulate import Emulation
from brian2lava.chip.learning import LavaTape, LearningRule, Trace, learning_rule
from brian2lava.chip.network import ChipNetwork, Population, Projection, SignMode, SpikeTimes
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.plastic import PlasticSynapses
from brian2lava.chip.profiles import PROFILES
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop import plastic_layers
from brian2lava.interop.lava_graph import lava_graph
from brian2lava.interop.lava_run import run_lava

STEPS = 100
BOTH: dict[str, Any] = {"x1": Trace(40, 8), "y1": Trace(33.4, 12.5)}
PAIR = learning_rule("-2^-2*x0*y1 + 2^-2*y0*x1", **BOTH)
TRIPLET = learning_rule(
    "-2^-3*x0*y1 + 2^-6*y0*x1*(y2-10)", x1=Trace(20, 16), y1=Trace(20, 33), y2=Trace(10, 60)
)
EPOCHS = learning_rule("-2^-3*x0*y1 + 2^-1*y0*x1 - 2^-6*u1*w", **BOTH, t_epoch=4)
TAGS = learning_rule("u1*t*2^-4", dt="y0*x1 - 2^-2*u1*t", **BOTH)
RULES = {"pair": PAIR, "triplet": TRIPLET, "epochs": EPOCHS, "tags": TAGS}
SOURCES, SIZE = 7, 9


def pairs(rng: np.random.Generator, n: int, m: int, how: str) -> tuple[Any, Any]:
    """Every pair; half of them; or some of them twice."""
    every = np.divmod(np.arange(n * m), m)
    if how == "all":
        return every
    chosen = rng.permutation(n * m)[: n * m // 2]
    if how == "twice":
        chosen = np.concatenate([chosen, chosen[:5]])
    return every[0][chosen], every[1][chosen]


def network(rule: LearningRule, how: str, profile: str = "lava", **more: Any) -> ChipNetwork:
    """A source and a recurrent population; both pathways learn, a third does not."""
    rng = np.random.default_rng(3)
    population = Population("a", "LIF", SIZE, {"vth": 40, "du": 800, "dv": 300})
    when = np.flatnonzero(rng.random(SOURCES * STEPS) < 0.15)
    source = SpikeTimes("s", SOURCES, when % SOURCES, when // SOURCES)
    made = []
    for name, origin, size, low in (("in", "s", SOURCES, 10), ("own", "a", SIZE, -60)):
        pre, post = pairs(rng, size, SIZE, how)
        weights = rng.integers(low, 90, pre.size)
        given = {"exponent": 1, "sign_mode": SignMode.MIXED, "learning": rule, **more}
        made.append(Projection(name, origin, "a", pre, post, weights, **given))
    fixed = Projection("fixed", "a", "a", [0, 1], [1, 2], [40, 50])
    return ChipNetwork((population,), (source,), (*made, fixed), arithmetic=PROFILES[profile])


def record(rule: LearningRule) -> list[tuple[str, str]]:
    plastic = [(name, what) for name in ("in", "own") for what in ("w", *sorted(traces(rule)))]
    return [("a", "u"), ("a", "v"), *plastic]


def traces(rule: LearningRule) -> set[str]:
    return {name for name in rule.traces if name in rule.used}


def plain(chip: ChipNetwork, seed: int, rng_seed: int | None = None) -> Recorded:
    """The plain definition's record, with weights and traces after every step."""
    made = PlainChip(chip, seed=seed)
    if rng_seed is not None:
        for number, projection in enumerate(chip.projections[:2]):
            tape = LavaTape(rng_seed + 4 * number)
            made.plastic[projection.name] = PlasticSynapses(chip, projection, tape)
    states: dict[tuple[str, str], list[Any]] = {}
    spikes: dict[str, Any] = {"a": [], "s": []}
    for now in range(STEPS):
        for name, sent in made.step().items():
            spikes[name] += [(now, who) for who in np.flatnonzero(sent)]
        for state in ("u", "v"):
            states.setdefault(("a", state), []).append(made.states["a"][state].copy())
        for name, synapses in made.plastic.items():
            for what, values in {"w": synapses.state.weights, **synapses.state.traces}.items():
                states.setdefault((name, what), []).append(np.array(values))
    return Recorded(
        {name: tuple(np.array(rows).reshape(-1, 2).T) for name, rows in spikes.items()},
        {pair: np.array(rows) for pair, rows in states.items()},
        {},
    )


def assert_same(got: Recorded, want: Recorded, chip: ChipNetwork) -> None:
    for name in ("a", "s"):
        np.testing.assert_array_equal(got.spikes[name], want.spikes[name])
    for pair, rows in got.states.items():
        np.testing.assert_array_equal(rows, want.states[pair], err_msg=str(pair))
    assert len(want.spikes["a"][0]) > 40
    for name in ("in", "own"):
        assert np.any(got.states[name, "w"][-1] != got.states[name, "w"][0]), name


@pytest.mark.parametrize("name", RULES)
def test_lavas_own_draws(name: str) -> None:
    """Dense matrices: nothing of ours takes part in what Lava computes."""
    chip = network(RULES[name], "all")
    graph = lava_graph(chip, STEPS, masked=False)
    assert not graph.ours
    assert type(graph.layers["in"][0]).__name__ == "LearningDense"
    got = run_lava(chip, STEPS, record(RULES[name]), rng_seed=11)
    assert_same(got, plain(chip, 0, rng_seed=11), chip)


@pytest.mark.parametrize("name", RULES)
def test_the_emulators_draws(name: str) -> None:
    """Half of the pairs have a synapse; the compiled emulator ends with the same integers."""
    rule = RULES[name]
    chip = network(rule, "half")
    assert not lava_graph(chip, STEPS).ours
    got = run_lava(chip, STEPS, record(rule), seed=5)
    assert_same(got, plain(chip, 5), chip)
    with Emulation(chip, [("a", "v")], seed=5) as emulation:
        emulated = emulation.run(STEPS)
        np.testing.assert_array_equal(emulated.states["a", "v"], got.states["a", "v"])
        for projection in ("in", "own"):
            for what in ("w", *traces(rule)):
                last = got.states[projection, what][-1]
                np.testing.assert_array_equal(emulation.plastic(projection, what), last)


@pytest.mark.parametrize("how", ["half", "twice"])
def test_learning_begins_with_given_traces_and_tags(how: str) -> None:
    chip = network(TAGS, how)
    rng = np.random.default_rng(1)
    traces = {
        item.name: {
            "x1": rng.integers(0, 127, SOURCES if item.name == "in" else SIZE),
            "y1": rng.integers(0, 127, SIZE),
            "t": rng.integers(-200, 200, item.size),
        }
        for item in chip.projections[:2]
    }
    bare = run_lava(chip, 10, [("in", "w")]).states["in", "w"]
    got = run_lava(chip, STEPS, record(TAGS), traces=traces)
    with Emulation(chip, [("a", "v")], traces=traces) as emulation:
        emulated = emulation.run(STEPS)
        np.testing.assert_array_equal(emulated.states["a", "v"], got.states["a", "v"])
        for projection in ("in", "own"):
            for what in ("w", "x1"):
                last = got.states[projection, what][-1]
                np.testing.assert_array_equal(emulation.plastic(projection, what), last)
    assert np.any(got.states["in", "w"][:10] != bare)


def test_other_draws_give_other_weights() -> None:
    chip = network(PAIR, "all")
    chosen: list[dict[str, Any]] = [{"rng_seed": 1}, {"rng_seed": 1}, {"rng_seed": 2}, {"seed": 1}]
    ends = [run_lava(chip, STEPS, [("in", "w")], **given).states["in", "w"][-1] for given in chosen]
    np.testing.assert_array_equal(ends[0], ends[1])
    assert np.any(ends[0] != ends[2])
    assert np.any(ends[0] != ends[3])


def test_cells_without_a_synapse_would_learn(monkeypatch: Any) -> None:
    """The check that masks do something: without them the same network ends elsewhere."""
    chip = network(PAIR, "half")
    everywhere = np.ones
    monkeypatch.setattr(
        plastic_layers, "cells", lambda projection, n, m: everywhere((m, n), np.int32)
    )
    got = run_lava(chip, STEPS, [("a", "v")], seed=5)
    assert np.any(got.states["a", "v"] != plain(chip, 5).states["a", "v"])


@pytest.mark.parametrize(
    ("how", "profile", "more", "why"),
    [
        ("twice", "lava", {}, "pairs have several"),
        ("half", "brian2loihi", {"delays": 3}, "not 'brian2loihi'"),
        ("half", "loihi1", {"delays": 2}, "not 'loihi1'"),
    ],
)
def test_what_learning_dense_is_not_is_ours(
    how: str, profile: str, more: dict[str, Any], why: str
) -> None:
    rule = learning_rule("-2^-2*x0*y1 + 2^-2*y0*x1", x1=Trace(40, 8), y1=Trace(33, 12))
    chip = network(rule, how, profile, **more)
    assert why in lava_graph(chip, STEPS).ours["in"]
    assert_same(run_lava(chip, STEPS, record(rule), seed=8), plain(chip, 8), chip)


@pytest.mark.parametrize("signs", [SignMode.EXCITATORY, SignMode.INHIBITORY])
def test_signs_and_few_weight_bits(signs: SignMode) -> None:
    chip = network(PAIR, "half")
    sign = 1 if signs is SignMode.EXCITATORY else -1
    changed = [
        Projection(
            **{**vars(item), "weights": sign * np.abs(item.weights), "sign_mode": signs,
               "num_weight_bits": 4}
        )
        if item.name == "own" else item
        for item in chip.projections
    ]  # fmt: skip
    chip = ChipNetwork(chip.populations, chip.sources, tuple(changed))
    assert not lava_graph(chip, STEPS).ours
    got = run_lava(chip, STEPS, record(PAIR), seed=5)
    assert_same(got, plain(chip, 5), chip)


def test_where_no_mask_can_be_and_where_the_matrix_is_large(monkeypatch: Any) -> None:
    chip = network(PAIR, "half")
    assert "would learn, too" in lava_graph(chip, STEPS, masked=False).ours["in"]
    monkeypatch.setattr(plastic_layers, "_LEARNING_CELLS", 70)
    graph = lava_graph(chip, STEPS)
    assert "81 cells, more than 70" in graph.ours["own"]
    assert "in" not in graph.ours


def test_what_cannot_be_is_refused_by_name() -> None:
    rule = learning_rule("u0*t*y2*2^-5", dt="2^-1*x0*y1", third_factor=True)
    with pytest.raises(NotSupported, match="'in': a third-factor rule takes y1, y2, y3"):
        run_lava(network(rule, "all"), 5)
    chip = network(PAIR, "all")
    with pytest.raises(OptionError, match="'in' keeps no state 'v'; it keeps w, x1"):
        run_lava(chip, 5, [("in", "v")])


def test_an_exception_while_learning_is_told(monkeypatch: Any) -> None:
    from brian2lava.errors import EngineError

    def broken(*_: Any) -> Any:
        raise FloatingPointError("no mask")

    monkeypatch.setattr(plastic_layers, "values_of", lambda projection: broken)
    with pytest.raises(EngineError, match="process 'in' failed: FloatingPointError: no mask"):
        run_lava(network(PAIR, "all"), 10, [("in", "w")])
