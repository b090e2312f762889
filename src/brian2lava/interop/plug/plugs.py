"""All Brian2 groups of a device that have Lava processes."""

from __future__ import annotations

import weakref
from collections.abc import Collection
from typing import Any

from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.plug.brian_group import BrianGroup
from brian2lava.interop.plug.connecting import name_problems
from brian2lava.interop.plug.exchange import Exchange
from brian2lava.interop.plug.graph import LavaGraph, elsewhere, graphs_of
from brian2lava.interop.plug.plug import Plug
from brian2lava.interop.plug.terminals import Place, home_of
from brian2lava.options import CHIPS, Options


class Plugs:
    """The processes of groups, and the graphs that they are in."""

    def __init__(self) -> None:
        name_problems()
        self._plugs: weakref.WeakKeyDictionary[Any, dict[tuple[int, int], Plug]] = (
            weakref.WeakKeyDictionary()
        )
        self._graphs: weakref.WeakKeyDictionary[Any, list[LavaGraph]] = weakref.WeakKeyDictionary()

    def process(self, group: Any, run_cfg: Any) -> BrianGroup:
        """See ``LavaDevice.process``."""
        place = Place.of(group)
        known = self._plugs.setdefault(home_of(group), {})
        key = place.start, place.stop
        if key not in known:
            known[key] = Plug(place, run_cfg)
        elif run_cfg is not None and run_cfg is not known[key].run_cfg:
            if known[key].frozen:
                raise OptionError(
                    f"process({place.name!r}, run_cfg=...): its Lava processes run already."
                )
            known[key].run_cfg = run_cfg
        return known[key].process

    def prepare(self, net: Any, options: Options) -> None:
        """Before a run of ``net``: compile new graphs, and put their exchanges into the schedule.

        Raises
        ------
        NotSupported
            A group of a graph is not in this network, or the network runs on a chip.
        """
        objects = net.sorted_objects
        here = {id(obj) for obj in objects}
        groups = [group for group in self._plugs if id(group) in here]
        new = [plug for group in groups for plug in self._plugs[group].values() if not plug.frozen]
        for graph in graphs_of(new):
            for group in graph.groups:
                self._graphs.setdefault(group, []).append(graph)
                _put_exchanges(graph, group)
        for graph in self._of(groups):
            _refuse_elsewhere(graph, net, here, options)
            graph.prepare(net)

    def described(self, objects: Collection[Any]) -> str:
        """The graphs of Lava processes that have run with one of ``objects``, as text."""
        graphs = self._of([group for group in self._graphs if group in objects])
        return "".join("\n" + graph.described() for graph in graphs)

    def refuse_store(self, net: Any) -> None:
        """What Lava's processes hold can't be stored.

        Raises
        ------
        NotSupported
            Names them.
        """
        for graph in self._of_net(net):
            if graph.has_begun:
                raise NotSupported(
                    f"'{net.name}'.store(): the state of the Lava processes {graph.names} can't be"
                    " stored. store() before their first step is possible; restore() then begins"
                    " with it again."
                )

    def refuse(self, net: Any, what: str) -> None:
        """Raise NotSupported, saying ``what``, if groups of ``net`` are connected to others."""
        here = {id(obj) for obj in net.sorted_objects}
        for group, plugs in self._plugs.items():
            if id(group) in here and any(plug.used for plug in plugs.values()):
                raise NotSupported(
                    f"{what}: '{group.name}' of '{net.name}' is connected to Lava processes, which"
                    " Brian2's run() runs."
                )

    def rewind(self, net: Any) -> None:
        """``net`` was restored to a state from before the first step of Lava's processes."""
        for graph in self._of_net(net):
            graph.rewind()

    def _of_net(self, net: Any) -> list[LavaGraph]:
        here = {id(obj) for obj in net.sorted_objects}
        return self._of([group for group in self._plugs if id(group) in here])

    def _of(self, groups: list[Any]) -> list[LavaGraph]:
        found = {id(graph): graph for group in groups for graph in self._graphs.get(group, ())}
        return list(found.values())


def _put_exchanges(graph: LavaGraph, group: Any) -> None:
    """Each group contains the exchanges of its graph, so they are in its network."""
    if not graph.exchanges:
        early = [True, False] if graph.needs_two_exchanges else [False]
        graph.exchanges += [
            Exchange(graph, clock, each) for clock in graph.clocks for each in early
        ]
    group.contained_objects.extend(graph.exchanges)


def _refuse_elsewhere(graph: LavaGraph, net: Any, here: set[int], options: Options) -> None:
    if options.hardware in CHIPS:
        raise NotSupported(
            f"set_device('lava', hardware={options.hardware!r}): {graph.group_names} has a Lava"
            " process with connections, and a network in a chip's integers can't have that. Use"
            " hardware='CPU'; brian2lava.export_lava() writes a chip's network as Lava processes."
        )
    missing = [group.name for group in graph.groups if id(group) not in here]
    if missing:
        raise NotSupported(f"'{net.name}': {elsewhere(missing, graph.group_names)}")
