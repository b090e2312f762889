"""The preset models and options of Brian2Lava 1.0 beta: scripts of its users run unchanged."""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Equations,
    Mohm,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
    mV,
    nA,
    run,
    set_device,
)

from brian2lava.device import lava_device
from brian2lava.errors import NotSupported, OptionError
from brian2lava.options import Options
from brian2lava.preset_mode import model_loader
from brian2lava.preset_mode.models import PRESETS
from brian2lava.preset_mode.preset_model import PresetModel
from tests.networks.devices import Engine, needs_lava_device, reference, under

pytestmark = needs_lava_device

#: The names that brian2lava 1.0.0b2 has in its model library.
NAMES = (
    "atrlif",
    "lif",
    "lif_delta_v_input",
    "lif_delta_v_input_v_rev",
    "lif_delta_v_input_v_rev_tau_v_ind",
    "lif_predef_stim_versatile",
    "lif_rp_delta_v_input",
    "lif_rp_v_input",
    "lif_v_input_v_rev",
    "probspiker",
    "timespiker",
)

FLOAT = Engine("float", {"host": "inline", "mode": "preset", "num_repr": "float"})
FIXED = Engine("fixed", {"host": "inline", "mode": "preset", "num_repr": "fixed", "use_f2f": True})
LOIHI2 = Engine("Loihi2", {"host": "inline", "mode": "preset", "hardware": "Loihi2"})

STEP = 0.5 * ms
DURATION = 100 * ms


def _model(name: str) -> PresetModel:
    found = getattr(model_loader, name)
    assert isinstance(found, PresetModel)
    return found


# ---------------------------------------------------------------- networks of each model
def _parameters(sigma: float = 0.0) -> dict[str, Any]:
    return {
        "tau_j": 5 * ms,
        "tau_v": 10 * ms,
        "tau_psp": 4 * ms,
        "tau_theta": 25 * ms,
        "tau_r": 5 * ms,
        "v_th": 20 * mV,
        "v_rs": -5 * mV,
        "v_rev": -3 * mV,
        "t_rp": 2 * ms,
        "theta_0": 5 * mV,
        "theta_step": 2 * mV,
        "sigma_bg": sigma * mV * ms**0.5,
        "R": 1 * Mohm,
        "I_bg_mean": 20 * nA,
        "I_stim_pA": TimedArray(np.tile([0.0, 5e3, 1e4, 2e4], (200, 1)), dt=STEP),
    }


def _group(name: str, count: int = 4, sigma: float = 0.0) -> NeuronGroup:
    """Neurons of different drive, from none to plenty."""
    model = _model(name)
    parameters = _parameters(sigma)
    if name == "atrlif":
        parameters["bias"] = 3 * mV / ms
    arguments: dict[str, Any] = {}
    if model.equations.diff_eq_names:
        arguments["method"] = "euler"
    if model.refractory_period == "True":
        arguments["refractory"] = "t_rp"
    group = NeuronGroup(
        count,
        model.equations,
        threshold=model.conditions["th"],
        reset=model.reset,
        namespace=parameters,
        name="cells",
        **arguments,
    )
    drive = np.linspace(0, 1, count)
    if name == "lif":
        group.bias = 4 * drive * mV / ms
    elif "bias" in model.equations.parameter_names:
        group.bias = 50 * drive * mV
    if "tau_v_ind" in model.equations.parameter_names:
        group.tau_v_ind = (8 + 10 * drive) * ms
    if name == "atrlif":
        group.theta = "theta_0"  # as the peer's example, and not at rest
    if name == "probspiker":
        group.p_spike = drive
    if name == "timespiker":
        group.t_spike_steps = 250 * drive
    return group


#: By the variable that synapses add to: the unit of the weights in the model's text, and a weight.
INPUTS = {
    "j": ("volt/second", 1.5 * mV / ms),
    "v_psp": ("volt", 12 * mV),
    "v": ("volt", 4 * mV),
    "x": ("1", 1),
}


