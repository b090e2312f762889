"""Which operations run in one pass over their elements.

A proof over what operations read and write, never over their kinds: an operation joins an earlier
pass over the same elements if it may change places with everything between, and may follow the
pass's members element by element.
"""

from __future__ import annotations

from dataclasses import dataclass

from brian2lava.program import step_program as program
from brian2lava.program.effects import (
    Effects,
    commute,
    effects,
    element_by_element,
    elementwise,
)


@dataclass(frozen=True)
class Group:
    """Operations (by index) that run together, in this order."""

    members: tuple[int, ...]


def group_operations(step_program: program.StepProgram, fuse: bool = True) -> list[Group]:
    """The groups of a step, in order."""
    operations = step_program.operations
    what = [effects(operation) for operation in operations]
    groups: list[list[int]] = []
    for k, operation in enumerate(operations):
        joined = _join(k, operation, groups, operations, what) if fuse else None
        if joined is None:
            groups.append([k])
        else:
            joined.append(k)
    return [Group(tuple(group)) for group in groups]


def _join(
    k: int,
    operation: program.Operation,
    groups: list[list[int]],
    operations: tuple[program.Operation, ...],
    what: list[Effects],
) -> list[int] | None:
    if not _fusable(operation):
        return None
    for group in reversed(groups):
        first = operations[group[0]]
        if (
            _fusable(first)
            and _domain(first) == _domain(operation)
            and all(element_by_element(what[member], what[k]) for member in group)
        ):
            return group
        if not all(commute(what[member], what[k]) for member in group):
            return None
    return None


def _fusable(operation: program.Operation) -> bool:
    return isinstance(operation, program.Elementwise | program.Threshold) and elementwise(operation)


def _domain(operation: program.Operation) -> tuple[int, str]:
    assert isinstance(operation, program.Elementwise | program.Threshold)
    return operation.clock, operation.domain
