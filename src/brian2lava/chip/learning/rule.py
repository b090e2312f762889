"""Learning rules: sums of products, in the shape that Loihi's learning engine takes.

::

    LearningRule = dw, dd, dt (changes of weight, delay, tag), trace configurations, epoch
    change       = Product + Product + ...
    Product      = mantissa * 2^exponent * dependency * Factor * Factor ...
    dependency   = x0 (a presynaptic spike) | y0 (a postsynaptic spike) | u<k> (each 2^k-th epoch)
    Factor       = (variable + constant) | sgn(variable + constant)
    variable     = x0 x1 x2 (presynaptic) | y0 y1 y2 y3 (postsynaptic) | w d t (of the synapse)

Source: Davies et al. 2018, IEEE Micro 38(1); learning rules of lava-nc 0.10.0, where w, d and t are
``weights``, ``tag_2`` and ``tag_1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from brian2lava.chip.learning.widths import (
    CONSTANT,
    DECIMATION,
    EPOCH,
    EXPONENT,
    EXPONENT_B2L,
    FACTOR_BITS,
    IMPULSE_FRACTION_BITS,
    MANTISSA,
    PRODUCT_BITS,
    THIRD_FACTOR_TAU,
    TRACE,
)
from brian2lava.chip.limits import Limit
from brian2lava.errors import ChipLimit

PRE_TRACES = ("x1", "x2")
POST_TRACES = ("y1", "y2", "y3")
TRACES = PRE_TRACES + POST_TRACES
SYNAPTIC = ("w", "d", "t")
VARIABLES = ("x0", *PRE_TRACES, "y0", *POST_TRACES, *SYNAPTIC)
#: The change of a rule -> the synaptic variable that it changes.
TARGETS = {"dw": "w", "dd": "d", "dt": "t"}


class RuleError(ChipLimit):
    """A learning rule that can't be read, or that the chip can't hold; names the term."""


@dataclass(frozen=True)
class Factor:
    """``(variable + constant)``, or the sign of it.

    Attributes
    ----------
    variable : str
        One of ``VARIABLES``.
    constant : int
    sign : bool
        Whether only the sign (-1, 0, 1) counts.
    """

    variable: str
    constant: int = 0
    sign: bool = False

    def __post_init__(self) -> None:
        if self.variable not in VARIABLES:
            raise RuleError(f"{self.variable!r} is no variable of a rule: {', '.join(VARIABLES)}.")

    def text(self, sign_function: str = "sgn") -> str:
        """The factor as it stands in a rule."""
        inside = f"{self.variable}{self.constant:+d}" if self.constant else self.variable
        if self.sign:
            return f"{sign_function}({inside})"
        return f"({inside})" if self.constant else inside


@dataclass(frozen=True)
class Product:
    """``mantissa * 2**exponent * dependency * factors``; the ranges are those of a profile.

    Attributes
    ----------
    mantissa, exponent : int
    dependency : str
        ``x0``, ``y0`` or ``u0`` .. ``u9``.
    factors : tuple of Factor
    """

    mantissa: int
    exponent: int
    dependency: str
    factors: tuple[Factor, ...] = ()

    def __post_init__(self) -> None:
        gate = self.dependency
        if gate not in ("x0", "y0") and not (gate[:1] == "u" and gate[1:].isdigit()):
            raise RuleError(f"{gate!r} is no dependency: x0, y0 or u0 .. u9.")
        if self.decimation is not None:
            _hold(DECIMATION, self.decimation, f"term {self.text()!r}: the k of u<k>",
                  "Choose a shorter interval.")  # fmt: skip

    @property
    def decimation(self) -> int | None:
        """k of ``u<k>``; None if a spike is the dependency."""
        return int(self.dependency[1:]) if self.dependency[0] == "u" else None

    @property
    def scale(self) -> float:
        """mantissa * 2**exponent."""
        return float(self.mantissa * 2.0**self.exponent)

    @property
    def bits(self) -> int:
        """Sum of the factors' widths."""
        return sum(FACTOR_BITS[factor.variable] for factor in self.factors)

    @property
    def spikes(self) -> frozenset[str]:
        """Those of x0 and y0 without which the product is 0."""
        plain = {f.variable for f in self.factors if not f.constant and not f.sign}
        return frozenset({"x0", "y0"} & (plain | {self.dependency}))

    def text(self, sign_function: str = "sgn") -> str:
        """The product as it stands in a rule, its sign first."""
        size, parts = abs(self.mantissa), []
        if size != 1 or not self.exponent:
            parts = [str(size)] if size != 1 else []
        if self.exponent:
            parts.append(f"2^{self.exponent}")
        parts.append(self.dependency)
        parts += [factor.text(sign_function) for factor in self.factors]
        return ("-" if self.mantissa < 0 else "") + "*".join(parts)


