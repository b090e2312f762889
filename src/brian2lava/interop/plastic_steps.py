"""What our own Lava process of plastic synapses computes in a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.network import ChipNetwork, Integers, Projection
from brian2lava.chip.plain_steps import word_of
from brian2lava.chip.plastic import PlasticSynapses
from brian2lava.chip.weights import effective


class LearningRing:
    """Synapses of a projection that learns, as the plain definition computes them.

    Parameters
    ----------
    network : ChipNetwork
    projection : Projection
        With a learning rule.
    tape
        Where rounding draws from (:mod:`brian2lava.chip.learning`).
    first : dict of str to array
        Traces and tags to begin with.
    """

    def __init__(
        self, network: ChipNetwork, projection: Projection, tape: Any, first: Mapping[str, Any]
    ) -> None:
        self._projection = projection
        self._kind = word_of(network.arithmetic)
        self._plastic = PlasticSynapses(network, projection, tape)
        self._plastic.begin(first)
        self._adds = effective(projection, network.arithmetic).astype(self._kind)
        self._due = np.zeros(network.population(projection.target).size, self._kind)

    @property
    def values(self) -> Mapping[str, Integers]:
        """ "w", the mantissas of shape (synapses,), and traces by their names."""
        return values_of(self._plastic)

    def due(self) -> Integers:
        """What arrives now."""
        return self._due

    def take(self, sent: Integers, fired: Integers) -> None:
        """Spikes arrive with the weights as they are; then weights change."""
        pre, post = self._projection.pre, self._projection.post
        arrived = self._plastic.arrive(sent)
        self._due = np.zeros_like(self._due)
        np.add.at(self._due, post, np.where(arrived[pre], self._adds, 0))
        self._adds = self._plastic.learn(fired).astype(self._kind)


def values_of(plastic: PlasticSynapses) -> dict[str, Integers]:
    """ "w" and traces of plastic synapses, as they are now."""
    return {"w": np.asarray(plastic.state.weights), **plastic.state.traces}
