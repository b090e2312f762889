"""Integer expressions of which chip models are made, and the operations that they know.

An operation is one row: name, meaning in Python (on NumPy arrays of the profile's word), C text,
formula. A model's step is written once with :class:`Expression`; the plain definition evaluates it
(:func:`evaluate`), engines render it (:func:`as_c`).

In C, ``T`` is the word (int32_t or int64_t) and ``U`` its unsigned twin: sums and shifts wrap, as
NumPy's do. Comparisons give 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import (
    DECAY_BITS,
    DECAY_UNITY,
    RANDOM_BITS,
    STATE_BITS,
    STATE_HALF,
    STATE_MAX,
)

Integers = Any  # NumPy arrays or scalars of the profile's word


@dataclass(frozen=True)
class Row:
    """One integer operation."""

    name: str
    meaning: Callable[..., Integers]
    c: str
    formula: str
    source: str = ""


@dataclass(frozen=True)
class Expression:
    """An integer expression; Python's operators build larger ones."""

    def __add__(self, other: Operand) -> Call:
        return call("add", self, other)

    def __sub__(self, other: Operand) -> Call:
        return call("subtract", self, other)

    def __neg__(self) -> Call:
        return call("subtract", number(0), self)

    def __lshift__(self, bits: Operand) -> Call:
        return call("shift_left", self, bits)

    def __rshift__(self, bits: Operand) -> Call:
        return call("shift_right", self, bits)

    def __gt__(self, other: Operand) -> Call:
        return call("greater", self, other)

    def __ge__(self, other: Operand) -> Call:
        return call("greater_or_equal", self, other)

    def __lt__(self, other: Operand) -> Call:
        return call("greater", other, self)

    def __le__(self, other: Operand) -> Call:
        return call("greater_or_equal", other, self)

    def __and__(self, other: Operand) -> Call:
        return call("both", self, other)

    def __or__(self, other: Operand) -> Call:
        return call("either", self, other)

    def __invert__(self) -> Call:
        return call("negation", self)


Operand = Expression | int


@dataclass(frozen=True)
class Name(Expression):
    """A state, register, input or earlier result, by name."""

    name: str


@dataclass(frozen=True)
class Number(Expression):
    """An integer."""

    value: int


@dataclass(frozen=True)
class Call(Expression):
    """An operation with its operands."""

    row: Row
    operands: tuple[Expression, ...]


def number(value: Operand) -> Expression:
    """An integer as an expression."""
    return value if isinstance(value, Expression) else Number(int(value))


def call(row: str, *operands: Operand) -> Call:
    """The operation called ``row``."""
    return Call(ROWS[row], tuple(number(operand) for operand in operands))


def select(condition: Operand, yes: Operand, no: Operand) -> Call:
    """``yes`` where ``condition`` holds, else ``no``."""
    return call("select", condition, yes, no)


def decay(x: Operand, d: Operand) -> Call:
    """sgn(x) * ((|x| * (4096 - d)) >> 12): decay toward zero by d/4096."""
    return call("decay", x, d)


def rotate(x: Operand, f: Operand, y: Operand, g: Operand, bits: Operand, more: Operand) -> Call:
    """S(x * f) + S(y * g) + more within +-(2**23 - 1), S(p) = sgn(p) * (|p| >> bits)."""
    return call("rotate", x, f, y, g, bits, more)


def wrap_once(x: Operand) -> Call:
    """Into (-2**23, 2**23] by one step of 2**24."""
    return call("wrap_once", x)


def wrap_modulo(x: Operand, bits: Operand = STATE_BITS) -> Call:
    """Two's complement of ``bits`` bits, the sign among them."""
    return call("wrap_modulo", x, bits)


def clip(x: Operand, low: Operand = -STATE_MAX, high: Operand = STATE_MAX) -> Call:
    """Between ``low`` and ``high``."""
    return call("clip", x, low, high)


def shift(x: Operand, bits: Operand) -> Call:
    """``x << bits``, or ``x >> -bits`` (floor) where ``bits`` is negative."""
    return call("shift", x, bits)


def drawn_below(word: Operand, count: Operand) -> Call:
    """A random word of 24 bits as a number in 0 .. ``count`` - 1."""
    return call("drawn_below", word, count)


def _drawn_below(word: Integers, count: Integers) -> Integers:
    return _like(word, (np.int64(word) * np.int64(count)) >> np.int64(RANDOM_BITS))


