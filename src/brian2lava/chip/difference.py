"""Where two runs of a network differ first, and why.

Between the user's own program and the recognised map in real numbers nothing is rounded to
integers. They may differ by the chip's order of things, by a tie (a voltage that equals the
threshold up to the rounding of doubles); anything else is a bug of recognition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation
from brian2lava.chip.own import OwnRun
from brian2lava.chip.quantise import Quantised, RealRecorded
from brian2lava.chip.quantise.realise import real_to_user
from brian2lava.chip.quantise.result import ParameterRow

Spikes = Mapping[str, tuple[Any, Any]]
Cause = Literal["order", "tie", "recognition", "rounding"]

#: States of the map and of the program agree within this part of their range.
_SAME = 1e-6
#: A voltage is at the threshold within this part of it.
_TIE = 1e-9
#: What a model compares: a state, and the registers and states that it has to reach together.
_VOLTAGE = (("v", ("vth",)),)
_REACHES: Mapping[str, Sequence[tuple[str, Sequence[str]]]] = {
    "ALIF": (("v", ("vth", "theta1", "theta2")),),
    "ATRLIF": (("v", ("r", "theta")),),
    "TernaryLIF": (("v", ("vth_hi",)), ("v", ("vth_lo",))),
    "RF": (("real", ("vth",)), ("imag", ())),
    "RF_IZ": (("imag", ("vth",)),),
}
#: How many registers are named.
_NAMED = 2


@dataclass(frozen=True)
class First:
    """A first difference: a spike in one run only, or a state.

    ``state`` is the user's variable, or "" for a spike; ``extra`` whether the second run has the
    spike and the first has none.
    """

    population: str
    neuron: int
    step: int
    state: str = ""
    extra: bool = False
    cause: Cause = "rounding"

    def __str__(self) -> str:
        what = f"{self.state} differs" if self.state else "a spike in one of them only"
        return f"'{self.population}', neuron {self.neuron}, step {self.step}: {what}"


def first_spike(name: str, ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> First | None:
    """The first spike that only one of two runs of a population has."""
    one, other = (np.stack([np.asarray(x, np.int64) for x in s]) for s in (ours, theirs))
    size = int(max(one[1].max(initial=0), other[1].max(initial=0))) + 1
    keys, others = one[0] * size + one[1], other[0] * size + other[1]
    lone = np.setxor1d(keys, others)
    if not lone.size:
        return None
    step, neuron = divmod(int(lone[0]), size)
    return First(name, neuron, step, extra=bool(lone[0] in others))


def earliest(found: Sequence[First | None]) -> First | None:
    """The one with the least step; a state before a spike."""
    present = [each for each in found if each is not None]
    return min(present, key=lambda each: (each.step, not each.state), default=None)


def of_recognition(
    ideal: IdealNetwork, own: OwnRun, real: RealRecorded, order: Mapping[str, Any]
) -> First | None:
    """Where the recognised map in real numbers leaves the user's own program.

    Parameters
    ----------
    order : dict of population to array of shape (events, 2)
        Steps and neurons where the chip's order of things differs from the equations'.
    """
    spikes = earliest([first_spike(name, own.spikes[name], real.spikes[name])
                       for name in own.spikes])  # fmt: skip
    until = spikes.step + 1 if spikes else None
    states = earliest([
        _first_state(population, link, own, real, until)
        for population in ideal.populations
        for link in population.links
        if (population.name, link.variable) in own.states
        and (population.name, link.state) in real.states
    ])  # fmt: skip
    found = earliest([states, spikes])
    if found is None:
        return None
    return First(
        found.population, found.neuron, found.step, found.state, found.extra,
        _why(ideal, own, found, order),
    )  # fmt: skip


def _first_state(
    population: IdealPopulation, link: Any, own: OwnRun, real: RealRecorded, until: int | None
) -> First | None:
    name = population.name
    theirs = own.states[name, link.variable][:until]
    ours = real_to_user(link, real.states[name, link.state])[:until]
    if not theirs.size:
        return None
    size = float(np.max(np.abs(theirs - np.asarray(link.offset))))
    wrong = np.abs(ours - theirs) > _SAME * max(size, float(np.ptp(theirs)))
    if not link.ahead:
        # before the reset in one, after it in the other
        for steps, who in (own.spikes[name], real.spikes[name]):
            inside = steps < len(wrong)
            wrong[steps[inside], who[inside]] = False
    rows = np.flatnonzero(wrong.any(axis=1))
    if not rows.size:
        return None
    return First(name, int(np.argmax(wrong[rows[0]])), int(rows[0]), link.variable)


def _why(ideal: IdealNetwork, own: OwnRun, found: First, order: Mapping[str, Any]) -> Cause:
    if happened(order, found):
        return "order"
    if not found.state and _at_threshold(ideal, own, found):
        return "tie"
    return "recognition"


def happened(order: Mapping[str, Any], found: First) -> bool:
    """Whether an event of the chip's order concerned this neuron up to the difference."""
    events = order.get(found.population)
    if events is None or not len(events):
        return False
    return bool(np.any((events[:, 0] <= found.step) & (events[:, 1] == found.neuron)))


def _at_threshold(ideal: IdealNetwork, own: OwnRun, found: First) -> bool:
    """Whether what fires stood at what it has to reach in the user's own program."""
    population = next(p for p in ideal.populations if p.name == found.population)
    reaches = _REACHES.get(population.model, _VOLTAGE)
    return any(_equal(population, own, found, state, levels) for state, levels in reaches)


def _equal(
    population: IdealPopulation, own: OwnRun, found: First, state: str, levels: Sequence[str]
) -> bool:
    """Whether a state is the sum of ``levels`` (registers or states), up to rounding."""
    terms = [_term(population, own, found, name) for name in (state, *levels)]
    over = terms[0][0] - sum(value for value, _ in terms[1:])
    return abs(over) <= _TIE * sum(size for _, size in terms)


def _term(population: IdealPopulation, own: OwnRun, found: First, name: str) -> tuple[float, float]:
    """A register or a state in the unit of v, and how large what it is computed from is."""

    def of_neuron(values: Any) -> float:
        return float(np.broadcast_to(values, (population.size,))[found.neuron])

    quantity = population.quantity(name)
    if quantity is not None:
        level = of_neuron(quantity.value)
        return level, abs(level)
    link = next((link for link in population.links if link.state == name), None)
    trace = None if link is None else own.states.get((population.name, link.variable))
    if link is None or trace is None:
        return 0.0, 0.0
    offset, gain = of_neuron(link.offset), of_neuron(link.gain)
    # an offset far from 0 costs digits of what is relative to it
    size = (float(np.abs(trace[: found.step + 1, found.neuron]).max()) + 2 * abs(offset)) * gain
    return float(trace[found.step, found.neuron] - offset) * gain, abs(size)


def registers(quantised: Quantised, population: str) -> str:
    """The registers whose rounding counts most for a population, with their errors."""
    projections = {
        name: part.projection
        for name, part in quantised.parts.items()
        if any(
            projection.name == part.projection and projection.target == population
            for projection in quantised.ideal.projections
        )
    }
    names = {population, *projections, *projections.values()}
    names |= {s.name for s in quantised.ideal.stimuli if s.target == population}
    rows = [row for row in quantised.rows if row.object in names and row.error]
    rows.sort(key=lambda row: -abs(row.error))
    if not rows:
        return "rounding of states (all registers are exact)"
    return "rounding, most of it of " + ", ".join(map(_row, rows[:_NAMED]))


def _row(row: ParameterRow) -> str:
    return f"{row.register or row.parameter} of '{row.object}' ({row.error:+.2%})"
