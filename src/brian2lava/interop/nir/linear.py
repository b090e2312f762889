"""NIR's linear nodes as sparse matrices: what a layer's output is, of its input laid out in a row.

Shapes are NIR's, without batch and time: (N,), (channels, N) or (channels, height, width); arrays
are laid out in C order, as Flatten does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from scipy import sparse

from brian2lava.chip.ideal import Reals
from brian2lava.errors import NotSupported

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LinearMap:
    """y = matrix x + bias, delayed.

    Attributes
    ----------
    shape : tuple of int
        Of y.
    matrix : sparse array of shape (size of y, size of x)
    bias : array of shape (size of y,) or None
    delay : array of shape (size of y,) in seconds, or None
    """

    shape: Shape
    matrix: Any
    bias: Reals | None = None
    delay: Reals | None = None


def linear_map(name: str, node: Any, shape: Shape) -> LinearMap:
    """What a linear node does with an input of ``shape``.

    Raises
    ------
    NotSupported
        The node is of a type that is not known here, or does not fit its input.
    """
    kind = type(node).__name__
    if kind not in LINEAR:
        raise NotSupported(
            f"NIR node '{name}' is a {kind}, which brian2lava does not know. It knows"
            f" {', '.join(sorted(LINEAR))} and NIR's neurons."
        )
    return LINEAR[kind](name, node, shape)


def _misfit(name: str, node: Any, shape: Shape, wants: object) -> NotSupported:
    return NotSupported(
        f"NIR node '{name}' ({type(node).__name__}) gets an input of shape {shape}, but takes"
        f" {wants}. Correct the graph, or put a Flatten in between."
    )


def _matrix(name: str, node: Any, shape: Shape) -> LinearMap:
    """Linear and Affine; weights with more than two axes are one matrix for each leading index."""
    weight = np.asarray(node.weight, np.float64)
    if weight.ndim < 2:
        raise NotSupported(f"NIR node '{name}': its weight has shape {weight.shape}, no matrix.")
    lead, (rows, columns) = weight.shape[:-2], weight.shape[-2:]
    if prod(shape) != prod(lead) * columns or shape[-1] != columns:
        raise _misfit(name, node, shape, (*lead, columns))
    blocks = weight.reshape(-1, rows, columns)
    matrix = sparse.csr_matrix(blocks[0]) if len(blocks) == 1 else sparse.block_diag(blocks, "csr")
    bias = getattr(node, "bias", None)
    if bias is not None:
        bias = np.ravel(np.broadcast_to(np.asarray(bias, np.float64), (*lead, rows)))
    return LinearMap((*lead, rows), sparse.csr_matrix(matrix), bias)


def _scale(name: str, node: Any, shape: Shape) -> LinearMap:
    scale = np.asarray(node.scale, np.float64)
    if scale.size != 1 and scale.size != prod(shape):
        raise _misfit(name, node, shape, scale.shape)
    return LinearMap(shape, sparse.diags(_each(scale, shape), format="csr"))


def _delay(name: str, node: Any, shape: Shape) -> LinearMap:
    delay = np.asarray(node.delay, np.float64)
    if delay.size != 1 and delay.size != prod(shape):
        raise _misfit(name, node, shape, delay.shape)
    return LinearMap(shape, sparse.eye(prod(shape), format="csr"), delay=_each(delay, shape))


def _each(values: Reals, shape: Shape) -> Reals:
    return np.array(np.broadcast_to(np.ravel(values), (prod(shape),)))


def _flatten(name: str, node: Any, shape: Shape) -> LinearMap:
    start, end = (int(value) % len(shape) for value in (node.start_dim, node.end_dim))
    flat = (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])
    return LinearMap(flat, sparse.eye(prod(shape), format="csr"))


def _same(name: str, node: Any, shape: Shape) -> LinearMap:
    """The Input or Output of a nested graph."""
    return LinearMap(shape, sparse.eye(prod(shape), format="csr"))


# ---------------------------------------------------------------- convolutions
def _convolution(axes: int) -> Callable[[str, Any, Shape], LinearMap]:
    def convolve(name: str, node: Any, shape: Shape) -> LinearMap:
        weight = np.asarray(node.weight, np.float64)
        groups = int(node.groups)
        wants = (weight.shape[1] * groups, *(["any"] * axes))
        if len(shape) != axes + 1 or shape[0] != wants[0]:
            raise _misfit(name, node, shape, wants)
        stride, dilation = _tuple(node.stride, axes), _tuple(node.dilation, axes)
        padding = _padding(name, node.padding, weight.shape[2:], stride, dilation)
        matrix, out = convolution(weight, shape, stride, padding, dilation, groups)
        bias = np.repeat(_each(np.asarray(node.bias, np.float64), out[:1]), prod(out[1:]))
        return LinearMap(out, matrix, bias)

    return convolve


def _pool(mean: bool) -> Callable[[str, Any, Shape], LinearMap]:
    def pool(name: str, node: Any, shape: Shape) -> LinearMap:
        """Padded zeros count in the mean, as in PyTorch's default."""
        if len(shape) != 3:
            raise _misfit(name, node, shape, "(channels, height, width)")
        kernel = _tuple(node.kernel_size, 2)
        weight = np.full((shape[0], 1, *kernel), 1 / prod(kernel) if mean else 1.0)
        padding = tuple((edge, edge) for edge in _tuple(node.padding, 2))
        stride = _tuple(node.stride, 2)
        matrix, out = convolution(weight, shape, stride, padding, (1, 1), shape[0])
        return LinearMap(out, matrix)

    return pool


