"""The loop over time steps: the engine's, and the plain one in Python."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.network import Network
from brian2.core.variables import DynamicArrayVariable
from brian2.synapses.synapses import SynapticPathway
from brian2.units import second

from brian2lava.capture.code_object import LoopCodeObject
from brian2lava.capture.network import Captured, capture
from brian2lava.device.clocks import Ticking, due
from brian2lava.device.compiler import compile_program, current_compiler, naming_operation
from brian2lava.device.loaded import Loaded
from brian2lava.device.on_card import for_card
from brian2lava.device.parts import host_for, plan
from brian2lava.device.progress import Reporter, Stopwatch
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import Source, render
from brian2lava.engine.host import choose_host
from brian2lava.engine.memory import arena
from brian2lava.errors import EngineDied
from brian2lava.program import step_program as program
from brian2lava.program.check import check

#: The engine comes back at least this often (seconds), so that Ctrl-C and reports are not late.
SLICE_SECONDS = 0.2


class ChipRun(Protocol):
    """What replaces a network's operations by those of a chip, and looks after its integers."""

    def lowered(self, captured: Captured, objects: Sequence[BrianObject]) -> Captured:
        """The network with the chip's operations in place of those of neurons and synapses."""
        ...

    def begin(self, instance: cpu.Instance) -> None:
        """The program is loaded."""
        ...

    def end(self, instance: cpu.Instance) -> None:
        """The loop is over, or was left by an exception."""
        ...


@dataclass
class Finished:
    """What a loop leaves behind."""

    seconds: float
    leader: Any
    profile: list[tuple[str, Any]] | None
    host: str = "inline"
    steps: int = 0
    compiler: str = "none"
    cached: bool = False
    notes: list[str] = field(default_factory=list)


def engine_loop(
    device: Any,
    net: Network,
    objects: Sequence[BrianObject],
    clocks: Sequence[Any],
    reporter: Reporter,
    profile: bool,
    watch: Stopwatch,
    chip: ChipRun | None = None,
) -> Finished:
    active = [obj for obj in objects if obj.active]
    captured = capture(active, clocks)
    if chip is not None:
        captured = chip.lowered(captured, active)
    prepare_python_calls(captured)
    finished = Finished(0.0, clocks[0], None)
    if captured.calls:
        names = ", ".join(sorted({obj.name for obj in captured.calls}))
        finished.notes.append(f"called back to Python every step: {names}")
    watch.lap("capture")
    leader = _leader(clocks)
    finished.leader = leader
    if leader.variables["timestep"].get_value()[0] >= leader._i_end or net._stopped:
        finished.profile = [] if profile else None
        return finished
    device.last_program = check(captured.program)
    storage = place_arrays(device, captured)
    fuse = device.options.fuse and not profile
    in_parts = None
    if device.options.granularity == "object" and captured.program.operations:
        in_parts = device.last_parts = plan(captured, active, storage, fuse)
    make_instance: Callable[..., Any] = cpu.Instance
    source: Source
    if device.engine == "cuda":
        source, built, make_instance, notes = for_card(captured, device.options, fuse)
        finished.notes += notes
    else:
        source = render(captured.program, fuse) if in_parts is None else in_parts.source
        exact = device.options.deterministic
        built = compile_program(source, captured.program, captured.compiler_kwds, exact)
    finished.compiler, finished.cached = current_compiler(), not built.compiled
    watch.lap("compile")
    if in_parts is None:
        host, reason = choose_host(device.options.host)
        if reason:
            finished.notes.append(reason)
    else:
        host, make_instance = host_for(device, net, in_parts, captured), in_parts.make_instance()
        finished.notes.append(f"{len(in_parts.graph.ways)} Lava processes: brian2lava.draw()")
    finished.host = host.name
    with naming_operation(captured.program):  # the kernels of a card are compiled where they run
        loaded = device.runs.load(
            net, source, captured, built.path, storage, device.options.threads, host, make_instance
        )
    watch.lap("start")
    instance = loaded.instance
    if chip is not None:
        chip.begin(instance)
    instance["profile"] = int(profile)
    instance.seconds[:] = 0
    for k, clock in enumerate(clocks):
        instance.i_end[k] = clock._i_end
    device.random.lend(instance)
    done_before = instance["steps"]
    began = time.perf_counter()
    try:
        _advance(device, net, loaded, captured, clocks, reporter, began)
    except EngineDied:
        device.runs.lose(net)
        raise
    finally:
        Network._globally_running = False
        if host.alive:
            device.random.take_back(instance)
        update_sizes(captured)
        if chip is not None:
            chip.end(instance)
        _clear_events(captured, storage)
    finished.seconds = time.perf_counter() - began
    tables = float(instance.report[0])
    watch.lap("loop")
    watch.phases["loop"] -= tables
    watch.phases["tables"] = tables
    finished.steps = instance["steps"] - done_before
    finished.leader = clocks[instance["clock"]]
    if profile:
        finished.profile = _profile(captured, instance)
    return finished


