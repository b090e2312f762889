"""Runs: clocks, schedules, several runs and networks, storing, stopping, operations, reports."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    BrianObject,
    Clock,
    Network,
    NetworkOperation,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    defaultclock,
    ms,
    mV,
    network_operation,
    prefs,
    profiling_summary,
    restore,
    run,
    second,
    seed,
    stop,
    store,
)

from tests.networks.compare import assert_same, same_as_runtime, snapshot
from tests.networks.devices import (  # noqa: F401
    Engine,
    pytest_generate_tests,
    reference,
    under,
)


def _group(size: int = 6, **options: Any) -> Any:
    group = NeuronGroup(
        size,
        "dv/dt = (1.5 + 0.03*i + drive - v)/(5*ms) : 1\ndrive : 1\nn : integer",
        threshold="v > 1.0013",
        reset="v = 0; n += 1",
        method="euler",
        **options,
    )
    group.v = np.linspace(0, 0.9, size)
    return group


# ---------------------------------------------------------------- clocks and schedules
@same_as_runtime
def test_several_clocks() -> Any:
    """Groups, synapses, monitors and operations with steps of their own in one run."""
    fast, slow = _group(dt=0.05 * ms), _group(dt=0.3 * ms)
    synapses = Synapses(fast, slow, on_pre="drive_post += 0.03", on_post="drive_pre -= 0.02")
    synapses.connect("i != j")
    slow.run_regularly("drive *= 0.9", dt=0.7 * ms)
    spikes, slow_spikes = SpikeMonitor(fast), SpikeMonitor(slow)
    trace = StateMonitor(slow, "v", record=True, dt=0.1 * ms)
    run(15 * ms)
    return fast, slow, spikes, slow_spikes, trace


@same_as_runtime
def test_clock_whose_step_does_not_divide_the_run() -> Any:
    """A run ends between two steps of a clock."""
    group = _group(dt=0.7 * ms)
    other = _group()
    trace = StateMonitor(group, "v", record=True)
    run(2.5 * ms)
    run(2.5 * ms)
    return group, other, trace


@same_as_runtime
def test_step_changed_between_runs() -> Any:
    """``defaultclock.dt`` and ``clock.dt``."""
    group, other = _group(), _group(dt=0.2 * ms)
    trace, other_trace = (StateMonitor(g, "v", record=True) for g in (group, other))
    network = Network(group, other, trace, other_trace)
    network.run(4 * ms)
    defaultclock.dt = 0.05 * ms
    network.run(4 * ms)
    other.clock.dt = 0.4 * ms
    network.run(4 * ms)
    return group, trace, other_trace


@same_as_runtime
def test_explicit_clock_and_default_clock() -> Any:
    """A ``Clock`` shared by several objects."""
    clock = Clock(0.25 * ms, name="shared_clock")
    one, two = _group(clock=clock), _group(clock=clock)
    trace = StateMonitor(one, "v", record=True, clock=clock)
    run(5 * ms)
    assert abs(float(clock.t / ms) - 5) < 1e-12
    return one, two, trace


@same_as_runtime
def test_schedule_of_the_network() -> Any:
    """Another order of slots, and slots of one's own."""
    group = _group()
    synapses = Synapses(group, group, on_pre="v_post += 0.17")
    synapses.connect("i != j")
    network = Network(group, synapses)
    trace = StateMonitor(group, "v", record=True, when="after_resets")
    network.add(trace)
    network.schedule = ["start", "groups", "thresholds", "resets", "synapses", "end"]
    network.run(5 * ms)
    network.schedule = ["start", "synapses", "mine", "groups", "thresholds", "resets", "end"]
    group.resetter["spike"].when = "mine"
    network.run(5 * ms)
    return group, trace


@same_as_runtime
def test_schedule_by_preference() -> Any:
    """``prefs.core.network.default_schedule``."""
    prefs.core.network.default_schedule = [
        "start", "groups", "thresholds", "resets", "synapses", "end",
    ]  # fmt: skip
    group = _group()
    synapses = Synapses(group, group, on_pre="v_post += 0.17")
    synapses.connect("i != j")
    network = Network(group, synapses)
    network.run(5 * ms)
    return group


