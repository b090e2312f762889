"""What a user should look at: errors, bounds and head-room beyond what is tolerable."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation
from brian2lava.chip.limits import ALIGNMENT, DECAY_UNITY, STATE_MAX
from brian2lava.chip.network import ChipNetwork, Population
from brian2lava.chip.quantise.result import (
    LEAST_HEADROOM,
    WORST_BOUND,
    WORST_ERROR,
    Costs,
    ParameterRow,
)

#: Doubles that differ by this part are the same number.
_EQUAL = 1e-9


def warnings_of(
    ideal: IdealNetwork,
    network: ChipNetwork,
    rows: Sequence[ParameterRow],
    costs: Mapping[str, Costs],
    vanished: Mapping[str, int],
) -> tuple[str, ...]:
    """All warnings, in the order of rows, weights, populations."""
    found = [_error(row) for row in rows if row.flagged]
    found += [
        f"{name}: {count} of {_size(network, name)} weights became 0; a larger scale or a smaller"
        " range of weights keeps them."
        for name, count in vanished.items()
        if count
    ]
    for cost in costs.values():
        own = {row.register for row in rows if row.flagged and row.object == cost.population}
        found += _cost(cost, own)
    for population in ideal.populations:
        found += _unreachable(population, network.population(population.name))
    return tuple(found)


def _size(network: ChipNetwork, name: str) -> int:
    return next(p.size for p in network.projections if p.name == name)


def _error(row: ParameterRow) -> str:
    what = f"{row.object}: {row.parameter} ({row.register or 'input'}) is off"
    if np.isfinite(row.error):
        return f"{what} by {row.error:+.2%}, more than {WORST_ERROR:.0%}."
    return f"{what} without bound{f' ({row.note})' if row.note else ''}."


def _cost(cost: Costs, flagged: Collection[str]) -> Iterator[str]:
    """``flagged``: registers of the population whose rows say already what they cost."""
    for name, register in (("damping", "cos_decay"), ("period", "sin_decay")):
        error = cost.time_constants.get(name, 0.0)
        if abs(error) > WORST_ERROR and register not in flagged:
            told = ", the oscillation does not decay" if error <= -1 and name == "damping" else ""
            yield f"{cost.population}: the resonator's {name} is off by {error:+.2%}{told}, more" \
                f" than {WORST_ERROR:.0%}."  # fmt: skip
    if np.isinf(cost.bound_share):
        yield without_bound(cost.population)
    elif cost.bound_share > WORST_BOUND:
        yield (
            f"{cost.population}: the voltage's error is bounded by {cost.bound_share:.2%} of the"
            f" threshold, more than {WORST_BOUND:.0%}."
        )
    if cost.headroom < LEAST_HEADROOM:
        yield (
            f"{cost.population}: the largest state is {1 / cost.headroom:.0%} of what the chip"
            f" holds, head-room {cost.headroom:.3g}, less than {LEAST_HEADROOM}."
        )


def without_bound(population: str) -> str:
    """What is said of every population without leak."""
    return (
        f"{population}: the voltage's error is without bound (no leak: errors add up until the next"
        " spike)."
    )


def _unreachable(population: IdealPopulation, made: Population) -> Iterator[str]:
    """Thresholds that the chip's voltage cannot cross although the real one does.

    A bias b alone brings v to where the decay takes b again: to (b - 1) * 4096 // d + 1, for a
    decay takes more than d/4096 of v, rounded up.
    """
    vth, bias = population.quantity("vth"), population.quantity("bias")
    if vth is None or vth.kind != "threshold":
        return
    threshold = made.registers["vth"] << ALIGNMENT
    if np.any(threshold >= STATE_MAX):
        yield f"{population.name}: the threshold is as high as the highest voltage; it never fires."
    decay = population.quantity("dv")
    if bias is None or decay is None or not np.all(decay.value > 0):
        return
    drive = made.registers["bias_mant"] << made.registers["bias_exp"]
    register = np.maximum(made.registers["dv"], 1)
    highest = np.where(drive > 0, (drive - 1) * DECAY_UNITY // register + 1, 0)
    # a steady state that is the threshold up to the rounding of doubles does not cross it
    above = vth.value + _EQUAL * np.abs(vth.value)
    lost = (bias.value / decay.value > above) & (highest <= threshold)
    lost &= made.registers["dv"] > 0
    if np.any(lost):
        yield (
            f"{population.name}: the bias alone brings {np.count_nonzero(lost)} neuron(s) over the"
            " threshold, but not the chip's rounded voltage: threshold unreachable."
        )
