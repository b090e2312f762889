"""Fitting the chip's neuron and synapse models to equations and recordings."""

from brian2lava.fit.candidates import CANDIDATES, Candidate, candidate
from brian2lava.fit.search import FitOptions, FitResult, Fitting, Found, Progress, fit
from brian2lava.fit.target import Sweep, Target

__all__ = [
    "CANDIDATES",
    "Candidate",
    "FitOptions",
    "FitResult",
    "Fitting",
    "Found",
    "Progress",
    "Sweep",
    "Target",
    "candidate",
    "fit",
]
