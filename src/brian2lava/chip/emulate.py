"""The emulator: a chip network in compiled code, bit for bit what the plain definition computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from brian2lava.chip.lower import Surroundings, lower
from brian2lava.chip.network import ChipNetwork, Integers
from brian2lava.chip.plain import PlainChip, Record, Recorded, recorded_neurons
from brian2lava.chip.plain_steps import word_of
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import Source, render
from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler
from brian2lava.engine.host import Host, choose_host
from brian2lava.engine.memory import GrowingArray, arena
from brian2lava.errors import ChipOverflow, CompileError, OptionError
from brian2lava.program import step_program as program
from brian2lava.program.check import check
from brian2lava.program.step_program import ELEMENT, SCALAR, Access

#: As Brian2's own, but for what only floating point needs.
_FLAGS = ("-O3", "-march=native", "-ffast-math", "-fno-finite-math-only")
#: The engine comes back at least this often (seconds), so that Ctrl-C is not late.
_SLICE = 0.2
_TIMESTEP, _TIME, _STEP = "_array_chip_timestep", "_array_chip_time", "_array_chip_dt"
#: What is recorded of a spike: who, and in which step.
_SPIKE = (
    f"const int32_t _to_record_i = (int32_t)_idx;\nconst int64_t _to_record_n = _ptr{_TIMESTEP}[0];"
)

Overflow = Literal["chip", "raise"]


class Emulation:
    """A chip network that is loaded and can be run again and again.

    Parameters
    ----------
    network : ChipNetwork
    record : sequence of (population, state) or (population, state, indices)
        States that are recorded after every step, of all neurons or of these.
    overflow : "chip" or "raise"
        A current beyond 24 bits wraps and a voltage saturates, as on the chip, and both are
        counted; or :class:`ChipOverflow` is raised.
    host : "inline" or "lava"
        Where the compiled loop runs.
    threads : int
    seed : int
        Of the counted random numbers of stochastic models, Poisson sources, and learning.
    steps_before : int
        Steps of learning that were made before this emulation's first.
    traces : dict of projection to dict of trace to array, optional
        What learning begins with; 0 without it.

    Raises
    ------
    CompileError
        There is no C++ compiler; :class:`~brian2lava.chip.plain.PlainChip` runs without one.
    """

    def __init__(
        self,
        network: ChipNetwork,
        record: Sequence[Record] = (),
        overflow: Overflow = "chip",
        host: Literal["inline", "lava"] = "inline",
        threads: int = 1,
        seed: int = 0,
        steps_before: int = 0,
        traces: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        if overflow not in ("chip", "raise"):
            raise OptionError(f"overflow={overflow!r}: the values are 'chip', 'raise'.")
        self.network = network
        self.overflow = overflow
        self.now = 0
        self._recorded = {(item[0], item[1]): recorded_neurons(network, item) for item in record}
        around = Surroundings(
            timestep=_TIMESTEP, seed=seed, steps_before=steps_before, traces=traces or {}
        )
        self._lowered = lower(network, around)
        self._graded = [source.name for source in network.sources if source.graded]
        self._storage: dict[str, Any] = dict(self._lowered.storage)
        self._extra: dict[str, program.Array] = {}
        self._events: dict[str, tuple[str, str]] = {}
        self._payloads: dict[str, str] = {}
        self._traces: dict[tuple[str, str], str] = {}
        self._program, constants = self._assemble()
        check(self._program)
        self._source = render(self._program)
        self._host: Host = choose_host(host)[0]
        self._instance = cpu.Instance(
            self._source,
            _library(self._source),
            self._storage,
            constants,
            clocks=1,
            operations=len(self._program.operations),
            threads=threads,
            host=self._host,
        )
        self._instance.set_seed(seed)

    # ------------------------------------------------------------ the program
    def _array(self, array_id: str, values: Any, scalar: bool = True) -> str:
        values = np.asarray(values)
        block = arena().allocate(max(8, values.nbytes))
        place = block.array(values.dtype, max(1, values.size))
        place[: values.size] = values.ravel()
        ctype = {"float64": "double", "int64": "int64_t", "int32": "int32_t"}[values.dtype.name]
        self._extra[array_id] = program.Array(array_id, ctype, scalar)
        self._storage[array_id] = place
        return array_id

    def _growing(self, array_id: str, shape: int | tuple[int, ...], kind: Any) -> str:
        ctype = {"int64": "int64_t", "int32": "int32_t"}[np.dtype(kind).name]
        self._extra[array_id] = program.Array(array_id, ctype, dynamic=True)
        self._storage[array_id] = GrowingArray(shape, kind)
        return array_id

    def _assemble(self) -> tuple[program.StepProgram, list[tuple[float, ...]]]:
        self._array(_TIMESTEP, np.zeros(1, np.int64))
        self._array(_TIME, np.zeros(1))
        self._array(_STEP, np.ones(1))
        lowered = self._lowered
        pairs = [*lowered.updates, *lowered.deliveries]
        operations = [operation for operation, _ in pairs]
        constants = [values for _, values in pairs]
        for name in lowered.events:
            operations.append(self._event_recorder(name))
            constants.append(())
        for pair, neurons in self._recorded.items():
            self._check_state(*pair)
            if neurons.size:
                operations.append(self._state_recorder(pair, neurons))
                constants.append(())
        made = program.StepProgram(
            clocks=(program.Clock("chip", _TIMESTEP, _TIME, dt=_STEP),),
            arrays=(*lowered.arrays, *self._extra.values()),
            operations=tuple(operations),
        )
        return made, constants

    def _event_recorder(self, name: str) -> program.EventRecorder:
        size = self.network.origin(name).size
        which = self._growing(f"_array_chip_spikes_i_{len(self._events)}", 0, np.int32)
        when = self._growing(f"_array_chip_spikes_n_{len(self._events)}", 0, np.int64)
        rows = self._array(f"_array_chip_spikes_rows_{len(self._events)}", np.zeros(1, np.int32))
        counts = self._array(
            f"_array_chip_spikes_counts_{len(self._events)}", np.zeros(size, np.int32), False
        )
        self._events[name] = (which, when)
        recorded, vector = [("i", which), ("n", when)], _SPIKE
        reads = {Access(_TIMESTEP, SCALAR)}
        if name in self._graded:
            self._payloads[name] = self._growing(
                f"_array_chip_spikes_k_{len(self._events)}", 0, np.int64
            )
            recorded.append(("k", self._payloads[name]))
            sent, depth = self._lowered.payloads[name]
            reads.add(Access(sent, "_sent_idx"))
            vector += (
                f"\nconst int64_t _sent_idx = _to_record_n % {depth} * {size} + _idx;"
                f"\nconst int64_t _to_record_k = _ptr{sent}[_sent_idx];"
            )
        return program.EventRecorder(
            name=f"{name}_spikes",
            origin=program.Origin(name),
            clock=0,
            statements=program.Statements(
                vector=vector,
                reads=frozenset(reads),
            ),
            events=self._lowered.events[name],
            first=0,
            last=size,
            recorded=tuple(recorded),
            rows=rows,
            counts=counts,
        )

    def _check_state(self, population: str, state: str) -> None:
        if (population, state) not in self._lowered.states:
            known = sorted(name for owner, name in self._lowered.states if owner == population)
            raise OptionError(
                f"record={(population, state)!r}: {population!r} keeps no state {state!r}; it keeps"
                f" {', '.join(known)}."
            )

    def _state_recorder(self, pair: tuple[str, str], neurons: Integers) -> program.StateRecorder:
        population, state = pair
        states = self._lowered.states[pair]
        kind = word_of(self.network.arithmetic)
        number = len(self._traces)
        trace = self._growing(f"_array_chip_trace_{number}", (0, neurons.size), kind)
        self._traces[pair] = trace
        return program.StateRecorder(
            name=f"{population}_{state}",
            origin=program.Origin(population),
            clock=0,
            statements=program.Statements(
                vector=f"const auto _to_record_x = _ptr{states}[_idx];",
                reads=frozenset({Access(states, ELEMENT)}),
            ),
            indices=self._array(f"_array_chip_trace_who_{number}", neurons, False),
            time=_TIMESTEP,
            times=self._growing(f"_array_chip_trace_n_{number}", 0, np.int64),
            recorded=(("x", trace),),
            rows=self._array(f"_array_chip_trace_rows_{number}", np.zeros(1, np.int32)),
        )

    # ------------------------------------------------------------ running
    def run(self, steps: int) -> Recorded:
        """:meth:`advance` by ``steps``; returns all that was recorded since the beginning."""
        self.advance(steps)
        return self.recorded()

    def advance(self, steps: int) -> None:
        """Run ``steps`` steps more; what is recorded stays where it is until it is asked for.

        Raises
        ------
        ChipOverflow
            With ``overflow="raise"``: names the population, the neuron and the counter.
        """
        if steps < 0:
            raise OptionError(f"run({steps}): the number of steps must not be negative.")
        instance = self._instance
        instance.i_end[0] = self.now + steps
        self._host.begin(max(1, steps))
        try:
            instance.begin()
            while True:
                reason = instance.advance(1 << 62, _SLICE)
                if self.overflow == "raise":
                    self._raise_overflow()
                if reason == cpu.DONE:
                    break
                if reason == cpu.FULL:
                    self._make_room(self.now + steps)
        finally:
            if self._host.alive:
                self._host.end()
        self.now += steps

    def _make_room(self, end: int) -> None:
        operation = self._program.operations[self._instance["call"]]
        left = end - int(self._storage[_TIMESTEP][0])
        if isinstance(operation, program.StateRecorder):
            self._instance.make_room([operation.times, *(a for _, a in operation.recorded)], left)
        elif isinstance(operation, program.EventRecorder):
            arrays = [array for _, array in operation.recorded]
            self._instance.make_room(arrays, max(1 << 16, operation.last - operation.first))

    def _raise_overflow(self) -> None:
        for (population, counter), array_id in self._lowered.counters.items():
            counts = self._storage[array_id]
            if counts.any():
                neuron = int(np.argmax(counts > 0))
                raise ChipOverflow(
                    f"population {population!r}: neuron {neuron} {counter} {counts[neuron]} times"
                    f" by step {int(self._storage[_TIMESTEP][0])}. Choose a smaller scale, or"
                    " overflow='chip' to compute what the chip does."
                )

    def recorded(self) -> Recorded:
        """All that was recorded since the beginning."""
        return Recorded(
            spikes={
                name: (
                    self._storage[when].data.copy(),
                    self._storage[which].data.astype(np.int64),
                )
                for name, (which, when) in self._events.items()
            },
            states={
                pair: self._storage[self._traces[pair]].data.copy()
                if pair in self._traces
                else np.zeros((self.now, 0), word_of(self.network.arithmetic))
                for pair in self._recorded
            },
            counts={
                pair: int(self._storage[array_id].sum(dtype=np.int64))
                for pair, array_id in self._lowered.counters.items()
            },
            payloads={
                name: self._storage[carried].data.copy() for name, carried in self._payloads.items()
            },
        )

    def state(self, population: str, state: str) -> Integers:
        """The present values of a state; writing into the array sets them."""
        size = self.network.population(population).size
        values: Integers = self._storage[self._lowered.states[population, state]][:size]
        return values

    def plastic_names(self, projection: str) -> tuple[str, ...]:
        """What :meth:`plastic` gives for a projection."""
        return tuple(self._lowered.plastic.get(projection, ()))

    def plastic(self, projection: str, name: str) -> Integers:
        """A copy of "w" (mantissas) or a trace of a projection that learns."""
        known = self._lowered.plastic.get(projection)
        if known is None or name not in known:
            raise OptionError(
                f"plastic({projection!r}, {name!r}): "
                + (f"there are {', '.join(known)}." if known else "that projection does not learn.")
            )
        return np.array(self._storage[known[name]], np.int64)

    def close(self) -> None:
        """Free what the engine holds. Can be repeated."""
        if self._host.alive:
            self._instance.unload()

    def __enter__(self) -> Emulation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _library(source: Source) -> Any:
    compiler = find_compiler()
    if compiler is None:
        raise CompileError(
            "the chip's emulator needs a C++ compiler, and none was found; install g++ (Debian:"
            " apt install g++). brian2lava.chip.plain.PlainChip runs without one, slowly."
        )
    return build(source.text, Toolchain(compiler, _FLAGS)).path


def emulate(
    network: ChipNetwork,
    steps: int,
    record: Sequence[Record] = (),
    seed: int = 0,
    **options: Any,
) -> Recorded:
    """Run a chip network for ``steps`` steps: compiled, or plain where there is no compiler.

    ``options`` are those of :class:`Emulation`.
    """
    if find_compiler() is None:
        return PlainChip(network, np.random.default_rng(seed), seed).run(steps, record)
    with Emulation(network, record, seed=seed, **options) as emulation:
        return emulation.run(steps)
