"""Short-term plasticity out of the chip's learning engine: rules, and their expected values.

Plastic weights need not last. Two rules make them transient:

*A weight that relaxes.* Each presynaptic spike moves it towards an end, time brings it back:

    dw = -a x0 (w - end) - b u<k> (w - rest)

With the end at 0 that is Tsodyks and Markram's depression without facilitation; with the end at the
largest weight it is facilitation without depression: u + U (1 - u) obeys the same two lines.

*Two factors.* Resources in the tag t, facilitation in the trace x1, and a weight that is made anew
from both at regular intervals:

    dt = -a x0 t - c x0 t (x1 - impulse) - b u<k> (t - 255)
    dw = -1 u<k> w + p u<k> t + q u<k> x1 t

A spike delivers its weight before the rule changes it, as the model releases before it depresses.
What differs from the model: x1 grows by its impulse and not by U (1 - u), until it saturates at
127; and the weight is as old as the last of its intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.learning import Factor, LearningRule, Product, Trace
from brian2lava.chip.learning.widths import TAG_2_CLIP, TRACE_MAX
from brian2lava.fit.synapse.coefficients import product, shift_of

#: The resources of a synapse at rest, in the tag.
FULL = TAG_2_CLIP[1]

RELAXING = ("push_mantissa", "push_exponent", "pull_mantissa", "pull_exponent", "k", "end",
            "weight")  # fmt: skip
TWO_FACTORS = ("use_mantissa", "use_exponent", "more_mantissa", "more_exponent",
               "pull_mantissa", "pull_exponent", "k", "weight_mantissa", "weight_exponent",
               "gain_mantissa", "gain_exponent", "impulse", "tau")  # fmt: skip

Columns = dict[str, Any]


def relaxing_rule(registers: dict[str, int]) -> LearningRule:
    """The rule of a weight that relaxes."""
    r = registers
    return LearningRule(
        dw=(
            *product(-r["push_mantissa"], r["push_exponent"], "x0", Factor("w", -r["end"])),
            *product(
                -r["pull_mantissa"], r["pull_exponent"], f"u{r['k']}", Factor("w", -r["weight"])
            ),
        )
    )


def two_factor_rule(registers: dict[str, int]) -> LearningRule:
    """The rule of two factors."""
    r, each = registers, f"u{registers['k']}"
    tag, trace = Factor("t"), Factor("x1")
    return LearningRule(
        dt=(
            *product(-r["use_mantissa"], r["use_exponent"], "x0", tag),
            *product(
                -r["more_mantissa"], r["more_exponent"], "x0", tag, Factor("x1", -r["impulse"])
            ),
            *product(-r["pull_mantissa"], r["pull_exponent"], each, Factor("t", -FULL)),
        ),
        dw=(
            Product(-1, 0, each, (Factor("w"),)),
            *product(r["weight_mantissa"], r["weight_exponent"], each, tag),
            *product(r["gain_mantissa"], r["gain_exponent"], each, trace, tag),
        ),
        x1=Trace(r["impulse"], r["tau"]),
    )


def _scale(columns: Columns, name: str) -> Any:
    return columns[f"{name}_mantissa"] * np.exp2(columns[f"{name}_exponent"])


def relaxing_releases(columns: Columns, intervals: Any, pulses: int) -> Any:
    """Expected weight of each spike, shape (size, rates, pulses); columns of shape (size, 1).

    Rounding by chance is right on average and the rule is linear in the weight, so this is exact
    but for saturation.
    """
    push, pull = _scale(columns, "push"), _scale(columns, "pull")
    every = np.exp2(columns["k"]).astype(np.int64)
    rest = columns["weight"].astype(np.float64)
    weight = np.broadcast_to(rest, (len(rest), len(intervals))).copy()
    out = np.empty((*weight.shape, pulses))
    last = np.zeros_like(weight, dtype=np.int64)
    for k in range(pulses):
        now = _phase(every) + k * intervals[None]
        between = (now - 1) // every - last // every
        weight = rest + (weight - rest) * (1 - pull) ** between
        out[..., k] = weight
        due = now % every == 0
        weight = weight - push * (weight - columns["end"]) - due * pull * (weight - rest)
        last = now
    return out


def two_factor_releases(columns: Columns, intervals: Any, pulses: int) -> Any:
    """Expected weight of each spike, shape (size, rates, pulses); columns of shape (size, 1).

    Products of a trace and the tag lose their last bits, always downwards: half of one on average.
    """
    lost = shift_of("x1", "t")
    use, pull = _scale(columns, "use"), _scale(columns, "pull")
    more, gain = (_scale(columns, name) / 2**lost for name in ("more", "gain"))
    base = _scale(columns, "weight")
    down_more, down_gain = (
        0.5 * np.exp2(columns[f"{name}_exponent"]) * (columns[f"{name}_mantissa"] != 0)
        for name in ("more", "gain")
    )
    every = np.exp2(columns["k"]).astype(np.int64)
    tau = np.maximum(columns["tau"], 1e-9)
    shape = (len(every), len(intervals))
    tag, before, trace = np.full(shape, float(FULL)), np.full(shape, float(FULL)), np.zeros(shape)
    weight = np.broadcast_to(base * FULL, shape).copy()
    out = np.empty((*shape, pulses))
    last = np.zeros(shape, np.int64)
    for k in range(pulses):
        now = _phase(every) + k * intervals[None]
        made = (now - 1) // every * every  # when the weight was made that this spike delivers
        times = np.maximum((made - 1) // every - last // every, 0)
        then = np.where(made > last, FULL + (tag - FULL) * (1 - pull) ** times, before)
        x = trace * np.exp(-np.maximum(made - last, 0) / tau)
        fresh = base * then + gain * x * then - down_gain * (x > 0)
        weight = np.where(made >= last, np.clip(fresh, 0, FULL), weight)
        out[..., k] = weight
        between = (now - 1) // every - last // every
        before = FULL + (tag - FULL) * (1 - pull) ** between
        left = trace * np.exp(-(now - last) / tau)
        trace = np.minimum(left + columns["impulse"], TRACE_MAX)
        used = use * before + more * before * (trace - columns["impulse"]) + down_more * (left > 0)
        due = now % every == 0
        tag = np.clip(before - used - due * pull * (before - FULL), -FULL, FULL)
        last = now
    return out


def _phase(every: Any) -> Any:
    """Of the first spike: in the middle between two of the rule's intervals."""
    return every + every // 2 + 1