def product(mantissa: int, exponent: int, dependency: str, *factors: Factor) -> Product:
    """A product whose mantissa is brought into 4 bits, if it can be, as lava-nc does."""
    while abs(mantissa) > MANTISSA.high and mantissa % 2 == 0 and exponent < EXPONENT.high:
        mantissa, exponent = mantissa // 2, exponent + 1
    return Product(mantissa, exponent, dependency, factors)


@dataclass(frozen=True)
class Trace:
    """How a trace grows and decays.

    Attributes
    ----------
    impulse : float
        Added at a spike, 0 .. 127; the part behind the point is added by chance.
    tau : float
        Time constant in steps, 0 or more; 0: the trace is gone after a step.
    """

    impulse: float = 0.0
    tau: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.impulse <= TRACE.high:
            raise RuleError(
                f"an impulse of {self.impulse} is outside 0..{TRACE.high} ({TRACE.source})."
                " Choose one in that range and scale the rule."
            )
        if not self.tau >= 0 or self.tau == float("inf"):
            raise RuleError(f"a time constant of {self.tau} steps; it has to be 0 or more, finite.")

    @property
    def whole(self) -> int:
        """The whole part of the impulse."""
        return int(self.impulse)

    @property
    def fraction(self) -> int:
        """The part behind the point, in 1/256."""
        return round((self.impulse - self.whole) * (1 << IMPULSE_FRACTION_BITS))


@dataclass(frozen=True)
class LearningRule:
    """How weights, delays and tags of a projection change.

    Attributes
    ----------
    dw, dd, dt : tuple of Product
        Changes of the weight w, the delay d (lava-nc: ``tag_2``) and the tag t (``tag_1``).
    x1, x2, y1, y2, y3 : Trace
    t_epoch : int
        Steps between two applications of the rule, 1 .. 63.
    third_factor : bool
        The target's neurons supply y1, y2 and y3; their configurations are not used.
    """

    dw: tuple[Product, ...] = ()
    dd: tuple[Product, ...] = ()
    dt: tuple[Product, ...] = ()
    x1: Trace = field(default_factory=Trace)
    x2: Trace = field(default_factory=Trace)
    y1: Trace = field(default_factory=Trace)
    y2: Trace = field(default_factory=Trace)
    y3: Trace = field(default_factory=Trace)
    t_epoch: int = 1
    third_factor: bool = False

    def __post_init__(self) -> None:
        if not self.products:
            raise RuleError("a learning rule changes nothing: give one of dw, dd, dt.")
        _hold(
            EPOCH, self.t_epoch, "the epoch of a learning rule (t_epoch)", "Choose a shorter one."
        )
        gates = sorted({p.dependency for p in self.products if p.decimation is not None})
        if len(gates) > 1:
            terms = ", ".join(
                repr(p.text()) for p in self.products if p.dependency in (gates[0], gates[1])
            )
            raise RuleError(
                f"terms {terms}: {' and '.join(gates)} in one rule; the chip has one k for all"
                " terms of dw, dd and dt. Use one of them, or scale a term instead."
            )
        if self.third_factor:
            for name in POST_TRACES:
                object.__setattr__(self, name, Trace(0.0, THIRD_FACTOR_TAU))

    @property
    def changes(self) -> dict[str, tuple[Product, ...]]:
        """w, d, t -> the products that change it; what is not changed is left out."""
        given = {TARGETS[name]: getattr(self, name) for name in TARGETS}
        return {variable: products for variable, products in given.items() if products}

    @property
    def products(self) -> tuple[Product, ...]:
        """All products."""
        return self.dw + self.dd + self.dt

    @property
    def decimation(self) -> int | None:
        """The k of u<k>, or None."""
        return next((p.decimation for p in self.products if p.decimation is not None), None)

    @property
    def traces(self) -> dict[str, Trace]:
        """The five trace configurations."""
        return {name: getattr(self, name) for name in TRACES}

    @property
    def used(self) -> frozenset[str]:
        """The variables that the rule reads."""
        return frozenset(f.variable for p in self.products for f in p.factors)

    def terms(self) -> Iterator[tuple[str, Product]]:
        """(``dw``, product), ..."""
        for name in TARGETS:
            for term in getattr(self, name):
                yield name, term

    def text(self, change: str = "dw", sign_function: str = "sgn") -> str:
        """``dw``, ``dd`` or ``dt`` as text, which lava-nc reads too; empty if there is none."""
        texts = [term.text(sign_function) for term in getattr(self, change)]
        joined = " + ".join(texts)
        return joined.replace("+ -", "- ")

    def __str__(self) -> str:
        lines = [f"{name} = {self.text(name)}" for name in TARGETS if getattr(self, name)]
        lines += [
            f"{name}: impulse {trace.impulse:g}, tau {trace.tau:g}"
            for name, trace in self.traces.items()
            if name in self.used and not (self.third_factor and name in POST_TRACES)
        ]
        return "\n".join([*lines, f"epoch of {self.t_epoch} steps"])

    def check(self, dialect: str = "lava") -> None:
        """Hold the rule to the limits of ``"lava"`` (the chip's) or ``"brian2loihi"``.

        Raises
        ------
        RuleError
            Names the change, the term, the value, the limit and a remedy.
        """
        CHECKS[dialect](self)


