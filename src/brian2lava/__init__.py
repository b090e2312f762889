"""Brian2 models on Lava: ``import brian2lava`` registers the Brian2 device ``"lava"``.

>>> from brian2 import *
>>> import brian2lava
>>> set_device("lava")

From then on Lava can be imported on Python 3.11 and later, too (:mod:`brian2lava.processes.shim`).
Importing does nothing else; Lava itself is imported when a network runs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from brian2lava.chip.neuron_picture import BitByBit
from brian2lava.device import LavaDevice, lava_device
from brian2lava.errors import BrianLavaError, NotSupported
from brian2lava.processes import shim
from brian2lava.processes.drawing import Drawing
from brian2lava.report import Report

if TYPE_CHECKING:
    from brian2lava.interop.compiled import CompiledCfg as CompiledCfg
    from brian2lava.interop.export import export_lava
    from brian2lava.interop.nir import from_nir, to_nir
    from brian2lava.interop.plug import as_process
    from brian2lava.interop.plug.brian_group import BrianGroup

shim.install()

__all__ = [
    "BrianLavaError",
    "LavaDevice",
    "as_process",
    "bit_by_bit",
    "draw",
    "export_lava",
    "from_nir",
    "lava_device",
    "process",
    "report",
    "to_nir",
]

#: Functions that are imported by whoever asks for one, and where they are.
_LATE = {
    "CompiledCfg": "brian2lava.interop.compiled",
    "as_process": "brian2lava.interop.plug",
    "export_lava": "brian2lava.interop.export",
    "from_nir": "brian2lava.interop.nir",
    "to_nir": "brian2lava.interop.nir",
}


def report(dt_scan: bool | Sequence[Any] = False) -> Report:
    """Where and how the last run was made, and on a chip what the model became.

    Parameters
    ----------
    dt_scan : bool or sequence of times
        What other time steps would gain on the chip: ``True`` tries a fifth to ten times the
        present one, ``[0.1*ms, 0.5*ms]`` these.
    """
    return lava_device.report(dt_scan)


def draw() -> Drawing:
    """The Lava processes of the last run with ``granularity="object"``, and what they exchange.

    Returns
    -------
    Drawing
        Prints as text and shows itself in a notebook; ``save("graph.svg")`` writes the picture.
    """
    return lava_device.draw()


def process(group: Any, run_cfg: Any = None) -> BrianGroup:
    """The Lava process of a Brian2 group, whose ports any Lava process can be connected to.

    ``process(G).s_out.connect(dense.s_in)`` sends the group's spikes,
    ``lif.s_out.connect(process(H).into("v", unit=mV))`` adds to a variable; Brian2's
    ``run(duration)`` runs all of it.

    Parameters
    ----------
    group : Brian2 group
        Or a subgroup, or Synapses (for their variables).
    run_cfg : RunConfig, optional
        Chooses the models of the Lava processes; without it ``CompiledCfg()``.
    """
    return lava_device.process(group, run_cfg)


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


def __getattr__(name: str) -> Any:
    """The functions of :data:`_LATE`, imported by whoever asks for one."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(_LATE[name]), name)
    except NotSupported as without_nir:
        return _raising(without_nir)


def _raising(problem: NotSupported) -> Callable[..., NoReturn]:
    """A function that raises; ``help()`` and ``import *``, which look at all names, do not."""

    def not_there(*given: Any, **options: Any) -> NoReturn:
        raise problem

    not_there.__doc__ = str(problem)
    return not_there


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "CompiledCfg"})