def _recorded(name: str, engine: Engine | None) -> dict[str, Any]:
    """Spikes and states of a group with inputs, in Brian2's runtime mode or under the device."""
    with reference() if engine is None else under(engine):
        defaultclock.dt = STEP
        cells = _group(name)
        spikes = SpikeMonitor(cells)
        parts = [cells, spikes]
        target = next((each for each in INPUTS if each in cells.variables), None)
        if target is not None:
            source = SpikeGeneratorGroup(2, [0, 1, 0, 1], [3.5, 21, 47.5, 80] * ms)
            unit, weight = INPUTS[target]
            synapses = Synapses(source, cells, f"w : {unit}", on_pre=f"{target}_post += w")
            synapses.connect()
            synapses.w = weight
            parts += [source, synapses]
        watched = [each for each in ("v", "j", "v_psp", "theta", "r") if each in cells.variables]
        states = StateMonitor(cells, watched, record=True)
        Network(*parts, states).run(DURATION)
        return {
            "i": np.array(spikes.i),
            "step": np.rint(np.array(spikes.t / STEP)).astype(int),
            **{each: np.array(getattr(states, f"{each}_")) for each in watched},
        }


@cache
def _brian2(name: str) -> dict[str, Any]:
    return _recorded(name, None)


# ---------------------------------------------------------------- the models by name
def test_all_eleven_models_come_with_a_star() -> None:
    found: dict[str, Any] = {}
    exec("from brian2lava.preset_mode.model_loader import *", found)
    assert len(PRESETS) == 11
    assert {name: found[name] for name in PRESETS} == dict(PRESETS)


def test_there_are_eleven() -> None:
    """Those of the model library, and no others."""
    assert sorted(PRESETS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_what_its_users_ask_for(name: str) -> None:
    """Equations, conditions, refractory_period, description, process_name, show."""
    model = _model(name)
    assert isinstance(model.equations, Equations)
    assert str(model.equations) == str(Equations(model.string_equations))
    assert set(model.conditions) == {"th", "rs"}
    assert model.refractory_period == str("refractory period" in model.description)
    assert model.process_name.lower() == name
    variables = {entry.name for entry in model.variables}
    assert variables == set(model.equations.names) | ({"bias"} & variables)
    unknown = model.equations.identifiers - variables - {"t", "dt", "xi", "i", "pA", "int", "rand"}
    assert unknown <= {entry.name for entry in model.parameters}


_LEAK = {
    "lif": lambda p: -p["v"] / p["tau_v"] + p["j"] + p["bias"],
    "atrlif": lambda p: -p["v"] / p["tau_v"] + p["j"] + p["bias"],
    "lif_delta_v_input": lambda p: (p["bias"] - p["v"]) / p["tau_v"],
    "lif_delta_v_input_v_rev": lambda p: (p["v_rev"] + p["bias"] - p["v"]) / p["tau_v"],
    "lif_delta_v_input_v_rev_tau_v_ind": (
        lambda p: (p["v_rev"] + p["bias"] - p["v"]) / p["tau_v_ind"]
    ),
    "lif_rp_delta_v_input": lambda p: (p["bias"] - p["v"]) / p["tau_v"],
    "lif_rp_v_input": lambda p: (p["v_psp"] + p["bias"] - p["v"]) / p["tau_v"],
    "lif_v_input_v_rev": lambda p: (p["v_rev"] + p["v_psp"] + p["bias"] - p["v"]) / p["tau_v"],
    "lif_predef_stim_versatile": (
        lambda p: (p["v_rev"] + p["bias"] + p["sigma_bg"] * p["xi"] - p["v"]) / p["tau_v_ind"]
    ),
}
_OTHER_STATES = {
    "j": lambda p: -p["j"] / p["tau_j"],
    "v_psp": lambda p: -p["v_psp"] / p["tau_psp"],
    "theta": lambda p: (2 * p["theta_0"] - p["theta"]) / p["tau_theta"],
    "r": lambda p: -p["r"] / p["tau_r"],
}


@pytest.mark.parametrize("name", NAMES)
def test_equations_are_those_of_the_model(name: str) -> None:
    """Right-hand sides, held against formulas written down apart, at random points; and which
    voltages are held while refractory."""
    equations = _model(name).equations
    draw = np.random.default_rng(11)
    for state in sorted(equations.diff_eq_names):
        formula = _LEAK[name] if state == "v" else _OTHER_STATES[state]
        held = "unless refractory" in equations[state].flags
        assert held == (state == "v" and "rp" in name.split("_"))
        for _ in range(5):
            point = {
                each: draw.uniform(0.5, 2) for each in (*equations.identifiers, *equations.names)
            }
            ours = eval(str(equations[state].expr), {}, point)
            assert ours == pytest.approx(formula(point), rel=1e-12)
    states = {state for state in equations.diff_eq_names if state != "v"}
    assert states == {"atrlif": {"j", "theta", "r"}, "lif": {"j"}}.get(
        name, {"v_psp"} if name in ("lif_rp_v_input", "lif_v_input_v_rev") else set()
    )


def test_they_are_imported_without_a_device() -> None:
    """Another name is an ImportError that lists the models."""
    from brian2lava.preset_mode.model_loader import atrlif, lif

    assert lif.conditions == {"th": "v > v_th", "rs": "v = v_rs"}
    assert atrlif.conditions["rs"] == ["r = r + 2*theta", "theta = theta + theta_step"]
    assert atrlif.reset == "\n".join(atrlif.conditions["rs"])
    assert "lif" in dir(model_loader)
    with pytest.raises(AttributeError, match=r"no preset model 'lief'.*lif_rp_v_input"):
        model_loader.lief  # noqa: B018
    with pytest.raises(ImportError):
        exec("from brian2lava.preset_mode.model_loader import lief", {})


def test_models_show_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    """All there is to know, with LaTeX if one likes; and the list of models."""
    _model("lif_rp_v_input").show()
    printed = capsys.readouterr().out
    for text in ("dv_psp/dt = -v_psp/tau_psp : volt", "v > v_th", "yes", "tau_psp", "second"):
        assert text in printed
    assert "LaTeX" not in printed
    _model("timespiker").show(latex_raw=True)
    printed = capsys.readouterr().out
    assert "none" in printed and "LaTeX" in printed and "the host sends" in printed
    model_loader.ModelLoader.available_preset_models()
    assert [line.split(" -- ")[0] for line in capsys.readouterr().out.split("\n")][:-1] == list(
        PRESETS
    )


# ---------------------------------------------------------------- in floating point
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"probspiker"}))
def test_float_is_brian2(name: str) -> None:
    """Spike for spike, and all states."""
    ours, brians = _recorded(name, FLOAT), _brian2(name)
    assert len(brians["step"]) > 10
    for each, values in brians.items():
        np.testing.assert_allclose(ours[each], values, rtol=1e-9, atol=1e-15, err_msg=each)


