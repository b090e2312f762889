"""Real numbers to the chip's integers: quantise, the way back, and the run in floating point.

``float_ranges`` says how large states become, ``quantise`` chooses the scales and integers,
``states_to_user`` brings results back, and ``run_real`` is what the integers are held against.
"""

from brian2lava.chip.quantise.build import quantise
from brian2lava.chip.quantise.inverse import states_to_user, user_to_states
from brian2lava.chip.quantise.plastic_real import RealLearning, with_peaks
from brian2lava.chip.quantise.ranges import float_ranges
from brian2lava.chip.quantise.realise import RealRecorded, real_to_user, replayed, run_real
from brian2lava.chip.quantise.result import (
    Costs,
    Learnt,
    ParameterRow,
    Part,
    Quantised,
    Reading,
    Span,
)

__all__ = [
    "Costs",
    "Learnt",
    "ParameterRow",
    "Part",
    "Quantised",
    "Reading",
    "RealLearning",
    "RealRecorded",
    "Span",
    "float_ranges",
    "quantise",
    "real_to_user",
    "replayed",
    "run_real",
    "states_to_user",
    "user_to_states",
    "with_peaks",
]
