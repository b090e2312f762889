"""Groups of operations as parts of a kernel: what their blocks do, and what is done at its end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from brian2lava.engine.cpu.deliveries import pathways
from brian2lava.engine.cpu.fuse import Group
from brian2lava.engine.cpu.passes import count_executions
from brian2lava.engine.cpu.source import Tables
from brian2lava.engine.cuda.kernels import summed_by_target
from brian2lava.engine.cuda.modes import Mode, mode_of
from brian2lava.engine.cuda.plan import Count, GroupPlan, QueuePlan, SumPlan
from brian2lava.program import step_program as program
from brian2lava.program.effects import elementwise, elementwise_statements

ONE = Count("number", 1)


@dataclass
class Part:
    """A group in a kernel.

    ``body`` is run by every block of the group, ``end`` by one thread once all are through, and
    ``join`` before it by all threads of one block. ``full`` is true where there is no room for what
    the group would record; ``call`` says of which operation.
    """

    plan: GroupPlan
    body: str
    end: str = ""
    join: str = ""
    full: str = ""
    call: int = 0
    one_by_one: bool = False


@dataclass
class Frames:
    """Renders groups, and gives out places for queues, sums and thresholds."""

    step_program: program.StepProgram
    tables: Tables
    deterministic: bool
    queues: dict[int, QueuePlan] = field(default_factory=dict)
    sums: list[SumPlan] = field(default_factory=list)
    thresholds: list[Count] = field(default_factory=list)

    def part(self, group: Group) -> Part:
        """A group as a part of a kernel."""
        k = group.members[0]
        operation = self.step_program.operations[k]
        part = _PARTS[type(operation)](self, group, k, operation)
        part.end += count_executions(group.members, self.tables)
        return part

    def count(self, k: int, name: str) -> Count:
        """A number of elements as statements name it."""
        match = re.fullmatch(r"_ptr(\w+)\[0\]", name)
        if match:
            return Count("value", self.tables.data(match.group(1)))
        for position, constant in enumerate(self.step_program.operations[k].statements.constants):
            if constant.name == name:
                place = self.tables.integers.setdefault((k, position), len(self.tables.integers))
                return Count("integer", place)
        raise KeyError(name)

    def text(self, count: Count) -> str:
        """A number of elements as C."""
        if count.kind == "value":
            name = next(name for name, k in self.tables.arrays.items() if k == count.place)
            return f"(int64_t){self.tables.address(name)}[0]"
        return f"b2l_c.integers[{count.place}]"

    def events(self, operation: object) -> str:
        """Declares ``spikes``, the events of an operation's sources."""
        events, first, last = operation.events, operation.first, operation.last  # type: ignore[attr-defined]
        return (
            f"const b2l::Spikes spikes = b2l::spikes_of({self.tables.address(events)},"
            f" {self.tables.length(events)}, {first}, {last});"
        )


def _alone(body: str) -> str:
    """By the first thread."""
    return f"B2L_PHASE {{ if (mine == 0) {{\n{body}\n}} }}"


def _pass(frames: Frames, group: Group, k: int, _: program.Operation) -> Part:
    operations = [(n, frames.step_program.operations[n]) for n in group.members]
    first = operations[0][1]
    assert isinstance(first, program.Elementwise | program.Threshold)
    count = frames.count(k, first.count)
    if not all(elementwise(operation) for _, operation in operations):
        return _pass_alone(frames, k, first, count)
    calls, joins, keeps = [], [], []
    marks: list[int] = []
    for n, operation in operations:
        call = f"operation_{n}::make(b2l_c)(element)"
        if not isinstance(operation, program.Threshold):
            calls.append(f"{call};")
            continue
        place, slot = len(frames.thresholds), len(marks)
        frames.thresholds.append(count)
        calls.append(f"if ({call}) b2l::mark(marked[{slot}], b2l_thread);")
        marks.append(slot)
        keeps.append(
            f"if (b2l::marked(marked[{slot}], b2l_thread)) b2l_c.found[{place}]"
            f"[block * B2L_THREADS + b2l::before(marked[{slot}], b2l_thread)] = (int32_t)element;\n"
            f"if (b2l_thread == 0) b2l_c.counts[{place}][block] = b2l::before(marked[{slot}],"
            f" B2L_THREADS - 1) + b2l::marked(marked[{slot}], B2L_THREADS - 1);"
        )
        joins.append(
            f"b2l::join_events(b2l_c.found[{place}], b2l_c.counts[{place}], blocks,"
            f" {frames.tables.address(operation.events)},"
            f" {frames.tables.length(operation.events)});"
        )
    element = "const int64_t element = block * B2L_THREADS + b2l_thread;"
    body = f"B2L_PHASE {{\n{element}\nif (element < {frames.text(count)}) {{\n"
    body += "\n".join(calls) + "\n}\n}"
    if marks:
        clear = "\n".join(
            f"if (b2l_thread < B2L_THREADS / 32) marked[{slot}][b2l_thread] = 0;" for slot in marks
        )
        body = f"""B2L_SHARED uint32_t marked[{len(marks)}][B2L_THREADS / 32];
B2L_PHASE {{ {clear} }}
B2L_SYNC
{body}
B2L_SYNC
B2L_PHASE {{
{element}
{chr(10).join(keeps)}
}}"""
    return Part(GroupPlan(count), body, join="\n".join(joins))


