"""Lava processes plugged into Brian2 networks: what goes where, in which step, to the bit."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
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
    get_device,
    ms,
    mV,
    nA,
    run,
    set_device,
    volt,
)

import brian2lava
from brian2lava.errors import EngineError, NotSupported, OptionError
from brian2lava.processes.shim import import_lava
from tests.networks.devices import Engine, needs_lava_device, under

import_lava()
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.dense.process import DelayDense, Dense  # noqa: E402
from lava.proc.io.dataloader import SpikeDataloader  # noqa: E402
from lava.proc.io.extractor import Extractor  # noqa: E402
from lava.proc.io.injector import Injector  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.process import LIF  # noqa: E402
from lava.proc.monitor.process import Monitor  # noqa: E402

from tests.plugged.processes import Failing, Free, Interrupting, Pausing  # noqa: E402

pytestmark = needs_lava_device

_INLINE = Engine("inline", {"host": "inline"})
_ENGINES = (
    _INLINE,
    Engine("lava"),
    Engine("numpy", {"host": "inline", "engine": "numpy"}),
    Engine("object", {"granularity": "object"}),
)


@pytest.fixture(params=_ENGINES, ids=str)
def everywhere(request: Any) -> Iterator[Engine]:
    """Every engine, and both granularities."""
    with under(request.param):
        yield request.param


@pytest.fixture
def objects() -> Iterator[None]:
    """One Lava process for each object."""
    with under(_ENGINES[3]):
        yield


@pytest.fixture
def here() -> Iterator[None]:
    """In this process."""
    with under(_INLINE):
        yield


def process(group: Any, **options: Any) -> Any:
    return brian2lava.lava_device.process(group, **options)


def _spiking(indices: Any, steps: Any, size: int, **options: Any) -> SpikeGeneratorGroup:
    """Spikes in given steps."""
    return SpikeGeneratorGroup(size, indices, np.asarray(steps) * 0.1 * ms, **options)


def _counter(size: int = 1, **options: Any) -> NeuronGroup:
    """What arrives stays; ``seen`` is what the state update of the step would see."""
    cells = NeuronGroup(size, "n : 1\nseen : 1", threshold="False", **options)
    cells.run_regularly("seen = n", when="groups")
    return cells


def _drawn(size: int, steps: int, seed: int) -> tuple[Any, Any]:
    """Spikes drawn at random: (neurons, steps), and as an array (size, steps) of 0 and 1."""
    spikes = (np.random.default_rng(seed).random((size, steps)) < 0.15).astype(int)
    times, neurons = np.nonzero(spikes.T)
    return (neurons, times), spikes


# ------------------------------------------------------------ exact results and latencies
def _between_groups(plugged: bool, weights: Any) -> list[Any]:
    """Two groups, connected by Lava's Dense or by synapses with a delay of one step."""
    first = NeuronGroup(
        12, "dv/dt = (I - v)/(2*ms) : 1\nI : 1", threshold="v > 1", reset="v = 0",
        refractory=0.5 * ms, method="exact",
    )  # fmt: skip
    first.I = np.linspace(1.05, 3, 12)
    second = NeuronGroup(
        8, "dv/dt = -v/(3*ms) : 1 (unless refractory)", threshold="v > 0.7", reset="v = 0",
        refractory=1 * ms, method="exact",
    )  # fmt: skip
    back = Synapses(second, first, on_pre="v_post -= 0.125")
    back.connect(j="i")
    net = Network(first, second, back)
    if plugged:
        dense = Dense(weights=weights)
        process(first).s_out.connect(dense.s_in)
        dense.a_out.connect(process(second).into("v"))
    else:
        forth = Synapses(first, second, "w : 1", on_pre="v_post += w", delay=0.1 * ms)
        forth.connect()
        forth.w = weights.T.ravel()
        net.add(forth)
    spikes, states = SpikeMonitor(second), StateMonitor(second, "v", record=True)
    net.add(spikes, states)
    net.run(30 * ms)
    return [spikes.i[:], spikes.t[:], states.v[:]]


