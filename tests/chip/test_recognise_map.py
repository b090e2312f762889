"""A NeuronGroup's one-step map: equal to what Brian2 computes, or refused by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Equations,
    Network,
    NeuronGroup,
    StateMonitor,
    TimedArray,
    linked_var,
    ms,
    mV,
    volt,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava.chip.recognise import population_map
from brian2lava.chip.recognise.confirm import stepped
from brian2lava.chip.recognise.expression import _POLYNOMIAL
from brian2lava.chip.recognise.step_map import Chance, Crossing, PopulationMap, TwoSided
from brian2lava.errors import NotSupported
from tests.networks.devices import ENGINES, reference, under

CUBA = """
dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
dge/dt = -ge / taue : volt
dgi/dt = -gi / taui : volt
"""
CUBA_VALUES: dict[str, Any] = {
    "taum": 20 * ms,
    "taue": 5 * ms,
    "taui": 10 * ms,
    "Vt": -50 * mV,
    "Vr": -60 * mV,
    "El": -49 * mV,
}
METHODS = ("exact", "euler", "rk2", "rk4", "exponential_euler")


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """A blank Brian2; the groups of a test need not be part of a network."""
    with reference():
        brian2.prefs.logging.console_log_level = "ERROR"
        yield


def group(model: str, count: int = 3, **kwds: Any) -> NeuronGroup:
    made = NeuronGroup(count, model, **kwds)
    made._explicitly_in_no_network = True
    made.add_to_magic_network = False
    KEPT.append(made)
    return made


#: Groups that never run: they stay alive, so that Brian2 does not warn of them.
KEPT: list[Any] = []


def check_step(made: NeuronGroup, found: PopulationMap, values: Any, scale: float = 0.02) -> None:
    """From random states: map and Brian2 agree to 1e-12 of the terms' magnitudes."""
    draw = np.random.default_rng(7)
    net = Network(made)
    for step in range(3):
        x = scale * draw.standard_normal((len(found.states), found.count))
        for state, row in zip(found.states, x, strict=True):
            made.variables[state.name].set_value(row)
        net.run(made.clock.dt, namespace=values)
        expected, size = stepped(found, x, step)
        for state, row, bound in zip(found.states, expected, size, strict=True):
            difference = np.abs(made.variables[state.name].get_value() - row)
            assert np.all(difference <= 1e-12 * bound), state.name


