"""Delays: of every kind, changed between runs, stored and restored, also by the other device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    defaultclock,
    ms,
    run,
)

from tests.networks.compare import Results, assert_same, same_as_runtime, snapshot
from tests.networks.devices import (  # noqa: F401
    ENGINES,
    Engine,
    pytest_generate_tests,
    reference,
    under,
)


def _network(delay: Any = None, scalar: Any = None, size: int = 9) -> Any:
    """A source that spikes at irregular steps, a target that counts, a monitor of both."""
    source = NeuronGroup(
        size,
        "left : integer\nheard_back : 1",
        threshold="(t_in_timesteps*7 + i*11) % 23 == 0",
        name="source",
    )
    target = NeuronGroup(
        size,
        "dv/dt = -v/(5*ms) : 1\nhits : integer",
        threshold="v > 1.9073",
        reset="v = 0",
        method="exact",
        name="target",
    )
    synapses = Synapses(
        source,
        target,
        "w : 1",
        on_pre="v_post += w; hits_post += 1",
        on_post="heard_back_pre += w",
        delay=scalar,
        name="synapses",
    )
    synapses.connect("(i + 2*j) % 3 != 0")
    synapses.w = "0.3 + 0.01*i - 0.02*j"
    if delay is not None:
        synapses.delay = delay
    trace = StateMonitor(target, ["v", "hits"], record=True, name="trace")
    return Network(source, target, synapses, trace)


def _objects(network: Any) -> dict[str, Any]:
    return {brian_object.name: brian_object for brian_object in network.objects}


@same_as_runtime
def test_no_delay() -> Any:
    """A spike arrives in the step in which it was sent."""
    network = _network()
    network.run(10 * ms)
    return _objects(network)


@same_as_runtime
def test_zero_delay() -> Any:
    """As no delay."""
    network = _network(scalar=0 * ms)
    network.run(10 * ms)
    return _objects(network)


@same_as_runtime
def test_homogeneous_delay() -> Any:
    """One delay for the whole object; not a multiple of the step."""
    network = _network(scalar=1.27 * ms)
    network.run(10 * ms)
    return _objects(network)


@same_as_runtime
def test_one_value_for_all_synapses() -> Any:
    """A delay a synapse, all equal."""
    network = _network(delay=1.3 * ms)
    network.run(10 * ms)
    return _objects(network)


@same_as_runtime
def test_heterogeneous_delays() -> Any:
    """By an expression, with zero among them."""
    network = _network(delay="((i*5 + j*3) % 17)*0.13*ms")
    network.run(15 * ms)
    return _objects(network)


@same_as_runtime
def test_heterogeneous_delays_by_array() -> Any:
    """Many distinct values, long and short."""
    network = _network()
    synapses = network["synapses"]
    synapses.delay = np.random.RandomState(7).exponential(3, len(synapses)) * ms
    network.run(20 * ms)
    return _objects(network)


@same_as_runtime
def test_delays_at_half_steps_are_rounded_as_in_brian2() -> Any:
    """Exactly between two steps."""
    network = _network(delay="(0.05 + 0.1*(i % 5))*ms")
    network.run(10 * ms)
    return _objects(network)


@same_as_runtime
def test_hundreds_of_delays_near_half_steps() -> Any:
    """Quotients of delay and step that lie on one side of a half, by the last digit only."""
    size = 200
    source = SpikeGeneratorGroup(size, range(size), np.zeros(size) * ms)
    target = NeuronGroup(size, "early : second\nlate : second")
    expressions = Synapses(source, target, on_pre="early_post = t")
    expressions.connect(j="i")
    expressions.delay = "0.31*i*ms"
    values = Synapses(source, target, on_pre="late_post = t")
    values.connect(j="i")
    values.delay = np.arange(size) * 0.15 * ms
    run(63 * ms)
    return target


@same_as_runtime
def test_delay_longer_than_the_run() -> Any:
    """Nothing arrives in the first run; all of it arrives in the third."""
    network = _network(scalar=25 * ms)
    hits = []
    for _ in range(4):
        network.run(10 * ms)
        hits.append(int(np.sum(network["target"].hits)))
    assert hits[0] == hits[1] == 0 < hits[2] < hits[3]
    return _objects(network), hits


@same_as_runtime
def test_very_long_heterogeneous_delays() -> Any:
    """Seconds and single steps in one object."""
    network = _network(delay="0.1*ms + 3*second*int(i % 4 == 0)")
    network.run(20 * ms)
    return _objects(network)


@same_as_runtime
def test_delays_of_several_pathways() -> Any:
    """Each pathway has its own, scalar or not; also backwards."""
    group = NeuronGroup(
        6, "x : 1\ny : 1\nz : 1", threshold="(t_in_timesteps + 5*i) % 31 == 0", name="group"
    )
    synapses = Synapses(
        group,
        group,
        on_pre={"quick": "x_post += 1 + 0.1*i", "slow": "y_post += x_post"},
        on_post="z_pre += y_pre + 0.3",
        delay={"quick": 0.4 * ms},
    )
    synapses.connect("i != j")
    synapses.slow.delay = "2.2*ms + i*0.1*ms"
    synapses.post.delay = "j*0.7*ms"
    trace = StateMonitor(group, ["x", "y", "z"], record=True)
    run(15 * ms)
    return group, synapses, trace


@same_as_runtime
def test_order_of_arrivals_at_one_target() -> Any:
    """Spikes of different age that arrive in one step; the code doesn't commute."""
    source = SpikeGeneratorGroup(3, [0, 1, 2, 2], [0, 1, 2, 0.5] * ms)
    target = NeuronGroup(1, "x : 1")
    synapses = Synapses(source, target, "w : 1", on_pre="x_post = x_post*0.5 + w")
    synapses.connect()
    synapses.w = [1, 10, 100]
    synapses.delay = [3, 2, 1] * ms
    trace = StateMonitor(target, "x", record=True)
    run(6 * ms)
    return trace


