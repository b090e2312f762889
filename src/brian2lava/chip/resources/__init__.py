"""What a network takes of a Loihi: cores, axons, memory, energy.

::

    ChipNetwork ──flat──> neurons and synapses in a row ──partition──> cores ──> ResourceReport

``budget`` says what a core holds, ``flat`` puts the network in a row, ``account`` counts what a
range of the row takes, ``partition`` cuts the row, ``measure`` makes the ``report``, ``picture``
draws it. ``energy`` counts events of a run.
"""

from __future__ import annotations

from brian2lava.chip.resources.budget import BUDGETS, LOIHI1, LOIHI2, Budget
from brian2lava.chip.resources.energy import DAVIES2018, EnergyReport, Figures, energy
from brian2lava.chip.resources.measure import check_fits, resources
from brian2lava.chip.resources.report import PopulationUse, ProjectionUse, ResourceReport

__all__ = [
    "BUDGETS",
    "DAVIES2018",
    "LOIHI1",
    "LOIHI2",
    "Budget",
    "EnergyReport",
    "Figures",
    "PopulationUse",
    "ProjectionUse",
    "ResourceReport",
    "check_fits",
    "energy",
    "resources",
]
