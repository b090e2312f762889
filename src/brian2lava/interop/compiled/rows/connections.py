"""Connections: Dense, Sparse, and these with delays; convolutions in space and time.

All send what they gathered in the step before, then gather what arrives. Weights of the fixed-point
models are clipped and cut to their bits once, before the first step, by Lava's own functions. They
are kept a second time here, in the order of the senders.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.utils.weightutils import clip_weights, determine_sign_mode, truncate_weights
from scipy.sparse import csr_matrix

from brian2lava.interop.compiled.kit import Kit, Unfit, name_of

_DENSE = "lava.proc.dense.models."
_CONV = "lava.proc.conv.models."
_IN_TIME = "lava.proc.conv_in_time.models."
_KERNEL = ("kernel_size", "stride", "padding", "dilation")
_SPARSE = "lava.proc.sparse.models."
_LARGEST_DELAY = 63
#: Targets that 16 bits tell apart.
_SHORT_TARGETS = 1 << 16


def _cut(model: Any) -> None:
    """What the fixed-point models do with their weights before the first step."""
    if model.weights_set:
        return
    mode = model.proc_params.get("sign_mode") or determine_sign_mode(model.weights)
    bits = model.proc_params.get("num_weight_bits", 8)
    model.weights = truncate_weights(clip_weights(model.weights, mode, num_bits=8), mode, bits)
    model.weights_set = True


def weight_exponent(model: Any) -> int:
    exponent = model.proc_params.get("weight_exp", 0)
    if int(exponent) != exponent:
        raise Unfit(f"weight_exp is {exponent}")
    return int(exponent)


def is_graded(kit: Kit) -> bool:
    return bool(kit.model.num_message_bits.item() > 0)


def sum_type(graded: bool, sent: Any) -> Any:
    """In which integers NumPy adds: products keep their type, sums of int32 are int64."""
    return np.result_type(np.int32, sent) if graded else np.dtype(np.int64)


def sum_buffer(kit: Kit, dtype: Any, name: str = "a_buff") -> Any:
    """The model's buffer, in the type that it has after the first step."""
    setattr(kit.model, name, np.ascontiguousarray(getattr(kit.model, name), dtype))
    return kit.state(name)


def _dense(kit: Kit, fixed: bool) -> None:
    model = kit.model
    n_out, n_in = model.weights.shape
    graded = is_graded(kit)
    s_in = arriving_type(kit)
    sums = sum_type(graded, s_in) if fixed else np.dtype(np.float64)
    stored = np.int32 if fixed else np.float64
    kit.replaced.add("weights")
    buffer = sum_buffer(kit, sums)
    sent = kit.output("a_out", np.int32 if fixed else np.float64)
    kit.add("send_" + name_of(sums, sent.dtype), n=n_out, **{"in": buffer}, out=sent)
    kit.then()
    s = kit.input("s_in")
    made = kit.add(
        "matrix_" + name_of(stored, s.dtype, sums), rows=n_in, columns=n_out, graded=graded,
        exponent=weight_exponent(model) if fixed else 0, fits=0, weights=None, brief=None, s=s,
        narrow=np.zeros(n_out, stored), active=np.zeros(n_in + 1, np.int32), out=buffer,
    )  # fmt: skip

    def refresh() -> None:
        if fixed:
            _cut(model)
        rows = np.ascontiguousarray(model.weights.T, stored)
        brief = in_half(rows, fixed)
        made.set("graded", is_graded(kit))
        made.set("fits", fixed and sums_fit(rows))
        made.set("brief", brief)
        made.set("weights", rows.reshape(-1) if brief is None else None)

    kit.refresh.append(refresh)


def sums_fit(weights: Any) -> bool:
    """Whether no sum of weights leaves int32."""
    largest = max(abs(int(weights.min(initial=0))), abs(int(weights.max(initial=0))))
    return largest * len(weights) < np.iinfo(np.int32).max


def in_half(rows: Any, fixed: bool) -> Any:
    """Weights in half their bits, flat, where these hold them exactly; else None."""
    if fixed:
        return rows.astype(np.int16).reshape(-1) if is_short(rows) else None
    with np.errstate(over="ignore", invalid="ignore"):
        half = rows.astype(np.float32)
    return half.reshape(-1) if np.array_equal(half, rows) else None


def is_short(weights: Any) -> bool:
    """Whether all weights fit into 16 bits: those of the chip do."""
    limits = np.iinfo(np.int16)
    return bool(weights.min(initial=0) >= limits.min and weights.max(initial=0) <= limits.max)


def arriving_type(kit: Kit) -> Any:
    """The type of what arrives at s_in."""
    declared = kit.member.builder.py_ports["s_in"]
    total = np.zeros(1, declared.d_type)
    for link in kit.member.inputs.get("s_in", []):
        total = total + np.zeros(1, link.channel.dtype)
    return total.dtype if kit.member.inputs.get("s_in") else np.dtype(np.int32)


