"""Graphs of Lava's processes through CompiledCfg: the states and spikes of Lava's own runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brian2lava
from brian2lava.errors import EngineError, NotSupported
from brian2lava.processes.shim import import_lava
from tests.compiled_cfg_graphs import ROOM, held, make, readable
from tests.compiled_cfg_lava import through_lava
from tests.plugged.processes import Adding

import_lava()
from lava.magma.core.run_conditions import RunContinuous, RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.dense.process import Dense  # noqa: E402
from lava.proc.io.reset import Reset  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.process import LIF  # noqa: E402
from lava.proc.monitor.process import Monitor  # noqa: E402

# Lava builds its own sparse layers in a way that SciPy finds slow.
pytestmark = pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")

_TAGS = {True: "fixed_pt", False: "floating_pt"}


def _ran(seed: int, fixed: bool, steps: tuple[int, ...], compiled: bool = True) -> Any:
    """Which Vars can be read, what they hold, and how many processes stayed in Python."""
    graph = make(seed, fixed)
    first = graph.neurons[0]
    for count in steps:
        first.run(
            RunSteps(count),
            brian2lava.CompiledCfg(select_tag=_TAGS[fixed], compile_models=compiled),
        )
    names = readable(graph)
    found = held(graph, names)
    slow = first.runtime.plan.reasons
    first.stop()
    return names, found, slow


def _assert_same(ours: list[Any], theirs: list[Any], fixed: bool, seed: int) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        if fixed:
            np.testing.assert_array_equal(mine, other, err_msg=f"seed {seed}")
        else:
            np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-12, err_msg=f"seed {seed}")


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_compiled_is_what_lavas_models_compute(fixed: bool, seed: int) -> None:
    _, ours, slow = _ran(seed, fixed, (13, 1, ROOM - 20))
    _, theirs, _ = _ran(seed, fixed, (ROOM - 6,), compiled=False)
    assert not slow
    _assert_same(ours, theirs, fixed, seed)


def _compare_with_lava(seeds: range, fixed: bool, folder: Path) -> None:
    steps = (11, 24)
    runs = [_ran(seed, fixed, steps) for seed in seeds]
    names = [names for names, _, _ in runs]
    theirs = through_lava((list(seeds), fixed, steps, names), folder, seconds=300)
    for seed, (_, ours, _), other in zip(seeds, runs, theirs):
        _assert_same(ours, other, fixed, seed)


@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
def test_compiled_is_what_lavas_runtime_computes(fixed: bool, tmp_path: Path) -> None:
    _compare_with_lava(range(4), fixed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("fixed", [True, False], ids=["fixed", "float"])
@pytest.mark.parametrize("block", range(15))
def test_three_hundred_graphs_through_lavas_runtime(
    fixed: bool, block: int, tmp_path: Path
) -> None:
    _compare_with_lava(range(1000 + 10 * block, 1010 + 10 * block), fixed, tmp_path)


def _pair(**named: Any) -> tuple[Any, Any, Any]:
    """A source, a Dense and one LIF neuron that adds up."""
    source = Source(data=np.ones((1, 1), int))
    dense, neuron = Dense(weights=np.array([[2]])), LIF(shape=(1,), du=4095, dv=0, **named)
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(neuron.a_in)
    return source, dense, neuron


def _cfg(**named: Any) -> Any:
    return brian2lava.CompiledCfg(select_tag="fixed_pt", **named)


def test_vars_are_read_and_written_between_runs() -> None:
    _, dense, neuron = _pair(vth=1000)
    neuron.run(RunSteps(4), _cfg())
    assert neuron.v.get() == [3 * 128]  # one step of latency
    assert neuron.vth.get() == [1000]
    neuron.v.set(np.array([7]))
    dense.weights.set(np.array([[3]]))  # not cut again, as in Lava
    neuron.run(RunSteps(2))
    assert neuron.v.get() == [7 + 128 + 3 * 64]
    assert dense.weights.get() == [[3]]
    neuron.stop()


def test_a_threshold_has_no_effect_after_the_first_step() -> None:
    _, _, neuron = _pair(vth=1000)
    neuron.run(RunSteps(2), _cfg())
    neuron.vth.set(np.array([1]))
    neuron.run(RunSteps(3))
    assert neuron.v.get() == [4 * 128]
    neuron.bias_mant.set(np.array([5]))
    neuron.run(RunSteps(1))
    assert neuron.v.get() == [5 * 128 + 5]
    neuron.stop()


def test_a_float_that_lava_never_returns_is_read() -> None:
    neuron = LIF(shape=(2,), vth=1.5, dv=0.25)
    neuron.run(RunSteps(1), brian2lava.CompiledCfg(select_tag="floating_pt"))
    assert (neuron.vth.get(), neuron.dv.get()) == ([1.5], [0.25])
    neuron.stop()


def test_another_run_configuration_is_lavas() -> None:
    neuron = LIF(shape=(1,), bias_mant=1)
    neuron.run(RunSteps(2), Loihi2SimCfg(select_tag="fixed_pt"))
    assert type(neuron.runtime).__name__ == "Runtime"
    neuron.stop()


def test_a_run_in_the_background() -> None:
    _, _, neuron = _pair(vth=100000)
    neuron.run(RunSteps(3, blocking=False), _cfg())
    neuron.wait()
    assert neuron.v.get() == [2 * 128]
    neuron.run(RunContinuous())
    neuron.pause()
    first = neuron.v.get()
    neuron.run(RunSteps(1))
    assert first >= [2 * 128]
    neuron.stop()
    with pytest.raises(EngineError, match="not started"):
        neuron.v.get()
    with pytest.raises(EngineError, match="was stopped"):
        neuron.run(RunSteps(1), _cfg())


def test_a_monitor_that_is_full_says_so() -> None:
    _, _, neuron = _pair(vth=1000)
    monitor = Monitor()
    monitor.probe(neuron.v, 5)
    neuron.run(RunSteps(5), _cfg())
    (data,) = monitor.get_data()[neuron.name].values()
    assert data.ravel().tolist() == [0, 128, 256, 384, 512]
    with pytest.raises(EngineError, match="has room for 5 steps.*num_steps"):
        neuron.run(RunSteps(1))
    neuron.stop()


def test_a_reset_writes_a_compiled_state() -> None:
    _, _, neuron = _pair(vth=1000)
    reset = Reset(interval=4, offset=3, reset_value=9)
    reset.connect_var(neuron.v)
    neuron.run(RunSteps(5), _cfg())
    assert not neuron.runtime.plan.python
    assert neuron.v.get() == [9 + 128]
    neuron.stop()


def test_python_models_run_in_the_same_steps() -> None:
    """A model of the user's own between two compiled layers, in a loop, too."""

    def graph() -> tuple[Any, Any, Any]:
        _, _, neuron = _pair(vth=3)
        middle = Adding(shape=(1,))
        there, back = Dense(weights=np.array([[100]])), Dense(weights=np.array([[40]]))
        neuron.s_out.connect(there.s_in)
        there.a_out.connect(middle.a_in)
        middle.s_out.connect(back.s_in)
        back.a_out.connect(neuron.a_in)
        sink = Sink(shape=(1,), buffer=30)
        middle.s_out.connect(sink.a_in)
        return neuron, middle, sink

    found = []
    for config in (_cfg(), _cfg(compile_models=False), Loihi2SimCfg(select_tag="fixed_pt")):
        neuron, middle, sink = graph()
        neuron.run(RunSteps(30), config)
        found.append([neuron.v.get(), middle.v.get(), sink.data.get()])
        if config.__class__ is not Loihi2SimCfg and config.compile_models:
            assert [type(m.process) for m in neuron.runtime.plan.python] == [Adding]
            assert "no compiled form" in str(neuron.runtime)
        neuron.stop()
    assert found[0][2].sum() > 3
    for other in found[1:]:
        for mine, theirs in zip(found[0], other):
            np.testing.assert_array_equal(mine, theirs)


