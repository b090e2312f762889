"""Candidates of the integrate-and-fire family: LIF and its relatives, ALIF, ATRLIF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT, STATE_MAX, THRESHOLD
from brian2lava.fit.batch import Settings
from brian2lava.fit.candidates.candidate import Candidate, Frame, Parameter
from brian2lava.fit.candidates.pieces import (
    Synapse,
    bias_drive,
    bias_registers,
    decay_register,
    fraction,
    input_per_unit,
    own_synapse,
    steps,
    synapse,
    time_constant,
)

Values = Mapping[str, Any]

TAU_M = Parameter("tau_m", "membrane time constant", "s", 1e-3, 0.2, True, "dv")
TAU_S = Parameter("tau_s", "time constant of the current's filter", "s", 1e-4, 0.03, True, "du")
GAIN = Parameter(
    "gain",
    "thresholds that a steady current of one unit leads to",
    "1/I",
    0.2,
    60.0,
    True,
    "weight",
)
# v is reset to 0, so neurons that rest far below where a spike leaves them need a low one
BIAS = Parameter(
    "bias", "steady level without current", "threshold", -6.0, 0.95, False, "bias_mant"
)
REFRACTORY = Parameter("refractory", "time of rest after a spike", "s", 0.0, 0.02, False,
                       "refractory")  # fmt: skip
#: Where the registers of a model have other names than LIF's.
_LIF_NAMES = {"du": "du", "dv": "dv", "vth": "vth"}
_ATRLIF_NAMES = {"du": "delta_i", "dv": "delta_v", "vth": "theta_0"}
#: Bits that a payload has fewer where it also drives a slow current.
_COARSER = 3


@dataclass(frozen=True)
class _Extra:
    """What a model has beside current, voltage, bias and threshold."""

    parameters: tuple[Parameter, ...]
    registers: Callable[[Values, Frame], dict[str, Any]]
    physical: Callable[[Mapping[str, Any], Frame], dict[str, Any]]


@dataclass(frozen=True)
class _Triggered:
    """A current at the last port, set off by each spike: the neuron's synapse onto itself.

    Where there are two ports it is slow. With a parameter "slow" the stimulus reaches that port,
    too: a linear membrane whose voltage drives an adaptation (AdEx's ``a``) answers a stimulus as
    such a pair of filters does.
    """

    parameters: tuple[Parameter, ...]
    ports: int = 2

    def framed(self, frame: Frame) -> Frame:
        """With smaller payloads where a slow current, whose weight is small, needs larger ones."""
        slow = any(parameter.name == "slow" for parameter in self.parameters)
        return replace(frame, payload=frame.payload >> _COARSER) if slow else frame

    def synapses(self, values: Values, frame: Frame, first: Synapse | None) -> dict[str, Any]:
        """The synapses; ``jump`` is the level at which the current would hold v if it stayed.

        ``first`` brings the stimulus to the first port, if it is a synapse that does.
        """
        dv = fraction(decay_register(values["tau_m"], frame))
        jump, exponent = own_synapse(-np.asarray(values["jump"], np.float64) * dv * frame.threshold)
        if self.ports == 1:
            # a bias leaves the only current without a use, and without a time constant
            return {"own_weights": jump * (first is not None), "own_exponents": exponent}
        nothing = np.zeros_like(jump)
        made = {
            "own_weights": np.stack([nothing, jump]),
            "own_exponents": np.stack([nothing, exponent]),
        }
        if "slow" in values and first is not None:
            du2 = fraction(decay_register(values["tau_w"], frame, offset=1), 1)
            wanted = np.asarray(values["slow"]) * values["gain"] * du2 * dv * frame.threshold
            weight, exponent = own_synapse(wanted / first.scale)
            made["weights"] = np.stack([first.weight, weight])
            made["exponents"] = np.stack([first.exponent, exponent])
        return made

    def physical(self, settings: Settings, frame: Frame) -> dict[str, Any]:
        """What the synapses mean."""
        r = settings.registers
        unity = fraction(r["dv"]) * r["vth"]
        with np.errstate(divide="ignore", invalid="ignore"):
            jump = settings.own_weights[-1] * np.exp2(settings.own_exponents[-1])
            found = {"jump": -jump / unity}
            if any(parameter.name == "slow" for parameter in self.parameters):
                fast, slow = settings.weights * np.exp2(settings.exponents)
                ratio = slow / fraction(r["du2"], 1) / (fast / fraction(r["du"], 1))
                found["slow"] = np.where(fast != 0, ratio, 0.0)
            return found


def _level(values: Any, frame: Frame) -> Any:
    """Multiples of the threshold -> units of the state."""
    whole = np.rint(np.asarray(values, np.float64) * (frame.threshold << ALIGNMENT))
    return np.clip(whole, -STATE_MAX, STATE_MAX).astype(np.int32)


def _of_level(register: Any, frame: Frame) -> Any:
    return np.asarray(register, np.float64) / (frame.threshold << ALIGNMENT)


def _settings(
    model: str,
    names: Mapping[str, str],
    extra: tuple[_Extra, ...],
    triggered: _Triggered | None,
) -> Callable[[Values, Frame], Settings]:
    def to_settings(values: Values, frame: Frame) -> Settings:
        du = decay_register(values["tau_s"], frame, offset=1)
        dv = decay_register(values["tau_m"], frame)
        unity = float(frame.threshold << ALIGNMENT)
        registers: dict[str, Any] = {names["dv"]: dv, names["vth"]: frame.threshold}
        level = np.asarray(values["bias"], np.float64) * fraction(dv) * unity
        if frame.drive == "bias":
            drive = bias_drive(np.asarray(values["gain"]) * fraction(dv) * unity, level, frame)
            registers |= {"bias_mant": drive.bias_mant, "bias_exp": drive.bias_exp, names["du"]: 0}
            made = None
            inputs: dict[str, Any] = {"weights": 0, "exponents": 0, "scale": drive.scale}
        else:
            registers[names["du"]] = du
            registers["bias_mant"], registers["bias_exp"] = bias_registers(level)
            per_unit = np.asarray(values["gain"]) * fraction(du, 1) * fraction(dv) * frame.threshold
            made = synapse(per_unit, frame if triggered is None else triggered.framed(frame))
            inputs = {"weights": made.weight, "exponents": made.exponent, "scale": made.scale}
        for each in extra:
            registers |= each.registers(values, frame)
        if triggered is not None:
            inputs |= triggered.synapses(values, frame, made)
        return Settings(model, registers, **inputs)

    return to_settings


def _physical(
    names: Mapping[str, str], extra: tuple[_Extra, ...], triggered: _Triggered | None
) -> Callable[[Settings, Frame], Values]:
    def to_physical(settings: Settings, frame: Frame) -> Values:
        r = settings.registers
        du, dv, vth = (r[names[name]] for name in ("du", "dv", "vth"))
        unity = np.asarray(vth, np.float64) * (1 << ALIGNMENT)
        with np.errstate(divide="ignore", invalid="ignore"):
            if frame.drive == "bias":
                per_unit = np.exp2(r["bias_exp"]) * settings.scale / (fraction(dv) * unity)
            else:
                arriving = input_per_unit(
                    settings.weights[0], settings.exponents[0], settings.scale
                )
                per_unit = arriving / (fraction(du, 1) * fraction(dv) * vth)
            bias = r["bias_mant"] * np.exp2(r["bias_exp"]) / (fraction(dv) * unity)
        values = {
            "tau_m": time_constant(dv, frame),
            "tau_s": time_constant(du, frame, 1),
            "gain": per_unit,
            "bias": bias,
        }
        for each in extra:
            values |= each.physical(r, frame)
        if triggered is not None:
            values |= triggered.physical(settings, frame)
        return values

    return to_physical


def _candidate(
    name: str,
    title: str,
    model: str,
    extra: tuple[_Extra, ...] = (),
    polish: tuple[str, ...] = (),
    names: Mapping[str, str] = _LIF_NAMES,
    triggered: _Triggered | None = None,
) -> Candidate:
    parameters = (TAU_M, TAU_S, GAIN, BIAS, *(p for each in extra for p in each.parameters))
    parameters += () if triggered is None else triggered.parameters
    return Candidate(
        name=name,
        title=title,
        model=model,
        parameters=tuple(_renamed(p, names) for p in parameters),
        to_settings=_settings(model, names, extra, triggered),
        to_physical=_physical(names, extra, triggered),
        polish=(*(names[n] for n in ("du", "dv", "vth")), "bias_mant", "weight", *polish),
    )


def _renamed(parameter: Parameter, names: Mapping[str, str]) -> Parameter:
    return replace(parameter, register=names.get(parameter.register, parameter.register))


_RESTS = _Extra(
    (REFRACTORY,),
    lambda values, frame: {"refractory": steps(values["refractory"], frame)},
    lambda registers, frame: {"refractory": registers["refractory"] * frame.dt},
)
_RESETS = _Extra(
    (
        Parameter("interval", "time between two resets", "s", 0.01, 2.0, True, "reset_interval"),
        Parameter("offset", "time of the first reset", "s", 0.0, 2.0, False, "reset_offset"),
    ),
    lambda values, frame: {
        "reset_interval": np.maximum(np.rint(np.asarray(values["interval"]) / frame.dt), 1)
        .astype(np.int32),
        "reset_offset": np.rint(np.asarray(values["offset"]) / frame.dt).astype(np.int32),
    },
    lambda registers, frame: {
        "interval": registers["reset_interval"] * frame.dt,
        "offset": registers["reset_offset"] * frame.dt,
    },
)  # fmt: skip


#: Of ALIF's steps: both bounds, and whether the scale is logarithmic.
_RISES = (0.003, 12.0, True)
#: A fast part that spikes lower makes bursts.
_EITHER_WAY = (-2.0, 6.0, False)


def _part(k: str, low: float, high: float, step: tuple[float, float, bool] = _RISES) -> _Extra:
    """One part of ALIF's threshold."""
    return _Extra(
        (
            Parameter(f"tau_theta{k}", f"time constant of part {k} of the threshold", "s",
                      low, high, True, f"dtheta{k}"),
            Parameter(f"step{k}", f"what a spike adds to part {k} of the threshold", "threshold",
                      *step, f"step{k}"),
        ),
        lambda values, frame: {
            f"dtheta{k}": decay_register(values[f"tau_theta{k}"], frame),
            f"step{k}": _level(values[f"step{k}"], frame),
        },
        lambda registers, frame: {
            f"tau_theta{k}": time_constant(registers[f"dtheta{k}"], frame),
            f"step{k}": _of_level(registers[f"step{k}"], frame),
        },
    )  # fmt: skip


_ATRLIF = _Extra(
    (
        Parameter("tau_theta", "time constant of the threshold", "s", 2e-3, 0.5, True,
                  "delta_theta"),
        Parameter("theta_step", "what a spike adds to the threshold", "threshold", 0.003, 12.0,
                  True, "theta_step"),
        Parameter("tau_r", "time constant of the refractory state", "s", 1e-3, 0.2, True,
                  "delta_r"),
    ),
    lambda values, frame: {
        "delta_theta": decay_register(values["tau_theta"], frame),
        "theta_step": np.clip(
            np.rint(np.asarray(values["theta_step"], np.float64) * frame.threshold),
            0, THRESHOLD.high,
        ).astype(np.int32),
        "delta_r": decay_register(values["tau_r"], frame),
    },
    lambda registers, frame: {
        "tau_theta": time_constant(registers["delta_theta"], frame),
        "theta_step": registers["theta_step"] / frame.threshold,
        "tau_r": time_constant(registers["delta_r"], frame),
    },
)  # fmt: skip

_SECOND = _Extra(
    (Parameter("tau_w", "time constant of the spike-triggered current", "s", 3e-3, 0.5, True,
               "du2"),),
    lambda values, frame: {"du2": decay_register(values["tau_w"], frame, offset=1)},
    lambda registers, frame: {"tau_w": time_constant(registers["du2"], frame, 1)},
)  # fmt: skip
_JUMP = Parameter("jump", "what a spike adds to a current that draws v down", "threshold", -3.0,
                  10.0, False, "own_weight")  # fmt: skip
_SLOW = Parameter("slow", "the stimulus' part in the slow current, of its part in the fast one",
                  "1", -0.9, 6.0, False, "weight2")  # fmt: skip

LIF = _candidate("LIF", "leaky integrate-and-fire", "LIF")
LIF_REFRACTORY = _candidate(
    "LIFRefractory", "leaky integrate-and-fire with refractoriness", "LIF", (_RESTS,),
    ("refractory",),
)  # fmt: skip
LIF_RESET = _candidate(
    "LIFReset", "leaky integrate-and-fire that is reset at intervals", "LIFReset", (_RESETS,),
    ("reset_interval", "reset_offset"),
)  # fmt: skip
LIF_SOFT = _candidate(
    "LIFSoft", "leaky integrate-and-fire that subtracts its threshold", "LIFSoft", (_RESTS,),
    ("refractory",),
)  # fmt: skip
ADAPTIVE = _candidate(
    "ALIF", "adaptive threshold, one time scale", "ALIF", (_part("1", 5e-3, 1.0), _RESTS),
    ("dtheta1", "step1", "refractory"),
)  # fmt: skip
ADAPTIVE_TWO = _candidate(
    "ALIF2", "adaptive threshold, two time scales", "ALIF",
    (_part("1", 2e-3, 0.05, _EITHER_WAY), _part("2", 0.03, 1.5), _RESTS),
    ("dtheta1", "step1", "dtheta2", "step2", "refractory"),
)  # fmt: skip
ADAPTIVE_CURRENT = _candidate(
    "ALIF2Current", "adaptive threshold, two time scales, and a current after spikes", "ALIF",
    (_part("1", 2e-3, 0.05, _EITHER_WAY), _part("2", 0.03, 1.5), _RESTS),
    ("dtheta1", "step1", "dtheta2", "step2", "own_weight", "refractory"),
    triggered=_Triggered((_JUMP,), ports=1),
)  # fmt: skip
ATRLIF = _candidate(
    "ATRLIF", "Lava's adaptive threshold and refractory state", "ATRLIF", (_ATRLIF,),
    ("delta_theta", "theta_step", "delta_r"), _ATRLIF_NAMES,
)  # fmt: skip
TRIGGERED = _candidate(
    "CubaLIF2", "spike-triggered current", "CubaLIF2", (_SECOND, _RESTS),
    ("du2", "own_weight", "refractory"), triggered=_Triggered((_JUMP,)),
)  # fmt: skip
SLOW = _candidate(
    "CubaLIF2Slow", "AdEx-like: a slow current that follows stimulus and spikes", "CubaLIF2",
    (_SECOND, _RESTS), ("du2", "own_weight", "weight2", "refractory"),
    triggered=_Triggered((_JUMP, _SLOW)),
)  # fmt: skip
