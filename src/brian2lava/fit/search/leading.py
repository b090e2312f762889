"""The best that a search has by now: what to look at while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brian2lava.fit.batch import Settings
from brian2lava.fit.candidates import Candidate
from brian2lava.fit.search.trial import Trial


@dataclass(frozen=True)
class Leading:
    """The best register set of a candidate, of all its seeds.

    Attributes
    ----------
    candidate : Candidate
    seed : int
        Of the search that found it.
    settings : Settings of size 1
    loss : float
        Its loss on the training spans.
    """

    candidate: Candidate
    seed: int
    settings: Settings
    loss: float


def leading(trials: Sequence[Trial]) -> dict[str, Leading]:
    """The best of each candidate by its name, the least loss first; of those that have one."""
    found: dict[str, Leading] = {}
    for trial in sorted(trials, key=lambda each: each.best_loss):
        chosen = trial.space.candidate
        if trial.best is not None and chosen.name not in found:
            found[chosen.name] = Leading(chosen, trial.seed, trial.best, trial.best_loss)
    return found
