"""Brian2 models on Lava: ``import brian2lava`` registers the Brian2 device ``"lava"``.

>>> from brian2 import *
>>> import brian2lava
>>> set_device("lava")

Importing does nothing else; Lava itself is imported when a network runs.
"""

from brian2lava.device import LavaDevice, lava_device
from brian2lava.errors import BrianLavaError

__all__ = ["BrianLavaError", "LavaDevice", "lava_device"]
