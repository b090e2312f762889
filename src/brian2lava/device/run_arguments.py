"""``device.run(run_args=...)``: values that replace those of variables and timed arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.core.variables import ArrayVariable, VariableView
from brian2.input.timedarray import TimedArray
from brian2.units.fundamentalunits import fail_for_dimension_mismatch

from brian2lava.errors import OptionError


@dataclass(frozen=True)
class Setting:
    """One value, checked; ``target`` is a variable or a timed array."""

    name: str
    target: ArrayVariable | TimedArray
    values: np.ndarray
    set_values: Callable[[np.ndarray], None] | None = None


def parse_run_args(device: Any, run_args: Any) -> list[Setting]:
    """Settings from ``run_args``, in their order.

    Parameters
    ----------
    run_args : mapping, sequence of str or None
        ``{group.variable: value, timed_array: values}``, or ``["group.variable=value", ...]`` with
        a number in base units, ``True``/``False``, or the name of a file of raw values
        (relative names begin at ``device.project_dir``).

    Raises
    ------
    TypeError
        A key of another kind, a read-only variable, or values of another shape.
    brian2.units.fundamentalunits.DimensionMismatchError
        Values of other units.
    OptionError
        A name that nothing has.
    """
    if run_args is None:
        return []
    if isinstance(run_args, Mapping):
        return [_by_object(key, value) for key, value in run_args.items()]
    if isinstance(run_args, str) or not isinstance(run_args, Sequence):
        raise TypeError(
            "run_args has to be a dictionary or a list of 'group.variable=value', not"
            f" {run_args!r}."
        )
    return [_by_name(device, text) for text in run_args]


def _by_object(key: Any, value: Any) -> Setting:
    if isinstance(key, TimedArray):
        fail_for_dimension_mismatch(key.dim, value)
        return _timed_array(key, np.asarray(value, dtype=key.values.dtype))
    if not isinstance(key, VariableView):
        raise TypeError(
            "The keys of 'run_args' need to be variables such as 'group.v', or TimedArrays; a key"
            f" is of type {type(key)}."
        )
    name = f"{key.group_name}.{key.name}"
    if not isinstance(key.variable, ArrayVariable) or key.variable.read_only:
        raise TypeError(f"run_args can't set '{name}': it is read-only or has no values.")
    fail_for_dimension_mismatch(key.dim, value)
    values = np.asarray(value, dtype=key.variable.dtype)
    if values.size != 1 and (
        values.ndim != 1 or (not key.variable.dynamic and values.size != key.shape[0])
    ):
        raise TypeError(f"Incorrect size for variable '{name}': {values.shape}, not {key.shape}.")

    def set_values(values: np.ndarray) -> None:
        key.set_with_index_array(slice(None), values, check_units=False)

    return Setting(name, key.variable, values, set_values)


def _timed_array(timed: TimedArray, values: np.ndarray) -> Setting:
    name = f"{timed.name}.values"
    if values.size != 1 and values.shape != timed.values.shape:
        raise TypeError(f"Incorrect size for '{name}': {values.shape}, not {timed.values.shape}.")
    return Setting(name, timed, values)


def _by_name(device: Any, text: str) -> Setting:
    name, equals, value = text.partition("=")
    if not equals:
        raise OptionError(f"run_args: {text!r} is not of the form 'group.variable=value'.")
    target = _find(device, name)
    if isinstance(target, TimedArray):
        return _timed_array(target, _read(device, value, target.values.dtype, target.values.shape))
    values = _read(device, value, target.dtype, None)
    length = device.arrays[target].shape[0]
    if values.size not in (1, length):
        raise TypeError(f"Incorrect size for variable '{name}': {values.size}, not {length}.")
    return Setting(name, target, values)


def variable_of_name(device: Any, name: str) -> ArrayVariable | None:
    """The variable that is called ``group.variable``."""
    for variable in list(device.arrays):
        try:
            full_name = f"{variable.owner.name}.{variable.name}"
        except (AttributeError, ReferenceError):  # no owner, or it is gone
            continue
        if full_name == name:
            return variable
    return None


def _find(device: Any, name: str) -> ArrayVariable | TimedArray:
    variable = variable_of_name(device, name)
    if variable is not None and not variable.read_only and getattr(variable, "ndim", 1) == 1:
        return variable
    for reference in TimedArray.__instances__():
        timed = reference()
        if timed is not None and f"{timed.name}.values" == name:
            return timed
    raise OptionError(f"run_args: there is no variable '{name}' that can be set.")


def _read(device: Any, value: str, dtype: Any, shape: Any) -> np.ndarray:
    if value.lower() in ("true", "false"):
        return np.asarray(value.lower() == "true", dtype=dtype)
    try:
        return np.asarray(float(value)).astype(dtype)
    except ValueError:
        values = np.fromfile(os.path.join(device.project_dir, value), dtype=dtype)
        return values if shape is None else values.reshape(shape)


@contextmanager
def timed_arrays_kept(settings: list[Setting]) -> Iterator[None]:
    """Timed arrays get back the values that they have now, whatever happens inside."""
    kept = [
        (setting.target, setting.target.values.copy())
        for setting in settings
        if isinstance(setting.target, TimedArray)
    ]
    try:
        yield
    finally:
        for timed, values in reversed(kept):
            timed.values[...] = values


def apply(device: Any, settings: list[Setting]) -> None:
    """Give variables and timed arrays their values."""
    for setting in settings:
        values = setting.values.reshape(()) if setting.values.size == 1 else setting.values
        if isinstance(setting.target, TimedArray):
            setting.target.values[...] = values
        elif setting.set_values is not None:
            setting.set_values(values)
        else:
            device.arrays[setting.target][:] = values
