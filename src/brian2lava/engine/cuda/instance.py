"""A program for a card with the values that it runs on: the parent's side of the GPU engine."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.engine.cpu.instance import Instance, Pending
from brian2lava.engine.cuda.arrays import Shape
from brian2lava.engine.cuda.plan import CudaSource
from brian2lava.engine.cuda.queues import PENDING
from brian2lava.engine.host import Host
from brian2lava.engine.memory import GrowingArray


class CardInstance(Instance):
    """One loaded program on a card.

    ``library`` is the emulated kernels' library, or the file with the kernels' text.
    """

    def __init__(
        self,
        source: CudaSource,
        library: Path,
        storage: Mapping[str, Any],
        constants: Sequence[Sequence[float]],
        clocks: int,
        operations: int,
        threads: int,
        host: Host,
        emulated: bool = False,
        deterministic: bool = False,
    ) -> None:
        self._plan = pickle.dumps((source, emulated, deterministic))
        super().__init__(source, library, storage, constants, clocks, operations, threads, host)

    def begin(self) -> None:
        """Start of a run: copy the arrays to the card, build the tables that are out of date."""
        self._ask("begin", [_shape(array) for array in self._storage])
        self["operation"] = 0
        self["stop"] = 0

    def bring_back(self) -> None:
        """Let the host see the arrays as they are on the card, and change them."""
        self._ask("bring_back")

    def pending(self, which: int) -> Pending:
        """The spikes in flight of queue ``which``."""
        records: Any = self._ask("pending", which)
        table = np.frombuffer(records, PENDING)
        return Pending(table["due"].copy(), table["synapse"].copy())

    def set_pending(self, which: int, pending: Pending) -> None:
        """Put spikes in flight into queue ``which``; what was there is forgotten."""
        table = np.zeros(len(pending.steps), PENDING)
        table["due"], table["synapse"] = pending.steps, pending.synapses
        self._ask("set_pending", which, table.tobytes())

    def _call(self, function: str) -> int:
        verb = function.removeprefix("b2l_")
        result: Any = self._ask(verb, *([self._plan] if verb == "load" else []))
        return int(result)

    def _ask(self, verb: str, *arguments: Any) -> Any:
        return self.host.execute(("card", verb, self.library, self.address, *arguments))


def _shape(array: Any) -> Shape:
    if isinstance(array, GrowingArray):
        row = array.row_bytes // array.dtype.itemsize
        return Shape(array.dtype.str, row, True)
    return Shape(array.dtype.str, 1, False)
