"""What a NIR graph has become in Brian2: objects by NIR's names."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from brian2.core.network import Network
from brian2.groups.neurongroup import NeuronGroup
from brian2.synapses.synapses import Synapses
from brian2.units.allunits import second

from brian2lava.interop.nir.convention import Convention
from brian2lava.interop.nir.graph import flatten
from brian2lava.interop.nir.linear import Shape


@dataclass(frozen=True)
class NIRNetwork:
    """A Brian2 network that computes a NIR graph.

    Attributes
    ----------
    network : brian2.Network
        All objects; monitors are added with ``network.add``.
    inputs : dict of Input node to group
        A SpikeGeneratorGroup without spikes (``set_spikes``) or the group that was given.
    outputs : dict of Output node to group
        Whose spikes are the output, or whose v is, where it has none.
    groups : dict of node to NeuronGroup
    synapses : dict of (source node, target node) to Synapses
    shapes : dict of node to tuple of int
        The shape that a group's neurons have in NIR, in C order.
    graph : nir.NIRGraph
        What it was made of.
    convention : Convention
        dt in seconds, method, spikes.
    resets : dict of node to "v_reset" or "subtract"
        Of the neurons that fire.
    again : function
        Makes the same once more.
    """

    network: Network
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    groups: Mapping[str, NeuronGroup]
    synapses: Mapping[tuple[str, str], Synapses]
    shapes: Mapping[str, Shape]
    graph: Any
    convention: Convention
    resets: Mapping[str, str]
    again: Callable[[], NIRNetwork] = field(repr=False)

    @property
    def dt(self) -> Any:
        """The time step."""
        return self.convention.dt * second

    def noted_graph(self) -> Any:
        """A copy of the graph, with metadata for what the network was made with besides it."""
        graph = copy.deepcopy(self.graph)
        graph.metadata = {**(graph.metadata or {}), **asdict(self.convention)}
        for name, node in flatten(graph).nodes.items():
            if self.resets.get(name, "v_reset") != "v_reset":
                node.metadata = {**(node.metadata or {}), "reset": self.resets[name]}
        return graph
