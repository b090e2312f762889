"""A script's network in Lava's own processes: their spikes and states take the emulator's place.

Lava runs all steps at once, and before the loop. What it needs of a script are the spikes of
Brian2's sources, which the host makes: the program is rehearsed without monitors, and notes them
(random numbers are counted, so the loop will make the same ones). Then,
in the loop, what Lava's processes sent and kept is written over what the emulator has computed, in
every step; monitors and other objects find it there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brian2lava.capture.network import Captured
from brian2lava.chip.learning.rule import TRACES
from brian2lava.chip.lower import Lowered, Surroundings
from brian2lava.chip.network import ChipNetwork, Integers
from brian2lava.device.lava_input import at_present
from brian2lava.device.rehearsal import rehearse
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.memory import arena
from brian2lava.errors import NotSupported
from brian2lava.interop.backend import Backend
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects
from brian2lava.program.step_program import ELEMENT, SCALAR, Access

_RECORDERS = program.StateRecorder | program.EventRecorder | program.RateRecorder
#: The index of a table's row in statements.
_PLACE = "_row_idx"
#: Tables of what Lava gave, and of what it is to get, may take so much memory (bytes).
MOST_BYTES = 4 << 30

Pair = tuple[program.Operation, tuple[float, ...]]


@dataclass(frozen=True)
class Table:
    """Values by step, in the arena.

    Attributes
    ----------
    array : Array
    values : array of shape (steps, size)
    """

    array: program.Array
    values: Integers


class LavaSteps:
    """The run of one network in Lava's processes, and what is done with what they give.

    Parameters
    ----------
    device
        The device "lava".
    backend : "lava" or "chip"
    network : ChipNetwork
    low : Lowered
    around : Surroundings
        What ``network`` was lowered with.
    composed : Captured
        The program with the emulator's operations.
    first, steps : int
        The clock's first step in this run, and how many there are.
    goes_on : bool
        Whether the network has run before.
    """

    def __init__(
        self,
        device: Any,
        backend: Backend,
        network: ChipNetwork,
        low: Lowered,
        around: Surroundings,
        composed: Captured,
        first: int,
        steps: int,
        goes_on: bool,
    ) -> None:
        self._device, self._backend = device, backend
        self._network, self._low, self._around = network, low, around
        self._composed = composed
        self._first, self._steps, self._goes_on = first, steps, goes_on
        self._numbers = itertools.count()
        self._fired = {name: self._table(f"{name}_fired", np.int8, size)
                       for name, size in self._fire().items()}  # fmt: skip
        self._carried = {
            source.name: self._table(
                f"{source.name}_carried",
                low.storage[low.payloads[source.name][0]].dtype,
                source.size,
            )
            for source in network.sources
            if source.graded and source.size
        }
        self._kept = {
            (name, state): self._table(f"{name}_{state}_kept", low.storage[array].dtype, size)
            for (name, state), (array, size) in self._places().items()
        }

    def _fire(self) -> dict[str, int]:
        """Populations and sources with neurons, and how many."""
        origins = (*self._network.populations, *self._network.sources)
        return {item.name: item.size for item in origins if item.size}

    def _places(self) -> dict[tuple[str, str], tuple[str, int]]:
        """(population or projection, state) -> the emulator's array and the number of elements."""
        low, network = self._low, self._network
        found = {
            (name, state): (array, network.population(name).size)
            for (name, state), array in low.states.items()
        }
        for name, values in low.plastic.items():
            for value, array in values.items():
                if value in ("w", *TRACES):
                    found[name, value] = array, len(low.storage[array])
        return {key: (array, size) for key, (array, size) in found.items() if size}

    def _table(self, name: str, kind: Any, size: int) -> Table:
        kind, rows = np.dtype(kind), max(1, self._steps)
        total = rows * size * kind.itemsize
        if total > MOST_BYTES:
            raise NotSupported(
                f"backend={self._backend!r}: {self._steps} steps of {name!r} would take"
                f" {total >> 20} MiB, more than {MOST_BYTES >> 20}. Run fewer steps, or use"
                " backend='emulator'."
            )
        values = arena().allocate(total).array(kind, rows * size)
        values[:] = 0  # the arena's memory has been used before
        array_id = f"_array_lava_{next(self._numbers)}"
        array = program.Array(array_id, f"{kind.name}_t")
        return Table(array, values.reshape(rows, size))

    # ------------------------------------------------------------ the program of the loop
    def composed(self) -> Captured:
        """The program in which Lava's spikes and states take the place of the emulator's."""
        behind: dict[int, list[Pair]] = {}
        names = {population.name for population in self._network.populations}
        for name, table in self._fired.items():
            if name in names:
                place = self._last_writer(self._low.events[name])
                behind.setdefault(place, []).append(self._spikes_from(name, table))
        for (name, state), table in self._kept.items():
            array, size = self._places()[name, state]
            place = self._last_writer(array)
            behind.setdefault(place, []).append(self._values_from(name, array, size, table))
        return self._with(behind)

    def _last_writer(self, array: str) -> int:
        """The place of the last operation of the chip that writes ``array``."""
        operations = self._composed.program.operations
        return max(
            k for k, operation in enumerate(operations) if array in effects(operation).all_writes
        )

    def _tables(self) -> list[Table]:
        return [*self._fired.values(), *self._carried.values(), *self._kept.values()]

    def _with(self, behind: Mapping[int, Sequence[Pair]]) -> Captured:
        """The composed program with the tables, and operations behind those at given places."""
        composed, tables = self._composed, self._tables()
        operations: list[program.Operation] = []
        constants: list[tuple[float, ...]] = []
        owners: list[str] = []
        for k, operation in enumerate(composed.program.operations):
            added = [(operation, composed.constants[k]), *behind.get(k, ())]
            for more, values in added:
                operations.append(more)
                constants.append(values)
                owners.append(composed.owners[k])
        return replace(
            composed,
            program=replace(
                composed.program,
                arrays=(*composed.program.arrays, *(table.array for table in tables)),
                operations=tuple(operations),
            ),
            constants=tuple(constants),
            owners=tuple(owners),
            placed={**composed.placed, **{t.array.id: t.values.ravel() for t in tables}},
        )

    def _common(self, name: str, what: str, lines: Sequence[str], **more: Any) -> dict[str, Any]:
        """Fields of an operation whose statements use a table's row of this step."""
        timestep = self._around.timestep
        row = f"const int64_t {_PLACE} = (_ptr{timestep}[0] - first) * N + _idx;"
        reads = more.pop("reads", frozenset()) | {Access(timestep, SCALAR)}
        return {
            "name": f"{name}_{what}",
            "clock": self._around.clock,
            "origin": program.Origin(name),
            "statements": program.Statements(
                vector="\n".join([row, *lines]),
                reads=reads,
                writes=more.pop("writes", frozenset()),
                constants=(program.Constant("N", "int64_t"), program.Constant("first", "int64_t")),
            ),
            **more,
        }

    def _spikes_from(self, name: str, table: Table) -> Pair:
        array = table.array.id
        operation = program.Threshold(
            **self._common(
                name, "from_lava", [f"const char _cond = (char)_ptr{array}[{_PLACE}];"],
                reads=frozenset({Access(array, _PLACE)}),
                count="N", domain=name, events=self._low.events[name],
            )
        )  # fmt: skip
        return operation, (self._fire()[name], self._first)

    def _values_from(self, name: str, target: str, size: int, table: Table) -> Pair:
        array = table.array.id
        operation = program.Elementwise(
            **self._common(
                name, "from_lava", [f"_ptr{target}[_idx] = _ptr{array}[{_PLACE}];"],
                reads=frozenset({Access(array, _PLACE)}),
                writes=frozenset({Access(target, ELEMENT)}),
                count="N", domain=f"{name}_{target}_from_lava",
            )
        )  # fmt: skip
        return operation, (size, self._first)

    # ------------------------------------------------------------ before the loop
    def run(self, clocks: Sequence[Any], begin: Callable[[cpu.Instance], None]) -> list[str]:
        """Run the network in Lava, and fill the tables with what it gave.

        Parameters
        ----------
        clocks : sequence of Clock
            The program's.
        begin : function of an instance
            Puts spikes that are in flight into the queues of a program.

        Returns
        -------
        list of str
            What the report should say.
        """
        from brian2lava.interop.lava_run import run_lava

        network = at_present(
            self._network, self._low, self._first, self._steps, self._goes_on, self._backend
        )
        kept = {table.array.id for table in self._tables()}
        rehearse(self._device, self._rehearsal(), clocks, kept, begin)
        recorded = run_lava(
            network,
            self._steps,
            list(self._kept),
            replay=self._spikes_of_sources(),
            seed=self._around.seed,
            words=self._words(),
            traces=self._around.traces,
            hardware=self._device.options.hardware if self._backend == "chip" else "",
        )
        for name, (steps, who) in recorded.spikes.items():
            if name in self._fired:
                self._fired[name].values[:] = 0
                self._fired[name].values[steps, who] = 1
        for key, rows in recorded.states.items():
            if key[0] not in recorded.on_chip:
                self._kept[key].values[:] = rows
        return [
            *(f"'{name}' is a Lava process of brian2lava's own: {why}"
              for name, why in recorded.ours.items()),
            *(f"'{name}' ran on the chip, which gives its spikes: its states are the emulator's"
              for name in recorded.on_chip),
        ]  # fmt: skip

    def _spikes_of_sources(self) -> dict[str, tuple[Integers, ...]]:
        """(steps, indices) by source, and what graded sources' spikes carry."""
        found = {}
        for source in self._network.sources:
            if source.size:
                when, who = np.nonzero(self._fired[source.name].values)
                carried = self._carried.get(source.name)
                counts = () if carried is None else (carried.values[when, who],)
                found[source.name] = when, who, *counts
        return found

    def _words(self) -> dict[str, Integers]:
        """Random words that the emulator drew, by population."""
        from brian2lava.chip.given_words import word_state

        found = {}
        for population in self._network.populations:
            state = word_state(population, self._network.arithmetic)
            if state and (population.name, state) in self._kept:
                found[population.name] = self._kept[population.name, state].values.copy()
        return found

    def _rehearsal(self) -> Captured:
        """The composed program without monitors, with notes."""
        behind: dict[int, list[Pair]] = {}
        for source in self._network.sources:
            if source.size:
                place = self._last_writer(self._low.events[source.name])
                noted = self._noted_spikes(source.name, source.size)
                behind.setdefault(place, []).append(noted)
        for name in self._carried:
            place = self._last_writer(self._low.payloads[name][0])
            behind.setdefault(place, []).append(self._noted_counts(name))
        for key, (array, size) in self._places().items():
            place = self._last_writer(array)
            behind.setdefault(place, []).append(self._noted_values(*key, array, size))
        noted_in = self._with(behind)
        chosen = [
            k
            for k, operation in enumerate(noted_in.program.operations)
            if not isinstance(operation, _RECORDERS)
        ]
        operations = noted_in.program.operations
        return replace(
            noted_in,
            program=replace(noted_in.program, operations=tuple(operations[k] for k in chosen)),
            constants=tuple(noted_in.constants[k] for k in chosen),
            owners=tuple(noted_in.owners[k] for k in chosen),
        )

    def _noted_spikes(self, name: str, size: int) -> Pair:
        array = self._fired[name].array.id
        operation = program.Reset(
            **self._common(
                name, "noted", [f"_ptr{array}[{_PLACE}] = 1;"],
                writes=frozenset({Access(array, _PLACE)}), events=self._low.events[name],
            )
        )  # fmt: skip
        return operation, (size, self._first)

    def _noted_counts(self, name: str) -> Pair:
        """What a graded source sends in this step, from among the last ``depth`` steps."""
        payloads, depth = self._low.payloads[name]
        table, step = self._carried[name].array.id, self._around.timestep
        turn = f"const int64_t _turn_idx = _ptr{step}[0] % {depth} * N + _idx;"
        operation = program.Elementwise(
            **self._common(
                name, "counts_noted", [turn, f"_ptr{table}[{_PLACE}] = _ptr{payloads}[_turn_idx];"],
                reads=frozenset({Access(payloads, "_turn_idx")}),
                writes=frozenset({Access(table, _PLACE)}),
                count="N", domain=f"{name}_counts_noted",
            )
        )  # fmt: skip
        return operation, (self._fire()[name], self._first)

    def _noted_values(self, name: str, state: str, array: str, size: int) -> Pair:
        table = self._kept[name, state].array.id
        operation = program.Elementwise(
            **self._common(
                name, f"{state}_noted", [f"_ptr{table}[{_PLACE}] = _ptr{array}[_idx];"],
                reads=frozenset({Access(array, ELEMENT)}),
                writes=frozenset({Access(table, _PLACE)}),
                count="N", domain=f"{name}_{state}_noted",
            )
        )  # fmt: skip
        return operation, (size, self._first)
