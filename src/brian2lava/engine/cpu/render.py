"""StepProgram -> one C++ translation unit.

Each operation becomes a *kernel*: its scalar statements, and a loop over a range of elements that
its vector statements fill. Kernels over the same elements that do not disturb each other are run
together, block by block, while their data are in the cache (see :mod:`fuse`). Everything that
differs between two runs of the same model (sizes, addresses, constants) is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from brian2lava.engine.cpu import cable
from brian2lava.engine.cpu.fuse import Group, group_operations
from brian2lava.program import step_program as program
from brian2lava.program.effects import effects, elementwise, elementwise_statements, writes_only

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
#: Names in statements that contain names of objects; they get canonical ones, so that a second
#: network of the same shape is the same source.
_OBJECT_NAMES = re.compile(
    r"\b(?:_ptr_array_\w+|_ptr_table_\w+|_timedarray\w*|_binomial\w*|_namespace\w+)\b"
)
#: Functions that compute the same bits in scalar and in vector loops.
POSITION_INDEPENDENT = frozenset(
    {"exp", "abs", "clip", "sign", "timestep", "int", "rand", "ceil", "floor", "sqrt"}
)
#: A line of a user function's code that includes a header; one that only declares a function.
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b.*$", re.MULTILINE)
_DECLARATION = re.compile(
    r"^(?!\s*return\b)[ \t]*(?:[\w:<>*&]+[ \t]+)+[*&]*(\w+)[ \t]*\([^;{}()]*\)[ \t]*;[ \t]*$",
    re.MULTILINE,
)
_BLOCK = 1024


@dataclass(frozen=True)
class Source:
    """A rendered program. ``arrays`` and ``constants`` are the order of the context's tables."""

    text: str
    arrays: tuple[str, ...]
    reals: tuple[tuple[int, int], ...]
    integers: tuple[tuple[int, int], ...]
    random: tuple[int, ...]


@dataclass
class _Tables:
    """Positions in the context's tables, given out while rendering."""

    program: program.StepProgram
    arrays: dict[str, int] = field(default_factory=dict)
    reals: dict[tuple[int, int], int] = field(default_factory=dict)
    integers: dict[tuple[int, int], int] = field(default_factory=dict)
    random: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ctypes = {array.id: array.ctype for array in self.program.arrays}
        self._dynamic = {array.id for array in self.program.arrays if array.dynamic}

    def data(self, array_id: str) -> int:
        return self.arrays.setdefault(array_id, len(self.arrays))

    def ctype(self, array_id: str) -> str:
        return self._ctypes[array_id]

    def length(self, array_id: str) -> str:
        """The number of elements of an array, as an expression."""
        k = self.data(array_id)
        return f"b2l_c.rows[{k}][0]" if array_id in self._dynamic else f"b2l_c.length[{k}]"

    def address(self, array_id: str) -> str:
        return f"(({self.ctype(array_id)} *)b2l_c.data[{self.data(array_id)}])"


def render(step_program: program.StepProgram, fuse: bool = True) -> Source:
    """The translation unit of ``step_program``; with ``fuse=False`` each operation runs alone."""
    tables = _Tables(step_program)
    parts = [_at_file_scope(step_program)]
    kernels = [
        _KERNELS[type(operation)](k, operation, tables)
        for k, operation in enumerate(step_program.operations)
    ]
    parts.extend(kernels)
    groups = group_operations(step_program, fuse)
    parts.append("namespace b2l {")  # what users' headers declare is hidden from here on
    parts.append(_state(step_program))
    parts.extend(_group(number, group, step_program, tables) for number, group in enumerate(groups))
    parts.append(_prepare(step_program, tables))
    parts.append(_advance(step_program, groups, tables))
    parts.append("}")
    text = _canonical("\n".join(parts))
    return Source(
        text=text,
        arrays=tuple(tables.arrays),
        reals=tuple(tables.reals),
        integers=tuple(tables.integers),
        random=tuple(tables.random),
    )


def _at_file_scope(step_program: program.StepProgram) -> str:
    """Headers, and what the code of user functions says that has no place in a namespace."""
    headers = [
        f"#include {name}" if name.startswith(("<", '"')) else f'#include "{name}"'
        for name in step_program.headers
    ]
    outside = [
        line
        for operation in step_program.operations
        for line in _outside(operation.statements.support)
    ]
    return "\n".join(dict.fromkeys([*headers, *outside]))


