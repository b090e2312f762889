"""Sources of spikes: what the host sends into a chip, step by step.

Each says with ``sent(now, draw)`` what it sends in step ``now``: shape (size,), 0 where it is
silent; ``draw(size)`` gives uniform random numbers in 0..1. ``graded`` sources send numbers, which
projections with ``message_bits`` multiply with their weights; the others send 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.binomial import cumulative
from brian2lava.chip.integers import Integers, check_size, frozen
from brian2lava.chip.limits import PAYLOAD, Limit
from brian2lava.errors import ChipLimit

#: A size -> uniform random numbers in 0..1.
Draw = Callable[[int], NDArray[np.float64]]


@dataclass(frozen=True)
class SpikeTimes:
    """Spikes that are known beforehand.

    Attributes
    ----------
    name : str
    size : int
        Number of sources.
    indices, steps : arrays of shape (spikes,)
        Who spikes in which step (counted from 0); any order.
    period : int
        Steps after which everything repeats; 0: never.
    """

    name: str
    size: int
    indices: Any
    steps: Any
    period: int = 0

    graded: ClassVar[bool] = False
    largest: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_size(f"source {self.name!r}: size", self.size)
        indices, steps = frozen(self.indices), frozen(self.steps)
        if indices.shape != steps.shape or indices.ndim != 1:
            raise ChipLimit(
                f"source {self.name!r}: {indices.size} indices and {steps.size} steps; one of each"
                " a spike is needed."
            )
        Limit(0, max(self.size - 1, 0), "number of sources").check(
            f"source {self.name!r}, index", indices, "Choose a larger size."
        )
        last = self.period - 1 if self.period else (1 << 31) - 1
        Limit(0, last, "period" if self.period else "32-bit step").check(
            f"source {self.name!r}, step", steps, "Spikes have to lie inside."
        )
        order = np.lexsort((indices, steps))
        pairs = np.stack([steps[order], indices[order]])
        if indices.size > 1 and np.any(np.all(pairs[:, 1:] == pairs[:, :-1], axis=0)):
            raise ChipLimit(
                f"source {self.name!r}: one source spikes twice in one step; a chip's spike source"
                " can spike once a step."
            )
        object.__setattr__(self, "indices", frozen(indices[order]))
        object.__setattr__(self, "steps", frozen(steps[order]))

    def sent(self, now: int, draw: Draw) -> Integers:
        """1 where a spike is due in step ``now``."""
        now = now % self.period if self.period else now
        first, last = np.searchsorted(self.steps, [now, now + 1])
        sent = np.zeros(self.size, np.int64)
        sent[self.indices[first:last]] = 1
        return sent


@dataclass(frozen=True)
class PoissonSpikes:
    """Each source spikes with a fixed probability a step.

    ``probability`` is a float in 0 .. 1, or an array of shape (size,). Spikes are made by the host
    (a chip takes them in from outside); the draws are the engine's counted random numbers.
    """

    name: str
    size: int
    probability: Any

    graded: ClassVar[bool] = False
    largest: ClassVar[int] = 1

    def __post_init__(self) -> None:
        check_size(f"source {self.name!r}: size", self.size)
        values = np.array(self.probability, dtype=np.float64)
        if values.shape not in ((), (self.size,)) or not np.all((values >= 0) & (values <= 1)):
            raise ChipLimit(
                f"source {self.name!r}: probabilities of shape {values.shape} between"
                f" {values.min()} and {values.max()}; one number or ({self.size},) in 0..1 is"
                " needed: rate * dt must not exceed 1."
            )
        values.flags.writeable = False
        object.__setattr__(self, "probability", values)

    def sent(self, now: int, draw: Draw) -> Integers:
        """1 where the number drawn is below the probability."""
        return (draw(self.size) < self.probability).astype(np.int64)


@dataclass(frozen=True)
class BinomialCounts:
    """How many of ``inputs`` independent sources spike in a step, drawn for each target anew.

    Brian2's PoissonInput. The count is the payload of one spike (Loihi 2; Loihi 1 has binary spikes
    only, see :mod:`brian2lava.chip.quantise.counts`). One random number a target and step, through
    the inverse of the cumulative distribution: exact counts, where Brian2 draws a normal number
    from an expected 5 spikes on.

    Attributes
    ----------
    name : str
    size : int
        Number of targets.
    inputs : int
        Sources a target; at most what a payload can count to.
    probability : float
        Of a spike of each source in a step, 0..1: rate * dt.
    first : int
        The least count that occurs, and ``cumulative[k]`` the probability of at most first + k.
    """

    name: str
    size: int
    inputs: int
    probability: float
    first: int = field(init=False)
    cumulative: NDArray[np.float64] = field(init=False, compare=False)

    graded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_size(f"source {self.name!r}: size", self.size)
        check_size(f"source {self.name!r}, inputs a target", self.inputs)
        PAYLOAD.check(
            f"source {self.name!r}, inputs a target", self.inputs, "Use several of fewer inputs."
        )
        chance = float(self.probability)
        if not 0 <= chance <= 1:
            raise ChipLimit(
                f"source {self.name!r}: the probability {chance}; a number in 0..1 is needed: rate"
                " * dt must not exceed 1."
            )
        first, values = cumulative(int(self.inputs), chance)
        values.flags.writeable = False
        object.__setattr__(self, "probability", chance)
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "cumulative", values)

    @property
    def largest(self) -> int:
        """The largest number that is sent."""
        return self.first + len(self.cumulative)

    def sent(self, now: int, draw: Draw) -> Integers:
        """The counts."""
        found = np.searchsorted(self.cumulative, draw(self.size), side="right")
        return np.asarray(self.first + found, np.int64)


@dataclass(frozen=True)
class GivenCounts:
    """Counts that are known beforehand, for example those that a run has drawn.

    ``counts`` has shape (steps, size); after the last row nothing is sent.
    """

    name: str
    size: int
    counts: Any

    graded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_size(f"source {self.name!r}: size", self.size)
        counts = frozen(self.counts)
        if counts.ndim != 2 or counts.shape[1] != self.size:
            raise ChipLimit(
                f"source {self.name!r}: counts of shape {counts.shape}, expected (steps,"
                f" {self.size})."
            )
        PAYLOAD.check(f"source {self.name!r}, count", counts, "Scale it down.")
        object.__setattr__(self, "counts", counts)

    @property
    def largest(self) -> int:
        """The largest number that is sent, without sign."""
        return int(np.abs(self.counts).max(initial=1))

    def sent(self, now: int, draw: Draw) -> Integers:
        """The counts of step ``now``."""
        if now < len(self.counts):
            return np.asarray(self.counts[now])
        return np.zeros(self.size, np.int64)


Source = SpikeTimes | PoissonSpikes | BinomialCounts | GivenCounts


def given_counts(source: Source, spikes: tuple[Any, Any], payloads: Any) -> GivenCounts:
    """What a graded source has sent in a run, (steps, indices) and payloads, as a source."""
    when, who = spikes
    counts = np.zeros((int(np.max(when, initial=-1)) + 1, source.size), np.int64)
    counts[when, who] = payloads
    return GivenCounts(source.name, source.size, counts)
