"""Short-term plasticity as search problems: a rule's registers against ratios of trains."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.learning.widths import DECIMATION, EXPONENT, MANTISSA, TRACE_MAX
from brian2lava.chip.limits import WEIGHT_EXCITATORY
from brian2lava.fit.synapse.coefficients import SMALLEST, nearest, shift_of
from brian2lava.fit.synapse.search import Axis
from brian2lava.fit.synapse.short_term import ShortTermTarget
from brian2lava.fit.synapse.short_term_rules import (
    FULL,
    RELAXING,
    TWO_FACTORS,
    Columns,
    relaxing_releases,
    two_factor_releases,
)

#: The largest weight that a design reaches, of 255.
_FILLED = 250
#: Steps between two recoveries.
_INTERVAL = Axis("interval", "1", 1.0, 64.0, True, 6.0)
_RANGES = {
    "mantissa": (0, MANTISSA.high),
    "exponent": (EXPONENT.low, EXPONENT.high),
    "k": (0, DECIMATION.high),
    "end": (0, WEIGHT_EXCITATORY.high),
    "weight": (1, WEIGHT_EXCITATORY.high),
    "impulse": (1, TRACE_MAX),
    "tau": (1, 20_000),
}


class _Ratios:
    """What both problems share: limits of registers, and the error of ratios."""

    names: tuple[str, ...]
    axes: tuple[Axis, ...]

    def __init__(self, target: ShortTermTarget) -> None:
        self.target = target
        found = [_RANGES[name.split("_")[-1]] for name in self.names]
        self.low = np.array([low for low, _ in found])
        self.high = np.array([high for _, high in found])
        self.moves = np.array([not name.endswith("exponent") and name != "k"
                               for name in self.names])  # fmt: skip

    def _columns(self, table: Any) -> Columns:
        return {name: table[:, k, None] for k, name in enumerate(self.names)}

    def _releases(self, columns: Columns) -> Any:
        raise NotImplementedError

    def ratios(self, table: Any) -> Any:
        """Expected ratios, shape (size, rates, pulses)."""
        released = self._releases(self._columns(table))
        return released / np.maximum(released[..., :1], 1e-9)

    def completed(self, table: Any) -> Any:
        """As it is: no register follows from the others."""
        return table

    def loss(self, table: Any) -> Any:
        """Error of the ratios behind the first, over their size."""
        difference = self.ratios(table)[..., 1:] - self.target.ratios[None, :, 1:]
        error = np.sqrt((difference**2).sum(axis=(1, 2)))
        return error / np.linalg.norm(self.target.ratios[:, 1:])


class RelaxingProblem(_Ratios):
    """A weight that relaxes."""

    names = RELAXING

    def __init__(self, target: ShortTermTarget) -> None:
        super().__init__(target)
        dt, ratios = target.dt, target.ratios
        high, falls = float(ratios.max()), float(ratios[:, 1:].mean()) < 1
        jump = abs(float(ratios[-1, 1]) - 1) / (1 if falls else max(high - 1, 0.1))
        self.axes = (
            Axis("push", "1", SMALLEST, 1.0, True, float(np.clip(jump, 0.02, 0.9))),
            Axis("tau", "s", dt, 2**DECIMATION.high * 128 * dt, True, 0.2),
            Axis("end", "1", 0.0, 1.5 * high, False, 0.0 if falls else high),
            _INTERVAL,
        )

    def rounded(self, values: dict[str, Any]) -> Any:
        """Registers next to a push, a time constant and an end (in units of the rest)."""
        push_mantissa, push_exponent = nearest(values["push"])
        k, pull_mantissa, pull_exponent = pulls(values["tau"], values["interval"], self.target.dt)
        end = np.maximum(values["end"], 0.0)
        largest = WEIGHT_EXCITATORY.high
        rest = np.where(end <= 1, largest, largest / np.maximum(end, 1e-9))
        columns = (push_mantissa, push_exponent, pull_mantissa, pull_exponent, k,
                   np.rint(end * rest), np.rint(rest))  # fmt: skip
        return np.clip(np.stack(columns, axis=1).astype(np.int64), self.low, self.high)

    def _releases(self, columns: Columns) -> Any:
        return relaxing_releases(columns, self.target.intervals, self.target.pulses)

    def meaning(self, r: dict[str, int]) -> dict[str, float]:
        """Push, recovery and end."""
        return {
            "push": r["push_mantissa"] * 2.0 ** r["push_exponent"],
            "tau": recovery(r, self.target.dt),
            "end": r["end"] / r["weight"],
        }


class TwoFactorProblem(_Ratios):
    """Resources in the tag, facilitation in a trace."""

    names = TWO_FACTORS

    def __init__(self, target: ShortTermTarget) -> None:
        super().__init__(target)
        dt = target.dt
        self.axes = (
            Axis("use", "1", SMALLEST, 1.0, True, 0.2),
            Axis("more", "1", 1e-3, 1.0, True, 0.15),
            Axis("tau_d", "s", dt, 2**DECIMATION.high * 128 * dt, True, 0.2),
            Axis("tau_f", "s", dt, 5000 * dt, True, 0.2),
            _INTERVAL,
        )

    def rounded(self, values: dict[str, Any]) -> Any:
        """Registers next to: part used, more of it by each spike, and two time constants.

        The impulse is the largest with which the trace of the fastest train stays below 127.
        """
        use, more = values["use"], values["more"]
        tau = np.clip(np.rint(values["tau_f"] / self.target.dt), 1, _RANGES["tau"][1])
        shortest = float(self.target.intervals.min())
        summed = np.minimum(1 / -np.expm1(-shortest / tau), self.target.pulses)
        impulse = np.clip(np.floor(TRACE_MAX / summed), 1, TRACE_MAX)
        weight = _FILLED / max(1.0, 1.05 * float(self.target.ratios.max()))
        lost = shift_of("x1", "t")
        k, pull_mantissa, pull_exponent = pulls(values["tau_d"], values["interval"], self.target.dt)
        per_tag = weight / FULL
        columns = (
            *nearest(use),
            *nearest(more / impulse * 2**lost),
            pull_mantissa, pull_exponent, k,
            *nearest(np.full_like(use, per_tag)),
            *nearest(per_tag * more / (use * impulse) * 2**lost),
            impulse, tau,
        )  # fmt: skip
        return np.clip(np.stack(columns, axis=1).astype(np.int64), self.low, self.high)

    def _releases(self, columns: Columns) -> Any:
        return two_factor_releases(columns, self.target.intervals, self.target.pulses)

    def meaning(self, r: dict[str, int]) -> dict[str, float]:
        """Part used, more of it by each spike, recovery, and decay of facilitation."""
        lost = shift_of("x1", "t")
        return {
            "use": r["use_mantissa"] * 2.0 ** r["use_exponent"],
            "more": r["more_mantissa"] * 2.0 ** (r["more_exponent"] - lost) * r["impulse"],
            "tau_d": recovery(r, self.target.dt),
            "tau_f": r["tau"] * self.target.dt,
        }


def pulls(tau: Any, interval: Any, dt: float) -> tuple[Any, Any, Any]:
    """k, mantissa and exponent of a recovery with time constant ``tau`` (s) every 2**k steps.

    ``interval`` is that number of steps, before it is rounded to a power of two: a short one
    recovers smoothly, a long one has more mantissas for a slow recovery.
    """
    k = np.clip(np.rint(np.log2(interval)), 0, DECIMATION.high).astype(np.int64)
    steps = np.maximum(np.asarray(tau, np.float64) / dt, 1e-9)
    mantissa, exponent = nearest(-np.expm1(-np.exp2(k) / steps))
    return k, mantissa, exponent


def recovery(registers: dict[str, int], dt: float) -> float:
    """Time constant in seconds of the recovery; infinite without one, 0 if it is at once."""
    part = registers["pull_mantissa"] * 2.0 ** registers["pull_exponent"]
    if part <= 0:
        return float("inf")
    return 0.0 if part >= 1 else float(-(2 ** registers["k"]) * dt / np.log1p(-part))
