"""``resources`` and ``check_fits``: what a network takes of a chip, before anything runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.network import ChipNetwork, Population, Projection
from brian2lava.chip.resources.account import Account, costs, pieces
from brian2lava.chip.resources.budget import LOIHI1, Budget, budget_of
from brian2lava.chip.resources.flat import Flat, Format, compartments_of, flatten
from brian2lava.chip.resources.partition import RESOURCES, Partition, partition
from brian2lava.chip.resources.report import PopulationUse, ProjectionUse, ResourceReport
from brian2lava.errors import ChipLimit

Integers = NDArray[Any]


def resources(
    network: ChipNetwork,
    chip: str = "Loihi2",
    budget: Budget | None = None,
    chips: int | None = None,
) -> ResourceReport:
    """What ``network`` takes of ``chip``: cores, axons, memory, per population and in all.

    Loihi 1 by its exact formulas, Loihi 2 as an estimate.

    Parameters
    ----------
    network : ChipNetwork
    chip : "Loihi1" or "Loihi2"
    budget : Budget, optional
        Other sizes than the chip's own.
    chips : int, optional
        Chips of the board; None: as many as are needed.

    Raises
    ------
    ChipLimit
        A neuron does not fit into a core, or the network into ``chips`` chips.
    """
    budget = budget_of(chip, budget)
    flat = flatten(network, budget)
    cut = partition(costs(flat, budget))
    report = ResourceReport(
        chip=chip,
        budget=budget,
        cores=cut.account.cores,
        pieces=_pieces(flat, cut),
        populations=_populations(flat, cut, budget),
        projections=tuple(
            _projection(flat, cut.account, n) for n in range(len(network.projections))
        ),
        ended_by=tuple(RESOURCES[reason][0] if reason else "" for reason in cut.ended_by),
        notes=_notes(network, budget, flat, cut),
    )
    _hold(report, chips)
    return report


def check_fits(
    network: ChipNetwork,
    chip: str = "Loihi2",
    budget: Budget | None = None,
    chips: int | None = None,
) -> None:
    """Raise where ``network`` does not fit onto ``chips`` chips; see :func:`resources`."""
    resources(network, chip, budget, chips)


def _hold(report: ResourceReport, chips: int | None) -> None:
    if chips is None or report.chips <= chips:
        return
    largest = max(report.populations, key=lambda population: population.cores)
    why = f", most of which are full by {largest.ended_by}" if largest.ended_by else ""
    raise ChipLimit(
        f"the network needs {report.chips} chip{'' if report.chips == 1 else 's'} of"
        f" {report.chip} ({len(report.cores)} cores of"
        f" {report.budget.cores} a chip), the board has {chips}. Most cores go to population"
        f" {largest.name!r}: {largest.cores}{why}. Use a larger board, or fewer neurons or"
        " synapses."
    )


def _pieces(flat: Flat, cut: Partition) -> tuple[tuple[int, str, int], ...]:
    bounds = cut.account.cores.bounds.tolist()
    return tuple(
        (core, flat.network.populations[population].name, high - low)
        for core, (begin, end) in enumerate(zip(bounds[:-1], bounds[1:]))
        for population, low, high in pieces(flat, begin, end)
    )


def _fans(projection: Projection, sources: int, targets: int) -> tuple[Integers, Integers]:
    """Fan-in of each target and fan-out of each source."""
    return (
        np.bincount(projection.post, minlength=targets),
        np.bincount(projection.pre, minlength=sources),
    )


def _mean(values: Integers) -> float:
    return float(values.mean()) if len(values) else 0.0


def _projection(flat: Flat, counted: Account, n: int) -> ProjectionUse:
    projection = flat.network.projections[n]
    fan_in, fan_out = _fans(
        projection,
        flat.network.origin(projection.source).size,
        flat.network.population(projection.target).size,
    )
    return ProjectionUse(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        synapses=projection.size,
        fan_in_mean=_mean(fan_in),
        fan_in_max=int(fan_in.max(initial=0)),
        fan_out_mean=_mean(fan_out),
        fan_out_max=int(fan_out.max(initial=0)),
        bits=_bits(flat.formats[n], counted.widths[n]),
        input_axons=int(counted.projection_axons[n]),
        output_axons=int(counted.projection_entries[n]),
        synapse_bytes=int(counted.projection_memory[n]) // 8,
    )


def _bits(format_: Format, widths: frozenset[int]) -> str:
    low, high = min(widths, default=0), max(widths, default=0)
    parts = [f"{format_.weight} weight"]
    parts += [f"{format_.delay} delay"] if format_.delay else []
    parts += [f"{format_.tag} tag"] if format_.tag else []
    index = f"{low}" if low == high else f"{low}..{high}"
    return " + ".join([*parts, "dense" if format_.dense else f"{index} index"])


def _populations(flat: Flat, cut: Partition, budget: Budget) -> tuple[PopulationUse, ...]:
    network = flat.network
    fan_in = {p.name: np.zeros(p.size, np.int64) for p in network.populations}
    fan_out = {p.name: np.zeros(p.size, np.int64) for p in network.populations}
    for projection in network.projections:
        into, out = _fans(
            projection,
            network.origin(projection.source).size,
            network.population(projection.target).size,
        )
        fan_in[projection.target] += into
        if projection.source in fan_out:
            fan_out[projection.source] += out
    return tuple(
        _population(flat, cut, budget, n, fan_in[p.name], fan_out[p.name])
        for n, p in enumerate(network.populations)
    )


def _population(
    flat: Flat, cut: Partition, budget: Budget, n: int, fan_in: Integers, fan_out: Integers
) -> PopulationUse:
    network, counted = flat.network, cut.account
    population: Population = network.populations[n]
    begin, end = int(flat.starts[n]), int(flat.starts[n + 1])
    bounds = counted.cores.bounds
    cores = np.flatnonzero((bounds[:-1] < end) & (bounds[1:] > begin) & (begin < end))
    onto = [k for k, p in enumerate(network.projections) if p.target == population.name]
    reasons = Counter(cut.ended_by[core] for core in cores if bounds[core + 1] < end)
    most = max(reasons, key=lambda reason: reasons[reason], default="")
    return PopulationUse(
        name=population.name,
        model=population.model,
        neurons=population.size,
        compartments=population.size * compartments_of(population, budget),
        cores=len(cores),
        synapses=int(fan_in.sum()),
        fan_in_mean=_mean(fan_in),
        fan_in_max=int(fan_in.max(initial=0)),
        fan_out_mean=_mean(fan_out),
        fan_out_max=int(fan_out.max(initial=0)),
        input_axons=int(counted.projection_axons[onto].sum()),
        output_axons=int(counted.entries[begin:end].sum()),
        synapse_bytes=int(counted.projection_memory[onto].sum()) // 8,
        ended_by=RESOURCES[most][0] if most else "",
    )


def _notes(network: ChipNetwork, budget: Budget, flat: Flat, cut: Partition) -> tuple[str, ...]:
    """How it was partitioned, what is estimated, and what is not on the chip."""
    notes = [
        "Partition: greedy. Neurons fill one core after another, populations in the order of the"
        " network, neurons by index; a core ends where the next neuron would not fit. Neurons that"
        " share sources are not brought together, so a better mapping may need fewer cores.",
        *_reordered(flat),
    ]
    if budget.exact:
        notes.append(
            "Sizes and formulas: nengo-loihi 1.1 and Davies et al. 2018; an axon is a (source"
            " neuron, projection, core), and an index tells the compartments of a core apart."
        )
    else:
        notes += _estimated(budget, cut)
    if network.sources:
        names = ", ".join(repr(source.name) for source in network.sources)
        notes.append(
            f"Sources {names}: made by the host, so they take input axons but no neurons and no"
            " output axons."
        )
    if network.stimuli:
        names = ", ".join(repr(stimulus.name) for stimulus in network.stimuli)
        notes.append(f"Stimuli {names}: written by the host in every step; not counted.")
    if budget.accumulators is not None and "accumulators" in cut.ended_by:
        notes.append(
            f"Long delays ended cores: compartments times delay slots stay below"
            f" {budget.accumulators} ({budget.sources.get('accumulators', 'Budget')})."
        )
    return tuple(notes)


def _reordered(flat: Flat) -> list[str]:
    """The populations whose neurons are not in the order of their indices."""
    names = [
        repr(population.name)
        for population, begin, end in zip(
            flat.network.populations, flat.starts[:-1], flat.starts[1:]
        )
        if np.any(np.diff(flat.order[begin:end]) < 0)
    ]
    if not names:
        return []
    return [
        f"In {', '.join(names)} neurons with equal decays and thresholds come together, since a"
        " core has few registers for them."
    ]


def _estimated(budget: Budget, cut: Partition) -> list[str]:
    notes = [
        f"{budget.chip} is an estimate: how a core lays out its memory is not public. An axon takes"
        f" {budget.axon_bits} bits on either side ({budget.sources.get('axon_bits', 'Budget')})."
    ]
    most = int(cut.account.cores.input_axons.max(initial=0))
    if budget.input_axons is None and LOIHI1.input_axons and most > LOIHI1.input_axons:
        notes.append(
            f"A core has {most} input axons. No limit is public for {budget.chip}; Loihi1 has"
            f" {LOIHI1.input_axons}. Budget(input_axons=...) sets one."
        )
    return notes
