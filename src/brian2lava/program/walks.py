"""What the processes of a partition say to each other in a step, and each one's way through it.

All processes go through the step in the one order that the whole program has. Each runs what is its
own; a message has one place in that order, at which one process sends and others receive. Nobody
waits for what comes later in the order, so no process can wait for ever.

::

    spikes          the events of a group, to whoever delivers them
    contributions   what synapses added to a variable of their target, one event after the other
    values          variables that synapses read, or that they may add to now
    turn            whose turn it is, where nothing but the order matters

**Contributions are added in place.** A target lends its variable, the synapses' process adds event
by event with the network's own compiled code, and the message gives it back. Had the events
travelled as (target, value), values would have been rounded once more: compiled code multiplies
and adds in one rounding where the processor can, and a bit would differ here and there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from brian2lava.program import step_program as program
from brian2lava.program.effects import Effects, effects
from brian2lava.program.partition import Ownership, Partition, mutable_arrays

#: Places of a message relative to the pass of the same number.
BEFORE, AFTER = 0, 2
_RUN = 1


@dataclass(frozen=True)
class Edge:
    """Who tells whom what; ``arrays`` are those that the messages are about."""

    kind: str
    sender: int
    receivers: tuple[int, ...]
    arrays: tuple[str, ...] = ()


@dataclass(frozen=True)
class Message:
    """One message a step: which edge, and when (the number of a pass, before or after it)."""

    edge: int
    place: tuple[int, int]


@dataclass(frozen=True)
class Run:
    """A process runs a pass."""

    number: int


@dataclass(frozen=True)
class Send:
    """A process sends over an edge."""

    edge: int


@dataclass(frozen=True)
class Receive:
    """A process waits for a message over an edge."""

    edge: int


Item = Run | Send | Receive


@dataclass(frozen=True)
class Walks:
    """The edges between the parts of a partition, and the part's ways through a step."""

    partition: Partition
    edges: tuple[Edge, ...]
    messages: tuple[Message, ...]
    #: The part that runs each pass.
    runner: tuple[int, ...]

    def of(self, part: int) -> tuple[Item, ...]:
        """What ``part`` does in a step, in order."""
        items: list[tuple[tuple[int, int], Item]] = [
            ((number, _RUN), Run(number))
            for number, runner in enumerate(self.runner)
            if runner == part
        ]
        for message in self.messages:
            edge = self.edges[message.edge]
            if edge.sender == part:
                items.append((message.place, Send(message.edge)))
            elif part in edge.receivers:
                items.append((message.place, Receive(message.edge)))
        items.sort(key=lambda item: item[0])  # stable: messages of one place keep their order
        return tuple(item for _, item in items)


def carried(edge: Edge, ownership: Ownership) -> str:
    """What an edge is about, in its user's words: an event's name, or variables."""
    variables = [ownership.variable(array) for array in edge.arrays]
    if edge.kind == "spikes":
        (events,) = variables
        return events.removeprefix("_").removesuffix("space")
    return ", ".join(variables) if variables else "turn"


def walks(
    step_program: program.StepProgram,
    ownership: Ownership,
    partition: Partition,
    passes: Sequence[Sequence[int]],
) -> Walks:
    """The messages that keep the order of ``passes`` (operations by index that run together)."""
    return _Planner(step_program, ownership, partition, passes).plan()


@dataclass
class _Touch:
    """A pass used an array in this step; ``known`` once its owner knows that it is over."""

    number: int
    part: int
    writes: bool


