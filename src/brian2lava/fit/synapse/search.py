"""The search that all synapse fits share: physical units, then rounding, then single bits.

A problem says how physical values become registers and how bad register sets are. The optimiser
moves in physical units and only ever sees what rounding left; at the end the registers themselves
are moved by 1, 2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.search.optimisers import optimiser

#: Register sets that a polish keeps.
_KEPT = 6
#: Steps of a polish, in least significant bits.
_BITS = (1, 2, 4)
#: Steps where what depends on a register follows it.
_WIDE = (1, 4, 16, 64)
#: Of pairs of registers, so many moves a round.
_PAIR_MOVES = 256
#: Losses that differ by less are equal.
_EQUAL = 1e-12


@dataclass(frozen=True)
class SynapseOptions:
    """How a synapse is fitted.

    Attributes
    ----------
    evaluations : int
        Register sets that are tried, a candidate and seed, before the polish.
    seeds : int
        Searches of each candidate.
    seed : int
        Of the first; everything that is drawn comes from it.
    arithmetic : "lava" or "loihi1"
    optimiser : "auto", "cma" or "differential_evolution"
    headroom : float
        Bits that stay free above the largest state of one response: 2**headroom of them at once.
    scale : float or None
        State units of the chip per unit of the target (per A, or per V), where the neuron that
        receives the synapse is fixed already; None: the fit chooses it.
    draws : int
        Synapses over which learning, which rounds by chance, is averaged.
    """

    evaluations: int = 2000
    seeds: int = 2
    seed: int = 0
    arithmetic: str = "lava"
    optimiser: str = "auto"
    headroom: float = 4.0
    scale: float | None = None
    draws: int = 64

    def __post_init__(self) -> None:
        for name, least in (("evaluations", 100), ("seeds", 1), ("draws", 2), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise FitError(f"{name}={value!r}: a whole number, {least} or more, is needed.")
        if self.arithmetic not in ("lava", "loihi1"):
            raise FitError(f"arithmetic={self.arithmetic!r}: fits know 'lava' and 'loihi1'.")
        if not 0 <= self.headroom <= 12:
            raise FitError(f"headroom={self.headroom!r}: 0 to 12 bits can be kept free.")
        if self.scale is not None and not (np.isfinite(self.scale) and self.scale > 0):
            raise FitError(f"scale={self.scale!r}: a positive number of state units per unit of the"
                           " target is needed.")  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """A physical parameter that is searched.

    Attributes
    ----------
    name, unit : str
    low, high : float
    log : bool
    start : float or None
        Where the search begins; None: in the middle.
    """

    name: str
    unit: str
    low: float
    high: float
    log: bool = False
    start: float | None = None

    def value(self, place: Any) -> Any:
        """0 .. 1 -> the parameter."""
        if self.log:
            return self.low * (self.high / self.low) ** place
        return self.low + (self.high - self.low) * place

    def place(self, value: float) -> float:
        """The inverse of :meth:`value`, kept inside."""
        if self.log:
            found = np.log(max(value, 1e-300) / self.low) / np.log(self.high / self.low)
        else:
            found = (value - self.low) / (self.high - self.low)
        return float(np.clip(found, 0.0, 1.0))


class Problem(Protocol):
    """A candidate and a target.

    Attributes
    ----------
    axes : tuple of Axis
    names : tuple of str
        Registers, the columns of a table.
    low, high : arrays of int, shape (registers,)
    moves : array of bool, shape (registers,)
        Which of them a polish moves.
    """

    @property
    def axes(self) -> tuple[Axis, ...]: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    low: Any
    high: Any
    moves: Any

    def rounded(self, values: dict[str, Any]) -> Any:
        """Physical values of shape (size,) -> a table of registers, int64 (size, registers)."""

    def completed(self, table: Any) -> Any:
        """The same decays, delays and traces, with the rest chosen anew to suit them."""

    def loss(self, table: Any) -> Any:
        """Of each register set, shape (size,); infinite where the chip can't take it."""


