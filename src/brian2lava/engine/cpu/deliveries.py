"""Pathways as C++: spikes reach their synapses."""

from __future__ import annotations

import re

from brian2lava.engine.cpu.kernels import kernel, pointer_declarations
from brian2lava.engine.cpu.passes import count_executions
from brian2lava.engine.cpu.source import Tables
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects, writes_only

#: Functions that compute the same bits in scalar and in vector loops.
POSITION_INDEPENDENT = frozenset(
    {"exp", "abs", "clip", "sign", "timestep", "int", "rand", "ceil", "floor", "sqrt"}
)


def pathway_kernel(k: int, operation: program.Pathway, tables: Tables) -> str:
    if operation.silent:
        return ""
    independent = "#pragma GCC ivdep\n" if vector_rows(operation) else ""
    copied = copied_arrays(operation, tables.program)

    def loop(index: str, vector: str) -> str:
        return f"""{independent}for (int64_t _position = _low; _position < _high; _position++) {{
const int64_t _idx = {index}, _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
}}"""

    def body(vector: str) -> str:
        through_copies = ""
        if copied:
            pointers = "\n".join(
                f"const {tables.ctype(array)} *__restrict _ptr{array} ="
                f" (const {tables.ctype(array)} *)_copies[{place}];"
                for place, array in enumerate(copied)
            )
            copies_loop = loop("_position", vector)
            through_copies = f"if (_copies != nullptr) {{\n{pointers}\n{copies_loop}\n}} else "
        return f"""return [=, &b2l_c](const int64_t _low, const int64_t _high,
const int32_t *_order, void *const *_copies) {{
(void)b2l_c; (void)_copies;
{pointer_declarations(tables, vector)}
if (_order == nullptr) {{
{loop("_position", vector)}
}} else {through_copies}{{
{loop("_order[_position]", vector)}
}}
}};"""

    return kernel(k, operation, tables, body)


def copied_arrays(operation: program.Pathway, step_program: program.StepProgram) -> tuple[str, ...]:
    """Synaptic arrays that the engine may read from copies in the order of its table.

    They may if nobody changes them during a run, and if the statements write nothing by synapse
    and draw nothing (random numbers go by the synapse's own number).
    """
    statements = operation.statements
    if statements.random or "_rand" in statements.support:
        return ()
    if any(access.index == program.ELEMENT for access in statements.writes):
        return ()
    arrays = {access.array for access in statements.reads if access.index == program.ELEMENT}
    fixed = {operation.targets, operation.sources}
    others = step_program.operations
    if any(isinstance(other, program.PythonCall) for other in others):
        changed = arrays - fixed
    else:
        changed = set().union(*(effects(other).all_writes for other in others))
    if arrays & changed or len(arrays) > 16:
        return ()
    return tuple(sorted(arrays))


def vector_rows(operation: program.Pathway) -> bool:
    """Whether the synapses of one spike may run side by side, if no target comes twice.

    They may if they write only what is their own or their target's, read nothing else that they
    write, and if there is something to gain: a function to call.
    """
    statements = operation.statements
    own = {program.ELEMENT, target_index(operation)}
    return (
        writes_only(statements, own)
        and bool(statements.functions)
        and statements.functions <= POSITION_INDEPENDENT
    )


def target_index(operation: program.Pathway) -> str:
    """The name of the index of the side that spikes arrive at."""
    post = re.search(r"_synaptic_post(_\d+)?$", operation.targets)  # a number where names repeat
    return "_postsynaptic_idx" if post else "_presynaptic_idx"


def pathways(step_program: program.StepProgram) -> list[tuple[int, program.Pathway]]:
    return [
        (k, operation)
        for k, operation in enumerate(step_program.operations)
        if isinstance(operation, program.Pathway)
    ]


