"""Functions without C++ code: code objects that call them run in Python.

Before Brian2 makes a code object it looks up an implementation of each function for the class of
the code object, and gives up where there is none. For our class it finds :data:`PYTHON_ONLY`, so
that the device gets to choose NumPy code. Look-ups for other classes stay as they are.
"""

from __future__ import annotations

from typing import Any

from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.functions import (
    Function,
    FunctionImplementation,
    FunctionImplementationContainer,
)

#: Stands for "no C++ code".
PYTHON_ONLY = FunctionImplementation(name=None, code=None)


def find_python_functions_for(codeobj_class: type) -> None:
    """Look-ups for ``codeobj_class`` that fail give :data:`PYTHON_ONLY` from now on."""
    find = FunctionImplementationContainer.__getitem__

    def find_or_run_in_python(self: FunctionImplementationContainer, key: Any) -> Any:
        try:
            return find(self, key)
        except KeyError:
            if key is not codeobj_class:
                raise
            return PYTHON_ONLY

    FunctionImplementationContainer.__getitem__ = find_or_run_in_python


def add_numpy_implementations(variables: dict[str, Any]) -> None:
    """Let NumPy code call the Python functions themselves where nothing better is there."""
    for function in variables.values():
        if not isinstance(function, Function):
            continue
        try:
            function.implementations[NumpyCodeObject]
        except KeyError:
            function.implementations.add_numpy_implementation(function.pyfunc)
