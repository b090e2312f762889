"""The synapses of a projection that learns, between two steps of the plain definition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.learning import FixedLearning, Synapses, actual_weights, learning_state
from brian2lava.chip.limits import ALIGNMENT
from brian2lava.chip.network import ChipNetwork, Integers, Projection
from brian2lava.chip.weights import truncated


def synapses_of(network: ChipNetwork, projection: Projection) -> Synapses:
    """The projection's synapses as learning knows them."""
    sizes = network.origin(projection.source).size, network.origin(projection.target).size
    return Synapses(projection.pre, projection.post, *sizes)


def mantissas(network: ChipNetwork, projection: Projection) -> Integers:
    """The weights that learning begins with: lava-nc truncates them first, brian2-loihi later."""
    if network.arithmetic.learning_rounding == "nearest_draw":
        return truncated(projection, network.arithmetic)
    return np.asarray(projection.weights)


class PlasticSynapses:
    """Spikes under way to plastic synapses, and the state of their rule.

    Attributes
    ----------
    state : FixedLearning or Brian2LoihiLearning
        With ``weights`` and ``traces``.
    """

    def __init__(self, network: ChipNetwork, projection: Projection, tape: Any) -> None:
        self._network, self._projection = network, projection
        self._arrived = np.zeros(network.origin(projection.source).size, bool)
        self._flying = [self._arrived] * int(projection.delays.max(initial=0))
        self.state = learning_state(
            network.arithmetic.learning_rounding,
            projection.learning,
            synapses_of(network, projection),
            mantissas(network, projection),
            tape,
            projection.signs.name,
            projection.num_weight_bits,
        )

    def begin(self, registers: Mapping[str, Any]) -> None:
        """Traces (by neuron or synapse, as the arithmetic keeps them) and tags to begin with."""
        for name, values in registers.items():
            place = self.state.traces.get(name)
            if place is None and isinstance(self.state, FixedLearning):
                place = self.state.variables[name]
            if place is not None:
                place[:] = values

    def arrive(self, sent: Integers) -> Any:
        """Who of the sources (boolean) reaches the synapses in this step."""
        self._flying.append(np.asarray(sent) != 0)
        self._arrived = self._flying.pop(0)
        return self._arrived

    def learn(self, fired: Integers) -> Integers:
        """The step's change, after the deliveries; returns what a spike adds from now on."""
        self.state.step(self._arrived, np.asarray(fired) != 0)
        weights, exponent = np.asarray(self.state.weights), self._projection.exponent
        if self._network.arithmetic.learning_rounding == "nearest_draw":
            return weights << exponent
        signs, bits = self._projection.signs.name, self._projection.num_weight_bits
        return actual_weights(weights, signs, bits, exponent, learned=True) >> ALIGNMENT
