"""What Brian2 2.10 and 2.11 added or changed in what the device stands on, and what all have."""

from __future__ import annotations

import inspect
import subprocess
from functools import cache
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Network,
    NetworkOperation,
    NeuronGroup,
    PopulationRateMonitor,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    collect,
    ms,
    run,
    second,
)
from brian2.codegen.runtime.cython_rt import CythonCodeObject

from brian2lava.device.versions import reports_unused_objects
from brian2lava.engine.cpu.toolchain import find_compiler
from brian2lava.program import step_program as program
from tests.networks.compare import same_as_runtime
from tests.networks.devices import (  # noqa: F401
    Engine,
    needs_lava_device,
    pytest_generate_tests,
    under,
)

EventClock: Any = getattr(brian2, "EventClock", None)
needs_event_clock = pytest.mark.skipif(EventClock is None, reason="Brian2 has it from 2.10 on")
needs_expressions = pytest.mark.skipif(
    "dtype" not in inspect.signature(StateMonitor.__init__).parameters,
    reason="Brian2 has it from 2.11 on",
)


@cache
def _has_gsl() -> bool:
    compiler = find_compiler()
    if compiler is None:
        return False
    command = [compiler, "-E", "-x", "c", "-include", "gsl/gsl_odeiv2.h", "/dev/null"]
    return subprocess.run(command, capture_output=True).returncode == 0


needs_gsl = pytest.mark.skipif(
    not _has_gsl(), reason="the GNU Scientific Library is not installed (libgsl-dev)"
)


