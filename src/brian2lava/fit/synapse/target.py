"""What a static synapse shall do: the current or potential that one presynaptic spike evokes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.chip.limits import DELAY_LOIHI1
from brian2lava.errors import FitError
from brian2lava.fit.synapse import kernels
from brian2lava.fit.synapse.kernels import Kernel, positive

Kind = Literal["current", "potential"]

#: A trace made from equations ends where it has fallen to this part of its peak ...
_END = 1e-3
#: ... or after so many steps, and has at least so many.
_MOST_STEPS, _FEWEST_STEPS = 4000, 8


@dataclass(frozen=True)
class SynapseTarget:
    """The response to one presynaptic spike, sampled at the chip's steps.

    Attributes
    ----------
    name : str
    dt : float
        Seconds a step of the chip.
    trace : array of shape (steps + 1,)
        Response at 0, dt, .. after the spike, in ``unit``, without its baseline; what jumps at a
        sample is seen by the next one.
    kind : "current" or "potential"
        What the chip shall answer with: its current u, or its voltage v.
    unit : str
        "A", "S" or "V".
    tau_m : float or None
        For potentials: the membrane's time constant in seconds if it is known; None: fitted too.
    source : str
        Where it comes from.

    Raises
    ------
    FitError
        Values that are not finite, too short a trace, a response of zeros, or one that begins later
        than the longest synaptic delay of the chip.
    """

    name: str
    dt: float
    trace: Any
    kind: Kind = "current"
    unit: str = "A"
    tau_m: float | None = None
    source: str = ""

    def __post_init__(self) -> None:
        positive("dt", self.dt)
        if self.kind not in ("current", "potential"):
            raise FitError(f"kind={self.kind!r}: the values are 'current', 'potential'.")
        if self.tau_m is not None:
            positive("tau_m", self.tau_m)
            if self.kind == "current":
                raise FitError("tau_m is the membrane's, and a current has none; leave it out.")
        trace = np.array(self.trace, np.float64)
        if trace.ndim != 1 or len(trace) < _FEWEST_STEPS:
            raise FitError(
                f"{self.name}: a trace of shape {trace.shape}; one of at least {_FEWEST_STEPS}"
                " samples at the chip's time step is needed. Use a shorter dt or a longer trace."
            )
        if not np.isfinite(trace).all():
            raise FitError(
                f"{self.name}: the trace has values that are not finite, the first at sample"
                f" {int(np.argmin(np.isfinite(trace)))}. Interpolate them, or cut the trace."
            )
        if not trace.any():
            raise FitError(f"{self.name}: the trace is 0 throughout; there is nothing to fit.")
        trace.flags.writeable = False
        object.__setattr__(self, "trace", trace)

    @property
    def times(self) -> Any:
        """Seconds after the spike, shape (steps + 1,)."""
        return np.arange(len(self.trace)) * self.dt

    @property
    def peak(self) -> float:
        """The largest deflection, with its sign."""
        return float(self.trace[np.argmax(np.abs(self.trace))])


def exponential(
    tau: float,
    peak: float = 1e-10,
    delay: float = 0.0,
    dt: float = 1e-3,
    tau_m: float | None = None,
    duration: float | None = None,
) -> SynapseTarget:
    """A current that jumps to ``peak`` (A) and decays with ``tau`` (s).

    ``delay`` seconds lie between the spike and the response. With ``tau_m`` the target is the
    potential behind a membrane of that time constant, with ``peak`` in V. ``duration`` in seconds;
    None: until the response is gone. The other targets take the same.
    """
    return _target("exponential", kernels.exponential(tau), peak, delay, dt, tau_m, duration,
                   f"exponential, tau {tau:g} s")  # fmt: skip


def alpha(
    tau: float,
    peak: float = 1e-10,
    delay: float = 0.0,
    dt: float = 1e-3,
    tau_m: float | None = None,
    duration: float | None = None,
) -> SynapseTarget:
    """An alpha function that peaks ``tau`` seconds behind its begin."""
    return _target("alpha", kernels.alpha(tau), peak, delay, dt, tau_m, duration,
                   f"alpha function, tau {tau:g} s")  # fmt: skip


def double_exponential(
    rise: float,
    decay: float,
    peak: float = 1e-10,
    delay: float = 0.0,
    dt: float = 1e-3,
    tau_m: float | None = None,
    duration: float | None = None,
) -> SynapseTarget:
    """A difference of exponentials."""
    kernel = kernels.double_exponential(rise, decay)
    return _target("double exponential", kernel, peak, delay, dt, tau_m, duration,
                   f"double exponential, rise {rise:g} s, decay {decay:g} s")  # fmt: skip


def nmda(
    rise: float = 2e-3,
    decay: float = 0.1,
    voltage: float = -0.04,
    magnesium: float = 1.0,
    ampa: float = 0.0,
    ampa_tau: float = 2e-3,
    peak: float = 1e-10,
    delay: float = 0.0,
    dt: float = 1e-3,
    tau_m: float | None = None,
    duration: float | None = None,
) -> SynapseTarget:
    """NMDA receptors at a voltage that is held, with AMPA receptors if ``ampa`` is not 0.

    Parameters
    ----------
    rise, decay : float
        Of NMDA, in seconds.
    voltage, magnesium : float
        In V and mM. The magnesium block depends on the voltage, and no synapse of the chip does:
        the target is the response at this one.
    ampa : float
        Peak of an exponential AMPA part with ``ampa_tau``, relative to that of NMDA without block.
    peak : float
        Of NMDA without block, in A.
    """
    if not (math.isfinite(ampa) and ampa >= 0):
        raise FitError(f"ampa={ampa!r}: a number of 0 or more is needed.")
    block = kernels.magnesium_block(voltage, magnesium)
    kernel = kernels.double_exponential(rise, decay).scaled(block)
    if ampa:
        kernel = kernels.together(kernels.exponential(ampa_tau).scaled(ampa), kernel)
    source = f"NMDA, rise {rise:g} s, decay {decay:g} s, {block:.3f} open at {voltage:g} V"
    return _target("NMDA", kernel, peak, delay, dt, tau_m, duration, source)


def recorded(
    times: ArrayLike,
    values: ArrayLike,
    spike: float,
    dt: float = 1e-3,
    kind: Kind = "current",
    unit: str = "A",
    tau_m: float | None = None,
    name: str = "recording",
) -> SynapseTarget:
    """A recorded response, brought to the chip's steps by straight lines.

    Parameters
    ----------
    times : rising array of shape (samples,), in seconds
    values : array of shape (samples,), in ``unit``
        The baseline is their mean before ``spike``, or the value there if there is nothing before.
    spike : float
        When the presynaptic spike happened, inside the times.

    Raises
    ------
    FitError
        Shapes that differ, values that are not finite, times that do not rise, a spike outside.
    """
    x, y = np.asarray(times, np.float64), np.asarray(values, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise FitError(f"{name}: times of shape {x.shape} and values of shape {y.shape}; needed are"
                       " as many of each, at least two.")  # fmt: skip
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        wrong = int(np.argmin(np.isfinite(x) & np.isfinite(y)))
        raise FitError(
            f"{name}: sample {wrong} is not finite ({x[wrong]}, {y[wrong]}). Interpolate it, or cut"
            " the recording."
        )
    if not (np.diff(x) > 0).all():
        raise FitError(f"{name}: the times do not rise throughout. Sort the samples.")
    if not x[0] <= spike <= x[-1]:
        raise FitError(
            f"{name}: a presynaptic spike at {spike:g} s, and samples from {x[0]:g} to {x[-1]:g} s."
            " Give its time on the clock of the recording."
        )
    positive("dt", dt)
    before = y[x < spike]
    baseline = float(before.mean()) if len(before) else float(np.interp(spike, x, y))
    steps = int(np.floor((x[-1] - spike) / dt * (1 + 1e-12)))
    trace = np.interp(spike + np.arange(steps + 1) * dt, x, y) - baseline
    return SynapseTarget(name, dt, trace, kind, unit, tau_m, f"{len(x)} recorded samples")


def _target(
    name: str,
    kernel: Kernel,
    peak: float,
    delay: float,
    dt: float,
    tau_m: float | None,
    duration: float | None,
    source: str,
) -> SynapseTarget:
    positive("dt", dt)
    if not (math.isfinite(peak) and peak != 0):
        raise FitError(f"peak={peak!r}: a finite number that is not 0 is needed.")
    if not (math.isfinite(delay) and delay >= 0):
        raise FitError(f"delay={delay!r}: seconds, 0 or more, are needed.")
    if delay > (DELAY_LOIHI1.high + 0.5) * dt:
        raise FitError(
            f"delay={delay:g} s: {delay / dt:.1f} steps of {dt:g} s, and the chip's synapses have"
            f" up to {DELAY_LOIHI1.high} ({DELAY_LOIHI1.source}). Use a longer dt, or a relay"
            " neuron."
        )
    kind: Kind = "current"
    if tau_m is not None:
        kernel, kind = kernel.behind_membrane(tau_m), "potential"
    if duration is not None:
        positive("duration", duration)
        steps = int(np.ceil(duration / dt))
    else:
        steps = _until_gone(kernel, dt, delay)
    trace = kernel.sampled(dt, steps, delay)
    if kind == "potential":  # the peak that is given is the potential's
        trace = trace / max(float(np.abs(trace).max()), 1e-300)
    unit = "V" if kind == "potential" else "A"
    return SynapseTarget(name, dt, trace * peak, kind, unit, tau_m, source)


def _until_gone(kernel: Kernel, dt: float, delay: float) -> int:
    trace = np.abs(kernel.sampled(dt, _MOST_STEPS, delay))
    above = np.flatnonzero(trace > _END * trace.max())
    last = int(above[-1]) if len(above) else 0
    return int(min(max(last + 1, _FEWEST_STEPS), _MOST_STEPS))
