"""SetupProgram -> one C++ translation unit with the function ``b2l_setup``.

As in :mod:`render`, everything that differs between two uses of the same code (sizes, addresses,
constants) is an argument. The names of the frame begin with ``b2l_``, so that users' names, which
are visible in the same scope, do not collide with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from brian2lava.engine.cpu.source import OBJECT_NAMES
from brian2lava.program import setup_program as setup
from brian2lava.program.effects import elementwise_statements
from brian2lava.program.step_program import Statements

_FOLDER = Path(__file__).parent
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class SetupSource:
    """Rendered set-up code; ``arrays``, ``reals`` and ``integers`` are the order of its arguments.

    ``reals`` and ``integers`` are names of constants.
    """

    text: str
    arrays: tuple[str, ...]
    reals: tuple[str, ...]
    integers: tuple[str, ...]


@dataclass
class _Arguments:
    """Places of the arguments, given out while rendering."""

    program: setup.SetupProgram
    arrays: dict[str, int] = field(default_factory=dict)
    reals: dict[str, int] = field(default_factory=dict)
    integers: dict[str, int] = field(default_factory=dict)

    def data(self, array_id: str) -> int:
        return self.arrays.setdefault(array_id, len(self.arrays))


def render_setup(program: setup.SetupProgram) -> SetupSource:
    """The translation unit of ``program``."""
    action = program.action
    statements = setup.blocks(action)
    body = _BODIES[type(action)](action)
    arguments = _Arguments(program)
    support = statements[0].support  # every block has that of all
    inside = f"{support}\n{body}"
    declared = "\n".join(
        [
            _declare_arrays(arguments, inside),
            _declare_constants(arguments, statements, inside),
            _bind_tables(arguments, statements),
        ]
    )
    includes = "\n".join(
        f"#include {name}" if name.startswith(("<", '"')) else f'#include "{name}"'
        for name in program.headers
    )
    text = f"""{includes}
{_functions(statements, support)}
extern "C" int64_t b2l_setup(b2l::Setup *b2l_arguments) {{
b2l::Setup &b2l_s = *b2l_arguments;
const uint64_t b2l_key = b2l::stream_key(b2l_s.seed, b2l::SETUP_SITE);
const uint64_t b2l_execution = b2l_s.execution;
(void)b2l_key; (void)b2l_execution;
{declared}
{body}
return b2l::MADE;
}}
"""
    runtime = (_FOLDER / "setup.hpp").read_text(encoding="utf-8")
    numbers = ""
    if isinstance(action, setup.CreateSynapses):
        numbers = (_FOLDER / "synapse_numbers.hpp").read_text(encoding="utf-8")
    return SetupSource(
        text=runtime + _canonical(text) + numbers,
        arrays=tuple(arguments.arrays),
        reals=tuple(arguments.reals),
        integers=tuple(arguments.integers),
    )


def _canonical(text: str) -> str:
    """Names of objects become numbers: the same code for another object is the same text."""
    names: dict[str, str] = {}
    return OBJECT_NAMES.sub(
        lambda match: names.setdefault(match.group(0), f"b2l_name_{len(names)}"), text
    )


# ---------------------------------------------------------------- declarations
def _words(text: str) -> set[str]:
    return set(_IDENTIFIER.findall(text))


def _declare_arrays(arguments: _Arguments, text: str) -> str:
    words = _words(text)
    lines = []
    for array in arguments.program.arrays:
        name = f"_ptr{array.id}"
        if name in words:
            place = arguments.data(array.id)
            lines.append(
                f"{array.ctype} *__restrict {name} = ({array.ctype} *)b2l_s.data[{place}];"
            )
    return "\n".join(lines)


def _declare_constants(arguments: _Arguments, statements: tuple[Statements, ...], text: str) -> str:
    words = _words(text)
    lines = []
    constants = {constant.name: constant for block in statements for constant in block.constants}
    for name, constant in constants.items():
        if name not in words:
            continue
        if constant.ctype in ("double", "float"):
            places, table = arguments.reals, "reals"
        else:
            places, table = arguments.integers, "integers"
        place = places.setdefault(name, len(places))
        lines.append(f"const {constant.ctype} {name} = ({constant.ctype})b2l_s.{table}[{place}];")
    return "\n".join(lines)


def _bind_tables(arguments: _Arguments, statements: tuple[Statements, ...]) -> str:
    tables = dict(pair for block in statements for pair in block.tables)
    return "\n".join(
        f"_namespace{key} = (decltype(_namespace{key}))b2l_s.data[{arguments.data(array)}];"
        for key, array in tables.items()
    )


def _through_functions(support: str) -> bool:
    """Whether functions with code of their own draw random numbers."""
    return "_rand" in support


def _functions(statements: tuple[Statements, ...], support: str) -> str:
    """What the statements call, and the names under which they draw random numbers."""
    marked = f'#line 1 "operation_0_support"\n{support}\n#line 1 "rendered"' if support else ""
    if _through_functions(support):
        return f"""static inline double _rand(int64_t) {{ return b2l::site_uniform(); }}
