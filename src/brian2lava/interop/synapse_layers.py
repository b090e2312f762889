"""Projections as Lava's own connection processes, one layer for each synapse of a pair.

A cell of Lava's matrices holds one weight and one delay, and SciPy's CSR adds up what stands in one
cell. Of several synapses that join the same two neurons, the k-th goes to the k-th layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from brian2lava.chip.network import Integers, Projection, SignMode
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


@dataclass(frozen=True)
class Layer:
    """One of Lava's connection processes, before it is made.

    Attributes
    ----------
    kind : str
        "Dense", "DelayDense", "Sparse" or "DelaySparse".
    name : str
    shape : (targets, sources)
    pre, post, weights, delays : arrays of shape (synapses,)
        No two join the same neurons. Weights are mantissas before truncation.
    weight_exp, num_weight_bits, num_message_bits : int
    signs : SignMode
    """

    kind: str
    name: str
    shape: tuple[int, int]
    pre: Integers
    post: Integers
    weights: Integers
    delays: Integers
    weight_exp: int
    num_weight_bits: int
    num_message_bits: int
    signs: SignMode

    @property
    def sparse(self) -> bool:
        """Whether its matrices are SciPy's."""
        return self.kind.endswith("Sparse")

    @property
    def delayed(self) -> bool:
        """Whether it takes delays."""
        return self.kind.startswith("Delay")


def planned(projection: Projection, sources: int, targets: int, form: Form = "auto") -> list[Layer]:
    """What Lava's processes for ``projection`` are made of."""
    rank = ranks(projection)
    signs = projection.signs
    return [
        _planned(projection, signs, number, rank == number, (targets, sources), form)
        for number in range(int(rank.max(initial=0)) + 1)
    ]


def _planned(
    projection: Projection,
    signs: SignMode,
    number: int,
    chosen: Integers,
    shape: tuple[int, int],
    form: Form,
) -> Layer:
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    cells = shape[0] * shape[1] * (int(delays[chosen].max(initial=0)) + 1)
    sparse = not (form == "dense" or (form == "auto" and cells <= _DENSE_CELLS))
    if sparse:  # what truncation silences is left out: Lava would insert it again each step
        chosen = chosen & (truncated(replace(projection, sign_mode=signs), LAVA) != 0)
    kind = "Sparse" if sparse else "Dense"
    return Layer(
        kind=f"Delay{kind}" if np.any(delays[chosen]) else kind,
        name=f"{projection.name}_{number}" if number else projection.name,
        shape=shape,
        pre=projection.pre[chosen],
        post=projection.post[chosen],
        weights=projection.weights[chosen],
        delays=delays[chosen],
        weight_exp=projection.exponent,
        num_weight_bits=projection.num_weight_bits,
        num_message_bits=projection.message_bits,
        signs=signs,
    )


def layers(projection: Projection, sources: int, targets: int, form: Form = "auto") -> list[Any]:
    """Lava's processes for ``projection``: Dense, Sparse, DelayDense, DelaySparse."""
    return [_made(layer) for layer in planned(projection, sources, targets, form)]


def _made(layer: Layer) -> Any:
    from lava.proc.dense import process as dense
    from lava.proc.sparse import process as sparse
    from lava.utils.weightutils import SignMode as LavaSignMode

    matrix = _sparse if layer.sparse else _dense
    arguments: dict[str, Any] = {"weights": matrix(layer, layer.weights, np.int32)}
    if layer.delayed:
        arguments["delays"] = matrix(layer, layer.delays, np.int64)
    return getattr(sparse if layer.sparse else dense, layer.kind)(
        name=layer.name,
        weight_exp=layer.weight_exp,
        num_weight_bits=layer.num_weight_bits,
        sign_mode=LavaSignMode(layer.signs.value),
        num_message_bits=layer.num_message_bits,
        **arguments,
    )


def _dense(layer: Layer, values: Integers, _: Any) -> Any:
    matrix = np.zeros(layer.shape, np.int64)
    matrix[layer.post, layer.pre] = values
    return matrix


def _sparse(layer: Layer, values: Integers, kind: Any) -> Any:
    from scipy.sparse import csr_matrix

    matrix = csr_matrix((values.astype(kind), (layer.post, layer.pre)), shape=layer.shape)
    matrix.eliminate_zeros()
    return matrix
