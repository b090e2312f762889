"""Where Lava meets Brian2 groups and networks: errors that name them, and who runs what."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from lava.magma.compiler.compiler_graphs import find_processes
from lava.magma.core.process.ports.exceptions import DuplicateConnectionError
from lava.magma.core.process.ports.ports import AbstractPort
from lava.magma.core.process.process import AbstractProcess

from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.compiled.config import CompiledCfg
from brian2lava.interop.plug.brian_group import BrianGroup
from brian2lava.interop.plug.brian_model import BrianModel
from brian2lava.interop.plug.watched import start_watched


def name_problems() -> None:
    """Have Lava's own checks of connections tell which group they are about. Can be repeated.

    Lava says "Shapes (3,) and (4,) are incompatible" and "Cannot connect same ports twice"; and a
    graph with Brian2 groups that somebody runs through Lava would fail in a process of the system.
    Graphs with a whole Brian2 network get a runtime that notices its failures.
    """
    if getattr(AbstractPort, "names_groups", False):
        return
    AbstractPort.names_groups = True
    AbstractPort._connect_forward = _naming(AbstractPort._connect_forward, "to")
    AbstractPort._connect_backward = _naming(AbstractPort._connect_backward, "from")
    AbstractProcess.create_runtime = _noticing(AbstractProcess.create_runtime)


def _naming(original: Callable[..., None], towards: str) -> Callable[..., None]:
    @functools.wraps(original)
    def connect(self: Any, ports: Sequence[Any], *arguments: Any, **named: Any) -> None:
        try:
            original(self, ports, *arguments, **named)
        except (AssertionError, DuplicateConnectionError) as problem:
            ends = [self, *(port for port in ports if isinstance(port, AbstractPort))]
            if not any(isinstance(getattr(end, "process", None), BrianGroup) for end in ends):
                raise
            others = ", ".join(map(_told, ends[1:])) or "what is no port"
            reason = (
                "they are connected already" if isinstance(problem, DuplicateConnectionError)
                else str(problem)
            )  # fmt: skip
            raise OptionError(
                f"{_told(self)} can't be connected {towards} {others}: {reason}"
            ) from problem

    return connect


def _told(port: Any) -> str:
    process = getattr(port, "process", None)
    if process is None:  # a virtual port: reshaped, or transposed
        return f"a {type(port).__name__} of shape {port.shape}"
    kind = "" if isinstance(process, BrianGroup) else f"{type(process).__name__} "
    return f"{kind}'{process.name}.{port.name}' {port.shape}"


def _noticing(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def create_runtime(
        self: Any, run_cfg: Any = None, executable: Any = None, compile_config: Any = None
    ) -> None:
        found = find_processes(self)
        groups = [each.name for each in found if isinstance(each, BrianGroup)]
        if groups:
            raise NotSupported(
                f"'{self.name}' is connected to Brian2's {', '.join(map(repr, groups))}: Brian2's"
                " run(duration) runs them all, a step of Lava's processes in each of its own."
            )
        networks = {
            each.name: each.inside.confession for each in found if isinstance(each, BrianModel)
        }
        if not networks or executable is not None or isinstance(run_cfg, CompiledCfg):
            original(self, run_cfg, executable, compile_config)
            return
        start_watched(self, self.compile(run_cfg, compile_config), networks)

    return create_runtime
