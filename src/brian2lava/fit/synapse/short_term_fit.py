"""Fits short-term plasticity: what a chip's synapse can express of it, candidate by candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule
from brian2lava.chip.limits import WEIGHT_EXCITATORY
from brian2lava.errors import FitError
from brian2lava.fit.synapse.candidates import SynapseCandidate
from brian2lava.fit.synapse.export_learning import brian2_short_term, lava_learning
from brian2lava.fit.synapse.learning_run import run_learning
from brian2lava.fit.synapse.result import Curve, SynapseFound
from brian2lava.fit.synapse.search import Searched, SynapseOptions, search
from brian2lava.fit.synapse.short_term import ShortTermTarget
from brian2lava.fit.synapse.short_term_problem import RelaxingProblem, TwoFactorProblem
from brian2lava.fit.synapse.short_term_rules import FULL, relaxing_rule, two_factor_rule

#: Of what a search leaves, so many are run in the chip's own learning.
_RUN = 3
#: Payload of a full release, where the host computes payloads.
_PAYLOAD = 255

Registers = dict[str, int]


def fit_short_term(
    target: ShortTermTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    """The best registers of one candidate for short-term plasticity."""
    return _FITS[candidate.name](target, candidate, options)


def run_trains(
    rule: LearningRule,
    first: Registers,
    target: ShortTermTarget,
    draws: int,
    seed: int,
    every: int = 1,
) -> Any:
    """Weight of each spike on the chip, shape (copies, rates, pulses).

    Each rate has ``draws`` copies, whose trains begin at different phases of the rule's intervals.
    """
    intervals, pulses = target.intervals, target.pulses
    starts = every + 1 + (np.arange(draws) * max(1, every // draws)) % every
    when = starts[:, None, None] + intervals[None, :, None] * np.arange(pulses)
    flat = when.reshape(-1, pulses)
    pre = np.zeros((int(flat.max()) + 1, len(flat)), bool)
    copies = np.arange(len(flat))
    for k in range(pulses):
        pre[flat[:, k], copies] = True
    tags = {"t": first["tag"]} if "tag" in first else {}
    weights = run_learning(rule, pre, np.zeros_like(pre), first["weight"], seed, tags)
    return weights[flat, copies[:, None]].reshape(when.shape)


# ------------------------------------------------------------ candidates that learn
def _relaxing(
    target: ShortTermTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    def first(registers: Registers) -> Registers:
        return {"weight": registers["weight"]}

    return _learning(RelaxingProblem(target), relaxing_rule, first, candidate, options)


def _two_factors(
    target: ShortTermTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    def first(registers: Registers) -> Registers:
        at_rest = registers["weight_mantissa"] * 2.0 ** registers["weight_exponent"] * FULL
        return {"weight": int(np.clip(np.rint(at_rest), 1, WEIGHT_EXCITATORY.high)), "tag": FULL}

    return _learning(TwoFactorProblem(target), two_factor_rule, first, candidate, options)


def _learning(
    problem: RelaxingProblem | TwoFactorProblem,
    make_rule: Callable[[Registers], LearningRule],
    first: Callable[[Registers], Registers],
    candidate: SynapseCandidate,
    options: SynapseOptions,
) -> SynapseFound:
    target = problem.target
    _own_arithmetic(candidate, options)
    runs = [search(problem, options, options.seed + k) for k in range(options.seeds)]
    best = None
    for row in _distinct(runs):
        registers = {name: int(value) for name, value in zip(problem.names, row)}
        rule = make_rule(registers)
        rule.check("lava")
        begin = first(registers)
        released = run_trains(rule, begin, target, options.draws, options.seed,
                              1 << registers["k"])  # fmt: skip
        found = released.mean(axis=0) / max(float(released[..., 0].mean()), 1e-9)
        error = _error(found, target)
        if best is None or error < best[0]:
            best = error, registers, rule, begin, released, row
    assert best is not None
    error, registers, rule, begin, released, row = best
    run = min(runs, key=lambda each: each.loss)
    every = 1 << registers["k"]
    notes = [candidate.note]
    if int(target.intervals.min()) < every:
        notes.append(f"spikes come faster than the rule's interval of {every} steps")
    return SynapseFound(
        candidate=candidate,
        registers={**registers, **begin},
        physical=problem.meaning(registers),
        wanted=run.wanted,
        errors=_errors(released, target),
        costs={
            "synapses": 1,
            "products": len(rule.products),
            "traces": len(rule.used & set(rule.traces)),
            "weight_bits": int(np.abs(released).max()).bit_length(),
            "interval": every,
        },
        notes=tuple(notes),
        curves=_curves(released, target),
        rule=rule,
        loss=float(problem.loss(np.asarray(row)[None])[0]),
        losses=tuple(each.loss for each in runs),
        evaluations=sum(each.evaluations for each in runs),
        brian2=partial(brian2_short_term, candidate, problem.meaning(registers), target),
        lava=partial(lava_learning, rule, begin["weight"], begin.get("tag", 0), target.dt),
    )


def _distinct(runs: list[Searched]) -> list[Any]:
    """The best rows of all seeds."""
    rows = [(run.loss, k, row) for run in runs for k, row in enumerate(run.rows[:_RUN])]
    rows.sort(key=lambda each: each[:2])
    found: dict[tuple[int, ...], Any] = {}
    for _, _, row in rows:
        found.setdefault(tuple(int(value) for value in row), row)
    return list(found.values())[:_RUN]


def _own_arithmetic(candidate: SynapseCandidate, options: SynapseOptions) -> None:
    if options.arithmetic != "lava":
        raise FitError(
            f"{candidate.name}: learning is fitted in the arithmetic 'lava' (Loihi 2), and not in"
            f" {options.arithmetic!r}, whose rules have no tag and round each change to whole"
            " mantissas. Leave arithmetic out."
        )


# ------------------------------------------------------------ candidates that do not
def _constant(
    target: ShortTermTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    weight = WEIGHT_EXCITATORY.high
    released = np.full((1, *target.ratios.shape), float(weight))
    return _unlearned(target, candidate, {"weight": weight}, released, ())


def _graded(
    target: ShortTermTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    unit = _PAYLOAD / float(target.ratios.max())
    payloads = np.rint(target.ratios * unit)[None]
    kept = int(np.rint(unit))
    return _unlearned(target, candidate, {"payload_of_first": kept}, payloads,
                      ("payloads of the trains: rint(ratio * payload_of_first)",))  # fmt: skip


def _unlearned(
    target: ShortTermTarget,
    candidate: SynapseCandidate,
    registers: Registers,
    released: Any,
    notes: tuple[str, ...],
) -> SynapseFound:
    error = _error(released.mean(axis=0) / released[..., 0].mean(), target)
    return SynapseFound(
        candidate=candidate, registers=registers, physical={}, wanted={},
        errors=_errors(released, target), costs={"synapses": 1, "products": 0},
        notes=(candidate.note, *notes), curves=_curves(released, target), rule=None, loss=error,
        losses=(error,), evaluations=1,
        brian2=partial(brian2_short_term, candidate, {}, target),
        lava=partial(lava_learning, None, registers.get("weight", 1), 0, target.dt),
    )  # fmt: skip


# ------------------------------------------------------------ numbers
def _error(ratios: Any, target: ShortTermTarget) -> float:
    difference = ratios[:, 1:] - target.ratios[:, 1:]
    return float(np.linalg.norm(difference) / np.linalg.norm(target.ratios[:, 1:]))


def _errors(released: Any, target: ShortTermTarget) -> Mapping[str, float]:
    """Of the ratios; those of the second and the last spike are chip minus target, the worst."""
    ratios = released.mean(axis=0) / max(float(released[..., 0].mean()), 1e-9)
    apart = ratios - target.ratios

    def worst(column: Any) -> float:
        return float(column[np.argmax(np.abs(column))])

    return {
        "nrmse": _error(ratios, target),
        "paired_pulse_ratio": worst(apart[:, 1]),
        "last_ratio": worst(apart[:, -1]),
    }


def _curves(released: Any, target: ShortTermTarget) -> tuple[Curve, ...]:
    """A train a rate, and over rates the second and the last spike."""
    one = max(float(released[..., 0].mean()), 1e-9)
    mean, spread = released.mean(axis=0) / one, released.std(axis=0) / one
    number = np.arange(1, target.pulses + 1)
    trains = tuple(
        Curve(f"train at {rate:g} Hz", number, target.ratios[k], mean[k], "spike",
              "release (of the first)", spread[k])
        for k, rate in enumerate(target.rates)
    )  # fmt: skip
    over = tuple(
        Curve(name, target.rates, target.ratios[:, place], mean[:, place], "rate (Hz)",
              "release (of the first)", spread[:, place])
        for name, place in (("paired pulse ratio", 1), ("last ratio", -1))
    )  # fmt: skip
    return (*trains, *over)


_FITS: Mapping[str, Callable[..., SynapseFound]] = {
    "constant": _constant,
    "relaxing_weight": _relaxing,
    "two_factors": _two_factors,
    "graded_spikes": _graded,
}
