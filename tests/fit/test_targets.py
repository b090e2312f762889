"""Targets from equations: against Brian2's own run, the papers' figures, and what a script sees."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import brian2
import numpy as np
import pytest
from brian2.devices.device import get_device, reset_device, set_device

from brian2lava.errors import FitError
from brian2lava.fit.target import (
    TARGET_MODELS,
    Target,
    equations_target,
    model_target,
    simulate,
    target_model,
)
from brian2lava.fit.target.patterns import ADEX, IZHIKEVICH
from brian2lava.fit.target.stimuli import (
    Chirp,
    FrozenNoise,
    Noise,
    Pulses,
    Ramp,
    Sequence,
    Step,
    from_dict,
)

LIF = "dv/dt = (EL - v + R*I)/tau : volt (unless refractory)"
CONSTANTS = {
    "EL": -70 * brian2.mV,
    "R": 100 * brian2.Mohm,
    "tau": 10 * brian2.ms,
    "VT": -50 * brian2.mV,
}


# ---------------------------------------------------------------- stimuli
def test_stimuli_have_the_values_that_they_say() -> None:
    assert Step(2e-10, 0.01).samples(1e-3).tolist() == [2e-10] * 10
    np.testing.assert_allclose(Ramp(1, 3, 0.4).samples(0.1), [1, 1.5, 2, 2.5])
    pulses = Pulses(5, 0.002, (0.001, 0.006), 0.01, base=1).samples(1e-3)
    assert pulses.tolist() == [1, 5, 5, 1, 1, 1, 5, 5, 1, 1]
    chirp = Chirp(1, 0, 10, 1.0, mean=3).samples(1e-4)
    crossings = np.flatnonzero((chirp[:-1] < 3) & (chirp[1:] >= 3)) * 1e-4
    np.testing.assert_allclose(crossings, np.sqrt(np.arange(1, 5) / 5), atol=2e-4)


def test_stimuli_follow_each_other() -> None:
    whole = Step(1, 0.003) + Ramp(0, 2, 0.002) + Step(7, 0.001)
    assert isinstance(whole, Sequence) and len(whole.pieces) == 3
    np.testing.assert_allclose(whole.samples(1e-3), [1, 1, 1, 0, 1, 7])
    # joints that no float hits exactly
    long = Sequence(tuple(Step(k, 0.1) for k in range(30))).samples(1e-4)
    np.testing.assert_array_equal(long, np.repeat(np.arange(30), 1000))


def test_noise_has_its_mean_spread_correlation_and_seed() -> None:
    noise = Noise(2.0, 0.5, 5e-3, 200.0, seed=3)
    x = noise.samples(1e-3)
    assert abs(x.mean() - 2) < 0.02 and abs(x.std() - 0.5) < 0.01
    y = x - x.mean()
    assert abs((y[:-5] * y[5:]).mean() / y.var() - np.exp(-1)) < 0.02
    np.testing.assert_array_equal(x, noise.samples(1e-3))
    assert not np.array_equal(x, replace(noise, seed=4).samples(1e-3))


def test_a_seed_is_one_current_whatever_the_time_step() -> None:
    noise = Noise(0, 1, 5e-3, 1.0, seed=9)
    np.testing.assert_allclose(noise.samples(1e-4)[::10], noise.samples(1e-3), atol=1e-9)
    np.testing.assert_allclose(noise.samples(5e-5)[::2], noise.samples(1e-4), atol=1e-9)


def test_frozen_noise_repeats_itself() -> None:
    x = FrozenNoise(1, 1, 5e-3, 0.5, times=3, rest=0.1, seed=2).samples(1e-4).reshape(3, 6000)
    np.testing.assert_allclose(x[0], x[1], atol=1e-9)
    np.testing.assert_allclose(x[0], x[2], atol=1e-9)
    assert (x[:, 5000:] == 0).all() and x[0, :5000].std() > 0.5


def test_stimuli_survive_json() -> None:
    whole = (
        Step(1, 0.1)
        + Pulses(1, 1e-3, (0.01,), 0.1)
        + FrozenNoise(0, 1, 5e-3, 0.1)
        + Chirp(1, 2, 3, 0.1)
    )
    again = from_dict(json.loads(json.dumps(whole.to_dict())))
    assert again == whole


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Step(1, 0), "has to be positive"),
        (lambda: Step(float("nan"), 1), "amplitude is nan"),
        (lambda: Noise(0, 1, 0, 1), "tau has to be positive"),
        (lambda: Noise(0, 1, 1, 1e6), "1000 s at most"),
        (lambda: Step(1, 1).samples(0), "positive number of seconds"),
        (lambda: Step(1, 1e4).samples(1e-4), "100000000 samples"),
        (lambda: from_dict({"kind": "Sine"}), "no stimulus 'Sine'"),
        (lambda: from_dict({"kind": "Step", "height": 1}), "unexpected keyword"),
    ],
)
def test_stimuli_refuse_what_they_can_not_be(make: Any, says: str) -> None:
    with pytest.raises(FitError, match=says):
        make()


# ---------------------------------------------------------------- against Brian2
def brians(name: str, dt: float, current: Any) -> tuple[Any, Any]:
    """Spike times and voltages of a model in Brian2's own NumPy run."""
    neuron = target_model(name).neuron
    lines = [neuron.equations, f"{neuron.input} : {neuron.input_unit}"]
    lines += [f"{n} : {value.unit} (constant)" for n, value in neuron.parameters.items()]
    unit = brian2.amp if neuron.input_unit == "amp" else 1
    stimulus = brian2.TimedArray(current * unit, dt=dt * brian2.second)
    group = brian2.NeuronGroup(
        1, "\n".join(lines), threshold=neuron.threshold, reset=neuron.reset or None,
        refractory=neuron.refractory or False, method=neuron.method, dt=dt * brian2.second,
        namespace={"stimulus": stimulus}, codeobj_class=brian2.NumpyCodeObject,
    )  # fmt: skip
    for n, value in neuron.parameters.items():
        group.variables[n].set_value(value.number)
    for n, expression in neuron.initial.items():
        setattr(group, n, expression)
    group.run_regularly(f"{neuron.input} = stimulus(t)", when="start", order=-1)
    spikes = brian2.SpikeMonitor(group)
    trace = brian2.StateMonitor(group, "v", record=True, dt=dt * brian2.second)
    network = brian2.Network(group, spikes, trace)
    network.run(len(current) * dt * brian2.second)
    return np.asarray(spikes.t / brian2.second), np.asarray(trace.v)[0]


