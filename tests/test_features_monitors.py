"""All monitors with all their options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import (
    Clock,
    EventMonitor,
    Network,
    NeuronGroup,
    PopulationRateMonitor,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
    run,
)

from tests.networks.compare import same_as_runtime
from tests.networks.devices import (  # noqa: F401
    Engine,
    pytest_generate_tests,
    under,
)


def _group(size: int = 8) -> Any:
    group = NeuronGroup(
        size,
        """dv/dt = (1.5 + 0.03*i - v)/(5*ms) : 1
        doubled = 2*v : 1
        n : integer
        level : 1 (shared)""",
        threshold="v > 1.0013",
        reset="v = 0; n += 1",
        method="euler",
    )
    group.v = np.linspace(0, 0.9, size)
    return group


@same_as_runtime
def test_spike_monitor_options() -> Any:
    """``record`` as True, False, indices and a range; ``variables``; ``when`` and ``order``."""
    group = _group()
    monitors = {
        "all": SpikeMonitor(group),
        "counts": SpikeMonitor(group, record=False),
        "some": SpikeMonitor(group, record=[1, 5]),
        "range": SpikeMonitor(group, record=range(2, 6)),
        "variables": SpikeMonitor(group, ["v", "doubled", "n", "level"]),
        "late": SpikeMonitor(group, "v", when="end", order=1),
    }
    Network(group, *monitors.values()).run(20 * ms)
    assert np.all(np.array(monitors["late"].v) == 0)
    trains = {
        f"{name} {index}": np.array(times)
        for name, monitor in monitors.items()
        if name != "counts"
        for index, times in monitor.spike_trains().items()
    }
    return monitors, trains, monitors["variables"].values("v")


@same_as_runtime
def test_spike_monitor_of_subgroups() -> Any:
    """Indices count from the subgroup's beginning."""
    group = _group(12)
    monitors = SpikeMonitor(group[3:7], "v"), SpikeMonitor(group[3:12][2:5])
    Network(group, monitors).run(15 * ms)
    return monitors


@same_as_runtime
def test_event_monitor() -> Any:
    """Custom events, recorded with variables."""
    group = NeuronGroup(
        5,
        "dv/dt = (sin(2*pi*(40 + 5*i)*Hz*t) - v)/(3*ms) : 1",
        events={"high": "v > 0.5037", "low": "v < -0.5003"},
        method="euler",
    )
    high, low = EventMonitor(group, "high", "v"), EventMonitor(group, "low", record=[0, 2])
    run(40 * ms)
    return high, low


@same_as_runtime
def test_state_monitor_options() -> Any:
    """``record`` in all its forms, ``dt``, ``clock``, ``when``, ``order``; all kinds of values."""
    group = _group()
    clock = Clock(0.7 * ms)
    monitors = (
        StateMonitor(group, "v", record=True),
        StateMonitor(group, ["v", "n", "doubled"], record=[0, 3, 7]),
        StateMonitor(group, "v", record=2, dt=0.5 * ms),
        StateMonitor(group, "v", record=range(1, 5), clock=clock, when="end", order=-1),
        StateMonitor(group, "level", record=True),
        StateMonitor(group, "n", record=np.array([1, 2])),
        StateMonitor(group[3:6], "v", record=True, when="resets", order=-1),
        StateMonitor(group, True, record=[0]),
    )
    group.run_regularly("level = t/ms", dt=1 * ms)
    Network(group, monitors).run(11 * ms)
    return monitors, monitors[1][3].v, np.array(monitors[0].t)


@same_as_runtime
def test_state_monitor_of_synapses() -> Any:
    """Synaptic variables by index, by pair and by condition; per synapse expressions."""
    group = _group()
    synapses = Synapses(
        group,
        group,
        "w : 1\ndx/dt = -x/(5*ms) : 1 (clock-driven)\ny = w*x : 1",
        on_pre="x += w; w *= 0.97",
        method="exact",
    )
    synapses.connect("i != j")
    synapses.w = "0.1*i + 0.01*j"
    monitors = (
        StateMonitor(synapses, ["w", "x", "y"], record=True, dt=1 * ms),
        StateMonitor(synapses, "w", record=[3, 8]),
        StateMonitor(synapses, "w", record=synapses[2, :]),
        StateMonitor(synapses, "x", record=synapses["i == 1 and j > 4"]),
    )
    Network(group, synapses, monitors).run(12 * ms)
    return monitors


@same_as_runtime
def test_state_monitor_records_at_once() -> Any:
    """``record_single_timestep`` after a run."""
    group = _group()
    monitor = StateMonitor(group, "v", record=True, dt=5 * ms)
    run(12 * ms)
    monitor.record_single_timestep()
    return monitor


@same_as_runtime
def test_rate_monitor() -> Any:
    """Whole groups, subgroups and generators; smoothed rates."""
    group = _group(20)
    generator = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 1, 1, 4] * ms)
    monitors = (
        PopulationRateMonitor(group),
        PopulationRateMonitor(group[5:9]),
        PopulationRateMonitor(generator),
    )
    Network(group, generator, monitors).run(30 * ms)
    smooth = monitors[0].smooth_rate(window="gaussian", width=1 * ms)
    return monitors, np.array(smooth), np.array(monitors[0].smooth_rate("flat", 0.5 * ms))


@same_as_runtime
def test_monitors_switched_on_and_off() -> Any:
    """``active`` between runs, of every kind of monitor."""
    group = _group()
    monitors = (
        SpikeMonitor(group),
        StateMonitor(group, "v", record=True),
        PopulationRateMonitor(group),
    )
    network = Network(group, monitors)
    for active in (True, False, True):
        for monitor in monitors:
            monitor.active = active
        network.run(7 * ms)
    return monitors


@same_as_runtime
def test_monitors_added_and_removed_between_runs() -> Any:
    """A monitor that comes later, and one that goes."""
    group = _group()
    first = SpikeMonitor(group)
    network = Network(group, first)
    network.run(7 * ms)
    second = StateMonitor(group, "v", record=[0])
    network.add(second)
    network.run(7 * ms)
    network.remove(first)
    network.run(7 * ms)
    return first, second


@same_as_runtime
def test_monitors_that_outgrow_their_room() -> Any:
    """Hundreds of thousands of entries."""
    group = NeuronGroup(3000, "v : 1", threshold="(t_in_timesteps + i) % 3 == 0", reset="v += 1")
    spikes = SpikeMonitor(group, "v")
    trace = StateMonitor(group, "v", record=range(0, 3000, 7))
    run(30 * ms)
    assert spikes.num_spikes == 300_000
    return spikes, trace


def test_a_deleted_monitor_stops_recording(engine: Engine) -> None:
    """Magic networks forget objects that are gone."""
    with under(engine):
        group = _group()
        monitor = SpikeMonitor(group)
        run(5 * ms)
        before = monitor.num_spikes
        del monitor
        kept = SpikeMonitor(group, name="kept")
        run(20 * ms, namespace={})
        assert kept.num_spikes > before


@pytest.mark.parametrize("times", ([0.5, 3.25, 9.5], [0, 9.9]))
def test_snapshots_at_given_times(times: list[float], engine: Engine) -> None:
    """Recording at irregular times, where Brian2 has ``EventClock``."""
    event_clock = pytest.importorskip("brian2.core.clocks").__dict__.get("EventClock")
    if event_clock is None:
        pytest.skip("this Brian2 has no EventClock")
    with under(engine):
        group = NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
        monitor = StateMonitor(group, "v", record=True, clock=event_clock(times * ms))
        run(10 * ms)
        assert len(monitor.t) == len(times)
