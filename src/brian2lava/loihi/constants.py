"""Names that brian2-loihi gives to states and sign modes, and the checks of its parameters."""

from __future__ import annotations

from numbers import Integral
from types import SimpleNamespace
from typing import Any

from brian2lava.errors import ChipLimit

#: What a state monitor can record.
state = SimpleNamespace(
    VOLTAGE="v",
    CURRENT="I",
    X1TRACE="x1",
    X2TRACE="x2",
    Y1TRACE="y1",
    Y2TRACE="y2",
    Y3TRACE="y3",
    WEIGHT="w",
    ACTUAL_WEIGHT="w_act",
)

#: Which signs weights may have.
synapse_sign_mode = SimpleNamespace(MIXED=1, EXCITATORY=2, INHIBITORY=3)


def given_name(kind: str, name: str) -> str:
    """What a message calls an object that has no name of its own yet: "LoihiSynapses 'inputs'"."""
    return kind if name.endswith("*") else f"{kind} {name!r}"


def whole(of: str, name: str, value: Any, low: int, high: int | None = None) -> int:
    """``value`` as a Python integer between ``low`` and ``high`` (None: no upper end).

    ``of`` is the object whose parameter it is, for messages.

    Raises
    ------
    ChipLimit
        It is no integer, or lies outside; the message says what was found and what may be.
    """
    span = f"{low} or more" if high is None else f"{low} to {high}"
    if not isinstance(value, Integral):
        raise ChipLimit(
            f"{of}, {name}={value!r}: a whole number, {span}, is needed, without a unit."
        )
    number = int(value)
    if number < low or (high is not None and number > high):
        raise ChipLimit(
            f"{of}, {name}={number}: the chip takes {span} (brian2-loihi 0.5.2). Choose a value"
            " in that range."
        )
    return number
