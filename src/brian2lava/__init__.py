"""Brian2 models on Lava: ``import brian2lava`` registers the Brian2 device ``"lava"``.

>>> from brian2 import *
>>> import brian2lava
>>> set_device("lava")

Importing does nothing else; Lava itself is imported when a network runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brian2lava.device import LavaDevice, lava_device
from brian2lava.errors import BrianLavaError
from brian2lava.report import Report

__all__ = ["BrianLavaError", "LavaDevice", "lava_device", "report"]


def report(dt_scan: bool | Sequence[Any] = False) -> Report:
    """Where and how the last run was made, and on a chip what the model became.

    Parameters
    ----------
    dt_scan : bool or sequence of times
        What other time steps would gain on the chip: ``True`` tries a fifth to ten times the
        present one, ``[0.1*ms, 0.5*ms]`` these.
    """
    return lava_device.report(dt_scan)
