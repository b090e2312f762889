"""Answers to currents that are not the target's: f-I curve, step, ramp, chirp; the phase plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT
from brian2lava.fit.batch import Batch, Stimulus
from brian2lava.studio.decimate import least_and_largest, positions
from brian2lava.studio.model_targets import answer, rates
from brian2lava.studio.real_model import run_real
from brian2lava.studio.real_registers import real_setting
from brian2lava.studio.runs import run_pair
from brian2lava.studio.setup import Setup, reach
from brian2lava.studio.variations import repeated

#: Seconds of one current, and the part at its beginning that does not count.
LENGTH, SETTLED = 1.0, 0.2
_CURRENTS = 32
#: Trajectories are drawn with at most so many points.
_POINTS = 4000


def currents(setup: Setup) -> Any:
    """From no current to the strongest of the stimulus, in the target's unit."""
    return np.linspace(0.0, reach(setup.target), _CURRENTS)


def fi_curve(setup: Setup) -> dict[str, Any]:
    """Rates over constant currents, on the chip and in floating point, in Hz."""
    levels = currents(setup)
    steps = round(LENGTH / setup.dt)
    settings = repeated(setup.settings(), levels)
    stimulus = Stimulus(np.ones(steps))
    out = Batch(setup.candidate.model, drive=setup.drive).run(settings, stimulus, capacity=steps)
    chip = [_rate(out.train(k) * setup.dt) for k in range(len(levels))]
    made = real_setting(setup.candidate, setup.tuning.values, setup.frame)
    real = [
        _rate(
            run_real(
                setup.candidate.model,
                made.registers,
                np.full(steps, level * made.per_unit),
                made.own,
                made.share,
            ).spikes
            * setup.dt
        )
        for level in levels
    ]
    found = {"current": levels, "chip": np.array(chip), "real": np.array(real)}
    if setup.origin:
        found["target"] = rates(setup.origin, levels, LENGTH, SETTLED, setup.target.dt)
    return found


def _rate(spikes: Any) -> float:
    return float((spikes >= SETTLED).sum()) / (LENGTH - SETTLED)


def shape(kind: str, steps: int, dt: float) -> Any:
    """A step, a ramp or a chirp (1 to 50 Hz) between -1 and 1."""
    t = np.arange(steps) * dt
    end = steps * dt
    if kind == "step":
        return np.where((t >= 0.1 * end) & (t < 0.8 * end), 0.6, 0.0)
    if kind == "ramp":
        return np.clip((t / end - 0.1) / 0.8, 0, 1)
    sweep = 50.0
    phase = 2 * np.pi * end / np.log(sweep) * (np.exp(t / end * np.log(sweep)) - 1)
    return 0.4 + 0.4 * np.sin(phase)


def response(setup: Setup, kind: str, width: int) -> dict[str, Any]:
    """Current, membranes and spikes of chip and floating point, for :func:`shape`."""
    steps = round(LENGTH / setup.dt)
    current = shape(kind, steps, setup.dt) * reach(setup.target)
    pair = run_pair(setup, Stimulus(current))
    width = max(16, min(width, 4096))
    made = {
        "stimulus": current,
        "chip": pair.chip.membrane,
        "real": pair.real.membrane,
        "chip_threshold": pair.chip.threshold,
    }
    found = {
        "t": positions(0, steps, width) * setup.dt,
        **{name: least_and_largest(values, 0, steps, width) for name, values in made.items()},
        "chip_spikes": pair.chip.spikes,
        "real_spikes": pair.real.spikes,
    }
    if setup.origin:
        spikes, voltage = answer(setup.origin, current, setup.dt)
        found["target_spikes"] = spikes
        if voltage is not None:
            found["voltage"] = least_and_largest(voltage, 0, steps, width)
    return found


def phase_plane(setup: Setup, current: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """A trajectory through two states, and the lines where one of them stands still.

    Returns
    -------
    (header, arrays): axis titles; "x", "y" of the chip, and of each line ``NAME_x``, ``NAME_y``
    with two points. ``current`` is the steady one for which the lines are drawn.
    """
    pair = run_pair(setup)
    thin = max(1, len(pair.chip.membrane) // _POINTS)
    values, frame = setup.meaning(), setup.frame
    if setup.candidate.model in ("RF", "RF_IZ"):
        return _resonator_plane(setup, pair, current, thin)
    level = values["gain"] * current + values["bias"]
    if "theta1" in pair.chip.states or "theta" in pair.chip.states:
        x, y = pair.chip.membrane[::thin], pair.chip.threshold[::thin]
        low, below = min(float(x.min()), level, 0.0), min(float(y.min()), 0.5)
        high = max(float(y.max()), float(x.max()), level, 1.0)
        lines = {
            "membrane at rest": ([level, level], [below, high]),
            "threshold at rest": ([low, high], [1.0, 1.0]),
            "fires beyond": ([below, high], [below, high]),
        }
        return _plane("membrane (thresholds)", "threshold (thresholds)", x, y, lines)
    lost = float(pair.settings.registers["dv"][0]) / 4096
    unity = frame.threshold << ALIGNMENT
    drive = pair.chip.states["u"] / (max(lost, 1e-9) * unity) + values["bias"]
    x, y = drive[::thin], pair.chip.membrane[::thin]
    low, high = min(float(x.min()), float(y.min()), 0.0), max(float(x.max()), 1.2)
    lines = {
        "membrane at rest": ([low, high], [low, high]),
        "current at rest": ([level, level], [low, high]),
        "fires beyond": ([low, high], [1.0, 1.0]),
    }
    return _plane("where the current leads (thresholds)", "membrane (thresholds)", x, y, lines)


def _resonator_plane(
    setup: Setup, pair: Any, current: float, thin: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    registers = pair.settings.registers
    unity = float(registers["vth"][0])
    x = pair.chip.states["real"][::thin] / unity
    y = pair.chip.states["imag"][::thin] / unity
    made = real_setting(setup.candidate, setup.tuning.values, setup.frame)
    sine, cosine = (made.registers[n] / 4096 for n in ("sin_decay", "cos_decay"))
    arriving = current * made.per_unit / unity
    low, high = min(float(x.min()), -1.0), max(float(x.max()), 1.0)
    ends = np.array([low, high])
    fires = ([low, high], [1.0, 1.0]) if setup.candidate.model == "RF_IZ" else (
        [1.0, 1.0], [float(y.min()), float(y.max())]
    )  # fmt: skip
    lines = {
        "real part at rest": (ends, ((cosine - 1) * ends + arriving) / sine),
        "imaginary part at rest": (ends, sine * ends / (1 - cosine)),
        "fires beyond": fires,
    }
    return _plane("real part (thresholds)", "imaginary part (thresholds)", x, y, lines)


def _plane(
    x_title: str, y_title: str, x: Any, y: Any, lines: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays: dict[str, Any] = {"x": np.asarray(x, np.float32), "y": np.asarray(y, np.float32)}
    for name, (across, up) in lines.items():
        arrays[f"{name}_x"] = np.asarray(across, np.float32)
        arrays[f"{name}_y"] = np.asarray(up, np.float32)
    return {"x_title": x_title, "y_title": y_title, "lines": list(lines)}, arrays
