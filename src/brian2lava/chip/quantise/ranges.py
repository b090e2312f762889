"""How large states become, and how much each projection matters: a short run in floating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, IdealProjection, Reals
from brian2lava.chip.learning.ideal import IdealLearning
from brian2lava.chip.limits import ALIGNMENT
from brian2lava.chip.quantise.compensation import current_of
from brian2lava.chip.quantise.realise import RealChip
from brian2lava.chip.quantise.registers import is_level
from brian2lava.errors import OptionError

#: A run is never shorter for its synapses than so many steps.
LEAST_STEPS = 50
Ranges = dict[tuple[str, str], tuple[float, float]]


def float_ranges(
    ideal: IdealNetwork, steps: int, seed: int = 0, events: float = np.inf
) -> IdealNetwork:
    """The network with ``ranges`` and ``share`` filled from a run of ``steps`` steps.

    Ranges have every state (also what it reaches within a step, before a reset) and every port (the
    sum that arrives in a step), in the unit of v. A share is what the spikes of a projection add
    to the target's voltage over time, over all that drives it; where nothing does, all count alike.

    After ``events`` deliveries by synapses the run ends, though not before ``LEAST_STEPS`` steps.
    """
    if steps < 1:
        raise OptionError(f"float_ranges(steps={steps}): at least one step is needed.")
    chip = RealChip(ideal, seed=seed)
    ranges: Ranges = {}
    counts: dict[str, Reals] = {}
    _widen_by_states(chip, ranges)
    reached = _fan_out(ideal) if np.isfinite(events) else {}
    done, delivered = 0, 0.0
    while done < steps and (delivered < events or done < LEAST_STEPS):
        for name, sent in chip.step().items():
            counts[name] = counts.get(name, np.zeros(sent.shape)) + np.abs(sent)
            if name in reached:
                delivered += float(reached[name] @ (sent != 0))
        _widen(chip, ranges)
        done += 1
    drives = _drives(ideal, counts)
    return replace(
        ideal,
        populations=tuple(_with_ranges(p, chip, ranges) for p in ideal.populations),
        projections=tuple(
            replace(p, share=_share(ideal, p, drives, done), learning=_learning(chip, p))
            for p in ideal.projections
        ),
    )


def _fan_out(ideal: IdealNetwork) -> dict[str, Reals]:
    """Synapses of each neuron of a population or source."""
    sizes = {item.name: item.size for item in (*ideal.populations, *ideal.sources)}
    found: dict[str, Reals] = {}
    for p in ideal.projections:
        synapses = np.bincount(p.pre, minlength=sizes[p.source]).astype(np.float64)
        found[p.source] = found.get(p.source, np.zeros(sizes[p.source])) + synapses
    return found


def _learning(chip: RealChip, projection: IdealProjection) -> IdealLearning | None:
    """The projection's rule, if it has one, with the peaks of the run."""
    run = chip.learning.get(projection.name)
    return None if run is None else run.seen()


def _widen(chip: RealChip, ranges: Ranges) -> None:
    for name, values in chip.reached.items():
        for state in chip.states[name]:
            _include(ranges, name, state, values[state])
    for (name, port), arrived in chip.arrived.items():
        _include(ranges, name, port, arrived * (1 << ALIGNMENT))
    _widen_by_states(chip, ranges)


def _widen_by_states(chip: RealChip, ranges: Ranges) -> None:
    for name, states in chip.states.items():
        for state, values in states.items():
            _include(ranges, name, state, values)


def _include(ranges: Ranges, name: str, item: str, values: Reals) -> None:
    if not np.size(values):
        return
    low, high = ranges.get((name, item), (np.inf, -np.inf))
    ranges[name, item] = (min(low, float(np.min(values))), max(high, float(np.max(values))))


def _with_ranges(population: IdealPopulation, chip: RealChip, ranges: Ranges) -> IdealPopulation:
    scale = chip.scales[population.name]
    levels = {state.name for state in population.neuron.states if is_level(state)}
    return replace(
        population,
        ranges={
            item: (low / scale, high / scale)
            for (name, item), (low, high) in ranges.items()
            if name == population.name and item in levels | set(population.neuron.ports)
        },
    )


def _drives(ideal: IdealNetwork, counts: Mapping[str, Reals]) -> dict[str, float]:
    """By projection: what all its spikes add to the voltages of its targets, without sign."""
    decays = {
        (population.name, port): port_decay(population, port)
        for population in ideal.populations
        for port in population.neuron.ports
    }
    return {
        p.name: float(np.abs(p.weights) @ counts[p.source][p.pre]) / decays[p.target, p.port]
        for p in ideal.projections
    }


def port_decay(population: IdealPopulation, port: str) -> float:
    """The mean decay of the current behind a port; 1 without current."""
    current = current_of(population, port)
    return float(current.value.mean()) or 1.0 if current is not None and current.value.size else 1.0


def _share(
    ideal: IdealNetwork, projection: IdealProjection, drives: Mapping[str, float], steps: int
) -> float:
    target = next(p for p in ideal.populations if p.name == projection.target)
    bias = target.quantity("bias")
    total = sum(drives[p.name] for p in ideal.projections if p.target == target.name)
    if bias is not None:
        total += steps * float(np.broadcast_to(np.abs(bias.value), (target.size,)).sum())
    return drives[projection.name] / total if total else 1.0
