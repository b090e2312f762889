"""A network as flat arrays: all neurons in a row, all synapses in a row, none visited in Python.

The row of neurons is the order in which cores are filled: population by population, inside one by
index, or, where a population has more thresholds or profiles than a core holds, by those first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.network import ChipNetwork, Population, Projection
from brian2lava.chip.resources.budget import Budget
from brian2lava.errors import ChipLimit

Integers = NDArray[Any]

#: Registers that a core does not share between neurons, or that are thresholds.
_OWN = frozenset(
    {"vth", "bias_mant", "bias_exp", "bias_mant_u", "bias_mant_v", "reset_interval", "reset_offset"}
)


@dataclass(frozen=True)
class Format:
    """How one projection's synapses are written down.

    Attributes
    ----------
    weight, delay, tag : int
        Bits of each part of a synapse; the index, whose width depends on the core, comes beside.
    dense : bool
        Every source that has synapses reaches each target once: no index is needed.
    slots : int
        Input axon places of an axon.
    kind : tuple
        Equal for projections that share one format register.
    traces : object
        The pre-synaptic traces of the learning rule, or None.
    """

    weight: int
    delay: int
    tag: int
    dense: bool
    slots: int
    kind: tuple[Any, ...]
    traces: Any = None

    @property
    def bits(self) -> int:
        """Of one synapse, without its index."""
        return self.weight + self.delay + self.tag


@dataclass(frozen=True)
class Flat:
    """All neurons and synapses of a network.

    Synapses are ordered by the place of their target in the row; an axon is a (projection, source
    neuron) pair and has a number, ``key``.

    Attributes
    ----------
    network : ChipNetwork
    formats : tuple of Format
        Of each projection.
    starts : array of shape (populations + 1,)
        Where each population begins in the row.
    order : array of shape (neurons,)
        The neuron's index in its population.
    place : array of shape (neurons,)
        The inverse: by population start plus index, the place in the row.
    population : array of shape (neurons,)
    profile, threshold : arrays of shape (neurons,)
        Numbers that are equal for neurons that share a register.
    first : array of shape (neurons + 1,)
        The first synapse of each place.
    key : array of shape (synapses,)
    rank : array of shape (synapses,)
        How many synapses of the same axon go to earlier places (or stand before in the list).
    keys : array of shape (projections + 1,)
        Where the axons of each projection begin.
    """

    network: ChipNetwork
    formats: tuple[Format, ...]
    starts: Integers
    order: Integers
    place: Integers
    population: Integers
    profile: Integers
    threshold: Integers
    first: Integers
    key: Integers
    rank: Integers
    keys: Integers

    @property
    def neurons(self) -> int:
        """Their number."""
        return int(self.starts[-1])

    @property
    def projection(self) -> Integers:
        """The projection of each axon, shape (axons,)."""
        return np.repeat(np.arange(len(self.formats)), np.diff(self.keys))


def compartments_of(population: Population, budget: Budget) -> int:
    """Compartments of a neuron of ``population``.

    Raises
    ------
    ChipLimit
        The chip has no such neuron.
    """
    if budget.per_neuron is None:
        return 1
    if population.model not in budget.per_neuron:
        raise ChipLimit(
            f"population {population.name!r}: {population.model} is no neuron of {budget.chip},"
            f" which has {', '.join(budget.per_neuron)}. Use chip='Loihi2', or a Budget whose"
            " per_neuron says how many compartments it takes."
        )
    return budget.per_neuron[population.model]


def delay_width(projection: Projection, budget: Budget) -> int:
    """Bits of a synapse's delay; 0 where nothing is delayed."""
    rule = projection.learning
    if rule is not None and getattr(rule, "dd", None):
        return budget.delay_bits
    return int(projection.delays.max(initial=0)).bit_length()


def format_of(projection: Projection, targets: int, budget: Budget) -> Format:
    """How the synapses of ``projection`` are written down."""
    rule = projection.learning
    delay = delay_width(projection, budget)
    tag = budget.tag_bits if rule is not None and getattr(rule, "dt", None) else 0
    dense = is_dense(projection, targets)
    kind = (
        projection.exponent, projection.num_weight_bits, projection.signs, delay, tag, dense,
        projection.port, rule is not None,
    )  # fmt: skip
    traces = (getattr(rule, "x1", rule), getattr(rule, "x2", None)) if rule is not None else None
    return Format(
        weight=projection.num_weight_bits,
        delay=delay,
        tag=tag,
        dense=dense,
        slots=budget.learning_slots if rule is not None else 1,
        kind=kind,
        traces=traces,
    )


