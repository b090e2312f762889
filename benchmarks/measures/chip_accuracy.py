"""A quantised CUBA network against floating point, over seeds: rates, irregularity, correlation.

For each seed, connections and initial voltages are the same on both sides. Every parameter whose
integers mean something else by more than 1 % has to be flagged by the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean, stdev
from typing import Any

from ..plan import Plan
from ..process import call
from ..table import Row

_SEEDS = (1, 2, 3, 4, 5)
#: Two runs that differ by a rounding somewhere soon have other spikes, and over 1 s their rates
#: differ by 1.6 % by chance, which hides what integers change.
_SIZE, _SECONDS = 4_000, 10.0
_RATE_BAR, _ERROR_BAR = 0.03, 0.01
_NAMES = {
    "rate": ("mean rate", "Hz"),
    "cv": ("CV of interspike intervals", ""),
    "correlation": ("pairwise correlation, 5 ms", ""),
}


def measure(plan: Plan) -> Iterator[Row]:
    size, seconds = (1_000, 0.3) if plan.quick else (_SIZE, _SECONDS)
    answers = [
        call(
            "benchmarks.chip_accuracy", "cuba", cache=plan.cache("ours"), number=number,
            size=size, duration=seconds,
        )
        for number in _SEEDS
    ]  # fmt: skip
    case = f"CUBA {size:,}, {len(_SEEDS)} seeds, {seconds:g} s"
    for name in _NAMES:
        yield _statistic(plan, name, case, answers)
    yield _parameters(case, answers)


def _statistic(plan: Plan, name: str, case: str, answers: list[dict[str, Any]]) -> Row:
    title, unit = _NAMES[name]
    chip = [answer["chip"][name] for answer in answers]
    floating = [answer["floating"][name] for answer in answers]
    change = mean(chip) / mean(floating) - 1
    each = [one / other - 1 for one, other in zip(chip, floating, strict=True)]
    barred = name == "rate"
    return Row(
        measure=f"chip against floating point: {title}",
        case=case,
        ours=mean(chip),
        theirs=mean(floating),
        unit=unit,
        figure=(
            f"{change:+.2%} (single seeds {min(each):+.1%} .. {max(each):+.1%};"
            f" over seeds {stdev(chip):.2g} and {stdev(floating):.2g})"
        ),
        bar=f"{_RATE_BAR:.0%}" if barred else "",
        met=abs(change) <= _RATE_BAR if barred and not plan.quick else None,
        agree=None,
        detail={"chip": chip, "floating": floating},
    )


def _parameters(case: str, answers: list[dict[str, Any]]) -> Row:
    """The worst error that is not flagged, over all seeds; None is no bound at all."""
    worst, flagged = 0.0, set()
    for answer in answers:
        flagged |= set(answer["flagged"])
        for name, _, error in answer["parameters"]:
            if name not in answer["flagged"]:
                worst = max(worst, float("inf") if error is None else abs(error))
    return Row(
        measure="chip against floating point: parameters",
        case=case,
        ours=100 * worst,
        theirs=None,
        unit="% at most",
        figure=f"flagged beyond: {', '.join(sorted(flagged)) or 'none'}",
        bar=f"{_ERROR_BAR:.0%} or flagged",
        met=worst <= _ERROR_BAR,
        agree=None,
        detail={"answers": answers},
    )
