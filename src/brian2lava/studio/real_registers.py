"""Physical values -> registers that are not rounded, for the model in double precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT, DECAY_UNITY
from brian2lava.fit.candidates import Candidate
from brian2lava.fit.candidates.candidate import Frame, Parameter

Values = Mapping[str, float]


@dataclass(frozen=True)
class RealSetting:
    """A candidate's setting before rounding.

    Attributes
    ----------
    registers : dict of str to float
    per_unit : float
        What one unit of current brings to the neuron's port in a step.
    own : float
        What a spike brings to the last port in the next step.
    share : float
        What of the first port's input a second port gets.
    """

    registers: Mapping[str, float]
    per_unit: float
    own: float = 0.0
    share: float = 0.0


def real_setting(candidate: Candidate, values: Values, frame: Frame) -> RealSetting:
    """What ``candidate.to_settings`` rounds, as it is before that."""
    if candidate.model in ("RF", "RF_IZ"):
        return _resonator(values, frame)
    registers: dict[str, float] = {}
    for parameter in candidate.parameters:
        made = _REGISTER.get(parameter.name.rstrip("12"))
        if made is not None:
            registers[parameter.register] = made(values[parameter.name], frame)
    threshold = "theta_0" if candidate.model == "ATRLIF" else "vth"
    registers[threshold] = frame.threshold
    lost = _lost(values["tau_m"], frame)
    registers["bias_mant"] = values["bias"] * lost * (frame.threshold << ALIGNMENT)
    filtered = 1.0
    current = candidate.parameter("tau_s").register
    if frame.drive == "bias":
        registers[current] = DECAY_UNITY - 1  # the bias enters v without a filter
    else:
        filtered = _lost(values["tau_s"], frame)
    own = -values.get("jump", 0.0) * lost * frame.threshold
    share = 0.0
    if "slow" in values and frame.drive == "graded":
        share = values["slow"] * _lost(values["tau_w"], frame) / filtered
    return RealSetting(registers, values["gain"] * filtered * lost * frame.threshold, own, share)


def _lost(tau: float, frame: Frame) -> float:
    """What is lost in a step, 0 .. 1."""
    return float(-np.expm1(-frame.dt / max(tau, 1e-12)))


def _whole_steps(seconds: float, frame: Frame) -> float:
    return float(np.rint(seconds / frame.dt))


#: By the parameter's name, without the number of a part.
_REGISTER: Mapping[str, Callable[[float, Frame], float]] = {
    "tau_m": lambda tau, frame: DECAY_UNITY * _lost(tau, frame),
    # the chip adds one to this decay
    "tau_s": lambda tau, frame: DECAY_UNITY * _lost(tau, frame) - 1,
    "tau_w": lambda tau, frame: DECAY_UNITY * _lost(tau, frame) - 1,
    "tau_theta": lambda tau, frame: DECAY_UNITY * _lost(tau, frame),
    "tau_r": lambda tau, frame: DECAY_UNITY * _lost(tau, frame),
    "theta_step": lambda level, frame: level * frame.threshold,
    "step": lambda level, frame: level * (frame.threshold << ALIGNMENT),
    # time goes in steps, in floating point too
    "refractory": _whole_steps,
    "interval": lambda seconds, frame: max(1.0, _whole_steps(seconds, frame)),
    "offset": _whole_steps,
}


def _resonator(values: Values, frame: Frame) -> RealSetting:
    kept = float(np.exp(-frame.dt / values["tau"]))
    angle = 2 * np.pi * values["frequency"] * frame.dt
    registers = {
        "sin_decay": kept * np.sin(angle) * DECAY_UNITY,
        "cos_decay": kept * np.cos(angle) * DECAY_UNITY,
        "state_exp": 0.0,
        "vth": frame.threshold << ALIGNMENT,
    }
    per_unit = values["gain"] * (1 - kept) * (frame.threshold << ALIGNMENT)
    return RealSetting(registers, per_unit)


#: Registers that a parameter decides together; those left out of it decide one alone.
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "weight": ("weight", "exponent", "scale"),
    "weight2": ("weight2", "exponent2"),
    "own_weight": ("own_weight", "own_exponent"),
    "bias_mant": ("bias_mant", "bias_exp"),
    "sin_decay": ("sin_decay", "cos_decay"),
    "cos_decay": ("sin_decay", "cos_decay"),
}


def registers_of(parameter: Parameter) -> tuple[str, ...]:
    """The registers that a parameter decides."""
    return TOGETHER.get(parameter.register, (parameter.register,))


def parameters_of(candidate: Candidate, register: str) -> list[Any]:
    """The parameters that a register has part in."""
    return [p for p in candidate.parameters if register in registers_of(p)]
