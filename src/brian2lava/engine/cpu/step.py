"""The functions that the host calls: load, begin, advance and what they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brian2lava.engine.cpu.deliveries import copies, delivery, pathway_kernel, pathways
from brian2lava.engine.cpu.fuse import Group
from brian2lava.engine.cpu.kernels import (
    cable_equation_kernel,
    elementwise_kernel,
    reset_kernel,
    summed_kernel,
    threshold_kernel,
)
from brian2lava.engine.cpu.passes import count_executions, fused_pass
from brian2lava.engine.cpu.recorders import (
    event_recorder_kernel,
    fullness,
    rate_recorder_kernel,
    spike_source_kernel,
    state_recorder_kernel,
)
from brian2lava.engine.cpu.source import Tables
from brian2lava.program import step_program as program


def python_call(k: int, operation: program.PythonCall, tables: Tables) -> str:
    return ""


KERNELS: dict[type, Callable[..., str]] = {
    program.Elementwise: elementwise_kernel,
    program.Threshold: threshold_kernel,
    program.Reset: reset_kernel,
    program.Pathway: pathway_kernel,
    program.SummedVariable: summed_kernel,
    program.SpikeSource: spike_source_kernel,
    program.StateRecorder: state_recorder_kernel,
    program.EventRecorder: event_recorder_kernel,
    program.RateRecorder: rate_recorder_kernel,
    program.CableEquation: cable_equation_kernel,
    program.PythonCall: python_call,
}


LEAVE = """static int64_t leave(Context &b2l_c, unsigned saved, int64_t reason) {
(void)b2l_c;
restore_denormals(saved);
return reason;
}"""


def state(step_program: program.StepProgram) -> str:
    count = max(1, len(pathways(step_program)))
    return f"""
struct State {{
    Team team;
    Queue queue[{count}];
    char *mask;
    int64_t mask_size;
    int64_t event_count[64][64];
}};
static inline State &state(Context &b2l_c) {{ return *(State *)b2l_c.state; }}
"""


def group_function(
    number: int, group: Group, step_program: program.StepProgram, tables: Tables
) -> str:
    """The function of a group: a thread's share of a fused pass, or one operation."""
    first = step_program.operations[group.members[0]]
    if isinstance(first, program.PythonCall):
        return ""
    if isinstance(first, program.Elementwise | program.Threshold):
        return fused_pass(number, group, step_program, tables)
    return _single(number, group.members[0], first, step_program, tables)


def _single(
    number: int,
    k: int,
    operation: program.Operation,
    step_program: program.StepProgram,
    tables: Tables,
) -> str:
    counting = count_executions([k], tables)
    if isinstance(operation, program.Reset):
        if not operation.statements.vector:
            body = ""
        else:
            place = tables.data(operation.events)
            body = f"""const int32_t *events = {tables.address(operation.events)};
const int64_t n = events[b2l_c.length[{place}] - 1];
if (n) operation_{k}::make(b2l_c)(events, 0, n);"""
    elif isinstance(operation, program.Pathway):
        body = delivery(number, k, operation, step_program, tables)
        return f"{body}\n"
    elif isinstance(operation, program.SpikeSource | program.RateRecorder):
        body = f"operation_{k}::run(b2l_c);"
    else:
        body = f"operation_{k}::make(b2l_c);"
    return f"static inline void group_{number}(Context &b2l_c) {{\n{body}\n{counting}\n}}"


def prepare(step_program: program.StepProgram, tables: Tables) -> str:
    """Load, tables, export: what happens around the loop."""
    queues = [
        prepare_queue(which, operation, step_program, tables)
        for which, (_, operation) in enumerate(pathways(step_program))
    ]
    cables = "\n".join(
        f"operation_{k}::before_run(b2l_c);"
        for k, operation in enumerate(step_program.operations)
        if isinstance(operation, program.CableEquation)
    )
    begin = f"""extern "C" int64_t b2l_begin(Context *context) {{
Context &b2l_c = *context;
const double started = now_seconds();
{chr(10).join(queues)}
{cables}
b2l_c.report[0] = now_seconds() - started;
return 0;
}}"""
    return around(step_program, begin)


def prepare_queue(
    which: int, operation: program.Pathway, step_program: program.StepProgram, tables: Tables
) -> str:
    """The table of a pathway's synapses, where it is out of date."""
    return f"""{{
Queue &q = state(b2l_c).queue[{which}];
prepare(q, {operation.first}, {operation.last}, {tables.address(operation.sources)},
        {tables.address(operation.targets)}, {tables.length(operation.sources)},
        {tables.address(operation.delays)}, {tables.length(operation.delays)},
        (double){tables.address(operation.dt)}[0]);
{copies(operation, step_program, tables)}
}}"""


