"""Brian2 networks as NIR graphs, and both ways round."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    amp,
    ms,
    mV,
    nA,
    second,
    siemens,
    uA,
    volt,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import brian2lava
from brian2lava.errors import NotSupported, OptionError
from tests.networks.devices import reference
from tests.test_nir import DT, PAPER, chain, cuba, events, full, lif, raster, run, simulate, weights

QUIET = settings(
    derandomize=True,
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def plain_brian2() -> Iterator[None]:
    with reference():
        yield


def numbers(low: float, high: float, size: int) -> st.SearchStrategy[Any]:
    """All alike, or one each."""
    each = st.floats(low, high).map(lambda value: round(value, 4))
    alike = each.map(lambda value: np.full(size, value))
    return alike | st.lists(each, min_size=size, max_size=size).map(np.array)


# ---------------------------------------------------------------- NIR -> Brian2 -> NIR
@st.composite
def graphs(draw: Any) -> tuple[Any, str, str]:
    """input -> Linear -> [Delay ->] neuron -> Linear -> neuron -> output, and how to read it."""
    sizes = draw(st.tuples(*[st.integers(1, 3)] * 3))
    method = draw(st.sampled_from(["euler", "exact"]))
    nodes: list[Any] = []
    for before, size in zip(sizes[:-1], sizes[1:]):
        seed = draw(st.integers(0, 99))
        bias = draw(numbers(-0.5, 0.5, size))
        matrix = weights(size, before, seed)
        nodes.append(
            nir.Affine(weight=matrix, bias=bias) if np.any(bias) else nir.Linear(weight=matrix)
        )
        nodes.append(draw(neurons(size)))
    if draw(st.booleans()):
        nodes.insert(2, nir.Delay(delay=full(draw(st.integers(1, 9)) * DT, sizes[1])))
    return (
        chain(*nodes, inputs=sizes[0], outputs=sizes[2]),
        method,
        draw(st.sampled_from(["pulse", "delta"])),
    )


@st.composite
def neurons(draw: Any, size: int) -> Any:
    kind = draw(st.sampled_from(["LIF", "CubaLIF", "IF"]))
    firing = {
        "v_threshold": draw(numbers(0.5, 2, size)),
        "v_reset": draw(numbers(-1, 0.25, size)),
    }
    r = draw(numbers(0.125, 20, size))
    if kind == "IF":
        return nir.IF(r=r, **firing)
    rest = draw(numbers(-1, 0.25, size))
    tau = draw(numbers(0.002, 0.5, size))
    if kind == "LIF":
        return nir.LIF(tau=tau, r=r, v_leak=rest, **firing)
    return nir.CubaLIF(
        tau_syn=draw(numbers(0.002, 0.05, size)), tau_mem=tau, r=r, v_leak=rest,
        w_in=draw(numbers(0.5, 4, size)), **firing,
    )  # fmt: skip


def equal_graphs(ours: Any, theirs: Any, rtol: float) -> None:
    """Nodes in the order of a chain have the same parameters."""
    line, others = (in_order(graph) for graph in (ours, theirs))
    assert [type(a).__name__ for a in line] == [type(b).__name__ for b in others]
    for a, b in zip(line, others):
        for name, value in vars(b).items():
            if isinstance(value, np.ndarray):
                found = getattr(a, name)
                assert found.shape == value.shape, (type(a), name)
                assert np.allclose(found, value, rtol=rtol, atol=rtol * (1 + abs(value).max())), (
                    type(a), name, found, value,
                )  # fmt: skip


def in_order(graph: Any) -> list[Any]:
    following = dict(graph.edges)
    (name,) = (name for name, node in graph.nodes.items() if isinstance(node, nir.Input))
    nodes = [graph.nodes[name]]
    while name in following:
        name = following[name]
        nodes.append(graph.nodes[name])
    return nodes


def merged(graph: Any) -> Any:
    """What a network can't tell apart: w_in is a factor of the weights and of the bias."""
    line = in_order(graph)
    for before, node in zip(line[:-1], line[1:]):
        if isinstance(node, nir.CubaLIF):
            affine = line[line.index(before) - 1] if isinstance(before, nir.Delay) else before
            affine.weight = affine.weight * node.w_in[:, None]
            if hasattr(affine, "bias"):
                affine.bias = affine.bias * node.w_in
            node.w_in = np.ones_like(node.w_in)
    return graph


