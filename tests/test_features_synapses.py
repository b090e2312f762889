"""Synapses: ways to connect, pathways, plasticity, summed variables, synapses onto synapses."""

from __future__ import annotations

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
    ms,
    run,
)

from tests.networks.compare import assert_same, same_as_runtime, snapshot
from tests.networks.devices import (  # noqa: F401
    Engine,
    pytest_generate_tests,
    reference,
    under,
)


def _spiking(size: int, **options: Any) -> Any:
    """Neurons that spike regularly, each at its own pace, with ``v`` and a synaptic ``g``."""
    group = NeuronGroup(
        size,
        """dv/dt = (1.31 + 0.07*i + 0.2*g - v)/(6*ms) : 1
        dg/dt = -g/(4*ms) : 1
        x : 1""",
        threshold="v > 1.0093",
        reset="v = 0",
        method="euler",
        **options,
    )
    group.v = np.linspace(0.03, 0.91, size)
    return group


_CONNECT: dict[str, dict[str, Any]] = {
    "all": {},
    "condition": {"condition": "i != j and (i + j) % 3 != 0"},
    "sure": {"condition": "i < j", "p": 1},
    "count": {"condition": "i != j", "n": 2},
    "count by expression": {"n": "(i + j) % 3"},
    "arrays": {"i": [0, 0, 3, 6, 3, 0], "j": [1, 1, 2, 5, 0, 0]},
    "one source": {"i": 2, "j": [0, 4, 5]},
    "one target": {"i": [1, 3], "j": 4},
    "generator": {"j": "k for k in range(i % 3, N_post, 2)"},
    "generator with condition": {"j": "k for k in range(N_post) if (i*k) % 4 == 1"},
    "generator skipping": {"j": "i + k for k in range(-2, 3) if k != 0", "skip_if_invalid": True},
    "generator of sources": {"i": "j*2 + k for k in range(2)", "skip_if_invalid": True},
    "one to one": {"j": "i"},
}


@pytest.mark.parametrize("form", _CONNECT)
def test_connect(form: str, engine: Engine) -> None:
    """Every form of ``connect`` that isn't random makes the same synapses in the same order."""
    results = []
    for device in (reference(), under(engine)):
        with device:
            group = _spiking(7)
            synapses = Synapses(group, group, "w : 1", on_pre="g_post += w")
            synapses.connect(**_CONNECT[form])
            synapses.w = "0.1 + 0.01*i - 0.02*j"
            spikes = SpikeMonitor(group)
            run(10 * ms)
            assert len(synapses) > 0 and spikes.num_spikes > 0
            results.append(snapshot((group, synapses, spikes)))
    assert_same(results[1], results[0])


_RANDOM_CONNECT: dict[str, tuple[dict[str, Any], Any]] = {
    "p": ({"p": 0.13}, lambda i, j: np.full(i.shape, 0.13)),
    "condition and p": ({"condition": "i != j", "p": 0.2}, lambda i, j: 0.2 * (i != j)),
    "p by expression": (
        {"p": "0.5*exp(-((i - j)/20.0)**2)"},
        lambda i, j: 0.5 * np.exp(-(((i - j) / 20.0) ** 2)),
    ),
    "sample": ({"j": "k for k in sample(N_post, p=0.1)"}, lambda i, j: np.full(i.shape, 0.1)),
}


@pytest.mark.parametrize("form", _RANDOM_CONNECT)
def test_random_connect_has_the_right_distribution(form: str, engine: Engine) -> None:
    """Numbers of synapses a source and a target are those of the probabilities."""
    arguments, probability = _RANDOM_CONNECT[form]
    size = 300
    with under(engine):
        group = NeuronGroup(size, "v : 1")
        synapses = Synapses(group, group)
        synapses.connect(**arguments)
        run(0 * ms)
        made = np.zeros((size, size))
        np.add.at(made, (np.array(synapses.i), np.array(synapses.j)), 1)
    assert made.max() == 1
    expected = probability(*np.meshgrid(np.arange(size), np.arange(size), indexing="ij"))
    spread = np.sqrt(np.maximum((expected * (1 - expected)).sum(axis=0), 1))
    for axis in (0, 1):
        deviations = (made.sum(axis=axis) - expected.sum(axis=axis)) / spread
        assert np.abs(deviations).max() < 5
        assert abs(deviations.mean()) < 5 / np.sqrt(size)
        assert 0.7 < deviations.std() < 1.3