def _outside(support: str) -> list[str]:
    """The lines that include headers, or declare functions that are defined in other files."""
    declared = [
        match.group(0)
        for match in _DECLARATION.finditer(support)
        if _depth(support[: match.start()]) == 0
        and not re.search(rf"\b{match.group(1)}\s*\([^;{{}}]*\)\s*\{{", support)
    ]
    return [*(match.group(0) for match in _INCLUDE.finditer(support)), *declared]


def _depth(text: str) -> int:
    """How many braces are open at the end of a text."""
    return text.count("{") - text.count("}")


def _inside(support: str) -> str:
    """The rest, with the same line numbers."""
    for line in _outside(support):
        support = support.replace(line, "")
    return support


def _canonical(text: str) -> str:
    names: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        return names.setdefault(match.group(0), f"b2l_name_{len(names)}")

    return _OBJECT_NAMES.sub(rename, text)


# ---------------------------------------------------------------- pieces of kernels
def _used(names: Iterable[str], *texts: str) -> set[str]:
    words = {word for text in texts for word in _IDENTIFIER.findall(text)}
    return {name for name in names if name in words}


def _pointers(tables: _Tables, *texts: str) -> str:
    """Declarations of the array pointers that the texts use."""
    declared = []
    for array in tables.program.arrays:
        name = f"_ptr{array.id}"
        if _used([name], *texts):
            restrict = "" if array.scalar else "__restrict "
            declared.append(f"{array.ctype} *{restrict}{name} = {tables.address(array.id)};")
    return "\n".join(declared)


def _constants(k: int, statements: program.Statements, tables: _Tables, *texts: str) -> str:
    declared = []
    for position, constant in enumerate(statements.constants):
        if not _used([constant.name], *texts):
            continue
        key = (k, position)
        if constant.ctype in ("double", "float"):
            place = tables.reals.setdefault(key, len(tables.reals))
            value = f"b2l_c.reals[{place}]"
        else:
            place = tables.integers.setdefault(key, len(tables.integers))
            value = f"b2l_c.integers[{place}]"
        declared.append(f"const {constant.ctype} {constant.name} = ({constant.ctype}){value};")
    return "\n".join(declared)


def _random(k: int, statements: program.Statements, tables: _Tables) -> tuple[str, str]:
    """What stands before the loop and at the head of each element where numbers are drawn."""
    if not statements.random and "_rand" not in statements.support:
        return "", ""
    if k not in tables.random:
        tables.random.append(k)
    ordinal = tables.random.index(k)
    before = (
        f"const uint64_t _key = b2l::stream_key(b2l_c.seed, {ordinal});\n"
        f"const uint64_t _execution = (uint64_t)b2l_c.executions[{ordinal}];"
    )
    if _through_functions(statements):
        each = (
            "b2l::site.key = _key; b2l::site.execution = _execution; b2l::site.draw = 0;"
            " b2l::site.element = (uint32_t)_vectorisation_idx;"
        )
    else:
        each = "uint32_t _draw = 0; (void)_draw;"
    return before, each


def _through_functions(statements: program.Statements) -> bool:
    """Whether functions with code of their own draw random numbers."""
    return "_rand" in statements.support


def _support(k: int, statements: program.Statements, tables: _Tables) -> str:
    """Functions that the statements call, and the names under which they draw."""
    lines = []
    if _through_functions(statements):
        lines.append(
            "static inline double _rand(int64_t) { return b2l::site_uniform(); }\n"
            "static inline double _randn(int64_t) { return b2l::site_normal(); }\n"
            "static inline int32_t _poisson(double lam, int64_t) {\n"
            "    return b2l::poisson(lam, b2l::site.key, b2l::site.element, b2l::site.draw,\n"
            "                        b2l::site.execution);\n}"
        )
    if statements.support:
        lines.append(f'#line 1 "operation_{k}_support"\n{_inside(statements.support)}')
        lines.append('#line 1 "rendered"')
    if statements.random and not _through_functions(statements):
        lines.append(
            "#define _rand(i) b2l::uniform(_key, (uint32_t)(i), _draw++, _execution)\n"
            "#define _randn(i) b2l::normal(_key, (uint32_t)(i), _draw++, _execution)\n"
            "#define _poisson(lam, i) b2l::poisson((lam), _key, (uint32_t)(i), _draw, _execution)"
        )
    return "\n".join(lines)