def around(step_program: program.StepProgram, begin: str) -> str:
    """The functions that load and unload, export spikes, and ``begin``, which starts a run."""
    frees = max(1, len(pathways(step_program)))
    return f"""
extern "C" int64_t b2l_load(Context *context) {{
State *s = (State *)calloc(1, sizeof(State));
context->state = s;
s->team.start((int)context->threads);
return 0;
}}
extern "C" int64_t b2l_unload(Context *context) {{
Context &b2l_c = *context;
if (!b2l_c.state) return 0;
state(b2l_c).team.end();
for (int k = 0; k < {frees}; k++) drop_queue(state(b2l_c).queue[k]);
free(b2l_c.state);
b2l_c.state = nullptr;
return 0;
}}
{begin}
extern "C" int64_t b2l_pending(Context *context, int64_t which) {{
Queue &q = state(*context).queue[which];
int64_t count;
Pending *list = pending(q, count);
context->exported = (int64_t)list;
context->exported_size = count;
return count;
}}
extern "C" int64_t b2l_forget(Context *context) {{
free((void *)context->exported);
context->exported = 0;
return 0;
}}
extern "C" int64_t b2l_set_pending(Context *context, int64_t which, const Pending *list,
                                   int64_t count) {{
set_explicit(state(*context).queue[which], list, count);
return 0;
}}"""


@dataclass(frozen=True)
class Clockwork:
    """How a pass chooses the clocks that are due, knows that it was the last, and ends."""

    tables: str
    choose: str
    ended: str
    ticks: str


def clockwork(step_program: program.StepProgram, tables: Tables) -> Clockwork:
    clocks = step_program.clocks
    t = ", ".join(str(tables.data(clock.t)) for clock in clocks)
    dt = ", ".join(str(tables.data(clock.dt) if clock.dt else -1) for clock in clocks)
    single = len(clocks) == 1
    choose = (
        "b2l_c.clock = 0;"
        if single
        else f"b2l_c.clock = next_clocks(b2l_c, {len(clocks)}, clock_t, clock_dt);"
    )
    if not single and any(clock.times for clock in clocks):
        choose += "".join(
            f"\nif (b2l_c.clock != {k} && {tables.address(clock.timestep)}[0] >= b2l_c.i_end[{k}])"
            f" b2l_c.due[{k}] = 0;"
            for k, clock in enumerate(clocks)
        )
    ticks = "\n".join(_tick(k, clock, single, tables) for k, clock in enumerate(clocks))
    ended = "\n".join(
        f"if (b2l_c.clock == {k} && {tables.address(clock.timestep)}[0] >= b2l_c.i_end[{k}])"
        " return leave(b2l_c, saved, DONE);"
        for k, clock in enumerate(clocks)
    )
    table = f"static const int clock_t[] = {{{t}}}, clock_dt[] = {{{dt}}};"
    return Clockwork(f"{table}\n(void)clock_t; (void)clock_dt;", choose, ended, ticks)


def run_group(number: int, group: Group, step_program: program.StepProgram, tables: Tables) -> str:
    """A group as statements: where its clock is due it runs, or says why it can't."""
    operation = step_program.operations[group.members[0]]
    due = "" if len(step_program.clocks) == 1 else f"if (b2l_c.due[{operation.clock}]) "
    if isinstance(operation, program.PythonCall):
        return (
            f"{due}{{ b2l_c.call = {operation.call}; b2l_c.operation = {number + 2};"
            " return leave(b2l_c, saved, PYTHON); }"
        )
    check = fullness(number, group.members[0], operation, tables)
    run = f"group_{number}(b2l_c);"
    timed = (
        f"if (b2l_c.profile) {{ const double began = now_seconds(); {run}"
        f" b2l_c.seconds[{group.members[0]}] += now_seconds() - began; }} else {run}"
    )
    return f"{due}{{ {check}{timed} }}"


def advance(step_program: program.StepProgram, groups: list[Group], tables: Tables) -> str:
    clocks = clockwork(step_program, tables)
    cases = [
        f"case {number + 1}:\n{run_group(number, group, step_program, tables)}"
        for number, group in enumerate(groups)
    ]
    return f"""
{LEAVE}
extern "C" int64_t b2l_advance(Context *context) {{
Context &b2l_c = *context;
const unsigned saved = flush_denormals();
{clocks.tables}
const double until = now_seconds() + 1e-9 * b2l_c.budget;
int64_t done = 0;
for (;;) {{
switch (b2l_c.operation) {{
case 0:
{clocks.choose}
{clocks.ended}
if (__atomic_load_n(&b2l_c.stop, __ATOMIC_RELAXED)) return leave(b2l_c, saved, STOP);
if (done >= b2l_c.max_steps) return leave(b2l_c, saved, TIME);
if (done && now_seconds() > until) return leave(b2l_c, saved, TIME);
// fall through
{chr(10).join(cases)}
case {len(groups) + 1}:
{clocks.ticks}
b2l_c.operation = 0;
b2l_c.steps++;
done++;
}}
}}
}}
"""


def _tick(k: int, clock: program.Clock, single: bool, tables: Tables) -> str:
    """To the clock's next time step, where the clock was due."""
    step = f"{tables.address(clock.timestep)}[0]"
    if clock.dt is not None:
        time = f"{step} * {tables.address(clock.dt)}[0]"
    else:
        assert clock.times is not None
        time = f"{tables.address(clock.times)}[{step}]"
    due = "" if single else f"if (b2l_c.due[{k}]) "
    return f"{due}{{ {step}++; {tables.address(clock.t)}[0] = {time}; }}"
