"""Rules of spike-timing dependent plasticity in the chip's learning engine, and what they change.

::

    dw = c2+ y0 x1  -  c2- x0 y1  +  c3+ y0 x1 (y2 - impulse)  -  c3- x0 y1 (x2 - impulse)

The impulse is taken off because the chip adds it before the rule reads the trace, and a triplet
rule reads it as it was before its own spike. Traces are 7 bits and stop at 127.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.learning import Factor, LearningRule, Product, Trace
from brian2lava.chip.learning.widths import TRACE_MAX
from brian2lava.fit.synapse.coefficients import product, shift_of
from brian2lava.fit.synapse.stdp import StdpTarget

#: Terms of a rule, and the traces that each reads: the short one, and the long one of triplets.
TERMS: dict[str, tuple[str, str]] = {
    "plus2": ("x1", ""),
    "minus2": ("y1", ""),
    "plus3": ("x1", "y2"),
    "minus3": ("y1", "x2"),
}
#: The terms of each candidate.
FORMS: dict[str, tuple[str, ...]] = {
    "pair": ("plus2", "minus2"),
    "triplet_minimal": ("minus2", "plus3"),
    "triplet": ("plus2", "minus2", "plus3", "minus3"),
}


def traces_of(terms: tuple[str, ...]) -> tuple[str, ...]:
    """The traces that terms read, x before y."""
    return tuple(sorted({trace for term in terms for trace in TERMS[term] if trace}))


def names_of(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Registers of a rule: mantissa and exponent a term, impulse and tau a trace."""
    return (
        *(f"{term}_{part}" for term in terms for part in ("mantissa", "exponent")),
        *(f"{trace}_{part}" for trace in traces_of(terms) for part in ("impulse", "tau")),
    )


def shift(term: str) -> int:
    """Bits that the chip drops of a term."""
    return shift_of(*(trace for trace in TERMS[term] if trace))


def rule_of(registers: dict[str, int], terms: tuple[str, ...]) -> LearningRule:
    """The rule; terms whose mantissa is 0 are left out."""
    products: list[Product] = []
    for term in terms:
        short, long = TERMS[term]
        sign = 1 if term.startswith("plus") else -1
        factors = [Factor(short)]
        if long:
            factors.append(Factor(long, -registers[f"{long}_impulse"]))
        products += product(
            sign * registers[f"{term}_mantissa"], registers[f"{term}_exponent"],
            "y0" if sign > 0 else "x0", *factors,
        )  # fmt: skip
    traces: dict[str, Any] = {
        name: Trace(registers[f"{name}_impulse"], registers[f"{name}_tau"])
        for name in traces_of(terms)
    }
    return LearningRule(dw=tuple(products), **traces)


@dataclass(frozen=True)
class Traces:
    """Impulses and time constants (steps), each of shape (size,); 0 and 1 where there is none."""

    impulse: dict[str, Any]
    tau: dict[str, Any]

    def of(self, name: str) -> tuple[Any, Any]:
        """Impulse and time constant, of shape (size, 1, 1)."""
        return self.impulse[name][:, None, None], self.tau[name][:, None, None]


@dataclass(frozen=True)
class Features:
    """What each term changes if its coefficient is 1, in expectation.

    Attributes
    ----------
    window : array of shape (size, terms, lags)
    rates : array of shape (size, terms, rates, protocols)
    """

    window: Any
    rates: Any


def features(
    terms: tuple[str, ...], traces: Traces, target: StdpTarget, mantissas: Any = None
) -> Features:
    """Expected changes; with ``mantissas``, shape (size, terms), less what products drop.

    Rounding of traces and weights is by chance and right on average, so that sums are exact but for
    saturation of single copies.
    """
    size = len(next(iter(traces.tau.values())))
    window = np.zeros((size, len(terms), len(target.lags)))
    rates = np.zeros((size, len(terms), *target.rate_changes.shape[:2]))
    lags = target.lags[None]
    repeated = _repeated(traces, target) if target.rates.size else None
    for k, term in enumerate(terms):
        short, long = TERMS[term]
        sign = 1 if term.startswith("plus") else -1
        if not long:
            size_of, tau = traces.impulse[short][:, None], traces.tau[short][:, None]
            decayed = size_of * np.exp(-np.abs(lags) / tau)
            window[:, k] = np.where(np.sign(lags) == sign, sign * decayed, 0.0)
        if repeated is None:
            continue
        series = repeated[sign > 0, bool(long)]
        lost: Any = 0.0
        if long:
            lost = _dropped(
                series, None if mantissas is None else mantissas[:, k], sign, shift(term)
            )
        rates[:, k] = sign * series.sum(axis=0) - lost
    return Features(window, rates)


def _dropped(series: Any, mantissa: Any, sign: int, bits: int) -> Any:
    """What the shift of a product drops, always downwards, in units of the coefficient.

    Of a positive product at most itself; of a negative one up to a whole unit.
    """
    if mantissa is None:
        return 0.0
    m = np.where(mantissa == 0, 1, mantissa)[None, :, None, None]
    kept = series * np.abs(m) / 2**bits
    most = (2**bits - 1) / 2 ** (bits + 1)
    lost = np.where(sign * m > 0, np.minimum(kept, most), np.where(kept > 0, most, 0.0))
    return (lost * 2**bits / m).sum(axis=0)


def _repeated(traces: Traces, target: StdpTarget) -> dict[tuple[bool, bool], Any]:
    """Factors at each spike of repeated pairs, shape (pairs, size, rates, protocols).

    Keys: (at the postsynaptic spike, with the long trace). The first neuron of a pair is the
    presynaptic one where the lag is positive.
    """
    behind = (target.rate_lags > 0)[None, None, :]
    apart = np.abs(target.rate_lags)[None, None, :]
    rest = target.intervals[None, :, None] - apart
    own = [_either(traces, behind, *pair) for pair in (("x1", "y1"), ("x2", "y2"))]
    other = [_either(traces, behind, *pair) for pair in (("y1", "x1"), ("y2", "x2"))]
    sides = (own, other)
    shape = (len(next(iter(traces.tau.values()))), len(target.rates), len(target.rate_lags))
    values = [[np.zeros(shape) for _ in range(2)] for _ in range(2)]  # [side][short, long]
    found = np.zeros((2, 2, target.pairs, *shape))  # [side that spikes][with long]
    for pair in range(target.pairs):
        for side in (0, 1):
            gone = apart if side else (rest if pair else 0)
            for each in (0, 1):
                for k in (0, 1):
                    values[each][k] = values[each][k] * np.exp(-gone / sides[each][k][1])
            for k in (0, 1):
                grown = values[side][k] + sides[side][k][0]
                values[side][k] = np.minimum(grown, TRACE_MAX)
            short = values[1 - side][0]
            found[side, 0, pair] = short
            found[side, 1, pair] = short * (values[side][1] - sides[side][1][0])
    at_post = {
        long: np.where(behind, found[1, int(long)], found[0, int(long)]) for long in (False, True)
    }
    at_pre = {
        long: np.where(behind, found[0, int(long)], found[1, int(long)]) for long in (False, True)
    }
    return {(True, long): at_post[long] for long in at_post} | {
        (False, long): at_pre[long] for long in at_pre
    }


def _either(traces: Traces, behind: Any, one: str, other: str) -> tuple[Any, Any]:
    """Impulse and time constant of ``one`` where ``behind``, else of ``other``."""
    (a, tau_a), (b, tau_b) = traces.of(one), traces.of(other)
    return np.where(behind, a, b), np.where(behind, tau_a, tau_b)
