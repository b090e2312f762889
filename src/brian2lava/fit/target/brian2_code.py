"""Equations -> the C++ of a neuron's step, through Brian2's parser, checks and integrators.

A ``NeuronGroup`` is made on Brian2's runtime device with an explicit clock and namespace, asked for
its code, and dropped. The active device is put back; no network ever sees the group.
"""

from __future__ import annotations

import ast
import functools
import importlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator
from brian2.codegen.translation import make_statements
from brian2.core.functions import Function
from brian2.core.variables import ArrayVariable, Constant
from brian2.equations.equations import Equations
from brian2.equations.unitcheck import check_units_statements
from brian2.groups.neurongroup import NeuronGroup
from brian2.parsing.rendering import CPPNodeRenderer
from brian2.stateupdaters.base import StateUpdateMethod
from brian2.units import amp, farad, hertz, ohm, second, siemens, volt
from brian2.units.fundamentalunits import get_dimensions
from brian2.utils.stringtools import get_identifiers, word_substitute

from brian2lava.errors import FitError
from brian2lava.fit.target.equations import NeuronEquations, Value
from brian2lava.fit.target.neuron_kernel import NeuronCode, NeuronKernel

#: The module; ``brian2.devices.device`` as an attribute is a stand-in for the active device.
devices: Any = importlib.import_module("brian2.devices.device")
#: One after the other: the active device is a global of Brian2.
_LOCK = threading.RLock()
_RANDOM = {"rand", "randn", "poisson", "binomial"}
_OF_THE_CLOCK = {"t", "dt", "t_in_timesteps", "i", "N"}
#: Powers that are written as products.
_PRODUCTS = frozenset(range(2, 9))
_NAMED = (volt, amp, siemens, ohm, farad, second, hertz)
_BASE = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candle")


@contextmanager
def runtime_device() -> Iterator[None]:
    """Inside, Brian2 objects are made on its runtime device, whatever the script has chosen."""
    with _LOCK:
        before = devices.active_device
        devices.active_device = devices.runtime_device
        try:
            yield
        finally:
            devices.active_device = before


def kernel_of(neuron: NeuronEquations) -> NeuronKernel:
    """The compiled neuron; values of parameters do not matter.

    Raises
    ------
    FitError
        Brian2 refuses the equations, or they draw random numbers.
    """
    return _kernel(*_parts(neuron))


def check(neuron: NeuronEquations) -> None:
    """What :func:`kernel_of` refuses, without compiling anything."""
    _generated(*_parts(neuron))


def _parts(neuron: NeuronEquations) -> tuple[Any, ...]:
    return (
        neuron.name, neuron.equations, neuron.threshold, neuron.reset, neuron.refractory,
        tuple((name, value.unit) for name, value in neuron.parameters.items()),
        tuple(neuron.initial.items()), neuron.input, neuron.input_unit, neuron.voltage,
        neuron.method,
    )  # fmt: skip


def value_of(given: Any) -> Value:
    """A number or a Brian2 quantity as a :class:`Value`."""
    try:
        array = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        array = None
    if array is None or array.ndim:
        raise FitError(
            f"{given!r} is no number with a unit; functions and arrays have no place in the"
            " equations of a fit. Give a stimulus for what changes in time."
        )
    return Value(float(array), unit_text(get_dimensions(given)))


def unit_text(dimensions: Any) -> str:
    """Dimensions as equations write them: "siemens", or "metre**-2*amp" where none has a name."""
    for unit in _NAMED:
        if unit.dim is dimensions:
            return str(unit.name)
    powers = [(name, dimensions._dims[k]) for k, name in enumerate(_BASE)]
    words = [name if power == 1 else f"{name}**{power:g}" for name, power in powers if power]
    return "*".join(words) or "1"


def parameters_in(text: str) -> Mapping[str, str]:
    """Parameters that equations declare by a line, with their units as text."""
    try:
        equations = Equations(text)
    except Exception as problem:
        raise FitError(f"Brian2 can't read the equations: {_short(problem)}") from None
    return {name: unit_text(equations[name].dim) for name in equations.parameter_names}


def same_dimensions(first: str, second_: str) -> bool:
    """Whether two texts are units of the same dimensions."""
    made = Equations(f"a : {first}\nb : {second_}")
    return bool(made["a"].dim is made["b"].dim)


def identifiers_in(*texts: str) -> frozenset[str]:
    """All names that stand in texts."""
    return frozenset().union(*map(get_identifiers, filter(None, texts)))


