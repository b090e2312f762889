"""Operations as C++: scalar statements, and a loop that the vector statements fill."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from brian2lava.engine.cpu import cable
from brian2lava.engine.cpu.source import BLOCK, Tables
from brian2lava.engine.cpu.support import support_code, through_functions, undefine
from brian2lava.program import step_program as program
from brian2lava.program.effects import elementwise_statements

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def _used(names: Iterable[str], *texts: str) -> set[str]:
    words = {word for text in texts for word in _IDENTIFIER.findall(text)}
    return {name for name in names if name in words}


def pointer_declarations(tables: Tables, *texts: str) -> str:
    """Declarations of the array pointers that the texts use."""
    declared = []
    for array in tables.program.arrays:
        name = f"_ptr{array.id}"
        if _used([name], *texts):
            restrict = "" if array.scalar else "__restrict "
            declared.append(f"{array.ctype} *{restrict}{name} = {tables.address(array.id)};")
    return "\n".join(declared)


def _constants(k: int, statements: program.Statements, tables: Tables, *texts: str) -> str:
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


def block_draws(operation: program.Operation) -> list[str]:
    """The draws that are made for a block of elements at once, in the order of the text."""
    statements = operation.statements
    in_blocks = isinstance(operation, program.Elementwise | program.Threshold)
    if not in_blocks or not statements.random or through_functions(statements):
        return []
    return re.findall(r"\b_(randn?)\(", statements.vector)


def _random(k: int, operation: program.Operation, tables: Tables) -> tuple[str, str]:
    """What stands before the loop and at the head of each element where numbers are drawn."""
    statements = operation.statements
    if not statements.random and "_rand" not in statements.support:
        return "", ""
    if k not in tables.random:
        tables.random.append(k)
    ordinal = tables.random.index(k)
    before = (
        f"const uint64_t _key = b2l::stream_key(b2l_c.seed, {ordinal});\n"
        f"const uint64_t _execution = (uint64_t)b2l_c.executions[{ordinal}];"
    )
    if through_functions(statements):
        each = (
            "b2l::site().key = _key; b2l::site().execution = _execution; b2l::site().draw = 0;"
            " b2l::site().element = (uint32_t)_vectorisation_idx;"
        )
    else:
        each = f"uint32_t _draw = {len(block_draws(operation))}; (void)_draw;"
    return before, each


def _bind_tables(statements: program.Statements, tables: Tables) -> str:
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


def kernel(
    k: int,
    operation: program.Operation,
    tables: Tables,
    body: Callable[[str], str],
    extra: str = "",
) -> str:
    """A namespace with a class: constructing it runs the scalar statements.

    ``body(vector)`` gives the member functions' text: a lambda list of C++ inside ``make``.
    """
    statements = operation.statements
    before, each = _random(k, operation, tables)
    vector = _marked(k, "vector", statements.vector)
    inner = body(f"{each}\n{vector}")
    return f"""
namespace operation_{k} {{
{support_code(k, statements, tables)}
static inline __attribute__((always_inline)) auto make(b2l::Context &b2l_c) {{
(void)b2l_c;
{_bind_tables(statements, tables)}
{pointer_declarations(tables, statements.scalar)}
{_constants(k, statements, tables, statements.scalar, statements.vector, inner, extra)}
{before}
{_scalar_block(k, statements, each)}
{inner}
}}
{undefine(statements)}
}}"""


def _vector_loop(tables: Tables, operation: program.Operation, vector: str, after: str = "") -> str:
    """A loop over the elements ``_low`` .. ``_high`` - 1 of a block; ``_low`` is a multiple of 64.

    Uniform and normal numbers are drawn for the whole block first: one call of the generator gives
    the numbers of two elements.
    """
    statements = operation.statements
    independent = "#pragma GCC ivdep\n" if elementwise_statements(statements) else ""
    drawn, names, first = "", "", ""
    if draws := block_draws(operation):
        fills = "\n".join(
            f"b2l::draw_{kind}(_drawn[{place}], _key, _low, _high, {place}, _execution);"
            for place, kind in enumerate(draws)
        )
        drawn = f"alignas(64) double _drawn[{len(draws)}][{BLOCK} + 2];\n{fills}\n"
        names = (
            "#undef _rand\n#undef _randn\n"
            "#define _rand(i) _drawn[__COUNTER__ - _first_drawn][_idx - _low]\n"
            "#define _randn(i) _drawn[__COUNTER__ - _first_drawn][_idx - _low]\n"
        )
        first = "enum { _first_drawn = __COUNTER__ + 1 };\n"
    return f"""return [=, &b2l_c](const int64_t _low, const int64_t _high, char *_mask) {{
(void)b2l_c; (void)_mask;
{pointer_declarations(tables, vector)}
{drawn}{names}{independent}for (int64_t _idx = _low; _idx < _high; _idx++) {{
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{first}{vector}
{after}
}}
}};"""


def elementwise_kernel(k: int, operation: program.Elementwise, tables: Tables) -> str:
    return kernel(
        k,
        operation,
        tables,
        lambda vector: _vector_loop(tables, operation, vector),
    )


def threshold_kernel(k: int, operation: program.Threshold, tables: Tables) -> str:
    return kernel(
        k,
        operation,
        tables,
        lambda vector: _vector_loop(
            tables, operation, vector, "_mask[_idx - _low] = (char)(_cond);"
        ),
    )


def reset_kernel(k: int, operation: program.Reset, tables: Tables) -> str:
    statements = operation.statements

    def body(vector: str) -> str:
        return f"""return [=, &b2l_c](const int32_t *_events,
const int64_t _low, const int64_t _high) {{
(void)b2l_c;
{pointer_declarations(tables, vector)}
for (int64_t _event = _low; _event < _high; _event++) {{
const int64_t _idx = _events[_event], _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
}}
}};"""

    return kernel(k, operation, tables, body) if statements.vector else ""


def summed_kernel(k: int, operation: program.SummedVariable, tables: Tables) -> str:
    target, index = f"_ptr{operation.target}", f"_ptr{operation.index}"

    def body(vector: str) -> str:
        return f"""{pointer_declarations(tables, vector, target, index, operation.target_count)}
{pointer_declarations(tables, operation.count) if operation.count not in vector else ""}
const int64_t _target_count = {operation.target_count};
for (int64_t _k = 0; _k < _target_count; _k++) {target}[_k + {operation.target_start}] = 0;
const int64_t _count = {operation.count};
for (int64_t _idx = 0; _idx < _count; _idx++) {{
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{target}[{index}[_idx]] += _synaptic_var;
}}
return 0;"""

    return kernel(k, operation, tables, body, operation.count + operation.target_count)


def cable_equation_kernel(k: int, operation: program.CableEquation, tables: Tables) -> str:
    names = dict(operation.names)
    places = {name: f"_ptr{array}" for name, array in names.items()}
    lengths = {name: tables.length(array) for name, array in names.items()}
    before = cable.before_run(places, lengths, operation.count)

    def body(vector: str) -> str:
        text = cable.step(places, lengths, operation.count, vector)
        return f"{pointer_declarations(tables, text)}\n{text}\nreturn 0;"

    prepare = f"""
namespace operation_{k} {{
static void before_run(b2l::Context &b2l_c) {{
{pointer_declarations(tables, before)}
{_constants(k, operation.statements, tables, before)}
{before}
}}
}}"""
    return kernel(k, operation, tables, body, operation.count) + prepare
