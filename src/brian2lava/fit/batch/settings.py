"""Register sets: what is different from neuron to neuron in a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.limits import WEIGHT_EXPONENT, Limit
from brian2lava.chip.models import MODELS
from brian2lava.errors import ChipLimit

#: A lone synapse may have either sign, so its mantissa has 8 bits beside it.
WEIGHT = Limit(-255, 255, "8-bit weight mantissa, lava-nc 0.10.0")


@dataclass(frozen=True)
class Settings:
    """``size`` settings of a chip model.

    Attributes
    ----------
    model : str
    registers : dict of str to array of int32, shape (size,)
        All registers of the model.
    weights, exponents : arrays of int32, shape (ports, size)
        Mantissa and exponent of the synapse that brings the stimulus to each port. A weight of 0
        leaves a port without input.
    own_weights, own_exponents : arrays of int32, shape (ports, size)
        Mantissa and exponent of a synapse from the neuron to itself at each port: what a spike
        adds there in the next step. With a slow current of its own behind the port that is
        adaptation by a spike-triggered current.
    scale : array of float32, shape (size,)
        A stimulus value times this, rounded to the nearest whole number (half to even), is what a
        graded spike carries, or what is added to ``bias_mant``.
    """

    model: str
    registers: Mapping[str, Any]
    weights: Any
    exponents: Any
    scale: Any
    own_weights: Any = 0
    own_exponents: Any = 0
    size: int = field(init=False)

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ChipLimit(
                f"there is no chip model {self.model!r}; there are {', '.join(MODELS)}."
            )
        neuron = MODELS[self.model]
        known = {register.name: register for register in neuron.registers}
        unknown = sorted(set(self.registers) - set(known))
        if unknown:
            raise ChipLimit(
                f"{self.model} has no register {unknown[0]!r}; it has {', '.join(known)}."
            )
        arrays = {name: np.asarray(self.registers.get(name, known[name].default)) for name in known}
        given = [*arrays.values(), np.asarray(self.scale)]
        synapses = {
            name: np.asarray(getattr(self, name))
            for name in ("weights", "exponents", "own_weights", "own_exponents")
        }
        sizes = {a.size for a in given if a.ndim} | {
            a.shape[-1] for a in synapses.values() if a.ndim
        }
        if len(sizes - {1}) > 1:
            raise ChipLimit(
                f"settings of {self.model}: arrays of different lengths {sorted(sizes)}."
            )
        size = max(sizes, default=1)
        for name, register in known.items():
            register.limit.check(
                f"{self.model}, register {name!r} ({register.meaning})", arrays[name],
                "Choose a value in that range.",
            )  # fmt: skip
        for name, values in synapses.items():
            limit = WEIGHT if name.endswith("weights") else WEIGHT_EXPONENT
            limit.check(f"{self.model}, {name}", values, "Use the exponent, or scale the stimulus.")
        ports = len(neuron.ports)
        put = object.__setattr__
        put(self, "size", int(size))
        put(self, "registers", {n: _fixed(a, (size,), np.int32) for n, a in arrays.items()})
        for name, values in synapses.items():
            put(self, name, _a_port_each(values, ports, size))
        put(self, "scale", _fixed(np.asarray(self.scale), (size,), np.float32))

    def __len__(self) -> int:
        return self.size

    def one(self, k: int) -> Settings:
        """The ``k``-th alone."""
        return self.take(np.array([k]))

    def take(self, which: Any) -> Settings:
        """A selection, by index or mask."""
        return Settings(
            self.model,
            {name: values[which] for name, values in self.registers.items()},
            self.weights[:, which],
            self.exponents[:, which],
            self.scale[which],
            self.own_weights[:, which],
            self.own_exponents[:, which],
        )

    @property
    def recurrent(self) -> bool:
        """Whether any neuron has a synapse onto itself."""
        return bool(self.own_weights.any())


def _fixed(values: Any, shape: tuple[int, ...], kind: Any) -> Any:
    array = np.array(np.broadcast_to(values, shape), kind)
    array.flags.writeable = False
    return array


def _a_port_each(values: Any, ports: int, size: int) -> Any:
    """(ports, size); one row, or one number, is the first port's, and the others' is 0."""
    values = np.atleast_2d(values)
    if values.shape[0] not in (1, ports):
        raise ChipLimit(f"{values.shape[0]} rows of weights for {ports} ports.")
    rows = np.zeros((ports, size), np.int32)
    rows[: values.shape[0]] = values
    rows.flags.writeable = False
    return rows
