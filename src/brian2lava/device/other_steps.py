"""The network of a run, recognised anew as if its clock had another time step.

Nothing of the user's is changed: while objects are looked at, the array that holds the clock's time
step has another number in it, and the old one afterwards, whatever happens.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from numbers import Number
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.functions import Function, timestep
from brian2.groups.neurongroup import NeuronGroup
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from brian2.synapses.synapses import SynapticPathway
from brian2.units.allunits import second
from brian2.units.fundamentalunits import Quantity, have_same_dimensions

from brian2lava.capture.integrators import remembered_integrators
from brian2lava.chip.dt_scan import Retimed
from brian2lava.chip.ideal import (
    IdealNetwork,
    IdealPopulation,
    IdealProjection,
    Reals,
    StateLink,
    real,
)
from brian2lava.chip.quantise import float_ranges
from brian2lava.chip.recognise.brian_network import recognise
from brian2lava.device.on_chip import RANGE_STEPS, range_steps
from brian2lava.errors import BrianLavaError, NotSupported, OptionError


class OtherSteps:
    """A run's network at other time steps.

    Parameters
    ----------
    objects : sequence of BrianObject
        That took part; held weakly.
    namespace : mapping
        The run's; of it, numbers and functions are kept.
    ran : IdealNetwork
        What was recognised at the run's own time step, with the states that it started from.
    start, duration : float
        Of the run, in seconds.
    seed : int
        Of the run in floating point that shows how large states become.
    """

    def __init__(
        self,
        objects: Sequence[BrianObject],
        namespace: Mapping[str, Any],
        ran: IdealNetwork,
        start: float,
        duration: float,
        seed: int = 0,
    ) -> None:
        self._objects = [weakref.ref(obj) for obj in objects if obj.active]
        self._namespace = {k: v for k, v in namespace.items() if _is_constant(v)}
        self._ran = ran
        self._start, self._duration, self._seed = start, duration, seed

    @property
    def present(self) -> float:
        """The time step of the run, in seconds."""
        return self._ran.dt

    def __call__(self, dt: float) -> Retimed:
        """The model with a time step of ``dt`` seconds, and the ranges of its states.

        Raises
        ------
        NotSupported, ChipLimit
            It can't have this time step; the message says why.
        RuntimeError
            The objects of the run are gone.
        """
        objects = self._alive()
        for obj in objects:
            _refuse_crowded(obj, dt)
        first, steps = int(round(self._start / dt)), int(round(self._duration / dt))
        with _stepping(objects, self.present, dt), remembered_integrators():
            try:
                found = recognise(objects, self._namespace, first, max(steps, RANGE_STEPS))
            except BrianLavaError:
                raise
            except (ValueError, NotImplementedError) as problem:  # Brian2's own refusals
                raise NotSupported(str(problem)) from problem
        ideal = replace(
            found.ideal,
            dt=dt,
            populations=self._started(found.ideal),
            projections=tuple(map(self._unlearned, found.ideal.projections)),
        )
        if ideal.populations:
            ideal = float_ranges(ideal, self._range_steps(ideal), seed=self._seed)
        moved = [_moved(obj, dt) for obj in objects]
        flags = [f"'{obj.name}': {told}" for obj in objects for told in _vanished(obj, dt)]
        return Retimed(ideal, max(moved, default=0.0), tuple(flags))

    def _alive(self) -> list[BrianObject]:
        objects = [reference() for reference in self._objects]
        alive = [obj for obj in objects if obj is not None]
        if len(alive) < len(objects):
            raise RuntimeError(
                "report(dt_scan=...): objects of the last run have been deleted, so the model can't"
                " be looked at with another time step. Ask while they are there."
            )
        return alive

    def _range_steps(self, ideal: IdealNetwork) -> int:
        """As much of the model's time as the run's own ranges come from, within twice its steps."""
        usual = range_steps(ideal)
        return int(np.clip(round(usual * self.present / ideal.dt), 1, 2 * usual))

    def _started(self, ideal: IdealNetwork) -> tuple[IdealPopulation, ...]:
        """Populations with the states in which the run began, not those in which it ended."""
        before = {population.name: population for population in self._ran.populations}
        return tuple(
            replace(
                population,
                initial=_initial(population, before.get(population.name), self.present / ideal.dt),
            )
            for population in ideal.populations
        )

    def _unlearned(self, projection: IdealProjection) -> IdealProjection:
        """Synapses that learn have the weights with which the run began, too."""
        before = next((p for p in self._ran.projections if p.name == projection.name), None)
        if projection.learning is None or before is None:
            return projection
        if before.weights.shape != projection.weights.shape:
            return projection
        weights = _over(before.weights, _gains(before)) * _gains(projection)
        return replace(projection, weights=real(weights))


def _gains(projection: IdealProjection) -> Reals:
    """What the user's weight is multiplied with, at each synapse."""
    gain = projection.unit_gain
    return np.asarray(gain[projection.post] if np.ndim(gain) else gain, np.float64)


def time_steps(given: Any) -> list[float]:
    """``[0.1*ms, 1*ms]`` or ``[0.1, 1]*ms`` in seconds.

    Raises
    ------
    OptionError
        Something that is no time.
    """
    items: Any = given
    if isinstance(given, Quantity):
        items = [Quantity(value, dim=given.dim) for value in np.ravel(np.asarray(given))]
    if isinstance(items, str) or not isinstance(items, Sequence) or not items:
        raise OptionError(f"dt_scan={given!r}: True or times such as [0.1*ms, 1*ms] are needed.")
    for item in items:
        if not (isinstance(item, Quantity) and have_same_dimensions(item, second)):
            raise OptionError(f"dt_scan: {item!r} is no time; times such as 0.1*ms are needed.")
    return [float(item) for item in items]


