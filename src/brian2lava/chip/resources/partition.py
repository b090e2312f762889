"""Neurons onto cores: one after another into the same core, until the next one does not fit.

The row of neurons (:mod:`.flat`) is cut into contiguous ranges. Deterministic and greedy: no search
for neurons that share sources, so a better mapping may need fewer cores. How many output axons a
neuron has depends on the cores of its targets; the row is cut again with the numbers found, until
no core has too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.resources.account import (
    Account,
    Costs,
    account,
    pieces,
    profiles,
    registers,
    thresholds,
)
from brian2lava.chip.resources.budget import Budget
from brian2lava.errors import ChipLimit

Integers = NDArray[Any]

#: What a core can run out of: field of Budget and Cores, name, unit, what to do about it.
RESOURCES: dict[str, tuple[str, str, str]] = {
    "compartments": ("compartments", "", "Use a model of fewer compartments."),
    "synapse_memory": ("synapse memory", "bits",
                       "Use fewer synapses a neuron, fewer weight bits, or shorter delays."),
    "core_memory": ("core memory", "bits",
                    "Use fewer synapses a neuron, fewer weight bits, or shorter delays."),
    "input_axons": ("input axons", "",
                    "Let fewer sources reach the neuron, for instance through relay neurons."),
    "output_axons": ("output axons", "",
                     "Let the neuron reach fewer cores, for instance through relay neurons."),
    "accumulators": ("accumulator slots", "", "Use shorter delays, or relay neurons."),
    "profiles": ("compartment profiles", "", "Use a model of fewer compartments."),
    "thresholds": ("thresholds", "", "Let neurons share thresholds."),
    "formats": ("synapse formats", "",
                "Give the projections onto it the same exponent, bits, delays and signs."),
    "traces": ("pre-synaptic trace profiles", "",
               "Let the learning rules onto it share x1 and x2."),
}  # fmt: skip
#: How often the row is cut before the output axons must have come to rest.
_ROUNDS = 40


@dataclass(frozen=True)
class Partition:
    """Where the row is cut, what that makes of each core, and what ended each core.

    ``ended_by`` names a field of :class:`~.budget.Budget`, or "" for the last core.
    """

    account: Account
    ended_by: tuple[str, ...]
    rounds: int


def partition(costs: Costs) -> Partition:
    """Cut the row of neurons into cores.

    Raises
    ------
    ChipLimit
        One neuron alone needs more than a core has.
    """
    entries = np.zeros(costs.flat.neurons, np.int64)
    for n in range(1, _ROUNDS + 1):
        bounds, ended_by = _cut(costs, entries)
        counted = account(costs, bounds)
        if not _overfull(costs.budget, counted):
            return Partition(counted, ended_by, n)
        # a little more each time, so that it comes to rest
        entries = np.maximum(entries, np.ceil(counted.entries * (1 + 0.01 * (n - 1)))).astype(int)
    raise ChipLimit(
        f"{costs.budget.chip}: no partition was found in {_ROUNDS} attempts: each makes more output"
        " axons than its cores have. Use larger cores (Budget), or fewer targets a neuron."
    )


def _overfull(budget: Budget, counted: Account) -> bool:
    """Whether a core has more output axons, or through them more memory, than there is."""
    return any(
        limit is not None and bool(np.any(values > limit))
        for limit, values in (
            (budget.output_axons, counted.cores.output_axons),
            (budget.core_memory, counted.cores.core_memory),
        )
    )


def _cut(costs: Costs, entries: Integers) -> tuple[Integers, tuple[str, ...]]:
    """One walk along the row: the bounds of cores, and what ended each."""
    row = _Row(costs, entries)
    bounds, ended_by = [0], []
    while bounds[-1] < costs.flat.neurons:
        end, reason = row.fill(bounds[-1])
        bounds.append(end)
        ended_by.append(reason)
    return np.asarray(bounds, np.int64), tuple(ended_by)


class _Row:
    """The row of neurons while it is being cut."""

    def __init__(self, costs: Costs, entries: Integers) -> None:
        self.costs, self.flat, self.budget = costs, costs.flat, costs.budget
        flat, budget = self.flat, self.budget
        bits = np.asarray([f.bits for f in flat.formats], np.int64)[costs.format]
        light = np.concatenate([[0], np.cumsum(bits[flat.key])])[flat.first]
        linear = costs.state + entries * budget.axon_bits
        #: what the first n neurons take, at least
        self.compartments = _sums(costs.compartments)
        self.entries = _sums(entries)
        self.linear = _sums(linear)
        self.least = {"synapse_memory": light, "core_memory": light + self.linear}
        #: synapses of each axon in the cores so far
        self.seen = np.zeros(int(flat.keys[-1]), flat.rank.dtype)
        #: neurons of the core before: how far it is worth looking
        self.last = 0
        self.incoming = [
            [n for n, p in enumerate(flat.network.projections) if p.target == q.name and p.size]
            for q in flat.network.populations
        ]

    def fill(self, begin: int) -> tuple[int, str]:
        """Where the core that begins at ``begin`` ends, and what ended it."""
        furthest = self._horizon(begin)
        ahead = 2 * self.last + 8
        while True:
            horizon = min(begin + ahead, furthest)
            room, reason, taken = self._look(begin, horizon)
            if room < horizon - begin or horizon == furthest:
                break
            ahead *= 4
        if room == 0:
            self._refuse(begin, reason, taken)
        self.last = room
        end = begin + room
        chosen = slice(int(self.flat.first[begin]), int(self.flat.first[end]))
        self.seen[self.flat.key[chosen]] = self.flat.rank[chosen] + 1
        return end, reason if end < self.flat.neurons else ""

    def _look(self, begin: int, horizon: int) -> tuple[int, str, dict[str, Integers]]:
        """How many neurons before ``horizon`` fit, what ends them, and what they take."""
        chosen = slice(int(self.flat.first[begin]), int(self.flat.first[horizon]))
        key = self.flat.key[chosen]
        ordinal = self.flat.rank[chosen] - self.seen[key]
        taken = self._taken(begin, horizon, key, ordinal)
        return *self._best(begin, horizon, key, ordinal, taken), taken

    def _horizon(self, begin: int) -> int:
        """A place that this core can't reach beyond, by what is known without looking."""
        end = self._reach(self.compartments, begin, self.budget.compartments)
        for name, sums in self.least.items():
            limit = getattr(self.budget, name)
            if limit is not None:
                end = min(end, self._reach(sums, begin, limit))
        # one more, so that what ends the core is seen
        return min(max(end, begin) + 1, self.flat.neurons)

    @staticmethod
    def _reach(sums: Integers, begin: int, limit: int) -> int:
        return int(np.searchsorted(sums, sums[begin] + limit, side="right")) - 1

    def _taken(self, begin: int, end: int, key: Integers, ordinal: Integers) -> dict[str, Integers]:
        """What the first n neurons of the core take of everything but memory: (end - begin,)."""
        places = self.compartments[begin + 1 : end + 1] - self.compartments[begin]
        longest = np.maximum.accumulate(self.costs.delay[begin:end])
        axons = np.where(ordinal == 0, self.costs.slots[key], 0)
        formats, traces = self._registers(begin, end)
        return {
            "compartments": places,
            "accumulators": places << longest,
            "profiles": profiles(self.costs, begin, end),
            "thresholds": thresholds(self.costs, begin, end),
            "formats": formats,
            "traces": traces,
            "output_axons": self.entries[begin + 1 : end + 1] - self.entries[begin],
            "input_axons": self._by_neuron(axons, begin, end),
        }

    def _registers(self, begin: int, end: int) -> tuple[Integers, Integers]:
        counts = np.zeros((2, end - begin), np.int64)
        for _, low, high in pieces(self.flat, begin, end):
            number = registers(self.flat, begin, high, self.incoming)
            counts[:, low - begin : high - begin] = np.asarray(number)[:, None]
        return counts[0], counts[1]

    def _by_neuron(self, values: Integers, begin: int, end: int) -> Integers:
        """Sums of ``values`` (one a synapse) over the first n neurons."""
        edges = self.flat.first[begin + 1 : end + 1] - self.flat.first[begin]
        return _sums(values)[edges]

    def _best(
        self, begin: int, end: int, key: Integers, ordinal: Integers, taken: dict[str, Integers]
    ) -> tuple[int, str]:
        """How many neurons fit: narrower indices make room where fewer compartments are told apart.

        ``taken`` gets the memory too.
        """
        width = self.budget.index_width(self.budget.compartments)
        best, reason = -1, ""
        while True:
            added = self.costs.added(width)[self.costs.format[key], ordinal % self.budget.block]
            memory = self._by_neuron(added, begin, end)
            axons = taken["input_axons"] * self.budget.axon_bits
            linear = self.linear[begin + 1 : end + 1] - self.linear[begin]
            now = {**taken, "synapse_memory": memory, "core_memory": linear + axons + memory}
            room, why = self._room(now)
            taken.update(now)
            told = int(np.searchsorted(taken["compartments"], 1 << width, side="right"))
            if min(room, told) <= best:
                return best, reason
            best, reason = (room, why) if room <= told else (told, reason)
            needed = int(taken["compartments"][best - 1]) if best else 1
            if self.budget.index_width(needed) >= width:
                return best, reason
            width = self.budget.index_width(needed)

    def _room(self, taken: dict[str, Integers]) -> tuple[int, str]:
        """How many neurons fit, and what the next one would break."""
        room, reason = len(taken["compartments"]), ""
        for name, sums in taken.items():
            limit = getattr(self.budget, name)
            if limit is not None:
                fits = int(np.searchsorted(sums, limit, side="right"))
                if fits < room:
                    room, reason = fits, name
        return room, reason

    def _refuse(self, place: int, reason: str, taken: dict[str, Integers]) -> None:
        population = self.flat.network.populations[int(self.flat.population[place])]
        name, unit, remedy = RESOURCES[reason]
        limit = getattr(self.budget, reason)
        source = self.budget.sources.get(reason, "")
        raise ChipLimit(
            f"population {population.name!r}, neuron {int(self.flat.order[place])}: it alone needs"
            f" {int(taken[reason][0])} {unit + ' of ' if unit else ''}{name}; a core of"
            f" {self.budget.chip} has {limit}{f' ({source})' if source else ''}."
            f" {self._because(place, reason)} {remedy}"
        )

    def _because(self, place: int, reason: str) -> str:
        """Which projections the neuron's synapses are of, the largest first."""
        flat = self.flat
        if reason == "output_axons":
            name, who = flat.network.populations[flat.population[place]].name, flat.order[place]
            counts = np.asarray(
                [(p.pre == who).sum() * (p.source == name) for p in flat.network.projections]
            )
        else:
            key = flat.key[int(flat.first[place]) : int(flat.first[place + 1])]
            counts = np.bincount(self.costs.format[key], minlength=len(flat.formats))
        if not counts.any():
            return "It has no synapses."
        names = [
            f"{int(counts[n])} of {flat.network.projections[n].name!r}"
            for n in np.argsort(-counts, kind="stable")[:3]
            if counts[n]
        ]
        return f"Its synapses: {', '.join(names)}."


def _sums(values: Integers) -> Integers:
    """Sums of the first n values, for n from 0."""
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
