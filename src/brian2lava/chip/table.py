"""Tables of what quantisation did: as text, as a pandas data frame, as HTML."""

from __future__ import annotations

import html
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealNetwork
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.chip.quantise.build import quantise
from brian2lava.chip.quantise.result import WORST_BOUND, WORST_ERROR, Quantised, Span
from brian2lava.errors import BrianLavaError, ChipLimit

_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G")
#: Units that take a prefix; others are written as they are.
_PREFIXED = ("V", "A", "s", "Hz", "S", "F", "ohm", "C", "V/step", "A/step", "S/step")

Cell = str | int | float


@dataclass(frozen=True)
class Table:
    """Rows under named columns; a cell is a text or a number.

    ``str()`` is aligned text, :meth:`to_frame` a pandas data frame, :meth:`to_html` a page's
    element that needs nothing from outside.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    footnotes: tuple[str, ...] = ()

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
        numeric = [self.rows and all(isinstance(row[k], int | float) for row in self.rows)
                   for k in range(len(self.columns))]  # fmt: skip
        lines = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(row, widths, numeric)
            ).rstrip()
            for row in texts
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        heading = [self.title, ""] if self.title else []
        notes = ["", *(f"! {note}" for note in self.footnotes)] if self.footnotes else []
        return "\n".join([*heading, *lines, *notes])

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
        """An HTML ``table``, escaped, with its style inside."""
        cell = 'style="padding:2px 8px;border-bottom:1px solid #ccc;text-align:left"'
        heads = "".join(f"<th {cell}>{html.escape(column)}</th>" for column in self.columns)
        body = "\n".join(
            "<tr>" + "".join(f"<td {cell}>{html.escape(shown(c))}</td>" for c in row) + "</tr>"
            for row in self.rows
        )
        title = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.footnotes)
        return (
            f'<table style="border-collapse:collapse;font-family:sans-serif">{title}\n'
            f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
            + (f"\n<ul>{notes}</ul>" if notes else "")
        )

    def _repr_html_(self) -> str:
        return self.to_html()


def shown(cell: Cell) -> str:
    """A cell as text."""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)


def physical(span: Span, unit: str) -> str:
    """A span with its unit, in thousands of it: "20 mV", "1 .. 5 ms"."""
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
    return f"{error:+.2%}" if abs(error) >= 5e-5 else f"{error:+.0e}"


def parameters(quantised: Quantised) -> Table:
    """One row a parameter: physical value, register, what the register means, error."""
    return Table(
        (
            "object", "parameter", "value", "register", "integer", "means", "error", "flag", "note",
        ),
        tuple(
            (
                row.object, row.parameter, physical(row.value, row.unit), row.register,
                integer(row.integer), physical(row.meant, row.unit), percent(row.error),
                "!" if row.flagged else "", row.note,
            )
            for row in quantised.rows
        ),
        "Parameters (levels relative to the reset)",
        quantised.warnings,
    )  # fmt: skip


def costs(quantised: Quantised) -> Table:
    """One row a population: scale, head-room, time-constant errors, bounds."""
    return Table(
        (
            "population", "state units a unit", "bounded by", "head-room", "time constants",
            "E_u", "E_v", "E_v / threshold",
        ),
        tuple(
            (
                cost.population, float(cost.scale), cost.bounded_by,
                "unknown" if np.isnan(cost.headroom) else f"{cost.headroom:.3g}",
                ", ".join(f"{name} {percent(e)}" for name, e in cost.time_constants.items()),
                f"{cost.bound_u:.4g}", f"{cost.bound_v:.4g}",
                "" if np.isnan(cost.bound_share) else f"{cost.bound_share:.2%}",
            )
            for cost in quantised.costs.values()
        ),
        "What the integers cost (bounds in state units)",
    )  # fmt: skip


def dt_scan(
    ideal_of: Callable[[float], IdealNetwork],
    dts: Iterable[float],
    chip: str = "Loihi2",
    arithmetic: Arithmetic = LAVA,
    **options: Any,
) -> Table:
    """What other time steps would give: worst errors of time constants and weights, and flags.

    Parameters
    ----------
    ideal_of : function of the time step (s) -> IdealNetwork
        The same model with another time step; a :class:`ChipLimit` that it raises is shown.
    dts : iterable of float
        Seconds.
    options
        Of :func:`brian2lava.chip.quantise.quantise`.
    """
    return Table(
        ("time step", "time constants", "weights", "other", "least head-room", "flags", "worst"),
        tuple(_scanned(ideal_of, dt, chip, arithmetic, options) for dt in dts),
        f"Other time steps ({chip})",
    )


def _scanned(
    ideal_of: Callable[[float], IdealNetwork], dt: float, chip: str, arithmetic: Arithmetic,
    options: dict[str, Any],
) -> tuple[Cell, ...]:  # fmt: skip
    step = physical(Span(dt, dt), "s")
    try:
        made = quantise(ideal_of(dt), chip, arithmetic, **options)  # type: ignore[arg-type]
    except ChipLimit as error:
        return (step, "", "", "", "", "does not fit", str(error))
    decays = [e for cost in made.costs.values() for e in cost.time_constants.values()]
    weights = [row.error for row in made.rows if row.register == "weights"]
    other = [row.error for row in made.rows if row.register != "weights" and not _decay(row.unit)]
    rooms = [cost.headroom for cost in made.costs.values() if not np.isnan(cost.headroom)]
    return (
        step, _worst(decays), _worst(weights), _worst(other),
        f"{min(rooms):.3g}" if rooms else "unknown", len(made.warnings), _worst_flag(made),
    )  # fmt: skip


def _decay(unit: str) -> bool:
    return unit in ("s", "/step")


def _worst(errors: Sequence[float]) -> str:
    return percent(max(errors, key=abs)) if errors else ""


def _worst_flag(made: Quantised) -> str:
    """What is furthest beyond what is tolerable."""
    excess = [(abs(row.error) / WORST_ERROR, f"{row.object}: {row.parameter}") for row in made.rows]
    excess += [
        (cost.bound_share / WORST_BOUND, f"{cost.population}: bound of the voltage's error")
        for cost in made.costs.values()
        if not np.isnan(cost.bound_share)
    ]
    beyond = [pair for pair in excess if pair[0] > 1]
    return max(beyond)[1] if beyond else (made.warnings[0] if made.warnings else "")


#: Every kind of table by the name under which a report shows it.
TABLES: dict[str, Callable[[Quantised], Table]] = {"parameters": parameters, "costs": costs}