def _undefine(statements: program.Statements) -> str:
    names = re.findall(r"^\s*#define\s+(\w+)", statements.support, re.MULTILINE)
    lines = [f"#undef {name}" for name in names]
    if statements.random and not _through_functions(statements):
        lines += ["#undef _rand", "#undef _randn", "#undef _poisson"]
    return "\n".join(lines)


def _bind_tables(statements: program.Statements, tables: _Tables) -> str:
    return "\n".join(
        f"_namespace{key} = (decltype(_namespace{key}))b2l_c.data[{tables.data(table)}];"
        for key, table in statements.tables
    )


def _marked(k: int, what: str, text: str) -> str:
    """User statements, with line numbers that lead a compiler error back to them."""
    return f'#line 1 "operation_{k}_{what}"\n{text}\n#line 1 "rendered"' if text else ""


def _scalar_block(k: int, statements: program.Statements, each: str) -> str:
    return f"""const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;
{each}
{_marked(k, "scalar", statements.scalar)}"""


def _kernel(
    k: int,
    operation: program.Operation,
    tables: _Tables,
    body: Callable[[str], str],
    extra: str = "",
) -> str:
    """A namespace with a class: constructing it runs the scalar statements.

    ``body(vector)`` gives the member functions' text: a lambda list of C++ inside ``make``.
    """
    statements = operation.statements
    before, each = _random(k, statements, tables)
    vector = _marked(k, "vector", statements.vector)
    inner = body(f"{each}\n{vector}")
    return f"""
namespace operation_{k} {{
{_support(k, statements, tables)}
static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {{
(void)b2l_c;
{_bind_tables(statements, tables)}
{_pointers(tables, statements.scalar)}
{_constants(k, statements, tables, statements.scalar, statements.vector, inner, extra)}
{before}
{_scalar_block(k, statements, each)}
{inner}
}}
{_undefine(statements)}
}}"""


def _vector_loop(
    tables: _Tables, statements: program.Statements, vector: str, after: str = "", texts: str = ""
) -> str:
    independent = "#pragma GCC ivdep\n" if elementwise_statements(statements) else ""
    return f"""return [=, &b2l_c](const int64_t _low, const int64_t _high, char *_mask) {{
(void)b2l_c; (void)_mask;
{_pointers(tables, vector, texts)}
{independent}for (int64_t _idx = _low; _idx < _high; _idx++) {{
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{after}
}}
}};"""


def _render_elementwise(k: int, operation: program.Elementwise, tables: _Tables) -> str:
    return _kernel(
        k,
        operation,
        tables,
        lambda vector: _vector_loop(tables, operation.statements, vector),
    )


def _render_threshold(k: int, operation: program.Threshold, tables: _Tables) -> str:
    return _kernel(
        k,
        operation,
        tables,
        lambda vector: _vector_loop(
            tables, operation.statements, vector, "_mask[_idx - _low] = (char)(_cond);"
        ),
    )


def _render_reset(k: int, operation: program.Reset, tables: _Tables) -> str:
    statements = operation.statements

    def body(vector: str) -> str:
        return f"""return [=, &b2l_c](const int32_t *_events,
const int64_t _low, const int64_t _high) {{
(void)b2l_c;
{_pointers(tables, vector)}
for (int64_t _event = _low; _event < _high; _event++) {{
const int64_t _idx = _events[_event], _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
}}
}};"""

    return _kernel(k, operation, tables, body) if statements.vector else ""