def _pass_alone(
    frames: Frames, k: int, operation: program.Elementwise | program.Threshold, count: Count
) -> Part:
    """Statements whose elements depend on each other, one after the other."""
    loop = f"for (int64_t element = 0; element < {frames.text(count)}; element++)"
    if isinstance(operation, program.Threshold):
        events = frames.tables.address(operation.events)
        text = f"""int32_t *events = {events};
int32_t found = 0;
auto kernel = operation_{k}::make(b2l_c);
{loop} if (kernel(element)) events[found++] = (int32_t)element;
events[{frames.tables.length(operation.events)} - 1] = found;"""
    else:
        text = f"auto kernel = operation_{k}::make(b2l_c);\n{loop} kernel(element);"
    return Part(GroupPlan(ONE), _alone(text), one_by_one=True)


def _reset(frames: Frames, group: Group, k: int, operation: program.Reset) -> Part:
    if not operation.statements.vector:
        return Part(GroupPlan(ONE), "")
    statements = operation.statements
    free = elementwise_statements(statements) and not statements.scalar_writes
    length = frames.tables.length(operation.events)
    first, step = ("mine", "all") if free else ("0", "1")
    text = f"""const int32_t *events = {frames.tables.address(operation.events)};
const int64_t n = events[{length} - 1];
if (n > {first}) {{
auto kernel = operation_{k}::make(b2l_c);
for (int64_t e = {first}; e < n; e += {step}) kernel(events[e]);
}}"""
    if not free:
        return Part(GroupPlan(ONE), _alone(text), one_by_one=True)
    size = Count("length", frames.tables.data(operation.events))
    return Part(GroupPlan(size, each=16), f"B2L_PHASE {{\n{text}\n}}")


def _pathway(frames: Frames, group: Group, k: int, operation: program.Pathway) -> Part:
    tables = frames.tables
    which = [place for place, _ in pathways(frames.step_program)].index(k)  # as the host counts
    mode = mode_of(operation, tables.ctype, frames.deterministic)
    frames.queues[which] = QueuePlan(
        first=operation.first,
        last=operation.last,
        sources=tables.data(operation.sources),
        targets=tables.data(operation.targets),
        delays=tables.data(operation.delays),
        dt=tables.data(operation.dt),
        by_target=mode is Mode.BY_TARGET and not operation.silent,
    )
    targets = tables.address(operation.targets)
    delivered = {
        Mode.AT_ONCE: "b2l::deliver_at_once(q, spikes, mine, all, kernel);",
        Mode.BY_TARGET: f"b2l::deliver_by_target(q, spikes, {targets}, b2l_c.targets[{which}],"
        " mine, all, kernel);",
        Mode.IN_ORDER: "if (mine == 0) b2l::deliver_in_order(q, spikes, kernel);",
    }[mode]
    made = f"auto kernel = operation_{k}::make(b2l_c);"
    if mode is Mode.IN_ORDER:  # its scalar statements may write
        delivered = f"if (mine == 0) {{ {made} b2l::deliver_in_order(q, spikes, kernel); }}"
    else:
        delivered = f"{made}\n{delivered}"
    if operation.silent:
        delivered = ""
    queue = f"b2l::Queue &q = b2l_c.queues[{which}];\n{frames.events(operation)}"
    body = f"""B2L_PHASE {{
{queue}
{delivered}
b2l::store(q, spikes, mine, all);
b2l::keep_flights(q, spikes, mine, all);
}}"""
    return Part(
        GroupPlan(ONE, rows=which),
        body,
        end=f"{{ {queue}\nb2l::received(q, spikes); }}\n",
        full=f"([&] {{ {queue}\nreturn b2l::is_full(q, spikes); }})()",
        call=-1 - which,
        one_by_one=mode is Mode.IN_ORDER and not operation.silent,
    )


