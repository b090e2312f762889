"""Synapses that learn as a Lava process of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess


class PlasticRing(Protocol):
    """Synapses that learn, between two steps."""

    @property
    def values(self) -> Mapping[str, Any]:
        """ "w", of shape (synapses,), and traces by their names."""

    def due(self) -> Any:
        """What arrives now, shape (targets,)."""

    def take(self, sent: Any, fired: Any) -> None:
        """Spikes of sources, shape (sources,), set out; then weights change by those of targets."""


class ChipPlastic(AbstractProcess):
    """Plastic synapses of brian2lava's own (not Lava's library): any profile, several a pair.

    As with Lava's LearningDense, what is sent in a step left in an earlier one, and spikes of the
    targets come in at ``s_in_bap`` in the step in which they are fired.

    Parameters
    ----------
    name : str
    sources, targets : int
        Number of neurons on either side.
    make_ring : callable
        Makes what delivers spikes and learns; called in the process that Lava starts.
    """

    def __init__(
        self, *, name: str, sources: int, targets: int, make_ring: Callable[[], PlasticRing]
    ) -> None:
        super().__init__(name=name, make_ring=make_ring)
        self.s_in = InPort(shape=(sources,))
        self.s_in_bap = InPort(shape=(targets,))
        self.a_out = OutPort(shape=(targets,))
