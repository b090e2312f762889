"""Connections that learn, compiled, against Lava's models of them: every Var, over several runs.

Lava's models are those of ``CompiledCfg(compile_models=False)``, which the tests of drawn graphs
compare with Lava's own runtime.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

import brian2lava
from brian2lava.processes.shim import import_lava

import_lava()
from lava.magma.core.learning.learning_rule import (  # noqa: E402
    Loihi2FLearningRule,
    Loihi3FLearningRule,
)
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.proc.dense.process import LearningDense  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.process import LIF, LearningLIF  # noqa: E402
from lava.proc.sparse.process import LearningSparse  # noqa: E402
from lava.utils.weightutils import SignMode  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")

_INPUTS, _OUTPUTS, _LENGTH = 9, 7, 60
_TRACES: dict[str, Any] = {
    "x1_impulse": 16, "x1_tau": 4, "x2_impulse": 9.5, "x2_tau": 11,
    "y1_impulse": 12, "y1_tau": 6, "y2_impulse": 20, "y2_tau": 3, "y3_impulse": 5, "y3_tau": 17,
}  # fmt: skip

#: Rules of the weights, of tag_2 and of tag_1, and what is special in each.
RULES: dict[str, dict[str, Any]] = {
    "pair": {"dw": "2^-2 * y0 * x1 - 2^-1 * x0 * y1"},
    "triplet": {"dw": "2^-4 * y0 * x1 * y2 - 2^-3 * x0 * y1 * x2"},
    "weight": {"dw": "2^-3 * y0 * x1 - 2^-4 * x0 * w"},
    "constants": {"dw": "2^-3 * y0 * (x1 - 3) + 2^-2 * x0 * sgn(w - 4) * (y1 + 2)"},
    "spikes": {"dw": "2 * y0 * x0 - 2^-1 * x0 * y3"},
    "rare": {"dw": "2^-1 * u1 * x1 - 2^-2 * u1 * y1 + 2^-3 * u1 * w", "t_epoch": 2},
    "tags": {
        "dw": "2^-2 * x0 * t", "dd": "2^-2 * y0 * x2 - 2^-4 * y0 * d",
        "dt": "2^-1 * y0 * x1 - 2^-3 * x0 * t",
    },
    "epoch": {"dw": "2^-2 * y0 * x1 - 2^-2 * x0 * y1", "t_epoch": 7},
    "no time constant": {"dw": "2^-2 * y0 * x1 - x0 * y1", "y1_tau": 0},
}  # fmt: skip
_ENTRIES_ONLY = [name for name in RULES if name not in ("weight", "constants", "rare", "tags")]


def _cases(names: Any) -> list[Any]:
    """In both arithmetics; Lava's floating-point model has no x0 and y0 as factors."""
    return [
        pytest.param(name, fixed, id=f"{name}-{'fixed' if fixed else 'float'}")
        for name in names
        for fixed in (True, False)
        if fixed or name != "spikes"
    ]


def _rule(name: str, kind: Any = Loihi2FLearningRule) -> Any:
    traces = {
        key: value
        for key, value in _TRACES.items()
        if kind is Loihi2FLearningRule or key.startswith("x")
    }
    return kind(**{"t_epoch": 3, **traces, **RULES[name]}, rng_seed=7)


def _weights(fixed: bool, sign: SignMode) -> Any:
    low = 0 if sign is SignMode.EXCITATORY else -120
    high = 0 if sign is SignMode.INHIBITORY else 120
    weights = np.random.default_rng(2).integers(low, high + 1, (_OUTPUTS, _INPUTS))
    return weights if fixed else weights / 8


def _source(fixed: bool, graded: bool, seed: int, n: int = _INPUTS) -> Any:
    rng = np.random.default_rng(seed)
    data = (rng.random((n, _LENGTH)) < 0.25).astype(int)
    return Source(data=data * rng.integers(1, 90, data.shape) if graded else data)


