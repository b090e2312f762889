"""Targets from equations: simulate a neuron under a stimulus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.target.brian2_code import (
    identifiers_in,
    kernel_of,
    parameters_in,
    runtime_device,
    same_dimensions,
    value_of,
)
from brian2lava.fit.target.equations import NeuronEquations, Value
from brian2lava.fit.target.models import target_model
from brian2lava.fit.target.stimuli import Stimulus
from brian2lava.fit.target.target import Sweep, Target

#: One stimulus, or one a sweep; an array is samples, one a time step.
Stimuli = Stimulus | Sequence[Any] | Any


def model_target(
    name: str,
    pattern: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    stimulus: Stimuli | None = None,
    dt: float | None = None,
    method: str | None = None,
    **spans: Any,
) -> Target:
    """What a neuron of the literature does.

    Parameters
    ----------
    name : str
        A model of ``TARGET_MODELS``.
    pattern : str, optional
        One of its firing patterns; it brings a stimulus.
    parameters : dict, optional
        Other values: numbers in SI base units, or Brian2 quantities.
    stimulus : Stimulus, array, or a list of those (one a sweep), optional
        In ampere, or without unit for Izhikevich's model.
    dt : float
        Seconds between samples of the target: 0.1 ms, or the step that a pattern needs, unless
        given. Stiff models take smaller steps in between.
    method : str, optional
        Brian2's name of an integrator.
    **spans
        ``train`` and ``held_out``, as for :class:`Target`.

    Raises
    ------
    FitError
        A name, pattern or parameter that does not exist.
    """
    model = target_model(name)
    step = model.step(pattern) if dt is None else dt
    if pattern is not None:
        model = model.with_pattern(pattern)
    neuron = model.neuron
    if parameters:
        neuron = neuron.with_parameters(_numbers(neuron, parameters))
    if method is not None:
        neuron = replace(neuron, method=method)
    title = neuron.name if pattern is None else f"{neuron.name}, {model_pattern(name, pattern)}"
    shown = model.stimulus if stimulus is None else stimulus
    return simulated(neuron, shown, step, model.substeps, title, **spans)


def model_pattern(name: str, pattern: str) -> str:
    """The full name of a pattern."""
    return target_model(name).pattern(pattern).name


def equations_target(
    equations: str,
    threshold: str,
    reset: str,
    stimulus: Stimuli,
    namespace: Mapping[str, Any] | None = None,
    *,
    refractory: Any = None,
    initial: Mapping[str, Any] | None = None,
    input: str = "I",
    input_unit: str = "amp",
    voltage: str = "v",
    method: str = "",
    dt: float = 1e-4,
    substeps: int = 1,
    name: str = "equations",
    **spans: Any,
) -> Target:
    """What a neuron of one's own does.

    Parameters
    ----------
    equations, threshold, reset : str
        As for a ``NeuronGroup``.
    stimulus : Stimulus, array, or a list of those (one a sweep)
    namespace : dict
        Values of all constants: numbers, or Brian2 quantities. Nothing else is looked up.
    refractory : quantity or str, optional
    initial : dict, optional
        First values: quantities, numbers, or expressions of parameters.
    input, input_unit : str
        The variable that the stimulus is. It needs no line in the equations.
    voltage : str
        The variable that is the voltage; empty if none is.
    method : str
        Brian2's name of an integrator; empty: Brian2 chooses.
    dt, substeps
        Seconds between samples, and steps of the simulation between two.

    Raises
    ------
    FitError
        Brian2 refuses the equations, a constant has no value, or something is random.
    """
    neuron = neuron_equations(
        equations, threshold, reset, namespace, refractory=refractory, initial=initial, input=input,
        input_unit=input_unit, voltage=voltage, method=method, name=name,
    )  # fmt: skip
    return simulated(neuron, stimulus, dt, substeps, name, **spans)


def neuron_equations(
    equations: str,
    threshold: str = "",
    reset: str = "",
    namespace: Mapping[str, Any] | None = None,
    *,
    refractory: Any = None,
    initial: Mapping[str, Any] | None = None,
    input: str = "I",
    input_unit: str = "amp",
    voltage: str = "v",
    method: str = "",
    name: str = "equations",
) -> NeuronEquations:
    """One's own equations, with the constants that they use; see :func:`equations_target`."""
    with runtime_device():
        declared = parameters_in(equations)
        for key, value in {"equations": equations, "threshold": threshold, "reset": reset}.items():
            if not isinstance(value, str):
                raise FitError(f"{name}: {key} is {value!r}; a text is needed.")
        given = dict(namespace or {})
        firsts = {key: _as_expression(f"{key}_0", v, given) for key, v in (initial or {}).items()}
        rest = "" if refractory is None else _as_expression("tref", refractory, given)
        used = identifiers_in(equations, threshold, reset, rest, *firsts.values())
        values = {
            key: value_of(value) for key, value in given.items() if key in used and key != input
        }
        for key, number in values.items():
            if key in declared and not same_dimensions(declared[key], number.unit):
                raise FitError(
                    f"{name}: {key!r} is declared in {declared[key]}, and given in {number.unit}."
                )
        unit = declared.get(input, input_unit)
    return NeuronEquations(
        name=name, equations=equations, threshold=threshold, reset=reset, parameters=values,
        refractory=rest, initial=firsts, input=input, input_unit=unit, voltage=voltage,
        method=method, source="the user's equations",
    )  # fmt: skip


