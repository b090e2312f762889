"""Fits: evaluations a second and the first result against brian2modelfitting, and how often the
registers of a chip neuron are recovered from a recording of it.

Times are the processor's, and the least of the repeats on both sides: what else runs on the machine
can only lengthen them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from statistics import mean, median
from typing import Any

from ..plan import Plan
from ..process import call
from ..table import Row, middle

_FUNCTIONS = "benchmarks.fitting"
_STEPS = 34_000
_BAR, _RECOVERED_BAR, _SECONDS_BAR = 20, 95, 10.0
#: Samples of a SpikeFitter: its default, and as many as help it; the better figure counts.
_THEIR_SAMPLES = (30, 300, 2_000)
_OUR_SAMPLES = 1_024


def measure(plan: Plan) -> Iterator[Row]:
    steps = 4_000 if plan.quick else _STEPS
    if plan.wants("evaluations"):
        yield _evaluations(plan, steps)
    for cache in ("cold", "warm"):
        if plan.wants(f"first result, {cache}"):
            yield _first(plan, steps, cache)
    seeds = list(range(5 if plan.quick else 100))
    if plan.wants("recover with voltage"):
        yield _recovered(plan, "current, spikes and voltage", seeds, True, (10, 1_000))
    if plan.wants("recover from spikes"):
        yield _recovered(plan, "current and spikes alone", seeds, False, (10, 1_000))
        yield _recovered(plan, "the same, thresholds up to 4,000", seeds, False, (10, 4_000))


def _theirs_is_here() -> str:
    """Why brian2modelfitting can't be asked; "" where it can."""
    if find_spec("brian2modelfitting") is None:
        return "brian2modelfitting is not installed (extra test-all)"
    return ""


def _call(plan: Plan, function: str, cache: str, **arguments: Any) -> dict[str, Any]:
    return call(_FUNCTIONS, function, cache=plan.cache(cache), **arguments)


def _evaluations(plan: Plan, steps: int) -> Row:
    rounds = 3 * plan.repeats
    answer = _call(plan, "ours", "ours", steps=steps, samples=_OUR_SAMPLES, rounds=rounds)
    mine = _OUR_SAMPLES / min(answer["seconds"])
    missing, other, sides = _theirs_is_here(), None, {}
    if not missing:
        for samples in _THEIR_SAMPLES[: 1 if plan.quick else None]:
            sides[samples] = samples / min(
                _call(plan, "theirs", "theirs", steps=steps, samples=samples, rounds=2)["seconds"]
            )
        other = max(sides.values())
    return Row(
        measure="evaluations a second, one core",
        case=f"LIF, one stimulus of {steps:,} steps, gamma factor included",
        ours=middle([mine]),
        theirs=None if other is None else middle([other]),
        unit="a second",
        figure=missing or f"{mine / (other or mine):.0f} times as many",
        bar=f"{_BAR} times",
        met=None if other is None else mine >= _BAR * other,
        agree=None,
        detail={**answer, "theirs": sides},
    )


def _first(plan: Plan, steps: int, cache: str) -> Row:
    def least(function: str) -> tuple[float, dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        for k in range(plan.repeats):
            name = f"{function}_{k}" if cache == "cold" else f"{function}_0"
            if cache == "warm" and not answers:
                _call(plan, function, name, steps=steps, samples=30)
            answers.append(_call(plan, function, name, steps=steps, samples=30))
        return min(each["cpu"] for each in answers), answers[0]

    mine, own = least("our_first")
    missing = _theirs_is_here()
    other, their = (None, {}) if missing else least("their_first")
    return Row(
        measure="first result of a fit",
        case=f"a new process, {cache} cache; ours 500 evaluations, theirs 30",
        ours=middle([mine]),
        theirs=None if other is None else middle([other]),
        unit="s",
        figure=missing or f"{(other or mine) / mine:.1f} times faster",
        bar="shorter",
        met=None if other is None else mine < other,
        agree=None,
        detail={"ours": own, "theirs": their},
    )


def _recovered(plan: Plan, case: str, seeds: list[int], voltage: bool, vth: tuple[int, int]) -> Row:
    answer = _call(plan, "recovered", "ours", seeds=seeds, voltage=voltage, vth=vth)
    same, registers = sum(answer["held_out"]), sum(answer["registers"])
    longest = max(answer["seconds"])
    bar = f"{_RECOVERED_BAR} %, each under {_SECONDS_BAR:g} s"
    return Row(
        measure="registers of a LIF from a recording",
        case=f"{case}, {len(seeds)} seeds",
        ours=middle([median(answer["seconds"])]),
        theirs=None,
        unit="s",
        figure=f"{same} the same spikes on the held-out span, {registers} the same registers,"
        f" {sum(answer['exact'])} explain all they saw; {mean(answer['in_their_step']):.1%} of the"
        f" held-out spikes in their step; longest {longest:.1f} s",
        bar=bar if voltage else "",
        met=(
            100 * same >= _RECOVERED_BAR * len(seeds) and longest < _SECONDS_BAR
            if voltage and not plan.quick
            else None
        ),
        agree=None,
        detail=answer,
    )
