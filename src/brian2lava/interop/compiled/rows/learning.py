"""Connections that learn: LearningDense and LearningSparse.

What Lava draws at random is drawn from its own generators, in its order. In Python remains what the
user may change: rules, time constants and impulses are read from the model, which parses them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.utils.weightutils import SignMode, truncate_weights
from scipy.sparse import csr_matrix

from brian2lava.interop.compiled.kit import Kit, Unfit, name_of
from brian2lava.interop.compiled.library import Operation
from brian2lava.interop.compiled.rows.connections import (
    arriving_type,
    by_source,
    is_graded,
    is_short,
    sum_buffer,
    sum_type,
    sums_fit,
    weight_exponent,
)
from brian2lava.interop.compiled.rows.rules import Rules
from brian2lava.interop.compiled.rows.traces import Traces

_SIGNS = {SignMode.MIXED: 0, SignMode.EXCITATORY: 1, SignMode.INHIBITORY: 2}
#: Within +-257 a weight stays that has been learned.
_LEARNED = 257
_TAGS = ("tag_2", "tag_1")


def _sign(model: Any) -> int:
    if model.sign_mode not in _SIGNS:
        raise Unfit(f"its sign_mode is {model.sign_mode}")
    return _SIGNS[model.sign_mode]


def _cut(model: Any) -> None:
    """What the fixed-point models do with their weights before the first step."""
    if not model.weights_set:
        model.weights = truncate_weights(model.weights, model.sign_mode, model.num_weight_bits)
        model.weights_set = True


def _begin(kit: Kit, fixed: bool) -> tuple[Any, Any]:
    """Sends what was gathered in the step before; returns the buffer and what arrives."""
    real = np.dtype(np.float64)
    sums = sum_type(is_graded(kit), arriving_type(kit)) if fixed else real
    buffer = sum_buffer(kit, sums)
    sent = kit.output("a_out", np.int32 if fixed else np.float64)
    kit.add("send_" + name_of(sums, sent.dtype), n=buffer.size, **{"in": buffer}, out=sent)
    kit.then()
    return buffer, kit.input("s_in")


def _fits(weights: Any) -> bool:
    """Whether no sum of weights leaves int32, also after they have learned."""
    return sums_fit(weights) and _LEARNED * len(weights) < np.iinfo(np.int32).max


def _dense(kit: Kit, fixed: bool) -> None:
    model, kind = kit.model, np.dtype(np.int32 if fixed else np.float64)
    wide = np.int64 if fixed else np.float64
    sign = _sign(model)
    if fixed:
        _cut(model)
    model.weights = np.ascontiguousarray(model.weights, kind)
    weights = kit.array("weights", kind)
    tags = {name: kit.array(name, wide) for name in _TAGS}
    buffer, s = _begin(kit, fixed)
    traces, rules = Traces(kit, fixed), Rules(kit)
    n_out, n_in = traces.outputs, traces.inputs
    made = kit.add(
        "matrix_" + name_of(kind, s.dtype, buffer.dtype), rows=n_in, columns=n_out,
        graded=is_graded(kit), exponent=weight_exponent(model) if fixed else 0, fits=0,
        weights=None, brief=None, s=s, narrow=np.zeros(n_out, kind),
        active=np.zeros(n_in + 1, np.int32), out=buffer,
    )  # fmt: skip
    traces.add_spikes(s)
    learn = Operation(
        "rules_dense_fixed" if fixed else "rules_dense_float", inputs=n_in, outputs=n_out,
        epoch=traces.epoch, sign=sign, **rules.empty(), rules=0, **traces.fields, weights=weights,
        **tags, by_source=None, brief=None, all=traces.flags,
        columns=np.zeros(n_in + 1, np.int32), product=np.zeros(n_in, kind),
        sums=np.zeros(3 * n_in, wide),
    )  # fmt: skip
    traces.add_learning(rules, [learn])

    def refresh() -> None:
        rules.read()
        rules.give(learn, rules.targets)
        learn.set("rules", len(rules.targets))
        rows = np.ascontiguousarray(weights.reshape(n_out, n_in).T)
        brief = rows.astype(np.int16).reshape(-1) if fixed and is_short(rows) else None
        whole = None if brief is not None else rows.reshape(-1)
        made.set("graded", is_graded(kit))
        made.set("fits", fixed and _fits(rows))
        for operation, name in ((made, "weights"), (learn, "by_source")):
            operation.set("brief", brief)
            operation.set(name, whole)

    kit.refresh.append(refresh)


def _entries(kit: Kit, name: str, kinds: tuple[Any, ...]) -> Any:
    """A sparse Var, its entries in order, one a place."""
    matrix = getattr(kit.model, name)
    if not isinstance(matrix, csr_matrix):
        raise Unfit(f"{name} is no sparse matrix")
    matrix.sort_indices()
    if not matrix.has_canonical_format:
        raise Unfit(f"{name} has two entries in one place")
    if matrix.dtype not in kinds:
        raise Unfit(f"{name} has numbers of type {matrix.dtype}")
    return matrix


def _sparse(kit: Kit, fixed: bool) -> None:
    model, kind = kit.model, np.dtype(np.int32 if fixed else np.float64)
    wide = np.int64 if fixed else np.float64
    if _sign(model):
        raise Unfit(f"its sign_mode is {model.sign_mode}; Lava's model fails with it")
    if fixed:
        _cut(model)
    kit.replaced.update({"weights", *_TAGS})
    weights = _entries(kit, "weights", (kind,))
    buffer, s = _begin(kit, fixed)
    traces, rules = Traces(kit, fixed), Rules(kit, sparse=True)
    n_out, n_in = traces.outputs, traces.inputs
    begin, target, values = by_source(weights)
    made = kit.add(
        "sparse_" + name_of(kind, s.dtype, buffer.dtype), rows=n_in, columns=n_out,
        graded=is_graded(kit), exponent=weight_exponent(model) if fixed else 0, fits=0,
        begin=begin, target=target, weights=values, brief=None, s=s, narrow=np.zeros(n_out, kind),
        active=np.zeros(n_in + 1, np.int32), out=buffer,
    )  # fmt: skip
    traces.add_spikes(s)
    kinds = (np.int32, np.int64) if fixed else (np.float64,)
    learn = {}
    for place, name in enumerate(rules.targets):
        matrix = _entries(kit, name, kinds)
        learn[name] = Operation(
            "rule_sparse_" + name_of(matrix.dtype), inputs=n_in, outputs=n_out,
            epoch=traces.epoch, sign=0, **rules.empty(), **traces.fields, begin=None, source=None,
            values=None, place=None, by_source=None, all=traces.flags[place:],
            columns=np.zeros(n_in + 1, np.int32), places=np.zeros(n_in + 1, np.int32),
            product=np.zeros(n_in, kind), sums=np.zeros(n_in, wide),
        )  # fmt: skip
    traces.add_learning(rules, list(learn.values()))

    def refresh() -> None:
        rules.read()
        if set(rules.targets) != set(learn):
            raise ValueError(f"{kit.member.name}: a rule for another variable of its synapses.")
        for name, operation in learn.items():
            rules.give(operation, (name,))
            matrix = _entries(kit, name, kinds)
            operation.set("begin", matrix.indptr.astype(np.int64))
            operation.set("source", matrix.indices.astype(np.int32))
            operation.set("values", matrix.data)
        matrix = _entries(kit, "weights", (kind,))
        begin, target, values = by_source(matrix)
        summed = np.ascontiguousarray(values, kind)
        for field, value in (("begin", begin), ("target", target), ("weights", summed)):
            made.set(field, value)
        made.set("graded", is_graded(kit))
        made.set("fits", fixed and _fits(values))
        if "weights" in learn:
            learn["weights"].set("place", _places(matrix))
            learn["weights"].set("by_source", summed)

    kit.refresh.append(refresh)


def _places(matrix: Any) -> Any:
    """Where each entry of a matrix stands when they are ordered by columns."""
    numbered = csr_matrix(
        (np.arange(1, matrix.nnz + 1), matrix.indices, matrix.indptr), matrix.shape
    )
    places = np.zeros(matrix.nnz, np.int64)
    places[by_source(numbered)[2] - 1] = np.arange(matrix.nnz)
    return places


_DENSE = "lava.proc.dense.models."
_SPARSE = "lava.proc.sparse.models."
ROWS = {
    _DENSE + "PyLearningDenseModelBitApproximate": lambda kit: _dense(kit, True),
    _DENSE + "PyLearningDenseModelFloat": lambda kit: _dense(kit, False),
    _SPARSE + "PyLearningSparseModelBitApproximate": lambda kit: _sparse(kit, True),
    _SPARSE + "PyLearningSparseModelFloat": lambda kit: _sparse(kit, False),
}
