"""A pathway of static synapses -> what it adds to which variable of its targets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from brian2.core.namespace import get_local_namespace

from brian2lava.chip.recognise.expression import assignments, evaluate_node
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial, monomial_text
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.step_map import Jump, read_only
from brian2lava.chip.recognise.synapse_scope import (
    SynapseScope,
    ends_of,
    refuse_other_schedules,
)

NEAREST = "A chip's synapse adds its weight to a variable of the target: v_post += w"


def pathway_map(
    pathway: Any,
    namespace: Mapping[str, Any] | None = None,
    changing: Mapping[str, Collection[str]] | None = None,
) -> tuple[Jump, ...]:
    """What a spike adds, one :class:`Jump` for each variable of the target, in their order.

    Parameters
    ----------
    pathway : SynapticPathway
        Of Synapses that have no variables that change (those: ``plastic_map``).
    namespace : mapping, optional
        The run's namespace; without it, the names around the call.
    changing : mapping of group name to names, optional
        Parameters of neurons that something else than their own reset changes.

    Raises
    ------
    NotSupported
        A statement that is no such addition; the message names it.
    """
    if namespace is None:
        namespace = get_local_namespace(level=1)
    synapses = pathway.synapses
    refuse_other_schedules(synapses)
    scope = SynapseScope(synapses, namespace, (), changing or {})
    added: dict[str, Expansion] = {}
    texts: dict[str, list[str]] = {}
    for name, node, text in statements(pathway):
        variable = scope.neuron_variable(name)
        if variable is None:
            if name in synapses.variables:
                refuse(
                    synapses,
                    f"'{text}' of '{pathway.name}' changes the synapse",
                    NEAREST,
                    "recognise it as plastic synapses",
                )
            scope.bound[name] = _value(pathway, node, text, scope)
            continue
        target = target_name(pathway, variable, text)
        before = Expansion.variable(target)
        scope.bound[name] = before + added.get(target, Expansion({}))
        increment = (_value(pathway, node, text, scope) - before).cleaned()
        del scope.bound[name]
        _refuse_dependent(pathway, increment, text)
        added[target] = increment
        texts.setdefault(target, []).append(text)
    ends = ends_of(pathway, float(synapses.clock.dt_))
    return tuple(
        Jump(
            name=pathway.name,
            synapses=synapses.name,
            side=pathway.prepost,
            order=int(pathway.order),
            ends=ends,
            variable=target.rsplit("_", 1)[0],
            weights=_weights(pathway, increment, ends.sources.size),
            text="; ".join(texts[target]),
        )
        for target, increment in added.items()
    )


def statements(pathway: Any) -> list[Any]:
    """The statements of a pathway's code, as the user wrote them."""
    try:
        return assignments(pathway.code)
    except NotPolynomial as text:
        refuse(pathway.synapses, f"'{pathway.name}' has '{text}'", NEAREST, "use assignments")


def target_name(pathway: Any, variable: tuple[str, str], text: str) -> str:
    """The variable with suffix; only the neuron that the event arrives at may change."""
    name, side = variable
    if side == pathway.prepost:
        refuse(
            pathway.synapses,
            f"'{text}' of '{pathway.name}' changes the neuron that has spiked",
            "A spike changes the neuron that it arrives at, and the spiking one by its reset",
            "move the statement to the reset of the group",
        )
    if name in ("not_refractory", "lastspike"):
        refuse(
            pathway.synapses,
            f"'{text}' of '{pathway.name}' changes the refractory period",
            NEAREST,
            "leave it out",
        )
    return f"{name}_{side}"


def _value(pathway: Any, node: Any, text: str, scope: SynapseScope) -> Expansion:
    try:
        return evaluate_node(node, scope)
    except NotPolynomial as term:
        refuse(
            pathway.synapses,
            f"'{text}' of '{pathway.name}' contains '{term}'",
            NEAREST,
            "add a constant or a parameter of the synapse",
        )


def _refuse_dependent(pathway: Any, increment: Expansion, text: str) -> None:
    for monomial in increment.terms:
        if monomial:
            refuse(
                pathway.synapses,
                f"what '{text}' of '{pathway.name}' adds depends on"
                f" '{monomial_text(monomial)}', which changes",
                NEAREST,
                "add a constant or a parameter of the synapse",
            )


def _weights(pathway: Any, increment: Expansion, count: int) -> Any:
    weights = np.broadcast_to(np.asarray(increment.value, dtype=float), (count,))
    if not np.isfinite(weights).all():
        refuse(
            pathway.synapses,
            f"synapse {int(np.flatnonzero(~np.isfinite(weights))[0])} of '{pathway.name}' adds"
            " a value that is not finite",
            "Weights are numbers",
            "set them",
        )
    return read_only(weights)
