"""Every integer operation against Python's own integers, at the edges: in NumPy, and in C++."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.arithmetic import ROWS, Call, Name, as_c, call, evaluate, support
from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler

WORDS = (32, 64)


def _word(x: int, bits: int) -> int:
    """Two's complement of ``bits`` bits."""
    return (x + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def _toward_zero(numerator: int, denominator: int) -> int:
    """numerator / denominator without what follows the point."""
    quotient = abs(numerator) // denominator
    return -quotient if numerator < 0 else quotient


def _wrap_once(x: int) -> int:
    if x > 2**23:
        return x - 2**24
    return x + 2**24 if x <= -(2**23) else x


def _within(x: int, low: int, high: int) -> int:
    return low if x < low else high if x > high else x


def _rotate(x: int, f: int, y: int, g: int, bits: int, more: int) -> int:
    total = _toward_zero(x * f, 2**bits) + _toward_zero(y * g, 2**bits) + more
    return _within(total, -(2**23) + 1, 2**23 - 1)


#: What each row means, in integers without bounds; sums wrap afterwards.
MEANING: dict[str, Callable[..., int]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "shift_left": lambda x, y: x * 2**y,
    "shift_right": lambda x, y: x // 2**y,
    "remainder": lambda x, y: x - y * (x // y),
    "shift": lambda x, y: x * 2**y if y >= 0 else x // 2**-y,
    "greater": lambda x, y: int(x > y),
    "greater_or_equal": lambda x, y: int(x >= y),
    "equal": lambda x, y: int(x == y),
    "both": lambda x, y: int(x != 0 and y != 0),
    "either": lambda x, y: int(x != 0 or y != 0),
    "negation": lambda x: int(x == 0),
    "select": lambda x, y, z: y if x else z,
    "drawn_below": lambda x, y: x * y // 2**24,
    "decay": lambda x, d: _toward_zero(x * (4096 - d), 4096),
    "rotate": _rotate,
    "wrap_once": _wrap_once,
    "wrap_modulo": lambda x, n: _word(x, n),
    "clip": _within,
}


def _edges(highest: int) -> list[int]:
    """0 and every power of two up to 2**highest, with both neighbours, of both signs."""
    sizes = {0} | {2**k + near for k in range(highest + 1) for near in (-1, 0, 1)}
    return sorted(sizes | {-size for size in sizes})


def _wordful(word: int) -> list[int]:
    low, high = -(2 ** (word - 1)), 2 ** (word - 1) - 1
    return sorted({x for x in _edges(word - 1) if low <= x <= high} | {low, low + 1, high})


def _cases(row: str, word: int) -> Iterator[tuple[int, ...]]:
    """Operands of a row: every edge as the first, each with many edges as the others."""
    edges = _wordful(word)
    some = sorted({*edges[::7], *edges[:2], *edges[-2:], -1, 0, 1})
    shifts = range(0, word)
    decays = sorted({x for x in _edges(12) if 0 <= x <= 4096} | {163, 3000})
    more: dict[str, list[Any]] = {
        "multiply": [edges],
        "shift_left": [shifts],
        "shift_right": [shifts],
        "shift": [range(-(word - 1), word)],
        "remainder": [[x for x in some if x > 0]],
        "decay": [decays],
        "wrap_modulo": [range(2, word)],
        "select": [[7, -1], [0, 9]],
        "clip": [[-(2**23) + 1, -5], [0, 2**23 - 1]],
        "drawn_below": [[1, 2, 255, 1000]],
        "negation": [],
        "wrap_once": [],
    }
    if row == "rotate":
        yield from _rotations(word)
        return
    if row == "remainder":
        edges = [x for x in edges if x >= 0]
    if row == "drawn_below":
        edges = [x for x in edges if 0 <= x < 2**24]
    others = more.get(row, [some])
    yield from itertools.product(edges, *others)


def _rotations(word: int) -> Iterator[tuple[int, ...]]:
    """States within 24 bits, factors within 12 and sign, any input."""
    states = [x for x in _edges(23) if abs(x) < 2**23]
    factors = [-4096, -4095, -1, 0, 1, 2047, 4096]
    inputs = _wordful(32)
    for k, (x, f, g) in enumerate(itertools.product(states, factors, factors)):
        for bits in (1, 12):
            y = states[(7 * k + bits) % len(states)]
            yield x, f, y, g, bits, inputs[(11 * k + bits) % len(inputs)]


def _expected(row: str, word: int, cases: list[tuple[int, ...]]) -> list[int]:
    meaning = MEANING[row]
    return [_word(meaning(*operands), word) for operands in cases]


def _columns(row: str, word: int) -> tuple[list[tuple[int, ...]], list[Any]]:
    cases = list(_cases(row, word))
    kind = np.int32 if word == 32 else np.int64
    return cases, [np.array(column, dtype=kind) for column in zip(*cases)]


_NAMES = ("x", "y", "z", "a", "b", "c")


def _call(row: str, operands: int) -> Call:
    return call(row, *(Name(name) for name in _NAMES[:operands]))


def test_every_row_is_tested() -> None:
    assert MEANING.keys() == ROWS.keys()


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("row", ROWS)
def test_numpy_means_what_python_means(row: str, word: int) -> None:
    cases, columns = _columns(row, word)
    values = evaluate(_call(row, len(columns)), dict(zip(_NAMES, columns)), word)
    np.testing.assert_array_equal(values, _expected(row, word, cases))
    assert values.dtype == columns[0].dtype


@pytest.fixture(scope="module")
def compiled() -> Any:
    """All rows for both words in one library: ``<row>_<word>(count, result, x, y, ...)``."""
    if find_compiler() is None:
        pytest.skip("there is no C++ compiler")
    texts = ["#include <cstdint>"]
    for word in WORDS:
        texts.append(f"namespace word{word} {{\n{support(frozenset(ROWS), word)}\n}}")
        for row in ROWS:
            operands = len(_columns(row, word)[1])
            names = {name: f"{name}[k]" for name in _NAMES}
            parameters = "".join(f", const T* {name}" for name in _NAMES[:operands])
            texts.append(
                f'namespace word{word} {{\nextern "C" void {row}_{word}(int64_t count, T* result'
                f"{parameters}) {{\n    for (int64_t k = 0; k < count; ++k)\n"
                f"        result[k] = {as_c(_call(row, operands), names)};\n}}\n}}"
            )
    compiler = find_compiler()
    assert compiler is not None
    flags = ("-O3", "-march=native")
    return ctypes.CDLL(str(build("\n".join(texts), Toolchain(compiler, flags)).path))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("row", ROWS)
def test_compiled_means_what_python_means(row: str, word: int, compiled: Any) -> None:
    cases, columns = _columns(row, word)
    result = np.empty(len(cases), columns[0].dtype)
    pointers = [ctypes.c_void_p(column.ctypes.data) for column in (result, *columns)]
    getattr(compiled, f"{row}_{word}")(ctypes.c_int64(len(cases)), *pointers)
    np.testing.assert_array_equal(result, _expected(row, word, cases))
