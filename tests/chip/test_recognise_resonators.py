"""Resonate-and-fire neurons and Lava's adaptive neuron, from Brian2's equations to the chip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
    mV,
    volt,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava import lava_device
from brian2lava.chip.ideal import IdealNetwork, real
from brian2lava.chip.models.resonator import rotation
from brian2lava.chip.plain import PlainChip
from brian2lava.chip.profiles import LAVA
from brian2lava.chip.quantise import quantise, run_real
from brian2lava.chip.quantise.rotation import damping_and_angle, rotation_registers
from brian2lava.chip.recognise import population_map
from brian2lava.chip.recognise.brian_network import Recognised, recognise
from brian2lava.chip.recognise.match import match
from brian2lava.chip.recognise.matched import Matched
from brian2lava.errors import NotSupported
from tests.networks.devices import Engine, reference, under

DT = 0.5e-3
TURN = """
dx/dt = -d*x - omega*y : volt
dy/dt = omega*x - d*y : volt
"""
BEFORE = "y_before = y : volt (constant over dt)\n"
RF = {"threshold": "x >= v_th and y >= 0*volt and y_before < 0*volt", "reset": ""}
RF_IZ = {"threshold": "y >= v_th", "reset": "x = 0*volt; y = v_th"}
ATRLIF = """
dI/dt = -I/tau_i : volt
dv/dt = (I - v)/tau_v : volt
dtheta/dt = (theta_0 - theta)/tau_theta : volt
dr/dt = -r/tau_r : volt
"""
RAISED = {"threshold": "v - r >= theta", "reset": "r += 2*theta; theta += b"}
VALUES: dict[str, Any] = {
    "d": 15 * Hz, "omega": 2 * np.pi * 40 * Hz, "v_th": 2 * mV,
    "tau_i": 8 * ms, "tau_v": 20 * ms, "tau_theta": 50 * ms, "tau_r": 25 * ms,
    "theta_0": 5 * mV, "b": 2 * mV,
}  # fmt: skip
KEPT: list[Any] = []


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with reference():
        brian2.prefs.logging.console_log_level = "ERROR"
        brian2.defaultclock.dt = DT * brian2.second
        yield


def found(model: str, driven: Any = (), **kwds: Any) -> Matched:
    """The chip model of a group of three neurons that never runs."""
    values = {**VALUES, **kwds.pop("values", {})}
    first = kwds.pop("first", {})
    made = NeuronGroup(3, model, dt=DT * brian2.second, method=kwds.pop("method", "exact"), **kwds)
    made._explicitly_in_no_network = True
    made.add_to_magic_network = False
    KEPT.append(made)
    for name, value in first.items():
        setattr(made, name, value)
    return match(population_map(made, values), driven)


def value(matched: Matched, register: str) -> Any:
    quantity = matched.population.quantity(register)
    assert quantity is not None
    return quantity.value


# ---------------------------------------------------------------- maps
@settings(derandomize=True, deadline=None, max_examples=12)
@given(
    damping=st.floats(1, 60), frequency=st.floats(5, 120), flipped=st.booleans(),
    unit=st.sampled_from([1.0, 1e-3, 40.0]), model=st.sampled_from(["RF", "RF_IZ"]),
)  # fmt: skip
def test_whatever_the_names_units_and_order(
    damping: float, frequency: float, flipped: bool, unit: float, model: str
) -> None:
    """The same resonator in other words: q in another unit, downward instead of upward."""
    sign = -1 if flipped else 1
    model_text = (
        "dq/dt = (omega*p)*k*turned - d*q : 1\n"
        "dp/dt = -omega*q/k*turned - p*d : 1\n"
        "early = q : 1 (constant over dt)"
    )
    comparison = {
        "RF": {"threshold": "early < 0 and q >= 0 and p > c", "reset": ""},
        "RF_IZ": {"threshold": "q > c*k", "reset": "q = c*k; p = 0"},
    }[model]
    if flipped and model == "RF":
        comparison = {"threshold": "early > 0 and 0 >= q and p > c", "reset": ""}
    values = {"d": damping * Hz, "omega": 2 * np.pi * frequency * Hz, "k": unit, "turned": sign,
              "c": 0.7}  # fmt: skip
    made = found(model_text, values=values, method="rk4", **comparison)
    assert made.population.model == model
    angle, kept = 2 * np.pi * frequency * DT, np.exp(-damping * DT)
    expected = sign if model == "RF_IZ" else 1
    near = 2e-3 if angle > 0.2 else 1e-5  # rk4 is no exact exponential
    assert np.allclose(value(made, "cos_decay"), kept * np.cos(angle), atol=near)
    assert np.allclose(value(made, "sin_decay"), expected * kept * np.sin(angle), atol=near)
    assert np.allclose(value(made, "vth"), 0.7 * (unit if model == "RF_IZ" else 1), rtol=1e-12)
    wanted = rotation(1 / (frequency * DT), 1 - kept)
    registers = rotation_registers(value(made, "sin_decay"), value(made, "cos_decay"))
    assert abs(abs(registers[0]) - abs(wanted["sin_decay"])) <= 3 + 4096 * near
    assert abs(registers[1] - wanted["cos_decay"]) <= 3 + 4096 * near
    gains = {link.state: link.gain for link in made.population.links}
    ratio = np.abs(gains["real"] / gains["imag"])
    assert np.allclose(ratio, unit, rtol=1e-12)


def test_each_neuron_has_its_own_turn() -> None:
    model = "dx/dt = -d*x - o*y : volt\ndy/dt = o*x - d*y : volt\no : Hz (constant)\n" + BEFORE
    made = found(model, first={"o": [100, 200, 300] * Hz}, **RF)
    kept = np.exp(-15 * DT)
    assert np.allclose(value(made, "sin_decay"), kept * np.sin(np.array([100, 200, 300]) * DT))
    assert np.allclose(value(made, "cos_decay"), kept * np.cos(np.array([100, 200, 300]) * DT))


def test_a_constant_drive_moves_the_centre() -> None:
    model = """
    dx/dt = -d*(x - x0) - omega*(y - y0) : volt
    dy/dt = omega*(x - x0) - d*(y - y0) : volt
    """
    model += BEFORE
    given = {"x0": -3 * mV, "y0": 1 * mV}
    threshold = "x - x0 >= v_th and y_before < y0 and y >= y0"
    made = found(model, values=given, threshold=threshold, reset="", first={"x": 4 * mV})
    assert np.allclose(value(made, "vth"), 2e-3, rtol=1e-9)
    assert np.allclose(made.population.initial["real"], 7e-3)
    assert np.allclose(made.population.initial["imag"], -1e-3)
    izhikevich = found(
        model, values=given, threshold="y >= y0 + v_th", reset="y = y0 + v_th; x = x0"
    )
    assert izhikevich.population.model == "RF_IZ"
    assert np.allclose(value(izhikevich, "vth"), 2e-3, rtol=1e-9)


def test_lavas_adaptive_neuron_with_a_rest() -> None:
    model = """
    dth/dt = (th_r - th)/tau_theta : volt
    dU/dt = (E - U + g)/tau_v : volt
    dg/dt = -g/tau_i : volt
    dw/dt = -w/tau_r : 1
    """
    values = {"E": -65 * mV, "th_r": 5 * mV, "scale": 3 * mV}
    made = found(
        model, ["g"], values=values, threshold="U >= E + th + w*scale",
        reset="w += 2*th/scale; th += b", first={"th": 5 * mV, "U": -65 * mV},
    )  # fmt: skip
    assert made.population.model == "ATRLIF"
    decays = {"delta_i": 8e-3, "delta_v": 20e-3, "delta_theta": 50e-3, "delta_r": 25e-3}
    for register, tau in decays.items():
        assert np.allclose(value(made, register), 1 - np.exp(-DT / tau), rtol=1e-9), register
    assert np.allclose(value(made, "theta_0"), 5e-3, rtol=1e-9)
    assert np.allclose(value(made, "theta_step"), 2e-3, rtol=1e-12)
    assert np.allclose(value(made, "bias"), 0, atol=1e-12)
    assert {link.variable: link.state for link in made.population.links} == {
        "U": "v", "g": "i", "th": "theta", "w": "r",
    }  # fmt: skip


def test_a_step_before_the_doubling_is_another_origin() -> None:
    """``theta += b; r += 2*theta`` adds 2 (theta + b): ATRLIF's, with a threshold higher by b."""
    first = {"theta": 5 * mV}
    made = found(ATRLIF, ["I"], threshold="v - r >= theta", reset="theta += b; r += 2*theta",
                 first=first)  # fmt: skip
    assert np.allclose(value(made, "theta_0"), 7e-3, rtol=1e-9)
    v = next(link for link in made.population.links if link.variable == "v")
    assert np.allclose(v.offset, -2e-3, rtol=1e-9)


