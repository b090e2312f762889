"""What happens to synaptic variables between events, and what a learning rule may contain."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.recognise.expression import assignments, evaluate_node
from brian2lava.chip.recognise.polynomial import Expansion, NotPolynomial, monomial_text
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.scope import TIMES
from brian2lava.chip.recognise.step_map import Array, Monomial
from brian2lava.chip.recognise.synapse_scope import SynapseScope

NEAREST = (
    "A chip's learning rule is a sum of products of traces (w += a*apost), with traces that decay"
    " exponentially and are increased or set at spikes"
)


@dataclass(frozen=True)
class Decay:
    """A differential equation: ``x' = factor x + constant + extra`` a step."""

    factor: Array
    constant: Array
    extra: Expansion
    event_driven: bool
    weight: bool
    text: str


def decays_of(synapses: Any, scope: SynapseScope, dt: float) -> dict[str, Decay]:
    """What each differential equation of the Synapses does in a step.

    Raises
    ------
    NotSupported
        An equation that is no decay, and no sum of products of other variables.
    """
    equations = differential(synapses)
    stepped = _stepped(synapses, scope) if synapses.state_updater is not None else {}
    found = {}
    for name, (equation, event_driven) in equations.items():
        text = f"d{name}/dt = {equation.expr.code}"
        if equation.stochastic_variables:
            refuse(synapses, f"'{text}' contains noise", NEAREST, "take the noise away")
        rate = evaluated(synapses, text, ast.parse(equation.expr.code, mode="eval").body, scope)
        own = ((name, 1),)
        row = _closed_form(synapses, name, rate, dt, text) if event_driven else stepped[name]
        factor = np.asarray(row.coefficient(own), dtype=float)
        weight = bool(np.all(factor == 1))
        decaying = (own,) if weight else (own, ())
        extra = Expansion({m: c for m, c in row.terms.items() if m not in decaying})
        refuse_names(synapses, text, extra)
        for monomial in extra.terms:
            if name in dict(monomial):
                refuse(
                    synapses,
                    f"'{text}' contains {monomial_text(monomial)}",
                    NEAREST,
                    "make the equation linear in its own variable",
                )
        grows = ~((factor > 0) & (factor <= 1))
        if grows.any():
            refuse(
                synapses,
                f"'{text}' multiplies {name} by {factor[grows][0]} a step",
                NEAREST,
                "make it a decay with a time constant above dt",
            )
        found[name] = Decay(factor, row.value.astype(float), extra, event_driven, weight, text)
    return found


def _closed_form(synapses: Any, name: str, rate: Expansion, dt: float, text: str) -> Expansion:
    """A step of ``dx/dt = a x + c`` between events."""
    own = ((name, 1),)
    for monomial in rate.terms:
        if monomial not in (own, ()):
            refuse(
                synapses, f"'{text}' contains {monomial_text(monomial)}", NEAREST,
                "let it depend on itself only",
            )  # fmt: skip
    slope = np.asarray(rate.coefficient(own), dtype=float)
    factor = np.exp(slope * dt)
    constant = np.asarray(rate.value, dtype=float)
    with np.errstate(all="ignore"):
        added = np.where(slope == 0, constant * dt, constant * np.expm1(slope * dt) / slope)
    terms: dict[Monomial, tuple[Array, Array]] = {own: (factor, factor)}
    if np.any(added):
        terms[()] = (added, np.abs(added))
    return Expansion(terms)


def _stepped(synapses: Any, scope: SynapseScope) -> dict[str, Expansion]:
    """Clock-driven variables after a step of the integrator."""
    updater = synapses.state_updater
    updater.update_abstract_code(scope.namespace)
    later = SynapseScope(synapses, scope.namespace, scope.states, scope.changing)
    for name, node, text in assignments(updater.abstract_code):
        later.bound[name] = evaluated(synapses, text, node, later)
    return {name: later.bound[name].cleaned() for name in scope.states}


def differential(synapses: Any) -> dict[str, tuple[Any, bool]]:
    """Differential equations by name, and whether they are event-driven."""
    found = {name: (synapses.equations[name], False) for name in _diff_names(synapses.equations)}
    if synapses.event_driven is not None:
        found |= {
            name: (synapses.event_driven[name], True) for name in _diff_names(synapses.event_driven)
        }
    return found


def _diff_names(equations: Any) -> list[str]:
    return [name for name in equations if name in equations.diff_eq_names]


def evaluated(synapses: Any, text: str, node: ast.expr, scope: SynapseScope) -> Expansion:
    """The value of an expression in the statement ``text``; raises NotSupported naming a term."""
    try:
        return evaluate_node(node, scope)
    except NotPolynomial as term:
        refuse(
            synapses, f"'{text}' contains '{term}'", NEAREST,
            "write the rule as sums of products of traces",
        )  # fmt: skip


def refuse_names(synapses: Any, text: str, value: Expansion) -> None:
    """Raise NotSupported if a value depends on the time or on a TimedArray."""
    for name in sorted(value.variables()):
        if name in TIMES or "#" in name or name.startswith(("not_refractory", "lastspike")):
            refuse(
                synapses, f"'{text}' depends on '{name.split('#')[0]}'", NEAREST,
                "write the rule as sums of products of traces",
            )  # fmt: skip