def _graph(
    name: str, fixed: bool, sparse: bool = False, graded: bool = False,
    sign: SignMode = SignMode.MIXED, third: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    weights = _weights(fixed, sign)
    named: dict[str, Any] = {"num_message_bits": 8 if graded else 0}
    if sparse:
        weights[np.random.default_rng(3).random(weights.shape) < 0.4] = 0
        weights = csr_matrix(weights)
    else:
        named["sign_mode"] = sign
    kind = LearningSparse if sparse else LearningDense
    rule = _rule(name, Loihi3FLearningRule if third else Loihi2FLearningRule)
    if graded:
        named["graded_spike_cfg"] = _graded()
    learning = kind(weights=weights, learning_rule=rule, **named)
    scale = 1 if fixed else 1 / 64
    neurons = LIF(
        shape=(_OUTPUTS,), du=1200 if fixed else 0.3, dv=600 if fixed else 0.1,
        vth=40 if fixed else 20.0, bias_mant=90 if fixed else 90 * scale,
        **({"bias_exp": 4} if fixed else {}),
    )  # fmt: skip
    _source(fixed, graded, 5).s_out.connect(learning.s_in)
    learning.a_out.connect(neurons.a_in)
    neurons.s_out.connect(learning.s_in_bap)
    if third:
        for k in (1, 2, 3):
            given = _source(fixed, True, 10 + k, _OUTPUTS)
            given.s_out.connect(getattr(learning, f"s_in_y{k}"))
    return neurons, learning


def _graded() -> Any:
    from lava.magma.core.learning.constants import GradedSpikeCfg

    return GradedSpikeCfg.OVERWRITE


def _held(process: Any) -> dict[str, Any]:
    found = {}
    for var in process.vars:
        value = var.get()
        found[var.name] = value.toarray() if hasattr(value, "toarray") else np.array(value)
    return found


def _ran(graph: tuple[Any, Any], fixed: bool, compiled: bool, change: Any = None) -> Any:
    neurons, learning = graph
    config = brian2lava.CompiledCfg(
        select_tag="fixed_pt" if fixed else "floating_pt", compile_models=compiled
    )
    found = []
    for steps in (9, 1, 30):
        neurons.run(RunSteps(steps), config)
        found += [_held(learning), _held(neurons)]
        if change is not None:
            change(learning)
    slow = [type(member.process) for member in neurons.runtime.plan.python]
    neurons.stop()
    return found, slow


def _assert_same(ours: Any, theirs: Any, fixed: bool) -> None:
    for mine, other in zip(ours, theirs):
        assert mine.keys() == other.keys()
        for name in mine:
            if fixed or mine[name].dtype.kind not in "f":
                np.testing.assert_array_equal(mine[name], other[name], err_msg=name)
            else:
                np.testing.assert_allclose(
                    mine[name], other[name], rtol=1e-12, atol=1e-12, err_msg=name
                )


@pytest.mark.parametrize(("name", "fixed"), _cases(RULES))
def test_rules_of_a_dense_layer(name: str, fixed: bool) -> None:
    ours, slow = _ran(_graph(name, fixed), fixed, True)
    theirs, _ = _ran(_graph(name, fixed), fixed, False)
    assert not slow
    _assert_same(ours, theirs, fixed)
    assert (ours[0]["weights"] != ours[-2]["weights"]).any()


@pytest.mark.parametrize(("name", "fixed"), _cases(_ENTRIES_ONLY))
def test_rules_of_a_sparse_layer(name: str, fixed: bool) -> None:
    ours, slow = _ran(_graph(name, fixed, sparse=True), fixed, True)
    theirs, _ = _ran(_graph(name, fixed, sparse=True), fixed, False)
    assert not slow
    _assert_same(ours, theirs, fixed)


def test_a_sparse_rule_with_synaptic_factors_stays_lavas() -> None:
    """Lava multiplies sparse matrices as matrices there: what it does is left to it."""
    neurons, _ = _graph("weight", True, sparse=True)
    config = brian2lava.CompiledCfg(select_tag="fixed_pt")
    try:
        neurons.run(RunSteps(1), config)
        assert "as matrices" in str(neurons.runtime)
    finally:
        neurons.stop()


@pytest.mark.parametrize("sign", [SignMode.EXCITATORY, SignMode.INHIBITORY])
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_signs(sign: SignMode, fixed: bool) -> None:
    ours, slow = _ran(_graph("pair", fixed, sign=sign), fixed, True)
    theirs, _ = _ran(_graph("pair", fixed, sign=sign), fixed, False)
    assert not slow
    _assert_same(ours, theirs, fixed)
    weights = ours[-2]["weights"]
    assert (weights <= 0).all() if sign is SignMode.INHIBITORY else (weights >= 0).all()


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
@pytest.mark.parametrize(
    "way", ["USE_REGULAR_IMPULSE", "OVERWRITE", "ADD_WITH_SATURATION", "ADD_WITHOUT_SATURATION"]
)
def test_graded_spikes(way: str, fixed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from lava.magma.core.learning.constants import GradedSpikeCfg

    monkeypatch.setitem(globals(), "_graded", lambda: GradedSpikeCfg[way])
    ours, slow = _ran(_graph("pair", fixed, graded=True), fixed, True)
    theirs, _ = _ran(_graph("pair", fixed, graded=True), fixed, False)
    assert not slow
    _assert_same(ours, theirs, fixed)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_three_factors(fixed: bool, sparse: bool) -> None:
    ours, slow = _ran(_graph("triplet", fixed, sparse, third=True), fixed, True)
    theirs, _ = _ran(_graph("triplet", fixed, sparse, third=True), fixed, False)
    assert not slow
    _assert_same(ours, theirs, fixed)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_weights_traces_and_rules_change_between_runs(fixed: bool, sparse: bool) -> None:
    def change(learning: Any) -> None:
        weights = learning.weights.get()
        weights = -weights if sparse else weights[:, ::-1].copy()
        learning.weights.set(weights)
        learning.x1.set(np.arange(_INPUTS).astype(learning.x1.get().dtype) + 3)
        learning.x1_tau.set(np.array([9]))
        learning.dw.set("2^-1 * y0 * x1")

    ours, slow = _ran(_graph("pair", fixed, sparse), fixed, True, change)
    theirs, _ = _ran(_graph("pair", fixed, sparse), fixed, False, change)
    assert not slow
    _assert_same(ours, theirs, fixed)


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_learning_neurons(fixed: bool) -> None:
    def graph() -> tuple[Any, Any]:
        _, learning = _graph("pair", fixed)
        rule = _rule("pair", Loihi3FLearningRule)
        neurons = LearningLIF(
            shape=(_OUTPUTS,), du=1200 if fixed else 0.3, dv=600 if fixed else 0.1,
            vth=40 if fixed else 20.0, bias_mant=90, learning_rule=rule,
            **({"bias_exp": 4} if fixed else {}),
        )  # fmt: skip
        learning.a_out.connect(neurons.a_in)
        sent = _source(fixed, True, 8, _OUTPUTS)
        sent.s_out.connect(neurons.a_third_factor_in)
        return neurons, learning

    ours, slow = _ran(graph(), fixed, True)
    theirs, _ = _ran(graph(), fixed, False)
    assert not slow
    _assert_same(ours, theirs, fixed)
