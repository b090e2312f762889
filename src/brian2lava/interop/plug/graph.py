"""A graph of Lava processes with Brian2 groups in it, and a step of it.

::

    before_groups                 thresholds (after them)
    ─────────────                 ───────────────────────
    begin a step                  groups send spikes and values of this step
    run what needs no spikes      the other processes run
    ports with latency=0 add      ports with latency=1 add; spikes enter generators
                                  Monitors record
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.core.network import Network
from lava.magma.compiler.compiler_graphs import find_processes
from lava.magma.core.process.ports.ports import InPort

from brian2lava.device.clocks import Ticking, due
from brian2lava.errors import EngineError, NotSupported, OptionError
from brian2lava.interop.compiled.channels import Halted
from brian2lava.interop.plug.brian_group import BrianGroup, with_model
from brian2lava.interop.plug.brian_model import BrianModel
from brian2lava.interop.plug.plug import Plug
from brian2lava.interop.plug.schedule import exchange_order
from brian2lava.interop.plug.steps import PluggedRuntime


@dataclass(frozen=True)
class _Joint:
    """A connected port of a group: the Brian2 side, Lava's, and the clock of the group."""

    terminal: Any
    port: Any
    clock: Any


class LavaGraph:
    """Lava processes that are connected with each other and with Brian2 groups.

    Parameters
    ----------
    plugs : sequence of Plug
        The groups in it.

    Raises
    ------
    OptionError
        Connections are missing, or the groups' processes were given different ``run_cfg``.
    """

    def __init__(self, plugs: Sequence[Plug]) -> None:
        self.plugs = tuple(sorted(plugs, key=lambda plug: plug.place.name))
        #: What puts it into Brian2's schedule.
        self.exchanges: list[Any] = []
        self._runtime: PluggedRuntime | None = None
        self._net: weakref.ref[Network] | None = None
        self._broken: str | None = None
        self._run_cfg = _one_configuration(self.plugs)
        self.order = exchange_order([each for plug in plugs for each in plug.used])
        self._outlets: list[_Joint] = []
        self._inlets: list[_Joint] = []
        self._clocks: list[Any] = []
        self._ticking: list[Ticking] = []
        self._is_open = False
        self._last = -np.inf
        self._executable = self._compiled()
        self._build()
        for plug in plugs:
            plug.frozen = True
        self._connections = connections(self.plugs[0].process)

    # ------------------------------------------------------------ before a run
    @property
    def groups(self) -> list[Any]:
        """The Brian2 groups."""
        return list({id(plug.place.group): plug.place.group for plug in self.plugs}.values())

    @property
    def clocks(self) -> list[Any]:
        """Their clocks."""
        return list({id(group.clock): group.clock for group in self.groups}.values())

    @property
    def has_begun(self) -> bool:
        """Whether a step has been run."""
        return self._runtime is not None and self._runtime.steps.done > 0

    @property
    def names(self) -> str:
        """The processes that are not Brian2's, for messages."""
        if self._runtime is None:
            return ""
        return ", ".join(member.name for member in self._runtime.others)

    @property
    def needs_two_exchanges(self) -> bool:
        """Whether something has to arrive before the state updates."""
        return any(each.latency == 0 for plug in self.plugs for each in plug.inlets)

    def prepare(self, net: Any) -> None:
        """Before each run of the network.

        Raises
        ------
        EngineError
            The processes were stopped, or an error has left them in the middle of a step.
        OptionError
            Connections have changed since they were compiled.
        """
        if self._broken is not None:
            raise EngineError(
                f"the Lava processes {self.names} can't be run on: {self._broken}. restore() a"
                " state from before their first step, or make them anew."
            )
        if self._runtime is None:
            self._build()
        assert self._runtime is not None
        if self._runtime.stopped:
            raise EngineError(
                f"the Lava processes {self.names} were stopped; make them and the groups' processes"
                " anew to run again."
            )
        if connections(self.plugs[0].process) != self._connections:
            raise OptionError(
                f"the connections of {self.group_names} with Lava processes have changed since"
                " the first run(); connect everything before it."
            )
        self._net = weakref.ref(net)
        self._clocks = self.clocks
        self._ticking = [Ticking.of(clock) for clock in self._clocks]
        self._last = -np.inf
        self._outlets = list(self._joints("outlets"))
        self._inlets = list(self._joints("inlets"))
        for joint in (*self._outlets, *self._inlets):
            joint.terminal.prepare()
        for pipe in self._pipes():
            pipe.ended = lambda: net._stopped or Network._globally_stopped

    def _joints(self, which: str) -> Any:
        assert self._runtime is not None
        for plug in self.plugs:
            model = self._runtime.model_of(plug.process)
            for terminal in getattr(plug, which):
                clock = plug.place.group.clock
                yield _Joint(terminal, getattr(model, terminal.port), clock)

    def _compiled(self) -> Any:
        """What Lava's compiler makes of the graph."""
        for plug in self.plugs:
            kinds = {name: np.dtype(each.dtype).name for name, each in plug.terminals.items()}
            with_model(plug.process, kinds)
        try:
            return self.plugs[0].process.compile(self._run_cfg)
        except Exception as problem:
            raise EngineError(
                f"the Lava processes that are connected to {self.group_names} can't be compiled:"
                f" {type(problem).__name__}: {problem}"
            ) from problem

    def _build(self) -> None:
        """The models of the processes, as they are before their first step."""
        compile_models = bool(getattr(self._run_cfg, "compile_models", True))
        runtime = PluggedRuntime(self._executable, compile_models)
        for plug in self.plugs:
            _check_types(plug, runtime)
        self._executable.assign_runtime_to_all_processes(runtime)
        self._runtime = runtime

    def rewind(self) -> None:
        """Forget all that has happened: the next run begins with the processes' first step."""
        if self._runtime is not None and (self.has_begun or self._broken):
            self._runtime.stop()
            self._runtime = None
            for builder in self._executable.proc_builders.values():
                builder.csp_ports.clear()
                builder._csp_port_map.clear()
        self._is_open, self._broken = False, None

    @property
    def group_names(self) -> str:
        """The Brian2 groups, for messages."""
        return ", ".join(repr(plug.place.name) for plug in self.plugs)

    def settle(self) -> None:
        """Wait until the user's own code can have what was sent to it (Extractor, VarWire)."""
        for pipe in self._pipes():
            pipe.settle()

    def _pipes(self) -> list[Any]:
        """Channels to and from the user's own code."""
        members = () if self._runtime is None else self._runtime.plan.members
        return [pipe for member in members for pipe in member.pipes]

    def described(self) -> str:
        """Each connection on a line."""
        lines = [
            f"Lava processes with {self.group_names}, a step in each of theirs, in this program"
        ]
        for process in find_processes(self.plugs[0].process):
            for out in process.out_ports.members:
                lines += [f"  {_told(out)} -> {self._at(end)}" for end in out.get_dst_ports()]
        return "\n".join(lines) + "\n"

    def _at(self, port: Any) -> str:
        for plug in self.plugs:
            if port.process is plug.process:
                latency = plug.terminals[port.name].latency
                return f"{_told(port)}, latency {latency}"
        return _told(port)

    # ------------------------------------------------------------ in a step
    def run_early(self) -> None:
        """What is done before the state updates of a step."""
        if not self._is_open:
            self._guarded(self._run_early)

    def run(self) -> None:
        """What is done after the thresholds of a step."""
        if len(self._clocks) == 1 or not self._is_done():
            self._guarded(self._run)

    def _is_done(self) -> bool:
        """Whether another clock that is due at the same time has seen to it."""
        leader, _ = due(self._ticking)
        now, width = float(leader.t[0]), min(each.width for each in self._ticking)
        if now - self._last < 1e-4 * width:
            return True
        self._last = now
        return False

    def _run_early(self) -> None:
        assert self._runtime is not None
        self._runtime.begin()
        self._is_open = True
        early = [joint for joint in self._inlets if joint.terminal.latency == 0]
        self._runtime.steps.until([joint.port for joint in early])
        for joint in early:
            joint.terminal.take(joint.port.recv())

    def _run(self) -> None:
        assert self._runtime is not None
        late = [joint for joint in self._inlets if joint.terminal.latency or not self._is_open]
        if not self._is_open:
            self._runtime.begin()
        self._is_open = True
        self._runtime.finish(self._send)
        for joint in late:
            joint.terminal.take(joint.port.recv())
        asked = self._runtime.end()
        self._is_open = False
        net = None if self._net is None else self._net()
        if asked and net is not None:
            net.stop()
            if asked == "stop":
                self._runtime.stop()

    def _send(self) -> None:
        """A group without a step now, or that is not active, sends zeros."""
        now = {id(each.clock) for each in due(self._ticking)[1]}
        for joint in self._outlets:
            terminal = joint.terminal
            if id(joint.clock) in now and terminal.place.group.active:
                joint.port.send(terminal.values())
            else:
                joint.port.send(np.zeros(terminal.size, terminal.dtype))

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Halted as halted:
            self._broken = str(halted)
            raise EngineError(f"{halted}.") from halted
        except BaseException as problem:
            self._broken = f"{type(problem).__name__}: {problem}"
            raise


