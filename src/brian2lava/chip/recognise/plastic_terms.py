"""Polynomials of plastic synapses -> terms of a chip's learning rule.

The chip evaluates a rule once a step, with all traces after the impulses of that step's spikes.
Brian2 executes pathways one after another, each with the traces as they are by then. So in terms of
an event,

- a trace of its own side that it increases later is (x1 - impulse),
- a trace of the other side whose event comes later in the step lacks an impulse where both spikes
  fall into one step: terms of x0*y0 take it off again,
- a trace of the other side whose event came before has its impulse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from brian2lava.chip.learning.ideal import IdealFactor, IdealTerm, IdealTrace

#: Factors with repetition, sorted -> coefficient; "x1-" is x1 before the impulse of this step.
Sum = dict[tuple[str, ...], float]
#: Terms below this share of the largest part that they were summed from have cancelled.
_CANCELLED = 1e-12
EARLIER = "-"


@dataclass(frozen=True)
class Seen:
    """How an event sees a trace: ``own`` side, and whether its impulse comes ``later``."""

    trace: IdealTrace
    own: bool
    later: bool


def terms_of(
    target: str, dependency: str, polynomial: Sum, seen: Mapping[str, Seen], text: str
) -> Iterator[IdealTerm]:
    """The terms of one change; ``polynomial`` in registers, w and t, as the event sees them.

    Traces in ``seen`` with ``later`` must be increased, not set.
    """
    own = {name: each for name, each in seen.items() if each.own and each.later}
    other = {name: each.trace for name, each in seen.items() if not each.own and each.later}
    for factors, coefficient in _shortest(polynomial, own).items():
        made = tuple(IdealFactor(f.removesuffix(EARLIER), f.endswith(EARLIER)) for f in factors)
        yield IdealTerm(target, dependency, coefficient, made, text)
        yield from _coincidences(
            IdealTerm(target, dependency, coefficient, made, text, correction=True), other
        )


def _coincidences(term: IdealTerm, later: Mapping[str, IdealTrace]) -> Iterator[IdealTerm]:
    """What takes off the impulses that the chip's traces have in the same step already."""
    concerned = [f for f in term.factors if f.variable in later]
    if not concerned:
        return
    spike = IdealFactor("y0" if term.dependency == "x0" else "x0")
    if len(concerned) == 1:
        rest = tuple(f for f in term.factors if f is not concerned[0])
        impulse = later[concerned[0].variable].impulse
        yield _with(term, -term.coefficient * impulse, (spike, *rest))
        return
    before = tuple(
        IdealFactor(f.variable, True) if f.variable in later else f for f in term.factors
    )
    yield _with(term, term.coefficient, (spike, *before))
    yield _with(term, -term.coefficient, (spike, *term.factors))


def _with(term: IdealTerm, coefficient: float, factors: tuple[IdealFactor, ...]) -> IdealTerm:
    return IdealTerm(term.target, term.dependency, coefficient, factors, term.text, True)


def _shortest(polynomial: Sum, own: Mapping[str, Seen]) -> Sum:
    """The polynomial with each own trace before or after its impulse, as gives fewest terms."""
    names = sorted(own)
    ways = []
    for choice in product((True, False), repeat=len(names)):
        made = polynomial
        for name, earlier in zip(names, choice, strict=True):
            by: Sum = {(name + EARLIER,): 1.0}
            if not earlier:
                by = {(name,): 1.0, (): -own[name].trace.impulse}
            made = replaced(made, name, by)
        ways.append(made)
    return min(ways, key=len)


def replaced(polynomial: Sum, name: str, by: Sum) -> Sum:
    """The polynomial with ``by`` in the place of a variable; what cancels is left out."""
    total: Sum = {}
    sizes: Sum = {}
    for factors, coefficient in polynomial.items():
        rest = tuple(f for f in factors if f != name)
        parts: Sum = {rest: coefficient}
        for _ in range(len(factors) - len(rest)):
            parts = _times(parts, by)
        for key, value in parts.items():
            total[key] = total.get(key, 0.0) + value
            sizes[key] = max(sizes.get(key, 0.0), abs(value))
    return {key: value for key, value in total.items() if abs(value) > _CANCELLED * sizes[key]}


def _times(first: Sum, second: Sum) -> Sum:
    made: Sum = {}
    for (a, x), (b, y) in product(first.items(), second.items()):
        key = tuple(sorted((*a, *b)))
        made[key] = made.get(key, 0.0) + x * y
    return made


def merged(terms: Sequence[IdealTerm]) -> tuple[IdealTerm, ...]:
    """Terms of the same target, dependency and factors added up, in the order of the first."""
    found: dict[tuple[object, ...], IdealTerm] = {}
    for term in terms:
        key = term.target, term.dependency, tuple(sorted(map(repr, term.factors)))
        first = found.get(key)
        if first is None:
            found[key] = term
            continue
        text = first.text if term.text in first.text else f"{first.text}; {term.text}"
        found[key] = IdealTerm(
            term.target, term.dependency, first.coefficient + term.coefficient, first.factors,
            text, first.correction and term.correction,
        )  # fmt: skip
    return tuple(term for term in found.values() if term.coefficient)
