"""Operations as device code: what ``make`` returns works on one element.

The frames (loops, queues, the order of events) differ from the CPU engine's; the statements, their
constants, arrays and random numbers are rendered by it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from brian2lava.engine.cpu.kernels import (
    block_draws,
    cable_equation_kernel,
    kernel,
    pointer_declarations,
    summed_kernel,
)
from brian2lava.engine.cpu.recorders import spike_source_kernel
from brian2lava.engine.cpu.source import Tables
from brian2lava.engine.cuda.accumulate import with_sums
from brian2lava.engine.cuda.modes import Mode, mode_of
from brian2lava.program import step_program as program

_DRAW = re.compile(r"\b_(randn?)\([^()]*\)")
_DRAWN = {"rand": "uniform", "randn": "normal"}


def _numbered(vector: str) -> str:
    """Draws by their place in the text, as where the CPU engine draws for a block at once."""
    places = itertools.count()

    def draw(match: re.Match[str]) -> str:
        function = _DRAWN[match.group(1)]
        return f"b2l::{function}(_key, (uint32_t)(_idx), {next(places)}, _execution)"

    return _DRAW.sub(draw, vector)


def element_kernel(
    k: int,
    operation: program.Operation,
    tables: Tables,
    arguments: str = "const int64_t _idx",
    before: str = "",
    after: str = "",
) -> str:
    """A function of one element: ``before``, the vector statements, ``after``."""
    numbered = bool(block_draws(operation))

    def body(vector: str) -> str:
        vector = _numbered(vector) if numbered else vector
        text = f"{before}{vector}{after}"
        return f"""return [=, &b2l_c]({arguments}) {{
(void)b2l_c;
{pointer_declarations(tables, text)}
{before}
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{after}
}};"""

    return kernel(k, operation, tables, body, before + after)


def elementwise_kernel(k: int, operation: program.Elementwise, tables: Tables) -> str:
    return element_kernel(k, operation, tables)


def threshold_kernel(k: int, operation: program.Threshold, tables: Tables) -> str:
    after = "if (!(_cond)) return false;\n"
    if operation.not_refractory:
        assert operation.lastspike and operation.time
        after += (
            f"_ptr{operation.not_refractory}[_idx] = false;\n"
            f"_ptr{operation.lastspike}[_idx] = {tables.address(operation.time)}[0];\n"
        )
    return element_kernel(k, operation, tables, after=after + "return true;")


def reset_kernel(k: int, operation: program.Reset, tables: Tables) -> str:
    return element_kernel(k, operation, tables) if operation.statements.vector else ""


def pathway_kernel(k: int, operation: program.Pathway, tables: Tables, deterministic: bool) -> str:
    if operation.silent:
        return ""
    if mode_of(operation, tables.ctype, deterministic) is Mode.AT_ONCE:
        vector, _ = with_sums(operation, tables.ctype, deterministic)
        operation = _with_vector(operation, vector)
    return element_kernel(k, operation, tables)


def _with_vector(operation: program.Pathway, vector: str) -> program.Pathway:
    from dataclasses import replace

    return replace(operation, statements=replace(operation.statements, vector=vector))


def sum_kernel(k: int, operation: program.SummedVariable, tables: Tables) -> str:
    """The contribution of one synapse; where it reads its own target, the CPU engine's loop."""
    if not summed_by_target(operation):
        return summed_kernel(k, operation, tables)
    return element_kernel(k, operation, tables, after="return _synaptic_var;")


def summed_by_target(operation: program.SummedVariable) -> bool:
    statements = operation.statements
    reads = {access.array for access in statements.reads | statements.scalar_reads}
    return (
        not statements.writes
        and operation.target not in reads
        and operation.index not in ({operation.target})
    )


def state_recorder_kernel(k: int, operation: program.StateRecorder, tables: Tables) -> str:
    stores = "\n".join(
        f"{tables.address(array)}[_row * _count + _i] = _to_record_{name};"
        for name, array in operation.recorded
    )
    before = f"const int64_t _idx = _ptr{operation.indices}[_i];"
    return element_kernel(
        k, operation, tables, "const int64_t _i, const int64_t _count, const int64_t _row",
        before, stores,
    )  # fmt: skip


def event_recorder_kernel(k: int, operation: program.EventRecorder, tables: Tables) -> str:
    stores = "\n".join(
        f"{tables.address(array)}[_row] = _to_record_{name};" for name, array in operation.recorded
    )
    stores += f"\nb2l::add(&_ptr{operation.counts}[_idx - {operation.first}], 1);"
    return element_kernel(
        k, operation, tables, "const int64_t _idx, const int64_t _row", after=stores
    )


def nothing(k: int, operation: program.Operation, tables: Tables) -> str:
    return ""


KERNELS: dict[type, Callable[..., str]] = {
    program.Elementwise: elementwise_kernel,
    program.Threshold: threshold_kernel,
    program.Reset: reset_kernel,
    program.SummedVariable: sum_kernel,
    program.SpikeSource: spike_source_kernel,
    program.StateRecorder: state_recorder_kernel,
    program.EventRecorder: event_recorder_kernel,
    program.RateRecorder: nothing,
    program.CableEquation: cable_equation_kernel,
    program.PythonCall: nothing,
}