def test_float_probspiker_fires_with_its_probability() -> None:
    """And its rnd is what the threshold compares: uniform, and below p_spike at each spike."""
    with under(FLOAT):
        defaultclock.dt = STEP
        cells = _group("probspiker", count=5)
        spikes, states = SpikeMonitor(cells), StateMonitor(cells, "rnd", record=True)
        run(1000 * ms)
        steps = np.rint(np.array(spikes.t / STEP)).astype(int)
        fired = np.zeros(states.rnd.shape, bool)
        fired[np.array(spikes.i), steps] = True
        expected = np.linspace(0, 1, 5)
    assert abs(states.rnd.mean() - 0.5) < 0.01
    assert abs(states.rnd.var() - 1 / 12) < 0.005
    np.testing.assert_allclose(fired.mean(axis=1), expected, atol=4 * 0.5 / np.sqrt(2000))


def test_float_noise_has_its_strength() -> None:
    """The voltage of lif_predef_stim_versatile spreads by sigma_bg / sqrt(2 tau)."""
    with under(FLOAT):
        cells = _group("lif_predef_stim_versatile", count=4, sigma=2.0)
        cells.namespace["v_th"], cells.namespace["I_bg_mean"] = 1e3 * mV, 0 * nA
        cells.tau_v_ind = 5 * ms
        states = StateMonitor(cells, "v", record=[0])
        run(3000 * ms)
        spread = float(np.std(states.v[0, 1000:] / mV))
    assert abs(spread / (2 / np.sqrt(2 * 5)) - 1) < 0.1


# ---------------------------------------------------------------- in a chip's integers
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"probspiker", "timespiker"}))
def test_fixed_is_near_to_float(name: str) -> None:
    """Spikes are those of Brian2, within a step and what the rounded time constants make of the
    intervals: 1 %."""
    fixed, brians = _recorded(name, FIXED), _brian2(name)
    assert not np.allclose(fixed["v"], brians["v"], rtol=1e-9, atol=1e-15)
    for neuron in range(4):
        ours = fixed["step"][fixed["i"] == neuron]
        exact = brians["step"][brians["i"] == neuron]
        assert len(ours) == len(exact)
        assert np.all(np.abs(ours - exact) <= 1 + 0.01 * exact)