def _render_pathway(k: int, operation: program.Pathway, tables: _Tables) -> str:
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
{_pointers(tables, vector)}
if (_order == nullptr) {{
{loop("_position", vector)}
}} else {through_copies}{{
{loop("_order[_position]", vector)}
}}
}};"""

    return _kernel(k, operation, tables, body)


def copied_arrays(
    operation: program.Pathway, step_program: program.StepProgram
) -> tuple[str, ...]:
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
    own = {program.ELEMENT, _target_index(operation)}
    return (
        writes_only(statements, own)
        and bool(statements.functions)
        and statements.functions <= POSITION_INDEPENDENT
    )


def _target_index(operation: program.Pathway) -> str:
    return (
        "_postsynaptic_idx"
        if operation.targets.endswith("_synaptic_post")
        else "_presynaptic_idx"
    )


def _render_summed(k: int, operation: program.SummedVariable, tables: _Tables) -> str:
    target, index = f"_ptr{operation.target}", f"_ptr{operation.index}"

    def body(vector: str) -> str:
        return f"""{_pointers(tables, vector, target, index, operation.target_count)}
{_pointers(tables, operation.count) if operation.count not in vector else ""}
const int64_t _target_count = {operation.target_count};
for (int64_t _k = 0; _k < _target_count; _k++) {target}[_k + {operation.target_start}] = 0;
const int64_t _count = {operation.count};
for (int64_t _idx = 0; _idx < _count; _idx++) {{
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{target}[{index}[_idx]] += _synaptic_var;
}}
return 0;"""

    return _kernel(k, operation, tables, body, operation.count + operation.target_count)


def _render_spikesource(k: int, operation: program.SpikeSource, tables: _Tables) -> str:
    def at(name: str) -> str:
        return tables.address(name)

    return f"""
namespace operation_{k} {{
static inline void run(b2l::Context &b2l_c) {{
    int32_t *events = {at(operation.events)};
    int32_t *last = {at(operation.lastindex)};
    const int32_t *bins = {at(operation.timebins)}, *neurons = {at(operation.neuron_index)};
    const int64_t spikes = {tables.length(operation.timebins)};
    const int64_t period = {at(operation.period_bins)}[0];
    int64_t bin = {at(operation.timestep)}[0];
    if (period > 0) {{
        bin %= period;
        if (last[0] > 0 && bins[last[0] - 1] >= bin) last[0] = 0;
    }}
    int64_t count = 0, k = last[0];
    for (; k < spikes && bins[k] <= bin; k++) events[count++] = neurons[k];
    events[b2l_c.length[{tables.data(operation.events)}] - 1] = (int32_t)count;
    last[0] = (int32_t)k;
}}
}}"""


def _render_state_recorder(k: int, operation: program.StateRecorder, tables: _Tables) -> str:
    def body(vector: str) -> str:
        stores = "\n".join(
            f"(({tables.ctype(array)} *)b2l_c.data[{tables.data(array)}])"
            f"[_row * _count + _i] = _to_record_{name};"
            for name, array in operation.recorded
        )
        rows = "\n".join(
            f"b2l_c.rows[{tables.data(array)}][0] = _row + 1;"
            for array in (operation.times, *(array for _, array in operation.recorded))
        )
        indices = f"_ptr{operation.indices}"
        return f"""{_pointers(tables, vector, indices)}
const int64_t _count = {tables.length(operation.indices)};
const int64_t _row = b2l_c.rows[{tables.data(operation.times)}][0];
{tables.address(operation.times)}[_row] = {tables.address(operation.time)}[0];
for (int64_t _i = 0; _i < _count; _i++) {{
const int64_t _idx = {indices}[_i], _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{stores}
}}
{rows}
{tables.address(operation.rows)}[0] = (int32_t)(_row + 1);
return 0;"""

    return _kernel(k, operation, tables, body)


def _render_event_recorder(k: int, operation: program.EventRecorder, tables: _Tables) -> str:
    def body(vector: str) -> str:
        stores = "\n".join(
            f"(({tables.ctype(array)} *)b2l_c.data[{tables.data(array)}])[_row]"
            f" = _to_record_{name};"
            for name, array in operation.recorded
        )
        rows = "\n".join(
            f"b2l_c.rows[{tables.data(array)}][0] = _row;" for _, array in operation.recorded
        )
        events = tables.data(operation.events)
        return f"""{_pointers(tables, vector)}
const int32_t *_events = {tables.address(operation.events)};
int64_t _low, _high;
b2l::between(_events, _events[b2l_c.length[{events}] - 1], {operation.first}, {operation.last},
             _low, _high);
