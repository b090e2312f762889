"""The bench as the page draws it: numbers for the panel, and decimated traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.limits import WEIGHT_EXPONENT, Limit
from brian2lava.fit.batch.settings import WEIGHT
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.metrics import match
from brian2lava.studio.decimate import least_and_largest, positions
from brian2lava.studio.runs import Pair
from brian2lava.studio.scores import quick
from brian2lava.studio.setup import Setup, reach
from brian2lava.studio.workbench import Workbench

#: The widest screen for which points are sent.
WIDEST = 8192


@dataclass(frozen=True)
class Window:
    """What is looked at: a part of the time, on a screen of so many pixels; ``None``: all of it."""

    start: float | None = None
    stop: float | None = None
    width: int = 1000

    def samples(self, count: int, dt: float) -> tuple[int, int]:
        """First and last sample, the last not among them; at least two where there are two."""
        first = 0 if self.start is None else int(np.floor(self.start / dt))
        last = count if self.stop is None else int(np.ceil(self.stop / dt)) + 1
        first = min(max(first, 0), max(count - 2, 0))
        return first, min(max(last, first + 2), count)


def panel(bench: Workbench, pair: Pair) -> dict[str, Any]:
    """The header of a view: parameters, registers, scores of the shown sweep."""
    setup = bench.setup
    got = setup.meaning()
    highest = reach(setup.target)
    return {
        "candidate": setup.candidate_name,
        "dt": setup.dt,
        "threshold": setup.threshold,
        "drive": setup.drive,
        "sweep": setup.sweep,
        "window": setup.window,
        "undo": bench.can_undo,
        "redo": bench.can_redo,
        "parameters": [
            {
                "name": p.name, "meaning": p.meaning, "unit": p.unit, "log": p.log,
                "register": p.register, "value": setup.tuning.values[p.name], "got": got[p.name],
                "bounds": p.bounds(highest), "locked": p.name in setup.tuning.locked,
            }
            for p in setup.candidate.parameters
        ],
        "registers": registers(bench),
        "counters": pair.chip.counters,
        "chip_scores": quick(setup, pair.chip.spikes, setup.window),
        "real_scores": quick(setup, pair.real.spikes, setup.window),
    }  # fmt: skip


def registers(bench: Workbench) -> list[dict[str, Any]]:
    """Every register with its range."""
    known = {r.name: (r.meaning, r.limit) for r in bench.setup.candidate.neuron.registers}
    known["weight"] = ("weight mantissa", WEIGHT)
    known["exponent"] = ("weight exponent", WEIGHT_EXPONENT)
    known["weight2"] = ("weight mantissa at the second port", WEIGHT)
    known["exponent2"] = ("weight exponent at the second port", WEIGHT_EXPONENT)
    known["own_weight"] = ("weight mantissa of its synapse onto itself", WEIGHT)
    known["own_exponent"] = ("weight exponent of its synapse onto itself", WEIGHT_EXPONENT)
    known["scale"] = ("payload a unit of current", Limit(0, 0, ""))
    return [
        {
            "name": name, "meaning": known[name][0], "value": value,
            "low": known[name][1].low, "high": known[name][1].high,
            "source": known[name][1].source, "whole": name != "scale",
            "set": name in bench.setup.tuning.overrides,
        }
        for name, value in bench.registers().items()
    ]  # fmt: skip


def traces(setup: Setup, pair: Pair, window: Window) -> dict[str, Any]:
    """Arrays of a view: decimated traces over seconds, and spikes by what became of them."""
    width = max(16, min(window.width, WIDEST))
    sweep = setup.target.sweeps[setup.sweep]
    arrays = decimated(
        {
            "stimulus": pair.stimulus.values,
            "chip": pair.chip.membrane,
            "real": pair.real.membrane,
            "chip_threshold": pair.chip.threshold,
        },
        setup.dt,
        window,
        width,
        "t",
    )
    if sweep.voltage is not None:
        arrays |= decimated({"voltage": sweep.voltage}, setup.target.dt, window, width, "voltage_t")
    return arrays | _spikes(setup, pair)


def decimated(
    given: Mapping[str, Any], dt: float, window: Window, width: int, axis: str
) -> dict[str, Any]:
    """Traces over the same steps of ``dt`` seconds, as a screen shows them; times as ``axis``."""
    count = min(len(values) for values in given.values())
    first, last = window.samples(count, dt)
    found = {name: least_and_largest(values, first, last, width) for name, values in given.items()}
    found[axis] = positions(first, last, width) * dt
    return found


def _spikes(setup: Setup, pair: Pair) -> dict[str, Any]:
    repeats = setup.target.sweeps[setup.sweep].spikes
    found = {"real_spikes": pair.real.spikes, "chip_spikes": pair.chip.spikes}
    if not repeats:
        return found
    matched = match(repeats[0], pair.chip.spikes, setup.window)
    found["target_spikes"] = matched.target
    found["missed"] = matched.miss.astype(np.uint8)
    found["extra"] = matched.extra.astype(np.uint8)
    return found


def about(setup: Setup) -> dict[str, Any]:
    """What changes with the target only: names, sweeps, spans, units; and all candidates."""
    target = setup.target
    return {
        "reach": reach(target),
        "target": {
            "name": target.name, "dt": target.dt, "unit": target.unit, "source": target.source,
            "sweeps": len(target.sweeps), "duration": target.duration,
            "repeats": [len(sweep.spikes) for sweep in target.sweeps],
            "steps": [sweep.steps for sweep in target.sweeps],
            "voltage": [sweep.voltage is not None for sweep in target.sweeps],
            "train": target.train, "held_out": target.held_out,
        },
        "candidates": [
            {
                "name": c.name, "title": c.title, "stock": c.stock, "where": c.where(),
                "equations": c.neuron.equations,
                "parameters": [
                    {
                        "name": p.name, "meaning": p.meaning, "unit": p.unit,
                        "bounds": p.bounds(reach(target)),
                    }
                    for p in c.parameters
                ],
            }
            for c in CANDIDATES.values()
        ],
    }  # fmt: skip