# ---------------------------------------------------------------- clocks with a table of times
@needs_event_clock
@same_as_runtime
def test_statements_and_monitors_at_given_times() -> Any:
    """`run_at`, and a StateMonitor on an event clock: between steps, on them, beyond the run."""
    group = NeuronGroup(
        4,
        """dv/dt = (2 - v)/(10*ms) : 1
        w : 1
        last : second""",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    group.v = "i*0.1"
    group.run_at("w += v*10 + i; last = t", [1.05, 2, 2.00000001, 5, 40] * ms)
    trace = StateMonitor(group, ["v", "w"], record=True, clock=EventClock([0.5, 1, 3.3, 7] * ms))
    spikes = SpikeMonitor(group)
    return group, trace, spikes, run(10 * ms)


@needs_event_clock
@same_as_runtime
def test_several_runs_go_on_in_the_table() -> Any:
    """Runs that end at, before and after the times; the clock's own variables after each."""
    group = NeuronGroup(2, "x : 1")
    group.run_at("x += 1 + t/ms", [0, 1, 2.5, 2.7, 9] * ms)
    clock = EventClock([0.5, 1, 3.3, 7] * ms)
    trace = StateMonitor(group, "x", record=True, clock=clock)
    network = Network(collect())
    seen = []
    for duration in (1, 1.5, 0.2, 4.3, 20):
        network.run(duration * ms)
        step = int(clock.variables["timestep"].get_value()[0])
        seen.append((np.array(group.x), float(network.t), step))
    return group, trace, seen


@needs_event_clock
@same_as_runtime
def test_network_operation_at_given_times() -> Any:
    """Called at the times and no others, beside a second clock and alone."""
    seen: list[float] = []
    clock = EventClock([0.25, 2, 9] * ms)

    def note() -> None:
        seen.append(float(clock.variables["t"].get_value()[0]))

    operation = NetworkOperation(note, clock=clock)
    group = NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
    Network(operation, group).run(5 * ms)
    alone = EventClock([1, 2, 3] * ms)
    Network(NetworkOperation(lambda: seen.append(-1.0), clock=alone)).run(2.5 * ms)
    return seen, group


@needs_event_clock
@needs_lava_device
def test_event_just_before_the_end_does_not_run_other_clocks_again(engine: Engine) -> None:
    """Brian2 itself raises StopIteration here: it takes its ended clock one step further."""
    with under(engine):
        group = NeuronGroup(1, "x : 1")
        group.run_regularly("x += 1")
        times = [0.0002, float(np.nextafter(0.001, 0))]
        trace = StateMonitor(group, "x", record=True, clock=EventClock(times * second))
        run(1 * ms)
        assert list(trace.t / second) == times
        assert list(group.x) == [10]
        run(1 * ms)
        assert list(group.x) == [20]
        assert len(trace.t) == 2


def test_clock_of_a_program_has_a_width_or_a_table() -> None:
    with pytest.raises(ValueError, match="'c' needs either dt or times"):
        program.Clock("c", "step", "t")
    with pytest.raises(ValueError, match="'c' needs either dt or times"):
        program.Clock("c", "step", "t", dt="dt", times="times")


# ---------------------------------------------------------------- Cython code on our arrays
@pytest.mark.long
@same_as_runtime(relative=1e-7)
def test_cython_code_objects_that_are_passed() -> Any:
    """Neurons, synapses, pathways and monitors in Brian2's Cython, with spikes in flight."""
    group = NeuronGroup(
        6,
        "dv/dt = (2 - v)/(10*ms) : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
        codeobj_class=CythonCodeObject,
    )
    group.v = "i*0.1"
    synapses = Synapses(
        group,
        group,
        """w : 1
        dx/dt = -x/(5*ms) : 1 (clock-driven)""",
        on_pre="v_post += w; x += 1",
        method="euler",
        codeobj_class=CythonCodeObject,
    )
    synapses.connect(j="k for k in range(i)")
    synapses.w = "0.01*i"
    synapses.delay = "0.7*ms*j"
    trace = StateMonitor(group, "v", record=True, codeobj_class=CythonCodeObject)
    spikes = SpikeMonitor(group, codeobj_class=CythonCodeObject)
    rate = PopulationRateMonitor(group, codeobj_class=CythonCodeObject)
    run(6 * ms)
    synapses.delay = "0.4*ms*j"
    run(9 * ms)
    return group, synapses, trace, spikes, rate


@same_as_runtime
def test_cython_pathway_beside_compiled_ones() -> Any:
    """The queue of a pathway that runs in Cython, of a group that runs in the engine."""
    group = NeuronGroup(5, "dv/dt = 1/(3*ms) : 1", threshold="v > 1", reset="v = 0", method="euler")
    group.v = "i*0.2"
    target = NeuronGroup(5, "n : 1")
    slow = Synapses(group, target, on_pre="n += 1 + i", codeobj_class=CythonCodeObject)
    slow.connect(j="i")
    slow.delay = "0.5*ms*i"
    fast = Synapses(group, target, on_pre="n += 100", delay=0.3 * ms)
    fast.connect()
    run(7 * ms)
    run(7 * ms)
    return group, target


@same_as_runtime
def test_targets_for_special_purposes() -> Any:
    """String expressions in Cython; from 2.11 on, synapses made by NumPy."""
    brian2.prefs.codegen.string_expression_target = "cython"
    if "codegen.synapse_connect_target" in brian2.prefs:
        brian2.prefs.codegen.synapse_connect_target = "numpy"
    group = NeuronGroup(10, "v : 1")
    group.v = "i**2"
    synapses = Synapses(group, group, "w : 1")
    synapses.connect("abs(i - j) < 3")
    synapses.w = "v_pre + j"
    picked = np.array(synapses.w["i > 4 and w < 50"])
    return group, synapses, picked, np.array(group.v["v > 20"]), run(0 * ms)


# ---------------------------------------------------------------- GSL
@needs_gsl
@same_as_runtime(relative=1e-7, extra_warnings=("use_gsl",))
def test_gsl_integrates_neurons() -> Any:
    """With adaptive steps, their number kept, a monitor on them, and spikes."""
    brian2.prefs.codegen.target = "cython"
    group = NeuronGroup(
        5,
        """dv/dt = (drive - v)/(10*ms) : 1 (unless refractory)
        dh/dt = (v*v - h)/(3*ms) : 1
        drive : 1""",
        threshold="v > 1",
        reset="v = 0; h += 0.1",
        refractory=1 * ms,
        method="gsl_rkf45",
        method_options={"save_step_count": True, "adaptable_timestep": True},
    )
    group.drive = "1.2 + 0.2*i"
    trace = StateMonitor(group, ["v", "h"], record=True)
    run(15 * ms)
    return group, trace, np.array(group.variables["_step_count"].get_value())


@needs_gsl
@needs_lava_device
def test_gsl_integrates_synapses(engine: Engine) -> None:
    """Against the solution: Brian2 2.10 silently leaves such variables as they are."""
    with under(engine):
        brian2.prefs.codegen.target = "cython"
        source = NeuronGroup(3, "v : 1")
        decay = "dx/dt = -x/(5*ms) : 1 (clock-driven)"
        synapses = Synapses(source, source, decay, method="gsl_rk8pd")
        synapses.connect()
        synapses.x = "1 + i + 10*j"
        before = np.array(synapses.x)
        run(7 * ms)
        np.testing.assert_allclose(synapses.x, before * np.exp(-7 / 5), rtol=1e-9)


# ---------------------------------------------------------------- smaller things
@needs_expressions
@same_as_runtime
def test_expression_objects_and_types_of_monitors() -> Any:
    """2.11: expressions as objects, and monitors that record in another type."""
    expression, statements = brian2.Expression, brian2.Statements
    group = NeuronGroup(
        6,
        "dv/dt = (2 - v)/(8*ms) : 1",
        threshold=expression("v > 1"),
        reset=statements("v = 0"),
        method="euler",
    )
    group.v = expression("0.1*i")
    synapses = Synapses(group, group, on_pre=statements("v_post += 0.02"))
    synapses.connect(condition=expression("i != j"))
    trace = StateMonitor(group, "v", record=True, dtype=np.float32)
    spikes = SpikeMonitor(group)
    run(12 * ms)
    return group, trace, spikes


@needs_expressions
@same_as_runtime
def test_delays_in_statements() -> Any:
    """2.11: the delays of a Synapses' pathways can be read in its code."""
    group = NeuronGroup(4, "v : 1", threshold="t < 0.05*ms", reset="")
    synapses = Synapses(
        group, group, "seen : second", on_pre={"pre": "seen = delay", "late": "v_post += 1"}
    )
    synapses.connect(j="i")
    synapses.pre.delay = "0.2*ms*i"
    synapses.late.delay = 1 * ms
    run(3 * ms)
    return group, synapses


def test_garbage_is_collected_where_brian2_warns_of_unused_objects() -> None:
    name = "logging.warn_for_unused_objects"
    if name not in brian2.prefs:
        assert reports_unused_objects()
        return
    before = brian2.prefs[name]
    try:
        for value in (True, False):
            brian2.prefs[name] = value
            assert reports_unused_objects() is value
    finally:
        brian2.prefs[name] = before
