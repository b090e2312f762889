"""Real weights as mantissas and one exponent: chosen, rounded, and split by sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.ideal import IdealProjection, Reals, real
from brian2lava.chip.learning.ideal import IdealLearning
from brian2lava.chip.limits import ALIGNMENT, WEIGHT_EXPONENT
from brian2lava.chip.network import Projection, SignMode
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise.kinds import relative_error, worst
from brian2lava.chip.quantise.plastic_weights import (
    GREATEST,
    WORST_BOUND,
    check_initial,
    full_weight,
    has_bound,
    signs_of,
)
from brian2lava.chip.quantise.result import ParameterRow, Part, Span
from brian2lava.errors import ChipLimit

GRID = {SignMode.EXCITATORY: 1, SignMode.INHIBITORY: 1, SignMode.MIXED: 2}


@dataclass(frozen=True)
class SignedPart:
    """Synapses of a projection that become one projection of the chip."""

    name: str
    projection: IdealProjection
    signs: SignMode
    synapses: NDArray[np.int64]
    factor: Reals

    @property
    def original(self) -> Reals:
        """Real weights, in the unit of v."""
        return self.projection.weights[self.synapses]

    @property
    def weights(self) -> Reals:
        """Real weights with what makes good for rounded decays, in the unit of v."""
        return self.original * self.factors

    @property
    def factors(self) -> Reals:
        """The factors that make good for rounded decays, of shape () or (synapses,)."""
        return self._by_synapse(self.factor)

    @property
    def gains(self) -> Reals:
        """Weight in the unit of v over the user's weight, of shape () or (synapses,)."""
        return self._by_synapse(self.projection.unit_gain)

    @property
    def learning(self) -> IdealLearning | None:
        """The rule by which the weights change."""
        return self.projection.learning

    @cached_property
    def largest(self) -> float:
        """The weight that has to fit: the largest there is, or that a rule may lead to."""
        if self.learning is None:
            return _largest(self.weights)
        return full_weight(self.projection, self.learning) * float(np.max(self.factor))

    @property
    def ends_at_bound(self) -> bool:
        """Whether the greatest mantissa has to mean ``largest``, a bound of the rule."""
        return self.learning is not None and has_bound(self.learning) and self.largest > 0

    def exponents(self, scales: Any) -> Any:
        """The least exponents with which ``largest`` fits; that nearest to a rule's bound."""
        if not self.ends_at_bound:
            return exponents(self.largest, scales, self.signs)
        units = np.asarray(scales, np.float64) * self.largest / (1 << ALIGNMENT)
        return np.maximum(np.rint(np.log2(units / GREATEST[self.signs])), 0)

    def bound_error(self, scales: Any) -> Any:
        """How far the greatest mantissa's meaning is from a rule's bound, relative to it."""
        if not self.ends_at_bound:
            return np.zeros(np.shape(scales))
        unit = (1 << ALIGNMENT) * np.exp2(self.exponents(scales)) / np.asarray(scales, np.float64)
        return GREATEST[self.signs] * unit / self.largest - 1

    def _by_synapse(self, values: Reals) -> Reals:
        return values if np.ndim(values) == 0 else values[self.projection.post[self.synapses]]


def signed_parts(projection: IdealProjection, factor: Reals) -> Iterator[SignedPart]:
    """A projection by the signs of its weights.

    A weight of 0 goes with the excitatory ones. Plastic synapses stay together; their sign mode is
    what the rule's bounds allow. ``factor``, of shape () or (size of target,): see
    :mod:`brian2lava.chip.quantise.compensation`.
    """
    weights = projection.weights
    learning = projection.learning
    if learning is not None:
        if np.ptp(np.ravel(factor)):
            raise ChipLimit(
                f"projection {projection.name!r} learns, and its targets have different time"
                " constants, so that one weight means different things to them once these are"
                " rounded. Give the targets the same time constants."
            )
        check_initial(projection, learning)
        whole = np.arange(weights.size)
        mode = signs_of(projection, learning)
        yield SignedPart(projection.name, projection, mode, whole, real(np.max(factor)))
        return
    everything = np.arange(weights.size)
    negative = weights < 0
    if not negative.any() or negative.all():
        mode = SignMode.INHIBITORY if negative.all() and weights.size else SignMode.EXCITATORY
        yield SignedPart(projection.name, projection, mode, everything, factor)
        return
    for mode, chosen in ((SignMode.EXCITATORY, ~negative), (SignMode.INHIBITORY, negative)):
        name = f"{projection.name}_{mode.name.lower()}"
        yield SignedPart(name, projection, mode, everything[chosen], factor)


def exponents(largest: float, scales: Any, signs: SignMode) -> Any:
    """The least exponents, never below 0, with which the largest weight fits.

    A negative one would add nothing: the sum of what arrives is floored before it is shifted to
    where the state's bits stand.
    """
    units = np.asarray(scales, np.float64) * largest / (1 << ALIGNMENT) / GREATEST[signs]
    with np.errstate(divide="ignore"):
        needed = np.ceil(np.log2(units))
    # log2 may be a last digit too small or too large at a power of two
    needed = np.where(units > np.exp2(needed), needed + 1, needed)
    return np.maximum(needed, 0)


