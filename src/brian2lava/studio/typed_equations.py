"""The form *Equations* of the page Target: from what was typed to a target, errors by field.

A form is what the page sends and the session keeps: ``equations``, ``threshold``, ``reset``,
``refractory``, ``method``, ``voltage``, ``input``, ``input_unit`` (texts), ``parameters`` (name ->
``value`` and ``unit``), ``initial`` (name -> text). Texts pass :mod:`brian2lava.fit.target.typed`
first, and then Brian2's own parser; nothing is looked up outside of the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.target import Target
from brian2lava.fit.target.brian2_code import check, runtime_device, same_dimensions
from brian2lava.fit.target.equations import NeuronEquations, Value
from brian2lava.fit.target.simulated import simulated
from brian2lava.fit.target.stimuli import Stimulus, from_dict
from brian2lava.fit.target.typed import (
    FUNCTIONS,
    MOST_NUMBER,
    MOST_PARAMETERS,
    MOST_TEXT,
    Line,
    did_you_mean,
    lines_of,
    most_terms,
    names_in,
    number_of,
    reset_names,
    unit_of,
)

#: Integrators that may be chosen; with the first one Brian2 chooses.
METHODS = ("", "exact", "exponential_euler", "euler", "rk2", "rk4")
#: Differential equations for which an exact solution is looked for: for two that hold each other,
#: with long coefficients, SymPy takes longer than anybody waits.
MOST_EXACT, MOST_EXACT_TEXT = 1, 60
#: Terms of an equation that is multiplied out, which some integrators do.
MOST_TERMS = 500
#: Steps that typed equations are simulated for.
MOST_STEPS = 1_000_000
_STIMULI = ("Noise", "Step", "Ramp")
_INPUTS = ("I", "I_ext", "Iext", "I_app", "Iapp", "I_in", "Iin", "I_stim", "I_inj", "stimulus")
_VOLTAGES = ("v", "V", "vm", "Vm", "V_m", "v_m", "u")
_TEXTS = (
    "equations", "threshold", "reset", "refractory", "method", "voltage", "input", "input_unit",
)  # fmt: skip
#: What a parameter's unit probably is, by how its name begins.
_UNITS = (
    ("tau", "ms"), ("t_", "ms"), ("tref", "ms"), ("g", "nS"), ("C", "pF"), ("E", "mV"),
    ("V", "mV"), ("v", "mV"), ("D", "mV"), ("I", "pA"), ("b", "pA"), ("R", "Mohm"),
)  # fmt: skip

#: What the form has before anything was typed.
EXAMPLE: Mapping[str, Any] = {
    "equations": "dv/dt = (gL*(EL - v) + I - w)/C : volt (unless refractory)\n"
    "dw/dt = -w/tauw : amp",
    "threshold": "v > VT", "reset": "v = EL\nw += b", "refractory": "2*ms",
    "method": "rk4",
    "voltage": "", "input": "", "input_unit": "amp", "initial": {"v": "EL"},
    "parameters": {
        "C": {"value": "200", "unit": "pF"}, "EL": {"value": "-70", "unit": "mV"},
        "VT": {"value": "-50", "unit": "mV"}, "b": {"value": "60", "unit": "pA"},
        "gL": {"value": "10", "unit": "nS"}, "tauw": {"value": "100", "unit": "ms"},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """A form that was looked through.

    Attributes
    ----------
    errors : dict of str to str
        By field; "value NAME" and "initial NAME" for rows of the tables.
    parameters : dict of str to str
        What the equations leave open -> the unit that it has or probably has.
    states : tuple of str
        Variables with differential equations.
    input, voltage : str
        As given, or guessed.
    neuron : NeuronEquations or None
        If there are no errors.
    """

    errors: Mapping[str, str]
    parameters: Mapping[str, str]
    states: tuple[str, ...]
    input: str = ""
    voltage: str = ""
    neuron: NeuronEquations | None = None


class _Errors(dict[str, str]):
    """The first error of each field."""

    def attempt(self, field: str, function: Any, *given: Any) -> Any:
        try:
            return function(*given)
        except FitError as wrong:
            self.setdefault(field, str(wrong).removeprefix("equations: "))
            return None


def form_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form, and nothing else.

    Raises
    ------
    FitError
        A field is no text, or there are too many rows.
    """
    form: dict[str, Any] = {name: given.get(name) or "" for name in _TEXTS}
    for name, text in form.items():
        if not isinstance(text, str):
            raise FitError(f"{name}: a text is needed.")
        if name in ("method", "voltage", "input", "input_unit") and len(text) > MOST_NUMBER:
            raise FitError(f"{name}: {len(text)} characters; {MOST_NUMBER} are the most.")
    for name in ("parameters", "initial"):
        rows = given.get(name) or {}
        if not isinstance(rows, Mapping) or len(rows) > MOST_PARAMETERS:
            raise FitError(f"{name}: a table with {MOST_PARAMETERS} rows at most is needed.")
        if any(len(row) > MOST_NUMBER or len(str(rows[row])) > 2 * MOST_TEXT for row in rows):
            raise FitError(f"{name}: a name or a value is too long.")
        form[name] = dict(rows)
    for name, row in form["parameters"].items():
        if not isinstance(row, Mapping):
            raise FitError(f"{name}: a value and a unit are needed.")
        form["parameters"][name] = {k: str(row.get(k) or "").strip() for k in ("value", "unit")}
    form["initial"] = {k: str(v).strip() for k, v in form["initial"].items() if str(v).strip()}
    return form


