"""Spike queues on a card: their tables, their room, and the spikes in flight that they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.engine.cuda.card import Card
from brian2lava.engine.cuda.plan import QueuePlan
from brian2lava.engine.cuda.tables import Table, fingerprint, make_table

#: The fields of ``Queue`` in device.hpp, in order.
# fmt: off
_FIELDS = (
    "first", "row", "order", "steps", "delay", "chunk", "chunks", "now",
    "fifo", "fifo_capacity", "fifo_begin", "fifo_end", "born", "died",
    "flights", "flights_capacity", "flights_begin", "flights_end",
    "explicit_due", "explicit_synapse", "explicit_count", "explicit_position",
)
# fmt: on
_PLACE = {name: k for k, name in enumerate(_FIELDS)}
FIELDS = len(_FIELDS)

#: Positions of a row that 32 threads walk before others take over.
CHUNK = 256
#: Spikes in flight for which there is room at first; a power of two.
FIRST_ROOM = 1024
_FLIGHT = np.dtype([(name, np.int64) for name in ("cursor", "stop", "end", "due", "born")])
_NEVER = np.iinfo(np.int64).max

#: Spikes in flight: steps from now and synapse, oldest first.
PENDING = np.dtype([("due", "<i8"), ("synapse", "<i4"), ("_", "<i4")])


class CardQueue:
    """One pathway's queue; ``address`` is where its fields are on the card."""

    def __init__(self, card: Card, plan: QueuePlan, address: int) -> None:
        self.plan = plan
        self.targets = 0
        self.synapses = 0
        self._card = card
        self._address = address
        self._fields = np.zeros(FIELDS, np.int64)
        self._rooms: dict[str, int] = {}
        self._table: Table | None = None
        self._dt = 0.0

    def __getitem__(self, name: str) -> int:
        return int(self._fields[_PLACE[name]])

    def __setitem__(self, name: str, value: int) -> None:
        self._fields[_PLACE[name]] = value

    def fetch(self) -> None:
        """Read the fields from the card."""
        self._card.read(self._address, self._fields)

    def store(self) -> None:
        """Write the fields to the card."""
        self._card.write(self._address, self._fields)

    def prepare(
        self,
        sources: NDArray[np.int32],
        targets: NDArray[np.int32],
        delays: NDArray[np.floating],
        dt: float,
    ) -> None:
        """Build the table where synapses, delays or dt changed; what is in flight stays."""
        known = self._table
        if known is not None and known.fingerprint == fingerprint(delays, len(sources), dt):
            return
        pending = self.pending()
        if self._dt not in (0, dt):  # Brian2's rule for a changed dt
            pending["due"] = (pending["due"] * (self._dt / dt) + 0.5).astype(np.int64)
        plan, self._dt = self.plan, dt
        self._table = table = make_table(
            plan.first, plan.last, sources, targets, delays, dt, plan.by_target
        )
        self.synapses = len(sources)
        self.targets = int(targets.max()) + 1 if len(targets) else 1
        self["first"], self["delay"] = plan.first, table.delay
        self._put("row", table.row)
        self._put("order", table.order)
        self._put("steps", table.steps)
        longest = int(np.diff(table.row).max()) if plan.last > plan.first else 0
        self["chunk"], self["chunks"] = CHUNK, max(1, -(-longest // CHUNK))
        for name in ("fifo", "born", "died", "flights"):
            self._drop(name)
        self["fifo_capacity"] = self["flights_capacity"] = 0
        if table.steps is not None:
            self._grow_flights(FIRST_ROOM)
        elif table.delay:
            self._put("born", np.zeros(table.delay + 1, np.int64))
            self._put("died", np.zeros(table.delay + 1, np.int64))
            self._grow_fifo(FIRST_ROOM)
        self.set_pending(pending)

    def grow(self, more: int) -> None:
        """Room for ``more`` spikes beside those in flight."""
        self.fetch()
        if self["steps"]:
            self._grow_flights(2 * (self["flights_end"] - self["flights_begin"] + more))
        else:
            self._grow_fifo(2 * (self["fifo_end"] - self["fifo_begin"] + more))
        self.store()

    def pending(self) -> NDArray[Any]:
        """The spikes in flight as records of :data:`PENDING`."""
        self.fetch()
        now, parts = self["now"], []
        left = slice(self["explicit_position"], self["explicit_count"])
        if left.start < left.stop:
            due = self._get("explicit_due", np.int64, self["explicit_count"])[left]
            parts.append(_records(due - now, self._get(
                "explicit_synapse", np.int32, self["explicit_count"])[left]))  # fmt: skip
        table = self._table
        if table is not None and table.steps is not None:
            parts += self._flying(table, now)
        elif table is not None and table.delay:
            parts += self._waiting(table, now)
        found = np.concatenate([np.empty(0, PENDING), *parts])
        return found[np.argsort(found["due"], kind="stable")]

    def _waiting(self, table: Table, now: int) -> list[NDArray[Any]]:
        """Spikes of steps that are less than the delay ago, oldest first."""
        span, parts = table.delay + 1, []
        born, died = (self._get(name, np.int64, span) for name in ("born", "died"))
        ring = self._get("fifo", np.int32, self["fifo_capacity"])
        for age in range(min(table.delay, now), 0, -1):
            slot = (now - age) % span
            for at in range(born[slot], died[slot]):
                source = ring[at & (len(ring) - 1)]
                synapses = np.sort(table.synapses(table.row[source], table.row[source + 1]))
                parts.append(_records(np.full(len(synapses), table.delay - age), synapses))
        return parts

    def _flying(self, table: Table, now: int) -> list[NDArray[Any]]:
        assert table.steps is not None
        capacity, parts = self["flights_capacity"], []
        both = self._get("flights", _FLIGHT, 2 * capacity)
        current = both[(now & 1) * capacity :][:capacity]
        for k in range(self["flights_begin"], self["flights_end"]):
            flight = current[k & (capacity - 1)]
            low, high = int(flight["cursor"]), int(flight["end"])
            synapses = table.synapses(low, high)
            due = table.steps[low:high].astype(np.int64) + int(flight["born"]) - now
            order = np.lexsort([synapses, due])
            parts.append(_records(due[order], synapses[order]))
        return parts

    def set_pending(self, records: NDArray[Any]) -> None:
        """Forget what is in flight and take ``records``, sorted by arrival, in its place."""
        now = self["now"]
        self._put("explicit_due", np.ascontiguousarray(records["due"] + now))
        self._put("explicit_synapse", np.ascontiguousarray(records["synapse"]))
        self["explicit_count"], self["explicit_position"] = len(records), 0
        self["fifo_begin"] = self["fifo_end"] = 0
        self["flights_begin"] = self["flights_end"] = 0
        for name in ("born", "died"):
            if self[name]:
                assert self._table is not None
                self._card.write(self[name], np.zeros(self._table.delay + 1, np.int64))
        self.store()

    def _grow_fifo(self, room: int) -> None:
        old, capacity = self["fifo_capacity"], 1 << (max(1, room) - 1).bit_length()
        ring = np.zeros(capacity, np.int32)
        if old:
            before = self._get("fifo", np.int32, old)
            at = np.arange(self["fifo_begin"], self["fifo_end"])
            ring[at & (capacity - 1)] = before[at & (old - 1)]
        self._put("fifo", ring)
        self["fifo_capacity"] = capacity

    def _grow_flights(self, room: int) -> None:
        old, capacity = self["flights_capacity"], 1 << (max(1, room) - 1).bit_length()
        both = np.zeros((2, capacity), _FLIGHT)
        both["due"] = _NEVER
        if old:
            before = self._get("flights", _FLIGHT, 2 * old).reshape(2, old)
            at = np.arange(self["flights_begin"], self["flights_end"])
            both[:, at & (capacity - 1)] = before[:, at & (old - 1)]
        self._put("flights", both.reshape(-1))
        self["flights_capacity"] = capacity

    def _put(self, name: str, values: NDArray[Any] | None) -> None:
        self._drop(name)
        if values is None:
            return
        self._rooms[name] = self[name] = self._card.allocate(values.nbytes)
        self._card.write(self[name], np.ascontiguousarray(values))

    def _drop(self, name: str) -> None:
        if name in self._rooms:
            self._card.release(self._rooms.pop(name))
        self[name] = 0

    def _get(self, name: str, dtype: Any, count: int) -> NDArray[Any]:
        values = np.empty(count, dtype)
        self._card.read(self[name], values)
        return values


def _records(due: NDArray[np.int64], synapses: NDArray[np.int32]) -> NDArray[Any]:
    records = np.zeros(len(due), PENDING)
    records["due"], records["synapse"] = due, synapses
    return records
