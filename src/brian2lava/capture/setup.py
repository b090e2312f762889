"""Brian2 set-up code (settings, look-ups, ``connect``) -> SetupProgram and its values."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.codegen.codeobject import _gather_compiler_kwds, _merge_compiler_kwds
from brian2.codegen.translation import get_identifiers_recursively
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable, AuxiliaryVariable, Constant
from brian2.parsing.rendering import NodeRenderer

from brian2lava.capture.code_object import LoopCodeObject
from brian2lava.capture.names import legal_name
from brian2lava.capture.operations import Names
from brian2lava.capture.statements import StatementGenerator, block_statements, c_data_type
from brian2lava.program import setup_program as setup
from brian2lava.program import step_program as program

#: Templates of set-up code that can be compiled.
SETUP_TEMPLATES = frozenset(
    {
        "group_variable_set",
        "group_variable_set_conditional",
        "group_variable_get",
        "group_variable_get_conditional",
        "group_get_indices",
        "synapses_create_generator",
    }
)


@dataclass(frozen=True)
class CapturedSetup:
    """A set-up program with its values: constants by name, arrays by id."""

    program: setup.SetupProgram
    constants: dict[str, float]
    variables: dict[str, ArrayVariable]
    tables: dict[str, np.ndarray]
    compiler_kwds: dict[str, list[str]]


def user_code(variables: dict[str, Any]) -> bool:
    """Whether a user's function comes with C++ code: then that is what counts."""
    default = {id(function) for function in DEFAULT_FUNCTIONS.values()}
    return any(
        type(variable) is Function and id(variable) not in default
        for variable in variables.values()
    )


def capture_setup(
    owner: Any,
    name: str,
    abstract_code: dict[str, str],
    variables: dict[str, Any],
    variable_indices: Any,
    template_name: str,
    template_kwds: dict[str, Any],
    override_conditional_write: Any,
) -> CapturedSetup:
    """The program of one set-up code object, whose functions all have C++ implementations."""
    variables = dict(variables)
    code = dict(abstract_code)
    probability = False
    if template_name == "synapses_create_generator":
        parts = split_probability(code["create_cond"], variables)
        if parts is not None and template_kwds["result_index_condition"]:
            probability = True
            code["create_cond"] = parts
            variables["_probability"] = AuxiliaryVariable("_probability", dtype=np.float64)
    blocks, tables = _translate(
        owner, name, code, variables, variable_indices, template_name, override_conditional_write
    )
    action = _action(template_name, blocks, abstract_code, variables, template_kwds, probability)
    names = Names()
    for variable in variables.values():
        if isinstance(variable, ArrayVariable):
            names.add(variable)
    for key, values in tables.items():
        names.arrays[f"_table_{key}"] = program.Array(f"_table_{key}", c_data_type(values.dtype))
    kwds = _merge_compiler_kwds(
        [
            _gather_compiler_kwds(variable, LoopCodeObject)
            for variable in variables.values()
            if isinstance(variable, Function)
        ]
    )
    headers = dict.fromkeys([*prefs["codegen.cpp.headers"], *kwds.get("headers", [])])
    return CapturedSetup(
        program=setup.SetupProgram(
            action=action,
            arrays=tuple(names.arrays.values()),
            origin=program.Origin(owner.name, "\n".join(abstract_code.values())),
            headers=tuple(headers),
        ),
        constants={
            legal_name(key): variable.get_value()
            for key, variable in variables.items()
            if isinstance(variable, Constant)
        },
        variables=names.variables,
        tables={f"_table_{key}": np.ascontiguousarray(values) for key, values in tables.items()},
        compiler_kwds=kwds,
    )


