"""Recordings -> targets: current with voltage or spike times, from a file or from bytes.

Units are read from names (:mod:`labels`), never guessed. One current with several voltages or spike
trains is repeats; as many currents as voltages are sweeps, or repeats where the currents are equal.
Nothing in a file is unpickled or run as code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.target.array_files import read_mat, read_npz
from brian2lava.fit.target.lab_files import read_abf, read_nwb
from brian2lava.fit.target.labels import Label, read_label
from brian2lava.fit.target.table_file import read_table
from brian2lava.fit.target.target import MOST_SAMPLES, Sweep, Target

#: Bytes of a file: 10^7 rows of time, current and voltage as text.
MOST_BYTES = 512 << 20
#: Beyond these a unit is wrong: an electrode passes no microampere, a membrane has no volt.
MOST_AMPERE = 1e-6
MOST_VOLT = 1.0
#: Seconds between samples.
SHORTEST_STEP, LONGEST_STEP = 1e-7, 0.05
#: Volt below its threshold to which a voltage has to return before it can spike again.
REARMED = 5e-3

#: Arrays by their names. Those of two dimensions have a row a repeat or sweep.
Named = Mapping[str, Any]
READERS: dict[str, Callable[..., Named]] = {
    ".csv": read_table,
    ".txt": read_table,
    ".tsv": read_table,
    ".dat": read_table,
    ".npz": read_npz,
    ".mat": read_mat,
    ".nwb": read_nwb,
    ".abf": read_abf,
}


@dataclass(frozen=True)
class Options:
    """How a recording is read; see :func:`read_recording`."""

    dt: float | None = None
    units: Mapping[str, str] | None = None
    columns: Sequence[str] | None = None
    spike_threshold: float | None = 0.0


def read_recording(
    path: str | os.PathLike[str],
    dt: float | None = None,
    units: Mapping[str, str] | None = None,
    columns: Sequence[str] | None = None,
    spike_threshold: float | None = 0.0,
    **spans: Any,
) -> Target:
    """A target from a recording.

    Parameters
    ----------
    path : path
        CSV or other text (UTF-8), NPZ, MAT; NWB and ABF with the extras of those names. At most
        ``MOST_BYTES``, and ``MOST_SAMPLES`` a sweep.
    dt : float, optional
        Seconds between samples, where the recording has neither time nor sampling rate.
    units : dict, optional
        Units of "time", "current", "voltage" that the names in the file do not have.
    columns : sequence of str, optional
        Names of the columns of a text file that has none: ``["t (ms)", "I (pA)", "V (mV)"]``.
    spike_threshold : float or None
        Volt that the voltage crosses upwards in a spike, where spike times are not given. None:
        the spikes stay unknown.
    **spans
        ``train`` and ``held_out``, as for :class:`Target`.

    Raises
    ------
    FitError
        Something is missing, unknown, too large or not a number; says what was found.
    """
    place = Path(path)
    try:
        size = place.stat().st_size
    except OSError as problem:
        raise FitError(f"{place}: {problem.strerror}.") from None
    if not place.is_file():
        raise FitError(f"{place} is no file.")
    _check_size(place.name, size)
    options = Options(dt, units, columns, spike_threshold)
    return _target(place.name, place.read_bytes(), options, spans)


def read_recording_bytes(
    name: str,
    data: bytes,
    dt: float | None = None,
    units: Mapping[str, str] | None = None,
    columns: Sequence[str] | None = None,
    spike_threshold: float | None = 0.0,
    **spans: Any,
) -> Target:
    """As :func:`read_recording`, from a file's name and content."""
    return _target(name, data, Options(dt, units, columns, spike_threshold), spans)


