"""Where a chip network is lowered: it allocates arrays and knows which one means what."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from brian2lava.chip.lower.surroundings import Surroundings
from brian2lava.chip.network import ChipNetwork
from brian2lava.chip.plain_steps import word_of
from brian2lava.engine.memory import arena
from brian2lava.program import step_program as program

_C_TYPES = {
    "float64": "double", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t",
    "int64": "int64_t",
}  # fmt: skip


class Workspace:
    """Arrays of a chip network that is being lowered.

    Attributes
    ----------
    word, kind
        Bits of the profile's word, and its NumPy type.
    arrays, storage : dicts by array id
    events, states, counters, plastic, sums
        As in :class:`~brian2lava.chip.lower.lowered.Lowered`.
    part_sums : dict of part of a projection to array id
        Sums that have a late shift.
    delivered : dict of part of a projection to array id
        What a spike adds, where learning changes it.
    sent : dict of population or source to array id
        Payloads of the last steps, shape (depth, size).
    depths : dict of population or source to int
        Steps that payloads have to be kept.
    """

    def __init__(self, network: ChipNetwork, around: Surroundings) -> None:
        self.network = network
        self.around = around
        self.word = network.arithmetic.word
        self.kind = word_of(network.arithmetic)
        self.arrays: dict[str, program.Array] = {}
        self.storage: dict[str, Any] = {}
        self.events: dict[str, str] = dict(around.events)
        self.states: dict[tuple[str, str], str] = {}
        #: states as they are before the reset, where somebody reads them at spikes
        self.reached: dict[tuple[str, str], str] = {}
        self.counters: dict[tuple[str, str], str] = {}
        self.plastic: dict[str, dict[str, str]] = {}
        self.sums: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.part_sums: dict[str, str] = {}
        self.delivered: dict[str, str] = {}
        self.sent: dict[str, str] = {}
        self.depths: dict[str, int] = _message_depths(network)
        self.unit = self.array("unit", np.ones(1), scalar=True)

    def array(self, name: str, values: Any, scalar: bool = False) -> str:
        """A new array in the arena with these values; its id."""
        values = np.asarray(values)
        base = "_array_chip_" + re.sub(r"\W", "_", name)
        array_id, k = base, 1
        while array_id in self.arrays:
            k += 1
            array_id = f"{base}_{k}"
        block = arena().allocate(max(1, values.size) * values.dtype.itemsize)
        place = block.array(values.dtype, max(1, values.size))
        place[: values.size] = values.ravel()
        self.arrays[array_id] = program.Array(array_id, _C_TYPES[values.dtype.name], scalar)
        self.storage[array_id] = place
        return array_id

    def targets(self, name: str, values: Any) -> str:
        """An array whose id ends as the engine expects of post-synaptic indices."""
        array_id = self.array(name, values)
        made = self.arrays.pop(array_id)
        renamed = f"{array_id}_synaptic_post"
        self.arrays[renamed] = program.Array(renamed, made.ctype)
        self.storage[renamed] = self.storage.pop(array_id)
        return renamed

    def new_events(self, name: str, size: int) -> str:
        """An array of who fired: as many as fired, in front; the last element is how many."""
        self.events[name] = self.array(f"{name}_events", np.zeros(size + 1, np.int32))
        return self.events[name]

    def sum_of(self, target: str, port: str) -> str:
        """The array in which a port's input is summed."""
        for array_id, late in self.sums.setdefault((target, port), []):
            if not late:
                return array_id
        return self.new_sum(target, port, 0, "")

    def new_sum(self, target: str, port: str, late: int, name: str) -> str:
        """One more array for what arrives at a port, which ``late`` shifts by itself."""
        size = self.network.population(target).size
        array_id = self.array(f"{target}_{port}_{name}", np.zeros(size, self.kind))
        self.sums.setdefault((target, port), []).append((array_id, late))
        return array_id

    def origin(self, name: str) -> dict[str, Any]:
        """What every operation has: name, clock, origin."""
        return {
            "name": name,
            "clock": self.around.clock,
            "origin": program.Origin(name, self.around.origins.get(name, "")),
        }


def _message_depths(network: ChipNetwork) -> dict[str, int]:
    """Of all that send payloads: steps that these have to be kept.

    Other sources send 1, so their weights need no factor.
    """
    populations = {population.name for population in network.populations}
    depths = {source.name: 1 for source in network.sources if source.graded}
    for projection in network.projections:
        graded = projection.source in populations or projection.source in depths
        if projection.message_bits and graded:
            depth = int(projection.delays.max(initial=0)) + 1
            depths[projection.source] = max(depth, depths.get(projection.source, 1))
    return depths