# ---------------------------------------------------------------- registers
@settings(derandomize=True, deadline=None, max_examples=60)
@given(lost=st.floats(0, 0.3), angle=st.floats(-3.1, 3.1))
def test_rounding_together_is_never_worse_and_never_grows(lost: float, angle: float) -> None:
    sine, cosine = (1 - lost) * np.sin(angle), (1 - lost) * np.cos(angle)
    registers = rotation_registers(sine, cosine)
    nearest = np.rint([4096 * sine, 4096 * cosine])
    assert max(abs(registers[0] - nearest[0]), abs(registers[1] - nearest[1])) <= 2

    def loss(s: int, c: int) -> float:
        lost_by, by = damping_and_angle(s / 4096, c / 4096)
        lost_is, is_ = damping_and_angle(sine, cosine)
        relative = (lost_by - lost_is) / max(float(lost_is), 1 / 4096)
        turned = np.angle(np.exp(1j * (by - is_))) / max(abs(float(is_)), 1 / 4096)
        return float(relative**2 + turned**2)

    assert np.hypot(*registers) <= 4096
    if np.hypot(*nearest) <= 4096:
        assert loss(*registers) <= loss(*nearest)


def test_rows_tell_frequency_and_time_constant() -> None:
    ideal = recognised("RF").ideal
    made = quantise(ideal, "Loihi2", LAVA)
    rows = {row.register: row for row in made.rows if row.object == "group"}
    frequency, tau = rows["sin_decay"], rows["cos_decay"]
    assert frequency.unit == "Hz" and np.isclose(frequency.value.low, 40, rtol=1e-9)
    assert tau.unit == "s" and np.isclose(tau.value.low, 1 / 15, rtol=1e-6)
    assert abs(frequency.error) < 0.01 and abs(tau.error) < 0.03
    assert rows["vth"].unit == "V" and np.isclose(rows["vth"].value.low, 2e-3)
    weights = [row for row in made.rows if row.register == "weights"]
    assert len(weights) == 2 and {row.unit for row in weights} == {"V"}
    assert np.isclose(weights[0].value.high, 1.8e-3)


