"""What users of Brian2's standalone mode have: build, device.run with run_args, results folders."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
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
    TimedArray,
    defaultclock,
    device,
    get_device,
    ms,
    mV,
    restore_initial_state,
    seed,
    set_device,
    siemens,
    volt,
)
from brian2.devices.device import reset_device
from brian2.units.fundamentalunits import DimensionMismatchError

import brian2lava  # noqa: F401
from brian2lava.errors import ForeignArray, NotSupported, OptionError


@pytest.fixture(autouse=True)
def fresh_devices() -> Iterator[None]:
    yield
    device.reinit()
    reset_device("runtime")
    restore_initial_state()


def _noisy_network() -> tuple[Network, Any, Any]:
    group = NeuronGroup(
        5,
        """dv/dt = (1.5 - v) / tau + 0.1 * xi / sqrt(tau) : 1
           tau : second (constant)""",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
        name="sweep",
    )
    group.tau = 10 * ms
    synapses = Synapses(group, group, "w : 1", on_pre="v_post += w", delay=0.5 * ms)
    synapses.connect()
    synapses.w = 0.01
    trace = StateMonitor(group, "v", record=True)
    return Network(group, synapses, trace), group, trace


def test_a_repetition_gives_the_same_after_seed() -> None:
    set_device("lava", host="inline", build_on_run=False)
    seed(3)
    net, _, trace = _noisy_network()
    net.run(10 * ms)
    first = np.array(trace.v)
    device.build(run=False)
    device.run()
    np.testing.assert_array_equal(trace.v, first)


def test_a_repetition_draws_other_numbers_without_seed() -> None:
    set_device("lava", host="inline", build_on_run=False)
    seed()
    net, _, trace = _noisy_network()
    net.run(10 * ms)
    first = np.array(trace.v)
    device.run()
    assert trace.v.shape == first.shape
    assert not np.array_equal(trace.v, first)


def test_a_sweep_equals_simulations_from_scratch() -> None:
    def simulate(tau: Any) -> np.ndarray:
        seed(7)
        net, group, trace = _noisy_network()
        group.tau = tau
        net.run(10 * ms)
        return np.array(trace.v)

    set_device("lava", host="inline")
    expected = {tau: simulate(tau * ms) for tau in (5, 20)}
    set_device("lava", host="inline", build_on_run=False)
    seed(7)
    net, group, trace = _noisy_network()
    net.run(10 * ms)
    for tau, values in expected.items():
        device.run(run_args={group.tau: tau * ms})
        np.testing.assert_array_equal(trace.v, values)
        assert group.tau[0] == tau * ms


def test_runs_and_what_is_set_between_them_are_repeated() -> None:
    set_device("lava", host="inline", build_on_run=False)
    group = NeuronGroup(3, "dv/dt = rate : 1\nrate : Hz", name="g")
    spikes = SpikeGeneratorGroup(3, [0], [0.5] * ms)
    synapses = Synapses(spikes, group, on_pre="v_post += 10", delay=1 * ms)
    synapses.connect(j="i")
    net = Network(group, spikes, synapses)
    group.rate = 1 / ms
    net.run(1 * ms)  # the spike arrives in the next run
    group.rate = "2 * rate"
    group.v[2] = 100
    spikes.set_spikes([1], [1.5] * ms)
    net.run(2 * ms)
    expected = np.array(group.v)
    np.testing.assert_allclose(expected, [15, 15, 104], rtol=1e-12)
    device.run()
    np.testing.assert_array_equal(group.v, expected)
    device.run(run_args={group.rate: 2 / ms})
    np.testing.assert_allclose(group.v, [20, 20, 108], rtol=1e-12)
    assert float(net.t) == pytest.approx(0.003)


def test_a_monitor_that_comes_later_and_inactive_objects() -> None:
    set_device("lava", host="inline", build_on_run=False)
    group = NeuronGroup(1, "v : 1", name="g")
    counter = group.run_regularly("v += 1")
    net = Network(group)
    net.run(1 * ms)
    monitor = StateMonitor(group, "v", record=True)
    net.add(monitor)
    counter.active = False
    net.run(1 * ms)
    expected = np.array(monitor.v)
    device.run(run_args={group.v: 5})
    np.testing.assert_array_equal(monitor.v, expected + 5)
    assert not counter.active


def test_settings_after_apply_run_args_depend_on_them() -> None:
    set_device("lava", host="inline", directory=None)
    group = NeuronGroup(4, "v : volt\nw : 1", name="neurons")
    group.v = np.arange(4) * volt
    device.apply_run_args()
    group.w = "2 * v / volt"
    Network(group).run(0 * ms)
    device.run(run_args=["neurons.v=5"])
    np.testing.assert_array_equal(group.w, [10] * 4)
    with pytest.raises(RuntimeError, match="once only"):
        device.apply_run_args()


def test_timed_arrays_are_replaced_for_one_repetition(tmp_path: Path) -> None:
    set_device("lava", host="inline", directory=str(tmp_path))
    current = TimedArray([1, 2, 3] * mV, dt=defaultclock.dt, name="current")
    group = NeuronGroup(1, "v = current(t) : volt")
    trace = StateMonitor(group, "v", record=True)
    net = Network(group, trace)
    namespace = {"current": current}
    net.run(3 * defaultclock.dt, namespace=namespace)
    device.run(run_args={current: [4, 5, 6] * mV})
    np.testing.assert_allclose(trace.v[0] / mV, [4, 5, 6])
    device.run(run_args=["current.values=0.007"])
    np.testing.assert_allclose(trace.v[0] / mV, [7, 7, 7])
    np.array([0.008, 0.009, 0.01]).tofile(tmp_path / "values.dat")
    device.run(run_args=["current.values=values.dat"])
    np.testing.assert_allclose(trace.v[0] / mV, [8, 9, 10])
    np.testing.assert_allclose(current.values, [0.001, 0.002, 0.003])
    device.run()
    np.testing.assert_allclose(trace.v[0] / mV, [1, 2, 3])


def test_run_args_of_other_units_shapes_or_names_are_refused() -> None:
    set_device("lava", host="inline", directory=None)
    group = NeuronGroup(10, "v : volt", name="neurons")
    Network(group).run(0 * ms)
    with pytest.raises(DimensionMismatchError):
        device.run(run_args={group.v: 5 * siemens})
    with pytest.raises(TypeError, match="Incorrect size for variable 'neurons.v'"):
        device.run(run_args={group.v: np.arange(9) * volt})
    with pytest.raises(TypeError, match="VariableView|keys of 'run_args'"):
        device.run(run_args={"neurons.v": 1})
    with pytest.raises(TypeError, match="'neurons.i': it is read-only"):
        device.run(run_args={group.i: 1})
    with pytest.raises(OptionError, match="no variable 'neurons.u'"):
        device.run(run_args=["neurons.u=1"])


def test_results_of_each_run_are_kept_in_folders(tmp_path: Path) -> None:
    set_device("lava", host="inline", directory=str(tmp_path))
    seed(1)
    net, group, trace = _noisy_network()
    spikes = SpikeMonitor(group)
    net.add(spikes)
    net.run(10 * ms)
    kept = {}
    for tau in (5, 20):
        device.run(results_directory=f"tau_{tau}", run_args={group.tau: tau * ms})
        kept[tau] = (np.array(trace.v), np.array(spikes.i), np.array(spikes.t_[:]))
        assert device.results_dir == str(tmp_path / f"tau_{tau}") + "/"
        variable = group.variables["tau"]
        values = np.fromfile(tmp_path / f"tau_{tau}" / device.get_array_filename(variable))
        np.testing.assert_allclose(values, tau * 1e-3)
    assert len(kept[5][1]) != len(kept[20][1])
    for tau, (voltage, index, times) in kept.items():
        device.read_results(f"tau_{tau}")
        np.testing.assert_array_equal(trace.v, voltage)
        np.testing.assert_array_equal(spikes.i, index)
        np.testing.assert_array_equal(spikes.t_[:], times)
    device.delete(directory=False)
    assert [path.name for path in tmp_path.iterdir()] == ["tau_5"]
    with pytest.raises(TypeError, match="relative path"):
        device.run(results_directory=str(tmp_path))


def test_run_args_and_results_directory_of_set_device(tmp_path: Path) -> None:
    set_device(
        "lava",
        host="inline",
        directory=str(tmp_path),
        results_directory="out",
        run_args=["neurons.v=3"],
    )
    group = NeuronGroup(2, "v : 1", name="neurons")
    Network(group).run(0 * ms)
    np.testing.assert_array_equal(group.v, [3, 3])
    name = device.get_array_filename(group.variables["v"])
    np.testing.assert_array_equal(np.fromfile(tmp_path / "out" / name), [3, 3])


def test_what_cannot_be_repeated_is_refused() -> None:
    set_device("lava", host="inline", build_on_run=False)
    with pytest.raises(RuntimeError, match="nothing has run yet"):
        device.run()
    group = NeuronGroup(1, "v : 1", name="g")
    net = Network(group)
    net.run(0.1 * ms)
    value = float(group.v[0])
    group.v = value + 1
    device.run()  # nothing depends on the setting yet
    net.run(0.1 * ms)
    group.v = float(group.v[0]) + 1
    net.run(0.1 * ms)
    with pytest.raises(NotSupported, match=r"g\.v was set after g\.v had been read"):
        device.run()


def test_restore_between_runs_is_refused() -> None:
    set_device("lava", host="inline", build_on_run=False)
    group = NeuronGroup(1, "v : 1")
    net = Network(group)
    net.store()
    net.run(0.1 * ms)
    net.restore()
    with pytest.raises(NotSupported, match="restore\\(\\) was called"):
        device.run()


def test_large_models_are_recorded_when_asked_for() -> None:
    def simulate() -> Any:
        group = NeuronGroup(3_000_000, "v : 1")
        Network(group).run(0 * ms)
        return group

    set_device("lava", host="inline")
    group = simulate()
    with pytest.raises(NotSupported, match="too large to be recorded unasked"):
        device.run()
    del group
    device.reinit()
    set_device("lava", host="inline", directory=None)
    group = simulate()
    device.run(run_args={group.v: 2})
    assert group.v[-1] == 2


def test_a_recording_keeps_no_object_alive() -> None:
    set_device("lava", host="inline")
    for _ in range(3):  # a name that is still taken would raise
        group = NeuronGroup(1, "v : 1", name="only_one")
        net = Network(group)
        net.run(0.1 * ms)
        group.v = 1
        net.run(0.1 * ms)
        del group, net


def _in_a_worker(tau: int) -> float:
    device.run(run_args={_shared["group"].tau: tau * ms})
    return float(np.sum(_shared["trace"].v))


_shared: dict[str, Any] = {}


def test_sweep_in_a_pool() -> None:
    set_device("lava", host="inline", build_on_run=False)
    seed(5)
    net, group, trace = _noisy_network()
    net.run(5 * ms)
    _shared.update(net=net, group=group, trace=trace)
    try:
        here = [_in_a_worker(tau) for tau in (5, 20)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(_in_a_worker, [5, 20]) == here
    finally:
        _shared.clear()


def test_build_needs_build_on_run_false() -> None:
    set_device("lava", host="inline")
    with pytest.raises(RuntimeError, match="build_on_run=False"):
        device.build()
    device.build(direct_call=False)
    with pytest.raises(NotSupported, match="compile=False"):
        set_device("lava", compile=False)
    with pytest.raises(OptionError, match="Did you mean 'threads'"):
        set_device("lava", thread=2)


@pytest.mark.parametrize("slot", ["main", "before_start", "after_network_run", "nowhere"])
def test_insert_code_is_refused(slot: str) -> None:
    set_device("lava", host="inline")
    with pytest.raises(NotSupported, match=f"slot '{slot}' does not exist"):
        device.insert_code(slot, "std::cout << 1;")


@pytest.mark.parametrize("kind", ["group", "synapses", "monitor", "clock", "subgroup"])
def test_objects_made_before_set_device_are_named(kind: str) -> None:
    set_device("runtime")
    group = NeuronGroup(2, "v : 1", threshold="v > 1", name="early_group")
    early = {
        "group": lambda: [],
        "synapses": lambda: [Synapses(group, group, name="early_synapses")],
        "monitor": lambda: [SpikeMonitor(group, name="early_monitor")],
        "clock": lambda: [NeuronGroup(1, "v : 1", dt=1 * ms, name="early_clocked")],
        "subgroup": lambda: [SpikeMonitor(group[:1], name="early_sub_monitor")],
    }[kind]()
    set_device("lava", host="inline")
    net = Network(group, *early)
    with pytest.raises(ForeignArray, match="made before set_device\\('lava'\\)") as raised:
        net.run(1 * ms)
    for name in ("early_group", *(obj.name for obj in early)):
        assert repr(name) in str(raised.value)


def test_devices_take_turns_in_one_process(tmp_path: Path) -> None:
    def simulate() -> np.ndarray:
        group = NeuronGroup(
            3, "dv/dt = (2 - v) / (10*ms) : 1", threshold="v > 1", reset="v = 0", method="euler"
        )
        group.v = "i / 10.0"
        trace = StateMonitor(group, "v", record=True)
        Network(group, trace).run(8 * ms)
        return np.array(trace.v)

    results = []
    for turn in range(2):
        set_device("runtime")
        results.append(simulate())
        set_device("lava", host="inline")
        results.append(simulate())
        device.reinit()
        device.activate(host="inline")
        results.append(simulate())
        set_device("cpp_standalone", directory=str(tmp_path / str(turn)), with_output=False)
        assert get_device().__class__.__name__ == "CPPStandaloneDevice"
        device.reinit()
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-9)