@functools.lru_cache(maxsize=64)
def _kernel(*parts: Any) -> NeuronKernel:
    return NeuronKernel(_generated(*parts))


@functools.lru_cache(maxsize=64)
def _generated(name: str, *parts: Any) -> NeuronCode:
    with runtime_device():
        try:
            return _code(*parts)
        except FitError:
            raise
        except Exception as problem:
            # Brian2 has no exception of its own for what it refuses
            raise FitError(f"{name}: Brian2 refuses the equations: {_short(problem)}") from problem


def _code(
    equations: str,
    threshold: str,
    reset: str,
    refractory: str,
    parameters: tuple[tuple[str, str], ...],
    initial: tuple[tuple[str, str], ...],
    stimulus: str,
    stimulus_unit: str,
    voltage: str,
    method: str,
) -> NeuronCode:
    _check_method(method)
    declared = set(parameters_in(equations))
    lines = [equations]
    lines += [f"{n} : {unit} (constant)" for n, unit in parameters if n not in declared]
    if stimulus not in declared:
        lines.append(f"{stimulus} : {stimulus_unit}")
    model = Equations("\n".join(lines))
    if model.is_stochastic:
        raise FitError(
            "the equations have noise (xi); a target has to give the same spikes for the same"
            " parameters. Put the noise into the stimulus: it has a seed."
        )
    group = NeuronGroup(
        1, model, threshold=threshold or None, reset=reset or None,
        refractory=refractory or False, namespace={}, dt=1e-4 * second,
        name="brian2lava_fit_neuron*", **({"method": method} if method else {}),
    )  # fmt: skip
    # never part of a network, on purpose: otherwise Brian2 says so when the group goes away
    group._network = group.name
    writer = _Writer(group)
    group.equations.check_units(group, run_namespace={})
    known = {n for n, _ in parameters}
    constants = [n for n in model.parameter_names if n not in (stimulus, *known)]
    if constants:
        raise FitError(f"parameter {constants[0]!r} of the equations has no value; give one.")
    states = tuple(
        (n, _c_type(v.dtype), "-1e4" if n == "lastspike" else "true" if n == "not_refractory"
         else "0")
        for n, v in group.variables.items()
        if isinstance(v, ArrayVariable) and n not in known | _OF_THE_CLOCK
        and n not in (stimulus, "_spikespace") and not n.startswith("_")
    )  # fmt: skip
    if voltage and voltage not in [n for n, _, _ in states]:
        raise FitError(
            f"{voltage!r} is to be compared with a voltage, but is no variable with a differential"
            f" equation; there are {', '.join(n for n, _, _ in states)}."
        )
    for n, _ in initial:
        if n not in [state for state, _, _ in states]:
            raise FitError(f"a first value for {n!r}, which is no state of the equations.")
    updater = group.state_updater
    updater.update_abstract_code({})
    before = ""
    if group.subexpression_updater is not None:
        before = group.subexpression_updater.abstract_code
    fired = "b2l_fired = false;"
    if threshold:
        thresholder = group.thresholder["spike"]
        thresholder.update_abstract_code({})
        fired = writer.block(thresholder.abstract_code) + " b2l_fired = v__cond;"
    margin = _margin(threshold)
    after = writer.block(reset) if threshold and reset else ""
    if refractory and threshold:
        after = f"v_lastspike = v_t; v_not_refractory = false;\n{after}"
    return NeuronCode(
        parameters=tuple(n for n, _ in parameters),
        states=states,
        input=stimulus,
        initial=writer.block("\n".join(f"{n} = {expression}" for n, expression in initial)),
        before=writer.block(before),
        update=writer.block(updater.abstract_code),
        threshold=fired,
        margin=writer.block(f"_margin = {margin}") + " b2l_margin = v__margin;" if margin else "",
        reset=after,
        observed=voltage,
        support=writer.support(),
    )


def _margin(threshold: str) -> str:
    """By how much a threshold is passed, as an expression; empty if it is no lone comparison."""
    if not threshold:
        return ""
    node = ast.parse(threshold.strip(), mode="eval").body
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        return ""
    left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
    if isinstance(node.ops[0], (ast.Gt, ast.GtE)):
        return f"({left}) - ({right})"
    return f"({right}) - ({left})" if isinstance(node.ops[0], (ast.Lt, ast.LtE)) else ""


