"""A program and the values of one moment, so that it can run from there once more, noting things.

Arrays that the program writes are copied when it is held; large ones that it only reads are
referred to, with a checksum that tells when they have been changed since.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.capture.network import Captured
from brian2lava.device.compiler import compile_program
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import render
from brian2lava.engine.host import choose_host
from brian2lava.engine.memory import GrowingArray, arena
from brian2lava.errors import NotSupported
from brian2lava.program import step_program as program
from brian2lava.program.check import check
from brian2lava.program.effects import effects
from brian2lava.program.step_program import SCALAR, Access

RECORDERS = program.StateRecorder | program.EventRecorder | program.RateRecorder
_SLICE_SECONDS = 0.2
#: Arrays up to this size (bytes) are copied whether they are written or not.
_SMALL = 1 << 16
#: Index name of a row of what is carried.
_SENT = "_sent_idx"

Pair = tuple[program.Operation, tuple[float, ...]]


@dataclass(frozen=True)
class Held:
    """An array: a copy, or a reference with its checksum."""

    values: Any
    growing: bool
    checksum: int | None = None


@dataclass(frozen=True)
class Events:
    """Spikes to be noted: ``events`` of ``size`` senders.

    ``payloads`` is the array of what they carry and how many steps it has, or None.
    """

    events: str
    size: int
    payloads: tuple[str, int] | None = None


@dataclass(frozen=True)
class States:
    """Values of ``array`` to be noted in every step, before operation ``place``."""

    array: str
    size: int
    place: int


@dataclass(frozen=True)
class Noted:
    """What a run has noted.

    Attributes
    ----------
    spikes : dict of name to (steps, indices)
        Steps are counted from the run's first.
    payloads : dict of name to array of shape (spikes,)
    states : dict of key to array of shape (steps, size)
    arrays : dict of array id to array
        Those that were asked for, at the end.
    """

    spikes: Mapping[str, tuple[Any, Any]]
    payloads: Mapping[str, Any]
    states: Mapping[Any, Any]
    arrays: Mapping[str, Any]


@dataclass(frozen=True)
class HeldProgram:
    """A program without its monitors, with the values and random streams of one moment."""

    program: program.StepProgram
    constants: tuple[tuple[float, ...], ...]
    owners: tuple[str, ...]
    arrays: Mapping[str, Held]
    compiler_kwds: dict[str, list[str]]
    fuse: bool
    key: int
    counts: tuple[int, ...]

    def run(
        self,
        clock: int,
        steps: int,
        events: Mapping[str, Events],
        states: Mapping[Any, States] | None = None,
        more: Mapping[str, Any] | None = None,
        final: Sequence[str] = (),
    ) -> Noted:
        """Run ``steps`` steps of ``clock`` on copies of the arrays.

        Parameters
        ----------
        clock : int
            The clock whose operations run; others stand still.
        steps : int
        events, states : dict
            What to note.
        more : dict of array id to values, optional
            Arrays of the program that were not held.
        final : sequence of array ids
            Whose values at the end are wanted.
        """
        noting = _Noting(self, clock, events, states or {})
        made = noting.assembled()
        check(made)
        source = render(made, fuse=self.fuse)
        built = compile_program(source, made, self.compiler_kwds)
        storage = {name: placed(values) for name, values in (more or {}).items()}
        storage |= noting.storage
        for name in source.arrays:
            if name not in storage:
                storage[name] = self._copy(name)
        instance = cpu.Instance(
            source, built.path, storage, noting.constants, clocks=len(made.clocks),
            operations=len(made.operations), threads=1, host=choose_host("inline")[0],
        )  # fmt: skip
        try:
            for k, each in enumerate(made.clocks):
                now = int(np.ravel(self.arrays[each.timestep].values)[0])
                instance.i_end[k] = now + (steps if k == clock else 0)
            self._lend(instance)
            instance.begin()
            while (reason := instance.advance(1 << 62, _SLICE_SECONDS)) != cpu.DONE:
                if reason == cpu.FULL:
                    noting.make_room(instance, steps)
        finally:
            instance.unload()
        first = int(np.ravel(self.arrays[made.clocks[clock].timestep].values)[0])
        return noting.noted(storage, first, final)

    def _lend(self, instance: cpu.Instance) -> None:
        instance.set_seed(self.key)
        count = min(len(self.counts), len(instance.source.random))
        instance.executions[:count] = self.counts[:count]

    def _copy(self, name: str) -> Any:
        held = self.arrays[name]
        if held.checksum is not None and held.checksum != _checksum(held.values):
            raise NotSupported(
                f"{name.removeprefix('_array_')!r} has been changed since the last run, so the run"
                " can't be made again. Run the network, and verify before anything is changed."
            )
        if not held.growing:
            return placed(held.values)
        copy = GrowingArray(held.values.shape, held.values.dtype)
        copy.data[...] = held.values
        return copy


def hold(device: Any, captured: Captured) -> HeldProgram:
    """``captured`` without its monitors, with the values of now.

    Parameters
    ----------
    device
        The device "lava".
    captured : Captured
    """
    operations = captured.program.operations
    kept = [k for k, operation in enumerate(operations) if not isinstance(operation, RECORDERS)]
    written = {array for k in kept for array in effects(operations[k]).all_writes}
    written |= {name for c in captured.program.clocks for name in (c.timestep, c.t)}
    used = written | {array for k in kept for array in effects(operations[k]).all_reads}
    recorded = {
        array
        for operation in operations
        if isinstance(operation, RECORDERS)
        for array in effects(operation).all_writes
    }
    arrays = {}
    for array in captured.program.arrays:
        if array.id in recorded - used:
            continue
        if array.id in captured.variables:
            values = device.arrays[captured.variables[array.id]]
        else:
            values = captured.placed.get(array.id, captured.tables.get(array.id))
        if values is not None:
            arrays[array.id] = _held(values, array.id in written)
    return HeldProgram(
        program=_chosen(captured.program, kept),
        constants=tuple(captured.constants[k] for k in kept),
        owners=tuple(captured.owners[k] for k in kept),
        arrays=arrays,
        compiler_kwds=captured.compiler_kwds,
        fuse=device.options.fuse,
        key=device.random.key,
        counts=tuple(device.random.counts),
    )


def _chosen(made: program.StepProgram, kept: Sequence[int]) -> program.StepProgram:
    return program.StepProgram(
        made.clocks, made.arrays, tuple(made.operations[k] for k in kept), made.headers
    )


def _held(values: Any, written: bool) -> Held:
    growing = isinstance(values, GrowingArray)
    data = values.data if growing else np.asarray(values)
    if written or data.nbytes <= _SMALL:
        return Held(np.array(data), growing)
    return Held(data, growing, _checksum(data))


def _checksum(values: Any) -> int:
    return zlib.adler32(np.ascontiguousarray(values).data)


def placed(values: Any) -> Any:
    """A flat copy in the arena."""
    values = np.ascontiguousarray(values)
    place = arena().allocate(max(8, values.nbytes)).array(values.dtype, values.size)
    place[:] = values.ravel()
    return place


class _Noting:
    """The program with operations that note spikes and states."""

    def __init__(
        self,
        held: HeldProgram,
        clock: int,
        events: Mapping[str, Events],
        states: Mapping[Any, States],
    ) -> None:
        self._held, self._clock = held, clock
        self._timestep = held.program.clocks[clock].timestep
        self._events, self._states = dict(events), dict(states)
        self._arrays: list[program.Array] = []
        self.storage: dict[str, Any] = {}
        self._columns: dict[str, dict[str, str]] = {}
        self._traces: dict[Any, str] = {}
        self.constants: list[tuple[float, ...]] = []
        self._made: program.StepProgram | None = None

    def assembled(self) -> program.StepProgram:
        behind = [self._event_recorder(name, each) for name, each in self._events.items()]
        before: dict[int, list[program.Operation]] = {}
        for key, each in self._states.items():
            before.setdefault(each.place, []).append(self._state_recorder(key, each))
        operations: list[program.Operation] = []
        for k, operation in enumerate((*self._held.program.operations, None)):
            for recorder in before.get(k, ()):
                operations.append(recorder)
                self.constants.append(())
            if operation is not None:
                operations.append(operation)
                self.constants.append(self._held.constants[k])
        operations += behind
        self.constants += [()] * len(behind)
        base = self._held.program
        self._made = program.StepProgram(
            base.clocks, (*base.arrays, *self._arrays), tuple(operations), base.headers
        )
        return self._made

    def _array(self, what: str, values: Any, scalar: bool = False, dynamic: bool = False) -> str:
        name = f"_array_noted_{len(self._arrays)}_{what}"
        kind = np.dtype(values.dtype).name
        ctype = {"float64": "double", "float32": "float"}.get(kind, f"{kind}_t")
        self._arrays.append(program.Array(name, ctype, scalar, dynamic))
        self.storage[name] = values if dynamic else placed(values)
        return name

    def _growing(self, what: str, shape: Any, kind: Any) -> str:
        return self._array(what, GrowingArray(shape, kind), dynamic=True)

    def _event_recorder(self, name: str, each: Events) -> program.EventRecorder:
        columns = {
            "i": self._growing("i", 0, np.int32), "n": self._growing("n", 0, np.int64),
        }  # fmt: skip
        vector = (
            "const int32_t _to_record_i = (int32_t)_idx;\n"
            f"const int64_t _to_record_n = _ptr{self._timestep}[0];"
        )
        reads = {Access(self._timestep, SCALAR)}
        if each.payloads is not None:
            sent, depth = each.payloads
            columns["k"] = self._growing("k", 0, np.int64)
            reads.add(Access(sent, _SENT))
            vector += (
                f"\nconst int64_t {_SENT} = _to_record_n % {depth} * {each.size} + _idx;"
                f"\nconst int64_t _to_record_k = _ptr{sent}[{_SENT}];"
            )
        self._columns[name] = columns
        return program.EventRecorder(
            name=f"{name}_spikes_noted",
            origin=program.Origin(name),
            clock=self._clock,
            statements=program.Statements(vector=vector, reads=frozenset(reads)),
            events=each.events,
            first=0,
            last=each.size,
            recorded=tuple(columns.items()),
            rows=self._array("rows", np.zeros(1, np.int32), True),
            counts=self._array("counts", np.zeros(max(1, each.size), np.int32)),
        )

    def _state_recorder(self, key: Any, each: States) -> program.StateRecorder:
        kind = self._held.arrays[each.array].values.dtype
        self._traces[key] = trace = self._growing("x", (0, each.size), kind)
        return program.StateRecorder(
            name=f"{'_'.join(key)}_noted",
            origin=program.Origin(key[0]),
            clock=self._clock,
            statements=program.Statements(
                vector=f"const auto _to_record_x = _ptr{each.array}[_idx];",
                reads=frozenset({Access(each.array, program.ELEMENT)}),
            ),
            indices=self._array("who", np.arange(each.size, dtype=np.int64)),
            time=self._timestep,
            times=self._growing("times", 0, np.int64),
            recorded=(("x", trace),),
            rows=self._array("rows", np.zeros(1, np.int32), True),
        )

    def make_room(self, instance: cpu.Instance, steps: int) -> None:
        assert self._made is not None
        operation = self._made.operations[instance["call"]]
        if isinstance(operation, program.StateRecorder):
            instance.make_room([operation.times, *(a for _, a in operation.recorded)], steps)
        elif isinstance(operation, program.EventRecorder):
            arrays = [array for _, array in operation.recorded]
            instance.make_room(arrays, max(1 << 16, operation.last - operation.first))

    def noted(self, storage: Mapping[str, Any], first: int, final: Sequence[str]) -> Noted:
        """What stands in the columns; steps from ``first`` on."""
        found = {
            name: {column: storage[array].data.copy() for column, array in columns.items()}
            for name, columns in self._columns.items()
        }
        return Noted(
            {name: (each["n"] - first, each["i"].astype(np.int64)) for name, each in found.items()},
            {name: each["k"] for name, each in found.items() if "k" in each},
            {key: storage[trace].data.copy() for key, trace in self._traces.items()},
            {name: np.array(getattr(storage[name], "data", storage[name])) for name in final},
        )
