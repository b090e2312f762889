"""Settings and a stimulus as a chip network, with the very integers that reach the chip.

A stimulus that comes in graded spikes is a payload times a weight; in the network it is the result,
which the update of its own step sees. A stimulus that is a bias is a register that the host writes
before each step; the emulator has no such host, so the plain definition runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import Name, evaluate, shift
from brian2lava.chip.emulate import emulate
from brian2lava.chip.integers import Integers
from brian2lava.chip.limits import BIAS_MANTISSA
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import ChipNetwork, Population
from brian2lava.chip.network import Stimulus as Given
from brian2lava.chip.plain import Recorded
from brian2lava.chip.plain_steps import PopulationStep, SynapseRing, initial_states
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings, Stimulus
from brian2lava.fit.batch.batch import Drive
from brian2lava.fit.batch.own import NEURON, own_projections


def scaled(settings: Settings, stimulus: Stimulus) -> Integers:
    """The stimulus in whole numbers, shape (steps, size): payloads, or what a bias gets more.

    In single precision, then to the nearest (half to even), as the batch's kernel does it.
    """
    product = stimulus.values[:, None] * settings.scale[None]
    return np.asarray(np.rint(product), np.int64)


def arriving(settings: Settings, stimulus: Stimulus) -> dict[str, Integers]:
    """What reaches each port in each step, of shape (steps, size): payload * weight * 2**exponent.

    Ports without a weight are left out.
    """
    payloads = scaled(settings, stimulus).astype(np.int32)
    shifted = shift(Name("product"), Name("exponent"))
    found = {}
    for k, port in enumerate(MODELS[settings.model].ports):
        if settings.weights[k].any():
            given = {"product": payloads * settings.weights[k], "exponent": settings.exponents[k]}
            found[port] = np.asarray(evaluate(shifted, given, 32), np.int64)
    return found


def biases(settings: Settings, stimulus: Stimulus) -> Integers:
    """The mantissa of the bias before each step, shape (steps, size), where the stimulus is a bias.

    Raises
    ------
    FitError
        It leaves its 13 bits.
    """
    mantissas = settings.registers["bias_mant"] + scaled(settings, stimulus)
    outside = (mantissas > BIAS_MANTISSA.high) | (mantissas < BIAS_MANTISSA.low)
    if outside.any():
        step, k = (int(x) for x in np.argwhere(outside)[0])
        raise FitError(
            f"setting {k} of {settings.model}: its bias is {mantissas[step, k]} in step {step}, and"
            f" has {BIAS_MANTISSA.low}..{BIAS_MANTISSA.high}. Use a larger bias_exp and a smaller"
            " scale."
        )
    return np.asarray(mantissas)


def network_of(
    settings: Settings,
    stimulus: Stimulus,
    drive: Drive = "graded",
    arithmetic: Arithmetic = LAVA,
) -> ChipNetwork:
    """The chip network of ``settings``, one neuron each, in a population called ``NEURON``.

    Neurons with a synapse onto themselves have it in projections from the population to itself,
    one for each sign and exponent. With ``drive="graded"`` the stimuli are the integers of
    :func:`arriving`, one a port. With
    ``drive="bias"`` it has none, and the bias is that of the first step: :func:`biases` says which
    are to follow.
    """
    registers = dict(settings.registers)
    stimuli: tuple[Given, ...] = ()
    if drive == "bias":
        registers["bias_mant"] = biases(settings, stimulus)[0]
    else:
        stimuli = tuple(
            Given(f"{NEURON}_{port}", NEURON, values, port)
            for port, values in arriving(settings, stimulus).items()
        )
    population = Population(NEURON, settings.model, settings.size, registers)
    return ChipNetwork(
        (population,),
        projections=tuple(own_projections(settings)),
        stimuli=stimuli,
        arithmetic=arithmetic,
    )


def emulated(
    settings: Settings,
    stimulus: Stimulus,
    drive: Drive = "graded",
    arithmetic: Arithmetic = LAVA,
    record: Sequence[str] = (),
) -> Recorded:
    """Spikes and the states ``record`` of ``settings``, without the batch.

    In the emulator; with ``drive="bias"`` by the plain definition.
    """
    network = network_of(settings, stimulus, drive, arithmetic)
    if drive == "bias":
        return _with_biases(network, biases(settings, stimulus), record)
    return emulate(network, stimulus.steps, [(NEURON, state) for state in record])


def _with_biases(network: ChipNetwork, mantissas: Integers, record: Sequence[str]) -> Recorded:
    """The plain definition, with another bias in each step."""
    (population,) = network.populations
    step = PopulationStep(population, network.arithmetic, None)
    states = initial_states(population, network.arithmetic)
    rings = [
        (projection.port, SynapseRing(projection, population.size, network.arithmetic))
        for projection in network.projections
    ]
    levels = mantissas << population.registers["bias_exp"]
    traces = {state: np.zeros((len(levels), population.size), np.int32) for state in record}
    fired = np.zeros(levels.shape, bool)
    for n, bias in enumerate(levels):
        arrived: dict[str, Any] = dict.fromkeys(population.neuron.ports, np.zeros_like(bias))
        for port, ring in rings:
            arrived[port] = arrived[port] + ring.due()
        # what is given by name takes the place of what the registers say
        fired[n] = step(states, {**arrived, "bias": bias}, n + 1) != 0
        for _, ring in rings:
            ring.take(fired[n])
        for state, rows in traces.items():
            rows[n] = states[state]
    when, who = np.nonzero(fired)
    return Recorded(
        spikes={NEURON: (when, who)},
        states={(NEURON, state): rows for state, rows in traces.items()},
        counts={(NEURON, counter): count for counter, count in step.counts.items()},
    )


def train_of(recorded: Recorded, k: int = 0) -> Any:
    """The steps in which the ``k``-th neuron fired, counted from 0."""
    when, who = recorded.spikes[NEURON]
    return np.asarray(when)[np.asarray(who) == k]
