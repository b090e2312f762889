"""The plain definition: a chip network step by step in NumPy, written like a manual.

Slow, and what every engine is held to, integer by integer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.learning import PhiloxTape
from brian2lava.chip.network import (
    ChipNetwork,
    Integers,
    PoissonSpikes,
    Population,
    Projection,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain_steps import (
    PopulationStep,
    SynapseRing,
    generator,
    initial_states,
    word_of,
    zero_registers,
)
from brian2lava.chip.plastic import PlasticSynapses
from brian2lava.chip.weights import effective

__all__ = ["PlainChip", "Recorded", "stimulus_at", "zero_registers"]


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
        self._kind = word_of(network.arithmetic)
        self._steps = {
            population.name: PopulationStep(population, network.arithmetic, draws)
            for population in network.populations
        }
        self.states = {
            population.name: initial_states(population, network.arithmetic)
            for population in network.populations
        }
        self._rings = {
            projection.name: SynapseRing(
                projection, self._size(projection.target), network.arithmetic
            )
            for projection in network.projections
        }
        self.plastic = {
            projection.name: PlasticSynapses(network, projection, PhiloxTape(seed, k))
            for k, projection in enumerate(network.projections)
            if projection.learning is not None
        }
        #: what a spike adds at each plastic synapse
        self._adds = {
            projection.name: effective(projection, network.arithmetic).astype(self._kind)
            for projection in network.projections
            if projection.learning is not None
        }

    @property
    def counts(self) -> dict[tuple[str, str], int]:
        """How often counters of (population, counter) were true."""
        return {
            (name, counter): count
            for name, step in self._steps.items()
            for counter, count in step.counts.items()
        }

    def _size(self, population: str) -> int:
        return self.network.population(population).size

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
                self._rings[projection.name].take(sent[projection.source])
        for projection in self.network.projections:
            if projection.name in self.plastic:
                changed = self.plastic[projection.name].learn(sent[projection.target])
                self._adds[projection.name] = changed.astype(self._kind)
        self.now += 1
        return sent

    def _emit(self, source: SpikeTimes | PoissonSpikes) -> Integers:
        sent = np.zeros(source.size, self._kind)
        if isinstance(source, SpikeTimes):
            now = self.now % source.period if source.period else self.now
            sent[source.indices[source.steps == now]] = 1
        else:
            draws = generator(source.name, self.draws)
            sent[:] = draws.random(source.size) < source.probability
        return sent

    def _take_arrived(self) -> dict[tuple[str, str], Integers]:
        """What arrived at each port; the rings of all projections turn by one step."""
        arrived = {
            (population.name, port): np.zeros(population.size, self._kind)
            for population in self.network.populations
            for port in population.neuron.ports
        }
        for projection in self.network.projections:
            place = projection.target, projection.port
            arrived[place] = arrived[place] + self._rings[projection.name].due()
        for stimulus in self.network.stimuli:
            place = stimulus.target, stimulus.port
            arrived[place] = arrived[place] + stimulus_at(stimulus, self.now).astype(self._kind)
        return arrived

    def _update(
        self, population: Population, arrived: Mapping[tuple[str, str], Integers]
    ) -> Integers:
        name = population.name
        ports = {port: arrived[name, port] for port in population.neuron.ports}
        return self._steps[name](self.states[name], ports, self.now + 1)

    def _deliver_plastic(self, projection: Projection, sent: Integers) -> None:
        """Weights count when a spike arrives, not when it is sent."""
        arrived = self.plastic[projection.name].arrive(sent)
        total: Any = np.zeros(self._size(projection.target), self._kind)
        weights = self._adds[projection.name]
        np.add.at(total, projection.post, np.where(arrived[projection.pre], weights, 0))
        self._rings[projection.name].add(total)

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
            counts=self.counts,
        )


def stimulus_at(stimulus: Stimulus, now: int) -> Integers:
    """The row of a stimulus that the update of step ``now`` sees."""
    now -= int(stimulus.after)
    if now < 0:
        return np.asarray(0)
    count = len(stimulus.values)
    if now < count:
        return np.asarray(stimulus.values[now])
    return np.asarray(stimulus.values[now % count] if stimulus.repeat and count else 0)