@pytest.mark.parametrize(
    "name", ["AdEx", "LIF", "Hodgkin-Huxley", "Morris-Lecar", "GLIF5", "MAT", "Izhikevich"]
)
def test_models_do_what_brian2_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(brian2.prefs, "codegen.target", "numpy")
    model = target_model(name)
    dt = 1e-4 / model.substeps
    current = model.stimulus.samples(dt)[: round(0.15 / dt)]
    if name == "Morris-Lecar":
        current = np.full(2000, 24e-9)
    ours = simulate(model.neuron, current, dt)
    spikes, voltage = brians(name, dt, current)
    assert spikes.size >= 2
    np.testing.assert_allclose(ours.spikes[0], spikes, atol=1e-9)
    np.testing.assert_allclose(ours.voltage, voltage * model.neuron.volt, atol=1e-9)


def test_substeps_sample_a_finer_simulation() -> None:
    neuron = target_model("AdEx").neuron
    current = np.full(3000, 5e-10)
    coarse = simulate(neuron, current, 1e-4, substeps=5)
    fine = simulate(neuron, np.repeat(current, 5), 2e-5)
    np.testing.assert_array_equal(coarse.spikes[0], fine.spikes[0])
    np.testing.assert_array_equal(coarse.voltage, fine.voltage[::5])


# ---------------------------------------------------------------- patterns
def figure_1(name: str) -> list[int]:
    """Spikes of Izhikevich's script, by its own arithmetic, in steps."""
    pattern = IZHIKEVICH[name]
    values = {"k1": 5.0, "k0": 140.0, "vb": 0.0, "ku": 1.0} | dict(pattern.parameters)
    tau = pattern.dt * 1e3
    v = float(pattern.initial["v"])
    u = -16.0 if name == "accommodation" else values["b"] * v
    assert pattern.stimulus is not None
    found = []
    for n, current in enumerate(pattern.stimulus.samples(pattern.dt)):
        v += tau * (0.04 * v * v + values["k1"] * v + values["k0"] - u + current)
        u += tau * values["a"] * (values["b"] * (v + values["vb"]) - values["ku"] * u)
        if v > 30:
            found.append(n)
            v, u = values["c"], u + values["d"]
    return found


#: Spikes in the panels of the figure.
PANELS = dict.fromkeys(IZHIKEVICH, 1) | {
    "tonic spiking": 5, "tonic bursting": 28, "phasic bursting": 6, "mixed mode": 6,
    "spike frequency adaptation": 6, "class 1": 10, "class 2": 14, "rebound burst": 7,
    "bistability": 5, "inhibition-induced spiking": 3, "inhibition-induced bursting": 12,
}  # fmt: skip


