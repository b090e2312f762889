"""NeuronGroup: equations, flags, integration, thresholds, resets, refractoriness, events."""

from __future__ import annotations

from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    EventMonitor,
    Network,
    NeuronGroup,
    PopulationRateMonitor,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    linked_var,
    ms,
    mV,
    ohm,
    run,
)

from tests.networks.compare import assert_same, same_as_runtime, snapshot
from tests.networks.devices import (  # noqa: F401
    Engine,
    needs_lava_device,
    pytest_generate_tests,
    reference,
    under,
)


@same_as_runtime
def test_differential_equation_subexpression_and_parameter() -> Any:
    """The three kinds of equation lines."""
    group = NeuronGroup(
        7,
        """dv/dt = (target - v)/tau : volt
        target = 10*mV + scale*sin(2*pi*50*Hz*t) : volt
        scale : volt
        tau : second""",
        method="euler",
    )
    group.scale = "i*mV"
    group.tau = "(5 + i)*ms"
    trace = StateMonitor(group, ["v", "target"], record=True)
    run(10 * ms)
    return group, trace


@same_as_runtime
def test_constant_and_shared_flags() -> Any:
    """A constant parameter, a shared one, and a shared subexpression."""
    group = NeuronGroup(
        6,
        """dv/dt = (drive*gain - v)/(7*ms) : 1
        level : 1 (shared)
        drive = level*exp(-t/(20*ms)) : 1 (shared)
        gain : 1 (constant)
        offset : 1 (shared, constant)
        n : integer (constant)""",
        threshold="v > 0.4 + offset",
        reset="v = 0.013*n",
        method="euler",
    )
    group.gain = np.linspace(0.4, 2.1, 6)
    group.offset = 0.113
    group.n = "i"
    group.level = 1.7
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, "drive", record=0)
    run(20 * ms)
    return group, spikes, trace


@same_as_runtime
def test_subexpression_constant_over_dt() -> Any:
    """It is computed once a step, before everything that reads it."""
    group = NeuronGroup(
        5,
        """dv/dt = held - v/(3*ms) : 1
        held = (1 + cos(3*v + i))/(5*ms) : Hz (constant over dt)""",
        threshold="v > 0.713",
        reset="v = 0",
        method="rk4",
    )
    trace = StateMonitor(group, ["v", "held"], record=True)
    spikes = SpikeMonitor(group, "held")
    run(15 * ms)
    return group, trace, spikes


@same_as_runtime
def test_integer_and_boolean_variables() -> Any:
    """They keep their types in resets, thresholds, regular operations and monitors."""
    group = NeuronGroup(
        8,
        """dv/dt = (1.3 + 0.05*k)/(10*ms) : 1
        k : integer
        alive : boolean
        even = (k % 2 == 0) : boolean
        half = k//2 : integer""",
        threshold="v > 1 and alive",
        reset="v -= 1; k += 1; alive = not even or k < 4",
        method="euler",
    )
    group.k = "i"
    group.alive = "i != 3"
    group.run_regularly("alive = True", dt=7 * ms)
    trace = StateMonitor(group, ["k", "alive", "even", "half"], record=True)
    spikes = SpikeMonitor(group, ["k", "alive"])
    run(40 * ms)
    assert trace.k.dtype.kind == "i" and trace.alive.dtype == bool
    return group, trace, spikes


@same_as_runtime
def test_linked_variables() -> Any:
    """A variable of another group: the same index, an index array, and a shared one."""
    source = NeuronGroup(4, "dx/dt = -x/(9*ms) : 1\ny : 1 (shared)", method="exact")
    source.x = "1 + i"
    source.y = 3.1
    source.run_regularly("y *= 0.9", dt=0.5 * ms)
    group = NeuronGroup(
        6,
        """dv/dt = (a + b - v)/(4*ms) : 1
        a : 1 (linked)
        b : 1 (linked)""",
        threshold="v > 0.9",
        reset="v = 0",
        method="euler",
    )
    group.a = linked_var(source, "x", index=[3, 3, 0, 1, 2, 0])
    group.b = linked_var(source, "y")
    twin = NeuronGroup(4, "w : 1 (linked)\ndu/dt = (w - u)/(3*ms) : 1", method="euler")
    twin.w = linked_var(source.x)
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, ["v", "a", "b"], record=True)
    run(12 * ms)
    return source, group, twin, spikes, trace


