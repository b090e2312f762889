"""Learning rules from sums of monomials, as they come out of a Brian2 model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

from brian2lava.chip.learning.rule import Factor, LearningRule, Product, RuleError
from brian2lava.chip.learning.widths import EXPONENT, MANTISSA

#: Variables of a monomial with their powers, in any order: (("x0", 1), ("y1", 1)).
Monomial = tuple[tuple[str, int], ...]


def from_monomials(
    changes: Mapping[str, Mapping[Monomial, float]],
    *,
    tolerance: float = 0.0,
    max_terms: int = 2,
    **configuration: object,
) -> LearningRule:
    """A rule from coefficients of monomials.

    Parameters
    ----------
    changes : dict
        ``{"dw": {(("x0", 1), ("y1", 1)): -0.25}}``: change -> monomial -> coefficient. Variables
        are those of a rule, and ``u0`` .. ``u9``.
    tolerance : float
        The relative error that a coefficient may have. 0: coefficients have to be exact.
    max_terms : int
        Coefficients that 4 bits don't hold become sums of up to that many products.
    configuration
        x1 .. y3 (Trace), t_epoch, third_factor.

    Returns
    -------
    LearningRule
        Checked against the chip's limits.

    Raises
    ------
    RuleError
        A coefficient can't be held within ``tolerance``, or a monomial has no dependency.
    """
    products = {
        change: tuple(
            term
            for monomial, coefficient in monomials.items()
            for term in _terms(change, monomial, coefficient, tolerance, max_terms)
        )
        for change, monomials in changes.items()
    }
    rule = LearningRule(**products, **configuration)  # type: ignore[arg-type]
    rule.check("lava")
    return rule


def _terms(
    change: str, monomial: Monomial, coefficient: float, tolerance: float, max_terms: int
) -> Iterable[Product]:
    name = " * ".join(f"{variable}**{power}" for variable, power in monomial) or "1"
    what = f"{change}, {coefficient!r} * {name}"
    if not math.isfinite(coefficient):
        raise RuleError(f"{what}: the coefficient is not finite.")
    if any(power < 0 for _, power in monomial):
        raise RuleError(f"{what}: negative powers can't be formed by multiplication.")
    powers = {variable: power for variable, power in monomial if power}
    gates = [v for v in powers if v[0] == "u"] or [v for v in ("x0", "y0") if v in powers]
    if len(gates) == 0 or (gates[0][0] == "u" and len(gates) > 1):
        raise RuleError(
            f"{what}: a term needs x0, y0 or one u<k> as its dependency. Changes in continuous time"
            " become u0 terms."
        )
    dependency = gates[0]
    del powers[dependency]
    factors = tuple(
        Factor(variable)
        for variable in sorted(powers)
        for _ in range(1 if variable in ("x0", "y0") else powers[variable])
    )
    for mantissa, exponent in scalings(coefficient, tolerance, max_terms, what):
        yield Product(mantissa, exponent, dependency, factors)


def scalings(
    coefficient: float, tolerance: float, max_terms: int, what: str = "a coefficient"
) -> list[tuple[int, int]]:
    """(mantissa, exponent) pairs whose sum is ``coefficient``, each the nearest to what is left."""
    left = Fraction(coefficient)
    pairs: list[tuple[int, int]] = []
    while left and abs(left) > abs(Fraction(coefficient)) * Fraction(tolerance):
        if len(pairs) == max_terms:
            raise RuleError(
                f"{what}: the coefficient needs more than {max_terms} products with mantissas of"
                f" 4 bits; {float(left):.3g} is left. Allow a tolerance, or scale impulses."
            )
        mantissa, exponent = _nearest(left)
        if mantissa == 0:
            raise RuleError(
                f"{what}: {float(left):.3g} is below the smallest step 2^{EXPONENT.low}"
                f" ({EXPONENT.source}). Scale impulses up, or allow a tolerance."
            )
        pairs.append((mantissa, exponent))
        left -= Fraction(mantissa) * Fraction(2) ** exponent
    return pairs


def _nearest(value: Fraction) -> tuple[int, int]:
    """The mantissa and exponent next to ``value``; the smallest mantissa that is as near."""
    best: tuple[Fraction, int, int, int] | None = None
    for exponent in range(EXPONENT.low, EXPONENT.high + 1):
        scaled = value / Fraction(2) ** exponent
        mantissa = max(-MANTISSA.high, min(MANTISSA.high, round(scaled)))
        distance = abs(value - Fraction(mantissa) * Fraction(2) ** exponent)
        candidate = (distance, abs(mantissa), mantissa, exponent)
        if best is None or candidate[:2] < best[:2]:
            best = candidate
    assert best is not None
    return best[2], best[3]
