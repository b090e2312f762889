"""The registers of one population: every quantity through the row of its kind, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, Reals
from brian2lava.chip.limits import BIAS_MANTISSA, DECAY_UNITY, STATE
from brian2lava.chip.models.neuron import State
from brian2lava.chip.network import Population
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise.kinds import (
    KINDS,
    inward,
    mantissa_and_exponent,
    profile_limit,
    relative_error,
    rounded,
    worst,
)
from brian2lava.chip.quantise.result import ParameterRow, Span
from brian2lava.chip.quantise.rotation import rotation_registers, rotation_rows
from brian2lava.errors import ChipLimit

#: What to do where a scale was given that is too large.
SMALLER = "Use a smaller scale (set_device('lava', scales={'group': ...}), or none)."
#: What to do where a kind's integer does not fit.
REMEDY = {
    "decay": "Use another time step.",
    "current_decay": "Use a longer time step.",
    "threshold": SMALLER,
    "bias": SMALLER,
    "level": SMALLER,
    "rotation": "The oscillation must not grow.",
    "fraction": "A probability lies between 0 and 1.",
    "noise": SMALLER,
    "count": "Use a longer time step, so that fewer steps are counted.",
}
#: The registers that hold what a voltage has to reach.
THRESHOLDS = ("vth", "vth_hi", "theta_0")
#: Of the threshold: initial states below it are nothing that an error could be a part of.
_NEAR_ZERO = 1e-3


@dataclass(frozen=True)
class Filled:
    """A population of the chip and the rows that led to it."""

    population: Population
    rows: tuple[ParameterRow, ...]


def unit_of_input(population: IdealPopulation, port: str) -> str:
    """The text of the unit of the variable that a port's input is added to."""
    behind = {state.name for state in population.neuron.states if state.port == port}
    found = (link.unit for link in population.links if link.state in behind)
    return next(found, unit_of_v(population))


def unit_of_v(population: IdealPopulation) -> str:
    """The text of the unit in which the population's levels are given; "" if none is known."""
    links = sorted(population.links, key=lambda link: link.state != "v")
    level = (link for link in links if np.all(np.abs(link.gain) == 1.0))
    return next((link.unit for link in level), "")


def threshold_of(population: IdealPopulation) -> float:
    """The mean magnitude of the threshold, in the unit of v; 0 if there is none."""
    found = (q for q in population.quantities if q.register in THRESHOLDS)
    first = next(found, None)
    return 0.0 if first is None or not first.value.size else float(np.abs(first.value).mean())


def is_level(state: State) -> bool:
    """Whether a state scales with A (counts of steps and random words do not)."""
    return state.limit == STATE


def fill(
    population: IdealPopulation, scale: float, profile: Arithmetic, dt: float, bias_factor: Reals
) -> Filled:
    """Registers and initial states with the scale A.

    ``bias_factor``: what the population's bias has been multiplied with, see
    :mod:`brian2lava.chip.quantise.compensation`.

    Raises
    ------
    ChipLimit
        A value does not fit; names population, quantity, value, limit and remedy.
    """
    registers: dict[str, Any] = {}
    rows = []
    for quantity in population.quantities:
        check_quantity(population, quantity, dt)
        if quantity.kind == "rotation":
            continue
        made = _register(population, quantity, scale, profile, bias_factor, dt)
        registers.update(made.registers)
        rows.append(_row(population, quantity, made, dt, bias_factor))
    turn = [population.quantity(name) for name in ("sin_decay", "cos_decay")]
    if turn[0] is not None and turn[1] is not None:
        sine, cosine = rotation_registers(turn[0].value, turn[1].value)
        registers |= {"sin_decay": sine, "cos_decay": cosine}
        rows += rotation_rows(population, sine, cosine, dt)
    initial, initial_rows = _initial(population, scale, profile)
    return Filled(
        Population(population.name, population.model, population.size, registers, initial),
        (*rows, *initial_rows),
    )


def check_quantity(population: IdealPopulation, quantity: Quantity, dt: float) -> None:
    """Refuse unknown registers, what is no number, and decays beyond 0..1."""
    what = _what(population, quantity)
    known = [register.name for register in population.neuron.registers]
    if _first(quantity) not in known:
        raise ChipLimit(f"{what}: {population.model} has no such register; it has"
                        f" {', '.join(known)}.")  # fmt: skip
    values = np.ravel(quantity.value)
    broken = ~np.isfinite(values)
    if broken.any():
        raise ChipLimit(f"{what}: {values[broken][0]}; finite numbers are needed.")
    if quantity.kind not in ("decay", "current_decay"):
        return
    wrong = (values < 0) | (values > 1)
    if wrong.any():
        found = float(values[wrong][0])
        meaning = f"a time constant of {dt / found:.6g} s" if found > 1 else "growth"
        raise ChipLimit(
            f"{what}: {found:.6g} of it would be lost a step ({meaning}, with a time step of"
            f" {dt:.6g} s), and the chip can lose 0..1 of it. Use a time constant of at least one"
            " time step, or a shorter time step."
        )