def mantissas(weights: Any, scales: Any, exponent: Any, signs: SignMode) -> tuple[Any, Any]:
    """The real mantissas and the nearest ones on the grid of the sign mode."""
    units = np.asarray(weights) * scales / ((1 << ALIGNMENT) * np.exp2(exponent))
    return units, np.rint(units / GRID[signs]) * GRID[signs]


def largest_scale(largest: float, signs: SignMode) -> float:
    """The greatest A with which a weight fits its mantissa and exponent."""
    if largest == 0:
        return np.inf
    return (GREATEST[signs] << WEIGHT_EXPONENT.high) * (1 << ALIGNMENT) / largest


def quantise_part(
    part: SignedPart, scale: float, message_bits: int, unit: str
) -> tuple[Projection, Part, ParameterRow, int]:
    """A projection of the chip, where it comes from, its row, and how many weights became 0.

    The rule of a plastic one is left out: it needs the weights' step (``Part.step``).

    Raises
    ------
    ChipLimit
        The weights do not fit with this scale.
    """
    weights = part.weights
    largest = part.largest
    exponent = int(part.exponents(scale)) if largest else 0
    off = float(part.bound_error(scale))
    if abs(off) > WORST_BOUND:
        raise ChipLimit(
            f"projection {part.projection.name!r}: its rule cuts the weight to"
            f" {largest:.6g} {unit}, and the chip's greatest weight with the scale {scale:.6g} is"
            f" off from that by {off:+.1%} (at most {WORST_BOUND:.0%} are taken). "
            + (
                "The bound is small beside the threshold, which has 17 bits: let a spike add more"
                " in a step, by a longer time step or shorter time constants, or a larger bound."
                if off > 0 and exponent == 0
                else "Bounds of rules onto one population have to be powers of two apart: choose"
                " them so, or use populations of their own."
            )
        )
    if exponent > WEIGHT_EXPONENT.high:
        raise ChipLimit(
            f"projection {part.projection.name!r}: a weight of {_largest(part.original):.6g} {unit}"
            f" with the scale {scale:.6g} needs the exponent {exponent}, the chip has up to"
            f" {WEIGHT_EXPONENT.high} ({WEIGHT_EXPONENT.source}). Use a scale of up to"
            f" {largest_scale(largest, part.signs):.6g}, or smaller weights."
        )
    _, whole = mantissas(weights, scale, exponent, part.signs)
    if part.ends_at_bound:  # no weight is beyond it, but for rounding
        whole = np.clip(whole, -GREATEST[part.signs], GREATEST[part.signs])
    step = real((1 << ALIGNMENT) * 2**exponent / scale / part.factors)
    delays = part.projection.delays
    projection = Projection(
        name=part.name,
        source=part.projection.source,
        target=part.projection.target,
        pre=part.projection.pre[part.synapses],
        post=part.projection.post[part.synapses],
        weights=whole,
        exponent=exponent,
        sign_mode=part.signs,
        delays=delays if np.ndim(delays) == 0 else np.asarray(delays)[part.synapses],
        port=part.projection.port,
        message_bits=message_bits,
    )
    vanished = int(np.count_nonzero((whole == 0) & (weights != 0)))
    row = _row(part, unit, exponent, whole, step, vanished)
    return projection, Part(part.projection.name, part.synapses, step), row, vanished


def _largest(values: Reals) -> float:
    return float(np.abs(values).max(initial=0.0))


def _row(
    part: SignedPart, unit: str, exponent: int, whole: Any, step: Reals, vanished: int
) -> ParameterRow:
    weights, meant = part.original / part.gains, whole * step / part.gains
    notes = [f"{part.signs.name}, exponent {exponent}"]
    if np.any(part.factors != 1):
        notes.append("with the rounded decays")
    if weights.size == 0 or np.all(weights == weights[0]):
        error = worst(relative_error(weights, meant))
    else:
        largest = _largest(weights)  # squares of tiny weights would vanish
        error = float(
            np.linalg.norm((meant - weights) / largest) / np.linalg.norm(weights / largest)
        )
        single = worst(relative_error(weights[weights != 0], meant[weights != 0]))
        notes.append(f"root mean square; worst single {single:+.1%}")
    if vanished:
        notes.append(f"{vanished} of {weights.size} became 0")
    return ParameterRow(
        object=part.name,
        parameter=f"weights to {part.projection.target}.{part.projection.port}",
        value=Span.of(weights),
        unit=unit,
        register="weights",
        integer=Span.of(whole),
        meant=Span.of(meant),
        error=error,
        note="; ".join(notes),
    )


def check_projection(projection: IdealProjection, profile: Arithmetic, dt: float) -> None:
    """Refuse weights that are no numbers, and delays that the chip does not have."""
    broken = ~np.isfinite(projection.weights)
    if broken.any():
        place = int(np.flatnonzero(broken)[0])
        raise ChipLimit(
            f"projection {projection.name!r}: the weight of synapse {place} is"
            f" {projection.weights[place]}; finite numbers are needed."
        )
    delays = np.asarray(projection.delays)
    wrong = (delays < 0) | (delays > profile.max_delay)
    if wrong.any():
        steps = int(np.ravel(delays)[np.flatnonzero(np.ravel(wrong))[0]])
        raise ChipLimit(
            f"projection {projection.name!r}: a delay of {steps} steps ({steps * dt * 1e3:.6g} ms)"
            f" is outside 0..{profile.max_delay} (6-bit synaptic delay, profile {profile.name!r})."
            " Use a longer time step, or relay neurons."
        )
