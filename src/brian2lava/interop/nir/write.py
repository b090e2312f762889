"""A Brian2 network as a NIR graph: through the map of one step, so that names and units are free.

:mod:`brian2lava.chip.recognise` says which neuron of a chip steps as a group does, in real
numbers; this page puts these into NIR's terms, under a
:class:`~brian2lava.interop.nir.convention.Convention`. What NIR has no node for is refused by name.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import prod
from typing import Any

import nir
import numpy as np
from brian2.core.base import BrianObject
from brian2.core.magic import collect
from brian2.core.namespace import get_local_namespace
from brian2.core.network import Network

from brian2lava.chip.ideal import IdealNetwork, IdealProjection, Reals
from brian2lava.chip.network import SpikeTimes
from brian2lava.chip.recognise.brian_network import recognise
from brian2lava.chip.recognise.refusal import OTHERWISE
from brian2lava.errors import BrianLavaError, NotSupported, OptionError
from brian2lava.interop.nir.convention import Convention, convention
from brian2lava.interop.nir.network import NIRNetwork
from brian2lava.interop.nir.same import same_network
from brian2lava.interop.nir.written_neuron import WrittenNeuron, written_neuron

#: Numbers that one Linear may have: NIR's matrices are full.
MOST_WEIGHTS = 50_000_000
#: Different delays between two groups, each of which needs a Delay and a Linear of its own.
MOST_DELAYS = 64


def to_nir(
    network: Any = None,
    *,
    outputs: Sequence[Any] | None = None,
    method: str | None = None,
    spikes: str | None = None,
    w_in: float | str = 1.0,
    namespace: Mapping[str, Any] | None = None,
    level: int = 0,
) -> Any:
    """The NIR graph of a Brian2 network.

    Parameters
    ----------
    network : Network, NIRNetwork, or Brian2 objects, optional
        Without it, the objects that ``run()`` would run. What :func:`from_nir` made, and is as it
        was, gives back its graph, with Conv and pooling nodes; all else gives Linear, Affine and
        Delay nodes between neurons. SpikeGeneratorGroups become Input nodes.
    outputs : sequence of groups or names, optional
        What the Output nodes take; without it, the groups that reach no other group.
    method : {"euler", "exact"}, optional
        Which time constants have the network's decays; "euler" without it.
    spikes : {"pulse", "delta"}, optional
        Whether a spike is 1 for one step, or has area 1; "pulse" without it. Both as in
        :mod:`brian2lava.interop.nir.convention`, and for a NIRNetwork as it was made.
    w_in : float or "dt"
        Of CubaLIF nodes: a network only has the product of w_in and the weights. "dt" stands for
        tau_syn/dt, with which weights are jumps of the current, as snnTorch writes them.
    namespace : dict, optional
        Without it, the names around the call.
    level : int
        How many calls lie between that place and this function.

    Returns
    -------
    nir.NIRGraph
        With ``metadata`` dt, method, spikes, that :func:`from_nir` reads. What NIR can't say but
        metadata can (a threshold that is subtracted, or at which a neuron fires, values to start
        from) is put there, with a warning.

    Raises
    ------
    NotSupported
        Names the object that NIR has no node for: moving thresholds, refractory periods,
        plasticity, random spikes, several synaptic currents, and what is not linear.
    OptionError
        An unknown option or output.
    """
    made = network if isinstance(network, NIRNetwork) else None
    objects = _objects(network, level + 1)
    namespace = get_local_namespace(level + 1) if namespace is None else namespace
    ideal = _recognised(objects, namespace)
    known = made.convention if made else Convention(ideal.dt)
    chosen = convention(ideal.dt, method or known.method, spikes or known.spikes)
    if made is not None and chosen == made.convention:
        again = made.again()
        for each in again.network.objects:
            each._network = again.network.name  # it shall not warn that it never ran
        if same_network(ideal, _recognised(_objects(again, 1), namespace), _renamed(made, again)):
            return made.noted_graph()
    writer = _Writer(ideal, chosen, made, w_in, _output_names(outputs, ideal, made))
    graph, notes = writer.graph(), writer.notes()
    if notes:
        told = "; ".join(notes)
        warnings.warn(f"to_nir(): NIR can't say all of this network. {told}.", stacklevel=level + 2)
    return graph


def _objects(network: Any, level: int) -> list[BrianObject]:
    """The active objects, those that belong to others among them."""
    if isinstance(network, NIRNetwork):
        network = network.network
    if network is None:
        network = Network(collect(level + 1))
    elif isinstance(network, BrianObject):
        network = Network(network)
    elif not isinstance(network, Network):
        if not isinstance(network, Iterable):
            raise OptionError(
                f"to_nir() takes a Network or Brian2 objects, not a {type(network).__name__}."
            )
        network = Network(*network)
    return [each for each in network.sorted_objects if each.active]


def _recognised(objects: Sequence[BrianObject], namespace: Mapping[str, Any]) -> IdealNetwork:
    """The network in a chip's models; NIR's are among these."""
    if not objects:
        raise NotSupported("to_nir(): there are no Brian2 objects. Give a network.")
    try:
        return recognise(objects, namespace, 0, 1).ideal
    except BrianLavaError as problem:
        told = str(problem).replace(f", {OTHERWISE}", ".")
        raise NotSupported(f"to_nir(): NIR has no node for this. {told}") from problem
    except (ValueError, NotImplementedError) as problem:  # Brian2's own refusals
        raise NotSupported(f"to_nir(): {problem}") from problem


def _renamed(made: NIRNetwork, again: NIRNetwork) -> dict[str, str]:
    """Brian2's names in one network -> in the other."""
    names = {made.groups[key].name: again.groups[key].name for key in made.groups}
    names |= {made.synapses[key].name: again.synapses[key].name for key in made.synapses}
    return names | {made.inputs[key].name: again.inputs[key].name for key in made.inputs}


