"""StepProgram -> CUDA C++: one kernel for all groups that may run at the same time.

A step is a fixed row of kernels, each of which looks first whether it is its turn: so a kernel can
say that the host is needed (a function in Python, no room in a monitor), those behind it do
nothing, and the host goes on from there later. The last block of a kernel to finish does what has
to wait for all of them; that of the last kernel moves the clocks on.
"""

from __future__ import annotations

from brian2lava.engine.cpu.fuse import group_operations
from brian2lava.engine.cpu.source import Tables, canonical
from brian2lava.engine.cpu.step import clockwork
from brian2lava.engine.cpu.support import at_file_scope
from brian2lava.engine.cuda.groups import Frames, Part
from brian2lava.engine.cuda.kernels import KERNELS, pathway_kernel
from brian2lava.engine.cuda.levels import levels_of
from brian2lava.engine.cuda.plan import CudaSource, LevelPlan
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects


def render(
    step_program: program.StepProgram, fuse: bool = True, deterministic: bool = False
) -> CudaSource:
    """The kernels of ``step_program``; with ``fuse=False`` each operation has one for itself."""
    tables = Tables(step_program)
    frames = Frames(step_program, tables, deterministic)
    parts = [at_file_scope(step_program)]
    for k, operation in enumerate(step_program.operations):
        if isinstance(operation, program.Pathway):
            parts.append(pathway_kernel(k, operation, tables, deterministic))
        else:
            parts.append(KERNELS[type(operation)](k, operation, tables))
    groups = group_operations(step_program, fuse)
    levels = levels_of(step_program, groups, side_by_side=fuse) or [[]]  # clocks go on in any case
    parts.append(_next_step(step_program, tables))
    plans: list[LevelPlan] = []
    alone: list[int] = []
    first_group = 1  # before it stands a 0, so that no table is empty
    for number, members in enumerate(levels):
        chosen = [groups[member] for member in members]
        operations = tuple(k for group in chosen for k in group.members)
        last = number == len(levels) - 1
        name = f"b2l_level_{number}"
        head = step_program.operations[operations[0]] if operations else None
        if isinstance(head, program.PythonCall):
            parts.append(_python_level(number, head, last, len(step_program.clocks)))
            plans.append(LevelPlan(name, (), operations))
            continue
        made = [frames.part(group) for group in chosen]
        alone += [g.members[0] for g, part in zip(chosen, made) if part.one_by_one]
        clocks = [step_program.operations[group.members[0]].clock for group in chosen]
        parts.append(_level(number, made, clocks, first_group, last, len(step_program.clocks)))
        first_group += len(made) + 1
        plans.append(LevelPlan(name, tuple(part.plan for part in made), operations))
    parts.append(_start(step_program))
    what = [effects(operation) for operation in step_program.operations]
    written = {name for effect in what for name in effect.all_writes}
    clock_arrays = {name for clock in step_program.clocks for name in (clock.timestep, clock.t)}
    for name in sorted(written | clock_arrays):
        tables.data(name)
    dynamic = {array.id for array in step_program.arrays if array.dynamic}
    sizes = {
        "ARRAYS": len(tables.arrays),
        "REALS": len(tables.reals),
        "INTEGERS": len(tables.integers),
        "CLOCKS": len(step_program.clocks),
        "GRID": first_group,
    }
    defined = "".join(f"#define B2L_{name} {max(1, size)}\n" for name, size in sizes.items())
    return CudaSource(
        text=canonical("\n".join(parts)),
        sizes=defined,
        arrays=tuple(tables.arrays),
        reals=tuple(tables.reals),
        integers=tuple(tables.integers),
        random=tuple(tables.random),
        levels=tuple(plans),
        queues=tuple(frames.queues[which] for which in sorted(frames.queues)),
        sums=tuple(frames.sums),
        thresholds=tuple(frames.thresholds),
        written=tuple(sorted(tables.data(name) for name in written | clock_arrays)),
        grown=tuple(sorted(tables.data(name) for name in written & dynamic)),
        clocks=tuple(sorted(tables.data(name) for name in clock_arrays)),
        one_by_one=tuple(alone),
        exact=deterministic,
    )


def _due(clock: int, clocks: int) -> str:
    return "true" if clocks == 1 else f"b2l_c.due[{clock}]"


