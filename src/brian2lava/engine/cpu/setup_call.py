"""One execution of compiled set-up code, in this process."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.engine.cpu.setup_render import SetupSource
from brian2lava.engine.memory import GrowingArray

#: Why the code came back; the order of ``SetupResult`` in setup.hpp.
(
    MADE,
    NO_ROOM,
    OUT_OF_RANGE,
    SAMPLE_NEGATIVE,
    SAMPLE_TOO_BIG,
    NO_STEP,
    NEGATIVE_NUMBER,
    NO_MEMORY,
) = range(8)

#: The fields of ``Setup`` in setup.hpp, in order; each takes eight bytes.
_FIELDS = (
    *("data", "reals", "integers", "seed", "execution", "count", "offset"),
    *("results", "results_offset", "values", "mask", "pre", "post"),
    *("capacity", "row", "used", "needed", "least", "most"),
)
_PLACE = {name: k for k, name in enumerate(_FIELDS)}


class SetupCall:
    """The arguments of one execution.

    ``storage`` maps array ids to NumPy arrays or :class:`GrowingArray`, ``constants`` names to
    numbers.
    """

    def __init__(
        self,
        source: SetupSource,
        library: Path,
        storage: Mapping[str, Any],
        constants: Mapping[str, Any],
    ) -> None:
        self._library = _load(str(library))
        self._fields = np.zeros(len(_FIELDS), dtype=np.int64)
        self._storage = [storage[name] for name in source.arrays]
        self._tables = {
            "data": np.array([_address(array) for array in self._storage] or [0], dtype=np.int64),
            "reals": np.array([float(constants[n]) for n in source.reals] or [0.0]),
            "integers": np.array([int(constants[n]) for n in source.integers] or [0], np.int64),
        }
        for field, table in self._tables.items():
            self[field] = _address(table)

    def __getitem__(self, field: str) -> int:
        return int(self._fields[_PLACE[field]])

    def __setitem__(self, field: str, value: int) -> None:
        self._fields[_PLACE[field]] = value

    def point(self, field: str, array: Any) -> None:
        """Let a field hold the address of an array, which must outlive the call."""
        self[field] = _address(array)

    def draw(self, seed: int, execution: int) -> None:
        """Set where the random numbers come from: a key of 64 bits, and how often it was used."""
        self._fields.view(np.uint64)[_PLACE["seed"]] = seed & 0xFFFFFFFFFFFFFFFF
        self["execution"] = execution

    def run(self) -> int:
        """Execute; returns why it ended."""
        return self.call("b2l_setup", _address(self._fields))

    def call(self, function: str, *arguments: int) -> int:
        """Call another function of the library with integers."""
        compiled = getattr(self._library, function)
        compiled.restype = ctypes.c_int64
        return int(compiled(*(ctypes.c_int64(argument) for argument in arguments)))


def _address(array: Any) -> int:
    if isinstance(array, GrowingArray):
        return array.address
    return int(array.__array_interface__["data"][0])


@functools.lru_cache(maxsize=256)
def _load(path: str) -> ctypes.CDLL:
    return ctypes.CDLL(path)
