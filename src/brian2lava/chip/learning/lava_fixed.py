"""The learning step of lava-nc's fixed-point model ("bit approximate"), integer by integer.

::

    trace    x = floor(x * exp(-1/tau)) + [draw < its fraction]        tau = 0: x = 0
    impulse  x = clip(x + whole + [draw < fraction], 0, 127)           draw: 7 bits
    rule     acc = z << 7
             each product:  p = gate * mantissa * prod_j clip(f_j, -2^b_j, 2^b_j - 1)
                            p = p >> max(0, sum_j b_j + 4 - 15)
                            acc = clip(acc + clip(p << (exponent + 7)), -2^15 - 1, 2^15 - 1)
             z = clip(floor(acc / 2^7) + [draw < the fraction])

b_j are the widths of the factors (``widths.FACTOR_BITS``). What differs from a chip, or from the
floating-point model, is lava-nc's and kept: one draw serves a whole projection; fractional impulses
are added twice as often as they say, and always at an early spike within an epoch; products of
two traces are 8 times weaker than in floating point; weights are not truncated after learning.

Source: ``LearningConnectionModelBitApproximate`` and ``LearningRuleApplierBitApprox``, lava-nc
0.10.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brian2lava.chip.learning.lava import LavaLearning, Values
from brian2lava.chip.learning.rule import LearningRule, Product, Trace
from brian2lava.chip.learning.synapses import Synapses, check_rule, clip_of, hold, synaptic
from brian2lava.chip.learning.tape import LavaDraws
from brian2lava.chip.learning.widths import (
    ACCUMULATOR_BITS,
    ACCUMULATOR_HIGH,
    ACCUMULATOR_LOW,
    ACCUMULATOR_SHIFT,
    EXPONENT_OFFSET,
    FACTOR_BITS,
    MANTISSA_BITS,
    TAG_1_CLIP,
    TAG_2_CLIP,
    TRACE,
    WEIGHT_CLIP,
)


class FixedLearning(LavaLearning):
    """Learning in lava-nc's integers.

    Parameters
    ----------
    rule : LearningRule
    synapses : Synapses
    weights : int or array of shape (synapses,)
        Mantissas, already truncated to the weight's bits.
    tape : LavaDraws
    sign_mode : {"MIXED", "EXCITATORY", "INHIBITORY"}
        lava-nc takes MIXED for plastic synapses unless told otherwise.
    delays, tags : int or array of shape (synapses,)
        Initial d (lava-nc: ``tag_2``), 0 .. 255, and t (``tag_1``), -257 .. 255.
    """

    def __init__(
        self,
        rule: LearningRule,
        synapses: Synapses,
        weights: Any,
        tape: LavaDraws,
        sign_mode: str = "MIXED",
        delays: Any = 0,
        tags: Any = 0,
    ) -> None:
        super().__init__(check_rule(rule, "lava"), synapses, np.int64)
        self.tape = tape
        self.clips = {"w": clip_of(sign_mode, WEIGHT_CLIP), "d": TAG_2_CLIP, "t": TAG_1_CLIP}
        for name, given, what in (
            ("w", weights, f"weights ({sign_mode})"), ("d", delays, "delays"), ("t", tags, "tags"),
        ):  # fmt: skip
            self.variables[name] = synaptic(given, synapses, np.int64, what)
            hold(self.variables[name], *self.clips[name], what)

    def _draw(self) -> None:
        draws = self.tape.traces(self.time_step)
        self._decay_draw = {"x": draws.x_decay, "y": draws.y_decay}
        self._impulse_draw = {"x": draws.x_impulse, "y": draws.y_impulse}
        self._early_draw = {"x": 0, "y": draws.y_impulse_early}
        if self.time_step % self.rule.t_epoch == 0:
            self._round = self.tape.weights(self.time_step // self.rule.t_epoch)

    def _early_impulse(self, name: str, values: Values) -> Values:
        return add_impulse(values, self.rule.traces[name], self._early_draw[name[0]])

    def _impulse(self, name: str, values: Values) -> Values:
        return add_impulse(values, self.rule.traces[name], self._impulse_draw[name[0]])

    def _decayed(self, name: str, values: Values) -> Values:
        return decay_trace(values, self.rule.traces[name].tau, self._decay_draw[name[0]])

    def _check_trace(self, name: str, values: Values) -> None:
        hold(values, TRACE.low, TRACE.high, f"post_traces, {name}")

    def _changed(
        self,
        variable: str,
        products: tuple[Product, ...],
        value: Callable[[str, Product], Values],
    ) -> Values:
        accumulator = self.variables[variable] << ACCUMULATOR_SHIFT
        for term in products:
            factors = [(value(f.variable, term), f) for f in term.factors]
            p = np.where(self.gate(term, value), fixed_product(term, factors), 0)
            accumulator = saturate(accumulator + saturate(p))
        return np.clip(round_accumulator(accumulator, self._round), *self.clips[variable])


def decay_trace(values: Values, tau: float, draw: float) -> Values:
    """floor(x * exp(-1/tau)) + [draw < the fraction]; 0 where tau is 0."""
    if tau == 0:
        return np.zeros_like(values)
    decayed = np.exp(-1 / tau) * values
    whole = np.floor(decayed)
    return (whole + (draw < decayed - whole)).astype(values.dtype)


def add_impulse(values: Values, trace: Trace, draw: int) -> Values:
    """clip(x + whole + [draw < fraction], 0, 127)."""
    return np.clip(values + trace.whole + int(draw < trace.fraction), TRACE.low, TRACE.high)


def fixed_product(term: Product, factors: list[tuple[Values, Any]]) -> Values | int:
    """p of a product, shifted by its exponent, not yet saturated."""
    p: Values | int = term.mantissa
    for values, factor in factors:
        f = values + factor.constant
        if factor.sign:
            f = np.sign(f)
        bits = FACTOR_BITS[factor.variable]
        p = p * np.clip(f, -(1 << bits), (1 << bits) - 1)
    p = p >> max(0, term.bits + MANTISSA_BITS - ACCUMULATOR_BITS)
    return p << (term.exponent + EXPONENT_OFFSET)


def saturate(accumulator: Values) -> Values:
    """Into -2^15 - 1 .. 2^15 - 1."""
    return np.clip(accumulator, ACCUMULATOR_LOW, ACCUMULATOR_HIGH)


def round_accumulator(accumulator: Values, draw: float) -> Values:
    """floor(acc / 2^7) + [draw < the fraction]."""
    whole = accumulator >> ACCUMULATOR_SHIFT
    fraction = (accumulator - (whole << ACCUMULATOR_SHIFT)) / (1 << ACCUMULATOR_SHIFT)
    return whole + (draw < fraction)