@same_as_runtime
def test_sample_of_fixed_size() -> Any:
    """``sample(…, size=n)``: n targets for each source, all different."""
    group = NeuronGroup(40, "v : 1")
    synapses = Synapses(group, group)
    synapses.connect(j="k for k in sample(N_post, size=7)")
    run(0 * ms)
    pairs = set(zip(synapses.i, synapses.j, strict=True))
    assert len(pairs) == len(synapses)
    return np.array(synapses.N_outgoing), np.array(synapses.i)


@same_as_runtime
def test_several_pathways_with_order() -> Any:
    """Two pathways on the same spikes; their order decides."""
    group = _spiking(6)
    synapses = Synapses(
        group,
        group,
        "w : 1",
        on_pre={"first": "x_post = x_post + w", "second": "x_post = x_post*0.7"},
        on_post="x_pre -= 0.1",
        delay={"second": 1.3 * ms},
    )
    synapses.connect("abs(i - j) < 3")
    synapses.w = "0.1*i + 0.05*j"
    synapses.first.order = 2
    synapses.second.order = -3
    synapses.post.order = 1
    trace = StateMonitor(group, "x", record=True)
    run(20 * ms)
    return group, trace


@same_as_runtime
def test_pathways_at_other_places_in_the_schedule() -> Any:
    """``when`` of a pathway: before the reset, after it, before integration."""
    group = _spiking(6)
    synapses = Synapses(
        group, group, on_pre={"early": "v_post += 0.11", "late": "v_post += 0.07*v_pre"}
    )
    synapses.connect("i != j")
    synapses.early.when = "after_thresholds"
    synapses.late.when = "before_end"
    trace = StateMonitor(group, "v", record=True, when="after_synapses")
    run(20 * ms)
    return group, trace


@same_as_runtime
def test_delta_synapses_and_reset() -> Any:
    """A neuron that spikes and is hit in the same step: thresholds, synapses, resets."""
    group = NeuronGroup(2, "v : 1\nn : integer", threshold="v > 1", reset="v = 0; n += 1")
    group.v = 1.5
    synapses = Synapses(group, group, on_pre="v_post += 0.5")
    synapses.connect("i != j")
    run(0.1 * ms)
    assert list(group.v) == [0, 0]
    return group


_TRACES = """w : 1
dtrace_pre/dt = -trace_pre/(8*ms) : 1 ({kind})
dtrace_post/dt = -trace_post/(11*ms) : 1 ({kind})"""


@pytest.mark.parametrize("kind", ("event-driven", "clock-driven"))
def test_spike_timing_dependent_plasticity(kind: str, engine: Engine) -> None:
    """Traces and weights on both sides of each synapse."""
    results = []
    for device in (reference(), under(engine)):
        with device:
            group = _spiking(9)
            synapses = Synapses(
                group,
                group,
                _TRACES.format(kind=kind).replace("trace_pre", "a").replace("trace_post", "b"),
                on_pre="g_post += w; a += 0.11; w = clip(w - b*0.07, 0, 0.5)",
                on_post="b += 0.13; w = clip(w + a*0.05, 0, 0.5)",
                method="exact",
            )
            synapses.connect("i != j")
            synapses.w = "0.2 + 0.01*i - 0.01*j"
            trace = StateMonitor(synapses, ["w", "a"], record=[0, 5, 30])
            spikes = SpikeMonitor(group)
            run(40 * ms)
            results.append(snapshot((group, synapses, trace, spikes)))
    assert_same(results[1], results[0])


