"""What the names in a group's code mean, as polynomials in its states."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.functions import Function
from brian2.core.variables import AuxiliaryVariable, Constant, Subexpression
from brian2.input.timedarray import TimedArray

from brian2lava.chip.recognise.expression import evaluate
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.step_map import Array, Monomial, TimedInput, read_only

#: Names whose values go on by themselves: they stay variables of the polynomial.
TIMES = ("t", "t_in_timesteps", "lastspike", "lastupdate")


@dataclass(frozen=True)
class _Call:
    """A TimedArray at a time: the array, its column for each neuron, steps ahead of ``t``."""

    name: str
    function: Any
    columns: Array
    ahead: int


class GroupScope:
    """Names in the code of a group whose step is ``dt`` seconds.

    ``bound`` maps names to polynomials and is written by statements; a state that is bound to
    itself is a variable of the polynomials. Everything else is looked up as Brian2 does.
    """

    def __init__(self, group: Any, namespace: Mapping[str, Any], states: Iterable[str]) -> None:
        self.group = group
        self.namespace = namespace
        self.states = tuple(states)
        self.bound: dict[str, Expansion] = {name: Expansion.variable(name) for name in self.states}
        self.calls: dict[str, _Call] = {}

    # ------------------------------------------------------------ names
    def resolve(self, identifier: str) -> Any:
        """Brian2's Variable or Function of a name."""
        return self.group._resolve(identifier, self.namespace, user_identifier=False)

    def name(self, identifier: str) -> Expansion:
        """The value of a name.

        Raises
        ------
        NotPolynomial
            A random number or a function's name.
        """
        if identifier in self.bound:
            return self.bound[identifier]
        if identifier in TIMES:
            return Expansion.variable(identifier)
        return self.value_of(identifier, self.resolve(identifier))

    def value_of(self, identifier: str, variable: Any) -> Expansion:
        """The value of a resolved variable."""
        if isinstance(variable, Subexpression):
            return evaluate(variable.expr, self)
        if isinstance(variable, (AuxiliaryVariable, Function)):
            raise NotPolynomial
        if not isinstance(variable, Constant):
            self.refuse_linked(identifier, variable)
        return Expansion.constant(np.array(variable.get_value()))

    def refuse_linked(self, identifier: str, variable: Any) -> None:
        """A variable that belongs to another group changes with that group."""
        owner = variable.owner
        if owner is not None and owner.name not in (self.group.name, self.group.clock.name):
            refuse(
                self.group,
                f"'{identifier}' is linked to '{variable.name}' of '{owner.name}'",
                "A chip neuron reads its own registers only",
                "make it a parameter of the group, with a value of its own",
            )

    # ------------------------------------------------------------ functions
    def call(self, node: ast.Call, arguments: list[Expansion]) -> Expansion:
        """The value of a function of constants, or a TimedArray as a variable.

        Raises
        ------
        NotPolynomial
            A function of a state, or one that gives another value each time (``rand()``).
        """
        assert isinstance(node.func, ast.Name)
        function = self.resolve(node.func.id)
        if isinstance(function, TimedArray):
            return self._timed(node, function, arguments)
        if not isinstance(function, Function) or not function.stateless:
            raise NotPolynomial
        if not all(argument.is_constant for argument in arguments):
            raise NotPolynomial
        native = function.implementations[NumpyCodeObject].get_code(self.group)
        with np.errstate(all="ignore"):
            return Expansion.constant(native(*(argument.value for argument in arguments)))

    def _timed(self, node: ast.Call, function: Any, arguments: list[Expansion]) -> Expansion:
        time, *column = arguments
        ahead = self._steps_ahead(time, function)
        if ahead is None or not all(part.is_constant for part in column):
            raise NotPolynomial
        columns = column[0].value if column else np.zeros(1)
        call = _Call(ast.unparse(node.func), function, read_only(columns, np.int64), ahead)
        for symbol, known in self.calls.items():
            same = known.function is function and known.ahead == ahead
            if same and np.array_equal(known.columns, call.columns):
                return Expansion.variable(symbol)
        symbol = f"{ast.unparse(node)}#{len(self.calls)}"
        self.calls[symbol] = call
        return Expansion.variable(symbol)

    def _steps_ahead(self, time: Expansion, function: Any) -> int | None:
        """Whole steps between ``t`` and the time that an input is taken at."""
        if time.variables() != {"t"} or not np.all(time.coefficient((("t", 1),)) == 1):
            return None
        if len(time.terms) > 2 or (len(time.terms) == 2 and () not in time.terms):
            return None
        dt = self.group.clock.dt_
        steps = float(np.ravel(time.value)[0]) / dt
        whole = int(np.floor(steps + 1e-9))
        if whole not in (0, 1) or np.size(time.value) != 1:
            return None
        inside_a_step = abs(steps - whole) > 1e-9
        return None if inside_a_step and not _steady(float(function.dt) / dt) else whole

    # ------------------------------------------------------------ inputs
    def input_symbols(self) -> set[str]:
        """The variables of polynomials that stand for TimedArrays."""
        return set(self.calls)

    def inputs(self, rows: list[Expansion]) -> tuple[TimedInput, ...]:
        """The TimedArrays in ``rows``, with their coefficients as gains."""
        found = []
        for symbol, call in self.calls.items():
            monomial: Monomial = ((symbol, 1),)
            gain = stacked([row.coefficient(monomial) for row in rows])
            if not np.any(gain):
                continue
            values = np.asarray(call.function.values, dtype=float)
            values = values[:, None] if values.ndim == 1 else values
            if call.columns.min() < 0 or call.columns.max() >= values.shape[1]:
                raise IndexError(
                    f"'{self.group.name}': TimedArray '{call.name}' has {values.shape[1]} columns,"
                    f" and column {call.columns.max()} is asked for."
                )
            found.append(
                TimedInput(
                    call.name,
                    read_only(values),
                    float(call.function.dt),
                    call.columns,
                    call.ahead,
                    gain,
                    float(self.group.clock.dt_),
                )
            )
        return tuple(found)


def _steady(ratio: float) -> bool:
    """Whether a row, which lasts ``ratio`` steps, never changes in the middle of one."""
    return ratio > 1 - 1e-9 and abs(ratio - round(ratio)) < 1e-9 * ratio


def stacked(rows: list[Array]) -> Array:
    """Arrays of shape (1 | N,) as one of shape (n, 1 | N), with length 1 where all are alike."""
    width = max((row.size for row in rows), default=1)
    return alike(np.array([np.broadcast_to(row, (width,)) for row in rows]).reshape(-1, width))


def alike(array: Array) -> Array:
    """Read-only, with a last axis of length 1 where all its values are equal."""
    array = np.asarray(array, dtype=float)
    if array.shape[-1] > 1 and np.array_equal(array, np.broadcast_to(array[..., :1], array.shape)):
        array = array[..., :1]
    return read_only(array)
