"""A run on a chip once more: the input that it had, and the user's own program on that input.

The own program is what ``hardware='CPU'`` would run: the statements that Brian2 generates from the
user's equations, in floating point, from the values with which the chip's run began. Nothing of
it has gone through recognition. Only sources that draw random numbers are replaced, by the spikes
that they sent into the chip.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.variables import ArrayVariable

from brian2lava.capture.network import Captured
from brian2lava.capture.statements import array_id
from brian2lava.chip.given_words import word_state
from brian2lava.chip.lower import Lowered
from brian2lava.chip.network import PoissonSpikes, Source, SpikeTimes
from brian2lava.chip.own import OwnRun
from brian2lava.chip.quantise import Quantised
from brian2lava.chip.sources import BinomialCounts, GivenCounts, given_counts
from brian2lava.device.held_program import (
    Events,
    HeldProgram,
    Noted,
    States,
    hold,
)
from brian2lava.errors import NotSupported
from brian2lava.program import step_program as program
from brian2lava.program.step_program import SCALAR, Access

_ROW = "_given_idx"
_RANDOM = PoissonSpikes | BinomialCounts


@dataclass(frozen=True)
class Again:
    """What is needed to make a chip's run once more.

    Attributes
    ----------
    own : HeldProgram
        The user's.
    composed : HeldProgram or None
        That of the chip, where its sources or neurons draw random numbers, or where its sources did
        not begin at step 0.
    clock, first : int
        Which clock, and its first step in the run.
    senders : dict of source to Events
        In the chip's program.
    populations : dict of population to Events
        In the user's own program; those without threshold have none.
    links : dict of (population, variable) to (array id, size, whether it is compared ahead)
    weights : dict of the chip's projection that learns to array id
    inputs : dict of source to the name of the object that owns its operation
    waiting : int
        Spikes that were on their way from an earlier run.
    firing : dict of population to Events
        In the chip's program.
    words : dict of (population, state) to (array id, size)
        In the chip's program: what stochastic neurons draw.
    """

    own: HeldProgram
    composed: HeldProgram | None
    clock: int
    first: int
    senders: Mapping[str, Events]
    populations: Mapping[str, Events]
    links: Mapping[tuple[str, str], tuple[str, int, bool]]
    weights: Mapping[str, str]
    waiting: int = 0
    firing: Mapping[str, Events] = field(default_factory=dict)
    words: Mapping[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    @property
    def key(self) -> int:
        """Of the random numbers of the run."""
        return self.own.key

    def with_input(self, quantised: Quantised, steps: int) -> Quantised:
        """The network from its first step on, with what its sources sent in the run."""
        sources = quantised.network.sources
        if self.composed is not None and sources:
            noted = self.composed.run(self.clock, steps, self.senders)
            sources = tuple(_given(source, noted) for source in sources)

        def from_first(stimulus: Any) -> Any:
            return replace(stimulus, values=stimulus.values[self.first :])

        network, ideal = quantised.network, quantised.ideal
        return replace(
            quantised,
            network=replace(
                network, sources=sources, stimuli=tuple(map(from_first, network.stimuli))
            ),
            ideal=replace(ideal, stimuli=tuple(map(from_first, ideal.stimuli))),
        )

    def on_chip(self, steps: int) -> Noted | None:
        """The chip's spikes of the run, and the words that stochastic neurons drew.

        None where no neurons draw: then any run on the same input has the same spikes.
        """
        if self.composed is None or not self.words:
            return None
        end = len(self.composed.program.operations)
        words = {key: States(array, size, end) for key, (array, size) in self.words.items()}
        return self.composed.run(self.clock, steps, self.firing, words)

    def run(self, given: Quantised, steps: int) -> OwnRun:
        """The user's own program, on the input of ``given`` (of :meth:`with_input`).

        Raises
        ------
        NotSupported
            Names what can't run again.
        """
        inputs = {source.name: source for source in given.network.sources}
        replaced = _Replaced(self, inputs, steps)
        place = replaced.first_delivery()
        noted = replaced.held.run(
            self.clock,
            steps,
            self.populations,
            {
                key: States(array, size, 0 if ahead else place)
                for key, (array, size, ahead) in self.links.items()
            },
            replaced.more,
            tuple(self.weights.values()),
        )
        weights = {name: noted.arrays[array] for name, array in self.weights.items()}
        nobody = np.zeros(0, np.int64), np.zeros(0, np.int64)
        spikes = {population.name: nobody for population in given.network.populations}
        spikes |= noted.spikes
        return OwnRun(spikes, noted.states, weights, self.waiting, replaced.stochastic())


def _given(source: Source, noted: Noted) -> Source:
    """The source with the spikes that it sent."""
    spikes = noted.spikes[source.name]
    if source.graded:
        return given_counts(source, spikes, noted.payloads[source.name])
    return SpikeTimes(source.name, source.size, spikes[1], spikes[0])


class _Replaced:
    """The own program with given spikes in the place of random sources."""

    def __init__(self, again: Again, inputs: Mapping[str, Source], steps: int) -> None:
        self._again, self._inputs, self._steps = again, inputs, steps
        self._by_events = {each.events: name for name, each in again.senders.items()}
        self.more: dict[str, Any] = {}
        self._arrays: list[program.Array] = []
        self._timestep = again.own.program.clocks[again.clock].timestep
        operations, constants = [], []
        for operation, values, owner in zip(
            again.own.program.operations, again.own.constants, again.own.owners, strict=True
        ):
            made = self._made(operation, values, owner)
            operations.append(made[0])
            constants.append(made[1])
        base = again.own.program
        self.held = replace(
            again.own,
            program=replace(
                base, arrays=(*base.arrays, *self._arrays), operations=tuple(operations)
            ),
            constants=tuple(constants),
        )

    def _made(
        self, operation: program.Operation, values: tuple[float, ...], owner: str
    ) -> tuple[program.Operation, tuple[float, ...]]:
        if owner in self._inputs and not isinstance(operation, program.SpikeSource):
            return self._counted(operation, values, owner)
        name = self._by_events.get(getattr(operation, "events", ""))
        if isinstance(operation, program.Threshold) and name is not None:
            return self._sent(operation, self._inputs[name]), ()
        return operation, values

    def _array(self, what: str, values: Any) -> str:
        name = f"_array_given_{len(self._arrays)}_{what}"
        self._arrays.append(program.Array(name, f"{values.dtype.name}_t"))
        self.more[name] = values
        return name

    def _sent(self, operation: program.Threshold, source: Any) -> program.SpikeSource:
        """A PoissonGroup's spikes."""
        bins = source.steps + self._again.first
        return program.SpikeSource(
            name=operation.name,
            origin=operation.origin,
            clock=operation.clock,
            events=operation.events,
            neuron_index=self._array("who", source.indices.astype(np.int32)),
            timebins=self._array("bins", bins.astype(np.int32)),
            period_bins=self._array("period", np.zeros(1, np.int64)),
            lastindex=self._array("last", np.zeros(1, np.int32)),
            timestep=self._timestep,
        )

    def _counted(
        self, operation: program.Operation, values: tuple[float, ...], owner: str
    ) -> tuple[program.Operation, tuple[float, ...]]:
        """A PoissonInput's counts, in the place of its random function."""
        drawn = [name for name in operation.statements.functions if "binomial" in name]
        if isinstance(operation, program.PythonCall) or len(drawn) != 1:
            raise NotSupported(
                f"PoissonInput '{owner}' runs in Python here, so its own code can't be given the"
                " counts of the chip's run."
            )
        statements = operation.statements
        named = [constant.name for constant in statements.constants]
        targets = int(values[named.index("N")])
        rows = _counts(self._inputs[owner], self._steps, targets)
        table = self._array("counts", rows.ravel())
        size, first = rows.shape[1], self._again.first
        line = f"const int64_t {_ROW} = (_ptr{self._timestep}[0] - {first}) * {size} + _idx;"
        text = re.sub(rf"\b{drawn[0]}\([^()]*\)", f"_ptr{table}[{_ROW}]", statements.vector)
        made = replace(
            statements,
            vector=f"{line}\n{text}",
            reads=statements.reads | {Access(table, _ROW), Access(self._timestep, SCALAR)},
            functions=statements.functions - set(drawn),
            support="",
        )
        return replace(operation, statements=made), values

    def first_delivery(self) -> int:
        """The place of the first operation behind all thresholds."""
        operations = self.held.program.operations
        for k, (operation, owner) in enumerate(zip(operations, self.held.owners, strict=True)):
            if isinstance(operation, program.SpikeSource):
                continue
            if isinstance(operation, program.Pathway | program.Reset) or owner in self._inputs:
                return k
        return len(operations)

    def stochastic(self) -> tuple[str, ...]:
        """Groups, and other objects, that draw random numbers of their own."""
        drawing = (
            operation
            for operation in self.held.program.operations
            if operation.statements.random or "_rand" in operation.statements.support
        )
        return tuple(
            dict.fromkeys(
                name
                for operation in drawing
                for name in (operation.origin.object_name, getattr(operation, "domain", ""))
                if name
            )
        )


