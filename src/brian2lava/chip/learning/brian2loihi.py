"""The learning step of brian2-loihi 0.5.2.

::

    bits     b = [draw < frac(x * (1 - 1/tau))]          from the trace before this step's impulse
    impulse  x = min(x + impulse, 127)                   where a spike arrives
    rule     dw = sum of products, with traces after their impulse, and w
             dw = sgn(dw) * ceil(|dw|);  dw = P * (trunc(dw / P) + c);  w = clip(w + dw)
    carry    c = sgn(e) * [draw < (|e| mod P) / P]       e: dw as it stands before the step
    decay    x = trunc(x * (1 - 1/tau)) + b

Traces belong to the synapse, so each draws its own bit. P is the grid of the weight's bits. Some
peculiarities are kept: the decay factor has 15 significant digits in the whole part and all
of them in the fraction, and u<k> is asked of a time in floating point (from step 2,002 on it misses
some epochs). The stochastic rounding of dw to P happens before the step, where x0 and y0 are still
0, and by code in which Brian2 has made 0 of every negative power of 2: so it never happens but for
u<k> terms with exponents of 0 and above.

Source: ``LoihiSynapses`` of brian2-loihi 0.5.2, and the code that Brian2 2.9 makes of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.learning.rule import POST_TRACES, PRE_TRACES, LearningRule, Product, is_on
from brian2lava.chip.learning.synapses import (
    Spikes,
    Synapses,
    check_rule,
    clip_of,
    hold,
    spikes,
    synaptic,
)
from brian2lava.chip.learning.tape import SynapseDraws
from brian2lava.chip.learning.widths import TRACE_MAX, WEIGHT_CLIP_B2L

#: Brian2's time step in brian2-loihi, in seconds; also its "ms".
_MS = 0.001


class Brian2LoihiLearning:
    """Learning in brian2-loihi's arithmetic.

    Parameters
    ----------
    rule : LearningRule
    synapses : Synapses
    weights : int or array of shape (synapses,)
        Mantissas, as they are given: they are not brought to the grid.
    tape : SynapseDraws
    sign_mode : {"MIXED", "EXCITATORY", "INHIBITORY"}
    num_weight_bits : int

    Attributes
    ----------
    weights : array of int64, shape (synapses,)
    traces : dict of str to array of int64, shape (synapses,)
        Those that have an impulse and a time constant.
    time : int
        Steps made: brian2-loihi's time in ms of the next call.
    """

    def __init__(
        self,
        rule: LearningRule,
        synapses: Synapses,
        weights: Any,
        tape: SynapseDraws,
        sign_mode: str = "EXCITATORY",
        num_weight_bits: int = 8,
    ) -> None:
        self.rule = check_rule(rule, "brian2loihi")
        self.synapses = synapses
        self.tape = tape
        self.time = 0
        self.clip = clip_of(sign_mode, WEIGHT_CLIP_B2L)
        self.precision = precision(sign_mode, num_weight_bits)
        self.weights = synaptic(weights, synapses, np.int64, "weights")
        hold(self.weights, *self.clip, f"weights ({sign_mode})")
        self.traces = {
            name: np.zeros(synapses.size, dtype=np.int64)
            for name, trace in rule.traces.items()
            if is_on(trace)
        }

    def step(self, pre_spikes: Spikes, post_spikes: Spikes) -> None:
        """One time step; ``pre_spikes`` by the time that they arrive, after their delay."""
        arrived = {
            "x": spikes(pre_spikes, self.synapses.n_pre, "pre_spikes")[self.synapses.pre],
            "y": spikes(post_spikes, self.synapses.n_post, "post_spikes")[self.synapses.post],
        }
        bits = {
            name: self.tape.round_up(name, self.time, fraction(values, self.rule.traces[name].tau))
            for name, values in self.traces.items()
        }
        nothing = np.zeros(self.synapses.size, dtype=bool)
        carry = self._carry(self._change({"x0": nothing, "y0": nothing}, least_exponent=0))
        for name, values in self.traces.items():
            values[arrived[name[0]]] += self.rule.traces[name].whole
            np.minimum(values, TRACE_MAX, out=values)
        events = {
            "x0": arrived["x"] & any(name in self.traces for name in PRE_TRACES),
            "y0": arrived["y"] & any(name in self.traces for name in POST_TRACES),
        }
        change = on_grid(self._change(events), self.precision) + carry
        self.weights = np.clip(self.weights + change, *self.clip)
        for name, values in self.traces.items():
            tau = self.rule.traces[name].tau
            self.traces[name] = (decay_factor(tau) * values).astype(np.int64) + bits[name]
        self.time += 1

    def _change(
        self, events: dict[str, NDArray[Any]], least_exponent: int = -99
    ) -> NDArray[np.float64]:
        terms = (term for term in self.rule.dw if term.exponent >= least_exponent)
        return away_from_zero(
            sum((self._product(term, events) for term in terms), np.zeros(self.synapses.size))
        )

    def _carry(self, change: NDArray[np.float64]) -> NDArray[np.int64]:
        probability = np.abs(change) % self.precision / self.precision
        up = self.tape.round_up("w", self.time, probability)
        return (np.sign(change) * up * self.precision).astype(np.int64)

    def _product(self, term: Product, events: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        values = {**events, **self.traces, "w": self.weights}
        k = term.decimation
        gate = values[term.dependency] if k is None else due(self.time, k)
        p = np.full(self.synapses.size, term.scale * np.asarray(gate, dtype=np.float64))
        for factor in term.factors:
            f = values[factor.variable] + factor.constant
            p = p * (np.sign(f) if factor.sign else f)
        return p


def precision(sign_mode: str, num_weight_bits: int) -> int:
    """P = 2^(8 - (bits - [MIXED])), the step between two weights."""
    return int(2 ** (8 - (num_weight_bits - (sign_mode == "MIXED"))))


def fraction(values: NDArray[Any], tau: float) -> NDArray[np.float64]:
    """The fraction of x * (1 - 1/tau), by which a trace is rounded up."""
    decayed = (1 - 1.0 / tau) * values
    return decayed - np.trunc(decayed)


def decay_factor(tau: float) -> float:
    """1 - 1/tau as Brian2 writes it: with 15 significant digits."""
    return float(f"{1 - 1.0 / tau:.15g}")


def due(time: int, k: int) -> bool:
    """Whether u<k> holds, asked as brian2-loihi does."""
    return k == 0 or (time * _MS) / _MS % 2**k == 0


def away_from_zero(change: NDArray[np.float64]) -> NDArray[np.float64]:
    """sgn(dw) * ceil(|dw|)."""
    return np.sign(change) * np.ceil(np.abs(change))


def on_grid(change: NDArray[np.float64], precision: int) -> NDArray[np.int64]:
    """P * trunc(dw / P)."""
    return (np.trunc(change / precision) * precision).astype(np.int64)


def actual_weights(
    weights: NDArray[Any], sign_mode: str, num_weight_bits: int, exponent: int, learned: bool
) -> NDArray[np.int64]:
    """What reaches the target: floor(w * 2^(6+exponent) / 64) * 64, within 21 bits.

    ``learned``: after the first step of a plastic projection brian2-loihi no longer truncates to
    the weight's bits.
    """
    from brian2lava.chip.limits import SCALED_WEIGHT

    grid = 1 if learned else precision(sign_mode, num_weight_bits)
    shifted = np.trunc(np.asarray(weights) / grid) * grid
    scaled = np.floor(shifted * 2.0 ** (6 + exponent) / 64) * 64
    return np.clip(scaled, SCALED_WEIGHT.low, SCALED_WEIGHT.high).astype(np.int64)
