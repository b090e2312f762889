"""Loihi objects -> a chip network in the profile ``brian2loihi``, from one step on.

What Brian2 calls step t is the chip's step t minus the first one. A chip's spike of step n acts,
with delay d, in step n + 1 + d: so does a spike of a neuron group. One of a generator, which fires
at the start of a step, acts in step n + d, and is the chip's spike of the step before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import SpikeGeneratorGroup
from numpy.typing import NDArray

from brian2lava.chip.limits import ALIGNMENT, DECAY_UNITY
from brian2lava.chip.network import (
    ChipNetwork,
    Population,
    Projection,
    SignMode,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.profiles import BRIAN2LOIHI
from brian2lava.loihi.members import Members, owner
from brian2lava.loihi.neurons import LoihiNeuronGroup
from brian2lava.loihi.spike_generator import generated, lag
from brian2lava.loihi.synapses import InFlight, LoihiSynapses

Steps = NDArray[np.int64]
#: A step in seconds, as Brian2 counts time.
_STEP = 1e-3


def chip_network(members: Members, first: int, end: int) -> ChipNetwork:
    """The network as it stands before step ``first``, with the sources' spikes until ``end``.

    Synapses that learn are left out (:mod:`brian2lava.loihi.learning`).
    """
    fixed = [item for item in members.synapses if len(item) and not item.learns]
    return ChipNetwork(
        populations=tuple(_population(group, first) for group in members.groups),
        sources=tuple(_source(generator, first, end) for generator in members.generators),
        projections=tuple(projection_of(item) for item in fixed),
        stimuli=tuple(stimulus for item in fixed for stimulus in _arriving(item, first)),
        arithmetic=BRIAN2LOIHI,
    )


def first_step_alone(members: Members, first: int) -> bool:
    """Whether the first step has to be run by itself.

    The chip's u is I before its decay. Where decay_I is 4096 nothing of u is left, so no u stands
    for an I that was set: the first step then runs without decay. And a v that was set while the
    neuron is refractory is to stay, where the chip has 0: it is put back after each such step.
    """
    return any(_undecayed(group) or held(group, first).any() for group in members.groups)


def held(group: LoihiNeuronGroup, first: int) -> NDArray[np.bool_]:
    """Neurons whose v was set although they are refractory in step ``first``: it stays."""
    moved = np.asarray(group.variables["v"].get_value()) != 0
    stays: NDArray[np.bool_] = (blocked_steps(group, first) > 0) & moved
    return stays


def _undecayed(group: LoihiNeuronGroup) -> bool:
    whole_decay = group.loihi_parameters["decay_I"] == DECAY_UNITY
    return whole_decay and bool(np.any(group.variables["I"].get_value()))


def _population(group: LoihiNeuronGroup, first: int) -> Population:
    parameters = group.loihi_parameters
    decay = 0 if _undecayed(group) else parameters["decay_I"]
    v, current = group.whole_state("v"), group.whole_state("I")
    return Population(
        name=group.name,
        model="LIF",
        size=len(group),
        registers={
            "du": decay,
            "dv": parameters["decay_v"],
            "vth": parameters["threshold_v_mant"],
            "refractory": parameters["refractory"] - 1,
        },
        initial={"u": before_decay(current, decay), "v": v, "blocked": blocked_steps(group, first)},
    )


def before_decay(current: Steps, decay: int) -> Steps:
    """The smallest u in size that decays to ``current``: sgn(I) ceil(|I| 4096 / (4096 - decay)).

    With ``decay`` = 4096 everything decays to 0, which ``current`` then is.
    """
    kept = max(DECAY_UNITY - decay, 1)
    size: Steps = -((-np.abs(current) * DECAY_UNITY) // kept)
    return np.sign(current) * size


def blocked_steps(group: LoihiNeuronGroup, first: int) -> Steps:
    """For how many steps from ``first`` on each neuron is still refractory."""
    last = np.round(np.asarray(group.variables["lastspike"].get_value()) / _STEP).astype(np.int64)
    left: Steps = group.loihi_parameters["refractory"] - (first - last)
    return np.clip(left, 0, None)


def _source(generator: SpikeGeneratorGroup, first: int, end: int) -> SpikeTimes:
    """Those that set out after ``first``; earlier ones are a matter of :func:`arriving`."""
    back = lag(generator)
    steps, indices = generated(generator, first + 1 - back, end - back)
    return SpikeTimes(generator.name, len(generator), indices, steps + back - 1 - first)


def projection_of(synapses: LoihiSynapses) -> Projection:
    pre, post = ends(synapses)
    return Projection(
        name=synapses.name,
        source=owner(synapses.source)[0].name,
        target=owner(synapses.target)[0].name,
        pre=pre,
        post=post,
        weights=synapses.truncated(synapses.mantissas()),
        exponent=synapses.w_exp,
        sign_mode=SignMode(synapses.sign_mode),
        delays=delays(synapses),
    )


def ends(synapses: LoihiSynapses) -> tuple[Steps, Steps]:
    """Indices of the neurons that each synapse joins, in the whole groups."""
    pre = np.asarray(synapses.variables["_synaptic_pre"].get_value(), np.int64)
    post = np.asarray(synapses.variables["_synaptic_post"].get_value(), np.int64)
    return pre, post


def delays(synapses: LoihiSynapses) -> Any:
    """In steps: one number, or one a synapse."""
    seconds = np.asarray(synapses.pre.variables["delay"].get_value())
    steps: Steps = np.round(seconds / _STEP).astype(np.int64)
    return int(steps[0]) if steps.size == 1 else steps


def arriving(synapses: LoihiSynapses, first: int) -> InFlight:
    """Spikes that have set out by the beginning of step ``first`` and act in it or later."""
    source = owner(synapses.source)[0]
    if isinstance(source, LoihiNeuronGroup):
        fired = source._fired
    else:
        back = lag(source)
        fired = generated(source, first - back, first - back + 1)[1]
    setting_out = np.flatnonzero(np.isin(ends(synapses)[0], fired))
    steps = first + np.broadcast_to(delays(synapses), (len(synapses),))[setting_out]
    earlier = synapses._in_flight
    return InFlight(
        np.concatenate([earlier.synapses, setting_out]), np.concatenate([earlier.steps, steps])
    )


def _arriving(synapses: LoihiSynapses, first: int) -> list[Stimulus]:
    flight = arriving(synapses, first)
    if not len(flight.steps):
        return []
    size = len(owner(synapses.target)[0])
    values = np.zeros((int(flight.steps.max()) - first + 1, size), np.int64)
    weights = synapses.calcActualWeights(synapses.mantissas()) >> ALIGNMENT
    target = ends(synapses)[1][flight.synapses]
    np.add.at(values, (flight.steps - first, target), weights[flight.synapses])
    return [Stimulus(f"{synapses.name}_in_flight", owner(synapses.target)[0].name, values)]