@QUIET
@given(graphs())
def test_from_nir_and_back_through_the_map_alone(drawn: tuple[Any, str, str]) -> None:
    """Brian2's objects, and not a word of where they came from."""
    graph, method, spikes = drawn
    made = brian2lava.from_nir(graph, DT * second, method=method, spikes=spikes, check_gains=False)
    back = brian2lava.to_nir(made.network, method=method, spikes=spikes)
    assert back.metadata == {"dt": DT, "method": method, "spikes": spikes}
    equal_graphs(back, merged(graph), 1e-10)


@QUIET
@given(graphs(), st.sampled_from(["v_reset", "subtract"]))
def test_back_through_a_file_the_spikes_are_the_same(
    tmp_path: Path, drawn: tuple[Any, str, str], reset: str
) -> None:
    graph, method, spikes = drawn
    options: dict[str, Any] = {"method": method, "spikes": spikes}
    made = brian2lava.from_nir(graph, DT * second, reset=reset, check_gains=False, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the threshold that is subtracted
        nir.write(tmp_path / "back.nir", brian2lava.to_nir(made.network, **options))
    again = brian2lava.from_nir(tmp_path / "back.nir", check_gains=False, **options)
    x = events(60, graph.nodes["input"].input_type["input"], 0.2, seed=1)
    first, second_ = run(made, 60, x), run(again, 60, x)
    for ours, theirs in zip(first.values(), second_.values()):
        assert np.array_equal(ours, theirs)


def test_a_network_from_nir_gives_its_graph_back_with_all_its_nodes() -> None:
    graph = nir.read(PAPER / "cnn_sinabs.nir")
    made = brian2lava.from_nir(graph, 1 * second)
    back = brian2lava.to_nir(made)
    assert {name: type(node) for name, node in back.nodes.items()} == {
        name: type(node) for name, node in graph.nodes.items()
    }
    assert back.edges == graph.edges
    for name, node in graph.nodes.items():
        for key, value in vars(node).items():
            if isinstance(value, np.ndarray):
                assert np.array_equal(vars(back.nodes[name])[key], value), (name, key)
    assert back.metadata["dt"] == 1.0
    assert graph.metadata == {}


def test_a_network_that_was_changed_is_written_as_it_is() -> None:
    graph = chain(nir.Linear(weight=weights(2, 3)), lif(), nir.Linear(weight=weights(2, 2)), cuba())
    made = brian2lava.from_nir(graph, DT * second, check_gains=False, reset={"b": "subtract"})
    assert brian2lava.to_nir(made).nodes["b"].metadata == {"reset": "subtract"}
    made.synapses["b", "d"].w *= 2
    made.groups["d"].tau_mem = 20 * ms
    with pytest.warns(UserWarning, match="'b': a spike takes the threshold off v"):
        back = brian2lava.to_nir(made, w_in=4.0)
    assert set(back.nodes) == {"input", "b", "d", "output", "input_to_b_pre", "b_to_d_pre"}
    assert np.allclose(back.nodes["b_to_d_pre"].weight, 2 * graph.nodes["c"].weight, rtol=1e-12)
    assert np.allclose(back.nodes["d"].tau_mem, 0.02)
    assert np.allclose(back.nodes["d"].r, graph.nodes["d"].r)
    assert back.nodes["b"].metadata == {"reset": "subtract"}


def test_gains_that_undo_dt_are_written_when_asked_for() -> None:
    path = PAPER / "braille_noDelay_bias_zero.nir"
    graph, made = nir.read(path), brian2lava.from_nir(path)
    back = brian2lava.to_nir(made.network, w_in="dt")
    for ours, theirs in (("lif1_lif", "lif1.lif"), ("lif2", "lif2")):
        for name in ("tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset"):
            found, expected = (vars(g.nodes[n])[name] for g, n in ((back, ours), (graph, theirs)))
            assert np.allclose(found, expected, rtol=1e-12), (ours, name)
    assert np.allclose(back.nodes["lif1_lif_to_lif2_pre"].weight, graph.nodes["fc2"].weight)
    assert np.allclose(back.nodes["lif1_lif_to_lif2_pre"].bias, graph.nodes["fc2"].bias)


SMALL: Mapping[str, Callable[[], Any]] = {
    "LI": lambda: chain(
        nir.Affine(weight=weights(2, 3), bias=full(1)),
        nir.LI(tau=full(0.01), r=full(2), v_leak=full(0.3)),
    ),
    "CubaLI": lambda: chain(
        nir.Linear(weight=weights(2, 3)),
        nir.CubaLI(tau_syn=full(0.004), tau_mem=full(0.01), r=full(2), v_leak=full(0.3)),
    ),
    "I": lambda: chain(nir.Affine(weight=weights(2, 3), bias=full(1)), nir.I(r=full(40))),
    "Threshold": lambda: chain(
        nir.Affine(weight=weights(2, 3), bias=full(0.5)), nir.Threshold(threshold=full(1.5))
    ),
    "linear output": lambda: chain(
        nir.Linear(weight=weights(2, 3)), lif(), nir.Affine(weight=weights(2, 2), bias=full(1))
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_nodes_that_do_not_fire_or_keep_nothing_come_back(name: str) -> None:
    graph = SMALL[name]()
    made = brian2lava.from_nir(graph, DT * second, check_gains=False)
    equal_graphs(brian2lava.to_nir(made.network), graph, 1e-12)


def test_delays_of_single_synapses_become_a_layer_each() -> None:
    source = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 2, 3, 30] * ms, dt=1 * ms)
    target = NeuronGroup(2, "dv/dt = (J - v)/(10*ms) : 1\ndJ/dt = -J/(3*ms) : 1", threshold="v > 1",
                         reset="v = 0", method="euler", dt=1 * ms)  # fmt: skip
    synapses = Synapses(source, target, on_pre="J += 20", dt=1 * ms)
    synapses.connect()
    synapses.delay = [0, 3, 5, 0, 3, 3] * ms
    graph = brian2lava.to_nir([source, target, synapses])
    delays = sorted(n.delay[0] for n in graph.nodes.values() if isinstance(n, nir.Delay))
    assert np.allclose(delays, [0.003, 0.005])
    again = brian2lava.from_nir(graph)
    again.inputs[source.name].set_spikes([0, 1, 2, 0], [1, 2, 3, 30] * ms)
    ours, theirs = SpikeMonitor(target), SpikeMonitor(again.outputs["output"])
    Network(source, target, synapses, ours).run(50 * ms)
    again.network.add(theirs)
    again.network.run(50 * ms)
    assert ours.num_spikes >= 4
    assert np.array_equal(raster(ours, 50, 1e-3), raster(theirs, 50, 1e-3))


# ---------------------------------------------------------------- Brian2 -> NIR -> Brian2
@QUIET
@given(
    tau=st.floats(2, 50), tau_syn=st.floats(1, 20), rest=st.floats(-75, -62),
    back=st.floats(-75, -60), method=st.sampled_from(["euler", "exact", "exponential_euler"]),
    written=st.sampled_from(["euler", "exact"]), spikes=st.sampled_from(["pulse", "delta"]),
    drive=st.floats(0, 3), seed=st.integers(0, 99), start=st.floats(0, 1),
)  # fmt: skip
def test_any_names_and_units_and_the_same_spikes(
    tau: float, tau_syn: float, rest: float, back: float, method: str, written: str, spikes: str,
    drive: float, seed: int, start: float,
) -> None:  # fmt: skip
    values = {"tau_m": tau * ms, "tau_s": tau_syn * ms, "E": rest * mV, "g": 50e-9 * siemens,
              "I_0": drive * 0.1 * nA, "V_t": -55 * mV, "V_r": back * mV}  # fmt: skip
    source = SpikeGeneratorGroup(4, [], [] * ms)
    cells = NeuronGroup(
        3, "dU/dt = (E - U + (K + I_0)/g)/tau_m : volt\ndK/dt = -K/tau_s : amp", method=method,
        threshold="U > V_t", reset="U = V_r", namespace=values,
    )  # fmt: skip
    cells.U = rest * mV + start * 5 * mV
    given_ = Synapses(source, cells, "a : amp", on_pre="K_post += a")
    given_.connect()
    rng = np.random.default_rng(seed)
    given_.a = rng.normal(2, 1, 12) * nA
    among = Synapses(cells, cells, "a : amp", on_pre="K_post += a", delay=0.5 * ms)
    among.connect(condition="i != j")
    among.a = rng.normal(0, 1, 6) * nA
    who, when = rng.integers(4, size=60), rng.integers(600, size=60)
    who, when = np.unique(np.stack([who, when]), axis=1)
    source.set_spikes(who, when * 0.1 * ms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where it does not start at rest
        graph = brian2lava.to_nir([source, cells, given_, among], method=written, spikes=spikes)
    again = brian2lava.from_nir(graph, method=written, spikes=spikes, check_gains=False)
    again.inputs[source.name].set_spikes(who, when * 0.1 * ms)
    ours, theirs = SpikeMonitor(cells), SpikeMonitor(again.groups[cells.name])
    Network(source, cells, given_, among, ours).run(60 * ms)
    again.network.add(theirs)
    again.network.run(60 * ms)
    assert np.array_equal(raster(ours, 600, 1e-4), raster(theirs, 600, 1e-4))
    assert np.allclose(np.asarray(cells.U), again.groups[cells.name].v, rtol=1e-9, atol=1e-12)


def test_the_written_graph_fires_as_nirs_equations_say() -> None:
    """Not only back in Brian2: the graph itself, in NumPy."""
    source = SpikeGeneratorGroup(3, [], [] * ms, dt=1 * ms)
    cells = NeuronGroup(2, "dU/dt = (K - U)/(20*ms) : 1\ndK/dt = -K/(5*ms) : 1", method="exact",
                        threshold="U > 0.5", reset="U = 0.1", dt=1 * ms)  # fmt: skip
    synapses = Synapses(source, cells, on_pre="K += 3", dt=1 * ms)
    synapses.connect()
    x = events(200, 3, 0.05)
    when, who = np.nonzero(x)
    source.set_spikes(who, when * ms)
    with pytest.warns(UserWarning, match="v does not start at rest"):
        cells.U = 0.05
        brian2lava.to_nir([source, cells, synapses])
    cells.U = 0
    graph = brian2lava.to_nir([source, cells, synapses])
    monitor = SpikeMonitor(cells)
    Network(source, cells, synapses, monitor).run(200 * ms)
    expected = simulate(graph, x, 1e-3)[cells.name]
    assert expected.sum() > 10
    assert np.array_equal(raster(monitor, 200, 1e-3), expected)


def test_the_objects_around_the_call_and_their_outputs() -> None:
    tau, reached = 10 * ms, "v > 1"
    first = NeuronGroup(
        2, "dv/dt = (2 - v)/tau : 1", threshold=reached, reset="v = 0", name="first"
    )
    last = NeuronGroup(2, "dv/dt = -v/tau : 1", threshold=reached, reset="v = 0", name="last",
                       method="exact")  # fmt: skip
    synapses = Synapses(first, last, on_pre="v_post += 0.7", name="between")
    synapses.connect(j="i")
    assert tau and synapses
    with pytest.warns(UserWarning, match="first.*start at rest.*NIR keeps it for the next step"):
        graph = brian2lava.to_nir()
    assert dict(graph.edges) == {"first": "between_pre", "between_pre": "last", "last": "output"}
    with pytest.warns(UserWarning):
        graph = brian2lava.to_nir(outputs=[first, "last"])
    assert {"first_output", "last_output"} <= set(graph.nodes)
    with pytest.raises(OptionError, match="there is no group 'nobody', but 'first', 'last'"):
        brian2lava.to_nir(outputs=["nobody"])


# ---------------------------------------------------------------- refusals
LEAKY = "dv/dt = (J - v)/(10*ms) : 1\ndJ/dt = -J/(5*ms) : 1"
FIRING: Mapping[str, Any] = {"threshold": "v > 1", "reset": "v = 0", "method": "euler"}


def adaptive() -> Any:
    return NeuronGroup(1, LEAKY + "\ndtheta/dt = (1 - theta)/(50*ms) : 1", threshold="v > theta",
                       reset="v = 0; theta += 0.2", method="euler", name="group")  # fmt: skip


def plastic() -> Any:
    group = NeuronGroup(1, LEAKY, name="group", **FIRING)
    synapses = Synapses(
        group, group, "w : 1\ndx/dt = -x/(20*ms) : 1 (event-driven)\n"
        "dy/dt = -y/(20*ms) : 1 (event-driven)",
        on_pre="J_post += w; x += 1; w = clip(w - y, 0, 1)",
        on_post="y += 1; w = clip(w + x, 0, 1)", name="learns",
    )  # fmt: skip
    synapses.connect()
    return [group, synapses]


def driven_by(make: Callable[[Any], Any]) -> Any:
    group = NeuronGroup(1, LEAKY, name="group", **FIRING)
    return [group, *make(group)]


def poisson_group(group: Any) -> list[Any]:
    source = PoissonGroup(1, 10 * Hz, name="noise")
    synapses = Synapses(source, group, on_pre="J_post += 1")
    synapses.connect()
    return [source, synapses]


REFUSALS: Mapping[str, tuple[Callable[[], Any], str]] = {
    "adaptive threshold": (adaptive, "NeuronGroup 'group': its threshold moves"),
    "refractory": (
        lambda: NeuronGroup(
            1, "dv/dt = (2 - v)/(10*ms) : 1 (unless refractory)", refractory=2 * ms, name="group",
            **FIRING,
        ),
        "NeuronGroup 'group': it has a refractory period",
    ),
    "plastic": (plastic, "the weights of 'learns.*' change by a rule"),
    "Poisson group": (lambda: driven_by(poisson_group), "'noise' sends random spikes"),
    "Poisson input": (
        lambda: driven_by(lambda g: [PoissonInput(g, "J", 10, 5 * Hz, 0.1)]),
        "sends random spikes, which NIR has no node for",
    ),
    "two currents": (
        lambda: driven_by(
            lambda g: [s := Synapses(g, g, on_pre="v_post += 1; J_post += 1"), s.connect()][:1]
        ),
        "input reaches it through two currents",
    ),
    "resonator": (
        lambda: NeuronGroup(
            1, "dx/dt = -20*x/second - 200*y/second : 1\ndy/dt = 200*x/second - 20*y/second : 1",
            threshold="y >= 2", reset="x = 0; y = 2", method="euler", name="group",
        ),
        "NeuronGroup 'group': it resonates",
    ),
    "by chance": (
        lambda: NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", threshold="rand() < v", name="group",
                            method="euler"),
        "'group'.*",
    ),
    "two thresholds": (
        lambda: NeuronGroup(1, LEAKY, threshold="abs(v) > 1", reset="v = 0", method="euler",
                            name="group"),
        "NeuronGroup 'group': it has two thresholds",
    ),
    "not linear": (
        lambda: NeuronGroup(1, "dv/dt = v**2/(10*ms) : 1", name="group", **FIRING),
        r"NIR has no node for this\. NeuronGroup 'group': dv/dt contains v\*\*2",
    ),
    "nothing": (lambda: [], "there are no Brian2 objects"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_nir_cannot_say_is_refused_by_name(name: str) -> None:
    build, message = REFUSALS[name]
    with pytest.raises(NotSupported, match=message) as caught:
        brian2lava.to_nir(build())
    assert "hardware=" not in str(caught.value)


def test_values_that_change_in_time_are_refused() -> None:
    given_ = TimedArray([1, 2] * uA, dt=10 * ms)
    group = NeuronGroup(1, "dv/dt = -v/(10*ms) + given_(t)*volt/amp/second : volt", name="group",
                        threshold="v > 1*volt", reset="v = 0*volt", method="euler")  # fmt: skip
    assert given_(0 * ms) and volt and amp
    with pytest.raises(NotSupported, match="'group' is driven by a TimedArray"):
        brian2lava.to_nir(group)


def test_options_of_to_nir() -> None:
    group = NeuronGroup(1, LEAKY, **FIRING)
    with pytest.raises(OptionError, match="takes a Network or Brian2 objects, not a int"):
        brian2lava.to_nir(3)
    source = SpikeGeneratorGroup(1, [0], [1 * ms])
    synapses = Synapses(source, group, on_pre="J += 1")
    synapses.connect()
    with pytest.raises(OptionError, match='w_in=0: give a number other than 0, or "dt"'):
        brian2lava.to_nir([group, source, synapses], w_in=0)
    with pytest.raises(OptionError, match="method='rk4'"):
        brian2lava.to_nir([group, source, synapses], method="rk4")


def test_matrices_and_delays_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SpikeGeneratorGroup(30, [0], [1 * ms])
    group = NeuronGroup(2, LEAKY, name="group", **FIRING)
    synapses = Synapses(source, group, on_pre="J += 1", name="many")
    synapses.connect()
    synapses.delay = np.arange(60) * 0.1 * ms
    monkeypatch.setattr("brian2lava.interop.nir.write.MOST_DELAYS", 59)
    with pytest.raises(NotSupported, match="'many_pre' has 60 different delays, more than 59"):
        brian2lava.to_nir([source, group, synapses])
    monkeypatch.setattr("brian2lava.interop.nir.write.MOST_WEIGHTS", 59)
    with pytest.raises(NotSupported, match="'many_pre' is a matrix of 2 x 30 weights"):
        brian2lava.to_nir([source, group, synapses])


def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[1] / "docs" / "nir.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    assert len(blocks) == 4
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks:
        if "set_device" not in block:
            exec(compile(block, "docs/nir.md", "exec"), names)
    assert type(names["graph"].nodes["cells"]) is nir.CubaLIF
    assert names["spikes"].num_spikes > 0


@pytest.mark.parametrize("reset", ["v = 0", "v -= 3"])
def test_a_neuron_that_fires_at_its_threshold_does_so_when_it_is_read_back(reset: str) -> None:
    source = SpikeGeneratorGroup(1, np.zeros(20, int), np.arange(20) * ms, dt=1 * ms)
    group = NeuronGroup(1, "v : 1", threshold="v >= 3", reset=reset, dt=1 * ms)
    synapses = Synapses(source, group, on_pre="v += 1", dt=1 * ms)
    synapses.connect()
    with pytest.warns(UserWarning, match="v at the threshold fires, too"):
        graph = brian2lava.to_nir([source, group, synapses])
    (node,) = (each for each in graph.nodes.values() if isinstance(each, nir.IF))
    assert node.metadata["fires"] == "at"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the threshold that is subtracted
        back = brian2lava.from_nir(graph, 1 * ms)
    assert any(">=" in each.events["spike"] for each in back.groups.values())


def test_a_threshold_without_memory_that_fires_at_its_level_is_refused() -> None:
    source = SpikeGeneratorGroup(1, [0], [1] * ms, dt=1 * ms)
    group = NeuronGroup(1, "dv/dt = -v/(1*ms) : 1", threshold="v >= 3", reset="v = 0",
                        method="euler", dt=1 * ms, name="gate")  # fmt: skip
    synapses = Synapses(source, group, on_pre="v += 4", dt=1 * ms)
    synapses.connect()
    with pytest.raises(NotSupported, match="'gate': what arrives at its threshold fires, too"):
        brian2lava.to_nir([source, group, synapses])


@pytest.mark.parametrize("spikes", ["pulse", "delta"])
@pytest.mark.parametrize("method", ["euler", "exact"])
def test_a_file_says_how_it_is_to_be_read(method: str, spikes: str, tmp_path: Path) -> None:
    """Without options: dt, method and spikes are those that to_nir() wrote."""
    source = SpikeGeneratorGroup(1, np.zeros(9, int), np.arange(9) * 3 * ms, dt=1 * ms)
    group = NeuronGroup(1, "dv/dt = (J - v)/(6*ms) : 1\ndJ/dt = -J/(2*ms) : 1", threshold="v > 1",
                        reset="v = 0", method="exact", dt=1 * ms)  # fmt: skip
    synapses = Synapses(source, group, on_pre="J += 2", dt=1 * ms)
    synapses.connect()
    expected = StateMonitor(group, "v", record=True, dt=1 * ms)
    objects = [source, group, synapses]
    nir.write(tmp_path / "g.nir", brian2lava.to_nir(objects, method=method, spikes=spikes))
    again = brian2lava.from_nir(tmp_path / "g.nir")
    assert (again.convention.method, again.convention.spikes) == (method, spikes)
    (given,) = again.inputs.values()
    given.set_spikes(np.zeros(9, int), np.arange(9) * 3 * ms)
    found = StateMonitor(again.outputs["output"], "v", record=True, dt=1 * ms)
    Network(*objects, expected).run(40 * ms)
    again.network.add(found)
    again.network.run(40 * ms)
    assert expected.v.max() > 0.9
    np.testing.assert_allclose(found.v, expected.v, atol=1e-12)
    other = brian2lava.from_nir(tmp_path / "g.nir", method="euler", spikes="pulse")
    assert (other.convention.method, other.convention.spikes) == ("euler", "pulse")


def test_words_of_others_in_metadata_are_not_ours() -> None:
    graph = chain(nir.Linear(weight=weights(2, 3)), lif())
    graph.metadata = {"method": "surrogate", "spikes": 7}
    made = brian2lava.from_nir(graph, DT * second)
    assert (made.convention.method, made.convention.spikes) == ("euler", "pulse")
