"""A Brian2 network as one process of a Lava program, under Lava's own runtime and compiled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    magic_network,
    ms,
    seed,
    volt,
)

import brian2lava
from brian2lava import as_process
from brian2lava.errors import EngineDied, EngineError, NotSupported, OptionError
from brian2lava.processes.shim import import_lava
from tests.networks.devices import Engine, needs_lava_device, under
from tests.networks.programs import still_running

import_lava()
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.dense.process import Dense  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.process import LIF  # noqa: E402
from lava.proc.monitor.process import Monitor  # noqa: E402

pytestmark = needs_lava_device

_CONFIGURATIONS = {"lava": Loihi2SimCfg, "compiled": lambda: brian2lava.CompiledCfg()}


@pytest.fixture(params=_CONFIGURATIONS)
def run_cfg(request: Any) -> Iterator[Any]:
    """Lava's own runtime, or one compiled loop."""
    with under(Engine("lava")):
        yield _CONFIGURATIONS[request.param]()


@pytest.fixture
def here() -> Iterator[None]:
    with under(Engine("inline", {"host": "inline"})):
        yield


def _cells(**options: Any) -> NeuronGroup:
    return NeuronGroup(
        4, "dv/dt = -v/(2*ms) : 1 (unless refractory)", threshold="v > 0.7", reset="v = 0",
        refractory=0.5 * ms, method="exact", **options,
    )  # fmt: skip


def _counter(size: int = 1, **options: Any) -> NeuronGroup:
    cells = NeuronGroup(size, "n : 1\nseen : 1", threshold="seen > 2", **options)
    cells.run_regularly("seen = n", when="groups")
    return cells


_SPIKES = (np.random.default_rng(1).random((4, 60)) < 0.2).astype(int)
_WEIGHTS = np.diag([0.3, 0.5, 0.6, 0.8])


def test_a_wrapped_network_is_the_network(run_cfg: Any) -> None:
    """A source and Dense in front of it are a generator and synapses with a delay of a step."""
    cells = _cells()
    back = Synapses(cells, cells, on_pre="v_post -= 0.1", delay=0.3 * ms)
    back.connect("i != j")
    process = as_process(
        Network(cells, back),
        {"a_in": (cells, "v")},
        {"s_out": cells, "v_out": (cells, "v")},
        {"v": (cells, "v")},
        name="wrapped",
    )
    source, dense = Source(data=_SPIKES), Dense(weights=_WEIGHTS)
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(process.a_in)
    sinks = [Sink(shape=(4,), buffer=60) for _ in range(2)]
    process.s_out.connect(sinks[0].a_in)
    process.v_out.connect(sinks[1].a_in)
    monitor = Monitor()
    monitor.probe(process.v, 60)
    for steps in (10, 49, 1):
        process.run(RunSteps(steps), run_cfg=run_cfg)
    spikes, values = (sink.data.get() for sink in sinks)
    state, seen = process.v.get(), monitor.get_data()["wrapped"]["v"]
    process.stop()

    times, neurons = np.nonzero(_SPIKES.T)
    generator = SpikeGeneratorGroup(4, neurons, times * 0.1 * ms)
    cells = _cells()
    back = Synapses(cells, cells, on_pre="v_post -= 0.1", delay=0.3 * ms)
    back.connect("i != j")
    forth = Synapses(generator, cells, "w : 1", on_pre="v_post += w", delay=0.1 * ms)
    forth.pre.order = -2  # what comes from outside is added before the network's own synapses
    forth.connect(j="i")
    forth.w = np.diag(_WEIGHTS)
    heard = SpikeMonitor(cells)
    early = StateMonitor(cells, "v", record=True, when="before_synapses")
    late = StateMonitor(cells, "v", record=True, when="after_end")
    Network(generator, cells, back, forth, heard, early, late).run(6 * ms)
    expected = np.zeros((4, 60))
    expected[heard.i[:], np.rint(heard.t / (0.1 * ms)).astype(int)] = 1
    assert expected.sum() > 10
    np.testing.assert_array_equal(spikes, expected)
    np.testing.assert_array_equal(values, early.v[:])
    np.testing.assert_array_equal(seen.T, late.v[:])
    np.testing.assert_array_equal(state, late.v[:, -1])


