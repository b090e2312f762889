"""Fits of equations to a target in floating point: which parameters, before any chip is chosen.

Every set of parameters of a generation is a neuron of one compiled kernel. Points all over the
bounds come first; CMA-ES (or differential evolution) starts at the best of them, and again at the
next best whenever it has converged. Neurons with a reset are searched on the forced loss first (see
:mod:`brian2lava.fit.float_loss`), and from what that found on the loss itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.float_loss import Compared, FloatLoss
from brian2lava.fit.search.optimisers import Optimiser, optimiser
from brian2lava.fit.target import NeuronEquations, Target, simulated, target_model
from brian2lava.fit.target.simulated import quantity

#: Bounds whose ratio is at least this are searched on a logarithmic scale.
LOGARITHMIC = 10.0
#: The part of the evaluations that goes to the first points, and the least of those.
_SAMPLED, _FEWEST = 0.06, 16
#: The part of the evaluations after which the loss itself is searched.
_FORCED = 0.5
#: Ends of forced searches from which searches of the loss begin.
_MOST_ENDS = 8
#: Spread of an optimiser, in parts of the bounds; near what has been found already.
_SPREAD, _NEAR = 0.15, 0.03
#: Candidates of a generation.
_PROPOSED = 12


@dataclass(frozen=True)
class FloatSpace:
    """Bounds of the free parameters, as a unit cube.

    Attributes
    ----------
    bounds : dict of str to (low, high)
        In SI base units.
    log : frozenset of str
        Searched on a logarithmic scale.
    """

    bounds: Mapping[str, tuple[float, float]]
    log: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        if not self.bounds:
            raise FitError("no parameter is free; give bounds for at least one.")
        for name, (low, high) in self.bounds.items():
            if not (np.isfinite([low, high]).all() and low < high):
                raise FitError(
                    f"bounds of {name!r}: {low:g}..{high:g}; the first has to be below the second."
                    " Leave a parameter out that shall not move."
                )
        log = {n for n, (low, high) in self.bounds.items() if low > 0 and high / low >= LOGARITHMIC}
        object.__setattr__(self, "log", frozenset(log))

    def values(self, points: Any) -> dict[str, Any]:
        """Points of shape (size, dimensions) as values by name, each of shape (size,)."""
        points = np.clip(np.atleast_2d(points), 0.0, 1.0)
        found = {}
        for k, (name, (low, high)) in enumerate(self.bounds.items()):
            if name in self.log:
                found[name] = low * (high / low) ** points[:, k]
            else:
                found[name] = low + (high - low) * points[:, k]
        return found


@dataclass(frozen=True)
class FloatFit:
    """What a fit of equations found.

    Attributes
    ----------
    neuron : NeuronEquations
        With the parameters that were found.
    parameters : dict of str to float
        The free ones, in SI base units.
    compared : str
        "voltage": losses are mean squared differences in square volts. "spikes": see
        :class:`FloatLoss`.
    train : float
        The loss on the training spans.
    held_out : float
        On what was held out; nan where nothing was.
    seeds : tuple of float
        The training loss of every search; the best of them is the result.
    history : tuple of (evaluations, best loss)
        Of the search that was best.
    evaluations : int
        Of each search.
    seconds : float
    """

    target: Target
    neuron: NeuronEquations
    parameters: Mapping[str, float]
    compared: Compared
    train: float
    held_out: float
    seeds: tuple[float, ...]
    history: tuple[tuple[int, float], ...]
    evaluations: int
    seconds: float
    substeps: int = 1

    def answer(self) -> Target:
        """What the fitted neuron does under the target's currents."""
        return simulated(
            self.neuron,
            [sweep.current for sweep in self.target.sweeps],
            self.target.dt,
            self.substeps,
            train=self.target.train,
            held_out=self.target.held_out,
        )

    def __str__(self) -> str:
        unit, scale = ("mV²", 1e6) if self.compared == "voltage" else ("1 - F1", 1.0)
        lines = [
            f"{self.neuron.name} fitted to {self.target.name} ({self.compared}, {unit}):"
            f" {self.train * scale:.4g} trained, {self.held_out * scale:.4g} held out;"
            f" seeds {', '.join(f'{loss * scale:.4g}' for loss in self.seeds)}"
        ]
        lines += [
            f"  {name} = {value:.6g} {self.neuron.parameters[name].unit}"
            for name, value in self.parameters.items()
        ]
        return "\n".join(lines)


