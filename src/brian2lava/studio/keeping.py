"""The bench on disk: one NPZ file of arrays and a JSON text, never pickled, replaced in one go."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.cache import cache_folder
from brian2lava.errors import BrianLavaError, FitError
from brian2lava.fit.target import Sweep, Target
from brian2lava.studio.setup import Setup, Tuning
from brian2lava.studio.wire import clean

#: Of the file's layout. A newer one is refused, and left as it is.
VERSION = 1
#: Bytes that a kept file may unpack to.
LARGEST = 2 << 30


def kept_in() -> Path:
    """Where the bench is kept if nobody says where."""
    return cache_folder() / "studio" / "bench.npz"


def save(path: Path, setup: Setup, more: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write the bench, and whatever else has to survive, in place of what was there."""
    header, made = _written(setup)
    text = json.dumps(clean({"version": VERSION, "setup": header, **more})).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(scratch, "wb") as file:
            np.savez(file, json=np.frombuffer(text, np.uint8), **made, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def load(path: Path) -> tuple[Setup, dict[str, Any], dict[str, Any]]:
    """The bench, the rest of the header, and the rest of the arrays.

    Raises
    ------
    FitError
        The file can't be read, is of a newer version, or unpacks to too much.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > LARGEST:
            raise FitError(
                f"{path}: it would unpack to {size >> 20} MiB; {LARGEST >> 20} MiB are the most."
            )
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays.pop("json").tobytes())
        version = header.pop("version")
        if version > VERSION:
            raise FitError(
                f"{path}: written by a newer brian2lava (layout {version}; this one reads up to"
                f" {VERSION}). Install the newer one, or give another --session."
            )
        setup = _read(header.pop("setup"), arrays)
    except BrianLavaError:
        raise
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise FitError(
            f"{path} can't be read as a kept bench ({error}). Give another --session, or move the"
            " file away; nothing in it was changed."
        ) from error
    return setup, header, arrays


def _written(setup: Setup) -> tuple[dict[str, Any], dict[str, Any]]:
    target, arrays = setup.target, {}
    sweeps = []
    for k, sweep in enumerate(target.sweeps):
        arrays[f"current{k}"] = sweep.current
        if sweep.voltage is not None:
            arrays[f"voltage{k}"] = sweep.voltage
        for r, train in enumerate(sweep.spikes):
            arrays[f"spikes{k}_{r}"] = train
        sweeps.append({"repeats": len(sweep.spikes), "voltage": sweep.voltage is not None})
    header = {
        "target": {
            "name": target.name, "dt": target.dt, "unit": target.unit, "source": target.source,
            "train": target.train, "held_out": target.held_out, "sweeps": sweeps,
        },
        "candidate": setup.candidate_name, "dt": setup.dt, "threshold": setup.threshold,
        "drive": setup.drive, "sweep": setup.sweep, "window": setup.window,
        "origin": setup.origin,
        "tunings": {
            name: {"values": t.values, "overrides": t.overrides, "locked": sorted(t.locked)}
            for name, t in setup.tunings.items()
        },
    }  # fmt: skip
    return header, arrays


def _read(header: Mapping[str, Any], arrays: dict[str, Any]) -> Setup:
    given = header["target"]
    sweeps = tuple(
        Sweep(
            arrays.pop(f"current{k}"),
            tuple(arrays.pop(f"spikes{k}_{r}") for r in range(sweep["repeats"])),
            arrays.pop(f"voltage{k}") if sweep["voltage"] else None,
        )
        for k, sweep in enumerate(given["sweeps"])
    )
    target = Target(
        given["name"], given["dt"], sweeps,
        tuple(map(tuple, given["train"])), tuple(map(tuple, given["held_out"])),
        given["unit"], given["source"],
    )  # fmt: skip
    tunings = {
        name: Tuning(t["values"], t["overrides"], frozenset(t["locked"]))
        for name, t in header["tunings"].items()
    }
    return Setup(
        target, header["candidate"], tunings, header["dt"], header["threshold"],
        header["drive"], header["sweep"], header["window"], header["origin"],
    )  # fmt: skip
