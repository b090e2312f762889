"""Learning against lava-nc's own LearningDense models, which are driven directly: no runtime."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from brian2lava.chip.learning import (
    Factor,
    FixedLearning,
    FloatLearning,
    LavaTape,
    LearningRule,
    Product,
    Synapses,
    Trace,
    learning_rule,
)
from brian2lava.processes import shim

shim.install()

from lava.magma.core.learning.learning_rule import (  # noqa: E402
    Loihi2FLearningRule,
    Loihi3FLearningRule,
)
from lava.proc.dense.models import (  # noqa: E402
    PyLearningDenseModelBitApproximate,
    PyLearningDenseModelFloat,
)
from lava.proc.dense.process import LearningDense  # noqa: E402
from lava.utils.weightutils import SignMode  # noqa: E402

N_PRE, N_POST = 4, 3


class Port:
    """Gives what it was handed, keeps what it is sent."""

    def __init__(self, size: int) -> None:
        self.value: Any = np.zeros(size)

    def recv(self) -> Any:
        return self.value

    def send(self, value: Any) -> None:
        self.value = value


class LavaOracle:
    """lava-nc's process model for a dense projection, with stubs for ports and runtime."""

    def __init__(
        self, rule: LearningRule, weights: Any, fixed: bool, seed: int, sign_mode: str, tags: Any
    ) -> None:
        texts = {name: rule.text(name) or None for name in ("dw", "dd", "dt")}
        settings = {f"{name}_impulse": trace.impulse for name, trace in rule.traces.items()}
        settings |= {f"{name}_tau": trace.tau for name, trace in rule.traces.items()}
        kind: Any = Loihi2FLearningRule
        if rule.third_factor:
            kind = Loihi3FLearningRule
            settings = {k: v for k, v in settings.items() if k[0] == "x"}
        theirs = kind(**texts, **settings, t_epoch=rule.t_epoch, rng_seed=seed)
        process = LearningDense(
            weights=weights, learning_rule=theirs, sign_mode=SignMode[sign_mode], name="dense"
        )
        model: Any = PyLearningDenseModelBitApproximate if fixed else PyLearningDenseModelFloat
        self.model = model(process.proc_params)
        number = np.int64 if fixed else np.float64
        self.model.weights = weights.astype(np.int32 if fixed else np.float64)
        self.model.tag_1, self.model.tag_2 = (np.array(t).astype(number) for t in tags)
        self.model.a_buff = np.zeros(N_POST, dtype=np.int32)
        self.model.num_message_bits = np.zeros(1, dtype=int)
        for names, size in ((("x1", "x2"), N_PRE), (("y1", "y2", "y3"), N_POST)):
            for name in names:
                setattr(self.model, name, np.zeros(size, dtype=number))
        self.model.x0, self.model.tx = np.zeros(N_PRE, bool), np.zeros(N_PRE, int)
        self.model.y0, self.model.ty = np.zeros(N_POST, bool), np.zeros(N_POST, int)
        self.model.s_in, self.model.a_out = Port(N_PRE), Port(N_POST)
        for name in ("s_in_bap", "s_in_y1", "s_in_y2", "s_in_y3"):
            setattr(self.model, name, Port(N_POST))
        self.model.time_step = 0

    def step(self, pre: Any, post: Any, y: Any) -> None:
        self.model.time_step += 1
        self.model.s_in.value, self.model.s_in_bap.value = pre, post
        for name, values in (y or {}).items():
            getattr(self.model, f"s_in_{name}").value = values
        self.model.run_spk()
        if self.model.lrn_guard():
            self.model.run_lrn()


def ours(
    rule: LearningRule, weights: Any, fixed: bool, seed: int, sign_mode: str, tags: Any
) -> FixedLearning | FloatLearning:
    post, pre = np.divmod(np.arange(N_PRE * N_POST), N_PRE)
    synapses = Synapses(pre, post, N_PRE, N_POST)
    tag, delay = (np.ravel(t) for t in tags)
    if fixed:
        return FixedLearning(rule, synapses, weights.ravel(), LavaTape(seed), sign_mode, delay, tag)
    return FloatLearning(rule, synapses, weights.ravel(), sign_mode, delay, tag)