def _check_size(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise FitError(
            f"{name} has {size / 2**20:.0f} MiB; {MOST_BYTES >> 20} MiB are the most. Cut it, or"
            " save it with fewer samples."
        )
    if size == 0:
        raise FitError(f"{name} is empty.")


def _target(name: str, data: bytes, options: Options, spans: Mapping[str, Any]) -> Target:
    _check_size(name, len(data))
    suffix = PurePath(name).suffix.lower()
    if suffix not in READERS:
        raise FitError(
            f"{name}: files that end in {suffix or 'nothing'!r} can't be read; there are"
            f" {', '.join(READERS)}."
        )
    arrays = READERS[suffix](name, data, options.columns)
    try:
        return _Recording(name, arrays, options).target(spans)
    except FitError as problem:
        text = str(problem)
        raise FitError(text if text.startswith(name) else f"{name}: {text}") from None


class _Recording:
    """Arrays with names, on their way to a target."""

    def __init__(self, name: str, arrays: Named, options: Options) -> None:
        self.name = name
        self.options = options
        self.units = dict(options.units or {})
        for kind in self.units:
            if kind not in ("time", "current", "voltage"):
                raise FitError(f"units of {kind!r}; they are for 'time', 'current', 'voltage'.")
        self.found: dict[str, list[tuple[Label, Any]]] = {}
        for text, array in arrays.items():
            label = read_label(text)
            self.found.setdefault(label.kind, []).append((label, np.asarray(array)))
        self.names = ", ".join(repr(text) for text in arrays) or "nothing"

    def target(self, spans: Mapping[str, Any]) -> Target:
        """The whole."""
        currents = self._rows("current")
        if not currents:
            raise FitError(
                f"there is no current; found {self.names}. Name it 'I (pA)', for example."
            )
        voltages = self._rows("voltage")
        begin, dt = self._clock(currents[0][1].size)
        trains = self._trains(begin, dt, currents[0][1].size)
        if not voltages and not trains:
            raise FitError(
                f"there is neither a voltage nor spike times; found {self.names}. Name them"
                " 'V (mV)' or 'spikes (ms)', for example."
            )
        unit = "1" if self._unitless(currents[0][0]) else "A"
        self._check_values(currents, voltages, unit)
        answers = len(voltages) or len(trains)
        currents = self._merged(currents, answers)
        self._check_lengths(currents, voltages)
        if not trains and self.options.spike_threshold is not None:
            trains = self._crossings(voltages, dt, self.options.spike_threshold)
        return Target(
            name=PurePath(self.name).stem or self.name,
            dt=dt,
            sweeps=self._sweeps(currents, voltages, trains),
            unit=unit,
            source=f"recording {self.name}",
            **spans,
        )

    def _unitless(self, label: Label) -> bool:
        return (label.unit or self.units.get("current")) == "1"

    def _rows(self, kind: str) -> list[tuple[Label, Any]]:
        """Samples in SI units, one entry a repeat or sweep."""
        rows = []
        for label, array in self.found.get(kind, []):
            numbers = _numbers(label.text, array)
            finite = numbers[np.isfinite(numbers)]
            span = f" (values from {finite.min():g} to {finite.max():g})" if finite.size else ""
            factor = label.factor(self.units, span)
            for row in _as_rows(numbers):
                rows.append((label, _without_padding(row) * factor))
        for label, row in rows:
            if row.size > MOST_SAMPLES:
                raise FitError(
                    f"{label.text!r} has {row.size} samples; {MOST_SAMPLES} are the most. Cut the"
                    " recording, or keep every second sample."
                )
            if row.size < 2:
                raise FitError(f"{label.text!r} has {row.size} sample(s); at least two are needed.")
            wrong = ~np.isfinite(row)
            if wrong.any():
                place = int(np.argmax(wrong))
                raise FitError(
                    f"{label.text!r}: sample {place} is {row[place]} ({int(wrong.sum())} such"
                    " samples). Cut the recording there, or fill the gap."
                )
        return rows

    def _clock(self, samples: int) -> tuple[float, float]:
        """When the first sample is, and seconds between samples."""
        begin, found = 0.0, None
        if self.found.get("time"):
            label, array = self.found["time"][0]
            times = _without_padding(_as_rows(_numbers(label.text, array))[0])
            factor = label.factor(self.units, f" (it ends at {times[-1]:g})" if times.size else "")
            begin, found = _even(label.text, times * factor, samples)
        elif self.found.get("dt"):
            label, array = self.found["dt"][0]
            found = _single(label.text, array) * label.factor(self.units)
        elif self.found.get("rate"):
            label, array = self.found["rate"][0]
            rate = _single(label.text, array) * label.factor({"rate": "Hz"})
            found = 1 / rate if rate > 0 else 0.0
        given = self.options.dt
        if found is None and given is None:
            raise FitError(
                f"there is no time; found {self.names}. Name it 't (ms)', or give dt in seconds."
            )
        if found is not None and given is not None and abs(found - given) > 0.01 * given:
            raise FitError(f"dt={given:g} s was given, and the recording has {found:g} s.")
        dt = float(found if given is None else given)  # type: ignore[arg-type]
        if not SHORTEST_STEP <= dt <= LONGEST_STEP:
            raise FitError(
                f"{dt:g} s between samples; {SHORTEST_STEP:g} to {LONGEST_STEP:g} s are possible."
                " Is the unit of time right?"
            )
        return begin, dt

    def _trains(self, begin: float, dt: float, samples: int) -> list[Any]:
        trains = []
        for label, array in self.found.get("spikes", []):
            numbers = _numbers(label.text, array)
            for row in _as_rows(numbers):
                marks = row.size == samples and label.unit is None and set(np.unique(row)) <= {0, 1}
                if marks:
                    trains.append(np.flatnonzero(row) * dt)
                    continue
                times = row[np.isfinite(row)] * label.factor(self.units) - begin
                end = samples * dt
                if times.size and not (times.min() > -dt and times.max() < end + dt):
                    raise FitError(
                        f"{label.text!r}: spikes from {times.min() + begin:g} to"
                        f" {times.max() + begin:g} s, in a recording from {begin:g} to"
                        f" {begin + end:g} s. Is the unit right?"
                    )
                trains.append(np.clip(times, 0, np.nextafter(end, 0)))
        return trains

    def _crossings(self, voltages: Sequence[tuple[Label, Any]], dt: float, threshold: float) -> Any:
        trains = [crossings(row, threshold) * dt for _, row in voltages]
        if not any(train.size for train in trains):
            reached = max(row.max() for _, row in voltages)
            raise FitError(
                f"there is no spike: the voltage reaches {reached * 1e3:.1f} mV and never crosses"
                f" {threshold * 1e3:g} mV. Give another spike_threshold (in volt), spike times, or"
                " spike_threshold=None to fit the voltage alone."
            )
        return trains

    def _check_values(self, currents: Any, voltages: Any, unit: str) -> None:
        for rows, most, what in ((currents, MOST_AMPERE, "A"), (voltages, MOST_VOLT, "V")):
            for label, row in rows:
                reached = float(np.abs(row).max())
                if reached > most and not (what == "A" and unit == "1"):
                    raise FitError(
                        f"{label.text!r} reaches {reached:g} {what}; more than {most:g} {what} is"
                        " none that a neuron has. Is the unit right?"
                    )

    def _merged(self, currents: list[Any], answers: int) -> list[Any]:
        """One current where all are equal: repeats."""
        if len(currents) not in (1, answers):
            raise FitError(
                f"{len(currents)} currents and {answers} answers to them; one current (repeats), or"
                " as many as answers (sweeps), are needed."
            )
        if len(currents) == 1:
            return currents
        first = currents[0][1]
        same = all(row.size == first.size and np.array_equal(row, first) for _, row in currents)
        return currents[:1] if same else currents

    def _check_lengths(self, currents: list[Any], voltages: list[Any]) -> None:
        for k, (label, voltage) in enumerate(voltages):
            of_it, current = currents[min(k, len(currents) - 1)]
            if current.size != voltage.size:
                raise FitError(
                    f"{of_it.text!r} has {current.size} samples and {label.text!r}"
                    f" {voltage.size}; one of each a time step is needed."
                )

    def _sweeps(self, currents: Any, voltages: Any, trains: list[Any]) -> tuple[Sweep, ...]:
        if voltages and trains and len(voltages) != len(trains):
            raise FitError(
                f"{len(voltages)} voltages and {len(trains)} spike trains; they don't belong"
                " together."
            )
        if len(currents) == 1:
            return (
                Sweep(currents[0][1], tuple(trains), voltages[0][1] if voltages else None),
            )  # fmt: skip
        return tuple(
            Sweep(
                row,
                (trains[k],) if trains else (),
                voltages[k][1] if voltages else None,
            )
            for k, (_, row) in enumerate(currents)
        )


def crossings(voltage: Any, threshold: float = 0.0) -> Any:
    """Samples at which a voltage (in volt) has just crossed a threshold upwards.

    After a spike the voltage has to fall ``REARMED`` below the threshold before the next one, so
    that noise at the threshold is no spike.
    """
    voltage = np.asarray(voltage, np.float64)
    # 1: above; -1: rearmed; 0: neither, which means what was last
    state = np.where(voltage >= threshold, 1, np.where(voltage < threshold - REARMED, -1, 0))
    state[0] = -1 if voltage[0] < threshold else 1
    places = np.where(state != 0, np.arange(state.size), 0)
    held = state[np.maximum.accumulate(places)]
    return np.flatnonzero((held[1:] == 1) & (held[:-1] == -1)) + 1


def _numbers(name: str, array: Any) -> Any:
    if array.dtype.kind not in "biuf":
        raise FitError(f"{name!r} has no numbers but {array.dtype}.")
    if array.ndim > 2:
        raise FitError(f"{name!r} has shape {array.shape}; one or two dimensions are needed.")
    return np.asarray(array, np.float64)


def _as_rows(array: Any) -> list[Any]:
    """Rows of an array; time is the longer of two dimensions."""
    if array.ndim < 2:
        return [np.atleast_1d(array)]
    return list(array if array.shape[0] <= array.shape[1] else array.T)


def _without_padding(row: Any) -> Any:
    """Without the empty cells after a column's end."""
    filled = np.flatnonzero(~np.isnan(row))
    return row[: filled[-1] + 1] if filled.size else row[:0]


def _single(name: str, array: Any) -> float:
    if np.size(array) != 1 or np.asarray(array).dtype.kind not in "iuf":
        raise FitError(f"{name!r} has {np.size(array)} values; one number is needed.")
    return float(np.ravel(array)[0])


def _even(name: str, times: Any, samples: int) -> tuple[float, float]:
    """Begin and step of times, which have to be evenly spaced."""
    if times.size != samples:
        raise FitError(
            f"{name!r} has {times.size} times, and the current {samples} samples; one of each is"
            " needed."
        )
    steps = np.diff(times)
    if not np.isfinite(times).all():
        raise FitError(f"{name!r}: a time is missing at sample {int(np.isnan(times).argmax())}.")
    step = (times[-1] - times[0]) / (times.size - 1)
    if step <= 0:
        raise FitError(f"{name!r} does not increase: from {times[0]:g} to {times[-1]:g} s.")
    # text has few digits: a step may be off by one in the last of those
    off = np.abs(times - times[0] - step * np.arange(times.size))
    if off.max() > 0.5 * step:
        place = int(np.argmax(np.abs(steps - step)))
        raise FitError(
            f"{name!r}: samples are not evenly spaced; the step is {step:g} s on average, and"
            f" {steps[place]:g} s after sample {place}. Resample the recording."
        )
    return float(times[0]), float(step)
