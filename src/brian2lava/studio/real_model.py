"""A chip neuron's equations in double precision: what it would do without rounding or width.

The step is the model's own (:class:`brian2lava.chip.models.neuron.Step`); each integer operation
is replaced by its real meaning, as :mod:`brian2lava.chip.quantise.real_arithmetic` defines it, and
the whole is compiled, so that a moved slider does not wait for it.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import Call, Expression, Name, Number
from brian2lava.chip.limits import DECAY_UNITY, STATE_MAX
from brian2lava.chip.models import MODELS
from brian2lava.chip.models.neuron import NeuronModel, Step
from brian2lava.chip.profiles import LAVA
from brian2lava.chip.quantise.real_arithmetic import evaluate_real
from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler
from brian2lava.errors import CompileError, NotSupported

#: Registers of noise: what fires by chance is not fitted, so they are 0.
NOISE = frozenset({"noise_exp", "noise_at_u"})
_FLAGS = ("-O2", "-ffp-contract=off")


def _clip(x: str, low: str, high: str) -> str:
    """The ends of a state's word have no real meaning; other bounds have."""
    bounded = x if low == f"({-STATE_MAX}.0)" else f"std::fmax({x}, {low})"
    return bounded if high == f"{STATE_MAX}.0" else f"std::fmin({bounded}, {high})"


#: C++ of the real meaning, by the operation's name in ``brian2lava.chip.arithmetic.ROWS``.
_REAL_C: Mapping[str, Callable[..., str]] = {
    "add": lambda x, y: f"({x} + {y})",
    "subtract": lambda x, y: f"({x} - {y})",
    "multiply": lambda x, y: f"({x} * {y})",
    "shift_left": lambda x, bits: f"({x} * std::exp2({bits}))",
    "shift_right": lambda x, bits: f"({x} * std::exp2(-{bits}))",
    "shift": lambda x, bits: f"({x} * std::exp2({bits}))",
    "remainder": lambda x, y: f"std::fmod({x}, {y})",
    "greater": lambda x, y: f"(double)({x} > {y})",
    "greater_or_equal": lambda x, y: f"(double)({x} >= {y})",
    "equal": lambda x, y: f"(double)({x} == {y})",
    "both": lambda x, y: f"(double)({x} != 0 && {y} != 0)",
    "either": lambda x, y: f"(double)({x} != 0 || {y} != 0)",
    "negation": lambda x: f"(double)({x} == 0)",
    "select": lambda x, y, z: f"({x} != 0 ? {y} : {z})",
    "decay": lambda x, d: f"({x} * (1 - {d} / {DECAY_UNITY}.0))",
    "rotate": lambda x, f, y, g, bits, more: (
        f"(({x} * {f} + {y} * {g}) * std::exp2(-{bits}) + {more})"
    ),
    "wrap_once": lambda x: x,
    "wrap_modulo": lambda x, bits: x,
    "clip": _clip,
}


@dataclass(frozen=True)
class RealOutcome:
    """What the real model did.

    Attributes
    ----------
    spikes : array of int32
        Steps in which it fired, counted from 0.
    traces : dict of str to array of float64, shape (steps,)
    """

    spikes: Any
    traces: Mapping[str, Any]


def run_real(
    model: str,
    registers: Mapping[str, float],
    arriving: Any,
    own: float = 0.0,
    share: float = 0.0,
) -> RealOutcome:
    """Run a chip neuron in doubles from rest.

    Parameters
    ----------
    model : str
        A name in ``brian2lava.chip.models.MODELS``.
    registers : mapping of register to number
        Need not be whole; those left out have their default.
    arriving : array of float64, shape (steps,)
        What the synapse brings to the first port in each step, before the chip's alignment.
    own : float
        What a spike brings to the last port in the next step: a synapse of the neuron onto itself.
    share : float
        What of ``arriving`` a second port gets beside the first.
    """
    neuron = MODELS[model]
    values: dict[str, Any] = {r.name: float(r.default) for r in neuron.registers}
    values |= {name: float(value) for name, value in registers.items()}
    for name, expression in neuron.derived(LAVA).items():
        values[name] = float(evaluate_real(expression, values))
    rests = values.get("refractory", 0.0) != 0
    states, parameters, library = _compiled(model, rests)
    first = np.zeros(len(states))
    initial = {state.name: state.initial for state in neuron.states}
    for k, name in enumerate(states):
        begin = initial[name]
        if begin is not None:
            first[k] = evaluate_real(begin, values)
    arriving = np.ascontiguousarray(arriving, np.float64)
    numbers = np.array([values[name] for name in parameters] or [0.0])
    traces = np.empty((len(states), arriving.size))
    fired = np.empty(arriving.size, np.uint8)
    library.b2l_real(
        ctypes.c_int64(arriving.size),
        ctypes.c_double(own),
        ctypes.c_double(share),
        *(ctypes.c_void_p(a.ctypes.data) for a in (numbers, first, arriving, traces, fired)),
    )
    return RealOutcome(np.flatnonzero(fired).astype(np.int32), dict(zip(states, traces)))