def _hold(limit: Limit, value: int, what: str, remedy: str) -> None:
    if not limit.low <= value <= limit.high:
        raise RuleError(
            f"{what}: {value} is outside {limit.low}..{limit.high} ({limit.source}). {remedy}"
        )


def _check_lava(rule: LearningRule) -> None:
    for name, term in rule.terms():
        what = f"{name}, term {term.text()!r}"
        _hold(MANTISSA, term.mantissa, f"{what}: mantissa",
              "Write the factor as mantissa * 2^exponent, or split the term in two.")  # fmt: skip
        _hold(EXPONENT, term.exponent, f"{what}: exponent", "Scale impulses or other terms.")
        for factor in term.factors:
            _hold(CONSTANT, factor.constant, f"{what}: constant", "Scale the term.")
            if factor.sign and factor.variable not in SYNAPTIC:
                raise RuleError(f"{what}: sgn is there for w, d and t only ({factor.text()}).")
        if term.bits > PRODUCT_BITS:
            raise RuleError(
                f"{what}: its factors have {term.bits} bits together; a product has 32, with"
                f" mantissa and sign (at most {PRODUCT_BITS} for factors). Leave a factor out."
            )


def _check_brian2loihi(rule: LearningRule) -> None:
    for name, term in rule.terms():
        what = f"{name}, term {term.text('sign')!r}"
        _hold(EXPONENT_B2L, term.exponent, f"{what}: exponent", "Scale impulses.")
        if name != "dw" or {"d", "t"} & {f.variable for f in term.factors}:
            raise RuleError(f"{what}: brian2-loihi has no delay d and no tag t in learning rules.")
        for factor in term.factors:
            trace = rule.traces.get(factor.variable)
            if trace is not None and not (trace.impulse and trace.tau):
                raise RuleError(
                    f"{what}: the trace {factor.variable} has no impulse or no time constant;"
                    f" give imp_{factor.variable} and tau_{factor.variable}."
                )
        _check_events_are_seen(rule, what, term)
    if rule.t_epoch != 1:
        raise RuleError(f"an epoch of {rule.t_epoch} steps; brian2-loihi has 1 only.")
    if rule.third_factor:
        raise RuleError("brian2-loihi has no third factor: y traces come from spikes.")
    for name, trace in rule.traces.items():
        if trace.impulse != int(trace.impulse) or trace.tau != int(trace.tau):
            raise RuleError(
                f"trace {name}: impulse {trace.impulse:g}, tau {trace.tau:g}; brian2-loihi takes"
                " whole numbers."
            )


def _check_events_are_seen(rule: LearningRule, what: str, term: Product) -> None:
    """brian2-loihi sets x0 and y0 only together with a trace of the same side."""
    read = {term.dependency} | {factor.variable for factor in term.factors}
    for event, names in (("x0", PRE_TRACES), ("y0", POST_TRACES)):
        if event in read and not any(is_on(rule.traces[name]) for name in names):
            raise RuleError(
                f"{what}: {event} without a trace of that side; brian2-loihi never sets it then."
                f" Give imp_{names[0]} and tau_{names[0]}."
            )


def is_on(trace: Trace) -> bool:
    """Whether brian2-loihi makes this trace at all."""
    return bool(trace.impulse and trace.tau)


CHECKS = {"lava": _check_lava, "brian2loihi": _check_brian2loihi}
