"""Kernels of synapses as linear systems, so that currents and the potentials behind a membrane are
sampled without an error of integration.

A presynaptic spike sets a state; from then on it follows ``dx/dt = A x``, and the last element of x
is the response. In closed form, with t from the spike:

    exponential         exp(-t/tau)
    alpha               t/tau * exp(1 - t/tau)
    double exponential  (exp(-t/decay) - exp(-t/rise)) / its largest value
    behind a membrane   dv/dt = (response - v) / tau_m

Sources: Roth and van Rossum 2009, in Computational Modeling Methods for Neuroscientists (kernels);
Jahr and Stevens 1990, J. Neurosci. 10:3178 (magnesium block).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError

#: Rise and decay that are nearer than this part have no difference left: an alpha function.
_ALIKE = 1e-6


@dataclass(frozen=True)
class Kernel:
    """A response that follows a linear system.

    Attributes
    ----------
    matrix : array of shape (n, n), in 1/s
    start : array of shape (n,)
        The state right behind the spike.
    """

    matrix: Any
    start: Any

    def sampled(self, dt: float, steps: int, delay: float = 0.0) -> Any:
        """Response at 0, dt, .., steps * dt, shape (steps + 1,).

        The spike is at 0 and acts after ``delay`` seconds; the sample at that very moment is 0, for
        a jump is seen by the next one.
        """
        from scipy.linalg import expm

        out = np.zeros(steps + 1)
        first = int(np.floor(delay / dt * (1 + 1e-12) + 1e-9)) + 1
        if first > steps:
            return out
        state = expm(self.matrix * (first * dt - delay)) @ self.start
        step = expm(self.matrix * dt)
        for k in range(first, steps + 1):
            out[k] = state[-1]
            state = step @ state
        return out

    def behind_membrane(self, tau_m: float) -> Kernel:
        """The potential that this response brings about: ``dv/dt = (response - v) / tau_m``."""
        positive("tau_m", tau_m)
        n = len(self.start)
        matrix = np.zeros((n + 1, n + 1))
        matrix[:n, :n] = self.matrix
        matrix[n, n - 1], matrix[n, n] = 1 / tau_m, -1 / tau_m
        return Kernel(matrix, np.append(self.start, 0.0))

    def scaled(self, factor: float) -> Kernel:
        """The response times ``factor``."""
        return Kernel(self.matrix, np.asarray(self.start) * factor)


def exponential(tau: float) -> Kernel:
    """exp(-t/tau); its peak is 1."""
    positive("tau", tau)
    return Kernel(np.array([[-1 / tau]]), np.array([1.0]))


def alpha(tau: float) -> Kernel:
    """t/tau * exp(1 - t/tau); its peak is 1, at tau."""
    positive("tau", tau)
    return Kernel(np.array([[-1 / tau, 0.0], [1 / tau, -1 / tau]]), np.array([math.e, 0.0]))


def double_exponential(rise: float, decay: float) -> Kernel:
    """A difference of exponentials with peak 1; equal time constants give the alpha function.

    Raises
    ------
    FitError
        A time constant that is not positive, or a rise slower than the decay.
    """
    positive("rise", rise)
    positive("decay", decay)
    if rise > decay:
        raise FitError(
            f"double exponential: a rise of {rise:g} s is slower than the decay of {decay:g} s."
            " Exchange them."
        )
    if decay - rise < _ALIKE * decay:
        return alpha(decay)
    top = math.log(decay / rise) * rise * decay / (decay - rise)
    size = math.exp(-top / decay) - math.exp(-top / rise)
    # x0 decays with ``rise``; x1 = (exp(-t/decay) - exp(-t/rise)) / size
    slope = (1 / rise - 1 / decay) / size
    return Kernel(np.array([[-1 / rise, 0.0], [slope, -1 / decay]]), np.array([1.0, 0.0]))


def together(one: Kernel, other: Kernel) -> Kernel:
    """The sum of two responses."""
    n, m = len(one.start), len(other.start)
    matrix = np.zeros((n + m + 1, n + m + 1))
    matrix[:n, :n], matrix[n : n + m, n : n + m] = one.matrix, other.matrix
    # the last element is the sum: its slope is the sum of both slopes
    matrix[-1, :n], matrix[-1, n : n + m] = one.matrix[-1], other.matrix[-1]
    return Kernel(
        matrix, np.concatenate([one.start, other.start, [one.start[-1] + other.start[-1]]])
    )


def magnesium_block(voltage: float, magnesium: float = 1.0) -> float:
    """The part of NMDA channels that is open: 1 / (1 + [Mg] / 3.57 mM * exp(-62 V / volt)).

    ``voltage`` in volts, ``magnesium`` in mM.
    """
    if not (math.isfinite(voltage) and math.isfinite(magnesium) and magnesium >= 0):
        raise FitError(
            f"magnesium block: {voltage} V and {magnesium} mM; a finite voltage and a concentration"
            " of 0 or more are needed."
        )
    return 1 / (1 + magnesium / 3.57 * math.exp(-62.0 * voltage))


def positive(name: str, seconds: float) -> None:
    """Raise unless it is a positive, finite number of seconds."""
    if not (isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds > 0):
        raise FitError(f"{name}={seconds!r}: a positive, finite number of seconds is needed.")
