"""A compiled program with the values that it runs on: the parent's side of the CPU engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.engine.cpu.render import Source
from brian2lava.engine.host import Host
from brian2lava.engine.memory import Block, GrowingArray, arena

#: Why the engine came back; the order of ``Reason`` in portable.hpp.
DONE, PYTHON, FULL, TIME, STOP, ERROR = range(6)

#: The fields of ``Context`` in runtime.hpp, in order; each takes eight bytes.
# fmt: off
FIELDS = (
    "data", "rows", "capacity", "length", "reals", "integers", "i_end", "due", "executions",
    "seconds", "report", "operation", "call", "clock", "stop", "budget", "max_steps", "steps",
    "threads", "profile", "seed", "state", "error", "exported", "exported_size", "dt_fallback",
)
# fmt: on
_PLACE = {name: k for k, name in enumerate(FIELDS)}


@dataclass(frozen=True)
class Pending:
    """Spikes in flight: arrival in steps from now, and synapse; oldest first."""

    steps: np.ndarray
    synapses: np.ndarray


class Instance:
    """One loaded program.

    ``storage`` maps array ids to NumPy arrays or :class:`GrowingArray` in the arena.
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
        host: Host,
    ) -> None:
        self.source = source
        self.library = str(library)
        self.host = host
        self._storage = [storage[name] for name in source.arrays]
        self._blocks: list[Block] = []
        self._context = self._table(len(FIELDS), np.int64)
        arrays = max(1, len(self._storage))
        self._data = self._pointer("data", arrays)
        self._rows = self._pointer("rows", arrays)
        self._capacity = self._pointer("capacity", arrays)
        self._length = self._pointer("length", arrays)
        self._reals = self._pointer("reals", len(source.reals), np.float64)
        self._integers = self._pointer("integers", len(source.integers))
        self.i_end = self._pointer("i_end", clocks)
        self._pointer("due", clocks)
        self.executions = self._pointer("executions", len(source.random))
        self.seconds = self._pointer("seconds", operations, np.float64)
        self.report = self._pointer("report", 8, np.float64)
        self["threads"] = threads
        self.set_constants(constants)
        self.bind()
        self._call("b2l_load")
        self._loaded = True

    def __getitem__(self, field: str) -> int:
        return int(self._context[_PLACE[field]])

    def __setitem__(self, field: str, value: int) -> None:
        self._context[_PLACE[field]] = value

    def set_seed(self, seed: int) -> None:
        """Set the key of all random streams (64 bits)."""
        self._context.view(np.uint64)[_PLACE["seed"]] = seed & 0xFFFFFFFFFFFFFFFF

    def _table(self, length: int, dtype: Any) -> np.ndarray:
        block = arena().allocate(8 * max(1, length))
        self._blocks.append(block)
        return block.array(dtype, max(1, length))

    def _pointer(self, field: str, length: int, dtype: Any = np.int64) -> np.ndarray:
        table = self._table(length, dtype)
        self[field] = self._blocks[-1].address
        return table

    @property
    def address(self) -> int:
        """Where the context is."""
        return self._blocks[0].address

    def set_constants(self, constants: Sequence[Sequence[float]]) -> None:
        """New values for the program's constants."""
        for place, (operation, position) in enumerate(self.source.reals):
            self._reals[place] = constants[operation][position]
        for place, (operation, position) in enumerate(self.source.integers):
            self._integers[place] = int(constants[operation][position])

    def replace_storage(self, storage: Mapping[str, Any]) -> None:
        """Run on other arrays from now on."""
        self._storage = [storage[name] for name in self.source.arrays]
        self.bind()

    def bind(self) -> None:
        """Write addresses and sizes into the context; arrays may have moved or grown."""
        for k, array in enumerate(self._storage):
            if isinstance(array, GrowingArray):
                self._data[k] = array.address
                self._rows[k] = array.rows_address
                self._capacity[k] = array.capacity
                self._length[k] = len(array)
            else:
                self._data[k] = array.__array_interface__["data"][0]
                self._length[k] = array.size

    def make_room(self, arrays: Sequence[str], rows: int) -> None:
        """Let the named growing arrays hold ``rows`` rows more than they do."""
        places = {name: k for k, name in enumerate(self.source.arrays)}
        for name in arrays:
            array = self._storage[places[name]]
            array.reserve(len(array) + rows)
        self.bind()

    def begin(self) -> None:
        """Start of a run: build the tables that are out of date."""
        self._call("b2l_begin")
        self["operation"] = 0
        self["stop"] = 0

    def advance(self, max_steps: int, seconds: float) -> int:
        """Run until something has to be done here; returns why."""
        self["max_steps"] = max_steps
        self["budget"] = int(seconds * 1e9)
        return self._call("b2l_advance")

    def bring_back(self) -> None:
        """Let the host see the arrays as they are; here they are the host's."""

    def pending(self, which: int) -> Pending:
        """The spikes in flight of queue ``which``."""
        place = self.address + 8 * _PLACE["exported"]
        records: Any = self.host.execute(("pending", self.library, self.address, which, place))
        table = np.frombuffer(records, dtype=[("due", "<i8"), ("synapse", "<i4"), ("_", "<i4")])
        return Pending(table["due"].copy(), table["synapse"].copy())

    def set_pending(self, which: int, pending: Pending) -> None:
        """Put spikes in flight into queue ``which``; what was there is forgotten."""
        table = np.zeros(
            len(pending.steps), dtype=[("due", "<i8"), ("synapse", "<i4"), ("_", "<i4")]
        )
        table["due"], table["synapse"] = pending.steps, pending.synapses
        self.host.execute(("set_pending", self.library, self.address, which, table.tobytes()))

    def unload(self) -> None:
        """Free what the engine holds; harmless when its process is gone."""
        if self._loaded:
            self._loaded = False
            self._call("b2l_unload")

    def _call(self, function: str) -> int:
        result: Any = self.host.execute(("call", self.library, function, self.address))
        return int(result)
