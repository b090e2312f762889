"""The table of many fits, what it says of each candidate, and how parameters are distributed."""

from __future__ import annotations

import csv
import importlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.candidates import candidate
from brian2lava.fit.many.folder import written
from brian2lava.fit.many.rows import FAILED, RUNNING, WAITING, Row

_SCORES = ("held_out", "held_out_mean", "held_out_spread", "train", "train_mean", "train_spread")


@dataclass(frozen=True)
class Distribution:
    """A number over cells.

    Attributes
    ----------
    name : str
        A parameter, or "held_out".
    unit : str
        "s", "Hz", "threshold" (multiples of the resting threshold), "1/I" (such multiples a unit of
        the cell's current), or "1".
    log : bool
        Whether it is searched, and best shown, on a logarithmic scale.
    cells : tuple of str
    values : array of float64, shape (cells,)
        Finite ones only.
    """

    name: str
    unit: str
    log: bool
    cells: tuple[str, ...]
    values: Any

    def quantile(self, part: float) -> float:
        """The value below which ``part`` of the cells lie (linear in between); nan without any."""
        return float(np.quantile(self.values, part)) if len(self.values) else float("nan")

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median, third quartile."""
        return self.quantile(0.25), self.quantile(0.5), self.quantile(0.75)


@dataclass(frozen=True)
class Summary:
    """What the table says of a candidate.

    Attributes
    ----------
    candidate : str
    scored : int
        Cells with a held-out score, of which the following is.
    median, first_quartile, third_quartile : float
        Of the held-out gamma factor over cells.
    wins : int
        Cells for which no other candidate has a better one; ties count for each. A cell counts as
        soon as none of its rows waits or runs.
    failed : int
        Rows without a result.
    """

    candidate: str
    scored: int
    median: float
    first_quartile: float
    third_quartile: float
    wins: int
    failed: int


@dataclass(frozen=True)
class ManyResult:
    """Rows of cell and candidate.

    Attributes
    ----------
    rows : tuple of Row
        Cell after cell.
    """

    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(dict.fromkeys(row.cell for row in self.rows))

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(dict.fromkeys(row.candidate for row in self.rows))

    def __getitem__(self, key: tuple[str, str]) -> Row:
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(f"there is no row {key!r}; rows are called (cell, candidate).")

    # ------------------------------------------------------------ the table
    def table(self) -> list[dict[str, Any]]:
        """A row a cell and candidate: scores, costs, what is physical as "tau_m [s]", registers
        as "register du".

        Every row has the columns of all candidates; what a candidate lacks is None.
        """
        physical = dict.fromkeys(
            _heading(row.candidate, name) for row in self.rows for name in row.physical
        )
        registers = dict.fromkeys(name for row in self.rows for name in row.registers)
        return [self._flat(row, physical, registers) for row in self.rows]

    def _flat(self, row: Row, physical: Iterable[str], registers: Iterable[str]) -> dict[str, Any]:
        meaning = {_heading(row.candidate, name): v for name, v in row.physical.items()}
        return {
            "cell": row.cell,
            "candidate": row.candidate,
            "state": row.state,
            **{name: getattr(row, name) for name in _SCORES},
            "evaluations": row.evaluations,
            "seconds": row.seconds,
            **{name: meaning.get(name) for name in physical},
            **{f"register {name}": row.registers.get(name) for name in registers},
            "reason": row.reason,
        }

    def to_frame(self) -> Any:
        """The table as a ``pandas.DataFrame``.

        Raises
        ------
        FitError
            pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise FitError(
                "to_frame() needs pandas, which is not installed: pip install pandas. table() and"
                " to_csv() work without it."
            ) from None
        return pandas.DataFrame(self.table())

    def to_csv(self, path: str | Path | None = None) -> str:
        """The table as comma-separated text; written to a file, too, if one is named.

        Numbers have all their digits; what is missing, or no number, is empty.
        """
        return _as_csv(self.table(), path)

    # ------------------------------------------------------------ candidates
    def scores(self, name: str) -> Distribution:
        """The held-out gamma factor of a candidate over cells."""
        rows = [row for row in self._of(name) if math.isfinite(row.held_out)]
        values = np.array([row.held_out for row in rows])
        return Distribution("held_out", "1", False, tuple(row.cell for row in rows), values)

    def parameters(self, name: str) -> dict[str, Distribution]:
        """The physical parameters of a candidate over cells, by name."""
        rows = [row for row in self._of(name) if row.found]
        found = {}
        for parameter in candidate(name).parameters:
            known = [
                (row.cell, row.physical[parameter.name])
                for row in rows
                if math.isfinite(row.physical.get(parameter.name, math.nan))
            ]
            cells, values = zip(*known) if known else ((), ())
            found[parameter.name] = Distribution(
                parameter.name, parameter.unit, parameter.log, cells, np.array(values, float)
            )
        return found

    def _of(self, name: str) -> list[Row]:
        if name not in self.candidates:
            raise FitError(
                f"no row has the candidate {name!r}; they have {', '.join(self.candidates)}."
            )
        return [row for row in self.rows if row.candidate == name]

    def summary(self) -> tuple[Summary, ...]:
        """A line a candidate, the highest median first."""
        wins = self._wins()
        found = []
        for name in self.candidates:
            scores = self.scores(name)
            low, median, high = scores.quartiles
            failed = sum(row.state == FAILED for row in self._of(name))
            found.append(Summary(name, len(scores.values), median, low, high, wins[name], failed))
        return tuple(sorted(found, key=lambda s: (-s.median if s.scored else math.inf, -s.wins)))

    def _wins(self) -> Mapping[str, int]:
        wins = dict.fromkeys(self.candidates, 0)
        by_cell: dict[str, list[Row]] = {}
        for row in self.rows:
            by_cell.setdefault(row.cell, []).append(row)
        for rows in by_cell.values():
            scored = [row for row in rows if math.isfinite(row.held_out)]
            if scored and not any(row.state in (WAITING, RUNNING) for row in rows):
                best = max(row.held_out for row in scored)
                for row in scored:
                    wins[row.candidate] += row.held_out == best
        return wins

    def summary_csv(self, path: str | Path | None = None) -> str:
        """:meth:`summary` as comma-separated text; written to a file, too, if one is named."""
        return _as_csv([vars(each) for each in self.summary()], path)

    def __str__(self) -> str:
        width = max([4, *(len(cell) for cell in self.cells)]) + 2
        lines = [
            "gamma factor at 2 ms on the held-out part (with the mean and the spread over seeds)"
            " and on the trained one",
            f"{'cell':<{width}}{'candidate':<14}{'held out':>10}{'mean':>8}{'spread':>8}"
            f"{'train':>8}  state",
        ]
        for row in self.rows:
            numbers = "".join(
                f"{_shown(value):>{size}}"
                for value, size in (
                    (row.held_out, 10), (row.held_out_mean, 8), (row.held_out_spread, 8),
                    (row.train, 8),
                )
            )  # fmt: skip
            state = f"{row.state}: {row.reason}" if row.reason else row.state
            lines.append(f"{row.cell:<{width}}{row.candidate:<14}{numbers}  {state}")
        lines += ["", f"{'candidate':<14}{'median':>8}{'quartiles':>16}{'wins':>6}{'cells':>7}"]
        for each in self.summary():
            quartiles = f"{_shown(each.first_quartile)} .. {_shown(each.third_quartile)}"
            lines.append(
                f"{each.candidate:<14}{_shown(each.median):>8}{quartiles:>16}{each.wins:>6}"
                f"{each.scored:>7}"
            )
        return "\n".join(lines)


def _heading(name: str, parameter: str) -> str:
    """A parameter with its unit."""
    unit = candidate(name).parameter(parameter).unit
    return parameter if unit == "1" else f"{parameter} [{unit}]"


def _shown(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "-"


def _as_csv(rows: Sequence[Mapping[str, Any]], path: str | Path | None) -> str:
    out = io.StringIO()
    if rows:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})
    if path is not None:
        written(Path(path), out.getvalue().encode())
    return out.getvalue()


def _cell(value: Any) -> Any:
    """Text of a cell: no nan, and nothing that a spreadsheet would take for a formula."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return value
