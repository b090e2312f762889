"""One scale a population: the search for the A that loses least within all limits.

Spikes carry no unit, so each population has a scale of its own, and decays depend on the time step
only: the search has one dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, IdealStimulus, Quantity, Reals
from brian2lava.chip.limits import (
    ALIGNMENT,
    BIAS_EXPONENT,
    BIAS_MANTISSA,
    STATE_MAX,
    WEIGHT_EXPONENT,
)
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise.compensation import VOLTAGE_DECAYS
from brian2lava.chip.quantise.kinds import (
    KINDS,
    NOISE_UNIT,
    mantissa_and_exponent,
    relative_error,
    rounded,
)
from brian2lava.chip.quantise.registers import is_level, threshold_of
from brian2lava.chip.quantise.synapses import SignedPart, largest_scale, mantissas

CANDIDATES = 2000
DECADES = 2
#: Losses that differ by less count as equal: the errors are then alike to one per cent.
ALIKE = 1.02
#: Squares of errors below this are nothing.
NOTHING = 1e-8
#: Loihi 1 sums what arrives in a step in 21 bits and a sign.
INPUT_BITS_LOIHI1 = 21
#: Where nothing bounds a scale (no thresholds, no weights, no states that move).
UNBOUNDED = 64.0
#: Last digits must not carry a value over its limit.
_JUST_BELOW = 1 - 1e-12
#: A rule's bound outweighs all else, for it is not rounded but wrong.
_BOUNDS = 100.0
#: So many values stand for all weights or neurons in the search; all are rounded afterwards.
_SAMPLE = 256


@dataclass(frozen=True)
class Inputs:
    """What comes into one population."""

    parts: Sequence[SignedPart] = ()
    stimuli: Sequence[IdealStimulus] = ()
    stimulus_factors: Sequence[Reals] = ()


def bounds(
    population: IdealPopulation, inputs: Inputs, chip: str, profile: Arithmetic, headroom: float
) -> Mapping[str, float]:
    """The greatest A by what bounds it."""
    found: dict[str, float] = {}
    for state in population.neuron.states:
        if is_level(state) and state.name in population.ranges:
            room = headroom * _peak(population.ranges[state.name])
            found[f"range of {state.name}"] = _over(STATE_MAX, room)
        if is_level(state) and state.name in population.initial:
            largest = float(np.abs(population.initial[state.name]).max(initial=0.0))
            found[f"initial {state.name}"] = _over(STATE_MAX, largest)
    for quantity in population.quantities:
        if KINDS[quantity.kind].scaled:
            found[f"register {quantity.register}"] = _quantity_bound(population, quantity)
    for part in inputs.parts:
        found[f"weights of {part.name}"] = largest_scale(part.largest, part.signs)
    bits = input_bits(chip, profile)
    if bits is not None:
        for port in population.neuron.ports:
            if port in population.ranges:
                room = headroom * _peak(population.ranges[port])
                found[f"peak input of {port}"] = _over((1 << bits) - 1, room)
    return found


def input_bits(chip: str, profile: Arithmetic) -> int | None:
    """Bits beside the sign of what may arrive at a port in one step; None: no limit."""
    if profile.accumulator_bits is not None:
        return profile.accumulator_bits
    return INPUT_BITS_LOIHI1 if chip == "Loihi1" else None


def _peak(span: tuple[float, float]) -> float:
    return max(abs(span[0]), abs(span[1]))


def _over(limit: float, value: float) -> float:
    return limit / value if value else np.inf


def _quantity_bound(population: IdealPopulation, quantity: Quantity) -> float:
    largest = float(np.abs(quantity.value).max(initial=0.0))
    if quantity.kind == "bias":
        return _over(BIAS_MANTISSA.high << BIAS_EXPONENT.high, largest)
    limit = population.neuron.register(quantity.register).limit.high
    if quantity.kind == "noise":
        return _over(NOISE_UNIT * (1 << limit), largest)
    return _over(limit << ALIGNMENT if quantity.kind == "threshold" else limit, largest)


def best_scale(
    population: IdealPopulation, inputs: Inputs, profile: Arithmetic, bound: Mapping[str, float]
) -> float:
    """The scale of least loss in the two decades below the bound; of equal ones the smallest."""
    greatest = min(bound.values(), default=np.inf) * _JUST_BELOW
    if not np.isfinite(greatest):
        return UNBOUNDED
    candidates = _at_bounds(inputs, greatest)
    if not candidates.size:
        candidates = np.geomspace(greatest / 10**DECADES, greatest, CANDIDATES)
        candidates[-1] = greatest
    losses = loss(population, inputs, profile, candidates)
    fits = losses <= losses.min() * ALIKE + NOTHING
    return float(candidates[np.argmax(fits)])


def _at_bounds(inputs: Inputs, greatest: float) -> Reals:
    """The scales with which a rule's bound is the greatest mantissa exactly, for any of the rules.

    ``largest_scale`` has the highest exponent; each one below halves it.
    """
    found = [
        largest_scale(part.largest, part.signs) * np.exp2(-np.arange(WEIGHT_EXPONENT.high + 1.0))
        for part in inputs.parts
        if part.ends_at_bound
    ]
    scales = np.unique(np.concatenate([np.zeros(0), *found]))
    return np.asarray(scales[scales * _JUST_BELOW <= greatest])


def loss(population: IdealPopulation, inputs: Inputs, profile: Arithmetic, scales: Reals) -> Reals:
    """Squares of relative errors, for each scale.

    sum over projections of (share * weight error)**2 + bias**2 + levels**2 + decay**2. The bias
    counts as far as it drives the voltage to the threshold; decay is what rounding in every step's
    decay takes from the voltage on average (half of its bound), over the threshold.
    """
    total = np.zeros(scales.shape)
    for part in inputs.parts:
        total += (_share(part) * _weight_error(part, scales)) ** 2
        total += (_BOUNDS * part.bound_error(scales)) ** 2
    for stimulus in inputs.stimuli:
        total += _rounding_error(stimulus.values, scales / (1 << ALIGNMENT)) ** 2
    for quantity in population.quantities:
        kind = KINDS[quantity.kind]
        if quantity.kind == "bias":
            total += (_bias_weight(population, quantity) * _bias_error(quantity, scales)) ** 2
        elif quantity.kind == "noise":
            total += _noise_error(quantity, scales, profile) ** 2
        elif kind.scaled:
            total += _rounding_error(quantity.value, kind.scale(1.0, scales, profile)) ** 2
    return total + (0.5 * _decay_error(population, scales)) ** 2


def _share(part: SignedPart) -> float:
    everything = float(np.abs(part.projection.weights).sum())
    mine = float(np.abs(part.original).sum())
    return part.projection.share * mine / everything if everything else 0.0


def _sample(values: Any) -> Reals:
    """At most 256 values that stand for all, the extremes among them."""
    flat = np.ravel(np.asarray(values, np.float64))
    if flat.size <= _SAMPLE or (flat == flat[0]).all():
        return flat[:1] if flat.size and (flat == flat[0]).all() else flat
    return np.quantile(flat, np.linspace(0, 1, _SAMPLE), method="nearest")


def _root_mean_square(errors: Reals, values: Reals) -> Reals:
    """Of errors of shape (scales, values), relative to the values."""
    size = np.linalg.norm(values)
    return np.linalg.norm(errors, axis=1) / size if size else np.zeros(len(errors))


def _weight_error(part: SignedPart, scales: Reals) -> Reals:
    weights = _sample(part.weights)
    if not part.largest:
        return np.zeros(scales.shape)
    exponent = part.exponents(scales)[:, None]
    real, whole = mantissas(weights, scales[:, None], exponent, part.signs)
    unit = scales[:, None] / ((1 << ALIGNMENT) * np.exp2(exponent))
    return _root_mean_square((whole - real) / unit, weights)


def _rounding_error(values: Any, units: Reals) -> Reals:
    sample = _sample(values)
    real = sample * units[:, None]
    return _root_mean_square((np.rint(real) - real) / units[:, None], sample)


def _bias_error(quantity: Quantity, scales: Reals) -> Reals:
    sample = _sample(quantity.value)
    real = sample * scales[:, None]
    whole, exponent = mantissa_and_exponent(real)
    return _root_mean_square((whole * np.exp2(exponent) - real) / scales[:, None], sample)


def _noise_error(quantity: Quantity, scales: Reals, profile: Arithmetic) -> Reals:
    """Of standard deviations: a chip's are powers of 2."""
    kind, sample = KINDS["noise"], _sample(quantity.value)
    chosen = np.rint(kind.scale(sample, scales[:, None], profile))
    errors = relative_error(sample, kind.unscale(chosen, scales[:, None], profile))
    return np.asarray(np.sqrt(np.mean(np.square(errors), axis=1)))


