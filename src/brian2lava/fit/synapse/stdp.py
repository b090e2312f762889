"""Spike-timing dependent plasticity: windows, and how the change depends on the rate of pairs.

With traces r1, r2 of the presynaptic and o1, o2 of the postsynaptic spikes (each grows by 1 at a
spike and decays; the triplet traces r2, o2 are read before their own spike):

    at a presynaptic spike    w <- w - o1 (A2- + A3- r2)
    at a postsynaptic spike   w <- w + r1 (A2+ + A3+ o2)

A pair rule has no A3. Lags are those of the postsynaptic spike behind the presynaptic one.

Source: Pfister and Gerstner 2006, J. Neurosci. 26:9673 (all-to-all interactions).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brian2lava.chip.limits import WEIGHT_EXCITATORY
from brian2lava.errors import FitError
from brian2lava.fit.synapse.kernels import positive

#: A protocol may take so many steps of the chip.
_MOST_STEPS = 60_000


@dataclass(frozen=True)
class TripletRule:
    """Amplitudes (in units of the weight 1) and time constants (s); pair rules have no A3.

    Attributes
    ----------
    a2_plus, a2_minus, a3_plus, a3_minus : float
        A positive ``plus`` strengthens, a positive ``minus`` weakens.
    tau_plus, tau_minus, tau_x, tau_y : float
        Of r1, o1, r2, o2.
    """

    a2_plus: float
    a2_minus: float
    tau_plus: float
    tau_minus: float
    a3_plus: float = 0.0
    a3_minus: float = 0.0
    tau_x: float = 0.1
    tau_y: float = 0.1

    def __post_init__(self) -> None:
        for name in ("a2_plus", "a2_minus", "a3_plus", "a3_minus"):
            if not math.isfinite(getattr(self, name)):
                raise FitError(f"{name}={getattr(self, name)!r}: a finite number is needed.")
        for name in ("tau_plus", "tau_minus", "tau_x", "tau_y"):
            positive(name, getattr(self, name))

    def change(self, pre: Any, post: Any) -> float:
        """What spikes at these times (s, sorted) change; those that coincide count pre first."""
        events = sorted([(t, 0) for t in pre] + [(t, 1) for t in post])
        r1 = r2 = o1 = o2 = total = last = 0.0
        for time, is_post in events:
            gone = time - last
            r1, o1 = r1 * math.exp(-gone / self.tau_plus), o1 * math.exp(-gone / self.tau_minus)
            r2, o2 = r2 * math.exp(-gone / self.tau_x), o2 * math.exp(-gone / self.tau_y)
            last = time
            if is_post:
                total += r1 * (self.a2_plus + self.a3_plus * o2)
                o1, o2 = o1 + 1, o2 + 1
            else:
                total -= o1 * (self.a2_minus + self.a3_minus * r2)
                r1, r2 = r1 + 1, r2 + 1
        return total


@dataclass(frozen=True)
class StdpTarget:
    """A window of single pairs and, where wanted, changes over the rate of repeated pairs.

    Attributes
    ----------
    name : str
    dt : float
        Seconds a step of the chip.
    lags : array of int, shape (lags,)
        Steps from the presynaptic to the postsynaptic spike; none is 0.
    window : array of shape (lags,)
        Change by one pair, in units of the weight 1.
    rates : array of shape (rates,)
        Of repeated pairs, in Hz; empty: only the window is wanted.
    rate_lags : array of int, shape (protocols,)
        Lags in steps at which pairs are repeated.
    rate_changes : array of shape (rates, protocols)
        Change by ``pairs`` pairs.
    pairs : int
    unit_mantissa : int
        The mantissa of the weight 1.
    parameters : dict of str to float
        Those of the rule that it comes from, if it does.
    source : str
    """

    name: str
    dt: float
    lags: Any
    window: Any
    rates: Any = ()
    rate_lags: Any = ()
    rate_changes: Any = ()
    pairs: int = 15
    unit_mantissa: int = WEIGHT_EXCITATORY.high
    parameters: Any = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        positive("dt", self.dt)
        self._set("lags", np.int64)
        self._set("rate_lags", np.int64)
        for name in ("window", "rates", "rate_changes"):
            self._set(name, np.float64)
        if self.lags.ndim != 1 or self.lags.shape != self.window.shape or len(self.lags) < 4:
            raise FitError(
                f"{self.name}: lags of shape {self.lags.shape} and changes of shape"
                f" {self.window.shape}; needed is one change a lag, four or more."
            )
        if (self.lags == 0).any() or len(np.unique(self.lags)) < len(self.lags):
            raise FitError(
                f"{self.name}: lags of 0 steps of {self.dt:g} s, or several of one step. Which"
                " spike of a step comes first is not the window's to say: leave 0 out, or use a"
                " shorter dt."
            )
        if not self.window.any() and not self.rate_changes.any():
            raise FitError(f"{self.name}: all changes are 0; there is nothing to fit.")
        if not 1 <= self.unit_mantissa <= WEIGHT_EXCITATORY.high:
            raise FitError(f"{self.name}: unit_mantissa={self.unit_mantissa}; a mantissa has 1.."
                           f"{WEIGHT_EXCITATORY.high}.")  # fmt: skip
        self._check_rates()

    def _set(self, name: str, kind: Any) -> None:
        given = np.asarray(getattr(self, name), np.float64)
        array = given.astype(kind)
        if not np.isfinite(given).all() or (kind is np.int64 and (array != given).any()):
            raise FitError(f"{self.name}: {name} has values that are not finite, or lags that are"
                           " not whole steps.")  # fmt: skip
        array.flags.writeable = False
        object.__setattr__(self, name, array)

    def _check_rates(self) -> None:
        if not len(self.rates):
            return
        shape = (len(self.rates), len(self.rate_lags))
        if self.rate_changes.shape != shape or not len(self.rate_lags):
            raise FitError(f"{self.name}: rate_changes of shape {self.rate_changes.shape}, expected"
                           f" (rates, lags) = {shape}.")  # fmt: skip
        if (self.rates <= 0).any() or self.pairs < 1:
            raise FitError(f"{self.name}: rates have to be positive, and at least one pair.")
        if (np.abs(self.rate_lags).max() * 2 > self.intervals).any():
            raise FitError(
                f"{self.name}: at {self.rates.max():g} Hz a pair with a lag of"
                f" {np.abs(self.rate_lags).max()} steps does not fit between its neighbours. Use"
                " lower rates or a shorter lag."
            )
        steps = int(self.intervals.max()) * self.pairs
        if steps > _MOST_STEPS:
            raise FitError(
                f"{self.name}: {self.pairs} pairs at {self.rates.min():g} Hz take {steps} steps,"
                f" and {_MOST_STEPS} are the most. Use fewer pairs or higher rates."
            )

    @property
    def intervals(self) -> Any:
        """Steps from pair to pair, shape (rates,)."""
        return np.maximum(np.rint(1 / (self.rates * self.dt)), 1).astype(np.int64)

    def protocol(self, rate: int, lag: int) -> tuple[Any, Any]:
        """Steps of presynaptic and postsynaptic spikes of a repeated pair, from 0 on."""
        first = np.arange(self.pairs) * int(self.intervals[rate])
        shift = int(self.rate_lags[lag])
        return first + max(0, -shift), first + max(0, shift)


def pair_stdp(
    a_plus: float,
    a_minus: float,
    tau_plus: float = 20e-3,
    tau_minus: float = 20e-3,
    dt: float = 1e-3,
    reach: float | None = None,
    unit_mantissa: int = WEIGHT_EXCITATORY.high,
) -> StdpTarget:
    """The window a_plus exp(-lag/tau_plus) behind, -a_minus exp(lag/tau_minus) before.

    ``reach`` is the largest lag in seconds; None: three time constants.
    """
    rule = TripletRule(a_plus, a_minus, tau_plus, tau_minus)
    return of_rule(rule, dt=dt, reach=reach, unit_mantissa=unit_mantissa, name="pair STDP")


def triplet_stdp(
    a2_plus: float = 5e-10,
    a3_plus: float = 6.2e-3,
    a2_minus: float = 7e-3,
    a3_minus: float = 2.3e-4,
    tau_plus: float = 16.8e-3,
    tau_minus: float = 33.7e-3,
    tau_x: float = 0.101,
    tau_y: float = 0.125,
    dt: float = 1e-3,
    reach: float | None = None,
    rates: Sequence[float] = (5.0, 10.0, 20.0, 40.0, 50.0),
    lag: float = 10e-3,
    pairs: int = 15,
    unit_mantissa: int = WEIGHT_EXCITATORY.high,
) -> StdpTarget:
    """The triplet rule; its defaults are those fitted to visual cortex (full, all-to-all).

    Besides the window of single pairs, changes of ``pairs`` pairs at ``rates`` with the lags
    ``lag`` and ``-lag`` (s).
    """
    rule = TripletRule(a2_plus, a2_minus, tau_plus, tau_minus, a3_plus, a3_minus, tau_x, tau_y)
    return of_rule(rule, dt=dt, reach=reach, rates=rates, lag=lag, pairs=pairs,
                   unit_mantissa=unit_mantissa, name="triplet STDP")  # fmt: skip


def of_rule(
    rule: TripletRule,
    dt: float = 1e-3,
    reach: float | None = None,
    rates: Sequence[float] = (),
    lag: float = 10e-3,
    pairs: int = 15,
    unit_mantissa: int = WEIGHT_EXCITATORY.high,
    name: str = "STDP",
) -> StdpTarget:
    """What a rule changes, pair by pair and over rates."""
    positive("dt", dt)
    farthest = 3 * max(rule.tau_plus, rule.tau_minus) if reach is None else reach
    positive("reach", farthest)
    most = max(2, int(np.ceil(farthest / dt)))
    positive_lags = np.unique(np.rint(np.geomspace(1, most, min(most, 24))).astype(int))
    lags = np.concatenate([-positive_lags[::-1], positive_lags])
    window = [
        rule.change([max(0, -k) * dt], [max(0, k) * dt]) for k in (int(each) for each in lags)
    ]
    shift = int(np.rint(lag / dt))
    shifts = np.array([shift, -shift] if len(rates) else [], int)
    empty = StdpTarget(
        name, dt, lags, window, rates, shifts, np.zeros((len(rates), len(shifts))), pairs,
        unit_mantissa,
    )  # fmt: skip
    changes = np.zeros((len(rates), len(shifts)))
    for i in range(len(rates)):
        for j in range(len(shifts)):
            pre, post = empty.protocol(i, j)
            changes[i, j] = rule.change(pre * dt, post * dt)
    said = {k: float(v) for k, v in vars(rule).items()}
    return StdpTarget(
        name, dt, lags, window, rates, shifts, changes, pairs, unit_mantissa, said,
        ", ".join(f"{k} {v:g}" for k, v in said.items()),
    )  # fmt: skip


def recorded_window(
    lags: ArrayLike,
    changes: ArrayLike,
    dt: float = 1e-3,
    unit_mantissa: int = WEIGHT_EXCITATORY.high,
    name: str = "recorded window",
) -> StdpTarget:
    """Measured changes at measured lags (s); lags of one step are averaged, lag 0 is left out."""
    positive("dt", dt)
    x, y = np.asarray(lags, np.float64), np.asarray(changes, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise FitError(f"{name}: lags of shape {x.shape}, changes of shape {y.shape}; needed are as"
                       " many of each, all finite.")  # fmt: skip
    steps = np.rint(x / dt).astype(np.int64)
    kept = np.unique(steps[steps != 0])
    means = [float(y[steps == step].mean()) for step in kept]
    return StdpTarget(name, dt, kept, means, unit_mantissa=unit_mantissa,
                      source=f"{len(x)} recorded pairs")  # fmt: skip