@pytest.mark.parametrize("name", IZHIKEVICH)
def test_izhikevichs_twenty_patterns(name: str) -> None:
    pattern = IZHIKEVICH[name]
    target = model_target("Izhikevich", name, stimulus=pattern.stimulus)
    steps = target.spike_steps(0)
    assert steps.tolist() == figure_1(name)
    assert steps.size == PANELS[name]
    assert target.unit == "1"


def intervals(name: str) -> Any:
    """Between spikes of the paper's own current, ms."""
    pattern = ADEX[name]
    target = model_target("AdEx", name, stimulus=pattern.stimulus)
    return np.diff(target.sweeps[0].spikes[0]) * 1e3


def test_naud_2008_has_eight_patterns() -> None:
    tonic = intervals("tonic")
    assert tonic.size > 40 and tonic[5:].std() < 0.3
    adapting = intervals("adapting")
    assert (np.diff(adapting[:5]) > 0).all() and adapting[-1] > 5 * adapting[0]
    initial = intervals("initial burst")
    assert initial[0] < 10 and (initial[3:] > 40).all()
    regular = intervals("regular bursting")
    assert (regular < 10).sum() >= 4 and (regular > 80).sum() >= 3
    accelerating = intervals("delayed accelerating")
    assert accelerating[-1] < accelerating[0]
    delayed = intervals("delayed regular bursting")
    assert (delayed < 10).sum() >= 15 and (delayed > 40).sum() >= 5
    first = model_target("AdEx", "delayed regular bursting", stimulus=ADEX["tonic"].stimulus)
    assert first.sweeps[0].spikes[0].size
    assert intervals("transient").size <= 2
    irregular = intervals("irregular")
    assert irregular.std() / irregular.mean() > 0.4


def test_a_patterns_target_holds_out_the_papers_own_current() -> None:
    target = model_target("AdEx", "adapting")
    (start, stop), = target.held_out  # fmt: skip
    held = target.sweeps[0].current[round(start / target.dt) : round(stop / target.dt)]
    assert held.max() == pytest.approx(500e-12)
    assert target.sweeps[0].current[: held.size].max() == pytest.approx(450e-12)


@pytest.mark.parametrize("name", TARGET_MODELS)
def test_every_model_fires_under_its_own_stimulus(name: str) -> None:
    target = model_target(name)
    spikes = target.sweeps[0].spikes[0]
    for start, stop in (*target.train, *target.held_out):
        assert ((spikes >= start) & (spikes < stop)).sum() >= 5
    assert -0.2 < target.sweeps[0].voltage.min() < target.sweeps[0].voltage.max() < 0.1
    assert target_model(name).neuron.source.split(";")[0] in target.source


def test_names_are_found_and_missed_ones_are_near() -> None:
    assert target_model("hh").name == "Hodgkin-Huxley"
    assert model_target("adex", "Initial-Burst").name == "AdEx, initial burst"
    with pytest.raises(FitError, match=r"no model 'AdExp'; .* Did you mean 'AdEx'"):
        target_model("AdExp")
    with pytest.raises(FitError, match=r"no pattern of AdEx 'adapting2'.* mean 'adapting'"):
        model_target("AdEx", "adapting2")
    with pytest.raises(FitError, match=r"AdEx has no parameter 'g_L'; it has C, gL"):
        model_target("AdEx", parameters={"g_L": 1})
    with pytest.raises(FitError, match="'gL' is given in .*; it is in siemens"):
        model_target("AdEx", parameters={"gL": 1 * brian2.mV})


def test_parameters_may_be_numbers_or_quantities() -> None:
    plain = model_target("LIF", parameters={"VT": -0.052})
    with_unit = model_target("LIF", parameters={"VT": -52 * brian2.mV})
    np.testing.assert_array_equal(plain.sweeps[0].spikes[0], with_unit.sweeps[0].spikes[0])
    more = model_target("LIF").sweeps[0].spikes[0].size
    assert plain.sweeps[0].spikes[0].size > more


# ---------------------------------------------------------------- one's own equations
def own(**changes: Any) -> Target:
    arguments: dict[str, Any] = {
        "equations": LIF,
        "threshold": "v > VT",
        "reset": "v = EL",
        "stimulus": Step(3e-10, 0.2),
        "namespace": CONSTANTS,
        "refractory": 2 * brian2.ms,
        "initial": {"v": "EL"},
    }
    return equations_target(**(arguments | changes))


