"""Projections that learn -> what changes their weights, once all deliveries are through."""

from __future__ import annotations

from collections.abc import Sequence

from brian2lava.chip.learning import learning_operations
from brian2lava.chip.learning.compiled import Projecting
from brian2lava.chip.learning.tape import stream_key
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import Projection
from brian2lava.chip.plastic import mantissas, synapses_of
from brian2lava.program import step_program as program


def learning(
    space: Workspace, number: int, projection: Projection, delivery: program.Pathway
) -> Sequence[Valued]:
    """The operations that follow ``delivery``; ``number``: the projection's place, for draws."""
    around = space.around
    projecting = Projecting(
        name=projection.name,
        rule=projection.learning,
        synapses=synapses_of(space.network, projection),
        weights=mantissas(space.network, projection),
        sign_mode=projection.signs.name,
        num_weight_bits=projection.num_weight_bits,
        exponent=projection.exponent,
        delivered=space.delivered[projection.name],
        delivered_ctype=f"int{space.word}_t",
        pre_events=space.events[projection.source],
        post_events=space.events[projection.target],
        timestep=around.timestep,
        key=stream_key(around.seed, number),
        clock=around.clock,
        origin=program.Origin(projection.name, around.origins.get(projection.name, "")),
        initial=around.traces.get(projection.name, {}),
    )
    made = learning_operations(
        space.network.arithmetic.learning_rounding,
        projecting,
        space.array,
        delivery,
        around.steps_before,
    )
    space.plastic[projection.name] = {**made.traces, **made.variables}
    return made.operations