def _is_constant(value: Any) -> bool:
    """What Brian2 takes from a namespace; an array of it would keep the user's data alive."""
    if isinstance(value, Function):
        return True
    number = isinstance(value, Number | np.generic | np.ndarray)
    return number and getattr(value, "shape", ()) == ()


@contextmanager
def _stepping(objects: Sequence[BrianObject], present: float, dt: float) -> Iterator[None]:
    """Clocks that tick with ``present`` say ``dt`` inside."""
    clocks = {obj.clock.name: obj.clock for obj in objects}
    variables = [clock.variables["dt"] for clock in clocks.values() if float(clock.dt_) == present]
    try:
        for variable in variables:
            variable.get_value()[:] = dt
        yield
    finally:
        for variable in variables:
            variable.get_value()[:] = present


# ---------------------------------------------------------------- states at the start
def _initial(
    population: IdealPopulation, before: IdealPopulation | None, ratio: float
) -> Mapping[str, Reals]:
    """The states of the run's start in the units of another time step."""
    if before is None or before.model != population.model:
        return population.initial
    links = {link.state: link for link in population.links}
    then = {link.state: link for link in before.links}
    initial = dict(population.initial)
    initial.pop("blocked", None)
    for state, values in before.initial.items():
        if state == "blocked":
            initial[state] = real(np.rint(values * ratio))
        elif state in links and state in then:
            new = _per_user(population, links[state])
            initial[state] = real(_over(values, _per_user(before, then[state])) * new)
    return initial


def _per_user(population: IdealPopulation, link: StateLink) -> Reals:
    """What a state has for a unit of the user's variable, before the first step."""
    decay = population.quantity(link.state.replace("u", "du", 1)) if link.ahead else None
    kept = 1.0 if decay is None else 1.0 - decay.value
    return _over(link.gain, kept)


def _over(values: Any, by: Any) -> Reals:
    """0 where nothing is kept."""
    values, by = np.broadcast_arrays(np.asarray(values, np.float64), np.asarray(by, np.float64))
    return np.divide(values, by, out=np.zeros(values.shape), where=by != 0)


# ---------------------------------------------------------------- times at whole steps
def _refuse_crowded(obj: BrianObject, dt: float) -> None:
    """Two spikes of a source in one step, or a period between steps."""
    if not isinstance(obj, SpikeGeneratorGroup):
        return
    times, neurons = _spikes(obj)
    bins = np.floor(times / dt + 1e-3).astype(np.int64)
    if len(np.unique(np.stack([bins, neurons]), axis=1).T) < len(bins):
        raise NotSupported(
            f"SpikeGeneratorGroup '{obj.name}': with steps of {dt:.6g} s some neuron spikes more"
            " than once in a step. Use a shorter time step."
        )
    period = float(np.ravel(obj.variables["period"].get_value())[0])
    if np.isfinite(period) and abs(round(period / dt) - period / dt) > 1e-6:
        raise NotSupported(
            f"SpikeGeneratorGroup '{obj.name}': its period of {period:.6g} s is no multiple of"
            f" steps of {dt:.6g} s."
        )


def _spikes(obj: Any) -> tuple[Any, Any]:
    return (
        np.asarray(obj.variables["spike_time"].get_value(), np.float64),
        np.asarray(obj.variables["neuron_index"].get_value(), np.int64),
    )


def _given_times(obj: Any) -> Any:
    """Seconds that have to become whole steps: of a pathway, or a refractory period."""
    if isinstance(obj, SynapticPathway):
        return np.asarray(obj.variables["delay"].get_value(), np.float64).ravel()
    if isinstance(obj, NeuronGroup) and obj._refractory is not False:
        given = obj._refractory
        if isinstance(given, Quantity):
            return np.asarray(given, np.float64).ravel()
        if given in obj.variables:
            return np.asarray(obj.variables[given].get_value(), np.float64).ravel()
    return np.zeros(0)


def _whole(obj: Any, times: Any, dt: float) -> Any:
    """As Brian2 rounds delays and refractory periods."""
    if isinstance(obj, SynapticPathway):
        return np.floor(times / dt + 0.5)
    return np.atleast_1d(timestep(times, dt))


def _moved(obj: Any, dt: float) -> float:
    """The most by which times of an object move, in seconds; 0 below rounding errors."""
    if isinstance(obj, SpikeGeneratorGroup):
        times = _spikes(obj)[0]
        steps = np.floor(times / dt + 1e-3)
    else:
        times = _given_times(obj)
        steps = _whole(obj, times, dt)
    most = float(np.abs(steps * dt - times).max(initial=0.0))
    return most if most > 2e-3 * dt else 0.0


def _vanished(obj: Any, dt: float) -> Iterator[str]:
    times = _given_times(obj)
    lost = int(np.count_nonzero((times > 0) & (_whole(obj, times, dt) == 0)))
    what = "delays" if isinstance(obj, SynapticPathway) else "refractory periods"
    if lost:
        yield f"{lost} of {len(times)} {what} become 0 steps"
