"""Fitting the chip's neuron and synapse models to equations and recordings."""

from brian2lava.fit.candidates import CANDIDATES, Candidate, candidate
from brian2lava.fit.export import Exported, Request, export
from brian2lava.fit.float_fit import FloatFit, float_fit
from brian2lava.fit.many import Cell, Many, ManyProgress, ManyResult, fit_many, pattern_cells
from brian2lava.fit.search import FitOptions, FitResult, Fitting, Found, Progress, fit
from brian2lava.fit.search.front import Front
from brian2lava.fit.search.pareto import pareto
from brian2lava.fit.session import Session
from brian2lava.fit.target import (
    Sweep,
    Target,
    equations_target,
    model_target,
    read_recording,
    read_recording_bytes,
)
from brian2lava.fit.verify import Verified, verify

__all__ = [
    "CANDIDATES",
    "Candidate",
    "Cell",
    "Exported",
    "FitOptions",
    "FitResult",
    "Fitting",
    "FloatFit",
    "Found",
    "Front",
    "Many",
    "ManyProgress",
    "ManyResult",
    "Progress",
    "Request",
    "Session",
    "Sweep",
    "Target",
    "Verified",
    "candidate",
    "equations_target",
    "export",
    "fit",
    "fit_many",
    "float_fit",
    "model_target",
    "pareto",
    "pattern_cells",
    "read_recording",
    "read_recording_bytes",
    "verify",
]