def by_source(weights: Any) -> tuple[Any, Any, Any]:
    """A sparse matrix by its columns: (begin, target, value)."""
    columns = csr_matrix(weights).tocsc()
    columns.sort_indices()
    return (
        columns.indptr.astype(np.int64),
        columns.indices.astype(np.int32),
        np.ascontiguousarray(columns.data),
    )


def _sparse(kit: Kit, fixed: bool) -> None:
    model = kit.model
    n_out, n_in = model.weights.shape
    graded = is_graded(kit)
    sums = sum_type(graded, arriving_type(kit)) if fixed else np.dtype(np.float64)
    stored = np.int32 if fixed else np.float64
    kit.replaced.add("weights")
    buffer = sum_buffer(kit, sums)
    sent = kit.output("a_out", np.int32 if fixed else np.float64)
    kit.add("send_" + name_of(sums, sent.dtype), n=n_out, **{"in": buffer}, out=sent)
    kit.then()
    s = kit.input("s_in")
    begin, target, values = by_source(model.weights)
    made = kit.add(
        "sparse_" + name_of(stored, s.dtype, sums), rows=n_in, columns=n_out, graded=graded,
        exponent=weight_exponent(model) if fixed else 0, fits=0, begin=begin, target=target,
        weights=values.astype(stored), brief=None, s=s, narrow=np.zeros(n_out, stored),
        active=np.zeros(n_in + 1, np.int32), out=buffer,
    )  # fmt: skip

    def refresh() -> None:
        if fixed:
            _cut(model)
        begin, target, values = by_source(model.weights)
        made.set("graded", is_graded(kit))
        made.set("begin", begin)
        made.set("target", target)
        made.set("weights", values.astype(stored))
        made.set("fits", fixed and sums_fit(values))
        brief = fixed and n_out <= _SHORT_TARGETS and is_short(values)
        made.set("brief", (values.astype(np.int32) << 16) | target if brief else None)

    kit.refresh.append(refresh)


def _delayed(kit: Kit, fixed: bool) -> None:
    model = kit.model
    n_out, slots = model.a_buff.shape
    graded = is_graded(kit)
    sums = np.dtype(np.int64 if fixed else np.float64)
    kept = np.dtype(np.int32 if fixed else np.float64)
    if fixed and graded and sum_type(True, arriving_type(kit)) != np.int64:
        raise Unfit("products of int32 may wrap before they are added")
    kit.replaced.add("weights")
    buffer = sum_buffer(kit, kept)
    sent = kit.output("a_out", kept)
    kit.add("send_slot_" + name_of(kept, kept), n=n_out, slots=slots, **{"in": buffer}, out=sent)
    kit.then()
    s = kit.input("s_in")
    begin, place, values = _by_slot(model.weights, model.delays, slots)
    made = kit.add(
        "delay_" + name_of(s.dtype, sums, kept), rows=model.weights.shape[1], size=buffer.size,
        slots=slots, graded=graded, exponent=weight_exponent(model) if fixed else 0, begin=begin,
        place=place, weights=values.astype(sums), s=s, sums=np.zeros(buffer.size, sums),
        out=buffer,
    )  # fmt: skip

    def refresh() -> None:
        if fixed:
            _cut(model)
            _check_delays(kit)
        begin, place, values = _by_slot(model.weights, model.delays, slots)
        made.set("graded", is_graded(kit))
        made.set("begin", begin)
        made.set("place", place)
        made.set("weights", values.astype(sums))

    kit.refresh.append(refresh)


def _in_time(kit: Kit) -> None:
    """ConvInTime: slot i takes the weights of place K - 1 - i. Both models compute in double."""
    model, kind = kit.model, np.dtype(np.float64)
    n_out, slots = model.a_buff.shape
    kit.replaced.add("weights")
    buffer = sum_buffer(kit, kind)
    sent = kit.output("a_out", kind)
    kit.add("send_slot_" + name_of(kind, kind), n=n_out, slots=slots, **{"in": buffer}, out=sent)
    kit.then()
    s = kit.input("s_in")
    n_in = model.weights.shape[2]
    place = np.arange(n_out * slots, dtype=np.int32)
    made = kit.add(
        "delay_" + name_of(s.dtype, kind, kind), rows=n_in, size=buffer.size, slots=slots,
        graded=is_graded(kit), exponent=0, begin=np.arange(n_in + 1, dtype=np.int64) * place.size,
        place=np.tile(place, n_in), weights=None, s=s, sums=np.zeros(buffer.size), out=buffer,
    )  # fmt: skip

    def refresh() -> None:
        by_input = np.asarray(model.weights, np.float64)[::-1].transpose(2, 1, 0)
        made.set("weights", np.ascontiguousarray(by_input).reshape(-1))
        made.set("graded", is_graded(kit))

    kit.refresh.append(refresh)


