"""Synapses as a Lava process of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess


class Ring(Protocol):
    """Synapses between two steps: what arrives when."""

    def due(self) -> Any:
        """What arrives now, shape (targets,); the ring turns by one step."""

    def take(self, sent: Any) -> None:
        """Spikes, or their payloads, of shape (sources,) set out."""


class ChipSynapses(AbstractProcess):
    """Synapses of brian2lava's own (not Lava's library): any arithmetic profile, several a pair.

    As with Lava's Dense, what is sent in a step left in an earlier one: at least one step of delay.

    Parameters
    ----------
    name : str
    sources, targets : int
        Number of neurons on either side.
    make_ring : callable
        Makes what delivers spikes; called in the process that Lava starts.
    """

    def __init__(
        self, *, name: str, sources: int, targets: int, make_ring: Callable[[], Ring]
    ) -> None:
        super().__init__(name=name, make_ring=make_ring)
        self.s_in = InPort(shape=(sources,))
        self.a_out = OutPort(shape=(targets,))
