"""What is fitted: currents, and the spikes and voltages that they caused.

From a model of the literature, one's own equations, or a recording.
"""

from brian2lava.fit.target.equations import NeuronEquations, Value
from brian2lava.fit.target.models import TARGET_MODELS, Model, target_model
from brian2lava.fit.target.recording import crossings, read_recording, read_recording_bytes
from brian2lava.fit.target.simulated import (
    equations_target,
    model_target,
    neuron_equations,
    simulate,
    simulated,
)
from brian2lava.fit.target.target import Sweep, Target

__all__ = [
    "TARGET_MODELS",
    "Model",
    "NeuronEquations",
    "Sweep",
    "Target",
    "Value",
    "crossings",
    "equations_target",
    "model_target",
    "neuron_equations",
    "read_recording",
    "read_recording_bytes",
    "simulate",
    "simulated",
    "target_model",
]