static inline double _randn(int64_t) {{ return b2l::site_normal(); }}
static inline int32_t _poisson(double lam, int64_t) {{
    b2l::Site &own = b2l::site();
    return b2l::poisson(lam, own.key, own.element, own.draw, own.execution);
}}
{marked}"""
    draws = ""
    if any(block.random for block in statements):
        draws = """#define _rand(i) b2l::uniform(b2l_key, b2l_element, b2l_draw++, b2l_execution)
#define _randn(i) b2l::normal(b2l_key, b2l_element, b2l_draw++, b2l_execution)
#define _poisson(lam, i) b2l::poisson((lam), b2l_key, b2l_element, b2l_draw, b2l_execution)"""
    return f"{marked}\n{draws}"


def _random_of(statements: tuple[Statements, ...], element: str, first: int = 0) -> str:
    """The state of the random numbers of one element (or row), from draw ``first`` on."""
    if _through_functions(statements[0].support):
        return (
            "b2l::site().key = b2l_key; b2l::site().execution = b2l_execution;"
            f" b2l::site().draw = {first}u; b2l::site().element = (uint32_t)({element});"
        )
    if any(block.random for block in statements):
        return (
            f"const uint32_t b2l_element = (uint32_t)({element});\n"
            f"uint32_t b2l_draw = {first}u; (void)b2l_element; (void)b2l_draw;"
        )
    return ""


def _marked(what: str, text: str) -> str:
    """User statements, with line numbers that lead a compiler's message back to them."""
    return f'#line 1 "operation_0_{what}"\n{text}\n#line 1 "rendered"' if text else ""


# ---------------------------------------------------------------- elements
#: Draws of a statement begin here, those of its condition at 0.
_STATEMENT_DRAWS = 1 << 20


def _scalar(statements: Statements) -> str:
    """Scalar statements, once; what they declare stays visible."""
    return f"""const int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;
{_random_of((statements,), "-1")}
{_marked("scalar", statements.scalar)}"""


def _independent(*blocks: Statements) -> str:
    return "#pragma GCC ivdep\n" if all(map(elementwise_statements, blocks)) else ""


def _set_elements(action: setup.SetElements) -> str:
    statements = action.statements
    return f"""{_scalar(statements)}
for (int64_t b2l_e = 0; b2l_e < b2l_s.count; b2l_e++) {{
const int64_t _idx = _ptr{action.indices}[b2l_e], _vectorisation_idx = _idx;
(void)_vectorisation_idx;
{_random_of((statements,), "_idx")}
{_marked("vector", statements.vector)}
}}"""


