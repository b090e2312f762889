"""NIR, the Neuromorphic Intermediate Representation: graphs to Brian2 networks, and back.

NIR (Pedersen et al. 2024, Nature Communications 15:8122) writes a network as a graph of neurons in
continuous time and of linear maps between them. It has no time step and no unit of a spike; every
simulator chooses these, and what it chooses hides in the gains of the graphs that it writes.
:mod:`brian2lava.interop.nir.convention` is where that choice is named.
"""

from __future__ import annotations

from typing import Any

from brian2lava.errors import NotSupported

try:
    import nir as _nir
except ImportError as problem:
    raise NotSupported(
        f"to_nir() and from_nir() need the package nir ({problem})."
        " Install the extra: pip install 'brian2lava[nir]'."
    ) from problem

from brian2lava.interop.nir.build import from_nir
from brian2lava.interop.nir.network import NIRNetwork
from brian2lava.interop.nir.write import to_nir

__all__ = ["NIRNetwork", "from_nir", "to_nir", "write_graph"]


def write_graph(path: Any, graph: Any) -> None:
    """Write a graph of :func:`to_nir` to a file; a file that is there is replaced."""
    _nir.write(path, graph)
