"""Projections as Lava's own connection processes, one layer for each synapse of a pair.

A cell of Lava's matrices holds one weight and one delay, and SciPy's CSR adds up what stands in one
cell. Of several synapses that join the same two neurons, the k-th goes to the k-th layer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from brian2lava.chip.network import Integers, Projection
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.chip.weights import truncated

Form = Literal["auto", "dense", "sparse"]
#: Matrices of up to so many cells are dense (times the delays, for DelayDense writes them out).
_DENSE_CELLS = 1 << 16


def ranks(projection: Projection) -> Integers:
    """Of each synapse: how many before it join the same two neurons. Shape (synapses,)."""
    order = np.lexsort((projection.post, projection.pre))
    pre, post = projection.pre[order], projection.post[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (pre[1:] != pre[:-1]) | (post[1:] != post[:-1])
    places = np.arange(len(order))
    sorted_ranks = places - np.maximum.accumulate(np.where(starts, places, 0))
    result = np.empty(len(order), np.int64)
    result[order] = sorted_ranks
    return result


def why_ours(projection: Projection, arithmetic: Arithmetic) -> str:
    """Why a projection cannot be Lava's own processes; empty where it can."""
    if arithmetic != LAVA:
        return f"Lava's processes compute in the arithmetic 'lava', not {arithmetic.name!r}"
    if projection.exponent < 0 and ranks(projection).max(initial=0):
        return "a negative exponent shifts the sum of all synapses, and Lava's layers sum apart"
    return ""


def layers(projection: Projection, sources: int, targets: int, form: Form = "auto") -> list[Any]:
    """Lava's processes for ``projection``: Dense, Sparse, DelayDense, DelaySparse."""
    rank = ranks(projection)
    signs = projection.signs
    made = []
    for number in range(int(rank.max(initial=0)) + 1):
        chosen = rank == number
        delays = np.broadcast_to(projection.delays, projection.pre.shape)[chosen]
        layer = replace(
            projection,
            pre=projection.pre[chosen],
            post=projection.post[chosen],
            weights=projection.weights[chosen],
            delays=delays,
            sign_mode=signs,
        )
        made.append(_layer(layer, number, sources, targets, form))
    return made


def _layer(projection: Projection, number: int, sources: int, targets: int, form: Form) -> Any:
    from lava.utils.weightutils import SignMode

    arguments: dict[str, Any] = {
        "name": f"{projection.name}_{number}" if number else projection.name,
        "weight_exp": projection.exponent,
        "num_weight_bits": projection.num_weight_bits,
        "sign_mode": SignMode(projection.signs.value),
        "num_message_bits": projection.message_bits,
    }
    cells = sources * targets * (int(projection.delays.max(initial=0)) + 1)
    dense = form == "dense" or (form == "auto" and cells <= _DENSE_CELLS)
    return (_dense if dense else _sparse)(projection, (targets, sources), arguments)


def _dense(projection: Projection, shape: tuple[int, int], arguments: dict[str, Any]) -> Any:
    from lava.proc.dense.process import DelayDense, Dense

    weights = np.zeros(shape, np.int64)
    weights[projection.post, projection.pre] = projection.weights
    if not np.any(projection.delays):
        return Dense(weights=weights, **arguments)
    delays = np.zeros(shape, np.int64)
    delays[projection.post, projection.pre] = projection.delays
    return DelayDense(weights=weights, delays=delays, **arguments)


def _sparse(projection: Projection, shape: tuple[int, int], arguments: dict[str, Any]) -> Any:
    """Synapses that truncation silences are left out: Lava would insert them again each step."""
    from lava.proc.sparse.process import DelaySparse, Sparse
    from scipy.sparse import csr_matrix

    alive = truncated(projection, LAVA) != 0
    places = projection.post[alive], projection.pre[alive]
    weights = csr_matrix((projection.weights[alive].astype(np.int32), places), shape=shape)
    if not np.any(projection.delays[alive]):
        return Sparse(weights=weights, **arguments)
    delays = csr_matrix((projection.delays[alive], places), shape=shape)
    delays.eliminate_zeros()
    return DelaySparse(weights=weights, delays=delays, **arguments)