_CHANGES: dict[str, Callable[[Any], None]] = {
    "longer": lambda synapses: synapses.delay.__setitem__(slice(None), 4.2 * ms),
    "shorter": lambda synapses: synapses.delay.__setitem__(slice(None), 0.2 * ms),
    "heterogeneous": lambda synapses: synapses.delay.__setitem__(slice(None), "(i + j)*0.3*ms"),
    "some": lambda synapses: synapses.delay.__setitem__("i > 4", 7 * ms),
}


@pytest.mark.parametrize("change", _CHANGES)
def test_delays_changed_between_runs(change: str, engine: Engine) -> None:
    """Spikes in flight keep their old delay; new ones get the new one."""
    results = []
    for device in (reference(), under(engine)):
        with device:
            network = _network(delay="2*ms + 0.1*ms*(j % 3)")
            network.run(5 * ms)
            _CHANGES[change](network["synapses"])
            network.run(12 * ms)
            results.append(snapshot(_objects(network)))
    assert_same(results[1], results[0])


@same_as_runtime
def test_scalar_delay_changed_between_runs() -> Any:
    """The same for a homogeneous delay."""
    network = _network(scalar=2 * ms)
    network.run(5 * ms)
    network["synapses"].pre.delay = 0.5 * ms
    network.run(5 * ms)
    network["synapses"].pre.delay = 6 * ms
    network.run(12 * ms)
    return _objects(network)


@pytest.mark.parametrize("steps", ((0.1, 0.05), (0.2, 0.1)))
def test_step_changed_between_runs(steps: tuple[float, float], engine: Engine) -> None:
    """Spikes in flight keep their time of arrival."""
    results = []
    for device in (reference(), under(engine)):
        with device:
            defaultclock.dt = steps[0] * ms
            network = _network(delay="1*ms + (i % 5)*0.6*ms")
            network.run(6 * ms)
            defaultclock.dt = steps[1] * ms
            network.run(9 * ms)
            results.append(snapshot(_objects(network)))
    assert_same(results[1], results[0])