def test_a_model_that_raises_is_named() -> None:
    neuron = LIF(shape=(1,), du=0.5)  # a fraction in fixed point
    with pytest.raises(EngineError, match=r"LIF 'half', step 1: .*right_shift"):
        neuron.name = "half"
        neuron.run(RunSteps(1), _cfg())
    neuron.stop()


@pytest.mark.parametrize("compiled", [True, False])
def test_processes_that_wait_for_each_other_are_named(compiled: bool) -> None:
    first, second = LIF(shape=(1,), name="a"), LIF(shape=(1,), name="b")
    first.s_out.connect(second.a_in)
    second.s_out.connect(first.a_in)
    with pytest.raises((NotSupported, EngineError), match="LIF 'a', LIF 'b' wait for each other"):
        first.run(RunSteps(1), _cfg(compile_models=compiled))
    first.stop()


def test_per_neuron_parameters_and_a_sum_of_several_senders() -> None:
    sources = [Source(data=np.arange(3)[:, None] + k) for k in (1, 5)]
    neuron = LIF(shape=(3,), du=np.array([0, 4095, 1000]), dv=np.array([0, 10, 4096]), vth=10**5)
    for source in sources:
        source.s_out.connect(neuron.a_in)
    neuron.run(RunSteps(2), _cfg())
    assert neuron.u.get()[1] == 8 * 64
    assert not neuron.runtime.plan.python
    neuron.stop()


def test_a_step_in_floating_point_from_lavas_own_state() -> None:
    """Sums in another order differ in the last bits, so each step begins with the same state."""
    rng = np.random.default_rng(5)
    weights, back = rng.normal(size=(6, 9)), rng.normal(size=(6, 6))
    data = rng.normal(size=(9, 7))

    def graph() -> list[Any]:
        source, dense = Source(data=data), Dense(weights=weights, num_message_bits=24)
        neuron = LIF(shape=(6,), du=0.3, dv=0.1, vth=2.5, bias_mant=0.3)
        again = Dense(weights=back)
        source.s_out.connect(dense.s_in)
        for connection in (dense, again):
            connection.a_out.connect(neuron.a_in)
        neuron.s_out.connect(again.s_in)
        return [neuron, dense, again]

    ours, theirs = graph(), graph()
    states = [(0, "u"), (0, "v"), (1, "a_buff"), (2, "a_buff")]
    fired = 0
    for _ in range(20):
        for processes, compiled in ((ours, True), (theirs, False)):
            config = brian2lava.CompiledCfg(select_tag="floating_pt", compile_models=compiled)
            processes[0].run(RunSteps(1), config)
        for place, name in states:
            mine, other = (getattr(each[place], name) for each in (ours, theirs))
            np.testing.assert_allclose(mine.get(), other.get(), rtol=1e-12, atol=1e-12)
            mine.set(other.get())
        fired += int((theirs[0].v.get() == 0).sum())
    assert fired > 5
    ours[0].stop()
    theirs[0].stop()


def test_the_tutorial_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[1] / "docs" / "for_lava_users.md").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], found)
    assert found["spikes"].shape == (1000, 20)
    assert found["spikes"].sum() > 100
    assert "4 of 4 processes compiled" in capsys.readouterr().out
