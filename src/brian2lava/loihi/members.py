"""The objects of a LoihiNetwork, sorted by what they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from brian2 import SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Subgroup
from brian2.groups.neurongroup import Resetter, StateUpdater, Thresholder
from brian2.synapses.synapses import StateUpdater as SynapticStateUpdater
from brian2.synapses.synapses import SynapticPathway

from brian2lava.errors import NotSupported
from brian2lava.loihi.neurons import LoihiNeuronGroup
from brian2lava.loihi.synapses import LoihiSynapses

#: What a group or synapses bring along in Brian2; the chip does that.
_PARTS = frozenset({StateUpdater, Thresholder, Resetter, SynapticStateUpdater, SynapticPathway})


@dataclass
class Members:
    """What a LoihiNetwork consists of."""

    groups: list[LoihiNeuronGroup] = field(default_factory=list)
    generators: list[SpikeGeneratorGroup] = field(default_factory=list)
    synapses: list[LoihiSynapses] = field(default_factory=list)
    spike_monitors: list[SpikeMonitor] = field(default_factory=list)
    state_monitors: list[StateMonitor] = field(default_factory=list)


_PLACES = {
    LoihiNeuronGroup: "groups",
    SpikeGeneratorGroup: "generators",
    LoihiSynapses: "synapses",
    SpikeMonitor: "spike_monitors",
    StateMonitor: "state_monitors",
}


def members(objects: Any) -> Members:
    """Sorts the objects of a network, in the order of their names.

    Raises
    ------
    NotSupported
        An object is of a kind that the chip has no place for, is switched off, has another time
        step than 1 ms, or belongs to a group that is not in the network.
    """
    found = Members()
    for item in sorted(objects, key=lambda one: one.name):
        _check_time_step(item)
        _check_parts(item)
        place = next((_PLACES[kind] for kind in type(item).__mro__ if kind in _PLACES), None)
        if place is None:
            raise NotSupported(
                f"{item.name!r} is a {type(item).__name__}; a LoihiNetwork runs LoihiNeuronGroup,"
                " LoihiSynapses, (Loihi)SpikeGeneratorGroup, and spike and state monitors. Take it"
                " out of the network, or do its work between two runs."
            )
        monitor = place.endswith("monitors")
        if item.active:
            getattr(found, place).append(item)
        elif not monitor:
            raise NotSupported(f"{item.name!r} has active = False; only monitors can be inactive.")
    _check_ends(found)
    return found


def owner(source: Any) -> tuple[Any, int, int]:
    """The group behind ``source``, and the range of its indices that ``source`` is."""
    if isinstance(source, Subgroup):
        return source.source, int(source.start), int(source.stop)
    return source, 0, len(source)


def _check_time_step(item: Any) -> None:
    if abs(float(item.clock.dt_) - 1e-3) > 1e-12:
        raise NotSupported(
            f"{item.name!r} has the time step {item.clock.dt}; in a LoihiNetwork it is 1 ms, one"
            " step of the chip. Leave defaultclock.dt as the network has set it."
        )


def _check_parts(item: Any) -> None:
    for part in item.contained_objects:
        if type(part) not in _PARTS:
            raise NotSupported(
                f"{item.name!r} has a {type(part).__name__} ({part.name!r}), which a chip cannot"
                " run. Do its work between two runs."
            )


def _check_ends(found: Members) -> None:
    sources = {item.name for item in (*found.groups, *found.generators)}
    targets = {item.name for item in found.groups}
    for synapses in found.synapses:
        source, target = owner(synapses.source)[0], owner(synapses.target)[0]
        for end, known, what in ((source, sources, "a source"), (target, targets, "a target")):
            if end.name not in known:
                raise NotSupported(
                    f"{synapses.name!r} joins {source.name!r} and {target.name!r}, but"
                    f" {end.name!r} is not in the network as {what} of spikes. Add it; sources are"
                    " LoihiNeuronGroups and spike generators, targets LoihiNeuronGroups."
                )
    for monitor in (*found.spike_monitors, *found.state_monitors):
        source = owner(monitor.source)[0]
        if source.name not in sources | {item.name for item in found.synapses}:
            raise NotSupported(
                f"{monitor.name!r} records {source.name!r}, which is not in the network. Add it."
            )