_METHODS = {
    "exact": "(1.3 - v + 0.2*w)/(8*ms)",
    "linear": "(1.3 - v + 0.2*w)/(8*ms)",
    "exponential_euler": "(1.3 - v*(1 + tanh(w)))/(8*ms)",
    "euler": "(1.3 - v + 0.3*sin(3*w))/(8*ms)",
    "rk2": "(1.3 - v + 0.3*sin(3*w))/(8*ms)",
    "rk4": "(1.3 - v + 0.3*sin(3*w))/(8*ms)",
    "heun": "(1.3 - v + 0.3*sin(3*w))/(8*ms)",
    "milstein": "(1.3 - v + 0.3*sin(3*w))/(8*ms)",
}


@pytest.mark.parametrize("method", _METHODS)
def test_integration_methods(method: str, engine: Engine) -> None:
    """Every method of Brian2 that needs no noise; "heun" and "milstein" with noise of size 0."""
    noise = " + 0*xi*ms**-0.5" if method in ("heun", "milstein") else ""
    results = []
    for device in (reference(), under(engine)):
        with device:
            group = NeuronGroup(
                9,
                f"dv/dt = {_METHODS[method]}{noise} : 1\ndw/dt = -w/(21*ms) : 1",
                threshold="v > 1.0137",
                reset="v = 0; w += 0.3",
                method=method,
            )
            group.v = np.linspace(0, 0.9, 9)
            group.w = np.linspace(1, -1, 9)
            spikes = SpikeMonitor(group)
            trace = StateMonitor(group, ["v", "w"], record=True)
            run(25 * ms)
            assert spikes.num_spikes > 5
            results.append(snapshot((group, spikes, trace)))
    assert_same(results[1], results[0])


@same_as_runtime
def test_threshold_on_several_variables_and_moving_reset() -> Any:
    """A threshold that adapts, with a reset of several statements in order."""
    group = NeuronGroup(
        12,
        """dv/dt = (1.7 - v)/(6*ms) : 1
        dvt/dt = (0.81 - vt)/(30*ms) : 1
        last : second""",
        threshold="v > vt and t - last > 1.05*ms",
        reset="""vt += 0.11
        v = 0.2*vt
        last = t""",
        method="euler",
    )
    group.v = "0.05*i"
    group.vt = 0.81
    group.last = "-1*second"
    spikes = SpikeMonitor(group, ["vt", "last"])
    run(40 * ms)
    assert spikes.num_spikes > 20
    return group, spikes


@same_as_runtime
def test_refractory_time() -> Any:
    """One time for all, with and without ``unless refractory``."""
    group = NeuronGroup(
        5,
        """dv/dt = (1.6 - v)/(5*ms) : 1 (unless refractory)
        dw/dt = (v - w)/(9*ms) : 1
        drive = 0.1*int(not_refractory) : 1""",
        threshold="v > 1",
        reset="v = 0",
        refractory=3.04 * ms,
        method="euler",
    )
    group.v = "0.17*i"
    trace = StateMonitor(group, ["v", "w", "drive", "not_refractory"], record=True)
    spikes = SpikeMonitor(group)
    run(30 * ms)
    return group, trace, spikes


@same_as_runtime
def test_refractory_expression_with_units() -> Any:
    """A time a neuron, from a parameter and from an expression."""
    group = NeuronGroup(
        6,
        "dv/dt = (1.6 - v)/(5*ms) : 1 (unless refractory)\nr : second",
        threshold="v > 1",
        reset="v = 0; r *= 1.1",
        refractory="r + 0.3*ms*int(i > 2)",
        method="exact",
    )
    group.r = "(1 + i)*ms"
    trace = StateMonitor(group, ["v", "not_refractory"], record=True)
    spikes = SpikeMonitor(group)
    run(30 * ms)
    return group, trace, spikes


@same_as_runtime
def test_refractory_condition() -> Any:
    """A boolean condition, and spikes that are held back while it lasts."""
    group = NeuronGroup(
        4,
        """dv/dt = (1.9*sin(2*pi*60*Hz*t + i) - v)/(2*ms) : 1
        dm/dt = -m/(4*ms) : 1 (unless refractory)""",
        threshold="v > 0.7012",
        reset="m += 1",
        refractory="v > 0.3007",
        method="euler",
    )
    trace = StateMonitor(group, ["v", "m", "not_refractory", "lastspike"], record=True)
    spikes = SpikeMonitor(group)
    run(50 * ms)
    return group, trace, spikes


