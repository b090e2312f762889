"""Wall time of the run loop, one thread, over Brian2's ten speed tests and four more networks.

Theirs is the time around the run loop of the program; ours counts the building of tables and the
hand-off to Lava too. `mid` is the middle of the sizes that a speed test names, `large` the largest
up to 100,000.
"""

from __future__ import annotations

from collections.abc import Iterator

from .. import sides
from ..evidence import agree
from ..plan import Plan
from ..table import Row, geometric_mean, middle

_MEAN_BAR = 2.0
_EACH_BAR = 0.9
_QUICK_SIZE = 1_000

SIZES: dict[str, dict[str, int]] = {
    "LinearNeuronsOnly": {"mid": 10_000, "large": 100_000},
    "HHNeuronsOnly": {"mid": 1_000, "large": 100_000},
    "CUBAFixedConnectivity": {"mid": 1_000, "large": 100_000},
    "COBAHHFixedConnectivity": {"mid": 10_000, "large": 100_000},
    "VerySparseMediumRateSynapsesOnly": {"mid": 1_000, "large": 100_000},
    "SparseMediumRateSynapsesOnly": {"mid": 1_000, "large": 100_000},
    "DenseMediumRateSynapsesOnly": {"mid": 1_000, "large": 40_000},
    "SparseLowRateSynapsesOnly": {"mid": 1_000, "large": 100_000},
    "SparseHighRateSynapsesOnly": {"mid": 1_000, "large": 10_000},
    "STDP": {"mid": 10_000, "large": 100_000},
    "cobahh": {"mid": 4_000, "large": 20_000},
    "brunel_hakim": {"mid": 5_000, "large": 20_000},
    "brunel_hakim_delays": {"mid": 5_000, "large": 20_000},
    "stdp": {"mid": 10_000, "large": 100_000},
}


def measure(plan: Plan) -> Iterator[Row]:
    ratios = []
    for script, sizes in SIZES.items():
        for size in {_QUICK_SIZE} if plan.quick else [sizes[name] for name in plan.sizes]:
            if plan.wants(f"{script} {size}"):
                row, ratio = _case(plan, script, size)
                ratios.append(ratio)
                yield row
    if ratios:
        yield _mean(ratios)


def _case(plan: Plan, script: str, size: int) -> tuple[Row, float]:
    ours, theirs = [], []
    with sides.standalone(plan, script, size) as (project, answer):
        for repeat in range(plan.repeats):
            theirs.append(sides.run_again(project) if repeat else answer)
            ours.append(sides.ours(plan, script, size))
    mine, other = (middle(answer["loop"] for answer in side) for side in (ours, theirs))
    ratio = other / mine
    row = Row(
        measure="run loop",
        case=f"{script} {size:,}",
        ours=mine,
        theirs=other,
        unit="s",
        figure=f"{ratio:.2f} times faster",
        bar=f"{_EACH_BAR:g} times",
        met=ratio >= _EACH_BAR,
        agree=agree(script, size, ours[0]["evidence"], answer["evidence"]),
        detail={"ours": ours, "theirs": theirs},
    )
    return row, ratio


def _mean(ratios: list[float]) -> Row:
    mean = geometric_mean(ratios)
    return Row(
        measure="run loop",
        case="geometric mean",
        ours=None,
        theirs=None,
        unit="",
        figure=f"{mean:.2f} times faster",
        bar=f"{_MEAN_BAR:g} times",
        met=mean >= _MEAN_BAR,
        agree=None,
        detail={"ratios": ratios},
    )
