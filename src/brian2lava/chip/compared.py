"""The emulator against floating point, population by population, with the causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from brian2lava.chip.difference import (
    First,
    earliest,
    first_spike,
    happened,
    of_recognition,
    registers,
)
from brian2lava.chip.order_events import order_events, plastic_events
from brian2lava.chip.own import OwnRun
from brian2lava.chip.plain import Recorded
from brian2lava.chip.quantise import Quantised, RealRecorded, states_to_user
from brian2lava.chip.quantise.realise import real_to_user


@dataclass(frozen=True)
class PopulationCheck:
    """One population, emulator against floating point.

    Attributes
    ----------
    name : str
    spikes, expected : int
        Spikes of the emulator, and in floating point.
    matched : float
        The part of the spikes in floating point that the emulator has within one step, 0..1; nan
        without spikes.
    first : str
        The first difference in words: neuron, step, and cause; "" where there is none.
    error : float
        Root mean square difference of the voltage over its range in floating point, until the
        first spike of either differs.
    states : dict of str to float
        The same of each of the user's variables that the chip keeps.
    same_map : int
        Spikes of the recognised map in real numbers.
    """

    name: str
    spikes: int
    expected: int
    matched: float
    first: str
    error: float
    states: Mapping[str, float] = field(default_factory=dict)
    same_map: int = 0


class Compared:
    """Runs of one network on the same input.

    Parameters
    ----------
    quantised : Quantised
    emulated : Recorded
    real : RealRecorded
        The recognised map.
    own : OwnRun or None
        The user's own program, which is the reference where it ran.
    steps : int
    """

    def __init__(
        self,
        quantised: Quantised,
        emulated: Recorded,
        real: RealRecorded,
        own: OwnRun | None,
        steps: int,
    ) -> None:
        self._quantised, self._emulated, self._real = quantised, emulated, real
        self._own, self._steps = own, steps
        self._expected = real.spikes if own is None else {**real.spikes, **own.spikes}

    # ------------------------------------------------------------ recognition
    @cached_property
    def _order(self) -> dict[str, Any]:
        """Events of the chip's order by population, also those at synapses onto it that learn."""
        ideal = self._quantised.ideal
        found = order_events(ideal, self._expected)
        plastic = plastic_events(ideal, self._expected)
        for projection in ideal.projections:
            learning = projection.learning
            if learning is not None and learning.synapses in plastic:
                events = plastic[learning.synapses]
                before = found.get(projection.target, events[:0])
                found[projection.target] = np.concatenate([before, events])
        return found

    @cached_property
    def _left(self) -> First | None:
        """Where the recognised map leaves the user's own program."""
        if self._own is None:
            return None
        return of_recognition(self._quantised.ideal, self._own, self._real, self._order)

    def recognition(self) -> str:
        """Whether the recognised map is the user's own program, in words."""
        if self._own is None:
            return ""
        found = self._left
        if found is None:
            return "the same map in real numbers does what your program does, spike by spike"
        if found.cause == "order":
            return (
                "the same map until the chip's order of things tells, which differs from Brian2's:"
                f" {found}. What comes later is not compared"
            )
        if found.cause == "tie":
            return (
                f"a tie at {found}: the state equals the threshold up to the rounding of doubles,"
                " so that > and >= decide by the last bit; what follows may differ by it"
            )
        return (
            f"BUG: the map that was recognised is not your program, first {found}. Real numbers"
            " can't part there; please report this model. The spikes of the chip are not those of"
            " your equations."
        )

    def remarks(self) -> tuple[str, ...]:
        """What no run of the verification has."""
        own = self._own
        if own is None or not own.waiting:
            return ()
        return (
            f"{own.waiting} spikes were on their way from an earlier run: none of the runs here"
            " has them, so they are not the last run itself",
        )

    # ------------------------------------------------------------ populations
    def population(self, name: str) -> PopulationCheck:
        """The emulator against the reference."""
        spikes, expected = self._emulated.spikes[name], self._expected[name]
        ours, theirs = _keys(spikes, self._steps), _keys(expected, self._steps)
        near = np.union1d(np.union1d(ours, ours - 1), ours + 1)
        matched = float(np.isin(theirs, near).mean()) if theirs.size else np.nan
        found = first_spike(name, spikes, expected)
        until = self._steps if found is None else found.step
        states = self._states(name, until)
        return PopulationCheck(
            name, len(ours), len(theirs), matched,
            "" if found is None else self._told(found),
            self._voltage(name, until, states),
            states,
            len(self._real.spikes[name][0]),
        )  # fmt: skip

    def _voltage(self, name: str, until: int, states: Mapping[str, float]) -> float:
        link = next((k for k in self._quantised.population(name).links if k.state == "v"), None)
        if link is not None and link.variable in states:
            return states[link.variable]
        if (name, "v") not in self._emulated.states:
            return 0.0
        present = self._emulated.states[name, "v"][:until] / self._quantised.scales[name]
        return _over_range(present, self._real.states[name, "v"][:until])

    def _states(self, name: str, until: int) -> dict[str, float]:
        """By variable: root mean square difference over the range, before step ``until``."""
        found = {}
        for link in self._quantised.population(name).links:
            key = name, link.state
            if key not in self._emulated.states:
                continue
            integers = self._emulated.states[key][:until]
            present = states_to_user(self._quantised, name, link, integers)
            if self._own is None:
                expected = real_to_user(link, self._real.states[key][:until])
            elif (name, link.variable) in self._own.states:
                expected = np.array(self._own.states[name, link.variable][:until])
                if not link.ahead:
                    steps, who = self._own.spikes[name]
                    inside = steps < until
                    at = steps[inside], who[inside]
                    expected[at] = present[at]  # one is before the reset, and one after it
            else:
                continue
            found[link.variable] = _over_range(present, expected)
        return found

    def _told(self, found: First) -> str:
        only = "floating point" if found.extra else "the emulator"
        return (
            f"in step {found.step}, neuron {found.neuron}: a spike in {only} only"
            f" ({self._cause(found)})"
        )

    def _cause(self, found: First) -> str:
        left = self._left
        if left is not None and left.cause == "recognition" and left.step <= found.step:
            return "recognition: see below"
        if happened(self._order, found):
            return "order: a spike arrived as the neuron fired, or in its last refractory step"
        before = self._before(found)
        if before is not None:
            return (
                f"follows from '{before.population}', neuron {before.neuron}, in step"
                f" {before.step}, which reaches it"
            )
        return registers(self._quantised, found.population)

    def _before(self, found: First) -> First | None:
        """An earlier difference of a population whose spikes reach this one."""
        sources = {
            projection.source
            for projection in self._quantised.ideal.projections
            if projection.target == found.population
        }
        names = {population.name for population in self._quantised.network.populations}
        firsts = [
            first_spike(name, self._emulated.spikes[name], self._expected[name])
            for name in sorted(sources & names - {found.population})
        ]
        before = earliest(firsts)
        return before if before is not None and before.step < found.step else None


def _over_range(present: Any, expected: Any) -> float:
    if not expected.size:
        return 0.0
    span = float(np.ptp(expected))
    return float(np.sqrt(np.mean((present - expected) ** 2))) / span if span else 0.0


def _keys(spikes: tuple[Any, Any], steps: int) -> Any:
    """One sorted number a spike: neurons far enough apart for steps to be moved by one."""
    when, who = spikes
    return np.sort(np.asarray(who) * (steps + 2) + np.asarray(when) + 1)
