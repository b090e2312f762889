"""The chip's configuration on one page: populations, sources, projections, in integers.

::

    ChipNetwork = arithmetic, populations, sources, projections, stimuli
    Population  = neurons of one chip model, with registers and initial states
    SpikeTimes | PoissonSpikes = sources of spikes
    BinomialCounts | GivenCounts = sources of spikes that carry a number
    Projection  = synapses from a population or source to a port of a population
    Stimulus    = integers that are added to a port step by step

Steps are counted from 0. In step n, populations update (with what has arrived by then) and fire;
then the spikes of step n, and those delayed until now, arrive. A spike of step n with delay d is
seen by its target's update in step n + 1 + d. In Lava's terms: neurons joined by Dense, or by
DelayDense with delay d; Lava's ``time_step`` is n + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from brian2lava.chip.integers import Integers, check_size, frozen
from brian2lava.chip.limits import (
    MESSAGE,
    WEIGHT_EXCITATORY,
    WEIGHT_EXPONENT,
    WEIGHT_MIXED,
    WEIGHT_PRECISIONS,
    Limit,
)
from brian2lava.chip.models import MODELS
from brian2lava.chip.models.neuron import NeuronModel
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.chip.sources import (
    BinomialCounts,
    GivenCounts,
    PoissonSpikes,
    Source,
    SpikeTimes,
)
from brian2lava.errors import ChipLimit

__all__ = [
    "BinomialCounts",
    "ChipNetwork",
    "GivenCounts",
    "Integers",
    "PoissonSpikes",
    "Population",
    "Projection",
    "SignMode",
    "Source",
    "SpikeTimes",
    "Stimulus",
    "frozen",
]


class SignMode(Enum):
    """Which signs the weights of a projection may have; the numbers are brian2-loihi's."""

    MIXED = 1
    EXCITATORY = 2
    INHIBITORY = 3


@dataclass(frozen=True)
class Population:
    """``size`` neurons of one chip model.

    Attributes
    ----------
    name : str
    model : str
        A name in ``brian2lava.chip.models.MODELS``.
    size : int
    registers : dict of str to int or array of shape (size,)
        Those that are left out have their defaults.
    initial : dict of str to int or array of shape (size,)
        States before the first step; those that are left out (or None) are 0, or what the model
        computes from the registers.
    """

    name: str
    model: str
    size: int
    registers: Mapping[str, Any] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ChipLimit(f"population {self.name!r}: there is no chip model {self.model!r};"
                            f" there are {', '.join(MODELS)}.")  # fmt: skip
        check_size(f"population {self.name!r}: size", self.size)
        model = self.neuron
        registers = {register.name: register for register in model.registers}
        states = {state.name: state for state in model.states}
        object.__setattr__(self, "registers", self._checked("register", registers, self.registers))
        given = {name: values for name, values in self.initial.items() if values is not None}
        object.__setattr__(self, "initial", self._checked("state", states, given))

    @property
    def neuron(self) -> NeuronModel:
        """The chip model."""
        return MODELS[self.model]

    def _checked(
        self, kind: str, known: Mapping[str, Any], given: Mapping[str, Any]
    ) -> dict[str, Integers]:
        checked = {}
        for name, values in given.items():
            if name not in known:
                raise ChipLimit(
                    f"population {self.name!r}: {self.model} has no {kind} {name!r};"
                    f" it has {', '.join(known)}."
                )
            array = frozen(values)
            if array.shape not in ((), (self.size,)):
                raise ChipLimit(
                    f"population {self.name!r}, {kind} {name!r}: shape {array.shape}, expected"
                    f" one number or ({self.size},)."
                )
            checked[name] = array
        for name, item in known.items():
            if kind == "register":
                checked.setdefault(name, frozen(item.default))
        return checked

    def check(self, arithmetic: Arithmetic) -> None:
        """Hold registers and states to the chip's limits (those of the profile)."""
        for register in self.neuron.registers:
            limit = _limit_in(arithmetic, register.name, register.limit)
            limit.check(
                f"population {self.name!r}, register {register.name!r} ({register.meaning})",
                self.registers[register.name],
                "Choose a value in that range.",
            )
        if arithmetic.saturate:
            for state in self.neuron.states:
                if state.name in self.initial:
                    state.limit.check(
                        f"population {self.name!r}, initial {state.name!r} ({state.meaning})",
                        self.initial[state.name],
                        "Choose a value in that range, or a smaller scale.",
                    )


