"""NWB and ABF files -> arrays by name, through the packages of the extras ``nwb`` and ``abf``."""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.target.array_files import MOST_UNPACKED
from brian2lava.fit.target.labels import UNITS


def read_nwb(name: str, data: bytes, columns: Sequence[str] | None = None) -> Mapping[str, Any]:
    """Current clamp of an NWB file: stimulus series and the responses to them, in order.

    Pairs are made by sweep number where there is one. Links to other files are not followed.

    Raises
    ------
    FitError
        h5py is missing, it is no such file, or has no current clamp.
    """
    h5py = _module("h5py", "nwb", name)
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            responses = _series(h5py, name, file, "acquisition", "CurrentClampSeries")
            stimuli = _series(
                h5py, name, file, "stimulus/presentation", "CurrentClampStimulusSeries"
            )
    except FitError:
        raise
    except Exception as problem:
        raise FitError(f"{name} can't be read as NWB: {problem}.") from None
    pairs = [(stimuli[sweep], responses[sweep]) for sweep in responses if sweep in stimuli]
    if not pairs:
        raise FitError(
            f"{name} has {len(stimuli)} stimuli and {len(responses)} responses of current clamp,"
            " and none of the same sweep; a CurrentClampStimulusSeries and a CurrentClampSeries"
            " are needed."
        )
    rates = {rate for pair in pairs for _, rate in pair}
    if len(rates) > 1:
        raise FitError(f"{name} has several sampling rates ({rates} Hz); one is needed.")
    found: dict[str, Any] = {"rate (Hz)": rates.pop()}
    for k, ((current, _), (voltage, _)) in enumerate(pairs):
        found[f"I{k} (A)"], found[f"V{k} (V)"] = current, voltage
    return found


def _series(h5py: Any, name: str, file: Any, place: str, kind: str) -> dict[int, tuple[Any, float]]:
    """Data in SI units and sampling rate, by sweep number, or by place where there is none."""
    found: dict[int, tuple[Any, float]] = {}
    if place not in file:
        return found
    group = file[place]
    for k, key in enumerate(sorted(group)):
        if isinstance(group.get(key, getlink=True), h5py.ExternalLink):
            continue
        series = group[key]
        what = series.attrs.get("neurodata_type")
        what = what.decode() if isinstance(what, bytes) else what
        if what != kind or "data" not in series:
            continue
        data = series["data"]
        if data.external or data.is_virtual:
            raise FitError(f"{name}: {key!r} lies in another file, which is not followed.")
        if data.size * 8 > MOST_UNPACKED:
            raise FitError(f"{name}: {key!r} has {data.size} samples; that is too much.")
        values = np.asarray(data[...], np.float64) * float(data.attrs.get("conversion", 1.0))
        values += float(data.attrs.get("offset", 0.0))
        if "starting_time" not in series:
            raise FitError(f"{name}: {key!r} has no sampling rate; one is needed.")
        rate = float(series["starting_time"].attrs["rate"])
        sweep = series.attrs.get("sweep_number", series["sweep_number"][()]
                                 if "sweep_number" in series else None)  # fmt: skip
        found[k if sweep is None else int(sweep)] = (values, rate)
    return found


def read_abf(name: str, data: bytes, columns: Sequence[str] | None = None) -> Mapping[str, Any]:
    """Sweeps of an ABF file (current clamp): the first channel, and the command as the current.

    Raises
    ------
    FitError
        pyabf is missing, it is no such file, or the units are none of current clamp.
    """
    pyabf = _module("pyabf", "abf", name)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="brian2lava-") as folder:
        place = Path(folder) / "recording.abf"
        place.write_bytes(data)
        try:
            recording = pyabf.ABF(str(place))
            found["rate (Hz)"] = float(recording.dataRate)
            for sweep in recording.sweepList:
                recording.setSweep(sweep)
                voltage = _unit(name, recording.sweepUnitsY, "voltage")
                current = _unit(name, recording.sweepUnitsC, "current")
                found[f"V{sweep} ({voltage})"] = np.array(recording.sweepY)
                found[f"I{sweep} ({current})"] = np.array(recording.sweepC)
        except FitError:
            raise
        except Exception as problem:
            raise FitError(f"{name} can't be read as ABF: {problem}.") from None
    return found


def _unit(name: str, unit: str, kind: str) -> str:
    unit = unit.strip("\0 ")
    if unit not in UNITS or kind not in UNITS[unit][0]:
        raise FitError(
            f"{name}: a {kind} in {unit!r}; a recording of current clamp is needed, in mV and pA."
        )
    return unit


def _module(package: str, extra: str, name: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError:
        raise FitError(
            f"{name}: files of this kind are read through {package}, which is not installed:"
            f' pip install "brian2lava[{extra}]".'
        ) from None
