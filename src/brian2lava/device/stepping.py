"""A Brian2 network that somebody else moves on, one pass of its loop at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from brian2.core.network import Network
from brian2.core.variables import DynamicArrayVariable

from brian2lava.capture.integrators import remembered_integrators
from brian2lava.capture.network import Captured, capture
from brian2lava.device.clocks import Ticking, due
from brian2lava.device.compiler import compile_program
from brian2lava.device.loop import (
    make_room,
    place_arrays,
    prepare_python_calls,
    update_sizes,
)
from brian2lava.device.run import refuse_foreign
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import render
from brian2lava.engine.host import InlineHost
from brian2lava.engine.worker import Worker
from brian2lava.errors import EngineError, NotSupported
from brian2lava.program.check import check

#: No run ends: whoever asks for steps says when it is enough.
_ENDLESS = 1 << 62
#: Rows that a monitor gets room for at once.
_ROOM = 4096
_LONG = 1e6


class _Engine(Protocol):
    """Runs one pass of a network's loop."""

    def step(self) -> None: ...


class Stepping:
    """A network, prepared to be run step by step in this process or in one that is forked later.

    All that can be wrong with a model is found here, before the first step.

    Parameters
    ----------
    device
        The device "lava".
    net : Network
    namespace : dict
        For names in the equations.

    Raises
    ------
    NotSupported
        A clock has a table of times.
    """

    def __init__(self, device: Any, net: Network, namespace: Any) -> None:
        self._device, self.net = device, net
        device.runs.drop(net)
        self._objects = net.sorted_objects
        net._clocks = {obj.clock for obj in self._objects}
        self._clocks: list[Any] = sorted(net._clocks, key=lambda clock: str(clock.name))
        for clock in self._clocks:
            if "dt" not in clock.variables:
                raise NotSupported(
                    f"'{clock.name}' has a table of times; a network that goes on step by step"
                    " needs clocks with a dt."
                )
            clock.set_interval(net.t, net.t)
        refuse_foreign(device, self._objects)
        with remembered_integrators():
            net.before_run(namespace)
        self._active = [obj for obj in self._objects if obj.active]
        self._prepare: Callable[[], _Engine] = self._prepared()
        self._engine: _Engine | None = None

    def _prepared(self) -> Callable[[], _Engine]:
        if self._device.engine == "numpy":
            return lambda: _Plain(self._active, self._clocks)
        captured = capture(self._active, self._clocks)
        prepare_python_calls(captured)
        program = check(captured.program)
        source = render(program, self._device.options.fuse)
        exact = self._device.options.deterministic
        path = compile_program(source, program, captured.compiler_kwds, exact).path
        return lambda: _Compiled(self._device, self.net, captured, source, path)

    def step(self) -> bool:
        """One pass of the network's loop; whether the network asks for a pause (``stop()``)."""
        if self._engine is None:
            self._engine = self._prepare()
        self.net._stopped = Network._globally_stopped = False
        with _running():
            self._engine.step()
        self.net.t_ = min(float(each.t[0]) for each in self.ticking)
        return bool(self.net._stopped or Network._globally_stopped)

    @property
    def ticking(self) -> list[Ticking]:
        """The network's clocks."""
        return [Ticking.of(clock) for clock in self._clocks]


@contextmanager
def _running() -> Iterator[None]:
    Network._globally_running = True
    try:
        yield
    finally:
        Network._globally_running = False


class _Plain:
    """Brian2's own loop over NumPy code."""

    def __init__(self, active: Sequence[Any], clocks: Sequence[Any]) -> None:
        self._active = active
        self._ticking = [Ticking.of(clock) for clock in clocks]

    def step(self) -> None:
        _, together = due(self._ticking)
        now = {id(each.clock) for each in together}
        for obj in self._active:
            if id(obj.clock) in now:
                obj.run()
        for each in together:
            each.advance()


class _Compiled:
    """The compiled program, in this process."""

    def __init__(
        self, device: Any, net: Network, captured: Captured, source: Any, path: Any
    ) -> None:
        self._device, self._net, self._captured = device, net, captured
        self._growing = [
            variable
            for variable in captured.variables.values()
            if isinstance(variable, DynamicArrayVariable)
        ]
        host = InlineHost(Worker())
        storage = place_arrays(device, captured)
        loaded = device.runs.load(net, source, captured, path, storage, 1, host)
        self._instance: cpu.Instance = loaded.instance
        self._instance.i_end[:] = _ENDLESS
        device.random.lend(self._instance)
        self._instance.begin()

    def step(self) -> None:
        instance = self._instance
        if self._device.runs.of(self._net) is None or instance["operation"] != 0:
            raise EngineError(
                f"'{self._net.name}' was run otherwise, or an error has left it in the middle of a"
                " step; make its process anew."
            )
        while True:
            reason = instance.advance(1, _LONG)
            if reason == cpu.TIME:
                break
            if reason == cpu.FULL:
                make_room(instance, self._captured, _ROOM)
            elif reason == cpu.PYTHON:
                self._captured.calls[instance["call"]].run()
                instance.bind()
            else:
                raise EngineError(f"'{self._net.name}': the engine came back with reason {reason}.")
        self._device.random.take_back(instance)
        if self._growing:
            update_sizes(self._captured)
