"""Sources of spikes -> what is needed to make the same spikes elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2.core.namespace import get_local_namespace
from brian2.groups.neurongroup import NeuronGroup
from brian2.groups.subgroup import Subgroup

from brian2lava.chip.recognise.expression import evaluate
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope, alike
from brian2lava.chip.recognise.step_map import (
    GivenSpikes,
    PoissonDrive,
    PoissonSource,
    read_only,
)

_RATES = "A Poisson source has rates that are constant or come from a TimedArray"


def poisson_group_map(group: Any, namespace: Mapping[str, Any] | None = None) -> PoissonSource:
    """A PoissonGroup.

    Raises
    ------
    NotSupported
        Rates that depend on time in another way than through a TimedArray, or another schedule.
    """
    namespace = get_local_namespace(level=1) if namespace is None else namespace
    _refuse_schedule(group)
    scope = GroupScope(group, namespace, ())
    try:
        rates = evaluate("rates", scope).cleaned()
    except NotPolynomial as term:
        refuse(group, f"its rates contain '{term}'", _RATES, "use a TimedArray")
    foreign = rates.variables() - scope.input_symbols()
    if foreign or rates.monomials_above(1, rates.variables()):
        name = sorted(foreign or rates.variables())[0].split("#")[0]
        refuse(group, f"its rates depend on '{name}'", _RATES, "use a TimedArray")
    inputs = scope.inputs([rates])
    if not np.isfinite(rates.value.astype(float)).all() or np.any(rates.value < 0) and not inputs:
        refuse(group, "a rate is negative or not finite", _RATES, "set the rates")
    return PoissonSource(group.name, len(group), float(group.clock.dt_), alike(rates.value), inputs)


def spike_generator_map(group: Any) -> GivenSpikes:
    """A SpikeGeneratorGroup, prepared by Brian2's ``before_run`` or not.

    Raises
    ------
    NotSupported
        Another schedule.
    """
    _refuse_schedule(group)
    dt = float(group.clock.dt_)
    times = np.asarray(group.variables["spike_time"].get_value(), dtype=float)
    steps = ((times + 1e-3 * dt) / dt).astype(np.int64)
    neurons = np.asarray(group.variables["neuron_index"].get_value())
    period = float(np.ravel(group.variables["period"].get_value())[0])
    return GivenSpikes(
        group.name,
        int(group.variables["N"].get_value()),
        dt,
        read_only(neurons, np.int64),
        read_only(steps, np.int64),
        0 if not np.isfinite(period) else int(np.round(period / dt)),
    )


def poisson_input_map(source: Any, namespace: Mapping[str, Any] | None = None) -> PoissonDrive:
    """A PoissonInput.

    Raises
    ------
    NotSupported
        A weight that changes, or another schedule.
    """
    namespace = get_local_namespace(level=1) if namespace is None else namespace
    if source.when != "synapses":
        refuse(
            source,
            f"it runs in '{source.when}'",
            "On a chip, input follows the thresholds",
            "leave the schedule as it is",
        )
    target = source._group
    whole = target.source if isinstance(target, Subgroup) else target
    if not isinstance(whole, NeuronGroup):
        refuse(
            source,
            f"it adds to a {type(whole).__name__}",
            "On a chip, input goes to neurons",
            "use a NeuronGroup as its target",
        )
    targets = np.arange(target.start, target.stop)
    weight = _weight(source, whole, namespace)
    if weight.size > 1:
        weight = weight[targets]
    return PoissonDrive(
        source.name,
        whole.name,
        read_only(targets, np.int64),
        source.target_var,
        int(source.N),
        float(source.rate),
        float(target.clock.dt_),
        alike(weight),
    )


def _weight(source: Any, group: Any, namespace: Mapping[str, Any]) -> Any:
    if not isinstance(source.weight, str):
        return np.atleast_1d(np.asarray(source.weight, dtype=float))
    nearest = "What an input adds to a chip neuron is constant"
    changing = set(group.equations.diff_eq_names)
    try:
        value: Expansion = evaluate(source.weight, GroupScope(group, namespace, changing)).cleaned()
    except NotPolynomial as term:
        refuse(source, f"its weight contains '{term}'", nearest, "use a constant weight")
    if not value.is_constant:
        name = sorted(value.variables())[0].split("#")[0]
        refuse(source, f"its weight depends on '{name}'", nearest, "use a constant weight")
    return value.value


def _refuse_schedule(group: Any) -> None:
    part = getattr(group, "thresholder", {}).get("spike", group)
    if part.when != "thresholds":
        refuse(
            group,
            f"it spikes in '{part.when}'",
            "On a chip, sources spike with the thresholds",
            "leave the schedule as it is",
        )
    others = [other for other in group.contained_objects if other is not part]
    if others:
        refuse(
            group,
            f"it contains '{others[0].name}' (run_regularly, or added by hand)",
            "A source of spikes does nothing else",
            "take it away",
        )
