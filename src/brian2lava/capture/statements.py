"""Brian2's C++ code generation, with what it reads and writes noted down.

The statements are Brian2's own (its optimiser, integrators and functions); only the support code
that engines bring themselves is left out.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

import numpy as np
from brian2.codegen.generators.cpp_generator import CPPCodeGenerator, c_data_type
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable, Constant
from brian2.parsing.rendering import CPPNodeRenderer
from brian2.utils.stringtools import get_identifiers, word_substitute

from brian2lava.capture.names import legal_name, renamed
from brian2lava.program import step_program as program

__all__ = ["StatementGenerator", "block_statements", "c_data_type"]


class ExpressionRenderer(CPPNodeRenderer):
    """Brian2's, but quotients of integers have the precision that they have in NumPy."""

    def render_BinOp(self, node: ast.BinOp) -> str:
        """As Brian2's, which makes float32 of a quotient of integers."""
        if not isinstance(node.op, ast.Div):
            return str(super().render_BinOp(node))
        left, right = (self.render_element_parentheses(part) for part in (node.left, node.right))
        one = "1.0f" if prefs["core.default_float_dtype"] == np.float32 else "1.0"
        return f"{one}*{left}/{right}"


class StatementGenerator(CPPCodeGenerator):
    """Brian2's C++ generator; engines supply the universal functions."""

    universal_support_code = ""
    variables: dict[str, Any]
    variable_indices: Any

    def translate_expression(self, expr: str) -> str:
        """One expression as C++."""
        expr = word_substitute(expr, self.func_name_replacements)
        return str(ExpressionRenderer(auto_vectorise=self.auto_vectorise).render_expr(expr)).strip()

    def translate_statement_sequence(
        self, sc_statements: dict[str, Any], ve_statements: dict[str, Any]
    ) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
        """As Brian2's, with the accesses of each block under ``accesses``."""
        names = self._rename_variables()
        sc_statements = {block: renamed(code, names) for block, code in sc_statements.items()}
        ve_statements = {block: renamed(code, names) for block, code in ve_statements.items()}
        scalar, vector, keywords = super().translate_statement_sequence(
            sc_statements, ve_statements
        )
        keywords["accesses"] = {
            block: (self._accesses(sc_statements[block]), self._accesses(ve_statements[block]))
            for block in sc_statements
        }
        keywords["functions"] = self._called(sc_statements) | self._called(ve_statements)
        keywords["tables"] = self._tables()
        return scalar, vector, keywords

    def _rename_variables(self) -> dict[str, str]:
        """Give variables legal names; returns those that changed."""
        names = {
            name: legal_name(name)
            for name, variable in self.variables.items()
            if legal_name(name) != name and not isinstance(variable, Function)
        }
        self.variables = {names.get(key, key): value for key, value in self.variables.items()}
        indices = copy.copy(self.variable_indices)  # keeps its default for names it doesn't list
        for old, new in names.items():
            if old in indices:
                indices[new] = indices[old]
        self.variable_indices = indices
        return names

    def _accesses(
        self, statements: list[Any]
    ) -> tuple[frozenset[program.Access], frozenset[program.Access]]:
        read, write, indices, _ = self.arrays_helper(statements)
        return self._named(read | indices), self._named(write)

    def _named(self, names: set[str]) -> frozenset[program.Access]:
        return frozenset(
            program.Access(array_id(self.variables[name]), self.variable_indices[name])
            for name in names
            if isinstance(self.variables[name], ArrayVariable)
        )

    def _called(self, blocks: dict[str, list[Any]]) -> frozenset[str]:
        names = {
            identifier
            for statements in blocks.values()
            for statement in statements
            for identifier in get_identifiers(statement.expr)
        }
        return frozenset(
            getattr(self.variables[name], "brian2lava_name", name)
            for name in names
            if isinstance(self.variables.get(name), Function)
        )

    def _tables(self) -> dict[str, np.ndarray]:
        """Arrays in the namespaces of the functions, by name."""
        found: dict[str, np.ndarray] = {}

        def visit(function: Function) -> None:
            implementation = function.implementations[self.codeobj_class]
            for key, value in (implementation.get_namespace(self.owner) or {}).items():
                found[key] = value
            for dependency in (implementation.dependencies or {}).values():
                visit(dependency)

        for variable in list(self.variables.values()):
            if isinstance(variable, Function):
                visit(variable)
        return found


def array_id(variable: ArrayVariable) -> str:
    """The name of an array in statements, without the generator's ``_ptr``."""
    from brian2.devices.device import get_device

    return str(get_device().get_array_name(variable))


def block_statements(
    scalar: str,
    vector: str,
    accesses: tuple[Any, Any],
    keywords: dict[str, Any],
    variables: dict[str, Any],
) -> program.Statements:
    """The frozen form of one block that :class:`StatementGenerator` translated."""
    (scalar_reads, scalar_writes), (reads, writes) = accesses
    # the generator moves reads of scalars from the vector to the scalar part
    return program.Statements(
        scalar=scalar,
        vector=vector,
        scalar_reads=scalar_reads,
        scalar_writes=scalar_writes,
        reads=reads,
        writes=writes,
        functions=keywords["functions"],
        support=_support(keywords),
        constants=_constants(variables),
        tables=tuple(sorted((key, f"_table_{key}") for key in keywords["tables"])),
    )


def _support(keywords: dict[str, Any]) -> str:
    lines = [*keywords["hashdefine_lines"], *keywords["support_code_lines"]]
    return "\n".join(lines).strip()


def _constants(variables: dict[str, Any]) -> tuple[program.Constant, ...]:
    return tuple(
        program.Constant(name, c_data_type(variable.dtype))
        for name, variable in sorted(variables.items())
        if isinstance(variable, Constant)
    )


for _name in ("rand", "randn"):
    DEFAULT_FUNCTIONS[_name].brian2lava_name = _name
