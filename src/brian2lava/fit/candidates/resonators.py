"""Candidates that resonate: RF and RF_IZ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT, DECAY_UNITY, ROTATION, ROTATION_BITS
from brian2lava.fit.batch import Settings
from brian2lava.fit.candidates.candidate import Candidate, Frame, Parameter
from brian2lava.fit.candidates.pieces import input_per_unit, synapse

Values = Mapping[str, Any]

_PARAMETERS = (
    Parameter("frequency", "frequency of the resonance", "Hz", 1.0, 200.0, True, "sin_decay"),
    Parameter("tau", "time constant of the decay", "s", 2e-3, 0.5, True, "cos_decay"),
    Parameter("gain", "thresholds that one unit of current at the resonance builds up to", "1/I",
              0.2, 30.0, True, "weight"),
)  # fmt: skip
#: The input is shifted by this, so that it can be fine where the threshold is high.
_STATE_EXP = 6


def _to_settings(model: str) -> Callable[[Values, Frame], Settings]:
    def to_settings(values: Values, frame: Frame) -> Settings:
        kept = np.exp(-frame.dt / np.asarray(values["tau"], np.float64))
        angle = 2 * np.pi * np.asarray(values["frequency"], np.float64) * frame.dt
        threshold = frame.threshold << ALIGNMENT
        made = synapse(
            np.asarray(values["gain"], np.float64) * (1 - kept) * threshold / (1 << _STATE_EXP),
            frame,
        )
        registers = {
            "sin_decay": _rotation(kept * np.sin(angle)),
            "cos_decay": _rotation(kept * np.cos(angle)),
            "decay_bits": ROTATION_BITS.high,
            "state_exp": _STATE_EXP,
            "vth": threshold,
        }
        return Settings(model, registers, made.weight, made.exponent, made.scale)

    return to_settings


def _rotation(values: Any) -> Any:
    whole = np.rint(values * DECAY_UNITY)
    return np.clip(whole, ROTATION.low, ROTATION.high).astype(np.int32)


def _to_physical(settings: Settings, frame: Frame) -> Values:
    r = settings.registers
    unity = np.exp2(r["decay_bits"])
    sine, cosine = r["sin_decay"] / unity, r["cos_decay"] / unity
    kept = np.hypot(sine, cosine)
    with np.errstate(divide="ignore", invalid="ignore"):
        arriving = input_per_unit(settings.weights[0], settings.exponents[0], settings.scale)
        gain = arriving * np.exp2(r["state_exp"]) / ((1 - kept) * r["vth"])
        tau = np.where(kept < 1, -frame.dt / np.log(np.minimum(kept, 1)), np.inf)
    return {
        "frequency": np.arctan2(sine, cosine) / (2 * np.pi * frame.dt),
        "tau": tau,
        "gain": gain,
    }


def _candidate(name: str, title: str) -> Candidate:
    return Candidate(
        name, title, name, _PARAMETERS, _to_settings(name), _to_physical,
        ("sin_decay", "cos_decay", "vth", "weight"),
    )  # fmt: skip


RESONATOR = _candidate("RF", "resonate-and-fire, no reset")
RESONATOR_RESET = _candidate("RF_IZ", "resonate-and-fire, put below its threshold by a spike")