def _limit_in(arithmetic: Arithmetic, name: str, limit: Limit) -> Limit:
    """A decay of brian2-loihi is the decay itself, up to 4096."""
    from brian2lava.chip.limits import DECAY, EFFECTIVE_DECAY

    return EFFECTIVE_DECAY if limit is DECAY and arithmetic.decay_offset == 0 else limit


@dataclass(frozen=True)
class Projection:
    """Synapses from ``source`` to the port ``port`` of ``target``.

    Attributes
    ----------
    name, source, target : str
        Names of a population or source, and of a population.
    pre, post : arrays of shape (synapses,)
        Neurons that each synapse joins. A pair may have several synapses.
    weights : array of shape (synapses,)
        Mantissas, before truncation to ``num_weight_bits``.
    exponent : int
    sign_mode : SignMode or None
        None: found from the weights, as lava-nc does.
    num_weight_bits : int
    delays : int or array of shape (synapses,)
        In steps.
    port : str
    message_bits : int
        0: spikes are binary; else their payload is multiplied with the weight.
    learning : LearningRule or None
        How the weights change (:mod:`brian2lava.chip.learning`); the rest must then suit it.
    """

    name: str
    source: str
    target: str
    pre: Any
    post: Any
    weights: Any
    exponent: int = 0
    sign_mode: SignMode | None = None
    num_weight_bits: int = WEIGHT_PRECISIONS[-1]
    delays: Any = 0
    port: str = "a_in"
    message_bits: int = 0
    learning: Any = None

    def __post_init__(self) -> None:
        for name in ("pre", "post", "weights", "delays"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        what = f"projection {self.name!r}"
        if not self.pre.shape == self.post.shape == self.weights.shape or self.pre.ndim != 1:
            raise ChipLimit(
                f"{what}: {self.pre.size} pre, {self.post.size} post, {self.weights.size} weights;"
                " one of each a synapse is needed."
            )
        if self.delays.shape not in ((), self.pre.shape):
            raise ChipLimit(
                f"{what}: delays of shape {self.delays.shape}, expected one number or"
                f" ({self.pre.size},)."
            )
        if self.num_weight_bits not in WEIGHT_PRECISIONS:
            raise ChipLimit(
                f"{what}: {self.num_weight_bits} weight bits; the chip has"
                f" {', '.join(map(str, WEIGHT_PRECISIONS))}."
            )
        WEIGHT_EXPONENT.check(f"{what}, weight exponent", self.exponent, "Scale the weights.")

    @property
    def size(self) -> int:
        """Number of synapses."""
        return int(self.pre.size)

    @property
    def signs(self) -> SignMode:
        """The sign mode: as given, or found from the weights."""
        if self.sign_mode is not None:
            return self.sign_mode
        if self.size == 0 or self.weights.min() >= 0:
            return SignMode.EXCITATORY
        return SignMode.INHIBITORY if self.weights.max() <= 0 else SignMode.MIXED

    def weight_limit(self, arithmetic: Arithmetic) -> Limit:
        """The mantissas that the sign mode allows."""
        return {
            SignMode.MIXED: WEIGHT_MIXED,
            SignMode.EXCITATORY: WEIGHT_EXCITATORY,
            SignMode.INHIBITORY: Limit(
                arithmetic.negative_weight, 0, "8-bit weight mantissa, inhibitory"
            ),
        }[self.signs]

    def _check_learning(self, arithmetic: Arithmetic) -> None:
        """What plastic synapses can't have beside their rule."""
        what, remedy = f"projection {self.name!r} learns", "Leave it out, or the rule."
        if np.any(self.delays != np.ravel(self.delays)[:1]):
            raise ChipLimit(f"{what}: its synapses have different delays. Use one for all.")
        if np.any(self.delays) and arithmetic.learning_rounding == "nearest_draw":
            raise ChipLimit(f"{what}: lava-nc has no plastic synapses with delays. {remedy}")
        if self.message_bits:
            raise ChipLimit(f"{what}: spikes with a payload are not served there. {remedy}")
        if self.exponent < 0 and arithmetic.exponent == "sum":
            raise ChipLimit(
                f"{what}: the negative weight exponent {self.exponent} shifts the sum of what"
                " arrives. Use an exponent of 0 or more."
            )

    def check(self, arithmetic: Arithmetic) -> None:
        """Hold weights and delays to the chip's limits."""
        if self.learning is not None:
            self._check_learning(arithmetic)
        self.weight_limit(arithmetic).check(
            f"projection {self.name!r}, weight ({self.signs.name})",
            self.weights,
            "Use a weight exponent, or scale the weights.",
        )
        Limit(0, arithmetic.max_delay, f"6-bit synaptic delay ({arithmetic.name})").check(
            f"projection {self.name!r}, delay in steps", self.delays,
            "Use a longer time step, or relay neurons.",
        )  # fmt: skip


@dataclass(frozen=True)
class Stimulus:
    """Integers that are added to a port of a population, step by step.

    ``values[n]`` of shape (steps,) or (steps, size) is seen by the update of step n (with
    ``after``, that of step n + 1); after the last row there is no input, or, with ``repeat``, the
    first row follows.
    """

    name: str
    target: str
    values: Any
    port: str = "a_in"
    repeat: bool = False
    after: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values))
        MESSAGE.check(f"stimulus {self.name!r}", self.values, "Scale it down.")
        if self.values.ndim not in (1, 2):
            raise ChipLimit(
                f"stimulus {self.name!r}: shape {self.values.shape}, expected (steps,) or"
                " (steps, size)."
            )


