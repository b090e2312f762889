"""StepProgram -> one C++ translation unit.

Each operation becomes a *kernel*: its scalar statements, and a loop over a range of elements that
its vector statements fill. Kernels over the same elements that do not disturb each other are run
together, block by block, while their data are in the cache (see :mod:`fuse`). Everything that
differs between two runs of the same model (sizes, addresses, constants) is an argument.
"""

from __future__ import annotations

from collections.abc import Callable

from brian2lava.engine.cpu.fuse import Group, group_operations
from brian2lava.engine.cpu.source import Source, Tables, canonical
from brian2lava.engine.cpu.step import KERNELS, advance, group_function, prepare, state
from brian2lava.engine.cpu.support import at_file_scope
from brian2lava.program import step_program as program


def render(step_program: program.StepProgram, fuse: bool = True) -> Source:
    """The translation unit of ``step_program``; with ``fuse=False`` each operation runs alone."""
    return put_together(step_program, fuse, prepare, advance)


def put_together(
    step_program: program.StepProgram,
    fuse: bool,
    prepare: Callable[[program.StepProgram, Tables], str],
    drive: Callable[[program.StepProgram, list[Group], Tables], str],
) -> Source:
    """Kernels and passes, and around them what begins a run and what drives a step."""
    tables = Tables(step_program)
    parts = [at_file_scope(step_program)]
    kernels = [
        KERNELS[type(operation)](k, operation, tables)
        for k, operation in enumerate(step_program.operations)
    ]
    parts.extend(kernels)
    groups = group_operations(step_program, fuse)
    parts.append("namespace b2l {")  # what users' headers declare is hidden from here on
    parts.append(state(step_program))
    parts.extend(
        group_function(number, group, step_program, tables) for number, group in enumerate(groups)
    )
    parts.append(prepare(step_program, tables))
    parts.append(drive(step_program, groups, tables))
    parts.append("}")
    text = canonical("\n".join(parts))
    return Source(
        text=text,
        arrays=tuple(tables.arrays),
        reals=tuple(tables.reals),
        integers=tuple(tables.integers),
        random=tuple(tables.random),
    )
