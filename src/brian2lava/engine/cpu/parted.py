"""A program whose parts run in processes of their own, with the interface of one instance."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from brian2lava.engine.cpu.deliveries import pathways
from brian2lava.engine.cpu.instance import DONE, FULL, PYTHON, STOP, TIME, Instance, Pending
from brian2lava.engine.cpu.source import Source
from brian2lava.engine.host import interrupts_deferred
from brian2lava.engine.memory import arena
from brian2lava.program import step_program as program
from brian2lava.program.partition import Partition
from brian2lava.program.walks import Walks

#: How long Lava runs before the parent looks after reports, stops and Ctrl-C again (seconds).
_SLICE_SECONDS = 0.2
#: Steps of the first slice, whose speed is not known yet.
_FIRST_STEPS = 20

#: Fields that all parts share: an operation's cell in them is its part's own.
_SHARED = ("reals", "integers", "i_end", "executions", "seconds", "report")


class Question(Protocol):
    """What a process waits for."""

    @property
    def part(self) -> int:
        """The process that asks."""
        ...

    @property
    def kind(self) -> Literal["python", "room"]:
        """What it asks for."""
        ...


class GraphHost(Protocol):
    """The processes of all parts; ``brian2lava.processes.objects_host.ObjectsHost`` in earnest."""

    name: Literal["lava"]
    last_result: object

    @property
    def alive(self) -> bool:
        """Whether its processes run."""
        ...

    def execute_in(self, part: int, command: tuple[object, ...]) -> object:
        """What a part's process returns for a command."""
        ...

    def run(self, steps: int) -> None:
        """Begin to run so many steps."""
        ...

    def wait(self) -> Question | None:
        """The next question, or None at the end of the steps."""
        ...

    def answer(self, question: Any) -> None:
        """Let the process that asked go on."""
        ...

    def close(self) -> None:
        """End all processes."""
        ...


class _InPart:
    """Executes the commands of one part's instance in its process."""

    def __init__(self, host: GraphHost, part: int) -> None:
        self._host, self._part = host, part

    def execute(self, command: tuple[object, ...]) -> object:
        return self._host.execute_in(self._part, command)


