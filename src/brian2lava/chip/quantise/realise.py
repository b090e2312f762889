"""A recognised network in floating point: the chip's own steps, without rounding or widths.

The same order of operations as the integers have, so that what differs from the emulator is
quantisation, and what differs from Brian2 is the chip's order. Registers and states are kept in
state units with a scale, as on the chip, for models contain whole numbers (``vth - 1``) that mean
little only there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.arithmetic import Name
from brian2lava.chip.given_words import GivenWords
from brian2lava.chip.ideal import (
    IdealNetwork,
    IdealPopulation,
    IdealProjection,
    IdealStimulus,
    Reals,
    StateLink,
)
from brian2lava.chip.limits import ALIGNMENT, RANDOM_BITS
from brian2lava.chip.models.neuron import Step
from brian2lava.chip.network import Source, SpikeTimes
from brian2lava.chip.plain import Recorded
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.chip.quantise.extras import with_extras
from brian2lava.chip.quantise.kinds import KINDS, inward
from brian2lava.chip.quantise.plastic_real import RealLearning
from brian2lava.chip.quantise.real_arithmetic import evaluate_real
from brian2lava.chip.quantise.registers import is_level, threshold_of
from brian2lava.chip.sources import given_counts
from brian2lava.errors import ChipLimit, OptionError

#: Thresholds stand near 2**20 state units where no scale is given.
_THRESHOLD_BITS = 20


@dataclass(frozen=True)
class RealRecorded:
    """What a run in floating point leaves behind.

    Attributes
    ----------
    spikes : dict of str to (steps, indices)
        Of each population and source, in the order of time, then index.
    states : dict of (population, state) to array of shape (steps, size)
        After each step, in the unit of v (counts as they are).
    weights : dict of projection to array of shape (synapses,)
        Of projections that learn, at the end, in the user's unit.
    payloads : dict of graded source to array of shape (spikes,)
        What each of its spikes carries.
    """

    spikes: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
    states: Mapping[tuple[str, str], Reals]
    weights: Mapping[str, Reals] = field(default_factory=dict)
    payloads: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)


def real_registers(
    population: IdealPopulation, scale: float, profile: Arithmetic
) -> dict[str, Any]:
    """All registers before rounding."""
    registers: dict[str, Any] = {r.name: float(r.default) for r in population.neuron.registers}
    for quantity in population.quantities:
        value = KINDS[quantity.kind].scale(quantity.value, scale, profile)
        if quantity.kind == "bias":
            registers.update(bias_mant=value, bias_exp=0.0)
        elif quantity.inclusive:  # beyond the double next to it: at it, exactly
            nearer = inward(quantity.register) * np.inf
            registers[quantity.register] = np.nextafter(value, nearer)
        elif quantity.strict:
            registers[quantity.register] = np.nextafter(value, np.inf)
        else:
            registers[quantity.register] = value
    return registers


def default_scale(population: IdealPopulation) -> float:
    """A power of two that puts the threshold near 2**20 state units."""
    threshold = threshold_of(population)
    return float(2.0 ** (_THRESHOLD_BITS - round(np.log2(threshold)))) if threshold else 1.0


class RealChip:
    """A recognised network between two steps.

    Parameters
    ----------
    ideal : IdealNetwork
    scales : dict of population to float, optional
        State units a unit of v; without it thresholds stand near 2**20.
    seed : int
        Of what stochastic models and Poisson sources draw: the same numbers as
        ``PlainChip(network, np.random.default_rng(seed))``.
    arithmetic : Arithmetic
    words : dict of population to array of shape (steps, size), optional
        What stochastic models drew elsewhere, in the place of draws.
    """

    def __init__(
        self,
        ideal: IdealNetwork,
        scales: Mapping[str, float] | None = None,
        seed: int = 0,
        arithmetic: Arithmetic = LAVA,
        words: Mapping[str, Any] | None = None,
    ) -> None:
        self.ideal = replace(ideal, populations=tuple(map(with_extras, ideal.populations)))
        self.now = 0
        self.arithmetic = arithmetic
        self.draws = np.random.default_rng(seed)
        self._words = {name: GivenWords(rows) for name, rows in (words or {}).items()}
        self.scales: dict[str, float] = {}
        self.states: dict[str, dict[str, Reals]] = {}
        #: values of the last step, before ``after``: what states reach within a step
        self.reached: dict[str, dict[str, Any]] = {}
        self.arrived: dict[tuple[str, str], Reals] = {}
        self._registers: dict[str, dict[str, Any]] = {}
        self._steps: dict[str, Step] = {}
        for population in self.ideal.populations:
            self._begin(population, (scales or {}).get(population.name))
        #: by projection, of plastic synapses
        self.learning = {
            projection.name: RealLearning(
                projection, self._source_size(projection.source), self._size(projection.target)
            )
            for projection in ideal.projections
            if projection.learning is not None
        }
        self._deliveries = [
            _Delivery(projection, self._size(projection.target), self._graded(projection),
                      self.scales[projection.target])
            for projection in ideal.projections
        ]  # fmt: skip

    def _size(self, name: str) -> int:
        return next(p.size for p in self.ideal.populations if p.name == name)

    def _source_size(self, name: str) -> int:
        everything = (*self.ideal.populations, *self.ideal.sources)
        return next(item.size for item in everything if item.name == name)

    def _graded(self, projection: IdealProjection) -> bool:
        if any(s.name == projection.source and s.graded for s in self.ideal.sources):
            return True
        step = None if projection.binary else self._steps.get(projection.source)
        return step is not None and step.payload is not None

    def _begin(self, population: IdealPopulation, scale: float | None) -> None:
        name, model, shape = population.name, population.neuron, (population.size,)
        scale = self.scales[name] = default_scale(population) if scale is None else scale
        values = real_registers(population, scale, self.arithmetic)
        zero = frozenset(register for register, value in values.items() if not np.any(value))
        for derived, expression in model.derived(self.arithmetic).items():
            values[derived] = evaluate_real(expression, values)
        self._registers[name] = values
        self.states[name] = {}
        for state in model.states:
            first: Any = population.initial.get(state.name, 0.0)
            first = first * (scale if is_level(state) else 1.0)
            if state.initial is not None and state.name not in population.initial:
                first = evaluate_real(state.initial, values)
            self.states[name][state.name] = np.array(np.broadcast_to(first, shape), np.float64)
        self._steps[name] = model.step(self.arithmetic, zero)

    # ------------------------------------------------------------ one step
    def step(self) -> dict[str, Reals]:
        """One time step; returns what each population and source sends, 0 where it is silent."""
        sent = {source.name: self._emit(source) for source in self.ideal.sources}
        self._take_arrived()
        for population in self.ideal.populations:
            sent[population.name] = self._update(population)
        for delivery in self._deliveries:
            learning = self.learning.get(delivery.projection.name)
            if learning is None:
                delivery.deliver(sent[delivery.projection.source])
            else:
                delivery.add(learning.arrive(sent[delivery.projection.source]))
        for learning in self.learning.values():
            learning.learn(sent[learning.projection.target])
        self.now += 1
        return sent

    def _emit(self, source: Source) -> Reals:
        return source.sent(self.now, self.draws.random).astype(np.float64)

    def _take_arrived(self) -> None:
        self.arrived = {
            (population.name, port): np.zeros(population.size)
            for population in self.ideal.populations
            for port in population.neuron.ports
        }
        for delivery in self._deliveries:
            place = delivery.projection.target, delivery.projection.port
            self.arrived[place] += delivery.take()
        for stimulus in self.ideal.stimuli:
            unit = self.scales[stimulus.target] / (1 << ALIGNMENT)
            self.arrived[stimulus.target, stimulus.port] += _row_at(stimulus, self.now) * unit

    def _update(self, population: IdealPopulation) -> Reals:
        name = population.name
        states, step = self.states[name], self._steps[name]
        values: dict[str, Any] = {**self._registers[name], **states, "t": float(self.now + 1)}
        values.update({port: self.arrived[name, port] for port in population.neuron.ports})
        for draw in step.draws:
            random = self._words.get(name, self.draws).random(population.size)
            values[draw] = np.floor(random * (1 << RANDOM_BITS))
        for target, expression in step.assignments:
            values[target] = evaluate_real(expression, values)
        values["fired"] = evaluate_real(step.fired, values)
        self.reached[name] = values
        sent = evaluate_real(step.payload if step.payload is not None else Name("fired"), values)
        after = {state: evaluate_real(new, values) for state, new in step.after}
        for state in states:
            states[state][:] = after.get(state, values[state])
        return np.where(values["fired"] != 0, sent, 0.0)


class _Delivery:
    """The synapses of a projection by their source, and the ring of what will arrive."""

    def __init__(self, projection: IdealProjection, size: int, graded: bool, scale: float) -> None:
        self.projection = projection
        self.size = size
        self.graded = graded
        self.unit = scale / (1 << ALIGNMENT)
        sources = int(projection.pre.max(initial=-1)) + 1
        order = np.argsort(projection.pre, kind="stable")
        self.first = np.searchsorted(projection.pre[order], np.arange(sources + 1))
        self.post = np.asarray(projection.post)[order]
        self.weights = projection.weights[order] * (scale / (1 << ALIGNMENT))
        self.delays = np.broadcast_to(projection.delays, projection.pre.shape)[order]
        self.depth = int(self.delays.max(initial=0)) + 1
        self.ring = np.zeros((self.depth, size))

    def take(self) -> Reals:
        """What arrives now; the ring turns by one step."""
        now = self.ring[0].copy()
        self.ring[:-1] = self.ring[1:]
        self.ring[-1] = 0
        return now

    def add(self, values: Reals) -> None:
        """Put what plastic synapses deliver, by target and in the unit of v, into the ring."""
        self.ring[0] += values * self.unit

    def deliver(self, sent: Reals) -> None:
        """Put the weights of all synapses of the neurons that fired into the ring."""
        fired = np.flatnonzero(sent[: len(self.first) - 1])
        counts = self.first[fired + 1] - self.first[fired]
        if not counts.sum():
            return
        ends = np.cumsum(counts)
        synapses = np.arange(ends[-1]) + np.repeat(self.first[fired] - ends + counts, counts)
        weights = self.weights[synapses]
        if self.graded:
            weights = weights * np.repeat(sent[fired], counts)
        places = self.delays[synapses] * self.size + self.post[synapses]
        self.ring += np.bincount(places, weights, self.ring.size).reshape(self.ring.shape)


def _row_at(stimulus: IdealStimulus, now: int) -> Any:
    now -= int(stimulus.after)
    if now < 0:
        return 0.0
    count = len(stimulus.values)
    if now < count:
        return stimulus.values[now]
    return stimulus.values[now % count] if stimulus.repeat and count else 0.0


def run_real(
    ideal: IdealNetwork,
    steps: int,
    record: Sequence[tuple[str, str]] = (),
    seed: int = 0,
    scales: Mapping[str, float] | None = None,
    arithmetic: Arithmetic = LAVA,
    words: Mapping[str, Any] | None = None,
) -> RealRecorded:
    """The network in floating point for ``steps`` steps; parameters as in :class:`RealChip`.

    ``record`` names (population, state) pairs.
    """
    if steps < 0:
        raise OptionError(f"run_real({steps}): the number of steps must not be negative.")
    chip = RealChip(ideal, scales, seed, arithmetic, words)
    spikes: dict[str, list[NDArray[np.int64]]] = {
        item.name: [] for item in (*ideal.populations, *ideal.sources)
    }
    traces: dict[tuple[str, str], Any] = {}
    for population, state in record:
        _check_state(ideal, population, state)
        traces[population, state] = np.empty((steps, chip.states[population][state].size))
    payloads: dict[str, list[Reals]] = {s.name: [np.zeros(0)] for s in ideal.sources if s.graded}
    for n in range(steps):
        for name, sent in chip.step().items():
            spikes[name].append(np.flatnonzero(sent))
            if name in payloads:
                payloads[name].append(sent[sent != 0])
        for (population, state), trace in traces.items():
            trace[n] = chip.states[population][state]
    for (population, state), trace in traces.items():
        trace /= _unit(chip, population, state)
    return RealRecorded(
        {name: _joined(rows) for name, rows in spikes.items()},
        traces,
        {name: learning.weights.copy() for name, learning in chip.learning.items()},
        {name: np.concatenate(rows).astype(np.int64) for name, rows in payloads.items()},
    )


def _check_state(ideal: IdealNetwork, population: str, state: str) -> None:
    for item in ideal.populations:
        if item.name == population and any(s.name == state for s in item.neuron.states):
            return
    raise ChipLimit(f"record=({population!r}, {state!r}): there is no such population and state.")


def _unit(chip: RealChip, population: str, state: str) -> float:
    model = next(p for p in chip.ideal.populations if p.name == population).neuron
    level = is_level(next(s for s in model.states if s.name == state))
    return chip.scales[population] if level else 1.0


def _joined(rows: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    counts = [len(row) for row in rows]
    steps = np.repeat(np.arange(len(rows), dtype=np.int64), counts)
    return steps, np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64)


def real_to_user(link: StateLink, values: Any, neurons: Any = slice(None)) -> Reals:
    """A recorded real state in the user's unit: offset + value / gain."""
    offset, gain = (
        x if np.ndim(x) == 0 else np.asarray(x)[neurons] for x in (link.offset, link.gain)
    )
    return np.asarray(offset + np.asarray(values) / gain)


def replayed(ideal: IdealNetwork, recorded: Recorded | RealRecorded) -> IdealNetwork:
    """The network with its sources' spikes as they were in a run: the same input for another run.

    A Poisson source draws other numbers in the emulator than here.
    """
    return replace(ideal, sources=tuple(_replayed(source, recorded) for source in ideal.sources))


def _replayed(source: Source, recorded: Recorded | RealRecorded) -> Source:
    spikes = recorded.spikes[source.name]
    if source.graded:
        return given_counts(source, spikes, recorded.payloads[source.name])
    return SpikeTimes(source.name, source.size, spikes[1], spikes[0])