def _counts(source: Any, steps: int, targets: int) -> Any:
    """Counts by step and target; on a chip with binary spikes each input is a source."""
    if isinstance(source, GivenCounts):
        rows = np.zeros((steps, targets), np.int32)
        counts = source.counts[:steps]
        rows[: len(counts)] = counts
        return rows
    inputs = source.size // max(1, targets)
    places = source.steps * targets + source.indices // max(1, inputs)
    counted = np.bincount(places, minlength=steps * targets)[: steps * targets]
    return counted.reshape(steps, targets).astype(np.int32)


def again_of(
    device: Any,
    captured: Captured,
    composed: Captured,
    low: Lowered,
    quantised: Quantised,
    arrays: Mapping[tuple[str, str], str],
    clock: int,
    first: int,
    waiting: int,
) -> Again:
    """What makes a run again, of the moment before it.

    Parameters
    ----------
    device
        The device "lava".
    captured, composed : Captured
        The user's own program, and that of the chip.
    low : Lowered
    quantised : Quantised
    arrays : dict of (population or Synapses, variable) to array id
    clock, first : int
        The network's clock and its present step.
    waiting : int
        Spikes on their way.
    """
    network = quantised.network
    drawn = any(isinstance(source, _RANDOM) for source in network.sources)
    words = {
        (each.name, state): (low.states[each.name, state], each.size)
        for each in network.populations
        if each.size and (state := word_state(each, network.arithmetic))
    }
    known = captured.variables
    present = {array.id for array in captured.program.arrays}
    return Again(
        own=hold(device, captured),
        composed=(
            hold(device, composed) if words or network.sources and (drawn or first) else None
        ),
        clock=clock,
        first=first,
        senders={
            source.name: Events(
                low.events[source.name], source.size,
                low.payloads[source.name] if source.graded else None,
            )
            for source in network.sources
        },
        populations={
            population.name: Events(low.events[population.name], population.size)
            for population in network.populations
            if low.events[population.name] in present
        },
        links={
            (population.name, link.variable): (
                arrays[population.name, link.variable], population.size, link.ahead,
            )
            for population in quantised.ideal.populations
            for link in population.links
            if arrays.get((population.name, link.variable)) in known
        },
        weights={
            name: arrays[learnt.synapses, learnt.readings[0].variable]
            for name, learnt in quantised.learning.items()
            if arrays.get((learnt.synapses, learnt.readings[0].variable)) in known
        },
        waiting=waiting,
        firing={
            each.name: Events(low.events[each.name], each.size)
            for each in network.populations if each.size
        },
        words=words,
    )  # fmt: skip


def variables_of(objects: Sequence[BrianObject]) -> dict[tuple[str, str], str]:
    """By object and variable: the id of its array."""
    return {
        (obj.name, name): array_id(variable)
        for obj in objects
        for name, variable in getattr(obj, "variables", {}).items()
        if isinstance(variable, ArrayVariable) and variable.owner is not None
    }
