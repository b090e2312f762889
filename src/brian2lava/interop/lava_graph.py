"""A chip network as a graph of Lava processes.

What Lava's library computes in fixed point becomes its own processes, with the same integers; the
rest (refractoriness, registers by neuron, other arithmetic profiles, models that Lava lacks)
becomes processes of ours, marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.given_words import GivenWords
from brian2lava.chip.learning import PhiloxTape
from brian2lava.chip.network import (
    BinomialCounts,
    ChipNetwork,
    Integers,
    PoissonSpikes,
    Population,
    Projection,
    Source,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain import stimulus_at
from brian2lava.chip.plain_steps import PopulationStep, SynapseRing, initial_states
from brian2lava.errors import NotSupported
from brian2lava.interop import plastic_layers, stock_neurons, synapse_layers
from brian2lava.interop.plastic_steps import LearningRing
from brian2lava.interop.synapse_layers import Form
from brian2lava.processes.shim import install

#: Each Lava process is a process of the system, and Lava's compiler recurses over them.
MOST_PROCESSES = 500
#: (steps, indices) of spikes, and for graded sources what each carries, as in
#: :class:`brian2lava.chip.plain.Recorded`.
Spikes = tuple[Integers, ...]
#: Projection -> trace or tag -> values that learning begins with.
Traces = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class LavaGraph:
    """Lava processes that are connected and can be run with any of Lava's run configurations.

    Attributes
    ----------
    network : ChipNetwork
    steps : int
        For how long sources have spikes.
    neurons : dict of str to process
        Of each population and source that is not empty; spikes leave at ``s_out``.
    layers : dict of str to tuple of processes
        Of each projection that has synapses.
    stimuli : dict of str to process
    hub : process or None
        Connects parts that no projection joins.
    heard : tuple of str
        Whose spikes come to the hub, in the order of its ports.
    ours : dict of str to str
        Populations and projections that are processes of ours, and why.
    seed : int
        Of the random words of stochastic models, and of the rounding of learning.
    """

    network: ChipNetwork
    steps: int
    neurons: Mapping[str, Any]
    layers: Mapping[str, tuple[Any, ...]]
    stimuli: Mapping[str, Any]
    hub: Any
    ours: Mapping[str, str]
    heard: tuple[str, ...] = ()
    seed: int = 0

    @property
    def processes(self) -> tuple[Any, ...]:
        """All processes."""
        layers = [layer for made in self.layers.values() for layer in made]
        hub = () if self.hub is None else (self.hub,)
        return (*self.neurons.values(), *layers, *self.stimuli.values(), *hub)


def lava_graph(
    network: ChipNetwork,
    steps: int,
    replay: Mapping[str, Spikes] | None = None,
    form: Form = "auto",
    seed: int = 0,
    rng_seed: int = 0,
    masked: bool = True,
    words: Mapping[str, Integers] | None = None,
    heard: bool = False,
    traces: Traces | None = None,
) -> LavaGraph:
    """``network`` as connected Lava processes.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
        For how long sources and stimuli are written out, at least 1.
    replay : dict of str to (steps, indices), or (steps, indices, counts)
        Spikes of random sources, and what they carry, for example those that the emulator recorded.
    form : "auto", "dense" or "sparse"
        Which of Lava's synapses: dense for small matrices, or always the one.
    seed : int
        Of the random words of stochastic models: population ``k`` of the network draws from
        ``numpy.random.default_rng([seed, k])``; and of learning in processes of ours, which draw
        what the emulator does.
    rng_seed : int
        Of Lava's own rules: projection ``k`` of the network has ``rng_seed + 4 * k``, for each
        rule uses four generators.
    masked : bool
        Whether the simulation keeps cells of a LearningDense without a synapse at 0, as
        :func:`~brian2lava.interop.lava_run.run_lava` does. Without it, a projection that learns is
        a LearningDense only if it joins every pair.
    words : dict of str to array of shape (steps, size)
        Random words of populations of stochastic models, for example those that the emulator drew;
        of the others they come from ``seed``.
    heard : bool
        Whether all spikes come to the hub, too: where neurons are on a chip, they are heard there.
    traces : dict of projection to dict of trace to array
        What learning begins with; 0 without it.

    Raises
    ------
    NotSupported
        A random source has no spikes to replay, or a learning rule takes traces from neurons.
    """
    install()
    options = _Options(replay or {}, form, seed, rng_seed, masked, words or {}, heard, traces or {})
    return _Builder(network, steps, options).graph()


@dataclass(frozen=True)
class _Options:
    """The arguments of :func:`lava_graph`."""

    replay: Mapping[str, Spikes]
    form: Form
    seed: int
    rng_seed: int
    masked: bool
    words: Mapping[str, Integers]
    heard: bool
    traces: Traces


class _Builder:
    def __init__(self, network: ChipNetwork, steps: int, options: _Options) -> None:
        self._network, self._steps, self._options = network, steps, options
        self._ours: dict[str, str] = {}
        self._neurons: dict[str, Any] = {}

    def graph(self) -> LavaGraph:
        """Sources, populations, synapses, stimuli; then what holds them together."""
        for source in self._network.sources:
            if source.size:
                self._neurons[source.name] = self._source(source)
        for number, population in enumerate(self._network.populations):
            if population.size:
                self._neurons[population.name] = self._population(number, population)
        layers = {
            projection.name: self._projection(number, projection)
            for number, projection in enumerate(self._network.projections)
            if projection.size
        }
        stimuli = {
            stimulus.name: self._stimulus(stimulus)
            for stimulus in self._network.stimuli
            if self._network.population(stimulus.target).size
        }
        hub, heard = self._hub()
        return LavaGraph(
            network=self._network,
            steps=self._steps,
            neurons=self._neurons,
            layers=layers,
            stimuli=stimuli,
            hub=hub,
            ours=self._ours,
            heard=heard,
            seed=self._options.seed,
        )

    def _source(self, source: Source) -> Any:
        from lava.proc.io.source import RingBuffer

        return RingBuffer(data=self._sent(source).astype(np.int32))

    def _sent(self, source: Source) -> Integers:
        """What a source sends, shape (size, steps)."""
        steps = self._steps
        if source.name in self._options.replay:
            when, who, *counts = map(np.asarray, self._options.replay[source.name])
            if source.graded and not counts:
                raise NotSupported(
                    f"source {source.name!r} sends counts, and only steps and indices are given:"
                    " add recorded.payloads[...] to them."
                )
        elif isinstance(source, PoissonSpikes | BinomialCounts):
            raise NotSupported(
                f"source {source.name!r} is random, and Lava is to get the spikes that the"
                f" emulator had: pass them as replay={{{source.name!r}: recorded.spikes[...]}}."
            )
        elif isinstance(source, SpikeTimes):
            when, who, counts = *_turns(source, steps), []
        else:
            when, who = np.nonzero(source.counts)
            counts = [source.counts[when, who]]
        data = np.zeros((source.size, steps), np.int64)
        inside = when < steps
        data[who[inside], when[inside]] = counts[0][inside] if counts else 1
        return data

    def _population(self, number: int, population: Population) -> Any:
        arithmetic = self._network.arithmetic
        why = stock_neurons.why_ours(population, arithmetic)
        if not why:
            return stock_neurons.stock_process(population)
        from brian2lava.processes.chip_neurons import chip_neurons

        self._ours[population.name] = why
        return chip_neurons(
            population.name,
            population.size,
            population.neuron.ports,
            _as_variables(initial_states(population, arithmetic)),
            lambda: PopulationStep(population, arithmetic, self._draws(number, population.name)),
        )

    def _draws(self, number: int, population: str) -> Any:
        """Where random words of a population come from."""
        if population in self._options.words:
            return GivenWords(self._options.words[population])
        return np.random.default_rng([self._options.seed, number])

    def _projection(self, number: int, projection: Projection) -> tuple[Any, ...]:
        learns = projection.learning is not None
        layers = (self._plastic(number, projection),) if learns else self._layers(projection)
        target = self._neurons[projection.target]
        for layer in layers:
            self._neurons[projection.source].s_out.connect(layer.s_in)
            layer.a_out.connect(getattr(target, projection.port))
            if learns:
                target.s_out.connect(layer.s_in_bap)
        return layers

    def _sizes(self, projection: Projection) -> tuple[int, int]:
        """Number of sources and targets."""
        network = self._network
        sources = network.origin(projection.source).size
        return sources, network.population(projection.target).size

    def _plastic(self, number: int, projection: Projection) -> Any:
        network = self._network
        sources, targets = self._sizes(projection)
        why = plastic_layers.why_ours(
            projection, sources, targets, network.arithmetic, self._options.masked
        )
        if not why:
            rng_seed = self._options.rng_seed + plastic_layers.GENERATORS * number
            first = self._options.traces.get(projection.name, {})
            return plastic_layers.learning_dense(projection, sources, targets, rng_seed, first)
        from brian2lava.processes.chip_plastic import ChipPlastic

        self._ours[projection.name] = why
        options = self._options
        return ChipPlastic(
            name=projection.name,
            sources=sources,
            targets=targets,
            make_ring=lambda: LearningRing(
                network,
                projection,
                PhiloxTape(options.seed, number),
                options.traces.get(projection.name, {}),
            ),
        )

    def _layers(self, projection: Projection) -> tuple[Any, ...]:
        network = self._network
        sources, targets = self._sizes(projection)
        why = synapse_layers.why_ours(projection, network.arithmetic)
        if not why:
            return tuple(synapse_layers.layers(projection, sources, targets, self._options.form))
        from brian2lava.processes.chip_synapses import ChipSynapses

        self._ours[projection.name] = why
        return (
            ChipSynapses(
                name=projection.name,
                sources=sources,
                targets=targets,
                make_ring=lambda: SynapseRing(projection, targets, network.arithmetic),
            ),
        )

    def _stimulus(self, stimulus: Stimulus) -> Any:
        """A source without a synapse between: what it sends is seen in the same step."""
        from lava.proc.io.source import RingBuffer

        target = self._neurons[stimulus.target]
        size = self._network.population(stimulus.target).size
        rows = [np.broadcast_to(stimulus_at(stimulus, n), (size,)) for n in range(self._steps)]
        process = RingBuffer(data=np.array(rows, np.int32).T)
        process.s_out.connect(getattr(target, stimulus.port))
        return process

    def _hub(self) -> tuple[Any, tuple[str, ...]]:
        """The hub, if one is needed, and whose spikes come to it."""
        heard = list(self._neurons) if self._options.heard else self._parts()
        if len(heard) < 2 and not self._options.heard:
            return None, ()
        from brian2lava.processes.chip_hub import chip_hub

        ends = [self._neurons[name] for name in heard]
        hub = chip_hub("hub", [int(end.s_out.shape[0]) for end in ends])
        for number, end in enumerate(ends):
            end.s_out.connect(getattr(hub, f"s_in_{number}"))
        return hub, tuple(heard)

    def _parts(self) -> list[str]:
        """One population or source of each part that projections join."""
        parent = {name: name for name in self._neurons}

        def root(name: str) -> str:
            while parent[name] != name:
                name = parent[name]
            return name

        for projection in self._network.projections:
            if projection.size:
                parent[root(projection.source)] = root(projection.target)
        return sorted({root(name) for name in self._neurons})


def _turns(source: SpikeTimes, steps: int) -> tuple[Integers, Integers]:
    """Steps and indices of a source's spikes, as often as it repeats itself."""
    if not source.period:
        return source.steps, source.indices
    turns = np.arange(-(-steps // source.period)) * source.period
    return (turns[:, None] + source.steps).ravel(), np.tile(source.indices, len(turns))


def _as_variables(states: Mapping[str, Integers]) -> dict[str, Integers]:
    """Lava's variables are 64-bit integers, whatever the profile's word."""
    return {name: values.astype(np.int64) for name, values in states.items()}