LAVA_NAMES = {"w": "weights", "d": "tag_2", "t": "tag_1"}


def compare(
    rule: LearningRule,
    fixed: bool,
    seed: int = 7,
    sign_mode: str = "MIXED",
    steps: int = 60,
    rate: float = 0.25,
    grow: bool = False,
) -> dict[str, Any]:
    """Run both; every variable and trace after every step. Gives the final variables."""
    rng = np.random.default_rng(seed)
    low, high = {"MIXED": (-128, 128), "EXCITATORY": (0, 128), "INHIBITORY": (-127, 1)}[sign_mode]
    weights = 2 * rng.integers(low, high, (N_POST, N_PRE))
    tags = rng.integers(-256, 256, (N_POST, N_PRE)), rng.integers(0, 256, (N_POST, N_PRE))
    lava = LavaOracle(rule, weights, fixed, seed, sign_mode, tags)
    own = ours(rule, weights, fixed, seed, sign_mode, tags)
    for step in range(steps):
        pre, post = rng.random(N_PRE) < rate, rng.random(N_POST) < rate
        y = None
        if rule.third_factor:
            y = {name: rng.integers(0, 128, N_POST) for name in ("y1", "y2", "y3")}
        with np.errstate(all="ignore"):
            lava.step(pre, post, y)
        own.step(pre, post, y)
        for name, theirs in LAVA_NAMES.items():
            check(own.variables[name], np.ravel(getattr(lava.model, theirs)), fixed, name, step)
        for name, values in own.traces.items():
            if name in rule.used or fixed:
                check(values, getattr(lava.model, name), fixed, name, step)
    return {name: values.copy() for name, values in own.variables.items()}


def check(own: Any, theirs: Any, fixed: bool, name: str, step: int) -> None:
    if fixed:
        np.testing.assert_array_equal(own, theirs, err_msg=f"{name}, step {step}")
    else:
        scale = max(1.0, float(np.abs(theirs).max()))
        np.testing.assert_allclose(
            own, theirs, rtol=1e-12, atol=1e-12 * scale, err_msg=f"{name}, step {step}"
        )


