"""The chip's neuron models, by name. A new one is a file here and a line below."""

from __future__ import annotations

from brian2lava.chip.models.lif import LIF, LIF_RESET
from brian2lava.chip.models.neuron import NeuronModel

MODELS: dict[str, NeuronModel] = {model.name: model for model in (LIF, LIF_RESET)}
