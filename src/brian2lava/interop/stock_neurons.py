"""Which chip populations are Lava's own neuron processes, and with which arguments."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brian2lava.chip.limits import DECAY_UNITY
from brian2lava.chip.network import Population
from brian2lava.chip.plain_steps import initial_states
from brian2lava.chip.profiles import LAVA, Arithmetic

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Stock:
    """How a chip model is one of Lava's fixed-point processes.

    Attributes
    ----------
    arguments : function of the registers (an int, or an array) -> arguments of the process
    by_neuron : frozenset of str
        Registers that the process takes one a neuron.
    initial : tuple of str
        States whose values before the first step the process takes.
    exact : tuple of str
        Variables that are set to the register of that name after the process is made.
    absent : frozenset of str
        Registers and states that the process lacks: stock only where they are 0.
    """

    arguments: Callable[[Mapping[str, Any]], Arguments]
    by_neuron: frozenset[str]
    initial: tuple[str, ...]
    exact: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset({"refractory", "blocked", "noise_exp", "word"})


def _as_given(*names: str) -> Callable[[Mapping[str, Any]], Arguments]:
    return lambda registers: {name: registers[name] for name in names}


def _adaptive(registers: Mapping[str, Any]) -> Arguments:
    """Decays as fractions k/4096, always floats: Lava's product overflows with an int."""
    decays = ("delta_i", "delta_v", "delta_theta", "delta_r")
    others = ("theta_0", "theta_step", "bias_mant", "bias_exp")
    return {
        **{name: registers[name] / DECAY_UNITY for name in decays},
        **{name: registers[name] for name in others},
    }


def _resonator(registers: Mapping[str, Any]) -> Arguments:
    """Period and loss that turn by the registers' sine and cosine, exact but for rounding."""
    sine, cosine = registers["sin_decay"], registers["cos_decay"]
    unity = 1 << registers["decay_bits"]
    angle = math.atan2(sine, cosine) % (2 * math.pi)
    exponent = registers["state_exp"]
    return {
        "period": 2 * math.pi / angle if angle else math.inf,
        "alpha": 1 - math.hypot(sine, cosine) / unity,
        "state_exp": exponent,
        "decay_bits": registers["decay_bits"],
        "vth": registers["vth"] / (1 << exponent) if exponent else registers["vth"],
    }


_BIAS = frozenset({"bias_mant", "bias_exp"})
_DECAYS = frozenset({"du", "dv"})
_RESONATOR = Stock(_resonator, frozenset(), ("real", "imag"), ("sin_decay", "cos_decay", "vth"))

#: Chip model -> Lava's process.
STOCK: dict[str, Stock] = {
    "LIF": Stock(
        _as_given("du", "dv", "vth", "bias_mant", "bias_exp"),
        _BIAS | _DECAYS | {"vth"},
        ("u", "v"),
    ),
    "LIFReset": Stock(
        _as_given("du", "dv", "vth", "bias_mant", "bias_exp", "reset_interval", "reset_offset"),
        _BIAS | _DECAYS | {"vth"},
        ("u", "v"),
    ),
    "TernaryLIF": Stock(
        _as_given("du", "dv", "vth_hi", "vth_lo", "bias_mant", "bias_exp"),
        _BIAS | _DECAYS,
        ("u", "v"),
    ),
    "ATRLIF": Stock(_adaptive, _BIAS, ("i", "v", "r")),
    "RF": _RESONATOR,
    "RF_IZ": _RESONATOR,
}


def why_ours(population: Population, arithmetic: Arithmetic) -> str:
    """Why a population cannot be Lava's own process; empty where it can."""
    stock = STOCK.get(population.model)
    if stock is None or population.neuron.lava is None:
        return f"Lava has no fixed-point process {population.model}"
    if arithmetic != LAVA:
        return f"Lava's processes compute in the arithmetic 'lava', not {arithmetic.name!r}"
    given = {**population.registers, **population.initial}
    for name in sorted(stock.absent & given.keys()):
        if np.any(given[name]):
            return f"Lava's {population.model} has no {name!r}"
    computed = initial_states(replace(population, initial={}), arithmetic)
    for state in population.neuron.states:
        begins = population.initial.get(state.name) if state.initial is not None else None
        if begins is not None and np.any(begins != computed[state.name]):
            return f"Lava's {population.model} begins with a {state.name!r} of its own"
    for name, values in population.registers.items():
        if np.ndim(values) and np.any(values != values[0]) and name not in stock.by_neuron:
            return f"Lava's {population.model} has one {name!r} for all neurons"
    return ""


def stock_process(population: Population) -> Any:
    """Lava's own process for ``population`` (see :func:`why_ours`)."""
    module, _, name = str(population.neuron.lava).rpartition(".")
    process = getattr(importlib.import_module(module), name)(
        shape=(population.size,), name=population.name, **stock_arguments(population)
    )
    for variable, values in stock_settings(population).items():
        getattr(process, variable).init = values
    return process


def stock_arguments(population: Population) -> Arguments:
    """What Lava's own process is made with, beside its shape and name."""
    registers = {name: _plain(values) for name, values in population.registers.items()}
    return dict(STOCK[population.model].arguments(registers))


def stock_settings(population: Population) -> Arguments:
    """Variables of Lava's own process that are set once it is made, by name."""
    stock = STOCK[population.model]
    exact = {name: _plain(population.registers[name]) for name in stock.exact}
    initial = {
        state: _plain(population.initial[state])
        for state in stock.initial
        if state in population.initial
    }
    return {**exact, **initial}


def _plain(values: Any) -> Any:
    """One int where all neurons have the same (never a NumPy scalar, never a float)."""
    array = np.asarray(values)
    if array.ndim == 0:
        return int(array)
    return int(array[0]) if array.size and np.all(array == array[0]) else array.copy()