BOTH: dict[str, Any] = {"x1": Trace(40, 8), "y1": Trace(33.4, 12.5)}
RULES: dict[str, LearningRule] = {
    "pair": learning_rule("2^-2*x0*y1*-1 + 2^-2*y0*x1", **BOTH),
    "multiplicative": learning_rule("-2^-7*x0*y1*w + 2^-6*y0*x1*(255-w)", **BOTH),
    "homeostatic": learning_rule("3*2^-3*y0*(x1-20) - u2*sgn(w)", **BOTH),
    "anti-hebbian": learning_rule("x0*y1 - y0*x1", x1=Trace(127, 10), y1=Trace(127, 10)),
    "delays and tags": learning_rule(
        "u1*t*2^-4", dd="2^-1*x0*(y1-3) - u1*2^0", dt="y0*x1 - 2^-2*u1*t", **BOTH, t_epoch=3
    ),
    "triplet": learning_rule(
        "-2^-3*x0*y1 + 2^-6*y0*x1*(y2-10)",
        x1=Trace(20, 16), y1=Trace(20, 33), y2=Trace(10, 60),
    ),
    "reward": learning_rule(
        "u0*t*y2*2^-5", dt="2^-1*x0*y1 + 2^-2*y0*x1 - u0*t*2^-3", x1=Trace(20, 10),
        third_factor=True,
    ),
    "epochs": learning_rule(
        "-2^-3*x0*y1 + 2^-1*y0*x1 + 2^-4*u1*x2*y3", **BOTH, x2=Trace(5.7, 3), y3=Trace(9.5, 30),
        t_epoch=5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_named_rules(name: str, fixed: bool) -> None:
    start = compare(RULES[name], fixed, steps=0)
    end = compare(RULES[name], fixed, steps=200)
    assert any(np.any(start[v] != end[v]) for v in start)


@pytest.mark.parametrize("sign_mode", ["EXCITATORY", "INHIBITORY"])
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_sign_modes_stop_at_zero(sign_mode: str, fixed: bool) -> None:
    drift = "-u0" if sign_mode == "EXCITATORY" else "+u0"
    rule = learning_rule(f"2^-3*x0*y1 - 2^-3*y0*x1 {drift}*3", **BOTH)
    end = compare(rule, fixed, sign_mode=sign_mode, steps=150)["w"]
    assert np.any(end == 0)
    assert np.all(end >= 0) if sign_mode == "EXCITATORY" else np.all(end <= 0)


def test_a_trace_without_a_time_constant_lasts_one_step() -> None:
    rule = learning_rule("x0*y1 + y0*x1", x1=Trace(20, 0), y1=Trace(30.9, 0), t_epoch=2)
    compare(rule, fixed=True, steps=100)


VARIABLES = ("x1", "x2", "y1", "y2", "y3", "w", "d", "t")
factors = st.builds(Factor, st.sampled_from(VARIABLES), st.integers(-40, 40))
signs = st.builds(Factor, st.sampled_from(("w", "d", "t")), st.integers(-40, 40), st.just(True))


@st.composite
def products(draw: Any, gates: tuple[str, ...]) -> Product:
    mantissa, exponent = draw(st.integers(-7, 7)), draw(st.integers(-7, 3))
    size = draw(st.integers(0, 3))
    chosen = tuple(draw(st.one_of(factors, signs)) for _ in range(size))
    return Product(mantissa, exponent, draw(st.sampled_from(gates)), chosen)


@st.composite
def rules(draw: Any, least_tau: float) -> LearningRule:
    gates = ("x0", "y0", f"u{draw(st.integers(0, 3))}")
    change = st.lists(products(gates), min_size=1, max_size=3).map(tuple)
    trace = st.builds(
        Trace,
        st.floats(0, 127, allow_subnormal=False),
        st.floats(least_tau, 200, allow_subnormal=False),
    )
    parts = {name: draw(st.one_of(st.just(()), change)) for name in ("dd", "dt")}
    traces = {name: draw(trace) for name in ("x1", "x2", "y1", "y2", "y3")}
    epoch = draw(st.sampled_from((1, 1, 2, 5)))
    return LearningRule(dw=draw(change), **parts, **traces, t_epoch=epoch)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rules(0.0).filter(lambda rule: all(term.bits <= 28 for term in rule.products)),
       st.integers(0, 1000), st.sampled_from(("MIXED", "EXCITATORY", "INHIBITORY")))  # fmt: skip
def test_random_fixed_rules_are_identical(rule: LearningRule, seed: int, sign_mode: str) -> None:
    compare(rule, True, seed, sign_mode, steps=40)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rules(1.0), st.integers(0, 1000))
def test_random_float_rules(rule: LearningRule, seed: int) -> None:
    compare(rule, False, seed, steps=8)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rules(0.0))
def test_lava_reads_the_text_as_it_was_meant(rule: LearningRule) -> None:
    texts = {name: rule.text(name) or None for name in ("dw", "dd", "dt")}
    theirs = Loihi2FLearningRule(**texts, rng_seed=1).active_product_series
    for name in ("dw", "dd", "dt"):
        own = [
            (p.mantissa, p.exponent + 7, p.dependency[0] if p.decimation is not None else
             p.dependency, [(f.variable, f.constant, f.sign) for f in p.factors])
            for p in getattr(rule, name)
        ]  # fmt: skip
        read = [
            (p.s_mantissa, p.s_exp, p.dependency,
             [(f.state_var, f.const or 0, f.is_sgn) for f in p.factors])
            for p in (theirs[name].products if name in theirs else [])
        ]  # fmt: skip
        assert read == own