def voltage_decay(population: IdealPopulation) -> float:
    """The mean decay of the voltage a step; 0 without leak."""
    found = (q for q in population.quantities if q.register in VOLTAGE_DECAYS and q.value.size)
    first = next(found, None)
    return 0.0 if first is None else float(first.value.mean())


def _bias_weight(population: IdealPopulation, quantity: Quantity) -> float:
    needed = voltage_decay(population) * threshold_of(population)
    bias = float(np.sqrt(np.mean(np.square(quantity.value)))) if quantity.value.size else 0.0
    return min(1.0, bias / needed) if needed else 1.0


def _decay_error(population: IdealPopulation, scales: Reals) -> Reals:
    """Bound of the voltage's loss by rounded decays, over the threshold."""
    threshold, leak = threshold_of(population), voltage_decay(population)
    if not threshold or not leak:
        return np.zeros(scales.shape)
    lost = 1.0
    for quantity in population.quantities:
        if quantity.kind == "current_decay" and quantity.value.size:
            mean = float(quantity.value.mean())
            lost += 1 / mean if 0 < mean < 1 else 0.0
    return lost / leak / (scales * threshold)


def stimulus_values(stimulus: IdealStimulus, factor: Reals) -> Reals:
    """What a stimulus gives with what makes good for rounded decays: (steps,) or (steps, size)."""
    values = stimulus.values
    if np.ndim(factor) and values.ndim == 1:
        values = values[:, None]
    return np.asarray(values * factor)


def stimulus_integers(stimulus: IdealStimulus, scale: float, factor: Reals) -> Any:
    """What the port gets, in units of 2**6 of the state."""
    return rounded(stimulus_values(stimulus, factor) * scale / (1 << ALIGNMENT))