def _check_delays(kit: Kit) -> None:
    largest = int(kit.model.delays.max())
    if largest > _LARGEST_DELAY:
        raise ValueError(
            f"{kit.member.name}: a delay of {largest} steps; the chip has 0 to {_LARGEST_DELAY}."
        )


def _by_slot(weights: Any, delays: Any, slots: int) -> tuple[Any, Any, Any]:
    """By source: (begin, target times slots plus delay, weight); entries without delay have 0."""
    entries = csr_matrix(weights).tocoo()
    rows, columns = entries.row.astype(np.int64), entries.col.astype(np.int64)
    if isinstance(delays, np.ndarray):
        delay = delays[rows, columns]
    elif slots > 1 and rows.size:
        delay = np.asarray(csr_matrix(delays)[rows, columns]).reshape(-1)
    else:  # DelaySparse does not look at delays where it has one slot
        delay = np.zeros(rows.size, np.int64)
    fits = (delay >= 0) & (delay < slots)  # others are in none of Lava's layers
    rows, columns, delay, values = (x[fits] for x in (rows, columns, delay, entries.data))
    order = np.argsort(columns, kind="stable")
    begin = np.zeros(weights.shape[1] + 1, np.int64)
    np.cumsum(np.bincount(columns, minlength=weights.shape[1]), out=begin[1:])
    place = (rows * slots + delay.astype(np.int64))[order].astype(np.int32)
    return begin, place, np.ascontiguousarray(values[order])


def _reached(size: int, outs: int, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Which output each place of the kernel reaches from each input; -1: none.

    A convolution, so the kernel is turned: output p of stride 1 has input p - padding + (K - 1 - i)
    times dilation at place i.
    """
    kernel, stride, padding, dilation = map(int, (kernel, stride, padding, dilation))
    inputs, places = np.arange(size)[:, None], np.arange(kernel)[None, :]
    at = inputs + padding - (kernel - 1 - places) * dilation
    reached = at // stride
    there = (at >= 0) & (at % stride == 0) & (reached < outs)
    return np.where(there, reached, -1).astype(np.int64)


def _conv(kit: Kit, fixed: bool) -> None:
    model, members = kit.model, kit.member.builder.py_ports
    kept = np.dtype(np.int32 if fixed else np.float64)
    width, height, channels = members["s_in"].shape
    out_width, out_height, out_channels = members["a_out"].shape
    groups = int(model.groups[0])
    to_x = _reached(width, out_width, *(getattr(model, name)[0] for name in _KERNEL))
    to_y = _reached(height, out_height, *(getattr(model, name)[1] for name in _KERNEL))
    buffer, sent = sum_buffer(kit, kept, "a_buf"), kit.output("a_out", kept)
    kit.add("send_" + name_of(kept, kept), n=buffer.size, **{"in": buffer}, out=sent)
    kit.then()
    s = kit.input("s_in")
    made = kit.add(
        "conv_" + name_of(s.dtype, kept), width=width, height=height, channels=channels,
        size=buffer.size, out_height=out_height, out_channels=out_channels, groups=groups,
        kernel_x=to_x.shape[1], kernel_y=to_y.shape[1], graded=is_graded(kit),
        to_x=to_x.reshape(-1), to_y=to_y.reshape(-1), weights=None, s=s,
        active=np.zeros(channels + 1, np.int32), sums=np.zeros(buffer.size), out=buffer,
    )  # fmt: skip

    def refresh() -> None:
        weight = np.asarray(model.weight, np.float64)
        by_group = weight.reshape(groups, out_channels // groups, *weight.shape[1:])
        made.set("weights", np.ascontiguousarray(by_group.transpose(0, 4, 2, 3, 1)).reshape(-1))
        made.set("graded", is_graded(kit))

    kit.refresh.append(refresh)


ROWS = {
    _IN_TIME + "PyConvInTimeFixed": _in_time,
    _IN_TIME + "PyConvInTimeFloat": _in_time,
    _CONV + "PyConvModelFixed": lambda kit: _conv(kit, True),
    _CONV + "PyConvModelFloat": lambda kit: _conv(kit, False),
    _DENSE + "PyDenseModelBitAcc": lambda kit: _dense(kit, True),
    _DENSE + "PyDenseModelFloat": lambda kit: _dense(kit, False),
    _DENSE + "PyDelayDenseModelBitAcc": lambda kit: _delayed(kit, True),
    _DENSE + "PyDelayDenseModelFloat": lambda kit: _delayed(kit, False),
    _SPARSE + "PySparseModelBitAcc": lambda kit: _sparse(kit, True),
    _SPARSE + "PySparseModelFloat": lambda kit: _sparse(kit, False),
    _SPARSE + "PyDelaySparseModelBitAcc": lambda kit: _delayed(kit, True),
    _SPARSE + "PyDelaySparseModelFloat": lambda kit: _delayed(kit, False),
}
