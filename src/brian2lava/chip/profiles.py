"""Arithmetic profiles: in which of the known ways a chip's integers are computed.

Emulators of Loihi differ in details that are not public, or that their authors left out. Each such
detail is a field here; identity to the bit is demanded within one profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brian2lava.errors import OptionError


@dataclass(frozen=True)
class Arithmetic:
    """How integers are computed.

    Attributes
    ----------
    name : str
    word : 32 or 64
        Bits of the words in which sums are formed (two's complement, wrapping).
    decay_offset : int
        Added to the register ``du`` (the chip's current decay is the register plus one).
    wrap : "once", "modulo" or "never"
        What happens to a current beyond 24 bits: lava-nc subtracts or adds 2**24 once, with the
        range (-2**23, 2**23]; nengo-loihi takes the two's complement.
    saturate : bool
        Whether the voltage stops at +-(2**23 - 1).
    accumulator_bits : int or None
        Bits beside the sign of the sum of weights that arrive in a step; None: no limit.
    exponent : "sum" or "synapse"
        Whether the weight exponent shifts the sum of mantissas or each weight.
    weight_rounding : "floor", "toward_zero" or "nearest"
        How a mantissa is brought to the grid of its bits.
    negative_weight : int
        The most negative mantissa of an inhibitory projection.
    trace_decay : "exponential" or "reciprocal"
        exp(-1/tau) or 1 - 1/tau a step.
    learning_rounding : "nearest_draw" or "grid_draw"
        Stochastic rounding of weights to integers (lava-nc), or to the grid of the weight's bits
        (brian2-loihi).
    max_delay : int
    source : str
    """

    name: str
    word: Literal[32, 64]
    decay_offset: int
    wrap: Literal["once", "modulo", "never"]
    saturate: bool
    accumulator_bits: int | None
    exponent: Literal["sum", "synapse"]
    weight_rounding: Literal["floor", "toward_zero", "nearest"]
    negative_weight: int
    trace_decay: Literal["exponential", "reciprocal"]
    learning_rounding: Literal["nearest_draw", "grid_draw"]
    max_delay: int
    source: str


LAVA = Arithmetic(
    name="lava",
    word=32,
    decay_offset=1,
    wrap="once",
    saturate=True,
    accumulator_bits=None,
    exponent="sum",
    weight_rounding="floor",
    negative_weight=-255,
    trace_decay="exponential",
    learning_rounding="nearest_draw",
    max_delay=63,
    source="fixed-point process models of lava-nc 0.10.0",
)
LOIHI1 = Arithmetic(
    name="loihi1",
    word=32,
    decay_offset=1,
    wrap="modulo",
    saturate=True,
    accumulator_bits=21,
    exponent="synapse",
    weight_rounding="nearest",
    negative_weight=-255,
    trace_decay="reciprocal",
    learning_rounding="grid_draw",
    max_delay=62,
    source="emulator of nengo-loihi 1.1",
)
BRIAN2LOIHI = Arithmetic(
    name="brian2loihi",
    word=64,
    decay_offset=0,
    wrap="never",
    saturate=False,
    accumulator_bits=None,
    exponent="synapse",
    weight_rounding="toward_zero",
    negative_weight=-256,
    trace_decay="reciprocal",
    learning_rounding="grid_draw",
    max_delay=62,
    source="brian2-loihi 0.5.2",
)
PROFILES = {profile.name: profile for profile in (LAVA, LOIHI1, BRIAN2LOIHI)}


def profile(name: str | Arithmetic) -> Arithmetic:
    """A profile by its name; a record of one's own is taken as it is.

    Raises
    ------
    OptionError
        There is no profile of that name.
    """
    if isinstance(name, Arithmetic):
        return name
    if name not in PROFILES:
        raise OptionError(
            f"arithmetic={name!r}: the profiles are {', '.join(map(repr, PROFILES))}, or a record"
            " brian2lava.chip.profiles.Arithmetic."
        )
    return PROFILES[name]
