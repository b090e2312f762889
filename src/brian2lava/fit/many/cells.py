"""Cells: what many fits are made of, each a target or where one comes from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.target import Target, model_target, read_recording
from brian2lava.fit.target.models import TARGET_MODELS, nearest, target_model
from brian2lava.fit.target.recording import READERS


@dataclass(frozen=True)
class Cell:
    """One cell: a recording's file, a neuron of the literature, or a target as it is.

    Attributes
    ----------
    name : str
        By which its rows are called; of many cells each has another.
    file : str
        Path of a recording, read when the first row of the cell begins; "" where it is none.
    model, pattern : str
        A model of ``TARGET_MODELS`` and one of its firing patterns; "" where it is none.
    reading : dict
        Further arguments of :func:`read_recording` or :func:`model_target`, in JSON's terms.
    given : Target or None
        A target that exists already; it is kept whole.
    """

    name: str
    file: str = ""
    model: str = ""
    pattern: str = ""
    reading: Mapping[str, Any] = field(default_factory=dict)
    given: Target | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise FitError("a cell has no name; give it one.")

    def target(self) -> Target:
        """The target, read or simulated now, under the cell's name.

        Raises
        ------
        FitError
            The recording can't be read, or the model does not exist.
        """
        if self.given is not None:
            return replace(self.given, name=self.name)
        if self.file:
            return replace(read_recording(self.file, **self.reading), name=self.name)
        if self.model:
            made = model_target(self.model, self.pattern or None, **self.reading)
            return replace(made, name=self.name)
        raise FitError(f"the cell {self.name!r} has neither a target nor a file nor a model.")

    def origin(self) -> dict[str, Any]:
        """What a target of a model was made of; empty for others."""
        if not self.model:
            return {}
        return {"model": self.model, "pattern": self.pattern or None, **self.reading}

    def state(self) -> dict[str, Any]:
        """For JSON, without a target that was given."""
        return {
            "name": self.name, "file": self.file, "model": self.model, "pattern": self.pattern,
            "reading": dict(self.reading),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Cell:
        """The inverse of :meth:`state`; KeyError, TypeError where it is damaged."""
        name, file, model, pattern = (
            str(state[key]) for key in ("name", "file", "model", "pattern")
        )
        return cls(name, file, model, pattern, dict(state["reading"]))


#: What stands for cells: targets, files, folders, models' names, :class:`Cell`, or several.
Cells = Any


def as_cells(given: Cells) -> list[Cell]:
    """Cells with names of their own.

    Parameters
    ----------
    given : Cell, Target, path or text, or a sequence of these, or a dict of name to these
        A folder stands for the recordings in it; a text that is no path for a model.

    Raises
    ------
    FitError
        Nothing was given, a folder has no recording, or something is none of these.
    """
    if isinstance(given, Mapping):
        found = [_renamed(each, str(name)) for name, each in given.items()]
    elif isinstance(given, (str, os.PathLike, Target, Cell)):
        found = _from_one(given)
    elif isinstance(given, Iterable):
        found = [cell for each in given for cell in _from_one(each)]
    else:
        found = _from_one(given)
    if not found:
        raise FitError("no cell was given; name recordings, a folder of them, models or targets.")
    return distinct(found)


def distinct(cells: Sequence[Cell], taken: Iterable[str] = ()) -> list[Cell]:
    """Cells of which each has another name, and none of those that are taken."""
    names, made = set(taken), []
    for cell in cells:
        name, number = cell.name, 1
        while name in names:
            number += 1
            name = f"{cell.name} ({number})"
        names.add(name)
        made.append(cell if name == cell.name else replace(cell, name=name))
    return made


def pattern_cells(model: str, patterns: Sequence[str] | None = None) -> list[Cell]:
    """A cell for each firing pattern of a model of the literature; for all, or for those named.

    Raises
    ------
    FitError
        There is no such model or pattern, or the model has no patterns.
    """
    known = target_model(model)
    if not known.patterns:
        having = ", ".join(name for name, each in TARGET_MODELS.items() if each.patterns)
        raise FitError(f"{known.name} has no firing patterns; {having} have some.")
    names = list(known.patterns) if patterns is None else [known.pattern(p).name for p in patterns]
    return [Cell(f"{known.name}, {name}", model=known.name, pattern=name) for name in names]


def model_cell(model: str) -> Cell:
    """A model of the literature under its own stimulus."""
    name = target_model(model).name
    return Cell(name, model=name)


def _renamed(given: Any, name: str) -> Cell:
    found = _from_one(given)
    if len(found) != 1:
        raise FitError(f"the cell {name!r} is {len(found)} recordings; name each of them.")
    return replace(found[0], name=name)


def _from_one(given: Any) -> list[Cell]:
    if isinstance(given, Cell):
        return [given]
    if isinstance(given, Target):
        return [Cell(given.name, given=given)]
    if isinstance(given, os.PathLike):
        return _from_path(Path(given))
    if not isinstance(given, str):
        raise FitError(
            f"{given!r} is no cell; a Target, the path of a recording or of a folder of them, the"
            " name of a model, or a Cell is one."
        )
    path = Path(given)
    if given in TARGET_MODELS or not (path.suffix or os.sep in given or path.exists()):
        return [model_cell(nearest("model or recording", given, TARGET_MODELS))]
    return _from_path(path)


def _from_path(path: Path) -> list[Cell]:
    if not path.is_dir():
        return [_file_cell(path)]
    files = sorted(each for each in path.iterdir() if each.suffix.lower() in READERS)
    if not files:
        raise FitError(f"{path} has no recording; those end in {', '.join(READERS)}.")
    return [_file_cell(each) for each in files]


def _file_cell(path: Path) -> Cell:
    # whoever goes on may do so from another folder
    return Cell(path.stem or str(path), file=str(path.absolute()))