def test_dense_between_groups_is_synapses_with_a_delay_of_one_step(everywhere: Engine) -> None:
    weights = np.zeros((8, 12))  # one source a target: Dense adds up before it sends
    weights[np.arange(8), [3, 9, 11, 5, 11, 7, 10, 8]] = np.random.default_rng(4).random(8)
    ours = _between_groups(True, weights)
    with under(Engine(everywhere.name, {k: v for k, v in everywhere.options.items()
                                        if k != "granularity"})):  # fmt: skip
        theirs = _between_groups(False, weights)
    assert len(ours[0]) > 30
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_lif_fed_by_a_group_is_the_chain_in_numpy(objects: None) -> None:
    (neurons, times), spikes = _drawn(6, 80, 1)
    source = _spiking(neurons, times, 6)
    weights = np.random.default_rng(2).integers(0, 60, (5, 6)) / 64
    dense, lif = Dense(weights=weights), LIF(shape=(5,), du=0.5, dv=0.25, vth=1.0)
    process(source).s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    sink = Sink(shape=(5,), buffer=80)
    lif.s_out.connect(sink.a_in)
    Network(source).run(8 * ms)

    u = v = gathered = np.zeros(5)
    expected = np.zeros((5, 80))
    for step in range(80):
        u = u * 0.5 + gathered
        v = v * 0.75 + u
        expected[:, step] = v > 1.0
        v = np.where(v > 1.0, 0.0, v)
        gathered = weights @ spikes[:, step]
    assert expected.sum() > 20
    np.testing.assert_array_equal(sink.data.get(), expected)
    np.testing.assert_array_equal(lif.v.get(), v)
    np.testing.assert_array_equal(lif.u.get(), u)


def test_spikes_are_sent_in_their_own_step_in_fixed_point_too(here: None) -> None:
    (neurons, times), spikes = _drawn(6, 60, 3)
    weights = np.random.default_rng(5).integers(0, 100, (4, 6))

    def chain(port: Any) -> tuple[Any, Any]:
        dense = DelayDense(weights=weights, delays=3)
        lif, sink = LIF(shape=(4,), du=800, dv=300, vth=20), Sink(shape=(4,), buffer=60)
        port.connect(dense.s_in)
        dense.a_out.connect(lif.a_in)
        lif.s_out.connect(sink.a_in)
        return lif, sink

    group = _spiking(neurons, times, 6)
    lif, sink = chain(process(group, run_cfg=Loihi2SimCfg(select_tag="fixed_pt")).s_out)
    Network(group).run(6 * ms)
    other, other_sink = chain(Source(data=spikes).s_out)
    other.run(RunSteps(60), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    expected, states = other_sink.data.get(), other.v.get()
    other.stop()
    assert expected.sum() > 5
    np.testing.assert_array_equal(sink.data.get(), expected)
    np.testing.assert_array_equal(lif.v.get(), states)


@pytest.mark.parametrize("latency", [0, 1])
def test_contributions_are_seen_after_the_stated_latency(objects: None, latency: int) -> None:
    data = np.random.default_rng(6).integers(0, 9, (3, 20))
    cells = _counter(3)
    Source(data=data).s_out.connect(process(cells).into("n", latency=latency))
    seen = StateMonitor(cells, "seen", record=True, when="end")
    Network(cells, seen).run(2 * ms)
    total = np.cumsum(data, axis=1)
    if latency:
        total = np.hstack([np.zeros((3, 1)), total[:, :-1]])
    np.testing.assert_array_equal(seen.seen[:], total)


def test_a_port_adds_what_several_processes_send_and_then_scales_it(here: None) -> None:
    cells = NeuronGroup(2, "v : volt")
    port = process(cells).into("v", unit=mV)
    first, second = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[10, 0, 1], [0, 0, 2]])
    for data in (first, second):
        Source(data=data).s_out.connect(port)
    Network(cells).run(0.3 * ms)
    expected = np.zeros(2)
    for step in range(3):
        expected += (first + second)[:, step].astype(float) * 0.001
    np.testing.assert_array_equal(np.asarray(cells.v), expected)


