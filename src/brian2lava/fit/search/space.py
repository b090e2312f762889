"""The unit cube in which a search moves, and what its points mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.candidates import Candidate, Parameter
from brian2lava.fit.candidates.candidate import Frame

#: Parameters of either sign are searched on a scale that is linear below this (thresholds, or a
#: pure number) and logarithmic above: a tenth may count as much as a whole.
_FINE = 0.1


@dataclass(frozen=True)
class Space:
    """The free parameters of a candidate, between bounds.

    Attributes
    ----------
    candidate : Candidate
    frame : Frame
    bounds : dict of str to (low, high)
        Other bounds than the candidate's own, in the parameter's unit.
    fixed : dict of str to float
        Parameters that are not searched.
    """

    candidate: Candidate
    frame: Frame
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    fixed: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.bounds, *self.fixed):
            self.candidate.parameter(name)
        for parameter in self.free:
            low, high = self.limits(parameter)
            if not (np.isfinite([low, high]).all() and low < high):
                raise FitError(
                    f"{self.candidate.name}, bounds of {parameter.name!r}: {low}..{high}; the first"
                    " has to be below the second. Fix the parameter if it shall not move."
                )
            if parameter.log and low <= 0:
                raise FitError(
                    f"{self.candidate.name}, bounds of {parameter.name!r}: {low}..{high}; it is"
                    " searched on a logarithmic scale, so both have to be positive."
                )

    @property
    def free(self) -> Sequence[Parameter]:
        """The parameters that are searched."""
        hidden = {"tau_s", "slow"} if self.frame.drive == "bias" else set()
        if hidden and len(self.candidate.neuron.ports) == 1:
            hidden.add("jump")
        return [
            p
            for p in self.candidate.parameters
            if p.name not in self.fixed and p.name not in hidden
        ]

    @property
    def dimensions(self) -> int:
        """How many are free."""
        return len(self.free)

    def limits(self, parameter: Parameter) -> tuple[float, float]:
        """Low and high of a parameter."""
        return self.bounds.get(parameter.name) or parameter.bounds(self.frame.reach)

    def values(self, points: Any) -> dict[str, Any]:
        """Points of the cube, shape (size, dimensions), as physical values of shape (size,)."""
        points = np.clip(np.atleast_2d(points), 0.0, 1.0)
        values: dict[str, Any] = {
            p.name: np.full(len(points), self.fixed.get(p.name, p.bounds(self.frame.reach)[0]))
            for p in self.candidate.parameters
        }
        for k, parameter in enumerate(self.free):
            low, high = self.limits(parameter)
            if parameter.log:
                values[parameter.name] = low * (high / low) ** points[:, k]
            elif low < 0 < high:
                first, last = np.arcsinh(np.array([low, high]) / _FINE)
                values[parameter.name] = np.sinh(first + (last - first) * points[:, k]) * _FINE
            else:
                values[parameter.name] = low + (high - low) * points[:, k]
        return values

    def points(self, values: Mapping[str, Any]) -> Any:
        """The inverse of :meth:`values`, kept inside the cube."""
        columns = []
        for parameter in self.free:
            low, high = self.limits(parameter)
            value = np.atleast_1d(np.asarray(values[parameter.name], np.float64))
            if parameter.log:
                with np.errstate(divide="ignore"):
                    columns.append(np.log(np.maximum(value, 1e-300) / low) / np.log(high / low))
            elif low < 0 < high:
                first, last = np.arcsinh(np.array([low, high]) / _FINE)
                columns.append((np.arcsinh(value / _FINE) - first) / (last - first))
            else:
                columns.append((value - low) / (high - low))
        return np.clip(np.stack(columns, axis=1), 0.0, 1.0)

    def settings(self, points: Any) -> Settings:
        """Points of the cube, rounded to registers."""
        return self.candidate.to_settings(self.values(points), self.frame)
