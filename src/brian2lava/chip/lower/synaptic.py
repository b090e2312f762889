"""Variables of plastic synapses, in the user's units, where Brian2 reads them during a run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brian2lava.chip.learning.rule import PRE_TRACES, TRACES
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.surroundings import SynapticDecode
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import Projection
from brian2lava.program import step_program as program
from brian2lava.program.step_program import ELEMENT, Access


def decode_synapses(
    space: Workspace, projection: Projection, wanted: Sequence[SynapticDecode]
) -> Valued:
    """An operation that writes the wanted variables of all synapses."""
    text = Text()
    text.constant("N", "int64_t", projection.size)
    for number, item in enumerate(wanted):
        text.constant(f"unit_{number}", "double", item.unit)
        text.constant(f"offset_{number}", "double", item.offset)
        value = _integer(space, text, projection, item.register, number)
        text.writes.add(Access(item.target, ELEMENT))
        text.lines.append(
            f"_ptr{item.target}[_idx] = offset_{number} + (double){value} * unit_{number};"
        )
    operation = program.Elementwise(
        **space.origin(projection.name),
        statements=text.statements(),
        count="N",
        domain=f"{projection.name} synapses",
    )
    return operation, tuple(text.values)


def _integer(
    space: Workspace, text: Text, projection: Projection, register: str, number: int
) -> str:
    """The text of a register's integer at a synapse; traces may be kept by neuron."""
    array_id = space.plastic[projection.name][register]
    by_synapse = space.network.arithmetic.learning_rounding != "nearest_draw"
    if register not in TRACES or by_synapse:
        return text.read(array_id)
    ends = projection.pre if register in PRE_TRACES else projection.post
    index = f"_neuron_{number}_idx"
    neurons = space.array(f"{projection.name}_neurons", np.asarray(ends, np.int32))
    text.lines.append(f"const int32_t {index} = {text.read(neurons)};")
    text.reads.add(Access(array_id, index))
    return f"_ptr{array_id}[{index}]"