@dataclass(frozen=True)
class _Made:
    registers: Mapping[str, Any]
    integers: Any
    meant: Any
    note: str = ""


def _register(
    population: IdealPopulation,
    quantity: Quantity,
    scale: float,
    profile: Arithmetic,
    bias_factor: Reals,
    dt: float,
) -> _Made:
    kind = KINDS[quantity.kind]
    real = kind.scale(quantity.value, scale, profile)
    if quantity.kind == "bias":
        given = replace(quantity, value=quantity.value / bias_factor)
        return _bias(population, given, real, scale)
    integers, note = rounded(real), ""
    if quantity.kind == "threshold":
        _check_thresholds(population, quantity, integers)
    if quantity.inclusive:
        integers = integers + inward(quantity.register)
        note = "one step of 64 nearer, so that a voltage at the threshold fires, too"
    elif quantity.strict:
        integers, note = integers + 1, "one more, so that a state at the threshold does not fire"
    limit = profile_limit(population.neuron.register(quantity.register).limit, profile)
    if quantity.kind in ("decay", "current_decay"):
        # all of it is lost: the nearest decay leaves 1/4096
        full = (integers == limit.high + 1) & (quantity.value <= 1)
        integers = np.where(full, limit.high, integers)
        note = "1/4096 of it stays" if np.any(full) else ""
        if _offset(quantity, profile) == 0:
            _check_decays(population, quantity, integers, dt)
    limit.check(
        f"{_what(population, quantity)}, {_told(population, quantity)} with the scale"
        f" {scale:.6g}" if kind.scaled else f"{_what(population, quantity)},"
        f" {_told(population, quantity)}",
        integers,
        _remedy(quantity, profile, integers),
    )  # fmt: skip
    return _Made({quantity.register: integers}, integers, kind.unscale(integers, scale, profile),
                 note)  # fmt: skip


def _check_thresholds(population: IdealPopulation, quantity: Quantity, integers: Any) -> None:
    """Refuse thresholds that would be reached by anything: all neurons share one scale."""
    lost = np.broadcast_to((integers == 0) & (quantity.value > 0), (population.size,))
    if not lost.any():
        return
    neuron = int(np.flatnonzero(lost)[0])
    raise ChipLimit(
        f"{_what(population, quantity)}, {_told(population, quantity)}: that of neuron {neuron}"
        " would be 0 in the chip's integers. All neurons of a group share one scale, which is so"
        " small here because some reach far larger voltages, or have far larger drives or levels."
        " Put those into a group of their own, or make them smaller."
    )


def _check_decays(
    population: IdealPopulation, quantity: Quantity, integers: Any, dt: float
) -> None:
    """Refuse time constants that would become no decay at all."""
    lost = np.broadcast_to((integers == 0) & (quantity.value > 0), (population.size,))
    if not lost.any():
        return
    neuron = int(np.flatnonzero(lost)[0])
    taus = dt / quantity.value if quantity.time_constant is None else quantity.time_constant
    tau = float(np.broadcast_to(taus, (population.size,))[neuron])
    longest = 2 * DECAY_UNITY - 1
    raise ChipLimit(
        f"{_what(population, quantity)}: {tau:.6g} s of neuron {neuron} are {tau / dt:,.0f} steps"
        f" of {dt:.6g} s, and a decay is a whole number of {DECAY_UNITY:,}ths a step:"
        f" it would be 0, that is never. The longest is {longest:,} steps"
        f" ({longest * dt:.6g} s), rounded to"
        f" {DECAY_UNITY:,}. Use a longer time step, or leave the decay out of the equation."
    )


def _offset(quantity: Quantity, profile: Arithmetic) -> int:
    return profile.decay_offset if quantity.kind == "current_decay" else 0


def _remedy(quantity: Quantity, profile: Arithmetic, integers: Any) -> str:
    if quantity.kind == "threshold" and np.any(integers < 0):
        return (
            "The chip counts voltages from the reset, and this threshold lies below it"
            + (" (or at it, with >= or <=)" if quantity.inclusive else "")
            + ", so that the neuron would fire in every step. Raise the threshold or lower the"
            " reset."
        )
    if _offset(quantity, profile):
        return (
            "The chip's current loses at least 1/4096 a step, so its time constant is at most 4096"
            " steps. Use a longer time step, or a shorter time constant."
        )
    return REMEDY[quantity.kind]


def _bias(population: IdealPopulation, quantity: Quantity, real: Any, scale: float) -> _Made:
    mantissas, exponents = mantissa_and_exponent(real)
    BIAS_MANTISSA.check(
        f"{_what(population, quantity)}, {_told(population, quantity)} a step with the scale"
        f" {scale:.6g} (exponent 7)",
        mantissas,
        REMEDY["bias"],
    )
    span = Span.of(exponents)
    told = f"{span.low:.0f}" if span.single else f"{span.low:.0f}..{span.high:.0f}"
    return _Made(
        {"bias_mant": mantissas, "bias_exp": exponents},
        mantissas,
        np.asarray(mantissas * np.exp2(exponents) / scale),
        f"exponent {told}",
    )


