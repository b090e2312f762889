"""Polynomials in named variables with arrays as coefficients: what code is evaluated to.

A value that is computed from states and parameters is kept as the polynomial that it is in the
states. Adding, multiplying and dividing polynomials instead of numbers turns the code of one step
into its map, without symbolic algebra.

With every coefficient goes the sum of the magnitudes that it was added up from, so that what is
left of terms that cancel can be told from a small coefficient (:meth:`Expansion.cleaned`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from brian2lava.chip.recognise.plastic_map import Polynomial
from brian2lava.chip.recognise.step_map import Array, Monomial, read_only

#: A coefficient below this share of what it was summed from is rounding error.
CANCELLED = 32 * np.finfo(float).eps


class NotPolynomial(Exception):
    """An operation that leads out of the polynomials; ``str()`` is the term's text."""


class Expansion:
    """A polynomial that is being computed: monomial -> (coefficient, magnitude of its summands)."""

    def __init__(self, terms: Mapping[Monomial, tuple[Array, Array]]) -> None:
        self.terms = dict(terms)

    @classmethod
    def constant(cls, value: Any) -> Expansion:
        """A value (scalar, or an array of shape (1 | n,)) that depends on no variable."""
        array = np.atleast_1d(np.asarray(value))
        if array.dtype == bool:
            array = array.astype(int)
        return cls({(): (array, np.abs(array.astype(float)))})

    @classmethod
    def variable(cls, name: str) -> Expansion:
        """The variable itself."""
        return cls({((name, 1),): (np.ones(1), np.ones(1))})

    # ------------------------------------------------------------ questions
    @property
    def is_constant(self) -> bool:
        """Whether no variable occurs."""
        return all(monomial == () for monomial in self.terms)

    @property
    def value(self) -> Array:
        """The coefficient of 1, shape (1 | n,)."""
        return self.terms[()][0] if () in self.terms else np.zeros(1)

    def variables(self) -> set[str]:
        """Names of the variables that occur."""
        return {name for monomial in self.terms for name, _ in monomial}

    def coefficient(self, monomial: Monomial) -> Array:
        """That of ``monomial``, zeros where there is none."""
        return self.terms[monomial][0] if monomial in self.terms else np.zeros(1)

    def monomials_above(self, degree: int, names: Iterable[str]) -> list[Monomial]:
        """Monomials of a higher degree in the variables ``names``."""
        counted = set(names)
        return [
            monomial
            for monomial in self.terms
            if sum(power for name, power in monomial if name in counted) > degree
        ]

    # ------------------------------------------------------------ arithmetic
    def __add__(self, other: Expansion) -> Expansion:
        terms = dict(self.terms)
        for monomial, (value, size) in other.terms.items():
            if monomial in terms:
                terms[monomial] = (terms[monomial][0] + value, terms[monomial][1] + size)
            else:
                terms[monomial] = (value, size)
        return Expansion(terms)

    def __neg__(self) -> Expansion:
        return self.scaled(np.full(1, -1))

    def __sub__(self, other: Expansion) -> Expansion:
        return self + -other

    def __mul__(self, other: Expansion) -> Expansion:
        if other.is_constant:
            return self.scaled(other.value)
        product = Expansion({})
        for monomial, (value, size) in other.terms.items():
            moved = {
                _times(monomial, own): (value * v, size * s) for own, (v, s) in self.terms.items()
            }
            product = product + Expansion(moved)
        return product

    def scaled(self, factor: Array) -> Expansion:
        """Every coefficient times ``factor``."""
        magnitude = np.abs(np.asarray(factor, dtype=float))
        return Expansion({m: (v * factor, s * magnitude) for m, (v, s) in self.terms.items()})

    def over(self, divisor: Expansion) -> Expansion:
        """The quotient by a constant.

        Raises
        ------
        NotPolynomial
            The divisor depends on a variable.
        """
        if not divisor.is_constant:
            raise NotPolynomial
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = divisor.value.astype(float)
            return Expansion(
                {m: (v / inverse, s / np.abs(inverse)) for m, (v, s) in self.terms.items()}
            )

    def power(self, exponent: Expansion) -> Expansion:
        """A whole power >= 0, or any power of a constant.

        Raises
        ------
        NotPolynomial
            The result is no polynomial.
        """
        if not exponent.is_constant:
            raise NotPolynomial
        if self.is_constant:
            with np.errstate(all="ignore"):
                return Expansion.constant(self.value.astype(float) ** exponent.value)
        count = exponent.value
        if count.size != 1 or count[0] != int(count[0]) or not 0 <= count[0] <= 8:
            raise NotPolynomial
        product = Expansion.constant(1.0)
        for _ in range(int(count[0])):
            product = product * self
        return product

    def cleaned(self) -> Expansion:
        """Without terms that cancelled: rounding errors of coefficients are exactly 0."""
        terms = {}
        for monomial, (value, size) in self.terms.items():
            cancelled = np.isfinite(size) & (np.abs(value) <= CANCELLED * size)
            kept = np.where(cancelled, 0.0, value)
            if np.any(kept != 0):
                terms[monomial] = (kept, size)
        return Expansion(terms)

    def frozen(self) -> Polynomial:
        """As a value between stages, sorted by monomial."""
        return Polynomial(
            tuple((monomial, read_only(self.terms[monomial][0])) for monomial in sorted(self.terms))
        )


def _times(first: Monomial, second: Monomial) -> Monomial:
    powers = dict(first)
    for name, power in second:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


def monomial_text(monomial: Monomial) -> str:
    """As one would write it: "u*v**2"."""
    return "*".join(name if power == 1 else f"{name}**{power}" for name, power in monomial) or "1"
