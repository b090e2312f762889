"""Statements of an operation while they are made."""

from __future__ import annotations

from dataclasses import dataclass, field

from brian2lava.program import step_program as program
from brian2lava.program.step_program import ELEMENT, SCALAR, Access


@dataclass
class Text:
    """Lines, what they read and write, and their constants with values."""

    scalar: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    scalar_reads: set[Access] = field(default_factory=set)
    reads: set[Access] = field(default_factory=set)
    writes: set[Access] = field(default_factory=set)
    constants: list[program.Constant] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def constant(self, name: str, ctype: str, value: float) -> None:
        """A number that is the same in every step and for every element."""
        self.constants.append(program.Constant(name, ctype))
        self.values.append(value)

    def read(self, array_id: str) -> str:
        """An array whose own element is read; the text of that element."""
        self.reads.add(Access(array_id, ELEMENT))
        return f"_ptr{array_id}[_idx]"

    def own(self, array_id: str) -> str:
        """An array whose own element is read and written; the text of that element."""
        self.writes.add(Access(array_id, ELEMENT))
        return self.read(array_id)

    def once(self, array_id: str) -> str:
        """An array of one element that is read before the elements; the text of its value."""
        self.scalar_reads.add(Access(array_id, SCALAR))
        return f"_ptr{array_id}[0]"

    def statements(
        self, support: str = "", functions: frozenset[str] = frozenset()
    ) -> program.Statements:
        """The statements, done."""
        return program.Statements(
            scalar="\n".join(self.scalar),
            vector="\n".join(self.lines),
            scalar_reads=frozenset(self.scalar_reads),
            reads=frozenset(self.reads),
            writes=frozenset(self.writes),
            functions=functions,
            support=support,
            constants=tuple(self.constants),
        )
