"""What a refractory neuron cannot keep: a voltage beside the reset's."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.network import Population
from brian2lava.errors import NotSupported

#: Its voltage stays as it is while it is refractory; that of all others is 0.
_KEEPS = ("LIFSoft",)


def refuse_moved(population: Population, v: Any, blocked: Any, variable: str) -> None:
    """Refuse voltages that the first refractory step would silently put to 0.

    Parameters
    ----------
    population : Population
    v, blocked : arrays of int, shape (size,)
        Voltages before the first step, and the steps that they are still blocked.
    variable : str
        What the user calls v.

    Raises
    ------
    NotSupported
        Names group, variable, neuron, and what to do.
    """
    moved = (np.asarray(blocked) > 0) & (np.asarray(v) != 0)
    if population.model in _KEEPS or not moved.any():
        return
    neuron = int(np.flatnonzero(moved)[0])
    raise NotSupported(
        f"'{population.name}': {variable!r} of neuron {neuron} was set while the neuron is"
        f" refractory for {int(blocked[neuron])} more steps. On a chip the voltage of a refractory"
        f" neuron is its reset's in each step. Set it to the reset's value, or run until no neuron"
        f" whose {variable!r} is set is refractory."
    )
