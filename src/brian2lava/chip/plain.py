"""The plain definition: a chip network step by step in NumPy, written like a manual.

Slow, and what every engine is held to, integer by integer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import Name, evaluate
from brian2lava.chip.learning import PhiloxTape
from brian2lava.chip.models.neuron import Step
from brian2lava.chip.network import (
    ChipNetwork,
    Integers,
    PoissonSpikes,
    Population,
    Projection,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plastic import PlasticSynapses
from brian2lava.chip.weights import effective, late_exponent
from brian2lava.errors import NotSupported


@dataclass(frozen=True)
class Recorded:
    """What a run leaves behind.

    Attributes
    ----------
    spikes : dict of str to (steps, indices)
        Of each population and source, in the order of time, then index.
    states : dict of (population, state) to array of shape (steps, size)
        After each step.
    counts : dict of (population, counter) to int
    """

    spikes: Mapping[str, tuple[Integers, Integers]]
    states: Mapping[tuple[str, str], Integers]
    counts: Mapping[tuple[str, str], int]


class PlainChip:
    """A chip network between two steps.

    Parameters
    ----------
    network : ChipNetwork
    draws : numpy.random.Generator, optional
        Where random words come from (models that need them, Poisson sources).
    seed : int
        Of the rounding of learning, the same as the emulator's.
    """

    def __init__(
        self, network: ChipNetwork, draws: np.random.Generator | None = None, seed: int = 0
    ) -> None:
        self.network = network
        self.now = 0
        self.draws = draws
        self._kind = np.int32 if network.arithmetic.word == 32 else np.int64
        self.states: dict[str, dict[str, Integers]] = {}
        self._registers: dict[str, dict[str, Integers]] = {}
        self._steps: dict[str, Step] = {}
        self.counts: dict[tuple[str, str], int] = {}
        for population in network.populations:
            self._begin(population)
        #: by projection: what arrives in the next steps, (delays, size), before a late exponent
        self._arriving = {
            projection.name: np.zeros(
                (int(projection.delays.max(initial=0)) + 1, self._size(projection.target)),
                self._kind,
            )
            for projection in network.projections
        }
        self._weights = {
            projection.name: effective(projection, network.arithmetic).astype(self._kind)
            for projection in network.projections
        }
        self.plastic = {
            projection.name: PlasticSynapses(network, projection, PhiloxTape(seed, k))
            for k, projection in enumerate(network.projections)
            if projection.learning is not None
        }

    def _size(self, population: str) -> int:
        return self.network.population(population).size

    def _begin(self, population: Population) -> None:
        name, model = population.name, population.neuron
        arithmetic = self.network.arithmetic
        shape = (population.size,)
        values = {
            register: np.broadcast_to(numbers, shape).astype(self._kind)
            for register, numbers in population.registers.items()
        }
        for derived, expression in model.derived(arithmetic).items():
            values[derived] = np.broadcast_to(evaluate(expression, values, arithmetic.word), shape)
        self._registers[name] = values
        states = {}
        for state in model.states:
            if state.initial is not None:
                first: Any = evaluate(state.initial, values, arithmetic.word)
            else:
                first = population.initial.get(state.name, 0)
            states[state.name] = np.array(np.broadcast_to(first, shape), dtype=self._kind)
        self.states[name] = states
        self._steps[name] = model.step(arithmetic, zero_registers(population))
        for counter, _ in self._steps[name].counters:
            self.counts[name, counter] = 0

    def step(self) -> dict[str, Integers]:
        """One time step; returns what each population and source sends, 0 where it is silent."""
        sent = {source.name: self._emit(source) for source in self.network.sources}
        arrived = self._take_arrived()
        for population in self.network.populations:
            sent[population.name] = self._update(population, arrived)
        for projection in self.network.projections:
            if projection.name in self.plastic:
                self._deliver_plastic(projection, sent[projection.source])
            else:
                self._deliver(projection, sent[projection.source])
        for projection in self.network.projections:
            if projection.name in self.plastic:
                changed = self.plastic[projection.name].learn(sent[projection.target])
                self._weights[projection.name] = changed.astype(self._kind)
        self.now += 1
        return sent

    def _emit(self, source: SpikeTimes | PoissonSpikes) -> Integers:
        sent = np.zeros(source.size, self._kind)
        if isinstance(source, SpikeTimes):
            now = self.now % source.period if source.period else self.now
            sent[source.indices[source.steps == now]] = 1
        else:
            sent[:] = self._generator(source.name).random(source.size) < source.probability
        return sent

    def _generator(self, name: str) -> np.random.Generator:
        if self.draws is None:
            raise NotSupported(f"{name!r} draws random numbers: pass draws= to the plain chip.")
        return self.draws

    def _take_arrived(self) -> dict[tuple[str, str], Integers]:
        """What arrived at each port; the rings of all projections turn by one step."""
        arrived = {
            (population.name, port): np.zeros(population.size, self._kind)
            for population in self.network.populations
            for port in population.neuron.ports
        }
        for projection in self.network.projections:
            ring = self._arriving[projection.name]
            place = projection.target, projection.port
            arrived[place] = arrived[place] + ring[0]
            ring[:-1] = ring[1:]
            ring[-1] = 0
        for stimulus in self.network.stimuli:
            place = stimulus.target, stimulus.port
            arrived[place] = arrived[place] + stimulus_at(stimulus, self.now).astype(self._kind)
        return arrived

    def _update(
        self, population: Population, arrived: Mapping[tuple[str, str], Integers]
    ) -> Integers:
        name, word = population.name, self.network.arithmetic.word
        states, step = self.states[name], self._steps[name]
        values: dict[str, Integers] = {**self._registers[name], **states}
        values.update({port: arrived[name, port] for port in population.neuron.ports})
        values["t"] = np.array(self.now + 1, self._kind)
        for draw in step.draws:
            values[draw] = (self._generator(name).random(population.size) * (1 << 24)).astype(
                self._kind
            )
        for target, expression in step.assignments:
            values[target] = evaluate(expression, values, word)
        values["fired"] = evaluate(step.fired, values, word)
        sent = evaluate(step.payload if step.payload is not None else Name("fired"), values, word)
        for counter, condition in step.counters:
            self.counts[name, counter] += int(evaluate(condition, values, word).sum())
        values.update({state: evaluate(new, values, word) for state, new in step.after})
        for state in states:
            states[state][:] = values[state]
        result: Integers = np.where(values["fired"] != 0, sent, 0)
        return result

    def _deliver(self, projection: Projection, sent: Integers) -> None:
        """Spikes go into the ring of their projection, each sum shifted by a late exponent."""
        ring = self._arriving[projection.name]
        message = sent if projection.message_bits else (sent != 0).astype(self._kind)
        late = -late_exponent(projection, self.network.arithmetic)
        delays = np.broadcast_to(projection.delays, projection.pre.shape)
        for delay in np.unique(delays):
            chosen = delays == delay
            total: Any = np.zeros(ring.shape[1], self._kind)
            added = self._weights[projection.name][chosen] * message[projection.pre[chosen]]
            np.add.at(total, projection.post[chosen], added)
            ring[delay] += total >> late

    def _deliver_plastic(self, projection: Projection, sent: Integers) -> None:
        """Weights count when a spike arrives, not when it is sent."""
        arrived = self.plastic[projection.name].arrive(sent)
        total: Any = np.zeros(self._size(projection.target), self._kind)
        weights = self._weights[projection.name]
        np.add.at(total, projection.post, np.where(arrived[projection.pre], weights, 0))
        self._arriving[projection.name][0] += total

    def run(self, steps: int, record: Sequence[tuple[str, str]] = ()) -> Recorded:
        """Run ``steps`` steps; ``record`` names (population, state) pairs."""
        spikes: dict[str, list[tuple[int, Integers]]] = {}
        traces: dict[tuple[str, str], list[Integers]] = {pair: [] for pair in record}
        for _ in range(steps):
            now = self.now
            for name, sent in self.step().items():
                spikes.setdefault(name, []).append((now, np.flatnonzero(sent)))
            for population, state in record:
                traces[population, state].append(self.states[population][state].copy())
        return Recorded(
            spikes={
                name: (
                    np.concatenate([np.full(len(who), n) for n, who in rows]).astype(np.int64),
                    np.concatenate([who for _, who in rows]).astype(np.int64),
                )
                for name, rows in spikes.items()
            },
            states={pair: np.array(rows) for pair, rows in traces.items()},
            counts=dict(self.counts),
        )


def zero_registers(population: Population) -> frozenset[str]:
    """The registers that are zero in all neurons: models leave out what they would do."""
    return frozenset(name for name, values in population.registers.items() if not np.any(values))


def stimulus_at(stimulus: Stimulus, now: int) -> Integers:
    """The row of a stimulus that the update of step ``now`` sees."""
    now -= int(stimulus.after)
    if now < 0:
        return np.asarray(0)
    count = len(stimulus.values)
    if now < count:
        return np.asarray(stimulus.values[now])
    return np.asarray(stimulus.values[now % count] if stimulus.repeat and count else 0)
