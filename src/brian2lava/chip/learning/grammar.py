"""Learning rules read from text: lava-nc's grammar, and brian2-loihi's.

::

    sum     = [+|-] product {(+|-) product}
    product = power {* power}
    power   = integer | 2^[+|-]integer | variable | u<digit> | (sum) | sgn(sum)
    variable = x0 x1 x2 y0 y1 y2 y3 w d t

``sign`` stands for ``sgn`` in brian2-loihi. A bracket that is a variable and a constant becomes one
factor; every other bracket is multiplied out. Where lava-nc loses part of a text in silence (a
``u<k>`` behind another dependency, the sign in ``(-x1)``), the text is read as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from brian2lava.chip.learning.rule import Factor, LearningRule, Product, RuleError, product

_TOKEN = re.compile(
    r"\s*(?:(?P<word>[A-Za-z_]\w*)|(?P<number>\d+)(?!\.\d|[eE.])|(?P<mark>[-+*^()]))"
)
_WORD = re.compile(r"x[012]|y[0123]|[wdt]|u\d+")
_FUNCTIONS = ("sgn", "sign")
_ABSENT = {"r0": "a reward", "r1": "a reward", "u": "u without its k"}


@dataclass(frozen=True)
class _Term:
    """mantissa * 2**exponent * dependencies and factors in the order of the text."""

    mantissa: int = 1
    exponent: int = 0
    factors: tuple[Factor | str, ...] = ()

    def times(self, other: _Term) -> _Term:
        return _Term(
            self.mantissa * other.mantissa,
            self.exponent + other.exponent,
            self.factors + other.factors,
        )


def parse(text: str, dialect: str = "lava") -> tuple[Product, ...]:
    """The products of one change, ``"2^-3*x1*y0 - (y1+2)*x0*w"``.

    Parameters
    ----------
    text : str
        Empty: no products.
    dialect : {"lava", "brian2loihi"}
        Mantissas are brought into the chip's 4 bits in ``"lava"``, and left alone in the other.

    Raises
    ------
    RuleError
        The text can't be read, or a term lacks a dependency; names the place or the term.
    """
    if not text or not text.strip():
        return ()
    reader = _Reader(text)
    terms = reader.sum()
    if reader.position < len(reader.tokens):
        raise reader.error("the end of the rule was expected")
    return tuple(_as_product(term, text, dialect) for term in terms)


def learning_rule(
    dw: str = "",
    dd: str = "",
    dt: str = "",
    *,
    dialect: str = "lava",
    **configuration: object,
) -> LearningRule:
    """A rule from texts; ``configuration``: x1 .. y3 (Trace), t_epoch, third_factor. Checked."""
    rule = LearningRule(
        dw=parse(dw, dialect),
        dd=parse(dd, dialect),
        dt=parse(dt, dialect),
        **configuration,  # type: ignore[arg-type]
    )
    rule.check(dialect)
    return rule


class _Reader:
    """Recursive descent over the tokens of one rule."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        self.position = 0
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise RuleError(f"rule {text!r}: {text[at:].strip()!r} can't be read; {_HELP}")
            self.tokens.append((match.group().strip(), match.end() - len(match.group().strip())))
            at = match.end()

    def peek(self) -> str:
        return self.tokens[self.position][0] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def error(self, what: str) -> RuleError:
        if self.position < len(self.tokens):
            found = f"before {self.text[self.tokens[self.position][1] :]!r}"
        else:
            found = "at the end"
        return RuleError(f"rule {self.text!r}: {what} {found}; {_HELP}")

    def sum(self) -> list[_Term]:
        terms: list[_Term] = []
        sign = self.take() if self.peek() in ("+", "-") else "+"
        while True:
            terms += [_negated(term) if sign == "-" else term for term in self.product()]
            if self.peek() not in ("+", "-"):
                return terms
            sign = self.take()

    def product(self) -> list[_Term]:
        terms = self.power()
        while self.peek() == "*":
            self.take()
            sign = self.take() if self.peek() in ("+", "-") else "+"
            others = self.power()
            terms = [left.times(right) for left in terms for right in others]
            if sign == "-":
                terms = [_negated(term) for term in terms]
        return terms

    def power(self) -> list[_Term]:
        token = self.peek()
        if token.isdigit():
            return [self.number()]
        if token == "(":
            return self.bracket()
        if token in _FUNCTIONS:
            return [self.sign()]
        if _WORD.fullmatch(token):
            self.take()
            return [_Term(factors=(token if token[0] == "u" else Factor(token),))]
        if token in _ABSENT:
            raise self.error(f"{token!r} ({_ABSENT[token]}) is not supported")
        raise self.error("a number, a variable or a bracket was expected")

    def number(self) -> _Term:
        value = int(self.take())
        if self.peek() != "^":
            return _Term(mantissa=value)
        if value != 2:
            raise self.error(f"only powers of 2 are there, not {value}^")
        self.take()
        negative = self.peek() == "-"
        if self.peek() in ("+", "-"):
            self.take()
        if not self.peek().isdigit():
            raise self.error("an exponent was expected")
        exponent = int(self.take())
        return _Term(exponent=-exponent if negative else exponent)

    def bracket(self) -> list[_Term]:
        terms = self.inside()
        shifted = _variable_and_constant(terms)
        return terms if shifted is None else [shifted]

    def sign(self) -> _Term:
        function = self.take()
        if self.peek() != "(":
            raise self.error(f"'(' was expected behind {function}")
        terms = self.inside()
        shifted = _variable_and_constant(terms)
        if shifted is None or shifted.mantissa < 0:
            inside = " + ".join(_text(term) for term in terms)
            raise RuleError(
                f"rule {self.text!r}: {function}({inside}): the sign of a variable, or of"
                " variable + constant, can be taken, and of nothing else."
            )
        factor = shifted.factors[0]
        assert isinstance(factor, Factor)
        return _Term(factors=(Factor(factor.variable, factor.constant, sign=True),))

    def inside(self) -> list[_Term]:
        self.take()
        terms = self.sum()
        if self.peek() != ")":
            raise self.error("')' was expected")
        self.take()
        return terms


