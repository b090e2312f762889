"""Scores over two properties of the chip: a table of gamma factors, trained and held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.metrics import gamma_factor, reliability
from brian2lava.fit.search.registers import joined
from brian2lava.fit.target import Target

#: Steps of a sweep that are run; a map has a hundred cells.
MOST_STEPS = 400_000


@dataclass(frozen=True)
class PrecisionMap:
    """Gamma factors over rows and columns.

    Attributes
    ----------
    row_name, column_name : str
        With their units.
    rows, columns : arrays of float64
    train, held_out : arrays of float64, shape (rows, columns)
        Gamma factor over the recording's reliability; nan where ``refused`` says why.
    refused : tuple of tuples of str, shape (rows, columns)
        Why a cell has no number; empty where it has one.
    column_bits : array of int64, shape (columns,), or None
        Bits that the payload, or the mantissa, has in a column.
    now : (float, float) or None
        Row and column of the neuron as it is.
    note : str
        What the map means for this neuron, and what does not apply to it.
    """

    row_name: str
    column_name: str
    rows: Any
    columns: Any
    train: Any
    held_out: Any
    refused: tuple[tuple[str, ...], ...]
    column_bits: Any = None
    now: tuple[float, float] | None = None
    note: str = ""

    def best(self, kind: str = "held_out") -> tuple[float, float, float]:
        """Row, column and gamma factor of the best cell of "held_out" or "train".

        Raises
        ------
        FitError
            No cell has a number.
        """
        values = getattr(self, kind)
        if not np.isfinite(values).any():
            told = next((text for row in self.refused for text in row if text), "no spans")
            raise FitError(f"the map has no number: {told}")
        row, column = np.unravel_index(int(np.nanargmax(values)), values.shape)
        best = float(values[row, column])
        return float(self.rows[row]), float(self.columns[column]), best

    def __str__(self) -> str:
        lines = [
            f"held-out gamma factor over {self.row_name} (rows) and {self.column_name} (columns)",
            " " * 8 + "".join(f"{column:>7g}" for column in self.columns),
        ]
        for row, values in zip(self.rows, self.held_out):
            told = "".join(f"{v:>7.3f}" if np.isfinite(v) else f"{'-':>7}" for v in values)
            lines.append(f"{row:>8g}{told}")
        return "\n".join([*lines, *([self.note] if self.note else [])])


@dataclass(frozen=True)
class Judge:
    """Scores settings on one sweep of a target that is at the chip's time step.

    Attributes
    ----------
    target : Target
    sweep : int
    window : float
        Seconds that matched spikes may be apart.
    batch : Batch
    """

    target: Target
    sweep: int
    window: float
    batch: Batch

    def cells(self, made: Sequence[Settings | str]) -> tuple[Any, Any, list[str]]:
        """Trained and held-out gamma factors of settings of size 1, and why there is none.

        A text in the place of a setting is why there is no such setting.
        """
        known = [k for k, each in enumerate(made) if not isinstance(each, str)]
        why = [each if isinstance(each, str) else "" for each in made]
        scores = {kind: np.full(len(made), np.nan) for kind in ("train", "held_out")}
        if known:
            settings = joined([each for each in made if not isinstance(each, str)])
            stimulus = Stimulus(self.target.sweeps[self.sweep].current[:MOST_STEPS])
            out = self.batch.run(settings, stimulus)
            for kind, found in scores.items():
                measure = self._measure(kind)
                for place, k in enumerate(known):
                    train = out.train(place) * self.target.dt
                    found[k], trouble = measure(train)
                    why[k] = why[k] or (trouble if kind == "held_out" else "")
        return scores["train"], scores["held_out"], why

    def _measure(self, kind: str) -> Callable[[Any], tuple[float, str]]:
        sweep = self.target.sweeps[self.sweep]
        end = min(sweep.steps, MOST_STEPS) * self.target.dt
        spans = [(a, min(b, end)) for a, b in getattr(self.target, kind) if a < end]
        if not spans:
            return lambda _: (np.nan, f"the target has no span that is {kind}")
        if not sweep.spikes:
            return lambda _: (np.nan, "the target's spikes are not known")
        try:
            own = reliability(sweep.spikes, spans, self.window) if len(sweep.spikes) > 1 else 1.0
        except FitError as reason:
            trouble = str(reason)
            return lambda _: (np.nan, trouble)
        if own <= 0:
            return lambda _: (np.nan, "the repeats agree no better than by chance")

        def measure(train: Any) -> tuple[float, str]:
            try:
                each = [gamma_factor(wanted, train, spans, self.window) for wanted in sweep.spikes]
            except FitError as reason:
                return np.nan, str(reason)
            return float(np.mean(each)) / own, ""

        return measure


def assembled(
    judge: Judge,
    names: tuple[str, str],
    rows: Sequence[float],
    columns: Sequence[float],
    cell: Callable[[float, float], Settings],
    **more: Any,
) -> PrecisionMap:
    """A map of which ``cell`` makes each setting, or raises FitError."""
    made: list[Settings | str] = []
    for row in rows:
        for column in columns:
            try:
                made.append(cell(row, column))
            except FitError as reason:
                made.append(str(reason))
    return shaped(names, rows, columns, *judge.cells(made), **more)


def shaped(
    names: tuple[str, str],
    rows: Sequence[float],
    columns: Sequence[float],
    train: Any,
    held_out: Any,
    why: Sequence[str],
    **more: Any,
) -> PrecisionMap:
    """Cells, row by row, as a map."""
    width = len(columns)
    return PrecisionMap(
        *names,
        np.array(rows, np.float64),
        np.array(columns, np.float64),
        np.reshape(train, (-1, width)),
        np.reshape(held_out, (-1, width)),
        tuple(tuple(why[k : k + width]) for k in range(0, len(why), width)),
        **more,
    )