class PartedInstance:
    """One loaded program, in as many processes as it has parts.

    Parts work on the same arrays; each has its own copy of the clocks and of other parts' events,
    as it must not see them before it is told.
    """

    def __init__(
        self,
        source: Source,
        library: Path,
        storage: Mapping[str, Any],
        constants: Sequence[Sequence[float]],
        clocks: int,
        operations: int,
        threads: int,
        host: GraphHost,
        step_program: program.StepProgram,
        walks: Walks,
    ) -> None:
        self.source, self.host = source, host
        self._program, self._walks = step_program, walks
        self._storage = dict(storage)
        self._copies: list[dict[str, np.ndarray]] = []
        self._question: Question | None = None
        self._running = self._stop = False
        self._slice, self._began = 0, 0.0
        self._seconds_a_step: float | None = None
        self._parts: list[Instance] = []
        for part in range(len(self.partition.parts)):
            self._copies.append(self._copied(part))
            each: Any = _InPart(host, part)
            self._parts.append(
                Instance(
                    source, library, self._storage | self._copies[part], constants, clocks,
                    operations, threads, each,
                )
            )  # fmt: skip
        self._lead = self._parts[0]
        for other in self._parts[1:]:
            for field in _SHARED:
                other[field] = self._lead[field]
        self.i_end, self.executions = self._lead.i_end, self._lead.executions
        self.seconds, self.report = self._lead.seconds, self._lead.report
        self._queue_parts = [self.partition.part_of[k] for k, _ in pathways(step_program)]

    @property
    def partition(self) -> Partition:
        """What runs where."""
        return self._walks.partition

    @property
    def halfway(self) -> bool:
        """Whether a run was left in the middle of a step: the processes can't begin another."""
        return self._running

    def _copied(self, part: int) -> dict[str, np.ndarray]:
        """The arrays of which ``part`` has copies."""
        names = []
        if part > 0:
            names += [name for clock in self._program.clocks for name in (clock.timestep, clock.t)]
        for edge in self._walks.edges:
            if edge.kind == "spikes" and part in edge.receivers:
                names += edge.arrays
        return {name: _like(self._storage[name]) for name in names}

    @property
    def _events(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The events of each group, with each copy of them."""
        for edge in self._walks.edges:
            if edge.kind == "spikes":
                (array,) = edge.arrays
                for part in edge.receivers:
                    yield self._storage[array], self._copies[part][array]

    def __getitem__(self, field: str) -> int:
        if field == "call" and self._question is not None:
            return self._parts[self._question.part]["call"]
        return self._lead[field]

    def __setitem__(self, field: str, value: int) -> None:
        if field == "stop":
            self._stop = bool(value)
            return
        for each in self._parts:
            each[field] = value

    def set_seed(self, seed: int) -> None:
        """Set the key of all random streams (64 bits)."""
        for each in self._parts:
            each.set_seed(seed)

    def set_constants(self, constants: Sequence[Sequence[float]]) -> None:
        """New values for the program's constants."""
        self._lead.set_constants(constants)

    def replace_storage(self, storage: Mapping[str, Any]) -> None:
        """Run on other arrays from now on."""
        self._storage = dict(storage)
        for each, copies in zip(self._parts, self._copies, strict=True):
            each.replace_storage(self._storage | copies)

    def bind(self) -> None:
        """Arrays may have moved or grown."""
        for each in self._parts:
            each.bind()

    def make_room(self, arrays: Sequence[str], rows: int) -> None:
        """Let the named growing arrays hold ``rows`` rows more than they do, and one more.

        Whoever counts the steps that are left may see a clock that has ended this one already.
        """
        self._lead.make_room(arrays, rows + 1)
        self.bind()

    def begin(self) -> None:
        """Start of a run: build the tables that are out of date, in the processes that use them."""
        self._stop = False
        self.report[0] = 0.0
        for part, (each, copies) in enumerate(zip(self._parts, self._copies, strict=True)):
            for name, copy in copies.items():
                copy[:] = self._storage[name]
            each["stop"] = 0
            self._attach(part)
            for operation in self.partition.parts[part].operations:
                if _begins(self._program.operations[operation]):
                    self._call(part, "b2l_begin_one", operation)

    def _attach(self, part: int) -> None:
        """Tell a process where the program and the events are."""
        events = {}
        for edge in self._walks.edges:
            if edge.kind != "spikes" or part not in (edge.sender, *edge.receivers):
                continue
            (array,) = edge.arrays
            place = self._storage[array]
            copy = self._copies[part].get(array)
            events[array] = _address(place), 0 if copy is None else _address(copy), len(place)
        each = self._parts[part]
        self.host.execute_in(part, ("attach", each.library, each.address, events))

    def advance(self, max_steps: int, seconds: float) -> int:
        """Run until something has to be done here; returns why."""
        with interrupts_deferred():
            reason = self._advance(max_steps, min(seconds, _SLICE_SECONDS))
            self.host.last_result = reason
        return reason

    def _advance(self, max_steps: int, seconds: float) -> int:
        if self._question is not None:
            self._go_on()
        elif not self._running:
            left = self._steps_left()
            if left == 0:
                return DONE
            if self._stop:
                return STOP
            self._begin_slice(min(left, max_steps), seconds)
        self._question = self.host.wait()
        if self._question is not None:
            return PYTHON if self._question.kind == "python" else FULL
        self._running = False
        spent = time.perf_counter() - self._began
        self._seconds_a_step = spent / self._slice
        return TIME

    def _begin_slice(self, most: int, seconds: float) -> None:
        wanted = _FIRST_STEPS
        if self._seconds_a_step is not None:
            wanted = int(seconds / self._seconds_a_step)
        self._slice = max(1, min(wanted, most))
        self._running = True
        self._began = time.perf_counter()
        self.host.run(self._slice)

    def _go_on(self) -> None:
        """Answer a question. At Python's turn all processes wait: all see a stop and new events."""
        question, self._question = self._question, None
        assert question is not None
        if question.kind == "python":
            for each in self._parts:
                each["stop"] = int(self._stop)
            for place, copy in self._events:
                copy[:] = place
        self.host.answer(question)

    def _steps_left(self) -> int:
        """Passes of the loop that are left for certain; 0 at the end of the run.

        With several clocks the exact number is known at the end only. Each clock that has steps
        left but the one that ends the run takes part in one pass a step.
        """
        clocks = self._program.clocks
        left = [
            int(self.i_end[k] - self._storage[clock.timestep][0]) for k, clock in enumerate(clocks)
        ]
        if len(clocks) == 1:
            return max(0, left[0])
        leader = min(range(len(clocks)), key=lambda k: float(self._storage[clocks[k].t][0]))
        if left[leader] <= 0:
            return 0
        return max(1, left[leader] - 1)

    def bring_back(self) -> None:
        """The host's arrays are those of all parts: nothing to do."""

    def pending(self, which: int) -> Pending:
        """The spikes in flight of queue ``which``."""
        return self._parts[self._queue_parts[which]].pending(which)

    def set_pending(self, which: int, pending: Pending) -> None:
        """Put spikes in flight into queue ``which``; what was there is forgotten."""
        self._parts[self._queue_parts[which]].set_pending(which, pending)

    def unload(self) -> None:
        """End the processes, with all that they hold."""
        self.host.close()

    def _call(self, part: int, function: str, *arguments: int) -> None:
        each = self._parts[part]
        command = ("call", each.library, function, each.address, *arguments)
        self.host.execute_in(part, command)


def _begins(operation: program.Operation) -> bool:
    return isinstance(operation, program.Pathway | program.CableEquation)


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _like(array: np.ndarray) -> np.ndarray:
    """An array of the same kind and size in the arena, with the same values."""
    copy = arena().allocate(max(1, array.nbytes)).array(array.dtype, array.shape)
    copy[...] = array
    return copy
