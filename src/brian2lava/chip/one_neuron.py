"""One neuron of a quantised network, step by step: its integers, and the same in floating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.emulate import emulate
from brian2lava.chip.ideal import Reals, StateLink
from brian2lava.chip.limits import ALIGNMENT
from brian2lava.chip.network import Population, Projection
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise import (
    Quantised,
    Span,
    real_to_user,
    replayed,
    run_real,
    states_to_user,
)
from brian2lava.chip.quantise.registers import is_level, unit_of_v
from brian2lava.chip.table import THRESHOLDS, physical
from brian2lava.chip.weights import effective
from brian2lava.errors import OptionError

Integers = NDArray[np.int64]
#: Letters of a name in a picture.
_LONGEST = 18
#: Registers of a resonator that are fractions: damped sine and cosine of a step's angle.
_ROTATIONS = ("sin_decay", "cos_decay")


@dataclass(frozen=True)
class Word:
    """A number of the chip with the place of its bits in the 24 bits of a state.

    Attributes
    ----------
    name, meaning : str
        The register's or state's name; what the number means to a user.
    value : int
    bits : int
        Width without the sign.
    low : int
        The bit of a state at which its lowest bit stands.
    kind : str
        "state" (two's complement, 24 bits), "level" (magnitude and sign, somewhere in a state's
        bits) or "fraction" (of 4096, no place in a state).
    """

    name: str
    value: int
    bits: int
    low: int
    kind: str
    meaning: str = ""

    def ones(self) -> list[bool]:
        """The bits, highest first; of a negative state its two's complement, else the magnitude."""
        value = self.value if self.kind == "state" else abs(self.value)
        return [bool(value >> k & 1) for k in reversed(range(self.bits))]


@dataclass(frozen=True)
class NeuronTrace:
    """A neuron, step by step.

    Attributes
    ----------
    population : str
    neuron, steps : int
    dt : float
        Seconds.
    integers : dict of state to array of shape (steps,)
        After each step, as the chip has them.
    chip, floating : dict of variable to array of shape (steps,)
        The user's variables: what the integers mean, and the same steps in floating point.
    units : dict of variable to str
    spikes, expected : arrays of int
        Steps in which it fires on the chip, and in floating point.
    registers : dict of str to int
        What it is configured with.
    scale : float
        State units per unit of v.
    unit : str
        Of v.
    """

    population: str
    neuron: int
    steps: int
    dt: float
    integers: Mapping[str, Integers]
    chip: Mapping[str, Reals]
    floating: Mapping[str, Reals]
    units: Mapping[str, str]
    spikes: Integers
    expected: Integers
    registers: Mapping[str, int]
    scale: float
    unit: str
    quantised: Quantised

    @property
    def telling(self) -> int:
        """A step worth looking at: the one before the first spike, else that of the largest v."""
        if self.spikes.size and self.spikes[0] > 0:
            return int(self.spikes[0]) - 1
        state = self.levels[-1] if self.levels else None
        return 0 if state is None else int(np.argmax(np.abs(self.integers[state])))

    @property
    def levels(self) -> tuple[str, ...]:
        """States that scale with A and move in the run, the voltage last."""
        model = self.quantised.network.population(self.population).neuron
        found = [s.name for s in model.states if np.any(self.integers.get(s.name, 0))]
        return tuple(sorted(found, key=lambda name: name == "v"))

    def words(self, step: int) -> tuple[Word, ...]:
        """States after ``step``, then thresholds, bias, weights and decays, as words of bits."""
        states = [
            Word(name, int(self.integers[name][step]), 24, 0, "state", self._state(name, step))
            for name in reversed(self.levels)
        ]  # fmt: skip
        return (*states, *self._configured(), *self._weights())

    def _state(self, name: str, step: int) -> str:
        """What a state means: the user's variable, or what a current adds in a step."""
        link = links_of(self.quantised, self.population).get(name)
        if link is None or link.ahead:
            return self._meaning(self.integers[name][step] / self.scale) + "/step"
        value = float(self.chip[link.variable][step])
        return f"{link.variable} = {physical(Span(value, value), link.unit)}"

    def _meaning(self, value: float) -> str:
        return physical(Span(float(value), float(value)), self.unit)

    def _configured(self) -> list[Word]:
        words = []
        model = self.quantised.network.population(self.population).neuron
        offset = self.quantised.network.arithmetic.decay_offset
        for quantity in self.quantised.population(self.population).quantities:
            if quantity.kind == "threshold":
                value = self.registers[quantity.register]
                meant = self._meaning((value << ALIGNMENT) / self.scale)
                meant += " above the reset" if quantity.register in THRESHOLDS else ""
                words.append(Word(quantity.register, value, 17, ALIGNMENT, "level", meant))
            elif quantity.kind == "bias":
                value, low = self.registers["bias_mant"], self.registers["bias_exp"]
                meant = self._meaning((value << low) / self.scale) + "/step"
                words.append(Word("bias", value, 12, low, "level", meant))
            elif quantity.kind in ("decay", "current_decay"):
                value = self.registers[quantity.register]
                lost = value + (offset if quantity.kind == "current_decay" else 0)
                words.append(Word(quantity.register, value, 12, 0, "fraction",
                                  f"loses {lost}/4096 a step"))  # fmt: skip
            elif quantity.register in _ROTATIONS:
                value, unit = self.registers[quantity.register], 1 << self.registers["decay_bits"]
                words.append(Word(quantity.register, value, 13, 0, "fraction",
                                  f"{value / unit:.4f}"))  # fmt: skip
            elif quantity.kind == "level" and is_level_register(model, quantity.register):
                value = self.registers[quantity.register]
                meant = self._meaning(value / self.scale)
                words.append(Word(quantity.register, value, 23, 0, "level", meant))
        return sorted(words, key=lambda word: word.kind != "level")

    def _weights(self) -> list[Word]:
        """The largest weight of each projection onto the neuron; at most three."""
        words = []
        profile = self.quantised.network.arithmetic
        for projection in self.quantised.network.projections:
            mine = projection.target == self.population
            found = np.flatnonzero(projection.post == self.neuron) if mine else np.zeros(0, int)
            if not len(found):
                continue
            mantissa, added = _largest(projection, found, profile)
            low = ALIGNMENT + projection.exponent
            word = Word(_short("w of " + projection.name), mantissa, 8, max(low, 0), "level",
                        f"{self._meaning(added / self.scale)} a spike")  # fmt: skip
            words.append(word)
        return words[:3]


