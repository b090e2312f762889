"""The folder that holds the values of a run: a file of raw values for each array."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from brian2.core.variables import DynamicArrayVariable

_RUN_INFORMATION = "last_run_info.txt"


def file_name(device: Any, variable: Any) -> str:
    """The name of a variable's file, the same as in Brian2's standalone mode."""
    name = device.get_array_name(variable, access_data=False)
    return f"{name}_{zlib.crc32(name.encode())}"


def write(device: Any, folder: Path) -> None:
    """Write every array of ``device`` into ``folder``, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for variable in list(device.arrays):
        values = np.ascontiguousarray(device.arrays[variable][:])
        values.tofile(folder / file_name(device, variable))
    (folder / _RUN_INFORMATION).write_text(
        f"{device._last_run_time} {device._last_run_completed_fraction}\n", encoding="utf-8"
    )


def read(device: Any, folder: Path) -> None:
    """Bring the values in ``folder`` back into the arrays.

    Raises
    ------
    FileNotFoundError
        Nothing was written there.
    """
    information = (folder / _RUN_INFORMATION).read_text(encoding="utf-8")
    for variable in list(device.arrays):
        path = folder / file_name(device, variable)
        if not path.exists():  # of an object that came later
            continue
        values = np.fromfile(path, dtype=variable.dtype)
        array = device.arrays[variable]
        if isinstance(variable, DynamicArrayVariable):
            columns = array.shape[1:]
            shape = (values.size // max(1, int(np.prod(columns))), *columns)
            device.resize(variable, shape if columns else shape[0])
            variable.size = shape if columns else shape[0]
            values = values.reshape(shape)
        array[:] = values
    seconds, fraction = information.split()
    device._last_run_time = float(seconds)
    device._last_run_completed_fraction = float(fraction)


def delete(device: Any, folder: Path) -> None:
    """Remove the files that :func:`write` made, and the folder if nothing else is in it."""
    for name in [_RUN_INFORMATION, *(file_name(device, variable) for variable in device.arrays)]:
        (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and not os.listdir(folder):
        folder.rmdir()