def _decay(x: Integers, d: Integers) -> Integers:
    """The product in two parts, without sign, so that it stays inside 64 bits for every x."""
    size = np.asarray(np.abs(np.int64(x))).astype(np.uint64)
    kept = np.asarray(DECAY_UNITY - np.int64(d)).astype(np.uint64)
    bits, mask = np.uint64(DECAY_BITS), np.uint64(DECAY_UNITY - 1)
    left = (size >> bits) * kept + ((size & mask) * kept >> bits)
    return _like(x, np.sign(x) * left.astype(np.int64))


def _rotate(
    x: Integers, f: Integers, y: Integers, g: Integers, bits: Integers, more: Integers
) -> Integers:
    total = np.int64(more) + _scaled(x, f, bits) + _scaled(y, g, bits)
    return _like(x, np.clip(total, -STATE_MAX, STATE_MAX))


def _scaled(x: Integers, factor: Integers, bits: Integers) -> Integers:
    wide = np.int64(x) * np.int64(factor)
    return np.sign(wide) * (np.abs(wide) >> np.int64(bits))


def _wrap_once(x: Integers) -> Integers:
    whole = 1 << STATE_BITS
    return _like(x, np.where(x > STATE_HALF, x - whole, np.where(x <= -STATE_HALF, x + whole, x)))


def _wrap_modulo(x: Integers, bits: Integers) -> Integers:
    half = np.int64(1) << (np.int64(bits) - 1)
    return _like(x, ((np.int64(x) + half) & (2 * half - 1)) - half)


def _shift(x: Integers, bits: Integers) -> Integers:
    bits = _like(x, bits)
    zero = _like(x, 0)
    return np.where(bits >= 0, x << np.maximum(bits, zero), x >> np.maximum(-bits, zero))


def _like(x: Integers, value: Integers) -> Integers:
    """``value`` in the word of ``x``."""
    return np.asarray(value).astype(np.asarray(x).dtype)


def _truth(x: Integers, value: Integers) -> Integers:
    return np.asarray(value, dtype=bool).astype(np.asarray(x).dtype)


_C_DECAY = """static inline T b2l_decay(T x, T d) {
    const U m = x < 0 ? (U)0 - (U)x : (U)x, k = (U)4096 - (U)d;
    const U r = (m >> 12) * k + (((m & 4095) * k) >> 12);
    return x < 0 ? (T)((U)0 - r) : (T)r;
}"""
_C_ROTATE = f"""static inline T b2l_rotate(T x, T f, T y, T g, T bits, T more) {{
    const int64_t p = (int64_t)x * (int64_t)f, q = (int64_t)y * (int64_t)g;
    const int64_t sum = (p < 0 ? -(-p >> bits) : p >> bits)
        + (q < 0 ? -(-q >> bits) : q >> bits) + (int64_t)more;
    return (T)(sum < -{STATE_MAX} ? -{STATE_MAX} : sum > {STATE_MAX} ? {STATE_MAX} : sum);
}}"""
_C_WRAP_ONCE = f"""static inline T b2l_wrap_once(T x) {{
    return x > {STATE_HALF} ? x - {2 * STATE_HALF} : x <= -{STATE_HALF} ? x + {2 * STATE_HALF} : x;
}}"""
_C_WRAP_MODULO = """static inline T b2l_wrap_modulo(T x, T bits) {
    const uint64_t half = (uint64_t)1 << (bits - 1);
    return (T)(int64_t)((((uint64_t)(int64_t)x + half) & (2 * half - 1)) - half);
}"""
_C_SHIFT = """static inline T b2l_shift(T x, T bits) {
    return bits >= 0 ? (T)((U)x << bits) : x >> -bits;
}"""

