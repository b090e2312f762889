"""Networks that learn: the compiled emulator against the plain definition, integer by integer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brian2lava.chip.emulate import Emulation
from brian2lava.chip.learning import LearningRule, Trace, learning_rule
from brian2lava.chip.network import ChipNetwork, Population, Projection, SignMode, SpikeTimes
from brian2lava.chip.plain import PlainChip
from brian2lava.chip.profiles import PROFILES
from brian2lava.errors import ChipLimit, OptionError

PAIR = learning_rule("-2^-2*x0*y1 + 2^-2*y0*x1", x1=Trace(40, 8), y1=Trace(33, 12))
SLOW = learning_rule("2^-1*x0*y1 - u2*2^-6*w", x1=Trace(16, 5), y1=Trace(20, 9))
RECORD = (("a", "u"), ("a", "v"))


def network(rule: LearningRule, profile: str, delay: int = 0, **more: Any) -> ChipNetwork:
    rng = np.random.default_rng(7)
    n, m = 12, 90
    population = Population("a", "LIF", n, {"vth": 30, "du": 800, "dv": 300})
    when = np.flatnonzero(rng.random(9 * 120) < 0.1)
    source = SpikeTimes("s", 9, when % 9, when // 9)
    given = {"sign_mode": SignMode.MIXED, "exponent": 1, **more}
    into = Projection("in", "s", "a", rng.integers(0, 9, m), rng.integers(0, n, m),
                      rng.integers(0, 120, m), delays=delay, learning=rule, **given)  # fmt: skip
    own = Projection("own", "a", "a", rng.integers(0, n, m), rng.integers(0, n, m),
                     rng.integers(-60, 60, m), delays=delay, learning=rule, **given)  # fmt: skip
    fixed = Projection("fixed", "a", "a", [0, 1], [1, 2], [40, 50])
    return ChipNetwork((population,), (source,), (into, own, fixed), arithmetic=PROFILES[profile])


@pytest.mark.parametrize("rule", (PAIR, SLOW), ids=("pair", "clock"))
@pytest.mark.parametrize(
    ("profile", "delay"), [("lava", 0), ("brian2loihi", 0), ("brian2loihi", 3), ("loihi1", 2)]
)
def test_learning_in_a_network(rule: LearningRule, profile: str, delay: int) -> None:
    """Spikes, states, weights and traces, with recurrent plastic synapses and two runs."""
    chip = network(rule, profile, delay)
    plain = PlainChip(chip, seed=11)
    expected = plain.run(120, RECORD)
    assert len(expected.spikes["a"][0]) > 40
    with Emulation(chip, RECORD, seed=11) as emulation:
        emulation.run(50)
        found = emulation.run(70)
        for name, (steps, who) in expected.spikes.items():
            np.testing.assert_array_equal(found.spikes[name][0], steps)
            np.testing.assert_array_equal(found.spikes[name][1], who)
        for pair, values in expected.states.items():
            np.testing.assert_array_equal(found.states[pair], values)
        for name, synapses in plain.plastic.items():
            weights = np.asarray(synapses.state.weights)
            np.testing.assert_array_equal(emulation.plastic(name, "w"), weights)
            begun = next(p for p in chip.projections if p.name == name).weights
            assert np.any(weights != begun)
            for trace, values in synapses.state.traces.items():
                if trace in rule.used:
                    np.testing.assert_array_equal(emulation.plastic(name, trace), values)


def test_another_seed_rounds_otherwise() -> None:
    weights = []
    for seed in (1, 1, 2):
        with Emulation(network(PAIR, "lava"), seed=seed) as emulation:
            emulation.run(120)
            weights.append(emulation.plastic("in", "w"))
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.any(weights[0] != weights[2])


def test_learning_goes_on_from_given_traces_and_weights() -> None:
    """A pair of neurons: y1 is what it was, so that a spike of the source changes the weight."""
    rule = learning_rule("2^0*x0*y1", dialect="brian2loihi", x1=Trace(16, 5), y1=Trace(20, 9))
    chip = ChipNetwork(
        (Population("a", "LIF", 1, {"vth": 131071}),),
        (SpikeTimes("s", 1, [0], [0]),),
        (Projection("p", "s", "a", [0], [0], [10], learning=rule),),
        arithmetic=PROFILES["brian2loihi"],
    )
    changed = []
    for traces in ({}, {"p": {"y1": np.array([30])}}):
        with Emulation(chip, traces=traces) as emulation:
            emulation.run(2)
            changed.append(int(emulation.plastic("p", "w")[0]))
    assert changed[0] == 10
    assert changed[1] == 40


@pytest.mark.parametrize(
    ("profile", "changes", "message"),
    [
        ("lava", {"delay": 2}, "'in' learns: lava-nc has no plastic synapses with delays"),
        ("lava", {"exponent": -1}, "'in' learns: the negative weight exponent -1"),
        ("lava", {"message_bits": 8}, "'in' learns: spikes with a payload"),
        ("brian2loihi", {"delay": np.arange(90) % 2}, "'in' learns: its synapses have different"),
    ],
)
def test_what_learning_synapses_cannot_have(
    profile: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ChipLimit, match=message):
        network(PAIR, profile, **changes)


def test_what_does_not_learn_has_no_traces() -> None:
    with Emulation(network(PAIR, "lava")) as emulation:
        with pytest.raises(OptionError, match="that projection does not learn"):
            emulation.plastic("fixed", "w")
        with pytest.raises(OptionError, match="there are .*w"):
            emulation.plastic("in", "x9")
