"""Names of variables that C++ keeps for itself.

Equations may call a variable ``new`` or ``NULL``. Such names are replaced in statements before they
become C++; in everything that users see they stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from copy import copy
from typing import Any

from brian2.utils.stringtools import word_substitute

_WORDS = """
alignas alignof and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class
compl const const_cast constexpr continue decltype default delete do double dynamic_cast else
enum explicit export extern false float for friend goto if inline int long mutable namespace new
noexcept not_eq nullptr operator or_eq private protected public register reinterpret_cast
restrict return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename typeof union unsigned using virtual void
volatile wchar_t while xor xor_eq
int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t size_t
errno stdin stdout stderr signgam linux unix assert isnan isinf signbit
"""
_KEYWORDS = frozenset(_WORDS.split())
#: Headers define macros in capitals (NULL, M_PI); a macro can't be a variable.
_MACRO_LIKE = re.compile(r"[A-Z][A-Z0-9]*_?[A-Z0-9_]+")
_PREFIX = "b2l_user_"


def legal_name(name: str) -> str:
    """The name in C++."""
    if name in _KEYWORDS or _MACRO_LIKE.fullmatch(name):
        return _PREFIX + name
    return name


def user_name(name: str) -> str:
    """The inverse of :func:`legal_name`."""
    return name.removeprefix(_PREFIX)


def renamed(statements: Iterable[Any], names: dict[str, str]) -> list[Any]:
    """Copies of Brian2's statements with other names in them."""
    return [_renamed(statement, names) for statement in statements]


def _renamed(statement: Any, names: dict[str, str]) -> Any:
    result = copy(statement)
    result.var = names.get(statement.var, statement.var)
    result.expr = word_substitute(statement.expr, names)
    if statement.used_boolean_variables is not None:
        result.used_boolean_variables = [
            names.get(name, name) for name in statement.used_boolean_variables
        ]
        result.boolean_simplified_expressions = {
            tuple((names.get(name, name), value) for name, value in values): word_substitute(
                expression, names
            )
            for values, expression in statement.boolean_simplified_expressions.items()
        }
    return result
