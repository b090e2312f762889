"""Counts on a chip whose spikes are binary: as many sources as are counted.

A neuron of Loihi 1 can't be told a number by one spike, so an input that counts ``inputs`` sources
(Brian2's PoissonInput) becomes that many Poisson sources a neuron, each with a synapse of the same
weight. Each of them needs an input axon of its own at the core of its neuron, so there can't be
more of them than a core has axons.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brian2lava.chip.ideal import IdealNetwork, IdealProjection
from brian2lava.chip.network import BinomialCounts, PoissonSpikes, Source
from brian2lava.chip.resources.budget import LOIHI1
from brian2lava.errors import ChipLimit

#: Of a core of Loihi 1.
_INPUT_AXONS = LOIHI1.input_axons or 0


def with_binary_sources(ideal: IdealNetwork) -> IdealNetwork:
    """The network with Poisson sources where it had binomial counts.

    Raises
    ------
    ChipLimit
        A neuron would need more input axons than a core has, or counts are given as numbers.
    """
    counted = {s.name: s for s in ideal.sources if isinstance(s, BinomialCounts)}
    return replace(
        ideal,
        sources=tuple(_binary(source) for source in ideal.sources),
        projections=tuple(
            _spread(projection, counted[projection.source].inputs)
            if projection.source in counted
            else projection
            for projection in ideal.projections
        ),
    )


def _binary(source: Source) -> Source:
    if not source.graded:
        return source
    if not isinstance(source, BinomialCounts):
        raise ChipLimit(
            f"source {source.name!r} sends numbers, and spikes of Loihi 1 are binary. Use Loihi 2,"
            " or a SpikeGeneratorGroup."
        )
    if source.inputs > _INPUT_AXONS:
        raise ChipLimit(
            f"'{source.name}': {source.inputs} inputs to each of {source.size} neurons. Spikes of"
            f" Loihi 1 are binary, so each input is an axon, and a core has {_INPUT_AXONS}"
            f" ({LOIHI1.sources.get('input_axons', 'nengo-loihi 1.1')}). Use fewer inputs of a"
            " higher rate or weight, or hardware='Loihi2', where one spike carries the count."
        )
    return PoissonSpikes(source.name, source.size * source.inputs, source.probability)


def _spread(projection: IdealProjection, inputs: int) -> IdealProjection:
    """Each synapse ``inputs`` times, from a source of its own."""
    each = np.arange(inputs)
    delays = projection.delays
    return replace(
        projection,
        pre=(projection.pre[:, None] * inputs + each).ravel(),
        post=np.repeat(projection.post, inputs),
        weights=np.repeat(projection.weights, inputs),
        delays=delays if np.ndim(delays) == 0 else np.repeat(delays, inputs),
    )
