"""The Lava process of one Brian2 group, with what its ports mean."""

from __future__ import annotations

from typing import Any

from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from lava.magma.core.process.ports.ports import InPort, OutPort

from brian2lava.errors import OptionError
from brian2lava.interop.plug.brian_group import BrianGroup
from brian2lava.interop.plug.terminals import (
    Contributions,
    EventsOut,
    Place,
    SpikesIn,
    ValuesOut,
)
from brian2lava.processes.lava_host import forgotten_by_lava


class Plug:
    """A group's process and the Brian2 side of each of its ports.

    Parameters
    ----------
    place : Place
    run_cfg : RunConfig
        Chooses the models of the processes that are connected.
    """

    def __init__(self, place: Place, run_cfg: Any) -> None:
        self.place = place
        self.run_cfg = run_cfg
        self.terminals: dict[str, Any] = {}
        self.asked_for: set[str] = set()
        self.frozen = False
        with forgotten_by_lava():
            self.process = BrianGroup(name=place.name, ports=self)
        if "spike" in place.events:
            self._add(EventsOut(place, "spike", "s_out"))
        if isinstance(place.group, SpikeGeneratorGroup):
            self._add(SpikesIn(place))

    @property
    def outlets(self) -> list[Any]:
        """What sends, of the ports that are connected."""
        return [each for each in self.used if not hasattr(each, "latency")]

    @property
    def inlets(self) -> list[Any]:
        """What receives, of the ports that are connected."""
        return [each for each in self.used if hasattr(each, "latency")]

    @property
    def used(self) -> list[Any]:
        """What sends or receives, of the ports that are connected."""
        return [each for each in self.terminals.values() if self.is_connected(each.port)]

    def port(self, name: str) -> Any:
        """The port of the Lava process."""
        return getattr(self.process, name)

    def is_connected(self, port: str) -> bool:
        """Whether something is at the other end."""
        found = self.port(port)
        return bool(found.get_src_ports() if isinstance(found, InPort) else found.get_dst_ports())

    def into(self, variable: str, unit: Any, latency: int) -> InPort:
        """See :meth:`BrianGroup.into`."""
        return self._asked(
            Contributions(self.place, variable, unit, f"{variable}_in", latency=latency)
        )

    def out(self, variable: str, unit: Any) -> OutPort:
        """See :meth:`BrianGroup.out`."""
        return self._asked(ValuesOut(self.place, variable, unit, f"{variable}_out"))

    def events(self, event: str) -> OutPort:
        """See :meth:`BrianGroup.events`."""
        known = self.place.events
        if event not in known:
            there = ", ".join(known) or "none"
            raise OptionError(f"'{self.place.name}' has no event {event!r}; there are {there}.")
        if event == "spike":
            return self.port("s_out")
        return self._asked(EventsOut(self.place, event, f"{event}_out"))

    def _asked(self, terminal: Any) -> Any:
        """The port of ``terminal``: the one that is there if it was made the same way."""
        known = self.terminals.get(terminal.port)
        if known is not None:
            if (type(known), known.settings) != (type(terminal), terminal.settings):
                raise OptionError(
                    f"'{self.place.name}' has a port {terminal.port!r} already, made with other"
                    f" arguments: {known.settings[1:]}, now {terminal.settings[1:]}."
                )
            return self.port(terminal.port)
        self.asked_for.add(terminal.port)
        return self._add(terminal)

    def _add(self, terminal: Any) -> Any:
        if self.frozen:
            raise OptionError(
                f"'{self.place.name}': {terminal.port!r} is asked for when Lava's processes run"
                " already; ask for ports, and connect them, before the first run()."
            )
        kind = InPort if hasattr(terminal, "latency") else OutPort
        port = kind(shape=(terminal.size,))
        port.name, port.process = terminal.port, self.process
        members = self.process.in_ports if kind is InPort else self.process.out_ports
        members.add_members({terminal.port: port})
        setattr(self.process, terminal.port, port)
        self.terminals[terminal.port] = terminal
        return port
