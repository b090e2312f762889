"""Tables of what quantisation did: as text, as a pandas data frame, as HTML."""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.quantise.registers import unit_of_v
from brian2lava.chip.quantise.result import Costs, ParameterRow, Quantised, Span
from brian2lava.errors import BrianLavaError

_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G")
#: Units that take a prefix; others are written as they are.
_PREFIXED = ("V", "A", "s", "Hz", "S", "F", "ohm", "C", "V/step", "A/step", "S/step")

Cell = str | int | float
#: Registers that hold what a voltage has to reach.
THRESHOLDS = ("vth", "vth_hi", "vth_lo", "theta_0")
_CELL = "padding:2px 8px;border-bottom:1px solid #ccc;vertical-align:top"


@dataclass(frozen=True)
class Table:
    """Rows under named columns; a cell is a text or a number.

    ``footnotes`` are warnings, ``remarks`` are not; columns of numbers and those in ``right`` stand
    to the right. ``str()`` is aligned text, :meth:`to_frame` a pandas data frame, :meth:`to_html` a
    page's element that needs nothing from outside.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    footnotes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    right: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise BrianLavaError(
                    f"table {self.title!r}: a row of {len(row)} cells under {len(self.columns)}"
                    " columns."
                )

    def __str__(self) -> str:
        texts = [self.columns, *(tuple(map(shown, row)) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*texts)]
        right = self._right()
        lines = [
            "  ".join(
                cell.rjust(width) if numeric else cell.ljust(width)
                for cell, width, numeric in zip(row, widths, right)
            ).rstrip()
            for row in texts
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        heading = [self.title, ""] if self.title else []
        notes = [*(f"! {note}" for note in self.footnotes), *self.remarks]
        return "\n".join([*heading, *lines, *([""] if notes else []), *notes])

    def _right(self) -> list[bool]:
        """Columns that stand to the right."""
        return [
            name in self.right
            or bool(self.rows)
            and all(isinstance(row[k], int | float) for row in self.rows)
            for k, name in enumerate(self.columns)
        ]

    def to_dicts(self) -> list[dict[str, Cell]]:
        """The rows as plain dictionaries."""
        return [dict(zip(self.columns, row)) for row in self.rows]

    def to_frame(self) -> Any:
        """The table as a ``pandas.DataFrame``.

        Raises
        ------
        BrianLavaError
            pandas is not installed.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise BrianLavaError(
                "to_frame() needs pandas, which is not installed: pip install pandas. str() and"
                " to_html() work without it."
            ) from None
        return pandas.DataFrame(list(self.rows), columns=list(self.columns))

    def to_html(self) -> str:
        """An HTML ``table``, escaped, with its style inside; rows with a flag have a colour."""
        align = ["right" if right else "left" for right in self._right()]
        heads = "".join(
            f'<th style="{_CELL};text-align:{side};border-bottom:2px solid #888">'
            f"{html.escape(column)}</th>"
            for column, side in zip(self.columns, align)
        )
        body = "\n".join(self._html_row(row, align) for row in self.rows)
        title = (
            f'<caption style="text-align:left;font-weight:bold;padding:4px 0">'
            f"{html.escape(self.title)}</caption>"
            if self.title
            else ""
        )
        notes = "".join(f'<li style="color:#a33c00">{html.escape(n)}</li>' for n in self.footnotes)
        notes += "".join(f"<li>{html.escape(remark)}</li>" for remark in self.remarks)
        return (
            f'<table style="border-collapse:collapse;font:13px sans-serif;margin:10px 0">{title}\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
            + (f'\n<ul style="font:13px sans-serif">{notes}</ul>' if notes else "")
        )

    def _html_row(self, row: tuple[Cell, ...], align: list[str]) -> str:
        named = dict(zip(self.columns, row))
        flagged = shown(named.get("flag", "")) or shown(named.get("flags", "0")) not in ("0", "")
        style = ' style="background:#fff1e5"' if flagged else ""
        cells = "".join(
            f'<td style="{_CELL};text-align:{side}">{html.escape(shown(cell))}</td>'
            for cell, side in zip(row, align)
        )
        return f"<tr{style}>{cells}</tr>"

    def _repr_html_(self) -> str:
        return self.to_html()


def shown(cell: Cell) -> str:
    """A cell as text."""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def physical(span: Span, unit: str) -> str:
    """A span with its unit, in thousands of it: "20 mV", "1 .. 5 ms"; the unit "1" is left out."""
    unit = unit.removeprefix("1") if unit in ("1", "1/step") else unit
    prefix, factor = _prefix(span.magnitude) if unit in _PREFIXED else ("", 1.0)
    low, high = (f"{value / factor:.5g}" for value in (span.low, span.high))
    number = low if span.single or low == high else f"{low} .. {high}"
    return f"{number} {prefix}{unit}".rstrip()