def _level(
    number: int, parts: list[Part], clocks: list[int], first_group: int, last: bool, count: int
) -> str:
    """A kernel."""
    fulls = "\n".join(
        f"if (full == 0 && {_due(clock, count)} && ({part.full})) full = {_said(part.call)};"
        for part, clock in zip(parts, clocks)
        if part.full
    )
    bodies, joins, ends = [], [], []
    for place, (part, clock) in enumerate(zip(parts, clocks), start=first_group):
        begin, end = f"b2l_c.grid[{place}]", f"b2l_c.grid[{place + 1}]"
        where = f"const int64_t blocks = {end} - {begin}; (void)blocks;"
        if part.body:
            bodies.append(
                f"""if (b2l_block >= {begin} && b2l_block < {end}
    && {_due(clock, count)}) {{
{where}
const int64_t block = b2l_block - {begin}, all = blocks * B2L_THREADS; (void)all;
#define mine (block * B2L_THREADS + b2l_thread)
{part.body}
#undef mine
}}"""
            )
        if part.join:
            joins.append(f"if ({_due(clock, count)}) {{ {where}\n{part.join} }}")
        if part.end:
            ends.append(f"if ({_due(clock, count)}) {{ {part.end} }}")
    after = "b2l::next_step(b2l_c, s);" if last else f"s.turn = s.level = {number + 1};"
    return f"""B2L_KERNEL(b2l_level_{number}) {{
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
if (s.turn != {number}) return;
int64_t full = 0;
{fulls}
if (full == 0) {{
{chr(10).join(bodies)}
}}
B2L_SHARED bool is_last;
B2L_PHASE {{ b2l::fence(); }}
B2L_SYNC
B2L_PHASE {{ if (b2l_thread == 0) is_last = b2l::arrive(&s.arrived) == b2l_blocks - 1; }}
B2L_SYNC
if (!is_last) return;
if (full == 0) {{
{chr(10).join(joins)}
}}
B2L_PHASE {{ if (b2l_thread == 0) {{
s.arrived = 0;
if (full != 0) {{
s.call = full > 0 ? full - 1 : full;
s.halfway = 1;
b2l::rest(s, b2l::FULL);
}} else {{
{chr(10).join(ends)}
{after}
}}
}} }}
}}
B2L_LAUNCHER(b2l_level_{number})"""


def _said(call: int) -> int:
    """An operation from 1 on, a queue from -1 down: 0 is that nothing is full."""
    return call + 1 if call >= 0 else call


def _python_level(number: int, operation: program.PythonCall, last: bool, clocks: int) -> str:
    """A kernel that calls the host. Where it is the last of a step, the host ends the step."""
    after = "b2l::next_step(b2l_c, s);" if last else f"s.turn = s.level = {number + 1};"
    return f"""B2L_KERNEL(b2l_level_{number}) {{
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
if (s.turn != {number}) return;
B2L_PHASE {{ if (b2l_thread == 0) {{
if ({_due(operation.clock, clocks)} && !s.answered) {{
s.call = {operation.call};
s.halfway = s.answered = 1;
b2l::rest(s, b2l::PYTHON);
}} else {{
s.answered = 0;
{after}
}}
}} }}
}}
B2L_LAUNCHER(b2l_level_{number})"""


def _next_step(step_program: program.StepProgram, tables: Tables) -> str:
    """The end of a step and the choice of what is due in the next one."""
    clocks = clockwork(step_program, tables)
    ended = "\n".join(
        f"if (s.clock == {k} && {tables.address(clock.timestep)}[0] >= b2l_c.i_end[{k}])"
        " return rest(s, DONE);"
        for k, clock in enumerate(step_program.clocks)
    )
    return f"""namespace b2l {{
static inline void choose(Context &b2l_c, State &s) {{
{clocks.tables}
{clocks.choose.replace("b2l_c.clock", "s.clock")}
{ended}
if (b2l_c.stop) return rest(s, STOP);
if (s.steps >= b2l_c.limit) return rest(s, TIME);
s.status = RUNNING;
s.turn = 0;
}}
static inline void next_step(Context &b2l_c, State &s) {{
{clocks.ticks}
s.steps++;
s.level = 0;
choose(b2l_c, s);
}}
}}"""


def _start(step_program: program.StepProgram) -> str:
    """What the host launches before it lets the steps run, and once before a run."""
    cables = "\n".join(
        f"operation_{k}::before_run(b2l_c);"
        for k, operation in enumerate(step_program.operations)
        if isinstance(operation, program.CableEquation)
    )
    return f"""B2L_KERNEL(b2l_start) {{
b2l::Context &b2l_c = b2l_constants;
b2l::State &s = *b2l_state;
B2L_WHERE
B2L_PHASE {{ if (b2l_thread == 0) {{
if (s.halfway) {{
s.status = b2l::RUNNING;
s.turn = s.level;
}} else b2l::choose(b2l_c, s);
s.halfway = 0;
}} }}
}}
B2L_LAUNCHER(b2l_start)
B2L_KERNEL(b2l_before_run) {{
b2l::Context &b2l_c = b2l_constants;
(void)b2l_c;
(void)b2l_state;
B2L_WHERE
B2L_PHASE {{ if (b2l_thread == 0) {{
{cables}
}} }}
}}
B2L_LAUNCHER(b2l_before_run)"""
