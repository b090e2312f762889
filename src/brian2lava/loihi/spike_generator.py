"""Spikes that are known beforehand, in whole steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import SpikeGeneratorGroup, ms, second
from brian2.core.functions import timestep
from numpy.typing import NDArray

from brian2lava.errors import NotSupported

Spikes = tuple[NDArray[np.int64], NDArray[np.int64]]

#: Slots of Brian2's schedule in which a source can fire, and the steps until its spikes set out.
_LAG = {"start": 0, "groups": 1, "thresholds": 1, "resets": 1, "end": 1}


class LoihiSpikeGeneratorGroup(SpikeGeneratorGroup):
    """Sources that spike at given steps; a spike of step t acts, without delay, in step t.

    Parameters
    ----------
    N : int
    indices : array of int
    times : array of int
        In steps.
    period : int
        The spikes are repeated; in *seconds*, that is, thousands of steps, as in brian2-loihi
        0.5.2, which multiplies this argument so. 0: once.
    order, sorted, name
        As Brian2's.
    """

    def __init__(
        self,
        N: int,
        indices: Any,
        times: Any,
        period: float = 0,
        order: int = 0,
        sorted: bool = False,
        name: str = "loihi_spikegeneratorgroup*",
    ) -> None:
        super().__init__(
            N,
            indices,
            np.asarray(times, dtype=float) * ms,
            period=period * second,
            order=order,
            sorted=sorted,
            when="start",
            name=name,
        )


def lag(generator: SpikeGeneratorGroup) -> int:
    """Steps between a spike of a generator and its setting out through synapses.

    Raises
    ------
    NotSupported
        The generator fires in a slot in which that depends on names.
    """
    if generator.when not in _LAG:
        raise NotSupported(
            f"{generator.name!r} fires in the slot {generator.when!r}; in a LoihiNetwork it can be"
            f" one of {', '.join(_LAG)}."
        )
    return _LAG[generator.when]


def generated(generator: SpikeGeneratorGroup, first: int, end: int) -> Spikes:
    """The spikes of the steps ``first`` .. ``end - 1``: steps and indices, in order.

    Raises
    ------
    ValueError
        A source spikes twice in a step, as Brian2 says it.
    """
    dt = float(generator.clock.dt_)
    steps = np.atleast_1d(timestep(generator.variables["spike_time"].get_value(), dt))
    indices = np.asarray(generator.variables["neuron_index"].get_value(), np.int64)
    period = round(float(generator.variables["period"].get_value()[0]) / dt)
    _check_single(generator, steps, indices)
    if period:
        rounds = np.arange(first // period, (end - 1) // period + 1) * period
        indices = np.tile(indices, len(rounds))
        steps = (rounds[:, None] + steps[None, :]).ravel()
    inside = (steps >= first) & (steps < end)
    order = np.lexsort((indices[inside], steps[inside]))
    return steps[inside][order].astype(np.int64), indices[inside][order]


def _check_single(generator: SpikeGeneratorGroup, steps: Any, indices: Any) -> None:
    order = np.lexsort((indices, steps))
    twice = (np.diff(steps[order]) == 0) & (np.diff(indices[order]) == 0)
    if twice.any():
        place = order[int(np.argmax(twice))]
        raise ValueError(
            f"{generator.name!r}: source {indices[place]} has two spikes in step {steps[place]};"
            " one a step is possible. Remove one."
        )