def test_values_are_those_between_threshold_and_reset(here: None) -> None:
    cells = NeuronGroup(
        4, "dv/dt = (2 - v)/(1*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    cells.v = [0, 0.25, 0.5, 0.75]
    values, spikes = Sink(shape=(4,), buffer=30), Sink(shape=(4,), buffer=30)
    process(cells).out("v").connect(values.a_in)
    process(cells).s_out.connect(spikes.a_in)
    seen = StateMonitor(cells, "v", record=True, when="before_synapses")
    Network(cells, seen).run(3 * ms)
    np.testing.assert_array_equal(values.data.get(), seen.v[:])
    np.testing.assert_array_equal(spikes.data.get(), seen.v[:] > 1)
    assert spikes.data.get().sum() > 4


def test_spikes_from_lava_are_spikes_of_a_generator(everywhere: Engine) -> None:
    """A generator that is told by Lava is one that knew it all before."""
    (neurons, times), spikes = _drawn(5, 40, 7)

    def network(source: Any) -> list[Any]:
        cells = NeuronGroup(5, "v : 1", threshold="v > 2", reset="v = 0")
        forth = Synapses(source, cells, on_pre="v_post += 0.75", delay=0.2 * ms)
        forth.connect("i != j")
        heard, fired = SpikeMonitor(source), SpikeMonitor(cells)
        Network(source, cells, forth, heard, fired).run(4 * ms)
        return [heard.i[:], heard.t[:], fired.i[:], fired.t[:]]

    told = _spiking([1, 2], [3, 3], 5)
    Source(data=spikes).s_out.connect(process(told).s_in)
    ours = network(told)
    known = sorted({*zip(times.tolist(), neurons.tolist(), strict=True), (3, 1), (3, 2)})
    theirs = network(_spiking([i for _, i in known], [step for step, _ in known], 5))
    assert len(ours[2]) > 20
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_lava_neuron_stands_in_the_middle_of_a_network(here: None) -> None:
    """Group, LIF and group in a row: spikes at steps 3, 3 and (its threshold is passed then) 4."""
    source = _spiking([0], [3], 1)
    lif = LIF(shape=(1,), du=1.0, dv=1.0, vth=0.5)
    cells = NeuronGroup(1, "v : 1", threshold="v > 0.5", reset="v = 0")
    process(source).s_out.connect(lif.a_in)
    lif.s_out.connect(process(cells).into("v"))
    monitor, heard = Monitor(), SpikeMonitor(cells)
    monitor.probe(lif.s_out, 10)
    Network(source, cells, heard).run(1 * ms)
    assert np.flatnonzero(monitor.get_data()[lif.name]["s_out"]).tolist() == [3]
    assert np.rint(heard.t / (0.1 * ms)).tolist() == [4]


def test_subgroups_and_other_events_have_ports(here: None) -> None:
    cells = NeuronGroup(
        6, "v : 1\nlow : 1", threshold="v > 3", reset="v = 0", events={"odd": "int(v) % 2 == 1"}
    )
    cells.set_event_schedule("odd", when="thresholds")
    cells.run_regularly("v += 0.5*(i + 1)", when="start")
    part = cells[2:5]
    sinks = [Sink(shape=(size,), buffer=9) for size in (3, 3, 6)]
    process(part).s_out.connect(sinks[0].a_in)
    process(part).out("v").connect(sinks[1].a_in)
    process(cells).events("odd").connect(sinks[2].a_in)
    Source(data=np.eye(3)).s_out.connect(process(part).into("low"))
    seen = StateMonitor(cells, "v", record=True, when="before_synapses")
    Network(cells, seen).run(0.9 * ms)
    np.testing.assert_array_equal(sinks[0].data.get(), seen.v[2:5] > 3)
    np.testing.assert_array_equal(sinks[1].data.get(), seen.v[2:5])
    np.testing.assert_array_equal(sinks[2].data.get(), seen.v[:].astype(int) % 2 == 1)
    np.testing.assert_array_equal(cells.low[:], [0, 0, 3, 3, 3, 0])


def test_variables_of_synapses_have_ports(here: None) -> None:
    cells = _counter(3)
    synapses = Synapses(cells, cells, "w : 1")
    synapses.connect(j="i")
    Source(data=np.eye(3)).s_out.connect(process(synapses).into("w"))
    sink = Sink(shape=(3,), buffer=3)
    process(synapses).out("w").connect(sink.a_in)
    Network(cells, synapses).run(0.3 * ms)
    np.testing.assert_array_equal(synapses.w[:], [1, 1, 1])
    np.testing.assert_array_equal(sink.data.get(), [[0, 1, 1], [0, 0, 1], [0, 0, 0]])


def _drawn_graph(seed: int, compiled: bool) -> list[Any]:
    """Two groups with Lava's LIF and Dense between them, in loops; all sums are exact."""
    rng = np.random.default_rng(seed)
    groups = []
    for k in range(2):
        group = NeuronGroup(3, "v : 1", threshold="v > 1", reset="v = 0", order=k)
        group.run_regularly("v = 0.5*v + 0.5*(1 + i)", when="groups")
        group.v = rng.integers(0, 8, 3) / 4
        groups.append(group)
    plugs = [process(group) for group in groups]
    plugs[0] = process(groups[0], run_cfg=brian2lava.CompiledCfg(compile_models=compiled))
    senders: list[Any] = [plug.s_out for plug in plugs]
    early: list[Any] = []
    lava: list[Any] = []
    for _ in range(rng.integers(2, 6)):
        sender = senders[rng.integers(len(senders))]
        if rng.random() < 0.5:
            lava.append(Dense(weights=rng.integers(-2, 3, (3, 3)) / 8))
            sender.connect(lava[-1].s_in)
            early.append(lava[-1].a_out)
        else:
            lava.append(LIF(shape=(3,), du=0.5, dv=0.25, vth=1.0, bias_mant=0.125))
            sender.connect(lava[-1].a_in)
        senders.append(lava[-1].out_ports.members[0])
    latency = int(len(early) == 0 or rng.random() < 0.5)
    into = [
        (plugs[0].into("v"), senders[2:]),
        (plugs[1].into("v", latency=latency), senders[2:] if latency else early),
    ]
    for port, candidates in into:
        for k in rng.choice(len(candidates), size=min(2, len(candidates)), replace=False):
            candidates[k].connect(port)
    sinks = [Sink(shape=(3,), buffer=40) for _ in lava]
    for each, sink in zip(lava, sinks, strict=True):
        each.out_ports.members[0].connect(sink.a_in)
    spikes = [SpikeMonitor(group) for group in groups]
    Network(*groups, *spikes).run(4 * ms)
    return [
        *(sink.data.get() for sink in sinks),
        *(each.t[:] for each in spikes),
        *(each.i[:] for each in spikes),
        *(np.asarray(group.v) for group in groups),
    ]


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))]
)
def test_drawn_graphs_agree_on_every_engine(seed: int) -> None:
    """Compiled in this process, and Lava's Python models around one process an object."""
    with under(_INLINE):
        ours = _drawn_graph(seed, compiled=True)
    with under(_ENGINES[2 + seed % 2]):
        theirs = _drawn_graph(seed, compiled=False)
    assert sum(np.count_nonzero(each) for each in ours) > 50
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