@functools.lru_cache(maxsize=64)
def _compiled(model: str, rests: bool) -> tuple[tuple[str, ...], tuple[str, ...], Any]:
    compiler = find_compiler()
    if compiler is None:
        raise CompileError(
            "the studio needs a C++ compiler, and none was found; install g++ (Debian: apt install"
            " g++)."
        )
    neuron = MODELS[model]
    step = neuron.step(LAVA, NOISE if rests else NOISE | {"refractory"})
    changed = {name for name, _ in (*step.assignments, *step.after)}
    states = tuple(state.name for state in neuron.states if state.name in changed)
    parameters = (*(r.name for r in neuron.registers), *neuron.derived(LAVA))
    text = _TEXT.format(
        states=len(states),
        load="\n".join(
            [f"const double {name} = parameter[{k}];" for k, name in enumerate(parameters)]
            + [f"double {name} = state[{k}];" for k, name in enumerate(states)]
        ),
        step="\n".join(_lines(neuron, step, states)),
        unused=" ".join(f"(void){name};" for name in parameters),
    )
    library = ctypes.CDLL(str(build(text, Toolchain(compiler, _FLAGS)).path))
    library.b2l_real.restype = None
    return states, parameters, library


def _lines(neuron: NeuronModel, step: Step, states: tuple[str, ...]) -> list[str]:
    brought = dict.fromkeys(neuron.ports, "0") | {neuron.ports[0]: "arriving[n]"}
    if len(neuron.ports) > 1:
        brought[neuron.ports[-1]] = "share * arriving[n]"
    brought[neuron.ports[-1]] += " + own * before"
    lines = [f"const double {port} = {text};" for port, text in brought.items()]
    if neuron.clock:
        lines.append("const double t = (double)(n + 1);")
    declared = set(states)
    for name, expression in step.assignments:
        kind = "" if name in declared else "double "
        declared.add(name)
        lines.append(f"{kind}{name} = {_as_real_c(expression)};")
    lines.append(f"const double fired = {_as_real_c(step.fired)};")
    lines += [f"const double {n}_after = {_as_real_c(e)};" for n, e in step.after]
    after = {name for name, _ in step.after}
    for k, name in enumerate(states):
        value = f"{name}_after" if name in after else name
        lines.append(f"state[{k}] = traces[{k} * steps + n] = {value};")
    return lines


def _as_real_c(expression: Expression) -> str:
    if isinstance(expression, Number):
        return f"{expression.value}.0" if expression.value >= 0 else f"({expression.value}.0)"
    if isinstance(expression, Name):
        return expression.name
    assert isinstance(expression, Call)
    if expression.row.name not in _REAL_C:
        raise NotSupported(
            f"the operation {expression.row.name!r} ({expression.row.formula}) has no meaning in"
            " real numbers, so the model that uses it cannot run in floating point."
        )
    return _REAL_C[expression.row.name](*map(_as_real_c, expression.operands))


_TEXT = """
#include <cmath>
#include <cstdint>
extern "C" void b2l_real(int64_t steps, double own, double share, const double *parameter,
                         double *state, const double *arriving, double *traces, uint8_t *spiked) {{
    (void)parameter; (void)share;
    double before = 0;
    for (int64_t n = 0; n < steps; n++) {{
        {load}
        {unused}
        {step}
        spiked[n] = fired != 0;
        before = fired;
    }}
}}
"""