@same_as_runtime
def test_when_and_order_of_everything() -> Any:
    """Every kind of object at an unusual place."""
    group = _group()
    group.state_updater.order = 3
    group.thresholder["spike"].when = "before_groups"
    group.resetter["spike"].when = "after_end"
    synapses = Synapses(group, group, on_pre="drive_post += 0.05")
    synapses.connect("i != j")
    synapses.pre.when = "start"
    group.run_regularly("drive *= 0.9", when="thresholds", order=-2)
    traces = [
        StateMonitor(group, ["v", "drive"], record=True, when=when, order=order)
        for when, order in (("start", -5), ("after_groups", 0), ("thresholds", 9), ("end", 0))
    ]
    Network(group, synapses, traces).run(8 * ms)
    return group, traces


# ---------------------------------------------------------------- runs and networks
@same_as_runtime
def test_many_short_runs() -> Any:
    """Pieces add up to the whole."""
    group = _group()
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, "v", record=[1])
    network = Network(group, spikes, trace)
    for _ in range(12):
        network.run(0.7 * ms)
    return group, spikes, trace


@same_as_runtime
def test_values_set_between_runs() -> Any:
    """By arrays, strings, conditions, slices and subgroups."""
    group = _group()
    spikes = SpikeMonitor(group)
    network = Network(group, spikes)
    network.run(5 * ms)
    group.v = 0.5
    group.drive[2:4] = "0.1*i"
    network.run(5 * ms)
    group.v["v > 0.7"] = "v/2"
    group[3:].drive = [0.3, 0.2, 0.1]
    network.run(5 * ms)
    group.v[::2] += 0.1
    network.run(0 * ms)
    network.run(5 * ms)
    return group, spikes


@same_as_runtime
def test_external_constants_changed_between_runs() -> Any:
    """Constants are looked up anew by each run."""
    group = NeuronGroup(3, "dv/dt = (target - v)/(3*ms) : 1", method="euler")
    trace = StateMonitor(group, "v", record=True)
    network = Network(group, trace)
    for target in (1.0, -2.0, 3):
        network.run(3 * ms, namespace={"target": target})
    return trace


@same_as_runtime
def test_several_networks() -> Any:
    """Networks with times of their own, run in turn."""
    one, two = _group(4), _group(7)
    first = Network(one, SpikeMonitor(one, name="first_spikes"))
    second = Network(two, SpikeMonitor(two, name="second_spikes"))
    first.run(5 * ms)
    second.run(3 * ms)
    first.run(4 * ms)
    second.run(6 * ms)
    assert first.t == second.t == 9 * ms
    return one, two, first["first_spikes"], second["second_spikes"]


@same_as_runtime
def test_magic_network_that_starts_anew() -> Any:
    """New objects begin at time 0; an object that is gone is out."""
    results = []
    for size in (3, 5):
        group = _group(size)
        spikes = SpikeMonitor(group)
        run(6 * ms)
        results.append((np.array(group.v), np.array(spikes.t), size))
        del group, spikes
    return results


@same_as_runtime
def test_magic_network_continues() -> Any:
    """The same objects go on."""
    group = _group()
    spikes = SpikeMonitor(group)
    run(6 * ms)
    run(6 * ms)
    return group, spikes


@same_as_runtime
def test_objects_added_and_removed() -> Any:
    """``net.add`` and ``net.remove`` between runs."""
    group, other = _group(), _group(3)
    synapses = Synapses(other, group, on_pre="drive_post += 0.05")
    synapses.connect()
    network = Network(group)
    network.run(3 * ms)
    network.add(other, synapses)
    network.run(5 * ms)
    network.remove(synapses)
    network.run(3 * ms)
    return group, other


@same_as_runtime
def test_inactive_objects() -> Any:
    """``active`` of a group, its reset, and a regular operation."""
    group, other = _group(), _group()
    operation = group.run_regularly("drive += 0.05", dt=1 * ms)
    network = Network(group, other)
    network.run(3 * ms)
    operation.active = False
    other.active = False
    network.run(3 * ms)
    group.resetter["spike"].active = False
    other.active = True
    network.run(3 * ms)
    return group, other