_HELP = (
    "a rule is a sum of products like 2^-3*x0*(y1+2)*w of integers, powers of 2,"
    " x0 x1 x2 y0 y1 y2 y3 w d t, u0 .. u9, brackets and sgn(...)."
)


def _negated(term: _Term) -> _Term:
    return _Term(-term.mantissa, term.exponent, term.factors)


def _variable_and_constant(terms: list[_Term]) -> _Term | None:
    """``var``, ``var + const``, ``const - var`` as one factor; None for anything else."""
    variables = [term for term in terms if term.factors]
    constants = [term for term in terms if not term.factors]
    if len(variables) != 1 or len(constants) > 1:
        return None
    (variable,) = variables
    factor = variable.factors[0]
    if len(variable.factors) != 1 or not isinstance(factor, Factor):
        return None
    if factor.constant or factor.sign or abs(variable.mantissa) != 1 or variable.exponent:
        return None
    constant = sum(term.mantissa * 2.0**term.exponent for term in constants)
    if constant != int(constant):
        return None
    shifted = Factor(factor.variable, variable.mantissa * int(constant))
    return _Term(mantissa=variable.mantissa, factors=(shifted,))


def _as_product(term: _Term, text: str, dialect: str) -> Product:
    gates = [f for f in term.factors if isinstance(f, str)]
    events = [f for f in term.factors if isinstance(f, Factor) and f in _EVENTS]
    rest = [f for f in term.factors if isinstance(f, Factor)]
    if len(gates) > 1:
        raise RuleError(
            f"rule {text!r}, term {_text(term)!r}: {' and '.join(gates)} in one term; a term has"
            " one u<k>."
        )
    if not gates and not events:
        raise RuleError(
            f"rule {text!r}, term {_text(term)!r}: no dependency; each term needs x0, y0 or u<k>"
            " as a factor (u0 holds in every epoch)."
        )
    if gates:
        dependency = gates[0]
    else:
        dependency = events[0].variable
        rest.remove(events[0])
    if dialect == "lava":
        return product(term.mantissa, term.exponent, dependency, *rest)
    return Product(term.mantissa, term.exponent, dependency, tuple(rest))


_EVENTS = (Factor("x0"), Factor("y0"))


def _text(term: _Term) -> str:
    parts = [f if isinstance(f, str) else f.text() for f in term.factors]
    if abs(term.mantissa) != 1 or not (parts or term.exponent):
        parts.insert(0, str(abs(term.mantissa)))
    if term.exponent:
        parts.insert(0, f"2^{term.exponent}")
    return ("-" if term.mantissa < 0 else "") + "*".join(parts)
