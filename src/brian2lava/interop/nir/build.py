"""A NIR graph as a Brian2 network: a NeuronGroup a neuron node, Synapses for what lies between.

Linear nodes (Linear, Affine, Scale, Conv, pooling, Flatten, Delay) between two neurons become one
Synapses object; their biases become a parameter of the target. Between two neurons lies one step of
Brian2: a spike of step n reaches its target's voltage in step n + 1, as on the chips and in Lava.
Simulators that compute a feed-forward graph within one step are ahead by one step a layer, with the
same spikes; so is a network in which every loop has one neuron node.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from brian2.core.clocks import Clock
from brian2.core.network import Network
from brian2.groups.neurongroup import NeuronGroup
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from brian2.input.timedarray import TimedArray
from brian2.synapses.synapses import Synapses
from brian2.units.allunits import second

from brian2lava.chip.ideal import Reals
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.nir.cells import CELLS, RESETS, Cell, cell, own_shape, readout
from brian2lava.interop.nir.convention import (
    Convention,
    Method,
    Spikes,
    convention,
    noted,
    seconds,
)
from brian2lava.interop.nir.flow import Flow, Flows
from brian2lava.interop.nir.gains import checked_dt
from brian2lava.interop.nir.graph import FlatGraph, flatten, read_graph
from brian2lava.interop.nir.linear import Shape
from brian2lava.interop.nir.network import NIRNetwork
from brian2lava.interop.nir.text import brian_name, equations, varies


def from_nir(
    graph: Any,
    dt: Any = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    reset: str | Mapping[str, str] | None = None,
    method: str | None = None,
    spikes: str | None = None,
    check_gains: bool = True,
) -> NIRNetwork:
    """A Brian2 network that computes a NIR graph, for any device and any ``hardware=``.

    Parameters
    ----------
    graph : nir.NIRGraph, str or Path
        Or the path of a file: NIR's, or a network of lava-dl (netx, HDF5).
    dt : time, optional
        Not needed where the graph's gains or its metadata say it.
    inputs : dict of Input node to group or array, optional
        A Brian2 group that spikes, or numbers of shape (steps, *shape of the node): 1 where a spike
        is, or any value, from step 0 on; they act in their own step. Without it, an input is a
        SpikeGeneratorGroup without spikes.
    reset : {"v_reset", "subtract"} or dict of node to these, optional
        What a spike does to v: NIR's equations set it to v_reset; some simulators subtract the
        threshold instead. Without it, what the metadata of a node says, else "v_reset".
    method : {"euler", "exact"}
    spikes : {"pulse", "delta"}
        Whether a spike is 1 for one step, or has area 1; for both see
        :mod:`brian2lava.interop.nir.convention`. Without them, what the graph's metadata say, which
        :func:`to_nir` writes, else "euler" and "pulse".
    check_gains : bool
        Whether to refuse ``dt`` where the gains of the graph undo another one.

    Returns
    -------
    NIRNetwork

    Raises
    ------
    OptionError
        dt is missing or contradicts the gains; an unknown option.
    NotSupported
        Something in the graph that a network in steps can't be; the message names the node.
    """
    given = None if dt is None else seconds(dt)
    source = read_graph(graph, given)
    flat = flatten(source)
    step = checked_dt(given, flat.nodes, flat.metadata.get("dt"), check_gains)
    chosen = convention(
        step,
        noted(flat.metadata, "method", Method, "euler") if method is None else method,
        noted(flat.metadata, "spikes", Spikes, "pulse") if spikes is None else spikes,
    )
    return _Builder(source, flat, chosen, reset, inputs or {}).built()


class _Builder:
    """One graph on its way to Brian2."""

    def __init__(
        self,
        source: Any,
        graph: FlatGraph,
        chosen: Convention,
        reset: str | Mapping[str, str] | None,
        asked: Mapping[str, Any],
    ) -> None:
        inputs = dict(asked)
        self.source, self.graph, self.convention, self.given = source, graph, chosen, inputs
        self.again = lambda: _Builder(source, graph, chosen, reset, asked).built()
        self.clock = Clock(dt=chosen.dt * second)
        self.inputs = graph.inputs()
        self._refuse_unknown(inputs, self.inputs, "inputs", "Input")
        self.neurons = [n for n, node in graph.nodes.items() if type(node).__name__ in CELLS]
        if isinstance(reset, Mapping):
            self._refuse_unknown(reset, self.neurons, "reset", "neuron")
        elif reset is not None and reset not in RESETS:
            raise OptionError(f"reset={reset!r}: choose one of {', '.join(RESETS)}.")
        self.reset = reset
        shapes: dict[str, Shape | None] = {n: own_shape(graph.nodes[n]) for n in self.neurons}
        shapes |= {n: _input_shape(n, graph.nodes[n]) for n in self.inputs}
        self.flows = Flows(graph, shapes, chosen)
        self.cells: dict[str, Cell] = {}
        self.groups: dict[str, NeuronGroup] = {}
        self.spiking: dict[str, Any] = {}
        self.synapses: dict[tuple[str, str], Synapses] = {}
        self.into: dict[str, Flow] = {}

    def _refuse_unknown(self, given: Any, known: Any, option: str, kind: str) -> None:
        for name in given:
            if name not in known:
                raise OptionError(
                    f"{option}: the graph has no {kind} node {name!r}, but"
                    f" {', '.join(map(repr, known)) or 'none'}."
                )

    def built(self) -> NIRNetwork:
        """All of it."""
        for name in self.inputs:
            self._input(name)
        for name in self.neurons:
            shape = self.flows.shape(name)
            self.cells[name] = cell(
                name, self.graph.nodes[name], shape, self.convention, self._reset(name)
            )
        outputs = {name: self._output(name) for name in self.graph.outputs()}
        self.into |= {name: self._arriving(name) for name in self.neurons}
        for name in self.cells:
            self._group(name)
        for name in self.cells:
            self._connect(name)
        everything = [
            *self.spiking.values(),
            *(group for group in self.groups.values() if group not in self.spiking.values()),
            *self.synapses.values(),
        ]
        ends = {n: self.groups.get(end, self.spiking.get(end)) for n, end in outputs.items()}
        return NIRNetwork(
            network=Network(everything),
            inputs={n: self.spiking[n] for n in self.inputs if n in self.spiking},
            outputs=ends,
            groups=dict(self.groups),
            synapses=dict(self.synapses),
            shapes={n: self.flows.shape(n) for n in (*self.inputs, *self.neurons)},
            graph=self.source,
            convention=self.convention,
            resets={n: self._reset(n) for n in self.neurons if self.cells[n].spikes},
            again=self.again,
        )

    # ------------------------------------------------------------ nodes
    def _reset(self, name: str) -> str:
        if isinstance(self.reset, str):
            return self.reset
        noted = (self.graph.nodes[name].metadata or {}).get("reset", "v_reset")
        return str((self.reset or {}).get(name, noted))

    def _input(self, name: str) -> None:
        """A source of spikes for an Input node, or an array."""
        size = prod(self.flows.shape(name))
        given = self.given.get(name)
        if given is None:
            self.spiking[name] = SpikeGeneratorGroup(
                size, [], [] * second, clock=self.clock, name=brian_name(name)
            )
        elif hasattr(given, "spikes") and hasattr(given, "clock"):
            self._refuse_group(name, given, size)
            self.spiking[name] = given
        else:
            self.given[name] = _rows(name, given, size)

    def _refuse_group(self, name: str, group: Any, size: int) -> None:
        if len(group) != size:
            raise OptionError(
                f"inputs[{name!r}]: '{group.name}' has {len(group)} neurons, but the Input node has"
                f" {size}. Give a group of {size}."
            )
        if abs(float(group.clock.dt_) - self.convention.dt) > 1e-9 * self.convention.dt:
            raise OptionError(
                f"inputs[{name!r}]: '{group.name}' has dt = {float(group.clock.dt_):g} s, but the"
                f" graph is run with {self.convention.dt:g} s. Make it with"
                f" dt={self.convention.dt:g}*second."
            )

    def _output(self, name: str) -> str:
        """The node whose group is an output; a new one where linear nodes stand before it."""
        flow = self.flows.into(name)
        if len(flow.paths) == 1 and not np.any(flow.bias):
            ((source, delays),) = flow.paths.items()
            if list(delays) == [0] and _is_identity(delays[0]) and source not in self._arrays():
                return source
        self.cells[name] = readout(name, flow.size)
        self.into[name] = flow
        return name

    def _arrays(self) -> dict[str, Reals]:
        return {n: given for n, given in self.given.items() if n not in self.spiking}

    def _arriving(self, name: str) -> Flow:
        if not self.graph.before(name):
            shape = self.flows.shape(name)
            return Flow(shape, {}, np.zeros(prod(shape)))
        flow = self.flows.into(name)
        if flow.size != self.cells[name].size:
            raise NotSupported(
                f"NIR node '{name}' has {self.cells[name].size} neurons, but gets an input of"
                f" shape {flow.shape}. Make the sizes equal."
            )
        return flow

    # ------------------------------------------------------------ groups
    def _group(self, name: str) -> None:
        made, flow = self.cells[name], self.into[name]
        drive = self._drive(name, flow)
        continuous = self._continuous(flow)
        parameters = dict(made.parameters)
        if np.any(flow.bias):
            parameters["bias"] = ("1", flow.bias)
        namespace = {} if drive is None else {"drive": TimedArray(drive[1:], dt=self.clock.dt)}
        group = NeuronGroup(
            made.size,
            equations(made, parameters, drive is not None, continuous),
            threshold=made.threshold or None,
            reset=made.reset or None,
            method="euler",
            clock=self.clock,
            namespace=namespace,
            name=brian_name(name),
        )
        for parameter, (_, values) in parameters.items():
            setattr(group, f"{parameter}_", values if varies(values) else values[0])
        group.v = made.start
        flowing = flow.bias + (0.0 if drive is None else drive[0])
        group.I = self._current_start(name) + made.gain * flowing
        self.groups[name] = group
        if made.spikes:
            self.spiking[name] = group

    def _current_start(self, name: str) -> Any:
        """What the current begins with before the first step's input: 0, or as metadata says."""
        noted = (self.graph.nodes[name].metadata or {}).get("I_start", 0.0)
        return np.ravel(np.asarray(noted, np.float64))

    def _continuous(self, flow: Flow) -> list[str]:
        """Sources that send a voltage, not spikes."""
        return [n for n in flow.paths if n in self.cells and not self.cells[n].spikes]

    def _drive(self, name: str, flow: Flow) -> Reals | None:
        """What arrives from inputs that are arrays, shape (steps + 1, size), with a zero last."""
        arrays = {n: rows for n, rows in self._arrays().items() if n in flow.paths}
        if not arrays:
            return None
        longest = max(len(rows) + max(flow.paths[n]) for n, rows in arrays.items() if flow.paths[n])
        total = np.zeros((longest + 2, flow.size))
        for source, rows in arrays.items():
            for delay, matrix in flow.paths[source].items():
                total[delay : delay + len(rows)] += (matrix @ rows.T).T
        return total * self.convention.spike

    # ------------------------------------------------------------ synapses
    def _connect(self, name: str) -> None:
        flow = self.into[name]
        for source, delays in flow.paths.items():
            if source in self.spiking:
                self._spikes(source, name, delays)
            elif source in self.cells:
                self._values(source, name, delays, self._continuous(flow).index(source))

    def _spikes(self, source: str, target: str, delays: Mapping[int, Any]) -> None:
        gain = self.cells[target].gain * self.convention.spike
        parts = [(delay, matrix.tocoo()) for delay, matrix in sorted(delays.items())]
        pre = np.concatenate([part.col for _, part in parts])
        if not pre.size:
            return
        post = np.concatenate([part.row for _, part in parts])
        weights = np.concatenate([part.data for _, part in parts]) * gain[post]
        steps = np.concatenate([np.full(part.nnz, delay) for delay, part in parts])
        made = Synapses(
            self.spiking[source],
            self.groups[target],
            "w : 1 (constant)",
            on_pre="I_post += w",
            clock=self.clock,
            name=brian_name(f"{source}_to_{target}"),
        )
        made.connect(i=pre, j=post)
        made.w = weights
        if np.any(steps):
            made.delay = steps * self.convention.dt * second
        self.synapses[source, target] = made

    def _values(self, source: str, target: str, delays: Mapping[int, Any], number: int) -> None:
        """Voltages that a target sees: a sum that is computed anew in each step."""
        if any(delays):
            raise NotSupported(
                f"NIR: the voltage of '{source}' reaches '{target}' through a Delay. Spikes can be"
                " delayed, voltages can't: leave the delay out."
            )
        matrix = delays[0].tocoo()
        made = Synapses(
            self.groups[source],
            self.groups[target],
            f"w : 1 (constant)\nx{number}_post = w*v_pre : 1 (summed)",
            clock=self.clock,
            name=brian_name(f"{source}_to_{target}"),
        )
        made.connect(i=matrix.col, j=matrix.row)
        made.w = matrix.data
        self.synapses[source, target] = made


# ---------------------------------------------------------------- what is given
def _is_identity(matrix: Any) -> bool:
    coo = matrix.tocoo()
    return (
        matrix.shape[0] == matrix.shape[1] == coo.nnz
        and np.array_equal(coo.row, coo.col)
        and bool(np.all(coo.data == 1))
    )


def _input_shape(name: str, node: Any) -> Shape:
    shape = (node.input_type or {}).get("input")
    if shape is None:
        raise NotSupported(f"NIR node '{name}': an Input without a shape. Give it one.")
    return tuple(int(size) for size in np.ravel(shape)) or (1,)


def _rows(name: str, given: Any, size: int) -> Reals:
    """An input array as (steps, size)."""
    try:
        array = np.asarray(given, np.float64)
        rows = array.reshape(len(array), -1)
    except (TypeError, ValueError) as problem:
        raise OptionError(
            f"inputs[{name!r}]: neither a Brian2 group nor an array of numbers ({problem})."
        ) from problem
    if rows.shape[1] != size:
        raise OptionError(
            f"inputs[{name!r}]: an array of shape {array.shape}, but the Input node has {size}"
            " values a step. Give (steps, *shape of the node)."
        )
    return rows