# ---------------------------------------------------------------- steps
@pytest.mark.parametrize("method", METHODS)
def test_cuba(method: str) -> None:
    made = group(CUBA, reset="v = Vr", threshold="v > Vt", refractory=5 * ms, method=method)
    made.v = "-60*mV + i*mV"
    found = population_map(made, CUBA_VALUES)
    assert [state.name for state in found.states] == ["v", "ge", "gi"]
    assert [state.held for state in found.states] == [True, False, False]
    assert found.phi.shape == (3, 3, 1) and found.method == method
    pattern = np.array([[1, 1, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)
    assert np.array_equal(found.phi[..., 0] != 0, pattern)
    assert np.allclose(found.states[0].initial, [-0.06, -0.059, -0.058])
    assert found.refractory.tolist() == [50] and not found.refractory_left.any()
    assert found.reset is not None
    assert found.reset.offset[:, 0].tolist() == [-0.06, 0, 0]
    assert np.array_equal(found.reset.matrix[..., 0], np.diag([0.0, 1.0, 1.0]))
    assert isinstance(found.threshold, Crossing) and not found.threshold.inclusive
    assert found.threshold.weights[:, 0].tolist() == [1, 0, 0]
    assert found.threshold.offset.tolist() == [0.05]
    quiet = group(CUBA, threshold="False", refractory=5 * ms, method=method)
    check_step(quiet, population_map(quiet, CUBA_VALUES), CUBA_VALUES)


def test_exact_is_the_exponential() -> None:
    found = population_map(group(CUBA, method="exact"), CUBA_VALUES)
    decays = np.exp(-0.1 / np.array([20, 5, 10]))
    assert np.allclose(np.diag(found.phi[..., 0]), decays, rtol=1e-13)
    assert np.isclose(found.bias[0, 0], -0.049 * (1 - decays[0]), rtol=1e-11)


def test_names_units_and_order_make_no_difference() -> None:
    renamed = """
    dI_b/dt = I_b * -1 / tb : amp
    dx/dt = -(x - R*I_b - E)/tm : volt
    """
    plain = """
    dv/dt = (E - v + u)/tm : 1
    du/dt = -u/tb : 1
    """
    values = {"tm": 12 * ms, "tb": 3 * ms, "R": 2 * brian2.Mohm, "E": -70 * mV}
    first = population_map(group(renamed, method="exact"), values)
    second = population_map(group(plain, method="exact"), {**values, "E": -0.07})
    swap = np.ix_([1, 0], [1, 0])
    unit = np.array([[1, 1 / 2e6], [2e6, 1]])
    assert np.allclose(first.phi[..., 0][swap] * unit, second.phi[..., 0], rtol=1e-12, atol=0)
    assert np.allclose(first.bias[::-1], second.bias, rtol=1e-12)
    assert [state.unit for state in first.states] == ["A", "V"]


def test_each_neuron_has_its_own_values() -> None:
    model = """
    dv/dt = (E + b*i - v)/tau : 1
    tau : second (constant)
    E : 1
    b : 1 (shared)
    """
    made = group(model, method="exact")
    made.tau, made.E, made.b = [5, 10, 20] * ms, [1, 2, 3], 0.5
    found = population_map(made, {})
    assert found.phi.shape == (1, 1, 3)
    decay = np.exp(-0.1 / np.array([5, 10, 20]))
    assert np.allclose(found.phi[0, 0], decay, rtol=1e-14)
    assert np.allclose(found.bias[0], (1 - decay) * [1, 2.5, 4], rtol=1e-11)
    assert dict(found.parameters)["tau"].tolist() == [0.005, 0.01, 0.02]
    check_step(made, found, {})


def test_values_alike_become_one() -> None:
    made = group("dv/dt = -v/tau : 1\ntau : second", method="euler")
    made.tau = 10 * ms
    assert population_map(made, {}).phi.shape == (1, 1, 1)


def test_subexpressions_also_those_constant_over_a_step() -> None:
    model = """
    dv/dt = drive/tau : 1
    drive = a - v + k : 1
    k = 3*u : 1 (constant over dt)
    du/dt = -u/tau : 1
    """
    values = {"a": 1.5, "tau": 10 * ms}
    for method in ("euler", "rk4"):
        made = group(model, method=method)
        found = population_map(made, values)
        check_step(made, found, values, scale=1.0)
        # k stays what it was at the start of the step, in all stages of the method
        stages = 1 - found.phi[0, 0, 0]
        assert np.isclose(found.phi[0, 1, 0], 3 * stages, rtol=1e-9)


def test_what_cancels_is_exactly_zero() -> None:
    made = group(
        "dv/dt = (a*u - v + (b + c)*u - u*a - d*u)/tau : 1\ndu/dt = -u/tau : 1",
        method="euler",
    )
    found = population_map(made, {"a": 0.7, "b": 0.1, "c": 0.2, "d": 0.3, "tau": 10 * ms})
    assert found.phi[0, 1, 0] == 0


def test_a_parameter_that_something_changes_is_a_state() -> None:
    made = group(
        "dv/dt = -v/tau : 1\ntheta : 1\ng : 1\nh : 1",
        threshold="v >= theta",
        reset="v = 0; theta += 0.1*v + 0.2",
        method="exact",
    )
    made.theta = 1
    found = population_map(made, {"tau": 10 * ms}, written=["g"])
    assert [state.name for state in found.states] == ["v", "theta", "g"]
    assert found.states[1].unit == "1"
    assert [state.continuous for state in found.states] == [True, False, False]
    assert np.array_equal(found.phi[1:, :, 0], [[0, 1, 0], [0, 0, 1]])
    assert found.reset is not None and isinstance(found.threshold, Crossing)
    assert found.threshold.inclusive
    assert found.threshold.weights[:, 0].tolist() == [1, -1, 0]
    # theta sees the v that is reset already
    assert found.reset.matrix[1, :, 0].tolist() == [0, 1, 0]
    assert found.reset.offset[:, 0].tolist() == [0, 0.2, 0]


def test_the_device_gives_the_same() -> None:
    with under(ENGINES[0]):
        brian2.prefs.logging.console_log_level = "ERROR"
        made = NeuronGroup(
            3, CUBA, threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="exact"
        )
        made.v = "-60*mV + i*9*mV"
        net = Network(made)
        before = population_map(made, CUBA_VALUES)
        net.run(3 * ms, namespace=CUBA_VALUES)
        after = population_map(made, CUBA_VALUES)
        since = np.asarray(made.t_ - made.lastspike_[:]) / 1e-4
    assert np.array_equal(before.phi, after.phi) and not before.refractory_left.any()
    left = np.where(since < 1000, np.maximum(50 - np.round(since), 0), 0)
    assert left.any() and after.refractory_left.tolist() == left.tolist()


# ---------------------------------------------------------------- random systems
number = st.floats(-1, 1).map(lambda x: round(x, 3))


@st.composite
def systems(draw: Any) -> tuple[str, str]:
    """Linear equations with names, terms and their order drawn at random; and a method."""
    names = draw(st.permutations(["v", "u", "w_a", "I_syn"]))[: draw(st.integers(1, 3))]
    lines = []
    for name in names:
        terms = [f"-{name}*{draw(st.integers(1, 4))}/tau"]
        for other in names:
            if other != name and draw(st.booleans()):
                terms.append(f"{draw(number)}*{other}/tau")
        if draw(st.booleans()):
            terms.append(f"(c*{draw(number)} - {draw(number)})/tau")
        terms = draw(st.permutations(terms))
        lines.append(f"d{name}/dt = {' + '.join(terms)} : 1")
    return "\n".join([*lines, "c : 1"]), draw(st.sampled_from(["euler", "rk2", "rk4"]))


@settings(max_examples=8, deadline=None, derandomize=True, database=None)
@given(systems())
def test_random_linear_systems(drawn: tuple[str, str]) -> None:
    check_system(*drawn)


@pytest.mark.long
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(systems())
def test_many_random_linear_systems(drawn: tuple[str, str]) -> None:
    check_system(*drawn)


def check_system(model: str, method: str) -> None:
    values = {"tau": 2 * ms}
    made = group(model, method=method)
    made.c = [0.5, 1.0, -2.0]
    check_step(made, population_map(made, values), values, scale=1.0)


# ---------------------------------------------------------------- inputs
@pytest.mark.parametrize("method", METHODS)
def test_a_timed_array_is_an_input(method: str) -> None:
    rows = np.array([[1.0, -1.0], [2.0, 5.0], [4.0, 0.5]])
    values = {
        "tau": 10 * ms,
        "one": TimedArray(rows[:, 0] * volt, dt=0.1 * ms, name="one"),
        "two": TimedArray(rows, dt=0.2 * ms, name="two"),
    }
    model = """
    dv/dt = (2*one(t) - v)/tau : volt
    du/dt = (k*two(t, i % 2) - u)/tau : 1
    k : 1
    """
    made = group(model, method=method)
    made.k = [1, 2, 3]
    found = population_map(made, values)
    assert {source.name for source in found.inputs} == {"one", "two"}
    two = next(source for source in found.inputs if source.name == "two")
    assert two.columns.tolist() == [0, 1, 0] and two.gain.shape == (2, 3)
    assert {source.ahead for source in found.inputs} == ({0, 1} if method == "rk4" else {0})
    check_step(made, found, values, scale=1.0)


@pytest.mark.parametrize(
    ("dt", "group_dt"), [(0.1, 0.1), (0.3, 0.1), (0.05, 0.1), (1.0, 0.07), (0.5, 0.3)]
)
def test_rows_of_an_input_are_those_that_brian2_takes(dt: float, group_dt: float) -> None:
    brian2.defaultclock.dt = group_dt * ms
    values = {"I": TimedArray(np.arange(60.0), dt=dt * ms, name="I")}
    made = group("dv/dt = I(t)/ms : 1", 1, method="euler")
    source = population_map(made, values).inputs[0]
    probe = NeuronGroup(1, "x = I(t) : 1")
    seen = StateMonitor(probe, "x", record=0)
    Network(probe, seen).run(50 * group_dt * ms, namespace=values)
    assert source.at(0, 50)[:, 0].tolist() == seen.x[0].tolist()


# ---------------------------------------------------------------- thresholds and resets
def of_threshold(condition: str, model: str = "", **values: Any) -> Any:
    made = group(
        f"dv/dt = -v/(10*ms) : 1\ndtheta/dt = (1 - theta)/(20*ms) : 1\n{model}",
        threshold=condition,
        reset="",
        method="euler",
    )
    return population_map(made, {"ms": ms, **values}).threshold


def test_forms_of_a_threshold() -> None:
    for condition in (
        "v > theta + 2*c",
        "theta + 2*c < v",
        "v - theta > 2*c",
        "over",
        "-v < -theta - 2*c",
    ):
        found = of_threshold(condition, "over = v > theta + 2*c : boolean", c=0.25)
        assert isinstance(found, Crossing), condition
        assert found.weights[:, 0].tolist() == [1, -1] and found.offset.tolist() == [-0.5]
        assert not found.inclusive
    assert of_threshold("v >= 1").inclusive and of_threshold("1 <= v").inclusive
    assert of_threshold("False") is None


@pytest.mark.parametrize("condition", ["v > 2 or v < -3", "v < -3 or v > 2", "2*v > 4 or -v > 3"])
def test_two_sides(condition: str) -> None:
    found = of_threshold(condition)
    assert isinstance(found, TwoSided)
    lead = found.above.weights[0, 0]
    assert np.isclose(found.above.offset[0] / lead, -2)
    assert np.isclose(found.below.offset[0] / lead, -3)
    assert np.array_equal(found.above.weights, -found.below.weights)


def test_magnitude() -> None:
    found = of_threshold("abs(v - 1) >= c", c=0.5)
    assert isinstance(found, TwoSided)
    assert found.above.offset.tolist() == [-1.5] and found.below.offset.tolist() == [0.5]
    assert found.above.inclusive and found.below.inclusive


def test_chances() -> None:
    linear = of_threshold("rand() < 0.2*v + 0.1")
    assert isinstance(linear, Chance) and linear.kind == "stochastic"
    assert linear.weights[:, 0].tolist() == [0.2, 0] and linear.offset.tolist() == [0.1]
    made = group("rates : hertz", threshold="rand() < rates*dt")
    made.rates = [10, 20, 30] * brian2.Hz
    found = population_map(made, {})
    assert isinstance(found.threshold, Chance) and found.threshold.kind == "poisson"
    assert np.allclose(found.threshold.offset, [1e-3, 2e-3, 3e-3]) and found.states == ()


def test_soft_reset_and_the_order_of_statements() -> None:
    made = group(
        "dv/dt = -v/(10*ms) : 1\ndu/dt = -u/(10*ms) : 1",
        threshold="v > 1",
        reset="v -= vth\nu += 2*v\nv = v*0.5",
        method="euler",
    )
    found = population_map(made, {"vth": 0.8}).reset
    assert found is not None
    assert found.matrix[..., 0].tolist() == [[0.5, 0], [2, 1]]
    assert found.offset[:, 0].tolist() == [-0.4, -1.6]


@pytest.mark.parametrize(
    ("refractory", "steps"),
    [(False, [0]), (0 * ms, [0]), (0.25 * ms, [2]), (0.3 * ms, [3]), ("(1 + i)*ms", [10, 20, 30])],
)
def test_refractory_steps(refractory: Any, steps: list[int]) -> None:
    made = group(
        "dv/dt = 1/ms : 1", threshold="v > 0.05", reset="v = 0", refractory=refractory,
        method="euler",
    )  # fmt: skip
    found = population_map(made, {})
    assert found.refractory.tolist() == steps
    assert found.has_refractory is (refractory is not False)
    spikes = brian2.SpikeMonitor(made)
    Network(made, spikes).run(5 * ms)
    per_neuron = np.broadcast_to(found.refractory, (3,))
    for k, times in spikes.spike_trains().items():
        assert np.round(np.diff(times / (0.1 * ms))).min() == max(per_neuron[k], 1)


# ---------------------------------------------------------------- refusals
REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("a square", "dv/dt = (v**2 - v)/ms : 1", {}, r"dv/dt contains v\*\*2.*nearest model.*linear"),
    ("a product", "dv/dt = -u*v/ms : 1\ndu/dt = -u/ms : 1", {}, r"dv/dt contains u\*v"),
    ("exp", "dv/dt = exp(v/2)/ms : 1", {}, r"dv/dt contains 'exp\(v / 2\)'"),
    ("in a subexpression", "dv/dt = x/ms : 1\nx = v*v : 1", {}, r"dv/dt contains v\*\*2"),
    ("noise times a state", "dv/dt = -v/ms + v*xi*ms**-0.5 : 1", {"method": "milstein"},
     r"dv/dt contains v\*xi"),
    ("time", "dv/dt = -v/ms + t/ms**2 : 1", {}, "depends on 't'.*TimedArray"),
    ("rand", "dv/dt = x/ms : 1\nx = rand() : 1 (constant over dt)", {}, r"contains 'rand\(\)'"),
    ("a reset", "dv/dt = -v/ms : 1", {"reset": "v = v**2"}, r"'v = v \*\* 2' contains v\*\*2"),
    ("a reset by chance", "dv/dt = -v/ms : 1", {"reset": "v = rand()"}, r"contains 'rand\(\)'"),
    ("and", "dv/dt = -v/ms : 1", {"threshold": "v > 1 and v < 2"}, "no single comparison"),
    ("a chain", "dv/dt = -v/ms : 1", {"threshold": "1 < v < 2"}, "no single comparison"),
    ("equality", "dv/dt = -v/ms : 1", {"threshold": "v == 1"}, "equality"),
    ("a late threshold", "dv/dt = -v/ms : 1", {"threshold": "v > t/ms"}, "depends on 't'"),
    ("two quantities", "dv/dt = -v/ms : 1\ndu/dt = -u/ms : 1", {"threshold": "v > 1 or u < 1"},
     "two sides"),
    ("randn", "dv/dt = -v/ms : 1", {"threshold": "v > randn()"}, r"rand\(\) < p"),
    ("a condition", "dv/dt = -v/ms : 1", {"refractory": "v > 1"}, "is a condition"),
    ("random period", "dv/dt = -v/ms : 1", {"refractory": "rand()*ms"}, r"'rand\(\)'"),
    ("a state's period", "dv/dt = -v/ms : 1", {"refractory": "v*ms"}, "depends on 'v'"),
    ("custom event", "dv/dt = -v/ms : 1", {"events": {"x": "v > 2"}}, "custom event 'x'"),
    ("held and coupled", "dv/dt = -v/(5*ms) : 1 (unless refractory)\ndu/dt = (v - u)/ms : 1",
     {"method": "rk4"}, "while v is held"),
    ("no tau", "dv/dt = -v/tau : 1\ntau : second", {}, "not finite for neuron 0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "kwds", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_refused_by_name(model: str, kwds: dict[str, Any], message: str) -> None:
    kwds = {"threshold": "v > 1", "reset": "v = 0", "refractory": 1 * ms, "method": "euler", **kwds}
    made = group(model, name="the_cells", **kwds)
    with pytest.raises(NotSupported, match=f"NeuronGroup 'the_cells': .*{message}"):
        population_map(made, {"ms": ms})


def test_parts_that_are_refused() -> None:
    regular = group("dv/dt = -v/ms : 1", method="euler")
    regular.run_regularly("v = 1", dt=1 * ms)
    with pytest.raises(NotSupported, match="run_regularly"):
        population_map(regular, {})
    source = group("x : 1")
    linked = group("dv/dt = (x - v)/ms : 1\nx : 1 (linked)", method="euler")
    linked.x = linked_var(source, "x")
    with pytest.raises(NotSupported, match="'x' is a linked variable"):
        population_map(linked, {})
    late = group("dv/dt = -v/ms : 1", threshold="v > 1", reset="v = 0", method="euler")
    late.set_event_schedule("spike", when="end")
    with pytest.raises(NotSupported, match="runs in 'end'"):
        population_map(late, {})


def test_a_timed_array_in_a_product_is_refused() -> None:
    values = {"g": TimedArray([1.0, 2.0], dt=1 * ms, name="g")}
    with pytest.raises(NotSupported, match=r"dv/dt contains g\(t\)\*v"):
        population_map(group("dv/dt = -g(t)*v/ms : 1", method="euler"), values)
    with pytest.raises(NotSupported, match=r"contains 'g\(2 \* t\)'"):
        population_map(group("dv/dt = g(2*t)/ms : 1", method="euler"), values)


def test_a_wrong_map_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison at random points sees a term that the polynomials lost."""
    monkeypatch.setitem(_POLYNOMIAL, ast.Add, lambda left, right: left)
    with pytest.raises(NotSupported, match="not the linear map"):
        population_map(group("dv/dt = (1 - v)/(10*ms) : 1", method="euler"), {})


def test_equations_as_objects_and_a_chosen_method() -> None:
    made = group(Equations("dv/dt = (1 - v)/(10*ms) : 1"))
    assert population_map(made, {}).method in ("exact", "linear")
