"""A step program as text, for people: one line an operation, its statements below."""

from __future__ import annotations

import textwrap
from dataclasses import fields

from brian2lava.program import step_program as program

#: Fields that every operation has and that are shown in a way of their own.
_COMMON = frozenset({"name", "origin", "clock", "statements"})


def as_text(step_program: program.StepProgram) -> str:
    """The whole program: clocks, arrays, and the operations in the order of the step."""
    parts = ["clocks"]
    parts += [f"  {k} {clock.name}" for k, clock in enumerate(step_program.clocks)]
    parts.append("arrays")
    parts += [f"  {_array(array)}" for array in step_program.arrays]
    parts.append("step")
    parts += [
        textwrap.indent(_operation(k, operation), "  ")
        for k, operation in enumerate(step_program.operations)
    ]
    return "\n".join(parts) + "\n"


def _array(array: program.Array) -> str:
    marks = [word for word, set_ in (("scalar", array.scalar), ("dynamic", array.dynamic)) if set_]
    return " ".join([array.ctype, array.id, *marks])


def _operation(k: int, operation: program.Operation) -> str:
    kind = type(operation).__name__
    source = operation.origin.object_name
    head = f"{k} {kind} {operation.name}, clock {operation.clock}, from {source}"
    lines = [head]
    for field in fields(operation):
        value = getattr(operation, field.name)
        if field.name not in _COMMON and value not in (None, "", (), False):
            lines.append(f"  {field.name} = {value}")
    statements = operation.statements
    if statements.constants:
        names = ", ".join(f"{constant.ctype} {constant.name}" for constant in statements.constants)
        lines.append(f"  constants: {names}")
    for title, text in (("once", statements.scalar), ("each", statements.vector)):
        if text.strip():
            lines.append(f"  {title}:")
            lines.append(textwrap.indent(text.strip(), "    "))
    for title, accesses in (("reads", statements.reads), ("writes", statements.writes)):
        if accesses:
            listed = sorted(f"{access.array}[{access.index}]" for access in accesses)
            lines.append(f"  {title}: {', '.join(listed)}")
    return "\n".join(lines)