def test_fixed_timespiker_is_a_source() -> None:
    """The host sends its spikes, which are Brian2's; it takes no input."""
    counts = []
    for engine in (FLOAT, FIXED):
        with under(engine):
            defaultclock.dt = STEP
            cells = _group("timespiker")
            spikes = SpikeMonitor(cells)
            Network(cells, spikes).run(DURATION)
            counts.append(spikes.count[:])
    np.testing.assert_array_equal(*counts)
    assert counts[0].max() > 10


def test_fixed_and_loihi2_are_the_same_integers() -> None:
    """Whether the chip is named or not."""
    fixed, chip = _recorded("lif", FIXED), _recorded("lif", LOIHI2)
    for each, values in chip.items():
        np.testing.assert_array_equal(fixed[each], values, err_msg=each)


def test_fixed_probspiker_fires_with_its_probability() -> None:
    """Random words of 24 bits below a register."""
    with under(FIXED):
        defaultclock.dt = STEP
        cells = _group("probspiker", count=5)
        spikes = SpikeMonitor(cells)
        Network(cells, spikes).run(1000 * ms)
        rates = np.array(spikes.count) / 2000
    np.testing.assert_allclose(rates, np.linspace(0, 1, 5), atol=4 * 0.5 / np.sqrt(2000))


def test_fixed_noise_has_its_strength() -> None:
    """The chip's is uniform, with the same spread."""
    with under(FIXED):
        cells = _group("lif_predef_stim_versatile", count=4, sigma=2.0)
        cells.namespace["v_th"], cells.namespace["I_bg_mean"] = 1e3 * mV, 0 * nA
        cells.tau_v_ind = 5 * ms
        states = StateMonitor(cells, "v", record=[0])
        run(3000 * ms)
        spread = float(np.std(states.v[0, 1000:] / mV))
    assert abs(spread / (2 / np.sqrt(2 * 5)) - 1) < 0.1


def test_a_drawn_variable_can_not_be_recorded_on_a_chip() -> None:
    with under(FIXED):
        cells = _group("probspiker")
        with pytest.raises(NotSupported, match="'.*monitor.*' reads 'rnd' of 'cells', .*kept nowh"):
            Network(cells, StateMonitor(cells, "rnd", record=True)).run(1 * ms)


def test_rand_in_the_threshold_runs_on_a_chip() -> None:
    with under(FIXED):
        defaultclock.dt = STEP
        cells = NeuronGroup(5, "p_spike : 1", threshold="rand() < p_spike", reset="")
        cells.p_spike = np.linspace(0, 1, 5)
        spikes = SpikeMonitor(cells)
        Network(cells, spikes).run(1000 * ms)
        rates = np.array(spikes.count) / 2000
    np.testing.assert_allclose(rates, np.linspace(0, 1, 5), atol=4 * 0.5 / np.sqrt(2000))


# ---------------------------------------------------------------- options
@pytest.mark.parametrize(
    "given, hardware, num_repr",
    (
        ({}, "CPU", "float"),
        ({"mode": "flexible"}, "CPU", "float"),
        ({"mode": "preset"}, "Loihi2", "fixed"),
        ({"mode": "preset", "num_repr": "float"}, "CPU", "float"),
        ({"mode": "preset", "hardware": "CPU", "num_repr": "fixed"}, "Loihi2", "fixed"),
        ({"num_repr": "fixed", "use_f2f": "model_wise"}, "Loihi2", "fixed"),
        ({"num_repr": "fixed", "use_f2f": "generic"}, "Loihi2", "fixed"),
        ({"hardware": "Loihi1", "mode": "preset"}, "Loihi1", "fixed"),
        ({"hardware": "Loihi2", "binary_accuracy": 3, "project_path": "x"}, "Loihi2", "fixed"),
        ({"use_f2f": False, "num_repr": "float"}, "CPU", "float"),
    ),
)
def test_options_say_which_numbers(given: dict[str, Any], hardware: str, num_repr: str) -> None:
    """A chip's name is whose integers they are, also where the CPU was asked for them."""
    options = Options.parse(given)
    assert (options.hardware, options.num_repr) == (hardware, num_repr)


