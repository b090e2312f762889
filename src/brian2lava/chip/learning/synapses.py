"""What a learning state has, whatever the arithmetic: synapses as a list, weights, traces.

Order of events. One call of ``step`` is one time step, after the neurons of that step have fired:
``pre_spikes`` are the spikes that reach the synapses in it and ``post_spikes`` those that the
targets fire in it. Synapses pass their weights on *before* ``step`` changes them. In lava-nc's
terms a call is SPK and LRN of one ``time_step`` (``s_in`` and ``s_in_bap``); in brian2-loihi's it
is one step from its slot ``synapses`` on, so that ``post_spikes`` were fired in its step before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.learning.rule import LearningRule, RuleError
from brian2lava.errors import ChipLimit

Spikes = NDArray[np.bool_]
N = TypeVar("N", int, float)


@dataclass(frozen=True)
class Synapses:
    """Synapses of a projection; a pair may have several.

    Attributes
    ----------
    pre, post : arrays of shape (synapses,)
        Neurons that each synapse joins.
    n_pre, n_post : int
    """

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    n_pre: int
    n_post: int

    def __post_init__(self) -> None:
        for name, size in (("pre", self.n_pre), ("post", self.n_post)):
            indices = np.array(getattr(self, name), dtype=np.int64)
            if indices.ndim != 1 or indices.size and not 0 <= indices.min() <= indices.max() < size:
                raise ChipLimit(f"{name}: neurons 0..{size - 1} are there; check the indices.")
            indices.flags.writeable = False
            object.__setattr__(self, name, indices)
        if self.pre.shape != self.post.shape:
            raise ChipLimit(
                f"{self.pre.size} pre and {self.post.size} post; one of each is needed."
            )

    @property
    def size(self) -> int:
        """Number of synapses."""
        return int(self.pre.size)


def synaptic(values: Any, synapses: Synapses, kind: Any, what: str) -> NDArray[Any]:
    """A variable of the synapses: one number for all, or an array of shape (synapses,)."""
    given = np.asarray(values)
    if given.shape not in ((), (synapses.size,)):
        raise ChipLimit(f"{what}: shape {given.shape}, expected ({synapses.size},) or one number.")
    array = np.broadcast_to(given, (synapses.size,)).astype(kind)
    if not np.array_equal(array, np.broadcast_to(given, array.shape)):
        raise ChipLimit(f"{what}: whole numbers are needed.")
    return array


def clip_of(sign_mode: str, table: Mapping[str, tuple[N, N]]) -> tuple[N, N]:
    """The range of a weight in a sign mode."""
    if sign_mode not in table:
        raise RuleError(f"sign mode {sign_mode!r}; there are {', '.join(table)}.")
    return table[sign_mode]


def hold(values: NDArray[Any], low: float, high: float, what: str) -> None:
    """Raise if a value lies outside ``low`` .. ``high``."""
    wrong = np.flatnonzero((values < low) | (values > high))
    if wrong.size:
        raise ChipLimit(
            f"{what}: {values[wrong[0]]} at {wrong[0]} is outside {low}..{high}. Scale it."
        )


def spikes(given: Any, size: int, what: str) -> Spikes:
    """Spikes of ``size`` neurons as booleans."""
    array = np.asarray(given, dtype=bool)
    if array.shape != (size,):
        raise ChipLimit(f"{what}: shape {array.shape}, expected ({size},).")
    return array


def check_rule(rule: LearningRule, dialect: str) -> LearningRule:
    """``rule``, once it has passed."""
    rule.check(dialect)
    return rule
