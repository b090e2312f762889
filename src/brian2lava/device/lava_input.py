"""A chip network as it is at this moment, so that Lava can begin with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.chip.lower import Lowered
from brian2lava.chip.network import ChipNetwork, Population, Stimulus
from brian2lava.chip.plain import stimulus_at
from brian2lava.errors import NotSupported


def at_present(
    network: ChipNetwork, low: Lowered, first: int, steps: int, goes_on: bool, backend: str
) -> ChipNetwork:
    """``network`` with present states, and with what is about to arrive as stimuli.

    Parameters
    ----------
    network : ChipNetwork
    low : Lowered
        Its arrays hold the present integers.
    first, steps : int
        The first step and the number of steps; stimuli are cut to them.
    goes_on : bool
        Whether the network has run before.
    backend : str
        For messages.

    Raises
    ------
    NotSupported
        Names what a graph of Lava processes can't go on from.
    """
    if goes_on or first:
        _refuse(network, backend)
    return replace(
        network,
        populations=tuple(_population(population, low) for population in network.populations),
        stimuli=tuple(
            Stimulus(f"{name}_{port}_input", name, rows, port)
            for (name, port), rows in _inputs(network, low, first, steps).items()
            if np.any(rows)
        ),
    )


def _refuse(network: ChipNetwork, backend: str) -> None:
    remedy = "Run all steps at once, or use backend='emulator'."
    for projection in network.projections:
        if projection.learning is not None:
            raise NotSupported(
                f"backend={backend!r}: '{projection.name}' learns, and Lava's processes can't go"
                f" on with its weights and traces in a later run. {remedy}"
            )
    for population in network.populations:
        model = population.neuron
        if any(register.name == "reset_interval" for register in model.registers):
            raise NotSupported(
                f"backend={backend!r}: '{population.name}' ({population.model}) begins anew when"
                f" Lava starts, and this run does not begin at the beginning. {remedy}"
            )


def _population(population: Population, low: Lowered) -> Population:
    initial: dict[str, Any] = dict(population.initial)
    for state in population.neuron.states:
        array = low.states.get((population.name, state.name))
        if array is not None:
            initial[state.name] = low.storage[array][: population.size].astype(np.int64)
    return replace(population, initial=initial)


def _inputs(
    network: ChipNetwork, low: Lowered, first: int, steps: int
) -> Mapping[tuple[str, str], Any]:
    """By (population, port): what arrives beside spikes, shape (steps, size)."""
    found: dict[tuple[str, str], Any] = {}

    def rows(name: str, port: str) -> Any:
        size = network.population(name).size
        return found.setdefault((name, port), np.zeros((steps, size), np.int64))

    for stimulus in network.stimuli:
        target = rows(stimulus.target, stimulus.port)
        for step in range(int(stimulus.after), steps):
            target[step] += stimulus_at(stimulus, first + step)
    for (name, port), sums in low.sums.items():
        size = network.population(name).size
        for array, late in sums:
            arrived = low.storage[array][:size].astype(np.int64) >> -late
            if steps and np.any(arrived):
                rows(name, port)[0] += arrived
    return found
