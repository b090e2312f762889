"""A NIR graph without graphs inside it: nodes by name, and edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import nir

from brian2lava.errors import NotSupported
from brian2lava.interop.nir.netx import is_netx, read_netx


@dataclass(frozen=True)
class FlatGraph:
    """Nodes and edges; a nested node has the name "graph.node".

    Attributes
    ----------
    nodes : dict of str to nir.NIRNode
        No graph among them. An Input or Output of a nested graph passes on what it gets.
    edges : tuple of (str, str)
    metadata : dict
        Of the outermost graph.
    """

    nodes: Mapping[str, Any]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def before(self, name: str) -> tuple[str, ...]:
        """The nodes whose output the node gets."""
        return tuple(source for source, target in self.edges if target == name)

    def after(self, name: str) -> tuple[str, ...]:
        """The nodes that get the node's output."""
        return tuple(target for source, target in self.edges if source == name)

    def inputs(self) -> tuple[str, ...]:
        """The Input nodes that nothing flows into."""
        return self._ends("Input", self.before)

    def outputs(self) -> tuple[str, ...]:
        """The Output nodes that nothing flows out of."""
        return self._ends("Output", self.after)

    def _ends(self, kind: str, neighbours: Any) -> tuple[str, ...]:
        return tuple(
            name
            for name, node in self.nodes.items()
            if type(node).__name__ == kind and not neighbours(name)
        )


def read_graph(source: Any, dt: float | None) -> Any:
    """A graph from a file (.nir, or one that lava-dl wrote), or the graph itself.

    ``dt`` (seconds) is what files of lava-dl, which count in steps, are read with.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(f"there is no file {str(path)!r}")
        if not h5py.is_hdf5(path):
            raise NotSupported(
                f"{path.name!r} is no HDF5 file. NIR graphs and lava-dl's networks are HDF5."
            )
        return read_netx(path, dt) if is_netx(path) else nir.read(path, type_check=False)
    if isinstance(source, nir.NIRGraph):
        return source
    if isinstance(source, nir.NIRNode):
        return nir.NIRGraph.from_list(source)
    raise NotSupported(
        f"from_nir() takes a nir.NIRGraph or the path of a file, not a {type(source).__name__}."
    )


def flatten(graph: Any) -> FlatGraph:
    """The graph with nested graphs in the place of their nodes.

    Raises
    ------
    NotSupported
        An edge to or from nothing, a repeated one, or to a nested graph with several ends.
    """
    nodes, edges = _flat(graph, "")
    for edge, count in Counter(edges).items():
        if count > 1:
            raise NotSupported(f"NIR: the edge {edge[0]!r} -> {edge[1]!r} is there {count} times.")
    return FlatGraph(nodes, tuple(edges), dict(graph.metadata or {}))


def _flat(graph: Any, prefix: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    for name, node in graph.nodes.items():
        if isinstance(node, nir.NIRGraph):
            inner, inside = _flat(node, f"{prefix}{name}.")
            nodes |= inner
            edges += inside
        else:
            nodes[prefix + name] = node
    for source, target in graph.edges:
        edges.append((_end(graph, source, "Output", prefix), _end(graph, target, "Input", prefix)))
    return nodes, edges


def _end(graph: Any, name: str, kind: str, prefix: str) -> str:
    """The node that an edge means: of a nested graph its only Input or Output."""
    if name not in graph.nodes:
        raise NotSupported(
            f"NIR: an edge names {prefix + name!r}, which is no node. The nodes are"
            f" {', '.join(map(repr, sorted(graph.nodes)))}."
        )
    node = graph.nodes[name]
    if not isinstance(node, nir.NIRGraph):
        return prefix + name
    ends = [inner for inner, each in node.nodes.items() if type(each).__name__ == kind]
    if len(ends) != 1:
        raise NotSupported(
            f"NIR graph '{prefix + name}' has {len(ends)} {kind} nodes, and an edge does not say"
            f" which one it means. Give it one {kind}."
        )
    return f"{prefix}{name}.{ends[0]}"
