"""What each core of a partition holds, counted exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.models.membrane import WORD
from brian2lava.chip.resources.budget import Budget
from brian2lava.chip.resources.flat import Flat, compartments_of

Integers = NDArray[Any]


@dataclass(frozen=True)
class Costs:
    """What neurons and synapses cost, looked up by their place, axon or format.

    Attributes
    ----------
    compartments, state, delay : arrays of shape (neurons,)
        Compartments; bits of states, own registers and accumulators in the core memory; bits of
        the longest delay that arrives.
    slots, format : arrays of shape (axons,)
        Input axon places of an axon; its projection.
    """

    flat: Flat
    budget: Budget
    compartments: Integers
    state: Integers
    delay: Integers
    slots: Integers
    format: Integers
    _tables: dict[int, Integers] = field(default_factory=dict)

    def added(self, width: int) -> Integers:
        """Bits that the n-th synapse of an axon adds: shape (projections, block), n mod block.

        ``width`` bits tell the targets in a core apart; dense formats need none.
        """
        if width not in self._tables:
            block = self.budget.block
            rows = [
                [self.budget.axon_memory(n, bits) for n in range(block + 1)]
                for bits in (
                    f.bits + (self.budget.index_bits[0] if f.dense else width)
                    for f in self.flat.formats
                )
            ]
            self._tables[width] = np.diff(np.asarray(rows, np.int64).reshape(-1, block + 1))
        return self._tables[width]


def costs(flat: Flat, budget: Budget) -> Costs:
    """The costs of all neurons and axons of ``flat``."""
    network = flat.network
    compartments, state, delay = [], [], []
    for population in network.populations:
        arriving = max(
            (
                f.delay
                for f, p in zip(flat.formats, network.projections)
                if p.target == population.name
            ),
            default=0,
        )
        own = sum(np.ndim(values) > 0 for values in population.registers.values())
        states = len(population.neuron.states) - (WORD in population.neuron.states)
        noisy = bool(np.any(population.registers.get("noise_exp", 0)))
        words = states + noisy + own + (len(population.neuron.ports) << arriving)
        compartments.append(compartments_of(population, budget))
        state.append(words * budget.word_bits)
        delay.append(arriving)
    sizes = np.diff(flat.starts)
    axons = np.diff(flat.keys)
    return Costs(
        flat=flat,
        budget=budget,
        compartments=np.repeat(np.asarray(compartments, np.int64), sizes),
        state=np.repeat(np.asarray(state, np.int64), sizes),
        delay=np.repeat(np.asarray(delay, np.int64), sizes),
        slots=np.repeat(np.asarray([f.slots for f in flat.formats], np.int64), axons),
        format=np.repeat(np.arange(len(flat.formats)), axons),
    )


@dataclass(frozen=True)
class Cores:
    """What the cores hold; arrays of shape (cores,), memories in bits.

    Attributes
    ----------
    bounds : array of shape (cores + 1,)
        Core n has the places ``bounds[n]`` .. ``bounds[n + 1] - 1`` of the row of neurons.
    """

    bounds: Integers
    neurons: Integers
    compartments: Integers
    synapses: Integers
    input_axons: Integers
    output_axons: Integers
    synapse_memory: Integers
    core_memory: Integers
    accumulators: Integers
    profiles: Integers
    thresholds: Integers
    formats: Integers
    traces: Integers

    def __len__(self) -> int:
        return len(self.neurons)


@dataclass(frozen=True)
class Account:
    """The cores, and what each projection and each neuron has in them.

    Attributes
    ----------
    cores : Cores
    projection_memory, projection_axons, projection_entries : arrays of shape (projections,)
        Bits of synapses; input axon places; output axon entries (0 where the source is the host).
    entries : array of shape (neurons,)
        Output axon entries of each neuron, by place.
    widths : tuple of set of int
        Index widths that occur in each projection.
    """

    cores: Cores
    projection_memory: Integers
    projection_axons: Integers
    projection_entries: Integers
    entries: Integers
    widths: tuple[frozenset[int], ...]


def account(costs: Costs, bounds: Integers) -> Account:
    """Count what is in each core of the partition ``bounds``."""
    flat, budget = costs.flat, costs.budget
    cores, projections = len(bounds) - 1, len(flat.formats)
    seen = np.zeros(int(flat.keys[-1]), flat.rank.dtype)
    entries_of_axon = np.zeros(int(flat.keys[-1]), np.int64)
    memory = np.zeros((cores, projections))
    axons = np.zeros((cores, projections))
    widths: list[set[int]] = [set() for _ in range(projections)]
    incoming = _incoming(flat)
    places = np.concatenate([[0], np.cumsum(costs.compartments)])
    for core, (begin, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist())):
        for population, low, high in pieces(flat, begin, end):
            chosen = slice(int(flat.first[low]), int(flat.first[high]))
            key = flat.key[chosen]
            rank = flat.rank[chosen]
            ordinal = rank - seen[key]
            format_ = costs.format[key]
            width = budget.index_width(int(places[high] - places[begin]))
            added = costs.added(width)[format_, ordinal % budget.block]
            new = ordinal == 0
            begun = key[new]
            memory[core] += np.bincount(format_, added, projections)
            axons[core] += np.bincount(costs.format[begun], costs.slots[begun], projections)
            entries_of_axon[begun] += 1
            seen[key] = rank + 1
            for projection in incoming[population]:
                widths[projection].add(
                    budget.index_bits[0] if flat.formats[projection].dense else width
                )
    entries, by_projection = _entries(flat, entries_of_axon)
    return Account(
        cores=_cores(costs, bounds, memory.sum(1), axons.sum(1), entries),
        projection_memory=memory.sum(0).astype(np.int64),
        projection_axons=axons.sum(0).astype(np.int64),
        projection_entries=by_projection,
        entries=entries,
        widths=tuple(frozenset(w) for w in widths),
    )


def pieces(flat: Flat, begin: int, end: int) -> list[tuple[int, int, int]]:
    """The populations in the places ``begin`` .. ``end - 1``: (population, from, to)."""
    if begin == end:
        return []
    first, last = int(flat.population[begin]), int(flat.population[end - 1])
    found = []
    for population in range(first, last + 1):
        low = max(begin, int(flat.starts[population]))
        high = min(end, int(flat.starts[population + 1]))
        if low < high:
            found.append((population, low, high))
    return found


def _incoming(flat: Flat) -> list[list[int]]:
    """The projections (that have synapses) onto each population."""
    network = flat.network
    return [
        [n for n, p in enumerate(network.projections) if p.target == population.name and p.size]
        for population in network.populations
    ]


def registers(flat: Flat, begin: int, end: int, own: list[list[int]]) -> tuple[int, int]:
    """Distinct synapse formats and distinct pairs of traces that a range of places needs."""
    kinds, traces = set(), []
    for population, _, _ in pieces(flat, begin, end):
        for projection in own[population]:
            kinds.add(flat.formats[projection].kind)
            pair = flat.formats[projection].traces
            if pair is not None and pair not in traces:
                traces.append(pair)
    return len(kinds), len(traces)


def _entries(flat: Flat, of_axon: Integers) -> tuple[Integers, Integers]:
    """Output axon entries of each neuron (by place), and of each projection."""
    network = flat.network
    start = {p.name: int(s) for p, s in zip(network.populations, flat.starts)}
    entries = np.zeros(flat.neurons, np.int64)
    by_projection = np.zeros(len(network.projections), np.int64)
    for n, projection in enumerate(network.projections):
        if projection.source in start:
            own = of_axon[flat.keys[n] : flat.keys[n + 1]]
            begin = start[projection.source]
            entries[flat.place[begin : begin + len(own)]] += own
            by_projection[n] = own.sum()
    return entries, by_projection


def _cores(
    costs: Costs, bounds: Integers, memory: Integers, axons: Integers, entries: Integers
) -> Cores:
    flat, budget = costs.flat, costs.budget
    ranges = list(zip(bounds[:-1].tolist(), bounds[1:].tolist()))
    own = _incoming(flat)
    formats = [registers(flat, *pair, own) for pair in ranges]

    def total(values: Integers) -> Integers:
        return np.diff(np.concatenate([[0], np.cumsum(values)])[bounds])

    synapse_memory = memory.astype(np.int64)
    input_axons = axons.astype(np.int64)
    output_axons = total(entries)
    compartments = total(costs.compartments)
    longest = [int(costs.delay[b:e].max(initial=0)) for b, e in ranges]
    return Cores(
        bounds=bounds,
        neurons=np.diff(bounds),
        compartments=compartments,
        synapses=np.diff(flat.first[bounds]),
        input_axons=input_axons,
        output_axons=output_axons,
        synapse_memory=synapse_memory,
        core_memory=total(costs.state)
        + synapse_memory
        + (input_axons + output_axons) * budget.axon_bits,
        accumulators=compartments << np.asarray(longest, np.int64),
        profiles=np.asarray([profiles(costs, b, e)[-1] for b, e in ranges], np.int64),
        thresholds=np.asarray([len(np.unique(flat.threshold[b:e])) for b, e in ranges], np.int64),
        formats=np.asarray([f for f, _ in formats], np.int64),
        traces=np.asarray([t for _, t in formats], np.int64),
    )


def profiles(costs: Costs, begin: int, end: int) -> Integers:
    """Compartment profiles of the places ``begin`` .. n, for each n: shape (end - begin,)."""
    values = costs.flat.profile[begin:end]
    return np.cumsum(_firsts(values) * costs.compartments[begin:end])


def thresholds(costs: Costs, begin: int, end: int) -> Integers:
    """Distinct thresholds of the places ``begin`` .. n, for each n."""
    return np.cumsum(_firsts(costs.flat.threshold[begin:end]))


def _firsts(values: Integers) -> Integers:
    """1 where a value stands for the first time, else 0."""
    marks = np.zeros(len(values), np.int64)
    marks[np.unique(values, return_index=True)[1]] = 1
    return marks