def _set_where(action: setup.SetWhere) -> str:
    condition, statement = action.condition, action.statement
    return f"""{_scalar(statement)}
for (int64_t b2l_low = 0; b2l_low < b2l_s.count; b2l_low += b2l::CHUNK) {{
const int64_t b2l_end = b2l_low + b2l::CHUNK;
const int64_t b2l_high = b2l_end < b2l_s.count ? b2l_end : b2l_s.count;
alignas(64) char b2l_mask[b2l::CHUNK];
{{
{_scalar(condition)}
{_independent(condition)}for (int64_t _idx = b2l_low; _idx < b2l_high; _idx++) {{
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{_random_of((condition,), "_idx")}
{_marked("condition", condition.vector)}
b2l_mask[_idx - b2l_low] = (char)(_cond);
}}
}}
{_independent(statement)}for (int64_t _idx = b2l_low; _idx < b2l_high; _idx++) {{
const int64_t _vectorisation_idx = _idx; (void)_vectorisation_idx;
{"" if action.everywhere else "if (!b2l_mask[_idx - b2l_low]) continue;"}
{_random_of((statement,), "_idx", _STATEMENT_DRAWS)}
{_marked("vector", statement.vector)}
}}
}}"""


def _evaluate(action: setup.Evaluate) -> str:
    statements = action.statements
    index = "b2l_e" if action.indices is None else f"_ptr{action.indices}[b2l_e]"
    stores = f"(({action.ctype} *)b2l_s.values)[b2l_e] = _variable;" if action.ctype else ""
    if action.conditional:
        stores += "\nb2l_s.mask[b2l_e] = (char)(_cond);"
    return f"""{_scalar(statements)}
for (int64_t b2l_e = 0; b2l_e < b2l_s.count; b2l_e++) {{
const int64_t _idx = {index}, _vectorisation_idx = _idx; (void)_idx; (void)_vectorisation_idx;
{_random_of((statements,), "_idx")}
{_marked("vector", statements.vector)}
{stores}
}}"""


# ---------------------------------------------------------------- synapses
def _block(statements: Statements, loop: str) -> str:
    """A scope with the scalar statements of a block and a loop over its vector statements."""
    return (
        "{\nconst int64_t _vectorisation_idx = -1; (void)_vectorisation_idx;\n"
        f"{_marked('scalar', statements.scalar)}\n{{\n{loop}\n}}\n}}"
    )


