"""How far settings are from a target: what a search makes small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Outcome, Settings, Stimulus
from brian2lava.fit.search.weights import weights_of
from brian2lava.fit.target import Target

#: Coincidences are counted in windows that are so many times the one asked for: the wide ones lead
#: a search to where the narrow one has something to say.
_WINDOWS = {"f1": 1, "f1_wide": 4, "f1_widest": 16}
#: Windows of gamma factors, in seconds.
_GAMMAS = {"gamma_2ms": 2e-3, "gamma_4ms": 4e-3}
#: What a score without a bound counts at most.
_MOST = 1.5
#: The worst: nothing matched. A setting that the chip can't take is beyond it.
WORST = 2.0


@dataclass(frozen=True)
class _Trains:
    """A sweep, cut to what a search may see."""

    stimulus: Stimulus
    repeats: tuple[Any, ...]
    spans: tuple[tuple[int, int], ...]
    voltage: Any
    compared: Any


class Loss:
    """The loss of settings on a target's training spans.

    Parameters
    ----------
    target : Target
        With spikes; its current is what the settings' scale multiplies.
    batch : Batch
    window : float
        Seconds that matched spikes may be apart.
    weights : mapping of str to float, optional
        How much each score counts, see :mod:`brian2lava.fit.search.weights`.

    Raises
    ------
    FitError
        The target has no spikes to train on, or nothing that a score with a weight can be made of.

    Notes
    -----
    Steps after the last training span are not even simulated, so nothing held out can leak.
    """

    def __init__(
        self,
        target: Target,
        batch: Batch,
        window: float = 2e-3,
        weights: Mapping[str, float] | None = None,
    ) -> None:
        self.target = target
        self.batch = batch
        self.window = max(0, round(window / target.dt))
        self.weights = weights_of(weights or {})
        spans = target.steps_of(target.train)
        end = max(last for _, last in spans)
        self._sweeps = []
        for k, sweep in enumerate(target.sweeps):
            if not sweep.spikes:
                raise FitError(
                    f"target {target.name!r}, sweep {k}: its spikes are not known; give spike"
                    " times, or a voltage from which they can be read."
                )
            inside = tuple((a, min(b, sweep.steps)) for a, b in spans if a < sweep.steps)
            if not inside:
                continue
            trains = tuple(target.spike_steps(k, r) for r in range(len(sweep.spikes)))
            trains = tuple(train[train < end] for train in trains)
            voltage = None if sweep.voltage is None else sweep.voltage[:end]
            compared = _between_spikes(trains[0], min(end, sweep.steps), inside, target)
            if not compared.any():
                voltage = None
            self._sweeps.append(
                _Trains(Stimulus(sweep.current[:end]), trains, inside, voltage, compared)
            )
        if not any(_inside(t, s.spans).size for s in self._sweeps for t in s.repeats):
            raise FitError(
                f"target {target.name!r} has no spike in its training spans; choose others, or a"
                " stronger stimulus."
            )
        self._can_be_counted()
        self.steps = sum(each.stimulus.steps for each in self._sweeps)
        self.evaluations = 0

    def _can_be_counted(self) -> None:
        """Refuses weights of scores that this target does not have."""
        name = self.target.name
        if self.weights["voltage"] and all(sweep.voltage is None for sweep in self._sweeps):
            raise FitError(
                f"target {name!r} has no voltage between the spikes of its training spans, so the"
                " score 'voltage' can't count. Give it the weight 0, or record the voltage."
            )
        for score, window in _GAMMAS.items():
            if not self.weights[score]:
                continue
            for sweep in self._sweeps:
                length = self._length(sweep.spans)
                rate = max(_inside(t, sweep.spans).size for t in sweep.repeats) / length
                if 2 * rate * window >= 1:
                    raise FitError(
                        f"target {name!r} fires at {rate:.4g} Hz, so chance alone predicts every"
                        f" spike within {window * 1e3:g} ms (2 * rate * window must be below 1) and"
                        f" the score {score!r} can't count. Give it the weight 0; 'f1' and"
                        " 'distance' count what is near."
                    )

    def _length(self, spans: Sequence[tuple[int, int]]) -> float:
        return sum(last - first for first, last in spans) * self.target.dt

    def free(self, settings: Settings) -> Any:
        """Loss of each setting, running by itself: 0 is every spike in its step; shape (size,)."""
        total, unlike = np.zeros(len(settings)), np.zeros(len(settings))
        weight = voltages = 0
        for sweep in self._sweeps:
            capacity = 4 * max(t.size for t in sweep.repeats) + 64
            compared = bool(self.weights["voltage"]) and sweep.voltage is not None
            out = self.batch.run(
                settings, sweep.stimulus, capacity=min(capacity, 1 << 16),
                voltage=sweep.voltage if compared else None,
                compared=sweep.compared if compared else None,
            )  # fmt: skip
            if compared:
                unlike += out.unlike
                voltages += 1
            for train in sweep.repeats:
                total += self._of_train(out, train, sweep.spans)
                weight += 1
            total += WORST * weight * (out.outside > 0)
        self.evaluations += len(settings)
        found = total / weight
        return found + self.weights["voltage"] * unlike / voltages if voltages else found

    def forced(self, settings: Settings, unity: Any) -> Any:
        """Loss with the target's spikes in place of the settings' own; shape (size,).

        How far, in thresholds (``unity`` in units of the state), v is on the wrong side, a spike.
        """
        total, unlike = np.zeros(len(settings)), np.zeros(len(settings))
        count = 0
        for sweep in self._sweeps:
            train = sweep.repeats[0]
            train = train[train < sweep.stimulus.steps]
            out = self.batch.run(
                settings, sweep.stimulus, forced=train, voltage=sweep.voltage,
                compared=sweep.compared,
            )  # fmt: skip
            total += out.missed + out.extra
            unlike += out.unlike
            count += max(1, train.size)
        self.evaluations += len(settings)
        return total / np.maximum(unity, 1) / count + (
            self.weights["forced_voltage"] * unlike / len(self._sweeps)
        )

    def _of_train(self, out: Outcome, train: Any, spans: Sequence[tuple[int, int]]) -> Any:
        """1 - F1, averaged over windows, a little for the distance of what is matched, and more."""
        weights = self.weights
        loss = np.zeros(out.counts.shape)
        wanted = sum(_inside(train, (span,)).size for span in spans)
        for name, factor in _WINDOWS.items():
            if not (weights[name] or (name == "f1" and (weights["distance"] or weights["rate"]))):
                continue
            matched, fired, apart = self._counted(out, train, self.window * factor, spans)
            both = np.maximum(fired + wanted, 1)
            loss += (1 - 2 * matched / both) * weights[name]
            if name == "f1":
                near = weights["distance"] * apart / np.maximum(matched, 1)
                loss += near / max(self.window, 1)
                apart_rate = np.abs(fired - wanted) / max(wanted, 1)
                loss += weights["rate"] * np.minimum(apart_rate, _MOST)
        for name, seconds in _GAMMAS.items():
            if weights[name]:
                window = round(seconds / self.target.dt)
                matched, fired, _ = self._counted(out, train, window, spans)
                missing = 1 - _gamma(matched, fired, wanted, seconds, self._length(spans))
                loss += weights[name] * np.clip(missing, 0.0, _MOST)
        # spikes beyond what is kept: far too many
        loss += np.log1p(np.maximum(out.counts - out.spikes.shape[1], 0)) * 0.1
        return loss

    @staticmethod
    def _counted(
        out: Outcome, train: Any, window: int, spans: Sequence[tuple[int, int]]
    ) -> tuple[Any, Any, Any]:
        found = [out.coincidences(train, window, *span) for span in spans]
        return tuple(np.sum([each[k] for each in found], axis=0) for k in range(3))


def _gamma(matched: Any, fired: Any, wanted: int, window: float, length: float) -> Any:
    """Gamma factors as :func:`brian2lava.fit.metrics.gamma_of` has them; -1 where it refuses."""
    covered = 2 * fired / length * window
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma = 2 / (1 - covered) * (matched - covered * wanted) / np.maximum(fired + wanted, 1)
    # what is all matched has 1 and not nearly so: a search ends there
    whole = (matched == fired) & (fired == wanted)
    return np.where(whole, 1.0, np.where(covered >= 1, -1.0, gamma))


def _between_spikes(
    train: Any, steps: int, spans: Sequence[tuple[int, int]], target: Target
) -> Any:
    """The steps of the training spans that are not near a spike."""
    compared = np.zeros(steps, bool)
    for first, last in spans:
        compared[first:last] = True
    before, after = (round(width / target.dt) for width in target.spike_width)
    for spike in train[train < steps].tolist():
        compared[max(0, spike - before) : spike + after] = False
    return compared


def _inside(train: Any, spans: Sequence[tuple[int, int]]) -> Any:
    return train[np.any([(train >= a) & (train < b) for a, b in spans], axis=0)]
