"""A NeuronGroup -> the map of one time step, from the code of the integrator that it uses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from brian2.core.namespace import get_local_namespace
from brian2.core.variables import ArrayVariable
from brian2.equations.equations import PARAMETER
from brian2.groups.neurongroup import NeuronGroup
from brian2.stateupdaters.base import StateUpdateMethod, UnsupportedEquationsException
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit

from brian2lava.chip.recognise.condition import threshold_of
from brian2lava.chip.recognise.confirm import confirm
from brian2lava.chip.recognise.earlier import drawn_of, earlier_of
from brian2lava.chip.recognise.expression import assignments, evaluate, evaluate_node
from brian2lava.chip.recognise.noise import bind_noises, noises_in, noises_of
from brian2lava.chip.recognise.parts import refuse_other_parts
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial, monomial_text
from brian2lava.chip.recognise.refractory import refractory_of
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope, alike, stacked
from brian2lava.chip.recognise.step_map import Array, PopulationMap, Reset, State, read_only

_LINEAR = (
    "A chip neuron steps as x' = Phi x + b; the nearest model is the leaky integrator"
    " dv/dt = (v_rest - v + I)/tau"
)
_RESETS = "A chip neuron resets as x = R x + r, for example v = v_reset or v -= v_th"


def population_map(
    group: Any, namespace: Mapping[str, Any] | None = None, written: Collection[str] = ()
) -> PopulationMap:
    """The map of one step of a NeuronGroup.

    Parameters
    ----------
    group : NeuronGroup
        Prepared by Brian2's ``before_run`` or not.
    namespace : mapping, optional
        The run's namespace; without it, the names around the call.
    written : collection of str
        Variables of the group that synapses or inputs change: parameters among them become states.

    Raises
    ------
    NotSupported
        The group does something that is no such map; the message names what, the nearest model,
        and what to change.
    """
    if namespace is None:
        namespace = get_local_namespace(level=1)
    if type(group) is not NeuronGroup:
        refuse(
            group,
            f"a {type(group).__name__} is not a group of point neurons",
            "A chip has point neurons",
            "use a NeuronGroup",
        )
    refuse_other_parts(group)
    differential = _in_users_order(group)
    names = [*differential, *_changed_parameters(group, written)]
    scope = GroupScope(group, namespace, names)
    refractory = refractory_of(group, scope)
    held = {
        name
        for name in differential
        if group._refractory is not False
        and "unless refractory" in group.user_equations[name].flags
    }
    for name in differential:
        _refuse_nonlinear(group, name, scope)
    rows, scope = _updated(group, scope, refractory_now=False)
    _refuse_moving_while_held(group, rows, held, scope)
    result = PopulationMap(
        name=group.name,
        count=len(group),
        dt=float(group.clock.dt_),
        method=_method(group, namespace) if differential else "",
        states=tuple(
            State(
                name,
                _unit(group.variables[name].dim),
                _values(group, name),
                name in held,
                name in differential,
                str(group.user_equations[name].expr.code) if name in differential else "",
            )
            for name in names
        ),
        phi=_square(rows, names),
        bias=stacked([row.value for row in rows]),
        inputs=scope.inputs(rows),
        noises=noises_in(group, rows),
        threshold=_threshold(group, scope),
        reset=_reset(group, scope),
        refractory=refractory.steps,
        has_refractory=group._refractory is not False,
        refractory_left=refractory.left,
        parameters=_parameters(group, names),
        first_step=int(np.ravel(group.clock.variables["timestep"].get_value())[0]),
    )
    _refuse_infinite(group, result)
    confirm(group, namespace, result, _update_code(group, namespace))
    return result


# ---------------------------------------------------------------- states
def _in_users_order(group: Any) -> list[str]:
    diff = group.user_equations.diff_eq_names
    return [name for name in group.user_equations if name in diff]


def _changed_parameters(group: Any, written: Collection[str]) -> list[str]:
    """Parameters that the reset or a synapse changes."""
    changed = set(written)
    for code in group.event_codes.values():
        changed |= {name for name, _, _ in _statements(group, code)}
    return [
        eq.varname
        for eq in group.user_equations.values()
        if eq.type == PARAMETER and eq.varname in changed
    ]


def _unit(dimensions: Any) -> str:
    return "1" if dimensions is DIMENSIONLESS else str(get_unit(dimensions))


def _values(group: Any, name: str) -> Array:
    values = np.asarray(group.variables[name].get_value(), dtype=float)
    return read_only(np.broadcast_to(values, (len(group),)))


def _parameters(group: Any, states: list[str]) -> tuple[tuple[str, Array], ...]:
    return tuple(
        (eq.varname, alike(np.atleast_1d(group.variables[eq.varname].get_value())))
        for eq in group.user_equations.values()
        if eq.type == PARAMETER
        and eq.varname not in states
        and isinstance(group.variables[eq.varname], ArrayVariable)
    )


# ---------------------------------------------------------------- state update
def _refuse_nonlinear(group: Any, name: str, scope: GroupScope) -> None:
    """Look at the equation itself: the integrator's code has the term in many places."""
    equation = group.user_equations[name]
    remedy = "make the equation linear in the state variables"
    saved = dict(scope.bound)
    try:
        _bind_frozen(group, scope)
        bind_noises(group, scope)
        scope.bound["not_refractory"] = Expansion.constant(True)
        value = evaluate(equation.expr.code, scope).cleaned()
    except NotPolynomial as term:
        refuse(group, f"d{name}/dt contains '{term}'", _LINEAR, remedy)
    scope.bound = saved
    _refuse_terms(group, f"d{name}/dt", value, scope, remedy)


