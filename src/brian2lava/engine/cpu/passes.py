"""Fused passes as C++: kernels over the same elements, block by block, in any number of threads."""

from __future__ import annotations

import re
from collections.abc import Iterable

from brian2lava.engine.cpu.fuse import Group
from brian2lava.engine.cpu.source import BLOCK, Tables
from brian2lava.program import step_program as program
from brian2lava.program.effects import elementwise


def count_expression(operation: program.Operation, k: int, tables: Tables) -> str:
    """The number of elements, outside the kernel."""
    count = operation.count  # type: ignore[attr-defined]
    match = re.fullmatch(r"_ptr(\w+)\[0\]", count)
    if match:
        return f"(int64_t){tables.address(match.group(1))}[0]"
    for position, constant in enumerate(operation.statements.constants):
        if constant.name == count:
            place = tables.integers.setdefault((k, position), len(tables.integers))
            return f"b2l_c.integers[{place}]"
    raise KeyError(count)


def fused_pass(number: int, group: Group, step_program: program.StepProgram, tables: Tables) -> str:
    operations = [(k, step_program.operations[k]) for k in group.members]
    count = count_expression(operations[0][1], operations[0][0], tables)
    makes = "\n".join(f"auto kernel_{k} = operation_{k}::make(b2l_c);" for k, _ in operations)
    shared = all(elementwise(operation) for _, operation in operations)
    parallel = "n >= 2048 ? state(b2l_c).team.size : 1" if shared else "1"
    calls, begins, ends, joins = [], [], [], []
    for slot, (k, operation) in enumerate(operations):
        if isinstance(operation, program.Threshold):
            begins.append(
                f"int32_t *events_{k} = {tables.address(operation.events)} + low;\n"
                f"int64_t count_{k} = 0;"
            )
            calls.append(
                f"kernel_{k}(b, e, mask);\ncount_{k} = collect(mask, b, e, events_{k}, count_{k});"
            )
            if operation.not_refractory:
                assert operation.lastspike and operation.time
                ends.append(
                    f"for (int64_t k = 0; k < count_{k}; k++) {{\n"
                    f"{tables.address(operation.not_refractory)}[events_{k}[k]] = false;\n"
                    f"{tables.address(operation.lastspike)}[events_{k}[k]] ="
                    f" {tables.address(operation.time)}[0];\n}}"
                )
            ends.append(f"state(b2l_c).event_count[thread][{slot}] = count_{k};")
            joins.append(_join_events(k, slot, operation, tables))
        else:
            calls.append(f"kernel_{k}(b, e, mask);")
    return f"""
static void pass_{number}(Context &b2l_c, int thread, int threads) {{
int64_t low, high;
const int64_t n = {count};
share(n, thread, threads, low, high);
if (low == high && thread > 0) {{
for (int k = 0; k < {len(operations)}; k++) state(b2l_c).event_count[thread][k] = 0;
return;
}}
alignas(64) char mask[{BLOCK}];
(void)mask;
{makes}
{chr(10).join(begins)}
for (int64_t b = low; b < high; b += {BLOCK}) {{
const int64_t e = b + {BLOCK} < high ? b + {BLOCK} : high;
{chr(10).join(calls)}
}}
{chr(10).join(ends)}
}}
static inline void group_{number}(Context &b2l_c) {{
const int64_t n = {count};
(void)n;
const int threads = {parallel};
if (threads == 1) pass_{number}(b2l_c, 0, 1);
else state(b2l_c).team.run(pass_{number}, b2l_c);
{chr(10).join(joins)}
{count_executions(group.members, tables)}
}}"""


def _join_events(k: int, slot: int, operation: program.Threshold, tables: Tables) -> str:
    """Close the gaps between the threads' events."""
    place = tables.data(operation.events)
    return f"""{{
int32_t *events = {tables.address(operation.events)};
int64_t total = state(b2l_c).event_count[0][{slot}];
for (int t = 1; t < threads; t++) {{
int64_t low, high;
share(n, t, threads, low, high);
const int64_t found = state(b2l_c).event_count[t][{slot}];
memmove(events + total, events + low, found * sizeof(int32_t));
total += found;
}}
events[b2l_c.length[{place}] - 1] = (int32_t)total;
}}"""


def count_executions(members: Iterable[int], tables: Tables) -> str:
    return "\n".join(
        f"b2l_c.executions[{tables.random.index(k)}]++;" for k in members if k in tables.random
    )
