"""What lowering makes: operations, and the arrays that they run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brian2lava.program import step_program as program

#: An operation and the values of its constants.
Valued = tuple[program.Operation, tuple[float, ...]]


@dataclass(frozen=True)
class Lowered:
    """A chip network as part of a step program.

    Attributes
    ----------
    arrays : tuple of Array
    storage : dict of array id to array in the arena
    updates, deliveries : tuples of (Operation, values of its constants)
        Sources and populations, which fire; then projections, which deliver.
    events : dict of population or source to array id
        Who fired in this step; the last element is how many.
    states : dict of (population, state) to array id
    counters : dict of (population, counter) to array id
        How often each neuron's counter was true.
    plastic : dict of projection to dict of "w" and traces to array id
        Of projections that learn: mantissas, and traces by neuron (lava-nc) or synapse.
    delivered : dict of projection to array id
        Of projections that learn: what a spike adds.
    synaptic : dict of projection to (Operation, values of its constants)
        Write variables of plastic synapses in the user's units.
    decodes : dict of population to (Operation, values of its constants)
        Write states in the user's units; to be placed before what reads them.
    decodes_at_spikes : dict of population to (Operation, values of its constants)
        The same of states that a reset changes, as they are before it.
    sums : dict of (population, port) to pairs of array id and late shift
        Where what arrives at a port is summed.
    payloads : dict of population or source to pair of array id and number of steps
        What was sent in step n, in row n modulo that number.
    """

    arrays: tuple[program.Array, ...]
    storage: Mapping[str, Any]
    updates: tuple[Valued, ...]
    deliveries: tuple[Valued, ...]
    events: Mapping[str, str]
    states: Mapping[tuple[str, str], str]
    counters: Mapping[tuple[str, str], str]
    plastic: Mapping[str, Mapping[str, str]]
    decodes: Mapping[str, Valued]
    decodes_at_spikes: Mapping[str, Valued]
    sums: Mapping[tuple[str, str], Sequence[tuple[str, int]]]
    delivered: Mapping[str, str]
    synaptic: Mapping[str, Valued]
    payloads: Mapping[str, tuple[str, int]]
