"""One measured figure, and the table of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure against its bar.

    `ours` and `theirs` are in `unit`; `figure` is what the bar speaks about, `met` whether it is
    reached (None where there is no bar). `agree` says whether both sides computed the same
    (None where there is nothing to compare), `detail` holds what else was seen.
    """

    measure: str
    case: str
    ours: float | None
    theirs: float | None
    unit: str
    figure: str
    bar: str
    met: bool | None
    agree: bool | None
    detail: dict[str, Any]

    @property
    def failed(self) -> bool:
        return self.met is False or self.agree is False


def middle(values: Iterable[float]) -> float:
    """The median, to four digits."""
    return float(f"{median(values):.4g}")


def geometric_mean(values: Iterable[float]) -> float:
    """exp of the mean logarithm. Raises ValueError without values."""
    logarithms = [math.log(value) for value in values]
    if not logarithms:
        raise ValueError("a geometric mean needs at least one value")
    return math.exp(sum(logarithms) / len(logarithms))


def markdown(rows: list[Row]) -> str:
    """The rows as a table in Markdown."""
    head = ["measure", "case", "ours", "theirs", "figure", "bar", "met", "same results"]
    lines = [head, ["---"] * len(head)]
    lines += [
        [
            row.measure,
            row.case,
            _value(row.ours, row.unit),
            _value(row.theirs, row.unit),
            row.figure,
            row.bar,
            _word(row.met),
            _word(row.agree),
        ]
        for row in rows
    ]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}"


def _word(answer: bool | None) -> str:
    return {None: "", True: "yes", False: "**no**"}[answer]
