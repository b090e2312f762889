"""A projection -> Pathways: spikes that arrive add weights to the sums of their target's port.

What arrives in a step is summed in an array a port and taken by the next update; a projection
whose exponent shifts the sum (a negative one, in lava-nc's arithmetic) has sums of its own, one a
delay, since each is shifted by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import support
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.payloads import weighted_message
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import Integers, Projection
from brian2lava.chip.weights import effective, late_exponent
from brian2lava.program import step_program as program
from brian2lava.program.step_program import Access

#: Index name in pathway statements.
_POST = "_postsynaptic_idx"


def make_sums(space: Workspace, projection: Projection) -> None:
    """The arrays in which a projection sums; before its target's update, which reads them."""
    late = late_exponent(projection, space.network.arithmetic)
    for part, _ in _parts(projection, late):
        if late:
            space.part_sums[part] = space.new_sum(projection.target, projection.port, late, part)
        else:
            space.sum_of(projection.target, projection.port)


def pathways(space: Workspace, projection: Projection) -> Iterator[Valued]:
    """One operation a part."""
    late = late_exponent(projection, space.network.arithmetic)
    weights = effective(projection, space.network.arithmetic)
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    for part, chosen in _parts(projection, late):
        if not chosen.any() and projection.learning is None:
            continue
        target = space.part_sums.get(part) or space.sum_of(projection.target, projection.port)
        yield _pathway(
            space, projection, part, target, projection.pre[chosen], projection.post[chosen],
            weights[chosen], delays[chosen],
        )  # fmt: skip


def _pathway(
    space: Workspace,
    projection: Projection,
    name: str,
    target: str,
    pre: Integers,
    post: Integers,
    weights: Integers,
    delays: Integers,
) -> Valued:
    plastic = projection.learning is not None
    # rows that the engine finds in order; draws of learning go by the synapse's own number
    order = slice(None) if plastic else row_order(pre, delays, post)
    pre, post, weights, delays = pre[order], post[order], weights[order], delays[order]
    text = Text()
    targets = space.targets(name, post.astype(np.int32))
    text.lines.append(f"const int32_t {_POST} = {text.read(targets)};")
    text.reads.add(Access(target, _POST))
    text.writes.add(Access(target, _POST))
    weight = _weight(space, text, name, weights, plastic)
    if projection.message_bits and projection.source in space.sent:
        weight = weighted_message(space, text, projection, name, pre, delays, weight)
    text.lines.append(f"_ptr{target}[{_POST}] = (T)((U)_ptr{target}[{_POST}] + (U)({weight}));")
    same = delays.size == 0 or bool(np.all(delays == delays[0]))
    operation = program.Pathway(
        **space.origin(projection.name),
        statements=text.statements(support(frozenset(), space.word)),
        events=space.events[projection.source],
        first=0,
        last=space.network.origin(projection.source).size,
        delays=space.array(f"{name}_delays", (delays[:1] if same else delays).astype(np.float64)),
        sources=space.array(f"{name}_pre", pre.astype(np.int32)),
        targets=targets,
        dt=space.unit,
    )
    return operation, tuple(text.values)


def row_order(*keys: Integers) -> Integers | slice:
    """What sorts by the first key, then the next ones; all of it as it is where that is in order.

    Brian2 makes most synapses in this order, and a look at 10 million costs a thirtieth of sorting.
    """
    equal: Any = True
    for key in keys:
        if np.any(equal & (key[:-1] > key[1:])):
            return np.lexsort(keys[::-1])
        equal = equal & (key[:-1] == key[1:])
    return slice(None)


def _weight(space: Workspace, text: Text, name: str, weights: Integers, plastic: bool) -> str:
    if plastic:
        space.delivered[name] = space.array(f"{name}_weights", weights.astype(space.kind))
        return text.read(space.delivered[name])
    if weights.size and np.all(weights == weights[0]):
        text.constant("weight", f"int{space.word}_t", int(weights[0]))
        return "weight"
    small = bool(np.all(np.abs(weights) < 1 << 15))
    array_id = space.array(f"{name}_weights", weights.astype(np.int16 if small else space.kind))
    return f"(T){text.read(array_id)}"


def _parts(projection: Projection, late: int) -> list[tuple[str, Any]]:
    """Name and synapses of each part that is summed by itself."""
    everything = np.ones(projection.pre.shape, bool)
    if not late:
        return [(projection.name, everything)]
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    return [(f"{projection.name}_{delay}", delays == delay) for delay in np.unique(delays)]