@pytest.mark.parametrize(
    "given, error, text",
    (
        ({"num_repr": "float", "hardware": "Loihi2"}, OptionError, "computes in integers"),
        ({"num_repr": "fixt"}, OptionError, "Did you mean 'fixed'"),
        ({"mode": "Preset"}, OptionError, "Did you mean 'preset'"),
        ({"use_f2f": "modelwise"}, OptionError, "True or False"),
        ({"use_f2f": 1}, OptionError, "True or False"),
        ({"models_path": "models"}, OptionError, "models_dir"),
        ({"mode": "preset", "use_f2f": False}, NotSupported, "LoihiNeuronGroup"),
        ({"num_repr": "fixed", "engine": "numpy"}, NotSupported, "engine='cpu'"),
    ),
)
def test_options_that_can_not_be_served_raise(
    given: dict[str, Any], error: type[Exception], text: str
) -> None:
    """What to do is in the message."""
    with pytest.raises(error, match=text):
        Options.parse(given)


# ---------------------------------------------------------------- models of one's own
def _described(folder: Path, name: str, **changes: Any) -> None:
    description = {
        "ode": ["dv/dt = (g - v)/tau_v : volt", "g : volt"],
        "conditions": {"th": "v > v_th", "rs": "v = v_rs"},
        "description": "A leaky neuron without synapses.",
        "process_name": "Mine",
        "variables": [{"name": "v", "description": "voltage", "unit": "V"}],
        "parameters": [{"name": "tau_v", "description": "time constant", "unit": "s"}],
        **changes,
    }
    (folder / name).mkdir()
    (folder / name / "model.json").write_text(json.dumps(description), encoding="utf-8")


def test_models_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """models_dir adds them, in place of ours where the name is the same, until the next device."""
    _described(tmp_path, "mine")
    _described(tmp_path, "lif", conditions={"th": "v > v_th", "rs": ["v = v_rs", "g = 0*volt"]})
    (tmp_path / "no_model").mkdir()
    with under(Engine("own", {"host": "inline", "models_dir": tmp_path, "print_models": True})):
        assert "mine -- " in capsys.readouterr().out
        mine = _model("mine")
        assert [entry.unit for entry in (*mine.variables, *mine.parameters)] == ["volt", "second"]
        assert _model("lif").conditions["rs"] == ["v = v_rs", "g = 0*volt"]
        cells = NeuronGroup(
            2,
            mine.equations,
            threshold=mine.conditions["th"],
            reset=mine.conditions["rs"],
            method="euler",
            namespace=_parameters(),
        )
        cells.g = [10, 40] * mV
        spikes = SpikeMonitor(cells)
        Network(cells, spikes).run(50 * ms)
        assert spikes.count[0] == 0 < spikes.count[1]
    with under(FLOAT):
        assert _model("lif") is PRESETS["lif"]
        assert not hasattr(model_loader, "mine")


def test_a_folder_that_can_not_be_read_raises(tmp_path: Path) -> None:
    """With its name, and what is missing; the device stays what it was."""

    def problem(folder: Path, text: str) -> None:
        with (
            pytest.raises(OptionError, match=text),
            under(Engine("own", {"models_dir": folder})),
        ):
            pass

    problem(tmp_path / "nowhere", "no such folder")
    problem(tmp_path, "holds a model.json")
    _described(tmp_path, "empty", ode=[])
    problem(tmp_path, "'ode'")
    (tmp_path / "empty" / "model.json").write_text("{", encoding="utf-8")
    problem(tmp_path, "no JSON")


# ---------------------------------------------------------------- a script as its users write it
GUIDE = Path(__file__).parents[1] / "docs" / "moving_from_brian2lava_beta.md"


def _rows_of_the_guide() -> dict[str, str]:
    table = GUIDE.read_text(encoding="utf-8").partition("## Models")[2].partition("\n\nAll run")[0]
    rows = [line.strip("| ").split("|", 1) for line in table.splitlines() if line.startswith("| `")]
    return {name.strip(" `"): text.strip() for name, text in rows}


def test_the_guide_has_a_row_a_model() -> None:
    """And says of each what it is on a chip."""
    rows = _rows_of_the_guide()
    assert sorted(rows) == sorted(NAMES)
    for name, text in rows.items():
        assert text.startswith(PRESETS[name].on_chip), name