@same_as_runtime
def test_no_steps() -> Any:
    """A run of no time sets things up and changes nothing."""
    group = _group()
    trace = StateMonitor(group, "v", record=True)
    run(0 * ms)
    return group, trace


def test_negative_duration_raises(engine: Engine) -> None:
    """As in Brian2."""
    with under(engine):
        group = _group()
        with pytest.raises(ValueError, match="negative"):
            Network(group).run(-1 * ms)
        with pytest.raises(brian2.DimensionMismatchError):
            Network(group).run(3 * mV)


# ---------------------------------------------------------------- store, restore, states
@same_as_runtime
def test_store_and_restore() -> Any:
    """Several named states, restored in any order."""
    group = _group()
    spikes = SpikeMonitor(group)
    network = Network(group, spikes)
    network.store("begin")
    network.run(6 * ms)
    network.store("middle")
    first = np.array(group.v)
    network.run(6 * ms)
    network.restore("begin")
    assert network.t == 0 * ms and spikes.num_spikes == 0
    network.run(6 * ms)
    assert np.array_equal(group.v, first)
    network.restore("middle")
    network.run(3 * ms)
    return group, spikes


@same_as_runtime
def test_store_and_restore_of_magic_networks() -> Any:
    """``store()`` and ``restore()`` without a Network."""
    group = _group()
    spikes = SpikeMonitor(group)
    run(6 * ms)
    store()
    run(6 * ms)
    restore()
    run(2 * ms)
    return group, spikes


@pytest.mark.parametrize("writer", ("runtime", "ours"))
def test_stored_files_interchange(writer: str, engine: Engine, tmp_path: Path) -> None:
    """A file written by the other device is continued."""
    file = str(tmp_path / "state of a network")

    def network() -> Any:
        group = _group(name="stored_group")
        return Network(group, SpikeMonitor(group, name="stored_spikes"))

    sides = [reference(), under(engine)]
    first, second = sides if writer == "runtime" else reversed(sides)
    results = []
    with first:
        net = network()
        net.run(5 * ms)
        net.store(filename=file)
        net.run(5 * ms)
        results.append(snapshot({obj.name: obj for obj in net.objects}))
    with second:
        net = network()
        net.restore(filename=file)
        assert net.t == 5 * ms
        net.run(5 * ms)
        results.append(snapshot({obj.name: obj for obj in net.objects}))
    assert_same(results[1], results[0])


@same_as_runtime
def test_get_and_set_states() -> Any:
    """Of a group and of a network."""
    group = _group(name="stateful")
    synapses = Synapses(group, group, "w : 1", on_pre="drive_post += w", name="connections")
    synapses.connect("i != j")
    synapses.w = 0.1
    network = Network(group, synapses)
    network.run(5 * ms)
    states = network.get_states(units=False)
    group_states = group.get_states(["v", "n"], units=False)
    network.run(5 * ms)
    network.set_states({"stateful": {"v": states["stateful"]["v"]}}, units=False)
    group.set_states({"drive": 0.5}, units=False)
    network.run(2 * ms)
    kept = {key: value for key, value in states["stateful"].items() if key != "N"}
    return group, kept, group_states


# ---------------------------------------------------------------- Python in the loop
@same_as_runtime
def test_network_operation() -> Any:
    """Python functions with and without ``t``, at different places and steps."""
    group = _group()
    seen: list[float] = []

    @network_operation(dt=1 * ms, when="end")
    def note(t: Any) -> None:
        seen.append(float(t / ms))

    @network_operation(when="after_thresholds", order=1)
    def push() -> None:
        group.v_[0] += 0.01
        group.drive_[:] = group.drive_[:] + 0.001 * group.v_[:]

    spikes = SpikeMonitor(group)
    run(7 * ms)
    return group, spikes, seen