@same_as_runtime
def test_synapses_respect_unless_refractory() -> Any:
    """A variable that is held while refractory isn't written by synapses either."""
    group = NeuronGroup(
        3,
        "dv/dt = (1.4 - v)/(4*ms) : 1 (unless refractory)",
        threshold="v > 1",
        reset="v = 0",
        refractory=2.5 * ms,
        method="exact",
    )
    group.v = [0.1, 0.4, 0.93]
    synapses = Synapses(group, group, on_pre="v_post += 0.137", delay=0.7 * ms)
    synapses.connect("i != j")
    trace = StateMonitor(group, "v", record=True)
    run(25 * ms)
    return group, trace


@same_as_runtime
def test_custom_events_and_run_on_event() -> Any:
    """Several events in a group, code on events, a monitor for each, and when they happen."""
    group = NeuronGroup(
        10,
        """dv/dt = (1.5 - v)/(5*ms) : 1
        dx/dt = (v - x)/(11*ms) : 1
        ups : integer
        downs : integer""",
        threshold="v > 1.01",
        reset="v = 0",
        events={"up": "x > 0.5013 and ups < 3", "down": "x < 0.2009"},
        method="euler",
    )
    group.x = np.linspace(0, 0.6, 10)
    group.set_event_schedule("up", when="after_groups")
    group.run_on_event("up", "ups += 1; x -= 0.33")
    group.run_on_event("down", "downs += 1", when="end", order=2)
    up, down = EventMonitor(group, "up", ["x", "ups"]), EventMonitor(group, "down", record=False)
    spikes = SpikeMonitor(group)
    run(30 * ms)
    assert up.num_events > 0 and down.num_events > 0
    return group, up, down, spikes


@same_as_runtime
def test_synapses_on_custom_events() -> Any:
    """``on_event`` of a pathway."""
    group = NeuronGroup(
        5,
        "dv/dt = (1.5 - v)/(5*ms) : 1\nheard : integer",
        threshold="v > 1.01",
        reset="v = 0",
        events={"half": "v > 0.5 and v < 0.531"},
        method="euler",
    )
    group.v = "0.1*i"
    synapses = Synapses(
        group,
        group,
        on_pre="heard_post += 1",
        on_post="heard_pre += 100",
        on_event={"pre": "half", "post": "spike"},
    )
    synapses.connect("i < j")
    run(20 * ms)
    assert np.any(np.array(group.heard) % 100)
    return group, synapses


@same_as_runtime
def test_run_regularly() -> Any:
    """With its own step, ``when`` and ``order``; on groups, subgroups and shared variables."""
    group = NeuronGroup(
        6, "dv/dt = -v/(10*ms) : 1\nseen : 1\ncalls : integer (shared)", method="exact"
    )
    group.v = "1 + i"
    group.run_regularly("v += 0.3", dt=1 * ms, when="end")
    group.run_regularly("seen = v*2", dt=0.3 * ms, when="start", order=-1)
    group.run_regularly("calls += 1", dt=2 * ms)
    group[2:5].run_regularly("v = v/2 + 0.01*i", dt=3 * ms, when="before_groups")
    trace = StateMonitor(group, ["v", "seen"], record=True)
    run(10 * ms)
    return group, trace


