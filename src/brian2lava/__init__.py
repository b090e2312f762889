"""Brian2 models on Lava: ``import brian2lava`` registers the Brian2 device ``"lava"``.

>>> from brian2 import *
>>> import brian2lava
>>> set_device("lava")

Importing does nothing else; Lava itself is imported when a network runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from brian2lava.chip.neuron_picture import BitByBit
from brian2lava.device import LavaDevice, lava_device
from brian2lava.errors import BrianLavaError
from brian2lava.report import Report

if TYPE_CHECKING:
    from brian2lava.interop.nir import NIRNetwork

__all__ = [
    "BrianLavaError",
    "LavaDevice",
    "bit_by_bit",
    "from_nir",
    "lava_device",
    "report",
    "to_nir",
]


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


def from_nir(
    graph: Any,
    dt: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    reset: str | Mapping[str, str] | None = None,
    method: str = "euler",
    spikes: str = "pulse",
    check_gains: bool = True,
) -> NIRNetwork:
    """A Brian2 network that computes a NIR graph, for any device and any ``hardware=``.

    Parameters
    ----------
    graph : nir.NIRGraph, str or Path
        Or the path of a file: NIR's, or a network of lava-dl (netx, HDF5).
    dt : time, optional
        Not needed where the graph's gains or its metadata say it.
    inputs : dict of Input node to group or array, optional
        A Brian2 group that spikes, or numbers of shape (steps, *shape of the node). Without it, an
        input is a SpikeGeneratorGroup without spikes.
    reset : {"v_reset", "subtract"} or dict of node to these, optional
        What a spike does to v, where the metadata of a node does not say it.
    method : {"euler", "exact"}
    spikes : {"pulse", "delta"}
        Whether a spike is 1 for one step, or has area 1.
    check_gains : bool
        Whether to refuse ``dt`` where the gains of the graph undo another one.

    Returns
    -------
    NIRNetwork
        ``network``, ``inputs``, ``outputs``, ``groups`` and ``synapses`` by NIR's names.

    Raises
    ------
    OptionError
        dt is missing or contradicts the gains; an unknown option.
    NotSupported
        Something in the graph that a network in steps can't be, or nir is not installed.
    """
    from brian2lava.interop.nir import from_nir as read

    return read(
        graph, dt, inputs=inputs, reset=reset, method=method, spikes=spikes, check_gains=check_gains
    )


def to_nir(
    network: Any = None,
    *,
    outputs: Sequence[Any] | None = None,
    method: str | None = None,
    spikes: str | None = None,
    w_in: float | str = 1.0,
    namespace: Mapping[str, Any] | None = None,
) -> Any:
    """The NIR graph of a Brian2 network, through the map of one step: names and units are free.

    Parameters
    ----------
    network : Network, NIRNetwork, or Brian2 objects, optional
        Without it, the objects that ``run()`` would run.
    outputs : sequence of groups or names, optional
        What the Output nodes take; without it, the groups that reach no other group.
    method : {"euler", "exact"}, optional
        Which time constants have the network's decays; "euler" without it.
    spikes : {"pulse", "delta"}, optional
        Whether a spike is 1 for one step, or has area 1; "pulse" without it.
    w_in : float or "dt"
        Of CubaLIF nodes; "dt" stands for tau_syn/dt, as snnTorch writes it.
    namespace : dict, optional
        Without it, the names around the call.

    Returns
    -------
    nir.NIRGraph

    Raises
    ------
    NotSupported
        Names the object that NIR has no node for, or nir is not installed.
    OptionError
        An unknown option or output.
    """
    from brian2lava.interop.nir import to_nir as write

    return write(
        network,
        outputs=outputs,
        method=method,
        spikes=spikes,
        w_in=w_in,
        namespace=namespace,
        level=1,
    )