@pytest.mark.parametrize("each", ENGINES, ids=str)
def test_a_longer_step_loses_no_spike(each: Engine) -> None:
    """Two old steps become one. Brian2's queue keeps only the spikes of the later one
    (``prepare`` in cspikequeue.cpp assigns the slot), so this is checked without it."""
    with under(each):
        defaultclock.dt = 0.1 * ms
        source = SpikeGeneratorGroup(6, range(6), [0.3] * 6 * ms)
        target = NeuronGroup(1, "heard : integer")
        synapses = Synapses(source, target, on_pre="heard_post += 1")
        synapses.connect()
        synapses.delay = "1*ms + i*0.1*ms"
        network = Network(source, target, synapses)
        network.run(1 * ms)
        assert target.heard[0] == 0
        defaultclock.dt = 0.2 * ms
        network.run(2 * ms)
        assert target.heard[0] == 6


@pytest.mark.parametrize("each", ENGINES, ids=str)
def test_step_changed_together_with_the_network(each: Engine) -> None:
    """A new monitor makes a new program; it counts the spikes in flight in the new step."""
    results = []
    for device in (reference(), under(each)):
        with device:
            network = _network(delay="((i*5 + j*3) % 17)*0.43*ms")
            network.run(5 * ms)
            network.add(SpikeMonitor(network["synapses"].target, name="late"))
            defaultclock.dt = 0.05 * ms
            network.run(8 * ms)
            results.append(snapshot(_objects(network)))
    assert_same(results[1], results[0])


@same_as_runtime
def test_delays_on_a_slower_clock() -> Any:
    """Source and target have different steps."""
    source = NeuronGroup(4, "", threshold="(t_in_timesteps + i) % 7 == 0", dt=0.3 * ms)
    target = NeuronGroup(4, "dv/dt = -v/(3*ms) : 1", method="exact", dt=0.1 * ms)
    synapses = Synapses(source, target, on_pre="v_post += 1 + 0.1*i")
    synapses.connect("i != j")
    synapses.delay = "(i + 1)*0.5*ms"
    trace = StateMonitor(target, "v", record=True)
    run(15 * ms)
    return trace


def _finish(network: Any) -> Results:
    network.run(8 * ms)
    return snapshot(_objects(network))


@pytest.mark.parametrize("each", ENGINES, ids=str)
@pytest.mark.parametrize("delay", ("2.3*ms", "((i*5 + j*3) % 17)*0.43*ms"))
def test_store_and_restore_with_spikes_in_flight(delay: str, each: Engine) -> None:
    """Restoring brings spikes in flight back, as often as one likes, in every engine."""
    results = []
    for device in (reference(), under(each)):
        with device:
            network = _network(delay=delay)
            network.run(5 * ms)
            network.store()
            first = _finish(network)
            network.restore()
            assert_same(_finish(network), first)
            network.restore()
            network["synapses"].delay = 0.5 * ms
            changed = _finish(network)
            results.append((first, changed))
    assert_same(results[1][0], results[0][0])
    assert_same(results[1][1], results[0][1])


@pytest.mark.parametrize("delay", ("2.3*ms", "((i*5 + j*3) % 17)*0.43*ms"))
@pytest.mark.parametrize("writer", ("runtime", "ours"))
def test_stored_files_interchange_with_runtime_mode(
    writer: str, delay: str, engine: Engine, tmp_path: Path
) -> None:
    """A file that one device wrote in the middle of a simulation is continued by the other."""
    file = str(tmp_path / "a stored network")
    sides = [reference(), under(engine)]
    first, second = sides if writer == "runtime" else reversed(sides)
    with first:
        network = _network(delay=delay)
        network.run(5 * ms)
        network.store(filename=file)
        expected = _finish(network)
    with second:
        network = _network(delay=delay)  # a stored network doesn't hold its delays
        network.restore(filename=file)
        assert_same(_finish(network), expected)


def test_spikes_in_flight_at_the_end_of_a_run(engine: Engine) -> None:
    """One run of 12 ms equals 4 runs of 3 ms."""
    results = []
    with under(engine):
        for pieces in (1, 4):
            network = _network(delay="((i*5 + j*3) % 17)*0.43*ms")
            for _ in range(pieces):
                network.run(12 * ms / pieces)
            results.append(snapshot(_objects(network)))
    assert_same(results[1], results[0])
