"""A learning rule in floating point: the chip's order of operations, without rounding or widths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealProjection, Reals
from brian2lava.chip.learning.ideal import IdealFactor, IdealLearning, IdealTerm
from brian2lava.chip.learning.rule import PRE_TRACES
from brian2lava.chip.quantise.plastic_weights import unit_gain


class RealLearning:
    """The synapses of a plastic projection between two steps.

    Attributes
    ----------
    weights : array of shape (synapses,)
        In the user's unit.
    traces : dict of register to array by neuron
        Relative to what they decay to, in the user's unit.
    tag : array of shape (synapses,)
    arrived : array of bool, by source
        Whose spikes reach the synapses in this step.
    """

    def __init__(self, projection: IdealProjection, sources: int, targets: int) -> None:
        learning = projection.learning
        assert learning is not None
        self.projection, self.learning = projection, learning
        self.gain = unit_gain(projection)
        self.weights: Reals = np.array(projection.weights / self.gain)
        self.pre, self.post = np.asarray(projection.pre), np.asarray(projection.post)
        self.sides = {"x": (self.pre, sources), "y": (self.post, targets)}
        self.traces: dict[str, Reals] = {}
        for trace in learning.traces:
            ends, size = self.sides[trace.register[0]]
            self.traces[trace.register] = np.zeros(size)
            self.traces[trace.register][ends] = trace.initial
        self.tag: Reals = np.zeros(self.pre.size)
        if learning.tag is not None:
            self.tag[:] = learning.tag.initial
        self.peaks = {"w": self._peak(self.weights), "t": self._peak(self.tag)}
        self.peaks |= {name: self._peak(values) for name, values in self.traces.items()}
        self.arrived = np.zeros(sources, bool)
        delays = np.ravel(projection.delays)
        self._flying = [self.arrived] * int(delays.max(initial=0))
        self._rows = {side: _rows(ends, size) for side, (ends, size) in self.sides.items()}

    @staticmethod
    def _peak(values: Reals) -> float:
        return float(np.abs(values).max(initial=0.0))

    def arrive(self, sent: Reals) -> Reals:
        """What the targets get in this step, in the unit of v, by target."""
        self._flying.append(np.asarray(sent) != 0)
        self.arrived = self._flying.pop(0)
        synapses = self._synapses("x", self.arrived)
        weights = self.weights[synapses] * self.gain
        return np.bincount(self.post[synapses], weights, self.sides["y"][1]).astype(np.float64)

    def learn(self, fired: Reals) -> None:
        """The changes of a step, after its deliveries; ``fired`` by target."""
        spiked = {"x": self.arrived, "y": np.asarray(fired) != 0}
        for trace in self.learning.traces:
            values = self.traces[trace.register]
            values *= trace.decay
            who = spiked[trace.register[0]]
            values[who] = trace.impulse if trace.sets else values[who] + trace.impulse
            self.peaks[trace.register] = max(self.peaks[trace.register], self._peak(values))
        active = {
            "x0": self._synapses("x", spiked["x"]),
            "y0": self._synapses("y", spiked["y"]),
            "u0": slice(None),
        }
        # all terms see the values of before; only the synapses of spikes are touched
        changes = [
            (term.target, active[term.dependency], self._value(term, active, spiked))
            for term in self.learning.terms
        ]
        if self.learning.tag is not None:
            self.tag *= self.learning.tag.decay
        changed = {"w": self.weights, "t": self.tag}
        for target, synapses, values in changes:
            changed[target][synapses] += values
        for target, synapses, _ in changes:
            values = changed[target][synapses]
            if target == "w":
                values = np.clip(values, self.learning.low, self.learning.high)
                self.weights[synapses] = values
            self.peaks[target] = max(self.peaks[target], self._peak(values))

    def _synapses(self, side: str, spiked: Any) -> Any:
        start, order = self._rows[side]
        who = np.flatnonzero(spiked)
        counts = start[who + 1] - start[who]
        ends = np.cumsum(counts)
        total = int(ends[-1]) if ends.size else 0
        return order[np.arange(total) + np.repeat(start[who] - ends + counts, counts)]

    def _value(
        self, term: IdealTerm, active: Mapping[str, Any], spiked: Mapping[str, Any]
    ) -> Reals:
        synapses = active[term.dependency]
        product: Any = np.float64(term.coefficient)
        for factor in term.factors:
            product = product * self._factor(factor, synapses, spiked)
        return product

    def _factor(self, factor: IdealFactor, synapses: Any, spiked: Mapping[str, Any]) -> Any:
        name = factor.variable
        if name in ("x0", "y0"):
            ends = self.pre if name == "x0" else self.post
            return spiked[name[0]][ends[synapses]]
        if name in ("w", "t"):
            return (self.weights if name == "w" else self.tag)[synapses]
        ends = self.pre if name in PRE_TRACES else self.post
        impulse = self.learning.trace(name).impulse if factor.earlier else 0.0
        return self.traces[name][ends[synapses]] - impulse

    def seen(self) -> IdealLearning:
        """The rule with the peaks of this run."""
        return with_peaks(self.learning, lambda name: self.peaks[name])


def with_peaks(learning: IdealLearning, peak: Callable[[str], float]) -> IdealLearning:
    """The rule with the largest magnitude of each register, "w" and "t"."""
    tag = learning.tag
    return replace(
        learning,
        traces=tuple(replace(t, peak=max(t.peak, peak(t.register))) for t in learning.traces),
        tag=None if tag is None else replace(tag, peak=max(tag.peak, peak("t"))),
        peak=max(learning.peak, peak("w")),
    )


def _rows(ends: Any, size: int) -> tuple[Any, Any]:
    """First place by neuron, and synapses by place."""
    start = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=size))])
    return start, np.argsort(ends, kind="stable")
