"""The way back: the chip's states in the user's units, and the user's values as states."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.ideal import Reals, StateLink
from brian2lava.chip.quantise.kinds import rounded
from brian2lava.chip.quantise.registers import is_level
from brian2lava.chip.quantise.result import Quantised


def states_to_user(
    quantised: Quantised,
    population: str,
    link: StateLink,
    integers: Any,
    neurons: Any = slice(None),
) -> Reals:
    """What states of the chip mean: user's = offset + state / (A * gain).

    Parameters
    ----------
    integers : array of shape (..., neurons)
        States; real numbers (of a run in floating point with the same scale) are taken as well.
    neurons : index, optional
        Which neurons the last axis has; all without it.

    Returns
    -------
    array of doubles
        In the user's SI unit.
    """
    offset, gain = _of(link, neurons)
    scale = _scale(quantised, population, link)
    return np.asarray(offset + np.asarray(integers, np.float64) / (scale * gain))


def user_to_states(
    quantised: Quantised,
    population: str,
    link: StateLink,
    values: Any,
    neurons: Any = slice(None),
) -> Any:
    """The states nearest to the user's values (SI): round((user's - offset) * A * gain)."""
    offset, gain = _of(link, neurons)
    scale = _scale(quantised, population, link)
    return rounded((np.asarray(values, np.float64) - offset) * scale * gain)


def _of(link: StateLink, neurons: Any) -> tuple[Any, Any]:
    """Offset and gain of these neurons."""
    chosen = [x if np.ndim(x) == 0 else np.asarray(x)[neurons] for x in (link.offset, link.gain)]
    return chosen[0], chosen[1]


def _scale(quantised: Quantised, population: str, link: StateLink) -> float:
    model = quantised.population(population).neuron
    state = next(state for state in model.states if state.name == link.state)
    return quantised.scales[population] if is_level(state) else 1.0