@same_as_runtime
def test_network_operation_that_reads_monitors_and_spikes() -> Any:
    """What was recorded up to now can be read in the loop."""
    group = _group()
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, "v", record=[0])
    seen: list[tuple[int, int, float]] = []

    @network_operation(dt=2 * ms, when="end")
    def look(t: Any) -> None:
        seen.append((spikes.num_spikes, len(trace.t), float(trace.v[0, -1])))

    run(9 * ms)
    return seen


@same_as_runtime
def test_network_operations_of_a_class() -> Any:
    """A ``NetworkOperation`` made from a bound method, and one that is made by hand."""

    class Controller:
        def __init__(self, group: Any) -> None:
            self.group = group
            self.calls = 0

        def step(self) -> None:
            self.calls += 1
            self.group.drive = 0.1 * self.calls

    group = _group()
    controller = Controller(group)
    operation = NetworkOperation(controller.step, dt=1.5 * ms)
    network = Network(group, operation)
    network.run(10 * ms)
    return group, controller.calls


@same_as_runtime
def test_stop_from_an_operation() -> Any:
    """``stop()`` and ``net.stop()`` end the run after the step; the next run goes on."""
    group = _group()
    spikes = SpikeMonitor(group)
    network = Network(group, spikes)

    @network_operation(dt=0.1 * ms)
    def watch(t: Any) -> None:
        if abs(t / ms - 3) < 0.01:
            network.stop()
        if abs(t / ms - 5) < 0.01:
            stop()

    network.add(watch)
    times = []
    for _ in range(3):
        network.run(10 * ms)
        times.append(float(network.t / ms))
    return group, spikes, times


@same_as_runtime
def test_objects_with_a_run_method_of_their_own() -> Any:
    """A user's BrianObject that does Python things in ``run``, ``before_run`` and ``after_run``."""

    class Counter(BrianObject):
        add_to_magic_network = True

        def __init__(self, group: Any) -> None:
            super().__init__(when="before_resets", name="counter*")
            self.group, self.log = group, [0, 0, 0]

        def before_run(self, run_namespace: Any) -> None:
            self.log[0] += 1

        def run(self) -> None:
            self.log[1] += len(self.group.spikes)

        def after_run(self) -> None:
            self.log[2] += 1

    group = _group()
    counter = Counter(group)
    run(10 * ms)
    run(10 * ms)
    assert counter.log[1] > 0
    return group, counter.log


# ---------------------------------------------------------------- seeds and types
def test_seed_makes_runs_repeat(engine: Engine) -> None:
    """The same seed, the same numbers; another seed, or none, others; also in set-up code."""

    def noise(seed_value: int | None) -> np.ndarray:
        seed(seed_value)
        group = NeuronGroup(50, "dv/dt = -v/(5*ms) + xi*ms**-0.5 : 1\nw : 1", method="euler")
        group.v = "rand()"
        group.w = "randn()"
        synapses = Synapses(group, group, "u : 1")
        synapses.connect(p=0.2)
        synapses.u = "rand()"
        network = Network(group, synapses)
        network.run(1 * ms)
        parts = (group.v, group.w, synapses.u, synapses.i, synapses.j)
        return np.concatenate([np.array(part, dtype=float) for part in parts])

    with under(engine):
        assert np.array_equal(noise(3), noise(3))
        assert not np.array_equal(noise(3)[:50], noise(4)[:50])
        assert not np.array_equal(noise(None)[:50], noise(None)[:50])


def test_random_numbers_go_on_between_runs(engine: Engine) -> None:
    """Two runs of 2 ms draw what one run of 4 ms draws; ``seed`` between them starts anew."""
    with under(engine):
        results = []
        for pieces in (1, 2):
            seed(8)
            group = NeuronGroup(20, "dv/dt = xi*ms**-0.5 : 1", method="euler", name=f"g{pieces}")
            network = Network(group)
            for _ in range(pieces):
                network.run(4 * ms / pieces)
            results.append(np.array(group.v))
        assert np.allclose(results[0], results[1], rtol=1e-12)
        group.v = 0
        seed(8)
        network.run(2 * ms)
        first = np.array(group.v)
        group.v = 0
        seed(8)
        network.run(2 * ms)
        assert np.array_equal(first, np.array(group.v))