#: Every integer operation. ``{0}`` is the first operand; a text that begins with ``static`` defines
#: the function ``b2l_<name>``, which is called.
ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("add", lambda x, y: x + _like(x, y), "(T)((U){0} + (U){1})", "x + y"),
        Row("subtract", lambda x, y: x - _like(x, y), "(T)((U){0} - (U){1})", "x - y"),
        Row("multiply", lambda x, y: x * _like(x, y), "(T)((U){0} * (U){1})", "x * y"),
        Row("shift_left", lambda x, y: x << _like(x, y), "(T)((U){0} << {1})", "x << y"),
        Row("shift_right", lambda x, y: x >> _like(x, y), "({0} >> {1})", "floor(x / 2**y)"),
        Row("remainder", lambda x, y: x % _like(x, y), "({0} % {1})", "x mod y, both >= 0"),
        Row("shift", _shift, _C_SHIFT, "x << y, or x >> -y", "LIF bias of lava-nc 0.10.0"),
        Row("greater", lambda x, y: _truth(x, x > y), "(T)({0} > {1})", "x > y"),
        Row("greater_or_equal", lambda x, y: _truth(x, x >= y), "(T)({0} >= {1})", "x >= y"),
        Row("equal", lambda x, y: _truth(x, x == y), "(T)({0} == {1})", "x = y"),
        Row(
            "both", lambda x, y: _truth(x, (x != 0) & (y != 0)), "(T)(({0} != 0) & ({1} != 0))",
            "x and y",
        ),
        Row(
            "either", lambda x, y: _truth(x, (x != 0) | (y != 0)), "(T)(({0} != 0) | ({1} != 0))",
            "x or y",
        ),
        Row("negation", lambda x: _truth(x, x == 0), "(T)({0} == 0)", "not x"),
        Row(
            "select", lambda x, y, z: np.where(x != 0, y, _like(y, z)), "({0} ? {1} : {2})",
            "y where x, else z",
        ),
        Row(
            "decay", _decay, _C_DECAY, "sgn(x) * ((|x| * (4096 - d)) >> 12)",
            "LIF of lava-nc 0.10.0; Davies et al. 2018",
        ),
        Row(
            "rotate", _rotate, _C_ROTATE,
            "min(max(S(x f) + S(y g) + more, 1 - 2**23), 2**23 - 1), S(p) = sgn(p) (|p| >> bits)",
            "RF of lava-nc 0.10.0",
        ),
        Row(
            "wrap_once", _wrap_once, _C_WRAP_ONCE, "x - 2**24 [x > 2**23] + 2**24 [x <= -2**23]",
            "LIF of lava-nc 0.10.0",
        ),
        Row(
            "wrap_modulo", _wrap_modulo, _C_WRAP_MODULO,
            "(x + 2**(n-1)) mod 2**n - 2**(n-1)", "nengo-loihi 1.1",
        ),
        Row(
            "drawn_below", _drawn_below,
            f"(T)(((uint64_t)(U){{0}} * (uint64_t)(U){{1}}) >> {RANDOM_BITS})",
            "floor(x y / 2**24), 0 <= x < 2**24, y > 0",
        ),
        Row(
            "clip", lambda x, low, high: np.clip(x, _like(x, low), _like(x, high)),
            "({0} < {1} ? {1} : {0} > {2} ? {2} : {0})", "min(max(x, low), high)",
        ),
    )
}  # fmt: skip


def evaluate(expression: Expression, values: Mapping[str, Integers], word: int) -> Integers:
    """The value of ``expression`` on NumPy arrays of ``word`` bits: the definition."""
    kind = np.int32 if word == 32 else np.int64
    if isinstance(expression, Number):
        return kind(expression.value)
    if isinstance(expression, Name):
        return values[expression.name]
    assert isinstance(expression, Call)
    operands = [evaluate(operand, values, word) for operand in expression.operands]
    with np.errstate(over="ignore"):
        result = expression.row.meaning(*operands)
    return result.astype(kind)


def as_c(expression: Expression, names: Mapping[str, str]) -> str:
    """``expression`` as C text; ``names`` are texts for names (absent ones stand as they are)."""
    if isinstance(expression, Number):
        return f"(T){expression.value}" if expression.value >= 0 else f"(T)({expression.value})"
    if isinstance(expression, Name):
        return names.get(expression.name, expression.name)
    assert isinstance(expression, Call)
    operands = [as_c(operand, names) for operand in expression.operands]
    row = expression.row
    if row.c.startswith("static"):
        return f"b2l_{row.name}({', '.join(operands)})"
    return row.c.format(*operands)


def rows_of(expression: Expression) -> frozenset[str]:
    """The names of the operations in ``expression``."""
    if not isinstance(expression, Call):
        return frozenset()
    return frozenset({expression.row.name}).union(*map(rows_of, expression.operands))


def names_in(expression: Expression) -> frozenset[str]:
    """The names that ``expression`` reads."""
    if isinstance(expression, Name):
        return frozenset({expression.name})
    if isinstance(expression, Call):
        return frozenset().union(*map(names_in, expression.operands))
    return frozenset()


def support(rows: frozenset[str], word: int) -> str:
    """The C functions that ``rows`` call, for words of ``word`` bits."""
    functions = [ROWS[name].c for name in sorted(rows) if ROWS[name].c.startswith("static")]
    return "\n".join([f"typedef int{word}_t T; typedef uint{word}_t U;", *functions])
