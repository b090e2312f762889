"""Fitting the chip's neuron and synapse models to equations and recordings."""

from brian2lava.fit.candidates import CANDIDATES, Candidate, candidate
from brian2lava.fit.float_fit import FloatFit, float_fit
from brian2lava.fit.search import FitOptions, FitResult, Fitting, Found, Progress, fit
from brian2lava.fit.target import (
    Sweep,
    Target,
    equations_target,
    model_target,
    read_recording,
    read_recording_bytes,
)

__all__ = [
    "CANDIDATES",
    "Candidate",
    "FitOptions",
    "FitResult",
    "Fitting",
    "FloatFit",
    "Found",
    "Progress",
    "Sweep",
    "Target",
    "candidate",
    "equations_target",
    "fit",
    "float_fit",
    "model_target",
    "read_recording",
    "read_recording_bytes",
]
