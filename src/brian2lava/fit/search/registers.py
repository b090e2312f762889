"""Search among registers: the last bits of a fit, and recordings whose registers are sought.

A pool of register sets is varied by whole numbers, and the best are kept. Two moves matter. Single
registers change by steps that are large at first and single bits in the end. And all that is
measured in units of the state (weight, bias, threshold) is multiplied by one factor: in real
numbers that changes nothing, so a search by single registers would never find its way along it,
but in integers each factor rounds differently. The pool therefore keeps the best of every order of
magnitude of the weight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import Limit
from brian2lava.chip.models import MODELS
from brian2lava.fit.batch import Settings
from brian2lava.fit.batch.settings import WEIGHT

#: Registers that are in units of the state, so that they go together.
_LEVELS = frozenset({"weight", "bias_mant", "vth", "step1", "step2", "theta_0", "theta_step",
                     "own_weight", "weight2"})  # fmt: skip
#: Mantissas of synapses, that are no registers of the model.
_MANTISSAS = frozenset({"weight", "weight2", "own_weight"})
#: Of each order of magnitude of the weight, so many are kept.
_KEPT = 32
#: Losses that differ by less are equal: what sums in double precision leave of 0.
_EQUAL = 1e-13


@dataclass(frozen=True)
class Pool:
    """Register sets with their losses, best first.

    Attributes
    ----------
    settings : Settings
    losses : array of float64, shape (size,)
    """

    settings: Settings
    losses: Any


class RegisterSearch:
    """Varies the registers ``names`` of settings.

    Parameters
    ----------
    start : Settings
    names : sequence of str
        Registers; "weight" is the mantissa at the first port, "weight2" at the last, "own_weight"
        that of the neuron's synapse onto itself.
    loss : function of Settings -> array
    seed : int
    spread : float
        Relative size of the first steps; 0 begins with single bits.
    size : int
        Variations a round.
    """

    def __init__(
        self,
        start: Settings,
        names: Sequence[str],
        loss: Callable[[Settings], Any],
        seed: int = 0,
        spread: float = 0.0,
        size: int = 1024,
    ) -> None:
        self.names = tuple(names)
        self.loss = loss
        self.spread = spread
        self.size = size
        self._rng = np.random.default_rng(seed)
        limits = [_limit(start.model, name) for name in self.names]
        self._low = np.array([limit.low for limit in limits])
        self._high = np.array([limit.high for limit in limits])
        self._levels = np.array([name in _LEVELS for name in self.names])
        self.pool = self._best(start, np.asarray(loss(start)))
        self.rounds_without_gain = 0

    @property
    def best(self) -> float:
        """The least loss so far."""
        return float(self.pool.losses[0])

    def round(self) -> None:
        """Vary the pool once."""
        before = self.best
        varied = self._varied()
        losses = np.concatenate([self.pool.losses, np.asarray(self.loss(varied))])
        self.pool = self._best(joined([self.pool.settings, varied]), losses)
        self.spread = max(0.97 * self.spread, 1e-3 if self.spread else 0.0)
        self.rounds_without_gain = 0 if self.best < before else self.rounds_without_gain + 1

    def centre(self, rounds: int = 8) -> Settings:
        """The middle one of those that are as good as the best, in single bits around it.

        Where several settings explain everything that was seen, one in the middle is right about
        what was not seen more often than one at the edge.
        """
        self.spread = 0.0
        for _ in range(rounds):
            self.round()
        equal = self.pool.losses <= self.best + _EQUAL
        names = [n for n in self.names if len(set(_values(self.pool.settings, n)[equal])) > 1]
        alike = self.pool.settings.take(equal)
        if not names:
            return alike.one(0)
        table = np.stack([_values(alike, name) for name in names], axis=1).astype(np.float64)
        scale = np.maximum(table.std(axis=0), 1e-9)
        apart = np.abs((table[:, None] - table[None]) / scale).sum(axis=(1, 2))
        return alike.one(int(np.argmin(apart)))

    # ------------------------------------------------------------ moves
    def _varied(self) -> Settings:
        rng, pool = self._rng, self.pool.settings
        # the first of the pool twice as often as the middle ones
        origin = np.minimum(
            rng.integers(0, len(pool), self.size), rng.integers(0, len(pool), self.size)
        )
        base = pool.take(origin)
        old = np.stack([_values(base, name) for name in self.names], axis=1).astype(np.float64)
        reach = np.abs(old) * self.spread * rng.exponential(1.0, (self.size, 1))
        bits = np.exp2(rng.integers(0, 3, (self.size, 1)))  # 1, 2, 4
        step = np.rint(rng.normal(0.0, 1.0, old.shape) * np.maximum(reach, bits / 2))
        moved = old + step * (rng.random(old.shape) < 1.5 / len(self.names))
        scaled = self._scaled(old)
        chosen = rng.random(self.size) < (1 / 3 if "weight" in self.names else 0)
        new = np.where(chosen[:, None], scaled, moved)
        new = np.clip(new, self._low, self._high).astype(np.int32)
        return _replaced(base, self.names, new)

    def _scaled(self, old: Any) -> Any:
        """Everything in units of the state times one factor, such that the weight is whole."""
        if "weight" not in self.names:
            return old
        rng, place = self._rng, self.names.index("weight")
        weight = old[:, place]
        wide = rng.random(self.size) < 0.5
        factor = np.exp(rng.normal(0.0, np.where(wide, 0.7, 0.02)))
        goal = np.sign(weight) * np.clip(np.rint(np.abs(weight) * factor), 1, WEIGHT.high)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(weight != 0, goal / weight, 1.0)[:, None]
        wiggle = rng.integers(-1, 2, old.shape)
        return np.where(
            self._levels, np.rint(old * ratio) + wiggle * (np.arange(old.shape[1]) != place), old
        )

    # ------------------------------------------------------------ choice
    def _best(self, settings: Settings, losses: Any) -> Pool:
        table = np.column_stack(
            [_values(settings, name) for name in (*self.names, *_fixed(settings, self.names))]
        )
        _, first = np.unique(table, axis=0, return_index=True)
        order = first[np.argsort(losses[first], kind="stable")]
        magnitude = np.floor(np.log2(np.maximum(np.abs(_values(settings, "weight")[order]), 1)))
        rank = np.zeros(len(order), int)
        for each in np.unique(magnitude):
            same = magnitude == each
            rank[same] = np.arange(same.sum())
        order = order[(rank < _KEPT) & np.isfinite(losses[order])]
        return Pool(settings.take(order), losses[order])


def joined(parts: Sequence[Settings]) -> Settings:
    """Several settings of one model as one."""
    return Settings(
        parts[0].model,
        {n: np.concatenate([part.registers[n] for part in parts]) for n in parts[0].registers},
        np.concatenate([part.weights for part in parts], axis=1),
        np.concatenate([part.exponents for part in parts], axis=1),
        np.concatenate([part.scale for part in parts]),
        np.concatenate([part.own_weights for part in parts], axis=1),
        np.concatenate([part.own_exponents for part in parts], axis=1),
    )


def _fixed(settings: Settings, names: Sequence[str]) -> list[str]:
    """Registers that are not varied, but may differ within a pool."""
    return [name for name in settings.registers if name not in names]


def _values(settings: Settings, name: str) -> Any:
    if name == "weight":
        return settings.weights[0]
    if name == "weight2":
        return settings.weights[-1]
    # the neuron's synapse onto itself is at its last port
    return settings.own_weights[-1] if name == "own_weight" else settings.registers[name]


def _replaced(base: Settings, names: Sequence[str], new: Any) -> Settings:
    registers = dict(base.registers)
    weights, own = np.array(base.weights), np.array(base.own_weights)
    for k, name in enumerate(names):
        if name == "weight":
            weights[0] = new[:, k]
        elif name == "weight2":
            weights[-1] = new[:, k]
        elif name == "own_weight":
            own[-1] = new[:, k]
        else:
            registers[name] = new[:, k]
    return Settings(
        base.model, registers, weights, base.exponents, base.scale, own,
        base.own_exponents,
    )  # fmt: skip


def _limit(model: str, name: str) -> Limit:
    return WEIGHT if name in _MANTISSAS else MODELS[model].register(name).limit
