"""What is exported: a chip network, the input that it had, and the spikes that it gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.emulate import Emulation, emulate
from brian2lava.chip.given_words import word_state
from brian2lava.chip.network import BinomialCounts, ChipNetwork, Integers, PoissonSpikes, Source
from brian2lava.errors import NotSupported, OptionError


@dataclass(frozen=True)
class Given:
    """One run of a chip network, with all that it drew and sent.

    Attributes
    ----------
    network : ChipNetwork
        Without random sources.
    steps : int
    spikes : dict of population to (steps, indices)
        The emulator's.
    words : dict of population to array of shape (steps, size)
        Random words that stochastic neurons drew.
    traces : dict of projection to dict of trace or tag to array
        What learning begins with.
    seed : int
        Of the rounding of learning.
    title : str
        Where the network comes from.
    dt : float
        Seconds of a step; 0 where steps have no length.
    about : dict of object to tuple of str
        What a reader should know of a population, projection or stimulus: lines.
    notes : tuple of str
    """

    network: ChipNetwork
    steps: int
    spikes: Mapping[str, tuple[Integers, Integers]]
    words: Mapping[str, Integers] = field(default_factory=dict)
    traces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seed: int = 0
    title: str = "a chip network"
    dt: float = 0.0
    about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def given(
    network: ChipNetwork,
    steps: int,
    seed: int = 0,
    traces: Mapping[str, Mapping[str, Any]] | None = None,
    **told: Any,
) -> Given:
    """A network with what the emulator makes of it.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
        At least 1.
    seed : int
        Of the emulator's random numbers.
    traces : dict, optional
        What learning begins with.
    told
        Other fields of :class:`Given`.

    Raises
    ------
    NotSupported
        A source is random, or there is nothing that runs.
    """
    if steps < 1:
        raise OptionError(f"export: {steps} steps; at least one is needed.")
    if not any(population.size for population in network.populations):
        raise NotSupported("export: the network has no neurons on the chip, so nothing to run.")
    for source in network.sources:
        _refuse_random(source)
    drawing = {}
    for population in network.populations:
        state = word_state(population, network.arithmetic) if population.size else ""
        if state:
            drawing[population.name] = state
    record = list(drawing.items())
    if traces:
        with Emulation(network, record, seed=seed, traces=traces) as emulation:
            recorded = emulation.run(steps)
    else:
        recorded = emulate(network, steps, record, seed)
    names = [population.name for population in network.populations if population.size]
    return Given(
        network,
        steps,
        spikes={name: recorded.spikes[name] for name in names},
        words={name: recorded.states[name, state] for name, state in drawing.items()},
        traces=traces or {},
        seed=seed,
        **told,
    )


def _refuse_random(source: Source) -> None:
    if isinstance(source, PoissonSpikes | BinomialCounts):
        raise NotSupported(
            f"export: source {source.name!r} is random, and a package has fixed spikes. Put"
            " SpikeTimes in its place, for example those that the emulator recorded."
        )


def sent(source: Source, steps: int) -> tuple[Integers, Integers, Integers]:
    """Steps, indices and values of what a source without chance sends."""
    when, who, values = [], [], []
    for now in range(steps):
        row = np.asarray(source.sent(now, _no_draw))
        firing = np.flatnonzero(row)
        when.append(np.full(len(firing), now))
        who.append(firing)
        values.append(row[firing])
    return np.concatenate(when), np.concatenate(who), np.concatenate(values)


def _no_draw(size: int) -> Any:
    raise AssertionError("a source without chance draws nothing")
