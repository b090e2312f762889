"""The plain learning state of an arithmetic profile."""

from __future__ import annotations

from typing import Any

from brian2lava.chip.learning.brian2loihi import Brian2LoihiLearning
from brian2lava.chip.learning.lava_fixed import FixedLearning
from brian2lava.chip.learning.rule import LearningRule, RuleError
from brian2lava.chip.learning.synapses import Synapses


def learning_state(
    rounding: str,
    rule: LearningRule,
    synapses: Synapses,
    weights: Any,
    tape: Any,
    sign_mode: str,
    num_weight_bits: int = 8,
) -> FixedLearning | Brian2LoihiLearning:
    """A learning state by the profile's ``learning_rounding``.

    ``"nearest_draw"`` is lava-nc's fixed-point model, ``"grid_draw"`` brian2-loihi's; ``weights``
    are on the grid of their bits for the first, and as they were given for the second.
    """
    if rounding == "nearest_draw":
        return FixedLearning(rule, synapses, weights, tape, sign_mode)
    if rounding == "grid_draw":
        return Brian2LoihiLearning(rule, synapses, weights, tape, sign_mode, num_weight_bits)
    raise RuleError(f"learning rounding {rounding!r}; there are 'nearest_draw' and 'grid_draw'.")
