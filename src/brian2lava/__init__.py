"""Brian2 models on Lava: ``import brian2lava`` registers the Brian2 device ``"lava"``.

>>> from brian2 import *
>>> import brian2lava
>>> set_device("lava")

Importing does nothing else; Lava itself is imported when a network runs.
"""

from brian2lava.device import LavaDevice, lava_device
from brian2lava.errors import BrianLavaError
from brian2lava.report import Report

__all__ = ["BrianLavaError", "LavaDevice", "lava_device", "report"]


def report() -> Report:
    """Where and how the last run was made, and on a chip what the model became."""
    return lava_device.report()
