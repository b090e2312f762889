"""Register sets and a stimulus drawn at random, for all models that a fit knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.models import MODELS
from brian2lava.fit.batch import Settings, Stimulus

#: Thresholds and what is added to them: high enough for single spikes, low enough for many.
_LEVELS = {"vth": (20, 9000), "theta_0": (20, 9000), "theta_step": (0, 3000)}
_STATE_LEVELS = {"step1": (-100_000, 400_000), "step2": (0, 400_000)}
#: A bias that alone makes few neurons fire.
_BIAS = {"bias_mant": (-600, 600), "bias_exp": (0, 4)}
_OTHERS = {"refractory": (0, 6), "reset_interval": (1, 300), "reset_offset": (0, 300)}
#: Noise can't be fitted spike by spike.
_OTHERS |= {"noise_exp": (0, 0), "noise_at_u": (0, 0)}
_RANGES = {**_LEVELS, **_STATE_LEVELS, **_BIAS, **_OTHERS}
_DECAYS = ("du", "dv", "delta_i", "delta_v", "delta_theta", "delta_r", "dtheta1", "dtheta2")

#: Models with a bias, and models at all; what fires by chance can't be fitted.
BIASED = ("LIF", "LIFReset", "LIFSoft", "ALIF", "CubaLIF2", "ATRLIF")
ALL = (*BIASED, "RF", "RF_IZ")
#: Lava's own fixed-point processes among them.
STOCK = ("LIF", "LIFReset", "ATRLIF", "RF", "RF_IZ")


def drawn_stimulus(steps: int, seed: int = 0) -> Stimulus:
    """Noise with a memory of twenty steps, within about -1 .. 2."""
    draws = np.random.default_rng(seed).normal(0.0, 1.0, steps + 20)
    smooth = np.convolve(draws, np.ones(20) / 20, "valid")[:steps]
    return Stimulus(0.5 + 2.5 * smooth)


def drawn_settings(model: str, size: int, seed: int = 0, stock: bool = False) -> Settings:
    """``size`` register sets of a model; ``stock`` leaves out what Lava's processes lack."""
    rng = np.random.default_rng([seed, sum(map(ord, model))])
    registers: dict[str, Any] = {}
    for register in MODELS[model].registers:
        low, high = _RANGES.get(register.name, (register.limit.low, register.limit.high))
        if register.name in _DECAYS:  # all orders of magnitude, and the largest
            values = np.exp2(rng.uniform(0, 12, size)).astype(int) - rng.integers(0, 2, size)
            registers[register.name] = np.clip(values, 0, register.limit.high)
        else:
            registers[register.name] = rng.integers(low, high + 1, size)
    if stock and "refractory" in registers:
        registers["refractory"] = np.zeros(size, int)
    if "sin_decay" in registers:
        registers |= _resonance(rng, size)
    ports = len(MODELS[model].ports)
    weights = rng.integers(20, 256, (ports, size)) * rng.choice([-1, 1, 1, 1], (ports, size))
    exponents = rng.integers(-8, 3, (ports, size))
    scale = rng.uniform(20, 400, size)
    own = rng.integers(-255, 256, (ports, size)) * (rng.random((ports, size)) < 0.5)
    own_exponents = rng.choice([-2, 3], (ports, size))  # few: the emulator compiles each
    return Settings(model, registers, weights, exponents, scale, own, own_exponents)


def _resonance(rng: np.random.Generator, size: int) -> dict[str, Any]:
    kept, angle = rng.uniform(0.9, 1.0, size), 2 * np.pi / rng.uniform(4, 60, size)
    bits = rng.integers(9, 13, size)
    return {
        "sin_decay": np.rint(kept * np.sin(angle) * 2.0**bits).astype(int),
        "cos_decay": np.rint(kept * np.cos(angle) * 2.0**bits).astype(int),
        "decay_bits": bits,
        "state_exp": rng.integers(0, 7, size),
        "vth": np.exp2(rng.uniform(8, 17, size)).astype(int),
    }


def for_a_bias(settings: Settings) -> Settings:
    """The same with a stimulus that stays within a bias' 13 bits, and is strong by its exponent."""
    registers = {**settings.registers, "bias_exp": settings.registers["bias_exp"] + 3}
    return Settings(
        settings.model,
        registers,
        settings.weights * 0,
        settings.exponents,
        settings.scale * np.float32(2.0),
        settings.own_weights,
        settings.own_exponents,
    )
