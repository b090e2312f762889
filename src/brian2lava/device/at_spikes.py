"""Monitors that record variables at spikes, which are read before the reset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from brian2lava.capture.network import Captured
from brian2lava.capture.statements import array_id
from brian2lava.chip.recognise.brian_network import Recognised
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects


def read_before_reset(
    captured: Captured, objects: Iterable[Any], found: Recognised
) -> Mapping[int, str]:
    """Places of such monitors among the operations, and the group that each of them reads."""
    groups = {obj.name: obj for obj in objects if obj.name in found.maps}
    of_group = {
        array_id(group.variables[link.variable]): name
        for name, group in groups.items()
        for link in found.matched[name].population.links
        if not link.ahead
    }
    resets = {part.name: name for name in groups for part in groups[name].resetter.values()}
    places: dict[int, str] = {}
    done: set[str] = set()
    for place, (operation, owner) in enumerate(
        zip(captured.program.operations, captured.owners, strict=True)
    ):
        if owner in resets:
            done.add(resets[owner])
        elif isinstance(operation, program.EventRecorder):
            read = effects(operation).all_reads & of_group.keys()
            # a monitor records the group whose spikes it counts
            for name in {of_group[array] for array in read} - done:
                places[place] = name
    return places
