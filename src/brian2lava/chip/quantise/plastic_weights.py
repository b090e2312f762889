"""The scale of weights that change: a rule's bounds are where the chip's mantissas end.

``w = clip(w + .., 0, wmax)`` costs the chip nothing if wmax is the greatest mantissa, for there a
weight stops by itself. So bounded plastic weights fix the population's scale up to powers of two;
of several with bounds that are no powers of two apart, all but one get bounds that are off, which
is shown, and refused beyond 5 %.
"""

from __future__ import annotations

import numpy as np

from brian2lava.chip.ideal import IdealProjection
from brian2lava.chip.learning.ideal import IdealLearning
from brian2lava.chip.network import SignMode
from brian2lava.errors import ChipLimit

#: The greatest mantissa of each sign mode; with both signs mantissas are even, and -256 stays
#: unused because 256 << 7 is beyond a weight's 21 bits on Loihi 1.
GREATEST = {SignMode.EXCITATORY: 255, SignMode.INHIBITORY: 255, SignMode.MIXED: 254}
#: How far beyond the weights of the run in floating point unbounded ones may go.
ROOM = 2.0
#: A bound that is off by more than this is refused.
WORST_BOUND = 0.05


def unit_gain(projection: IdealProjection) -> float:
    """What a unit of the user's weight adds to v, in the unit of v: one number.

    Raises
    ------
    ChipLimit
        The target's neurons differ in it.
    """
    gains = np.ravel(projection.unit_gain)
    if gains.size and np.ptp(gains):
        raise ChipLimit(
            f"projection {projection.name!r} learns, and a weight means {gains.min():.6g} to"
            f" {gains.max():.6g} at its targets: a chip has one learning rule and one greatest"
            " weight for all synapses of an object. Give the targets the same parameters, or use"
            " an object of synapses for each kind of neuron."
        )
    return float(gains[0]) if gains.size else 1.0


def signs_of(projection: IdealProjection, learning: IdealLearning) -> SignMode:
    """The sign mode in which the weight can reach all that its bounds allow."""
    low, high = sorted((learning.low * _sign(projection), learning.high * _sign(projection)))
    if low >= 0:
        return SignMode.EXCITATORY
    return SignMode.INHIBITORY if high <= 0 else SignMode.MIXED


def _sign(projection: IdealProjection) -> float:
    return 1.0 if unit_gain(projection) >= 0 else -1.0


def has_bound(learning: IdealLearning) -> bool:
    """Whether the weight has a bound beside 0."""
    return any(np.isfinite(b) and b != 0 for b in (learning.low, learning.high))


def full_weight(projection: IdealProjection, learning: IdealLearning) -> float:
    """The weight, in the unit of v, that the greatest mantissa stands for (at least).

    Its bound; without one, twice what the run in floating point has reached.
    """
    bounds = [abs(b) for b in (learning.low, learning.high) if np.isfinite(b) and b != 0]
    gain = abs(unit_gain(projection))
    if bounds:
        return max(bounds) * gain
    reached = learning.peak * gain or float(np.abs(projection.weights).max(initial=0.0))
    return ROOM * reached


def check_initial(projection: IdealProjection, learning: IdealLearning) -> None:
    """Refuse weights that lie beyond the rule's bounds from the beginning."""
    weights = projection.weights / unit_gain(projection)
    # with weights of both signs, the last mantissa means half a per cent more than the bound
    room = 0.005 * max(abs(b) for b in (learning.low, learning.high, 0.0) if np.isfinite(b))
    beyond = (weights < learning.low - room) | (weights > learning.high + room)
    if beyond.any():
        place = int(np.flatnonzero(beyond)[0])
        raise ChipLimit(
            f"synapses {learning.synapses!r}: {learning.weight} of synapse {place} is"
            f" {weights[place]:.6g}, and its rule cuts it to {learning.low:.6g} .."
            f" {learning.high:.6g}. On the chip these bounds hold always: begin within them."
        )
