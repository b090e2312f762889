"""Equations typed on the page: what becomes of them, and what is refused in which field."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest

from brian2lava.fit.session import Session
from brian2lava.fit.target.typed import UNITS, unit_of
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
from brian2lava.studio.typed_equations import EXAMPLE, METHODS, form_of, read
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target

NOISE = {"kind": "Noise", "mean": 4e-10, "sigma": 2e-10, "tau": 0.01, "duration": 1.0, "seed": 1}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    session = Session(path=tmp_path / "session.b2l")
    return Desk(Workbench(known_target(), "LIF", KNOWN, session=session))


def ask(desk: Desk, op: str, **given: Any) -> dict[str, Any]:
    return unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))[0]


def form(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy({**EXAMPLE, **changes})


def errors(**changes: Any) -> dict[str, str]:
    return dict(read(form_of(form(**changes))).errors)


def use(desk: Desk, stimulus: Any = NOISE, dt: float = 2e-4, **changes: Any) -> dict[str, Any]:
    return ask(desk, "from_equations", form=form(**changes), stimulus=stimulus, dt=dt)


def test_every_unit_is_brian2s() -> None:
    for name, (factor, base) in UNITS.items():
        unit = getattr(brian2, name)
        assert float(unit) == pytest.approx(factor)
        assert unit.dim is getattr(brian2, base).dim
    found = unit_of("uF/cm**2")
    assert found.number == pytest.approx(1e-2)
    assert found.unit == "farad*metre**-2"


def test_the_example_is_whole_and_names_are_guessed() -> None:
    found = read(form_of(EXAMPLE))
    assert not found.errors
    assert (found.input, found.voltage, found.states) == ("I", "v", ("v", "w"))
    assert list(found.parameters) == ["b", "C", "EL", "gL", "tauw", "VT"]
    assert found.neuron is not None
    assert found.neuron.parameters["C"].number == pytest.approx(200e-12)


def test_equations_become_the_target_and_python_makes_the_same(desk: Desk) -> None:
    answer = use(desk)
    assert "error" not in answer
    target = desk.bench.setup.target
    assert target.sweeps[0].spikes[0].size > 5
    code = ask(desk, "code", page="target")["code"]
    made: dict[str, Any] = {}
    exec(code, made)  # what the page shows; the texts in it are literals
    again = made["target"]
    assert np.array_equal(again.sweeps[0].spikes[0], target.sweeps[0].spikes[0])
    assert np.array_equal(again.sweeps[0].voltage, target.sweeps[0].voltage)
    assert again.held_out[0] == pytest.approx(target.held_out[0], abs=1e-6)


def test_tune_shows_rates_and_answers_of_equations(desk: Desk) -> None:
    use(desk)
    _, arrays = unpack(desk.respond(pack({"id": 1, "op": "fi", "given": {}})))
    assert arrays["target"][-1] > arrays["target"][0] == 0
    _, arrays = unpack(desk.respond(pack({"id": 1, "op": "response", "given": {"kind": "step"}})))
    assert arrays["target_spikes"].size
    assert "lines" in ask(desk, "phase", current=1e-10)


def test_the_session_keeps_the_form(desk: Desk) -> None:
    use(desk, refractory="3*ms")
    ask(desk, "undo")
    assert not ask(desk, "equations")["typed"]
    ask(desk, "redo")
    desk.save()
    again = open_desk(session=desk.session)
    answer = ask(again, "equations")
    assert answer["typed"]
    assert answer["form"]["refractory"] == "3*ms"
    assert answer["stimulus"]["kind"] == "Noise"
    assert again.bench.setup.target.sweeps[0].spikes[0].size


WITHOUT_C = {k: v for k, v in EXAMPLE["parameters"].items() if k != "C"}


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"threshold": ""}, "threshold", "a threshold is missing"),
        ({"threshold": "v > "}, "threshold", "can't be read"),
        ({"threshold": "v > gL"}, "threshold", "different units"),
        ({"equations": ""}, "equations", "no differential equation"),
        ({"equations": "dv/dt = (EL-v)/tauw"}, "equations", "ends with a colon and its unit"),
        ({"equations": "dv/dt = (EL-v)/tauw\ndw/dt = I/C : volt"}, "equations", "has no unit"),
        ({"equations": "dv/dt = (EL-v)/gL + I/C : volt", "reset": ""}, "equations", "unit"),
        ({"equations": "dv/dt = (EL-v)/tauw + I/C : mV", "reset": ""}, "equations", "Use 'volt'"),
        ({"equations": "dv/dt = exq(v)/tauw + I/C : volt"}, "equations", "did you mean 'exp'"),
        ({"equations": "dv/dt = rand()*v/tauw + I/C : volt"}, "equations", "it has a seed"),
        ({"reset": "v = gL"}, "reset", "expected unit"),
        ({"reset": "x = EL"}, "reset", "no differential equation"),
        ({"refractory": "gL"}, "refractory", "timespan"),
        ({"initial": {"v": "gL"}}, "initial v", "expected unit"),
        ({"input": "Ix"}, "input", "leave no 'Ix' open"),
        ({"input_unit": "nA"}, "input_unit", "write amp for nA"),
        ({"voltage": "w"}, "voltage", "no differential equation in volt"),
        ({"method": "gsl_rk4"}, "method", "no integrator"),
        ({"threshold": "v > VTT"}, "value VTT", "did you mean 'VT'"),
        ({"parameters": WITHOUT_C}, "value C", "no value"),
        ({"parameters": {**WITHOUT_C, "C": {"value": "x", "unit": "pF"}}}, "value C", "no number"),
        ({"parameters": {**WITHOUT_C, "C": {"value": "2", "unit": "pf"}}}, "value C", "'pF'"),
        ({"parameters": {**WITHOUT_C, "C": {"value": "2", "unit": "mV"}}}, "equations", "unit"),
    ],
)
def test_an_error_is_in_its_field(changes: Any, field: str, said: str) -> None:
    found = errors(**changes)
    assert list(found) == [field], found
    assert said in found[field], found


HOSTILE = [
    "__import__('os').system('true')", "v.__class__.__mro__", "(lambda: v)()", "[v][0]", "v[0]",
    "open('/etc/passwd')", "exec('v')", "getattr(v, 'dim')", "v if v else v", "(x := v)", "f'{v}'",
    "9**9**9**9", "((9**9)**9)**9", "9**(9**9)", "1e999*v", "9" * 400, "v % 0", "v // 0", "'a' * 9",
    "(" * 300 + "v" + ")" * 300, "-" * 3000 + "v", "not " * 900 + "v", "v+(" * 26 + "v" + ")" * 26,
    "ν*2", "v\x00", "__v", "{v: 1}", "v; import os", "exit()", "rand()*v", "v @ v", "1j*v", "...",
    "v | v", "await v", "exp(*v)", "exp(x=v)", "exp(v, v)", "b" * 200, "*v", "v," * 99, "\u202ev",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_refused_in_every_field(desk: Desk, text: str) -> None:
    put: dict[str, Any] = {
        "equations": f"dv/dt = ({text})/tauw + I/C : volt", "threshold": text,
        "reset": f"v = {text}", "refractory": text, "initial": {"v": text},
    }  # fmt: skip
    for field, given in put.items():
        answer = ask(desk, "check_equations", form=form(**{field: given}))
        assert answer.get("error") or answer["errors"], field
        assert "in brian2lava itself" not in str(answer)


@pytest.mark.parametrize("unit", ["9**9**9", "volt**99", "volt.dim", "exit()", "__import__('os')",
                                  "volt*", "boolean", "v" * 99, "1-1", "volt volt"])  # fmt: skip
def test_units_are_looked_up_and_never_evaluated(unit: str) -> None:
    assert "equations" in errors(equations=f"dv/dt = (EL-v)/tauw + I/C : {unit}")
    assert "value C" in errors(parameters={**WITHOUT_C, "C": {"value": "1", "unit": unit}})


def test_an_exact_solution_of_many_equations_is_not_looked_for() -> None:
    names = ["v", "x", "y"]
    many = "\n".join(f"d{a}/dt = (v + 2*x + 3*y + I)/tauw : 1" for a in names)
    given = {"equations": many, "threshold": "v > 1", "reset": "v = 0", "refractory": "",
             "initial": {}, "input_unit": "1"}  # fmt: skip
    for method in ("", "exact"):
        assert "can take hours" in errors(**given, method=method)["method"]
    assert not errors(**given, method="rk4")


def test_what_would_be_multiplied_out_for_ever_is_refused() -> None:
    total = "+".join(f"p{k}" for k in range(8))
    given = {"threshold": "v > 1", "reset": "v = 0", "refractory": "", "initial": {},
             "input_unit": "1"}  # fmt: skip
    rows = {f"p{k}": {"value": "1", "unit": "1"} for k in range(8)}
    rows["tauw"] = {"value": "1", "unit": "ms"}
    for text in (f"v*({total})**32", "v*" + "*".join(["(p0+p1*v)"] * 12), "s*s*s*s"):
        sub = f"s = ({total})*({total})*v : 1\ndv/dt = ({text} + I)/tauw : 1"
        found = errors(**given, equations=sub, parameters=rows, method="exponential_euler")
        assert "more than 500 terms" in found["method"]
        assert not errors(**given, equations=sub, parameters=rows, method="rk4")


def test_large_text_is_refused(desk: Desk) -> None:
    for field in ("equations", "threshold", "reset", "refractory", "input", "voltage", "method"):
        answer = ask(desk, "check_equations", form=form(**{field: "v+" * 500_000}))
        assert len(str(answer)) < 4000
        assert "are the most" in (answer.get("error") or answer["errors"][field])
    many = {f"p{k}": {"value": "1", "unit": "1"} for k in range(5000)}
    assert "rows" in ask(desk, "check_equations", form=form(parameters=many))["error"]
    anything: tuple[Any, ...] = (3, [], {"a": 1}, "x", None)
    for wrong in anything:
        given = ask(desk, "check_equations", form={"equations": wrong, "parameters": wrong})
        assert given.get("error") or given["errors"]
        assert "in brian2lava itself" not in str(given)


def test_names_come_from_the_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = importlib.import_module("brian2lava.studio.typed_equations")
    monkeypatch.setattr(typed, "secret", 3.0, raising=False)
    secret = 4.0
    text = "dv/dt = (EL-v)*secret/tauw + exit*I/C : volt"
    assert secret
    assert set(errors(equations=text, reset="v = EL")) == {"value secret", "value exit"}


def test_what_explodes_or_takes_too_long_says_so(desk: Desk) -> None:
    wild = use(desk, equations="dv/dt = v*v*v/(tauw*VT*EL) + I/C : volt", method="euler", dt=1e-2,
               threshold="v > 1e300*volt", reset="", refractory="")  # fmt: skip
    assert "smaller time step" in wild["error"]
    assert "1000000 are the most" in use(desk, stimulus={**NOISE, "duration": 900})["error"]
    assert "no number" in use(desk, stimulus={**NOISE, "mean": "nan"})["error"]
    assert "one of" in use(desk, stimulus={"kind": "Pulses"})["error"]
    assert "time step" in use(desk, dt=0.0)["error"]
    assert desk.bench.setup.target.name == "known LIF"


@pytest.mark.parametrize("method", METHODS)
def test_every_integrator_runs_or_says_why(method: str) -> None:
    found = errors(method=method)
    assert not found or method in ("", "exact")
