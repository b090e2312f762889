"""What the user's own program did in floating point: the reference of a verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OwnRun:
    """A run of the equations as they were given, without recognition.

    Attributes
    ----------
    spikes : dict of population to (steps, indices)
    states : dict of (population, variable) to array of shape (steps, size)
        In the user's SI unit. What spikes reach later (``ahead`` of its link): at the start of each
        step; all else: after thresholds, and before spikes are delivered and reset.
    weights : dict of the chip's projection that learns to array of shape (synapses,)
        At the end, in the user's unit.
    waiting : int
        Spikes that were on their way from an earlier run, and are in no run of a verification.
    stochastic : tuple of str
        Objects that drew random numbers of their own.
    """

    spikes: Mapping[str, tuple[Any, Any]]
    states: Mapping[tuple[str, str], Any]
    weights: Mapping[str, Any] = field(default_factory=dict)
    waiting: int = 0
    stochastic: tuple[str, ...] = ()
