"""A learning rule in the chip's integers: impulses, time constants, mantissas and exponents.

A trace has 7 bits. Its impulse (a whole number) is its scale: large ones resolve the trace finely,
small ones leave room for many spikes and for small coefficients, of which the smallest is 2^-7 of a
mantissa. A trace that is *set* at a spike gets the impulse 127, at which it saturates. The tag has
8 bits and a sign, and a scale of its own. For each term the coefficient in integers is

    c = c_user * (product of the factors' units) / unit of the target * 2^shift,

to which the sum of up to two mantissa * 2^exponent comes as near as it can; ``shift`` makes good
for the bits that lava-nc's arithmetic drops from products of several factors. Impulses, the tag's
unit and the interval 2^k of what happens without spikes are searched for together, one after
another, so that all coefficients lose least.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.ideal import IdealProjection, Reals
from brian2lava.chip.learning.ideal import (
    IdealFactor,
    IdealLearning,
    IdealTerm,
    IdealTrace,
)
from brian2lava.chip.learning.profile import dialect
from brian2lava.chip.learning.rule import (
    PRE_TRACES,
    Factor,
    LearningRule,
    Product,
    RuleError,
    Trace,
)
from brian2lava.chip.learning.widths import (
    ACCUMULATOR_BITS,
    DECIMATION,
    EXPONENT,
    FACTOR_BITS,
    MANTISSA,
    MANTISSA_BITS,
    TAG_1_CLIP,
    TRACE_MAX,
)
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise.plastic_coefficients import PRODUCTS, nearest
from brian2lava.chip.quantise.plastic_traces import (
    LEAST_IMPULSES,
    ROOM,
    decay_of,
    impulses,
    time_constant,
)
from brian2lava.chip.quantise.plastic_weights import GREATEST, unit_gain
from brian2lava.chip.quantise.result import Learnt, ParameterRow, Reading, Span
from brian2lava.errors import ChipLimit

#: A term that is off by more is refused.
WORST_TERM = 0.1
#: How much a coarse trace counts beside the error of a coefficient: rounding by chance in each step
#: leaves a variance of about 1/12 a step, for a time constant's number of steps.
_COARSE = 0.02
_ROUNDS = 3
#: The tag decays in at least so many pieces a time constant.
_PIECES = 8


@dataclass(frozen=True)
class _Scales:
    """What is searched for: impulses by register, the tag's unit (in the user's), and k."""

    impulses: Mapping[str, float]
    tag: float
    k: int


def quantise_learning(
    projection: IdealProjection, weight_step: float, arithmetic: Arithmetic, dt: float
) -> tuple[LearningRule, Learnt, tuple[ParameterRow, ...]]:
    """The rule of a projection in integers, the way back, and its rows.

    Parameters
    ----------
    projection : IdealProjection
    weight_step : float
        What a unit of the mantissa means, in the unit of v.
    arithmetic : Arithmetic
    dt : float
        Seconds.

    Raises
    ------
    ChipLimit
        A term, a time constant or an initial value does not fit; names it, the limit and a remedy.
    """
    return _Quantising(projection, weight_step, arithmetic, dt).done()


class _Quantising:
    def __init__(
        self, projection: IdealProjection, weight_step: float, arithmetic: Arithmetic, dt: float
    ) -> None:
        assert projection.learning is not None
        self.projection = projection
        self.learning: IdealLearning = projection.learning
        self.step = weight_step / unit_gain(projection)
        self.arithmetic = arithmetic
        self.dialect = dialect(arithmetic.learning_rounding)
        self.dt = dt
        self.what = f"synapses {self.learning.synapses!r}"
        self._check_dialect()
        self.tags = self._tag_units()
        self.taus = {
            trace.register: time_constant(trace, self.arithmetic) for trace in self.learning.traces
        }

    def _check_dialect(self) -> None:
        if self.learning.tag is not None and self.dialect != "lava":
            raise ChipLimit(
                f"{self.what}: {self.learning.tag.name!r} is a variable of each synapse (the"
                f" chip's tag t), which learning in the arithmetic {self.arithmetic.name!r} does"
                " not have. Use arithmetic='lava'."
            )

    # ------------------------------------------------------------ scales
    def done(self) -> tuple[LearningRule, Learnt, tuple[ParameterRow, ...]]:
        scales = self._searched()
        terms = self._terms(scales)
        products = {"w": list[Product](), "t": list[Product]()}
        rows = [*self._bound_rows(), *self._trace_rows(scales), *self._tag_rows(scales)]
        for term in terms:
            made = self._products(term, scales)
            products[term.target] += made
            rows.append(self._term_row(term, made, scales))
        try:
            rule = LearningRule(
                dw=tuple(products["w"]), dt=tuple(products["t"]), **self._traces(scales)
            )
            rule.check(self.dialect)
        except RuleError as error:
            raise ChipLimit(f"{self.what}: {error}") from error
        return rule, self._learnt(scales), tuple(rows)

    def _searched(self) -> _Scales:
        ranges = {trace.register: impulses(trace) for trace in self.learning.traces}
        best, least = None, np.inf
        for k in self._intervals():
            scales = _Scales(
                {name: float(values[-1]) for name, values in ranges.items()}, self.tags[-1], k
            )
            for _ in range(_ROUNDS):
                for name, values in ranges.items():
                    scales = self._better(scales, [
                        replace(scales, impulses={**scales.impulses, name: float(v)})
                        for v in values
                    ])  # fmt: skip
                if self.learning.tag is not None:
                    scales = self._better(
                        scales, [replace(scales, tag=float(v)) for v in self.tags]
                    )
            loss = self._loss(scales)
            if loss < least:
                best, least = scales, loss
        assert best is not None
        return best

    def _better(self, present: _Scales, candidates: list[_Scales]) -> _Scales:
        """The candidate that loses least; all of them at once."""
        losses = [self._loss(each) for each in candidates]
        return candidates[int(np.argmin(losses))] if losses else present

    def _loss(self, scales: _Scales) -> float:
        total = 0.0
        for term in self._terms(scales):
            wanted = self._coefficient(term, scales)
            error = float(nearest(wanted)[0] / wanted - 1)
            total += error**2 * (0.1 if term.correction else 1.0)
        coarse = sum(self.taus[name] / 12 / impulse**2 for name, impulse in scales.impulses.items())
        if self.learning.tag is not None:
            coarse += (scales.tag / self.tags[0] / 255) ** 2
        return total + _COARSE * coarse

    def _tag_units(self) -> Reals:
        """Units of the tag, the finest first."""
        tag = self.learning.tag
        if tag is None:
            return np.ones(1)
        peak = max(tag.peak, float(np.abs(tag.initial).max(initial=0.0)))
        if peak == 0:
            sizes = [
                abs(t.coefficient) * np.prod([self._size(f.variable) for f in t.factors])
                for t in self.learning.terms
                if t.target == "t" and t.dependency != "u0"
            ]
            peak = LEAST_IMPULSES * max(map(float, sizes), default=1.0)
        return np.geomspace(1, 8, 60) * (ROOM * peak / TAG_1_CLIP[1])

    def _size(self, variable: str) -> float:
        found = (abs(t.impulse) for t in self.learning.traces if t.register == variable)
        return next(found, 1.0)

    def _intervals(self) -> list[int]:
        """Values of k that are worth trying for what happens without spikes."""
        if not any(term.dependency == "u0" for term in self._all_terms()):
            return [0]
        tag = self.learning.tag
        if tag is None or tag.decay == 1:
            return list(range(DECIMATION.high + 1))
        most = int(np.log2(max(1.0, -1 / np.log(tag.decay) / _PIECES)))
        return list(range(min(most, DECIMATION.high) + 1))

    # ------------------------------------------------------------ terms
    def _all_terms(self) -> list[IdealTerm]:
        terms = list(self.learning.terms)
        tag = self.learning.tag
        if tag is not None and tag.decay < 1:
            terms.append(
                IdealTerm("t", "u0", tag.decay - 1, (IdealFactor("t"),), f"decay of {tag.name}")
            )
        return terms

    def _terms(self, scales: _Scales) -> list[IdealTerm]:
        """The terms with those of every step gathered into one in 2^k steps."""
        return [
            replace(term, coefficient=term.coefficient * self._gathered(term, scales.k))
            if term.dependency == "u0" else term
            for term in self._all_terms()
        ]  # fmt: skip

    def _gathered(self, term: IdealTerm, k: int) -> float:
        """What 2^k steps do together over what one does: the tag decays in between."""
        tag, steps = self.learning.tag, 2**k
        own = [f.variable for f in term.factors].count("t") == 1
        if tag is None or not own or tag.decay == 1:
            return float(steps)
        return float((1 - tag.decay**steps) / (1 - tag.decay))

    def _unit(self, variable: str, scales: _Scales) -> float:
        """What a unit of a variable's integer means, in the user's unit."""
        if variable in ("x0", "y0"):
            return 1.0
        if variable == "w":
            return self.step
        if variable == "t":
            return scales.tag
        return self.learning.trace(variable).impulse / scales.impulses[variable]

    def _shift(self, term: IdealTerm) -> int:
        if self.dialect != "lava":
            return 0
        bits = sum(FACTOR_BITS[f.variable] for f in term.factors)
        return max(0, bits + MANTISSA_BITS - ACCUMULATOR_BITS)

    def _coefficient(self, term: IdealTerm, scales: _Scales) -> float:
        units = np.prod([self._unit(f.variable, scales) for f in term.factors])
        target = self._unit(term.target, scales)
        return float(term.coefficient * units / target * 2.0 ** self._shift(term))

    def _products(self, term: IdealTerm, scales: _Scales) -> list[Product]:
        wanted = self._coefficient(term, scales)
        meant, pairs = nearest(wanted)
        error = float(meant / wanted - 1)
        if abs(error) > WORST_TERM and not term.correction:
            self._refuse_term(term, wanted, float(meant))
        factors = tuple(
            Factor(
                f.variable,
                -round(scales.impulses[f.variable]) if f.earlier else 0,
            )
            for f in term.factors
        )
        dependency = f"u{scales.k}" if term.dependency == "u0" else term.dependency
        return [
            Product(int(mantissa), int(exponent), dependency, factors)
            for mantissa, exponent in pairs
            if mantissa
        ]

    def _refuse_term(self, term: IdealTerm, wanted: float, meant: float) -> None:
        least, most = 2.0**EXPONENT.low, PRODUCTS * MANTISSA.high * 2.0**EXPONENT.high
        small = abs(wanted) < most / 2
        remedy = (
            "Let a single spike change more (a larger learning rate), or let the weight have fewer"
            " steps (a larger unit)" if small else "Let a spike change less"
        )  # fmt: skip
        raise ChipLimit(
            f"{self.what}: the term {self._told(term)} of '{term.text}' has the coefficient"
            f" {wanted:.4g} in the chip's units, and mantissas of 4 bits with exponents"
            f" {EXPONENT.low}..{EXPONENT.high} have {least:.4g} to {most:.4g}"
            f" ({EXPONENT.source}), next to it {meant:.4g}, more than {WORST_TERM:.0%} off."
            f" {remedy}."
        )

    def _told(self, term: IdealTerm) -> str:
        names = {trace.register: trace.name for trace in self.learning.traces}
        names |= {"w": self.learning.weight, "x0": "pre", "y0": "post", "u0": "step"}
        if self.learning.tag is not None:
            names["t"] = self.learning.tag.name
        factors = [names[f.variable] + ("(before)" if f.earlier else "") for f in term.factors]
        return "*".join([f"[{names[term.dependency]}]", *factors])

    # ------------------------------------------------------------ traces
    def _traces(self, scales: _Scales) -> dict[str, Any]:
        made: dict[str, Any] = {
            name: Trace(scales.impulses[name], float(self.taus[name])) for name in self.taus
        }
        if self.dialect == "brian2loihi":
            # spikes of a side without trace are not seen there
            read = {t.dependency for t in self.learning.terms}
            read |= {f.variable for t in self.learning.terms for f in t.factors}
            for spike, register in (("x0", "x1"), ("y0", "y1")):
                if spike in read:
                    made.setdefault(register, Trace(1.0, 1.0))
        return made

    def _learnt(self, scales: _Scales) -> Learnt:
        readings = [Reading(self.learning.weight, "w", self._read_step(), 0.0)]
        initial = {}
        for trace in self.learning.traces:
            unit = self._unit(trace.register, scales)
            ahead = self.arithmetic.trace_decay == "reciprocal"
            # brian2-loihi's traces have decayed to the next step at the end of one
            kept = decay_of(self.taus[trace.register], self.arithmetic) if ahead else 1.0
            readings.append(
                Reading(trace.name, trace.register, unit / kept if kept else unit, trace.rest)
            )
            values = np.rint(trace.initial * kept / unit)
            if (values < 0).any() or (values > TRACE_MAX).any():
                raise ChipLimit(
                    f"{self.what}: {trace.name!r} begins with"
                    f" {trace.initial[np.argmax(np.abs(values))]:.6g}, {values.min():.0f} to"
                    f" {values.max():.0f} in a register that holds 0..{TRACE_MAX}. Begin with"
                    " a value that spikes could have made, or 0."
                )
            initial[trace.register] = values.astype(np.int64)
            self._check_of_neurons(trace, initial[trace.register])
        tag = self.learning.tag
        if tag is not None:
            readings.append(Reading(tag.name, "t", scales.tag, 0.0))
            initial["t"] = np.rint(tag.initial / scales.tag).astype(np.int64)
        return Learnt(self.learning.synapses, tuple(readings), initial)

    def _read_step(self) -> float:
        """The weight's step so that the greatest mantissa reads as the bound, and not above it."""
        bounds = [abs(b) for b in (self.learning.low, self.learning.high) if np.isfinite(b) and b]
        greatest = max(GREATEST.values())
        unit = abs(self.step)
        if bounds and abs(greatest * unit - max(bounds)) < 1e-9 * max(bounds):
            unit = max(bounds) / greatest
            while greatest * unit > max(bounds):
                unit = float(np.nextafter(unit, 0))
        return float(np.copysign(unit, self.step))

    def _check_of_neurons(self, trace: IdealTrace, values: NDArray[np.int64]) -> None:
        """lava-nc's neurons keep a trace for all their synapses, which must begin alike."""
        ends = self.projection.pre if trace.register in PRE_TRACES else self.projection.post
        first = np.zeros(int(ends.max(initial=-1)) + 1, np.int64)
        first[ends] = values
        if self.dialect == "lava" and np.any(first[ends] != values):
            raise ChipLimit(
                f"{self.what}: {trace.name!r} begins with different values in synapses of one"
                " neuron, and on the chip a neuron keeps its trace for all of them. Set it to the"
                " same value."
            )

    # ------------------------------------------------------------ rows
    def _row(
        self, parameter: str, value: object, unit: str, register: str, integers: object,
        meant: object, error: float, note: str,
    ) -> ParameterRow:  # fmt: skip
        return ParameterRow(
            self.learning.synapses, parameter, Span.of(value), unit, register,
            Span.of(integers), Span.of(meant), error, note,
        )  # fmt: skip

    def _bound_rows(self) -> Iterator[ParameterRow]:
        learning = self.learning
        rounding = (
            "a change is rounded to whole mantissas by chance, right on average"
            if self.dialect == "lava"
            else "a change is rounded to whole mantissas away from zero: small ones grow to one"
        )
        yield self._row(
            f"step of {learning.weight}", abs(self.step), learning.unit, "weights", 1,
            abs(self.step), 0.0, rounding,
        )  # fmt: skip

    def _trace_rows(self, scales: _Scales) -> Iterator[ParameterRow]:
        for trace in self.learning.traces:
            name, impulse = trace.register, scales.impulses[trace.register]
            room = "set: it saturates" if trace.sets else f"room for {TRACE_MAX / impulse:.3g}"
            yield self._row(
                f"impulse of {trace.name}", trace.impulse, "", f"{name}_impulse", impulse,
                trace.impulse, 0.0, room,
            )  # fmt: skip
            tau = -self.dt / np.log(trace.decay)
            decay = decay_of(self.taus[name], self.arithmetic)
            meant = -self.dt / np.log(decay) if decay else 0.0
            yield self._row(
                f"time constant of {trace.name}", tau, "s", f"{name}_tau", self.taus[name],
                meant, meant / tau - 1, "steps",
            )  # fmt: skip

    def _tag_rows(self, scales: _Scales) -> Iterator[ParameterRow]:
        tag = self.learning.tag
        if tag is not None:
            yield self._row(
                f"step of {tag.name}", scales.tag, "", "tag_1", 1, scales.tag, 0.0,
                f"holds up to {scales.tag * TAG_1_CLIP[1]:.4g}; changes without spikes once in"
                f" {2**scales.k} steps",
            )  # fmt: skip

    def _term_row(self, term: IdealTerm, products: list[Product], scales: _Scales) -> ParameterRow:
        wanted = self._coefficient(term, scales)
        meant = sum(product.scale for product in products)
        per_unit = term.coefficient / wanted
        texts = " + ".join(product.text() for product in products) or "nothing"
        return self._row(
            f"{self._told(term)} in {term.text}", term.coefficient, "",
            {"w": "dw", "t": "dt"}[term.target], [p.mantissa for p in products], meant * per_unit,
            meant / wanted - 1 if not term.correction else 0.0,
            texts + (
                f"; two spikes in one step, {meant / wanted - 1:+.1%}" if term.correction else ""
            ),
        )  # fmt: skip
