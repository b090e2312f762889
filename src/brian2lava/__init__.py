"""Brian2 models on Lava: ``import brian2lava`` registers the Brian2 device ``"lava"``.

>>> from brian2 import *
>>> import brian2lava
>>> set_device("lava")

Importing does nothing else; Lava itself is imported when a network runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from brian2lava.chip.neuron_picture import BitByBit
from brian2lava.device import LavaDevice, lava_device
from brian2lava.errors import BrianLavaError
from brian2lava.report import Report

__all__ = ["BrianLavaError", "LavaDevice", "bit_by_bit", "lava_device", "report"]


def report(dt_scan: bool | Sequence[Any] = False) -> Report:
    """Where and how the last run was made, and on a chip what the model became.

    Parameters
    ----------
    dt_scan : bool or sequence of times
        What other time steps would gain on the chip: ``True`` tries a fifth to ten times the
        present one, ``[0.1*ms, 0.5*ms]`` these.
    """
    return lava_device.report(dt_scan)


def bit_by_bit(
    group: Any = None, neuron: int = 0, steps: int | None = None, at: int | None = None
) -> BitByBit:
    """One neuron of the last run on a chip, against floating point: traces, bits, cores.

    Parameters
    ----------
    group : NeuronGroup or str, optional
        Whose neuron; without it the first group of the network.
    neuron : int
        Its number in the group.
    steps : int, optional
        From the start of the run; without it the run's own, at most 200.
    at : int, optional
        The step whose states are shown bit by bit; the one before the first spike without it.

    Returns
    -------
    BitByBit
        Shows itself in a notebook; ``save(path)`` writes the picture, ``trace`` has the numbers.
    """
    return lava_device.bit_by_bit(group, neuron, steps, at)
