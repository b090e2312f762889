"""Plastic synapses -> traces, and what each event changes, as sums of products of traces."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2.core.namespace import get_local_namespace

from brian2lava.chip.recognise.decay import (
    NEAREST,
    Decay,
    decays_of,
    differential,
    evaluated,
    refuse_names,
)
from brian2lava.chip.recognise.pathway import statements, target_name
from brian2lava.chip.recognise.plastic_map import Change, PlasticEvent, PlasticMap, Trace
from brian2lava.chip.recognise.polynomial import Expansion
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import alike
from brian2lava.chip.recognise.step_map import Array, read_only
from brian2lava.chip.recognise.synapse_scope import (
    SynapseScope,
    ends_of,
    refuse_other_schedules,
)

#: Marks the value that a weight has after its change in the same event.
_AFTER = "'"


def is_plastic(synapses: Any) -> bool:
    """Whether a pathway or an equation of the Synapses changes a synaptic variable."""
    return bool(_changed(synapses))


def plastic_map(
    synapses: Any,
    namespace: Mapping[str, Any] | None = None,
    changing: Mapping[str, Collection[str]] | None = None,
) -> PlasticMap:
    """The traces, weights and events of a Synapses object.

    Parameters
    ----------
    synapses : Synapses
    namespace : mapping, optional
        The run's namespace; without it, the names around the call.
    changing : mapping of group name to names, optional
        Parameters of neurons that something else than their own reset changes.

    Raises
    ------
    NotSupported
        A statement or an equation that is no sum of products of traces; the message names it.
    """
    if namespace is None:
        namespace = get_local_namespace(level=1)
    refuse_other_schedules(synapses)
    states = _changed(synapses)
    scope = SynapseScope(synapses, namespace, states, changing or {})
    dt = float(synapses.clock.dt_)
    count = int(len(synapses))
    decays = decays_of(synapses, scope, dt)
    traces = {name for name, decay in decays.items() if not decay.weight}
    pathways = sorted(synapses._pathways, key=lambda pathway: (pathway.order, pathway.name))
    events = tuple(
        _event(pathway, SynapseScope(synapses, namespace, states, changing or {}), traces, dt)
        for pathway in pathways
    )
    return PlasticMap(
        name=synapses.name,
        dt=dt,
        count=count,
        traces=tuple(
            _trace(synapses, name, decay, events, dt, count)
            for name, decay in decays.items()
            if not decay.weight
        ),
        weights=tuple(
            (name, _values(synapses, name, count)) for name in states if name not in traces
        ),
        events=events,
        every_step=tuple(
            Change(name, "add", decay.extra.frozen(), None, None, decay.text)
            for name, decay in decays.items()
            if decay.extra.terms
        ),
        parameters=tuple(
            (eq.varname, alike(np.atleast_1d(synapses.variables[eq.varname].get_value())))
            for eq in synapses.equations.values()
            if eq.type == "parameter"
            and eq.varname not in states
            and np.size(synapses.variables[eq.varname].get_value())
        ),
    )


def _changed(synapses: Any) -> list[str]:
    """Synaptic variables that change: with differential equations first."""
    names = [*differential(synapses)]
    for pathway in synapses._pathways:
        for name, _, _ in statements(pathway):
            index = synapses.variables.indices[name] if name in synapses.variables else ""
            if index in ("_idx", "0") and name not in names:
                names.append(name)
    return names


def _values(synapses: Any, name: str, count: int) -> Array:
    values = np.asarray(synapses.variables[name].get_value(), dtype=float)
    return read_only(np.broadcast_to(values, (count,)))


# ---------------------------------------------------------------- between events
def _trace(
    synapses: Any,
    name: str,
    decay: Decay,
    events: tuple[PlasticEvent, ...],
    dt: float,
    count: int,
) -> Trace:
    rest = decay.constant / (1 - decay.factor)
    initial = _values(synapses, name, count)
    if decay.event_driven:
        since = float(np.ravel(synapses.variables["t"].get_value())[0]) - _values(
            synapses, "lastupdate", count
        )
        initial = read_only(rest + (initial - rest) * decay.factor ** (since / dt))
    return Trace(
        name,
        _side(name, decay, events),
        alike(decay.factor),
        alike(-dt / np.log(decay.factor)),
        alike(rest),
        decay.event_driven,
        initial,
    )


def _side(name: str, decay: Decay, events: tuple[PlasticEvent, ...]) -> Any:
    changes = [(event.side, event.change(name)) for event in events if event.change(name)]
    sides = {side for side, _ in changes}
    constant = all(change is not None and not change.value.variables() for _, change in changes)
    return sides.pop() if len(sides) == 1 and constant and not decay.extra.terms else "synapse"


# ---------------------------------------------------------------- events
@dataclass
class _Changes:
    """What an event's statements have done so far, in values from before the event."""

    values: dict[str, Expansion] = field(default_factory=dict)
    bounds: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    delivered: dict[str, Expansion] = field(default_factory=dict)


