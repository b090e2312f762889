"""The sections of an exported script: sources, groups, synapses, each a piece of text and data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.models import MODELS
from brian2lava.chip.network import Integers, Population, Projection, Source, Stimulus
from brian2lava.chip.plain import stimulus_at
from brian2lava.chip.plain_steps import initial_states
from brian2lava.chip.weights import effective, late_exponent
from brian2lava.interop import stock_neurons, synapse_layers
from brian2lava.interop.export import own_synapses
from brian2lava.interop.export.given import Given, sent
from brian2lava.interop.export.module_text import wrapped
from brian2lava.interop.export.names import class_name, identifiers
from brian2lava.interop.export.own_neurons import OwnNeuron
from brian2lava.interop.export.own_plastic import plastic_of
from brian2lava.interop.synapse_layers import Layer

#: Names that the script uses for itself.
RESERVED = (
    "np", "sys", "Path", "HERE", "STEPS", "data", "trains", "matrix", "sparse", "csr_matrix",
    "RunSteps", "Loihi2SimCfg", "SignMode", "Spikes", "processes", "spikes", "expected", "fine",
    "name", "recorder", "same", "lava", "Source", "Dense", "DelayDense", "Sparse", "DelaySparse",
    "SpikeRecorder", "ChipSynapses",
)  # fmt: skip
#: Lava's modules, by class.
_SYNAPSES = {
    "Dense": "lava.proc.dense.process", "DelayDense": "lava.proc.dense.process",
    "Sparse": "lava.proc.sparse.process", "DelaySparse": "lava.proc.sparse.process",
}  # fmt: skip
_EMPTY = np.zeros(0, np.int64)


@dataclass
class Pieces:
    """What has been written so far.

    Attributes
    ----------
    imports : dict of module to set of names
    modules : dict of module to text
        Of processes of the package's own.
    arrays : dict of key to array
    helpers : set of str
        Functions of the script that its sections call.
    own : dict of object to str
        What is a process of the package's own, and why.
    count : int
        How many processes there are.
    """

    given: Given
    imports: dict[str, set[str]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    helpers: set[str] = field(default_factory=set)
    operations: set[str] = field(default_factory=set)
    own: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        network = self.given.network
        lavas = {str(model.lava).rpartition(".")[2] for model in MODELS.values()}
        reserved = {*RESERVED, *lavas}
        objects = (*network.sources, *network.populations, *network.projections)
        self.names = identifiers([each.name for each in objects], reserved)
        self.stimuli = identifiers(
            [f"input_{n}_{each.target}" for n, each in enumerate(network.stimuli)],
            {*reserved, *self.names.values()},
        )

    def use(self, module: str, *names: str) -> None:
        """Import names from a module."""
        self.imports.setdefault(module, set()).update(names)

    # ------------------------------------------------------------ sources
    def source(self, source: Source) -> Iterator[str]:
        """A source as a RingBuffer with the spikes that it sent."""
        name, steps = self.names[source.name], self.given.steps
        when, who, values = sent(source, steps)
        self.arrays[f"{name}.steps"] = when.astype(np.int32)
        self.arrays[f"{name}.indices"] = who.astype(np.int32)
        if source.graded:
            self.arrays[f"{name}.values"] = values.astype(np.int32)
        self.use("lava.proc.io.source", "RingBuffer as Source")
        self.helpers.add("trains")
        self.count += 1
        kind = "spikes that carry a number" if source.graded else "spikes"
        yield from _title(source.name)
        yield from self._about(source.name)
        yield f"# {source.size} {_many(source.size, 'source')}, {len(when)} {kind}."
        yield f'{name} = Source(data=trains("{name}", {source.size}))'

    def stimulus(self, place: int, stimulus: Stimulus) -> Iterator[str]:
        """A stimulus as a RingBuffer without a synapse behind it."""
        name = self.stimuli[f"input_{place}_{stimulus.target}"]
        size = self.given.network.population(stimulus.target).size
        rows = [
            np.broadcast_to(stimulus_at(stimulus, now), (size,)) for now in range(self.given.steps)
        ]
        table = np.array(rows, np.int64).reshape(self.given.steps, size)
        alike = bool(np.all(table == table[:, :1]))
        self.arrays[f"{name}.values"] = (table[:, 0] if alike else table.T).astype(np.int32)
        self.use("lava.proc.io.source", "RingBuffer as Source")
        self.count += 1
        values = f'data["{name}.values"]'
        if alike:
            values = f"np.broadcast_to({values}, ({size}, STEPS)).copy()"
        yield from _title(f"input to {stimulus.target}")
        yield from self._about(stimulus.name)
        yield f"# Added to {stimulus.port} of {stimulus.target!r} in each step, without a synapse."
        yield f"{name} = Source(data={values})"
        yield f"{name}.s_out.connect({self.names[stimulus.target]}.{stimulus.port})"

    # ------------------------------------------------------------ neurons
    def population(self, population: Population) -> Iterator[str]:
        """A population: Lava's own process, or one of the package's."""
        why = stock_neurons.why_ours(population, self.given.network.arithmetic)
        yield from _title(population.name)
        yield f"# {population.size} {_many(population.size, 'neuron')}:"
        yield from wrapped(_equations(population), "#   ")
        yield from self._about(population.name)
        self.count += 1
        if why:
            yield from self._own_population(population, why)
        else:
            yield from self._stock_population(population)

    def _stock_population(self, population: Population) -> Iterator[str]:
        name = self.names[population.name]
        module, _, process = str(population.neuron.lava).rpartition(".")
        self.use(module, process)
        arguments = stock_neurons.stock_arguments(population)
        settings = stock_neurons.stock_settings(population)
        initial = {
            key: value for key, value in settings.items() if key in ("u", "v") and np.any(value)
        }
        yield f"{name} = {process}("
        yield f"    shape=({population.size},),"
        yield f'    name="{name}",'
        for key, value in {**arguments, **initial}.items():
            yield f"    {key}={self._value(name, key, value)},"
        yield ")"
        for key, value in settings.items():
            if key not in initial and key not in ("u", "v"):
                yield f"{name}.{key}.init = {self._value(name, key, value)}"

    def _own_population(self, population: Population, why: str) -> Iterator[str]:
        name, arithmetic = self.names[population.name], self.given.network.arithmetic
        own = OwnNeuron.of(population, arithmetic)
        process = self._class(own.process, own.module)
        self.operations |= own.operations
        self._note(population.name, why)
        initial = initial_states(population, arithmetic)
        yield f"# {why}: {process} is in the folder processes."
        yield f"{name} = {process}("
        yield f"    shape=({population.size},),"
        yield f'    name="{name}",'
        for register in own.registers:
            value = _one_if_same(population.registers[register])
            yield f"    {register}={self._value(name, register, value)},"
        for state in own.states:
            value = _one_if_same(initial[state])
            if np.any(value):
                yield f"    {state}={self._value(name, state, value)},"
        if own.draws:
            self.arrays[f"{name}.words"] = self.given.words[population.name].astype(np.int32)
            yield f'    words=data["{name}.words"],'
        yield ")"

    def _class(self, process: str, module: Any) -> str:
        """A class of the package's own: its module is written, unless there is one like it."""
        number = 1
        while True:
            name = process if number == 1 else f"{process}{number}"
            text = module(name)
            place = _module_of(name)
            taken = name in self.names.values() or name in self.stimuli.values()
            if not taken and self.modules.setdefault(place, text) == text:
                self.use(f"processes.{place}", name)
                return name
            number += 1

    def _note(self, name: str, why: str) -> None:
        self.own[name] = why

    # ------------------------------------------------------------ synapses
    def projection(self, place: int, projection: Projection) -> Iterator[str]:
        """A projection: Lava's own processes, or one of the package's."""
        network = self.given.network
        sources = network.origin(projection.source).size
        targets = network.population(projection.target).size
        yield from _title(projection.name)
        yield (
            f"# {projection.size} {_many(projection.size, 'synapse')} from {projection.source!r} to"
            f" {projection.port} of {projection.target!r}."
        )
        yield from self._about(projection.name)
        if projection.learning is not None:
            self.count += 1
            yield from self._plastic(place, projection, (targets, sources))
            return
        why = synapse_layers.why_ours(projection, network.arithmetic)
        if why:
            self.count += 1
            yield from self._own_synapses(projection, (targets, sources), why)
            return
        layers = synapse_layers.planned(projection, sources, targets)
        if len(layers) > 1:
            yield f"# Some pairs have several: one of Lava's processes for each, {len(layers)}."
        names = self._layer_names(projection, len(layers))
        for name, layer in zip(names, layers):
            self.count += 1
            yield from self._layer(name, layer)
            yield from self._joined(projection, name)

    def _layer_names(self, projection: Projection, count: int) -> list[str]:
        """Identifiers for the layers of a projection."""
        first = self.names[projection.name]
        more = [f"{first}_{number + 1}" for number in range(1, count)]
        taken = {*RESERVED, *self.names.values(), *self.stimuli.values()}
        return [first, *identifiers(more, taken).values()]

    def _layer(self, name: str, layer: Layer) -> Iterator[str]:
        helper = "sparse" if layer.sparse else "matrix"
        self.helpers.add(helper)
        self.use(_SYNAPSES[layer.kind], layer.kind)
        self.use("lava.utils.weightutils", "SignMode")
        self._list(name, pre=layer.pre, post=layer.post, weights=layer.weights)
        yield f"{name} = {layer.kind}("
        yield f'    weights={helper}("{name}", "weights", {layer.shape}),'
        if layer.delayed:
            self._list(name, delays=layer.delays)
            yield f'    delays={helper}("{name}", "delays", {layer.shape}),'
        yield from (
            f"    weight_exp={layer.weight_exp},",
            f"    num_weight_bits={layer.num_weight_bits},",
            f"    sign_mode=SignMode.{layer.signs.name},",
            f"    num_message_bits={layer.num_message_bits},",
            f'    name="{name}",',
            ")",
        )

    def _own_synapses(
        self, projection: Projection, shape: tuple[int, int], why: str
    ) -> Iterator[str]:
        name, arithmetic = self.names[projection.name], self.given.network.arithmetic
        process = self._class(own_synapses.PROCESS, lambda _: own_synapses.module())
        self._note(projection.name, why)
        delays = np.broadcast_to(projection.delays, projection.pre.shape)
        weights = effective(projection, arithmetic)
        self._list(name, pre=projection.pre, post=projection.post, weights=weights, delays=delays)
        yield f"# {why}: {process} is in the folder processes."
        yield f"{name} = {process}("
        yield f"    shape={shape},"
        for key in ("pre", "post", "weights", "delays"):
            yield f'    {key}=data["{name}.{key}"],'
        yield f"    right_shift={-late_exponent(projection, arithmetic)},"
        yield f"    graded={bool(projection.message_bits)},"
        yield f'    name="{name}",'
        yield ")"
        yield from self._joined(projection, name)

    def _plastic(self, place: int, projection: Projection, shape: tuple[int, int]) -> Iterator[str]:
        name, network = self.names[projection.name], self.given.network
        own = plastic_of(projection, network.arithmetic.learning_rounding)
        process = self._class(class_name("plastic", name), own.module)
        self.modules.update(own.others)
        self._note(projection.name, "Lava's LearningDense learns for every pair, at random")
        self._list(name, pre=projection.pre, post=projection.post)
        arguments = own.arguments(network, projection)
        drawn = own.draws(self.given.seed, place, self.given.steps)
        arguments["key" if isinstance(drawn, int) else "draws"] = drawn
        known = {"t", "d", *own.traces}
        first = self.given.traces.get(projection.name, {})
        arguments |= {key: value for key, value in first.items() if key in known}
        yield from wrapped(f"The rule: {str(projection.learning).splitlines()[0]}", "# ")
        yield f"# {process} is in the folder processes."
        yield f"{name} = {process}("
        yield f"    shape={shape},"
        for key in ("pre", "post"):
            yield f'    {key}=data["{name}.{key}"],'
        for key, value in arguments.items():
            yield f"    {key}={self._value(name, key, value)},"
        yield f'    name="{name}",'
        yield ")"
        yield from self._joined(projection, name)
        yield f"{self.names[projection.target]}.s_out.connect({name}.s_in_bap)"

    def _joined(self, projection: Projection, name: str) -> Iterator[str]:
        yield f"{self.names[projection.source]}.s_out.connect({name}.s_in)"
        yield f"{name}.a_out.connect({self.names[projection.target]}.{projection.port})"

    # ------------------------------------------------------------ values
    def _list(self, name: str, **arrays: Integers) -> None:
        """Arrays with one element a synapse."""
        for key, values in arrays.items():
            self.arrays[f"{name}.{key}"] = np.asarray(values, np.int32)

    def _value(self, name: str, key: str, value: Any) -> str:
        """A number as text, or an array by its key in the data."""
        if np.ndim(value) == 0:
            return repr(value.item() if isinstance(value, np.generic) else value)
        self.arrays[f"{name}.{key}"] = np.asarray(value)
        return f'data["{name}.{key}"]'

    def _about(self, name: str) -> Iterator[str]:
        lines: Sequence[str] = self.given.about.get(name, ())
        for line in lines:
            yield f"# {line}".rstrip()


