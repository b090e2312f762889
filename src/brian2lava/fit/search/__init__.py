"""Searches for the registers with which a candidate reproduces a target."""

from brian2lava.fit.search.fitting import FitOptions, Fitting, Progress, fit
from brian2lava.fit.search.result import FitResult, Found

__all__ = ["FitOptions", "FitResult", "Fitting", "Found", "Progress", "fit"]
