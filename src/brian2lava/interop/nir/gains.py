"""The dt that hides in a graph's gains, and whether it is the one that was asked for.

NIR's equations scale every input by a step's dt/tau. Simulators that have no such factor
(snnTorch: ``mem = beta mem + input``) undo it when they write NIR, with the gains
``r = tau_mem/dt``, ``w_in = tau_syn/dt``, or ``r = 1/dt`` in IF. Such a graph can be run with this
one dt only: any other scales its inputs, in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import OptionError
from brian2lava.interop.nir.convention import seconds

#: Gains are often written from 32-bit numbers.
_ALIKE = 1e-3


@dataclass(frozen=True)
class Hint:
    """One gain of a node, its mean, and the time step that it would undo, in seconds."""

    node: str
    gain: str
    value: float
    dt: float


def _undone(tau: Any, gain: Any) -> float | None:
    """The one dt with gain = tau/dt in all neurons, if the gain is not simply 1."""
    tau, gain = np.asarray(tau, np.float64), np.asarray(gain, np.float64)
    if not gain.size or np.any(gain <= 1) or np.any(tau <= 0):
        return None
    found = np.ravel(tau / gain)
    return float(np.mean(found)) if np.ptp(found) <= _ALIKE * found[0] else None


#: By type of node: (name of the gain, its values, the time constant that it undoes).
Pairs = tuple[tuple[str, Any, Any], ...]
GAINS: Mapping[str, Callable[[Any], Pairs]] = {
    "LIF": lambda node: (("r", node.r, node.tau),),
    "LI": lambda node: (("r", node.r, node.tau),),
    "CubaLIF": lambda node: (
        ("r", node.r, node.tau_mem),
        ("w_in", node.w_in, node.tau_syn),
    ),
    "CubaLI": lambda node: (("r", node.r, node.tau_mem), ("w_in", node.w_in, node.tau_syn)),
    "IF": lambda node: (("r", node.r, np.ones_like(node.r)),),
    "I": lambda node: (("r", node.r, np.ones_like(node.r)),),
}


def hints(nodes: Mapping[str, Any]) -> Iterator[Hint]:
    """Gains that look like a time constant over a time step."""
    for name, node in nodes.items():
        for gain, values, tau in GAINS.get(type(node).__name__, lambda _: ())(node):
            dt = _undone(tau, values)
            if dt is not None:
                yield Hint(name, gain, float(np.mean(values)), dt)


def hidden_dt(nodes: Mapping[str, Any]) -> tuple[float | None, tuple[Hint, ...]]:
    """The dt that all gains agree on, at least two different ones, and the gains.

    One gain alone proves nothing: a resistance may be any number, the same in all layers.
    """
    found = tuple(hints(nodes))
    if not found or np.ptp([hint.value for hint in found]) <= _ALIKE * found[0].value:
        return None, found
    values = np.array([hint.dt for hint in found])
    agree = np.ptp(values) <= _ALIKE * values[0]
    return (_round(float(np.median(values))) if agree else None), found


def _round(dt: float) -> float:
    """The number of few digits that 32-bit gains stand for."""
    short = float(f"{dt:.3g}")
    return short if abs(short - dt) <= 1e-5 * dt else dt


def checked_dt(dt: Any, nodes: Mapping[str, Any], noted: Any, check: bool) -> float:
    """The time step in seconds: what was asked for, or what the graph says.

    Parameters
    ----------
    dt : time or None
    nodes : mapping of name to NIR node
    noted : float or None
        What the graph's metadata says.
    check : bool
        Whether to compare ``dt`` with the gains.

    Raises
    ------
    OptionError
        No dt is given and the graph shows none, or the gains undo another one.
    """
    hidden, found = hidden_dt(nodes)
    told = "; ".join(f"{h.gain} of '{h.node}' would undo dt = {h.dt:.4g} s" for h in found[:3])
    if dt is None:
        if noted is not None:
            return seconds(noted)
        if hidden is not None:
            return hidden
        raise OptionError(
            "from_nir() needs dt: NIR is written in continuous time, and this graph does not show"
            f" which time step its gains were made for{f' ({told})' if told else ''}."
            " Give it, as in dt=0.1*ms; dt=1*second where the simulator had no time step at all."
        )
    given = seconds(dt)
    known = hidden if hidden is not None else (None if noted is None else seconds(noted))
    if check and known is not None and abs(given - known) > _ALIKE * known:
        where = told if hidden is not None else "its metadata says so"
        raise OptionError(
            f"dt = {given:g} s, but the graph was made for dt = {known:g} s ({where}). With another"
            f" one its inputs are scaled by {given / known:.4g}. Take dt={known:g}*second, or"
            " check_gains=False if the gains are meant as they stand."
        )
    return given
