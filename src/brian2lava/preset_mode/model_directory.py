"""Preset models of one's own: a folder a model, with its equations in a ``model.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brian2lava.errors import OptionError
from brian2lava.preset_mode.preset_model import Entry, PresetModel

#: Brian2's names of the units that descriptions abbreviate.
_UNITS = {"V": "volt", "s": "second", "V/s": "volt/second", "A": "amp"}


def read_directory(folder: str | Path) -> dict[str, PresetModel]:
    """The models of a folder by name: its subfolders that hold a ``model.json``.

    Read are ``ode`` (a list of equations), ``conditions`` ("th" and "rs", each a statement or a
    list of them), ``description``, ``process_name``, ``refractory_period``, ``variables`` and
    ``parameters``; only the first is needed. Lava processes beside them are not used.

    Raises
    ------
    OptionError
        There is no such folder, no model in it, or a description that can't be read.
    """
    path = Path(folder)
    if not path.is_dir():
        raise OptionError(
            f"set_device('lava', models_dir={str(folder)!r}): there is no such folder."
        )
    found = {file.parent.name: _read(file) for file in sorted(path.glob("*/model.json"))}
    if not found:
        raise OptionError(
            f"set_device('lava', models_dir={str(folder)!r}): no folder in it holds a model.json."
        )
    return found


def _read(file: Path) -> PresetModel:
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise OptionError(f"{file}: this is no JSON ({problem}).") from None
    if not isinstance(given, Mapping) or not given.get("ode"):
        raise OptionError(f"{file}: a model needs its equations, as a list under the name 'ode'.")
    conditions = given.get("conditions") or {}
    name = file.parent.name
    return PresetModel(
        name=name,
        process_name=given.get("process_name", name),
        description=given.get("description", ""),
        string_equations="\n".join(_lines(given["ode"])),
        threshold=" and ".join(_lines(conditions.get("th", ""))),
        resets=tuple(_lines(conditions.get("rs", ""))),
        held=str(given.get("refractory_period", "")).strip() == "True",
        on_chip="if it fits one of its neurons",
        variables=_entries(given.get("variables", ())),
        parameters=_entries(given.get("parameters", ())),
    )


def _lines(value: str | Sequence[str]) -> list[str]:
    """One statement or several, without empty ones."""
    return [line for line in ([value] if isinstance(value, str) else value) if line.strip()]


def _entries(rows: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            row["name"],
            row.get("description", ""),
            _UNITS.get(row.get("unit", ""), row.get("unit", "1")),
        )
        for row in rows
    )
