"""Many settings near the one on the bench, run as one batch, each with its gamma factor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from brian2lava.chip.limits import WEIGHT_EXPONENT
from brian2lava.errors import BrianLavaError
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.precision.bits import (
    DECAYS,
    with_decay_bits,
    with_payload_bits,
    with_weight_bits,
)
from brian2lava.fit.precision.maps import STEPS
from brian2lava.fit.search.registers import joined
from brian2lava.studio.scores import quick
from brian2lava.studio.setup import Setup, numbers_of, reach, with_registers


def repeated(settings: Settings, factors: Any) -> Settings:
    """One setting many times, its stimulus scaled by each factor."""
    every = settings.take(np.zeros(len(factors), np.int64))
    return replace(every, scale=every.scale * np.asarray(factors, np.float32))


def gammas(setup: Setup, settings: Settings, stimulus: Stimulus | None = None) -> dict[str, Any]:
    """Gamma factor of each setting on the shown sweep: "train" and "held_out", nan where none."""
    out = Batch(setup.candidate.model, drive=setup.drive).run(
        settings, stimulus or setup.stimulus()
    )
    found: dict[str, list[float]] = {"train": [], "held_out": []}
    for k in range(len(settings)):
        scores = quick(setup, out.train(k) * setup.dt, setup.window)
        for kind, values in found.items():
            gamma = (scores[kind] or {}).get("gamma")
            values.append(np.nan if gamma is None else gamma)
    return {kind: np.array(values) for kind, values in found.items()}


def neighbours(setup: Setup) -> dict[str, Any]:
    """What one bit up and down does to the gamma factor: the sensitivity of each register.

    Returns
    -------
    dict with "names", and "train_up", "train_down", "held_out_up", "held_out_down": arrays of the
    change, nan where the register has no such value.
    """
    settings = setup.settings()
    now = {n: int(v) for n, v in numbers_of(setup.candidate, settings).items() if n != "scale"}
    names = list(now)
    made: list[Settings] = [settings]
    places: dict[tuple[str, int], int] = {}
    for name in names:
        for by in (1, -1):
            try:
                made.append(with_registers(settings, {name: now[name] + by}))
            except BrianLavaError:
                continue
            places[name, by] = len(made) - 1
    found = gammas(setup, joined(made))
    result: dict[str, Any] = {"names": names}
    for kind, values in found.items():
        for word, by in (("up", 1), ("down", -1)):
            result[f"{kind}_{word}"] = np.array(
                [values[places[n, by]] - values[0] if (n, by) in places else np.nan for n in names]
            )
    return result


def payload_bits(setup: Setup, settings: Settings) -> int:
    """Bits that the largest payload has now."""
    return int(np.ceil(np.log2(abs(float(settings.scale[0])) * reach(setup.target) + 1)))


def what_if(setup: Setup) -> dict[str, Any]:
    """Gamma factor with fewer bits than the chip has, by what has fewer."""
    settings = setup.settings()
    kinds: dict[str, tuple[range, Callable[[int], Settings]]] = {
        "decays": (range(3, 13), lambda bits: with_decay_bits(settings, bits)),
        "weight": (range(1, 9), lambda bits: with_weight_bits(settings, bits)),
    }
    if setup.drive == "graded":
        now = payload_bits(setup, settings)
        most = min(now - 1, WEIGHT_EXPONENT.high - int(settings.exponents.max()))
        kinds["payload"] = (
            range(now - most, now + 1),
            lambda bits: with_payload_bits(settings, now - bits),
        )
    if not DECAYS.keys() & settings.registers.keys():
        del kinds["decays"]
    result: dict[str, Any] = {}
    for kind, (bits, made) in kinds.items():
        found = gammas(setup, joined([made(each) for each in bits]))
        result[f"{kind}_bits"] = np.array(bits, np.float64)
        result |= {f"{kind}_{name}": values for name, values in found.items()}
    return result


def over_steps(setup: Setup) -> dict[str, Any]:
    """Gamma factor over the chip's time step, the physical parameters as they are."""
    steps = sorted({*STEPS, setup.dt})
    found: dict[str, list[float]] = {"train": [], "held_out": []}
    for dt in steps:
        changed = replace(setup, dt=dt).tuned(overrides={})
        for kind, values in gammas(changed, changed.settings()).items():
            found[kind].append(float(values[0]))
    return {"dt": np.array(steps), **{kind: np.array(v) for kind, v in found.items()}}
