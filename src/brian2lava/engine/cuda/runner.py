"""Runs a program on a card: the worker's side of the GPU engine.

The host's arrays are copied to the card before a run and come back when somebody may look at them:
at its end, before a call back to Python, and before a report.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.engine.cpu.instance import DONE, FIELDS, FULL, PYTHON, STOP, TIME
from brian2lava.engine.cuda.arrays import CardArrays, Shape
from brian2lava.engine.cuda.card import Card
from brian2lava.engine.cuda.plan import Count, CudaSource, GroupPlan
from brian2lava.engine.cuda.queues import FIELDS as QUEUE_FIELDS
from brian2lava.engine.cuda.queues import PENDING, CardQueue
from brian2lava.engine.cuda.tables import entries_by_target

_CONTEXT = {name: k for k, name in enumerate(FIELDS)}
#: The fields of ``State`` in device.hpp, in order.
# fmt: off
_STATE_FIELDS = (
    "turn", "status", "level", "arrived", "halfway", "answered", "call", "clock", "steps",
)
# fmt: on
_STATE = {name: k for k, name in enumerate(_STATE_FIELDS)}
_RUNNING = _NOBODY = -1
#: Seconds that launches without a look may take.
_LOOK_SECONDS = 0.01
_MOST_STEPS = 4096


class Runner:
    """One program on a card. ``context`` is the address of the host's context."""

    def __init__(self, card: Card, source: CudaSource, context: int) -> None:
        self._card = card
        self._source = source
        self._host = np.ctypeslib.as_array((ctypes.c_int64 * len(FIELDS)).from_address(context))
        self._arrays = CardArrays(card, len(source.arrays), self._table)
        self._state = card.allocate(8 * len(_STATE_FIELDS))
        self._due = card.allocate(8 * max(1, len(source.clocks) // 2))
        self._executions = card.allocate(8 * max(1, len(source.random)))
        self._queues_at = card.allocate(8 * QUEUE_FIELDS * max(1, len(source.queues)))
        self._queues = [
            CardQueue(card, plan, self._queues_at + 8 * QUEUE_FIELDS * k)
            for k, plan in enumerate(source.queues)
        ]
        self._rooms: list[int] = []
        self._pointers: dict[str, int] = {}
        self._grid = np.zeros(1, np.int64)
        self._stale = True
        self._step: Callable[[], None] | None = None
        self._start: Callable[[], None] | None = None
        self._pace = 1e-5  # seconds a step, as a first guess
        self._levels: list[Callable[[], None]] = []

    def _table(self, field: str, count: int, dtype: Any = np.int64) -> NDArray[Any]:
        """A table of the host's context."""
        kind = ctypes.c_double if dtype is np.float64 else ctypes.c_int64
        address = int(self._host[_CONTEXT[field]])
        return np.ctypeslib.as_array((kind * max(1, count)).from_address(address))

    # ------------------------------------------------------------ before a run

    def begin(self, shapes: list[Shape]) -> int:
        """Copy the arrays, and build what is out of date."""
        began = time.perf_counter()
        card = self._card
        self._arrays.place(shapes, self._source.arrays)
        self._arrays.write_all()
        self._stale = False
        for queue in self._queues:
            plan = queue.plan
            sources, targets, delays, dt = (
                self._arrays.host(k) for k in (plan.sources, plan.targets, plan.delays, plan.dt)
            )
            queue.prepare(sources, targets, delays, float(dt[0]))
        for room in self._rooms:
            card.release(room)
        self._rooms = []
        self._grid, launches = self._grids()
        self._pointers = self._make_tables(launches)
        state = np.zeros(len(_STATE_FIELDS), np.int64)
        state[_STATE["turn"]] = _NOBODY
        state[_STATE["steps"]] = self._host[_CONTEXT["steps"]]
        card.write(self._state, state)
        self._write_context(0)
        self._sequences(launches)
        card.sequence([("b2l_before_run", 1)], self._state)()
        card.finish()
        self._table("report", 8, np.float64)[0] = time.perf_counter() - began
        return 0

    def _make_tables(self, launches: list[tuple[str, int]]) -> dict[str, int]:
        """What the context points at, but for the arrays."""
        card, source = self._card, self._source
        sizes = [self._count(count) for count in source.thresholds]
        blocks = [max(1, -(-size // card.threads)) for size in sizes]
        found = [self._room(np.zeros(n * card.threads, np.int32)) for n in blocks]
        counts = [self._room(np.zeros(n, np.int32)) for n in blocks]
        threads = card.threads * max([1, *(blocks for _, blocks in launches)])
        targets = np.array([queue.targets for queue in self._queues] or [0], np.int64)
        return {
            "due": self._due,
            "executions": self._executions,
            "queues": self._queues_at,
            "sums": self._room(self._sum_tables()),
            "found": self._room(np.array(found or [0], np.int64)),
            "counts": self._room(np.array(counts or [0], np.int64)),
            "targets": self._room(targets),
            "sites": self._room(np.zeros(3 * threads, np.int64)),
        }

    def _sequences(self, launches: list[tuple[str, int]]) -> None:
        sequence, state = self._card.sequence, self._state
        self._start = sequence([("b2l_start", 1)], state)
        self._step = sequence(launches, state)
        self._levels = []
        if self._host[_CONTEXT["profile"]]:
            self._levels = [sequence([one], state) for one in launches]

    def _room(self, values: NDArray[Any]) -> int:
        address = self._card.allocate(values.nbytes)
        self._rooms.append(address)
        self._card.write(address, np.ascontiguousarray(values))
        return address

    def _count(self, count: Count) -> int:
        if count.kind == "number":
            return count.place
        if count.kind == "integer":
            return int(self._table("integers", count.place + 1)[count.place])
        array = self._arrays.host(count.place)
        return len(array) if count.kind == "length" else int(array.ravel()[0])

    def _grids(self) -> tuple[NDArray[np.int64], list[tuple[str, int]]]:
        """Where each group's blocks begin and the last one's end, and how many a kernel has."""
        grid, launches = [0], []
        for level in self._source.levels:
            ends = np.cumsum([0, *(self._blocks(plan) for plan in level.groups)])
            if level.groups:
                grid += [int(end) for end in ends]
            launches.append((level.name, max(1, int(ends[-1]))))
        return np.array(grid, np.int64), launches

    def _blocks(self, plan: GroupPlan) -> int:
        threads = self._card.threads
        if plan.rows is None:
            return max(1, -(-self._count(plan.elements) // (threads * plan.each)))
        queue = self._queues[plan.rows]
        work = queue.targets if queue.plan.by_target else queue.synapses // 16
        return min(max(1, -(-work // threads)), self._card.most_blocks)

    def _sum_tables(self) -> NDArray[np.int64]:
        tables = np.zeros((max(1, len(self._source.sums)), 2), np.int64)
        for k, plan in enumerate(self._source.sums):
            index = self._arrays.host(plan.index)[: self._count(plan.synapses)]
            row, order = entries_by_target(index, plan.start, self._count(plan.targets))
            tables[k] = self._room(row), self._room(order)
        return tables

    def _write_context(self, limit: int) -> None:
        """The context with the card's addresses; the order of ``Context`` in device.hpp."""
        source, host = self._source, self._host
        clocks = len(source.clocks) // 2
        parts = [
            *self._arrays.places(),
            self._table("reals", len(source.reals), np.float64).view(np.int64),
            self._table("integers", len(source.integers)),
            self._table("i_end", clocks),
            self._grid,
            np.array([host[_CONTEXT["stop"]], limit, host[_CONTEXT["seed"]]]),
            np.array(list(self._pointers.values()), np.int64),
        ]
        self._card.set_constants(np.concatenate(parts))
        self._card.write(self._due, self._table("due", clocks))
        self._card.write(self._executions, self._table("executions", len(source.random)))

    # ------------------------------------------------------------ the run

    def advance(self) -> int:
        """Run until something has to be done by the host; returns why."""
        host, card = self._host, self._card
        if self._stale:
            self._arrays.write_all()
            self._stale = False
        self._arrays.make_room()
        until = time.perf_counter() + 1e-9 * int(host[_CONTEXT["budget"]])
        limit = int(host[_CONTEXT["steps"]]) + min(int(host[_CONTEXT["max_steps"]]), 1 << 61)
        self._write_context(limit)
        assert self._start is not None
        self._start()
        while True:
            began, steps = time.perf_counter(), self._batch(until)
            self._launch(steps)
            status, call = self._look()
            took = time.perf_counter() - began
            self._pace = max(1e-7, took / steps)
            if status == FULL and call < 0:
                queue = self._queues[-1 - call]
                queue.grow(self._spiking(queue))
                self._start()
                continue
            if status != _RUNNING:
                break
            if time.perf_counter() > until:
                status = TIME
                break
        card.finish()
        self._come_back(status)
        return status

    def _batch(self, until: float) -> int:
        left = min(_LOOK_SECONDS, max(0.0, until - time.perf_counter()))
        return int(min(_MOST_STEPS, max(1, left / self._pace)))

    def _launch(self, steps: int) -> None:
        if not self._levels:
            assert self._step is not None
            for _ in range(steps):
                self._step()
            return
        last = max((k for level in self._source.levels for k in level.operations), default=0)
        seconds = self._table("seconds", 1 + last, np.float64)
        for _ in range(steps):
            for level, launch in zip(self._source.levels, self._levels):
                began = time.perf_counter()
                launch()
                self._card.finish()
                for k in level.operations[:1]:
                    seconds[k] += time.perf_counter() - began

    def _spiking(self, queue: CardQueue) -> int:
        """As many as can spike in a step."""
        return queue.plan.last - queue.plan.first

    def _look(self) -> tuple[int, int]:
        """Whether the program runs, or why not, and what it asks for."""
        state = self._read_state()
        return int(state[_STATE["status"]]), int(state[_STATE["call"]])

    def _read_state(self) -> NDArray[np.int64]:
        state = np.empty(len(_STATE_FIELDS), np.int64)
        self._card.read(self._state, state)
        return state

    def _come_back(self, status: int) -> None:
        """What the host needs to see in any case, and all arrays where it may look at them."""
        state = self._read_state()
        for name in ("call", "clock", "steps"):
            self._host[_CONTEXT[name]] = state[_STATE[name]]
        self._card.read(self._due, self._table("due", len(self._source.clocks) // 2))
        if self._source.random:
            executions = self._table("executions", len(self._source.random))
            self._card.read(self._executions, executions)
        self._arrays.read_rows(self._source.grown)
        if status in (DONE, STOP, PYTHON):
            self.bring_back()
        else:
            self._arrays.read(self._source.clocks)

    def bring_back(self) -> int:
        """Copy all that the program writes to the host, which may change it."""
        self._arrays.read(self._source.written)
        self._stale = True
        return 0

    # ------------------------------------------------------------ spikes in flight

    def pending(self, which: int) -> bytes:
        """The spikes in flight of a queue, as records of (int64 steps, int64 synapse)."""
        return bytes(self._queues[which].pending().tobytes())

    def set_pending(self, which: int, records: bytes) -> int:
        """Put spikes in flight into a queue; what was there is forgotten."""
        queue = self._queues[which]
        queue.fetch()
        queue.set_pending(np.frombuffer(records, PENDING))
        return 0

    def close(self) -> int:
        """Give the card's memory back."""
        self._card.close()
        return 0
