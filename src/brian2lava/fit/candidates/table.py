"""Every candidate by name. A new one is a line here."""

from __future__ import annotations

import difflib

from brian2lava.errors import FitError
from brian2lava.fit.candidates.candidate import Candidate
from brian2lava.fit.candidates.membranes import (
    ADAPTIVE,
    ADAPTIVE_CURRENT,
    ADAPTIVE_TWO,
    ATRLIF,
    LIF,
    LIF_REFRACTORY,
    LIF_RESET,
    LIF_SOFT,
    SLOW,
    TRIGGERED,
)
from brian2lava.fit.candidates.resonators import RESONATOR, RESONATOR_RESET

CANDIDATES: dict[str, Candidate] = {
    each.name: each
    for each in (
        LIF,
        LIF_REFRACTORY,
        LIF_RESET,
        LIF_SOFT,
        ADAPTIVE,
        ADAPTIVE_TWO,
        ADAPTIVE_CURRENT,
        TRIGGERED,
        SLOW,
        ATRLIF,
        RESONATOR,
        RESONATOR_RESET,
    )
}


def candidate(name: str) -> Candidate:
    """A candidate by its name.

    Raises
    ------
    FitError
        There is none of that name; says the nearest.
    """
    if name in CANDIDATES:
        return CANDIDATES[name]
    near = difflib.get_close_matches(name, CANDIDATES, 1, 0.4)
    raise FitError(
        f"there is no candidate {name!r}; there are {', '.join(CANDIDATES)}."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )
