"""Short-term plasticity: how much a spike of a train releases, relative to the first.

Tsodyks and Markram's model, u and R per synapse, solved from spike to spike:

    at a spike   u <- u + U (1 - u);   released = u R;   R <- R - u R
    between      u decays to 0 with tau_f, R rises to 1 with tau_d

Source: Tsodyks, Pawelzik and Markram 1998, Neural Computation 10:821.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.errors import FitError
from brian2lava.fit.synapse.kernels import positive

#: A train may take so many steps of the chip.
_MOST_STEPS = 60_000


@dataclass(frozen=True)
class ShortTermTarget:
    """Release over a train of spikes, at several rates.

    Attributes
    ----------
    name : str
    dt : float
        Seconds a step of the chip.
    rates : array of shape (rates,)
        In Hz; the interval of a rate is rounded to whole steps.
    ratios : array of shape (rates, pulses)
        Released by each spike, relative to the first; the first column is 1.
    parameters : dict of str to float
        "U", "tau_d", "tau_f" where it comes from the model.
    source : str
    """

    name: str
    dt: float
    rates: Any
    ratios: Any
    parameters: Any
    source: str = ""

    def __post_init__(self) -> None:
        positive("dt", self.dt)
        rates, ratios = np.array(self.rates, np.float64), np.array(self.ratios, np.float64)
        if rates.ndim != 1 or ratios.ndim != 2 or len(rates) != len(ratios) or not len(rates):
            raise FitError(
                f"{self.name}: rates of shape {rates.shape} and ratios of shape {ratios.shape};"
                " needed is a row of ratios for each rate."
            )
        if ratios.shape[1] < 2:
            raise FitError(f"{self.name}: trains of one spike show nothing; give two or more.")
        if not (np.isfinite(ratios).all() and np.isfinite(rates).all() and (rates > 0).all()):
            raise FitError(f"{self.name}: rates have to be positive, and all values finite.")
        if not np.allclose(ratios[:, 0], 1):
            raise FitError(f"{self.name}: ratios are relative to the first spike, which is 1.")
        if (rates * self.dt > 1).any():
            raise FitError(
                f"{self.name}: {rates.max():g} Hz is more than a spike a step of {self.dt:g} s. Use"
                " a shorter dt."
            )
        for array, field in ((rates, "rates"), (ratios, "ratios")):
            array.flags.writeable = False
            object.__setattr__(self, field, array)
        longest = int(self.intervals.max()) * ratios.shape[1]
        if longest > _MOST_STEPS:
            raise FitError(
                f"{self.name}: the slowest train takes {longest} steps, and {_MOST_STEPS} are the"
                " most. Use higher rates, fewer spikes or a longer dt."
            )

    @property
    def intervals(self) -> Any:
        """Steps between two spikes of each train, shape (rates,)."""
        return np.maximum(np.rint(1 / (self.rates * self.dt)), 1).astype(np.int64)

    @property
    def pulses(self) -> int:
        """Spikes of a train."""
        return int(self.ratios.shape[1])


def tsodyks_markram(
    U: float,
    tau_d: float,
    tau_f: float = 0.0,
    rates: Sequence[float] = (5.0, 10.0, 20.0, 40.0),
    pulses: int = 10,
    dt: float = 1e-3,
) -> ShortTermTarget:
    """The model's release over trains of ``pulses`` spikes.

    Parameters
    ----------
    U : float
        Part that a first spike releases, above 0 and at most 1.
    tau_d, tau_f : float
        Recovery from depression and decay of facilitation, in seconds; 0: at once.
    """
    if not (np.isfinite(U) and 0 < U <= 1):
        raise FitError(f"U={U!r}: a release above 0 and at most 1 is needed.")
    for name, tau in (("tau_d", tau_d), ("tau_f", tau_f)):
        if tau != 0:
            positive(name, tau)
    positive("dt", dt)
    if not isinstance(pulses, int) or pulses < 2:
        raise FitError(f"pulses={pulses!r}: a whole number of 2 or more is needed.")
    wanted = np.asarray(rates, np.float64)
    if not (wanted.size and np.isfinite(wanted).all() and (wanted > 0).all()):
        raise FitError(f"rates={rates!r}: positive numbers in Hz are needed, at least one.")
    intervals = np.maximum(np.rint(1 / (wanted * dt)), 1) * dt
    released = np.array([release(U, tau_d, tau_f, each, pulses) for each in intervals])
    return ShortTermTarget(
        "Tsodyks-Markram", dt, wanted, released / released[:, :1],
        {"U": U, "tau_d": tau_d, "tau_f": tau_f},
        f"U {U:g}, tau_d {tau_d:g} s, tau_f {tau_f:g} s",
    )  # fmt: skip


def recorded_trains(
    rates: ArrayLike, amplitudes: ArrayLike, dt: float = 1e-3, name: str = "recording"
) -> ShortTermTarget:
    """Recorded amplitudes, shape (rates, pulses), in any unit."""
    values = np.atleast_2d(np.asarray(amplitudes, np.float64))
    if not np.isfinite(values).all() or (values[:, 0] == 0).any():
        raise FitError(f"{name}: amplitudes have to be finite, and the first of a train not 0.")
    return ShortTermTarget(name, dt, rates, values / values[:, :1], {}, "recorded amplitudes")


def release(U: float, tau_d: float, tau_f: float, interval: float, pulses: int) -> Any:
    """u R of each spike of a regular train from rest, shape (pulses,)."""
    kept_u = np.exp(-interval / tau_f) if tau_f else 0.0
    kept_r = np.exp(-interval / tau_d) if tau_d else 0.0
    u, resources, out = 0.0, 1.0, np.empty(pulses)
    for k in range(pulses):
        u += U * (1 - u)
        out[k] = u * resources
        resources -= out[k]
        u, resources = u * kept_u, 1 - (1 - resources) * kept_r
    return out
