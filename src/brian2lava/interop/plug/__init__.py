"""Brian2 groups among other Lava processes: ``brian2lava.lava_device.process(group)``.

::

    process(group) ──> Plug ──> LavaGraph ──> Exchange
    ports, and what    one      Lava compiles  a Brian2 object in the schedule: a step of
    they mean          group    what is        Lava's processes in each pass of the loop
                                connected

    as_process(network) ──> Wrapped in a BrianModel
                            ports and Vars of a whole network, which goes on a pass at a time

What is connected to a group runs in this program, in Lava's own process models or in their compiled
forms (:mod:`brian2lava.interop.compiled`), whatever runs the Brian2 network. A wrapped network runs
wherever Lava runs its process.
"""

from __future__ import annotations

from brian2lava.errors import NotSupported
from brian2lava.processes.shim import import_lava

try:
    import_lava()
except ImportError as problem:
    raise NotSupported(
        f"Brian2 groups and networks among Lava processes need Lava ({problem}). Install it: pip"
        " install --ignore-requires-python lava-nc==0.10.0"
    ) from problem

from brian2lava.interop.plug.plugs import Plugs
from brian2lava.interop.plug.wrapped import as_process

__all__ = ["Plugs", "as_process"]