def _summed(frames: Frames, group: Group, k: int, operation: program.SummedVariable) -> Part:
    if not summed_by_target(operation):
        return Part(GroupPlan(ONE), _alone(f"operation_{k}::make(b2l_c);"), one_by_one=True)
    place, targets = len(frames.sums), frames.count(k, operation.target_count)
    frames.sums.append(
        SumPlan(
            frames.tables.data(operation.index), frames.count(k, operation.count), targets,
            operation.target_start,
        )
    )  # fmt: skip
    kind = frames.tables.ctype(operation.target)
    body = f"""B2L_PHASE {{
const b2l::Sums &sums = b2l_c.sums[{place}];
if (mine < {frames.text(targets)}) {{
auto kernel = operation_{k}::make(b2l_c);
for (int64_t target = mine; target < {frames.text(targets)}; target += all) {{
{kind} sum = 0;
for (int64_t at = sums.row[target]; at < sums.row[target + 1]; at++) sum += kernel(sums.order[at]);
{frames.tables.address(operation.target)}[target + {operation.target_start}] = sum;
}}
}}
}}"""
    return Part(GroupPlan(targets), body)


def _source(frames: Frames, group: Group, k: int, operation: program.SpikeSource) -> Part:
    return Part(GroupPlan(ONE), _alone(f"operation_{k}::run(b2l_c);"))


def _cable(frames: Frames, group: Group, k: int, operation: program.CableEquation) -> Part:
    return Part(GroupPlan(ONE), _alone(f"operation_{k}::make(b2l_c);"), one_by_one=True)


def _full(frames: Frames, arrays: list[str], more: str) -> str:
    places = [frames.tables.data(array) for array in arrays]
    return " || ".join(f"b2l_c.rows[{k}][0] + {more} > b2l_c.capacity[{k}]" for k in places)


def _rows(frames: Frames, arrays: list[str], rows: str) -> str:
    return "\n".join(f"b2l_c.rows[{frames.tables.data(array)}][0] = {rows};" for array in arrays)


def _states(frames: Frames, group: Group, k: int, operation: program.StateRecorder) -> Part:
    tables = frames.tables
    arrays = [operation.times, *(array for _, array in operation.recorded)]
    row = f"b2l_c.rows[{tables.data(operation.times)}][0]"
    count = tables.length(operation.indices)
    body = f"""B2L_PHASE {{
const int64_t row = {row}, count = {count};
if (mine == 0) {tables.address(operation.times)}[row] = {tables.address(operation.time)}[0];
if (mine < count) {{
auto kernel = operation_{k}::make(b2l_c);
for (int64_t i = mine; i < count; i += all) kernel(i, count, row);
}}
}}"""
    end = f"""{{ const int64_t rows = {row} + 1;
{_rows(frames, arrays, "rows")}
{tables.address(operation.rows)}[0] = (int32_t)rows; }}
"""
    return Part(
        GroupPlan(Count("length", tables.data(operation.indices))), body, end=end,
        full=_full(frames, arrays, "1"), call=k,
    )  # fmt: skip


def _spikes(frames: Frames, group: Group, k: int, operation: program.EventRecorder) -> Part:
    tables = frames.tables
    arrays = [array for _, array in operation.recorded]
    spikes = frames.events(operation)
    row = f"{tables.address(operation.rows)}[0]"
    body = f"""B2L_PHASE {{
{spikes}
const int64_t count = spikes.end - spikes.begin, row = {row};
if (mine < count) {{
auto kernel = operation_{k}::make(b2l_c);
for (int64_t e = mine; e < count; e += all) kernel(spikes.events[spikes.begin + e], row + e);
}}
}}"""
    end = f"""{{ {spikes}
const int64_t rows = {row} + (spikes.end - spikes.begin);
{_rows(frames, arrays, "rows")}
{row} = (int32_t)rows; }}
"""
    more = f"{tables.address(operation.events)}[{tables.length(operation.events)} - 1]"
    return Part(
        GroupPlan(Count("length", tables.data(operation.events)), each=16), body, end=end,
        full=_full(frames, arrays, more), call=k,
    )  # fmt: skip


def _rates(frames: Frames, group: Group, k: int, operation: program.RateRecorder) -> Part:
    tables = frames.tables
    arrays = [operation.times, operation.rates]
    end = f"""{{ {frames.events(operation)}
const int64_t row = b2l_c.rows[{tables.data(operation.times)}][0];
{tables.address(operation.rates)}[row] = 1.0 * (spikes.end - spikes.begin)
    / {tables.address(operation.dt)}[0] / ({operation.last} - {operation.first});
{tables.address(operation.times)}[row] = {tables.address(operation.time)}[0];
{_rows(frames, arrays, "row + 1")}
{tables.address(operation.rows)}[0] = (int32_t)(row + 1); }}
"""
    return Part(GroupPlan(ONE), "", end=end, full=_full(frames, arrays, "1"), call=k)


_PARTS: dict[type, Callable[..., Part]] = {
    program.Elementwise: _pass,
    program.Threshold: _pass,
    program.Reset: _reset,
    program.Pathway: _pathway,
    program.SummedVariable: _summed,
    program.SpikeSource: _source,
    program.StateRecorder: _states,
    program.EventRecorder: _spikes,
    program.RateRecorder: _rates,
    program.CableEquation: _cable,
}