def test_a_weight_has_the_unit_of_the_variable_that_it_is_added_to() -> None:
    model = "dx/dt = -d*x - omega*y*volt : volt\ndy/dt = omega*x/volt - d*y : 1\n"
    group = NeuronGroup(
        2, model + "y_before = y : 1 (constant over dt)", reset="", method="euler",
        threshold="x >= v_th and y >= 0 and y_before < 0", namespace={**VALUES, "d": 40 * Hz},
    )  # fmt: skip
    source = SpikeGeneratorGroup(1, [0], [1] * ms)
    synapses = Synapses(source, group, on_pre="x += 2*mV")
    synapses.connect()
    net = Network(group, source, synapses)
    net.run(0 * ms, namespace={})
    made = quantise(recognise(net.sorted_objects, {}, 0, 10).ideal, "Loihi2", LAVA)
    weights = [row for row in made.rows if row.register == "weights"]
    assert len(weights) == 2 and {row.unit for row in weights} == {"V"}
    assert np.allclose([row.value.high for row in weights], 2e-3)


# ---------------------------------------------------------------- runs
def network(
    model: str, target: str = "", late: bool = False, theta: Any = VALUES["theta_0"]
) -> dict[str, Any]:
    """Five neurons of a model, 150 spikes of three sources with weights of their own."""
    brian2.defaultclock.dt = DT * brian2.second
    given: dict[str, Any] = {"method": "exact", "name": "group", "namespace": VALUES}
    if model == "ATRLIF":
        jumps = ATRLIF.replace("I - v", "-v").replace("dI/dt = -I/tau_i : volt", "")
        group = NeuronGroup(5, jumps if target == "v" else ATRLIF, **RAISED, **given)
        group.theta = theta
        target, size = target or "I", 4.0 if target == "v" else 16.0
    elif model == "RF_IZ":
        group = NeuronGroup(5, TURN, **RF_IZ, **given)
        target, size = target or "x", 1.5
    else:
        group = NeuronGroup(5, TURN + ("y_before : volt" if late else BEFORE), **RF, **given)
        target, size = target or "x", 1.0
    if late:
        group.run_regularly("y_before = y", when="after_thresholds")
    rng = np.random.default_rng(3)
    steps = np.sort(rng.choice(np.arange(1, 950), 150, replace=False))
    source = SpikeGeneratorGroup(3, rng.integers(0, 3, 150), steps * DT * 1e3 * ms,
                                 name="source")  # fmt: skip
    synapses = Synapses(source, group, "w : volt", on_pre=f"{target} += w", name="synapses")
    synapses.connect()
    synapses.w = "(1.4 - 0.5*i + 0.1*j)*mV" + f"*{size}"
    synapses.delay = "i*1.5*ms"
    spikes = SpikeMonitor(group)
    names = sorted(group.equations.diff_eq_names)
    trace = StateMonitor(group, names, record=True)
    net = Network(group, source, synapses, spikes, trace)
    return {"net": net, "spikes": spikes, "trace": trace, "names": names}


