"""Variables that keep what a state was in the step before: for thresholds that are crossings."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
from brian2.equations.equations import PARAMETER
from brian2.groups.group import CodeRunner

from brian2lava.chip.recognise.expression import assignments
from brian2lava.chip.recognise.polynomial import NotPolynomial
from brian2lava.chip.recognise.step_map import Earlier, read_only

#: Where a ``run_regularly('y_before = y')`` keeps the value: before the synapses of its step, after
#: them, or at the start of the next step, before the state update.
_BEFORE_SYNAPSES = ("after_thresholds", "before_synapses")
_AFTER_SYNAPSES = (
    "after_synapses", "before_resets", "after_resets", "before_end", "end", "after_end",
)  # fmt: skip
_AT_START = ("before_start", "start", "after_start", "before_groups")


def earlier_of(group: Any) -> dict[str, Earlier]:
    """The variables of a NeuronGroup that keep a state's earlier value, by name."""
    found = {}
    updater = group.subexpression_updater
    for name, state in _copies(group, updater.abstract_code if updater is not None else ""):
        found[name] = Earlier(name, state, True, None, is_subexpression=True)
    for part in group.contained_objects:
        kept = kept_by(group, part)
        if kept is None:
            continue
        name, state = kept
        now = np.broadcast_to(group.variables[name].get_value(), (len(group),))
        found[name] = Earlier(
            name,
            state,
            part.when not in _BEFORE_SYNAPSES,
            None if part.when in _AT_START else read_only(now),
        )
    return found


def drawn_of(group: Any) -> frozenset[str]:
    """Variables of a NeuronGroup that are ``rand()``, drawn anew at the start of each step."""
    updater = group.subexpression_updater
    code = updater.abstract_code if updater is not None else ""
    return frozenset(name for name, node, _ in _statements(code) if ast.unparse(node) == "rand()")


def kept_by(group: Any, part: Any) -> tuple[str, str] | None:
    """(variable, state) of a ``run_regularly`` that keeps a state's value; else None."""
    if type(part) is not CodeRunner or part.clock is not group.clock:
        return None
    if part.when not in (*_BEFORE_SYNAPSES, *_AFTER_SYNAPSES, *_AT_START):
        return None
    copies = _copies(group, part.abstract_code)
    if len(copies) != 1 or len(_statements(part.abstract_code)) != 1:
        return None
    name, state = copies[0]
    equation = group.user_equations.get(name)
    is_parameter = equation is not None and equation.type == PARAMETER
    return (name, state) if is_parameter and "shared" not in equation.flags else None


def _copies(group: Any, code: str) -> list[tuple[str, str]]:
    """(variable, state) of each statement ``variable = state``."""
    states = group.user_equations.diff_eq_names
    return [
        (name, node.id)
        for name, node, _ in _statements(code)
        if isinstance(node, ast.Name) and node.id in states
    ]


def _statements(code: str) -> list[tuple[str, ast.expr, str]]:
    """No statements where one is more than an assignment to a name."""
    try:
        return assignments(code)
    except NotPolynomial:
        return []