class FloatSearch:
    """One search, a generation at a time.

    Parameters
    ----------
    loss : FloatLoss
    space : FloatSpace
    make : function that makes an optimiser
    seed : int
    evaluations : int
        How many sets of parameters are tried.
    """

    def __init__(
        self,
        loss: FloatLoss,
        space: FloatSpace,
        make: Callable[[Any, float, int, int], Optimiser],
        seed: int,
        evaluations: int,
    ) -> None:
        self.loss = loss
        self.space = space
        self.seed = seed
        self.evaluations = evaluations
        self.spent = 0
        self.best: Any = None
        self.best_loss = np.inf
        self.history: list[tuple[int, float]] = []
        self._make = make
        self._optimiser: Optimiser | None = None
        self._starts: list[Any] = []
        self._ends: list[tuple[float, Any]] = []
        self._restarts = self._near = 0
        #: Whether the forced loss is searched, as at first where there is one.
        self.forced = loss.can_be_forced
        #: Losses are told in parts of it: when an optimiser has converged depends on their size.
        self.scale = loss.scale

    @property
    def done(self) -> bool:
        """Whether all evaluations are used."""
        return self.spent >= self.evaluations

    def advance(self) -> None:
        """Evaluate the next generation."""
        if self.forced and self.spent >= self.evaluations * _FORCED:
            self._set_free()
        elif not self._starts:
            points = self._first_points()
            losses = self._evaluate(points)
            self._starts = list(points[np.argsort(losses)])
        else:
            self._generation()

    def _generation(self) -> None:
        if self._optimiser is None or self._optimiser.converged:
            k = self._restarts
            # what a forced search ended at is near; other starts are not
            near = not self.forced and k < self._near
            self._optimiser = self._make(
                self._starts[k % len(self._starts)], _NEAR if near else _SPREAD, _PROPOSED,
                self.seed * 1000 + 500 * (not self.forced) + k,
            )  # fmt: skip
            self._ends.append((np.inf, None))
            self._restarts += 1
        points = self._optimiser.ask()
        left = self.evaluations - self.spent
        losses = self._evaluate(points[:left])
        if len(losses) == len(points):
            # a last generation that was cut short need not be told
            self._optimiser.tell(points, losses / self.scale)
        k = int(np.argmin(losses))
        if losses[k] < self._ends[-1][0]:
            self._ends[-1] = (float(losses[k]), points[k])

    def _set_free(self) -> None:
        """From the forced loss to the loss: begin where the forced searches ended, best first."""
        self.forced = False
        ends = [point for loss, point in self._ends if point is not None][-_MOST_ENDS:]
        ends = ends or self._starts[:1]
        ends = ends[: self.evaluations - self.spent]
        losses = self._evaluate(np.array(ends))
        self._near = len(ends)
        self._starts = [ends[k] for k in np.argsort(losses)] + self._starts
        self._optimiser, self._restarts = None, 0

    def _first_points(self) -> Any:
        from scipy.stats import qmc

        count = min(self.evaluations, max(_FEWEST, round(self.evaluations * _SAMPLED)))
        sampler = qmc.Sobol(len(self.space.bounds), seed=self.seed)
        # a power of two keeps the points even
        return sampler.random_base2(int(np.ceil(np.log2(count))))[:count]

    def _evaluate(self, points: Any) -> Any:
        values = self.space.values(points)
        losses = self.loss.forced(values) if self.forced else self.loss(values)
        self.spent += len(points)
        if not self.forced:
            k = int(np.argmin(losses))
            if losses[k] < self.best_loss:
                self.best, self.best_loss = np.array(points[k]), float(losses[k])
        self.history.append((self.spent, self.best_loss))
        return losses

    def finish(self) -> None:
        """What a search that is stopped early has: the best of what it has seen."""
        if self.best is None and self._starts:
            ends = [end for end in self._ends if end[1] is not None]
            point = min(ends, key=lambda end: end[0])[1] if ends else self._starts[0]
            self.forced = False
            self._evaluate(np.array([point]))


