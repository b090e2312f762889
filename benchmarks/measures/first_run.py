"""From the call of `run()` to results in hand, for a model never seen before and one seen before.

`cpp_standalone` compiles every time. Ours compiles a model once: `warm` is the same model with
other values, in another process. CUBA with 4,000 neurons, 1 s.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import sides
from ..evidence import agree
from ..plan import Plan
from ..table import Row, middle

_SIZE = 4000
_COLD_BAR = 3.0
_WARM_BAR = 10.0


def measure(plan: Plan) -> Iterator[Row]:
    if plan.wants("cold"):
        caches = [f"cold_{repeat}" for repeat in range(plan.repeats)]
        yield _row(plan, "cold", "cuba", caches, _COLD_BAR)
    if plan.wants("warm"):
        sides.ours(plan, "cuba", _SIZE, shorter=1.0)
        yield _row(plan, "warm", "cuba_other_values", ["ours"] * plan.repeats, _WARM_BAR)


def _row(plan: Plan, case: str, script: str, caches: list[str], bar: float) -> Row:
    """Both sides in turn, ours once with each of `caches`."""
    ours, theirs = [], []
    for cache in caches:
        with sides.standalone(plan, script, _SIZE, shorter=1.0) as (_, answer):
            theirs.append(answer)
        ours.append(sides.ours(plan, script, _SIZE, cache=cache, shorter=1.0))
    mine, other = (middle(answer["call"] for answer in side) for side in (ours, theirs))
    return Row(
        measure="run() to results",
        case=f"CUBA 4,000, {case}",
        ours=mine,
        theirs=other,
        unit="s",
        figure=f"{other / mine:.2f} times faster",
        bar=f"{bar:g} times",
        met=other / mine >= bar,
        agree=agree(script, _SIZE, ours[0]["evidence"], theirs[0]["evidence"]),
        detail={"ours": ours, "theirs": theirs},
    )
