"""What NIR leaves open and a simulation in steps must choose: dt, the decay of a step, a spike.

NIR writes ``tau dv/dt = v_leak - v + r I``. In steps of dt, with a = leak(tau)::

    I <- (1 - a_syn) I + a_syn w_in S      current first
    v <- v + a (v_leak - v + r I)          then the voltage, which sees the new current

========== ======================= ==========================================================
method     a                       who computes so
========== ======================= ==========================================================
"euler"    dt/tau                  what snnTorch, Norse, Spyx, Lava's converter assume in NIR
"exact"    1 - exp(-dt/tau)        the exact answer to an input that is constant in each step
========== ======================= ==========================================================

A spike S is 1 for one step (``spikes="pulse"``, area dt: Norse, snnTorch and most others), or has
area 1 (``spikes="delta"``, 1/dt for one step: NIR's own Dirac pulse). With the first an IF neuron
gains ``r dt`` from a spike, with the second ``r``, whatever dt is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from brian2.units.allunits import second
from brian2.units.fundamentalunits import Quantity, have_same_dimensions

from brian2lava.chip.ideal import Reals
from brian2lava.errors import NotSupported, OptionError

Method = Literal["euler", "exact"]
Spikes = Literal["pulse", "delta"]
#: How far a number of steps may be from a whole one, in steps.
_WHOLE = 1e-6


@dataclass(frozen=True)
class Convention:
    """How a graph in continuous time is read in steps.

    Attributes
    ----------
    dt : float
        Seconds.
    method : "euler" or "exact"
    spikes : "pulse" or "delta"
    """

    dt: float
    method: Method = "euler"
    spikes: Spikes = "pulse"

    @property
    def spike(self) -> float:
        """The height of a spike in its step."""
        return 1.0 if self.spikes == "pulse" else 1.0 / self.dt

    def leak(self, tau: Reals, node: str, what: str) -> Reals:
        """The part a of a state that a step takes, 0 < a <= 1.

        Raises
        ------
        NotSupported
            tau is no positive number, or shorter than dt in Euler's method.
        """
        if not np.all(tau > 0):
            raise NotSupported(
                f"NIR node '{node}': {what} = {float(np.min(tau)):g} s. A time constant is"
                " positive; correct the graph."
            )
        if self.method == "exact":
            return np.asarray(-np.expm1(-self.dt / tau))
        leak = self.dt / tau
        if np.any(leak > 1 + 1e-9):
            raise NotSupported(
                f"NIR node '{node}': {what} = {float(np.min(tau)):g} s is shorter than"
                f" dt = {self.dt:g} s, and Euler's method would overshoot. Take dt in seconds that"
                " the graph was made with, or method='exact'."
            )
        return np.asarray(np.minimum(leak, 1.0))

    def tau(self, leak: Reals) -> Reals:
        """The time constant in seconds of a leak; the inverse of :meth:`leak`."""
        if self.method == "exact":
            with np.errstate(divide="ignore"):
                return np.asarray(-self.dt / np.log1p(-leak))
        return np.asarray(self.dt / leak)

    def steps(self, delay: Reals, node: str) -> Any:
        """A delay in seconds as whole steps, int64.

        Raises
        ------
        NotSupported
            It is negative or none.
        """
        exact = np.asarray(delay, np.float64) / self.dt
        whole = np.round(exact)
        off = np.abs(exact - whole) > _WHOLE * np.maximum(1, np.abs(exact))
        if np.any(off) or np.any(whole < 0):
            odd = float(np.ravel(delay)[np.flatnonzero(np.ravel(off | (whole < 0)))[0]])
            raise NotSupported(
                f"NIR node '{node}': a delay of {odd:g} s is {odd / self.dt:.6g} steps of"
                f" {self.dt:g} s. Delays are whole numbers of steps: round them in the graph, or"
                " choose another dt."
            )
        return whole.astype(np.int64)


def convention(dt: Any, method: str, spikes: str) -> Convention:
    """The checked convention; dt as a Brian2 time or a number of seconds.

    Raises
    ------
    OptionError
        An unknown name, or dt that is no positive time.
    """
    for name, value, kind in (("method", method, Method), ("spikes", spikes, Spikes)):
        if value not in get_args(kind):
            raise OptionError(f"{name}={value!r}: choose one of {', '.join(get_args(kind))}.")
    return Convention(seconds(dt), method, spikes)  # type: ignore[arg-type]


def noted(metadata: Mapping[str, Any], name: str, kind: Any, default: str) -> str:
    """What the metadata of a graph say of a choice; ``default`` where they have no word of ours."""
    value = metadata.get(name)
    told = value.decode() if isinstance(value, bytes) else value
    return told if isinstance(told, str) and told in get_args(kind) else default


def seconds(dt: Any) -> float:
    """A time step in seconds."""
    if isinstance(dt, Quantity) and not have_same_dimensions(dt, second):
        raise OptionError(f"dt={dt!r} is no time. Give dt as in dt=0.1*ms.")
    try:
        value = float(np.asarray(dt, dtype=np.float64))
    except (TypeError, ValueError):
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise OptionError(f"dt={dt!r} is no time step. Give a positive time, as in dt=0.1*ms.")
    return value