@dataclass(frozen=True)
class ChipNetwork:
    """A whole network, checked: every value is one that the chip can hold."""

    populations: tuple[Population, ...] = ()
    sources: tuple[Source, ...] = ()
    projections: tuple[Projection, ...] = ()
    stimuli: tuple[Stimulus, ...] = ()
    arithmetic: Arithmetic = LAVA

    def __post_init__(self) -> None:
        names = [item.name for item in (*self.populations, *self.sources, *self.projections)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ChipLimit(f"two objects of the network are called {twice[0]!r}.")
        for population in self.populations:
            population.check(self.arithmetic)
        for projection in self.projections:
            projection.check(self.arithmetic)
            self._check_ends(projection)
            self._check_payload(projection)
        for stimulus in self.stimuli:
            self._check_port(stimulus.name, stimulus.target, stimulus.port)
            size = self.population(stimulus.target).size
            if stimulus.values.ndim == 2 and stimulus.values.shape[1] != size:
                raise ChipLimit(
                    f"stimulus {stimulus.name!r}: {stimulus.values.shape[1]} columns for {size}"
                    f" neurons of {stimulus.target!r}."
                )

    def population(self, name: str) -> Population:
        """A population by its name."""
        for population in self.populations:
            if population.name == name:
                return population
        known = ", ".join(repr(population.name) for population in self.populations)
        raise ChipLimit(f"there is no population {name!r}; there are {known or 'none'}.")

    def origin(self, name: str) -> Population | Source:
        """A population or source by its name."""
        for item in (*self.populations, *self.sources):
            if item.name == name:
                return item
        raise ChipLimit(f"there is no population or source {name!r}.")

    def _check_payload(self, projection: Projection) -> None:
        """Counts have to fit into the projection's messages."""
        source = self.origin(projection.source)
        if isinstance(source, Population) or not source.graded:
            return
        most = (1 << projection.message_bits >> 1) - 1
        if source.largest > most:
            raise ChipLimit(
                f"projection {projection.name!r}: {source.name!r} sends counts of up to"
                f" {source.largest}, and its messages of {projection.message_bits} bits with sign"
                f" carry up to {max(most, 0)}. Use more message_bits."
            )

    def _check_port(self, what: str, target: str, port: str) -> None:
        ports = self.population(target).neuron.ports
        if port not in ports:
            raise ChipLimit(
                f"{what!r} goes to the port {port!r} of {target!r}, which has {', '.join(ports)}."
            )

    def _check_ends(self, projection: Projection) -> None:
        self._check_port(projection.name, projection.target, projection.port)
        for end, name, indices in (
            ("pre", projection.source, projection.pre),
            ("post", projection.target, projection.post),
        ):
            size = self.origin(name).size
            if indices.size:
                Limit(0, size - 1, f"{size} neurons in {name!r}").check(
                    f"projection {projection.name!r}, {end}", indices, "Check the indices."
                )
