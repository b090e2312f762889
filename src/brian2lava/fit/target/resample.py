"""A target at another time step: the chip's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.fit.target.target import Sweep, Target


def resampled(target: Target, dt: float) -> Target:
    """``target`` with samples every ``dt`` seconds.

    A longer step takes the mean of the current over it, so that no charge is lost; voltages and a
    shorter step are interpolated. Spike times stay as they are.
    """
    if abs(dt - target.dt) <= 1e-9 * target.dt:
        return target
    return replace(target, dt=dt, sweeps=tuple(_sweep(s, target.dt, dt) for s in target.sweeps))


def _sweep(sweep: Sweep, old: float, new: float) -> Sweep:
    end = sweep.steps * old
    steps = max(1, int(np.floor(end / new + 1e-9)))
    edges = np.arange(steps + 1) * new
    charge = np.concatenate([[0.0], np.cumsum(sweep.current) * old])
    current = np.diff(np.interp(edges, np.arange(sweep.steps + 1) * old, charge)) / new
    voltage: Any = None
    if sweep.voltage is not None:
        voltage = np.interp(edges[:-1], np.arange(sweep.steps) * old, sweep.voltage)
    return Sweep(current, sweep.spikes, voltage)