def test_own_equations_fire_when_the_formula_says() -> None:
    spikes = own().sweeps[0].spikes[0]
    # from rest to threshold: tau log(RI/(RI - 20 mV)), then 2 ms of rest
    expected = 10e-3 * np.log(30 / 10) + 2e-3
    np.testing.assert_allclose(np.diff(spikes), expected, atol=2e-4)
    assert own(stimulus=[Step(3e-10, 0.1), np.full(50, 1e-10)]).sweeps[1].steps == 50


def test_equations_with_subexpressions_functions_and_a_declared_input() -> None:
    target = own(
        equations="""
        dv/dt = (EL - v + R*J + clip(drive/mV, 0, 1)*mV)/tau : volt
        drive = abs(v)*int(v < VT) : volt (constant over dt)
        J : amp
        """,
        input="J",
        refractory=None,
        method="euler",
    )
    assert target.sweeps[0].spikes[0].size > 5
    assert target.unit == "A"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"equations": "dv/dt = (EL - v + R*I/tau : volt"}, "Brian2 can't read"),
        ({"equations": "dv/dt = (EL - v + R*I) : volt"}, "Brian2 refuses"),
        ({"namespace": {**CONSTANTS, "EL": -70 * brian2.nS}}, "Brian2 refuses"),
        ({"namespace": {**CONSTANTS, "EL": lambda t: t}}, "no number with a unit"),
        ({"namespace": {**CONSTANTS, "EL": np.ones(1)}}, "no number with a unit"),
        ({"namespace": {k: v for k, v in CONSTANTS.items() if k != "tau"}}, "tau"),
        ({"equations": LIF + "\nk : 1"}, "'k' of the equations has no value"),
        ({"equations": LIF.replace("R*I", "R*I + xi*mV*tau**0.5")}, "have noise"),
        ({"reset": "v = EL + rand()*mV"}, r"call rand\(\)"),
        ({"equations": LIF.replace("R*I", "R*stim(t)")}, "stim"),
        ({"voltage": "w"}, "no variable with a differential equation"),
        ({"initial": {"w": 1}}, "no state of the equations"),
        ({"threshold": "v"}, "not a boolean"),
        ({"threshold": "v > 3"}, "units"),
        ({"reset": "v = 3"}, "expected unit"),
        ({"method": "runge"}, "no integrator 'runge'; .*rk4"),
        ({"method": "gsl_rk4"}, "no integrator 'gsl_rk4'"),
        ({"equations": LIF + "\n" + "#" * 30_000}, "20000 are the most"),
        ({"equations": "dv/dt = v**3/volt**2/ms : volt", "threshold": "v > 1e300*volt",
          "initial": {"v": "1*volt"}, "method": "euler"}, "smaller time step"),
        ({"stimulus": np.zeros((2, 2, 2))}, "a list of numbers"),
    ],
)  # fmt: skip
def test_equations_that_can_not_be_simulated_say_why(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FitError, match=says):
        own(**changes)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch bad')",
        "(lambda: 1)()",
        "[1][0]",
        "v.__class__",
        'v; system("touch bad")',
    ],
)
def test_no_text_is_run_as_code(text: str, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for changes in (
        {"threshold": f"v > {text}"}, {"reset": f"v = {text}"}, {"initial": {"v": text}},
        {"equations": f"dv/dt = {text}/tau : volt"}, {"equations": f"dv/dt = -v/tau : {text}"},
        {"refractory": text}, {"input_unit": text}, {"input": text}, {"voltage": text},
    ):  # fmt: skip
        with pytest.raises(FitError):
            own(**changes)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- inside a script
def test_a_script_with_another_device_does_not_notice() -> None:
    set_device("lava")
    try:
        before = get_device()
        group = brian2.NeuronGroup(2, "dv/dt = -v/(10*ms) : 1", method="exact")
        group.v = 1
        target = model_target("LIF", parameters={"VT": -0.0513})
        assert target.sweeps[0].spikes[0].size
        assert get_device() is before
        other = brian2.NeuronGroup(1, "x : 1")
        assert (group.name, other.name) == ("neurongroup", "neurongroup_1")
        brian2.run(10 * brian2.ms)
        np.testing.assert_allclose(group.v[:], np.exp(-1))
    finally:
        reset_device()


def test_equations_travel_to_other_processes() -> None:
    neuron = target_model("AdEx").neuron
    again = pickle.loads(pickle.dumps(neuron))
    assert again == neuron
