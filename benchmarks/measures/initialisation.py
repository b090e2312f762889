"""Making 20 million synapses: time and peak memory, against the program of `cpp_standalone` alone.

Ours is the time of the whole script without imports, with compiled set-up code in the cache; the
memory is that of the whole Python process.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import sides
from ..plan import Plan
from ..table import Row, middle

_SIZE = 20_000
_QUICK_SIZE = 2_000
_MEGABYTE = 1e6
_SCRIPTS = (
    "connect_by_condition",
    "connect_by_expression",
    "connect_by_sample",
    "connect_by_range",
)


def measure(plan: Plan) -> Iterator[Row]:
    size = _QUICK_SIZE if plan.quick else _SIZE
    for script in _SCRIPTS:
        if plan.wants(script):
            yield from _case(plan, script, size)


def _case(plan: Plan, script: str, size: int) -> Iterator[Row]:
    ours, theirs = [], []
    sides.ours(plan, script, size)  # fills the cache
    with sides.standalone(plan, script, size) as (project, answer):
        for _ in range(plan.repeats):
            theirs.append(sides.run_again(project))
            ours.append(sides.ours(plan, script, size))
    same = _as_many(ours[0]["evidence"]["synapses"], answer["evidence"]["synapses"])
    detail = {"ours": ours, "theirs": theirs}
    case = f"{script}, about {size**2 // 20:,}"
    mine, other = (
        middle(a[key] for a in side) for side, key in ((ours, "script"), (theirs, "wall"))
    )
    yield Row(
        measure="initialisation, time",
        case=case,
        ours=mine,
        theirs=other,
        unit="s",
        figure=f"{mine / other:.2f} of theirs",
        bar="1.0",
        met=mine <= other,
        agree=same,
        detail=detail,
    )
    mine, other = (middle(a["peak"] / _MEGABYTE for a in side) for side in (ours, theirs))
    if not other:
        return  # at a small size the program is over before the first sample
    yield Row(
        measure="initialisation, memory",
        case=case,
        ours=mine,
        theirs=other,
        unit="MB",
        figure=f"{mine / other:.2f} of theirs",
        bar="1.0",
        met=mine <= other,
        agree=same,
        detail=detail,
    )


def _as_many(ours: int, theirs: int) -> bool:
    """Within five standard deviations of a difference of two counts."""
    return abs(ours - theirs) <= 5 * (ours + theirs) ** 0.5
