"""Many copies of a learning synapse, one to one, in the chip's own fixed-point learning.

The chip rounds by chance, with one draw for all synapses of a projection. Here each copy has draws
of its own, so that an average over copies is one over chance; a single copy behaves as on the chip.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.learning import FixedLearning, LearningRule, Synapses
from brian2lava.chip.learning.tape import TraceDraws


class _Draws:
    """Draws by copy: decays of traces, and the rounding of an epoch.

    Impulses are whole numbers in fitted rules, so nothing is drawn for them.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._rng = size, np.random.default_rng(seed)

    def traces(self, step: int) -> TraceDraws:
        x_decay, y_decay = self._rng.random((2, self._size))
        return TraceDraws(x_decay, 0, y_decay, 0, 0)

    def weights(self, epoch: int) -> float:
        return self._rng.random(self._size)  # type: ignore[return-value]


def run_learning(
    rule: LearningRule,
    pre: Any,
    post: Any,
    weight: int,
    seed: int,
    first: Mapping[str, int] | None = None,
) -> Any:
    """Weights before each step and behind the last.

    Parameters
    ----------
    rule : LearningRule
    pre, post : arrays of bool, shape (steps, copies)
    weight : int
        The mantissa to begin with; of either sign are allowed later.
    seed : int
    first : dict of str to int, optional
        "t" and "d" to begin with.

    Returns
    -------
    array of int64, shape (steps + 1, copies)
    """
    steps, copies = pre.shape
    each = np.arange(copies)
    tags = first or {}
    learning = FixedLearning(
        rule, Synapses(each, each, copies, copies), weight, _Draws(copies, seed), "MIXED",
        delays=tags.get("d", 0), tags=tags.get("t", 0),
    )  # fmt: skip
    weights = np.empty((steps + 1, copies), np.int64)
    for step in range(steps):
        weights[step] = learning.weights
        learning.step(pre[step], post[step])
    weights[steps] = learning.weights
    return weights
