"""Rule and scripts of a fitted synapse, made again from its registers alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule
from brian2lava.errors import FitError
from brian2lava.fit.synapse.candidates import SynapseCandidate
from brian2lava.fit.synapse.export_learning import brian2_short_term, brian2_stdp, lava_learning
from brian2lava.fit.synapse.export_response import brian2_script, lava_script
from brian2lava.fit.synapse.response_chip import responses
from brian2lava.fit.synapse.response_problem import ResponseProblem
from brian2lava.fit.synapse.search import SynapseOptions
from brian2lava.fit.synapse.short_term import ShortTermTarget
from brian2lava.fit.synapse.short_term_rules import relaxing_rule, two_factor_rule
from brian2lava.fit.synapse.stdp import StdpTarget
from brian2lava.fit.synapse.stdp_rules import FORMS, rule_of
from brian2lava.fit.synapse.target import SynapseTarget

Registers = dict[str, int]


@dataclass(frozen=True)
class Again:
    """What belongs to registers.

    Attributes
    ----------
    rule : LearningRule or None
    brian2, lava : functions without arguments -> str
    """

    rule: LearningRule | None
    brian2: Callable[[], str]
    lava: Callable[[], str]


def made_again(
    target: Any,
    candidate: SynapseCandidate,
    options: SynapseOptions,
    registers: Registers,
    physical: Mapping[str, float],
) -> Again:
    """Rule and scripts of a candidate with these registers.

    Parameters
    ----------
    target : SynapseTarget, ShortTermTarget or StdpTarget
    candidate : SynapseCandidate
    options : SynapseOptions
        With which they were found.
    registers : dict of str to int
    physical : mapping of str to float
        What they mean.

    Raises
    ------
    FitError
        A target or candidate of another kind, or a register that the chip does not have.
    """
    if type(target) not in _MADE:
        raise FitError(f"there is no synapse for a target of type {type(target).__name__}.")
    family, make = _MADE[type(target)]
    if candidate.family != family:
        raise FitError(f"{candidate.name!r} is no synapse for {target.name!r}.")
    return make(target, candidate, options, registers, physical)


def _response(
    target: SynapseTarget,
    candidate: SynapseCandidate,
    options: SynapseOptions,
    registers: Registers,
    physical: Mapping[str, float],
) -> Again:
    problem = ResponseProblem(target, candidate, options)
    row = np.array([registers[name] for name in problem.names])
    for name, value, low, high in zip(problem.names, row, *problem.layout.limits):
        if not low <= value <= high:
            raise FitError(f"{candidate.name}: {name}={value}; {low} to {high} are there.")
    steps = len(target.trace) - 1

    def brian2() -> str:
        out = responses(problem.layout, row[None], steps, problem.arithmetic)
        gain = float(problem.gain(out.trace)[0])
        return brian2_script(problem.layout, row, target, gain, problem.arithmetic)

    return Again(None, brian2, partial(lava_script, problem.layout, row, problem.arithmetic, steps))


def _short_term(
    target: ShortTermTarget,
    candidate: SynapseCandidate,
    options: SynapseOptions,
    registers: Registers,
    physical: Mapping[str, float],
) -> Again:
    rules = {"relaxing_weight": relaxing_rule, "two_factors": two_factor_rule}
    rule = rules[candidate.name](registers) if candidate.name in rules else None
    if rule is not None:
        rule.check("lava")
    return Again(
        rule,
        partial(brian2_short_term, candidate, physical, target),
        partial(lava_learning, rule, registers.get("weight", 1), registers.get("tag", 0),
                target.dt),
    )  # fmt: skip


def _stdp(
    target: StdpTarget,
    candidate: SynapseCandidate,
    options: SynapseOptions,
    registers: Registers,
    physical: Mapping[str, float],
) -> Again:
    # terms whose coefficient is 0 are left out where a fit tells its registers
    terms = tuple(term for term in FORMS[candidate.name] if f"{term}_mantissa" in registers)
    rule = rule_of(registers, terms)
    rule.check("lava")
    return Again(
        rule,
        partial(brian2_stdp, physical, registers, target),
        partial(lava_learning, rule, target.unit_mantissa // 2, 0, target.dt),
    )


#: The type of a target -> the family of its candidates, and what makes scripts of one.
_MADE: dict[type, tuple[str, Callable[..., Again]]] = {
    SynapseTarget: ("response", _response),
    ShortTermTarget: ("short_term", _short_term),
    StdpTarget: ("stdp", _stdp),
}