def _create_synapses(action: setup.CreateSynapses) -> str:
    outer, result = action.outer, action.result
    outer_array = "_pre_idx" if outer == "i" else "_post_idx"
    every = setup.blocks(action)
    head = _block(
        action.iterator,
        f"""const int64_t _vectorisation_idx = _{outer}; (void)_vectorisation_idx;
{_marked("iterator", action.iterator.vector)}
{_iterator_values(action)}""",
    )
    return f"""const int64_t b2l_outer_size = b2l_s.count, b2l_result_size = b2l_s.results;
const int64_t b2l_outer_offset = b2l_s.offset, b2l_result_offset = b2l_s.results_offset;
const bool b2l_skip = {"true" if action.skip_if_invalid else "false"};
(void)b2l_skip;
b2l::Row b2l_row;
memset(&b2l_row, 0, sizeof(b2l_row));
b2l_row.key = b2l::stream_key(b2l_s.seed, b2l::CHOICE_SITE);
b2l_row.execution = b2l_execution;
struct b2l_Free {{ b2l::Row &row; ~b2l_Free() {{ row.end(); }} }} b2l_free{{b2l_row}};
for (int64_t b2l_outer = b2l_s.row; b2l_outer < b2l_outer_size; b2l_outer++) {{
b2l_s.row = b2l_outer;
b2l_row.begin((uint32_t)b2l_outer);
const int64_t _{outer} = b2l_outer, _raw{outer_array} = b2l_outer + b2l_outer_offset;
(void)_{outer}; (void)_raw{outer_array};
{_random_of(every, "b2l_outer")}
{_outer_condition(action)}
int64_t b2l_low, b2l_high, b2l_step, b2l_size = 0;
double b2l_p = 0;
(void)b2l_size; (void)b2l_p;
{head}
if (b2l_step == 0) return b2l::NO_STEP;
{_choice(action)}
int64_t b2l_least = 0, b2l_most = b2l_result_size - 1;
for (int64_t b2l_from = 0; b2l_from < b2l_count; b2l_from += b2l::CHUNK) {{
int64_t b2l_m = b2l_count - b2l_from < b2l::CHUNK ? b2l_count - b2l_from : b2l::CHUNK;
alignas(64) int32_t b2l_inner[b2l::CHUNK], b2l_result[b2l::CHUNK];
for (int64_t b2l_c = 0; b2l_c < b2l_m; b2l_c++)
b2l_inner[b2l_c] = (int32_t)(b2l_low + {_position(action)} * b2l_step);
{_chunk_loop(action, action.element, "element", f"b2l_result[b2l_c] = (int32_t)_{result};", False)}
{_check(action) if action.condition_on_result and action.result_in_condition else ""}
{_result_condition(action) if action.condition_on_result else ""}
{"" if action.condition_on_result and action.result_in_condition else _check(action)}
{_take(action)}
}}
if (b2l_row.failed) return b2l::NO_MEMORY;
if (b2l_least < 0 || b2l_most >= b2l_result_size) {{
b2l_s.least = b2l_least;
b2l_s.most = b2l_most;
return b2l::OUT_OF_RANGE;
}}
b2l_s.needed = b2l_s.used + b2l_row.found_count;
if (b2l_s.needed > b2l_s.capacity) return b2l::NO_ROOM;
b2l::write_row(b2l_s, b2l_row, {"true" if outer == "i" else "false"},
b2l_outer + b2l_outer_offset, b2l_result_offset);
}}"""


def _outer_condition(action: setup.CreateSynapses) -> str:
    if action.condition_on_result:
        return ""
    condition = _block(
        action.condition,
        f"""const int64_t _vectorisation_idx = _{action.outer}; (void)_vectorisation_idx;
{_marked("condition", action.condition.vector)}
b2l_wanted = _cond;""",
    )
    return f"bool b2l_wanted;\n{condition}\nif (!b2l_wanted) continue;"


def _iterator_values(action: setup.CreateSynapses) -> str:
    lines = ["b2l_low = _iter_low; b2l_high = _iter_high; b2l_step = _iter_step;"]
    if action.function == "sample":
        lines.append("b2l_p = (double)_iter_p;")
    elif action.function == "sample_size":
        lines.append("b2l_size = _iter_size;")
    return "\n".join(lines)


def _choice(action: setup.CreateSynapses) -> str:
    """How many candidates the row has; a sample puts their positions into ``chosen``."""
    every = "const int64_t b2l_n = b2l::positions(b2l_low, b2l_high, b2l_step);"
    if action.function == "range":
        return f"{every}\nconst int64_t b2l_count = b2l_n;"
    if action.function == "sample":
        return f"{every}\nconst int64_t b2l_count = b2l::choose_with(b2l_row, b2l_n, b2l_p);"
    note = "b2l_s.least = b2l_size; b2l_s.most = b2l_n;"
    if action.skip_if_invalid:
        bounds = "if (b2l_size < 0) continue;\nif (b2l_size > b2l_n) b2l_size = b2l_n;"
    else:
        bounds = (
            f"if (b2l_size < 0) {{ {note} return b2l::SAMPLE_NEGATIVE; }}\n"
            f"if (b2l_size > b2l_n) {{ {note} return b2l::SAMPLE_TOO_BIG; }}"
        )
    return f"""{every}
if (b2l_n <= 0 || b2l_size == 0) continue;
{bounds}
const int64_t b2l_count = b2l::choose_size(b2l_row, b2l_n, b2l_size);"""


def _position(action: setup.CreateSynapses) -> str:
    if action.function == "range":
        return "(b2l_from + b2l_c)"
    return "(int64_t)b2l_row.chosen[b2l_from + b2l_c]"


