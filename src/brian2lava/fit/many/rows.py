"""A row of the table: one cell with one candidate, where it stands, and what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from brian2lava.fit.batch import Settings
from brian2lava.fit.search import Fitting, Found

WAITING, RUNNING, DONE = "waiting", "running", "done"
FAILED, STOPPED = "failed", "stopped"
STATES = (WAITING, RUNNING, DONE, FAILED, STOPPED)
_NAN = float("nan")


@dataclass(frozen=True)
class Row:
    """One cell with one candidate.

    Attributes
    ----------
    cell, candidate : str
    state : "waiting", "running", "done", "failed" or "stopped"
    reason : str
        Why it failed.
    part : float
        The part of its evaluations that is done, 0 .. 1.
    evaluations : int
        Register sets that were tried, in all seeds.
    seconds : float
        That this took.
    train, held_out : float
        Gamma factor of the register set that training chose; nan before one was found, and where
        there is no such factor.
    train_mean, train_spread, held_out_mean, held_out_spread : float
        Mean and standard deviation of the gamma factor over seeds.
    physical : dict of str to float
        What the registers mean.
    registers : dict of str to number
        With the synapses' "weight" and "exponent", and the "scale" of the payload.
    """

    cell: str
    candidate: str
    state: str = WAITING
    reason: str = ""
    part: float = 0.0
    evaluations: int = 0
    seconds: float = 0.0
    train: float = _NAN
    train_mean: float = _NAN
    train_spread: float = _NAN
    held_out: float = _NAN
    held_out_mean: float = _NAN
    held_out_spread: float = _NAN
    physical: Mapping[str, float] = field(default_factory=dict)
    registers: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """Cell and candidate."""
        return self.cell, self.candidate

    @property
    def found(self) -> bool:
        """Whether there is a register set."""
        return bool(self.registers)

    def advanced(self, fitting: Fitting, state: str) -> Row:
        """With what a fit of this cell and candidate alone has found by now."""
        spent = sum(trial.spent for trial in fitting.trials)
        moved = replace(
            self, state=state, reason="", part=fitting.progress.done, evaluations=spent,
            seconds=fitting.seconds,
        )  # fmt: skip
        if all(trial.best is None for trial in fitting.trials):
            return moved
        return moved._with(fitting.result().best)

    def _with(self, found: Found) -> Row:
        train, train_spread = found.mean_and_spread("train")
        held, held_spread = found.mean_and_spread("held_out")
        return replace(
            self, train=found.evaluation.gamma("train"), train_mean=train,
            train_spread=train_spread, held_out=found.evaluation.gamma("held_out"),
            held_out_mean=held, held_out_spread=held_spread, physical=dict(found.physical),
            registers=numbers(found.settings),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Numbers and texts; what is not finite is null, for JSON has none."""
        state = asdict(self)
        state["physical"] = {name: _finite(value) for name, value in self.physical.items()}
        return {
            name: _finite(value) if isinstance(value, float) else value
            for name, value in state.items()
        }

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Row:
        """The inverse; KeyError, TypeError, ValueError where it is damaged."""
        given = dict(state)
        if given["state"] not in STATES:
            raise ValueError(f"the state {given['state']!r}")
        for each in fields(cls):
            if each.type == "float":
                given[each.name] = _number(given[each.name])
        given["physical"] = {str(n): _number(v) for n, v in given["physical"].items()}
        given["registers"] = {
            str(n): float(v) if n == "scale" else int(v) for n, v in given["registers"].items()
        }
        return cls(**given)


def numbers(settings: Settings) -> dict[str, float]:
    """Registers and synapses of one setting, by name."""
    found: dict[str, float] = {name: int(values[0]) for name, values in settings.registers.items()}
    for port in range(len(settings.weights)):
        own = f"{port + 1}" if port else ""
        found[f"weight{own}"] = int(settings.weights[port, 0])
        found[f"exponent{own}"] = int(settings.exponents[port, 0])
    if np.any(settings.own_weights):
        found["own_weight"] = int(settings.own_weights[-1, 0])
        found["own_exponent"] = int(settings.own_exponents[-1, 0])
    found["scale"] = float(settings.scale[0])
    return found


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _number(value: Any) -> float:
    return _NAN if value is None else float(value)