if (_low == _high) return 0;
int64_t _row = {tables.address(operation.rows)}[0];
auto *_counts = {tables.address(operation.counts)};
for (int64_t _event = _low; _event < _high; _event++) {{
const int64_t _idx = _events[_event], _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{stores}
_counts[_idx - {operation.first}]++;
_row++;
}}
{rows}
{tables.address(operation.rows)}[0] = (int32_t)_row;
return 0;"""

    return _kernel(k, operation, tables, body)


def _render_rate_recorder(k: int, operation: program.RateRecorder, tables: _Tables) -> str:
    times, rates = tables.data(operation.times), tables.data(operation.rates)
    events = tables.data(operation.events)
    return f"""
namespace operation_{k} {{
static inline void run(b2l::Context &b2l_c) {{
    const int32_t *events = {tables.address(operation.events)};
    int64_t low, high;
    b2l::between(events, events[b2l_c.length[{events}] - 1], {operation.first}, {operation.last},
                 low, high);
    const int64_t row = b2l_c.rows[{times}][0];
    {tables.address(operation.rates)}[row] =
        1.0 * (high - low) / {tables.address(operation.dt)}[0]
        / ({operation.last} - {operation.first});
    {tables.address(operation.times)}[row] = {tables.address(operation.time)}[0];
    b2l_c.rows[{times}][0] = b2l_c.rows[{rates}][0] = row + 1;
    {tables.address(operation.rows)}[0] = (int32_t)(row + 1);
}}
}}"""


def _render_cable(k: int, operation: program.CableEquation, tables: _Tables) -> str:
    names = dict(operation.names)
    places = {name: f"_ptr{array}" for name, array in names.items()}
    lengths = {name: tables.length(array) for name, array in names.items()}
    before = cable.before_run(places, lengths, operation.count)

    def body(vector: str) -> str:
        text = cable.step(places, lengths, operation.count, vector)
        return f"{_pointers(tables, text)}\n{text}\nreturn 0;"

    prepare = f"""
namespace operation_{k} {{
static void before_run(b2l::Context &b2l_c) {{
{_pointers(tables, before)}
{_constants(k, operation.statements, tables, before)}
{before}
}}
}}"""
    return _kernel(k, operation, tables, body, operation.count) + prepare


def _render_python(k: int, operation: program.PythonCall, tables: _Tables) -> str:
    return ""


_KERNELS: dict[type, Callable[..., str]] = {
    program.Elementwise: _render_elementwise,
    program.Threshold: _render_threshold,
    program.Reset: _render_reset,
    program.Pathway: _render_pathway,
    program.SummedVariable: _render_summed,
    program.SpikeSource: _render_spikesource,
    program.StateRecorder: _render_state_recorder,
    program.EventRecorder: _render_event_recorder,
    program.RateRecorder: _render_rate_recorder,
    program.CableEquation: _render_cable,
    program.PythonCall: _render_python,
}


# ---------------------------------------------------------------- state, groups, the step
def _pathways(step_program: program.StepProgram) -> list[tuple[int, program.Pathway]]:
    return [
        (k, operation)
        for k, operation in enumerate(step_program.operations)
        if isinstance(operation, program.Pathway)
    ]


def _state(step_program: program.StepProgram) -> str:
    count = max(1, len(_pathways(step_program)))
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


def _count_expression(operation: program.Operation, k: int, tables: _Tables) -> str:
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


def _group(
    number: int, group: Group, step_program: program.StepProgram, tables: _Tables
) -> str:
    """The function of a group: a thread's share of a fused pass, or one operation."""
    first = step_program.operations[group.members[0]]
    if isinstance(first, program.PythonCall):
        return ""
    if isinstance(first, program.Elementwise | program.Threshold):
        return _pass(number, group, step_program, tables)
    return _single(number, group.members[0], first, step_program, tables)


