"""Maps of a fitted neuron: time step by bits of decays, bits of weights by their exponent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Settings
from brian2lava.fit.candidates import Candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.precision.bits import (
    BIAS_EXPONENTS,
    DECAY_BITS,
    WEIGHT_BITS,
    WEIGHT_EXPONENTS,
    bits_of,
    of_bias,
    of_input,
    of_own,
    payload_of,
    with_decay_bits,
)
from brian2lava.fit.precision.grid import Judge, PrecisionMap, assembled, shaped
from brian2lava.fit.target import Target
from brian2lava.fit.target.resample import resampled

#: Steps of the chip that a map looks at, in seconds.
STEPS = (1e-4, 2e-4, 2.5e-4, 5e-4, 1e-3, 2e-3)

_INPUT = (
    "payload * mantissa * 2**exponent stays as it is: an exponent that is one higher leaves the"
    " payload one bit less. Fewer bits round the mantissa, and the payload does not make up for it."
)
_OWN = (
    "The neuron's synapse onto itself: no payload, so what its mantissa and exponent can't express"
    " is lost."
)
_BIAS = (
    "The stimulus enters as a bias, so no weight brings it: bits of weights do not apply. Each"
    " exponent more leaves the bias's mantissa, 13 bits with its sign, one bit less."
)


def decay_map(
    target: Target,
    candidate: Candidate,
    values: Mapping[str, float],
    frame: Frame,
    *,
    steps: Sequence[float] = STEPS,
    bits: Sequence[int] = range(4, DECAY_BITS + 1),
    sweep: int = 0,
    window: float = 2e-3,
) -> PrecisionMap:
    """Gamma factor over the chip's time step and the bits of its decays.

    Parameters
    ----------
    target : Target
    candidate : Candidate
    values : mapping of str to float
        Physical parameters; all registers are rounded anew in every row.
    frame : Frame
        Its ``dt`` is the time step of the neuron as it is.
    steps : sequence of float
        Rows, in seconds.
    bits : sequence of int
        Columns, 1 .. 12.
    sweep : int
    window : float
        Seconds that matched spikes may be apart.

    Raises
    ------
    FitError
        Bits that there are not.
    """
    _of_range("bits", bits, range(1, DECAY_BITS + 1))
    batch = Batch(candidate.model, drive=frame.drive)
    given = {name: np.array([value]) for name, value in values.items()}
    rows: list[tuple[Any, Any, list[str]]] = []
    for dt in steps:
        settings = candidate.to_settings(given, replace(frame, dt=dt))
        judge = Judge(resampled(target, dt), sweep, window, batch)
        rows.append(judge.cells([with_decay_bits(settings, each) for each in bits]))
    return shaped(
        ("time step (s)", "bits of decays"), steps, bits,
        np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows]),
        [text for row in rows for text in row[2]], now=(frame.dt, float(DECAY_BITS)),
    )  # fmt: skip


def weight_map(
    target: Target,
    candidate: Candidate,
    settings: Settings,
    frame: Frame,
    *,
    synapse: Literal["input", "own"] = "input",
    bits: Sequence[int] = range(1, WEIGHT_BITS + 1),
    exponents: Sequence[int] | None = None,
    sweep: int = 0,
    window: float = 2e-3,
) -> PrecisionMap:
    """Gamma factor over the bits of a weight's mantissa and its exponent.

    A stimulus in graded spikes is ``payload * mantissa * 2**exponent``: the payload makes up for
    another exponent, and has fewer bits for it. A stimulus that enters as a bias has no weight; the
    map then has one row, over the exponent of the bias. The neuron's synapse onto itself has a map
    of its own.

    Parameters
    ----------
    target : Target
    candidate : Candidate
    settings : Settings of size 1
        The neuron as it is.
    frame : Frame
        Its time step, the reach of the stimulus, and how that enters.
    synapse : "input" or "own"
        The one that brings the stimulus, or the neuron's onto itself.
    bits : sequence of int
        Rows, 1 .. 8.
    exponents : sequence of int, optional
        Columns; all that there are, where they are left out: -8 .. 7 of a weight, 0 .. 7 of a bias.
    sweep : int
    window : float
        Seconds that matched spikes may be apart.

    Raises
    ------
    FitError
        Settings of several neurons, a synapse that there is not, bits or exponents that there are
        not.
    """
    if len(settings) != 1:
        raise FitError(f"weight_map: settings of {len(settings)} neurons; it takes one neuron's.")
    if synapse not in ("input", "own"):
        raise FitError(f"weight_map: synapse={synapse!r}; the values are 'input', 'own'.")
    if synapse == "own" and not settings.recurrent:
        raise FitError(f"{candidate.name} as it is has no synapse onto itself; use 'input'.")
    of_a_bias = synapse == "input" and frame.drive == "bias"
    possible = BIAS_EXPONENTS if of_a_bias else WEIGHT_EXPONENTS
    chosen = list(possible if exponents is None else exponents)
    _of_range("bits", bits, range(1, WEIGHT_BITS + 1))
    _of_range("exponents", chosen, possible)
    batch = Batch(candidate.model, drive=frame.drive)
    judge = Judge(resampled(target, frame.dt), sweep, window, batch)
    if of_a_bias:
        return _of_bias(judge, settings, chosen, frame.reach)
    made = _of_own if synapse == "own" else _of_input
    return made(judge, settings, list(bits), chosen, frame.reach)


def _of_input(
    judge: Judge, settings: Settings, bits: list[int], exponents: list[int], reach: float
) -> PrecisionMap:
    now = int(settings.exponents[0, 0])
    payload = payload_of(settings, reach)
    return assembled(
        judge, ("bits of weights", "exponent"), bits, exponents,
        lambda row, column: of_input(settings, int(row), int(column), reach),
        column_bits=np.array([bits_of(payload * 2.0 ** (now - e)) for e in exponents]),
        now=(float(WEIGHT_BITS), float(now)), note=_INPUT,
    )  # fmt: skip


def _of_own(
    judge: Judge, settings: Settings, bits: list[int], exponents: list[int], reach: float
) -> PrecisionMap:
    now = int(settings.own_exponents[-1, 0])
    mantissa = float(settings.own_weights[-1, 0])
    return assembled(
        judge, ("bits of its own weight", "exponent"), bits, exponents,
        lambda row, column: of_own(settings, int(row), int(column)),
        column_bits=np.array([bits_of(mantissa * 2.0 ** (now - e)) for e in exponents]),
        now=(float(WEIGHT_BITS), float(now)), note=_OWN,
    )  # fmt: skip


def _of_bias(judge: Judge, settings: Settings, exponents: list[int], reach: float) -> PrecisionMap:
    now = int(settings.registers["bias_exp"][0])
    most = abs(float(settings.registers["bias_mant"][0]))
    most += abs(float(settings.scale[0])) * reach
    return assembled(
        judge, ("bits of the bias", "exponent"), [13], exponents,
        lambda _, column: of_bias(settings, int(column), reach),
        column_bits=np.array([bits_of(most * 2.0 ** (now - e)) for e in exponents]),
        now=(13.0, float(now)), note=_BIAS,
    )  # fmt: skip


def _of_range(name: str, values: Sequence[int], possible: range) -> None:
    for value in values:
        if value not in possible:
            raise FitError(f"{name}: {value!r}; {possible[0]} to {possible[-1]} are there.")
    if not len(values):
        raise FitError(f"{name}: none are given; {possible[0]} to {possible[-1]} are there.")
