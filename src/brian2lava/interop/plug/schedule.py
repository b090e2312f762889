"""Where in Brian2's time step messages are exchanged with Lava processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from brian2lava.errors import NotSupported
from brian2lava.interop.plug.terminals import EventsOut, SpikesIn

#: The slot in which Brian2 looks for spikes.
SPIKES = "thresholds"
#: Slot and order before the state updates.
EARLY = ("before_groups", -(1 << 30))


def exchange_order(terminals: Iterable[Any]) -> float:
    """The place in the slot "thresholds": after all thresholds, before the monitors of spikes.

    Raises
    ------
    NotSupported
        Events are found elsewhere, or too late for what enters a SpikeGeneratorGroup.
    """
    events = [each for each in terminals if isinstance(each, EventsOut | SpikesIn)]
    for each in events:
        if each.schedule[0] != SPIKES:
            raise NotSupported(
                f"'{each.place.name}': events for '{each.port}' are found in the slot"
                f" {each.schedule[0]!r}, and Lava's processes get theirs in the slot {SPIKES!r}."
                f" Use set_event_schedule(..., when={SPIKES!r})."
            )
    order = max((each.schedule[1] for each in events), default=0)
    for each in events:
        if isinstance(each, SpikesIn) and each.schedule[1] < order:
            raise NotSupported(
                f"'{each.place.name}': its order is {each.schedule[1]}, and another group of the"
                f" same Lava graph finds its spikes at {order}: monitors of '{each.place.name}'"
                " would miss what comes from Lava. Give both the same order."
            )
    return order + 0.5
