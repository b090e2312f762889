"""A program that runs once on copies of its arrays: nothing of the network changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any

import numpy as np

from brian2lava.capture.network import Captured
from brian2lava.device.compiler import compile_program
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import render
from brian2lava.engine.host import choose_host
from brian2lava.engine.memory import GrowingArray, arena
from brian2lava.program.check import check

_SLICE_SECONDS = 0.2


def rehearse(
    device: Any,
    captured: Captured,
    clocks: Sequence[Any],
    kept: Set[str],
    begin: Callable[[cpu.Instance], None],
) -> None:
    """Run ``captured`` to the end of its clocks' intervals, in this process.

    Parameters
    ----------
    device
        The device "lava"; its random streams stay where they are.
    captured : Captured
        Without monitors and calls of Python: nothing grows, and nothing comes back.
    clocks : sequence of Clock
        The program's.
    kept : set of str
        Ids of arrays that are written themselves, and not their copies.
    begin : function of an instance
        Called before the first step.
    """
    check(captured.program)
    source = render(captured.program, fuse=device.options.fuse)
    built = compile_program(
        source, captured.program, captured.compiler_kwds, device.options.deterministic
    )
    instance = cpu.Instance(
        source,
        built.path,
        {name: _array(device, captured, name, name in kept) for name in source.arrays},
        captured.constants,
        clocks=len(captured.program.clocks),
        operations=len(captured.program.operations),
        threads=1,
        host=choose_host("inline")[0],
    )
    try:
        begin(instance)
        for k, clock in enumerate(clocks):
            instance.i_end[k] = clock._i_end
        device.random.lend(instance)
        instance.begin()
        while instance.advance(1 << 62, _SLICE_SECONDS) not in (cpu.DONE, cpu.STOP):
            pass
    finally:
        instance.unload()


def _array(device: Any, captured: Captured, name: str, kept: bool) -> Any:
    """An array of the program, or a copy of it."""
    if name in captured.variables:
        values = device.arrays[captured.variables[name]]
    else:
        values = captured.placed.get(name, captured.tables.get(name))
    return values if kept else _copy(values)


def _copy(values: Any) -> Any:
    """Another array in the arena with the same values."""
    if isinstance(values, GrowingArray):
        copy = GrowingArray(values.shape, values.dtype)
        copy.data[...] = values.data
        return copy
    values = np.ascontiguousarray(values)
    place = arena().allocate(max(1, values.nbytes)).array(values.dtype, values.size)
    place[:] = values.ravel()
    return place
