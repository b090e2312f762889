"""The program's arrays on the card, beside those in the host's memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brian2lava.engine.cuda.card import Card


class Shape(NamedTuple):
    """The kind of an array's elements, how many a row has, and whether rows are added."""

    dtype: str
    row: int
    grows: bool


class CardArrays:
    """Copies of ``count`` arrays; ``table(field, count)`` is a table of the host's context."""

    def __init__(
        self, card: Card, count: int, table: Callable[[str, int], NDArray[np.int64]]
    ) -> None:
        self._card = card
        self._count = count
        self._table = table
        self._shapes: Sequence[Shape] = ()
        self._data = np.zeros(max(1, count), np.int64)
        self._room = np.zeros(max(1, count), np.int64)  # bytes
        self._capacity = np.zeros(max(1, count), np.int64)  # rows
        self._cells = card.allocate(8 * max(1, count))

    def place(self, shapes: Sequence[Shape], names: Sequence[str]) -> None:
        """The arrays have these kinds from now on.

        Raises
        ------
        MemoryError
            The card has no room for them; names the largest.
        """
        self._shapes = shapes
        self.check_room(names)
        self.make_room()

    def _row_bytes(self, k: int) -> int:
        return np.dtype(self._shapes[k].dtype).itemsize * self._shapes[k].row

    def needed(self) -> NDArray[np.int64]:
        """Bytes that each array needs for as many rows as the host's has room for."""
        capacity = self._table("capacity", self._count)
        length = self._table("length", self._count)
        wanted = np.full(max(1, self._count), 8, np.int64)
        for k, shape in enumerate(self._shapes):
            if shape.row or not shape.grows:
                rows = int(capacity[k] if shape.grows else length[k])
                wanted[k] = max(8, self._row_bytes(k) * rows)
        return wanted

    def check_room(self, names: Sequence[str]) -> None:
        """Raise MemoryError where the arrays, called ``names``, don't fit on the card."""
        wanted = self.needed()[: len(names)]
        more = int(np.maximum(wanted - self._room[: len(names)], 0).sum())
        free = self._card.free()
        if more <= free:
            return
        largest = sorted(zip(wanted, names, strict=True), reverse=True)[:3]
        told = ", ".join(f"{name} ({_size(int(size))})" for size, name in largest)
        raise MemoryError(
            f"the graphics card has {_size(free)} free, and the network's arrays need"
            f" {_size(more)}: {told}. Record less, connect fewer synapses, use single precision"
            " (prefs.core.default_float_dtype = float32), or hardware='CPU'."
        )

    def make_room(self) -> None:
        """As much room as the host's arrays have; what is on the card stays there."""
        capacity = self._table("capacity", self._count)
        length = self._table("length", self._count)
        for k, wanted in enumerate(self.needed()[: len(self._shapes)].tolist()):
            shape = self._shapes[k]
            self._capacity[k] = capacity[k] if shape.grows else length[k]
            if wanted <= self._room[k]:
                continue
            made = self._card.allocate(wanted)
            if self._room[k]:
                kept = np.empty(int(self._room[k]), np.uint8)
                self._card.read(int(self._data[k]), kept)
                self._card.write(made, kept)
                self._card.release(int(self._data[k]))
            self._data[k], self._room[k] = made, wanted

    def places(self) -> list[NDArray[np.int64]]:
        """Addresses on the card, those of the numbers of rows, rows that fit, and elements."""
        count = max(1, self._count)
        rows = [self._cells + 8 * k if shape.grows else 0 for k, shape in enumerate(self._shapes)]
        length = self._table("length", self._count)[:count]
        return [self._data, np.array(rows or [0], np.int64), self._capacity, length]

    def host(self, k: int) -> NDArray[Any]:
        """An array in the host's memory, with the rows that it has."""
        shape = self._shapes[k]
        rows = self._rows(k) if shape.grows else int(self._table("length", self._count)[k])
        dtype = np.dtype(shape.dtype)
        size = rows * (shape.row if shape.grows else 1)
        if size == 0:
            return np.empty(0, dtype)
        address = int(self._table("data", self._count)[k])
        buffer = (ctypes.c_uint8 * (size * dtype.itemsize)).from_address(address)
        return np.ctypeslib.as_array(buffer).view(dtype)

    def _cell(self, k: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(int(self._table("rows", self._count)[k]))

    def _rows(self, k: int) -> int:
        return self._cell(k).value

    def write_all(self) -> None:
        """Copy every array to the card."""
        cells = np.zeros(max(1, self._count), np.int64)
        for k, shape in enumerate(self._shapes):
            if shape.grows:
                cells[k] = self._rows(k)
            self._card.write(int(self._data[k]), self.host(k))
        self._card.write(self._cells, cells)

    def read_rows(self, places: Iterable[int]) -> None:
        """How many rows the named arrays have by now."""
        cells = np.empty(max(1, self._count), np.int64)
        self._card.read(self._cells, cells)
        for k in places:
            self._cell(k).value = int(cells[k])

    def read(self, places: Iterable[int]) -> None:
        """Copy the named arrays to the host."""
        for k in places:
            self._card.read(int(self._data[k]), self.host(k))


def _size(nbytes: int) -> str:
    """So many bytes in words."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if nbytes >= least:
            return f"{nbytes / least:.1f} {unit}"
    return f"{max(0, nbytes) / 1e3:.1f} kB"
