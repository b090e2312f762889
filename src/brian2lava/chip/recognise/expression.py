"""Expressions and statements, as Brian2 writes them -> polynomials in the variables."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial


class Scope(Protocol):
    """What names mean."""

    def name(self, identifier: str) -> Expansion:
        """The value of a variable or constant."""

    def call(self, node: ast.Call, arguments: list[Expansion]) -> Expansion:
        """The value of a function; raises NotPolynomial where it is none."""


def evaluate(code: str, scope: Scope) -> Expansion:
    """The value of an expression.

    Raises
    ------
    NotPolynomial
        Its message is the text of the smallest term that is no polynomial.
    """
    return evaluate_node(ast.parse(code.strip(), mode="eval").body, scope)


def evaluate_node(node: ast.expr, scope: Scope) -> Expansion:
    """As :func:`evaluate`, of a parsed expression."""
    rule = _RULES.get(type(node))
    try:
        if rule is None:
            raise NotPolynomial
        return rule(node, scope)
    except NotPolynomial as problem:
        if str(problem):
            raise
        raise NotPolynomial(ast.unparse(node)) from None


def assignments(code: str) -> list[tuple[str, ast.expr, str]]:
    """(variable, new value, text) of each statement; ``x += e`` has the new value ``x + e``.

    Raises
    ------
    NotPolynomial
        A statement that is no assignment to a name.
    """
    found = []
    for statement in ast.parse(_unindented(code)).body:
        text = ast.unparse(statement)
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AugAssign):
            target = statement.target
            value = ast.BinOp(ast.Name(_identifier(target)), statement.op, statement.value)
        else:
            raise NotPolynomial(text)
        found.append((_identifier(target), value, text))
    return found


def _unindented(code: str) -> str:
    return "\n".join(line.strip() for line in code.splitlines())


def _identifier(target: ast.expr) -> str:
    if not isinstance(target, ast.Name):
        raise NotPolynomial(ast.unparse(target))
    return target.id


# ---------------------------------------------------------------- rules by type of node
def _constant(node: Any, scope: Scope) -> Expansion:
    return Expansion.constant(node.value)


def _name(node: Any, scope: Scope) -> Expansion:
    return scope.name(node.id)


def _call(node: Any, scope: Scope) -> Expansion:
    return scope.call(node, [evaluate_node(argument, scope) for argument in node.args])


def _binary(node: Any, scope: Scope) -> Expansion:
    left, right = evaluate_node(node.left, scope), evaluate_node(node.right, scope)
    if type(node.op) in _POLYNOMIAL:
        return _POLYNOMIAL[type(node.op)](left, right)
    return _of_constants(_CONSTANT[type(node.op)], left, right)


def _unary(node: Any, scope: Scope) -> Expansion:
    operand = evaluate_node(node.operand, scope)
    if isinstance(node.op, ast.USub):
        return -operand
    if isinstance(node.op, ast.UAdd):
        return operand
    return _of_constants(np.logical_not, operand)


def _compare(node: Any, scope: Scope) -> Expansion:
    if len(node.ops) != 1:
        raise NotPolynomial
    sides = [evaluate_node(side, scope) for side in (node.left, node.comparators[0])]
    return _of_constants(_COMPARISONS[type(node.ops[0])], *sides)


def _boolean(node: Any, scope: Scope) -> Expansion:
    combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
    values = [evaluate_node(value, scope) for value in node.values]
    result = values[0]
    for value in values[1:]:
        result = _of_constants(combine, result, value)
    return result


def _of_constants(function: Callable[..., Any], *values: Expansion) -> Expansion:
    if not all(value.is_constant for value in values):
        raise NotPolynomial
    with np.errstate(all="ignore"):
        return Expansion.constant(function(*(value.value for value in values)))


_RULES: dict[type, Callable[[Any, Scope], Expansion]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
}
_POLYNOMIAL: dict[type, Callable[[Expansion, Expansion], Expansion]] = {
    ast.Add: Expansion.__add__,
    ast.Sub: Expansion.__sub__,
    ast.Mult: Expansion.__mul__,
    ast.Div: Expansion.over,
    ast.Pow: Expansion.power,
}
_CONSTANT: dict[type, Callable[..., Any]] = {ast.Mod: np.mod, ast.FloorDiv: np.floor_divide}
_COMPARISONS: dict[type, Callable[..., Any]] = {
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
