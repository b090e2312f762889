"""Projections that learn as Lava's own LearningDense, with Lava's own rule objects.

A matrix of LearningDense has a synapse in every cell, and those that the projection lacks would
learn too. So cells without a synapse are kept at 0 while Lava's simulation runs (``masked``); where
nothing can do that, on a chip, such projections become processes of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule
from brian2lava.chip.learning.tape import LavaDraws
from brian2lava.chip.network import Integers, Projection
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.errors import NotSupported
from brian2lava.interop.synapse_layers import ranks

#: LearningDense computes with some twenty matrices in each step.
_LEARNING_CELLS = 1 << 16
#: Generators that lava-nc seeds for each rule: rng_seed and the three numbers after it.
GENERATORS = 4
#: Tags by Lava's names.
_TAGS = {"d": "tag_2", "t": "tag_1"}


def why_ours(
    projection: Projection, sources: int, targets: int, arithmetic: Arithmetic, masked: bool
) -> str:
    """Why a projection that learns cannot be Lava's LearningDense; empty where it can.

    Raises
    ------
    NotSupported
        Its rule takes traces from neurons, which no chip model has.
    """
    if projection.learning.third_factor:
        raise NotSupported(
            f"projection {projection.name!r}: a third-factor rule takes y1, y2, y3 from its"
            " target's neurons, and no chip model keeps such states. Use traces of spikes"
            " (third_factor=False)."
        )
    if arithmetic != LAVA:
        return f"Lava's LearningDense computes in the arithmetic 'lava', not {arithmetic.name!r}"
    if ranks(projection).max(initial=0):
        return "a cell of Lava's LearningDense holds one synapse, and pairs have several"
    cells = sources * targets
    if cells > _LEARNING_CELLS:
        return f"Lava's LearningDense would have {cells} cells, more than {_LEARNING_CELLS}"
    if projection.size < cells and not masked:
        return "in Lava's LearningDense pairs without a synapse would learn, too"
    return ""


def learning_dense(
    projection: Projection,
    sources: int,
    targets: int,
    rng_seed: int,
    first: Mapping[str, Any] | None = None,
) -> Any:
    """Lava's LearningDense for ``projection`` (see :func:`why_ours`).

    ``first``: traces, and the tags "d" and "t" by synapse, to begin with.
    """
    from lava.proc.dense.process import LearningDense
    from lava.utils.weightutils import SignMode

    weights = np.zeros((targets, sources), np.int64)
    weights[projection.post, projection.pre] = projection.weights
    process = LearningDense(
        weights=weights,
        learning_rule=lava_rule(projection.learning, rng_seed),
        name=projection.name,
        weight_exp=projection.exponent,
        num_weight_bits=projection.num_weight_bits,
        sign_mode=SignMode(projection.signs.value),
    )
    for name, values in (first or {}).items():
        place = getattr(process, _TAGS.get(name, name))
        if name in _TAGS:
            tags = np.zeros((targets, sources), np.int64)
            tags[projection.post, projection.pre] = values
            place.init = tags
        else:
            place.init = np.array(np.broadcast_to(values, place.shape), np.int64)
    return process


def lava_rule(rule: LearningRule, rng_seed: int) -> Any:
    """A rule as Lava's ``Loihi2FLearningRule``, whose draws begin with ``rng_seed``."""
    from lava.magma.core.learning.learning_rule import Loihi2FLearningRule

    texts = {name: rule.text(name) or None for name in ("dw", "dd", "dt")}
    impulses = {f"{name}_impulse": trace.impulse for name, trace in rule.traces.items()}
    constants = {f"{name}_tau": trace.tau for name, trace in rule.traces.items()}
    return Loihi2FLearningRule(
        **texts, **impulses, **constants, t_epoch=rule.t_epoch, rng_seed=rng_seed
    )


def cells(projection: Projection, sources: int, targets: int) -> Integers:
    """1 where a synapse is, 0 elsewhere; shape (targets, sources)."""
    present = np.zeros((targets, sources), np.int32)
    present[projection.post, projection.pre] = 1
    return present


def values_of(projection: Projection) -> Callable[[Any], Mapping[str, Integers]]:
    """Reads "w", by synapse, and traces from a model of LearningDense."""

    def values(model: Any) -> dict[str, Integers]:
        weights = model.weights[projection.post, projection.pre]
        return {"w": weights, **{name: getattr(model, name) for name in projection.learning.traces}}

    return values


def draw_from(model: Any, tape: LavaDraws) -> None:
    """Let a model of LearningDense round by the draws of a tape, and not by Lava's generators."""
    model._x_random = _TraceDraws(tape, "x")
    model._y_random = _TraceDraws(tape, "y")
    model._conn_var_random = _WeightDraws(tape)


class _TraceDraws:
    """Draws of one side: Lava advances twice a step, and an early second spike has the first."""

    def __init__(self, tape: LavaDraws, side: str) -> None:
        self._tape, self._side, self._advanced = tape, side, 0

    def advance(self) -> None:
        """The next draws."""
        self._advanced += 1

    @property
    def random_trace_decay(self) -> float:
        """Uniform in [0, 1)."""
        draws = self._tape.traces(self._advanced // 2)
        return float(getattr(draws, f"{self._side}_decay"))

    @property
    def random_impulse_addition(self) -> int:
        """An integer in 0 .. 127."""
        early = self._advanced % 2  # asked for y only
        draws = self._tape.traces((self._advanced + early) // 2)
        return int(getattr(draws, f"{self._side}_impulse{'_early' if early else ''}"))


class _WeightDraws:
    """One draw an epoch."""

    def __init__(self, tape: LavaDraws) -> None:
        self._tape, self._epoch = tape, 0

    def advance(self) -> None:
        """The next epoch."""
        self._epoch += 1

    @property
    def random_stochastic_round(self) -> float:
        """Uniform in [0, 1)."""
        return self._tape.weights(self._epoch)