def read(form: Mapping[str, Any]) -> Read:
    """Look through a form."""
    errors = _Errors()
    lines = errors.attempt("equations", lines_of, form["equations"])
    if lines is None:
        return Read(errors, {}, ())
    states = tuple(line.name for line in lines if line.kind == "rate")
    initial = {name: text for name, text in form["initial"].items() if name in states}
    used = _used(errors, form, lines, initial)
    declared = {line.name: unit_of(line.unit).unit for line in lines if line.kind == "parameter"}
    known = {line.name for line in lines if line.kind != "parameter"}
    opened = (used | declared.keys()) - known
    stimulus = _input(errors, form["input"], opened)
    voltage = _voltage(errors, form["voltage"], lines)
    opened -= {stimulus}
    if len(opened) > MOST_PARAMETERS:
        errors["equations"] = f"{len(opened)} parameters; {MOST_PARAMETERS} are the most."
    units = {name: declared.get(name) or _probable(name) for name in sorted(opened, key=str.lower)}
    if "input" in errors:  # what it is comes first: it needs no value
        units = {name: unit for name, unit in units.items() if name not in _INPUTS}
    values = _values(errors, form["parameters"], units, declared, {*known, stimulus})
    input_unit = declared.get(stimulus) or errors.attempt("input_unit", _base, form["input_unit"])
    if form["method"] not in METHODS:
        errors["method"] = f"there is no integrator {form['method'][:40]!r}; choose one."
    if form["method"] in ("", "exact", "exponential_euler") and most_terms(lines) > MOST_TERMS:
        errors["method"] = (
            f"multiplied out, an equation has more than {MOST_TERMS} terms, and this integrator"
            " asks for that. Choose euler, rk2 or rk4."
        )
    rates = [line.expression for line in lines if line.expression]
    if form["method"] in ("", "exact") and (
        len(states) > MOST_EXACT or len(" ".join(rates)) > MOST_EXACT_TEXT or "**" in str(rates)
    ):
        errors["method"] = (
            "an exact solution is looked for where there is one differential equation, with"
            f" {MOST_EXACT_TEXT} characters and without powers: for more it can take hours, and"
            " Brian2 looks for one first. Choose exponential_euler, euler, rk2 or rk4."
        )
    found = Read(errors, units, states, stimulus, voltage)
    if errors:
        return found
    neuron = NeuronEquations(
        name="equations", equations="\n".join(line.text() for line in lines),
        threshold=form["threshold"].strip(), reset=_statements(form["reset"]), parameters=values,
        refractory=form["refractory"].strip(), initial=initial, input=stimulus,
        input_unit=input_unit, voltage=voltage, method=form["method"],
        source="the user's equations",
    )  # fmt: skip
    _ask_brian2(errors, neuron)
    return replace(found, neuron=None if errors else neuron)


