"""A second `run()` of the same explicit network: how soon its first step is done.

Measured is the whole second call with a single step, which is longer than to its first step.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import sides
from ..plan import Plan
from ..table import Row, middle

_SIZE = 4000
_BAR_MILLISECONDS = 50.0


def measure(plan: Plan) -> Iterator[Row]:
    answers = [sides.our_second_run(plan, _SIZE) for _ in range(plan.repeats)]
    milliseconds = middle(1000 * answer["second"] for answer in answers)
    yield Row(
        measure="second run()",
        case="CUBA 4,000, one step",
        ours=milliseconds,
        theirs=None,
        unit="ms",
        figure=f"{milliseconds:.1f} ms",
        bar=f"{_BAR_MILLISECONDS:g} ms",
        met=milliseconds <= _BAR_MILLISECONDS,
        agree=None,
        detail={"answers": answers},
    )
