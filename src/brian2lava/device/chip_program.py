"""The captured program of a network with the chip's operations in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from brian2.core.base import BrianObject

from brian2lava.capture.network import Captured
from brian2lava.capture.statements import array_id
from brian2lava.chip.lower import Lowered
from brian2lava.chip.quantise import Quantised
from brian2lava.chip.recognise.brian_network import Recognised
from brian2lava.chip.recognise.expression import assignments
from brian2lava.device.at_spikes import read_before_reset
from brian2lava.errors import NotSupported
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects


class Composing:
    """Puts the chip's operations where those of neurons and synapses stood."""

    def __init__(
        self,
        captured: Captured,
        low: Lowered,
        objects: Sequence[BrianObject],
        found: Recognised,
        quantised: Quantised,
    ) -> None:
        self.captured = captured
        self.low = low
        self.found = found
        self.parts = quantised.parts
        self.operations: list[program.Operation] = []
        self.constants: list[tuple[float, ...]] = []
        self.owners: list[str] = []
        groups = [obj for obj in objects if obj.name in found.maps]
        #: the part of each group in whose place its update stands, and parts that are gone
        self.updates: dict[str, str] = {}
        self.gone: set[str] = set()
        owners = set(captured.owners)
        for group in groups:
            own = [*group.thresholder.values(), group.state_updater, group.subexpression_updater]
            names = [part.name for part in own if part is not None and part.name in owners]
            if names:
                self.updates[names[0]] = group.name
            self.gone |= {*names, *(part.name for part in group.resetter.values())}
        #: parts of plastic synapses that change traces in every step
        synapses = {learnt.synapses for learnt in quantised.learning.values()}
        for obj in objects:
            if obj.name in synapses:
                own = [obj.state_updater, obj.subexpression_updater]
                self.gone |= {part.name for part in own if part is not None}
        self.learning = [pair for pair in low.deliveries if pair[0].name not in self.parts]
        self.before_reset = read_before_reset(captured, objects, found)
        self.left = {group.name for group in groups} - set(self.updates.values())
        self.linked = {
            array_id(group.variables[link.variable]): (group.name, link)
            for group in groups
            for link in found.matched[group.name].population.links
        }
        #: ``constant over dt`` variables that nothing computes on the chip
        self.unknown = {
            array_id(group.variables[name]): (group.name, name)
            for group in groups
            if group.subexpression_updater is not None
            for name, _, _ in assignments(group.subexpression_updater.abstract_code)
        }
        #: variables of plastic synapses, and the projection that they are read from
        self.synaptic = {
            array_id(obj.variables[reading.variable]): name
            for name, learnt in quantised.learning.items()
            for obj in objects
            if obj.name == learnt.synapses and name in low.synaptic
            for reading in learnt.readings
        }

    def done(self) -> Captured:
        for name in sorted(self.left):
            self._update(name)
        captured = self.captured
        pathways = [
            place
            for place, operation in enumerate(captured.program.operations)
            if isinstance(operation, program.Pathway)
        ]
        for place, (operation, values, owner) in enumerate(
            zip(captured.program.operations, captured.constants, captured.owners, strict=True)
        ):
            if owner in self.updates:
                self._update(self.updates[owner])
            elif owner in self.gone:
                continue
            elif owner in self.found.pathways:
                self._update(owner)  # a source of counts; a pathway has nothing to update
                self._deliver(owner)
                if pathways and place == pathways[-1]:
                    self._learn()
            else:
                self._decode(operation, place in self.before_reset)
                self._add(operation, values, owner)
        return replace(
            captured,
            program=replace(
                captured.program,
                arrays=(*captured.program.arrays, *self.low.arrays),
                operations=tuple(self.operations),
            ),
            constants=tuple(self.constants),
            owners=tuple(self.owners),
            calls=(),  # of a PoissonInput, whose operation is gone; others have been refused
            queues={},
            placed=dict(self.low.storage),
        )

    def _add(self, operation: program.Operation, values: tuple[float, ...], owner: str) -> None:
        self.operations.append(operation)
        self.constants.append(values)
        self.owners.append(owner)

    def _update(self, group: str) -> None:
        """Input and update of a population."""
        for operation, values in self.low.updates:
            domain = getattr(operation, "domain", "")
            if domain == group:
                self._add(operation, values, group)

    def _deliver(self, pathway: str) -> None:
        names = set(self.found.pathways[pathway])
        for operation, values in self.low.deliveries:
            part = self.parts.get(operation.name)
            if part is not None and part.projection in names:
                self._add(operation, values, pathway)

    def _learn(self) -> None:
        """Behind all deliveries: what changes weights."""
        for operation, values in self.learning:
            self._add(operation, values, operation.origin.object_name)

    def _decode(self, operation: program.Operation, before_reset: bool) -> None:
        """Before a monitor reads variables of a population or of synapses, write them."""
        reads = effects(operation).all_reads
        for array in sorted(reads & (self.unknown.keys() - self.linked.keys())):
            group, variable = self.unknown[array]
            raise NotSupported(
                f"'{operation.origin.object_name}' reads {variable!r} of '{group}', which is"
                " constant over dt: on the chip it is part of a neuron's step and kept nowhere."
                " Read the variables that it is made of, or leave it out."
            )
        for name in sorted({self.synaptic[array] for array in reads & set(self.synaptic)}):
            decode, values = self.low.synaptic[name]
            self._add(decode, values, name)
        arrays = sorted(reads & set(self.linked))
        for name in sorted({self.linked[array][0] for array in arrays}):
            decode, values = self.low.decodes[name]
            self._add(decode, values, name)
            if before_reset and name in self.low.decodes_at_spikes:
                decode, values = self.low.decodes_at_spikes[name]
                self._add(decode, values, name)
