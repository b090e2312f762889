"""What rendering makes, and the places in the context's tables that it gives out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from brian2lava.program import step_program as program

#: Names in statements that contain names of objects; they get canonical ones, so that a second
#: network of the same shape is the same source.
OBJECT_NAMES = re.compile(
    r"\b(?:_ptr_array_\w+|_ptr_table_\w+|_timedarray\w*|_binomial\w*|_namespace\w+)\b"
)


#: Elements that a fused pass takes through all its operations before the next ones.
BLOCK = 1024


@dataclass(frozen=True)
class Source:
    """A rendered program. ``arrays`` and ``constants`` are the order of the context's tables."""

    text: str
    arrays: tuple[str, ...]
    reals: tuple[tuple[int, int], ...]
    integers: tuple[tuple[int, int], ...]
    random: tuple[int, ...]


@dataclass
class Tables:
    """Positions in the context's tables, given out while rendering."""

    program: program.StepProgram
    arrays: dict[str, int] = field(default_factory=dict)
    reals: dict[tuple[int, int], int] = field(default_factory=dict)
    integers: dict[tuple[int, int], int] = field(default_factory=dict)
    random: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ctypes = {array.id: array.ctype for array in self.program.arrays}
        self._dynamic = {array.id for array in self.program.arrays if array.dynamic}

    def data(self, array_id: str) -> int:
        return self.arrays.setdefault(array_id, len(self.arrays))

    def ctype(self, array_id: str) -> str:
        return self._ctypes[array_id]

    def length(self, array_id: str) -> str:
        """The number of elements of an array, as an expression."""
        k = self.data(array_id)
        return f"b2l_c.rows[{k}][0]" if array_id in self._dynamic else f"b2l_c.length[{k}]"

    def address(self, array_id: str) -> str:
        return f"(({self.ctype(array_id)} *)b2l_c.data[{self.data(array_id)}])"


def canonical(text: str) -> str:
    names: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        return names.setdefault(match.group(0), f"b2l_name_{len(names)}")

    return OBJECT_NAMES.sub(rename, text)