# ------------------------------------------------------------ clocks, runs, states
def test_a_lava_step_is_a_pass_in_which_a_group_has_a_step(objects: None) -> None:
    """Groups at 0.1 ms and 0.25 ms: passes at 0, 1, 2, 2.5, 3, 4, 5 (times 0.1 ms)."""
    fast = _counter(1, dt=0.1 * ms)
    slow = NeuronGroup(1, "v : 1", threshold="True", dt=0.25 * ms)
    quick = NeuronGroup(1, "v : 1", threshold="True", dt=0.1 * ms)
    sinks = [Sink(shape=(1,), buffer=7) for _ in range(2)]
    process(slow).s_out.connect(sinks[0].a_in)
    process(quick).s_out.connect(sinks[1].a_in)
    lif = LIF(shape=(1,), du=1.0, dv=1.0, vth=0.5)
    for group in (slow, quick):
        process(group).s_out.connect(lif.a_in)
    lif.s_out.connect(process(fast).into("n"))
    finer = StateMonitor(fast, "n", record=True, dt=0.05 * ms)
    Network(fast, slow, quick, finer).run(0.55 * ms)
    assert sinks[0].data.get().ravel().tolist() == [1, 0, 0, 1, 0, 0, 1]
    assert sinks[1].data.get().ravel().tolist() == [1, 1, 1, 0, 1, 1, 1]
    assert fast.n[0] == 7  # the LIF got something in every step, 2.5 included


