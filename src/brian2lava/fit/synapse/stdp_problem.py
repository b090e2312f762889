"""Plasticity as a search problem: traces move, coefficients follow by least squares."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.learning.widths import EXPONENT, MANTISSA, TRACE_MAX
from brian2lava.fit.synapse.coefficients import nearest
from brian2lava.fit.synapse.search import Axis
from brian2lava.fit.synapse.stdp import StdpTarget
from brian2lava.fit.synapse.stdp_rules import (
    TERMS,
    Features,
    Traces,
    features,
    names_of,
    shift,
    traces_of,
)

#: Slowest time constant of a trace that is searched, in steps.
_SLOWEST = 2000
#: Least impulse that is searched: below, a trace is a few coarse levels.
_LEAST_IMPULSE = 4
_RIDGE = 1e-9
#: Impulses around one that is asked for, the nearest first.
_NEARBY = np.array(sorted(range(-12, 13), key=abs))
_RANGES = {
    "mantissa": (-MANTISSA.high, MANTISSA.high),
    "exponent": (EXPONENT.low, EXPONENT.high),
    "impulse": (1, TRACE_MAX),
    "tau": (1, _SLOWEST),
}


class StdpProblem:
    """Terms of a rule and a target; see :class:`brian2lava.fit.synapse.search.Problem`."""

    def __init__(self, target: StdpTarget, terms: tuple[str, ...]) -> None:
        self.target, self.terms = target, terms
        self.traces = traces_of(terms)
        self.names = names_of(terms)
        found = [_RANGES[name.split("_")[-1]] for name in self.names]
        self.low = np.array([low for low, _ in found])
        self.high = np.array([high for _, high in found])
        self.moves = np.array([not name.endswith("exponent") for name in self.names])
        self._window = float(np.linalg.norm(target.window)) or 1.0
        self._rates = float(np.linalg.norm(target.rate_changes)) or 1.0
        self.axes = self._axes()

    def _axes(self) -> tuple[Axis, ...]:
        dt = self.target.dt
        starts = {"x1": self._slope(1), "y1": self._slope(-1), "x2": 0.1, "y2": 0.1}
        taus = [
            Axis(f"tau_{name}", "s", dt, _SLOWEST * dt, True, starts[name]) for name in self.traces
        ]
        impulses = [
            Axis(f"impulse_{name}", "1", _LEAST_IMPULSE, TRACE_MAX, True,
                 20.0 if self.target.rates.size else 90.0)
            for name in self.traces
        ]  # fmt: skip
        return (*taus, *impulses)

    def _slope(self, sign: int) -> float:
        """Time constant of one side of the window at first sight, in seconds."""
        lags, changes = self.target.lags, np.abs(self.target.window)
        chosen = (np.sign(lags) == sign) & (changes > 0.05 * changes.max())
        if chosen.sum() < 2:
            return 20e-3
        slope = np.polyfit(np.abs(lags[chosen]), np.log(changes[chosen]), 1)[0]
        steps = -1 / slope if slope < 0 else 20.0
        return float(np.clip(steps, 1, _SLOWEST) * self.target.dt)

    # ------------------------------------------------------------ physical values to registers
    def rounded(self, values: dict[str, Any]) -> Any:
        """Registers; coefficients are those that come next to the target with rounded traces."""
        size = len(next(iter(values.values())))
        table = np.zeros((size, len(self.names)), np.int64)
        for name in self.traces:
            self._put(table, f"{name}_tau", np.rint(values[f"tau_{name}"] / self.target.dt))
            self._put(table, f"{name}_impulse", np.rint(values[f"impulse_{name}"]))
        return self.completed(table)

    def completed(self, table: Any) -> Any:
        """Coefficients by least squares for the traces of a table, and the impulses with them."""
        table = table.copy()
        made = features(self.terms, self._traces(table), self.target)
        wanted = self._least_squares(made)
        for k, term in enumerate(self.terms):
            wanted[:, k] *= self._impulses(table, term)
        for k, term in enumerate(self.terms):
            self._round_term(table, term, wanted[:, k] * 2 ** shift(term))
        return table

    def _impulses(self, table: Any, term: str) -> Any:
        """Product of the impulses that a term reads."""
        columns = [self._column(table, f"{name}_impulse") for name in TERMS[term] if name]
        return np.prod(columns, axis=0)

    def _round_term(self, table: Any, term: str, amplitude: Any) -> None:
        """Coefficient and impulse whose product is next to an amplitude.

        A mantissa of 4 bits is coarse; an impulse near the one that was asked for makes up for it.
        """
        short, long = TERMS[term]
        own = f"{long if long and 'plus2' in self.terms else short}_impulse"
        asked = self._column(table, own)
        rest = amplitude / (self._impulses(table, term) / asked)
        tried = np.clip(asked[:, None] + _NEARBY, 1, TRACE_MAX)
        mantissa, exponent = nearest(rest[:, None] / tried)
        off = np.abs(mantissa * np.exp2(exponent) * tried - rest[:, None])
        rows, place = np.arange(len(table)), np.argmin(off, axis=1)
        self._put(table, own, tried[rows, place])
        self._put(table, f"{term}_mantissa", mantissa[rows, place])
        self._put(table, f"{term}_exponent", exponent[rows, place])

    def _put(self, table: Any, name: str, values: Any) -> None:
        place = self.names.index(name)
        table[:, place] = np.clip(values, self.low[place], self.high[place])

    def _column(self, table: Any, name: str) -> Any:
        return table[:, self.names.index(name)]

    def _traces(self, table: Any) -> Traces:
        nothing = np.zeros(len(table))
        impulse, tau = {}, {}
        for name in ("x1", "x2", "y1", "y2"):
            has = name in self.traces
            impulse[name] = self._column(table, f"{name}_impulse") if has else nothing
            tau[name] = self._column(table, f"{name}_tau") if has else nothing + 1
        return Traces(impulse, tau)

    def _points(self, made: Features) -> Any:
        """Features side by side, each group over the target's size: (size, terms, points)."""
        size, terms = made.window.shape[:2]
        parts = [made.window / self._window]
        if self.target.rates.size:
            parts.append(made.rates.reshape(size, terms, -1) / self._rates)
        return np.concatenate(parts, axis=2)

    def _aim(self) -> Any:
        parts = [self.target.window / self._window]
        if self.target.rates.size:
            parts.append(self.target.rate_changes.ravel() / self._rates)
        return np.concatenate(parts) * self.target.unit_mantissa

    def _least_squares(self, made: Features) -> Any:
        points = self._points(made)
        gram = points @ points.transpose(0, 2, 1)
        diagonal = np.einsum("kii->ki", gram)
        diagonal += _RIDGE * diagonal.mean(axis=1, keepdims=True) + 1e-30
        return np.linalg.solve(gram, (points @ self._aim())[..., None])[..., 0]

    # ------------------------------------------------------------ how bad
    def expected(self, table: Any) -> tuple[Any, Any]:
        """Changes of the window and over rates, in mantissas."""
        mantissas = np.stack(
            [self._column(table, f"{term}_mantissa") for term in self.terms], axis=1
        )
        made = features(self.terms, self._traces(table), self.target, mantissas)
        factors = np.stack(
            [
                self._column(table, f"{term}_mantissa")
                * np.exp2(self._column(table, f"{term}_exponent") - shift(term))
                for term in self.terms
            ],
            axis=1,
        )
        return (
            np.einsum("kt,ktl->kl", factors, made.window),
            np.einsum("kt,ktrp->krp", factors, made.rates),
        )

    def loss(self, table: Any) -> Any:
        """Root mean square of the relative errors of the window and over rates."""
        window, rates = self.expected(table)
        return self.error(window, rates)

    def error(self, window: Any, rates: Any) -> Any:
        """Of changes in mantissas, shapes (size, lags) and (size, rates, protocols)."""
        unit = self.target.unit_mantissa
        total = (((window / unit - self.target.window) / self._window) ** 2).sum(axis=1)
        if not self.target.rates.size:
            return np.sqrt(total)
        apart = (rates / unit - self.target.rate_changes) / self._rates
        return np.sqrt((total + (apart**2).sum(axis=(1, 2))) / 2)

    def meaning(self, registers: dict[str, int]) -> dict[str, float]:
        """Amplitudes in units of the weight 1, time constants in seconds."""
        found = {}
        for term in self.terms:
            if f"{term}_mantissa" not in registers:
                continue
            size = registers[f"{term}_mantissa"] * 2.0 ** (
                registers[f"{term}_exponent"] - shift(term)
            )
            for trace in TERMS[term]:
                size *= registers[f"{trace}_impulse"] if trace else 1
            found[_AMPLITUDES[term]] = size / self.target.unit_mantissa
        for name in self.traces:
            if f"{name}_tau" not in registers:
                continue
            found[_CONSTANTS[name]] = registers[f"{name}_tau"] * self.target.dt
        return found


_AMPLITUDES = {"plus2": "a2_plus", "minus2": "a2_minus", "plus3": "a3_plus", "minus3": "a3_minus"}
_CONSTANTS = {"x1": "tau_plus", "y1": "tau_minus", "x2": "tau_x", "y2": "tau_y"}
