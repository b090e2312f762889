"""Registers of a trace: its impulse, which is its scale, and its time constant."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.ideal import Reals
from brian2lava.chip.learning.ideal import IdealTrace
from brian2lava.chip.learning.widths import TRACE_MAX
from brian2lava.chip.profiles import Arithmetic

#: Traces and tags may become this much larger than in the run in floating point ...
ROOM = 1.25
#: ... in which a trace is taken to have come to two impulses at least.
LEAST_IMPULSES = 2.0


def impulses(trace: IdealTrace) -> Reals:
    """Whole impulses that leave room for the trace's peak, the largest last."""
    if trace.sets:
        return np.array([float(TRACE_MAX)])
    reached = max(LEAST_IMPULSES, trace.peak / abs(trace.impulse) if trace.impulse else 1.0)
    most = max(1, int(TRACE_MAX / (ROOM * reached + 1)))
    return np.arange(1.0, most + 1)


def time_constant(trace: IdealTrace, arithmetic: Arithmetic) -> int:
    """The register of a trace's time constant: whole steps, 1 at least."""
    exponential = arithmetic.trace_decay == "exponential"
    steps = -1 / np.log(trace.decay) if exponential else 1 / (1 - trace.decay)
    return max(1, round(float(steps)))


def decay_of(register: int, arithmetic: Arithmetic) -> float:
    """The factor a step that a time constant's register means."""
    if arithmetic.trace_decay == "exponential":
        return float(np.exp(-1 / register))
    return 1 - 1 / register
