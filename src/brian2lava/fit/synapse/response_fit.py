"""Fits a static synapse: searched, polished, run by the plain chip, measured."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT
from brian2lava.errors import FitError
from brian2lava.fit.metrics.precision import state_bits
from brian2lava.fit.metrics.synapse import Response, paired_pulse_ratio, response
from brian2lava.fit.synapse.candidates import SynapseCandidate
from brian2lava.fit.synapse.export_response import brian2_script, lava_script
from brian2lava.fit.synapse.response_chip import responses, verified
from brian2lava.fit.synapse.response_problem import ResponseProblem
from brian2lava.fit.synapse.result import Curve, SynapseFound
from brian2lava.fit.synapse.search import SynapseOptions, search
from brian2lava.fit.synapse.target import SynapseTarget


def fit_response(
    target: SynapseTarget, candidate: SynapseCandidate, options: SynapseOptions
) -> SynapseFound:
    """The best registers of one candidate for a response."""
    problem = ResponseProblem(target, candidate, options)
    runs = [search(problem, options, options.seed + k) for k in range(options.seeds)]
    best = min(runs, key=lambda run: run.loss)
    if not np.isfinite(best.loss):
        raise FitError(
            f"{candidate.name}: no registers hold the response within {options.headroom:g} bits of"
            " headroom. Use fewer bits, or a smaller scale."
        )
    steps = len(target.trace) - 1
    row = problem.layout.tidied(best.row)
    trace = verified(problem.layout, row, steps, problem.arithmetic)
    if not trace.any():
        raise FitError(
            f"{candidate.name}: at a scale of {options.scale:g} the response of {target.peak:g}"
            f" {target.unit} is less than half of the smallest weight, {1 << ALIGNMENT} state"
            " units. Use a larger scale."
        )
    gain = float(problem.gain(trace[None])[0])
    registers = {name: int(value) for name, value in zip(problem.names, row)}
    notes = (candidate.note,) if candidate.note else ()
    return SynapseFound(
        candidate=candidate,
        registers=registers,
        physical=problem.meaning(row, gain),
        wanted=best.wanted,
        errors=_errors(problem, row, trace * gain, best.loss),
        costs=_costs(problem, row),
        notes=notes + _at_limits(problem, row),
        curves=(
            Curve("response", target.times, target.trace, trace * gain, "time (s)",
                  f"{target.kind} ({target.unit})"),
        ),
        rule=None,
        loss=best.loss,
        losses=tuple(run.loss for run in runs),
        evaluations=sum(run.evaluations for run in runs),
        brian2=partial(brian2_script, problem.layout, row, target, gain,
                       problem.arithmetic),
        lava=partial(lava_script, problem.layout, row, problem.arithmetic, steps),
    )  # fmt: skip


def _errors(problem: ResponseProblem, row: Any, chip: Any, loss: float) -> Mapping[str, float]:
    """Chip minus target: relative for peak, rise and decay; seconds for the time to the peak."""
    target = problem.target
    wanted, got = response(target.times, target.trace, 0.0), response(target.times, chip, 0.0)
    interval = _interval(wanted, target)
    return {
        "nrmse": loss,
        "peak": got.peak / wanted.peak - 1,
        "time_to_peak": got.time_to_peak - wanted.time_to_peak,
        "rise": _relative(got.rise, wanted.rise),
        "decay": _relative(got.decay, wanted.decay),
        "paired_pulse_ratio": _paired_on_chip(problem, row, interval)
        - _paired(target.trace, interval, target.dt),
    }


def _relative(got: float, wanted: float) -> float:
    return got / wanted - 1 if wanted else float("nan")


def _interval(wanted: Response, target: SynapseTarget) -> int:
    """Steps between the two spikes of a pair: a decay behind the peak, inside the trace."""
    decay = wanted.decay if np.isfinite(wanted.decay) else 0.25 * target.times[-1]
    steps = int(np.ceil((wanted.time_to_peak + decay) / target.dt))
    return int(np.clip(steps, 1, (len(target.trace) - 1) // 2))


def _paired(trace: Any, interval: int, dt: float) -> float:
    """Of two responses that add up; nan where the trace is too short to show the second."""
    both = trace.copy()
    both[interval:] += trace[: len(trace) - interval]
    return _ratio(both, interval, dt)


def _paired_on_chip(problem: ResponseProblem, row: Any, interval: int) -> float:
    steps = len(problem.target.trace) - 1
    out = responses(problem.layout, row[None], steps, problem.arithmetic, (0, interval))
    return _ratio(out.trace[0].astype(np.float64), interval, problem.target.dt)


def _ratio(trace: Any, interval: int, dt: float) -> float:
    if not np.ptp(trace[: interval + 1]):
        return float("nan")
    return paired_pulse_ratio(np.arange(len(trace)) * dt, trace, 0.0, interval * dt)


def _costs(problem: ResponseProblem, row: Any) -> Mapping[str, float]:
    steps = len(problem.target.trace) - 1
    largest = responses(problem.layout, row[None], steps, problem.arithmetic).largest
    bits = state_bits(largest)
    weights = problem.layout.of_synapse(row[None], "weight")[0]
    return {
        "synapses": int((weights != 0).sum()),
        "currents": problem.layout.currents,
        "weight_bits": int(np.abs(weights).max()).bit_length(),
        "state_bits": bits.used,
        "headroom": bits.headroom,
        "responses_at_once": float(2**bits.headroom),
    }


def _at_limits(problem: ResponseProblem, row: Any) -> tuple[str, ...]:
    """Registers at the end of their range, where the target may lie beyond."""
    found = []
    for name, value, low, high in zip(problem.names, row, problem.low, problem.high):
        fixed = low == high
        if not fixed and value == high and name.startswith(("du", "dv", "delay")):
            found.append(f"{name} is at the end of its range, {int(high)}")
    return tuple(found)