STEPS = 1000


def recorded(made: dict[str, Any]) -> dict[str, Any]:
    made["net"].run(STEPS * DT * 1e3 * ms)
    steps = np.rint(np.array(made["spikes"].t_[:]) / DT).astype(int)
    order = np.lexsort((made["spikes"].i[:], steps))
    return {
        "spikes": (steps[order], np.array(made["spikes"].i[:])[order]),
        **{name: np.array(getattr(made["trace"], name + "_")) for name in made["names"]},
    }


def recognised(model: str, **kwds: Any) -> Recognised:
    made = network(model, **kwds)
    KEPT.append(made)
    made["net"].run(0 * ms, namespace={})
    return recognise(made["net"].sorted_objects, {}, 0, STEPS)


CASES = [("RF", {}), ("RF", {"target": "y", "late": True}), ("ATRLIF", {}),
         ("ATRLIF", {"target": "v"}), ("ATRLIF", {"theta": 9 * mV})]  # fmt: skip


@pytest.mark.parametrize(("model", "kwds"), CASES, ids=str)
def test_in_real_numbers_the_chip_computes_what_brian2_does(model: str, kwds: Any) -> None:
    """Spike for spike: the map is the same, there is nothing but rounding in the integers."""
    expected = recorded(network(model, **kwds))
    real = run_real(recognised(model, **kwds).ideal, STEPS)
    steps, who = real.spikes["group"]
    assert len(steps) > 20
    assert np.array_equal(steps, expected["spikes"][0])
    assert np.array_equal(who, expected["spikes"][1])


def test_izhikevichs_reset_in_real_numbers() -> None:
    """Brian2's reset erases what arrives in the step of a spike, which the chip keeps."""
    ideal = recognised("RF_IZ").ideal
    assert "Brian2's reset erases it" in ideal.notes[0]
    expected = recorded(network("RF_IZ"))
    steps, _ = run_real(ideal, STEPS).spikes["group"]
    assert len(steps) > 20
    until = 60  # before the first input that arrives together with a spike
    assert np.array_equal(steps[steps < until], [s for s in expected["spikes"][0] if s < until])


@pytest.mark.parametrize(
    ("model", "kwds", "least"),
    [("RF", {}, 0.85), ("RF", {"target": "y", "late": True}, 0.85), ("RF_IZ", {}, 0.6),
     ("ATRLIF", {}, 0.85)], ids=str,
)  # fmt: skip
def test_on_the_chip(model: str, kwds: Any, least: float) -> None:
    with under(Engine("chip", {"hardware": "Loihi2", "host": "inline", "seed": 1})):
        ours = recorded(network(model, **kwds))
        kept = lava_device.chip_runs.last
    theirs = recorded(network(model, **kwds))
    assert kept is not None
    chip = PlainChip(kept.quantised.network).run(STEPS)
    assert np.array_equal(chip.spikes["group"][0], ours["spikes"][0])
    assert np.array_equal(chip.spikes["group"][1], ours["spikes"][1])
    for one, other in ((ours, theirs), (theirs, ours)):
        near = [
            np.any(np.abs(other["spikes"][0][other["spikes"][1] == who] - step) <= 1)
            for step, who in zip(*one["spikes"], strict=True)
        ]
        assert np.mean(near) >= least, (model, np.mean(near), len(near))
    quiet = slice(0, 40)
    for name in (name for name in ours if name != "spikes"):
        span = np.abs(theirs[name]).max()
        arrives = 1.8e-3 * (16 if model == "ATRLIF" else 1.5)  # what Brian2 has added already
        bound = 0.05 * span + arrives * (model != "ATRLIF")
        assert np.abs(ours[name] - theirs[name])[:, quiet].max() < bound, name


