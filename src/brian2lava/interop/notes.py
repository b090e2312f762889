"""What a run through Lava leaves behind: arrays that its processes share with the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from brian2lava.chip.learning import PhiloxTape
from brian2lava.chip.network import ChipNetwork, Integers, Projection
from brian2lava.chip.plain import Recorded
from brian2lava.chip.plain_steps import initial_states, word_of
from brian2lava.chip.plastic import PlasticSynapses
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop import plastic_layers
from brian2lava.interop.lava_graph import LavaGraph, Traces
from brian2lava.interop.observation import Watched, attributes, shared_array
from brian2lava.interop.plastic_steps import values_of
from brian2lava.interop.written import Written, writing

#: What is noted may take so much memory (bytes).
MOST_BYTES = 4 << 30

#: The model of a process -> what is noted of it.
Watching = Callable[[Any], Watched]


class Notes:
    """Arrays, shared with Lava's processes, for spikes, states, weights and traces.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
    record : sequence of (population or projection, name of what is noted after each step)
    traces : dict of projection to dict of trace to array
        What learning begins with.
    written : dict of (population, register) to array of shape (steps, size)
        Registers that are written before each step.

    Raises
    ------
    OptionError
        Something keeps no such state.
    NotSupported
        It would take more memory than ``MOST_BYTES``.
    """

    def __init__(
        self,
        network: ChipNetwork,
        steps: int,
        record: Sequence[tuple[str, str]],
        traces: Traces | None = None,
        written: Written | None = None,
    ) -> None:
        self._network, self._traces, self._written = network, traces or {}, written or {}
        first = {pair: self._first(*pair) for pair in record}
        origins = (*network.populations, *network.sources)
        rows = [*first.values(), *(np.zeros(item.size, np.bool_) for item in origins)]
        total = steps * sum(values.nbytes for values in rows)
        if total > MOST_BYTES:
            raise NotSupported(
                f"{steps} steps of spikes and {len(first)} states would take {total >> 20} MiB"
                f" while Lava runs, more than {MOST_BYTES >> 20}. Run fewer steps, or use the"
                " emulator."
            )
        self.spikes = {item.name: shared_array((steps, item.size), np.bool_) for item in origins}
        self.rows = {}
        for pair, values in first.items():
            self.rows[pair] = shared_array((steps, values.size), values.dtype)
            self.rows[pair][:] = values

    def _first(self, name: str, state: str) -> Integers:
        """The values before the first step."""
        learning = self._learning().get(name)
        if learning is None:
            population = self._network.population(name)
            values = initial_states(population, self._network.arithmetic)
            kind = word_of(self._network.arithmetic)
        else:
            plastic = PlasticSynapses(self._network, learning, PhiloxTape(0))  # nothing is drawn
            plastic.begin(self._traces.get(name, {}))
            values = values_of(plastic)
            kind = np.int64
        if state not in values:
            raise OptionError(
                f"record={(name, state)!r}: {name!r} keeps no state {state!r}; it keeps"
                f" {', '.join(values)}."
            )
        return values[state].astype(kind)

    def _learning(self) -> dict[str, Projection]:
        return {
            projection.name: projection
            for projection in self._network.projections
            if projection.learning is not None
        }

    def watching(self, graph: LavaGraph, drawn: bool) -> Mapping[Any, Watching]:
        """By process of the graph: what is noted of its model.

        ``drawn``: whether learning rounds by the emulator's draws, and not by Lava's generators.
        """
        found: dict[Any, Watching] = {
            process: self._of_neurons(name) for name, process in graph.neurons.items()
        }
        for number, projection in enumerate(self._network.projections):
            if projection.name in self._learning() and projection.name in graph.layers:
                tape = PhiloxTape(graph.seed, number) if drawn else None
                (process,) = graph.layers[projection.name]
                ours = projection.name in graph.ours
                watched = self._of_ring(projection) if ours else self._of_dense(projection, tape)
                found[process] = _always(watched)
        if graph.heard:
            found[graph.hub] = _always(
                Watched(prepare=lambda model: self._hear(model, graph.heard))
            )
        return found

    def _hear(self, model: Any, heard: Sequence[str]) -> None:
        """Let a model of a hub note whose spikes come."""
        for number, name in enumerate(heard):
            port = getattr(model, f"s_in_{number}")
            port.recv = _noting(model, port.recv, self.spikes[name])

    def _rows_of(self, name: str) -> dict[str, Integers]:
        return {state: rows for (owner, state), rows in self.rows.items() if owner == name}

    def _of_neurons(self, name: str) -> Watching:
        def watched(model: Any) -> Watched:
            """Of states, those that the model keeps: others never change."""
            rows = {s: rows for s, rows in self._rows_of(name).items() if hasattr(model, s)}
            return Watched(
                rows, attributes(*rows), self.spikes[name], prepare=writing(name, self._written)
            )

        return watched

    def _of_ring(self, projection: Projection) -> Watched:
        return Watched(self._rows_of(projection.name), lambda model: model.ring.values)

    def _of_dense(self, projection: Projection, tape: PhiloxTape | None) -> Watched:
        network = self._network
        sources = network.origin(projection.source).size
        targets = network.population(projection.target).size
        present = plastic_layers.cells(projection, sources, targets)

        def prepare(model: Any) -> None:
            if tape is not None:
                plastic_layers.draw_from(model, tape)

        def mask(model: Any) -> None:
            model.weights = model.weights * present

        return Watched(
            self._rows_of(projection.name),
            plastic_layers.values_of(projection),
            prepare=prepare,
            after_learning=mask,
        )

    def recorded(self) -> Recorded:
        """What was noted, in the order of time, then index."""
        spikes = {name: np.nonzero(rows) for name, rows in self.spikes.items()}
        return Recorded(
            spikes={name: (when, who) for name, (when, who) in spikes.items()},
            states={pair: rows.copy() for pair, rows in self.rows.items()},
            counts={},
        )


def _always(watched: Watched) -> Watching:
    return lambda model: watched


def _noting(model: Any, receive: Callable[[], Any], spikes: Integers) -> Callable[[], Any]:
    def received() -> Any:
        data = receive()
        spikes[model.time_step - 1] = np.asarray(data) != 0
        return data

    return received
