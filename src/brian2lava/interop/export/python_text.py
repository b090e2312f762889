"""Integer expressions of chip models as Python text, for processes that are written out.

A model's step is defined once (:mod:`brian2lava.chip.models`); here it is told in NumPy, as one
would write it by hand: with operators where Python has one, and with the functions of
:data:`FUNCTIONS` where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from brian2lava.chip.arithmetic import Call, Expression, Name, Number

#: How tightly Python's operators bind.
_COMPARISON, _OR, _AND, _SHIFT, _SUM, _PRODUCT, _UNARY, _ATOM = range(8)


@dataclass(frozen=True)
class Text:
    """A piece of Python.

    Attributes
    ----------
    text : str
    binds : int
        How tightly its outermost operator binds.
    truth : bool
        Whether it is an array of booleans; else one of integers.
    """

    text: str
    binds: int = _ATOM
    truth: bool = False

    def within(self, binds: int) -> str:
        """In parentheses, unless it binds at least so tightly."""
        return self.text if self.binds >= binds else f"({self.text})"

    def as_integer(self) -> Text:
        """As integers, 0 or 1."""
        return Text(f"WORD({self.text})") if self.truth else self

    def as_truth(self) -> Text:
        """As booleans."""
        return self if self.truth else Text(f"{self.within(_OR)} != 0", _COMPARISON, True)


def as_python(expression: Expression, names: Mapping[str, Text]) -> Text:
    """``expression`` as Python; ``names`` are texts for names (absent ones stand as they are)."""
    if isinstance(expression, Number):
        return Text(str(expression.value), _ATOM if expression.value >= 0 else _UNARY)
    if isinstance(expression, Name):
        return names.get(expression.name, Text(expression.name))
    assert isinstance(expression, Call)
    operands = [as_python(operand, names) for operand in expression.operands]
    return ROWS[expression.row.name](*operands)


Renderer = Callable[..., Text]


def _operator(symbol: str, binds: int, truth: bool = False) -> Renderer:
    """``x symbol y``."""

    def rendered(x: Text, y: Text) -> Text:
        if x.truth and (y.truth or not truth):
            x, y = x.as_integer(), y.as_integer()
        right = binds if symbol in "+*" else binds + 1  # sums and products may be regrouped
        return Text(f"{x.within(binds)} {symbol} {y.within(right)}", binds, truth)

    return rendered


def _difference(x: Text, y: Text) -> Text:
    if x.text == "0":
        return Text(f"-{y.as_integer().within(_UNARY)}", _UNARY)
    return _operator("-", _SUM)(x, y)


def _logical(symbol: str, binds: int) -> Renderer:
    def rendered(x: Text, y: Text) -> Text:
        x, y = x.as_truth(), y.as_truth()
        if symbol == "&" and y.text == "1 != 0":
            return x
        return Text(f"{x.within(binds)} {symbol} {y.within(binds + 1)}", binds, True)

    return rendered


def _negation(x: Text) -> Text:
    if x.truth:
        return Text(f"~{x.within(_UNARY)}", _UNARY, True)
    return Text(f"{x.within(_OR)} == 0", _COMPARISON, True)


def _select(condition: Text, yes: Text, no: Text) -> Text:
    truth = yes.truth and no.truth
    return Text(f"np.where({condition.text}, {yes.text}, {no.text})", _ATOM, truth)


def _called(name: str) -> Renderer:
    def rendered(*operands: Text) -> Text:
        return Text(f"{name}({', '.join(each.as_integer().text for each in operands)})")

    return rendered


#: Every operation of :data:`brian2lava.chip.arithmetic.ROWS`.
ROWS: dict[str, Renderer] = {
    "add": _operator("+", _SUM),
    "subtract": _difference,
    "multiply": _operator("*", _PRODUCT),
    "remainder": _operator("%", _PRODUCT),
    "shift_left": _operator("<<", _SHIFT),
    "shift_right": _operator(">>", _SHIFT),
    "greater": _operator(">", _COMPARISON, True),
    "greater_or_equal": _operator(">=", _COMPARISON, True),
    "equal": _operator("==", _COMPARISON, True),
    "both": _logical("&", _AND),
    "either": _logical("|", _OR),
    "negation": _negation,
    "select": _select,
    "clip": _called("np.clip"),
    "shift": _called("shift"),
    "decay": _called("decay"),
    "rotate": _called("rotate"),
    "wrap_once": _called("wrap_once"),
    "wrap_modulo": _called("wrap_modulo"),
    "drawn_below": _called("drawn_below"),
}

#: Of 64-bit words the product would not fit, so it is formed in two parts.
_DECAY_LARGE = '''def decay(x, d):
    """x loses d/4096 of its size: sgn(x) * ((|x| * (4096 - d)) >> 12)."""
    size, kept = np.abs(x), 4096 - d
    return np.sign(x) * ((size >> 12) * kept + ((size & 4095) * kept >> 12))'''

#: What Python has no operator for, by the operation's name: the functions that are called.
FUNCTIONS: dict[str, str] = {
    "decay": '''def decay(x, d):
    """x loses d/4096 of its size: sgn(x) * ((|x| * (4096 - d)) >> 12)."""
    return np.sign(x) * WORD(np.abs(np.int64(x)) * (4096 - d) >> 12)''',
    "shift": '''def shift(x, bits):
    """x << bits, or x >> -bits where bits is negative."""
    return np.where(bits >= 0, x << np.maximum(bits, 0), x >> np.maximum(-bits, 0))''',
    "rotate": '''def rotate(x, f, y, g, bits, more):
    """S(x f) + S(y g) + more within +-(2**23 - 1), where S(p) = sgn(p) (|p| >> bits)."""
    p, q = np.int64(x) * f, np.int64(y) * g
    turned = np.sign(p) * (np.abs(p) >> bits) + np.sign(q) * (np.abs(q) >> bits)
    return WORD(np.clip(turned + more, 1 - 2**23, 2**23 - 1))''',
    "wrap_once": '''def wrap_once(x):
    """x in 24 bits, (-2**23, 2**23], by one step of 2**24."""
    return np.where(x > 2**23, x - 2**24, np.where(x <= -(2**23), x + 2**24, x))''',
    "wrap_modulo": '''def wrap_modulo(x, bits):
    """x in two's complement of so many bits, its sign among them."""
    half = 2 ** (bits - 1)
    return WORD((np.int64(x) + half) % (2 * half) - half)''',
    "drawn_below": '''def drawn_below(word, count):
    """A random word of 24 bits as a number in 0 .. count - 1."""
    return WORD(np.int64(word) * count >> 24)''',
}


def function(name: str, word: int) -> str:
    """The function that an operation calls, for words of so many bits."""
    return _DECAY_LARGE if name == "decay" and word == 64 else FUNCTIONS[name]
