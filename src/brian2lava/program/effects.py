"""What operations read and write: the proofs that fusion and threads rest on."""

from __future__ import annotations

from dataclasses import dataclass

from brian2lava.program import step_program as program


@dataclass(frozen=True)
class Effects:
    """Array ids. ``own_*`` are touched only at the element at hand, the others anywhere.

    ``late_writes`` happen once all elements are through.
    """

    own_reads: frozenset[str]
    own_writes: frozenset[str]
    reads: frozenset[str]
    writes: frozenset[str]
    late_writes: frozenset[str] = frozenset()
    barrier: bool = False

    @property
    def all_reads(self) -> frozenset[str]:
        """Everything that is read."""
        return self.own_reads | self.reads

    @property
    def all_writes(self) -> frozenset[str]:
        """Everything that is written."""
        return self.own_writes | self.writes | self.late_writes


def effects(operation: program.Operation) -> Effects:
    """The effects of one operation."""
    if isinstance(operation, program.PythonCall):
        empty: frozenset[str] = frozenset()
        return Effects(empty, empty, empty, empty, barrier=True)
    statements = operation.statements
    own = isinstance(operation, program.Elementwise | program.Threshold)
    own_reads = {a.array for a in statements.reads if own and a.index == program.ELEMENT}
    own_writes = {a.array for a in statements.writes if own and a.index == program.ELEMENT}
    reads = {a.array for a in statements.reads | statements.scalar_reads} - own_reads
    reads |= {a.array for a in statements.scalar_reads}
    reads |= {a.array for a in statements.reads if not own or a.index != program.ELEMENT}
    writes = {a.array for a in statements.writes if not own or a.index != program.ELEMENT}
    writes |= {a.array for a in statements.scalar_writes}
    more_reads, more_writes = _frame(operation)
    late = isinstance(operation, program.Threshold)
    return Effects(
        frozenset(own_reads),
        frozenset(own_writes),
        frozenset(reads | more_reads),
        frozenset(writes if late else writes | more_writes),
        frozenset(more_writes) if late else frozenset(),
    )


def _frame(operation: program.Operation) -> tuple[set[str], set[str]]:
    """What the frame around the statements reads and writes."""
    if isinstance(operation, program.Threshold):
        written = {operation.events, operation.not_refractory, operation.lastspike}
        return {operation.time or ""} - {""}, {name for name in written if name}
    if isinstance(operation, program.Reset):
        return {operation.events}, set()
    if isinstance(operation, program.Pathway):
        return {operation.events, operation.delays, operation.sources, operation.targets}, set()
    if isinstance(operation, program.SummedVariable):
        return {operation.index}, {operation.target}
    if isinstance(operation, program.SpikeSource):
        reads = {operation.neuron_index, operation.timebins, operation.timestep}
        return reads, {operation.events, operation.lastindex}
    if isinstance(operation, program.StateRecorder):
        columns = {array for _, array in operation.recorded}
        return {operation.indices, operation.time}, columns | {operation.times, operation.rows}
    if isinstance(operation, program.EventRecorder):
        columns = {array for _, array in operation.recorded}
        return {operation.events}, columns | {operation.rows, operation.counts}
    if isinstance(operation, program.RateRecorder):
        times = {operation.time, operation.dt or operation.time}
        return {operation.events, *times}, {operation.times, operation.rates, operation.rows}
    if isinstance(operation, program.CableEquation):
        arrays = {array for _, array in operation.names}
        return arrays, arrays
    return set(), set()


def commute(first: Effects, second: Effects) -> bool:
    """Whether two operations may change places."""
    if first.barrier or second.barrier:
        return False
    return not (
        first.all_writes & (second.all_reads | second.all_writes)
        or second.all_writes & first.all_reads
    )


def element_by_element(first: Effects, second: Effects) -> bool:
    """Whether ``second`` may follow ``first`` element by element, over the same elements."""
    if first.barrier or second.barrier:
        return False
    return not (
        (first.writes | first.late_writes) & (second.all_reads | second.all_writes)
        or second.writes & (first.all_reads | first.all_writes)
        or first.own_writes & second.reads
        or second.own_writes & first.reads
    )


def elementwise_statements(statements: program.Statements) -> bool:
    """Whether each element writes only its own, and reads nothing of others that is written."""
    return writes_only(statements, {program.ELEMENT})


def writes_only(statements: program.Statements, own: set[str]) -> bool:
    """Whether only ``own`` indices are written, and what is written is read through them alone."""
    written = {access.array: access.index for access in statements.writes}
    reads = statements.reads | statements.scalar_reads
    return all(access.index in own for access in statements.writes) and all(
        written.get(access.array, access.index) == access.index for access in reads
    )


def elementwise(operation: program.Operation) -> bool:
    """Whether an operation's elements are independent of each other."""
    statements = operation.statements
    return elementwise_statements(statements) and not statements.scalar_writes
