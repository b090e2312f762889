"""Where in Brian2's time step the Lava processes have their turn."""

from __future__ import annotations

from typing import Any

from brian2.core.base import BrianObject

from brian2lava.interop.plug.graph import LavaGraph
from brian2lava.interop.plug.schedule import EARLY, SPIKES


class Exchange(BrianObject):
    """Runs a step of the Lava processes that are connected to Brian2 groups.

    Parameters
    ----------
    graph : LavaGraph
    clock : Clock
        One object for each clock of the groups; the first whose turn it is does the work.
    early : bool
        Before the state updates; else after the thresholds.
    """

    add_to_magic_network = False
    invalidates_magic_network = False

    def __init__(self, graph: LavaGraph, clock: Any, early: bool) -> None:
        name = f"{graph.groups[0].name}_lava{'_early' if early else ''}*"
        super().__init__(
            clock=clock,
            when=EARLY[0] if early else SPIKES,
            order=EARLY[1] if early else graph.order,
            name=name,
        )
        self._work = graph.run_early if early else graph.run
        self._graph = graph

    def run(self) -> None:
        """One time step."""
        self._work()

    def after_run(self) -> None:
        """What was sent to the user's own code has arrived there when ``run()`` returns."""
        self._graph.settle()

    @property
    def active(self) -> bool:
        """As long as one of the groups is."""
        return any(group.active for group in self._graph.groups)

    @active.setter
    def active(self, value: bool) -> None:
        """Groups say this of all that they contain; it is not theirs to say."""
