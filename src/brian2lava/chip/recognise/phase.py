"""``x >= c and y >= 0 and y_before < 0``: a resonator's condition, which is RF's on the chip.

Lava's RF fires where the real part is at its threshold or above and the imaginary part crosses 0
upward. In Brian2 that takes the imaginary part of the step before, as a variable of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np

from brian2lava.chip.recognise.comparison import (
    as_crossing,
    expanded,
    refuse_condition,
    sides,
    value,
)
from brian2lava.chip.recognise.polynomial import Expansion
from brian2lava.chip.recognise.scope import GroupScope
from brian2lava.chip.recognise.step_map import Crossing, Earlier, PhaseCrossing


def conjunction(node: ast.expr, scope: GroupScope) -> list[ast.expr]:
    """The conditions that ``and`` or a chain (``y_before < 0 <= y``) joins."""
    node = expanded(node, scope)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return [part for joined in node.values for part in conjunction(joined, scope)]
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        ends = [node.left, *node.comparators]
        return [
            ast.Compare(ends[k], [operator], [ends[k + 1]]) for k, operator in enumerate(node.ops)
        ]
    return [node]


def phase_crossing(
    parts: list[ast.expr], code: str, scope: GroupScope, earlier: Mapping[str, Earlier]
) -> PhaseCrossing:
    """The condition that ``parts`` are together.

    Raises
    ------
    NotSupported
        They are no crossing of one state while another one is above a level.
    """
    over = [_difference(part, code, scope) for part in parts]
    before = [item for item in over if item[0].variables() & set(earlier)]
    if len(before) != 1:
        refuse_condition(
            code, f"joins {len(parts)} conditions and is no single comparison, and {len(before)} of"
            " them compare the value that a state had in the step before", scope,
        )  # fmt: skip
    (past, inclusive) = before[0]
    kept = earlier[next(iter(past.variables() & set(earlier)))]
    if past.variables() != {kept.name}:
        refuse_condition(code, f"compares '{kept.name}' with a variable", scope)
    if inclusive:
        refuse_condition(
            code, f"also fires where '{kept.name}' was at the level, as it is at rest; the chip's"
            " neuron was below it", scope, f"compare '{kept.name}' with < or > instead of <= or >=",
        )  # fmt: skip
    others = [
        as_crossing(value, equal, code, scope)
        for value, equal in over
        if not value.variables() & set(earlier)
    ]
    own = [item for item in others if _states(item, scope) == [kept.state]]
    rest = [item for item in others if kept.state not in _states(item, scope)]
    if len(own) != 1 or len(rest) != 1 or len(others) != 2:
        refuse_condition(
            code, f"needs one condition on '{kept.state}' now, and one on the other state", scope
        )
    renamed = Expansion(
        {
            tuple((kept.state if name == kept.name else name, power) for name, power in monomial):
            coefficient
            for monomial, coefficient in past.terms.items()
        }
    )  # fmt: skip
    _refuse_other_level(as_crossing(renamed, False, code, scope), own[0], kept, code, scope)
    return PhaseCrossing(rest[0], own[0], kept, code)


def _difference(node: ast.expr, code: str, scope: GroupScope) -> tuple[Expansion, bool]:
    larger, smaller, inclusive = sides(expanded(node, scope), code, scope)
    return (value(larger, code, scope) - value(smaller, code, scope)).cleaned(), inclusive


def _states(crossing: Crossing, scope: GroupScope) -> list[str]:
    return [name for name, row in zip(scope.states, crossing.weights, strict=True) if np.any(row)]


def _refuse_other_level(
    past: Crossing, now: Crossing, kept: Earlier, code: str, scope: GroupScope
) -> None:
    """The state has to be above a level now and below the same level before."""
    k = scope.states.index(kept.state)
    levels = [-each.offset / each.weights[k] for each in (past, now)]
    size = np.maximum(np.abs(levels[0]), np.abs(levels[1]))
    same = np.abs(levels[0] - levels[1]) <= 1e-12 * size
    if not np.all(same) or not np.all(past.weights[k] * now.weights[k] < 0):
        refuse_condition(
            code, f"is no crossing: '{kept.name}' and '{kept.state}' must lie on different sides of"
            " one level", scope,
        )  # fmt: skip
