"""Whether two recognised networks are one and the same, but for names and rounding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, IdealProjection, IdealStimulus

#: Relative: the same numbers by another order of operations.
_ROUNDING = 1e-12


def same_network(ours: IdealNetwork, theirs: IdealNetwork, names: Mapping[str, str]) -> bool:
    """Whether all numbers of ``ours`` are those of ``theirs``, whose names are ``names[ours]``.

    Spikes of sources do not count: they are input.
    """
    return (
        ours.dt == theirs.dt
        and _all(_same_population, ours.populations, theirs.populations, names)
        and _all(_same_projection, ours.projections, theirs.projections, names)
        and _all(_same_source, ours.sources, theirs.sources, names)
        and _all(_same_stimulus, ours.stimuli, theirs.stimuli, names)
    )


def _all(same: Any, ours: Any, theirs: Any, names: Mapping[str, str]) -> bool:
    ordered = sorted(ours, key=lambda each: _renamed(each.name, names))
    others = sorted(theirs, key=lambda each: str(each.name))
    return len(ours) == len(theirs) and all(same(a, b, names) for a, b in zip(ordered, others))


def _renamed(name: str, names: Mapping[str, str]) -> str:
    """A name that is, or begins with, one of ``names``."""
    for known in sorted(names, key=len, reverse=True):
        if name == known or name.startswith(f"{known}_"):
            return names[known] + name[len(known) :]
    return name


def _close(a: Any, b: Any) -> bool:
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.size != b.size and 1 not in (a.size, b.size):
        return False
    scale = max(float(np.max(np.abs(a), initial=0)), float(np.max(np.abs(b), initial=0)))
    return bool(np.all(np.abs(a - b) <= _ROUNDING * scale))


def _same_population(a: IdealPopulation, b: IdealPopulation, names: Mapping[str, str]) -> bool:
    return (
        (_renamed(a.name, names), a.model, a.size) == (b.name, b.model, b.size)
        and [q.register for q in a.quantities] == [q.register for q in b.quantities]
        and all(_close(p.value, q.value) for p, q in zip(a.quantities, b.quantities))
        and [link.state for link in a.links] == [link.state for link in b.links]
        and all(
            _close(p.gain, q.gain) and _close(p.offset, q.offset) for p, q in zip(a.links, b.links)
        )
        and a.initial.keys() == b.initial.keys()
        and all(_close(a.initial[key], b.initial[key]) for key in a.initial)
    )


def _same_projection(a: IdealProjection, b: IdealProjection, names: Mapping[str, str]) -> bool:
    return (
        _renamed(a.source, names) == b.source
        and _renamed(a.target, names) == b.target
        and a.port == b.port
        and a.learning is None is b.learning
        and np.array_equal(a.pre, b.pre)
        and np.array_equal(a.post, b.post)
        and _close(a.weights, b.weights)
        and _close(a.delays, b.delays)
    )


def _same_source(a: Any, b: Any, names: Mapping[str, str]) -> bool:
    return (_renamed(a.name, names), a.size, type(a)) == (b.name, b.size, type(b))


def _same_stimulus(a: IdealStimulus, b: IdealStimulus, names: Mapping[str, str]) -> bool:
    return (
        _renamed(a.target, names) == b.target
        and (a.port, a.after) == (b.port, b.after)
        and _close(a.values, b.values)
    )