def _loop() -> tuple[Any, Any, Any]:
    """A group that drives a LIF that drives the group."""
    cells = NeuronGroup(
        3, "dv/dt = (1.5 - v)/(1*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    cells.v = [0, 0.3, 0.6]
    lif = LIF(shape=(3,), du=0.5, dv=0.125, vth=2.0)
    group = process(cells)
    group.s_out.connect(lif.a_in)
    lif.s_out.connect(group.into("v"))
    spikes = SpikeMonitor(cells)
    return Network(cells, spikes), lif, spikes


def test_several_runs_are_one(objects: None) -> None:
    net, lif, spikes = _loop()
    for _ in range(3):
        net.run(4 * ms)
    other_net, other, expected = _loop()
    other_net.run(12 * ms)
    assert spikes.num_spikes > 20
    np.testing.assert_array_equal(spikes.t[:], expected.t[:])
    np.testing.assert_array_equal(lif.v.get(), other.v.get())


def test_vars_are_set_between_runs(here: None) -> None:
    net, lif, spikes = _loop()
    net.run(1 * ms)
    lif.v.set(np.array([1.9, 1.9, 1.9]))
    lif.bias_mant.set(np.array([5.0, 5.0, 5.0]))
    before = np.asarray(spikes.source.v).copy()
    net.run(0.1 * ms)
    decayed = 1.5 + (before - 1.5) * np.exp(-0.1)
    np.testing.assert_allclose(spikes.source.v, np.where(decayed > 1, 0, decayed + 1), rtol=1e-12)


def test_a_state_from_before_the_first_step_is_restored(here: None) -> None:
    net, lif, spikes = _loop()
    net.store()
    net.run(5 * ms)
    first, state = spikes.t[:].copy(), lif.v.get()
    with pytest.raises(NotSupported, match=r"Lava processes LIF '.*' can't be stored"):
        net.store("later")
    for _ in range(2):
        net.restore()
        net.run(5 * ms)
        np.testing.assert_array_equal(spikes.t[:], first)
        np.testing.assert_array_equal(lif.v.get(), state)


@pytest.mark.parametrize("asked", ["brian", "lava"])
def test_a_stop_ends_the_run_after_its_step(objects: None, asked: str) -> None:
    net, lif, spikes = _loop()
    if asked == "brian":
        net.add(NetworkOperation(lambda t: net.stop() if t > 2.05 * ms else None))
        done = 2.2
    else:
        pausing = Pausing(shape=(3,), step=22)
        lif.s_out.connect(pausing.a_in)
        done = 2.2
    net.run(5 * ms)
    np.testing.assert_allclose(net.t / ms, done)
    other_net, other, expected = _loop()
    other_net.run(done * ms)
    np.testing.assert_array_equal(spikes.t[:], expected.t[:])
    np.testing.assert_array_equal(lif.v.get(), other.v.get())


def test_ctrl_c_finishes_the_step_and_the_run_goes_on(objects: None) -> None:
    net, lif, spikes = _loop()
    interrupting = Interrupting(shape=(3,), step=22)
    lif.s_out.connect(interrupting.a_in)
    net.run(5 * ms)  # Brian2's own handler of Ctrl-C asks for a stop
    np.testing.assert_allclose(net.t / ms, 2.2)
    net.run(1 * ms)
    other_net, other, expected = _loop()
    other_net.run(3.2 * ms)
    np.testing.assert_array_equal(spikes.t[:], expected.t[:])
    np.testing.assert_array_equal(lif.v.get(), other.v.get())


def test_ctrl_c_ends_the_wait_for_the_users_code(here: None) -> None:
    cells = _counter(2)
    interrupting, injector = Interrupting(shape=(2,), step=1), Injector(shape=(2,))
    process(cells).s_out.connect(interrupting.a_in)
    injector.out_port.connect(process(cells).into("n"))
    net = Network(cells)
    with pytest.raises(EngineError, match="waited for data when the run was ended"):
        net.run(5 * ms)
    with pytest.raises(EngineError, match=r"Injector .*can't be run on: .* waited for data"):
        net.run(5 * ms)


def test_a_full_monitor_says_so(here: None) -> None:
    net, lif, _ = _loop()
    Monitor().probe(lif.v, 12)
    net.run(1.2 * ms)
    with pytest.raises(EngineError, match=r"Monitor '.*' has room for 12 steps.* is step 13"):
        net.run(0.1 * ms)


def test_a_stopped_lava_process_and_a_changed_graph_are_refused(here: None) -> None:
    net, lif, _ = _loop()
    net.run(0.5 * ms)
    lif.s_out.connect(Sink(shape=(3,), buffer=5).a_in)
    with pytest.raises(OptionError, match=r"connections of 'neurongroup.*' .* have changed"):
        net.run(0.5 * ms)
    net, lif, _ = _loop()
    net.run(0.5 * ms)
    lif.stop()
    with pytest.raises(EngineError, match=r"LIF '.*' were stopped"):
        net.run(0.5 * ms)


def test_inactive_groups_are_silent(here: None) -> None:
    cells = NeuronGroup(2, "v : 1", threshold="True", reset="", name="loud")
    cells.v = 5
    other = _counter(2)
    sinks = [Sink(shape=(2,), buffer=4) for _ in range(2)]
    process(cells).s_out.connect(sinks[0].a_in)
    process(cells).out("v").connect(sinks[1].a_in)
    process(cells).s_out.connect(process(other).into("n"))
    net = Network(cells, other)
    net.run(0.2 * ms)
    cells.active = False
    net.run(0.2 * ms)
    assert sinks[0].data.get().tolist() == [[1, 1, 0, 0]] * 2
    assert sinks[1].data.get().tolist() == [[5, 5, 0, 0]] * 2
    assert other.n[:].tolist() == [2, 2]


def test_draw_tells_of_the_lava_processes() -> None:
    with under(_ENGINES[3]):
        net, lif, _ = _loop()
        net.run(0.2 * ms)
        text = str(brian2lava.draw())
        assert "Python: neurongroup_lava" in text
        assert f"'neurongroup'.s_out -> LIF '{lif.name}'.a_in" in text
        assert f"LIF '{lif.name}'.s_out -> 'neurongroup'.v_in, latency 1" in text


def test_draw_tells_of_no_other_networks_lava_processes() -> None:
    with under(_ENGINES[3]):
        first, _, _ = _loop()
        first.run(0.2 * ms)
        plain = _counter(2, name="plain")
        Network(plain).run(0.2 * ms)
        assert "LIF" not in str(brian2lava.draw())
        first.run(0.1 * ms)
        assert "LIF" in str(brian2lava.draw())


def test_groups_in_a_magic_network_come_and_go(here: None) -> None:
    """A process keeps no group alive, so magic networks hold what the user holds."""

    def made(name: str) -> tuple[Any, Any, list[float]]:
        cells = _counter(2, name=name)
        Source(data=np.ones((2, 1))).s_out.connect(process(cells).into("n"))
        run(0.2 * ms)
        run(0.1 * ms)
        return weakref.ref(cells), process(cells), cells.n[:].tolist()

    for name in ("first", "second"):
        gone, kept, found = made(name)
        get_device().reinit()
        gc.collect()
        assert found == [3, 3]
        assert gone() is None
        with pytest.raises(OptionError, match=f"'{name}' does not exist any more"):
            kept.out("n")


def test_a_camera_and_a_reshaped_port(here: None) -> None:
    """What a SpikeDataloader sends, after the step in which it loads, is what a generator fires."""
    samples = [np.random.default_rng(k).integers(0, 2, (2, 3, 5)) for k in range(2)]
    camera = SpikeDataloader(dataset=[(each, k) for k, each in enumerate(samples)], interval=5)
    retina = _spiking([], [], 6)
    eye = process(retina, run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    camera.s_out.flatten().connect(eye.s_in)
    labels = Sink(shape=(1,), buffer=11)
    camera.ground_truth.connect(labels.a_in)
    spikes = SpikeMonitor(retina)
    Network(retina, spikes).run(1.1 * ms)
    found = np.zeros((6, 11), int)
    found[spikes.i[:], np.rint(spikes.t / (0.1 * ms)).astype(int)] = 1
    frames = np.concatenate([each.reshape(6, 5) for each in samples], axis=1)
    np.testing.assert_array_equal(found, np.hstack([np.zeros((6, 1), int), frames]))
    assert labels.data.get()[0].tolist() == [0] * 6 + [1] * 5


def test_what_is_sent_to_the_users_code_is_there_after_the_run(here: None) -> None:
    cells = _counter(2)
    injector, extractor = Injector(shape=(2,)), Extractor(shape=(2,))
    injector.out_port.connect(process(cells).into("n"))
    process(cells).out("seen").connect(extractor.in_port)
    net = Network(cells)
    net.run(0 * ms)  # makes the channels
    for k in (1, 2):
        for _ in range(3):
            injector.send(np.array([k, 10 * k]))
        net.run(0.3 * ms)
    assert [extractor.receive()[1] for _ in range(6)] == [0, 10, 20, 30, 50, 70]


def test_asynchronous_processes_are_refused_by_name(here: None) -> None:
    cells = _counter(1)
    running = Free(shape=(1,))
    running.s_out.connect(process(cells).into("n"))
    with pytest.raises(NotSupported, match=r"Free 'Process_\d+': its model .* no PyLoihiProcess"):
        Network(cells).run(0.1 * ms)


# ------------------------------------------------------------ errors
def test_latency_zero_needs_what_is_sent_before_spikes_are_known(here: None) -> None:
    source, cells = _spiking([0], [3], 1), _counter()
    lif = LIF(shape=(1,), vth=0.5)
    process(source).s_out.connect(lif.a_in)
    lif.s_out.connect(process(cells).into("n", latency=0))
    net = Network(source, cells)
    with pytest.raises(EngineError, match=r"latency=0 needs its message before .*LIF '.*latency=1"):
        net.run(1 * ms)
    with pytest.raises(EngineError, match=r"LIF '.*' can't be run on: EngineError: step 1"):
        net.run(1 * ms)


def test_latency_zero_through_dense_is_no_delay_at_all(here: None) -> None:
    """Spike in step 3, sent by Dense in step 4, seen by the state update of step 4."""
    source, cells = _spiking([0], [3], 1), _counter()
    dense = Dense(weights=np.array([[2.0]]))
    process(source).s_out.connect(dense.s_in)
    dense.a_out.connect(process(cells).into("n", latency=0))
    seen = StateMonitor(cells, "seen", record=True, when="end")
    Network(source, cells, seen).run(0.6 * ms)
    assert seen.seen[0].tolist() == [0, 0, 0, 0, 2, 2]


def test_a_failing_process_is_named_with_its_step(objects: None) -> None:
    cells = _counter(2)
    failing = Failing(shape=(2,), step=5)
    failing.s_out.connect(process(cells).into("n"))
    net = Network(cells)
    with pytest.raises(EngineError, match=r"Failing '.*', step 5: ZeroDivisionError"):
        net.run(1 * ms)
    with pytest.raises(EngineError, match="can't be run on"):
        net.run(1 * ms)


def test_wrong_connections_name_both_ends(here: None) -> None:
    cells = NeuronGroup(3, "v : volt\nk : integer", threshold="False", name="cells")
    group = process(cells)
    lif = LIF(shape=(4,))
    with pytest.raises(OptionError, match=r"LIF 'Process_\d+.s_out' \(4,\).*to 'cells.v_in' \(3,"):
        lif.s_out.connect(group.into("v"))
    sink = Sink(shape=(3,), buffer=2)
    group.s_out.connect(sink.a_in)
    with pytest.raises(OptionError, match=r"'cells.s_out' .*'Process_\d+.a_in'.*connected already"):
        group.s_out.connect(sink.a_in)
    Source(data=np.ones((3, 2)) / 3).s_out.connect(group.into("k"))
    with pytest.raises(OptionError, match="'v_in' was asked for and isn't connected from anything"):
        Network(cells).run(0.1 * ms)


def test_fractions_are_not_added_to_integers(here: None) -> None:
    cells = NeuronGroup(2, "k : integer", name="whole")
    Source(data=np.ones((2, 3)) / 3).s_out.connect(process(cells).into("k"))
    with pytest.raises(OptionError, match=r"RingBuffer '.*sends float64 .* 'whole.k_in'.*int32"):
        Network(cells).run(0.1 * ms)
    good = NeuronGroup(2, "k : integer", name="good")
    fixed = Loihi2SimCfg(select_tag="fixed_pt")
    Source(data=np.ones((2, 3), int)).s_out.connect(process(good, run_cfg=fixed).into("k"))
    Network(good).run(0.3 * ms)
    assert good.k[:].tolist() == [3, 3]


def test_ports_that_cannot_be_say_why(here: None) -> None:
    cells = NeuronGroup(
        2, "v : volt\nc : 1 (constant)\nflag : boolean\nw = v/volt : 1", threshold="False",
        events={"rare": "v > 1*volt"}, name="cells",
    )  # fmt: skip
    group = process(cells)
    assert process(cells) is group
    assert group.into("v", unit=mV) is group.into("v", unit=mV)
    cases = {
        r"'cells' has no variable 'u'; there are .*v": lambda: group.into("u"),
        r"unit=.* has the dimension .* and v has": lambda: group.out("v", unit=nA),
        r"is no unit such as mV": lambda: group.out("v", unit=-mV),
        r"already, made with other arguments": lambda: group.into("v", unit=volt),
        r"latency=2.*DelayDense": lambda: group.into("c", latency=2),
        r"no event 'often'; there are rare, spike": lambda: group.events("often"),
    }
    for text, wrong in cases.items():
        with pytest.raises(OptionError, match=text):
            wrong()
    refused = {
        "c is constant": lambda: group.into("c"),
        "flag is true or false": lambda: group.into("flag"),
        "N is a constant, 2": lambda: group.into("N"),
        "i is read-only": lambda: group.into("i"),
        "w is a subexpression": lambda: group.out("w"),
        "a SpikeMonitor has no ports": lambda: process(SpikeMonitor(cells)),
        r"Brian2's run\(duration\) runs it": lambda: group.run(RunSteps(1)),
    }
    for text, wrong in refused.items():
        with pytest.raises(NotSupported, match=text):
            wrong()


def test_events_outside_of_the_slot_of_thresholds_are_refused(here: None) -> None:
    cells = NeuronGroup(2, "v : 1", threshold="False", events={"rare": "v > 1"}, name="cells")
    process(cells).events("rare").connect(Sink(shape=(2,), buffer=2).a_in)
    with pytest.raises(NotSupported, match=r"'cells': events for 'rare_out' .*'after_thresholds'"):
        Network(cells).run(0.1 * ms)


def test_a_graph_belongs_to_one_network_and_brian2_runs_it(here: None) -> None:
    net, lif, _ = _loop()
    with pytest.raises(NotSupported, match=r"connected to Brian2's 'neurongroup.*run\(duration\)"):
        lif.run(RunSteps(1), run_cfg=Loihi2SimCfg())
    other = NeuronGroup(3, "v : 1", threshold="False", name="elsewhere")
    process(other).s_out.connect(lif.a_in)
    with pytest.raises(
        NotSupported, match="'elsewhere' is connected with .* isn't in this network"
    ):
        net.run(1 * ms)


def test_two_run_configurations_in_one_graph_are_refused(here: None) -> None:
    first, second = (NeuronGroup(1, "v : 1", threshold="False", name=name) for name in "ab")
    lif = LIF(shape=(1,))
    for group in (first, second):
        process(group, run_cfg=Loihi2SimCfg()).s_out.connect(lif.a_in)
    with pytest.raises(OptionError, match="'a', 'b' are in one graph .* different run conf"):
        Network(first, second).run(0.1 * ms)


def test_networks_on_a_chip_are_refused() -> None:
    with under(Engine("Loihi2", {"hardware": "Loihi2"})):
        cells = NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0",
                            method="exact", name="cells")  # fmt: skip
        process(cells).s_out.connect(Sink(shape=(1,), buffer=2).a_in)
        with pytest.raises(NotSupported, match="'cells' has a Lava process .* chip's integers"):
            Network(cells).run(0.1 * ms)


def test_poisson_groups_send_their_spikes(here: None) -> None:
    group = PoissonGroup(5, 2000 * Hz)
    sink, spikes = Sink(shape=(5,), buffer=50), SpikeMonitor(group)
    process(group).s_out.connect(sink.a_in)
    Network(group, spikes).run(5 * ms)
    expected = np.zeros((5, 50))
    expected[spikes.i[:], np.rint(spikes.t / (0.1 * ms)).astype(int)] = 1
    assert expected.sum() > 10
    np.testing.assert_array_equal(sink.data.get(), expected)


def test_the_device_has_the_function() -> None:
    set_device("lava")
    try:
        assert get_device().process(_counter()).name.startswith("neurongroup")
    finally:
        set_device("runtime")