def delivery(
    number: int,
    k: int,
    operation: program.Pathway,
    step_program: program.StepProgram,
    tables: Tables,
) -> str:
    which = [index for index, _ in pathways(step_program)].index(k)
    events = tables.data(operation.events)
    receive = (
        f"const int32_t *events = {tables.address(operation.events)};\n"
        f"receive(q, events, events[b2l_c.length[{events}] - 1]);"
    )
    counting = count_executions([k], tables)
    if operation.silent:
        return f"""static inline void group_{number}(Context &b2l_c) {{
Queue &q = state(b2l_c).queue[{which}];
{receive}
}}"""
    targets = tables.address(operation.targets)
    one_by_one = "!q.unique" if vector_rows(operation) else "false"
    sharing = _sharing(operation)
    share_out, cut = {
        None: ("false", ""),
        "targets": ("state(b2l_c).team.size > 1 && q.ascending", _CUT_BY_TARGET),
        "synapses": ("state(b2l_c).team.size > 1", _CUT_BY_SYNAPSE),
    }[sharing]
    return f"""
static void deliver_{number}(Context &b2l_c, int thread, int threads) {{
Queue &q = state(b2l_c).queue[{which}];
auto kernel = operation_{k}::make(b2l_c);
const int32_t *targets = {targets};
const bool one_by_one = {one_by_one};
void *const *copies = q.copied ? q.copies : nullptr;
int64_t first = 0, last = 0;
if (threads > 1) share({tables.length(_target_shape(operation))}, thread, threads, first, last);
(void)targets;
for (int64_t r = 0; r < q.ranges_count; r++) {{
int64_t low = q.ranges[r].begin, high = q.ranges[r].end;
const int32_t *order = q.order;
if (low < 0) {{
low = -1 - low;
high = low + 1;
order = nullptr;
}}
if (threads > 1) {{
{cut}
}}
if (one_by_one) for (int64_t at = low; at < high; at++) kernel(at, at + 1, order, copies);
else kernel(low, high, order, copies);
}}
}}
static inline void group_{number}(Context &b2l_c) {{
Queue &q = state(b2l_c).queue[{which}];
{receive}
if (q.ranges_count) {{
int64_t synapses = 0;
const bool share_out = {share_out};
if (share_out)
for (int64_t r = 0; r < q.ranges_count; r++)
synapses += q.ranges[r].begin < 0 ? 1 : q.ranges[r].end - q.ranges[r].begin;
if (share_out && synapses > 2000) state(b2l_c).team.run(deliver_{number}, b2l_c);
else deliver_{number}(b2l_c, 0, 1);
}}
{counting}
}}"""


def _target_shape(operation: program.Pathway) -> str:
    """An array with one element a target, for the borders between threads."""
    index = target_index(operation)
    for access in sorted(operation.statements.writes, key=lambda a: a.array):
        if access.index == index:
            return access.array
    return operation.events


#: The part of a row that has a thread's targets; targets ascend in it.
_CUT_BY_TARGET = """int64_t a = low, b = high;
while (a < b) {
const int64_t middle = (a + b) / 2;
if (targets[order ? order[middle] : middle] < first) a = middle + 1; else b = middle;
}
low = a;
b = high;
while (a < b) {
const int64_t middle = (a + b) / 2;
if (targets[order ? order[middle] : middle] < last) a = middle + 1; else b = middle;
}
high = a;"""

#: Short rows in turn, long ones in parts.
_CUT_BY_SYNAPSE = """if (high - low < 512) {
if (r % threads != thread) continue;
} else {
int64_t a, b;
share(high - low, thread, threads, a, b);
high = low + b;
low += a;
}"""


def _sharing(operation: program.Pathway) -> str | None:
    """How threads may share a delivery so that none writes what another reads or writes."""
    statements = operation.statements
    index = target_index(operation)
    if not statements.functions <= POSITION_INDEPENDENT:
        return None
    if writes_only(statements, {program.ELEMENT}):
        return "synapses"
    return "targets" if writes_only(statements, {program.ELEMENT, index}) else None


def copies(operation: program.Pathway, step_program: program.StepProgram, tables: Tables) -> str:
    """Fill the copies of synaptic arrays, where they are small enough to be worth it."""
    copied = copied_arrays(operation, step_program)
    if not copied or operation.silent:
        return ""
    size = " + ".join(f"sizeof({tables.ctype(array)})" for array in copied)
    fills = "\n".join(
        f"copy_in_order(q, {place}, {tables.address(array)});" for place, array in enumerate(copied)
    )
    return f"""q.copied = q.order && q.synapses * (int64_t)({size}) <= COPY_LIMIT;
if (q.copied) {{
{fills}
}}"""
