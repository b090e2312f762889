"""The plain definition's pieces: one step of a population, and the synapses of one projection.

:class:`~brian2lava.chip.plain.PlainChip` is made of them, and so are our own Lava processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import Name, evaluate
from brian2lava.chip.network import Integers, Population, Projection
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.weights import effective, late_exponent
from brian2lava.errors import NotSupported

#: Random words of chip models have this many bits.
_RANDOM_BITS = 24


def word_of(arithmetic: Arithmetic) -> Any:
    """The NumPy type of the profile's word."""
    return np.int32 if arithmetic.word == 32 else np.int64


def zero_registers(population: Population) -> frozenset[str]:
    """The registers that are zero in all neurons: models leave out what they would do."""
    return frozenset(name for name, values in population.registers.items() if not np.any(values))


def registers_of(population: Population, arithmetic: Arithmetic) -> dict[str, Integers]:
    """Registers and what is derived from them, each of shape (size,), in the profile's word."""
    kind, shape = word_of(arithmetic), (population.size,)
    values = {
        name: np.broadcast_to(numbers.astype(kind), shape)
        for name, numbers in population.registers.items()
    }
    for name, expression in population.neuron.derived(arithmetic).items():
        values[name] = np.broadcast_to(evaluate(expression, values, arithmetic.word), shape)
    return values


def initial_states(population: Population, arithmetic: Arithmetic) -> dict[str, Integers]:
    """States before the first step, each of shape (size,), in the profile's word."""
    registers = registers_of(population, arithmetic)
    states = {}
    for state in population.neuron.states:
        first: Any = population.initial.get(state.name, 0)
        if state.initial is not None and state.name not in population.initial:
            first = evaluate(state.initial, registers, arithmetic.word)
        shape = (population.size,)
        states[state.name] = np.array(np.broadcast_to(first, shape), word_of(arithmetic))
    return states


class PopulationStep:
    """One step of a population.

    Parameters
    ----------
    population : Population
    arithmetic : Arithmetic
    draws : numpy.random.Generator or None
        Where random words come from; stochastic models need it.

    Attributes
    ----------
    counts : dict of counter to int
        How often a neuron's counter was true.
    """

    def __init__(
        self, population: Population, arithmetic: Arithmetic, draws: np.random.Generator | None
    ) -> None:
        self._name, self._size = population.name, population.size
        self._word, self._kind = arithmetic.word, word_of(arithmetic)
        self._registers = registers_of(population, arithmetic)
        self._step = population.neuron.step(arithmetic, zero_registers(population))
        self._draws = draws
        self.counts = {counter: 0 for counter, _ in self._step.counters}

    def __call__(
        self, states: Mapping[str, Integers], arrived: Mapping[str, Integers], step: int
    ) -> Integers:
        """Change ``states`` in place; returns what is sent, 0 where a neuron is silent.

        ``arrived``: by port; ``step``: the number of the step, from 1.
        """
        values: dict[str, Any] = dict(self._registers)
        for name, numbers in {**states, **arrived}.items():
            values[name] = np.asarray(numbers).astype(self._kind)
        values["t"] = np.array(step, self._kind)
        for draw in self._step.draws:
            words = generator(self._name, self._draws).random(self._size) * (1 << _RANDOM_BITS)
            values[draw] = words.astype(self._kind)
        for target, expression in self._step.assignments:
            values[target] = evaluate(expression, values, self._word)
        values["fired"] = evaluate(self._step.fired, values, self._word)
        payload = self._step.payload if self._step.payload is not None else Name("fired")
        sent = evaluate(payload, values, self._word)
        for counter, condition in self._step.counters:
            self.counts[counter] += int(evaluate(condition, values, self._word).sum())
        values.update({n: evaluate(new, values, self._word) for n, new in self._step.after})
        for name in states:
            states[name][:] = values[name]
        return np.asarray(np.where(values["fired"] != 0, sent, 0))


class SynapseRing:
    """Synapses of one projection: what arrives in the coming steps, in the profile's arithmetic.

    Parameters
    ----------
    projection : Projection
    targets : int
        Number of neurons of the target.
    arithmetic : Arithmetic
    """

    def __init__(self, projection: Projection, targets: int, arithmetic: Arithmetic) -> None:
        self._projection = projection
        self._kind = word_of(arithmetic)
        self._weights = effective(projection, arithmetic).astype(self._kind)
        self._late = -late_exponent(projection, arithmetic)
        delays = np.broadcast_to(projection.delays, projection.pre.shape)
        self._groups = [(int(delay), delays == delay) for delay in np.unique(delays)]
        self._arriving = np.zeros((int(delays.max(initial=0)) + 1, targets), self._kind)

    def due(self) -> Integers:
        """What arrives now; the ring turns by one step."""
        now = self._arriving[0].copy()
        self._arriving[:-1] = self._arriving[1:]
        self._arriving[-1] = 0
        return now

    def take(self, sent: Integers) -> None:
        """Spikes set out; each sum is shifted by a late exponent."""
        message = np.asarray(sent).astype(self._kind)
        if not self._projection.message_bits:
            message = (message != 0).astype(self._kind)
        for delay, chosen in self._groups:
            total = np.zeros(self._arriving.shape[1], self._kind)
            added = self._weights[chosen] * message[self._projection.pre[chosen]]
            np.add.at(total, self._projection.post[chosen], added)
            self._arriving[delay] += total >> self._late

    def add(self, values: Integers) -> None:
        """What arrives next, by target, whatever made it (plastic synapses)."""
        self._arriving[0] += values


def generator(name: str, draws: np.random.Generator | None) -> np.random.Generator:
    """Where ``name`` draws from, which must be there."""
    if draws is None:
        raise NotSupported(f"{name!r} draws random numbers: pass draws= to the plain chip.")
    return draws
