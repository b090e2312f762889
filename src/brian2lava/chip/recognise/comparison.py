"""A comparison in a threshold condition -> a crossing of an affine function of the states."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
from brian2.core.variables import Subexpression

from brian2lava.chip.recognise.expression import evaluate_node
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial, monomial_text
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope, alike, stacked
from brian2lava.chip.recognise.step_map import Crossing

NEAREST = (
    "A chip neuron compares with a threshold: v > c, v >= c, v > theta with an adaptive theta,"
    " 'v > hi or v < lo' with both signs, 'x >= c and y >= 0 and y_before < 0' of a resonator (RF)"
    " with y_before = y : 1 (constant over dt), or rand() < p with a p that is linear in v"
)


def expanded(node: ast.expr, scope: GroupScope) -> ast.expr:
    """A boolean subexpression by its definition."""
    if isinstance(node, ast.Name) and node.id not in scope.bound:
        variable = scope.resolve(node.id)
        if isinstance(variable, Subexpression):
            return expanded(ast.parse(variable.expr.strip(), mode="eval").body, scope)
    return node


def refuse_condition(code: str, found: str, scope: GroupScope, remedy: str = "") -> Any:
    """Raise NotSupported about a threshold."""
    refuse(
        scope.group,
        f"the threshold '{code}' {found}",
        NEAREST,
        remedy or "write the threshold as one of these",
    )


# ---------------------------------------------------------------- one comparison
def sides(node: ast.expr, code: str, scope: GroupScope) -> tuple[ast.expr, ast.expr, bool]:
    """(larger, smaller, inclusive) of a comparison."""
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        refuse_condition(code, f"has '{ast.unparse(node)}', which is no single comparison", scope)
    assert isinstance(node, ast.Compare)
    operator = node.ops[0]
    if isinstance(operator, (ast.Gt, ast.GtE)):
        return node.left, node.comparators[0], isinstance(operator, ast.GtE)
    if isinstance(operator, (ast.Lt, ast.LtE)):
        return node.comparators[0], node.left, isinstance(operator, ast.LtE)
    return refuse_condition(code, f"tests for equality in '{ast.unparse(node)}'", scope)


def value(node: ast.expr, code: str, scope: GroupScope) -> Expansion:
    try:
        return evaluate_node(node, scope)
    except NotPolynomial as term:
        return refuse_condition(code, f"contains '{term}'", scope)


def crossing(node: ast.expr, code: str, scope: GroupScope) -> Crossing:
    larger, smaller, inclusive = sides(node, code, scope)
    return as_crossing(
        value(larger, code, scope) - value(smaller, code, scope), inclusive, code, scope
    )


def as_crossing(over: Expansion, inclusive: bool, code: str, scope: GroupScope) -> Crossing:
    over = affine(over, code, scope)
    if scope.input_symbols() & over.variables():
        refuse_condition(code, "compares with a TimedArray", scope)
    if over.is_constant:
        refuse_condition(code, "depends on no state variable", scope)
    return Crossing(*row(over, scope), inclusive, code)


def affine(value: Expansion, code: str, scope: GroupScope) -> Expansion:
    value = value.cleaned()
    for other in sorted(value.variables() - {*scope.states, *scope.input_symbols()}):
        refuse_condition(code, f"depends on '{other}'", scope)
    for monomial in value.monomials_above(1, value.variables()):
        refuse_condition(code, f"contains {monomial_text(monomial)}", scope)
    return value


def row(value: Expansion, scope: GroupScope) -> tuple[Any, Any]:
    weights = stacked([value.coefficient(((state, 1),)) for state in scope.states])
    if not np.isfinite(weights).all() or not np.isfinite(value.value.astype(float)).all():
        refuse_condition("", "has values that are not finite", scope)
    return weights, alike(value.value)
