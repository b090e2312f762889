"""What a candidate is: physical parameters with bounds, and the registers that they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from brian2lava.chip.models import MODELS
from brian2lava.chip.models.neuron import NeuronModel
from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings

#: "threshold": in units of the resting threshold. "1/I": thresholds per unit of current.
Unit = Literal["s", "Hz", "threshold", "1/I", "1"]


@dataclass(frozen=True)
class Parameter:
    """A physical parameter of a candidate.

    Attributes
    ----------
    name, meaning : str
    unit : str
        "s"; "Hz"; "threshold": multiples of the resting threshold; "1/I": such multiples that a
        steady current of one unit of the target's stimulus brings about; "1": a pure number.
    low, high : float
        Bounds of the search. Those of "1/I" are relative to the stimulus: see ``bounds``.
    log : bool
        Searched and shown on a logarithmic scale.
    register : str
        The register that it becomes, or that it becomes part of.
    """

    name: str
    meaning: str
    unit: Unit
    low: float
    high: float
    log: bool
    register: str

    def bounds(self, reach: float) -> tuple[float, float]:
        """Bounds for a stimulus that reaches ``reach`` (its largest absolute value)."""
        factor = 1 / reach if self.unit == "1/I" else 1.0
        return self.low * factor, self.high * factor


@dataclass(frozen=True)
class Frame:
    """What turns physical values into integers, the same for all settings of a fit.

    Attributes
    ----------
    dt : float
        Seconds a step of the chip.
    reach : float
        Largest absolute value of the stimulus.
    threshold : int
        Mantissa of the resting threshold: how finely v is resolved. The state has 2**17 / threshold
        times the threshold as its range.
    payload : int
        What the largest stimulus value becomes as the payload of a graded spike.
    drive : "graded" or "bias"
    """

    dt: float
    reach: float
    threshold: int = 8192
    payload: int = 2047
    drive: Literal["graded", "bias"] = "graded"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.reach) and self.reach > 0):
            raise FitError("the stimulus is zero throughout; there is nothing to fit.")


@dataclass(frozen=True)
class Candidate:
    """A chip neuron that a fit may choose.

    Attributes
    ----------
    name : str
    title : str
        What people call it.
    model : str
        A name in ``brian2lava.chip.models.MODELS``.
    parameters : tuple of Parameter
    to_settings : function of (values by name, Frame) -> Settings
        Rounds; values are arrays of shape (size,).
    to_physical : function of (Settings, Frame) -> values by name
        What the registers mean: the inverse after rounding.
    polish : tuple of str
        Registers that are moved by single bits at the end of a search; "weight" is the mantissa.
    """

    name: str
    title: str
    model: str
    parameters: tuple[Parameter, ...]
    to_settings: Callable[[Mapping[str, Any], Frame], Settings]
    to_physical: Callable[[Settings, Frame], Mapping[str, Any]]
    polish: tuple[str, ...]

    @property
    def neuron(self) -> NeuronModel:
        """The chip model."""
        return MODELS[self.model]

    @property
    def stock(self) -> bool:
        """Whether lava-nc has a process of it; else it is ours (Lava's have no refractoriness)."""
        rests = any(parameter.register == "refractory" for parameter in self.parameters)
        return self.neuron.lava is not None and not rests

    def where(self) -> tuple[str, ...]:
        """Where it can run."""
        return ("emulator", "Lava", "Loihi 2") if self.stock else ("emulator", "Lava (our process)")

    def parameter(self, name: str) -> Parameter:
        """A parameter by its name."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise FitError(
            f"{self.name} has no parameter {name!r}; it has"
            f" {', '.join(p.name for p in self.parameters)}."
        )
