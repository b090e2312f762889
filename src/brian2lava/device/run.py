"""One ``run()`` of a Brian2 network: prepare, capture, compile, loop, finish."""

from __future__ import annotations

import functools
import gc
import logging
import platform
import sys
import time
import weakref
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.network import Network, TextReport
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.groups.group import Group
from brian2.synapses.synapses import SynapticPathway
from brian2.units import second

from brian2lava.capture.code_object import LoopCodeObject
from brian2lava.capture.integrators import remembered_integrators
from brian2lava.capture.network import Captured, capture
from brian2lava.device.clocks import Ticking, due
from brian2lava.device.compiler import compile_program, current_compiler, toolchain
from brian2lava.device.versions import reports_unused_objects
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import Source, render
from brian2lava.engine.cpu.toolchain import start_runtime
from brian2lava.engine.host import Host, choose_host
from brian2lava.engine.memory import arena
from brian2lava.errors import EngineDied, ForeignArray
from brian2lava.program import step_program as program
from brian2lava.program.check import check
from brian2lava.report import Report

logger = logging.getLogger(__name__)

#: The engine comes back at least this often (seconds), so that Ctrl-C and reports are not late.
SLICE_SECONDS = 0.2


# ---------------------------------------------------------------- what outlives a run
class RandomStreams:
    """The seed of the engine's random numbers, and how often each operation drew since then."""

    def __init__(self) -> None:
        import secrets

        self.given: int | None = None
        self.key = secrets.randbits(64)
        self.counts: list[int] = []
        self.setups = 0

    def seed(self, seed: int, given: bool = True) -> None:
        """Start anew."""
        self.given = seed if given else None
        self.key = seed
        self.counts = []
        self.setups = 0

    def next_setup(self) -> tuple[int, int]:
        """Key and number of the next execution of compiled set-up code."""
        self.setups += 1
        return self.key, self.setups

    def state(self) -> dict[str, Any]:
        """All of it, as plain values."""
        return {
            "given": self.given,
            "key": self.key,
            "counts": list(self.counts),
            "setups": self.setups,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        self.given, self.key = state["given"], state["key"]
        self.counts = list(state["counts"])
        self.setups = state["setups"]

    def lend(self, instance: cpu.Instance) -> None:
        """Let an engine go on where the last one stopped."""
        instance.set_seed(self.key)
        count = len(instance.source.random)
        self.counts += [0] * (count - len(self.counts))
        instance.executions[:count] = self.counts[:count]

    def take_back(self, instance: cpu.Instance) -> None:
        """Note how far the engine went."""
        count = len(instance.source.random)
        self.counts[:count] = instance.executions[:count].tolist()


@dataclass
class Loaded:
    """A network's program in the engine."""

    source: Source
    instance: cpu.Instance
    host: Host
    queues: list[Any] = field(default_factory=list)
    finalizer: Any = None

    def leave(self) -> None:
        """Take the spikes in flight back and free the engine."""
        if self.finalizer is not None:
            self.finalizer.detach()
        if self.host.alive:
            for reference in self.queues:
                queue = reference()
                if queue is not None:
                    queue.keep()
            self.instance.unload()
        else:
            self.lost()

    def lost(self) -> None:
        """The engine's process is gone."""
        for reference in self.queues:
            queue = reference()
            if queue is not None:
                queue.lose()


class Runs:
    """The programs that are loaded, by network."""

    def __init__(self) -> None:
        self._loaded: weakref.WeakKeyDictionary[Network, Loaded] = weakref.WeakKeyDictionary()
        self._left: list[Loaded] = []
        self._objects: weakref.WeakKeyDictionary[Network, frozenset[str]] = (
            weakref.WeakKeyDictionary()
        )

    def forget(self) -> None:
        """Unload everything."""
        for loaded in [*self._loaded.values(), *self._left]:
            loaded.leave()
        self._loaded.clear()
        self._left.clear()
        self._objects.clear()

    def collect_garbage(self, net: Network, objects: Sequence[BrianObject]) -> None:
        """Brian2 warns of forgotten objects when they are collected; look where any may be new."""
        names = frozenset(obj.id for obj in objects)
        if reports_unused_objects() and self._objects.get(net) != names:
            gc.collect()
            self._objects[net] = names

    def load(
        self,
        net: Network,
        source: Source,
        captured: Captured,
        library: Any,
        storage: dict[str, Any],
        threads: int,
        host: Host,
    ) -> Loaded:
        """The network's program in ``host``: the one that is there if it is the same."""
        for left in self._left:
            left.leave()
        self._left.clear()
        old = self._loaded.pop(net, None)
        if old is not None and not (
            old.host is host
            and host.alive
            and old.source == source
            and old.instance["threads"] == threads
            and [reference() for reference in old.queues] == list(captured.queues.values())
        ):
            old.leave()
            old = None
        if old is None:
            instance = cpu.Instance(
                source,
                library,
                storage,
                captured.constants,
                clocks=len(captured.program.clocks),
                operations=len(captured.program.operations),
                threads=threads,
                host=host,
            )
            old = Loaded(source, instance, host)
            old.queues = [weakref.ref(queue) for queue in captured.queues.values()]
            old.finalizer = weakref.finalize(net, self._left.append, old)
            old.finalizer.atexit = False
        else:
            old.instance.set_constants(captured.constants)
            old.instance.replace_storage(storage)
        self._loaded[net] = old
        for which, queue in enumerate(captured.queues.values()):
            if queue.restored:
                pending = queue.take()
                old.instance.set_pending(which, pending or _nothing_pending())
            queue.lend(_fetcher(weakref.ref(old), which))
        return old

    def lose(self, net: Network) -> None:
        """The engine's process died."""
        loaded = self._loaded.pop(net, None)
        if loaded is not None:
            loaded.lost()


def _nothing_pending() -> cpu.Pending:
    return cpu.Pending(np.empty(0, np.int64), np.empty(0, np.int32))


def _fetcher(reference: weakref.ref[Loaded], which: int) -> Any:
    def fetch() -> cpu.Pending:
        loaded = reference()
        if loaded is None or not loaded.host.alive:
            return _nothing_pending()
        return loaded.instance.pending(which)

    return fetch


class Stopwatch:
    """Wall time by phase."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, phase: str) -> float:
        """The time since the last lap goes to ``phase``."""
        now = time.perf_counter()
        spent = now - self._since
        self.phases[phase] = self.phases.get(phase, 0.0) + spent
        self._since = now
        return spent


# ---------------------------------------------------------------- the run
def run_network(
    device: Any,
    net: Network,
    duration: Any,
    report: Any,
    report_period: Any,
    namespace: Any,
    profile: bool,
) -> None:
    """Run ``net``, as ``Network.run`` does."""
    if duration < 0:
        raise ValueError(f"Function 'run' expected a non-negative duration but got '{duration}'")
    watch = Stopwatch()
    if device.engine == "cpu":
        start_runtime(toolchain())  # compiles beside Brian2's code generation
    objects = net.sorted_objects
    device.runs.collect_garbage(net, objects)
    t_start, t_end = net.t, net.t + duration
    net._clocks = {obj.clock for obj in objects}
    clocks = sorted(net._clocks, key=lambda clock: clock.name)
    for clock in clocks:
        clock.set_interval(t_start, t_end)
    refuse_foreign(device, objects)
    with remembered_integrators():
        net.before_run(namespace)
    if not objects:
        return
    reporter = Reporter(report, report_period, net, t_start, duration)
    reporter.first()
    if device.engine == "numpy":
        finished = _python_loop(device, net, objects, clocks, reporter, profile, watch)
    else:
        finished = _engine_loop(device, net, objects, clocks, reporter, profile, watch)
    _finish(device, net, objects, clocks, finished, t_start, t_end, duration)
    reporter.last(device)
    net.after_run()
    watch.lap("read")
    device._last_report = _report(device, net, duration, finished, watch)


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


def _engine_loop(
    device: Any,
    net: Network,
    objects: Sequence[BrianObject],
    clocks: Sequence[Any],
    reporter: Reporter,
    profile: bool,
    watch: Stopwatch,
) -> Finished:
    active = [obj for obj in objects if obj.active]
    captured = capture(active, clocks)
    _prepare_python_calls(captured)
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
    source = render(captured.program, fuse=device.options.fuse and not profile)
    built = compile_program(source, captured.program, captured.compiler_kwds)
    finished.compiler, finished.cached = current_compiler(), not built.compiled
    watch.lap("compile")
    host, reason = choose_host(device.options.host)
    finished.host = host.name
    if reason:
        finished.notes.append(reason)
    storage = _storage(device, captured)
    loaded = device.runs.load(
        net, source, captured, built.path, storage, device.options.threads, host
    )
    watch.lap("start")
    instance = loaded.instance
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
        _update_sizes(captured)
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
                _make_room(instance, captured)
                continue
            net.t_ = float(times[instance["clock"]][0])
            if reason == cpu.PYTHON:
                captured.calls[instance["call"]].run()
                instance.bind()
            else:
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


def _prepare_python_calls(captured: Captured) -> None:
    """What Brian2's templates prepare before a run, for objects that run in Python."""
    for obj in captured.calls:
        for reference in obj.code_objects:
            code = reference.__repr__.__self__
            if isinstance(code, LoopCodeObject):
                if isinstance(obj, SynapticPathway):
                    obj.queue.run_in_python()
                code.prepare_twin()


def _make_room(instance: cpu.Instance, captured: Captured) -> None:
    operation = captured.program.operations[instance["call"]]
    clock = captured.program.clocks[operation.clock]
    steps = int(instance.i_end[operation.clock] - captured.variables[clock.timestep].get_value()[0])
    if isinstance(operation, program.StateRecorder):
        instance.make_room([operation.times, *(a for _, a in operation.recorded)], steps)
    elif isinstance(operation, program.RateRecorder):
        instance.make_room([operation.times, operation.rates], steps)
    elif isinstance(operation, program.EventRecorder):
        arrays = [array for _, array in operation.recorded]
        instance.make_room(arrays, max(1 << 16, operation.last - operation.first))


def _storage(device: Any, captured: Captured) -> dict[str, Any]:
    """Where the arrays are; what functions bring along is copied into the arena."""
    storage = {name: device.arrays[variable] for name, variable in captured.variables.items()}
    for name, values in captured.tables.items():
        values = np.ascontiguousarray(values)
        block = arena().allocate(max(1, values.nbytes))
        copy = block.array(values.dtype, values.size)
        copy[:] = values.ravel()
        storage[name] = copy
    return storage


def _update_sizes(captured: Captured) -> None:
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


def _python_loop(
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


def _finish(
    device: Any,
    net: Network,
    objects: Sequence[BrianObject],
    clocks: Sequence[Any],
    finished: Finished,
    t_start: Any,
    t_end: Any,
    duration: Any,
) -> None:
    if net._stopped or Network._globally_stopped:
        net.t_ = float(finished.leader.variables["t"].get_value()[0])
    else:
        net.t_ = float(t_end)
    device._last_run_time = finished.seconds
    device._last_run_completed_fraction = (
        float((net.t - t_start) / duration) if duration > 0 else 1.0
    )
    for obj in objects:
        if isinstance(obj, Group):
            obj._check_for_invalid_states()
    net._profiling_info = finished.profile


# ---------------------------------------------------------------- reports
class Reporter:
    """The progress report of a run (``report=`` and ``report_period=``)."""

    def __init__(self, report: Any, period: Any, net: Network, t_start: Any, duration: Any) -> None:
        self._callback = _callback(report)
        self._period = float(period)
        self._t_start = t_start
        self._duration = duration
        self._began = time.time()
        self._next = self._began + self._period

    def first(self) -> None:
        """The report at the beginning."""
        if self._callback is not None:
            self._callback(0 * second, 0.0, self._t_start, self._duration)

    def seconds_left(self) -> float:
        """Until the next report is due."""
        if self._callback is None:
            return float("inf")
        return max(0.0, self._next - time.time())

    def maybe(self, t: float) -> None:
        """The report, if it is due."""
        if self._callback is None or time.time() <= self._next:
            return
        now = time.time()
        self._callback(
            (now - self._began) * second,
            (t - float(self._t_start)) / float(self._duration),
            self._t_start,
            self._duration,
        )
        self._next = now + self._period

    def last(self, device: Any) -> None:
        """The report at the end."""
        if self._callback is not None:
            self._callback(
                (time.time() - self._began) * second,
                device._last_run_completed_fraction,
                self._t_start,
                self._duration,
            )


def _callback(report: Any) -> Any:
    if report is None:
        return None
    if report in ("text", "stdout"):
        return TextReport(sys.stdout)
    if report == "stderr":
        return TextReport(sys.stderr)
    if isinstance(report, str):
        raise ValueError(f'Do not know how to handle report argument "{report}".')
    if callable(report):
        return report
    raise TypeError(
        "Do not know how to handle report argument, it has to be one of 'text', 'stdout', "
        f"'stderr', or a callable function/object, but it is of type {type(report)}"
    )


def _report(
    device: Any, net: Network, duration: Any, finished: Finished, watch: Stopwatch
) -> Report:
    phases = {
        name: watch.phases.get(name, 0.0)
        for name in ("capture", "compile", "start", "tables", "loop", "read")
    }
    kind = np.dtype(prefs["core.default_float_dtype"]).name
    return Report(
        network=net.name,
        biological=float(duration),
        steps=finished.steps,
        host=finished.host,
        engine=device.engine,
        arithmetic=f"floating point ({kind})",
        threads=device.options.threads if device.engine == "cpu" else 1,
        phases=phases,
        compiler=finished.compiler,
        cached=finished.cached,
        versions=versions(),
        seed=device.random.given,
        notes=tuple(finished.notes),
    )


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what takes part."""
    found = {"python": platform.python_version()}
    for name in ("brian2lava", "brian2", "lava-nc", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


# ---------------------------------------------------------------- checks
def refuse_foreign(device: Any, objects: Sequence[BrianObject]) -> None:
    """Objects that were made for another device have their arrays elsewhere.

    Raises
    ------
    ForeignArray
        Names the objects.
    """
    foreign = [
        obj.name
        for obj in objects
        if any(
            isinstance(variable, ArrayVariable) and variable.device is not device
            for variable in getattr(obj, "variables", {}).values()
        )
    ]
    if foreign:
        raise ForeignArray(
            f"{', '.join(repr(name) for name in foreign)}: made before set_device('lava') was"
            " called, so the values are not where this device can reach them. Call"
            " set_device('lava') before the first Brian2 object is made (with"
            " set_device('runtime') the network runs as it is)."
        )
