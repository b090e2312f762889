"""A target: sweeps of current with the spikes and the voltage that answer them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError

#: Samples of one sweep; 10^7 are 40 MB, and 1000 s at 0.1 ms.
MOST_SAMPLES = 10_000_000
Span = tuple[float, float]


@dataclass(frozen=True)
class Sweep:
    """One stimulus and what answered it.

    Attributes
    ----------
    current : array of float64, shape (samples,)
        In ampere, or without unit where the model's current has none; one value a time step.
    spikes : tuple of arrays of float64
        Spike times in seconds, sorted, one array a repeat. Empty tuple: spikes are not known.
    voltage : array of float64, shape (samples,), or None
        In volt, of the first repeat.
    """

    current: Any
    spikes: tuple[Any, ...] = ()
    voltage: Any = None

    def __post_init__(self) -> None:
        current = _finite("current", self.current)
        if current.size > MOST_SAMPLES:
            raise FitError(
                f"a sweep of {current.size} samples; {MOST_SAMPLES} are the most. Cut it, or use a"
                " longer time step."
            )
        trains = []
        for k, train in enumerate(self.spikes):
            times = np.sort(_finite(f"spike times of repeat {k}", train, empty=True))
            times.flags.writeable = False
            trains.append(times)
        object.__setattr__(self, "current", current)
        object.__setattr__(self, "spikes", tuple(trains))
        if self.voltage is not None:
            voltage = _finite("voltage", self.voltage)
            if voltage.size != current.size:
                raise FitError(
                    f"{current.size} samples of current and {voltage.size} of voltage; one of each"
                    " a time step is needed."
                )
            object.__setattr__(self, "voltage", voltage)

    @property
    def steps(self) -> int:
        """Samples."""
        return int(self.current.size)


@dataclass(frozen=True)
class Target:
    """What a fit tries to reproduce.

    Attributes
    ----------
    name : str
    dt : float
        Seconds between samples.
    sweeps : tuple of Sweep
    train, held_out : tuple of (start, stop) in seconds
        Parts of every sweep; they do not overlap. Nothing in ``held_out`` is seen by a search.
    unit : str
        Of the current: "A", or "1" for a model whose current has no unit.
    source : str
        Where it is from: a model with its parameters, or a file.
    spike_width : (before, after) in seconds
        Around a spike the voltage is an action potential, which no chip neuron has; it is not
        compared. (0, 0) for recordings of chip neurons.
    """

    name: str
    dt: float
    sweeps: tuple[Sweep, ...]
    train: tuple[Span, ...] = ()
    held_out: tuple[Span, ...] = ()
    unit: str = "A"
    source: str = ""
    spike_width: Span = (1e-3, 3e-3)

    def __post_init__(self) -> None:
        if not (np.isfinite(self.dt) and self.dt > 0):
            raise FitError(f"target {self.name!r}: dt is {self.dt}; a positive number of seconds.")
        if not self.sweeps:
            raise FitError(f"target {self.name!r} has no sweep; give it at least one current.")
        object.__setattr__(self, "sweeps", tuple(self.sweeps))
        if not self.train and not self.held_out:
            # the answer to the first two thirds is fitted, the last third judges
            end = self.duration
            object.__setattr__(self, "train", ((0.0, end * 2 / 3),))
            object.__setattr__(self, "held_out", ((end * 2 / 3, end),))
        for kind in ("train", "held_out"):
            spans = tuple((float(a), float(b)) for a, b in getattr(self, kind))
            object.__setattr__(self, kind, spans)
            for start, stop in spans:
                if not 0 <= start < stop:
                    raise FitError(f"target {self.name!r}: {kind} span {start}..{stop} s is empty.")
        if not self.train:
            raise FitError(f"target {self.name!r} has no span to train on.")
        everything = sorted((*self.train, *self.held_out))
        for (_, stop), (start, _) in zip(everything[:-1], everything[1:]):
            if start < stop - 1e-12:
                raise FitError(
                    f"target {self.name!r}: spans overlap at {start} s. What judges must not have"
                    " been trained on."
                )

    @property
    def duration(self) -> float:
        """Of the longest sweep, in seconds."""
        return max(sweep.steps for sweep in self.sweeps) * self.dt

    def steps_of(self, spans: Sequence[Span]) -> tuple[tuple[int, int], ...]:
        """Spans in steps: (first, last), the last not among them."""
        return tuple((round(start / self.dt), round(stop / self.dt)) for start, stop in spans)

    def spike_steps(self, sweep: int, repeat: int = 0) -> Any:
        """The steps in which the spikes of a repeat fall, int32."""
        times = self.sweeps[sweep].spikes[repeat]
        return np.unique(np.floor(times / self.dt + 1e-6).astype(np.int32))


def _finite(what: str, values: Any, empty: bool = False) -> Any:
    array = np.array(values, np.float64)
    if array.ndim != 1 or (array.size == 0 and not empty):
        raise FitError(f"{what}: a list of numbers is needed; got shape {array.shape}.")
    wrong = ~np.isfinite(array)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise FitError(
            f"{what}: sample {place} is {array[place]}. Cut the recording there, or fill the gap."
        )
    array.flags.writeable = False
    return array
