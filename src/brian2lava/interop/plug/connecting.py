"""Errors of Lava's connections that name the Brian2 group."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from lava.magma.compiler.compiler_graphs import find_processes
from lava.magma.core.process.ports.exceptions import DuplicateConnectionError
from lava.magma.core.process.ports.ports import AbstractPort
from lava.magma.core.process.process import AbstractProcess

from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.plug.brian_group import BrianGroup


def name_problems() -> None:
    """Have Lava's own checks of connections tell which group they are about. Can be repeated.

    Lava says "Shapes (3,) and (4,) are incompatible" and "Cannot connect same ports twice"; and a
    graph with Brian2 groups that somebody runs through Lava would fail in a process of the system.
    """
    if getattr(AbstractPort, "names_groups", False):
        return
    AbstractPort.names_groups = True
    AbstractPort._connect_forward = _naming(AbstractPort._connect_forward, "to")
    AbstractPort._connect_backward = _naming(AbstractPort._connect_backward, "from")
    AbstractProcess.create_runtime = _refusing(AbstractProcess.create_runtime)


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


def _refusing(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def create_runtime(self: Any, *arguments: Any, **named: Any) -> None:
        groups = [each.name for each in find_processes(self) if isinstance(each, BrianGroup)]
        if groups:
            raise NotSupported(
                f"'{self.name}' is connected to Brian2's {', '.join(map(repr, groups))}: Brian2's"
                " run(duration) runs them all, a step of Lava's processes in each of its own."
            )
        original(self, *arguments, **named)

    return create_runtime