def _told(port: Any) -> str:
    process = port.process
    kind = "" if isinstance(process, BrianGroup) else f"{type(process).__name__} "
    return f"{kind}'{process.name}'.{port.name}"


def connections(process: Any) -> frozenset[tuple[int, str, int, str]]:
    """All connections of the graph that ``process`` is part of, by ids and names of ports."""
    return frozenset(
        (int(each.id), out.name, int(into.process.id), into.name)
        for each in find_processes(process)
        for out in (*each.out_ports.members, *each.ref_ports.members)
        for into in out.get_dst_ports()
    )


def graphs_of(plugs: Sequence[Plug]) -> list[LavaGraph]:
    """The graphs that ``plugs``, none of which is in a graph yet, belong to.

    Raises
    ------
    OptionError
        A port was asked for and not connected.
    NotSupported
        A group of a graph is not among ``plugs``.
    """
    found = []
    left = {id(plug.process): plug for plug in plugs}
    for plug in plugs:
        for port in sorted(plug.asked_for):
            if not plug.is_connected(port):
                towards = "from" if isinstance(plug.port(port), InPort) else "to"
                raise OptionError(
                    f"'{plug.place.name}': the port '{port}' was asked for and isn't connected"
                    f" {towards} anything."
                )
        if id(plug.process) not in left:
            continue
        networks = [each for each in find_processes(plug.process) if isinstance(each, BrianModel)]
        if networks:
            raise NotSupported(
                f"'{plug.place.name}' is connected to the network '{networks[0].name}' that"
                " as_process() made. Put both into one Network, or make a process of each with"
                " as_process()."
            )
        members = [each for each in find_processes(plug.process) if isinstance(each, BrianGroup)]
        missing = [each.name for each in members if id(each) not in left]
        if missing:
            raise NotSupported(elsewhere(missing, plug.place.name))
        together = [left.pop(id(each)) for each in members if id(each) in left]
        if any(each.outlets or each.inlets for each in together):
            found.append(LavaGraph(together))
    return found