def float_fit(
    target: Target,
    neuron: NeuronEquations | str,
    bounds: Mapping[str, Sequence[Any]],
    *,
    fixed: Mapping[str, Any] | None = None,
    compared: Compared | None = None,
    evaluations: int = 2000,
    seeds: int = 1,
    first_seed: int = 0,
    method: str = "auto",
    window: float = 2e-3,
    substeps: int | None = None,
    workers: int = 1,
    progress: Callable[[float, float], Any] | None = None,
) -> FloatFit:
    """Fit parameters of Brian2 equations to a target.

    Parameters
    ----------
    target : Target
    neuron : NeuronEquations or str
        One's own (:func:`brian2lava.fit.target.neuron_equations`), or the name of a model.
    bounds : dict of str to (low, high)
        The free parameters, as numbers in SI base units or as quantities. A ratio of 10 or more is
        searched on a logarithmic scale.
    fixed : dict, optional
        Other values of parameters that are not free.
    compared : "voltage" or "spikes", optional
        The voltage where the target has one, unless given.
    evaluations : int
        Sets of parameters that are tried, a seed.
    seeds, first_seed : int
        Searches, with seeds that count up.
    method : "auto", "cma" or "differential_evolution"
        "auto" is CMA-ES where the package ``cma`` is installed (extra ``fit``).
    window : float
        Seconds that matched spikes may be apart.
    substeps : int, optional
        Steps of the simulation between two samples; a model's own, or 1.
    workers : int
        Threads; results do not depend on how many.
    progress : function of (part done, best loss), optional
        Called after every generation; returning ``False`` stops the fit and keeps what was found.

    Raises
    ------
    FitError
        A parameter that does not exist, bounds that are none, or a target without what is compared.
    """
    started = time.perf_counter()
    neuron, steps = _neuron(neuron, substeps)
    if fixed:
        neuron.check_names(fixed)
        values = {n: quantity(n, v, neuron.parameters[n]) for n, v in fixed.items()}
        neuron = neuron.with_parameters(values)
    for name, least, value in (("evaluations", _FEWEST, evaluations), ("seeds", 1, seeds)):
        if not isinstance(value, int) or value < least:
            raise FitError(f"{name}={value!r}: a whole number, {least} or more, is needed.")
    space = FloatSpace(_bounds(neuron, bounds))
    if compared is None:
        has_voltage = bool(neuron.voltage) and all(s.voltage is not None for s in target.sweeps)
        compared = "voltage" if has_voltage else "spikes"
    loss = FloatLoss(target, neuron, compared, window, steps, workers)
    make = optimiser(method)
    searches = [
        FloatSearch(loss, space, make, seed, evaluations)
        for seed in range(first_seed, first_seed + seeds)
    ]
    _search(searches, progress)
    for search in searches:
        search.finish()
    begun = [search for search in searches if search.best is not None]
    best = min(begun, key=lambda search: search.best_loss)
    found = {name: float(v[0]) for name, v in space.values(best.best).items()}
    return FloatFit(
        target=target,
        neuron=neuron.with_parameters(found),
        parameters=found,
        compared=compared,
        train=best.best_loss,
        held_out=_held_out(loss, found),
        seeds=tuple(search.best_loss for search in begun),
        history=tuple(best.history),
        evaluations=best.spent,
        seconds=time.perf_counter() - started,
        substeps=steps,
    )


def _search(searches: Sequence[FloatSearch], progress: Any) -> None:
    total = sum(search.evaluations for search in searches)
    for search in searches:
        while not search.done:
            search.advance()
            part = sum(each.spent for each in searches) / total
            if progress is not None and progress(part, search.best_loss) is False:
                return


def _held_out(loss: FloatLoss, found: Mapping[str, float]) -> float:
    if not loss.target.held_out:
        return float("nan")
    return float(loss({name: np.array([value]) for name, value in found.items()}, "held_out")[0])


def _neuron(neuron: NeuronEquations | str, substeps: int | None) -> tuple[NeuronEquations, int]:
    if isinstance(neuron, NeuronEquations):
        return neuron, 1 if substeps is None else substeps
    model = target_model(neuron)
    return model.neuron, model.substeps if substeps is None else substeps


def _bounds(
    neuron: NeuronEquations, bounds: Mapping[str, Sequence[Any]]
) -> dict[str, tuple[float, float]]:
    neuron.check_names(bounds)
    found = {}
    for name, pair in bounds.items():
        if len(pair) != 2:
            raise FitError(f"bounds of {name!r}: {pair!r}; a low and a high value are needed.")
        low, high = (quantity(name, value, neuron.parameters[name]) for value in pair)
        found[name] = (low, high)
    return found
