"""The refractory period in steps, rounded as Brian2 rounds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.core.functions import timestep
from brian2.core.preferences import prefs
from brian2.parsing.expressions import parse_expression_dimensions
from brian2.units.allunits import second
from brian2.utils.stringtools import get_identifiers

from brian2lava.chip.recognise.expression import evaluate
from brian2lava.chip.recognise.polynomial import NotPolynomial
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import GroupScope, alike
from brian2lava.chip.recognise.step_map import Array, read_only

_NEAREST = "The refractory period of a chip neuron is a fixed number of steps"


@dataclass(frozen=True)
class RefractoryPeriod:
    """``steps`` (int, (1 | N,)), and how many are ``left`` (int, (N,)) at the start of the run."""

    steps: Array
    left: Array


def refractory_of(group: Any, scope: GroupScope) -> RefractoryPeriod:
    """The refractory period of a NeuronGroup.

    Raises
    ------
    NotSupported
        A condition, or a period that is not the same after every spike.
    """
    if group._refractory is False:
        return RefractoryPeriod(read_only([0], np.int64), read_only(np.zeros(len(group)), np.int64))
    dt = float(group.clock.dt_)
    seconds = _seconds(group, scope)
    if not np.isfinite(seconds).all() or np.any(seconds < 0) or np.any(seconds / dt > 2**31):
        refuse(
            group,
            f"the refractory period is {seconds[~np.isfinite(seconds)][:1] or seconds.max()} s",
            _NEAREST,
            "set it to a time",
        )
    steps = np.atleast_1d(timestep(seconds, dt))
    since = float(np.ravel(group.variables["t"].get_value())[0]) - np.asarray(
        group.variables["lastspike"].get_value()
    )
    left = np.maximum(steps - np.atleast_1d(timestep(since, dt)), 0)
    return RefractoryPeriod(
        read_only(alike(steps), np.int64),
        read_only(np.broadcast_to(left, (len(group),)), np.int64),
    )


def _seconds(group: Any, scope: GroupScope) -> Array:
    given = group._refractory
    remedy = "use a time such as refractory=2*ms"
    if prefs.legacy.refractory_timing:
        refuse(
            group, "prefs.legacy.refractory_timing is set", _NEAREST, "leave the preference alone"
        )
    if not isinstance(given, str):
        return np.atleast_1d(np.asarray(given, dtype=float))
    identifiers = get_identifiers(given)
    variables = group.resolve_all(identifiers, scope.namespace, user_identifiers=set())
    if parse_expression_dimensions(given, variables) is not second.dim:
        refuse(group, f"refractory='{given}' is a condition", _NEAREST, remedy)
    try:
        value = evaluate(given, scope).cleaned()
    except NotPolynomial as term:
        refuse(group, f"refractory='{given}' contains '{term}'", _NEAREST, remedy)
    if not value.is_constant:
        refuse(
            group,
            f"refractory='{given}' depends on '{sorted(value.variables())[0]}'",
            _NEAREST,
            remedy,
        )
    return np.asarray(value.value, dtype=float)
