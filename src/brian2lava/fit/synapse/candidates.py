"""What a chip's synapse can be: single, onto two currents, several with delays, or learning."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from brian2lava.errors import FitError

Family = Literal["response", "short_term", "stdp"]


@dataclass(frozen=True)
class SynapseCandidate:
    """A way to build a synapse from what the chip provides.

    Attributes
    ----------
    name, title : str
    family : "response", "short_term" or "stdp"
        The kind of target that it can be fitted to.
    parts : str
        What it takes: synapses, ports, traces.
    stock : bool
        Whether lava-nc has all its processes.
    note : str
        What it can not do, whatever the fit.
    offered : bool
        Whether a fit tries it without being asked.
    """

    name: str
    title: str
    family: Family
    parts: str
    stock: bool
    note: str = ""
    offered: bool = True

    def where(self) -> tuple[str, ...]:
        """Where it can run."""
        return ("emulator", "Lava", "Loihi 2") if self.stock else ("emulator", "Lava (our process)")


_RESPONSES = (
    SynapseCandidate("exponential", "one synapse", "response",
                     "one synapse onto the current of LIF", True,
                     "no rise: the current jumps"),
    SynapseCandidate("two_currents", "two synapses onto two currents", "response",
                     "two synapses onto the two currents of CubaLIF2", False),
    SynapseCandidate("delayed", "four synapses with delays", "response",
                     "four synapses with delays onto the current of LIF", True,
                     "a staircase where the rise is slow against the delays"),
)  # fmt: skip
_SHORT_TERM = (
    SynapseCandidate("constant", "a weight that does not change", "short_term",
                     "one synapse", True, "no short-term plasticity"),
    SynapseCandidate("relaxing_weight", "a weight that spikes push and time brings back",
                     "short_term", "one learning synapse, dw of two products", True,
                     "depression or facilitation, not both; no delay, no other plasticity"),
    SynapseCandidate("two_factors", "a weight made of resources and a trace", "short_term",
                     "one learning synapse, its tag t, the trace x1", True,
                     "facilitation does not saturate by itself; no delay, no other plasticity"),
    SynapseCandidate("graded_spikes", "payloads that the host computes", "short_term",
                     "spikes with payloads", True,
                     "only where the presynaptic spikes are known before the run", offered=False),
)  # fmt: skip
_STDP = (
    SynapseCandidate("pair", "a pair rule", "stdp", "traces x1, y1; two products", True),
    SynapseCandidate("triplet_minimal", "a triplet rule with A2- and A3+", "stdp",
                     "traces x1, y1, y2; two products", True),
    SynapseCandidate("triplet", "a full triplet rule", "stdp",
                     "traces x1, x2, y1, y2; four products", True),
)  # fmt: skip

SYNAPSE_CANDIDATES: dict[str, SynapseCandidate] = {
    each.name: each for each in (*_RESPONSES, *_SHORT_TERM, *_STDP)
}


def synapse_candidate(name: str) -> SynapseCandidate:
    """A candidate by its name.

    Raises
    ------
    FitError
        There is none of that name; says the nearest.
    """
    if name in SYNAPSE_CANDIDATES:
        return SYNAPSE_CANDIDATES[name]
    near = difflib.get_close_matches(name, SYNAPSE_CANDIDATES, 1, 0.4)
    raise FitError(
        f"there is no synapse candidate {name!r}; there are {', '.join(SYNAPSE_CANDIDATES)}."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


def offered(family: Family, single_pairs: bool = False) -> tuple[str, ...]:
    """The candidates that a fit to targets of this family tries.

    ``single_pairs``: of plasticity, only what single pairs of spikes can tell.
    """
    return tuple(
        name
        for name, each in SYNAPSE_CANDIDATES.items()
        if each.family == family and each.offered and not (single_pairs and "triplet" in name)
    )
