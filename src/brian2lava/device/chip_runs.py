"""What a chip's network keeps between two runs, by network."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.network import Network

from brian2lava.chip.quantise import Quantised
from brian2lava.device.chip_again import Again
from brian2lava.engine.cpu import instance as cpu
from brian2lava.errors import NotSupported

_Key = TypeVar("_Key", str, tuple[str, str], tuple[str, int])


@dataclass
class Kept:
    """What stays between two runs of a network.

    ``written`` are the user's values as they were read back; a variable that still has them goes
    on with the integers in ``states`` and ``sums``. Variables of plastic synapses stand there by
    Synapses and variable (``written``), and by projection and register (``states``). Spikes on
    their way and their synapses stand by projection and its part.

    Names are those of ``objects``, and of nobody else who has such a name later; ``senders`` tell
    the pathway or input that each ideal projection comes from. ``again`` makes the run once more.
    """

    quantised: Quantised
    chip: str
    objects: Mapping[str, weakref.ref[BrianObject]] = field(default_factory=dict)
    senders: Mapping[str, str] = field(default_factory=dict)
    written: dict[tuple[str, str], Any] = field(default_factory=dict)
    states: dict[tuple[str, str], Any] = field(default_factory=dict)
    sums: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    flying: dict[tuple[str, int], cpu.Pending] = field(default_factory=dict)
    synapses: dict[tuple[str, int], tuple[Any, Any, Any]] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    steps: int = 0
    seed: int = 0
    again: Again | None = None

    @property
    def waiting(self) -> int:
        """Spikes on their way at the end, and inputs that have arrived and are not yet seen."""
        flying = sum(len(pending.steps) for pending in self.flying.values())
        arrived = (each for arrays in self.sums.values() for each in arrays)
        return flying + sum(int(np.count_nonzero(each)) for each in arrived)

    def of_these(self, objects: Sequence[BrianObject]) -> Kept | None:
        """What belongs to ``objects``, and not to others of the same names.

        The magic network is one object for all scripts: after ``start_scope()`` it has new groups,
        which may have the names of old ones. None where no population is still there.
        """
        present = {obj.name: obj for obj in objects}
        same = {name for name, known in self.objects.items() if known() is present.get(name, known)}
        populations = {population.name for population in self.quantised.network.populations}
        if not populations & same:
            return None
        if same == set(self.objects):
            return self
        quantised = self.quantised

        def stays(name: str) -> bool:
            """Of a population, Synapses, or a projection of the chip."""
            part = quantised.parts.get(name)
            return (name if part is None else self.senders[part.projection]) in same

        return replace(
            self,
            quantised=replace(
                quantised,
                scales=_only(quantised.scales, stays),
                learning=_only(quantised.learning, stays),
                ideal=replace(
                    quantised.ideal,
                    projections=tuple(
                        projection
                        for projection in quantised.ideal.projections
                        if self.senders[projection.name] in same
                    ),
                ),
            ),
            written=_only(self.written, stays),
            states=_only(self.states, stays),
            sums=_only(self.sums, stays),
            flying=_only(self.flying, stays),
            synapses=_only(self.synapses, stays),
            counts=_only(self.counts, stays),
        )


def _only(values: Mapping[_Key, Any], stays: Callable[[str], bool]) -> dict[_Key, Any]:
    """By name, or by tuples that begin with one."""
    return {
        key: value
        for key, value in values.items()
        if stays(key if isinstance(key, str) else str(key[0]))
    }


def refuse_lost(name: str, port: str, arrived: Sequence[Any]) -> None:
    """What has arrived is kept by the synapses' port, and gone with the last of them."""
    if any(map(np.any, arrived)):
        raise NotSupported(
            f"'{name}': spikes arrived in the last step of the run before, and the synapses that"
            f" brought them are gone (the port {port!r} has none left). On a chip a neuron sees"
            " them one step later: run one more step before synapses are removed or made inactive."
        )


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
