"""One Lava process a Brian2 object: what belongs to whom, and the graph that runs a network."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brian2.core.base import BrianObject
from brian2.groups.group import CodeRunner
from brian2.groups.subgroup import Subgroup
from brian2.input.poissoninput import PoissonInput
from brian2.synapses.synapses import SynapticPathway

from brian2lava.capture.network import Captured
from brian2lava.engine.cpu.parted import PartedInstance
from brian2lava.engine.cpu.parts import render_passes
from brian2lava.engine.cpu.source import Source
from brian2lava.engine.host import why_not_lava
from brian2lava.errors import NotSupported
from brian2lava.options import Options
from brian2lava.processes.drawing import Drawing, drawing
from brian2lava.processes.graph_plan import plan_graph
from brian2lava.processes.ways import Graph
from brian2lava.program import step_program as program
from brian2lava.program.partition import PYTHON, Ownership, partition
from brian2lava.program.walks import Walks, walks


@dataclass(frozen=True)
class Planned:
    """A network's program in parts, before anything runs."""

    source: Source
    walks: Walks
    ownership: Ownership
    graph: Graph
    step_program: program.StepProgram
    objects: weakref.WeakSet[Any]

    def make_instance(self) -> Callable[..., Any]:
        """What makes this program's instance, as ``Instance`` does that of a whole program."""
        return functools.partial(PartedInstance, step_program=self.step_program, walks=self.walks)

    def drawing(self) -> Drawing:
        """The graph as text and as a picture."""
        return drawing(self.walks, self.ownership, self.graph)


def plan(
    captured: Captured, objects: Sequence[BrianObject], storage: dict[str, Any], fuse: bool
) -> Planned:
    """Which processes run a captured network, and what they say to each other."""
    whose = ownership(captured, objects)
    source, passes = render_passes(captured.program, fuse)
    parts = partition(captured.program, whose, passes)
    ways = walks(captured.program, whose, parts, passes)
    sizes = {
        edge.arrays[0]: len(storage[edge.arrays[0]]) for edge in ways.edges if edge.kind == "spikes"
    }
    graph = plan_graph(ways, whose, sizes)
    return Planned(source, ways, whose, graph, captured.program, weakref.WeakSet(objects))


def ownership(captured: Captured, objects: Sequence[BrianObject]) -> Ownership:
    """Whose the operations and arrays of a captured network are."""
    by_name = {obj.name: obj for obj in objects}
    kinds: dict[str, str] = {}

    def named(obj: Any) -> str:
        home = _home(obj)
        kinds.setdefault(home.name, home.__class__.__name__)
        return str(home.name)

    operations = tuple(
        PYTHON if isinstance(operation, program.PythonCall) else named(by_name[owner])
        for operation, owner in zip(captured.program.operations, captured.owners, strict=True)
    )
    clocks = {
        name
        for clock in captured.program.clocks
        for name in (clock.timestep, clock.t, clock.dt, clock.times)
    }
    arrays = {
        array: (named(variable.owner), variable.name)
        for array, variable in captured.variables.items()
        if array not in clocks and variable.owner is not None
    }
    if captured.calls:
        kinds[PYTHON] = "Python: " + ", ".join(dict.fromkeys(obj.name for obj in captured.calls))
    return Ownership(operations, arrays, kinds)


def _home(obj: Any) -> Any:
    """The object that a user made, of a part of it."""
    if isinstance(obj, SynapticPathway):
        return obj.synapses
    if isinstance(obj, Subgroup):
        return _home(obj.source)
    if not isinstance(obj, CodeRunner) or isinstance(obj, PoissonInput):
        return obj
    return obj if obj.group.name == obj.name else _home(obj.group)


def host_for(device: Any, net: Any, planned: Planned, captured: Captured) -> Any:
    """The processes of ``net``: those that are there if they run the same.

    Raises
    ------
    NotSupported
        There can be no Lava processes here.
    """
    reason = why_not_lava()
    if reason is not None:
        raise NotSupported(
            "set_device('lava', granularity='object'): a process for each object needs Lava."
            f" {reason} Use granularity='network'."
        )
    from brian2lava.processes.objects_host import ObjectsHost

    loaded = device.runs.of(net)
    if loaded is not None:
        instance: Any = loaded.instance
        if (
            isinstance(loaded.host, ObjectsHost)
            and loaded.host.alive
            and loaded.host.graph == planned.graph
            and loaded.serves(planned.source, captured, device.options.threads)
            and not instance.halfway
        ):
            return loaded.host
        device.runs.drop(net)
    return ObjectsHost(planned.graph)


def refuse_without_compiler(options: Options) -> None:
    """Without a compiler networks run in NumPy, in the user's process.

    Raises
    ------
    NotSupported
        A process for each object was asked for.
    """
    if options.granularity == "object":
        raise NotSupported(
            "set_device('lava', granularity='object'): no C++ compiler was found, and a process for"
            " each object needs one. Install g++ (Debian and Ubuntu: apt install g++)."
        )
