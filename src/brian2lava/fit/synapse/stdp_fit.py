"""Fits plasticity: searched in expectation, then run by the chip's own fixed-point learning."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule
from brian2lava.errors import FitError
from brian2lava.fit.metrics.stdp_window import compare_windows
from brian2lava.fit.synapse.candidates import SynapseCandidate
from brian2lava.fit.synapse.export_learning import brian2_stdp, lava_learning
from brian2lava.fit.synapse.learning_run import run_learning
from brian2lava.fit.synapse.result import Curve, SynapseFound
from brian2lava.fit.synapse.search import SynapseOptions, search
from brian2lava.fit.synapse.stdp import StdpTarget
from brian2lava.fit.synapse.stdp_problem import StdpProblem
from brian2lava.fit.synapse.stdp_rules import FORMS, rule_of

#: Copies of a single pair, and of repeated ones, as multiples of ``draws``.
_WINDOW_COPIES, _RATE_COPIES = 16, 4
#: Signs count where the target is above this part of its largest change.
_SIGNIFICANT = 0.02
#: Mantissas from which on a weight that starts at 0 may have been held at the end of its range.
_NEAR_THE_END = 250


def fit_stdp(
    target: StdpTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    """The best rule of one candidate's form."""
    if options.arithmetic != "lava":
        raise FitError(
            f"{candidate.name}: learning is fitted in the arithmetic 'lava' (Loihi 2), and not in"
            f" {options.arithmetic!r}, which rounds each change to whole mantissas. Leave"
            " arithmetic out."
        )
    terms = FORMS[candidate.name]
    if not target.rates.size and any(term.endswith("3") for term in terms):
        raise FitError(
            f"{candidate.name}: {target.name!r} has single pairs only, which say nothing of triplet"
            " terms. Give changes over rates, or fit 'pair'."
        )
    problem = StdpProblem(target, terms)
    runs = [search(problem, options, options.seed + k) for k in range(options.seeds)]
    best = min(runs, key=lambda run: run.loss)
    registers = {name: int(value) for name, value in zip(problem.names, best.row)}
    if not any(registers[f"{term}_mantissa"] for term in terms):
        raise FitError(
            f"{target.name}: all coefficients are below the chip's smallest. Use a larger"
            " unit_mantissa, or a rule with larger changes."
        )
    rule = rule_of(registers, terms)
    shown = _counting(registers, rule, terms)
    rule.check("lava")
    window = run_window(rule, target, options.draws * _WINDOW_COPIES, options.seed)
    rates = run_rates(rule, target, options.draws * _RATE_COPIES, options.seed + 1)
    return SynapseFound(
        candidate=candidate,
        registers=shown,
        physical=problem.meaning(shown),
        wanted=best.wanted,
        errors=_errors(problem, window, rates),
        costs={
            "synapses": 1,
            "products": len(rule.products),
            "traces": len(rule.used & set(rule.traces)),
            "largest_mantissa_bits": max(abs(p.mantissa) for p in rule.products).bit_length(),
        },
        notes=_notes(candidate, problem, registers, rule, rates),
        curves=_curves(target, window, rates),
        rule=rule,
        loss=best.loss,
        losses=tuple(run.loss for run in runs),
        evaluations=sum(run.evaluations for run in runs),
        brian2=partial(brian2_stdp, problem.meaning(shown), shown, target),
        lava=partial(lava_learning, rule, target.unit_mantissa // 2, 0, target.dt),
    )


def _counting(
    registers: dict[str, int], rule: LearningRule, terms: tuple[str, ...]
) -> dict[str, int]:
    """Without terms whose coefficient is 0, and without traces that nothing reads."""
    gone = tuple(term for term in terms if not registers[f"{term}_mantissa"])
    gone += tuple(name for name in rule.traces if name not in rule.used)
    return {name: value for name, value in registers.items() if name.split("_")[0] not in gone}


def run_window(rule: LearningRule, target: StdpTarget, copies: int, seed: int) -> Any:
    """Changes by one pair on the chip, in mantissas, shape (copies, lags)."""
    lags = np.repeat(target.lags[None], copies, axis=0).ravel()
    steps = int(np.abs(lags).max()) + 2
    pre, post = (np.zeros((steps, lags.size), bool) for _ in range(2))
    each = np.arange(lags.size)
    pre[np.maximum(0, -lags), each] = True
    post[np.maximum(0, lags), each] = True
    return run_learning(rule, pre, post, 0, seed)[-1].reshape(copies, -1)


def run_rates(rule: LearningRule, target: StdpTarget, copies: int, seed: int) -> Any:
    """Changes by repeated pairs on the chip, in mantissas, shape (copies, rates, protocols).

    The weight begins at 0 with both signs allowed, so that it is free to move.
    """
    shape = target.rate_changes.shape
    found = np.zeros((copies, *shape)) if target.rates.size else np.zeros((copies, 0, 0))
    for i in range(len(target.rates)):
        pairs = [target.protocol(i, j) for j in range(shape[1])]
        steps = max(int(max(p.max(), q.max())) for p, q in pairs) + 1
        pre, post = (np.zeros((steps, copies * shape[1]), bool) for _ in range(2))
        for j, (p, q) in enumerate(pairs):
            pre[np.ix_(p, np.arange(j, copies * shape[1], shape[1]))] = True
            post[np.ix_(q, np.arange(j, copies * shape[1], shape[1]))] = True
        found[:, i] = run_learning(rule, pre, post, 0, seed + i)[-1].reshape(copies, -1)
    return found


def _errors(problem: StdpProblem, window: Any, rates: Any) -> dict[str, float]:
    target, unit = problem.target, problem.target.unit_mantissa
    mean = window.mean(axis=0)
    found = compare_windows(target.window, mean / unit)
    # far out, and where a rule has no part, a change is too small to have a sign
    seen = np.abs(target.window) > _SIGNIFICANT * np.abs(target.window).max()
    signs = compare_windows(target.window[seen], mean[seen] / unit)
    errors = {
        "nrmse": float(problem.error(mean[None], rates.mean(axis=0)[None])[0]),
        "window_rmse": found.rmse,
        "window_relative": found.relative,
        "sign_agreement": signs.sign_agreement,
    }
    if target.rates.size:
        apart = compare_windows(target.rate_changes.ravel(), (rates.mean(axis=0) / unit).ravel())
        errors |= {"rates_rmse": apart.rmse, "rates_relative": apart.relative}
    return errors


def _curves(target: StdpTarget, window: Any, rates: Any) -> tuple[Curve, ...]:
    unit = target.unit_mantissa
    found = [
        Curve("window", target.lags * target.dt, target.window, window.mean(axis=0) / unit,
              "postsynaptic behind presynaptic spike (s)", "change of weight",
              window.std(axis=0) / unit)
    ]  # fmt: skip
    for j, lag in enumerate(target.rate_lags):
        found.append(
            Curve(f"pairs at {lag * target.dt * 1e3:+g} ms", target.rates,
                  target.rate_changes[:, j], rates.mean(axis=0)[:, j] / unit, "rate (Hz)",
                  f"change of weight by {target.pairs} pairs", rates.std(axis=0)[:, j] / unit)
        )  # fmt: skip
    return tuple(found)


def _notes(
    candidate: SynapseCandidate,
    problem: StdpProblem,
    registers: dict[str, int],
    rule: LearningRule,
    rates: Any,
) -> tuple[str, ...]:
    found = [candidate.note] if candidate.note else []
    gone = [term for term in problem.terms if not registers[f"{term}_mantissa"]]
    if gone:
        found.append(f"{', '.join(gone)}: below the smallest coefficient, left out")
    both = sum(
        registers[f"{term}_mantissa"] * 2.0 ** registers[f"{term}_exponent"]
        * registers[f"{trace}_impulse"] * (1 if term == "plus2" else -1)
        for term, trace in (("plus2", "x1"), ("minus2", "y1"))
        if term in problem.terms
    )  # fmt: skip
    unit = problem.target.unit_mantissa
    found.append(f"both spikes in one step change the weight by {both / unit:+.4g}")
    if rates.size and np.abs(rates).max() >= _NEAR_THE_END:
        found.append("in a protocol the weight came to the end of its range; use fewer pairs")
    return tuple(found)