def _title(name: str) -> Iterator[str]:
    plain = "".join(c if c.isprintable() else " " for c in name)
    yield ""
    yield f"# {'-' * 60} {plain}"


def _equations(population: Population) -> str:
    """A model's, without the noise that it could have."""
    told, noise, more = population.neuron.equations.partition("; noise ")
    return told + (noise + more if np.any(population.registers.get("noise_exp", 0)) else "")


def _many(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"


def _module_of(process: str) -> str:
    """ "ChipSynapses" -> "chip_synapses"."""
    parts = "".join(f" {c}" if c.isupper() and not p.isupper() else c
                    for p, c in zip(" " + process, process))  # fmt: skip
    return re.sub("_+", "_", "_".join(parts.lower().split()))


def _one_if_same(values: Any) -> Any:
    array = np.asarray(values)
    same = array.size and np.all(array == array.flat[0])
    return int(array.flat[0]) if same or array.ndim == 0 else array


def as_rows(spikes: Mapping[str, tuple[Integers, Integers]], names: Mapping[str, str]) -> Any:
    """Spikes as the script keeps them: identifier -> rows of (step, neuron)."""
    return {
        names[name]: np.stack([np.asarray(steps), np.asarray(who)], axis=1).astype(np.int32)
        for name, (steps, who) in spikes.items()
    }