def simulated(
    neuron: NeuronEquations,
    stimulus: Stimuli,
    dt: float = 1e-4,
    substeps: int = 1,
    name: str | None = None,
    **spans: Any,
) -> Target:
    """A target from a neuron; ``substeps`` steps of the simulation between two samples."""
    sweeps = tuple(simulate(neuron, samples, dt, substeps) for samples in currents(stimulus, dt))
    values = ", ".join(f"{key}={value.number:g} {value.unit}"
                       for key, value in neuron.parameters.items())  # fmt: skip
    return Target(
        name=name or neuron.name,
        dt=dt,
        sweeps=sweeps,
        unit={"amp": "A", "ampere": "A"}.get(neuron.input_unit, neuron.input_unit),
        source=f"{neuron.source}; {values}; {neuron.method or 'automatic integrator'}, steps of"
        f" {dt / substeps:g} s",
        **spans,
    )


def simulate(neuron: NeuronEquations, current: Any, dt: float, substeps: int = 1) -> Sweep:
    """One sweep: spikes, and the voltage at the beginning of each step.

    Raises
    ------
    FitError
        The voltage leaves the numbers: the time step is too long for these parameters.
    """
    if substeps < 1:
        raise FitError(f"{substeps} steps of the simulation in a sample; at least one is needed.")
    kernel = kernel_of(neuron)
    record = [neuron.voltage] if neuron.voltage else []
    run = kernel.run(
        {key: value.number for key, value in neuron.parameters.items()},
        np.repeat(np.asarray(current, np.float64), substeps), dt / substeps, record,
    )  # fmt: skip
    if run.counts[0] > run.spikes.shape[1]:
        raise FitError(
            f"{neuron.name} fires {run.counts[0]} times; {run.spikes.shape[1]} spikes are the most."
            " Weaken the stimulus, or give the neuron a refractory period."
        )
    voltage = None
    if record:
        voltage = run.traces[neuron.voltage][0, ::substeps] * neuron.volt
        wrong = ~np.isfinite(voltage)
        if wrong.any():
            raise FitError(
                f"{neuron.name}: {neuron.voltage} is {voltage[wrong][0]} at"
                f" {np.argmax(wrong) * dt:g} s; take a smaller time step, more substeps, or another"
                " method."
            )
    return Sweep(current, (run.train(0) * (dt / substeps),), voltage)


def currents(stimulus: Stimuli, dt: float) -> list[Any]:
    """Samples of each sweep."""
    if isinstance(stimulus, Stimulus):
        return [stimulus.samples(dt)]
    if isinstance(stimulus, (list, tuple)) and stimulus and not np.isscalar(stimulus[0]):
        return [samples for each in stimulus for samples in currents(each, dt)]
    array = np.asarray(stimulus, np.float64)
    if array.ndim == 2:
        return list(array)
    if array.ndim != 1 or array.size == 0:
        raise FitError(f"a stimulus of shape {array.shape}; a list of numbers, one a step.")
    return [array]


def _numbers(neuron: NeuronEquations, given: Mapping[str, Any]) -> dict[str, float]:
    neuron.check_names(given)
    return {name: quantity(name, value, neuron.parameters[name]) for name, value in given.items()}


def quantity(name: str, given: Any, like: Value) -> float:
    """A number in SI base units; a quantity has to have the unit of ``like``."""
    value = value_of(given)
    if value.unit != "1" and not same_dimensions(value.unit, like.unit):
        raise FitError(f"{name!r} is given in {value.unit}; it is in {like.unit}.")
    return value.number


def _as_expression(name: str, value: Any, namespace: dict[str, Any]) -> str:
    """A text that equations understand; a quantity becomes a constant of its own."""
    if isinstance(value, str):
        return value
    namespace[name] = value
    return name
