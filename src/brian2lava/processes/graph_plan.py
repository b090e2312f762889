"""The walks of a partition as a graph of Lava processes with named ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from brian2lava.processes.ways import (
    Connection,
    Graph,
    Hear,
    Pass,
    PortPlan,
    ReceiveEvents,
    SendEvents,
    Step,
    Tell,
    Way,
)
from brian2lava.program.partition import Ownership
from brian2lava.program.walks import Receive, Run, Send, Walks, carried


def plan_graph(walks: Walks, ownership: Ownership, sizes: Mapping[str, int]) -> Graph:
    """Processes, ports and connections.

    Parameters
    ----------
    sizes : dict of str to int
        Elements of each array of events, the last one for their number included.
    """
    names = [part.name for part in walks.partition.parts]
    taken = [_Names() for _ in names]
    outputs: list[list[PortPlan]] = [[] for _ in names]
    inputs: list[list[PortPlan]] = [[] for _ in names]
    ports: list[_Ports] = []
    connections = []
    for edge in walks.edges:
        size, dtype = (sizes[edge.arrays[0]], "int32") if edge.kind == "spikes" else (1, "int64")
        about = carried(edge, ownership).replace(", ", "_")
        receiver = names[edge.receivers[0]]
        out = f"{about}_out" if len(edge.receivers) > 1 or size > 1 else f"{about}_to_{receiver}"
        out = taken[edge.sender].free(out)
        outputs[edge.sender].append(PortPlan(out, size, dtype))
        found = _Ports(out)
        for place in edge.receivers:
            into = taken[place].free(f"{about}_from_{names[edge.sender]}")
            inputs[place].append(PortPlan(into, size, dtype))
            found.into[place] = into
            connections.append(Connection(edge.sender, out, place, into))
        ports.append(found)
    for other in _unreached(walks):
        # Lava runs what is connected: these ports hold the graph together and carry nothing.
        out, into = taken[0].free("together_out"), taken[other].free("together_in")
        outputs[0].append(PortPlan(out, 1, "int64"))
        inputs[other].append(PortPlan(into, 1, "int64"))
        connections.append(Connection(0, out, other, into))
    ways = tuple(
        Way(
            name,
            tuple(inputs[place]),
            tuple(outputs[place]),
            tuple(_steps(walks, place, ports)),
        )
        for place, name in enumerate(names)
    )
    return Graph(ways, tuple(connections))


@dataclass
class _Names:
    """The names of a process's ports that are taken."""

    taken: set[str] = field(default_factory=set)

    def free(self, name: str) -> str:
        """``name``, or with a number where it is taken."""
        number, free = 1, name
        while free in self.taken:
            number += 1
            free = f"{name}_{number}"
        self.taken.add(free)
        return free


@dataclass
class _Ports:
    """The names of an edge's ports: the sender's, and each receiver's."""

    out: str
    into: dict[int, str] = field(default_factory=dict)


def _steps(walks: Walks, part: int, ports: list[_Ports]) -> Iterator[Step]:
    for item in walks.of(part):
        if isinstance(item, Run):
            yield Pass(item.number)
            continue
        edge = walks.edges[item.edge]
        if isinstance(item, Send):
            port = ports[item.edge].out
            yield SendEvents(port, edge.arrays[0]) if edge.kind == "spikes" else Tell(port)
        elif isinstance(item, Receive):
            port = ports[item.edge].into[part]
            yield ReceiveEvents(port, edge.arrays[0]) if edge.kind == "spikes" else Hear(port)


def _unreached(walks: Walks) -> list[int]:
    """One part of each piece of the graph that no edge connects with the first part."""
    pieces = list(range(len(walks.partition.parts)))

    def piece(part: int) -> int:
        while pieces[part] != part:
            part = pieces[part]
        return part

    for edge in walks.edges:
        for receiver in edge.receivers:
            pieces[piece(receiver)] = piece(edge.sender)
    return [part for part in range(len(pieces)) if piece(part) == part and part != piece(0)]
