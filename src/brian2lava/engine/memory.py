"""One arena of shared memory for every array that a user can see.

The arena is a single anonymous shared mapping, reserved once and filled by offset. A process that
is forked after the reservation reads and writes the same pages at the same addresses, also in
blocks that are placed later: so engines in a Lava process need neither copies nor names, only
addresses. Pages cost memory when they are touched, not when they are reserved.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from brian2lava.errors import OutOfArena

#: Reservations that are tried in turn; small ones serve under ``ulimit -v`` or strict overcommit.
_RESERVATIONS = (1 << 42, 1 << 40, 1 << 36, 1 << 33, 1 << 31, 1 << 29)
_MAP_NORESERVE = 0x4000  # Linux: pages count when they are touched
_MAP_FIXED = 0x10
_MADV_REMOVE = 9  # Linux: give the pages of a shared mapping back
_PAGE = mmap.PAGESIZE
_ALIGNMENT = 64
#: Blocks up to this size keep their pages when they are freed.
_KEEP_PAGES = 1 << 16
#: A growing array gets this much more room at once, so that it moves at most a few times.
_GROWTH = 64


def _size_class(nbytes: int) -> int:
    """Room for ``nbytes``: multiples of a cache line, then of a page, then powers of two."""
    if nbytes <= 4096:
        return max(_ALIGNMENT, -(-nbytes // _ALIGNMENT) * _ALIGNMENT)
    if nbytes <= 1 << 20:
        return 1 << (nbytes - 1).bit_length()
    return -(-nbytes // (1 << 20)) * (1 << 20)


class Block:
    """A piece of the arena. It goes back when neither it nor an array over it is alive."""

    __slots__ = ("__weakref__", "address", "nbytes")

    def __init__(self, address: int, nbytes: int) -> None:
        self.address = address
        self.nbytes = nbytes

    def array(self, dtype: DTypeLike, shape: int | tuple[int, ...]) -> NDArray[Any]:
        """A view of the block's beginning; the view keeps the block alive."""
        dtype = np.dtype(dtype)
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if needed > self.nbytes:
            raise ValueError(f"{needed} bytes do not fit a block of {self.nbytes} bytes")
        if needed == 0:
            return np.empty(shape, dtype=dtype)
        return np.asarray(_View(self, dtype, shape))