@dataclass
class _Planner:
    step_program: program.StepProgram
    ownership: Ownership
    partition: Partition
    passes: Sequence[Sequence[int]]
    edges: dict[Edge, int] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    #: When a part was last told something by another: (sender, receiver) -> place.
    told: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)
    touches: dict[str, list[_Touch]] = field(default_factory=dict)
    mutable: frozenset[str] = frozenset()
    owner: dict[str, int] = field(default_factory=dict)

    def plan(self) -> Walks:
        part_of = self.partition.part_of
        runner = tuple(part_of[members[0]] for members in self.passes)
        parts_of_objects = {
            name: place for place, part in enumerate(self.partition.parts) for name in part.objects
        }
        self.mutable = mutable_arrays(self.step_program)
        self.owner = {
            array: parts_of_objects[name]
            for array in sorted(self.mutable)
            if (name := self.ownership.owner(array)) is not None
        }
        what = [
            [effects(self.step_program.operations[k]) for k in members] for members in self.passes
        ]
        calls = [any(each.barrier for each in pass_effects) for pass_effects in what]
        carried = self._spikes(runner, what)
        for number, pass_effects in enumerate(what):
            if calls[number]:
                self._barrier(number, runner[number], calls)
            else:
                self._order(number, runner[number], pass_effects, carried)
        self.messages.sort(key=lambda message: message.place)
        return Walks(self.partition, tuple(self.edges), tuple(self.messages), runner)

    # ------------------------------------------------------------ spikes
    def _spikes(self, runner: tuple[int, ...], what: list[list[Effects]]) -> frozenset[str]:
        """Messages with the events of groups; returns the arrays that travel so."""
        carried = set()
        for operation in self.step_program.operations:
            if not isinstance(operation, program.Threshold | program.SpikeSource):
                continue
            events = operation.events
            if events in carried or events not in self.owner:
                continue
            owner = self.owner[events]
            readers = {
                runner[number]
                for number, pass_effects in enumerate(what)
                if any(events in each.all_reads for each in pass_effects)
            } - {owner}
            if not readers:
                continue
            carried.add(events)
            edge = Edge("spikes", owner, tuple(sorted(readers)), (events,))
            for number, pass_effects in enumerate(what):
                if any(events in each.all_writes for each in pass_effects):
                    self._message(edge, (number, AFTER))
        return frozenset(carried)

    # ------------------------------------------------------------ order
    def _order(
        self, number: int, part: int, pass_effects: list[Effects], carried: frozenset[str]
    ) -> None:
        """What has to be said before and after a pass because of the arrays that it uses."""
        reads = frozenset().union(*(each.all_reads for each in pass_effects))
        writes = frozenset().union(*(each.all_writes for each in pass_effects))
        used = sorted(array for array in reads | writes if array in self.mutable)
        lent: dict[int, list[str]] = {}
        added: dict[int, list[str]] = {}
        since: dict[int, int] = {}
        for array in used:
            # What belongs to nobody (a table) is its first user's.
            owner = self.owner.setdefault(array, part)
            if array in carried and owner != part:
                continue  # the reader has a copy of its own
            earlier = [
                touch
                for touch in self.touches.get(array, ())
                if touch.part != part and (touch.writes or array in writes)
            ]
            for touch in earlier:
                if touch.part != owner:
                    self._give_back(touch, owner, array)
            if owner != part:
                lent.setdefault(owner, []).append(array)
                if array in writes:
                    added.setdefault(owner, []).append(array)
                if earlier:
                    since[owner] = max(since.get(owner, -1), *(t.number for t in earlier))
            self.touches.setdefault(array, []).append(_Touch(number, part, array in writes))
        for owner, arrays in lent.items():
            if owner in since and not self._has_told(owner, part, since[owner], number):
                self._message(Edge("values", owner, (part,), tuple(arrays)), (number, BEFORE))
        for owner, arrays in added.items():
            self._message(Edge("contributions", part, (owner,), tuple(arrays)), (number, AFTER))

    def _give_back(self, touch: _Touch, owner: int, array: str) -> None:
        """The owner learns that another's use of its array is over."""
        place = (touch.number, AFTER)
        if place not in self.told.get((touch.part, owner), ()):
            self._message(Edge("turn", touch.part, (owner,), (array,)), place)

    def _has_told(self, sender: int, receiver: int, since: int, number: int) -> bool:
        """Whether a message left ``sender`` after pass ``since`` and before pass ``number``."""
        return any(
            (since, _RUN) < place < (number, _RUN)
            for place in self.told.get((sender, receiver), ())
        )

    def _barrier(self, number: int, part: int, calls: list[bool]) -> None:
        """Python may read and write anything: all others wait; calls in a row wait once."""
        others = [place for place in range(len(self.partition.parts)) if place != part]
        if number == 0 or not calls[number - 1]:
            for other in others:
                self._message(Edge("turn", other, (part,)), (number, BEFORE))
        if others and (number + 1 == len(calls) or not calls[number + 1]):
            self._message(Edge("turn", part, tuple(others)), (number, AFTER))
            self.touches.clear()

    def _message(self, edge: Edge, place: tuple[int, int]) -> None:
        known = self.edges.setdefault(edge, len(self.edges))
        self.messages.append(Message(known, place))
        for receiver in edge.receivers:
            self.told.setdefault((edge.sender, receiver), []).append(place)