def _chunk_loop(
    action: setup.CreateSynapses, statements: Statements, what: str, after: str, of_result: bool
) -> str:
    """The vector statements for each candidate of the chunk."""
    result = action.result
    result_array = "_post_idx" if result == "j" else "_pre_idx"
    if of_result:
        indices = (
            f"const int64_t {action.inner} = b2l_inner[b2l_c], _{result} = b2l_result[b2l_c];\n"
            f"const int64_t _raw{result_array} = _{result} + b2l_result_offset;\n"
            f"(void)_{result}; (void)_raw{result_array};\n"
            f"const int64_t _vectorisation_idx = _{result};"
        )
    else:
        indices = (
            f"const int64_t {action.inner} = b2l_inner[b2l_c];\n"
            f"const int64_t _vectorisation_idx = {action.inner};"
        )
    return _block(
        statements,
        f"""#pragma GCC ivdep
for (int64_t b2l_c = 0; b2l_c < b2l_m; b2l_c++) {{
{indices}
(void){action.inner}; (void)_vectorisation_idx;
{_marked(what, statements.vector)}
{after}
}}""",
    )


def _check(action: setup.CreateSynapses) -> str:
    return (
        "b2l_m = b2l::check_range(b2l_result, b2l_inner, b2l_m, b2l_result_size, b2l_skip,"
        " b2l_least, b2l_most);\nif (b2l_m == 0) continue;"
    )


def _result_condition(action: setup.CreateSynapses) -> str:
    declared = "alignas(64) char b2l_mask[b2l::CHUNK];"
    if action.probability:
        store = "b2l_probability[b2l_c] = _cond ? (double)_probability : 0.0;"
        loop = _chunk_loop(action, action.condition, "condition", store, True)
        return f"""{declared}
alignas(64) double b2l_probability[b2l::CHUNK];
{loop}
b2l::accept(b2l_row, b2l_probability, b2l_m, b2l_mask);
b2l_m = b2l::keep(b2l_result, b2l_inner, b2l_mask, b2l_m);
if (b2l_m == 0) continue;"""
    loop = _chunk_loop(
        action, action.condition, "condition", "b2l_mask[b2l_c] = (char)(_cond);", True
    )
    return f"""{declared}
{loop}
b2l_m = b2l::keep(b2l_result, b2l_inner, b2l_mask, b2l_m);
if (b2l_m == 0) continue;"""


def _take(action: setup.CreateSynapses) -> str:
    """Note the results, each as often as ``_n`` says."""
    room = "b2l_row.grow(b2l_row.found, b2l_row.found_room, b2l_row.found_count + {})"
    if action.single:
        return f"""if (!{room.format("b2l_m")}) return b2l::NO_MEMORY;
memcpy(b2l_row.found + b2l_row.found_count, b2l_result, b2l_m * sizeof(int32_t));
b2l_row.found_count += b2l_m;"""
    loop = _chunk_loop(action, action.update, "update", "b2l_times[b2l_c] = (int32_t)_n;", True)
    return f"""alignas(64) int32_t b2l_times[b2l::CHUNK];
{loop}
for (int64_t b2l_c = 0; b2l_c < b2l_m; b2l_c++) {{
const int64_t b2l_repeats = b2l_times[b2l_c];
if (b2l_repeats < 0) return b2l::NEGATIVE_NUMBER;
if (!{room.format("b2l_repeats")}) return b2l::NO_MEMORY;
for (int64_t b2l_k = 0; b2l_k < b2l_repeats; b2l_k++)
b2l_row.found[b2l_row.found_count++] = b2l_result[b2l_c];
}}"""


_BODIES: dict[type, Callable[..., str]] = {
    setup.SetElements: _set_elements,
    setup.SetWhere: _set_where,
    setup.Evaluate: _evaluate,
    setup.CreateSynapses: _create_synapses,
}