def _prefix(magnitude: float) -> tuple[str, float]:
    if not np.isfinite(magnitude) or magnitude == 0:
        return "", 1.0
    power = int(np.floor(np.log10(magnitude) / 3 + 1e-9))
    power = min(max(power, -5), 3)
    return _PREFIXES[power + 5], 10.0 ** (3 * power)


def integer(span: Span) -> str:
    """A span of integers."""
    return f"{span.low:.0f}" if span.single else f"{span.low:.0f} .. {span.high:.0f}"


def percent(error: float) -> str:
    """A relative error with its sign; nothing is lost to the eye: tiny ones say how tiny."""
    if error == 0:
        return "0"
    if not np.isfinite(error):
        return "all"
    if abs(error) >= 5e-5:
        return f"{error:+.2%}"
    if abs(error) >= 5e-8:
        digits = np.format_float_positional(
            100 * error, precision=1, fractional=False, trim="-", sign=True
        )
        return f"{digits}%"
    return f"{100 * error:+.0e}%"


def per_unit(scale: float, unit: str) -> str:
    """A scale with its unit: "663,400 per mV"."""
    power = 0
    if unit in _PREFIXED:
        power = min(max(int(np.floor((np.log10(scale) - 3) / 3)), -3), 5)
    number = scale / 10.0 ** (3 * power)
    told = f"{number:,.0f}" if number >= 1000 else f"{number:.4g}"
    return f"{told} per {_PREFIXES[5 - power]}{unit or '1'}"


def parameters(quantised: Quantised) -> Table:
    """One row a parameter: physical value, register, what the register means, error."""
    return Table(
        (
            "object", "parameter", "value", "register", "integer", "means", "error", "flag", "note",
        ),
        tuple(
            (
                row.object, _parameter(quantised, row), physical(row.value, row.unit),
                row.register, integer(row.integer), physical(row.meant, row.unit),
                percent(row.error), "!" if row.flagged else "", _note(row),
            )
            for row in quantised.rows
        ),
        "Parameters (levels relative to the reset; flag: more than 1% off)",
        quantised.warnings,
        right=("integer", "error"),
    )  # fmt: skip


def _parameter(quantised: Quantised, row: ParameterRow) -> str:
    """What a user calls it, with the user's name of a state that the chip calls otherwise."""
    if row.register in THRESHOLDS and "threshold" not in row.parameter:
        return f"threshold {row.parameter}"
    variable = _variable(quantised, row)
    return f"{row.parameter} ({variable})" if variable else row.parameter


def _variable(quantised: Quantised, row: ParameterRow) -> str:
    """The user's variable behind an initial state or a port."""
    owner, state = row.object, row.register
    if row.register in ("weights", ""):
        target, dot, port = row.parameter.rpartition(" ")[2].rpartition(".")
        if not dot:
            return ""
        owner, state = target, "u" + port.removeprefix("a_in")
    for population in quantised.ideal.populations:
        if population.name == owner:
            found = {link.state: link.variable for link in population.links}
            return found.get(state, "v" in found and row.register == "weights" and found["v"] or "")
    return ""


def _note(row: ParameterRow) -> str:
    notes = [row.note] if row.note else []
    if row.register == "refractory":
        notes.append("besides the spike's own step")
    return "; ".join(notes)


def costs(quantised: Quantised) -> Table:
    """One row a population: scale, head-room, time-constant errors, bounds."""
    return Table(
        (
            "population", "scale", "bounded by", "head-room", "time constants", "E_u", "E_v",
            "E_v / threshold",
        ),
        tuple(_cost(quantised, cost) for cost in quantised.costs.values()),
        "What the integers cost",
        remarks=(
            "scale: state units per unit of v; head-room: what a state holds over the largest in"
            " floating point; E_u, E_v: bounds of the errors of current and voltage by rounding in"
            " every step.",
        )
        if quantised.costs
        else (),
        right=("scale", "head-room", "E_u", "E_v", "E_v / threshold"),
    )  # fmt: skip


def _cost(quantised: Quantised, cost: Costs) -> tuple[Cell, ...]:
    unit = unit_of_v(quantised.population(cost.population))
    errors = {
        row.register: row.error
        for row in quantised.rows
        if row.object == cost.population and row.register in cost.time_constants
    }
    told = {name: errors.get(name, error) for name, error in cost.time_constants.items()}
    bounds = (
        "no bound" if np.isinf(bound) else physical(Span.of(bound / cost.scale), unit)
        for bound in (cost.bound_u, cost.bound_v)
    )
    share = "no bound" if np.isinf(cost.bound_share) else f"{cost.bound_share:.2%}"
    return (
        cost.population,
        per_unit(cost.scale, unit),
        cost.bounded_by,
        "unknown" if np.isnan(cost.headroom) else f"{cost.headroom:.3g}",
        ", ".join(f"{name} {percent(error)}" for name, error in told.items()),
        *bounds,
        "" if np.isnan(cost.bound_share) else share,
    )


#: Every kind of table by the name under which a report shows it.
TABLES: dict[str, Callable[[Quantised], Table]] = {"parameters": parameters, "costs": costs}