def _tuple(value: Any, axes: int) -> tuple[int, ...]:
    return tuple(int(each) for each in np.broadcast_to(np.asarray(value), (axes,)))


def _padding(
    name: str, padding: Any, kernel: Shape, stride: Shape, dilation: Shape
) -> tuple[tuple[int, int], ...]:
    """Zeros before and after each axis; "same" and "valid" as in PyTorch."""
    if not isinstance(padding, str | bytes):
        return tuple((edge, edge) for edge in _tuple(padding, len(kernel)))
    word = padding.decode() if isinstance(padding, bytes) else padding
    if word == "valid":
        return ((0, 0),) * len(kernel)
    if word == "same" and all(step == 1 for step in stride):
        total = [gap * (size - 1) for gap, size in zip(dilation, kernel)]
        return tuple((each // 2, each - each // 2) for each in total)
    raise NotSupported(
        f"NIR node '{name}': padding {word!r} with stride {stride}. Give the padding in numbers."
    )


def convolution(
    weight: Reals,
    shape: Shape,
    stride: Shape,
    padding: tuple[tuple[int, int], ...],
    dilation: Shape,
    groups: int,
) -> tuple[Any, Shape]:
    """A convolution (in the sense of deep learning: not mirrored) as a matrix.

    Parameters
    ----------
    weight : array of shape (filters, channels / groups, *kernel)
    shape : (channels, *space)
    padding : (before, after) an axis

    Returns
    -------
    sparse array, shape of the output
    """
    filters, depth, *kernel = weight.shape
    space = shape[1:]
    out = tuple(
        (size + sum(edges) - gap * (width - 1) - 1) // step + 1
        for size, edges, gap, width, step in zip(space, padding, dilation, kernel, stride)
    )
    per_group = filters // groups
    outs, ins = prod(out), prod(space)
    f, c = np.meshgrid(np.arange(filters), np.arange(depth), indexing="ij")
    channel = c + (f // per_group) * depth
    rows, columns, values = [], [], []
    place = np.indices(out).reshape(len(out), -1)
    for number, offset in enumerate(np.ndindex(*kernel)):
        at = [
            place[axis] * stride[axis] + offset[axis] * dilation[axis] - padding[axis][0]
            for axis in range(len(out))
        ]
        inside = np.all([(a >= 0) & (a < size) for a, size in zip(at, space)], axis=0)
        from_ = np.ravel_multi_index([a[inside] for a in at], space)
        to = np.flatnonzero(inside)
        rows.append((f[..., None] * outs + to).ravel())
        columns.append((channel[..., None] * ins + from_).ravel())
        values.append(np.repeat(weight.reshape(filters, depth, -1)[..., number].ravel(), to.size))
    matrix = sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(filters * outs, shape[0] * ins),
    )
    return matrix, (filters, *out)


LINEAR: Mapping[str, Callable[[str, Any, Shape], LinearMap]] = {
    "Affine": _matrix,
    "AvgPool2d": _pool(True),
    "Conv1d": _convolution(1),
    "Conv2d": _convolution(2),
    "Delay": _delay,
    "Flatten": _flatten,
    "Input": _same,
    "Linear": _matrix,
    "Output": _same,
    "Scale": _scale,
    "SumPool2d": _pool(False),
}