def _refuse_terms(
    group: Any, what: str, value: Expansion, scope: GroupScope, remedy: str, nearest: str = _LINEAR
) -> None:
    known = {*scope.states, *scope.input_symbols(), *noises_of(group)}
    for monomial in value.terms:
        foreign = {name for name, _ in monomial} - known
        if foreign & drawn_of(group):
            drawn = sorted(foreign & drawn_of(group))[0]
            refuse(
                group,
                f"{what} contains 'rand()', as '{drawn}'",
                "A chip neuron draws numbers to fire by chance (rand() < p), and nowhere else",
                "replace it by the spikes of a PoissonGroup or PoissonInput",
            )
        if foreign:
            refuse(
                group,
                f"{what} depends on '{sorted(foreign)[0]}' in {_text(monomial)}",
                "What changes with time reaches a chip neuron as spikes or as an added input",
                "add it as a TimedArray I(t) or leave it out",
            )
    for monomial in value.monomials_above(1, known):
        refuse(group, f"{what} contains {_text(monomial)}", nearest, remedy)


def _text(monomial: Any) -> str:
    """As written by the user: without the marks that tell inputs apart."""
    return monomial_text(tuple((name.split("#")[0], power) for name, power in monomial))


def _bind_frozen(group: Any, scope: GroupScope) -> None:
    """``constant over dt`` subexpressions: what they are at the start of the step.

    What ``run_regularly`` keeps, and what is drawn, are variables that no step may depend on.
    """
    _bind_kept(group, scope)
    if group.subexpression_updater is None:
        return
    drawn = drawn_of(group)
    for name, node, text in assignments(group.subexpression_updater.abstract_code):
        if name in drawn:
            scope.bound[name] = Expansion.variable(name)
            continue
        try:
            scope.bound[name] = evaluate_node(node, scope)
        except NotPolynomial as term:
            refuse(
                group,
                f"'{text}' contains '{term}'",
                _LINEAR,
                "make it linear in the state variables",
            )


def _bind_kept(group: Any, scope: GroupScope) -> None:
    for name in earlier_of(group):
        if group.user_equations[name].type == PARAMETER:
            scope.bound[name] = Expansion.variable(name)


def _update_code(group: Any, namespace: Mapping[str, Any]) -> str:
    """The code of the state update as Brian2 executes it, without the refractory condition."""
    updater = group.state_updater
    if str(updater.method_choice).lower().startswith("gsl"):
        refuse(group, "it is integrated by GSL", _LINEAR, "use method='exact' or 'euler'")
    try:
        updater.update_abstract_code(namespace)
    except UnsupportedEquationsException as problem:
        refuse(group, f"method='{updater.method_choice}' can't: {problem}", _LINEAR, "use 'euler'")
    lines = updater.abstract_code.splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("not_refractory ="))


def _updated(
    group: Any, scope: GroupScope, refractory_now: bool
) -> tuple[list[Expansion], GroupScope]:
    """The states after the state update, as polynomials in those before, and their scope."""
    scope = GroupScope(group, scope.namespace, scope.states)
    _bind_frozen(group, scope)
    bind_noises(group, scope)
    scope.bound["not_refractory"] = Expansion.constant(not refractory_now)
    try:
        for name, node, _ in assignments(_update_code(group, scope.namespace)):
            if name in noises_of(group):
                continue
            scope.bound[name] = evaluate_node(node, scope)
    except NotPolynomial as term:
        refuse(group, f"a step contains '{term}'", _LINEAR, "use another integration method")
    rows = [scope.bound[name].cleaned() for name in scope.states]
    for name, row in zip(scope.states, rows, strict=True):
        _refuse_terms(
            group, f"a step of {name}", row, scope, "use method='euler', which keeps the terms few"
        )
    return rows, scope


