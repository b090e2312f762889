"""ChipNetwork -> operations of a step program, and the arrays that they run on.

A population's update, threshold and reset are one :class:`Threshold` operation in integers; a
projection is a :class:`Pathway`. What arrives in a step is summed in an array a port and taken by
the next update; a projection whose exponent shifts the sum (a negative one, in lava-nc's
arithmetic) has sums of its own, one a delay, since each is shifted by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import (
    Expression,
    Name,
    as_c,
    evaluate,
    names_in,
    number,
    rows_of,
    shift,
    support,
)
from brian2lava.chip.learning import learning_operations
from brian2lava.chip.learning.compiled import Projecting
from brian2lava.chip.learning.tape import stream_key
from brian2lava.chip.models.neuron import Step
from brian2lava.chip.network import (
    ChipNetwork,
    Integers,
    PoissonSpikes,
    Population,
    Projection,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain import zero_registers
from brian2lava.chip.plastic import mantissas, synapses_of
from brian2lava.chip.weights import effective, late_exponent
from brian2lava.engine.memory import arena
from brian2lava.program import step_program as program
from brian2lava.program.step_program import ELEMENT, SCALAR, Access

#: Index names in pathway statements.
_POST, _PRE = "_postsynaptic_idx", "_presynaptic_idx"
_ROW = "_row_idx"

Values = tuple[float, ...]


@dataclass(frozen=True)
class Lowered:
    """A chip network as part of a step program.

    Attributes
    ----------
    arrays : tuple of Array
    storage : dict of array id to array in the arena
    updates, deliveries : tuples of (Operation, values of its constants)
        Sources and populations, which fire; then projections, which deliver.
    events : dict of population or source to array id
        Who fired in this step; the last element is how many.
    states : dict of (population, state) to array id
    counters : dict of (population, counter) to array id
        How often each neuron's counter was true.
    plastic : dict of projection to dict of "w" and traces to array id
        Of projections that learn: mantissas, and traces by neuron (lava-nc) or synapse.
    decodes : dict of population to (Operation, values of its constants)
        Write states in the user's units; to be placed before what reads them.
    sums : dict of (population, port) to pairs of array id and late shift
        Where what arrives at a port is summed.
    """

    arrays: tuple[program.Array, ...]
    storage: Mapping[str, Any]
    updates: tuple[tuple[program.Operation, Values], ...]
    deliveries: tuple[tuple[program.Operation, Values], ...]
    events: Mapping[str, str]
    states: Mapping[tuple[str, str], str]
    counters: Mapping[tuple[str, str], str]
    plastic: Mapping[str, Mapping[str, str]]
    decodes: Mapping[str, tuple[program.Operation, Values]]
    sums: Mapping[tuple[str, str], Sequence[tuple[str, int]]]


@dataclass(frozen=True)
class Decode:
    """``target[i] = offset + state / scale`` in the user's unit, in the middle of a run.

    ``ahead``: of the state after its next update, as far as it is known (see
    :class:`~brian2lava.chip.ideal.StateLink`). ``scale`` and ``offset`` are numbers or arrays of
    shape (size,).
    """

    target: str
    state: str
    scale: Any
    offset: Any
    ahead: bool


@dataclass(frozen=True)
class Surroundings:
    """What a chip network finds in the program that it becomes part of.

    Attributes
    ----------
    clock : int
        Its clock's place in the program.
    timestep : str
        The id of the clock's array of steps (int64, one element).
    events : dict of population or source to array id
        Event arrays that are there already (Brian2's); sources among them are not lowered, for
        somebody else makes their spikes.
    origins : dict of object name to code
        What the user wrote, for errors.
    decodes : dict of population to sequence of Decode
    seed : int
        Of the rounding of learning.
    steps_before : int
        Steps of learning before step 0 of the clock.
    traces : dict of projection to dict of trace to array
        What learning begins with where it goes on.
    """

    clock: int = 0
    timestep: str = "_array_chip_timestep"
    events: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    decodes: Mapping[str, Sequence[Decode]] = field(default_factory=dict)
    seed: int = 0
    steps_before: int = 0
    traces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def lower(network: ChipNetwork, around: Surroundings | None = None) -> Lowered:
    """The operations and arrays of ``network``."""
    return _Lowering(network, around or Surroundings()).done()


def _ctype(kind: Any) -> str:
    return {
        "float64": "double", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t",
        "int64": "int64_t",
    }[np.dtype(kind).name]  # fmt: skip


class _Lowering:
    def __init__(self, network: ChipNetwork, around: Surroundings) -> None:
        self.network = network
        self.around = around
        self.word = network.arithmetic.word
        self.kind = np.int32 if self.word == 32 else np.int64
        self.arrays: dict[str, program.Array] = {}
        self.storage: dict[str, Any] = {}
        self.events: dict[str, str] = dict(around.events)
        self.states: dict[tuple[str, str], str] = {}
        self.counters: dict[tuple[str, str], str] = {}
        self.updates: list[tuple[program.Operation, Values]] = []
        self.deliveries: list[tuple[program.Operation, Values]] = []
        self.plastic: dict[str, dict[str, str]] = {}
        self.delivered: dict[str, str] = {}
        #: by (population, port): array ids and the shift of each
        self.sums: dict[tuple[str, str], list[tuple[str, int]]] = {}
        self.sums_of_parts: dict[str, str] = {}
        self.messages = _message_depths(network)
        self.sent: dict[str, str] = {}
        self.unit = self.array("unit", np.ones(1), scalar=True)

    def array(self, name: str, values: Any, scalar: bool = False) -> str:
        """A new array in the arena with these values; its id."""
        values = np.asarray(values)
        base = "_array_chip_" + re.sub(r"\W", "_", name)
        array_id, k = base, 1
        while array_id in self.arrays:
            k += 1
            array_id = f"{base}_{k}"
        block = arena().allocate(max(1, values.size) * values.dtype.itemsize)
        place = block.array(values.dtype, max(1, values.size))
        place[: values.size] = values.ravel()
        self.arrays[array_id] = program.Array(array_id, _ctype(values.dtype), scalar)
        self.storage[array_id] = place
        return array_id

    def targets_array(self, name: str, values: Any) -> str:
        """An array whose id ends as the engine expects of post-synaptic indices."""
        values = np.asarray(values)
        array_id = self.array(name, values)
        del self.arrays[array_id]
        renamed = f"{array_id}_synaptic_post"
        self.arrays[renamed] = program.Array(renamed, _ctype(values.dtype))
        self.storage[renamed] = self.storage.pop(array_id)
        return renamed

    def common(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "clock": self.around.clock,
            "origin": program.Origin(name, self.around.origins.get(name, "")),
        }

    def done(self) -> Lowered:
        network = self.network
        for projection in network.projections:
            self.add_sums(projection)
        for stimulus in network.stimuli:
            self.sum_of(stimulus.target, stimulus.port)
        for stimulus in network.stimuli:
            if not stimulus.after:
                self.add_stimulus(stimulus)
        for source in network.sources:
            self.add_source(source)
        for population in network.populations:
            self.add_population(population)
        for stimulus in network.stimuli:
            if stimulus.after:
                self.add_stimulus(stimulus)
        for projection in network.projections:
            self.add_projection(projection)
        learning = [
            self.learning(k, projection)
            for k, projection in enumerate(network.projections)
            if projection.learning is not None
        ]
        self.deliveries += [pair for made in learning for pair in made]
        decodes = {
            name: self.decode(network.population(name), wanted)
            for name, wanted in self.around.decodes.items()
        }
        return Lowered(
            arrays=tuple(self.arrays.values()),
            storage=self.storage,
            updates=tuple(self.updates),
            deliveries=tuple(self.deliveries),
            events=self.events,
            states=self.states,
            counters=self.counters,
            plastic=self.plastic,
            decodes=decodes,
            sums=self.sums,
        )

    # ------------------------------------------------------------ what users read
    def decode(
        self, population: Population, wanted: Sequence[Decode]
    ) -> tuple[program.Operation, Values]:
        name, model = population.name, population.neuron
        step = model.step(self.network.arithmetic, zero_registers(population))
        text = _Text()
        text.constants.append(program.Constant("N", "int64_t"))
        text.values.append(population.size)
        needed = [ahead(step, item.state) for item in wanted if item.ahead]
        used = frozenset().union(*(names_in(e) for part in needed for _, e in part))
        for register, numbers in self._registers(population).items():
            if register in used:
                self._declare(text, f"{name}_{register}", register, numbers)
        states = {state.name for state in model.states} & (used | {d.state for d in wanted})
        for state in sorted(states):
            array_id = self.states[name, state]
            text.reads.add(Access(array_id, ELEMENT))
            text.lines.append(f"T {state} = _ptr{array_id}[_idx];")
        for port in sorted(set(model.ports) & used):
            self._peek(text, population, port)
        for item in sorted(wanted, key=lambda item: item.ahead):
            declared = set(states)
            if item.ahead:
                text.lines.append("{")
                for local, expression in ahead(step, item.state):
                    kind = "" if local in declared else "T "
                    text.lines.append(f"{kind}{local} = {as_c(expression, {})};")
            number = len(text.constants)
            scale = self._real(text, f"{name}_scale", f"scale_{number}", item.scale)
            offset = self._real(text, f"{name}_offset", f"offset_{number}", item.offset)
            text.writes.add(Access(item.target, ELEMENT))
            text.lines.append(
                f"_ptr{item.target}[_idx] = {offset} + (double){item.state} / {scale};"
            )
            if item.ahead:
                text.lines.append("}")
        operation = program.Elementwise(
            **self.common(name),
            statements=program.Statements(
                vector="\n".join(text.lines),
                reads=frozenset(text.reads),
                writes=frozenset(text.writes),
                support=support(_rows_of(step) | {"shift"}, self.word),
                constants=tuple(text.constants),
            ),
            count="N",
            domain=name,
        )
        return operation, tuple(text.values)

    def _real(self, text: _Text, array_name: str, name: str, values: Any) -> str:
        """A number of type double: a constant, or an array."""
        values = np.asarray(values, np.float64)
        if values.ndim == 0:
            text.constants.append(program.Constant(name, "double"))
            text.values.append(float(values))
            return name
        array_id = self.array(array_name, values)
        text.reads.add(Access(array_id, ELEMENT))
        return f"_ptr{array_id}[_idx]"

    # ------------------------------------------------------------ what arrives
    def sum_of(self, target: str, port: str) -> str:
        """The array in which a port's input is summed."""
        sums = self.sums.setdefault((target, port), [])
        for array_id, late in sums:
            if not late:
                return array_id
        return self.new_sum(target, port, 0, "")

    def new_sum(self, target: str, port: str, late: int, name: str) -> str:
        size = self.network.population(target).size
        array_id = self.array(f"{target}_{port}_{name}", np.zeros(size, self.kind))
        self.sums.setdefault((target, port), []).append((array_id, late))
        return array_id

    def add_sums(self, projection: Projection) -> None:
        late = late_exponent(projection, self.network.arithmetic)
        for part, _ in _parts(projection, late):
            if late:
                self.sums_of_parts[part] = self.new_sum(
                    projection.target, projection.port, late, part
                )
            else:
                self.sum_of(projection.target, projection.port)

    def add_stimulus(self, stimulus: Stimulus) -> None:
        rows = len(stimulus.values)
        if rows == 0:
            return
        target = self.sum_of(stimulus.target, stimulus.port)
        values = self.array(f"{stimulus.name}_values", stimulus.values.astype(self.kind))
        step = self.around.timestep
        column = "* N + _idx" if stimulus.values.ndim == 2 else ""
        scalar = f"const int64_t _row = _ptr{step}[0]{' % rows' if stimulus.repeat else ''};"
        vector = (
            f"const int64_t {_ROW} = _row < rows ? _row {column} : 0;\n"
            f"_ptr{target}[_idx] = (T)((U)_ptr{target}[_idx]"
            f" + (_row < rows ? (U)_ptr{values}[{_ROW}] : (U)0));"
        )
        own = Access(target, ELEMENT)
        statements = program.Statements(
            scalar=scalar,
            vector=vector,
            scalar_reads=frozenset({Access(step, SCALAR)}),
            reads=frozenset({own, Access(values, _ROW)}),
            writes=frozenset({own}),
            support=support(frozenset(), self.word),
            constants=(program.Constant("N", "int64_t"), program.Constant("rows", "int64_t")),
        )
        size = self.network.population(stimulus.target).size
        operation = program.Elementwise(
            **self.common(stimulus.name),
            statements=statements,
            count="N",
            domain=stimulus.target,
        )
        self.updates.append((operation, (size, rows)))

    # ------------------------------------------------------------ sources
    def new_events(self, name: str, size: int) -> str:
        self.events[name] = self.array(f"{name}_events", np.zeros(size + 1, np.int32))
        return self.events[name]

    def add_source(self, source: SpikeTimes | PoissonSpikes) -> None:
        if source.name in self.events:
            return
        if isinstance(source, SpikeTimes):
            self.add_spike_times(source)
        else:
            self.add_poisson(source)

    def add_spike_times(self, source: SpikeTimes) -> None:
        name = source.name
        operation = program.SpikeSource(
            **self.common(name),
            events=self.new_events(name, source.size),
            neuron_index=self.array(f"{name}_indices", source.indices.astype(np.int32)),
            timebins=self.array(f"{name}_bins", source.steps.astype(np.int32)),
            period_bins=self.array(f"{name}_period", np.array([source.period], np.int64), True),
            lastindex=self.array(f"{name}_last", np.zeros(1, np.int32), True),
            timestep=self.around.timestep,
        )
        self.storage[operation.timebins] = self.storage[operation.timebins][: source.steps.size]
        self.updates.append((operation, ()))

    def add_poisson(self, source: PoissonSpikes) -> None:
        name, constants = source.name, [program.Constant("N", "int64_t")]
        values: list[float] = [source.size]
        reads: set[Access] = set()
        if source.probability.ndim == 0:
            constants.append(program.Constant("probability", "double"))
            values.append(float(source.probability))
            chance = "probability"
        else:
            array_id = self.array(f"{name}_probability", source.probability)
            reads.add(Access(array_id, ELEMENT))
            chance = f"_ptr{array_id}[_idx]"
        operation = program.Threshold(
            **self.common(name),
            statements=program.Statements(
                vector=f"const char _cond = _rand(_vectorisation_idx) < {chance};",
                reads=frozenset(reads),
                functions=frozenset({"rand"}),
                constants=tuple(constants),
            ),
            count="N",
            domain=name,
            events=self.new_events(name, source.size),
        )
        self.updates.append((operation, tuple(values)))

    # ------------------------------------------------------------ populations
    def add_population(self, population: Population) -> None:
        name, model = population.name, population.neuron
        step = model.step(self.network.arithmetic, zero_registers(population))
        registers = self._registers(population)
        used = _names_of(step)
        text = _Text()
        text.constants.append(program.Constant("N", "int64_t"))
        text.values.append(population.size)
        if "t" in used:
            text.scalar.append(f"const T t = (T)(_ptr{self.around.timestep}[0] + 1);")
            text.scalar_reads.add(Access(self.around.timestep, SCALAR))
        for register, numbers in registers.items():
            if register in used:
                self._declare(text, f"{name}_{register}", register, numbers)
        for state in model.states:
            if state.name not in used:
                continue
            array_id = self.array(
                f"{name}_{state.name}", self._initial(population, state, registers)
            )
            self.states[name, state.name] = array_id
            text.own(array_id)
            text.lines.append(f"T {state.name} = _ptr{array_id}[_idx];")
        self._take_input(text, population)
        self._body(text, population, step)
        operation = program.Threshold(
            **self.common(name),
            statements=program.Statements(
                scalar="\n".join(text.scalar),
                vector="\n".join(text.lines),
                scalar_reads=frozenset(text.scalar_reads),
                reads=frozenset(text.reads),
                writes=frozenset(text.writes),
                functions=frozenset({"rand"} if step.draws else ()),
                support=support(_rows_of(step) | {"shift"}, self.word),
                constants=tuple(text.constants),
            ),
            count="N",
            domain=name,
            events=self.events.get(name) or self.new_events(name, population.size),
        )
        self.updates.append((operation, tuple(text.values)))

    def _registers(self, population: Population) -> dict[str, Integers]:
        """Registers and what is derived from them."""
        registers: dict[str, Any] = {
            name: values.astype(self.kind) for name, values in population.registers.items()
        }
        derived = population.neuron.derived(self.network.arithmetic)
        registers.update(
            {
                name: evaluate(expression, registers, self.word)
                for name, expression in derived.items()
            }
        )
        return registers

    def _initial(
        self, population: Population, state: Any, registers: Mapping[str, Integers]
    ) -> Integers:
        if state.initial is not None:
            first: Any = evaluate(state.initial, registers, self.word)
        else:
            first = population.initial.get(state.name, 0)
        return np.broadcast_to(np.asarray(first, self.kind), (population.size,))

    def _declare(self, text: _Text, array_name: str, name: str, numbers: Integers) -> None:
        """A register: a constant where all neurons have the same, else an array."""
        if np.ndim(numbers) == 0 or np.all(numbers == np.ravel(numbers)[:1]):
            text.constants.append(program.Constant(name, f"int{self.word}_t"))
            text.values.append(int(np.ravel(numbers)[0]) if np.size(numbers) else 0)
            return
        array_id = self.array(array_name, np.asarray(numbers, self.kind))
        text.reads.add(Access(array_id, ELEMENT))
        text.lines.append(f"const T {name} = _ptr{array_id}[_idx];")

    def _take_input(self, text: _Text, population: Population) -> None:
        for port in population.neuron.ports:
            self._peek(text, population, port)
            for array_id, _ in self.sums.get((population.name, port), []):
                text.own(array_id)
                text.lines.append(f"_ptr{array_id}[_idx] = 0;")

    def _peek(self, text: _Text, population: Population, port: str) -> None:
        """What has arrived at a port by now."""
        parts = []
        for array_id, exponent in self.sums.get((population.name, port), []):
            text.reads.add(Access(array_id, ELEMENT))
            part = f"_ptr{array_id}[_idx]"
            parts.append(as_c(shift(Name(part), exponent), {}) if exponent else part)
        text.lines.append(f"const T {port} = {_sum(parts)};")

    def _body(self, text: _Text, population: Population, step: Step) -> None:
        states = {state.name for state in population.neuron.states}
        for draw in step.draws:
            text.lines.append(f"const T {draw} = (T)(_rand(_vectorisation_idx) * 16777216.0);")
        declared = set(states)
        for name, expression in step.assignments:
            kind = "" if name in declared else "T "
            declared.add(name)
            text.lines.append(f"{kind}{name} = {as_c(expression, {})};")
        text.lines.append(f"const T fired = {as_c(step.fired, {})};")
        if population.name in self.messages:
            self._send(text, population, step)
        for counter, condition in step.counters:
            array_id = self.array(
                f"{population.name}_{counter}", np.zeros(population.size, np.int32)
            )
            self.counters[population.name, counter] = array_id
            text.own(array_id)
            text.lines.append(f"_ptr{array_id}[_idx] += (int32_t)({as_c(condition, {})});")
        for name, expression in step.after:
            text.lines.append(f"const T {name}_after = {as_c(expression, {})};")
        after = {name for name, _ in step.after}
        for name in sorted(states):
            if (population.name, name) in self.states:
                value = f"{name}_after" if name in after else name
                text.lines.append(f"_ptr{self.states[population.name, name]}[_idx] = {value};")
        text.lines.append("const char _cond = (char)(fired != 0);")

    def _send(self, text: _Text, population: Population, step: Step) -> None:
        """Payloads, kept as long as the longest delay that they travel."""
        depth = self.messages[population.name]
        array_id = self.array(
            f"{population.name}_payloads", np.zeros((depth, population.size), self.kind)
        )
        self.sent[population.name] = array_id
        text.constants.append(program.Constant("depth", "int64_t"))
        text.values.append(depth)
        text.scalar.append(f"const int64_t _turn = _ptr{self.around.timestep}[0] % depth;")
        text.scalar_reads.add(Access(self.around.timestep, SCALAR))
        payload = as_c(step.payload if step.payload is not None else Name("fired"), {})
        # each element writes places of its own only, so the loop stays element by element
        text.writes.add(Access(array_id, ELEMENT))
        text.lines.append(f"_ptr{array_id}[_turn * N + _idx] = fired ? {payload} : (T)0;")

    # ------------------------------------------------------------ projections
    def add_projection(self, projection: Projection) -> None:
        late = late_exponent(projection, self.network.arithmetic)
        weights = effective(projection, self.network.arithmetic)
        delays = np.broadcast_to(projection.delays, projection.pre.shape)
        for part, chosen in _parts(projection, late):
            if not chosen.any() and projection.learning is None:
                continue
            target = self.sums_of_parts.get(part) or self.sum_of(projection.target, projection.port)
            self._pathway(
                projection, part, target, projection.pre[chosen], projection.post[chosen],
                weights[chosen], delays[chosen],
            )  # fmt: skip

    def _pathway(
        self,
        projection: Projection,
        name: str,
        target: str,
        pre: Integers,
        post: Integers,
        weights: Integers,
        delays: Integers,
    ) -> None:
        plastic = projection.learning is not None
        # rows that the engine finds in order; draws of learning go by the synapse's own number
        order = np.arange(pre.size) if plastic else np.lexsort((post, delays, pre))
        pre, post, weights, delays = pre[order], post[order], weights[order], delays[order]
        text = _Text()
        targets = self.targets_array(name, post.astype(np.int32))
        text.reads |= {Access(targets, ELEMENT), Access(target, _POST)}
        text.writes.add(Access(target, _POST))
        text.lines.append(f"const int32_t {_POST} = _ptr{targets}[_idx];")
        weight = self._weight(text, name, weights, plastic)
        if projection.message_bits and projection.source in self.sent:
            weight = self._weighted_message(text, projection, name, pre, delays, weight)
        text.lines.append(f"_ptr{target}[{_POST}] = (T)((U)_ptr{target}[{_POST}] + (U)({weight}));")
        same = delays.size == 0 or bool(np.all(delays == delays[0]))
        operation = program.Pathway(
            **self.common(projection.name),
            statements=program.Statements(
                vector="\n".join(text.lines),
                scalar="\n".join(text.scalar),
                scalar_reads=frozenset(text.scalar_reads),
                reads=frozenset(text.reads),
                writes=frozenset(text.writes),
                support=support(frozenset(), self.word),
                constants=tuple(text.constants),
            ),
            events=self.events[projection.source],
            first=0,
            last=self.network.origin(projection.source).size,
            delays=self.array(
                f"{name}_delays", (delays[:1] if same else delays).astype(np.float64)
            ),
            sources=self.array(f"{name}_pre", pre.astype(np.int32)),
            targets=targets,
            dt=self.unit,
        )
        self.deliveries.append((operation, tuple(text.values)))

    def learning(
        self, k: int, projection: Projection
    ) -> Sequence[tuple[program.Operation, Values]]:
        """What changes the weights of a projection, once all deliveries are through."""
        delivery = next(
            operation
            for operation, _ in self.deliveries
            if isinstance(operation, program.Pathway) and operation.name == projection.name
        )
        assert isinstance(delivery, program.Pathway)
        projecting = Projecting(
            name=projection.name,
            rule=projection.learning,
            synapses=synapses_of(self.network, projection),
            weights=mantissas(self.network, projection),
            sign_mode=projection.signs.name,
            num_weight_bits=projection.num_weight_bits,
            exponent=projection.exponent,
            delivered=self.delivered[projection.name],
            delivered_ctype=f"int{self.word}_t",
            pre_events=self.events[projection.source],
            post_events=self.events[projection.target],
            timestep=self.around.timestep,
            key=stream_key(self.around.seed, k),
            clock=self.around.clock,
            origin=program.Origin(projection.name, self.around.origins.get(projection.name, "")),
            initial=self.around.traces.get(projection.name, {}),
        )
        made = learning_operations(
            self.network.arithmetic.learning_rounding,
            projecting,
            self.array,
            delivery,
            self.around.steps_before,
        )
        self.plastic[projection.name] = {**made.traces, **made.variables}
        return made.operations

    def _weight(self, text: _Text, name: str, weights: Integers, plastic: bool) -> str:
        if plastic:
            self.delivered[name] = self.array(f"{name}_weights", weights.astype(self.kind))
            text.reads.add(Access(self.delivered[name], ELEMENT))
            return f"_ptr{self.delivered[name]}[_idx]"
        if weights.size and np.all(weights == weights[0]):
            text.constants.append(program.Constant("weight", f"int{self.word}_t"))
            text.values.append(int(weights[0]))
            return "weight"
        small = bool(np.all(np.abs(weights) < 1 << 15))
        array_id = self.array(f"{name}_weights", weights.astype(np.int16 if small else self.kind))
        text.reads.add(Access(array_id, ELEMENT))
        return f"(T)_ptr{array_id}[_idx]"

    def _weighted_message(
        self,
        text: _Text,
        projection: Projection,
        name: str,
        pre: Integers,
        delays: Integers,
        weight: str,
    ) -> str:
        """Weight times the payload that was sent ``delay`` steps ago."""
        sources = self.array(f"{name}_from", pre.astype(np.int32))
        steps = self.array(f"{name}_ago", delays.astype(np.int32))
        sent = self.sent[projection.source]
        size = self.network.origin(projection.source).size
        text.constants += [program.Constant("depth", "int64_t"), program.Constant("M", "int64_t")]
        text.values += [self.messages[projection.source], size]
        text.scalar.append(f"const int64_t _now = _ptr{self.around.timestep}[0];")
        text.scalar_reads.add(Access(self.around.timestep, SCALAR))
        text.reads |= {
            Access(sources, ELEMENT), Access(steps, ELEMENT), Access(sent, "_sent_idx"),
        }  # fmt: skip
        text.lines.append(
            f"const int64_t _sent_idx = (_now - _ptr{steps}[_idx]) % depth * M"
            f" + _ptr{sources}[_idx];"
        )
        return f"(U)({weight}) * (U)_ptr{sent}[_sent_idx]"


@dataclass
class _Text:
    """Statements while they are made."""

    scalar: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    scalar_reads: set[Access] = field(default_factory=set)
    reads: set[Access] = field(default_factory=set)
    writes: set[Access] = field(default_factory=set)
    constants: list[program.Constant] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def own(self, array_id: str) -> None:
        """An array whose own element is read and written."""
        self.reads.add(Access(array_id, ELEMENT))
        self.writes.add(Access(array_id, ELEMENT))


def _parts(projection: Projection, late: int) -> list[tuple[str, Any]]:
    """Name and synapses of each part that is summed by itself."""
    everything = np.ones(projection.pre.shape, bool)
    if not late:
        return [(projection.name, everything)]
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    return [(f"{projection.name}_{delay}", delays == delay) for delay in np.unique(delays)]


def _message_depths(network: ChipNetwork) -> dict[str, int]:
    """Of the populations that send payloads: steps that these have to be kept.

    Sources send 1, so their weights need no factor.
    """
    populations = {population.name for population in network.populations}
    depths: dict[str, int] = {}
    for projection in network.projections:
        if projection.message_bits and projection.source in populations:
            depth = int(projection.delays.max(initial=0)) + 1
            depths[projection.source] = max(depth, depths.get(projection.source, 1))
    return depths


def ahead(step: Step, state: str) -> tuple[tuple[str, Expression], ...]:
    """The assignments of a step that lead to the new value of ``state``, and no others."""
    needed, kept = {state}, []
    for name, expression in reversed(step.assignments):
        if name in needed:
            kept.append((name, expression))
            needed = (needed - {name}) | names_in(expression)
    return tuple(reversed(kept))


def _expressions(step: Step) -> Sequence[Expression]:
    pairs = (*step.assignments, *step.after, *step.counters)
    more = () if step.payload is None else (step.payload,)
    return (*(expression for _, expression in pairs), step.fired, *more)


def _names_of(step: Step) -> frozenset[str]:
    assigned = {name for name, _ in (*step.assignments, *step.after)}
    return frozenset(assigned).union(*map(names_in, _expressions(step)))


def _rows_of(step: Step) -> frozenset[str]:
    return frozenset().union(*map(rows_of, _expressions(step)))


def _sum(parts: Sequence[str]) -> str:
    if not parts:
        return as_c(number(0), {})
    return "(T)(" + " + ".join(f"(U){part}" for part in parts) + ")"