def _translate(
    owner: Any,
    name: str,
    abstract_code: dict[str, str],
    variables: dict[str, Any],
    variable_indices: Any,
    template_name: str,
    override_conditional_write: Any,
) -> tuple[dict[str, program.Statements], dict[str, np.ndarray]]:
    template = getattr(LoopCodeObject.templater, template_name)
    generator = StatementGenerator(
        variables=variables,
        variable_indices=variable_indices,
        owner=owner,
        iterate_all=template.iterate_all,
        codeobj_class=LoopCodeObject,
        override_conditional_write=override_conditional_write,
        allows_scalar_write=template.allows_scalar_write,
        name=name,
        template_name=template_name,
    )
    scalar, vector, keywords = generator.translate(
        abstract_code, dtype=prefs["core.default_float_dtype"]
    )
    blocks = {
        block: block_statements(
            "\n".join(scalar[block]),
            "\n".join(vector[block]),
            keywords["accesses"][block],
            keywords,
            generator.variables,
        )
        for block in scalar
    }
    return blocks, keywords["tables"]


def _action(
    template_name: str,
    blocks: dict[str, program.Statements],
    abstract_code: dict[str, str],
    variables: dict[str, Any],
    kwds: dict[str, Any],
    probability: bool,
) -> setup.Action:
    if template_name == "synapses_create_generator":
        function = kwds["iterator_func"]
        if function == "sample" and kwds["iterator_kwds"]["sample_size"] == "fixed":
            function = "sample_size"
        return setup.CreateSynapses(
            iterator=blocks["setup_iterator"],
            element=blocks["generator_expr"],
            condition=blocks["create_cond"],
            update=blocks["update"],
            outer=kwds["outer_index"],
            result=kwds["result_index"],
            inner=legal_name(kwds["inner_variable"]),
            function=function,
            condition_on_result=kwds["result_index_condition"],
            result_in_condition=kwds["result_index_used"],
            probability=probability,
            skip_if_invalid=kwds["skip_if_invalid"],
            single=abstract_code["update"].split("_n = ")[-1].strip() == "1",
        )
    if template_name == "group_variable_set_conditional":
        return setup.SetWhere(
            condition=blocks["condition"],
            statement=blocks["statement"],
            everywhere=abstract_code["condition"].split("=", 1)[1].strip() == "True",
        )
    (statements,) = blocks.values()
    if template_name == "group_variable_set":
        return setup.SetElements(statements, array_of(variables["_group_idx"]))
    indices = None
    if template_name == "group_variable_get":
        indices = array_of(variables["_group_idx"])
    wanted = template_name != "group_get_indices"
    return setup.Evaluate(
        statements,
        indices,
        ctype=c_data_type(variables["_variable"].dtype) if wanted else "",
        conditional=template_name != "group_variable_get",
    )


def array_of(variable: ArrayVariable) -> str:
    """The id of an array in statements."""
    return Names().add(variable)


def split_probability(code: str, variables: dict[str, Any]) -> str | None:
    """``_cond = c and rand() < p`` as ``_cond = c`` and ``_probability = p``.

    ``None`` where the condition has another form, or where ``c`` or ``p`` draw numbers themselves.
    """
    lines = code.splitlines()
    places = [k for k, line in enumerate(lines) if line.startswith("_cond = ")]
    if len(places) != 1:
        return None
    tree = ast.parse(lines[places[0]][len("_cond = ") :].strip(), mode="eval").body
    conjunction = isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)
    factors = tree.values if conjunction else [tree]  # type: ignore[attr-defined]
    probability = _compared_with_rand(factors[-1])
    if probability is None:
        return None
    renderer = NodeRenderer()
    others = [renderer.render_node(factor) for factor in factors[:-1]]
    condition = " and ".join(f"({other})" for other in others) or "True"
    p = renderer.render_node(probability)
    names = get_identifiers_recursively([condition, p], variables)
    if any(_draws(variables.get(name)) for name in names):
        return None
    lines[places[0]] = f"_cond = {condition}\n_probability = {p}"
    return "\n".join(lines)


def _compared_with_rand(node: ast.expr) -> ast.expr | None:
    """p, if the node is ``rand() < p``."""
    if not (isinstance(node, ast.Compare) and len(node.ops) == 1):
        return None
    left = node.left
    if not (isinstance(node.ops[0], ast.Lt) and isinstance(left, ast.Call)):
        return None
    function = left.func
    return node.comparators[0] if isinstance(function, ast.Name) and function.id == "rand" else None


def _draws(variable: Any) -> bool:
    return isinstance(variable, Function) and not variable.stateless
