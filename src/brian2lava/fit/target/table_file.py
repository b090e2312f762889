"""Text tables -> columns by name: commas, semicolons, tabs or blanks; UTF-8."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.target.target import MOST_SAMPLES

_EMPTY = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})
#: Characters of a cell that a message repeats.
_SHOWN = 30
_MOST_COLUMNS = 1000
#: Lines beside those of samples.
_SLACK = 1000


def read_table(name: str, data: bytes, columns: Sequence[str] | None = None) -> Mapping[str, Any]:
    """Columns of a table; empty cells are NaN.

    Lines that begin with ``#`` are passed over; the last of them names the columns if no other line
    does.

    Raises
    ------
    FitError
        It is no text, a cell is no number, or rows have different numbers of cells.
    """
    text = _text(name, data)
    begin, remark = _first_line(text)
    first, _, rest = text[begin:].partition("\n")
    if not first.strip():
        raise FitError(f"{name} has no line with numbers.")
    separator = _separator(rest.lstrip().partition("\n")[0] or first)
    if _is_numeric(first, separator):
        header, body = remark, text[begin:]
    else:
        header, body = first, rest
    names = list(columns) if columns is not None else _names(name, header, separator)
    if not body.strip():
        raise FitError(
            f"{name} has a line of names, {', '.join(map(repr, names))}, and no numbers."
        )
    rows = body.count("\n")
    if rows > MOST_SAMPLES + _SLACK:
        raise FitError(
            f"{name} has {rows} rows; {MOST_SAMPLES} are the most. Cut the recording, or keep every"
            " second sample."
        )
    if len(names) > _MOST_COLUMNS:
        raise FitError(f"{name} has {len(names)} columns; {_MOST_COLUMNS} are the most.")
    line = 1 + text.count("\n", 0, len(text) - len(body))
    table = _numbers(name, body, separator, len(names), line)
    return {_unique(names, k): table[:, k] for k in range(len(names))}


def _text(name: str, data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FitError(f"{name} is text in UTF-16; save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise FitError(
            f"{name} is no text in UTF-8: byte 0x{data[problem.start]:02x} at {problem.start}. Save"
            " it as CSV in UTF-8 (or ASCII)."
        ) from None
    if "\0" in text:
        raise FitError(f"{name} is no text: it has null bytes. Save it as CSV in UTF-8.")
    return text


def _first_line(text: str) -> tuple[int, str | None]:
    """Where the first line that is no remark begins, and the last remark before it."""
    place, remark = 0, None
    while place < len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        line = text[place:end].strip()
        if line and not line.startswith("#"):
            break
        if line:
            remark = line.lstrip("# ")
        place = end + 1
    return place, remark


def _separator(line: str) -> str:
    """The character between cells; a blank stands for any number of blanks."""
    for separator in ("\t", ";", ","):
        if separator in line:
            return separator
    return " "


def _cells(line: str, separator: str) -> list[str]:
    cells = line.split() if separator == " " else line.split(separator)
    return [cell.strip().strip('"').strip() for cell in cells]


def _is_numeric(line: str, separator: str) -> bool:
    return all(
        cell.lower() in _EMPTY or _number(cell, separator) is not None
        for cell in _cells(line, separator)
    )


def _number(cell: str, separator: str) -> float | None:
    # where commas do not separate cells they are decimal points
    if separator != "," and cell.count(",") == 1 and "." not in cell:
        cell = cell.replace(",", ".")
    if "_" in cell:  # Python's own notation, nobody else's
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def _names(name: str, header: str | None, separator: str) -> list[str]:
    if header is None:
        raise FitError(
            f"{name} has no line that names its columns. Add one, 't (ms), I (pA), V (mV)', or give"
            " columns=[...]."
        )
    if separator != " ":
        return _cells(header, separator)
    # "t [s] I [pA]": a unit belongs to the name before it
    return [part.strip() for part in re.findall(r"\S+(?:\s*[\[(][^\])]*[\])])?", header)]


def _unique(names: list[str], k: int) -> str:
    """Columns may have the same name, as repeats do."""
    before = names[:k].count(names[k])
    return names[k] if not before else f"{names[k]} {before + 1}"


def _numbers(name: str, body: str, separator: str, count: int, first: int) -> Any:
    try:
        # fast, and as strict as can be: every row full of plain numbers
        table = np.loadtxt(
            io.StringIO(body), delimiter=None if separator == " " else separator, ndmin=2,
            comments="#",
        )  # fmt: skip
        if table.shape[1] == count:
            return table
    except ValueError:
        pass
    rows = []
    for number, line in enumerate(body.splitlines()):
        if line.strip() and not line.startswith("#"):
            where = f"{name}, line {number + first}"
            rows.append(_row(where, _cells(line, separator), separator, count))
    return np.array(rows, np.float64).reshape(-1, count)


def _row(where: str, cells: list[str], separator: str, count: int) -> Any:
    while len(cells) > count and cells[-1] == "":
        cells.pop()
    if len(cells) > count or (separator == " " and len(cells) < count):
        raise FitError(f"{where}: {len(cells)} cells, and {count} columns have names.")
    row = np.full(count, np.nan)
    for column, cell in enumerate(cells):
        if cell.lower() in _EMPTY:
            continue
        number = _number(cell, separator)
        if number is None:
            shown = cell if len(cell) <= _SHOWN else cell[: _SHOWN - 3] + "..."
            raise FitError(f"{where}, column {column + 1}: {shown!r} is no number.")
        row[column] = number
    return row
