"""Fits the chip's synapses: responses, short-term plasticity, spike-timing dependent plasticity."""

from brian2lava.fit.synapse.candidates import (
    SYNAPSE_CANDIDATES,
    SynapseCandidate,
    synapse_candidate,
)
from brian2lava.fit.synapse.fitting import fit_synapse
from brian2lava.fit.synapse.result import Curve, SynapseFitResult, SynapseFound
from brian2lava.fit.synapse.search import SynapseOptions
from brian2lava.fit.synapse.short_term import ShortTermTarget, recorded_trains, tsodyks_markram
from brian2lava.fit.synapse.stdp import (
    StdpTarget,
    TripletRule,
    of_rule,
    pair_stdp,
    recorded_window,
    triplet_stdp,
)
from brian2lava.fit.synapse.target import (
    SynapseTarget,
    alpha,
    double_exponential,
    exponential,
    nmda,
    recorded,
)

__all__ = [
    "SYNAPSE_CANDIDATES",
    "Curve",
    "ShortTermTarget",
    "StdpTarget",
    "SynapseCandidate",
    "SynapseFitResult",
    "SynapseFound",
    "SynapseOptions",
    "SynapseTarget",
    "TripletRule",
    "alpha",
    "double_exponential",
    "exponential",
    "fit_synapse",
    "nmda",
    "of_rule",
    "pair_stdp",
    "recorded",
    "recorded_trains",
    "recorded_window",
    "synapse_candidate",
    "triplet_stdp",
    "tsodyks_markram",
]
