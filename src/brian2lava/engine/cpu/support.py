"""Code that functions bring along: where it stands in the translation unit."""

from __future__ import annotations

import re

from brian2lava.engine.cpu.source import Tables
from brian2lava.program import step_program as program

#: A line of a user function's code that includes a header; one that only declares a function.
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b.*$", re.MULTILINE)


_DECLARATION = re.compile(
    r"^(?!\s*return\b)[ \t]*(?:[\w:<>*&]+[ \t]+)+[*&]*(\w+)[ \t]*\([^;{}()]*\)[ \t]*;[ \t]*$",
    re.MULTILINE,
)


def at_file_scope(step_program: program.StepProgram) -> str:
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


def through_functions(statements: program.Statements) -> bool:
    """Whether functions with code of their own draw random numbers."""
    return "_rand" in statements.support


def support_code(k: int, statements: program.Statements, tables: Tables) -> str:
    """Functions that the statements call, and the names under which they draw."""
    lines = []
    if through_functions(statements):
        lines.append(
            "static inline double _rand(int64_t) { return b2l::site_uniform(); }\n"
            "static inline double _randn(int64_t) { return b2l::site_normal(); }\n"
            "static inline int32_t _poisson(double lam, int64_t) {\n"
            "    b2l::Site &own = b2l::site();\n"
            "    return b2l::poisson(lam, own.key, own.element, own.draw, own.execution);\n}"
        )
    if statements.support:
        lines.append(f'#line 1 "operation_{k}_support"\n{_inside(statements.support)}')
        lines.append('#line 1 "rendered"')
    if statements.random and not through_functions(statements):
        lines.append(
            "#define _rand(i) b2l::uniform(_key, (uint32_t)(i), _draw++, _execution)\n"
            "#define _randn(i) b2l::normal(_key, (uint32_t)(i), _draw++, _execution)\n"
            "#define _poisson(lam, i) b2l::poisson((lam), _key, (uint32_t)(i), _draw, _execution)"
        )
    return "\n".join(lines)


def undefine(statements: program.Statements) -> str:
    names = re.findall(r"^\s*#define\s+(\w+)", statements.support, re.MULTILINE)
    lines = [f"#undef {name}" for name in names]
    if statements.random and not through_functions(statements):
        lines += ["#undef _rand", "#undef _randn", "#undef _poisson"]
    return "\n".join(lines)
