"""What was asked of many fits: cells, candidates, options; a value that is replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.candidates import CANDIDATES, candidate
from brian2lava.fit.many.cells import Cell, distinct
from brian2lava.fit.search import FitOptions
from brian2lava.fit.session.fits import options_from, options_state


@dataclass(frozen=True)
class Asked:
    """Cells and candidates, each of which is fitted with each.

    Attributes
    ----------
    cells : dict of int to Cell
        Numbers are never given twice; a cell's files carry its number.
    candidates : tuple of str
    options : FitOptions
        ``workers`` is how many rows are fitted side by side.
    stopped : bool
        Whether rows that wait are not to be fitted.
    following : int
        The number of the next cell.
    """

    cells: Mapping[int, Cell] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()
    options: FitOptions = field(default_factory=FitOptions)
    stopped: bool = False
    following: int = 1

    @classmethod
    def of(
        cls, cells: Sequence[Cell], candidates: Sequence[str] | None, options: FitOptions
    ) -> Asked:
        """From cells and names; None: all candidates that the drive can serve."""
        return cls(options=options).with_cells(cells).with_candidates(candidates)

    def with_cells(self, cells: Sequence[Cell]) -> Asked:
        """And these cells; a name that is taken gets a number."""
        made = distinct(cells, [each.name for each in self.cells.values()])
        numbers = range(self.following, self.following + len(made))
        return replace(
            self,
            cells={**self.cells, **dict(zip(numbers, made))},
            following=self.following + len(made),
        )

    def without(self, names: Sequence[str]) -> Asked:
        """Without these cells."""
        numbers = {self.number(name) for name in names}
        return replace(self, cells={n: c for n, c in self.cells.items() if n not in numbers})

    def with_candidates(self, names: Sequence[str] | None) -> Asked:
        """With these candidates and no others."""
        served = served_by(self.options.drive)
        chosen = served if names is None else [candidate(name).name for name in names]
        if len(set(chosen)) < len(chosen):
            raise FitError("a candidate is named twice.")
        for name in chosen:
            if name not in served:
                raise FitError(
                    f"{name} has no bias, and with drive='bias' the stimulus enters there; leave it"
                    " out, or use drive='graded'."
                )
        return replace(self, candidates=tuple(chosen))

    def number(self, name: str) -> int:
        """The number of a cell.

        Raises
        ------
        FitError
            There is none of that name.
        """
        for number, cell in self.cells.items():
            if cell.name == name:
                return number
        known = ", ".join(cell.name for cell in self.cells.values()) or "none"
        raise FitError(f"there is no cell {name!r}; there are {known}.")

    def cell(self, name: str) -> Cell:
        """A cell by its name."""
        return self.cells[self.number(name)]

    def pairs(self) -> Iterator[tuple[int, Cell, str]]:
        """Number, cell and candidate of every row, cell after cell."""
        for number, cell in self.cells.items():
            for name in self.candidates:
                yield number, cell, name

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "cells": [{"number": number, **cell.state()} for number, cell in self.cells.items()],
            "candidates": list(self.candidates),
            "options": options_state(self.options),
            "stopped": self.stopped,
            "following": self.following,
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any], what: str) -> Asked:
        """The inverse.

        Raises
        ------
        FitError
            It is damaged, or names what this version does not know.
        """
        try:
            cells = {int(each["number"]): Cell.from_state(each) for each in state["cells"]}
            return cls(
                cells,
                tuple(candidate(name).name for name in state["candidates"]),
                options_from(state["options"]),
                bool(state["stopped"]),
                max([int(state["following"]), *(number + 1 for number in cells)]),
            )
        except BrianLavaError as error:
            raise FitError(f"{what} can't be used: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FitError(f"{what} is damaged ({error!r}). Take another folder.") from error


def served_by(drive: str) -> list[str]:
    """The candidates that a drive can serve."""
    return [
        name
        for name, each in CANDIDATES.items()
        if drive == "graded" or any(p.register == "bias_mant" for p in each.parameters)
    ]
