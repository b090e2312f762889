"""A Brian2 network, object by object, as a network of chip neurons with real numbers in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.groups.group import CodeRunner
from brian2.groups.neurongroup import NeuronGroup, Resetter, StateUpdater, Thresholder
from brian2.input.poissongroup import PoissonGroup
from brian2.input.poissoninput import PoissonInput
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from brian2.monitors.ratemonitor import PopulationRateMonitor
from brian2.monitors.spikemonitor import EventMonitor, SpikeMonitor
from brian2.monitors.statemonitor import StateMonitor
from brian2.synapses.synapses import Synapses, SynapticPathway

from brian2lava.chip.ideal import (
    IdealNetwork,
    IdealPopulation,
    IdealProjection,
    IdealStimulus,
    real,
)
from brian2lava.chip.network import BinomialCounts, PoissonSpikes, Source, SpikeTimes
from brian2lava.chip.recognise.match import match
from brian2lava.chip.recognise.matched import Matched, Port
from brian2lava.chip.recognise.pathway import pathway_map
from brian2lava.chip.recognise.plastic import is_plastic, plastic_map
from brian2lava.chip.recognise.plastic_rule import PlasticJump, plastic_jump
from brian2lava.chip.recognise.population import population_map
from brian2lava.chip.recognise.refusal import OTHERWISE, refuse
from brian2lava.chip.recognise.sources import (
    poisson_group_map,
    poisson_input_map,
    spike_generator_map,
)
from brian2lava.chip.recognise.step_map import Ends, Jump, PopulationMap
from brian2lava.chip.recognise.stimuli import stimuli
from brian2lava.chip.recognise.timed import is_timed, timed_map
from brian2lava.errors import NotSupported


@dataclass(frozen=True)
class Recognised:
    """What became of a Brian2 network.

    Attributes
    ----------
    ideal : IdealNetwork
    maps : dict of group name to PopulationMap
    matched : dict of group name to Matched
    pathways : dict of pathway name to the names of its projections
    """

    ideal: IdealNetwork
    maps: Mapping[str, PopulationMap]
    matched: Mapping[str, Matched]
    pathways: Mapping[str, tuple[str, ...]]


@dataclass
class _Collected:
    namespace: Mapping[str, Any]
    first_step: int
    steps: int
    groups: list[Any] = field(default_factory=list)
    jumps: dict[str, tuple[Jump, ...]] = field(default_factory=dict)
    plastic: list[PlasticJump] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)


def recognise(
    objects: Sequence[BrianObject], namespace: Mapping[str, Any], first_step: int, steps: int
) -> Recognised:
    """The chip neurons and synapses that compute what ``objects`` (prepared, active) say.

    Raises
    ------
    NotSupported
        Names the object, the term that does not fit, the nearest model, and what to change.
    """
    found = _Collected(namespace, first_step, steps)
    for brian_object in objects:
        _builder(brian_object)(brian_object, found)
    driven = defaultdict(set)
    for jumps in found.jumps.values():
        for jump in jumps:
            driven[jump.ends.target].add(jump.variable)
    for plastic in found.plastic:
        driven[plastic.ends.target].add(plastic.variable)
    timed = [group for group in found.groups if is_timed(group, namespace)]
    found.groups = [group for group in found.groups if group not in timed]
    for group in timed:
        given = timed_map(group, namespace, first_step, steps, driven[group.name])
        found.sources.append(SpikeTimes(group.name, given.count, given.indices, given.steps))
    maps = {
        group.name: population_map(group, namespace, sorted(driven[group.name]))
        for group in found.groups
    }
    matched = {name: match(each, driven[name]) for name, each in maps.items()}
    projections: list[IdealProjection] = []
    pathways: dict[str, tuple[str, ...]] = {}
    for name, jumps in found.jumps.items():
        made = [one for jump in jumps for one in _projections(jump, len(jumps) > 1, matched)]
        projections += made
        pathways[name] = tuple(projection.name for projection in made)
    for plastic in found.plastic:
        projections.append(_plastic_projection(plastic, matched))
        pathways |= dict.fromkeys(plastic.pathways, ())
        pathways[plastic.name] = (plastic.name,)
    stimuli_made: list[IdealStimulus] = []
    for name, each in maps.items():
        stimuli_made += stimuli(each, matched[name], first_step, steps)
    populations = tuple(matched[group.name].population for group in found.groups)
    ideal = IdealNetwork(
        dt=float(objects[0].clock.dt_),
        populations=populations,
        sources=tuple(found.sources),
        projections=tuple(projections),
        stimuli=tuple(stimuli_made),
        notes=_notes(populations)
        + tuple(note for plastic in found.plastic for note in plastic.learning.notes),
    )
    return Recognised(ideal, maps, matched, pathways)


def _notes(populations: Sequence[IdealPopulation]) -> tuple[str, ...]:
    return tuple(f"'{each.name}': {note}" for each in populations for note in each.notes)


def _projections(
    jump: Jump, several: bool, matched: Mapping[str, Matched]
) -> list[IdealProjection]:
    """One projection for each port that the weights reach."""
    port = _port(jump, matched[jump.ends.target])
    first = _projection(jump, several or bool(port.beside), matched, port)
    others = [
        replace(_projection(jump, True, matched, each), name=f"{first.name}_{each.name}")
        for each in port.beside
        if np.any(each.gain)
    ]
    return [first, *others]


def _port(jump: Jump, target: Matched) -> Port:
    if jump.variable not in target.ports:
        raise NotSupported(
            f"'{jump.name}': it adds to {jump.variable!r} of '{jump.ends.target}', which takes no"
            f" input on the chip ({target.population.model}). Let it add to"
            f" {' or '.join(map(repr, target.ports)) or 'another group'}, {OTHERWISE}"
        )
    return target.ports[jump.variable]


def _projection(
    jump: Jump, several: bool, matched: Mapping[str, Matched], port: Port | None = None
) -> IdealProjection:
    if port is None:
        port = _port(jump, matched[jump.ends.target])
        if port.beside:
            raise NotSupported(
                f"'{jump.name}': its weights change, and a weight onto {jump.variable!r} of"
                f" '{jump.ends.target}' reaches both parts of a resonator, so that it stands in two"
                f" synapses. Use weights that stay, {OTHERWISE}"
            )
    post = np.asarray(jump.ends.targets)
    gain = np.asarray(port.gain, np.float64)
    weights = np.broadcast_to(jump.weights, post.shape)
    return IdealProjection(
        name=f"{jump.name}_{jump.variable}" if several else jump.name,
        source=jump.ends.source,
        target=jump.ends.target,
        port=port.name,
        pre=np.asarray(jump.ends.sources, np.int64),
        post=np.asarray(post, np.int64),
        weights=real(weights * (gain[post] if gain.size > 1 else gain.ravel()[0])),
        delays=np.asarray(jump.ends.delays),
        unit_gain=real(gain if gain.size > 1 else gain.ravel()[0]),
        unit=_unit(jump, matched[jump.ends.target]),
        binary=True,
    )


def _unit(jump: Jump, target: Matched) -> str:
    """Of a weight: that of the variable that it is added to, whichever port it reaches."""
    links = target.population.links
    return next((link.unit for link in links if link.variable == jump.variable), "")


def _plastic_projection(plastic: PlasticJump, matched: Mapping[str, Matched]) -> IdealProjection:
    jump = Jump(
        plastic.name, plastic.learning.synapses, "pre", 0, plastic.ends, plastic.variable,
        np.asarray(plastic.weights) * plastic.factor, "",
    )  # fmt: skip
    made = _projection(jump, False, matched)
    return replace(made, learning=plastic.learning, unit_gain=real(made.unit_gain * plastic.factor))


# ---------------------------------------------------------------- one function a Brian2 class
Builder = Callable[[Any, _Collected], None]


def _neuron_group(group: Any, found: _Collected) -> None:
    found.groups.append(group)


def _poisson_group(group: Any, found: _Collected) -> None:
    source = poisson_group_map(group, found.namespace)
    rates = np.asarray(source.rates, np.float64)
    for given in source.inputs:
        rates = rates + given.at(found.first_step, max(found.steps, 1)).mean(axis=0) * given.gain[0]
    chance = np.clip(rates * source.dt, 0.0, 1.0)
    found.sources.append(
        PoissonSpikes(group.name, source.count, chance if chance.size > 1 else chance.ravel()[0])
    )


def _spike_generator(group: Any, found: _Collected) -> None:
    given = spike_generator_map(group)
    found.sources.append(
        SpikeTimes(group.name, given.count, given.indices, given.steps, given.period)
    )


def _poisson_input(source: Any, found: _Collected) -> None:
    """Counts, one a target, and a synapse from each to its target."""
    drive = poisson_input_map(source, found.namespace)
    count = len(drive.targets)
    found.sources.append(BinomialCounts(drive.name, count, drive.inputs, drive.rate * drive.dt))
    ends = Ends(drive.name, drive.target, np.arange(count), drive.targets, np.zeros(count, int))
    name, weights = f"{drive.name}_weights", np.broadcast_to(drive.weights, (count,))
    found.jumps[drive.name] = (
        Jump(name, drive.name, "pre", 0, ends, drive.variable, weights, str(source.weight)),
    )


def _pathway(pathway: Any, found: _Collected) -> None:
    if not is_plastic(pathway.synapses):
        found.jumps[pathway.name] = pathway_map(pathway, found.namespace)


def _synapses(synapses: Any, found: _Collected) -> None:
    """The pathways of static synapses are objects of their own; plastic ones are one thing."""
    if is_plastic(synapses):
        found.plastic.append(plastic_jump(synapses, plastic_map(synapses, found.namespace)))
        return
    for part in synapses.contained_objects:
        if not isinstance(part, SynapticPathway) and part.active:
            refuse(
                synapses,
                f"'{part.name}' changes synapses or neurons in every step",
                "A chip's synapses act when spikes arrive, and its rules of plasticity are sums of"
                " products of traces",
                "use on_pre statements like v_post += w",
            )


def _nothing(brian_object: Any, found: _Collected) -> None:
    """Part of a group, or something that only records."""


def _refuse_other(brian_object: Any, found: _Collected) -> None:
    refuse(
        brian_object,
        f"a {type(brian_object).__name__} runs in every step",
        "On a chip run neurons, synapses, and sources of spikes, with monitors around them",
        "take it out",
    )


BUILDERS: dict[type, Builder] = {
    NeuronGroup: _neuron_group,
    PoissonGroup: _poisson_group,
    SpikeGeneratorGroup: _spike_generator,
    PoissonInput: _poisson_input,
    Synapses: _synapses,
    SynapticPathway: _pathway,
    StateUpdater: _nothing,
    Thresholder: _nothing,
    Resetter: _nothing,
    SpikeMonitor: _nothing,
    EventMonitor: _nothing,
    StateMonitor: _nothing,
    PopulationRateMonitor: _nothing,
}


def _builder(brian_object: BrianObject) -> Builder:
    """By class; a CodeRunner that belongs to a group is judged there."""
    kind = type(brian_object)
    if kind in BUILDERS:
        return BUILDERS[kind]
    if isinstance(brian_object, CodeRunner) and isinstance(
        getattr(brian_object, "group", None), NeuronGroup | Synapses
    ):
        return _nothing
    return _refuse_other