def test_a_timed_array_drives_either_part() -> None:
    values = np.random.default_rng(5).normal(0, 0.6, 400)
    drive = TimedArray(values * volt / brian2.second, dt=DT * brian2.second)

    def build() -> dict[str, Any]:
        brian2.defaultclock.dt = DT * brian2.second
        model = TURN.replace("omega*x - d*y", "omega*x - d*y + drive(t)")
        group = NeuronGroup(2, model + BEFORE, method="rk4", name="group",
                            namespace={**VALUES, "drive": drive, "v_th": 1 * mV}, **RF)  # fmt: skip
        spikes = SpikeMonitor(group)
        trace = StateMonitor(group, ["x", "y", "y_before"], record=True)
        return {"net": Network(group, spikes, trace), "spikes": spikes, "trace": trace,
                "names": ["x", "y", "y_before"]}  # fmt: skip

    with under(Engine("chip", {"hardware": "Loihi2", "host": "inline", "seed": 1})):
        ours = recorded(build())
    theirs = recorded(build())
    for name in ("x", "y", "y_before"):
        off = np.abs(ours[name] - theirs[name])[:, :100].max()
        assert off < 0.05 * np.abs(theirs[name]).max(), name
    assert len(theirs["spikes"][0]) > 3
    assert abs(len(ours["spikes"][0]) - len(theirs["spikes"][0])) <= 2


