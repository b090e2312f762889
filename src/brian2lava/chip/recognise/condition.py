"""Threshold conditions -> crossings of affine functions of the states, or probabilities."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np

from brian2lava.chip.recognise.comparison import (
    affine,
    as_crossing,
    crossing,
    expanded,
    refuse_condition,
    row,
    sides,
    value,
)
from brian2lava.chip.recognise.earlier import drawn_of
from brian2lava.chip.recognise.phase import conjunction, phase_crossing
from brian2lava.chip.recognise.scope import GroupScope, alike
from brian2lava.chip.recognise.step_map import Chance, Crossing, Earlier, Threshold, TwoSided


def threshold_of(code: str, scope: GroupScope, earlier: Mapping[str, Earlier]) -> Threshold | None:
    """What the condition ``code`` is; ``None`` if it is never true.

    Parameters
    ----------
    code : str
    scope : GroupScope
        Of the names after the state update.
    earlier : dict of str to Earlier
        Variables that keep a state's value of the step before.

    Raises
    ------
    NotSupported
        Anything but a crossing, two opposite ones, one at a phase, or a probability.
    """
    node = expanded(ast.parse(code.strip(), mode="eval").body, scope)
    if isinstance(node, ast.Constant) and node.value is False:
        return None
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or) and len(node.values) == 2:
        parts = [crossing(expanded(part, scope), code, scope) for part in node.values]
        return _opposite(parts[0], parts[1], code, scope)
    joined = conjunction(node, scope)
    if len(joined) > 1:
        return phase_crossing(joined, code, scope, earlier)
    if not isinstance(node, ast.Compare):
        refuse_condition(code, f"is '{ast.unparse(node)}', which is no single comparison", scope)
    assert isinstance(node, ast.Compare)
    magnitude = _of_magnitude(node, code, scope)
    if magnitude is not None:
        return magnitude
    if _draws(node, scope):
        return _chance(node, code, scope)
    return crossing(node, code, scope)


# ---------------------------------------------------------------- two sides
def _of_magnitude(node: ast.Compare, code: str, scope: GroupScope) -> TwoSided | None:
    """``abs(x) > c``."""
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Gt, ast.GtE, ast.Lt, ast.LtE)):
        return None
    larger, smaller, inclusive = sides(node, code, scope)
    if not isinstance(larger, ast.Call) or ast.unparse(larger.func) != "abs":
        return None
    inside = value(larger.args[0], code, scope)
    level = value(smaller, code, scope)
    above = as_crossing(inside - level, inclusive, code, scope)
    below = as_crossing(-inside - level, inclusive, code, scope)
    return _opposite(above, below, code, scope)


def _opposite(first: Crossing, second: Crossing, code: str, scope: GroupScope) -> TwoSided:
    """Two crossings of one quantity, the second scaled to the first."""
    lead = int(np.flatnonzero(np.any(first.weights != 0, axis=1))[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = -first.weights[lead] / second.weights[lead]
        same = np.allclose(second.weights * scale, -first.weights, rtol=1e-12, atol=0)
    if not same or not np.all(scale > 0):
        refuse_condition(
            code, "joins two conditions that are not the two sides of one quantity", scope
        )
    scaled = Crossing(
        alike(-first.weights), alike(second.offset * scale), second.inclusive, second.text
    )
    up = bool(np.all(first.weights[lead] > 0))
    return TwoSided(first, scaled, code) if up else TwoSided(scaled, first, code)


# ---------------------------------------------------------------- probabilities
def _draws(node: ast.AST, scope: GroupScope) -> bool:
    drawn = drawn_of(scope.group)
    return any(
        isinstance(part, ast.Call)
        and ast.unparse(part.func) in ("rand", "randn")
        or isinstance(part, ast.Name)
        and part.id in drawn
        for part in ast.walk(node)
    )


def _chance(node: ast.expr, code: str, scope: GroupScope) -> Chance:
    larger, smaller, _ = sides(node, code, scope)
    if ast.unparse(smaller) not in {"rand()", *drawn_of(scope.group)} or _draws(larger, scope):
        refuse_condition(code, "uses random numbers in another way than rand() < p", scope)
    chance = affine(value(larger, code, scope), code, scope)
    states = set(scope.states) & chance.variables()
    return Chance(
        *row(chance, scope),
        scope.inputs([chance]),
        code,
        "stochastic" if states else "poisson",
    )
