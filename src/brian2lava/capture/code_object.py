"""The code object class of the device: statements for an engine, with a NumPy twin at hand."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from brian2.codegen.codeobject import CodeObject
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.functions import DEFAULT_FUNCTIONS, Function
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.input.binomial import BinomialFunction

from brian2lava.capture.python_functions import PYTHON_ONLY, find_python_functions_for
from brian2lava.capture.statements import StatementGenerator, block_statements
from brian2lava.program.step_program import Statements

#: Templates whose code objects run in the loop.
LOOP_TEMPLATES = frozenset(
    {
        "stateupdate",
        "threshold",
        "reset",
        "synapses",
        "synapses_push_spikes",
        "summed_variable",
        "spikegenerator",
        "statemonitor",
        "spikemonitor",
        "ratemonitor",
        "spatialstateupdate",
    }
)


class _Template:
    """What Brian2 asks of a template before it generates code: two templates seen as one.

    The variables are those of the C++ and of the NumPy template together, so that a code object
    can be made for either from the same arguments.
    """

    def __init__(self, cpp: Any, numpy: Any) -> None:
        present = [template for template in (cpp, numpy) if template is not None]
        self.variables = set().union(*(template.variables for template in present))
        self.writes_read_only = set().union(*(template.writes_read_only for template in present))
        self.iterate_all = set(getattr(cpp, "iterate_all", ()))
        self.allows_scalar_write = any(template.allows_scalar_write for template in present)
        self.template_source = getattr(numpy or cpp, "template_source", "")


class _Templater:
    def __getattr__(self, name: str) -> _Template | None:
        if name.startswith("__"):
            raise AttributeError(name)
        cpp = _template(CPPStandaloneCodeObject, name)
        numpy = _template(NumpyCodeObject, name)
        if cpp is None and numpy is None:
            return None
        template = _Template(cpp, numpy)
        setattr(self, name, template)
        return template


def _template(codeobj_class: type[CodeObject], name: str) -> Any:
    try:
        return getattr(codeobj_class.templater, name)
    except (AttributeError, KeyError):
        return None


class LoopCodeObject(CodeObject):
    """A code object of the run loop.

    ``statements`` is ``None`` where a function exists in Python only: then the twin runs, called
    back by the engine. The twin also serves anybody who calls the code object directly.
    """

    class_name = "brian2lava"
    generator_class = StatementGenerator
    templater = _Templater()

    def __init__(
        self,
        owner: Any,
        name: str,
        variables: dict[str, Any],
        variable_indices: Any,
        template_name: str,
        template_kwds: dict[str, Any],
        abstract_code: dict[str, str],
        statements: Statements | None,
        tables: dict[str, Any],
        compiler_kwds: dict[str, list[str]],
        make_twin: Any,
    ) -> None:
        super().__init__(
            owner, None, variables, variable_indices, template_name, "", compiler_kwds, name=name
        )
        self.template_kwds = template_kwds
        self.abstract_code = abstract_code
        self.statements = statements
        self.tables = tables
        self.in_python = False
        self._make_twin = make_twin

    @cached_property
    def twin(self) -> CodeObject:
        """The same code as one of Brian2's NumPy code objects."""
        twin: CodeObject = self._make_twin()
        return twin

    def compile(self) -> None:
        """Make the twin where only that can run; engines compile whole programs.

        While Brian2 prepares an object it names it in every error, so errors are best raised here.
        """
        if self.statements is None:
            _ = self.twin

    def compile_block(self, block: str) -> None:
        """Nothing to do; from Brian2 2.10 on a code object has to have it."""

    def run_block(self, block: str) -> Any:
        """Run one block of the twin."""
        return self.twin.run_block(block)

    def before_run(self) -> None:
        """The engine does the template's preparation; Brian2 checks a pathway at this point."""
        if self.template_name == "synapses_push_spikes":
            self.owner.initialise_queue()

    def prepare_twin(self) -> None:
        """The engine will call back: the twin does the template's preparation."""
        self.in_python = True
        self.twin.before_run()

    def run(self) -> Any:
        """Run the twin."""
        return self.twin.run()

    def after_run(self) -> None:
        """The device cleans up after the engine; a twin does it itself."""
        if self.in_python:
            self.twin.after_run()

    def __call__(self, **kwds: Any) -> Any:
        return self.twin(**kwds)


#: A probability that vanishes where it is written with 15 decimals.
_ZERO = re.compile(r"(?<!\d)0\.0{15}")


def has_native_functions(variables: dict[str, Any]) -> bool:
    """Whether every function among ``variables`` has an implementation for C++."""
    return all(
        _native(variable) for variable in variables.values() if isinstance(variable, Function)
    )


def _native(function: Function) -> bool:
    implementation = function.implementations[LoopCodeObject]
    if implementation is PYTHON_ONLY:
        return False
    if isinstance(function, BinomialFunction) and _ZERO.search(str(implementation.get_code(None))):
        # Brian2 writes (1 - p)^n with 15 decimals; where that is 0, its code never ends
        return False
    return all(_native(dependency) for dependency in (implementation.dependencies or {}).values())


def translate(
    owner: Any,
    name: str,
    abstract_code: dict[str, str],
    variables: dict[str, Any],
    variable_indices: Any,
    template_name: str,
    override_conditional_write: Any,
    dtype: Any,
) -> tuple[dict[str, Statements], dict[str, Any]]:
    """Statements of each block, and the arrays that their functions bring."""
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
    scalar, vector, keywords = generator.translate(abstract_code, dtype=dtype)
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


def _register_random_functions() -> None:
    """The engines draw: the functions have names here and no code."""
    for name in ("rand", "randn", "poisson"):
        DEFAULT_FUNCTIONS[name].implementations.add_implementation(
            LoopCodeObject, code=None, name=f"_{name}"
        )


_register_random_functions()
find_python_functions_for(LoopCodeObject)
