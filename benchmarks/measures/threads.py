"""Two threads against one of our own: the time of the run loop, and the same spikes to the bit."""

from __future__ import annotations

from collections.abc import Iterator

from .. import sides
from ..plan import Plan
from ..table import Row, geometric_mean, middle

_BAR = 1.6
_SIZE = 100_000
_QUICK_SIZE = 4_000
_SCRIPTS = ("cuba", "cobahh", "stdp")


def measure(plan: Plan) -> Iterator[Row]:
    ratios = []
    for script in _SCRIPTS:
        if plan.wants(script):
            row, ratio = _case(plan, script, _QUICK_SIZE if plan.quick else _SIZE)
            ratios.append(ratio)
            yield row
    if ratios:
        yield _mean(ratios)


def _case(plan: Plan, script: str, size: int) -> tuple[Row, float]:
    one, two = [], []
    for _ in range(plan.repeats):
        one.append(sides.ours(plan, script, size, threads=1))
        two.append(sides.ours(plan, script, size, threads=2))
    slow, fast = (middle(answer["loop"] for answer in side) for side in (one, two))
    digests = {(a["evidence"]["digest"], a["evidence"]["spikes"]) for a in one + two}
    row = Row(
        measure="two threads against one",
        case=f"{script} {size:,}",
        ours=fast,
        theirs=slow,
        unit="s",
        figure=f"{slow / fast:.2f} times faster",
        bar="",
        met=None,
        agree=len(digests) == 1,
        detail={"one": one, "two": two},
    )
    return row, slow / fast


def _mean(ratios: list[float]) -> Row:
    mean = geometric_mean(ratios)
    return Row(
        measure="two threads against one",
        case="geometric mean",
        ours=None,
        theirs=None,
        unit="",
        figure=f"{mean:.2f} times faster",
        bar=f"{_BAR:g} times",
        met=mean >= _BAR,
        agree=None,
        detail={"ratios": ratios},
    )