def _what(population: IdealPopulation, quantity: Quantity) -> str:
    meaning = f" ({quantity.meaning})" if quantity.meaning else ""
    return f"population {population.name!r}, register {quantity.register!r}{meaning}"


def _told(population: IdealPopulation, quantity: Quantity) -> str:
    span = Span.of(quantity.value)
    unit = unit_of_v(population) if KINDS[quantity.kind].scaled else ""
    told = f"{span.low:.6g}" if span.single else f"{span.low:.6g}..{span.high:.6g}"
    return f"{told} {unit}".rstrip()


def time_constants(quantity: Quantity, meant: Any, dt: float) -> tuple[Reals, Reals]:
    """The time constants of a decay: what the user's equations say, and what the register means.

    A decay of Euler's method is dt / tau, of an exact one 1 - exp(-dt / tau); which of the two it
    is shows in the time constant that the equations have. A register of 0 means inf.
    """
    assert quantity.time_constant is not None
    tau = np.asarray(quantity.time_constant, np.float64)
    decay = np.asarray(quantity.value, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        exact, euler = tau * -np.log1p(-decay), tau * decay
        is_exact = np.abs(exact - dt) < np.abs(euler - dt)
        register = np.where(is_exact, exact / -np.log1p(-meant), euler / meant)
    return tau, np.where(np.asarray(meant) == 0, np.inf, register)


def _row(
    population: IdealPopulation, quantity: Quantity, made: _Made, dt: float, factor: Reals
) -> ParameterRow:
    value, meant, unit = quantity.value, made.meant, _unit(population, quantity)
    note = made.note
    if quantity.kind == "bias":
        value, meant = value / factor, meant / factor
        note += "; with the rounded decay" if np.any(factor != 1) else ""
    error = worst(relative_error(value, meant))
    if quantity.time_constant is not None and quantity.kind in ("decay", "current_decay"):
        value, meant = time_constants(quantity, meant, dt)
        unit = "s"
        error = worst(np.where(np.isinf(meant), np.inf, relative_error(value, meant)))
    return ParameterRow(
        object=population.name,
        parameter=quantity.meaning or population.neuron.register(_first(quantity)).meaning,
        value=Span.of(value),
        unit=unit,
        register=", ".join(made.registers),
        integer=Span.of(made.integers),
        meant=Span.of(meant),
        error=error,
        note=note,
    )


def _first(quantity: Quantity) -> str:
    return "bias_mant" if quantity.kind == "bias" else quantity.register


def _unit(population: IdealPopulation, quantity: Quantity) -> str:
    return {
        "decay": "/step",
        "current_decay": "/step",
        "fraction": "",
        "count": "",
        "bias": f"{unit_of_v(population)}/step",
    }.get(quantity.kind, unit_of_v(population))


def check_initial(population: IdealPopulation) -> None:
    """Refuse initial states that are no numbers."""
    for name, values in population.initial.items():
        broken = ~np.isfinite(np.ravel(values))
        if broken.any():
            place = int(np.flatnonzero(broken)[0])
            link = next((link.variable for link in population.links if link.state == name), name)
            raise ChipLimit(
                f"population {population.name!r}, initial {name!r}: neuron {place} begins with"
                f" {np.ravel(values)[place]}; finite numbers are needed. Set {link!r} of that"
                " neuron before the run, and check the parameters that it is made of."
            )


def _initial(
    population: IdealPopulation, scale: float, profile: Arithmetic
) -> tuple[dict[str, Any], list[ParameterRow]]:
    states = {state.name: state for state in population.neuron.states}
    least = _NEAR_ZERO * threshold_of(population)
    initial, rows = {}, []
    for name, values in population.initial.items():
        what = f"population {population.name!r}, initial {name!r}"
        if name not in states:
            raise ChipLimit(
                f"{what}: {population.model} has no such state; it has {', '.join(states)}."
            )
        a = scale if is_level(states[name]) else 1.0
        integers = rounded(values * a)
        if profile.saturate:
            states[name].limit.check(f"{what} with the scale {scale:.6g}", integers, SMALLER)
        initial[name] = integers
        rows.append(
            ParameterRow(
                object=population.name,
                parameter=f"initial {states[name].meaning}",
                value=Span.of(values),
                unit=unit_of_v(population) if is_level(states[name]) else "",
                register=name,
                integer=Span.of(integers),
                meant=Span.of(integers / a),
                error=_initial_error(values, integers / a, least if is_level(states[name]) else 0),
            )
        )
    return initial, rows


def _initial_error(values: Any, meant: Any, least: float) -> float:
    """Of the largest value: a state that starts near 0 has no relative error of its own."""
    largest = max(float(np.abs(values).max(initial=0.0)), least)
    return worst(np.asarray(meant) - values) / largest if largest else 0.0
