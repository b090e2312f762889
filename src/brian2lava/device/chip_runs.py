"""What a chip's network keeps between two runs, by network."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from brian2.core.network import Network

from brian2lava.chip.quantise import Quantised
from brian2lava.engine.cpu import instance as cpu


@dataclass
class Kept:
    """What stays between two runs of a network.

    ``written`` are the user's values as they were read back; a variable that still has them goes
    on with the integers in ``states`` and ``sums``. Variables of plastic synapses stand there by
    Synapses and variable (``written``), and by projection and register (``states``).
    """

    quantised: Quantised
    chip: str
    written: dict[tuple[str, str], Any] = field(default_factory=dict)
    states: dict[tuple[str, str], Any] = field(default_factory=dict)
    sums: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    flying: dict[str, cpu.Pending] = field(default_factory=dict)
    synapses: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    steps: int = 0
    seed: int = 0


class ChipRuns:
    """The chip's side of all networks, by network."""

    def __init__(self) -> None:
        self._kept: weakref.WeakKeyDictionary[Network, Kept] = weakref.WeakKeyDictionary()
        #: of whichever network ran last, also when that is gone
        self.last: Kept | None = None
        self._stored: weakref.WeakKeyDictionary[Network, dict[str, Kept | None]] = (
            weakref.WeakKeyDictionary()
        )

    def forget(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._stored.clear()
        self.last = None

    def store(self, net: Network, name: str) -> None:
        """Remember the integers of this moment under ``name``, as ``Network.store`` does."""
        self._stored.setdefault(net, {})[name] = self._kept.get(net)

    def restore(self, net: Network, name: str) -> None:
        """Go back to the integers of that moment."""
        kept = self._stored.get(net, {}).get(name)
        if kept is None:
            self._kept.pop(net, None)
        else:
            self._kept[net] = kept

    def of(self, net: Network) -> Kept | None:
        """What the last run of ``net`` left."""
        return self._kept.get(net)

    def keep(self, net: Network, kept: Kept) -> None:
        """Remember it for the next one."""
        self._kept[net] = kept
        self.last = kept
