"""The plain definition: a chip network step by step in NumPy, written like a manual.

Slow, and what every engine is held to, integer by integer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.learning import PhiloxTape
from brian2lava.chip.network import (
    ChipNetwork,
    Integers,
    Population,
    Projection,
    Source,
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
from brian2lava.errors import OptionError

__all__ = [
    "PlainChip",
    "Record",
    "Recorded",
    "recorded_neurons",
    "stimulus_at",
    "zero_registers",
]


#: (population, state), or (population, state, indices of neurons).
Record = tuple[str, str] | tuple[str, str, Sequence[int] | Integers]


@dataclass(frozen=True)
class Recorded:
    """What a run leaves behind.

    Attributes
    ----------
    spikes : dict of str to (steps, indices)
        Of each population and source, in the order of time, then index.
    states : dict of (population, state) to array of shape (steps, recorded neurons)
        After each step.
    counts : dict of (population, counter) to int
    payloads : dict of graded source to array of shape (spikes,)
        What each of its spikes carries.
    """

    spikes: Mapping[str, tuple[Integers, Integers]]
    states: Mapping[tuple[str, str], Integers]
    counts: Mapping[tuple[str, str], int]
    payloads: Mapping[str, Integers] = field(default_factory=dict)


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

    def _emit(self, source: Source) -> Integers:
        sent = source.sent(self.now, lambda size: generator(source.name, self.draws).random(size))
        return sent.astype(self._kind)

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

    def run(self, steps: int, record: Sequence[Record] = ()) -> Recorded:
        """Run ``steps`` steps; ``record`` names states, of all neurons or of some."""
        spikes: dict[str, list[tuple[int, Integers]]] = {}
        payloads: dict[str, list[Integers]] = {
            source.name: [] for source in self.network.sources if source.graded
        }
        neurons = {(item[0], item[1]): recorded_neurons(self.network, item) for item in record}
        traces: dict[tuple[str, str], list[Integers]] = {pair: [] for pair in neurons}
        for _ in range(steps):
            now = self.now
            for name, sent in self.step().items():
                spikes.setdefault(name, []).append((now, np.flatnonzero(sent)))
                if name in payloads:
                    payloads[name].append(sent[sent != 0])
            for (population, state), chosen in neurons.items():
                traces[population, state].append(self.states[population][state][chosen])
        none = np.zeros(0, np.int64)
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
            payloads={name: np.concatenate([none, *rows]) for name, rows in payloads.items()},
        )


def recorded_neurons(network: ChipNetwork, item: Record) -> Integers:
    """The neurons of which a state is recorded, int32.

    Raises
    ------
    OptionError
        An index is outside the population.
    """
    size = network.population(item[0]).size
    if len(item) == 2:
        return np.arange(size, dtype=np.int32)
    indices = np.asarray(item[2])
    whole = indices.dtype.kind in "iu" or indices.size == 0
    if indices.ndim != 1 or not whole or np.any((indices < 0) | (indices >= size)):
        raise OptionError(
            f"record={item!r}: the indices have to be a list of whole numbers in 0..{size - 1},"
            f" the neurons of {item[0]!r}."
        )
    return indices.astype(np.int32)


def stimulus_at(stimulus: Stimulus, now: int) -> Integers:
    """The row of a stimulus that the update of step ``now`` sees."""
    now -= int(stimulus.after)
    if now < 0:
        return np.asarray(0)
    count = len(stimulus.values)
    if now < count:
        return np.asarray(stimulus.values[now])
    return np.asarray(stimulus.values[now % count] if stimulus.repeat and count else 0)
