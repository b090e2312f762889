"""How far equations are from a target, for many sets of parameters at once, in floating point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.metrics import match_within
from brian2lava.fit.target import NeuronEquations, Sweep, Target
from brian2lava.fit.target.brian2_code import kernel_of

Compared = Literal["voltage", "spikes"]
#: What a set of parameters costs that leaves the numbers: square volts, or beyond "no match".
WORST = {"voltage": 1.0, "spikes": 2.0}
#: Windows of coincidence in multiples of the one asked for, and what each counts. The wide ones
#: lead a search to where the narrow one has something to say.
_WINDOWS = ((1, 0.5), (4, 0.25), (16, 0.25))
#: Volt below its threshold at which a neuron has missed a spike altogether, in a forced run.
_MISSED = 10e-3
#: What the mean distance of matched spikes counts, beside coincidences.
_DISTANCE = 0.05


class FloatLoss:
    """The loss of parameters on a target, on its training spans or on those held out.

    Parameters
    ----------
    target : Target
    neuron : NeuronEquations
    compared : "voltage" or "spikes"
        Mean squared difference of the voltages in square volts, averaged over sweeps; or one minus
        the F1 score of matched spikes, averaged over windows, repeats and sweeps.
    window : float
        Seconds that matched spikes may be apart.
    substeps : int
        Steps of the simulation between two samples of the target.
    workers : int
        Threads.

    Raises
    ------
    FitError
        The target lacks what is compared, or Brian2 refuses the equations.
    """

    def __init__(
        self,
        target: Target,
        neuron: NeuronEquations,
        compared: Compared,
        window: float = 2e-3,
        substeps: int = 1,
        workers: int = 1,
    ) -> None:
        if compared not in WORST:
            raise FitError(f"compared={compared!r}: 'voltage' and 'spikes' are possible.")
        for k, sweep in enumerate(target.sweeps):
            if compared == "voltage" and sweep.voltage is None:
                raise FitError(f"target {target.name!r}, sweep {k} has no voltage to compare.")
            if compared == "spikes" and not sweep.spikes:
                raise FitError(f"target {target.name!r}, sweep {k}: its spikes are not known.")
        if compared == "voltage" and not neuron.voltage:
            raise FitError(f"{neuron.name} names no variable as its voltage.")
        if compared == "spikes" and not neuron.threshold:
            raise FitError(f"{neuron.name} has no threshold; it never spikes.")
        if substeps < 1:
            raise FitError(f"{substeps} steps in a sample; at least one is needed.")
        self.target = target
        self.neuron = neuron
        self.compared: Compared = compared
        self.window = window
        self.substeps = substeps
        self.workers = workers
        self.kernel = kernel_of(neuron)
        self.fixed = {name: value.number for name, value in neuron.parameters.items()}

    @property
    def scale(self) -> float:
        """What losses are large against: the variance of the voltage, or 1 for spikes."""
        if self.compared == "spikes":
            return 1.0
        return max(float(np.mean([np.var(s.voltage) for s in self.target.sweeps])), 1e-12)

    def __call__(
        self, parameters: Mapping[str, Any], part: Literal["train", "held_out"] = "train"
    ) -> Any:
        """Losses, shape (size,), of values by name, each of shape (size,)."""
        total: Any = 0.0
        count = 0
        values = {**self.fixed, **parameters}
        measure = self._voltage if self.compared == "voltage" else self._spikes
        for sweep in self.target.sweeps:
            end = sweep.steps * self.target.dt
            spans = [(a, min(b, end)) for a, b in getattr(self.target, part) if a < end]
            if spans:
                total = total + measure(values, sweep, spans)
                count += 1
        if not count:
            raise FitError(f"target {self.target.name!r} has nothing in its {part} spans.")
        return total / count

    @property
    def can_be_forced(self) -> bool:
        """Whether a spike of the recording would change what the neuron does."""
        known = all(sweep.spikes for sweep in self.target.sweeps)
        return bool(known and self.neuron.threshold and self.neuron.reset.strip())

    def forced(self, parameters: Mapping[str, Any]) -> Any:
        """Loss on the training spans while the recording's spikes reset the neuron; shape (size,).

        Missed and extra spikes as a part of all, and, where voltages are compared, the squared
        difference as a part of the voltage's variance. It has fewer local minima than the loss
        itself, and leads to where that is to be searched.
        """
        values = {**self.fixed, **parameters}
        total: Any = 0.0
        for sweep in self.target.sweeps:
            spans = [(a, min(b, sweep.steps * self.target.dt)) for a, b in self.target.train]
            spans = [(a, b) for a, b in spans if a < b]
            if not spans:
                continue
            reference, weight, last = self._compared(sweep, spans)
            dt = self.target.dt / self.substeps
            due = np.floor(sweep.spikes[0] / dt + 1e-6).astype(np.int64)
            due = due[due < last * self.substeps]
            run = self._run(values, sweep, last, reference, weight, 1, due)
            loss = run.penalties / max(1, due.size)
            if reference is not None:
                loss = loss + run.errors / max(float(np.var(reference)), 1e-12)
            total = total + np.where(np.isfinite(loss), np.minimum(loss, 1e3), 1e3)
        return total

    def _compared(self, sweep: Sweep, spans: Sequence[Any]) -> tuple[Any, Any, int]:
        """Reference and weight of each step of the simulation, and the samples to simulate."""
        steps = self.target.steps_of(spans)
        # what is held out, and comes later, is not even simulated
        last = min(sweep.steps, max(b for _, b in steps))
        if self.compared != "voltage":
            return None, None, last
        weight = np.zeros((last, self.substeps))
        for a, b in steps:
            weight[a:b, 0] = 1.0
        reference = np.repeat(sweep.voltage[:last] / self.neuron.volt, self.substeps)
        return reference, weight.ravel(), last

    def _voltage(self, values: Mapping[str, Any], sweep: Sweep, spans: Sequence[Any]) -> Any:
        reference, weight, last = self._compared(sweep, spans)
        run = self._run(values, sweep, last, reference, weight, capacity=1)
        errors = run.errors * self.neuron.volt**2
        worst = WORST["voltage"]
        return np.where(np.isfinite(errors), np.minimum(errors, worst), worst)

    def _spikes(self, values: Mapping[str, Any], sweep: Sweep, spans: Sequence[Any]) -> Any:
        _, _, last = self._compared(sweep, spans)
        # far more spikes than wanted are bad enough as the first of them
        most = 4 * max(train.size for train in sweep.spikes) + 64
        run = self._run(values, sweep, last, None, None, capacity=most)
        dt = self.target.dt / self.substeps
        losses = np.empty(run.counts.size)
        for k in range(losses.size):
            own = run.train(k) * dt
            losses[k] = np.mean([self._distance(train, own, spans) for train in sweep.spikes])
        return losses

    def _distance(self, train: Any, own: Any, spans: Sequence[Any]) -> float:
        loss = 0.0
        for k, (factor, share) in enumerate(_WINDOWS):
            matching = match_within(train, own, spans, self.window * factor)
            spikes = len(matching.target) + len(matching.model)
            pairs = len(matching.pairs)
            # two silent trains agree
            loss += share * (1 - (2 * pairs / spikes if spikes else 1.0))
            if k == 0 and pairs:
                loss += _DISTANCE * float(np.abs(matching.latencies).mean()) / self.window
        return loss

    def _run(
        self,
        values: Any,
        sweep: Sweep,
        last: int,
        reference: Any,
        weight: Any,
        capacity: int,
        forced: Any = None,
    ) -> Any:
        return self.kernel.run(
            values, np.repeat(sweep.current[:last], self.substeps), self.target.dt / self.substeps,
            reference=reference, weight=weight, forced=forced, scale=_MISSED / self.neuron.volt,
            capacity=capacity, workers=self.workers,
        )  # fmt: skip