def _check_method(name: str) -> None:
    # those of the GSL bring C code of their own
    known = sorted(n for n in StateUpdateMethod.stateupdaters if not n.startswith("gsl"))
    if name and name not in known:
        raise FitError(f"there is no integrator {name!r}; there are {', '.join(known)}.")


class _Renderer(CPPNodeRenderer):
    """Brian2's, but quotients of integers are doubles, as NumPy has them, and small powers
    products: ``pow`` is a call that the compiler keeps, and a costly one.
    """

    def render_BinOp(self, node: ast.BinOp) -> str:
        """As Brian2's."""
        power: Any = node.right.value if isinstance(node.right, ast.Constant) else None
        if isinstance(node.op, ast.Pow) and power in _PRODUCTS:
            return f"b2l_power<{int(power)}>({self.render_node(node.left)})"
        if not isinstance(node.op, ast.Div):
            return str(super().render_BinOp(node))
        left, right = (self.render_element_parentheses(part) for part in (node.left, node.right))
        return f"1.0*{left}/{right}"


class _Writer:
    """Writes blocks of Brian2's abstract code as C++."""

    def __init__(self, group: NeuronGroup) -> None:
        self.group = group
        self._functions: dict[str, Function] = {}

    def block(self, code: str) -> str:
        """Statements, checked for units."""
        if not code.strip():
            return ""
        group = self.group
        names = set(get_identifiers(code))
        while True:
            # subexpressions bring names of their own
            variables = group.resolve_all(
                names & _resolvable(group, names, code), {}, user_identifiers=set()
            )
            more = {n for v in variables.values() for n in getattr(v, "identifiers", ())} - names
            if not more:
                break
            names |= more
        variables = {**group.variables, **variables}
        check_units_statements(code, variables)
        scalar, vector = make_statements(code, variables, np.float64, optimise=False)
        return "\n".join(self._line(s, variables) for s in (*scalar, *vector))

    def _line(self, statement: Any, variables: Mapping[str, Any]) -> str:
        expression = self._expression(statement.expr, variables)
        if statement.op == ":=":
            return f"{_c_type(statement.dtype)} v_{statement.var} = {expression};"
        return f"v_{statement.var} {statement.op} {expression};"

    def _expression(self, text: str, variables: Mapping[str, Any]) -> str:
        names = {}
        for name in get_identifiers(text):
            variable = variables.get(name)
            if name in ("True", "False", "and", "or", "not"):
                continue
            if isinstance(variable, Function):
                names[name] = self._function(name, variable)
            elif isinstance(variable, Constant):
                names[name] = f"({float(variable.get_value())!r})"
            else:
                names[name] = f"v_{name}"
        for name, constant in list(names.items()):
            if "inf" in constant and constant.startswith("("):
                names[name] = f"({constant[1:-1].replace('inf', 'INFINITY')})"
        return str(_Renderer().render_expr(word_substitute(text, names))).strip()

    def _function(self, name: str, function: Function) -> str:
        if name in _RANDOM or not function.stateless:
            raise FitError(
                f"the equations call {name}(); a target has to give the same spikes for the same"
                " parameters. Put the noise into the stimulus: it has a seed."
            )
        self._functions[name] = function
        try:
            return str(function.implementations[CPPCodeGenerator].name or name)
        except KeyError:
            raise FitError(f"the function {name}() can't be compiled; write it out.") from None

    def support(self) -> str:
        """Code of the functions that were called."""
        parts = []
        for function in self._functions.values():
            code = function.implementations[CPPCodeGenerator].get_code(self.group)
            if isinstance(code, dict):
                parts += [str(code.get(k, "")) for k in ("hashdefine_code", "support_code")]
            elif code:
                parts.append(str(code))
        return "\n".join(dict.fromkeys(parts))


def _resolvable(group: NeuronGroup, names: set[str], code: str) -> set[str]:
    """Names that are not made by the code itself."""
    made = {line.split("=")[0].strip() for line in code.splitlines() if "=" in line}
    return {n for n in names if n in group.variables or n not in made and not n.startswith("_")}


def _c_type(dtype: Any) -> str:
    kind = np.dtype(dtype).kind
    return {"b": "bool", "i": "int64_t", "u": "int64_t"}.get(kind, "double")


def _short(problem: BaseException) -> str:
    """The innermost message, which names the cause, on one line."""
    while problem.__cause__ is not None:
        problem = problem.__cause__
    text = " ".join(str(problem).split())
    return text if len(text) <= 400 else text[:397] + "..."
