"""Groups that fire by the clock (``threshold='t > t_spike'``) -> spikes that are known beforehand.

Such a group has no state that a chip could keep: the host sends its spikes, as it does those of a
SpikeGeneratorGroup.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.functions import Function
from brian2.core.variables import Subexpression
from brian2.parsing.rendering import NumpyNodeRenderer
from brian2.utils.stringtools import get_identifiers

from brian2lava.chip.recognise.parts import refuse_other_parts
from brian2lava.chip.recognise.refractory import refractory_of
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope
from brian2lava.chip.recognise.step_map import GivenSpikes, read_only

_CLOCK = ("t", "t_in_timesteps")
_NEAREST = "The host sends the spikes of a group whose threshold compares the time with parameters"
#: Steps whose conditions are evaluated at once.
_ROWS = 1024


def is_timed(group: Any, namespace: Mapping[str, Any]) -> bool:
    """Whether the group has no differential equations, and its threshold reads the time."""
    if group.equations.diff_eq_names or set(group.events) != {"spike"}:
        return False
    return bool(_read(group, group.events["spike"], namespace).keys() & set(_CLOCK))


def timed_map(
    group: Any, namespace: Mapping[str, Any], first_step: int, steps: int, written: set[str]
) -> GivenSpikes:
    """The spikes of such a group in ``steps`` steps from ``first_step`` on.

    ``written`` are its variables that synapses and inputs change.

    Raises
    ------
    NotSupported
        The threshold draws random numbers or reads what changes, or there is a reset.
    """
    refuse_other_parts(group)
    if group.event_codes.get("spike", "").strip():
        refuse(group, "it has a reset", _NEAREST, "leave the reset out")
    read = _read(group, group.events["spike"], namespace)
    for name, variable in sorted(read.items()):
        if isinstance(variable, Function) and not variable.stateless:
            refuse(group, f"its threshold calls '{name}()'", _NEAREST, "use rand() < p alone")
    for name in sorted(written):
        what = f"its threshold reads {name!r}, which" if name in read else f"{name!r} of it"
        refuse(
            group, f"{what} synapses change", f"{_NEAREST}, and it takes no input",
            f"leave out the synapses that change {name!r}",
        )  # fmt: skip
    period = refractory_of(group, GroupScope(group, namespace, ()))
    indices, when = [], []
    ready = np.array(period.left, np.int64)
    pause = np.maximum(np.broadcast_to(period.steps, ready.shape), 1)
    for begin in range(0, steps, _ROWS):
        rows = range(begin, min(steps, begin + _ROWS))
        for step, fires in zip(rows, _conditions(group, namespace, first_step, rows), strict=True):
            fired = np.flatnonzero(fires & (ready <= step))
            ready[fired] = step + pause[fired]
            indices.append(fired)
            when.append(np.full(fired.size, first_step + step))
    return GivenSpikes(
        group.name, len(group), float(group.clock.dt_),
        read_only(np.concatenate([np.zeros(0, int), *indices]), np.int64),
        read_only(np.concatenate([np.zeros(0, int), *when]), np.int64), 0,
    )  # fmt: skip


def _read(group: Any, code: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Names that an expression reads, also through subexpressions, with what they are."""
    found: dict[str, Any] = {}
    for name in get_identifiers(code):
        if name in ("and", "or", "not", "True", "False"):
            continue
        found[name] = group._resolve(name, namespace, user_identifier=False)
        if isinstance(found[name], Subexpression):
            found |= _read(group, found[name].expr, namespace)
    return found


def _conditions(group: Any, namespace: Mapping[str, Any], first_step: int, rows: range) -> Any:
    """Whether the condition of the threshold holds: bool, shape (rows, N)."""
    steps = first_step + np.asarray(rows)[:, None]
    names: dict[str, Any] = {
        "_numpy": np, "t": steps * float(group.clock.dt_), "t_in_timesteps": steps
    }  # fmt: skip
    for name, variable in _read(group, group.events["spike"], namespace).items():
        if isinstance(variable, Function):
            names[name] = variable.implementations[NumpyCodeObject].get_code(group)
        elif not isinstance(variable, Subexpression) and name not in names:
            names[name] = np.asarray(variable.get_value())
    code = _without_subexpressions(group, group.events["spike"], namespace)
    rendered = NumpyNodeRenderer().render_expr(code)
    with np.errstate(all="ignore"):
        holds = eval(rendered, {}, names)
    return np.broadcast_to(np.asarray(holds, bool), (len(rows), len(group)))


def _without_subexpressions(group: Any, code: str, namespace: Mapping[str, Any]) -> str:
    """The expression with each subexpression's own in its place."""

    class Replaced(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802 - ast's name for it
            variable = group._resolve(node.id, namespace, user_identifier=False)
            if not isinstance(variable, Subexpression):
                return node
            inner: ast.expr = self.visit(ast.parse(variable.expr.strip(), mode="eval").body)
            return inner

    return ast.unparse(ast.fix_missing_locations(Replaced().visit(ast.parse(code, mode="eval"))))
