"""Learning against brian2-loihi 0.5.2: identical given its bits, else alike in distribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import brian2
import numpy as np
import pytest
from scipy.stats import ks_2samp

from brian2lava.chip.learning import (
    Brian2LoihiLearning,
    PhiloxTape,
    RecordedTape,
    Synapses,
    Trace,
    actual_weights,
    learning_rule,
)
from brian2lava.chip.learning.brian2loihi import due

brian2_loihi = pytest.importorskip("brian2_loihi", reason="brian2-loihi 0.5.2 is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # that package's own

N_PRE, N_POST = 6, 5
SIGNS = {"MIXED": 1, "EXCITATORY": 2, "INHIBITORY": 3}


@pytest.fixture(autouse=True)
def numpy_target() -> Iterator[None]:
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    yield
    brian2.prefs.codegen.target = before
    brian2.restore_initial_state()


class Peer:
    """A projection of brian2-loihi whose sources and targets fire as they are told to.

    Targets are driven by a generator through a weight that alone reaches the threshold, so that
    the synapses learn of their spikes one step after ``post`` says.
    """

    def __init__(
        self,
        rule: Any,
        pre: Any,
        post: Any,
        weights: Any,
        sign_mode: str,
        bits: int,
        delay: int = 0,
        exponent: int = 0,
        copies: int = 1,
    ) -> None:
        brian2.start_scope()
        sources, drive = (
            brian2_loihi.LoihiSpikeGeneratorGroup(fired.shape[1], *np.nonzero(fired)[::-1])
            for fired in (pre, post)
        )
        targets = brian2_loihi.LoihiNeuronGroup(
            N_POST, threshold_v_mant=20000, decay_v=4096, decay_I=4096
        )
        network = brian2_loihi.LoihiNetwork(sources, drive, targets)
        driving = brian2_loihi.LoihiSynapses(drive, targets, w_exp=7)
        driving.connect("i == j")
        driving.w = 255
        traces = {name: trace for name, trace in rule.traces.items() if trace.impulse}
        settings = {f"imp_{name}": int(trace.impulse) for name, trace in traces.items()}
        settings |= {f"tau_{name}": int(trace.tau) for name, trace in traces.items()}
        synapses = brian2_loihi.LoihiSynapses(
            sources, targets, dw=rule.text("dw", "sign"), sign_mode=SIGNS[sign_mode], delay=delay,
            num_weight_bits=bits, w_exp=exponent, **settings,
        )  # fmt: skip
        synapses.connect(n=copies)
        synapses.w = np.repeat(weights, copies)
        names = ["w", "w_act", "add_or_not", *traces, *(f"{name}_add_or_not" for name in traces)]
        monitor = brian2.StateMonitor(synapses, names, record=True, when="end")
        network.add(driving, synapses, monitor)
        network.run(len(pre))
        self.pre, self.post = np.array(synapses.i), np.array(synapses.j)
        self.values = {name: np.array(getattr(monitor, name)).T for name in names}
        self.bits = {name: self.values[f"{name}_add_or_not"] for name in traces}
        self.bits["w"] = self.values["add_or_not"] != 0


def delayed(spikes: Any, steps: int) -> Any:
    """The same spikes some steps later."""
    late = np.zeros_like(spikes)
    late[steps:] = spikes[: len(spikes) - steps]
    return late


def fire(seed: int, steps: int, rate: float = 0.15) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.random((steps, N_PRE)) < rate, rng.random((steps, N_POST)) < rate


BOTH: dict[str, Any] = {"x1": Trace(100, 7), "y1": Trace(30, 5)}
RULES: dict[str, Any] = {
    "pair": ("2^-2*x0*y1 - 2^-3*y0*x1", BOTH, "MIXED", 8),
    "anti-hebbian": ("x0*y1 - y0*x1", {"x1": Trace(127, 10), "y1": Trace(127, 10)}, "MIXED", 8),
    "weight and clock": (
        "2^-3*y0*x1 - 2^-3*x0*y1 - u1*w*2^-4 + 3*u1*sign(w-40)", BOTH, "EXCITATORY", 6,
    ),
    "triplet": (
        "-2^-3*x0*y1 + 2^-6*y0*x1*y2 - 5*2^-5*y0*x1 - 2^-7*y0*x2 - 2^-7*y0*y3",
        {"x1": Trace(20, 16), "y1": Trace(20, 33), "y2": Trace(10, 60), "x2": Trace(127, 200),
         "y3": Trace(127, 1)},
        "INHIBITORY", 5,
    ),
    "both fire": ("x0*y0*2^2 - 2^-1*u0", BOTH, "EXCITATORY", 8),
}  # fmt: skip


def start(sign_mode: str, seed: int) -> Any:
    low, high = {"MIXED": (-256, 255), "EXCITATORY": (0, 256), "INHIBITORY": (-256, 1)}[sign_mode]
    return np.random.default_rng(seed).integers(low, high, N_PRE * N_POST)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("delay", [0, 3])
def test_identical_given_its_drawn_bits(name: str, delay: int) -> None:
    text, traces, sign_mode, bits = RULES[name]
    rule = learning_rule(text, dialect="brian2loihi", **traces)
    pre, post = fire(3, 250)
    weights = start(sign_mode, 1)
    exponent = -2 if delay else 1
    peer = Peer(rule, pre, post, weights, sign_mode, bits, delay, exponent)
    assert np.any(peer.bits["w"]) == (name == "weight and clock")
    synapses = Synapses(peer.pre, peer.post, N_PRE, N_POST)
    own = Brian2LoihiLearning(rule, synapses, weights, RecordedTape(peer.bits), sign_mode, bits)
    arrived, seen = delayed(pre, delay), delayed(post, 1)
    for step in range(len(pre)):
        own.step(arrived[step], seen[step])
        np.testing.assert_array_equal(own.weights, peer.values["w"][step], f"w, step {step}")
        np.testing.assert_array_equal(
            actual_weights(own.weights, sign_mode, bits, exponent, learned=True),
            peer.values["w_act"][step],
        )
        for trace, values in own.traces.items():
            np.testing.assert_array_equal(values, peer.values[trace][step], f"{trace}, step {step}")
    assert np.any(own.weights != weights)


@pytest.mark.parametrize("name", ["pair", "triplet"])
def test_alike_in_distribution(name: str) -> None:
    """50 copies of each synapse on their side, 50 seeds on ours."""
    text, traces, sign_mode, bits = RULES[name]
    rule = learning_rule(text, dialect="brian2loihi", **traces)
    weights = np.full(N_PRE * N_POST, -50 if sign_mode == "INHIBITORY" else 0)
    pre, post = fire(5, 40)
    brian2.seed(11)
    peer = Peer(rule, pre, post, weights, sign_mode, bits, copies=50)
    synapses = Synapses(peer.pre[::50], peer.post[::50], N_PRE, N_POST)
    seen, own = delayed(post, 1), []
    for seed in range(50):
        state = Brian2LoihiLearning(rule, synapses, weights, PhiloxTape(seed), sign_mode, bits)
        for step in range(len(pre)):
            state.step(pre[step], seen[step])
        own.append({"w": state.weights, **state.traces})
    for variable in ("w", *state.traces):
        theirs = peer.values[variable][-1].reshape(-1, 50)
        for synapse in range(0, synapses.size, 5):
            mine = [values[variable][synapse] for values in own]
            assert ks_2samp(mine, theirs[synapse]).pvalue > 0.01, (variable, synapse)


def test_its_clock_in_floating_point() -> None:
    missed = [time for time in range(0, 3000, 2) if not due(time, 1)]
    assert missed[:3] == [2002, 2006, 2010]
