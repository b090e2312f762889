"""What a front is made of: the scores of the loss, one by one, and what a setting costs a chip."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Settings
from brian2lava.fit.search.loss import Loss
from brian2lava.fit.search.weights import TERMS, WEIGHTS
from brian2lava.fit.target import Target

#: Of a setting that the chip can't take: beyond all that others have.
IMPOSSIBLE = 1e3
#: A front has so many objectives; with more, nearly nothing dominates anything.
_FEWEST, _MOST = 2, 3


@dataclass(frozen=True)
class Cost:
    """What a setting costs, beside how well it does.

    Attributes
    ----------
    name, meaning : str
    measure : function of (Settings, overflows, steps) -> array of shape (size,)
        ``overflows`` is how often states wrapped or saturated, in ``steps`` steps.
    """

    name: str
    meaning: str
    measure: Callable[[Settings, Any, int], Any]


def weight_bits(settings: Settings) -> Any:
    """Bits that a synapse's mantissa needs, without its sign; the most of all synapses, (size,).

    Zeros at its end cost nothing, for the exponent can have them: 96 = 3 * 2**5 needs 2 bits.
    """
    every = np.abs(np.concatenate([settings.weights, settings.own_weights]).astype(np.int64))
    odd = every // np.maximum(every & -every, 1)
    return np.ceil(np.log2(odd + 1.0)).max(axis=0)


COSTS = {
    cost.name: cost
    for cost in (
        Cost(
            "weight_bits",
            "bits that the mantissas of weights need, without their sign",
            lambda settings, overflows, steps: weight_bits(settings),
        ),
        Cost(
            "overflows",
            "how often a state wraps or saturates, in 1000 steps",
            lambda settings, overflows, steps: 1000.0 * overflows / steps,
        ),
    )
}
#: All that a front can be made of, with what they mean.
OBJECTIVES = {
    **{term.name: term.meaning for term in TERMS},
    **{name: cost.meaning for name, cost in COSTS.items()},
}


def objectives_of(given: Sequence[str]) -> tuple[str, ...]:
    """Names of objectives, checked.

    Raises
    ------
    FitError
        A name that there is not (says the nearest) or that is given twice, not two or three, or
        costs alone.
    """
    if isinstance(given, str):
        raise FitError(f"objectives={given!r}: names in a tuple are needed, as ('f1', 'voltage').")
    names = tuple(given)
    for name in names:
        if name not in OBJECTIVES:
            near = difflib.get_close_matches(str(name), OBJECTIVES, 1, 0.4)
            raise FitError(
                f"objectives: there is no score {name!r}; there are {', '.join(OBJECTIVES)}."
                + (f" Did you mean {near[0]!r}?" if near else "")
            )
        if names.count(name) > 1:
            raise FitError(f"objectives: {name} is given twice.")
    if not _FEWEST <= len(names) <= _MOST:
        raise FitError(
            f"objectives: {len(names)} are given ({', '.join(names)}); a front is between two or"
            " three. One alone is a fit with weights={NAME: 1}."
        )
    if all(name in COSTS for name in names):
        raise FitError(
            f"objectives: {', '.join(names)} are costs alone, which no target decides. Put a score"
            " beside them, such as f1."
        )
    return names


class Objectives(Loss):
    """Several losses of settings, from one run of the batch.

    Parameters
    ----------
    target : Target
    batch : Batch
    window : float
        Seconds that matched spikes may be apart.
    names : sequence of str
        Of ``OBJECTIVES``.

    Raises
    ------
    FitError
        As :class:`~brian2lava.fit.search.loss.Loss`, in the same words; or a cost that this drive
        does not have.
    """

    def __init__(self, target: Target, batch: Batch, window: float, names: Sequence[str]) -> None:
        if "weight_bits" in names and batch.drive == "bias":
            raise FitError(
                "the stimulus enters as a bias (drive='bias'), through no synapse, so the cost"
                " 'weight_bits' can't count. Leave it out, or use drive='graded'."
            )
        self.names = tuple(names)
        super().__init__(target, batch, window, alone(n for n in names if n in WEIGHTS))
        self._one = {name: self._counting(name) for name in names if name in WEIGHTS}

    def _counting(self, name: str) -> Objectives:
        """The same with one score alone: its own number, not a part of a sum."""
        other = copy.copy(self)
        other.weights = {**dict.fromkeys(WEIGHTS, 0.0), name: 1.0}
        return other

    def each(self, settings: Settings) -> Any:
        """Every loss of each setting, running by itself; shape (size, objectives)."""
        size = len(settings)
        spikes = {name: np.zeros(size) for name in self._one}
        unlike, overflows = np.zeros(size), np.zeros(size)
        impossible = np.zeros(size, bool)
        repeats = voltages = 0
        for sweep in self._sweeps:
            compared = "voltage" in self._one and sweep.voltage is not None
            out = self.batch.run(
                settings, sweep.stimulus,
                capacity=min(4 * max(t.size for t in sweep.repeats) + 64, 1 << 16),
                voltage=sweep.voltage if compared else None,
                compared=sweep.compared if compared else None,
            )  # fmt: skip
            for train in sweep.repeats:
                for name, one in self._one.items():
                    spikes[name] += one._of_train(out, train, sweep.spans)
                repeats += 1
            if compared:
                unlike += out.unlike
                voltages += 1
            overflows += np.sum(list(out.counters.values()) or [np.zeros(size)], axis=0)
            impossible |= out.outside > 0
        self.evaluations += size
        found = {name: total / repeats for name, total in spikes.items()}
        if "voltage" in found:
            found["voltage"] += unlike / voltages
        for name in self.names:
            if name in COSTS:
                found[name] = COSTS[name].measure(settings, overflows, self.steps)
        losses = np.stack([found[name] for name in self.names], axis=1)
        return np.where(impossible[:, None], IMPOSSIBLE, losses)


def alone(names: Any) -> dict[str, float]:
    """Weights of a loss that counts these scores alike, and no others."""
    chosen = set(names)
    return {term.name: float(term.name in chosen) for term in TERMS}


@dataclass(frozen=True)
class HeldOut:
    """The same losses where nothing was searched.

    Attributes
    ----------
    losses : array of float64, shape (points, objectives)
        nan where one can't be had.
    refused : dict of str to str
        Which can't, and why.
    """

    losses: Any
    refused: Mapping[str, str]


def on_held_out(
    settings: Settings, target: Target, batch: Batch, window: float, names: Sequence[str]
) -> HeldOut:
    """The losses of settings on a target's held-out spans; costs are of the run up to their end."""
    losses, refused = np.full((len(settings), len(names)), np.nan), {}
    if not target.held_out:
        return HeldOut(losses, dict.fromkeys(names, f"target {target.name!r} holds nothing out."))
    judged = replace(target, train=target.held_out, held_out=())
    for k, name in enumerate(names):
        # a score that is had alone; a cost needs one beside it, for its target needs spikes
        asked = (name,) if name in WEIGHTS else (name, "f1")
        try:
            losses[:, k] = Objectives(judged, batch, window, asked).each(settings)[:, 0]
        except FitError as why:
            refused[name] = str(why)
    return HeldOut(losses, refused)