def _event(pathway: Any, scope: SynapseScope, traces: set[str], dt: float) -> PlasticEvent:
    synapses = pathway.synapses
    done = _Changes()
    for name, node, text in statements(pathway):
        variable = scope.neuron_variable(name)
        if variable is not None:
            _deliver(pathway, variable, name, node, text, scope, done)
        elif name in scope.states:
            _change(synapses, name, node, text, scope, traces, done)
        else:
            scope.bound[name] = evaluated(synapses, text, node, scope)
    deliveries, after = _deliveries(synapses, done)
    return PlasticEvent(
        name=pathway.name,
        side=pathway.prepost,
        order=int(pathway.order),
        ends=ends_of(pathway, dt),
        changes=tuple(
            _as_change(synapses, name, value, name in traces, done)
            for name, value in done.values.items()
        ),
        deliveries=deliveries,
        delivered_after_change=after,
        text=pathway.code.strip(),
    )


def _change(
    synapses: Any,
    name: str,
    node: ast.expr,
    text: str,
    scope: SynapseScope,
    traces: set[str],
    done: _Changes,
) -> None:
    """A statement about a synaptic variable; a weight is afterwards known by its new name."""
    if name in done.values and name not in done.bounds:
        scope.bound[name] = done.values[name]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "clip":
        inside, low, high = (evaluated(synapses, text, part, scope) for part in node.args)
        if not (low.is_constant and high.is_constant):
            refuse(synapses, f"'{text}' has bounds that change", NEAREST, "use constant bounds")
        if name in done.bounds or name in traces:
            refuse(
                synapses, f"'{text}' cuts a trace, or a value that is cut already", NEAREST,
                "clip the weight once",
            )  # fmt: skip
        value = inside
        done.bounds[name] = (low.value.astype(float), high.value.astype(float))
    else:
        value = evaluated(synapses, text, node, scope)
        if name in done.bounds:
            refuse(synapses, f"'{text}' changes {name} after it is cut", NEAREST, "clip it last")
    refuse_names(synapses, text, value)
    if any(other.endswith(_AFTER) for other in value.variables()):
        refuse(
            synapses, f"'{text}' depends on a weight that this event has changed", NEAREST,
            "change the weight last",
        )  # fmt: skip
    done.values[name] = value.cleaned()
    done.texts.setdefault(name, []).append(text)
    scope.bound[name] = value if name in traces else Expansion.variable(name + _AFTER)


def _as_change(
    synapses: Any, name: str, value: Expansion, is_trace: bool, done: _Changes
) -> Change:
    own = Expansion.variable(name)
    text = "; ".join(done.texts[name])
    difference = (value - own).cleaned()
    if is_trace and name in value.variables() and name in difference.variables():
        refuse(synapses, f"'{text}' multiplies the trace {name}", NEAREST, "add to it, or set it")
    adds = name in value.variables()
    low, high = done.bounds.get(name, (None, None))
    return Change(
        name,
        "add" if adds else "set",
        (difference if adds else value).frozen(),
        None if low is None or np.all(np.isneginf(low)) else alike(low),
        None if high is None or np.all(np.isposinf(high)) else alike(high),
        text,
    )


def _deliver(
    pathway: Any,
    variable: tuple[str, str],
    name: str,
    node: ast.expr,
    text: str,
    scope: SynapseScope,
    done: _Changes,
) -> None:
    """A statement about a variable of the neuron that the event arrives at."""
    synapses = pathway.synapses
    target = target_name(pathway, variable, text)
    before = Expansion.variable(target)
    scope.bound[name] = before + done.delivered.get(target, Expansion({}))
    value = (evaluated(synapses, text, node, scope) - before).cleaned()
    del scope.bound[name]
    if any(other.rsplit("_", 1)[-1] in ("pre", "post") for other in value.variables()):
        refuse(
            synapses,
            f"what '{text}' of '{pathway.name}' adds depends on"
            f" '{sorted(value.variables())[0]}', which changes",
            "A chip's synapse adds its weight to a variable of the target: v_post += w",
            "add the weight",
        )
    refuse_names(synapses, text, value)
    done.delivered[target] = value
    done.texts.setdefault(target, []).append(text)


def _deliveries(synapses: Any, done: _Changes) -> tuple[tuple[Change, ...], tuple[bool, ...]]:
    changes, after = [], []
    for target, value in done.delivered.items():
        text = "; ".join(done.texts[target])
        late = {name for name in value.variables() if name.endswith(_AFTER)}
        if late and {name + _AFTER for name in value.variables()} & late:
            refuse(synapses, f"'{text}' delivers a weight twice", NEAREST, "deliver it once")
        renamed = Expansion(
            {
                tuple((name.removesuffix(_AFTER), power) for name, power in monomial): terms
                for monomial, terms in value.terms.items()
            }
        )
        changes.append(Change(target.rsplit("_", 1)[0], "add", renamed.frozen(), None, None, text))
        after.append(bool(late))
    return tuple(changes), tuple(after)
