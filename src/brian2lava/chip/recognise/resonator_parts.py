"""Which of a resonator's states is the real part and which the imaginary one, by its threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brian2lava.chip.recognise.matched import refuse_map
from brian2lava.chip.recognise.step_map import (
    Array,
    Crossing,
    PhaseCrossing,
    PopulationMap,
)


@dataclass(frozen=True)
class Parts:
    """The roles of two states.

    Attributes
    ----------
    model : str
        "RF" or "RF_IZ".
    p, q : int
        The states of the real and of the imaginary part.
    up_p, up_q : array
        1 or -1: the sign with which a part is compared with its level.
    level : array or None
        The level of p (RF) or of q (RF_IZ), in the user's unit; None without a threshold.
    phase : PhaseCrossing or None
    text : str
        The threshold as the user wrote it.
    strict : bool
        Whether the level itself does not fire: ``>`` instead of ``>=``.
    """

    model: str
    p: int
    q: int
    up_p: Array
    up_q: Array
    level: Array | None
    phase: PhaseCrossing | None
    text: str
    strict: bool = False


def parts_of(found: PopulationMap) -> Parts:
    """The roles of a resonator's states.

    Raises
    ------
    NotSupported
        A third state, or a threshold that compares both.
    """
    threshold = found.threshold
    names = [state.name for state in found.states]
    if len(names) != 2:
        kept = threshold.earlier.state if isinstance(threshold, PhaseCrossing) else names[0]
        others = [name for name in names if name != kept]
        refuse_map(
            found,
            f"it has {len(names)} states: {', '.join(map(repr, names))}",
            "A chip's resonator has two, which turn around one another, and no current",
            f"Let input act on one of them, and keep {kept!r} and one of"
            f" {', '.join(map(repr, others)) or 'its kind'}",
        )
    one = np.ones(1)
    if threshold is None:
        return Parts("RF", 0, 1, one, one, None, None, "")
    if isinstance(threshold, PhaseCrossing):
        q = found.index(threshold.earlier.state)
        p = 1 - q
        return Parts(
            "RF", p, q, np.sign(threshold.level.weights[p]), np.sign(threshold.now.weights[q]),
            -threshold.level.offset / threshold.level.weights[p], threshold, threshold.text,
            not threshold.level.inclusive,
        )  # fmt: skip
    if not isinstance(threshold, Crossing):
        refuse_map(
            found,
            f"its threshold {threshold.text!r} has two sides",
            "RF_IZ, a resonator with a reset, has one",
            "Write it as y >= v_th",
        )
    compared = [k for k in (0, 1) if np.any(threshold.weights[k])]
    if len(compared) != 1:
        refuse_map(
            found,
            f"its threshold {threshold.text!r} compares both states",
            "RF_IZ, a resonator with a reset, compares one",
            "Write it as y >= v_th",
        )
    q = compared[0]
    weight = threshold.weights[q]
    return Parts(
        "RF_IZ", 1 - q, q, one, np.sign(weight), -threshold.offset / weight, None, threshold.text,
        not threshold.inclusive,
    )  # fmt: skip