@dataclass(frozen=True)
class Searched:
    """Where a search ended.

    Attributes
    ----------
    row : array of int64, shape (registers,)
    loss : float
    wanted : dict of str to float
        The physical values before rounding and polish.
    rows : array of int64, shape (kept, registers)
        The best, ``row`` first.
    evaluations : int
    """

    row: Any
    loss: float
    wanted: dict[str, float]
    rows: Any
    evaluations: int
    history: tuple[tuple[int, float], ...] = field(default=())


def search(problem: Problem, options: SynapseOptions, seed: int) -> Searched:
    """The best registers for a problem."""
    start = np.array([0.5 if a.start is None else a.place(a.start) for a in problem.axes])
    size = min(64, max(16, options.evaluations // 20))
    mover = optimiser(options.optimiser)(start, 0.2, size, seed)
    best, best_loss, wanted, spent = None, np.inf, dict[str, float](), 0
    history: list[tuple[int, float]] = []
    points = start[None]
    while True:
        values = {a.name: a.value(points[:, k]) for k, a in enumerate(problem.axes)}
        table = problem.rounded(values)
        losses = problem.loss(table)
        spent += len(points)
        k = int(np.argmin(losses))
        if losses[k] < best_loss or best is None:
            best, best_loss = table[k], float(losses[k])
            wanted = {name: float(column[k]) for name, column in values.items()}
            history.append((spent, best_loss))
        if spent > 1:  # the first is the starting point alone
            mover.tell(points, np.where(np.isfinite(losses), losses, 1e6))
        if spent >= options.evaluations or (spent > 1 and mover.converged):
            break
        points = np.clip(mover.ask(), 0.0, 1.0)
    rows, losses, more = polish(problem, best, seed)
    history.append((spent + more, float(losses[0])))
    return Searched(rows[0], float(losses[0]), wanted, rows, spent + more, tuple(history))


def polish(problem: Problem, row: Any, seed: int, rounds: int = 25) -> tuple[Any, Any, int]:
    """Move registers by single bits, alone and in pairs, until that gains nothing.

    Returns the kept rows, best first, their losses, and how many were evaluated.
    """
    rng = np.random.default_rng(seed)
    rows = np.asarray(row, np.int64)[None]
    losses = np.asarray(problem.loss(rows))
    spent, idle = 1, 0
    for _ in range(rounds):
        moved = np.concatenate(
            [_alone(rows, problem.moves, _BITS), _pairs(rows, problem.moves, rng)]
        )
        wide = np.clip(_alone(rows[:2], problem.moves, _WIDE), problem.low, problem.high)
        moved = np.clip(moved, problem.low, problem.high)
        table = np.unique(np.concatenate([rows, moved, problem.completed(wide)]), axis=0)
        found = np.asarray(problem.loss(table))
        spent += len(table)
        order = np.argsort(found, kind="stable")[:_KEPT]
        idle = 0 if found[order[0]] < losses[0] - _EQUAL else idle + 1
        rows, losses = table[order], found[order]
        if idle == 2:
            break
    return rows, losses, spent


def _alone(rows: Any, moves: Any, bits: tuple[int, ...]) -> Any:
    """Every register of every row by every step."""
    each = np.eye(rows.shape[1], dtype=np.int64)[np.asarray(moves, bool)]
    single = np.concatenate([each * sign * bit for bit in bits for sign in (-1, 1)])
    return (rows[:, None] + single[None]).reshape(-1, rows.shape[1])


def _pairs(rows: Any, moves: Any, rng: np.random.Generator) -> Any:
    """Random pairs of registers by random steps."""
    each = np.eye(rows.shape[1], dtype=np.int64)[np.asarray(moves, bool)]
    steps = [sign * bit for bit in _BITS for sign in (-1, 1)]
    first, second = (
        each[rng.integers(0, len(each), _PAIR_MOVES)] * rng.choice(steps, (_PAIR_MOVES, 1))
        for _ in range(2)
    )
    return rows[rng.integers(0, len(rows), _PAIR_MOVES)] + first + second