def _refuse_moving_while_held(
    group: Any, rows: list[Expansion], held: set[str], scope: GroupScope
) -> None:
    """While v is held, the other states must step as they always do."""
    if not held or len(held) == len(scope.states):
        return
    with np.errstate(all="ignore"):
        others, _ = _updated(group, scope, refractory_now=True)
    for name, free, during in zip(scope.states, rows, others, strict=True):
        if name in held or name not in group.user_equations.diff_eq_names:
            continue
        monomials = {*free.terms, *during.terms}
        if not all(
            np.allclose(free.coefficient(m), during.coefficient(m), rtol=1e-9, atol=0)
            for m in monomials
        ):
            refuse(
                group,
                f"while {', '.join(sorted(held))} is held, a step of {name} is another one than"
                " otherwise",
                "A chip neuron has one step, from which the refractory period only takes v",
                "use method='euler' or take '(unless refractory)' away",
            )


def _square(rows: list[Expansion], names: list[str]) -> Array:
    width = max(
        (row.coefficient(((name, 1),)).size for row in rows for name in names),
        default=1,
    )
    phi = np.zeros((len(rows), len(names), width))
    for k, row in enumerate(rows):
        for m, name in enumerate(names):
            phi[k, m] = row.coefficient(((name, 1),))
    return alike(phi)


def _method(group: Any, namespace: Mapping[str, Any]) -> str:
    """The first of the methods to choose from that can do it, as Brian2 chooses."""
    choice = group.state_updater.method_choice
    if isinstance(choice, str):
        return choice.lower()
    if callable(choice):
        return str(getattr(choice, "__name__", type(choice).__name__))
    variables = group.resolve_all(
        group.equations.names | group.equations.identifiers | {"dt"},
        namespace,
        user_identifiers=set(),
    )
    for method in choice:
        try:
            StateUpdateMethod.apply_stateupdater(
                group.equations, variables, method, group_name=group.name
            )
        except UnsupportedEquationsException:
            continue
        return str(method)
    return ""


def _refuse_infinite(group: Any, found: PopulationMap) -> None:
    for k, state in enumerate(found.states):
        for what, row in (("step", found.phi[k]), ("constant part of a step", found.bias[k])):
            wrong = ~np.isfinite(np.atleast_2d(row)).all(axis=0)
            if wrong.any():
                refuse(
                    group,
                    f"the {what} of {state.name} is not finite for neuron"
                    f" {int(np.flatnonzero(wrong)[0])}",
                    "Registers hold numbers",
                    "look for a time constant of 0 or a parameter that was never set",
                )


# ---------------------------------------------------------------- threshold and reset
def _after_update(group: Any, scope: GroupScope) -> GroupScope:
    """Names as the threshold and the reset see them: the states are variables again."""
    later = GroupScope(group, scope.namespace, scope.states)
    if group.subexpression_updater is not None:
        for name, _, _ in assignments(group.subexpression_updater.abstract_code):
            before = scope.bound[name]
            later.bound[name] = before if before.is_constant else Expansion.variable(name)
    later.bound["not_refractory"] = Expansion.variable("not_refractory")
    _bind_kept(group, later)
    return later


def _threshold(group: Any, scope: GroupScope) -> Any:
    if "spike" not in group.events:
        return None
    return threshold_of(group.events["spike"], _after_update(group, scope), earlier_of(group))


def _statements(group: Any, code: str) -> list[Any]:
    try:
        return assignments(code)
    except NotPolynomial as text:
        refuse(group, f"the reset has '{text}'", _RESETS, "use assignments to state variables")


def _reset(group: Any, scope: GroupScope) -> Reset | None:
    code = group.event_codes.get("spike")
    if code is None or not code.strip():
        return None
    scope = _after_update(group, scope)
    remedy = "make the reset linear"
    for name, node, text in _statements(group, code):
        if name in ("not_refractory", "lastspike"):
            refuse(
                group,
                f"the reset sets '{name}' in '{text}'",
                "The refractory period of a chip neuron is a number of steps",
                "use refractory=",
            )
        try:
            scope.bound[name] = evaluate_node(node, scope).cleaned()
        except NotPolynomial as term:
            refuse(group, f"the reset '{text}' contains '{term}'", _RESETS, remedy)
        _refuse_terms(group, f"the reset '{text}'", scope.bound[name], scope, remedy, _RESETS)
        if scope.bound[name].variables() & scope.input_symbols():
            refuse(group, f"the reset '{text}' takes a TimedArray", _RESETS, remedy)
    rows = [scope.bound[name] for name in scope.states]
    return Reset(
        _square(rows, list(scope.states)), stacked([row.value for row in rows]), code.strip()
    )
