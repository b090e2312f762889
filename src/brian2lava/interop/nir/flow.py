"""What reaches each neuron of a graph: all linear nodes between two neurons as one matrix a delay.

Delays are in steps; a path from a neuron to the next takes at least none here, and what a step
costs by itself is the simulation's matter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from scipy import sparse

from brian2lava.chip.ideal import Reals
from brian2lava.errors import NotSupported
from brian2lava.interop.nir.convention import Convention
from brian2lava.interop.nir.graph import FlatGraph
from brian2lava.interop.nir.linear import LinearMap, Shape, linear_map


@dataclass(frozen=True)
class Flow:
    """A signal as a sum over sources: ``sum of matrix @ source(t - delay) + bias``.

    Attributes
    ----------
    shape : tuple of int
    paths : dict of source name to dict of delay in steps to a sparse array (size, source's size)
    bias : array of shape (size,)
    """

    shape: Shape
    paths: Mapping[str, Mapping[int, Any]]
    bias: Reals

    @property
    def size(self) -> int:
        return prod(self.shape)


class Flows:
    """The flows of a graph.

    Parameters
    ----------
    graph : FlatGraph
    shapes : dict of source name to shape, or None where a neuron takes the shape of its input
        All neurons and inputs: what is not made of linear nodes.
    convention : Convention
    """

    def __init__(
        self, graph: FlatGraph, shapes: Mapping[str, Shape | None], convention: Convention
    ) -> None:
        self.graph, self.convention = graph, convention
        self._shapes: dict[str, Shape] = {n: s for n, s in shapes.items() if s is not None}
        self._sources: Collection[str] = shapes.keys()
        self._known: dict[str, Flow] = {}
        self._maps: dict[str, LinearMap] = {}
        self._on_the_way: list[str] = []

    # ------------------------------------------------------------ shapes
    def shape(self, name: str) -> Shape:
        """The shape of a node's output."""
        found = self._shape(name, ())
        if found is None:
            raise NotSupported(
                f"NIR node '{name}': its shape can't be told from its parameters or its input."
                " Write its parameters one a neuron."
            )
        return found

    def _shape(self, name: str, asked: tuple[str, ...]) -> Shape | None:
        if name in self._shapes or name in asked:
            return self._shapes.get(name)
        arriving = self._arriving(name, (*asked, name))
        if arriving is None:
            return None
        self._shapes[name] = arriving if name in self._sources else self._map(name, arriving).shape
        return self._shapes[name]

    def _arriving(self, name: str, asked: tuple[str, ...]) -> Shape | None:
        shapes = (self._shape(before, asked) for before in self.graph.before(name))
        return next((shape for shape in shapes if shape is not None), None)

    def _map(self, name: str, shape: Shape) -> LinearMap:
        if name not in self._maps:
            self._maps[name] = linear_map(name, self.graph.nodes[name], shape)
        return self._maps[name]

    # ------------------------------------------------------------ flows
    def into(self, name: str) -> Flow:
        """What arrives at a node: the sum of what its predecessors send."""
        arriving = [self.out_of(before) for before in self.graph.before(name)]
        if not arriving:
            shape = self._shapes.get(name)
            if shape is None:
                raise NotSupported(f"NIR node '{name}' gets no input. Add an edge to it.")
            return Flow(shape, {}, np.zeros(prod(shape)))
        sizes = {flow.size for flow in arriving}
        if len(sizes) > 1:
            told = ", ".join(
                f"{flow.shape} from '{before}'"
                for before, flow in zip(self.graph.before(name), arriving)
            )
            raise NotSupported(
                f"NIR node '{name}' gets inputs of different shapes: {told}. What arrives at a node"
                " is added; make the shapes equal."
            )
        paths: dict[str, dict[int, Any]] = {}
        for flow in arriving:
            for source, delays in flow.paths.items():
                for delay, matrix in delays.items():
                    _add(paths.setdefault(source, {}), delay, matrix)
        return Flow(arriving[0].shape, paths, np.sum([flow.bias for flow in arriving], axis=0))

    def out_of(self, name: str) -> Flow:
        """What a node sends."""
        if name in self._known:
            return self._known[name]
        if name in self._sources:
            shape = self.shape(name)
            one = sparse.eye(prod(shape), format="csr")
            found = Flow(shape, {name: {0: one}}, np.zeros(prod(shape)))
        else:
            found = self._through(name)
        self._known[name] = found
        return found

    def _through(self, name: str) -> Flow:
        if name in self._on_the_way:
            loop = self._on_the_way[self._on_the_way.index(name) :]
            raise NotSupported(
                f"NIR: {' -> '.join(map(repr, [*loop, name]))} is a loop without a neuron, whose"
                " values depend on themselves in the same instant. Put a neuron into it."
            )
        self._on_the_way.append(name)
        arriving = self.into(name)
        self._on_the_way.pop()
        linear = self._map(name, arriving.shape)
        if linear.delay is not None:
            return self._delayed(name, arriving, linear)
        bias = linear.matrix @ arriving.bias + (0.0 if linear.bias is None else linear.bias)
        return Flow(
            linear.shape,
            {
                source: {delay: linear.matrix @ matrix for delay, matrix in delays.items()}
                for source, delays in arriving.paths.items()
            },
            np.asarray(bias),
        )

    def _delayed(self, name: str, arriving: Flow, linear: LinearMap) -> Flow:
        """Rows by their delay."""
        assert linear.delay is not None
        steps = self.convention.steps(linear.delay, name)
        if np.any(arriving.bias[steps > 0]):
            raise NotSupported(
                f"NIR node '{name}' delays the bias of an Affine or Conv before it, so that it"
                " would begin late. Put the delay before that node."
            )
        paths: dict[str, dict[int, Any]] = {}
        for source, delays in arriving.paths.items():
            for delay, matrix in delays.items():
                for more in np.unique(steps):
                    only = sparse.diags((steps == more).astype(np.float64), format="csr")
                    _add(paths.setdefault(source, {}), delay + int(more), only @ matrix)
        return Flow(arriving.shape, paths, arriving.bias)


def _add(delays: dict[int, Any], delay: int, matrix: Any) -> None:
    delays[delay] = delays[delay] + matrix if delay in delays else matrix
