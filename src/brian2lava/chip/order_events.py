"""Events for which the chip's order of things differs from that of the equations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, IdealProjection

#: By population or source: (steps, indices).
Spikes = Mapping[str, tuple[Any, Any]]


def order_events(ideal: IdealNetwork, spikes: Spikes) -> dict[str, Any]:
    """By population with notes: arrivals at the voltage in the step of a spike of the target.

    With a refractory period it is the last step of that: Brian2 takes no input in it, and the
    chip, which sees the input a step later, does.

    Returns
    -------
    dict of population to array of shape (events, 2)
        Steps and neurons.
    """
    found: dict[str, Any] = {}
    for projection in ideal.projections:
        population = next(p for p in ideal.populations if p.name == projection.target)
        if not _erased(population, projection):
            continue
        held = population.quantity("refractory")
        last = 0 if held is None else held.value
        met = _met(projection, spikes, population.size, last)
        found[population.name] = np.concatenate([found.get(population.name, met[:0]), met])
    return found


def _erased(population: IdealPopulation, projection: IdealProjection) -> bool:
    """Whether a reset, or refractory steps, take away what arrives there in Brian2."""
    if population.model == "RF_IZ":  # a weight comes by both ports; it is one event
        return projection.port == "a_real_in"
    decay = population.quantity("du" + projection.port.removeprefix("a_in"))
    held = population.quantity("refractory")
    waits = held is not None and np.any(held.value > 0)
    return bool(population.notes or waits) and decay is not None and not np.any(decay.value < 1)


def plastic_events(ideal: IdealNetwork, spikes: Spikes) -> dict[str, Any]:
    """By Synapses, if its notes say so: spikes that delivered a weight before its change, and
    synapses whose both ends spiked in one step; arrays as of :func:`order_events`.
    """
    found: dict[str, Any] = {}
    for projection in ideal.projections:
        learning = projection.learning
        if learning is None or not (learning.late or learning.coincident):
            continue
        size = next(p.size for p in ideal.populations if p.name == projection.target)
        found[learning.synapses] = (
            _arrivals(projection, spikes[projection.source])
            if learning.late
            else _met(projection, spikes, size)
        )
    return found


def _met(projection: IdealProjection, spikes: Spikes, size: int, last: Any = 0) -> Any:
    """Arrivals in the step in which their target fired, or ``last`` steps later."""
    when, who = spikes[projection.target]
    later = np.broadcast_to(np.rint(last).astype(np.int64), (size,))
    fired = (when + later[who]) * size + who
    arrived = _arrivals(projection, spikes[projection.source])
    return arrived[np.isin(arrived @ [size, 1], fired)]


def _arrivals(projection: IdealProjection, spikes: tuple[Any, Any]) -> Any:
    """Step and target of each arrival, shape (arrivals, 2)."""
    when, who = spikes
    order = np.argsort(projection.pre, kind="stable")
    first = np.searchsorted(projection.pre[order], [who, who + 1])
    count = first[1] - first[0]
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    synapses = order[np.arange(total) - np.repeat(ends - count - first[0], count)]
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    return np.stack([np.repeat(when, count) + delays[synapses], projection.post[synapses]], 1)
