"""What another time step would give: a row a step, and which of them is worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealNetwork
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.chip.quantise import ParameterRow, Quantised, Span, quantise
from brian2lava.chip.quantise.result import WORST_BOUND, WORST_ERROR
from brian2lava.chip.resources import check_fits
from brian2lava.chip.table import Cell, Table, percent, physical
from brian2lava.errors import BrianLavaError, OptionError

#: Multiples of the present time step that are tried where none are given.
FACTORS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
#: Steps that a time constant needs to be resolved where a longer step is recommended.
_STEPS_A_TIME_CONSTANT = 5
#: Units of rows that are decays and frequencies.
_DECAYS = ("s", "/step", "Hz")
#: What a resonator has in their place.
_ROTATIONS = ("damping", "period")


@dataclass(frozen=True)
class Retimed:
    """A model at another time step.

    Attributes
    ----------
    ideal : IdealNetwork
    rounded : float
        The most by which delays, refractory periods and given spikes move to stand at whole steps,
        in seconds.
    flags : tuple of str
        What rounding makes of them: delays and refractory periods that vanish.
    """

    ideal: IdealNetwork
    rounded: float = 0.0
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepRow:
    """One time step.

    Attributes
    ----------
    dt : float
        Seconds.
    refusal : str
        Why the chip can't have it; "" where it can.
    worst : dict of str to ParameterRow
        The row of greatest error by "time constants", "weights" and "levels".
    rounded : float
        As in :class:`Retimed`.
    headroom : float
        Of the population that has least; nan where it is unknown.
    flags : tuple of str
        All that a report of this time step would warn of.
    excess : float
        The worst error over what is tolerable: above 1 there are flags.
    resolves : bool
        Whether the shortest time constant has at least five steps.
    """

    dt: float
    refusal: str = ""
    worst: dict[str, ParameterRow] | None = None
    rounded: float = 0.0
    headroom: float = np.nan
    flags: tuple[str, ...] = ()
    excess: float = np.inf
    resolves: bool = True


def dt_scan(
    retimed: Callable[[float], Retimed],
    dts: Iterable[float],
    present: float | None = None,
    chip: str = "Loihi2",
    arithmetic: Arithmetic = LAVA,
    **options: Any,
) -> Table:
    """What other time steps would give: worst errors by kind of parameter, flags, a recommendation.

    Parameters
    ----------
    retimed : function of the time step (s) -> Retimed
        The same model with another time step; what it refuses becomes a row with the reason.
    dts : iterable of float
        Seconds, above 0.
    present : float, optional
        The time step of now: the recommended one is the nearest to it without a flag.
    options
        Of :func:`brian2lava.chip.quantise.quantise`.
    """
    steps = sorted({*map(float, dts), *([] if present is None else [float(present)])})
    for dt in steps:
        if not (np.isfinite(dt) and dt > 0):
            raise OptionError(f"dt_scan: a time step of {dt!r} s; numbers above 0 are needed.")
    rows = [_scanned(retimed, dt, chip, arithmetic, options) for dt in steps]
    best = recommended(rows, present)
    clean = any(not row.refusal and not row.flags for row in rows)
    return Table(
        (
            "time step", "", "time constants", "weights", "levels", "times", "head-room", "flags",
            "remark",
        ),
        tuple(_cells(row, present, best) for row in rows),
        f"Other time steps ({chip}, profile {arithmetic.name!r}; worst errors)",
        right=("time step", "time constants", "weights", "levels", "times", "head-room", "flags"),
        remarks=(
            _told(best, present, clean),
            "levels: thresholds, biases, initial values and inputs; times: the most by which"
            " delays, refractory periods and given spikes move to stand at whole steps.",
        ),
    )  # fmt: skip


def recommended(rows: Sequence[StepRow], present: float | None) -> StepRow | None:
    """Of the time steps without flags the nearest to ``present`` (without it, the shortest).

    A step longer than ``present`` has to resolve all time constants (five steps and more in each).
    Where all have flags it is the one with the fewest of them, and of those the one with the
    smallest worst error; None where none fits.
    """
    usable = [row for row in rows if not row.refusal and (row.resolves or row.dt == present)]
    usable += [row for row in rows if not row.refusal and present and row.dt < present]
    clean = [row for row in usable if not row.flags]
    if clean:
        near = present or min(row.dt for row in clean)
        return min(clean, key=lambda row: abs(np.log(row.dt / near)))
    return min(usable, key=lambda row: (len(row.flags), row.excess), default=None)


def _told(best: StepRow | None, present: float | None, clean: bool = False) -> str:
    if best is None:
        return "Recommended: none of them; the chip can't have them, or they are too long."
    step = physical(Span(best.dt, best.dt), "s")
    now = "" if present is None else f" to {physical(Span(present, present), 's')}"
    if best.flags and clean:
        return (
            f"Recommended: {step}: it has the fewest and smallest flags of those with five steps"
            " and more in each time constant; a longer step without flags has fewer than five."
        )
    if best.flags:
        return f"Recommended: {step}; all have flags, and it has the fewest and smallest."
    if best.dt == present:
        return f"Recommended: {step}, the present one: it has no flags."
    if present is None:
        return f"Recommended: {step}, the shortest without a flag."
    return f"Recommended: {step}, the nearest{now} without a flag."


def _cells(row: StepRow, present: float | None, best: StepRow | None) -> tuple[Cell, ...]:
    marks = ["now"] if row.dt == present else []
    marks += ["recommended"] if row is best else []
    step, mark = physical(Span(row.dt, row.dt), "s"), ", ".join(marks)
    if row.refusal:
        return (step, mark, "", "", "", "", "", "does not fit", row.refusal)
    assert row.worst is not None
    errors = (
        percent(row.worst[kind].error) if kind in row.worst else "-"
        for kind in ("time constants", "weights", "levels")
    )
    moved = physical(Span(row.rounded, row.rounded), "s") if row.rounded else "0"
    room = "unknown" if np.isnan(row.headroom) else f"{row.headroom:.3g}"
    return (step, mark, *errors, moved, room, str(len(row.flags)), _remark(row.flags))


def _remark(flags: Sequence[str]) -> str:
    """The first flag, and how many there are beside it."""
    if not flags:
        return ""
    return flags[0] + (f" (and {len(flags) - 1} more)" if len(flags) > 1 else "")


def _scanned(
    retimed: Callable[[float], Retimed], dt: float, chip: str, arithmetic: Arithmetic,
    options: dict[str, Any],
) -> StepRow:  # fmt: skip
    try:
        at = retimed(dt)
        made = quantise(at.ideal, chip, arithmetic, **options)  # type: ignore[arg-type]
        check_fits(made.network, chip)
    except BrianLavaError as refusal:
        return StepRow(dt, refusal=str(refusal))
    rooms = [cost.headroom for cost in made.costs.values() if not np.isnan(cost.headroom)]
    flags = (*short_time_constants(at.ideal), *at.flags, *_by_weight(made))
    return StepRow(
        dt, "", _worst(made), at.rounded, min(rooms, default=np.nan), flags, _excess(made),
        _STEPS_A_TIME_CONSTANT * dt <= min(_shortest(at.ideal), default=np.inf) * (1 + 1e-9),
    )  # fmt: skip


def short_time_constants(ideal: IdealNetwork) -> tuple[str, ...]:
    """Time constants shorter than a step, which an exact integrator takes but nothing resolves."""
    return tuple(
        f"{what} ({physical(Span(least, least), 's')}) is shorter than a step"
        for least, what in _shortest(ideal).items()
        if least < ideal.dt * (1 - 1e-9)
    )


def _shortest(ideal: IdealNetwork) -> dict[float, str]:
    """The least value of each time constant, in seconds, and whose it is."""
    found = {}
    for population in ideal.populations:
        for quantity in population.quantities:
            if quantity.time_constant is None or not np.size(quantity.time_constant):
                continue
            least = float(np.min(quantity.time_constant))
            if least > 0:
                found[least] = f"{population.name}: {quantity.meaning or quantity.register}"
    return found


def _kind(row: ParameterRow) -> str:
    if row.unit in _DECAYS:
        return "time constants"
    return "weights" if row.register == "weights" else "levels"


def _worst(made: Quantised) -> dict[str, ParameterRow]:
    found: dict[str, ParameterRow] = {}
    for row in made.rows:
        known = found.get(_kind(row))
        if known is None or abs(row.error) > abs(known.error):
            found[_kind(row)] = row
    return found


def _by_weight(made: Quantised) -> list[str]:
    """The warnings, that of the greatest error first."""
    errors = {f"{row.object}: {row.parameter} ": abs(row.error) for row in made.rows}

    def weight(warning: str) -> float:
        return max((e for start, e in errors.items() if warning.startswith(start)), default=0.0)

    return sorted(made.warnings, key=weight, reverse=True)


def _excess(made: Quantised) -> float:
    """What is furthest beyond what is tolerable, as a multiple of that."""
    found = [abs(row.error) / WORST_ERROR for row in made.rows]
    for cost in made.costs.values():
        found += [abs(cost.time_constants.get(name, 0.0)) / WORST_ERROR for name in _ROTATIONS]
        if not np.isnan(cost.bound_share):
            found.append(cost.bound_share / WORST_BOUND)
    return max(found, default=0.0)
