"""What quantisation costs a population: head-room, time constants, bounds of the errors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from brian2lava.chip.ideal import IdealPopulation
from brian2lava.chip.limits import DECAY_UNITY, STATE_MAX
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise.compensation import VOLTAGE_DECAYS
from brian2lava.chip.quantise.kinds import relative_error, worst
from brian2lava.chip.quantise.registers import Filled, is_level, threshold_of
from brian2lava.chip.quantise.result import Costs
from brian2lava.chip.quantise.rotation import damping_and_angle
from brian2lava.chip.quantise.search import input_bits


def costs_of(
    population: IdealPopulation,
    filled: Filled,
    scale: float,
    input_errors: Mapping[str, float],
    limits: Mapping[str, float],
    chip: str,
    profile: Arithmetic,
) -> Costs:
    """The costs of one population.

    ``input_errors``: worst relative error of what comes into each port; ``limits``: the greatest
    scale by what bounds it.
    """
    bound_u = _bound_u(population, filled, scale, input_errors, profile)
    bound_v = _bound_v(population, filled, scale, bound_u)
    time_constants = _time_constants(population, filled, profile)
    if population.quantity("sin_decay") is not None:
        time_constants |= resonance_errors(population, filled)
        bound_v = _bound_of_rotation(filled, bound_u)
    threshold = threshold_of(population) * scale
    return Costs(
        population=population.name,
        scale=scale,
        bounded_by=min(limits, key=lambda name: limits[name], default="nothing"),
        headroom=_headroom(population, scale, chip, profile),
        time_constants=time_constants,
        bound_u=bound_u,
        bound_v=bound_v,
        bound_share=bound_v / threshold if threshold else np.nan,
    )


def _headroom(population: IdealPopulation, scale: float, chip: str, profile: Arithmetic) -> float:
    rooms = [
        STATE_MAX / (scale * peak)
        for state in population.neuron.states
        if is_level(state) and (peak := _peak(population, state.name))
    ]
    bits = input_bits(chip, profile)
    if bits is not None:
        rooms += [
            ((1 << bits) - 1) / (scale * peak)
            for port in population.neuron.ports
            if (peak := _peak(population, port))
        ]
    if rooms:
        return min(rooms)
    return np.inf if population.ranges else np.nan


def _peak(population: IdealPopulation, name: str) -> float:
    return max(map(abs, population.ranges.get(name, (0.0, 0.0))))


def _time_constants(
    population: IdealPopulation, filled: Filled, profile: Arithmetic
) -> dict[str, float]:
    """Relative errors: a decay that is too small makes a time constant that is too long."""
    errors = {}
    for quantity in population.quantities:
        if quantity.kind in ("decay", "current_decay"):
            offset = profile.decay_offset if quantity.kind == "current_decay" else 0
            decay = (filled.population.registers[quantity.register] + offset) / DECAY_UNITY
            with np.errstate(divide="ignore", invalid="ignore"):
                errors[quantity.register] = worst(relative_error(1 / quantity.value, 1 / decay)) \
                    if np.all(quantity.value) else 0.0  # fmt: skip
    return errors


def _bound_u(
    population: IdealPopulation,
    filled: Filled,
    scale: float,
    input_errors: Mapping[str, float],
    profile: Arithmetic,
) -> float:
    """E_u <= 4096/d_u + input error, of all currents together.

    The input error is the worst relative error of the weights times the largest current.
    """
    bound = 0.0
    for quantity in population.quantities:
        if quantity.kind == "current_decay":
            decay = filled.population.registers[quantity.register] + profile.decay_offset
            bound += _steps_of_memory(float(np.min(decay, initial=DECAY_UNITY)))
    for port, error in input_errors.items():
        peak = _peak(population, _current(population, port))
        bound += min(error, 1.0) * peak * scale
    return bound


def _current(population: IdealPopulation, port: str) -> str:
    """What the ranges call the current behind a port: the port itself where there is none."""
    if not any(quantity.kind == "current_decay" for quantity in population.quantities):
        return port
    states = [state.name for state in population.neuron.states if state.port == port]
    return next((name for name in states if name in population.ranges), port)


def _steps_of_memory(decay: float) -> float:
    """4096/d: how many truncations of one unit each can add up; none where all is lost at once."""
    if decay >= DECAY_UNITY:
        return 0.0
    return DECAY_UNITY / decay if decay else 0.0  # without decay nothing is truncated


def _bound_v(population: IdealPopulation, filled: Filled, scale: float, bound_u: float) -> float:
    """E_v <= (4096/d_v) (1 + E_u + E_bias)."""
    arrives = bound_u + _bias_error(population, filled, scale)
    names = [name for name in VOLTAGE_DECAYS if name in filled.population.registers]
    decay = min((float(np.min(filled.population.registers[n], initial=4096)) for n in names),
                default=0.0)  # fmt: skip
    if not decay:
        return np.inf if arrives else 0.0
    return DECAY_UNITY / decay * (1 + arrives)


def _bias_error(population: IdealPopulation, filled: Filled, scale: float) -> float:
    quantity = population.quantity("bias")
    if quantity is None:
        return 0.0
    registers = filled.population.registers
    integers = registers["bias_mant"] * np.exp2(registers["bias_exp"])
    return float(np.abs(integers - quantity.value * scale).max(initial=0.0))


def resonance_errors(population: IdealPopulation, filled: Filled) -> dict[str, float]:
    """Relative errors of a resonator's damping (what a step loses) and period."""
    sine, cosine = population.quantity("sin_decay"), population.quantity("cos_decay")
    assert sine is not None and cosine is not None
    damping, angle = damping_and_angle(sine.value, cosine.value)
    registers = filled.population.registers
    unit = np.exp2(registers["decay_bits"])
    damping_meant, angle_meant = damping_and_angle(
        registers["sin_decay"] / unit, registers["cos_decay"] / unit
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "damping": worst(relative_error(damping, damping_meant)),
            "period": worst(relative_error(1 / angle, 1 / angle_meant)),
        }


def _bound_of_rotation(filled: Filled, arrives: float) -> float:
    """E <= (2 sqrt(2) + input error) / (1 - rho): each part truncates two products a step."""
    registers = filled.population.registers
    sine, cosine = registers["sin_decay"], registers["cos_decay"]
    lost = 1 - np.hypot(sine, cosine) / np.exp2(registers["decay_bits"])
    least = float(np.min(lost, initial=1.0))
    return (2 * np.sqrt(2) + arrives) / least if least > 0 else np.inf
