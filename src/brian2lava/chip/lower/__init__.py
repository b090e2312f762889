"""ChipNetwork -> operations of a step program, and the arrays that they run on.

A population's update, threshold and reset are one :class:`Threshold` operation in integers; a
projection is a :class:`Pathway`. One file an idea: ``workspace`` allocates, ``sources``,
``populations``, ``projections``, ``plasticity`` and ``decode`` make operations.
"""

from __future__ import annotations

from brian2lava.chip.lower.decode import decode
from brian2lava.chip.lower.lowered import Lowered, Valued
from brian2lava.chip.lower.plasticity import learning
from brian2lava.chip.lower.populations import population_step
from brian2lava.chip.lower.projections import make_sums, pathways
from brian2lava.chip.lower.registers import ahead
from brian2lava.chip.lower.sources import SOURCES, stimulus_rows
from brian2lava.chip.lower.surroundings import (
    Decode,
    RefractoryArrays,
    Surroundings,
    SynapticDecode,
)
from brian2lava.chip.lower.synaptic import decode_synapses
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import ChipNetwork
from brian2lava.program import step_program as program

__all__ = [
    "Decode",
    "Lowered",
    "RefractoryArrays",
    "Surroundings",
    "SynapticDecode",
    "ahead",
    "lower",
]


def lower(network: ChipNetwork, around: Surroundings | None = None) -> Lowered:
    """The operations and arrays of ``network``."""
    space = Workspace(network, around or Surroundings())
    for projection in network.projections:
        make_sums(space, projection)
    for stimulus in network.stimuli:
        space.sum_of(stimulus.target, stimulus.port)
    updates = _updates(space)
    deliveries = _deliveries(space)
    synaptic = {
        projection.name: decode_synapses(space, projection, space.around.synaptic[projection.name])
        for projection in network.projections
        if projection.name in space.around.synaptic
    }
    decodes = {
        name: decode(space, network.population(name), wanted, space.states)
        for name, wanted in space.around.decodes.items()
    }
    at_spikes = {
        name: decode(space, network.population(name), wanted, space.reached)
        for name in sorted(space.around.at_spikes)
        if (wanted := _reset(space, name))
    }
    return Lowered(
        arrays=tuple(space.arrays.values()),
        storage=space.storage,
        updates=tuple(updates),
        deliveries=tuple(deliveries),
        events=space.events,
        states=space.states,
        counters=space.counters,
        plastic=space.plastic,
        decodes=decodes,
        decodes_at_spikes=at_spikes,
        sums=space.sums,
        delivered=space.delivered,
        synaptic=synaptic,
        payloads={name: (array, space.depths[name]) for name, array in space.sent.items()},
    )


def _reset(space: Workspace, name: str) -> list[Decode]:
    """The decodes of states that a population's reset changes."""
    return [item for item in space.around.decodes[name] if (name, item.state) in space.reached]


def _updates(space: Workspace) -> list[Valued]:
    """What is given, then sources, then populations; then what the next step is given."""
    network = space.network
    given = [stimulus for stimulus in network.stimuli if len(stimulus.values)]
    updates = [stimulus_rows(space, stimulus) for stimulus in given if not stimulus.after]
    for source in network.sources:
        if source.name not in space.events:
            updates.append(SOURCES[type(source)](space, source))
    updates += [population_step(space, population) for population in network.populations]
    updates += [stimulus_rows(space, stimulus) for stimulus in given if stimulus.after]
    return updates


def _deliveries(space: Workspace) -> list[Valued]:
    """Spikes arrive; then the weights change."""
    deliveries = [
        pair for projection in space.network.projections for pair in pathways(space, projection)
    ]
    pathway_of = {
        operation.name: operation
        for operation, _ in deliveries
        if isinstance(operation, program.Pathway)
    }
    for number, projection in enumerate(space.network.projections):
        if projection.learning is not None:
            delivery = pathway_of[projection.name]
            deliveries += learning(space, number, projection, delivery)
    return deliveries
