"""A neuron in equations: texts for Brian2's parser, parameters in SI units, and where to begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from brian2lava.errors import FitError

#: Characters of all texts of a neuron together: parsing and integrating take time.
MOST_CHARACTERS = 20_000


class Value(NamedTuple):
    """A number in SI base units, and the name of its unit as equations write it ("siemens")."""

    number: float
    unit: str


@dataclass(frozen=True)
class NeuronEquations:
    """A spiking neuron as Brian2 equations.

    Attributes
    ----------
    name : str
    equations : str
        Differential equations and subexpressions; parameters need no line.
    threshold, reset, refractory : str
        As for a ``NeuronGroup``; an empty refractory is none.
    parameters : dict of str to Value
        Constants of a neuron; those are what a fit may change.
    initial : dict of str to str
        Expressions of the first values; variables without one begin at 0.
    input, input_unit : str
        The variable of the equations that the stimulus is; its unit ("amp", "1").
    voltage : str
        The variable that is compared with a recorded voltage; empty if there is none.
    volt : float
        What one unit of it is in volt: 1, or 0.001 where it counts millivolts.
    method : str
        Brian2's name of the integrator; empty: Brian2 chooses.
    source : str
        Where model and parameters are from.
    """

    name: str
    equations: str
    threshold: str
    reset: str
    parameters: Mapping[str, Value]
    refractory: str = ""
    initial: Mapping[str, str] = field(default_factory=dict)
    input: str = "I"
    input_unit: str = "amp"
    voltage: str = "v"
    volt: float = 1.0
    method: str = "exponential_euler"
    source: str = ""

    def __post_init__(self) -> None:
        size = sum(map(len, (self.equations, self.threshold, self.reset, *self.initial.values())))
        if size > MOST_CHARACTERS:
            raise FitError(
                f"{self.name}: equations of {size} characters; {MOST_CHARACTERS} are the most."
            )
        for name, value in self.parameters.items():
            if not np.isfinite(value.number):
                raise FitError(f"{self.name}: parameter {name!r} is {value.number}.")
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "initial", MappingProxyType(dict(self.initial)))

    def __reduce__(self) -> tuple[object, ...]:
        """Read-only mappings travel to other processes as dictionaries."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields |= {name: dict(fields[name]) for name in ("parameters", "initial")}
        return _remade, (fields,)

    def with_parameters(self, values: Mapping[str, float]) -> NeuronEquations:
        """The same neuron with other values, in SI base units.

        Raises
        ------
        FitError
            A name that it does not have.
        """
        self.check_names(values)
        changed = {k: Value(float(v), self.parameters[k].unit) for k, v in values.items()}
        return replace(self, parameters={**self.parameters, **changed})

    def check_names(self, names: object) -> None:
        """Raise FitError for a name that is no parameter."""
        for name in names:  # type: ignore[attr-defined]
            if name not in self.parameters:
                raise FitError(
                    f"{self.name} has no parameter {name!r}; it has"
                    f" {', '.join(self.parameters) or 'none'}."
                )


def _remade(fields: Mapping[str, object]) -> NeuronEquations:
    return NeuronEquations(**fields)  # type: ignore[arg-type]