@pytest.mark.parametrize("latency", [0, 1])
def test_inputs_act_after_the_stated_latency(run_cfg: Any, latency: int) -> None:
    cells = _counter()
    process = as_process(
        Network(cells), {"a_in": (cells, "n")}, {"s_out": cells, "n_out": (cells, "seen")},
        latency=latency,
    )  # fmt: skip
    Source(data=np.array([[0, 1, 0, 2, 0, 0]])).s_out.connect(process.a_in)
    sinks = [Sink(shape=(1,), buffer=6) for _ in range(2)]
    process.s_out.connect(sinks[0].a_in)
    process.n_out.connect(sinks[1].a_in)
    process.run(RunSteps(6), run_cfg=run_cfg)
    seen, spikes = sinks[1].data.get()[0].tolist(), sinks[0].data.get()[0].tolist()
    process.stop()
    assert seen == ([0, 1, 1, 3, 3, 3] if latency == 0 else [0, 0, 1, 1, 3, 3])
    assert spikes == ([0, 0, 0, 1, 1, 1] if latency == 0 else [0, 0, 0, 0, 1, 1])


def test_spikes_and_units_go_in_and_out(run_cfg: Any) -> None:
    told = SpikeGeneratorGroup(3, [2], [0.2] * ms)
    cells = NeuronGroup(3, "v : volt", threshold="v > 1*volt", reset="v = 0*volt")
    forth = Synapses(told, cells, on_pre="v_post += 2*volt")
    forth.connect(j="i")
    process = as_process(
        Network(told, cells, forth),
        {"spikes": told, "a_in": (cells, "v", 0.5 * volt)},
        {"s_out": cells, "told": told, "v_out": (cells, "v", 0.25 * volt)},
    )
    Source(data=np.eye(3, dtype=int)).s_out.connect(process.spikes)
    Source(data=np.array([[0, 0, 1, 0, 0], [0] * 5, [0] * 5])).s_out.connect(process.a_in)
    sinks = {name: Sink(shape=(3,), buffer=6) for name in ("s_out", "told", "v_out")}
    for name, sink in sinks.items():
        getattr(process, name).connect(sink.a_in)
    process.run(RunSteps(6), run_cfg=run_cfg)
    found = {name: sink.data.get().astype(int).tolist() for name, sink in sinks.items()}
    process.stop()
    # what is told is known after s_out of the step has been sent; its own spike at step 2 before
    assert found["told"] == [[0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
    assert found["s_out"] == [[0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1], [0, 0, 0, 1, 0, 0]]
    assert found["v_out"][0] == [0, 8, 0, 2, 10, 0]


def test_vars_are_read_and_written(run_cfg: Any) -> None:
    cells = _counter(2)
    process = as_process(
        Network(cells), outputs={"n_out": (cells, "n")}, states={"n": (cells, "n")}
    )
    sink = Sink(shape=(2,), buffer=3)
    process.n_out.connect(sink.a_in)
    cells.n = [1, 2]  # after the process was made, and before its first step
    process.run(RunSteps(1), run_cfg=run_cfg)
    assert process.n.get().tolist() == [1, 2]
    process.n.set(np.array([5.0, 7.0]))
    process.run(RunSteps(2), run_cfg=run_cfg)
    assert process.n.get().tolist() == [5, 7]
    assert sink.data.get().tolist() == [[1, 5, 5], [2, 7, 7]]
    process.stop()


def test_networks_in_a_loop_send_before_they_receive(run_cfg: Any) -> None:
    processes = []
    for name in ("one", "other"):
        cells = NeuronGroup(1, "n : 1", threshold="n > 0", reset="n = 0", name=f"cells_{name}")
        cells.n = float(name == "one")
        processes.append(
            as_process(Network(cells), {"a_in": (cells, "n")}, {"s_out": cells}, name=name)
        )
    one, other = processes
    one.s_out.connect(other.a_in)
    other.s_out.connect(one.a_in)
    monitor = Monitor()
    monitor.probe(one.s_out, 5)
    one.run(RunSteps(5), run_cfg=run_cfg)
    assert monitor.get_data()["one"]["s_out"].ravel().tolist() == [1, 0, 1, 0, 1]
    one.stop()


def test_random_numbers_are_those_of_the_network(run_cfg: Any) -> None:
    def made() -> PoissonGroup:
        seed(8)
        return PoissonGroup(6, 1500 * Hz)

    group = made()
    process = as_process(Network(group), outputs={"s_out": group})
    sink = Sink(shape=(6,), buffer=40)
    process.s_out.connect(sink.a_in)
    process.run(RunSteps(40), run_cfg=run_cfg)
    found = sink.data.get()
    process.stop()
    group = made()
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(4 * ms)
    expected = np.zeros((6, 40))
    expected[spikes.i[:], np.rint(spikes.t / (0.1 * ms)).astype(int)] = 1
    assert expected.sum() > 10
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("latency", [0, 1])
def test_a_step_is_a_pass_of_the_loop(run_cfg: Any, latency: int) -> None:
    """Clocks of 0.1 and 0.25 ms: passes at 0, 1, 2, 2.5, 3, 4, 5; the port has one message each."""
    cells = NeuronGroup(1, "n : 1", threshold="True", dt=0.25 * ms)
    other = _counter(dt=0.1 * ms)
    process = as_process(
        Network(cells, other), {"a_in": (cells, "n")}, {"s_out": cells}, {"n": (cells, "n")},
        latency=latency,
    )  # fmt: skip
    Source(data=np.arange(1, 8).reshape(1, 7)).s_out.connect(process.a_in)
    sink = Sink(shape=(1,), buffer=7)
    process.s_out.connect(sink.a_in)
    process.run(RunSteps(7), run_cfg=run_cfg)
    assert sink.data.get()[0].tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert process.n.get().tolist() == [28]
    process.stop()


def test_a_network_goes_on_from_where_brian2_left_it(run_cfg: Any) -> None:
    """Spikes in flight arrive, and the time goes on."""
    source = SpikeGeneratorGroup(1, [0], [0.3] * ms)
    cells = _counter()
    forth = Synapses(source, cells, on_pre="n_post += 1", delay=0.5 * ms)
    forth.connect()
    net = Network(source, cells, forth)
    net.run(0.5 * ms)
    process = as_process(net, outputs={"n_out": (cells, "seen")})
    sink = Sink(shape=(1,), buffer=6)
    process.n_out.connect(sink.a_in)
    process.run(RunSteps(6), run_cfg=run_cfg)
    assert sink.data.get()[0].tolist() == [0, 0, 0, 0, 1, 1]
    process.stop()


def test_stop_in_the_network_asks_for_a_pause(run_cfg: Any) -> None:
    cells = _counter()
    net = Network(cells)
    net.add(NetworkOperation(lambda t: net.stop() if abs(t - 0.3 * ms) < 0.05 * ms else None))
    process = as_process(net, {"a_in": (cells, "n")}, states={"n": (cells, "n")})
    Source(data=np.ones((1, 1))).s_out.connect(process.a_in)
    process.run(RunSteps(20), run_cfg=run_cfg)
    assert process.n.get().tolist() == [4]
    process.run(RunSteps(3), run_cfg=run_cfg)
    assert process.n.get().tolist() == [7]
    process.stop()


def test_a_run_that_does_not_block_is_waited_for(run_cfg: Any) -> None:
    cells = _counter()
    process = as_process(Network(cells), {"a_in": (cells, "n")}, states={"n": (cells, "n")})
    Source(data=np.ones((1, 1))).s_out.connect(process.a_in)
    process.run(RunSteps(30, blocking=False), run_cfg=run_cfg)
    process.wait()
    assert process.n.get().tolist() == [30]
    process.stop()


def test_a_failure_ends_the_run_and_is_told(run_cfg: Any) -> None:
    cells = _counter(name="cells")

    def fails(t: Any) -> None:
        if t > 0.45 * ms:
            raise ZeroDivisionError("it was zero")

    process = as_process(
        Network(cells, NetworkOperation(fails)), outputs={"s_out": cells}, name="doomed"
    )
    lif = LIF(shape=(1,))
    process.s_out.connect(lif.a_in)
    process.run(RunSteps(2), run_cfg=run_cfg)
    pids = [each.pid for each in getattr(process.runtime, "processes", ())]
    with pytest.raises(EngineError, match=r"(?s)'doomed'.*it was zero"):
        process.run(RunSteps(10), run_cfg=run_cfg)
    assert not still_running(pids)
    process.stop()


def test_a_killed_process_is_noticed() -> None:
    with under(Engine("lava")):
        cells = _counter(name="cells")

        def dies(t: Any) -> None:
            if t > 0.45 * ms:
                os.kill(os.getpid(), signal.SIGKILL)

        process = as_process(Network(cells, NetworkOperation(dies)), outputs={"s_out": cells})
        lif = LIF(shape=(1,))
        process.s_out.connect(lif.a_in)
        with pytest.raises(EngineDied, match=r"Lava's process '.*' \(process \d+\) was killed"):
            process.run(RunSteps(10), run_cfg=Loihi2SimCfg())
        process.stop()


_ENDS_AT_ONCE = """
import os
from brian2 import *
import brian2lava
prefs.codegen.target = "numpy"
set_device("lava")
cells = NeuronGroup(1, "v : 1", threshold="v > 1", reset="v = 0")
process = brian2lava.as_process(Network(cells), outputs={"s_out": cells})
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
process.run(RunSteps(2), run_cfg=Loihi2SimCfg())
print(*(each.pid for each in process.runtime.processes), flush=True)
os._exit(3)
"""


def test_no_process_outlives_the_program(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _ENDS_AT_ONCE], cwd=tmp_path, timeout=60,
                          stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert done.returncode == 3
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    assert not still_running(pids)


def test_compiled_runs_leave_their_results_in_brian2(here: None) -> None:
    cells, spikes = _counter(name="cells"), None
    spikes = SpikeMonitor(cells)
    states = StateMonitor(cells, "n", record=True)
    net = Network(cells, spikes, states)
    process = as_process(net, {"a_in": (cells, "n")})
    Source(data=np.ones((1, 1))).s_out.connect(process.a_in)
    process.run(RunSteps(5000), run_cfg=brian2lava.CompiledCfg())  # monitors grow twice
    process.stop()
    assert spikes.num_spikes == 4997
    assert states.n[0].tolist() == list(range(5000))
    assert abs(net.t - 500 * ms) < 0.01 * ms
    net.run(0.2 * ms)  # and Brian2's run() goes on
    assert len(states.n[0]) == 5002


def test_without_a_compiler_the_plain_engine_serves() -> None:
    with under(Engine("numpy", {"host": "inline", "engine": "numpy"})):
        cells = _counter(name="cells")
        process = as_process(Network(cells), {"a_in": (cells, "n")}, {"n_out": (cells, "n")})
        Source(data=np.ones((1, 1))).s_out.connect(process.a_in)
        sink = Sink(shape=(1,), buffer=4)
        process.n_out.connect(sink.a_in)
        process.run(RunSteps(4), run_cfg=brian2lava.CompiledCfg())
        assert sink.data.get()[0].tolist() == [0, 1, 2, 3]
        process.stop()


def test_what_cannot_be_a_process_says_why(here: None) -> None:
    cells = _cells(name="cells")
    other = _cells(name="other")
    net = Network(cells, name="net")
    wrong: dict[str, dict[str, Any]] = {
        "'s_out' is about 'other', which isn't in this network": {"outputs": {"s_out": other}},
        "has no variable 'w'": {"inputs": {"a_in": (cells, "w")}},
        "input 'a_in' is the group 'cells'; name the variable": {"inputs": {"a_in": cells}},
        "'a_in' is .*a group, .*variable.* unit": {"inputs": {"a_in": (cells, "v", 1, 2)}},
        r"state 'v' is .*\(group, 'variable'\)": {"states": {"v": cells}},
        "'run' can't be the name": {"outputs": {"run": cells}},
        "'a port' can't be the name": {"outputs": {"a port": cells}},
        "twice": {"outputs": {"v": cells}, "states": {"v": (cells, "v")}},
        "latency=3": {"inputs": {"a_in": (cells, "v")}, "latency": 3},
    }
    for text, arguments in wrong.items():
        with pytest.raises(OptionError, match=text):
            as_process(net, **arguments)
    with pytest.raises(OptionError, match="a Network is needed"):
        as_process(magic_network)
    brian2lava.process(cells).s_out.connect(Sink(shape=(4,), buffer=3).a_in)
    with pytest.raises(NotSupported, match="'cells' of 'net' is connected to Lava processes"):
        as_process(net)


@pytest.mark.parametrize("options", [{"hardware": "Loihi2"}, {"granularity": "object"}])
def test_other_ways_to_run_are_refused(options: dict[str, Any]) -> None:
    with under(Engine("other", options)):
        cells = _cells(name="cells")
        with pytest.raises(NotSupported, match="hardware='CPU' and granularity='network'"):
            as_process(Network(cells), outputs={"s_out": cells})
