"""NIR graphs as Brian2 networks, against NIR's equations in NumPy."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from brian2 import (
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    ms,
    mV,
    second,
)

import brian2lava
from brian2lava.errors import NotSupported, OptionError
from tests.networks.devices import ENGINES, Engine, reference, under

PAPER = Path(__file__).parent / "data" / "nir"
CHIP_TRACE = Path(__file__).parent / "chip" / "data" / "nir" / "lif_lava_loihi_fixed.csv"
DT = 1e-3


@pytest.fixture(autouse=True)
def plain_brian2() -> Iterator[None]:
    """Brian2's runtime; tests of a device enter another one."""
    with reference():
        yield


# ---------------------------------------------------------------- NIR's equations, step by step
def windows(x: Any, node: Any, weight: Any, groups: int) -> Any:
    """A convolution, filter by filter and offset by offset."""
    axes = x.ndim - 1
    one = [np.broadcast_to(np.asarray(a), axes) for a in (node.stride, node.padding)]
    gaps = np.broadcast_to(np.asarray(getattr(node, "dilation", 1)), axes)
    x = np.pad(x, ((0, 0), *[(p, p) for p in one[1]]))
    spans = [d * (k - 1) for d, k in zip(gaps, weight.shape[2:])]
    out = [(n - span - 1) // s + 1 for n, span, s in zip(x.shape[1:], spans, one[0])]
    y = np.zeros((len(weight), *out))
    for f, filter_ in enumerate(weight):
        first = f // (len(weight) // groups) * weight.shape[1]
        for c, *at in np.ndindex(*filter_.shape):
            cut = [slice(a * d, a * d + (o - 1) * s + 1, s)
                   for a, d, o, s in zip(at, gaps, out, one[0])]  # fmt: skip
            y[f] += filter_[(c, *at)] * x[(first + c, *cut)]
    return y


def linear(node: Any, x: Any) -> Any:
    kind = type(node).__name__
    if kind in ("Linear", "Affine"):
        return node.weight.astype(float) @ x + getattr(node, "bias", 0.0)
    if kind.startswith("Conv"):
        bias = node.bias.astype(float).reshape(-1, *[1] * (x.ndim - 1))
        return windows(x, node, node.weight.astype(float), int(node.groups)) + bias
    if kind.endswith("Pool2d"):
        ones = np.ones((len(x), 1, *node.kernel_size))
        return windows(x, node, ones if kind[0] == "S" else ones / ones[0].size, len(x))
    return node.scale * x if kind == "Scale" else x.ravel() if kind == "Flatten" else x


def simulate(
    graph: Any, x: Any, dt: float, at_once: bool = False, now: bool = False, subtract: bool = False
) -> dict[str, Any]:
    """Every node's output in every step, by Euler's method.

    A neuron gets what others sent in the step before; ``at_once`` computes layers within one step,
    as most simulators do. ``now``: the input acts in its own step.
    """
    into = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
    sent: dict[str, Any] = {}
    state: dict[str, Any] = {}
    waiting: dict[str, list[Any]] = {name: [] for name in graph.nodes}
    record: dict[str, list[Any]] = {name: [] for name in graph.nodes}

    def fire(name: str, node: Any, i: Any) -> Any:
        p = {key: np.asarray(value, float) for key, value in vars(node).items()
             if isinstance(value, np.ndarray)}  # fmt: skip
        rest = p.get("v_leak", np.zeros(np.shape(i)))
        v, current = state.get(name, (rest, np.zeros(np.shape(i))))
        if "tau_syn" in p:
            current = current + dt / p["tau_syn"] * (p["w_in"] * i - current)
            i = current
        if type(node).__name__ == "Threshold":
            return (i > p["threshold"]).astype(float)
        tau = p.get("tau", p.get("tau_mem"))
        v = v + (dt * p["r"] * i if tau is None else dt / tau * (rest - v + p["r"] * i))
        z = v > p.get("v_threshold", np.inf)
        state[name] = np.where(z, v - p["v_threshold"] if subtract else p["v_reset"], v) if (
            "v_reset" in p) else v, current  # fmt: skip
        return z.astype(float) if "v_threshold" in p else v

    def value(name: str, t: int, done: dict[str, Any], asked: tuple[str, ...] = ()) -> Any:
        node, zero = graph.nodes[name], np.zeros(1)
        if isinstance(node, nir.Input):
            return x[t] if now or at_once else x[t - 1] if t else 0 * x[0]
        neuron = hasattr(node, "r") or isinstance(node, nir.Threshold)
        if neuron and asked and (not at_once or name in asked):
            return sent.get(name, zero)
        if name not in done:
            i = sum(value(a, t, done, (*asked, name)) for a in into[name])
            if isinstance(node, nir.Delay):
                steps = np.broadcast_to(np.rint(node.delay / dt).astype(int), np.shape(i))
                waiting[name].append(i)
                past = [waiting[name][t - d] if t >= d else 0 * i for d in steps.ravel()]
                done[name] = np.array([each.ravel()[k] for k, each in enumerate(past)])
            else:
                done[name] = fire(name, node, i) if neuron else linear(node, i)
        return done[name]

    for name, node in graph.nodes.items():  # what has not fired yet is 0 of its shape
        shaped = getattr(node, "r", getattr(node, "threshold", None))
        if shaped is not None:
            sent[name] = 0.0 * shaped + getattr(node, "v_leak", 0.0) * (
                not hasattr(node, "v_threshold"))  # fmt: skip
    for t in range(len(x)):
        done: dict[str, Any] = {}
        for name in graph.nodes:
            record[name].append(value(name, t, done))
        sent |= {name: done[name] for name in sent}
    return {name: np.array(rows, float) for name, rows in record.items()}


# ---------------------------------------------------------------- the same in Brian2
def run(made: Any, steps: int, spikes: Any = None) -> dict[str, Any]:
    """Each group's spikes, or its v after each step, as (steps, size)."""
    if spikes is not None:
        (source,) = made.inputs.values()
        when, who = np.nonzero(np.reshape(spikes, (len(spikes), -1)))
        source.set_spikes(who, when * made.dt)
    seen: dict[str, Any] = {}
    for name, group in made.groups.items():
        fires = "spike" in group.events
        seen[name] = (
            SpikeMonitor(group) if fires else StateMonitor(group, "v", record=True, when="end")
        )
    made.network.add(*seen.values())
    made.network.run(steps * made.dt)
    return {name: raster(each, steps, made.convention.dt) for name, each in seen.items()}


def raster(monitor: Any, steps: int, dt: float) -> Any:
    if isinstance(monitor, StateMonitor):
        return np.array(monitor.v).T
    spikes = np.zeros((steps, len(monitor.source)))
    spikes[np.rint(monitor.t / second / dt).astype(int), monitor.i] = 1
    return spikes


def events(steps: int, shape: Any, chance: float, seed: int = 0) -> Any:
    return (np.random.default_rng(seed).random((steps, *np.ravel(shape))) < chance).astype(float)


def chain(*nodes: Any, edges: Any = None, inputs: Any = 3, outputs: Any = 2) -> Any:
    """input -> a -> b -> ... -> output, or with the given edges."""
    names = [chr(ord("a") + k) for k in range(len(nodes))]
    every: dict[str, Any] = {"input": nir.Input(input_type={"input": np.ravel(inputs)})}
    every |= dict(zip(names, nodes))
    every["output"] = nir.Output(output_type={"output": np.ravel(outputs)})
    line = list(every)
    return nir.NIRGraph(
        nodes=every, edges=edges or list(zip(line[:-1], line[1:])), type_check=False
    )


def full(value: float, *shape: int) -> Any:
    return np.full(shape or (2,), float(value))


def lif(size: int = 2, **changed: Any) -> Any:
    values = {"tau": 0.01, "r": 5.0, "v_leak": 0.1, "v_threshold": 1.0, "v_reset": -0.2} | changed
    return nir.LIF(**{name: full(value, size) for name, value in values.items()})


def cuba(size: int = 2, **changed: Any) -> Any:
    values = {"tau_syn": 0.004, "tau_mem": 0.01, "r": 3.0, "v_leak": 0.1, "v_threshold": 1.0,
              "v_reset": -0.2, "w_in": 4.0} | changed  # fmt: skip
    return nir.CubaLIF(**{name: full(value, size) for name, value in values.items()})


def weights(rows: int, columns: int, seed: int = 0, scale: float = 2.0) -> Any:
    return np.random.default_rng(seed).normal(0.6, 1.0, (rows, columns)) * scale


# ---------------------------------------------------------------- the four graphs of the paper
def lif_input() -> Any:
    return np.loadtxt(CHIP_TRACE, delimiter=",")[:, :1]


@pytest.mark.parametrize(
    ("engine", "array", "expected"),
    [
        (ENGINES[0], True, [460, 510, 710, 760]),
        (Engine("chip", {"hardware": "Loihi2", "host": "inline"}), False, [461, 511, 711, 761]),
    ],
    ids=str,
)
def test_the_papers_lif_fires_when_its_reference_does(
    engine: Engine, array: bool, expected: list[int]
) -> None:
    with under(engine):
        x = lif_input()
        inputs = {"input": x} if array else None
        made = brian2lava.from_nir(PAPER / "lif_norse.nir", dt=0.1 * ms, inputs=inputs)
        spikes = run(made, 1000, None if array else x)
    assert list(np.flatnonzero(spikes["1"])) == expected


CASES: Mapping[str, tuple[Any, Mapping[str, Any], float, int]] = {
    "lif_norse": (0.1 * ms, {}, 0.1, 1000),
    "braille_noDelay_bias_zero": (None, {}, 0.1, 400),
    "braille_noDelay_noBias_subtract": (None, {"reset": "subtract"}, 0.1, 400),
    "cnn_sinabs": (1 * second, {}, 0.05, 25),
}


@pytest.mark.parametrize("name", CASES)
def test_the_papers_graphs_spike_for_spike(name: str) -> None:
    dt, options, chance, steps = CASES[name]
    graph = nir.read(PAPER / f"{name}.nir")
    x = events(steps, graph.nodes["input"].input_type["input"], chance)
    made = brian2lava.from_nir(PAPER / f"{name}.nir", dt, **options)
    ours = run(made, steps, x)
    theirs = simulate(graph, x, made.convention.dt, subtract=bool(options))
    for node, spikes in ours.items():
        assert spikes.sum() > 3, node
        assert np.array_equal(spikes, theirs[node].reshape(steps, -1)), node


@pytest.mark.parametrize(
    ("name", "depth"),
    [("braille_noDelay_noBias_subtract", {"lif1.lif": 1, "lif2": 2}),
     ("cnn_sinabs", {"1": 1, "3": 2, "6": 3, "10": 4, "12": 5})],
)  # fmt: skip
def test_without_biases_a_layer_is_one_step_behind_simulators_without_latency(
    name: str, depth: Mapping[str, int]
) -> None:
    dt, options, chance, steps = CASES[name]
    graph = nir.read(PAPER / f"{name}.nir")
    x = events(steps, graph.nodes["input"].input_type["input"], chance, seed=1)
    made = brian2lava.from_nir(graph, dt, **options)
    ours = run(made, steps, x)
    theirs = simulate(graph, x, made.convention.dt, at_once=True, subtract=bool(options))
    for node, late in depth.items():
        assert theirs[node].sum() > 0, node
        assert np.array_equal(ours[node][late:], theirs[node].reshape(steps, -1)[:-late]), node


def test_a_gains_hidden_dt_is_found() -> None:
    made = brian2lava.from_nir(PAPER / "braille_noDelay_bias_zero.nir")
    assert made.convention.dt == 1e-4
    with pytest.raises(
        OptionError, match=r"dt = 0\.001 s, but the graph was made for dt = 0\.0001"
    ):
        brian2lava.from_nir(PAPER / "braille_noDelay_bias_zero.nir", 1 * ms)
    assert brian2lava.from_nir(
        PAPER / "braille_noDelay_bias_zero.nir", 0.05 * ms, check_gains=False
    ).dt == 0.05 * ms  # fmt: skip
    with pytest.raises(OptionError, match="from_nir\\(\\) needs dt"):
        brian2lava.from_nir(PAPER / "lif_norse.nir")


# ---------------------------------------------------------------- every kind of node
SQUARE = np.random.default_rng(5).normal(0.4, 1.0, (4, 2, 3, 3))
GRAPHS: Mapping[str, Any] = {
    "LIF": lambda: chain(nir.Affine(weight=weights(2, 3), bias=full(0.1)), lif()),
    "CubaLIF": lambda: chain(nir.Affine(weight=weights(2, 3), bias=full(0.1)), cuba()),
    "IF": lambda: chain(
        nir.Linear(weight=weights(2, 3)),
        nir.IF(r=full(300), v_threshold=full(1), v_reset=full(0.1)),
    ),
    "LI": lambda: chain(
        nir.Affine(weight=weights(2, 3), bias=full(0.3)),
        nir.LI(tau=full(0.01), r=full(2), v_leak=full(0.3)),
    ),
    "CubaLI": lambda: chain(
        nir.Linear(weight=weights(2, 3)),
        nir.CubaLI(tau_syn=full(0.004), tau_mem=full(0.01), r=full(2), v_leak=full(0.3),
                   w_in=full(3)),
    ),
    "I": lambda: chain(nir.Affine(weight=weights(2, 3), bias=full(0.3)), nir.I(r=full(40))),
    "Threshold": lambda: chain(
        nir.Affine(weight=weights(2, 3), bias=full(0.3)), nir.Threshold(threshold=full(1.5))
    ),
    "Scale": lambda: chain(nir.Scale(scale=np.array([3.0, -1.0, 6.0])), lif(3), outputs=3),
    "linear output": lambda: chain(
        nir.Linear(weight=weights(2, 3)), lif(),
        nir.Affine(weight=weights(4, 2, 1), bias=full(1, 4)), outputs=4,
    ),
    "Delay": lambda: chain(
        nir.Delay(delay=np.array([0, 3, 7]) * DT), nir.Linear(weight=weights(2, 3)),
        nir.Delay(delay=np.array([2, 5]) * DT), lif(),
    ),
    "Conv1d": lambda: chain(
        nir.Conv1d(input_shape=9, weight=SQUARE[:, :, 0], stride=2, padding=2, dilation=2, groups=1,
                   bias=np.arange(4) * 0.1),
        nir.Flatten(input_type={"input": np.array([4, 5])}, start_dim=0), lif(20),
        inputs=(2, 9), outputs=20,
    ),
    "Conv2d, AvgPool": lambda: chain(
        nir.Conv2d(input_shape=(8, 7), weight=SQUARE[:, :1], stride=(1, 2), padding=(2, 0),
                   dilation=(2, 1), groups=2, bias=np.zeros(4)),
        nir.AvgPool2d(kernel_size=np.array([3, 2]), stride=np.array([2, 1]),
                      padding=np.array([1, 1])),
        nir.IF(r=full(900, 4, 4, 4), v_threshold=full(1, 4, 4, 4), v_reset=full(0, 4, 4, 4)),
        inputs=(2, 8, 7), outputs=(4, 4, 4),
    ),
    "recurrent": lambda: chain(
        nir.Linear(weight=weights(3, 3)), cuba(3), nir.Linear(weight=weights(3, 3, 2, -1)), lif(3),
        edges=[("input", "a"), ("a", "b"), ("b", "c"), ("c", "b"), ("b", "d"), ("input", "d"),
               ("d", "output")],
        outputs=3,
    ),
    "voltages into neurons": lambda: chain(
        nir.Linear(weight=weights(2, 3)), nir.LI(tau=full(0.02), r=full(2), v_leak=full(0.5)),
        nir.Linear(weight=weights(2, 2, 1)), cuba(), nir.Linear(weight=weights(2, 2, 3)), lif(),
        edges=[("input", "a"), ("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("b", "e"),
               ("e", "f"), ("a", "f"), ("f", "output")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("array", [False, True])
def test_every_kind_of_node_does_what_nir_says(name: str, array: bool) -> None:
    graph = GRAPHS[name]()
    x = events(150, graph.nodes["input"].input_type["input"], 0.08, seed=3)
    inputs = {"input": x} if array else None
    made = brian2lava.from_nir(graph, DT * second, inputs=inputs, check_gains=False)
    ours = run(made, 150, None if array else x)
    theirs = simulate(graph, x, DT, now=array)
    assert len(ours) >= 1
    for node, values in ours.items():
        expected = theirs[node].reshape(150, -1)
        assert np.ptp(expected) > 0.1, node
        assert np.allclose(values, expected, rtol=1e-10, atol=1e-12), node


def test_nested_graphs() -> None:
    inner = nir.NIRGraph(
        nodes={
            "in": nir.Input(input_type={"input": np.array([2])}),
            "lif": lif(),
            "back": nir.Linear(weight=weights(2, 2, 4, -0.5)),
            "out": nir.Output(output_type={"output": np.array([2])}),
        },
        edges=[("in", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "out")],
        type_check=False,
    )
    nested = chain(
        nir.Linear(weight=weights(2, 3)), inner, nir.Linear(weight=weights(2, 2)), cuba()
    )
    made = brian2lava.from_nir(nested, DT * second)
    assert set(made.groups) == {"b.lif", "d"}
    flat = chain(
        nir.Linear(weight=weights(2, 3)), lif(), nir.Linear(weight=weights(2, 2, 4, -0.5)),
        nir.Linear(weight=weights(2, 2)), cuba(),
        edges=[("input", "a"), ("a", "b"), ("b", "c"), ("c", "b"), ("b", "d"), ("d", "e"),
               ("e", "output")],
    )  # fmt: skip
    x = events(150, 3, 0.1)
    ours, theirs = run(made, 150, x), simulate(flat, x, DT)
    assert ours["b.lif"].sum() > 5
    assert np.array_equal(ours["b.lif"], theirs["b"])
    assert np.array_equal(ours["d"], theirs["e"])


def test_parameters_one_for_all_take_the_shape_of_the_input() -> None:
    neuron = nir.LIF(*(np.array(value) for value in (0.01, 5.0, 0.1, 1.0, -0.2)))
    x = events(100, 3, 0.1)
    made = brian2lava.from_nir(chain(nir.Linear(weight=weights(2, 3)), neuron), DT * second)
    expected = simulate(chain(nir.Linear(weight=weights(2, 3)), lif()), x, DT)
    assert np.array_equal(run(made, 100, x)["b"], expected["b"])


# ---------------------------------------------------------------- conventions
def test_the_exact_method_is_exact_for_a_constant_input() -> None:
    graph = chain(nir.LI(tau=full(0.01, 1), r=full(3, 1), v_leak=full(0.5, 1)), inputs=1, outputs=1)
    made = brian2lava.from_nir(
        graph, 4 * ms, inputs={"input": np.full((10, 1), 2.0)}, method="exact"
    )
    v = run(made, 10)["a"][:, 0]
    times = 4e-3 * np.arange(1, 11)
    assert np.allclose(v, 6.5 - 6.0 * np.exp(-times / 0.01), rtol=1e-13)


def test_a_delta_spike_adds_the_same_whatever_dt_is() -> None:
    graph = chain(nir.I(r=full(2, 1)), inputs=1, outputs=1)
    for dt in (1 * ms, 0.3 * ms):
        made = brian2lava.from_nir(graph, dt, spikes="delta")
        v = run(made, 12, events(10, 1, 2.0))["a"]
        assert v[-1] == pytest.approx(20.0, rel=1e-12)


def test_resets_by_argument_by_node_and_by_metadata() -> None:
    first, second_ = nir.Linear(weight=weights(2, 3)), nir.Linear(weight=weights(2, 2))
    graph = chain(first, lif(v_reset=0), second_, lif(v_reset=0))
    x = events(150, 3, 0.1)
    hard, soft = simulate(graph, x, DT), simulate(graph, x, DT, subtract=True)
    assert not np.array_equal(hard["b"], soft["b"])
    made = brian2lava.from_nir(graph, DT * second, reset={"b": "subtract"})
    assert made.resets == {"b": "subtract", "d": "v_reset"}
    assert np.array_equal(run(made, 150, x)["b"], soft["b"])
    graph.nodes["b"].metadata = {"reset": "subtract"}
    assert brian2lava.from_nir(graph, DT * second).resets == {"b": "subtract", "d": "v_reset"}
    made = brian2lava.from_nir(graph, DT * second, reset="v_reset")
    assert np.array_equal(run(made, 150, x)["b"], hard["b"])


def test_another_group_as_input() -> None:
    made_by_us = SpikeGeneratorGroup(3, [0, 1, 2], [3, 5, 9] * ms, dt=DT * second)
    graph = chain(nir.Linear(weight=full(9, 2, 3)), lif())
    made = brian2lava.from_nir(graph, DT * second, inputs={"input": made_by_us})
    assert made.inputs["input"] is made_by_us
    assert list(np.flatnonzero(run(made, 20)["b"][:, 0])) == [4, 6, 10]


# ---------------------------------------------------------------- refusals
class Unheard(nir.NIRNode):
    """A node of nobody's."""


BAD_GRAPHS: Mapping[str, tuple[Any, str]] = {
    "unknown node": (
        lambda: chain(Unheard.__new__(Unheard), lif()),
        "'a' is a Unheard, which brian2lava does not know",
    ),
    "shapes": (
        lambda: chain(nir.Linear(weight=weights(2, 4)), lif()),
        r"'a' \(Linear\) gets an input of shape \(3,\), but takes \(4,\)",
    ),
    "sums of shapes": (
        lambda: chain(nir.Linear(weight=weights(2, 3)), lif(),
                      edges=[("input", "a"), ("a", "b"), ("input", "b"), ("b", "output")]),
        "'b' gets inputs of different shapes",
    ),
    "parameters": (
        lambda: chain(nir.Linear(weight=weights(4, 3)), lif(3)),
        r"'b' has 3 neurons, but gets an input of shape \(4,\)",
    ),
    "loop without neuron": (
        lambda: chain(nir.Linear(weight=weights(3, 3)), nir.Linear(weight=weights(3, 3)), lif(3),
                      edges=[("input", "a"), ("a", "b"), ("b", "a"), ("b", "c"), ("c", "output")]),
        "is a loop without a neuron",
    ),
    "an edge to nowhere": (
        lambda: chain(lif(3), edges=[("input", "b")]), "an edge names 'b', which is no node"
    ),
    "twice": (
        lambda: chain(lif(3), edges=[("input", "a"), ("input", "a")]), "is there 2 times"
    ),
    "odd delay": (
        lambda: chain(nir.Delay(delay=np.array([0, 0.0015, 0])), lif(3)),
        r"'a': a delay of 0\.0015 s is 1\.5 steps",
    ),
    "delayed bias": (
        lambda: chain(nir.Affine(weight=weights(2, 3), bias=full(1)),
                      nir.Delay(delay=full(0.002)), lif()),
        "'b' delays the bias",
    ),
    "delayed voltage": (
        lambda: chain(nir.LI(tau=full(0.01, 3), r=full(1, 3), v_leak=full(0, 3)),
                      nir.Delay(delay=full(0.002, 3)), lif(3), outputs=3),
        "the voltage of 'a' reaches 'c' through a Delay",
    ),
    "short tau": (lambda: chain(lif(3, tau=0.0005)), r"'a': tau = 0\.0005 s is shorter than dt"),
    "negative tau": (lambda: chain(lif(3, tau=-1)), "'a': tau = -1 s. A time constant is positive"),
    "reset above threshold": (lambda: chain(lif(3, v_reset=2)), "v_reset is not below v_threshold"),
    "not a number": (lambda: chain(lif(3, r=np.nan)), "'a': r has a value that is no number"),
    "same with a stride": (
        lambda: chain(nir.Conv1d(input_shape=9, weight=SQUARE[:, :, 0], stride=2, padding="same",
                                 dilation=1, groups=1, bias=np.zeros(4)), lif(20), inputs=(2, 9)),
        "padding 'same' with stride",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_GRAPHS)
def test_what_a_network_in_steps_cannot_be_is_refused_by_name(name: str) -> None:
    build, message = BAD_GRAPHS[name]
    with pytest.raises(NotSupported, match=message):
        brian2lava.from_nir(build(), DT * second)


def test_a_nested_graph_with_two_inputs_is_refused() -> None:
    inner = nir.NIRGraph(
        nodes={name: nir.Input(input_type={"input": np.array([3])}) for name in "xy"}
        | {"o": nir.Output(output_type={"output": np.array([3])})},
        edges=[("x", "o"), ("y", "o")],
        type_check=False,
    )
    with pytest.raises(NotSupported, match="'a' has 2 Input nodes"):
        brian2lava.from_nir(chain(inner, lif(3)), DT * second)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt": 1 * mV}, "is no time"),
        ({"dt": -1 * ms}, "is no time step"),
        ({"dt": "fast"}, "is no time step"),
        ({"method": "rk4"}, "method='rk4': choose one of euler, exact"),
        ({"spikes": "many"}, "spikes='many'"),
        ({"reset": "never"}, "reset='never'"),
        ({"reset": {"a": "never"}}, "reset='never' for 'a'"),
        ({"reset": {"q": "subtract"}}, "reset: the graph has no neuron node 'q', but 'a'"),
        ({"inputs": {"q": np.ones((2, 3))}}, "inputs: the graph has no Input node 'q'"),
        ({"inputs": {"input": np.ones((2, 4))}}, r"shape \(2, 4\), but the Input node has 3"),
        ({"inputs": {"input": "noise"}}, "neither a Brian2 group nor an array"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        brian2lava.from_nir(chain(lif(3)), **({"dt": DT * second} | options))


def test_groups_that_do_not_fit_an_input() -> None:
    group = PoissonGroup(4, rates=1 / second, dt=DT * second)
    with pytest.raises(OptionError, match="has 4 neurons, but the Input node has 3"):
        brian2lava.from_nir(chain(lif(3)), DT * second, inputs={"input": group})
    late = NeuronGroup(3, "v : 1", threshold="v > 1", reset="v = 0", dt=0.5 * ms)
    with pytest.raises(OptionError, match="dt = 0.0005 s, but the graph is run with 0.001 s"):
        brian2lava.from_nir(chain(lif(3)), DT * second, inputs={"input": late})


def test_what_is_no_graph(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no file"):
        brian2lava.from_nir(tmp_path / "none.nir", 1 * ms)
    (tmp_path / "text.nir").write_text("a graph")
    with pytest.raises(NotSupported, match=r"'text\.nir' is no HDF5 file"):
        brian2lava.from_nir(tmp_path / "text.nir", 1 * ms)
    with pytest.raises(NotSupported, match="not a list"):
        brian2lava.from_nir([], 1 * ms)


def test_without_the_package_nir_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['nir'] = None\n"
        "import brian2lava\n"
        "from brian2lava import *\n"
        "try: from_nir('x.nir')\n"
        "except brian2lava.BrianLavaError as problem: print(problem)\n"
        "help(brian2lava)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "pip install 'brian2lava[nir]'" in done.stdout, done.stderr
    assert "bit_by_bit(" in done.stdout


def test_nir_is_imported_by_whoever_asks_for_it_and_help_does() -> None:
    code = (
        "import sys, pydoc, brian2lava\n"
        "assert 'nir' not in sys.modules\n"
        "assert {'from_nir', 'to_nir'} <= set(dir(brian2lava))\n"
        "print(pydoc.render_doc(brian2lava, renderer=pydoc.plaintext))\n"
        "print(pydoc.render_doc(brian2lava.from_nir, renderer=pydoc.plaintext))\n"
        "try: brian2lava.from_nothing\n"
        "except AttributeError as problem: print(problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "has no attribute 'from_nothing'" in done.stdout, done.stderr
    without_breaks = re.sub(r"\(\s+", "(", done.stdout)  # Python 3.13 breaks long signatures
    for told in ("to_nir(network", "bit_by_bit(", "A Brian2 network that computes a NIR graph"):
        assert told in without_breaks, told
