"""The rules of a step program, checked between capture and engine. Always on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from brian2lava.errors import ProgramError
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects

#: Fields whose text is the id of an array.
# fmt: off
_ARRAY_FIELDS = frozenset({
    "events", "not_refractory", "lastspike", "time", "delays", "sources", "targets", "dt",
    "target", "index", "neuron_index", "timebins", "period_bins", "lastindex", "timestep",
    "indices", "times", "rates", "rows", "counts",
})
# fmt: on


def check(step_program: program.StepProgram) -> program.StepProgram:
    """The program itself, if it keeps the rules.

    Raises
    ------
    ProgramError
        Names the first operation that breaks one, and the rule.
    """
    known = {array.id for array in step_program.arrays}
    if len(known) != len(step_program.arrays):
        raise ProgramError("two arrays of a step program have the same id")
    for k, operation in enumerate(step_program.operations):
        for fault in _faults(operation, known, len(step_program.clocks)):
            kind = type(operation).__name__
            raise ProgramError(f"operation {k} ({kind}) of {operation.origin}: {fault}")
    return step_program


def _faults(operation: program.Operation, known: set[str], clocks: int) -> Iterator[str]:
    if not 0 <= operation.clock < clocks:
        yield f"there is no clock {operation.clock}"
    what = effects(operation)
    for name in sorted(what.all_reads | what.all_writes):
        if name not in known:
            yield f"the array '{name}' is not in the program"
    for field in fields(operation):
        value = getattr(operation, field.name)
        if field.name in _ARRAY_FIELDS and value and value not in known:
            yield f"{field.name}: the array '{value}' is not in the program"
    names = [constant.name for constant in operation.statements.constants]
    if len(set(names)) != len(names):
        yield "two constants have the same name"
    if isinstance(operation, program.Threshold) and (
        (operation.not_refractory is None) != (operation.lastspike is None)
    ):
        yield "refractoriness needs not_refractory and lastspike together"
    if isinstance(operation, program.Pathway | program.EventRecorder | program.RateRecorder) and (
        operation.first > operation.last
    ):
        yield f"its sources end ({operation.last}) before they begin ({operation.first})"
