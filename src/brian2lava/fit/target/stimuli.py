"""Currents for targets: steps, ramps, chirps, noise, pulses, put one after another with ``+``.

A stimulus is a value: it says what it is, and gives the same samples for the same time step every
time. Noise has a seed and a grid of its own, so that one seed is one current whatever the time step
of the fit is. Times are in seconds; amplitudes in ampere, or without unit where the model's current
has none.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.target.target import MOST_SAMPLES

#: Seconds between the points of noise; other time steps read it along straight lines.
NOISE_GRID = 1e-4


class Stimulus(ABC):
    """A current over time."""

    duration: float

    @abstractmethod
    def at(self, times: Any) -> Any:
        """Values at times in seconds from the stimulus' beginning, arrays of the same shape."""

    def samples(self, dt: float) -> Any:
        """One value a time step, float64.

        Raises
        ------
        FitError
            Nothing would be left, or more than ``MOST_SAMPLES``.
        """
        if not (np.isfinite(dt) and dt > 0):
            raise FitError(f"dt is {dt}; a positive number of seconds is needed.")
        steps = round(self.duration / dt)
        if not 1 <= steps <= MOST_SAMPLES:
            raise FitError(
                f"a stimulus of {self.duration} s in steps of {dt} s has {steps} samples; 1 to"
                f" {MOST_SAMPLES} are possible. Choose another duration or time step."
            )
        return self.at(np.arange(steps) * dt)

    def __add__(self, other: Stimulus) -> Sequence:
        return Sequence((*self.parts(), *other.parts()))

    def parts(self) -> tuple[Stimulus, ...]:
        """What it consists of, in order."""
        return (self,)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the inverse is :func:`from_dict`."""
        return {"kind": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True)
class Step(Stimulus):
    """A constant current."""

    amplitude: float
    duration: float

    def __post_init__(self) -> None:
        _check(self)

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        return np.full(np.shape(times), float(self.amplitude))


@dataclass(frozen=True)
class Ramp(Stimulus):
    """From ``start`` to ``stop`` along a straight line."""

    start: float
    stop: float
    duration: float

    def __post_init__(self) -> None:
        _check(self)

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        return self.start + (self.stop - self.start) * np.asarray(times) / self.duration


@dataclass(frozen=True)
class Chirp(Stimulus):
    """A sine whose frequency rises (or falls) from ``low`` to ``high`` hertz, evenly in time."""

    amplitude: float
    low: float
    high: float
    duration: float
    mean: float = 0.0

    def __post_init__(self) -> None:
        _check(self)
        if self.low < 0 or self.high < 0:
            raise FitError(f"a chirp from {self.low} to {self.high} Hz; neither may be negative.")

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        times = np.asarray(times)
        cycles = self.low * times + (self.high - self.low) * times**2 / (2 * self.duration)
        return self.mean + self.amplitude * np.sin(2 * np.pi * cycles)


@dataclass(frozen=True)
class Noise(Stimulus):
    """Ornstein-Uhlenbeck noise: mean, standard deviation, correlation time, and a seed.

    It begins in its stationary distribution. Points on ``NOISE_GRID`` follow the exact recursion
    x' = x exp(-h/tau) + sigma sqrt(1 - exp(-2h/tau)) N(0, 1) (Gillespie 1996).
    """

    mean: float
    sigma: float
    tau: float
    duration: float
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)
        if self.tau <= 0 or self.sigma < 0:
            raise FitError(
                f"noise with tau={self.tau} s and sigma={self.sigma}; tau has to be positive and"
                " sigma not negative."
            )
        if self.duration / NOISE_GRID > MOST_SAMPLES:
            raise FitError(f"{self.duration} s of noise; {MOST_SAMPLES * NOISE_GRID:g} s at most.")

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        from scipy.signal import lfilter

        points = int(np.ceil(self.duration / NOISE_GRID)) + 1
        draws = np.random.default_rng(self.seed).standard_normal(points)
        keep = np.exp(-NOISE_GRID / self.tau)
        draws[1:] *= np.sqrt(1 - keep**2)
        values = self.mean + self.sigma * lfilter([1.0], [1.0, -keep], draws)
        return np.interp(np.asarray(times), np.arange(points) * NOISE_GRID, values)


@dataclass(frozen=True)
class FrozenNoise(Stimulus):
    """One piece of noise, given ``times`` times with silence between: for reliability."""

    mean: float
    sigma: float
    tau: float
    piece: float
    times: int = 2
    rest: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.times < 1 or self.rest < 0:
            raise FitError(f"frozen noise {self.times} times with {self.rest} s between them.")
        _check(self)

    @property
    def duration(self) -> float:  # type: ignore[override]
        """Of all pieces and the silence after each."""
        return self.times * (self.piece + self.rest)

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        within = np.mod(np.asarray(times) + 1e-12, self.piece + self.rest) - 1e-12
        noise = Noise(self.mean, self.sigma, self.tau, self.piece, self.seed)
        return np.where(within < self.piece - 1e-12, noise.at(within), 0.0)


@dataclass(frozen=True)
class Pulses(Stimulus):
    """Rectangles: the k-th begins at ``onsets[k]``, all have ``width`` and ``amplitude``.

    ``base`` flows between them.
    """

    amplitude: float
    width: float
    onsets: tuple[float, ...]
    duration: float
    base: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "onsets", tuple(float(onset) for onset in self.onsets))
        _check(self)
        if self.width <= 0:
            raise FitError(f"pulses of {self.width} s; the width has to be positive.")

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        times = np.asarray(times)
        inside = np.zeros(times.shape, bool)
        for onset in self.onsets:
            inside |= (times > onset - 1e-9) & (times < onset + self.width - 1e-9)
        return np.where(inside, self.amplitude, self.base)


@dataclass(frozen=True)
class Sequence(Stimulus):
    """Stimuli one after another."""

    pieces: tuple[Stimulus, ...]

    @property
    def duration(self) -> float:  # type: ignore[override]
        """Of all together."""
        return sum(piece.duration for piece in self.pieces)

    def at(self, times: Any) -> Any:
        """See :class:`Stimulus`."""
        times = np.asarray(times, np.float64)
        values = np.zeros(times.shape)
        begin = 0.0
        for k, piece in enumerate(self.pieces):
            last = k == len(self.pieces) - 1
            # half a nanosecond decides on which side of a joint a sample lies
            inside = (times > begin - 5e-10) & (last | (times < begin + piece.duration - 5e-10))
            values[inside] = piece.at(np.maximum(times[inside] - begin, 0.0))
            begin += piece.duration
        return values

    def parts(self) -> tuple[Stimulus, ...]:
        """See :class:`Stimulus`."""
        return self.pieces

    def to_dict(self) -> dict[str, Any]:
        """See :class:`Stimulus`."""
        return {"kind": "Sequence", "pieces": [piece.to_dict() for piece in self.pieces]}


KINDS: dict[str, type[Stimulus]] = {
    kind.__name__: kind for kind in (Step, Ramp, Chirp, Noise, FrozenNoise, Pulses, Sequence)
}


def from_dict(data: Mapping[str, Any]) -> Stimulus:
    """The stimulus that :meth:`Stimulus.to_dict` described.

    Raises
    ------
    FitError
        An unknown kind, or fields that it does not have.
    """
    fields = dict(data)
    name = fields.pop("kind", None)
    if name not in KINDS:
        raise FitError(f"there is no stimulus {name!r}; there are {', '.join(KINDS)}.")
    if name == "Sequence":
        return Sequence(tuple(from_dict(piece) for piece in fields.get("pieces", ())))
    try:
        return KINDS[name](**fields)
    except TypeError as problem:
        raise FitError(f"stimulus {name}: {problem}.") from None


def _check(stimulus: Any) -> None:
    for name, value in asdict(stimulus).items():
        if not np.isfinite(np.asarray(value, np.float64)).all():
            raise FitError(f"{type(stimulus).__name__}: {name} is {value}; it has to be finite.")
    if stimulus.duration <= 0:
        raise FitError(
            f"{type(stimulus).__name__}: {stimulus.duration} s long; it has to be positive."
        )
