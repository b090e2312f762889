"""What the names in synaptic code mean: values for each synapse, and the ends of a pathway."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from brian2.core.functions import Function
from brian2.core.variables import AuxiliaryVariable, Constant, Subexpression

from brian2lava.chip.recognise.expression import assignments, evaluate
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope
from brian2lava.chip.recognise.step_map import Array, Ends, read_only

#: Whose index a variable has, by the name that Brian2 gives the index.
SIDES = {"_presynaptic_idx": "pre", "_postsynaptic_idx": "post"}


class SynapseScope(GroupScope):
    """Names in the code of a Synapses object; arrays have shape (1 | n_synapses,).

    ``states`` are synaptic variables that change. Variables of neurons that change are variables
    of the polynomials, too, by their names with suffix ("v_post"); ``changing`` says for a group's
    name which of its parameters do, besides those that its own reset changes.
    """

    def __init__(
        self,
        synapses: Any,
        namespace: Mapping[str, Any],
        states: Collection[str],
        changing: Mapping[str, Collection[str]],
    ) -> None:
        super().__init__(synapses, namespace, states)
        self.changing = changing
        self._ends = {side: endpoint(synapses, side)[1] for side in ("pre", "post")}

    def value_of(self, identifier: str, variable: Any) -> Expansion:
        """The value of a resolved variable at each synapse."""
        if isinstance(variable, Subexpression):
            return evaluate(variable.expr, self)
        if isinstance(variable, (AuxiliaryVariable, Function)):
            raise NotPolynomial
        if isinstance(variable, Constant):
            return Expansion.constant(variable.get_value())
        index = self.group.variables.indices[identifier]
        values = np.asarray(variable.get_value())
        side = SIDES.get(index)
        if side is None:
            return Expansion.constant(values if values.size else np.zeros(1))
        if variable.name in changing_variables(variable.owner, self.changing):
            return Expansion.variable(f"{variable.name}_{side}")
        taken = values[self._ends[side]]
        return Expansion.constant(taken if taken.size else np.zeros(1))

    def neuron_variable(self, identifier: str) -> tuple[str, str] | None:
        """(name, "pre" | "post") of a variable of a neuron; ``None`` for all others."""
        if identifier not in self.group.variables:
            return None
        side = SIDES.get(self.group.variables.indices[identifier])
        return None if side is None else (self.group.variables[identifier].name, side)


def changing_variables(owner: Any, changing: Mapping[str, Collection[str]]) -> set[str]:
    """Variables of a group that change while it runs."""
    equations = getattr(owner, "equations", None)
    if equations is None:
        return set()
    changed = set(equations.diff_eq_names) | set(changing.get(owner.name, ()))
    changed |= {"not_refractory", "lastspike"} & set(owner.variables)
    for code in getattr(owner, "event_codes", {}).values():
        changed |= {name for name, _, _ in assignments(code) if name in equations}
    return changed


def endpoint(synapses: Any, side: str) -> tuple[Any, Array]:
    """The whole group at an end of a Synapses object, and each synapse's neuron in it."""
    group = synapses.source if side == "pre" else synapses.target
    neurons = read_only(synapses.variables[f"_synaptic_{side}"].get_value(), np.int64)
    whole = group
    while hasattr(whole, "source") and hasattr(whole, "_sub_idx"):
        whole = whole.source
    return whole, neurons


def delay_steps(delays: Any, dt: float, count: int) -> Array:
    """Delays (seconds, one or one a synapse) in steps, shape (n_synapses,): rounded half up."""
    steps = (np.asarray(delays, dtype=float) / dt + 0.5).astype(np.int64)
    return read_only(np.broadcast_to(steps, (count,)), np.int64)


def ends_of(pathway: Any, dt: float) -> Ends:
    """Where the events of a pathway come from, where and when they arrive."""
    synapses = pathway.synapses
    here, there = ("pre", "post") if pathway.prepost == "pre" else ("post", "pre")
    source, sources = endpoint(synapses, here)
    target, targets = endpoint(synapses, there)
    delays = pathway.variables["delay"].get_value()
    return Ends(source.name, target.name, sources, targets, delay_steps(delays, dt, sources.size))


def refuse_other_schedules(synapses: Any) -> None:
    """Raise for summed variables, other clocks, slots and events.

    Raises
    ------
    NotSupported
        Names the part.
    """
    for name, updater in synapses.summed_updaters.items():
        refuse(
            synapses,
            f"'{name} = {updater.expression} (summed)' sums a value in every step",
            "A chip's synapses add to a neuron when a spike arrives",
            f"let on_pre add to a variable of the target ('{name} += w')",
        )
    if synapses._linked_variables:
        refuse(
            synapses,
            f"'{sorted(synapses._linked_variables)[0]}' is a linked variable",
            "A chip's synapse has values of its own only",
            "make it a parameter of the synapses",
        )
    ordinary = {id(synapses.state_updater), id(synapses.subexpression_updater)}
    ordinary |= {id(pathway) for pathway in synapses._pathways}
    for part in synapses.contained_objects:
        if id(part) not in ordinary:
            refuse(
                synapses,
                f"it contains '{part.name}' (run_regularly, or added by hand)",
                "A chip's synapses change at spikes",
                "take it away",
            )
    for pathway in synapses._pathways:
        _refuse_other_schedule(synapses, pathway)


def _refuse_other_schedule(synapses: Any, pathway: Any) -> None:
    if pathway.event != "spike":
        refuse(
            synapses,
            f"'{pathway.name}' reacts to the custom event '{pathway.event}'",
            "A chip neuron has one event, its spike",
            "use the spike",
        )
    if pathway.when != "synapses":
        refuse(
            synapses,
            f"'{pathway.name}' runs in '{pathway.when}'",
            "On a chip, synapses follow the thresholds",
            "leave the schedule as it is",
        )
    steps = {float(part.clock.dt_) for part in (pathway.source, pathway.target, synapses, pathway)}
    if len(steps) > 1:
        refuse(
            synapses,
            f"'{pathway.name}' joins the time steps {', '.join(f'{dt} s' for dt in sorted(steps))}",
            "A chip has one time step",
            "give all groups one dt",
        )