def _used(errors: _Errors, form: Any, lines: tuple[Line, ...], initial: Any) -> set[str]:
    """Names in all texts."""
    used = {name for line in lines if line.expression
            for name in names_in(line.name, line.expression)}  # fmt: skip
    states = frozenset(line.name for line in lines if line.kind == "rate")
    if not form["threshold"].strip():
        errors["threshold"] = "a threshold is missing: what makes a spike, as v > -50*mV."
    else:
        used |= errors.attempt("threshold", names_in, "the threshold", form["threshold"]) or set()
    if form["reset"].strip():
        used |= errors.attempt("reset", reset_names, _statements(form["reset"]), states) or set()
    if form["refractory"].strip():
        used |= (
            errors.attempt("refractory", names_in, "the refractory period", form["refractory"])
            or set()
        )
    for name, text in initial.items():
        what = f"the first value of {name}"
        used |= errors.attempt(f"initial {name}", names_in, what, text) or set()
    return used


def _statements(text: str) -> str:
    """One statement a line, without comments."""
    rows = (row.split("#")[0].strip() for row in text.replace(";", "\n").split("\n"))
    return "\n".join(row for row in rows if row)


def _input(errors: _Errors, given: str, opened: Any) -> str:
    if given:
        if given not in opened:
            errors["input"] = (
                f"the equations leave no {given[:40]!r} open{did_you_mean(given, opened) or '.'}"
                " Write the name of the variable that the stimulus is."
            )
            return ""
        return given
    found = [name for name in _INPUTS if name in opened]
    if not found:
        errors["input"] = (
            "which variable is the stimulus? Write its name; the equations leave open:"
            f" {', '.join(sorted(opened)) or 'none'}."
        )
        return ""
    return found[0]


def _voltage(errors: _Errors, given: str, lines: tuple[Line, ...]) -> str:
    """The variable with a voltage; empty: none has."""
    volts = [x.name for x in lines if x.kind == "rate" and unit_of(x.unit).unit == "volt"]
    if given and given not in volts:
        errors["voltage"] = (
            f"{given[:40]!r} has no differential equation in volt{did_you_mean(given, volts)};"
            f" there are {', '.join(volts) or 'none: leave it empty, then spikes are compared'}."
        )
        return given
    named = [name for name in _VOLTAGES if name in volts]
    return given or (named or volts or [""])[0]


def _probable(name: str) -> str:
    return next((unit for start, unit in _UNITS if name.startswith(start)), "1")


def _values(
    errors: _Errors, rows: Any, units: Any, declared: Any, others: set[str]
) -> dict[str, Value]:
    """Numbers in SI base units."""
    found: dict[str, Value] = {}
    for name, unit in units.items():
        field = f"value {name}"
        row = rows.get(name) or {"value": "", "unit": unit}
        if not row["value"]:
            known = {*others, *FUNCTIONS, *(n for n, r in rows.items() if r["value"])} - {name, ""}
            hint = did_you_mean(name, known)
            errors[field] = f"{name!r} has no value; give one{hint or '.'}"
            continue
        number = errors.attempt(field, number_of, row["value"])
        scale = errors.attempt(field, unit_of, row["unit"] or unit)
        if number is None or scale is None:
            continue
        if name in declared and not _same(scale.unit, declared[name]):
            errors[field] = f"{name!r} is declared in {declared[name]}, and given in {row['unit']}."
        found[name] = Value(number * scale.number, scale.unit)
    return found


def _same(first: str, second: str) -> bool:
    with runtime_device():
        return same_dimensions(first, second)


def _base(text: str) -> str:
    unit = unit_of(text or "amp")
    if unit.number != 1:
        raise FitError(f"the stimulus is in base units; write {unit.unit} for {text}.")
    return unit.unit


