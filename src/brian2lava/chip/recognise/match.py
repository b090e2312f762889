"""The discrete one-step map of a population -> the chip neuron that computes it.

A template is a zero pattern of Phi and a form of threshold and reset, up to the order and the names
of the states and a change of origin (x = z + o); the models are in :mod:`brian2lava.chip.models`.
What fits none is refused with the term that does not.
"""

from __future__ import annotations

from collections.abc import Collection

from brian2lava.chip.recognise.adaptive import Adaptive, is_adaptive
from brian2lava.chip.recognise.chance import prob_spiker
from brian2lava.chip.recognise.leaky import Leaky
from brian2lava.chip.recognise.leaky_form import LeakyForm
from brian2lava.chip.recognise.matched import Matched
from brian2lava.chip.recognise.noise import refuse_noise
from brian2lava.chip.recognise.resonator import Resonator, is_resonator
from brian2lava.chip.recognise.step_map import Chance, PopulationMap


def match(found: PopulationMap, driven: Collection[str] = ()) -> Matched:
    """The chip model that computes ``found``.

    Parameters
    ----------
    found : PopulationMap
    driven : collection of str
        Variables that synapses and other inputs change.

    Raises
    ------
    NotSupported
        Names the term that does not fit, the nearest model, and what to change.
    """
    if isinstance(found.threshold, Chance):
        refuse_noise(found, "ProbSpiker")
        return prob_spiker(found, found.threshold, driven)
    if is_resonator(found):
        refuse_noise(found, "RF")
        return Resonator(found, driven).matched()
    leaky = Leaky(found, driven)
    if is_adaptive(leaky):
        refuse_noise(found, "ATRLIF")
        return Adaptive(leaky).matched()
    leaky.check()
    return LeakyForm(leaky).matched()