def links_of(quantised: Quantised, population: str) -> dict[str, StateLink]:
    """By state the user's variable that is read from it (the last where there are several)."""
    return {link.state: link for link in quantised.population(population).links}


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def is_level_register(model: Any, name: str) -> bool:
    """Whether a register holds a level that has a place in a state's bits."""
    return model.register(name).limit.high >= (1 << 20)


def _largest(projection: Projection, synapses: Any, profile: Arithmetic) -> tuple[int, int]:
    """The largest mantissa of some synapses, and what its spike adds to a state."""
    weights = effective(projection, profile)[synapses]
    where = int(np.argmax(np.abs(weights)))
    mantissa = int(projection.weights[synapses[where]])
    return mantissa, (mantissa << ALIGNMENT) * 2**projection.exponent


def traced(
    quantised: Quantised, population: str, neuron: int, steps: int, seed: int = 0
) -> NeuronTrace:
    """Run a network in the emulator and in floating point, and look at one neuron.

    Parameters
    ----------
    quantised : Quantised
    population : str
    neuron : int
        Its number in the population.
    steps : int
        From the network's initial states.
    seed : int
        Of Poisson sources; floating point gets the emulator's spikes.

    Raises
    ------
    OptionError
        There is no such neuron, or no step to look at.
    """
    made = quantised.network.population(population)
    if not 0 <= neuron < made.size:
        raise OptionError(f"'{population}' has neurons 0..{made.size - 1}, and not {neuron!r}.")
    if steps < 1:
        raise OptionError(f"bit_by_bit(steps={steps}): at least one step is needed.")
    record = [(population, state.name) for state in made.neuron.states if is_level(state)]
    emulated = emulate(quantised.network, steps, record, seed)
    real = run_real(
        replayed(quantised.ideal, emulated), steps, record, seed, quantised.scales,
        quantised.network.arithmetic,
    )  # fmt: skip
    links = links_of(quantised, population)
    shown = {state: link for state, link in links.items() if (population, state) in real.states}
    return NeuronTrace(
        population=population,
        neuron=neuron,
        steps=steps,
        dt=quantised.ideal.dt,
        integers={
            state: np.asarray(emulated.states[population, state][:, neuron], np.int64)
            for _, state in record
        },
        chip={
            link.variable: states_to_user(
                quantised, population, link, emulated.states[population, state][:, [neuron]],
                [neuron],
            )[:, 0]
            for state, link in shown.items()
        },
        floating={
            link.variable: real_to_user(
                link, real.states[population, state][:, [neuron]], [neuron]
            )[:, 0]
            for state, link in shown.items()
        },
        units={link.variable: link.unit for link in links.values()},
        spikes=_of(emulated.spikes[population], neuron),
        expected=_of(real.spikes[population], neuron),
        registers=_registers(made, neuron),
        scale=quantised.scales[population],
        unit=unit_of_v(quantised.population(population)),
        quantised=quantised,
    )  # fmt: skip


def _of(spikes: tuple[Any, Any], neuron: int) -> Integers:
    when, who = spikes
    return np.asarray(when)[np.asarray(who) == neuron].astype(np.int64)


def _registers(population: Population, neuron: int) -> dict[str, int]:
    found = {}
    for name, values in population.registers.items():
        found[name] = int(np.broadcast_to(values, (population.size,))[neuron])
    return found
