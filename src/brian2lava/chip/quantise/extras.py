"""Registers that a model has beside what its equations say, and that quantisation chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, real
from brian2lava.chip.limits import ALIGNMENT, ROTATION_BITS
from brian2lava.errors import ChipLimit


def with_extras(population: IdealPopulation) -> IdealPopulation:
    """The population with the registers that its model leaves to quantisation."""
    add = EXTRAS.get(population.model)
    return population if add is None else add(population)


_TURN = ("sin_decay", "cos_decay")


def _resonator(population: IdealPopulation) -> IdealPopulation:
    """As many bits for the rotation as there are; inputs stand where other models have theirs."""
    for register in _TURN:
        quantity = population.quantity(register)
        if quantity is None:
            raise ChipLimit(
                f"population {population.name!r}: {population.model} needs {register!r}, the"
                " fraction of the state that a step turns; none was given."
            )
        if np.any(np.abs(quantity.value) > 1):
            raise ChipLimit(
                f"population {population.name!r}, register {register!r}:"
                f" {np.abs(quantity.value).max():.6g} is outside -1..1: the oscillation would grow."
                " Use a positive damping, or a shorter time step."
            )
    chosen = {
        "decay_bits": Quantity(
            "decay_bits", "count", real(ROTATION_BITS.high), "bits of sine and cosine"
        ),
        "state_exp": Quantity("state_exp", "count", real(ALIGNMENT), "shift of the input"),
    }
    rest = [
        replace(q, kind="rotation") if q.register in _TURN else q
        for q in population.quantities
        if q.register not in chosen
    ]
    return replace(population, quantities=(*rest, *chosen.values()))


EXTRAS: Mapping[str, Callable[[IdealPopulation], IdealPopulation]] = {
    "RF": _resonator,
    "RF_IZ": _resonator,
}
