"""Threshold conditions -> crossings of affine functions of the states, or probabilities."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
from brian2.core.variables import Subexpression

from brian2lava.chip.recognise.expression import evaluate_node
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial, monomial_text
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope, alike, stacked
from brian2lava.chip.recognise.step_map import Chance, Crossing, Threshold, TwoSided

_NEAREST = (
    "A chip neuron compares with a threshold: v > c, v >= c, v > theta with an adaptive theta,"
    " 'v > hi or v < lo' with both signs, or rand() < p with a p that is linear in v"
)


def threshold_of(code: str, scope: GroupScope) -> Threshold | None:
    """What the condition ``code`` is; ``None`` if it is never true.

    Raises
    ------
    NotSupported
        Anything but a crossing, two opposite ones, or a probability.
    """
    node = _expanded(ast.parse(code.strip(), mode="eval").body, scope)
    if isinstance(node, ast.Constant) and node.value is False:
        return None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
        parts = [_crossing(_expanded(part, scope), code, scope) for part in node.values]
        return _opposite(parts[0], parts[1], code, scope)
    if not isinstance(node, ast.Compare):
        return _refuse(code, f"is '{ast.unparse(node)}', which is no single comparison", scope)
    magnitude = _of_magnitude(node, code, scope)
    if magnitude is not None:
        return magnitude
    if _draws(node):
        return _chance(node, code, scope)
    return _crossing(node, code, scope)


def _expanded(node: ast.expr, scope: GroupScope) -> ast.expr:
    """A boolean subexpression by its definition."""
    if isinstance(node, ast.Name) and node.id not in scope.bound:
        variable = scope.resolve(node.id)
        if isinstance(variable, Subexpression):
            return _expanded(ast.parse(variable.expr.strip(), mode="eval").body, scope)
    return node


def _refuse(code: str, found: str, scope: GroupScope) -> Any:
    refuse(
        scope.group,
        f"the threshold '{code}' {found}",
        _NEAREST,
        "write the threshold as one of these",
    )


# ---------------------------------------------------------------- one comparison
def _sides(node: ast.expr, code: str, scope: GroupScope) -> tuple[ast.expr, ast.expr, bool]:
    """(larger, smaller, inclusive) of a comparison."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        _refuse(code, f"has '{ast.unparse(node)}', which is no single comparison", scope)
    assert isinstance(node, ast.Compare)
    operator = node.ops[0]
    if isinstance(operator, (ast.Gt, ast.GtE)):
        return node.left, node.comparators[0], isinstance(operator, ast.GtE)
    if isinstance(operator, (ast.Lt, ast.LtE)):
        return node.comparators[0], node.left, isinstance(operator, ast.LtE)
    return _refuse(code, f"tests for equality in '{ast.unparse(node)}'", scope)


def _value(node: ast.expr, code: str, scope: GroupScope) -> Expansion:
    try:
        return evaluate_node(node, scope)
    except NotPolynomial as term:
        return _refuse(code, f"contains '{term}'", scope)


def _crossing(node: ast.expr, code: str, scope: GroupScope) -> Crossing:
    larger, smaller, inclusive = _sides(node, code, scope)
    return _as_crossing(
        _value(larger, code, scope) - _value(smaller, code, scope), inclusive, code, scope
    )


def _as_crossing(over: Expansion, inclusive: bool, code: str, scope: GroupScope) -> Crossing:
    over = _affine(over, code, scope)
    if scope.input_symbols() & over.variables():
        _refuse(code, "compares with a TimedArray", scope)
    if over.is_constant:
        _refuse(code, "depends on no state variable", scope)
    return Crossing(*_row(over, scope), inclusive, code)


def _affine(value: Expansion, code: str, scope: GroupScope) -> Expansion:
    value = value.cleaned()
    for other in sorted(value.variables() - {*scope.states, *scope.input_symbols()}):
        _refuse(code, f"depends on '{other}'", scope)
    for monomial in value.monomials_above(1, value.variables()):
        _refuse(code, f"contains {monomial_text(monomial)}", scope)
    return value


def _row(value: Expansion, scope: GroupScope) -> tuple[Any, Any]:
    weights = stacked([value.coefficient(((state, 1),)) for state in scope.states])
    if not np.isfinite(weights).all() or not np.isfinite(value.value.astype(float)).all():
        _refuse("", "has values that are not finite", scope)
    return weights, alike(value.value)


# ---------------------------------------------------------------- two sides
def _of_magnitude(node: ast.Compare, code: str, scope: GroupScope) -> TwoSided | None:
    """``abs(x) > c``."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Gt, ast.GtE, ast.Lt, ast.LtE)):
        return None
    larger, smaller, inclusive = _sides(node, code, scope)
    if not isinstance(larger, ast.Call) or ast.unparse(larger.func) != "abs":
        return None
    inside = _value(larger.args[0], code, scope)
    level = _value(smaller, code, scope)
    above = _as_crossing(inside - level, inclusive, code, scope)
    below = _as_crossing(-inside - level, inclusive, code, scope)
    return _opposite(above, below, code, scope)


def _opposite(first: Crossing, second: Crossing, code: str, scope: GroupScope) -> TwoSided:
    """Two crossings of one quantity, the second scaled to the first."""
    lead = int(np.flatnonzero(np.any(first.weights != 0, axis=1))[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = -first.weights[lead] / second.weights[lead]
        same = np.allclose(second.weights * scale, -first.weights, rtol=1e-12, atol=0)
    if not same or not np.all(scale > 0):
        _refuse(code, "joins two conditions that are not the two sides of one quantity", scope)
    scaled = Crossing(
        alike(-first.weights), alike(second.offset * scale), second.inclusive, second.text
    )
    up = bool(np.all(first.weights[lead] > 0))
    return TwoSided(first, scaled, code) if up else TwoSided(scaled, first, code)


# ---------------------------------------------------------------- probabilities
def _draws(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call) and ast.unparse(part.func) in ("rand", "randn")
        for part in ast.walk(node)
    )


def _chance(node: ast.expr, code: str, scope: GroupScope) -> Chance:
    larger, smaller, _ = _sides(node, code, scope)
    if ast.unparse(smaller) != "rand()" or _draws(larger):
        _refuse(code, "uses random numbers in another way than rand() < p", scope)
    chance = _affine(_value(larger, code, scope), code, scope)
    states = set(scope.states) & chance.variables()
    return Chance(
        *_row(chance, scope),
        scope.inputs([chance]),
        code,
        "stochastic" if states else "poisson",
    )
