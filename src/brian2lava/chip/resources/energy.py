"""Events of a run, and for Loihi 1 the energy and time that they take by published figures.

An estimate: figures are of single operations, measured on one chip. Left out: the way of a spike
between tiles and chips (a spike is charged as if it stayed in its tile), leakage and clocks while
idle, the x86 cores, and whatever the host does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.network import ChipNetwork
from brian2lava.chip.plain import Recorded
from brian2lava.chip.resources.account import costs, pieces
from brian2lava.chip.resources.budget import Budget, budget_of
from brian2lava.chip.resources.flat import Flat, flatten
from brian2lava.chip.resources.partition import partition
from brian2lava.errors import OptionError

Integers = NDArray[Any]


@dataclass(frozen=True)
class Figures:
    """Energy (joules) and time (seconds) of one operation.

    A neuron update has two figures, for an active and an inactive neuron, and a barrier between
    time steps a shortest and a longest time.
    """

    update_active: float
    update_inactive: float
    update_active_time: float
    update_inactive_time: float
    synaptic_operation: float
    synaptic_operation_time: float
    learning: float
    learning_time: float
    spike: float
    spike_time: float
    barrier_least: float
    barrier_most: float
    source: str


DAVIES2018 = Figures(
    update_active=81e-12,
    update_inactive=52e-12,
    update_active_time=8.4e-9,
    update_inactive_time=5.3e-9,
    synaptic_operation=23.6e-12,
    synaptic_operation_time=3.5e-9,
    learning=120e-12,
    learning_time=6.1e-9,
    spike=1.7e-12,
    spike_time=2.1e-9,
    barrier_least=113e-9,
    barrier_most=465e-9,
    source="Davies et al. 2018, IEEE Micro 38(1):82-99, table 2",
)
FIGURES = {"Loihi1": DAVIES2018}


@dataclass(frozen=True)
class PopulationEvents:
    """Events of one population or source.

    Attributes
    ----------
    spikes : int
    synaptic_operations : int
        Sum over its spikes of the neuron's fan-out.
    updates : int
        Compartments times steps; 0 for a source of the host.
    messages : int
        Spikes that go to a core: sum over spikes of the cores (and projections) reached.
    learning : int
        Plastic synapses that its spikes touch, as source and as target.
    """

    name: str
    spikes: int
    synaptic_operations: int
    updates: int
    messages: int
    learning: int


@dataclass(frozen=True)
class EnergyReport:
    """Events of a run; joules and seconds as (least, most), None where no figures are public.

    Attributes
    ----------
    energy : dict of str to (least, most), or None
        By kind of event, in joules.
    step_time : (least, most) or None
        Seconds of a mean time step of the busiest core, with the barrier.
    """

    chip: str
    steps: int
    events: tuple[PopulationEvents, ...]
    energy: dict[str, tuple[float, float]] | None
    step_time: tuple[float, float] | None
    notes: tuple[str, ...]

    def total(self, kind: str) -> int:
        """Events of one kind, of all populations and sources."""
        return sum(getattr(row, kind) for row in self.events)

    @property
    def joules(self) -> tuple[float, float] | None:
        """Energy of the run, (least, most)."""
        if self.energy is None:
            return None
        return (
            sum(least for least, _ in self.energy.values()),
            sum(most for _, most in self.energy.values()),
        )

    def __str__(self) -> str:
        kinds = ("spikes", "synaptic_operations", "updates", "messages", "learning")
        lines = [f"{self.chip}: events of {self.steps:,} steps"]
        lines += [f"  {kind.replace('_', ' '):<20} {self.total(kind):>18,}" for kind in kinds]
        if self.joules is not None and self.energy is not None and self.step_time is not None:
            lines.append("  energy, an estimate")
            lines += [f"    {kind:<18} {_range(pair, 'J')}" for kind, pair in self.energy.items()]
            lines.append(f"    {'in all':<18} {_range(self.joules, 'J')}")
            lines.append(f"    {'a time step takes':<18} {_range(self.step_time, 's')}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def energy(
    network: ChipNetwork,
    recorded: Recorded,
    steps: int,
    chip: str = "Loihi2",
    budget: Budget | None = None,
) -> EnergyReport:
    """Events of the ``steps`` steps in ``recorded``, and for Loihi 1 joules and time a step.

    Raises
    ------
    OptionError
        There are spikes after ``steps``, or none of a population were recorded.
    ChipLimit
        The network does not fit the chip's cores.
    """
    budget = budget_of(chip, budget)
    flat = flatten(network, budget)
    counts = _counts(network, recorded, steps)
    placed = costs(flat, budget)
    cut = partition(placed)
    busy = _busy(flat, cut.account.cores.bounds, counts)
    events = _events(flat, placed.compartments, busy, counts, steps)
    figures = FIGURES.get(chip)
    if figures is None:
        note = f"Counts only: no energy of an operation of {chip} is public."
        return EnergyReport(chip, steps, events, None, None, (note,))
    updates = cut.account.cores.compartments
    return EnergyReport(
        chip=chip,
        steps=steps,
        events=events,
        energy=_joules(figures, events),
        step_time=_step_time(figures, updates, busy, steps),
        notes=_notes(figures),
    )


def _counts(network: ChipNetwork, recorded: Recorded, steps: int) -> dict[str, Integers]:
    """Spikes of each neuron, by population or source."""
    counts = {}
    for item in (*network.populations, *network.sources):
        if item.name not in recorded.spikes:
            raise OptionError(f"the run holds no spikes of {item.name!r}: was it this network's?")
        when, who = recorded.spikes[item.name]
        if len(when) and (when.max() >= steps or who.max() >= item.size):
            raise OptionError(
                f"{item.name!r}: a spike of neuron {who.max()} or step {when.max()} lies outside"
                f" {item.size} neurons and {steps} steps. Give the network and steps of the run."
            )
        counts[item.name] = np.bincount(who, minlength=item.size)
    return counts


@dataclass(frozen=True)
class _Busy:
    """Work of a run: synaptic operations of a core, synapses and cores that an axon reaches."""

    operations: Integers
    learning: Integers
    targets: Integers


def _busy(flat: Flat, bounds: Integers, counts: dict[str, Integers]) -> _Busy:
    spikes = _by_axon(flat, counts)
    plastic = np.repeat(
        [p.learning is not None for p in flat.network.projections], np.diff(flat.keys)
    )
    targets = np.zeros(len(spikes), np.int64)
    operations, learning = [], []
    after = _by_place(flat, counts)
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist()):
        key = flat.key[int(flat.first[begin]) : int(flat.first[end])]
        for _, low, high in pieces(flat, begin, end):
            reached = np.unique(flat.key[int(flat.first[low]) : int(flat.first[high])])
            targets[reached] += 1
        fan_in = np.diff(flat.first[begin : end + 1])
        own = np.repeat(after[begin:end], fan_in)
        operations.append(int(spikes[key].sum()))
        learning.append(int((plastic[key] * (spikes[key] + own)).sum()))
    return _Busy(np.asarray(operations, np.int64), np.asarray(learning, np.int64), targets)


def _by_axon(flat: Flat, counts: dict[str, Integers]) -> Integers:
    """Spikes of each axon."""
    rows = [counts[p.source] for p in flat.network.projections]
    return np.concatenate([np.zeros(0, np.int64), *rows])


def _by_place(flat: Flat, counts: dict[str, Integers]) -> Integers:
    """Spikes of each neuron, by its place in the row."""
    spikes = np.zeros(flat.neurons, np.int64)
    rows = [counts[p.name] for p in flat.network.populations]
    spikes[flat.place] = np.concatenate([np.zeros(0, np.int64), *rows])
    return spikes


def _events(
    flat: Flat,
    compartments: Integers,
    busy: _Busy,
    counts: dict[str, Integers],
    steps: int,
) -> tuple[PopulationEvents, ...]:
    network = flat.network
    rows = []
    own = {
        p.name: int(compartments[int(b) : int(e)].sum())
        for p, b, e in zip(network.populations, flat.starts[:-1], flat.starts[1:])
    }
    for item in (*network.populations, *network.sources):
        spikes = counts[item.name]
        operations = messages = learning = 0
        for n, projection in enumerate(network.projections):
            if projection.source == item.name:
                sent = int(spikes[projection.pre].sum())
                operations += sent
                learning += sent if projection.learning is not None else 0
                messages += int((spikes * busy.targets[flat.keys[n] : flat.keys[n + 1]]).sum())
            if projection.target == item.name and projection.learning is not None:
                learning += int(spikes[projection.post].sum())
        rows.append(
            PopulationEvents(
                name=item.name,
                spikes=int(spikes.sum()),
                synaptic_operations=operations,
                updates=own.get(item.name, 0) * steps,
                messages=messages,
                learning=learning,
            )
        )
    return tuple(rows)


def _joules(
    figures: Figures, events: tuple[PopulationEvents, ...]
) -> dict[str, tuple[float, float]]:
    updates = sum(row.updates for row in events)

    def fixed(kind: str, each: float) -> tuple[float, float]:
        joules = sum(getattr(row, kind) for row in events) * each
        return joules, joules

    return {
        "updates": (updates * figures.update_inactive, updates * figures.update_active),
        "synaptic operations": fixed("synaptic_operations", figures.synaptic_operation),
        "learning": fixed("learning", figures.learning),
        "spikes in a tile": fixed("messages", figures.spike),
    }


def _step_time(
    figures: Figures, compartments: Integers, busy: _Busy, steps: int
) -> tuple[float, float]:
    """A core does one thing after another; the busiest one and the barrier make the step."""
    if not len(compartments) or not steps:
        return figures.barrier_least, figures.barrier_most
    work = (
        busy.operations * figures.synaptic_operation_time + busy.learning * figures.learning_time
    ) / steps
    return (
        float((compartments * figures.update_inactive_time + work).max()) + figures.barrier_least,
        float((compartments * figures.update_active_time + work).max()) + figures.barrier_most,
    )


def _notes(figures: Figures) -> tuple[str, ...]:
    return (
        f"Energy and time are estimates: counts of events times {figures.source}. The range is"
        " from all neurons inactive to all active, and from the shortest to the longest barrier.",
        "Left out: the way of spikes between tiles and chips, leakage and clocks while idle, the"
        " x86 cores, input and output, the host.",
        "Learning is counted a spike, as source and as target of plastic synapses; the chip visits"
        " a synapse at most once a learning epoch, so this is an upper count.",
    )


def _range(pair: tuple[float, float], unit: str) -> str:
    least, most = pair
    if most == 0:
        return f"0 {unit}"
    prefix, factor = next(
        (p, f) for p, f in (("", 1), ("m", 1e-3), ("u", 1e-6), ("n", 1e-9), ("p", 1e-12))
        if most >= f or p == "p"
    )  # fmt: skip
    low, high = f"{least / factor:.3g}", f"{most / factor:.3g}"
    return f"{high} {prefix}{unit}" if low == high else f"{low} .. {high} {prefix}{unit}"
