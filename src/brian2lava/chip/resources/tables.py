"""Tables of text as aligned lines, as HTML, and as a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import import_module
from typing import Any

from brian2lava.errors import NotSupported


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines of equal columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table)]
    return [
        "  ".join(
            text.rjust(width) if _number(text, n, table) else text.ljust(width)
            for n, (text, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in table
    ]


def _number(text: str, column: int, table: Sequence[Sequence[str]]) -> bool:
    """Whether a column holds numbers (then its title stands to the right as well)."""
    return all(row[column][:1].isdigit() for row in table[1:])


def as_html(headline: str, tables: Mapping[str, list[list[str]]], notes: Sequence[str]) -> str:
    """A headline, tables and notes as an HTML fragment; all text is escaped."""
    parts = [f"<p><b>{escape(headline)}</b></p>"]
    for title, (head, *rows) in tables.items():
        if not rows:
            continue
        cells = "".join(f"<th>{escape(text)}</th>" for text in head)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
        )
        parts.append(
            f"<table><caption>{escape(title)}</caption><thead><tr>{cells}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )
    if notes:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    return "\n".join(parts)


def data_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows as a ``pandas.DataFrame``.

    Raises
    ------
    NotSupported
        pandas is not installed.
    """
    try:
        pandas = import_module("pandas")
    except ImportError as error:
        raise NotSupported(
            "to_frame() needs pandas, which is not installed: pip install pandas, or use rows(),"
            " which gives plain dictionaries."
        ) from error
    return pandas.DataFrame(list(rows))
