"""The chip's neuron models, by name. A new one is a file here and a line below."""

from __future__ import annotations

from brian2lava.chip.models.alif import ALIF
from brian2lava.chip.models.atrlif import ATRLIF
from brian2lava.chip.models.cuba_lif2 import CUBA_LIF2
from brian2lava.chip.models.lif import LIF, LIF_RESET
from brian2lava.chip.models.lif_soft import LIF_SOFT
from brian2lava.chip.models.neuron import NeuronModel
from brian2lava.chip.models.prob_spiker import PROB_SPIKER
from brian2lava.chip.models.resonator import RF, RF_IZ
from brian2lava.chip.models.ternary_lif import TERNARY_LIF

MODELS: dict[str, NeuronModel] = {
    model.name: model
    for model in (
        LIF,
        LIF_RESET,
        TERNARY_LIF,
        CUBA_LIF2,
        ALIF,
        LIF_SOFT,
        ATRLIF,
        RF,
        RF_IZ,
        PROB_SPIKER,
    )
}