def _ask_brian2(errors: _Errors, neuron: NeuronEquations) -> None:
    """What Brian2 says; where it refuses, piece by piece, to find the field."""
    if errors.attempt("whole", check, neuron) or "whole" not in errors:
        return
    said = errors.pop("whole")
    bare = replace(neuron, threshold="", reset="", refractory="", initial={})
    steps: list[tuple[str, dict[str, Any]]] = [
        ("equations", {}),
        ("threshold", {"threshold": neuron.threshold}),
        ("refractory", {"refractory": neuron.refractory}),
        ("reset", {"reset": neuron.reset}),
    ]
    so_far: dict[str, str] = {}
    for name, text in neuron.initial.items():
        so_far = {**so_far, name: text}
        steps.append((f"initial {name}", {"initial": so_far}))
    for field, change in steps:
        bare = replace(bare, **change)
        errors.attempt(field, check, bare)
        if errors:
            return
    errors["equations"] = said


def stimulus_of(given: Any) -> Stimulus:
    """A stimulus as the page sends it.

    Raises
    ------
    FitError
        Another kind than the page has, or values that are no numbers.
    """
    if not isinstance(given, Mapping) or given.get("kind") not in _STIMULI:
        raise FitError(f"the stimulus is one of {', '.join(_STIMULI)}.")
    values = {str(name): number_of(value) for name, value in given.items() if name != "kind"}
    if "seed" in values:
        values["seed"] = abs(int(values["seed"])) % (1 << 31)
    return from_dict({"kind": given["kind"], **values})


def target_of(origin: Mapping[str, Any]) -> Target:
    """The target of an origin with ``equations`` (a form), ``stimulus`` and ``dt``.

    Raises
    ------
    FitError
        A field is wrong; the message begins with its name. Or the integration explodes.
    """
    found = read(form_of(origin["equations"]))
    if found.neuron is None:
        field, said = next(iter(found.errors.items()))
        raise FitError(f"{field}: {said}")
    stimulus, dt = stimulus_of(origin.get("stimulus")), number_of(origin.get("dt"))
    if not 1e-6 <= dt <= 1e-2:
        raise FitError(f"a time step of {dt * 1e3:g} ms; 0.001 to 10 ms are possible.")
    if stimulus.duration / dt > MOST_STEPS:
        raise FitError(
            f"{stimulus.duration:g} s in steps of {dt * 1e3:g} ms are"
            f" {stimulus.duration / dt:.3g} steps; {MOST_STEPS} are the most. Choose a shorter"
            " stimulus or a longer time step."
        )
    return simulated(found.neuron, stimulus, dt, name="equations")


def code_lines(origin: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Imports and the arguments of ``equations_target``."""
    form = form_of(origin["equations"])
    found = read(form)
    values, names = [], set()
    for name in found.parameters:
        row = form["parameters"][name]
        unit = row["unit"] or found.parameters[name]
        number = repr(number_of(row["value"]))
        used = [n for n in unit.replace("*", " ").replace("/", " ").split() if n[0].isalpha()]
        names |= set(used)
        values.append(f"{name!r}: {number} * {unit}" if used else f"{name!r}: {number}")
    kind, given = type(stimulus_of(origin["stimulus"])).__name__, dict(origin["stimulus"])
    given.pop("kind")
    arguments = [
        f"equations={form['equations']!r}", f"threshold={form['threshold']!r}",
        f"reset={_statements(form['reset'])!r}",
        f"stimulus={kind}({', '.join(f'{k}={v!r}' for k, v in given.items())})",
        f"namespace={{{', '.join(values)}}}",
    ]  # fmt: skip
    if form["refractory"]:
        arguments.append(f"refractory={form['refractory']!r}")
    initial = {k: v for k, v in form["initial"].items() if k in found.states}
    arguments += [f"initial={initial!r}"] if initial else []
    arguments += [f"input={found.input!r}"]
    if found.neuron is not None:
        arguments.append(f"input_unit={found.neuron.input_unit!r}")
    arguments += [f"voltage={found.voltage!r}", f"method={form['method']!r}",
                  f"dt={number_of(origin['dt'])!r}"]  # fmt: skip
    lines = [f"from brian2 import {', '.join(sorted(names))}"] if names else []
    return [
        *lines,
        "from brian2lava.fit.target import equations_target",
        f"from brian2lava.fit.target.stimuli import {kind}",
        "",
    ], arguments
