"""The chip's learning engine: rules, and the plain definition of a learning step a profile."""

from brian2lava.chip.learning.brian2loihi import Brian2LoihiLearning, actual_weights
from brian2lava.chip.learning.grammar import learning_rule, parse
from brian2lava.chip.learning.lava_fixed import FixedLearning
from brian2lava.chip.learning.lava_float import FloatLearning
from brian2lava.chip.learning.monomials import from_monomials
from brian2lava.chip.learning.profile import learning_operations, learning_state
from brian2lava.chip.learning.rule import Factor, LearningRule, Product, RuleError, Trace
from brian2lava.chip.learning.synapses import Synapses
from brian2lava.chip.learning.tape import LavaTape, PhiloxTape, RecordedTape

__all__ = [
    "Brian2LoihiLearning",
    "Factor",
    "FixedLearning",
    "FloatLearning",
    "LavaTape",
    "LearningRule",
    "PhiloxTape",
    "Product",
    "RecordedTape",
    "RuleError",
    "Synapses",
    "Trace",
    "actual_weights",
    "from_monomials",
    "learning_operations",
    "learning_rule",
    "learning_state",
    "parse",
]
