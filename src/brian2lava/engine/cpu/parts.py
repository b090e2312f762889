"""A step program as C++ whose passes are called one by one, each in the process that it belongs to.

Kernels and passes are those of :mod:`brian2lava.engine.cpu.render`, letter for letter, so what they
compute is the same to the bit. Only the loop around them is missing: the processes walk through the
step themselves (:mod:`brian2lava.program.walks`).
"""

from __future__ import annotations

from brian2lava.engine.cpu.deliveries import pathways
from brian2lava.engine.cpu.fuse import Group, group_operations
from brian2lava.engine.cpu.render import put_together
from brian2lava.engine.cpu.source import Source, Tables
from brian2lava.engine.cpu.step import LEAVE, around, clockwork, prepare_queue, run_group
from brian2lava.program import step_program as program


def pass_functions(step_program: program.StepProgram, groups: list[Group], tables: Tables) -> str:
    """The functions that a process calls in a step: open, a pass, close."""
    clocks = clockwork(step_program, tables)
    cases = "\n".join(
        f"case {number}:\n{run_group(number, group, step_program, tables)}\nbreak;"
        for number, group in enumerate(groups)
    )
    return f"""
{LEAVE}
extern "C" int64_t b2l_open(Context *context) {{
Context &b2l_c = *context;
const unsigned saved = flush_denormals();
{clocks.tables}
{clocks.choose}
{clocks.ended}
return leave(b2l_c, saved, b2l_c.stop ? STOP : TIME);
}}
extern "C" int64_t b2l_pass(Context *context, int64_t number) {{
Context &b2l_c = *context;
const unsigned saved = flush_denormals();
switch (number) {{
{cases}
}}
return leave(b2l_c, saved, DONE);
}}
extern "C" int64_t b2l_close(Context *context) {{
Context &b2l_c = *context;
{clocks.ticks}
b2l_c.steps++;
return DONE;
}}
"""


def prepare_one(step_program: program.StepProgram, tables: Tables) -> str:
    """As ``prepare`` of a whole program, but a run begins operation by operation."""
    cases = [
        f"case {k}:\n{prepare_queue(which, operation, step_program, tables)}\nbreak;"
        for which, (k, operation) in enumerate(pathways(step_program))
    ]
    cases += [
        f"case {k}:\noperation_{k}::before_run(b2l_c);\nbreak;"
        for k, operation in enumerate(step_program.operations)
        if isinstance(operation, program.CableEquation)
    ]
    begin = f"""extern "C" int64_t b2l_begin_one(Context *context, int64_t operation) {{
Context &b2l_c = *context;
const double started = now_seconds();
switch (operation) {{
{chr(10).join(cases)}
default: break;
}}
b2l_c.report[0] += now_seconds() - started;
return 0;
}}"""
    return around(step_program, begin)


def render_passes(
    step_program: program.StepProgram, fuse: bool = True
) -> tuple[Source, tuple[tuple[int, ...], ...]]:
    """The translation unit, and its passes: operations (by index) that run together."""
    source = put_together(step_program, fuse, prepare_one, pass_functions)
    groups = group_operations(step_program, fuse)
    return source, tuple(group.members for group in groups)
