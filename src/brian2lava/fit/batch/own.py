"""Synapses of neurons onto themselves, as projections of a chip network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from brian2lava.chip.models import MODELS
from brian2lava.chip.network import Projection
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.weights import effective, late_exponent
from brian2lava.fit.batch.settings import Settings

#: What the population is called in a chip network.
NEURON = "neuron"


def own_projections(settings: Settings) -> Iterator[Projection]:
    """What spikes add at their own neurons; one sign and exponent each, so that all bits count."""
    for k, port in enumerate(MODELS[settings.model].ports):
        weights, exponents = settings.own_weights[k], settings.own_exponents[k]
        for sign in (1, -1):
            for exponent in np.unique(exponents[sign * weights > 0]).tolist():
                which = np.flatnonzero((sign * weights > 0) & (exponents == exponent))
                yield Projection(
                    name=f"own_{port}_{'plus' if sign > 0 else 'minus'}_{exponent}",
                    source=NEURON,
                    target=NEURON,
                    pre=which,
                    post=which,
                    weights=weights[which],
                    exponent=exponent,
                    port=port,
                )


def added_by_own(settings: Settings, arithmetic: Arithmetic) -> Any:
    """What a neuron's spike adds at its own ports, int32 of shape (ports, size).

    Rounded as the chip does it: an exponent shifts the sum of what arrives, or each weight.
    """
    added = np.zeros(settings.own_weights.shape, np.int32)
    ports = MODELS[settings.model].ports
    for projection in own_projections(settings):
        late = -late_exponent(projection, arithmetic)
        place = ports.index(projection.port)
        added[place, projection.pre] = effective(projection, arithmetic) >> late
    return added
