"""A ``set_device("lava", ...)`` that is refused changes nothing."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

#: The module; what ``brian2.devices`` has under this name is the active device.
_devices: Any = import_module("brian2.devices.device")


def called_by_set_device() -> bool:
    """Whether the caller of this function's caller is Brian2's ``set_device``."""
    return sys._getframe(2).f_code is _devices._do_set_device.__code__


def go_back() -> None:
    """Brian2 makes a device the active one before the device has seen its options; undo that.

    What runs next, in a notebook for example, then runs where it would have run before.
    """
    _devices.active_device, *_ = _devices.previous_devices.pop()