def _advance(
    device: Any,
    net: Network,
    loaded: Loaded,
    captured: Captured,
    clocks: Sequence[Any],
    reporter: Reporter,
    began: float,
) -> None:
    """The loop: the engine advances, and comes back for what has to be done here."""
    instance, host = loaded.instance, loaded.host
    times = [clock.variables["t"].get_value() for clock in clocks]
    most = device._maximum_run_time
    interrupted: KeyboardInterrupt | None = None
    Network._globally_running = True
    host.begin(_steps(clocks))
    try:
        instance.begin()
        while True:
            budget = min(SLICE_SECONDS, reporter.seconds_left())
            if most is not None:
                budget = min(budget, max(0.0, float(most) - (time.perf_counter() - began)))
            try:
                reason = instance.advance(1 << 62, budget)
            except KeyboardInterrupt as interrupt:
                # the slice is through; finish the step, so that the network can go on from here
                interrupted = interrupt
                reason = int(cast(int, host.last_result))
                instance["stop"] = 1
            if reason in (cpu.DONE, cpu.STOP):
                break
            if reason == cpu.FULL:
                make_room(instance, captured)
                continue
            net.t_ = float(times[instance["clock"]][0])
            if reason == cpu.PYTHON:
                captured.calls[instance["call"]].run()
                instance.bind()
            else:
                if reporter.due():
                    instance.bring_back()
                    reporter.maybe(net.t_)
                if most is not None and time.perf_counter() - began > float(most):
                    net._stopped = True
            if net._stopped or Network._globally_stopped:
                instance["stop"] = 1
    finally:
        if host.alive:
            host.end()
    if interrupted is not None:
        net.t_ = float(times[instance["clock"]][0])
        raise interrupted


def _steps(clocks: Sequence[Any]) -> int:
    return max(
        1, max(int(clock._i_end - clock.variables["timestep"].get_value()[0]) for clock in clocks)
    )


def _leader(clocks: Sequence[Any]) -> Any:
    return min(clocks, key=lambda clock: clock.variables["t"].get_value()[0])


def prepare_python_calls(captured: Captured) -> None:
    """What Brian2's templates prepare before a run, for objects that run in Python."""
    for obj in captured.calls:
        for reference in obj.code_objects:
            code = reference.__repr__.__self__
            if isinstance(code, LoopCodeObject):
                if isinstance(obj, SynapticPathway):
                    obj.queue.run_in_python()
                code.prepare_twin()


def make_room(instance: cpu.Instance, captured: Captured, steps: int | None = None) -> None:
    """Room for what a monitor records in ``steps`` steps; without it in those of this run."""
    operation = captured.program.operations[instance["call"]]
    if steps is None:
        clock = captured.program.clocks[operation.clock]
        now = captured.variables[clock.timestep].get_value()[0]
        steps = int(instance.i_end[operation.clock] - now)
    if isinstance(operation, program.StateRecorder):
        instance.make_room([operation.times, *(a for _, a in operation.recorded)], steps)
    elif isinstance(operation, program.RateRecorder):
        instance.make_room([operation.times, operation.rates], steps)
    elif isinstance(operation, program.EventRecorder):
        arrays = [array for _, array in operation.recorded]
        instance.make_room(arrays, max(1 << 16, operation.last - operation.first))


def place_arrays(device: Any, captured: Captured) -> dict[str, Any]:
    """Where the arrays are; what functions bring along is copied into the arena."""
    storage = {name: device.arrays[variable] for name, variable in captured.variables.items()}
    storage.update(captured.placed)
    for name, values in captured.tables.items():
        values = np.ascontiguousarray(values)
        block = arena().allocate(max(1, values.nbytes))
        copy = block.array(values.dtype, values.size)
        copy[:] = values.ravel()
        storage[name] = copy
    return storage


def update_sizes(captured: Captured) -> None:
    """Dynamic arrays have grown without Brian2's knowing."""
    for variable in captured.variables.values():
        if isinstance(variable, DynamicArrayVariable):
            shape = variable.device.arrays[variable].shape
            variable.size = shape if len(shape) > 1 else shape[0]


def _clear_events(captured: Captured, storage: dict[str, Any]) -> None:
    """After a run no event is left over for the next one."""
    for operation in captured.program.operations:
        if isinstance(operation, program.Threshold):
            storage[operation.events][-1] = 0


def _profile(captured: Captured, instance: cpu.Instance) -> list[tuple[str, Any]]:
    seconds: dict[str, float] = defaultdict(float)
    for owner, spent in zip(captured.owners, instance.seconds, strict=False):
        seconds[owner] += float(spent)
    return [(name, spent * second) for name, spent in seconds.items()]


def python_loop(
    device: Any,
    net: Network,
    objects: Sequence[BrianObject],
    clocks: Sequence[Any],
    reporter: Reporter,
    profile: bool,
    watch: Stopwatch,
) -> Finished:
    """Brian2's own loop over NumPy code: the plain definition of a step."""
    watch.lap("capture")
    began = time.perf_counter()
    seconds: dict[str, float] = defaultdict(float)
    active = [obj for obj in objects if obj.active]
    ticking = [Ticking.of(clock) for clock in clocks]
    finished = Finished(0.0, clocks[0], None, notes=list(device.engine_notes))
    Network._globally_running = True
    try:
        while True:
            leader, together = due(ticking)
            finished.leader = leader.clock
            if leader.ended or net._stopped or Network._globally_stopped:
                break
            net.t_ = float(leader.t[0])
            now = {id(each.clock) for each in together}
            reporter.maybe(net.t_)
            for obj in active:
                if id(obj.clock) in now:
                    started = time.perf_counter()
                    obj.run()
                    seconds[obj.name] += time.perf_counter() - started
            for each in together:
                each.advance()
            finished.steps += 1
            most = device._maximum_run_time
            if most is not None and time.perf_counter() - began > float(most):
                net._stopped = True
    finally:
        Network._globally_running = False
    finished.seconds = time.perf_counter() - began
    if profile:
        finished.profile = [(name, spent * second) for name, spent in seconds.items()]
    watch.lap("loop")
    return finished
