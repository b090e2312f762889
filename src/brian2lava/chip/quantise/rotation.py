"""The registers of a resonator: sine and cosine are rounded together.

A step multiplies by z = (1 - lost) exp(i angle). The two registers are a point of a grid of 1/4096,
and the nearest point is not the best one: where little is lost, rounding changes the time constant
by much more than the frequency. Of the points around z that one is taken whose relative errors of
damping and angle, as squares, add up to least; none lets a resonator grow that does not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, Reals
from brian2lava.chip.limits import ROTATION, ROTATION_BITS
from brian2lava.chip.quantise.kinds import relative_error, rounded, worst
from brian2lava.chip.quantise.result import ParameterRow, Span

#: How far from the nearest point of the grid others are looked at, in registers.
_AROUND = 2
_UNITY = 1 << ROTATION_BITS.high
#: Damping and angles below this are none, as far as relative errors go.
_LEAST = 1 / _UNITY
_SHIFTS = np.array(
    [(s, c) for s in range(-_AROUND, _AROUND + 1) for c in range(-_AROUND, _AROUND + 1)]
)


def rotation_registers(sine: Any, cosine: Any) -> tuple[Any, Any]:
    """The registers of sine and cosine, times what remains in a step, with 12 bits.

    Parameters
    ----------
    sine, cosine : array of shape () or (size,)
        -1 .. 1.

    Returns
    -------
    two int64 arrays of the shape that both have together
    """
    sine, cosine = np.broadcast_arrays(np.asarray(sine, np.float64), np.asarray(cosine, np.float64))
    lost, angle = damping_and_angle(sine, cosine)
    around = (..., *(None,) * sine.ndim)
    nearest = [rounded(x * _UNITY) for x in (sine, cosine)]
    sines, cosines = (
        np.clip(near[None] + _SHIFTS[:, k][around], ROTATION.low, ROTATION.high)
        for k, near in enumerate(nearest)
    )
    lost_by, angle_by = damping_and_angle(sines / _UNITY, cosines / _UNITY)
    loss = ((lost_by - lost) / np.maximum(np.abs(lost), _LEAST)) ** 2
    turned = np.angle(np.exp(1j * (angle_by - angle)))
    loss = loss + (turned / np.maximum(np.abs(angle), _LEAST)) ** 2
    loss = np.where((lost >= 0) & (lost_by < 0), np.inf, loss)
    best = np.argmin(loss, axis=0)[None]
    return tuple(np.take_along_axis(x, best, 0)[0] for x in (sines, cosines))


def damping_and_angle(sine: Any, cosine: Any) -> tuple[Reals, Reals]:
    """What a step loses (differences below the last digits are nothing), and its angle."""
    return np.round(1 - np.hypot(sine, cosine), 12), np.arctan2(sine, cosine)


def rotation_rows(
    population: IdealPopulation, sine: Any, cosine: Any, dt: float
) -> tuple[ParameterRow, ParameterRow]:
    """Frequency and time constant of a resonator: what the equations and the registers say.

    Of a step of the equations, as its integrator computes it.
    """
    turn, shrink = (_quantity(population, name) for name in ("sin_decay", "cos_decay"))
    wanted = damping_and_angle(turn.value, shrink.value)
    meant = damping_and_angle(sine / _UNITY, cosine / _UNITY)
    frequencies = [np.abs(angle) / (2 * np.pi * dt) for _, angle in (wanted, meant)]
    with np.errstate(divide="ignore", invalid="ignore"):
        times = [
            np.where(lost > 0, -dt / np.log1p(-np.clip(lost, 0, 1)), np.inf)
            for lost, _ in (wanted, meant)
        ]
        off = np.where(times[0] == times[1], 0.0, relative_error(times[0], times[1]))
    off = np.where(np.isinf(times[0]) & np.isfinite(times[1]), -1.0, off)
    note = "sine and cosine are rounded together"
    return (
        ParameterRow(
            population.name, turn.meaning or "frequency", Span.of(frequencies[0]), "Hz",
            turn.register, Span.of(sine), Span.of(frequencies[1]),
            worst(relative_error(*frequencies)), note,
        ),
        ParameterRow(
            population.name, shrink.meaning or "time constant", Span.of(times[0]), "s",
            shrink.register, Span.of(cosine), Span.of(times[1]), worst(off), note,
        ),
    )  # fmt: skip


def _quantity(population: IdealPopulation, register: str) -> Quantity:
    found = population.quantity(register)
    assert found is not None
    return found
