"""From a network with real numbers to the chip's integers, all populations at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from brian2lava.chip.ideal import (
    IdealNetwork,
    IdealPopulation,
    IdealProjection,
    IdealStimulus,
    Reals,
    real,
)
from brian2lava.chip.limits import ALIGNMENT
from brian2lava.chip.network import ChipNetwork, Population, Projection, Stimulus
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.chip.quantise.compensation import (
    Compensate,
    Factors,
    compensated,
    factors_of,
)
from brian2lava.chip.quantise.costs import costs_of
from brian2lava.chip.quantise.counts import with_binary_sources
from brian2lava.chip.quantise.extras import with_extras
from brian2lava.chip.quantise.plastic import quantise_learning
from brian2lava.chip.quantise.registers import (
    Filled,
    check_initial,
    check_quantity,
    fill,
    unit_of_input,
    unit_of_v,
)
from brian2lava.chip.quantise.result import (
    Costs,
    Learnt,
    ParameterRow,
    Part,
    Quantised,
    Span,
)
from brian2lava.chip.quantise.search import (
    Inputs,
    best_scale,
    bounds,
    stimulus_integers,
    stimulus_values,
)
from brian2lava.chip.quantise.synapses import (
    SignedPart,
    check_projection,
    quantise_part,
    signed_parts,
)
from brian2lava.chip.quantise.warn import warnings_of
from brian2lava.errors import ChipLimit

#: Bits of a payload; 0 makes spikes binary. Ternary and graded spikes carry a number.
PAYLOAD_BITS = 24


@dataclass
class _Built:
    """What grows while population after population is quantised."""

    arithmetic: Arithmetic
    populations: list[Population] = field(default_factory=list)
    projections: list[Projection] = field(default_factory=list)
    stimuli: list[Stimulus] = field(default_factory=list)
    scales: dict[str, float] = field(default_factory=dict)
    rows: list[ParameterRow] = field(default_factory=list)
    costs: dict[str, Costs] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)
    vanished: dict[str, int] = field(default_factory=dict)
    learning: dict[str, Learnt] = field(default_factory=dict)


def quantise(
    ideal: IdealNetwork,
    chip: Literal["Loihi1", "Loihi2"],
    arithmetic: Arithmetic,
    headroom: float = 1.25,
    scales: Mapping[str, float] | None = None,
    compensate: Compensate = "currents",
) -> Quantised:
    """A network in the chip's integers, with one scale a population.

    Parameters
    ----------
    ideal : IdealNetwork
        With ranges and shares from :func:`float_ranges`, or without: then the head-room is unknown
        and all projections count alike.
    chip : "Loihi1" or "Loihi2"
        Loihi 1 also bounds what may arrive in one step.
    arithmetic : Arithmetic
    headroom : float
        How much larger than in the run in floating point states may become.
    scales : dict of population to float, optional
        State units a unit of v, where they shall not be searched for.
    compensate : "currents", "all" or "none"
        What makes good for rounded decays so that steady states stay: bias and weights onto
        currents, jumps of the voltage too, or nothing.

    Raises
    ------
    ChipLimit
        A value does not fit the chip; nothing is clipped.
    """
    ideal = replace(ideal, populations=tuple(map(with_extras, ideal.populations)))
    _check_options(ideal, chip, headroom, scales or {})
    if chip == "Loihi1":
        ideal = with_binary_sources(ideal)
    for projection in ideal.projections:
        check_projection(projection, arithmetic, ideal.dt)
    for population in ideal.populations:
        for quantity in population.quantities:
            check_quantity(population, quantity, ideal.dt)
        check_initial(population)
    factors = {p.name: factors_of(p, arithmetic, compensate) for p in ideal.populations}
    inputs = _inputs(ideal, factors)
    built = _Built(arithmetic)
    for original in ideal.populations:
        population = compensated(original, factors[original.name])
        limits = bounds(population, inputs[population.name], chip, arithmetic, headroom)
        scale = (scales or {}).get(population.name)
        if scale is None:
            scale = best_scale(population, inputs[population.name], arithmetic, limits)
        built.scales[population.name] = float(scale)
        filled = fill(population, float(scale), arithmetic, ideal.dt, factors[population.name].bias)
        _add(built, ideal, population, filled, inputs[population.name])
        built.costs[population.name] = costs_of(
            population, filled, float(scale), worst_inputs(built.rows, inputs[population.name]),
            limits, chip, arithmetic,
        )  # fmt: skip
    network = ChipNetwork(
        tuple(built.populations),
        ideal.sources,
        tuple(built.projections),
        tuple(built.stimuli),
        arithmetic,
    )
    return Quantised(
        network=network,
        scales=built.scales,
        rows=tuple(built.rows),
        costs=built.costs,
        warnings=warnings_of(ideal, network, built.rows, built.costs, built.vanished),
        parts=built.parts,
        ideal=ideal,
        learning=built.learning,
    )


def _check_options(
    ideal: IdealNetwork, chip: str, headroom: float, scales: Mapping[str, float]
) -> None:
    if chip not in ("Loihi1", "Loihi2"):
        raise ChipLimit(f"chip={chip!r}: the chips are 'Loihi1', 'Loihi2'.")
    if not headroom >= 1:
        raise ChipLimit(f"headroom={headroom!r}: a number of at least 1 is needed.")
    known = [population.name for population in ideal.populations]
    for name, scale in scales.items():
        if name not in known:
            raise ChipLimit(f"scales: there is no population {name!r}; there are"
                            f" {', '.join(known) or 'none'}.")  # fmt: skip
        if not (np.isfinite(scale) and scale > 0):
            raise ChipLimit(f"scales: {name!r} has {scale!r}; a number above 0 is needed.")


def _inputs(ideal: IdealNetwork, factors: Mapping[str, Factors]) -> dict[str, Inputs]:
    parts: dict[str, list[SignedPart]] = {p.name: [] for p in ideal.populations}
    stimuli: dict[str, list[IdealStimulus]] = {p.name: [] for p in ideal.populations}
    for projection in ideal.projections:
        _known(projection.name, projection.target, parts)
        factor = factors[projection.target].of(projection.port)
        parts[projection.target].extend(signed_parts(projection, factor))
    for stimulus in ideal.stimuli:
        _known(stimulus.name, stimulus.target, stimuli)
        if not np.all(np.isfinite(stimulus.values)):
            raise ChipLimit(f"stimulus {stimulus.name!r}: finite numbers are needed.")
        stimuli[stimulus.target].append(stimulus)
    return {
        name: Inputs(
            parts[name], stimuli[name], [factors[name].of(item.port) for item in stimuli[name]]
        )
        for name in parts
    }


def _known(what: str, target: str, populations: Mapping[str, object]) -> None:
    if target not in populations:
        raise ChipLimit(
            f"{what!r} goes to {target!r}, which is no population; there are"
            f" {', '.join(populations) or 'none'}."
        )


def _add(
    built: _Built,
    ideal: IdealNetwork,
    population: IdealPopulation,
    filled: Filled,
    inputs: Inputs,
) -> None:
    scale = built.scales[population.name]
    built.populations.append(filled.population)
    built.rows.extend(filled.rows)
    for part in inputs.parts:
        graded = _graded(ideal, part.projection)
        unit = part.projection.unit or unit_of_input(population, part.projection.port)
        projection, origin, row, vanished = quantise_part(
            part, scale, PAYLOAD_BITS if graded else 0, unit
        )
        if part.learning is not None:
            step = float(np.ravel(origin.step)[0])
            rule, learnt, rows = quantise_learning(
                part.projection, step, built.arithmetic, ideal.dt
            )
            projection = replace(projection, learning=rule)
            built.learning[part.name] = learnt
            built.rows += rows
        built.projections.append(projection)
        built.parts[part.name] = origin
        built.rows.append(row)
        built.vanished[part.name] = vanished
    for stimulus, factor in zip(inputs.stimuli, inputs.stimulus_factors):
        integers = stimulus_integers(stimulus, scale, factor)
        built.stimuli.append(
            Stimulus(
                stimulus.name,
                stimulus.target,
                integers,
                stimulus.port,
                stimulus.repeat,
                stimulus.after,
            )
        )
        built.rows.append(_stimulus_row(stimulus, scale, factor, unit_of_v(population)))


def worst_inputs(rows: Sequence[ParameterRow], inputs: Inputs) -> dict[str, float]:
    """The worst relative error of what comes into each port."""
    ports = {part.name: part.projection.port for part in inputs.parts}
    ports |= {stimulus.name: stimulus.port for stimulus in inputs.stimuli}
    found: dict[str, float] = {}
    for row in rows:
        if row.object in ports:
            port = ports[row.object]
            found[port] = max(abs(row.error), found.get(port, 0.0))
    return found


def _stimulus_row(stimulus: IdealStimulus, scale: float, factor: Reals, unit: str) -> ParameterRow:
    integers = stimulus_integers(stimulus, scale, factor)
    meant = integers * ((1 << ALIGNMENT) / scale / factor)
    wanted = stimulus_values(stimulus, real(factor / factor))
    size = float(np.linalg.norm(wanted))
    return ParameterRow(
        object=stimulus.name,
        parameter=f"input to {stimulus.target}.{stimulus.port}",
        value=Span.of(stimulus.values),
        unit=unit,
        register="",
        integer=Span.of(integers),
        meant=Span.of(meant),
        error=float(np.linalg.norm(meant - wanted)) / size if size else 0.0,
        note="root mean square",
    )


def _graded(ideal: IdealNetwork, projection: IdealProjection) -> bool:
    """Whether spikes carry a number that weights are multiplied with."""
    source = projection.source
    if any(item.name == source and item.graded for item in ideal.sources):
        return True
    return not projection.binary and any(
        population.name == source and population.neuron.step(LAVA, frozenset()).payload is not None
        for population in ideal.populations
    )