class _View:
    """What NumPy holds on to as the base of an array over a block."""

    __slots__ = ("__array_interface__", "block")

    def __init__(self, block: Block, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        self.block = block
        self.__array_interface__ = {
            "version": 3,
            "data": (block.address, False),
            "shape": shape,
            "typestr": dtype.str,
        }


class Arena:
    """Reserved address space with a free list for each size class."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._map, self.size = _reserve()
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._top = 0
        self._free: dict[int, list[int]] = defaultdict(list)
        self._lock = threading.RLock()

    def allocate(self, nbytes: int) -> Block:
        """A zeroed block of at least ``nbytes`` bytes, aligned to a cache line."""
        room = _size_class(max(int(nbytes), 1))
        with self._lock:
            free = self._free[room]
            if free:
                address = free.pop()
                if room <= _KEEP_PAGES:  # larger ones gave their pages back and read as zero
                    ctypes.memset(address, 0, room)
            else:
                address = self._take(room)
        block = Block(address, room)
        weakref.finalize(block, self._give_back, address, room).atexit = False
        return block

    def _take(self, room: int) -> int:
        top = -(-self._top // _PAGE) * _PAGE if room >= _PAGE else self._top
        if top + room > self.size:
            raise OutOfArena(
                f"the arena of {self.size} bytes is full: {self._top} bytes are in use and "
                f"{room} more are needed. Raise the limit on virtual memory (ulimit -v) or "
                "record less."
            )
        self._top = top + room
        return self._base + top

    def _give_back(self, address: int, room: int) -> None:
        if os.getpid() != self.pid:
            return
        with self._lock:
            if room > _KEEP_PAGES:
                _remove_pages(address, room)
            self._free[room].append(address)

    def make_private(self) -> None:
        """Replace the pages that are shared with the parent process by copies, in place."""
        self.pid = os.getpid()
        self._lock = threading.RLock()
        pieces = [
            (address, ctypes.string_at(address, nbytes))
            for address, nbytes in _touched(self._base, self._top)
        ]
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_void_p
        libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | _MAP_FIXED
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        if libc.mmap(self._base, self.size, protection, flags, -1, 0) != self._base:
            os.abort()  # going on would write into the parent's arrays
        for address, content in pieces:
            ctypes.memmove(address, content, len(content))

    def owns(self, address: int) -> bool:
        """Whether ``address`` lies in the arena."""
        return self._base <= address < self._base + self.size


def _reserve() -> tuple[mmap.mmap, int]:
    for size in _RESERVATIONS:
        try:
            flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
            return mmap.mmap(-1, size, flags=flags), size
        except (OSError, ValueError, OverflowError):
            continue
    raise OutOfArena(
        f"not even {_RESERVATIONS[-1]} bytes of address space could be reserved; "
        "raise the limit on virtual memory (ulimit -v)."
    )


def _touched(base: int, nbytes: int) -> Iterator[tuple[int, int]]:
    """The stretches of ``[base, base + nbytes)`` that hold pages (address, bytes)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    step = 4096 * _PAGE
    for start in range(base, base + nbytes, step):
        pages = min(4096, -(-(base + nbytes - start) // _PAGE))
        seen = ctypes.create_string_buffer(pages)
        if libc.mincore(start, pages * _PAGE, seen) != 0:
            yield start, pages * _PAGE
            continue
        present = np.frombuffer(seen.raw[:pages], dtype=np.uint8) & 1
        edges = np.flatnonzero(np.diff(np.concatenate([[0], present, [0]])))
        for first, last in edges.reshape(-1, 2):
            yield start + int(first) * _PAGE, int(last - first) * _PAGE


def _remove_pages(address: int, nbytes: int) -> None:
    """Give pages back to the system; they read as zero afterwards."""
    first = -(-address // _PAGE) * _PAGE
    last = (address + nbytes) // _PAGE * _PAGE
    if last <= first:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if libc.madvise(first, last - first, _MADV_REMOVE) != 0:
        ctypes.memset(first, 0, last - first)


class GrowingArray:
    """A dynamic array in the arena, with the interface of Brian2's ``DynamicArray``.

    One or two dimensions; rows are added at the end. The number of rows is a cell in the arena
    too: engines write rows behind the end and raise the number, and everybody sees them. The data
    stay contiguous and grow in place while there is room.
    """

    def __init__(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        rows, *rest = _as_shape(shape)
        self._row_shape = tuple(rest)
        self._rows = arena().allocate(8)
        self.rows_cell = self._rows.array(np.int64, 1)
        self.rows_cell[0] = rows
        self._block = arena().allocate(max(rows * self.row_bytes, 1))

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and what a row holds."""
        return (int(self.rows_cell[0]), *self._row_shape)

    @property
    def data(self) -> NDArray[Any]:
        """The rows that exist now."""
        return self._block.array(self.dtype, self.shape)

    @property
    def row_bytes(self) -> int:
        """Bytes a row takes."""
        return int(np.prod(self._row_shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def address(self) -> int:
        """Address of the first element."""
        return self._block.address

    @property
    def rows_address(self) -> int:
        """Address of the number of rows (int64)."""
        return self._rows.address

    @property
    def capacity(self) -> int:
        """Rows that fit without moving."""
        return self._block.nbytes // self.row_bytes if self.row_bytes else 1 << 62

    def reserve(self, rows: int) -> None:
        """Make room for ``rows`` rows; the contents may move."""
        if rows <= self.capacity:
            return
        wanted = max(rows * self.row_bytes, min(_GROWTH * self._block.nbytes, 1 << 32))
        block = arena().allocate(wanted)
        block.array(self.dtype, self.shape)[...] = self.data
        self._block = block

    def resize(self, new_shape: int | tuple[int, ...]) -> None:
        """Change the shape; kept elements stay, new ones are zero."""
        rows, *rest = _as_shape(new_shape)
        if tuple(rest) != self._row_shape:
            self._change_rows(rows, tuple(rest))
            return
        old = self.shape[0]
        if rows < old:
            self.data[rows:] = 0
        self.reserve(rows)
        self.rows_cell[0] = rows

    def resize_along_first(self, new_shape: int | tuple[int, ...]) -> None:
        """As :meth:`resize`; the name that Brian2 uses for monitors."""
        self.resize(new_shape)

    def _change_rows(self, rows: int, row_shape: tuple[int, ...]) -> None:
        old = self.data
        self._row_shape = row_shape
        self._block = arena().allocate(max(rows * self.row_bytes, 1))
        self.rows_cell[0] = rows
        common = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, self.shape, strict=True))
        self.data[common] = old[common]

    def __getitem__(self, item: Any) -> Any:
        return self.data[item]

    def __setitem__(self, item: Any, value: Any) -> None:
        self.data[item] = value

    def __len__(self) -> int:
        return int(self.rows_cell[0])

    def __repr__(self) -> str:
        return repr(self.data)


def _as_shape(shape: int | tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(shape, tuple | list):
        return tuple(int(n) for n in shape)
    return (int(shape),)


_arena: Arena | None = None
_arena_lock = threading.Lock()
_sharing = False


def arena() -> Arena:
    """The arena of this process."""
    global _arena
    with _arena_lock:
        if _arena is None:
            _arena = Arena()
        return _arena


@contextmanager
def shared_with_children() -> Iterator[None]:
    """Processes that are forked inside share the arena; any other fork gets a copy of its own."""
    global _sharing
    arena()
    _sharing = True
    try:
        yield
    finally:
        _sharing = False


def _after_fork_in_child() -> None:
    """A user's fork (a pool worker, say) must not write into its parent's arrays."""
    global _arena_lock
    _arena_lock = threading.Lock()
    if _arena is not None and not _sharing:
        _arena.make_private()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
