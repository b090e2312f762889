"""What a chip neuron model is: registers, states, input ports, and one step in integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from brian2lava.chip.arithmetic import Expression, Name
from brian2lava.chip.limits import Limit
from brian2lava.chip.profiles import Arithmetic


@dataclass(frozen=True)
class Register:
    """A number that configures a population: one for all neurons, or one a neuron.

    Attributes
    ----------
    name : str
        The chip's or Lava's own name.
    meaning : str
        The long name.
    limit : Limit
    default : int
    """

    name: str
    meaning: str
    limit: Limit
    default: int = 0


@dataclass(frozen=True)
class State:
    """A number that every neuron keeps from step to step.

    Where the population gives no value before the first step, it is what ``initial`` computes from
    the registers (Lava's ATRLIF starts its threshold at ``theta_0``), or 0. ``port`` is the port
    whose input is added to it, if there is one.
    """

    name: str
    meaning: str
    limit: Limit
    initial: Expression | None = None
    port: str = ""


@dataclass(frozen=True)
class Step:
    """One time step of every neuron.

    Attributes
    ----------
    assignments : tuple of (name, expression)
        In order; a name is a state or an intermediate result.
    fired : Expression
        Whether the neuron fires, after the assignments.
    after : tuple of (state, expression)
        Assigned simultaneously, in all neurons, once ``fired`` is known (its name is ``fired``).
    payload : Expression or None
        What a spike carries; None: 1. Evaluated after the assignments, before ``after``.
    counters : tuple of (name, expression)
        Conditions that are counted ("wrapped", "saturated"): evaluated before ``after``.
    draws : tuple of str
        Names in the assignments that are random words of 24 bits, 0 .. 2**24 - 1.
    """

    assignments: tuple[tuple[str, Expression], ...]
    fired: Expression
    after: tuple[tuple[str, Expression], ...] = ()
    payload: Expression | None = None
    counters: tuple[tuple[str, Expression], ...] = ()
    draws: tuple[str, ...] = ()


@dataclass(frozen=True)
class NeuronModel:
    """A model of a chip neuron.

    Attributes
    ----------
    name : str
    registers, states, ports : tuples
        ``ports`` are the names of the inputs; the sum of what arrived in a step is read by them.
    derived : dict of str to function
        Values that are computed once from the registers, given the profile.
    step : function of (profile, frozenset of registers that are zero everywhere) -> Step
        The second argument lets a model leave out what does nothing (a refractory count).
    lava : str or None
        Module and class of Lava's own process, or None where the model is ours.
    equations : str
        The model in the field's notation, for documentation.
    clock : bool
        Whether the step reads the name ``t``, the number of the step, counted from 1.
    """

    name: str
    registers: tuple[Register, ...]
    states: tuple[State, ...]
    ports: tuple[str, ...]
    step: Callable[[Arithmetic, frozenset[str]], Step]
    derived: Callable[[Arithmetic], Mapping[str, Expression]]
    lava: str | None
    equations: str
    clock: bool = False

    def register(self, name: str) -> Register:
        """A register by its name."""
        return next(register for register in self.registers if register.name == name)


def names(*words: str) -> tuple[Name, ...]:
    """Several names at once."""
    return tuple(Name(word) for word in words)
