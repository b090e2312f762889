"""Random numbers of the learning engine, as an input: a tape that is read, not a generator inside.

The arithmetic is exact once its draws are known. In use they come from :class:`PhiloxTape`; with a
seed of lava-nc's own, :class:`LavaTape` gives the numbers that lava-nc draws; a test replays with
:class:`RecordedTape` what brian2-loihi drew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.learning.widths import IMPULSE_DRAW

#: lava-nc seeds the generator for weights with this, whatever the rule's seed.
WEIGHT_SEED = 2


@dataclass(frozen=True)
class TraceDraws:
    """What the traces of one projection draw in one step: one number for all of them each.

    ``x_decay`` and ``y_decay`` are uniform in [0, 1); the impulses are integers 0 .. 127.
    ``y_impulse_early`` is for a second spike within an epoch, ``y_impulse`` for the last.
    """

    x_decay: float
    x_impulse: int
    y_decay: float
    y_impulse: int
    y_impulse_early: int


class LavaDraws(Protocol):
    """A tape for lava-nc's arithmetic. Steps and epochs are counted from 1."""

    def traces(self, step: int) -> TraceDraws:
        """The draws of time step ``step``."""

    def weights(self, epoch: int) -> float:
        """The draw, uniform in [0, 1), that rounds all synaptic variables of an epoch."""


class SynapseDraws(Protocol):
    """A tape for brian2-loihi's arithmetic."""

    def round_up(self, trace: str, step: int, fractions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which synapses' ``trace`` (or weight, ``"w"``) is rounded up: fractions > uniform."""


class LavaTape:
    """The numbers that lava-nc 0.10.0 draws for a rule with this ``rng_seed``.

    Steps have to be asked for in order: its generators are sequential.
    """

    def __init__(self, rng_seed: int) -> None:
        generators = [np.random.default_rng(rng_seed + k) for k in range(4)]
        self._x_decay, self._x_impulse, self._y_decay, self._y_impulse = generators
        self._weights = np.random.default_rng(WEIGHT_SEED)
        self._step = self._epoch = 0
        self._advance()  # lava-nc draws once while it is built
        self._weights.random(1)

    def _advance(self) -> tuple[float, int, float, int]:
        return (
            float(self._x_decay.random(1)[0]),
            int(self._x_impulse.integers(0, IMPULSE_DRAW, size=1, dtype=int)[0]),
            float(self._y_decay.random(1)[0]),
            int(self._y_impulse.integers(0, IMPULSE_DRAW, size=1, dtype=int)[0]),
        )

    def traces(self, step: int) -> TraceDraws:
        """The draws of time step ``step``; the step before has to be the last that was asked."""
        self._step = _next(step, self._step, "step")
        *_, early = self._advance()
        return TraceDraws(*self._advance(), early)

    def weights(self, epoch: int) -> float:
        """The draw of an epoch, in order."""
        self._epoch = _next(epoch, self._epoch, "epoch")
        return float(self._weights.random(1)[0])


def _next(asked: int, last: int, what: str) -> int:
    if asked != last + 1:
        raise ValueError(f"this tape was read to {what} {last}; {what} {asked} is not the next one")
    return asked


class PhiloxTape:
    """Draws by counter: any step at any time, the same on every engine.

    Parameters
    ----------
    seed : int
        64 bits.
    stream : int
        Tells projections apart.
    """

    def __init__(self, seed: int, stream: int = 0) -> None:
        self.key = stream_key(seed, stream)

    def traces(self, step: int) -> TraceDraws:
        """The draws of a time step."""
        x_decay, y_decay, x_impulse, y_impulse, early = (
            uniform(self.key, 0, draw, step) for draw in range(5)
        )
        return TraceDraws(
            x_decay,
            int(x_impulse * IMPULSE_DRAW),
            y_decay,
            int(y_impulse * IMPULSE_DRAW),
            int(early * IMPULSE_DRAW),
        )

    def weights(self, epoch: int) -> float:
        """The draw of an epoch."""
        return uniform(self.key, 0, WEIGHT_DRAW, epoch)

    def round_up(self, trace: str, step: int, fractions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """A number of 32 bits a synapse, by the synapse's own index."""
        draw, word = draw_of(trace)
        words = philox(self.key, np.arange(fractions.size), draw, step)[word]
        return fractions > words * 2.0**-32


#: What single synapses round, in the order of their draws.
ROUNDED = ("x1", "y1", "x2", "y2", "y3", "w")
#: Numbers of the draws: 0 .. 4 traces, then weights, then what single synapses round.
WEIGHT_DRAW = 5
TRACE_DRAW = 8


def draw_of(rounded: str) -> tuple[int, int]:
    """The draw and which of its four words rounds a trace or ``"w"``: one draw serves four."""
    draw, word = divmod(ROUNDED.index(rounded), 4)
    return TRACE_DRAW + draw, word


class RecordedTape:
    """Bits that were drawn elsewhere: trace or ``"w"`` -> array of shape (steps, synapses)."""

    def __init__(self, bits: Mapping[str, NDArray[Any]]) -> None:
        self._bits = {trace: np.asarray(values, dtype=bool) for trace, values in bits.items()}

    def round_up(self, trace: str, step: int, fractions: NDArray[np.float64]) -> NDArray[np.bool_]:
        """The bits of a step."""
        return self._bits[trace][step]


_MASK = np.uint64(0xFFFFFFFF)


def stream_key(seed: int, site: int) -> int:
    """A key of its own for each ``site`` (splitmix64; Steele, Lea and Flood 2014)."""
    whole = (1 << 64) - 1
    z = (seed + 0x9E3779B97F4A7C15 * (site + 1)) & whole
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & whole
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & whole
    return z ^ (z >> 31)


def philox(key: int, element: Any, draw: int, execution: int) -> tuple[NDArray[np.uint64], ...]:
    """Four words of 32 bits for each element (an index or an array of them).

    Philox 4x32-10 (Salmon et al. 2011), with the engine's counter: element, draw, execution.
    """
    element = np.asarray(element, dtype=np.uint64)
    c0, c1 = element, np.full(element.shape, draw, dtype=np.uint64)
    c2 = np.full(element.shape, execution & 0xFFFFFFFF, dtype=np.uint64)
    c3 = np.full(element.shape, execution >> 32, dtype=np.uint64)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0 = (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0)
        c2 = (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1)
        c1, c3 = p1 & _MASK, p0 & _MASK
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def uniform(key: int, element: int, draw: int, execution: int) -> float:
    """A uniform number in [0, 1) of 53 bits; one call of philox serves two elements."""
    words = philox(key, element >> 1, draw, execution)
    high, low = words[2:] if element & 1 else words[:2]
    return ((int(high) << 32 | int(low)) >> 11) * 2.0**-53
