"""How near a model is to its target: spikes, voltage, f-I curves, synapses, and the chip's part.

Spike times are sorted float arrays in seconds, or in any unit that windows, time constants and
spans share. Features of eFEL are in :mod:`brian2lava.fit.metrics.efel_features`.
"""

from brian2lava.fit.metrics.distances import van_rossum, victor_purpura
from brian2lava.fit.metrics.fi_curve import area_between, rheobase, rheobase_error
from brian2lava.fit.metrics.gamma import (
    gamma_factor,
    gamma_of,
    match_within,
    relative_gamma,
    reliability,
)
from brian2lava.fit.metrics.matching import Matching, match
from brian2lava.fit.metrics.precision import (
    RoundingError,
    StateBits,
    quantisation_loss,
    rounding_errors,
    state_bits,
)
from brian2lava.fit.metrics.score import Scales, Score, score
from brian2lava.fit.metrics.stdp_window import WindowComparison, compare_windows
from brian2lava.fit.metrics.synapse import Response, paired_pulse_ratio, response
from brian2lava.fit.metrics.trains import Spans, duration, isi_cv, rate, within
from brian2lava.fit.metrics.variance import explained_variance, explained_variance_ratio
from brian2lava.fit.metrics.voltage import normalised_mse, outside_spikes, rmse

__all__ = [
    "Matching",
    "Response",
    "RoundingError",
    "Scales",
    "Score",
    "Spans",
    "StateBits",
    "WindowComparison",
    "area_between",
    "compare_windows",
    "duration",
    "explained_variance",
    "explained_variance_ratio",
    "gamma_factor",
    "gamma_of",
    "isi_cv",
    "match",
    "match_within",
    "normalised_mse",
    "outside_spikes",
    "paired_pulse_ratio",
    "quantisation_loss",
    "rate",
    "relative_gamma",
    "reliability",
    "response",
    "rheobase",
    "rheobase_error",
    "rmse",
    "rounding_errors",
    "score",
    "state_bits",
    "van_rossum",
    "victor_purpura",
    "within",
]
