"""``fit_synapse``: every candidate of a target's family, searched, polished, run, ranked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from brian2lava.errors import FitError
from brian2lava.fit.synapse.candidates import Family, SynapseCandidate, offered, synapse_candidate
from brian2lava.fit.synapse.response_fit import fit_response
from brian2lava.fit.synapse.result import SynapseFitResult, SynapseFound, ranked
from brian2lava.fit.synapse.search import SynapseOptions
from brian2lava.fit.synapse.short_term import ShortTermTarget
from brian2lava.fit.synapse.short_term_fit import fit_short_term
from brian2lava.fit.synapse.stdp import StdpTarget
from brian2lava.fit.synapse.stdp_fit import fit_stdp
from brian2lava.fit.synapse.target import SynapseTarget

AnyTarget = SynapseTarget | ShortTermTarget | StdpTarget
Fitter = Callable[..., SynapseFound]

#: The type of a target -> its family, and what fits one candidate to it.
FITTERS: dict[type, tuple[Family, Fitter]] = {
    SynapseTarget: ("response", fit_response),
    ShortTermTarget: ("short_term", fit_short_term),
    StdpTarget: ("stdp", fit_stdp),
}


def fit_synapse(
    target: AnyTarget,
    candidates: Sequence[str] | None = None,
    options: SynapseOptions | None = None,
    progress: Callable[[str, float], None] | None = None,
    **changed: object,
) -> SynapseFitResult:
    """Fit the chip's synapses to a target.

    Parameters
    ----------
    target : SynapseTarget, ShortTermTarget or StdpTarget
    candidates : sequence of str, optional
        Names in ``SYNAPSE_CANDIDATES``; all of the target's family, where it is left out.
    options : SynapseOptions, optional
        ``changed`` are fields of it: ``fit_synapse(target, seeds=3)``.
    progress : function of (candidate, part that is done), optional
        Called before each candidate, and at the end with 1.

    Returns
    -------
    SynapseFitResult
        The same for the same arguments.

    Raises
    ------
    FitError
        A target or candidate that there is not, a candidate of another family.
    """
    if type(target) not in FITTERS:
        raise FitError(
            f"fit_synapse: a target of type {type(target).__name__}; it takes"
            f" {', '.join(kind.__name__ for kind in FITTERS)}. Targets of neurons go to fit()."
        )
    family, fitter = FITTERS[type(target)]
    chosen = replace(options or SynapseOptions(), **changed)  # type: ignore[arg-type]
    single_pairs = isinstance(target, StdpTarget) and not target.rates.size
    named = [
        _of_family(synapse_candidate(name), family, target.name)
        for name in candidates or offered(family, single_pairs)
    ]
    if len({each.name for each in named}) < len(named):
        raise FitError("a candidate is named twice.")
    started = time.perf_counter()
    found = []
    for k, each in enumerate(named):
        if progress is not None:
            progress(each.name, k / len(named))
        found.append(fitter(target, each, chosen))
    if progress is not None:
        progress(named[-1].name, 1.0)
    return SynapseFitResult(target, ranked(found), time.perf_counter() - started)


def _of_family(candidate: SynapseCandidate, family: Family, target: str) -> SynapseCandidate:
    if candidate.family != family:
        raise FitError(
            f"{candidate.name!r} can't be fitted to {target!r}: candidates for it are"
            f" {', '.join(offered(family))}."
        )
    return candidate
