"""A response as a search problem: time constants and delays move, weights follow from them.

For given time constants and delays the response is linear in the weights, but for rounding. So the
optimiser moves the former; weights come from least squares with the decays that the registers
really have, and are rounded like everything else. What the optimiser sees is the chip's integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import (
    ALIGNMENT,
    DECAY_UNITY,
    DELAY_LOIHI1,
    STATE_MAX,
    WEIGHT_EXCITATORY,
    WEIGHT_EXPONENT,
)
from brian2lava.chip.profiles import PROFILES
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.candidates.pieces import decay_register, time_constant
from brian2lava.fit.synapse.candidates import SynapseCandidate
from brian2lava.fit.synapse.response_chip import Layout, responses
from brian2lava.fit.synapse.search import Axis, SynapseOptions
from brian2lava.fit.synapse.target import SynapseTarget

#: Model and the port of each synapse, by candidate.
_FORMS: dict[str, tuple[str, tuple[int, ...]]] = {
    "exponential": ("LIF", (0,)),
    "two_currents": ("CubaLIF2", (0, 1)),
    "delayed": ("LIF", (0, 0, 0, 0)),
}
#: Part of the range that a state fills at most, in a design without rounding.
_FILLED = 0.98
#: Steps that the delays of two currents may differ by in the search.
_APART = 5
#: Of the diagonal, against weights that cancel each other.
_RIDGE = 1e-9


def layout_of(candidate: SynapseCandidate, target: SynapseTarget) -> Layout:
    """The registers that a candidate has for a target."""
    model, ports = _FORMS[candidate.name]
    return Layout(model, ports, target.kind)


@dataclass(frozen=True)
class _Times:
    """What a target shows at first sight, in seconds."""

    peak: float
    decay: float
    onset: float


def _times(target: SynapseTarget) -> _Times:
    size, dt = np.abs(target.trace), target.dt
    top = int(np.argmax(size))
    low = np.flatnonzero(size[top:] < size[top] / np.e)
    decay = int(low[0]) if len(low) else len(size) - top
    begun = int(np.flatnonzero(size > 0.05 * size[top])[0])
    return _Times(top * dt, max(decay, 1) * dt, max(begun - 1, 0) * dt)


class ResponseProblem:
    """A candidate and a target; see :class:`brian2lava.fit.synapse.search.Problem`."""

    def __init__(
        self, target: SynapseTarget, candidate: SynapseCandidate, options: SynapseOptions
    ) -> None:
        self.target, self.options = target, options
        self.layout = layout_of(candidate, target)
        self.arithmetic = PROFILES[options.arithmetic]
        self.names = self.layout.names
        self.low, self.high = self.layout.limits
        # a smaller exponent can imitate one response by what it truncates, and fails with several
        self.moves = np.array([not name.startswith("exponent") for name in self.names])
        self._frame = Frame(target.dt, 1.0)
        self._steps = len(target.trace) - 1
        self._norm = float(np.linalg.norm(target.trace))
        self.ceiling = STATE_MAX / 2**options.headroom
        if target.tau_m is not None:
            dv = int(decay_register(target.tau_m, self._frame))
            place = self.names.index("dv")
            self.low[place] = self.high[place] = dv
        self.axes = self._axes()

    def _axes(self) -> tuple[Axis, ...]:
        dt, seen = self.target.dt, _times(self.target)
        # a register of 1 is the slowest decay
        slowest = min(DECAY_UNITY * dt, 20 * len(self.target.trace) * dt)
        rise = max(seen.peak - seen.onset, dt)
        starts = (seen.decay, min(rise, seen.decay) / 2)
        taus = [
            Axis(f"tau{k + 1 if self.layout.currents > 1 else ''}", "s", 0.1 * dt, slowest, True,
                 starts[k])
            for k in range(self.layout.currents)
        ]  # fmt: skip
        if self.layout.state == "potential" and self.target.tau_m is None:
            taus.append(Axis("tau_m", "s", 0.2 * dt, slowest, True, starts[1]))
        latest = min(DELAY_LOIHI1.high * dt, max(seen.onset * 2, seen.peak * 2) + 4 * dt)
        n = len(self.layout.ports)
        if self.layout.currents > 1:  # two currents rise together, or nearly
            delays = [
                Axis("delay", "s", 0.0, latest, False, min(seen.onset, latest)),
                Axis("apart", "s", -_APART * dt, _APART * dt, False, 0.0),
            ]
            return (*taus, *delays)
        spread = [seen.onset + (rise * k / n if n > 1 else 0.0) for k in range(n)]
        delays = [
            Axis(f"delay{k + 1 if n > 1 else ''}", "s", 0.0, latest, False, min(spread[k], latest))
            for k in range(n)
        ]
        return (*taus, *delays)

    # ------------------------------------------------------------ physical values to registers
    def rounded(self, values: dict[str, Any]) -> Any:
        """Registers, weights by least squares among them."""
        size = len(next(iter(values.values())))
        table = np.zeros((size, len(self.names)), np.int64)

        def put(name: str, column: Any) -> None:
            table[:, self.names.index(name)] = column

        many = self.layout.currents > 1
        offset = self.arithmetic.decay_offset
        for k in range(self.layout.currents):
            tau = values[f"tau{k + 1 if many else ''}"]
            put(("du", "du2")[k], decay_register(tau, self._frame, offset))
        if "dv" in self.names:
            known = self.target.tau_m is not None
            tau_m = np.full(size, self.target.tau_m) if known else values["tau_m"]
            put("dv", decay_register(tau_m, self._frame))
        delays = dict(values)
        if many:
            delays |= {"delay1": values["delay"], "delay2": values["delay"] + values["apart"]}
        for name in self.names:
            if name.startswith("delay"):
                put(name, np.rint(delays[name] / self.target.dt))
        return self.completed(np.clip(table, self.low, self.high))

    def completed(self, table: Any) -> Any:
        """Weights and exponents by least squares, for the decays and delays of a table."""
        table = table.copy()
        for name, column in self._weights(table).items():
            table[:, self.names.index(name)] = column
        return np.clip(table, self.low, self.high)

    def _weights(self, table: Any) -> dict[str, Any]:
        """Mantissas and exponents that come next to the target."""
        basis, own = self._basis(table)
        gram = basis @ basis.transpose(0, 2, 1)
        diagonal = np.einsum("kii->ki", gram)
        diagonal += _RIDGE * diagonal.mean(axis=1, keepdims=True) + 1e-30
        wanted = np.linalg.solve(gram, (basis @ self.target.trace)[..., None])[..., 0]
        unit = self._state_per_unit(wanted, basis, own)
        jumps = wanted * unit[:, None] / (1 << ALIGNMENT)
        found: dict[str, Any] = {}
        ports = np.array(self.layout.ports)
        single = len(ports) == 1
        for port, name in zip(range(self.layout.currents), ("exponent", "exponent2")):
            most = np.abs(jumps[:, ports == port]).max(axis=1)
            with np.errstate(divide="ignore"):
                bits = np.ceil(np.log2(np.maximum(most, 1e-300) / (WEIGHT_EXCITATORY.high + 0.499)))
            found[name] = np.clip(bits, 0, WEIGHT_EXPONENT.high)
        for k, port in enumerate(self.layout.ports):
            exponent = found[("exponent", "exponent2")[port]]
            mantissa = np.rint(jumps[:, k] * np.exp2(-exponent))
            reach = WEIGHT_EXCITATORY.high
            found["weight" if single else f"weight{k + 1}"] = np.clip(mantissa, -reach, reach)
        return found

    def _basis(self, table: Any) -> tuple[Any, Any]:
        """Responses to a jump of 1 at each synapse, and the currents alone, in real numbers.

        Both of shape (size, synapses, steps + 1).
        """
        lost = np.stack(
            [self.layout.column(table, n) + self.arithmetic.decay_offset
             for n in ("du", "du2")[: self.layout.currents]], axis=1,
        )  # fmt: skip
        kept = (1 - np.minimum(lost / DECAY_UNITY, 1))[:, list(self.layout.ports), None]
        delays = self.layout.of_synapse(table, "delay")[..., None]
        after = np.arange(self._steps + 1) - 1 - delays
        begun = after >= 0
        power = np.maximum(after, 0)
        own = np.where(begun, kept**power, 0.0)
        if "dv" not in self.names:
            return own, own
        held = (1 - self.layout.column(table, "dv") / DECAY_UNITY)[:, None, None]
        apart = held - kept
        near = np.abs(apart) < 1e-9
        with np.errstate(divide="ignore", invalid="ignore"):
            summed = (held ** (power + 1) - kept ** (power + 1)) / np.where(near, 1, apart)
        summed = np.where(near, (power + 1) * kept**power, summed)
        return np.where(begun, summed, 0.0), own

    def _state_per_unit(self, wanted: Any, basis: Any, own: Any) -> Any:
        """State units per unit of the target, shape (size,): given, or as large as fits."""
        if self.options.scale is not None:
            return np.full(len(wanted), self.options.scale)
        ports = np.array(self.layout.ports)
        peaks = [
            np.abs((wanted[:, ports == port, None] * own[:, ports == port]).sum(axis=1)).max(axis=1)
            for port in range(self.layout.currents)
        ]
        peaks.append(np.abs((wanted[..., None] * basis).sum(axis=1)).max(axis=1))
        largest = np.maximum(np.max(peaks, axis=0), 1e-300)
        strongest = np.maximum(np.abs(wanted).max(axis=1), 1e-300)
        jump = WEIGHT_EXCITATORY.high << (WEIGHT_EXPONENT.high + ALIGNMENT)
        return np.minimum(_FILLED * self.ceiling / largest, jump / strongest)

    # ------------------------------------------------------------ how bad
    def loss(self, table: Any) -> Any:
        """Root of the squared error over that of the target; infinite beyond the headroom."""
        found = responses(self.layout, table, self._steps, self.arithmetic)
        gain = self.gain(found.trace)
        error = np.linalg.norm(found.trace * gain[:, None] - self.target.trace, axis=1)
        most = STATE_MAX if self.options.scale is not None else self.ceiling
        return np.where(found.largest <= most, error / self._norm, np.inf)

    def gain(self, traces: Any) -> Any:
        """Units of the target per state unit, shape (size,); by least squares where it is free."""
        if self.options.scale is not None:
            return np.full(len(traces), 1 / self.options.scale)
        square = np.maximum((traces.astype(np.float64) ** 2).sum(axis=1), 1e-300)
        return (traces @ self.target.trace) / square

    def meaning(self, row: Any, gain: float) -> dict[str, float]:
        """What registers mean: seconds, and amplitudes in the target's unit."""
        table, found = np.asarray(row)[None], dict[str, float]()
        for k, name in enumerate(("du", "du2")[: self.layout.currents]):
            tau = time_constant(
                self.layout.column(table, name), self._frame, self.arithmetic.decay_offset
            )
            found[f"tau{k + 1 if self.layout.currents > 1 else ''}"] = float(tau[0])
        if "dv" in self.names:
            tau = time_constant(self.layout.column(table, "dv"), self._frame)
            found["tau_m"] = float(tau[0])
        amounts = self.layout.of_synapse(table, "weight") << self.layout.exponents(table)
        delays = self.layout.of_synapse(table, "delay")
        for k in range(len(self.layout.ports)):
            number = k + 1 if len(self.layout.ports) > 1 else ""
            found[f"delay{number}"] = float(delays[0, k] * self.target.dt)
            found[f"amplitude{number}"] = float((amounts[0, k] << ALIGNMENT) * gain)
        found["scale"] = 1 / gain if gain else float("inf")
        return found
