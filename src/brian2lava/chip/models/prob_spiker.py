"""ProbSpiker: a neuron that fires at random, with a probability of its own in each step.

The facts are those of the model of this name in Brian2Lava's public model library (a random word
of 24 bits below the register); it takes no input.
"""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.chip.arithmetic import Expression, Name
from brian2lava.chip.limits import PROBABILITY, RANDOM_WORD
from brian2lava.chip.models.neuron import NeuronModel, Register, State, Step
from brian2lava.chip.profiles import Arithmetic


def _derived(profile: Arithmetic) -> Mapping[str, Expression]:
    return {}


def _step(profile: Arithmetic, zero: frozenset[str]) -> Step:
    return Step(
        assignments=(("rnd", Name("drawn")),),
        fired=Name("rnd") < Name("p_spike"),
        draws=("drawn",),
    )


PROB_SPIKER = NeuronModel(
    name="ProbSpiker",
    registers=(Register("p_spike", "probability of a spike a step, times 2**24", PROBABILITY),),
    states=(State("rnd", "random word of this step", RANDOM_WORD),),
    ports=(),
    step=_step,
    derived=_derived,
    lava=None,
    equations="fires where rnd < p_spike; rnd uniform in 0 .. 2**24 - 1",
)
