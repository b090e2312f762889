"""Targets as JSON and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brian2lava.fit.target import Sweep, Target


def target_state(target: Target, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Numbers and names for JSON, and arrays whose names begin with ``prefix``."""
    arrays: dict[str, Any] = {}
    sweeps = []
    for k, sweep in enumerate(target.sweeps):
        place = f"{prefix}_{k}"
        arrays[f"{place}_current"] = sweep.current
        if sweep.voltage is not None:
            arrays[f"{place}_voltage"] = sweep.voltage
        for r, train in enumerate(sweep.spikes):
            arrays[f"{place}_spikes_{r}"] = train
        sweeps.append({"repeats": len(sweep.spikes), "voltage": sweep.voltage is not None})
    state = {
        "name": target.name,
        "dt": target.dt,
        "unit": target.unit,
        "source": target.source,
        "train": [list(span) for span in target.train],
        "held_out": [list(span) for span in target.held_out],
        "spike_width": list(target.spike_width),
        "sweeps": sweeps,
    }
    return state, arrays


def target_from(state: Mapping[str, Any], arrays: Mapping[str, Any], prefix: str) -> Target:
    """The inverse of :func:`target_state`; KeyError, TypeError, ValueError where it is damaged."""
    sweeps = []
    for k, sweep in enumerate(state["sweeps"]):
        place = f"{prefix}_{k}"
        sweeps.append(
            Sweep(
                arrays[f"{place}_current"],
                tuple(arrays[f"{place}_spikes_{r}"] for r in range(int(sweep["repeats"]))),
                arrays[f"{place}_voltage"] if sweep["voltage"] else None,
            )
        )
    before, after = state["spike_width"]
    return Target(
        str(state["name"]),
        float(state["dt"]),
        tuple(sweeps),
        tuple((float(a), float(b)) for a, b in state["train"]),
        tuple((float(a), float(b)) for a, b in state["held_out"]),
        str(state["unit"]),
        str(state["source"]),
        (float(before), float(after)),
    )
