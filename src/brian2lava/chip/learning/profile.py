"""Learning by arithmetic profile: the plain state, and the operations of a step program."""

from __future__ import annotations

from typing import Any

from brian2lava.chip.learning.brian2loihi import Brian2LoihiLearning
from brian2lava.chip.learning.compiled import Allocate, Compiled, Projecting
from brian2lava.chip.learning.compiled_brian2loihi import compile_brian2loihi
from brian2lava.chip.learning.compiled_lava import compile_lava
from brian2lava.chip.learning.lava_fixed import FixedLearning
from brian2lava.chip.learning.rule import LearningRule, RuleError
from brian2lava.chip.learning.synapses import Synapses
from brian2lava.program import step_program as program

#: A profile's ``learning_rounding`` -> the dialect of rules that it computes.
DIALECTS = {"nearest_draw": "lava", "grid_draw": "brian2loihi"}


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
    if dialect(rounding) == "lava":
        return FixedLearning(rule, synapses, weights, tape, sign_mode)
    return Brian2LoihiLearning(rule, synapses, weights, tape, sign_mode, num_weight_bits)


def learning_operations(
    rounding: str,
    projecting: Projecting,
    allocate: Allocate,
    delivery: program.Pathway,
    steps_before: int = 0,
) -> Compiled:
    """The operations of a learning projection, to stand behind all deliveries.

    Parameters
    ----------
    rounding : str
        The profile's ``learning_rounding``.
    projecting : Projecting
    allocate : Allocate
    delivery : Pathway
        What delivers the projection's weights.
    steps_before : int
        Steps of learning before step 0 of the program's clock.

    Raises
    ------
    RuleError
        The rule does not fit the profile.
    """
    if dialect(rounding) == "lava":
        return compile_lava(projecting, allocate, first_step=steps_before)
    return compile_brian2loihi(projecting, allocate, delivery, first_time=steps_before)


def dialect(rounding: str) -> str:
    """The dialect of rules that a profile computes."""
    if rounding not in DIALECTS:
        raise RuleError(f"learning rounding {rounding!r}; there are {', '.join(DIALECTS)}.")
    return DIALECTS[rounding]