# ---------------------------------------------------------------- refusals
SLOW = "dx/dt = -d*x - omega*y : volt\ndy/dt = omega*x - 2*d*y : volt\n"
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a reset of an RF": (TURN + BEFORE, {**RF, "reset": "x = 0*volt"},
                         "changes what turns.*reset=''"),
    "no reset": (TURN, {**RF_IZ, "reset": ""}, "resets nothing.*reset='x = 0; y = v_th'"),
    "a reset to rest": (TURN, {**RF_IZ, "reset": "x = 0*volt; y = 0*volt"},
                        "puts 'y' to 0 instead of 0.002"),
    "half a reset": (TURN, {**RF_IZ, "reset": "y = v_th"}, "puts 'x' not to a value"),
    "two decays": (SLOW + BEFORE, {**RF, "method": "rk4"},
                   "keeps 0.98[0-9]* of 'x' and 0.97[0-9]* of 'y'.*one decay"),
    "no turn": (TURN.replace("- omega*y", "+ omega*y") + BEFORE, {**RF, "method": "euler"},
                "do not turn around one another"),
    "growth": (TURN + BEFORE, {**RF, "method": "euler", "values": {"d": 0.1 * Hz}},
               "grows with each step of 'euler'.*method='exact'"),
    "another level": (TURN + BEFORE, {
        "threshold": "x >= v_th and y >= v_th and y_before < v_th", "reset": ""},
        "'y' is compared with 0.002, and turns around 0"),
    "at rest already": (TURN + BEFORE, {
        "threshold": "x >= v_th and y > 0*volt and y_before <= 0*volt", "reset": ""},
        "at the level, as it is at rest.*Compare 'y_before' with < or >"),
    "downward and upward": (TURN + BEFORE, {
        "threshold": "x >= v_th and y > 0*volt and y_before > 0*volt", "reset": ""},
        "different sides of one level"),
    "no level": (TURN + BEFORE, {"threshold": "y >= 0*volt and y_before < 0*volt", "reset": ""},
                 "one on the other state"),
    "only two conditions": (TURN, {"threshold": "x >= v_th and y >= 0*volt", "reset": ""},
                            "no single comparison.*y_before"),
    "both compared": (TURN, {"threshold": "x + y > v_th", "reset": ""}, "compares both states"),
    "refractory": (TURN, {**RF_IZ, "refractory": 5 * ms}, "refractory period.*never refractory"),
    "a current": (
        TURN.replace("- omega*y", "- omega*y + I/ms") + "dI/dt = -I/(5*ms) : volt\n" + BEFORE,
        {**RF, "method": "rk4"}, "3 states: 'x', 'y', 'I'.*no current"),
    "synapses on y": (TURN + BEFORE, {**RF, "driven": ["y"]},
                      "synapses add to 'y'.*when='after_thresholds'"),
    "once the threshold": (ATRLIF, {**RAISED, "reset": "r += theta; theta += b"},
                           "adds 1 times the threshold to 'r'.*twice"),
    "no refractory variable": (ATRLIF, {**RAISED, "reset": "theta += b"},
                               "raises no refractory variable.*ALIF"),
    "refractory as well": (ATRLIF, {**RAISED, "refractory": 5 * ms}, "by its variable r"),
    "current and voltage": (ATRLIF, {**RAISED, "driven": ["v", "I"]}, "one current"),
    "input to the threshold": (ATRLIF, {**RAISED, "driven": ["theta"]}, "changes 'theta'"),
    "a current that is reset": (ATRLIF, {**RAISED, "reset": RAISED["reset"] + "; I = 0*volt"},
                                "changes 'I' in a way that ATRLIF has not"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused_by_name(case: str) -> None:
    model, kwds, message = REFUSED[case]
    given = {"first": {"theta": 5 * mV}, **kwds} if model == ATRLIF else kwds
    with pytest.raises(NotSupported, match=f"(?s)NeuronGroup '.*{message}"):
        found(model, **given)


def test_a_kept_value_that_does_not_begin_with_the_state_is_refused() -> None:
    def group(first: Any) -> Any:
        made = NeuronGroup(1, TURN + "y_before : volt", method="exact", **RF)
        made._explicitly_in_no_network = True
        made.add_to_magic_network = False
        KEPT.append(made)
        made.y = -1 * mV
        made.y_before = first
        made.run_regularly("y_before = y", when="end")
        return match(population_map(made, VALUES), ["x"])

    assert group(-1 * mV).population.model == "RF"
    with pytest.raises(NotSupported, match="'y_before' does not begin where 'y' does.*before the"):
        group(0 * mV)


def test_a_step_that_depends_on_what_is_kept_is_refused() -> None:
    made = NeuronGroup(1, "dx/dt = -x/ms + old/ms : 1\nold : 1", method="euler")
    made._explicitly_in_no_network = True
    made.add_to_magic_network = False
    KEPT.append(made)
    made.run_regularly("old = x")
    with pytest.raises(NotSupported, match="depends on 'old'"):
        population_map(made, {})


# ---------------------------------------------------------------- at the threshold itself
#: What a quarter of a turn brings to the level.
_AT_LEVEL = [
    ("RF", "x {} 2 and y >= 0 and y_before < 0", "", {"real": 0.0, "imag": -2.0}),
    ("RF_IZ", "y {} 2", "x = 0; y = 2", {"real": 2.0, "imag": 0.0}),
]


@pytest.mark.parametrize(("model", "threshold", "reset", "first"), _AT_LEVEL)
@pytest.mark.parametrize("comparison", [">", ">="])
def test_a_resonator_at_its_level_fires_where_the_equations_do(
    model: str, threshold: str, reset: str, first: dict[str, float], comparison: str
) -> None:
    """A quarter of a turn has the factors 0 and 1: nothing is rounded in the integers."""
    text = "dx/dt = -omega*y : 1\ndy/dt = omega*x : 1\n"
    text += "y_before = y : 1 (constant over dt)" if model == "RF" else ""
    quarter = np.pi / 2 / DT * Hz
    matched = found(text, threshold=threshold.format(comparison), reset=reset,
                    values={"omega": quarter})  # fmt: skip
    population = replace(matched.population, initial={k: real(v) for k, v in first.items()})
    ideal = IdealNetwork(DT, (population,))
    made = quantise(ideal, "Loihi2", LAVA, scales={population.name: 64.0})
    at_level = 3 if comparison == ">=" else 0
    assert len(PlainChip(made.network).run(1).spikes[population.name][1]) == at_level
    noted = next(row.note for row in made.rows if row.register == "vth")
    assert ("does not fire" in noted) == (comparison == ">")


@pytest.mark.parametrize("comparison", [">", ">="])
def test_where_the_chip_fires_at_its_threshold_a_note_says_so(comparison: str) -> None:
    adaptive = {**RAISED, "threshold": f"v - r {comparison} theta"}
    crossing = f"x >= v_th and y {comparison} 0*volt and y_before < 0*volt"
    for matched in (found(ATRLIF, **adaptive), found(TURN + BEFORE, threshold=crossing, reset="")):
        notes = " ".join(matched.population.notes)
        assert ("the chip's neuron does, which compares with >=" in notes) == (comparison == ">")
