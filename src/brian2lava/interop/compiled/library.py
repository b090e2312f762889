"""The compiled operations: found by name, with their fields checked, called a table at a time.

The folder ``operations`` is compiled once and serves every graph: a graph is a table of operations,
each a function and the address of its fields, which one compiled loop walks step by step.
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler
from brian2lava.errors import CompileError, ProgramError

_FOLDER = Path(__file__).with_name("operations")
_FILES = (
    "arithmetic.hpp", "ports.hpp", "connections.hpp", "lif.hpp", "graded.hpp", "learning.hpp",
    "rules.hpp", "clp.hpp", "state_space.hpp", "exports.cpp",
)  # fmt: skip
#: Strict floating point: what NumPy rounds twice is rounded twice here too.
_FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
_TYPES = {
    "bool": np.bool_,
    "int16_t": np.int16,
    "int32_t": np.int32,
    "int64_t": np.int64,
    "float": np.float32,
    "double": np.float64,
}
_STRUCT = re.compile(
    r"^(?:template <(?P<parameters>[^>]*)> )?struct (?P<name>\w+) \{(?P<body>.*?)"
    r"\n(?:  void run|  template|  int64_t scaled|  static|\};)",
    re.S | re.M,
)
_FIELD = re.compile(r"^  (?:const )?(?P<type>\w+)(?P<pointer>\*?) (?P<name>\w+);", re.M)
_EXPORT = re.compile(r"^EXPORT\((?P<name>\w+), (?P<struct>\w+)(?:<(?P<arguments>[^>]*)>)?\)", re.M)

#: A field: its type in NumPy, and whether it is an address.
_Field = tuple[Any, bool]


@functools.cache
def _source() -> str:
    return "".join((_FOLDER / name).read_text(encoding="utf-8") for name in _FILES)


@functools.cache
def _fields() -> Mapping[str, Mapping[str, _Field]]:
    """By operation: its fields in order."""
    text = _source()
    structs = {found["name"]: found for found in _STRUCT.finditer(text)}
    return {
        found["name"]: _fields_of(structs[found["struct"]], found["arguments"])
        for found in _EXPORT.finditer(text)
    }


def _fields_of(struct: re.Match[str], arguments: str | None) -> Mapping[str, _Field]:
    names = [part.split()[-1] for part in (struct["parameters"] or "").split(",") if part]
    meant = dict(zip(names, [part.strip() for part in (arguments or "").split(",")]))
    return {
        field["name"]: (
            _TYPES[meant.get(str(field["type"]), str(field["type"]))],
            bool(field["pointer"]),
        )
        for field in _FIELD.finditer(struct["body"])
    }


@functools.cache
def _library() -> Any:
    compiler = find_compiler()
    if compiler is None:
        raise CompileError(
            "CompiledCfg needs a C++ compiler, and none was found: install g++ or clang++, or set"
            " $CXX. Without one, Lava's own runtime runs the graph: Loihi2SimCfg."
        )
    library = ctypes.CDLL(str(build(_source(), Toolchain(compiler, _FLAGS)).path))
    library.b2l_advance.restype = None
    library.b2l_advance.argtypes = [ctypes.c_void_p, *(3 * [ctypes.c_int64])]
    return library


class Operation:
    """One compiled operation with its fields.

    Parameters
    ----------
    name : str
        Its name in ``operations/exports.cpp``.
    **given
        Its fields: integers, and arrays (or None) of the type that the text says.

    Raises
    ------
    ProgramError
        A field is missing or has another type: an error in brian2lava.
    """

    def __init__(self, name: str, **given: Any) -> None:
        self.name = name
        try:
            self._expected = _fields()[name]
        except KeyError:
            raise ProgramError(f"there is no operation {name}") from None
        if given.keys() != self._expected.keys():
            raise ProgramError(f"{name} has fields {list(self._expected)}, given {list(given)}")
        self._words = np.zeros(max(1, len(given)), np.int64)
        self._held: dict[str, Any] = {}
        for field, value in given.items():
            self.set(field, value)

    def set(self, field: str, value: Any) -> None:
        """Give a field another value."""
        dtype, address = self._expected[field]
        if not address:
            number = int(value)
        elif value is None:
            number = 0
        else:
            if value.dtype != dtype or not value.flags.c_contiguous:
                raise ProgramError(f"{self.name}.{field} is {np.dtype(dtype)}, given {value.dtype}")
            number = value.ctypes.data
        self._held[field] = value
        self._words[list(self._expected).index(field)] = number

    @property
    def address(self) -> tuple[int, int]:
        """Of the function and of its fields."""
        function = ctypes.cast(getattr(_library(), self.name), ctypes.c_void_p).value
        assert function is not None
        return function, self._words.ctypes.data


def has(name: str) -> bool:
    """Whether there is an operation of this name."""
    return name in _fields()


class Table:
    """Operations in order, as the compiled loop takes them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._operations = tuple(operations)
        self._rows = np.array([each.address for each in operations], np.int64).reshape(-1, 2)

    def advance(self, step: int, steps: int = 1) -> None:
        """Steps ``step`` (counted from 1) to ``step + steps - 1``, all operations in each."""
        if self._operations:
            _library().b2l_advance(self._rows.ctypes.data, len(self._operations), step, steps)
