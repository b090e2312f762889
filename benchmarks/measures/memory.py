"""Peak memory of a script with 20 million synapses that have a weight each.

The proportional set sizes of all processes are summed (Python, the engine or program; without
compilers), from the first line of the script to its results.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import sides
from ..evidence import agree
from ..plan import Plan
from ..table import Row, middle

_SIZE = 20_000
_QUICK_SIZE = 2_000
_MEGABYTE = 1e6


def measure(plan: Plan) -> Iterator[Row]:
    size = _QUICK_SIZE if plan.quick else _SIZE
    if not plan.wants("one_weight_each"):
        return
    ours, theirs = [], []
    for _ in range(plan.repeats):
        with sides.standalone(plan, "one_weight_each", size, shorter=1.0) as (_, answer):
            theirs.append(answer)
        ours.append(sides.ours(plan, "one_weight_each", size, shorter=1.0))
    mine, other = (middle(answer["peak"] / _MEGABYTE for answer in side) for side in (ours, theirs))
    yield Row(
        measure="peak memory",
        case=f"{size**2 // 20:,} synapses with a weight each",
        ours=mine,
        theirs=other,
        unit="MB",
        figure=f"{mine / other:.2f} of theirs",
        bar="1.0",
        met=mine <= other,
        agree=agree("one_weight_each", size, ours[0]["evidence"], theirs[0]["evidence"]),
        detail={"ours": ours, "theirs": theirs},
    )