def _pass(number: int, group: Group, step_program: program.StepProgram, tables: _Tables) -> str:
    operations = [(k, step_program.operations[k]) for k in group.members]
    count = _count_expression(operations[0][1], operations[0][0], tables)
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
                f"kernel_{k}(b, e, mask);\n"
                f"count_{k} = collect(mask, b, e, events_{k}, count_{k});"
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
alignas(64) char mask[{_BLOCK}];
(void)mask;
{makes}
{chr(10).join(begins)}
for (int64_t b = low; b < high; b += {_BLOCK}) {{
const int64_t e = b + {_BLOCK} < high ? b + {_BLOCK} : high;
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
{_count_executions(group.members, tables)}
}}"""


def _join_events(k: int, slot: int, operation: program.Threshold, tables: _Tables) -> str:
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


def _count_executions(members: Iterable[int], tables: _Tables) -> str:
    return "\n".join(
        f"b2l_c.executions[{tables.random.index(k)}]++;" for k in members if k in tables.random
    )


def _single(
    number: int,
    k: int,
    operation: program.Operation,
    step_program: program.StepProgram,
    tables: _Tables,
) -> str:
    counting = _count_executions([k], tables)
    if isinstance(operation, program.Reset):
        if not operation.statements.vector:
            body = ""
        else:
            place = tables.data(operation.events)
            body = f"""const int32_t *events = {tables.address(operation.events)};
const int64_t n = events[b2l_c.length[{place}] - 1];
if (n) operation_{k}::make(b2l_c)(events, 0, n);"""
    elif isinstance(operation, program.Pathway):
        body = _delivery(number, k, operation, step_program, tables)
        return f"{body}\n"
    elif isinstance(operation, program.SpikeSource | program.RateRecorder):
        body = f"operation_{k}::run(b2l_c);"
    else:
        body = f"operation_{k}::make(b2l_c);"
    return f"static inline void group_{number}(Context &b2l_c) {{\n{body}\n{counting}\n}}"


def _delivery(
    number: int,
    k: int,
    operation: program.Pathway,
    step_program: program.StepProgram,
    tables: _Tables,
) -> str:
    which = [index for index, _ in _pathways(step_program)].index(k)
    events = tables.data(operation.events)
    receive = (
        f"const int32_t *events = {tables.address(operation.events)};\n"
        f"receive(q, events, events[b2l_c.length[{events}] - 1]);"
    )
    counting = _count_executions([k], tables)
    if operation.silent:
        return f"""static inline void group_{number}(Context &b2l_c) {{
Queue &q = state(b2l_c).queue[{which}];
{receive}
}}"""
    targets = tables.address(operation.targets)
    one_by_one = "!q.unique" if vector_rows(operation) else "false"
    parallel = _parallel(operation)
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
int64_t a = low, b = high;
while (a < b) {{
const int64_t middle = (a + b) / 2;
if (targets[order ? order[middle] : middle] < first) a = middle + 1; else b = middle;
}}
low = a;
b = high;
while (a < b) {{
const int64_t middle = (a + b) / 2;
if (targets[order ? order[middle] : middle] < last) a = middle + 1; else b = middle;
}}
high = a;
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
const bool share_out = {"state(b2l_c).team.size > 1 && q.ascending" if parallel else "false"};
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
    index = _target_index(operation)
    for access in sorted(operation.statements.writes, key=lambda a: a.array):
        if access.index == index:
            return access.array
    return operation.events


def _parallel(operation: program.Pathway) -> bool:
    """Whether threads may share a delivery by target: nobody else's data are written or read."""
    statements = operation.statements
    if not statements.functions <= POSITION_INDEPENDENT:
        return False
    index = _target_index(operation)
    return any(access.index == index for access in statements.writes) and writes_only(
        statements, {program.ELEMENT, index}
    )


def _prepare(step_program: program.StepProgram, tables: _Tables) -> str:
    """Load, tables, export: what happens around the loop."""
    queues = []
    for which, (_, operation) in enumerate(_pathways(step_program)):
        queues.append(f"""{{
Queue &q = state(b2l_c).queue[{which}];
prepare(q, {operation.first}, {operation.last}, {tables.address(operation.sources)},
        {tables.address(operation.targets)}, {tables.length(operation.sources)},
        {tables.address(operation.delays)}, {tables.length(operation.delays)},
        (double){tables.address(operation.dt)}[0]);
{_copy(operation, step_program, tables)}
}}""")
    cables = "\n".join(
        f"operation_{k}::before_run(b2l_c);"
        for k, operation in enumerate(step_program.operations)
        if isinstance(operation, program.CableEquation)
    )
    frees = max(1, len(_pathways(step_program)))
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
extern "C" int64_t b2l_begin(Context *context) {{
Context &b2l_c = *context;
const double started = now_seconds();
{chr(10).join(queues)}
{cables}
b2l_c.report[0] = now_seconds() - started;
return 0;
}}
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


