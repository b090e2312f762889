"""Plastic synapses in a run on a chip: their integers, and the user's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.synapses.synapses import Synapses

from brian2lava.capture.network import Captured
from brian2lava.capture.statements import array_id
from brian2lava.chip.ideal import IdealNetwork
from brian2lava.chip.learning.rule import PRE_TRACES, TRACES
from brian2lava.chip.lower import Lowered, SynapticDecode
from brian2lava.chip.network import Projection
from brian2lava.chip.quantise import Learnt, Quantised, Reading, with_peaks
from brian2lava.device.chip_runs import Kept

#: What a report counts of weights without bounds of their own.
SATURATED = "reached the chip's greatest weight"


class ChipSynapses:
    """The plastic synapses of one run.

    Parameters
    ----------
    objects : sequence of BrianObject
    quantised : Quantised
    before : Kept or None
        What the last run left.
    """

    def __init__(
        self, objects: Sequence[BrianObject], quantised: Quantised, before: Kept | None
    ) -> None:
        self.quantised = quantised
        self.before = before
        self.objects: dict[str, Any] = {o.name: o for o in objects if isinstance(o, Synapses)}
        self.projections = {
            projection.name: projection
            for projection in quantised.network.projections
            if projection.name in quantised.learning
        }

    def _learnt(self, name: str) -> tuple[Learnt, Any]:
        learnt = self.quantised.learning[name]
        return learnt, self.objects[learnt.synapses]

    def _variables(self, name: str) -> list[tuple[Reading, Any]]:
        learnt, synapses = self._learnt(name)
        return [(reading, synapses.variables[reading.variable]) for reading in learnt.readings]

    # ------------------------------------------------------------ before the loop
    def decodes(self, captured: Captured) -> Mapping[str, Sequence[SynapticDecode]]:
        """By projection: the variables that the captured program reads or writes."""
        found = {
            name: [
                SynapticDecode(array_id(variable), r.register, r.unit, r.offset)
                for r, variable in self._variables(name)
                if array_id(variable) in captured.variables
            ]
            for name in self.projections
        }
        return {name: decodes for name, decodes in found.items() if decodes}

    def traces(self) -> Mapping[str, Mapping[str, Any]]:
        """What learning begins with: the last run's integers, or the user's values."""
        first = self.quantised.initial_traces()
        for name, projection in self.projections.items():
            for reading in self.quantised.learning[name].readings:
                kept = self._kept(projection, reading)
                if kept is not None and reading.register != "w":
                    first[name][reading.register] = kept
        return first

    @property
    def _by_neuron(self) -> bool:
        return self.quantised.network.arithmetic.learning_rounding == "nearest_draw"

    def _kept(self, projection: Projection, reading: Reading) -> Any:
        """The last run's integers of a variable that nobody has changed since, or None."""
        if self.before is None:
            return None
        name = projection.name
        learnt, synapses = self._learnt(name)
        earlier = self.before.quantised.learning.get(name)
        if earlier is None or reading not in earlier.readings or not self._same_ends(projection):
            return None
        written = self.before.written.get((learnt.synapses, reading.variable))
        if written is None:
            return None
        present = synapses.variables[reading.variable].get_value()
        if not np.array_equal(written, present):
            return None
        return self.before.states.get((name, reading.register))

    def _same_ends(self, projection: Projection) -> bool:
        assert self.before is not None
        earlier = {p.name: p for p in self.before.quantised.network.projections}[projection.name]
        return np.array_equal(earlier.pre, projection.pre) and np.array_equal(
            earlier.post, projection.post
        )

    def restore(self, low: Lowered) -> None:
        """Go on with the weights' integers, which may lie off the grid of new ones."""
        if self.before is None:
            return
        for name, projection in self.projections.items():
            weight = self.quantised.learning[name].readings[0]
            kept = self._kept(projection, weight)
            if kept is None:
                continue
            low.storage[low.plastic[name]["w"]][: projection.size] = kept
            delivered = self.before.states[name, "delivered"]
            low.storage[low.delivered[name]][: projection.size] = delivered

    # ------------------------------------------------------------ after the loop
    def end(self, low: Lowered, kept: Kept, last: float) -> None:
        """Write the user's variables; keep the integers. ``last``: the time of the last step."""
        for name, projection in self.projections.items():
            learnt, synapses = self._learnt(name)
            for register, array in low.plastic[name].items():
                kept.states[name, register] = np.array(low.storage[array])
            delivered = low.storage[low.delivered[name]][: projection.size]
            kept.states[name, "delivered"] = delivered.copy()
            for reading, variable in self._variables(name):
                integers = self._by_synapse(low, projection, reading.register)
                variable.set_value(reading.offset + integers * reading.unit)
                kept.written[learnt.synapses, reading.variable] = np.array(variable.get_value())
            if "lastupdate" in synapses.variables:
                # a trace has decayed to the last step
                synapses.variables["lastupdate"].set_value(np.full(projection.size, last))
            kept.counts[learnt.synapses, SATURATED] = self._saturated(low, projection)

    def _by_synapse(self, low: Lowered, projection: Projection, register: str) -> Any:
        stored = low.storage[low.plastic[projection.name][register]]
        if register not in TRACES or not self._by_neuron:
            return stored[: projection.size].astype(np.int64)
        ends = projection.pre if register in PRE_TRACES else projection.post
        return stored[ends].astype(np.int64)

    def _saturated(self, low: Lowered, projection: Projection) -> int:
        """How many weights stand where the chip ends, and the rule's bounds do not."""
        ideal = next(
            p for p in self.quantised.ideal.projections
            if p.name == self.quantised.parts[projection.name].projection
        )  # fmt: skip
        assert ideal.learning is not None
        mantissas = self._by_synapse(low, projection, "w")
        unit = self.quantised.learning[projection.name].readings[0].unit
        limit = projection.weight_limit(self.quantised.network.arithmetic)
        beyond = 0
        for end in (limit.low, limit.high):
            bound = ideal.learning.low if end * unit < 0 else ideal.learning.high
            if end and np.isinf(bound):
                beyond += int(np.count_nonzero(np.abs(mantissas - end) <= 1))
        return beyond


def with_earlier_peaks(ideal: IdealNetwork, earlier: IdealNetwork) -> IdealNetwork:
    """The network with the ranges of traces and weights of an earlier run: the same scales."""
    known = {p.name: p.learning for p in earlier.projections if p.learning is not None}

    def peaked(projection: Any) -> Any:
        learning, before = projection.learning, known.get(projection.name)
        if learning is None or before is None:
            return projection
        peaks = {trace.register: trace.peak for trace in before.traces}
        peaks |= {"w": before.peak, "t": before.tag.peak if before.tag is not None else 0.0}
        made = with_peaks(learning, lambda name: peaks.get(name, 0.0))
        return replace(projection, learning=made)

    return replace(ideal, projections=tuple(map(peaked, ideal.projections)))
