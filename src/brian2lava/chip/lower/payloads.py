"""Numbers that spikes carry: kept by the sender, multiplied with weights on arrival."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import Integers, Population, Projection, Source
from brian2lava.program.step_program import ELEMENT, Access

#: Index name in pathway statements.
_SENT = "_sent_idx"


def keep_payload(space: Workspace, text: Text, sender: Population | Source, payload: str) -> None:
    """Write what is sent in this step into the payloads of the last ``depth`` steps."""
    name, depth = sender.name, space.depths[sender.name]
    array_id = space.array(f"{name}_payloads", np.zeros((depth, sender.size), space.kind))
    space.sent[name] = array_id
    text.constant("depth", "int64_t", depth)
    text.scalar.append(f"const int64_t _turn = {text.once(space.around.timestep)} % depth;")
    # each element writes places of its own only, so the loop stays element by element
    text.writes.add(Access(array_id, ELEMENT))
    text.lines.append(f"_ptr{array_id}[_turn * N + _idx] = {payload};")


def weighted_message(
    space: Workspace,
    text: Text,
    projection: Projection,
    name: str,
    pre: Integers,
    delays: Integers,
    weight: str,
) -> str:
    """Weight times the payload that was sent ``delay`` steps ago."""
    sources = space.array(f"{name}_from", pre.astype(np.int32))
    steps = space.array(f"{name}_ago", delays.astype(np.int32))
    sent = space.sent[projection.source]
    text.constant("depth", "int64_t", space.depths[projection.source])
    text.constant("M", "int64_t", space.network.origin(projection.source).size)
    text.scalar.append(f"const int64_t _now = {text.once(space.around.timestep)};")
    text.reads.add(Access(sent, _SENT))
    text.lines.append(
        f"const int64_t {_SENT} = (_now - {text.read(steps)}) % depth * M + {text.read(sources)};"
    )
    return f"(U)({weight}) * (U)_ptr{sent}[{_SENT}]"