def _copy(
    operation: program.Pathway, step_program: program.StepProgram, tables: _Tables
) -> str:
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


def _advance(
    step_program: program.StepProgram, groups: list[Group], tables: _Tables
) -> str:
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
    steps = "\n".join(_tick(k, clock, single, tables) for k, clock in enumerate(clocks))
    ended = "\n".join(
        f"if (b2l_c.clock == {k} && {tables.address(clock.timestep)}[0] >= b2l_c.i_end[{k}])"
        " return b2l_c.reason_done();"
        for k, clock in enumerate(clocks)
    ).replace("return b2l_c.reason_done();", "return leave(b2l_c, saved, DONE);")
    cases = []
    for number, group in enumerate(groups):
        operation = step_program.operations[group.members[0]]
        due = "" if single else f"if (b2l_c.due[{operation.clock}]) "
        label = f"case {number + 1}:\n"
        if isinstance(operation, program.PythonCall):
            cases.append(
                f"{label}{due}{{ b2l_c.call = {operation.call}; b2l_c.operation = {number + 2};"
                " return leave(b2l_c, saved, PYTHON); }"
            )
            continue
        check = _fullness(number, group.members[0], operation, tables)
        run = f"group_{number}(b2l_c);"
        timed = (
            f"if (b2l_c.profile) {{ const double began = now_seconds(); {run}"
            f" b2l_c.seconds[{group.members[0]}] += now_seconds() - began; }} else {run}"
        )
        cases.append(f"{label}{due}{{ {check}{timed} }}")
    return f"""
static int64_t leave(Context &b2l_c, unsigned saved, int64_t reason) {{
(void)b2l_c;
restore_denormals(saved);
return reason;
}}
extern "C" int64_t b2l_advance(Context *context) {{
Context &b2l_c = *context;
const unsigned saved = flush_denormals();
static const int clock_t[] = {{{t}}}, clock_dt[] = {{{dt}}};
(void)clock_t; (void)clock_dt;
const double until = now_seconds() + 1e-9 * b2l_c.budget;
int64_t done = 0;
for (;;) {{
switch (b2l_c.operation) {{
case 0:
{choose}
{ended}
if (__atomic_load_n(&b2l_c.stop, __ATOMIC_RELAXED)) return leave(b2l_c, saved, STOP);
if (done >= b2l_c.max_steps) return leave(b2l_c, saved, TIME);
if (done && now_seconds() > until) return leave(b2l_c, saved, TIME);
// fall through
{chr(10).join(cases)}
case {len(groups) + 1}:
{steps}
b2l_c.operation = 0;
b2l_c.steps++;
done++;
}}
}}
}}
"""


def _tick(k: int, clock: program.Clock, single: bool, tables: _Tables) -> str:
    """To the clock's next time step, where the clock was due."""
    step = f"{tables.address(clock.timestep)}[0]"
    if clock.dt is not None:
        time = f"{step} * {tables.address(clock.dt)}[0]"
    else:
        assert clock.times is not None
        time = f"{tables.address(clock.times)}[{step}]"
    due = "" if single else f"if (b2l_c.due[{k}]) "
    return f"{due}{{ {step}++; {tables.address(clock.t)}[0] = {time}; }}"


def _fullness(number: int, k: int, operation: program.Operation, tables: _Tables) -> str:
    """Leave before a recorder outgrows its arrays."""
    if isinstance(operation, program.StateRecorder):
        grown = [operation.times, *(array for _, array in operation.recorded)]
        more = "1"
    elif isinstance(operation, program.RateRecorder):
        grown, more = [operation.times, operation.rates], "1"
    elif isinstance(operation, program.EventRecorder):
        grown = [array for _, array in operation.recorded]
        events = tables.data(operation.events)
        more = f"{tables.address(operation.events)}[b2l_c.length[{events}] - 1]"
    else:
        return ""
    conditions = " || ".join(
        f"b2l_c.rows[{tables.data(array)}][0] + {more} > b2l_c.capacity[{tables.data(array)}]"
        for array in grown
    )
    if not conditions:
        return ""
    return (
        f"if ({conditions}) {{ b2l_c.call = {k}; b2l_c.operation = {number + 1};"
        " return leave(b2l_c, saved, FULL); }\n"
    )