@same_as_runtime
def test_subgroups() -> Any:
    """Subgroups as sources, targets and in monitors, and setting their values."""
    group = NeuronGroup(
        11, "dv/dt = (1.4 - v)/(7*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    first, rest = group[:4], group[4:]
    inner = rest[2:5]
    first.v = 0.51
    rest.v = "0.07*i"
    synapses = Synapses(first, inner, on_pre="v_post += 0.05*(i + 1)", on_post="v_pre -= 0.03*j")
    synapses.connect("i != j")
    spikes, inner_spikes = SpikeMonitor(group), SpikeMonitor(inner, "v")
    rate = PopulationRateMonitor(rest)
    trace = StateMonitor(inner, "v", record=True)
    run(30 * ms)
    return group, synapses, spikes, inner_spikes, rate, trace


@same_as_runtime
def test_timestep_function() -> Any:
    """``timestep`` in equations and conditions counts as Brian2 counts."""
    group = NeuronGroup(
        3,
        """dv/dt = 1/(10*ms) : 1
        steps = timestep(t, dt) : integer
        since : second""",
        threshold="timestep(t - since, dt) >= 17 + i",
        reset="since = t",
        method="euler",
    )
    spikes = SpikeMonitor(group, "steps")
    run(20 * ms)
    return group, spikes


@same_as_runtime
def test_time_and_clock_variables() -> Any:
    """``t``, ``dt``, ``t_in_timesteps``, ``i`` and ``N`` in every kind of code."""
    group = NeuronGroup(
        5,
        "dv/dt = (t/second + i/N)/dt*0.01 : 1\nw : 1\nk : integer",
        threshold="t_in_timesteps % (i + 3) == 0",
        reset="w += t/dt; k = t_in_timesteps",
        dt=0.25 * ms,
        method="euler",
    )
    spikes = SpikeMonitor(group, ["w", "k"])
    run(10 * ms)
    return group, spikes


@same_as_runtime
def test_variables_of_type_float32() -> Any:
    """``dtype`` of single variables."""
    group = NeuronGroup(
        5,
        "dv/dt = (1.2 - v)/(5*ms) : 1\nw : 1\nn : integer",
        dtype={"w": np.float32, "n": np.int64},
        method="euler",
    )
    group.w = "0.1*i"
    group.run_regularly("w += v; n += 2**33")
    run(3 * ms)
    assert group.variables["w"].dtype == np.float32
    return np.array(group.v), np.array(group.n)


@same_as_runtime
def test_group_without_equations_and_single_neuron() -> Any:
    """Groups at the edges: one neuron, no differential equation, a threshold alone."""
    one = NeuronGroup(
        1, "dv/dt = 1/(3*ms) : 1", threshold="v > 1.003", reset="v = 0", method="euler"
    )
    clockwork = NeuronGroup(2, "", threshold="t >= 3*ms and t < 4*ms")
    plain = NeuronGroup(4, "x : 1")
    plain.x = [1, 2, 3, 4]
    monitors = SpikeMonitor(one), SpikeMonitor(clockwork)
    Network(one, clockwork, plain, monitors).run(10 * ms)
    return one, clockwork, plain, monitors


@same_as_runtime
def test_functions_of_brian2() -> Any:
    """Every deterministic function that Brian2 offers in equations."""
    group = NeuronGroup(
        16,
        """x : 1
        a : 1
        b : 1
        c : 1
        n : integer
        flag : boolean""",
    )
    group.x = np.linspace(-1.9, 2.3, 16)
    group.run_regularly(
        """a = sin(x) + cos(x) + tan(0.3*x) + sinh(x) + cosh(x) + tanh(x) + exp(x) + exprel(x)
        b = log(3 + x) + log10(3 + x) + sqrt(4 + x) + arcsin(x/3) + arccos(x/3) + arctan(x)
        c = clip(x, -1, 1) + floor(x) + ceil(x) + abs(x) + sign(x) + x**3 + (x + 3) % 2
        n = int(x) + int(x > 0)*10 + floor(x)
        flag = x > 0 and not (x > 1 or x < 0.2)"""
    )
    run(0.1 * ms)
    return group


@same_as_runtime
def test_physical_constants_and_namespaces() -> Any:
    """Constants, units and names from the group's namespace and from around the call."""
    tau = 5 * ms
    group = NeuronGroup(
        3,
        "dv/dt = (E - v)/tau + R*amp/second*int(v < inf*mV)*e/pi : volt",
        namespace={"E": -52 * mV, "R": 3 * ohm},
        method="euler",
    )
    group.v = "-70*mV + i*mV"
    run(4 * ms)
    tau = 9 * ms
    run(4 * ms)
    assert tau == 9 * ms
    return group


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_is_reported_as_in_brian2(engine: Engine) -> None:
    """A variable that becomes NaN or infinite is logged, with the same message."""
    messages = []
    for device in (reference(), under(engine)):
        with device, brian2.utils.logger.catch_logs() as records:
            group = NeuronGroup(2, "dv/dt = v**3/ms : 1", method="euler", name="exploding")
            group.v = [1, 0]
            run(5 * ms)
            messages.append([text for _, name, text in records if name.endswith("invalid_values")])
            assert not np.isfinite(group.v[0])
    assert messages[0] == messages[1] and len(messages[1]) == 1


@needs_lava_device
def test_gsl_methods_are_right_or_raise(engine: Engine) -> None:
    """With GSL on the machine the solution is right; without it an error says so."""
    with under(engine):
        group = NeuronGroup(3, "dv/dt = (2 - v)/(3*ms) : 1", method="gsl_rkf45")
        group.v = [0, 1, 3]
        try:
            Network(group).run(3 * ms)
        except Exception as problem:
            said = ""
            cause: BaseException | None = problem
            while cause is not None:
                said += str(cause)
                cause = cause.__cause__ or cause.__context__
            assert "gsl" in said.lower()
            return
        assert np.allclose(group.v, 2 + np.array([-2, -1, 1]) * np.exp(-1), rtol=1e-4)