@same_as_runtime
def test_plasticity_that_writes_pre_and_post() -> Any:
    """Synaptic code that reads and writes both groups."""
    source, target = _spiking(5), _spiking(4)
    synapses = Synapses(
        source,
        target,
        "w : 1\nlast : second",
        on_pre="""w = w*0.99 + 0.003*v_post
        x_pre += w
        g_post += w*(1 + x_post)
        last = t""",
        on_post="x_post += 0.01*w; x_pre -= 0.003*(t - last)/ms",
    )
    synapses.connect()
    synapses.w = "0.03*(i + 1)"
    run(30 * ms)
    return source, target, synapses


@same_as_runtime
def test_summed_variables() -> Any:
    """Into the target and into the source; two objects into two variables."""
    group = NeuronGroup(
        6,
        """dv/dt = (1.3 + drive - 0.1*load - v)/(5*ms) : 1
        drive : 1
        load : 1
        incoming : 1""",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    group.v = "0.13*i"
    one = Synapses(
        group,
        group,
        """w : 1
        drive_post = w*(v_pre - v_post) : 1 (summed)
        load_pre = 0.1*w : 1 (summed)""",
    )
    one.connect("i != j")
    one.w = "0.1*(i + 1)"
    two = Synapses(group, group, "incoming_post = 1 : 1 (summed)")
    two.connect("i < j")
    trace = StateMonitor(group, ["v", "drive"], record=True)
    run(10 * ms)
    return group, one, trace


@same_as_runtime
def test_gap_junctions() -> Any:
    """The usual model: a summed current between neighbours."""
    group = NeuronGroup(
        10,
        "dv/dt = (1.2 - v + gap)/(10*ms) : 1\ngap : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    group.v = "i*0.1"
    junctions = Synapses(group, group, "w : 1\ngap_post = w*(v_pre - v_post) : 1 (summed)")
    junctions.connect("abs(i - j) == 1")
    junctions.w = 0.23
    trace = StateMonitor(group, "v", record=True)
    run(40 * ms)
    return group, trace


@same_as_runtime
def test_clock_driven_nonlinear_synapses() -> Any:
    """NMDA-like synapses: coupled equations in the synapse, summed into the neuron."""
    group = NeuronGroup(
        5,
        "dv/dt = (1.5 - v + total)/(8*ms) : 1\ntotal : 1",
        threshold="v > 1",
        reset="v = 0.1",
        method="rk2",
    )
    group.v = "0.19*i"
    synapses = Synapses(
        group,
        group,
        """ds/dt = -s/(20*ms) + 0.5/ms*x*(1 - s) : 1 (clock-driven)
        dx/dt = -x/(2*ms) : 1 (clock-driven)
        total_post = 0.1*s : 1 (summed)""",
        on_pre="x += 1",
        method="rk2",
    )
    synapses.connect("i != j")
    trace = StateMonitor(synapses, ["s", "x"], record=[0, 7])
    run(30 * ms)
    return group, synapses, trace


@same_as_runtime
def test_multisynaptic_index() -> Any:
    """Several synapses a pair, told apart by an index in values, delays and code."""
    source = SpikeGeneratorGroup(2, [0, 1, 0], [1, 2, 5] * ms)
    target = NeuronGroup(3, "v : 1\nhits : integer")
    synapses = Synapses(
        source, target, "w : 1", on_pre="v_post += w; hits_post += k + 1", multisynaptic_index="k"
    )
    synapses.connect(n="1 + i + j")
    synapses.delay = "k*1.1*ms"
    synapses.w = "0.1 + k"
    trace = StateMonitor(target, "v", record=True)
    run(10 * ms)
    return target, synapses, np.array(synapses.k), trace


@same_as_runtime
def test_synapses_onto_synapses() -> Any:
    """Synapses as the target of synapses."""
    modulator, group = SpikeGeneratorGroup(2, [0, 1, 0, 1], [1, 3, 6, 6] * ms), _spiking(4)
    modulated = Synapses(group, group, "w : 1", on_pre="g_post += w")
    modulated.connect("i != j")
    modulated.w = 0.1
    modulating = Synapses(modulator, modulated, on_pre="w_post += 0.05*(i + 1)", delay=0.9 * ms)
    modulating.connect("(i + j) % 3 == 0")
    trace = StateMonitor(modulated, "w", record=True)
    run(15 * ms)
    return group, modulated, modulating, trace


@same_as_runtime
def test_synapses_between_subgroups() -> Any:
    """Indices count from the subgroup's beginning; spikes outside it don't pass."""
    group = _spiking(12)
    synapses = Synapses(group[2:6], group[7:], "w : 1", on_pre="g_post += w", on_post="x_pre += w")
    synapses.connect("i == j or (i == 0 and j > 2)")
    synapses.w = "0.1*(i + 1) + 0.01*j"
    synapses.delay = "i*0.4*ms"
    run(20 * ms)
    return group, synapses


@same_as_runtime
def test_synapses_without_connections() -> Any:
    """A condition that is never true: nothing happens, and nothing breaks."""
    group = _spiking(4)
    synapses = Synapses(
        group,
        group,
        """w : 1
        ds/dt = -s/(5*ms) : 1 (clock-driven)""",
        on_pre="g_post += w",
        method="exact",
    )
    synapses.connect("i > 100")
    run(5 * ms)
    return group, len(synapses)


@same_as_runtime
def test_connecting_more_between_runs() -> Any:
    """New synapses after a run get spikes; those that were there keep theirs in flight."""
    group = _spiking(5)
    synapses = Synapses(group, group, "w : 1", on_pre="g_post += w", delay=2.3 * ms)
    synapses.connect("i == j")
    synapses.w = 0.1
    network = Network(group, synapses)
    network.run(11 * ms)
    synapses.connect("i != j")
    synapses.w["i != j"] = 0.05
    network.run(11 * ms)
    return group, synapses


@same_as_runtime
def test_synaptic_subexpressions_and_types() -> Any:
    """Subexpressions, integers, booleans, constants and shared variables in synapses."""
    group = _spiking(5)
    synapses = Synapses(
        group,
        group,
        """w : 1 (constant)
        n : integer
        ready : boolean
        scale : 1 (shared)
        effect = w*scale*int(ready)*(1 + n) : 1""",
        on_pre="g_post += effect; n = (n + 1) % 4; ready = not ready",
    )
    synapses.connect("i != j")
    synapses.w = "0.02*(i + 1)"
    synapses.scale = 1.3
    synapses.run_regularly("scale = 0.9*scale", dt=5 * ms)
    trace = StateMonitor(synapses, ["effect", "n", "ready"], record=[1, 2])
    run(20 * ms)
    return group, synapses, trace


@same_as_runtime
def test_lateral_code_with_conditions_on_time() -> Any:
    """Statements that compute with ``t``, spike times and integer division."""
    group = _spiking(6)
    synapses = Synapses(
        group,
        group,
        "last : second\nphase : 1",
        on_pre="""phase = (t - last)/ms
        last = t
        g_post += 0.1*exp(-phase/10)*int(t > 2*ms)""",
    )
    synapses.connect("j == (i + 1) % N_post")
    synapses.last = "-1*second"
    run(25 * ms)
    return group, synapses


@same_as_runtime
def test_one_synapses_object_turned_off() -> Any:
    """``active`` of a whole object and of one pathway."""
    group = _spiking(5)
    synapses = Synapses(group, group, on_pre="g_post += 0.1", on_post="x_post += 1")
    synapses.connect()
    network = Network(group, synapses)
    network.run(8 * ms)
    synapses.post.active = False
    network.run(8 * ms)
    synapses.active = False
    network.run(8 * ms)
    return group


@same_as_runtime
def test_large_fan_out() -> Any:
    """Thousands of synapses from one spike, with sums in Brian2's order."""
    source = SpikeGeneratorGroup(50, np.arange(50), np.repeat(1 * ms, 50))
    target = NeuronGroup(200, "v : 1")
    synapses = Synapses(source, target, "w : 1", on_pre="v_post += w")
    synapses.connect()
    synapses.w = "sin(i*1.7 + j*0.3)"
    run(2 * ms)
    return np.array(target.v)