def elsewhere(missing: Sequence[str], here: str) -> str:
    """The message about groups that are not in the network that runs."""
    return (
        f"{', '.join(map(repr, missing))} is connected with {here} through Lava processes, and"
        " isn't in this network (or was connected after the first run). A graph of Lava processes"
        " belongs to one network, and everything is connected before its first run."
    )


def _one_configuration(plugs: Sequence[Plug]) -> Any:
    """The run configuration of a graph; plugs that were given none have that of the others."""
    given = {id(plug.run_cfg): plug for plug in plugs if plug.run_cfg is not None}
    if len(given) > 1:
        names = ", ".join(repr(plug.place.name) for plug in given.values())
        raise OptionError(
            f"process(..., run_cfg=...): {names} are in one graph of Lava processes and were given"
            " different run configurations; give one of them."
        )
    for plug in given.values():
        return plug.run_cfg
    from brian2lava.interop.compiled import CompiledCfg

    return CompiledCfg()


def _check_types(plug: Plug, runtime: PluggedRuntime) -> None:
    """Numbers with a fraction can't be added to integers.

    Raises
    ------
    OptionError
        Some process would send such.
    """
    (member,) = (each for each in runtime.plan.members if each.process is plug.process)
    for inlet in plug.inlets:
        for link in member.inputs.get(inlet.port, []):
            if not np.can_cast(link.channel.dtype, inlet.dtype, "same_kind"):
                raise OptionError(
                    f"{link.source.name} sends {link.channel.dtype} from '{link.source_port}' to"
                    f" '{plug.place.name}.{inlet.port}', whose variable has"
                    f" {np.dtype(inlet.dtype)}: the fraction would be lost. Use a variable of"
                    " floating-point numbers."
                )