def is_dense(projection: Projection, targets: int) -> bool:
    """Whether each source that has synapses reaches every one of ``targets`` neurons once."""
    if projection.size == 0 or projection.size % targets:
        return False
    fan_out = np.bincount(projection.pre)
    if np.any(fan_out[fan_out > 0] != targets):
        return False
    row = np.cumsum(fan_out > 0) - 1
    pairs = row[projection.pre] * targets + projection.post
    return bool(np.bincount(pairs).max() == 1)


def flatten(network: ChipNetwork, budget: Budget) -> Flat:
    """All neurons and synapses of ``network`` as arrays, in the order in which cores are filled."""
    sizes = [population.size for population in network.populations]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    position = {population.name: n for n, population in enumerate(network.populations)}
    formats = tuple(
        format_of(projection, network.population(projection.target).size, budget)
        for projection in network.projections
    )
    order, profile, threshold = _neurons(network, budget)
    place = np.empty(starts[-1], np.int64)
    for n, start in enumerate(starts[:-1]):
        place[start + order[start : starts[n + 1]]] = np.arange(start, starts[n + 1])
    keys = np.concatenate(
        [[0], np.cumsum([network.origin(p.source).size for p in network.projections])]
    ).astype(np.int64)
    kind = np.int32 if max(int(keys[-1]), int(starts[-1])) <= np.iinfo(np.int32).max else np.int64
    key = np.empty(sum(p.size for p in network.projections), kind)
    target = np.empty(len(key), kind)
    begin = 0
    for n, projection in enumerate(network.projections):
        end = begin + projection.size
        key[begin:end] = projection.pre + keys[n]
        target[begin:end] = place[projection.post + starts[position[projection.target]]]
        begin = end
    by_target = stable_order(target)
    key = key[by_target]
    first = np.concatenate([[0], np.cumsum(np.bincount(target, minlength=int(starts[-1])))])
    del target, by_target
    return Flat(
        network=network,
        formats=formats,
        starts=starts,
        order=order,
        place=place,
        population=np.repeat(np.arange(len(sizes)), sizes),
        profile=profile,
        threshold=threshold,
        first=first,
        key=key,
        rank=_rank(key, int(keys[-1])),
        keys=keys,
    )


def stable_order(values: Integers) -> Integers:
    """The order that sorts ``values`` (0 or more), equal ones as they stand.

    Value and place are packed into one 64-bit word and sorted as such, which takes half the time of
    a stable ``argsort``.
    """
    bits = len(values).bit_length()
    if int(values.max(initial=0)).bit_length() + bits > 63:
        return np.argsort(values, kind="stable")
    packed = (values.astype(np.int64) << bits) | np.arange(len(values))
    packed.sort()
    return packed & ((1 << bits) - 1)


def _rank(key: Integers, keys: int) -> Integers:
    """How often each value of ``key`` stood before."""
    by_key = stable_order(key)
    begins = np.concatenate([[0], np.cumsum(np.bincount(key, minlength=keys))])
    rank = np.empty(len(key), np.int32)
    rank[by_key] = np.arange(len(key)) - begins[key[by_key]]
    return rank


def _neurons(network: ChipNetwork, budget: Budget) -> tuple[Integers, Integers, Integers]:
    """Order, profile and threshold of all neurons (the last two in the row's order)."""
    orders, profiles, thresholds = [], [], []
    numbers: tuple[dict[Any, int], dict[Any, int]] = {}, {}
    for population in network.populations:
        own = sorted(name for name in population.registers if name not in _OWN)
        compartments = budget.per_neuron and budget.per_neuron.get(population.model, 1)
        shared = _numbered(population, own, numbers[0], (population.model, compartments))
        vth = _numbered(population, ["vth"] if "vth" in population.registers else [], numbers[1])
        order = np.arange(population.size)
        if _too_many(vth, budget.thresholds) or _too_many(shared, budget.profiles):
            order = np.lexsort((order, vth, shared))
        orders.append(order)
        profiles.append(shared[order])
        thresholds.append(vth[order])
    return tuple(  # type: ignore[return-value]
        np.concatenate(rows) if rows else np.zeros(0, np.int64)
        for rows in (orders, profiles, thresholds)
    )


def _too_many(values: Integers, limit: int | None) -> bool:
    return limit is not None and len(np.unique(values)) > limit


def _numbered(
    population: Population, registers: list[str], numbers: dict[Any, int], *beside: Any
) -> Integers:
    """A number for each neuron, the same for equal values of ``registers``, in all populations."""
    values = np.stack(
        [np.broadcast_to(population.registers[r], population.size) for r in registers]
        or [np.zeros(population.size, np.int64)]
    )
    distinct, inverse = np.unique(values, axis=1, return_inverse=True)
    lookup = [
        numbers.setdefault((tuple(registers), *beside, *column), len(numbers))
        for column in distinct.T.tolist()
    ]
    return np.asarray(lookup, np.int64)[inverse.reshape(-1)] if lookup else np.zeros(0, np.int64)