def test_the_guides_script_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """As it is written, and in floating point with the same spikes."""
    script = GUIDE.read_text(encoding="utf-8").split("```python\n")[1].partition("```")[0]
    told = []
    for number in ("fixed", "float"):
        with under(FLOAT):
            names: dict[str, Any] = {"__name__": "__main__"}
            exec(compile(script.replace('"fixed"', f'"{number}"'), GUIDE.name, "exec"), names)
            told.append([list(names["spikes"].i), list(np.rint(names["spikes"].t / ms))])
        assert ("integers of Loihi2" in capsys.readouterr().out) == (number == "fixed")
    assert told[0] == told[1] and len(told[0][0]) > 3


def _script(**options: Any) -> Any:
    """Two groups, one driven by its bias and one by a generator, as one reads in the guide."""
    set_device("lava", **options)
    lif = importlib.import_module("brian2lava.preset_mode.model_loader").lif
    defaultclock.dt = 0.5 * ms
    tau_j, tau_v = 15 * ms, 10 * ms  # noqa: F841
    v_th, v_rs, pause = 50 * mV, -5 * mV, 0  # noqa: F841
    generator = SpikeGeneratorGroup(3, [0, 1, 2, 0, 2], [5, 10, 15, 20, 20] * ms)
    conditions = {"threshold": lif.conditions["th"], "reset": lif.conditions["rs"]}
    driven = NeuronGroup(3, lif.equations, **conditions, refractory="pause*ms", method="euler")
    listening = NeuronGroup(3, lif.equations, **conditions, refractory="pause*ms", method="euler")
    driven.j, driven.v, driven.bias = "5*mV/ms", "45*mV", "4*mV/ms"
    listening.v = "2*mV"
    synapses = Synapses(generator, listening, model="w : volt/second", on_pre="j_post += w")
    synapses.connect(i=[0, 1, 2], j=[1])
    synapses.w = 5 * mV / ms
    first, second = SpikeMonitor(driven), SpikeMonitor(listening)
    voltage = StateMonitor(listening, "v", record=True)
    run(60 * ms)
    return [np.array(each.t / ms) for each in (first, second)], np.array(voltage.v / mV), synapses


def test_a_script_in_both_numbers() -> None:
    """The same spikes, voltages within 1 % of the threshold, and the user's own weights."""
    with reference():
        exact = _script(mode="preset", hardware="CPU", num_repr="float", host="inline")
        assert lava_device.options.hardware == "CPU"
    with under(FIXED):
        fixed = _script(
            mode="preset", hardware="CPU", num_repr="fixed", use_f2f=True, host="inline"
        )
        assert "integers of Loihi2" in str(lava_device.report())
    assert all(len(each) > 2 for each in exact[0])
    for ours, brians in zip(fixed[0], exact[0], strict=True):
        np.testing.assert_allclose(ours, brians)
    assert np.abs(fixed[1] - exact[1]).max() < 0.5
    np.testing.assert_allclose(fixed[2].w / (mV / ms), 5)


def test_whole_numbers_need_no_conversion() -> None:
    """A script in which all values are whole, with a step of one second, as its users write them
    where they convert nothing: the spikes are those of floating point."""

    def spikes_of(**options: Any) -> Any:
        with under(Engine("whole", {"host": "inline", **options})):
            lif = _model("lif")
            defaultclock.dt = 1000 * ms
            namespace = {
                "tau_j": 1000 * ms,
                "tau_v": 81920 * ms,
                "v_th": 100e3 * mV,
                "v_rs": -5e3 * mV,
            }
            arguments = {
                "threshold": lif.conditions["th"],
                "reset": lif.conditions["rs"],
                "method": "euler",
                "namespace": namespace,
            }
            first = NeuronGroup(1, lif.equations, **arguments)
            second = NeuronGroup(1, lif.equations, **arguments)
            first.bias = 50 * mV / ms
            synapses = Synapses(first, second, "w : volt/second", on_pre="j_post += w")
            synapses.connect()
            synapses.w = 40960 * mV / ms
            spikes = SpikeMonitor(second)
            Network(first, second, synapses, spikes).run(10_000 * ms)
            return np.rint(np.array(spikes.t / (1000 * ms))).astype(int)

    exact = spikes_of()
    assert len(exact) >= 2
    np.testing.assert_array_equal(spikes_of(hardware="CPU", mode="preset"), exact)