def _output_names(
    outputs: Sequence[Any] | None, ideal: IdealNetwork, made: NIRNetwork | None
) -> dict[str, str]:
    """Output node -> name of the group that it takes."""
    if outputs is None and made is not None:
        return {node: group.name for node, group in made.outputs.items() if group is not None}
    known = [population.name for population in ideal.populations]
    if outputs is None:
        sending = {projection.source for projection in ideal.projections}
        chosen = [name for name in known if name not in sending] or known
    else:
        chosen = [getattr(each, "name", each) for each in outputs]
        for name in chosen:
            if name not in known:
                raise OptionError(
                    f"outputs: there is no group {name!r}, but {', '.join(map(repr, known))}."
                )
    return {"output": chosen[0]} if len(chosen) == 1 else {f"{n}_output": n for n in chosen}


@dataclass
class _Writer:
    """One network on its way to NIR."""

    ideal: IdealNetwork
    convention: Convention
    made: NIRNetwork | None
    w_in: float | str
    outputs: Mapping[str, str]
    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    entries: dict[str, str | None] = field(default_factory=dict)
    neurons: dict[str, WrittenNeuron] = field(default_factory=dict)

    def graph(self) -> Any:
        """All of it."""
        self._refuse_foreign()
        names = self._names()
        for source in self.ideal.sources:
            shape = self._shape(names[source.name], source.size)
            self._add(names[source.name], nir.Input(input_type={"input": np.array(shape)}))
        for population in self.ideal.populations:
            name = names[population.name]
            driven = any(each.target == population.name for each in self.ideal.projections)
            neuron = written_neuron(population, self.convention, self.w_in, driven)
            self.neurons[population.name] = neuron
            if neuron.node is not None:
                self._add(name, neuron.shaped(self._shape(name, population.size)))
        for population in self.ideal.populations:
            self._arriving(population.name, names)
        for node, group in self.outputs.items():
            self._output(node, group, names)
        return nir.NIRGraph(
            nodes=self.nodes,
            edges=self.edges,
            metadata={
                "dt": self.ideal.dt,
                "method": self.convention.method,
                "spikes": self.convention.spikes,
            },
            type_check=False,
        )

    def _add(self, name: str, node: Any) -> None:
        assert name not in self.nodes, name
        self.nodes[name] = node

    def _free(self, name: str) -> str:
        """A name that no node has yet."""
        taken = {*self.nodes, *self.outputs}
        if name not in taken:
            return name
        return next(each for k in count(1) if (each := f"{name}_{k}") not in taken)

    def _names(self) -> dict[str, str]:
        """Brian2's name -> the node's."""
        every = [each.name for each in (*self.ideal.sources, *self.ideal.populations)]
        names = {name: name for name in every}
        if self.made is not None:
            for known in (self.made.groups, self.made.inputs):
                names |= {group.name: node for node, group in known.items()}
        clash = set(names.values()) & set(self.outputs)
        return {ours: f"{node}_neurons" if node in clash else node for ours, node in names.items()}

    def _shape(self, node: str, size: int) -> tuple[int, ...]:
        shape = None if self.made is None else self.made.shapes.get(node)
        return shape if shape is not None and prod(shape) == size else (size,)

    def _refuse_foreign(self) -> None:
        for source in self.ideal.sources:
            if not isinstance(source, SpikeTimes):
                raise NotSupported(
                    f"to_nir(): '{source.name}' sends random spikes, which NIR has no node for."
                    " Put a SpikeGeneratorGroup in its place; it becomes an Input."
                )
        for stimulus in self.ideal.stimuli:
            raise NotSupported(
                f"to_nir(): '{stimulus.target}' is driven by a TimedArray ({stimulus.name}), and"
                " NIR has no values that change in time. Leave it out, or let a"
                " SpikeGeneratorGroup drive it, which becomes an Input."
            )
        for projection in self.ideal.projections:
            if projection.learning is not None:
                raise NotSupported(
                    f"to_nir(): the weights of '{projection.name}' change by a rule, and NIR's"
                    " stay. Use Synapses with constant weights."
                )

    # ------------------------------------------------------------ what lies between neurons
    def _arriving(self, group: str, names: Mapping[str, str]) -> None:
        neuron = self.neurons[group]
        coming = [each for each in self.ideal.projections if each.target == group]
        bias: Reals | None = neuron.bias
        if bias is not None and not coming:
            raise NotSupported(
                f"to_nir(): '{group}' is driven by a constant, does not leak, and gets no synapses."
                " In NIR a constant is the bias of an Affine, which needs an input."
            )
        # a group that is no neuron, only a sum, is what the output gets
        ends = [node for node, name in self.outputs.items() if name == group]
        for target in ends if neuron.node is None else [names[group]]:
            more = bias
            for projection in coming:
                self._projection(projection, neuron, names[projection.source], target, more)
                more = None

    def _projection(
        self,
        projection: IdealProjection,
        neuron: WrittenNeuron,
        source: str,
        target: str,
        bias: Reals | None,
    ) -> None:
        weights = np.asarray(projection.weights) / neuron.per_weight[projection.post]
        delays = np.broadcast_to(np.asarray(projection.delays), weights.shape)
        sizes = neuron.size, self._size(projection.source)
        if prod(sizes) > MOST_WEIGHTS:
            raise NotSupported(
                f"to_nir(): '{projection.name}' is a matrix of {sizes[0]} x {sizes[1]} weights,"
                f" more than the {MOST_WEIGHTS} that to_nir() writes: NIR's matrices are full."
                " Write a smaller network."
            )
        for delay in self._delays(projection, delays):
            ours = delays == delay
            matrix = np.zeros(sizes)
            np.add.at(matrix, (projection.post[ours], projection.pre[ours]), weights[ours])
            self._layer(projection.name, source, target, matrix, int(delay), bias)
            bias = None

    def _delays(self, projection: IdealProjection, delays: Any) -> Any:
        found = np.unique(delays) if delays.size else np.zeros(1, int)
        if len(found) > MOST_DELAYS:
            raise NotSupported(
                f"to_nir(): '{projection.name}' has {len(found)} different delays, more than"
                f" {MOST_DELAYS}; each takes a Delay and a matrix of its own. Round them."
            )
        return found

    def _layer(
        self, name: str, source: str, target: str, matrix: Reals, delay: int, bias: Reals | None
    ) -> None:
        """[Delay ->] Linear or Affine."""
        if delay:
            waiting = self._free(f"{name}_delay")
            self._add(waiting, nir.Delay(delay=np.full(matrix.shape[1], delay * self.ideal.dt)))
            self.edges.append((source, waiting))
            source = waiting
        node = nir.Linear(weight=matrix) if bias is None else nir.Affine(weight=matrix, bias=bias)
        layer = self._free(name)
        self._add(layer, node)
        self.edges += [(source, layer), (layer, target)]

    def _size(self, name: str) -> int:
        every = (*self.ideal.sources, *self.ideal.populations)
        return next(each.size for each in every if each.name == name)

    def _output(self, node: str, group: str, names: Mapping[str, str]) -> None:
        size = self._size(group)
        shape = self._shape(names[group], size)
        self._add(node, nir.Output(output_type={"output": np.array(shape)}))
        neuron = self.neurons.get(group)
        if neuron is None or neuron.node is not None:
            self.edges.append((names[group], node))

    def notes(self) -> list[str]:
        """What only metadata, or nothing, says of the network."""
        notes = [f"'{name}': {note}" for name, each in self.neurons.items() for note in each.notes]
        return notes + [note.replace("the chip keeps", "NIR keeps") for note in self.ideal.notes]
