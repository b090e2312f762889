"""Networks with real numbers that the tests of quantisation use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brian2lava.chip.ideal import (
    IdealNetwork,
    IdealPopulation,
    IdealProjection,
    IdealStimulus,
    Kind,
    Quantity,
    StateLink,
    real,
)

DT = 1e-4


def quantity(register: str, kind: Kind, value: Any, meaning: str = "", tau: Any = None) -> Quantity:
    """A quantity from plain numbers."""
    return Quantity(
        register, kind, real(value), meaning, None if tau is None else real(tau)
    )  # fmt: skip


def decaying(register: str, kind: Kind, tau: Any, dt: float = DT) -> Quantity:
    """A decay of Euler's method."""
    tau = np.asarray(tau, np.float64)
    return quantity(register, kind, dt / tau, f"time constant behind {register}", tau)


def lif(
    size: int = 10, more: Sequence[Quantity] = (), dt: float = DT, **changes: Any
) -> IdealPopulation:
    """A LIF population: tau of 5 and 20 ms, threshold 10 mV above the reset, drive 11 mV."""
    quantities = {
        "du": decaying("du", "current_decay", changes.pop("tau_u", 5e-3), dt),
        "dv": decaying("dv", "decay", changes.pop("tau_v", 20e-3), dt),
        "vth": quantity("vth", "threshold", changes.pop("threshold", 10e-3), "threshold"),
        "bias": quantity("bias", "bias", changes.pop("bias", 11e-3 * dt / 20e-3), "drive"),
    }
    quantities |= {item.register: item for item in more}
    return IdealPopulation(
        changes.pop("name", "a"),
        changes.pop("model", "LIF"),
        size,
        tuple(quantities.values()),
        (
            StateLink("v", "v", real(1.0), real(-60e-3), unit="V"),
            StateLink("g", "u", real(dt / 20e-3), real(0.0), True, "V"),
        ),
        **changes,
    )


def projection(weights: Any, size: int = 10, **changes: Any) -> IdealProjection:
    """Synapses among the neurons of "a", drawn with a fixed seed."""
    rng = np.random.default_rng(len(np.atleast_1d(weights)))
    weights = real(np.atleast_1d(weights))
    given: dict[str, Any] = {
        "name": "p",
        "source": "a",
        "target": "a",
        "port": "a_in",
        "pre": rng.integers(0, max(size, 1), weights.size),
        "post": rng.integers(0, max(size, 1), weights.size),
        "weights": weights,
    }
    return IdealProjection(**(given | changes))


def network(
    population: IdealPopulation | None = None,
    projections: Sequence[IdealProjection] = (),
    stimuli: Sequence[IdealStimulus] = (),
    sources: Sequence[Any] = (),
    dt: float = DT,
) -> IdealNetwork:
    """One population with what comes into it."""
    return IdealNetwork(
        dt, (population or lif(dt=dt),), tuple(sources), tuple(projections), tuple(stimuli)
    )


def cuba(size: int, seed: int, dt: float = DT) -> IdealNetwork:
    """Brian2's CUBA example by Euler's method, its weights scaled so that all sizes are alike."""
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(rng.random((size, size)) < 0.02)
    excitatory = pre < 4 * size // 5
    alike = 4000 / size * dt / 20e-3
    population = lif(
        size,
        (
            decaying("du2", "current_decay", 10e-3, dt),
            quantity("refractory", "count", round(5e-3 / dt), "refractory"),
        ),
        dt,
        model="CubaLIF2",
        initial={"v": real(rng.random(size) * 10e-3)},
    )
    drawn = [
        projection(np.full(np.count_nonzero(chosen), weight * alike), size, name=name, port=port,
                   pre=pre[chosen], post=post[chosen])
        for name, port, chosen, weight in (
            ("e", "a_in", excitatory, 1.62e-3),
            ("i", "a_in2", ~excitatory, -9e-3),
        )
    ]  # fmt: skip
    return network(population, drawn, dt=dt)


_MEMBRANE = (quantity("du", "current_decay", 0.1), quantity("dv", "decay", 0.01))
_DRIVE = (quantity("vth", "threshold", 0.01), quantity("bias", "bias", 0.00012))
_RESONATOR = (
    quantity("sin_decay", "level", 0.99 * np.sin(2 * np.pi / 50)),
    quantity("cos_decay", "level", 0.99 * np.cos(2 * np.pi / 50)),
    quantity("vth", "level", 0.002),
)
#: Quantities of every chip model.
OF_MODEL: dict[str, tuple[Quantity, ...]] = {
    "LIF": (*_MEMBRANE, *_DRIVE, quantity("refractory", "count", 5)),
    "LIFReset": (*_MEMBRANE, *_DRIVE, quantity("reset_interval", "count", 77)),
    "LIFSoft": (*_MEMBRANE, *_DRIVE, quantity("refractory", "count", 5)),
    "CubaLIF2": (*_MEMBRANE, *_DRIVE, quantity("du2", "current_decay", 0.05)),
    "ALIF": (
        *_MEMBRANE, *_DRIVE,
        quantity("dtheta1", "decay", 0.02), quantity("step1", "level", 0.002),
        quantity("dtheta2", "decay", 0.002), quantity("step2", "level", 0.0005),
    ),
    "TernaryLIF": (
        *_MEMBRANE, quantity("bias", "bias", 0.00012),
        quantity("vth_hi", "threshold", 0.01), quantity("vth_lo", "threshold", -0.004),
    ),
    "ATRLIF": (
        quantity("delta_i", "current_decay", 0.1), quantity("delta_v", "decay", 0.01),
        quantity("delta_theta", "decay", 0.02), quantity("delta_r", "decay", 0.02),
        quantity("theta_0", "threshold", 0.005), quantity("theta_step", "threshold", 0.001),
        quantity("bias", "bias", 0.00012),
    ),
    "RF": _RESONATOR,
    "RF_IZ": _RESONATOR,
    "ProbSpiker": (quantity("p_spike", "fraction", 0.05),),
}  # fmt: skip
