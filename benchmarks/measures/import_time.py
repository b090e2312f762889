"""What `import brian2lava` adds to `import brian2`."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from ..plan import Plan
from ..process import call
from ..table import Row, middle

_BAR_SECONDS = 0.1


def imports() -> dict[str, float]:
    """In a fresh process: the time of each import (s)."""
    begin = perf_counter()
    import brian2  # noqa: F401

    between = perf_counter()
    import brian2lava  # noqa: F401

    return {"brian2": between - begin, "brian2lava": perf_counter() - between}


def measure(plan: Plan) -> Iterator[Row]:
    cache = plan.cache("ours")
    answers = [call(__name__, "imports", cache=cache) for _ in range(plan.repeats + 1)][1:]
    seconds = middle(answer["brian2lava"] for answer in answers)
    yield Row(
        measure="import",
        case="import brian2lava after brian2",
        ours=seconds,
        theirs=middle(answer["brian2"] for answer in answers),
        unit="s",
        figure=f"adds {seconds:.3f} s",
        bar=f"{_BAR_SECONDS:g} s",
        met=seconds < _BAR_SECONDS,
        agree=None,
        detail={"answers": answers},
    )
