"""Targets from the built-in models, and what those models do under other currents."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.fit.target import Target
from brian2lava.fit.target.models import TARGET_MODELS, target_model
from brian2lava.fit.target.simulated import model_target, simulate
from brian2lava.fit.target.stimuli import Noise
from brian2lava.studio.typed_equations import form_of, read, target_of

#: What one finds on landing: an adapting neuron under a noisy current.
LANDING: Mapping[str, Any] = {
    "model": "AdEx",
    "pattern": None,
    "parameters": {},
    "noise": None,
    "dt": 2e-4,
}


def made_from(origin: Mapping[str, Any]) -> Target:
    """The target of an origin; see :class:`Setup`."""
    if origin.get("equations"):
        return target_of(origin)
    noise = origin.get("noise")
    return model_target(
        origin["model"],
        pattern=origin.get("pattern") or None,
        parameters=origin.get("parameters") or None,
        stimulus=Noise(**noise) if noise else None,
        dt=float(origin.get("dt") or 1e-4),
    )


def known_models() -> list[dict[str, Any]]:
    """Every built-in model with its patterns, parameters and the units of those."""
    return [
        {
            "name": name,
            "patterns": list(model.patterns),
            "unit": model.neuron.input_unit,
            "source": model.neuron.source,
            "equations": model.neuron.equations.strip(),
            "parameters": {
                key: {"value": value.number, "unit": value.unit}
                for key, value in model.neuron.parameters.items()
            },
        }
        for name, model in TARGET_MODELS.items()
    ]


def answer(origin: Mapping[str, Any], current: Any, dt: float) -> tuple[Any, Any]:
    """Spike times and voltage of the model behind a target, under another current."""
    neuron, substeps = _neuron(
        json.dumps(
            {key: origin.get(key) for key in ("model", "pattern", "parameters", "equations")}
        )
    )
    sweep = simulate(neuron, current, dt, substeps)
    return sweep.spikes[0], sweep.voltage


@functools.lru_cache(maxsize=16)
def _neuron(text: str) -> tuple[Any, int]:
    origin = json.loads(text)
    if origin["equations"]:
        return read(form_of(origin["equations"])).neuron, 1
    model = target_model(origin["model"])
    if origin["pattern"]:
        model = model.with_pattern(origin["pattern"])
    neuron = model.neuron
    if origin["parameters"]:
        neuron = neuron.with_parameters({k: float(v) for k, v in origin["parameters"].items()})
    return neuron, model.substeps


def rates(origin: Mapping[str, Any], levels: Any, length: float, settled: float, dt: float) -> Any:
    """Spikes a second under constant currents, after ``settled`` seconds of ``length``."""
    steps = round(length / dt)
    found = []
    for level in levels:
        spikes, _ = answer(origin, np.full(steps, level), dt)
        found.append(float((spikes >= settled).sum()) / (length - settled))
    return np.array(found)