def test_restore_with_and_without_the_random_state(engine: Engine) -> None:
    """``restore_random_state=True`` repeats the numbers; without it they go on."""
    with under(engine):
        seed(5)
        group = NeuronGroup(20, "dv/dt = xi*ms**-0.5 : 1", method="euler")
        network = Network(group)
        network.run(1 * ms)
        network.store()
        results: list[np.ndarray] = []
        for again in ({}, {"restore_random_state": True}, {"restore_random_state": False}):
            if results:
                network.restore(**again)
            network.run(1 * ms)
            results.append(np.array(group.v))
        assert np.array_equal(results[0], results[1])
        assert not np.array_equal(results[0], results[2])


def test_float32_as_the_default_type(engine: Engine) -> None:
    """States and monitors in single precision, and right to single precision."""
    results = []
    for device in (reference(), under(engine)):
        with device:
            prefs.core.default_float_dtype = np.float32
            group = _group()
            synapses = Synapses(group, group, "w : 1", on_pre="drive_post += w")
            synapses.connect("i != j")
            synapses.w = 0.031
            synapses.delay = "i*0.3*ms"
            trace = StateMonitor(group, "v", record=True)
            spikes = SpikeMonitor(group)
            run(8 * ms)
            assert group.variables["v"].dtype == np.float32
            results.append(snapshot((group, synapses, trace, spikes)))
    assert_same(results[1], results[0], relative=2e-5, of_largest=1e-5)


# ---------------------------------------------------------------- reports and profiles
def test_report_as_text(engine: Engine) -> None:
    """``report="text"`` and a file-like object write Brian2's lines."""
    with under(engine):
        group = _group()
        target, before = io.StringIO(), sys.stdout
        sys.stdout = target
        try:
            Network(group).run(5 * ms, report="text")
        finally:
            sys.stdout = before
    assert "Starting simulation" in target.getvalue()
    assert "5. ms (100%) simulated" in target.getvalue()


def test_report_as_a_function(engine: Engine) -> None:
    """It is called at the beginning, in between, and at the end."""
    calls: list[tuple[float, float, float, float]] = []

    def report(elapsed: Any, completed: float, start: Any, duration: Any) -> None:
        calls.append((float(elapsed), completed, float(start), float(duration)))

    with under(engine):
        group = _group()

        @network_operation(dt=1 * ms)
        def rest() -> None:
            import time

            time.sleep(0.02)

        network = Network(group, rest)
        network.run(10 * ms, report=report, report_period=50 * ms)
        network.run(1 * ms, report=report)
    assert len(calls) >= 5
    first_run = [call for call in calls if call[2] == 0]
    assert first_run[0][1] == 0 and first_run[-1][1] == 1
    assert all(a[1] <= b[1] for a, b in zip(first_run, first_run[1:], strict=False))
    assert calls[-1][1:] == pytest.approx((1.0, 0.010, 0.001))


def test_profile(engine: Engine) -> None:
    """Times by code object; asking without a profile raises."""
    with under(engine):
        group = _group(name="profiled")
        network = Network(group)
        network.run(5 * ms)
        with pytest.raises(ValueError, match="profil"):
            profiling_summary(network)
        network.run(5 * ms, profile=True)
        names = [name for name, _ in network.profiling_info]
        assert {"profiled_stateupdater", "profiled_thresholder", "profiled_resetter"} <= {
            name.removesuffix("_codeobject") for name in names
        } | {name.replace("spike_", "") for name in names}
        assert all(time >= 0 * second for _, time in network.profiling_info)
        assert "profiled" in str(profiling_summary(network))


def test_time_and_progress_are_told(engine: Engine) -> None:
    """``device._last_run_time`` and ``_last_run_completed_fraction``."""
    with under(engine):
        group = _group()
        Network(group).run(5 * ms)
        active = brian2.get_device()
        assert active._last_run_completed_fraction == 1.0
        assert 0 <= active._last_run_time < 60
        assert abs(group.t / ms - 5) < 1e-9
