"""C++ twins of dynamic arrays, for Brian2's own Cython code.

From Brian2 2.10 on, its Cython code (GSL integrators; a ``codeobj_class`` that a user passes) gets
at dynamic arrays through capsules that hold Brian2's C++ class. Ours live in the arena, where that
class cannot be; such code works on a twin, which holds the values while the code runs.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from brian2.codegen.runtime.cython_rt import CythonCodeObject
from brian2.codegen.runtime.GSLcython_rt import GSLCythonCodeObject
from brian2.core.variables import DynamicArrayVariable

from brian2lava.device.versions import HAS_CAPSULES, GSLGenerator
from brian2lava.engine.memory import GrowingArray


class Mirrors:
    """The twins that exist, by variable."""

    def __init__(self, arrays: MutableMapping[Any, Any]) -> None:
        self._arrays = arrays
        self._twins: WeakKeyDictionary[DynamicArrayVariable, Any] = WeakKeyDictionary()

    def capsule(self, variable: DynamicArrayVariable) -> Any:
        """The capsule of the variable's twin; the twin lives as long as the variable."""
        if variable not in self._twins:
            from brian2.memory.dynamicarray import DynamicArray

            array = self._arrays[variable]
            self._twins[variable] = DynamicArray(array.shape, dtype=array.dtype)
        return self._twins[variable].get_capsule()

    @contextmanager
    def lent(self, variables: Iterable[Any]) -> Iterator[None]:
        """While the context lasts, the twins of ``variables`` stand in for the arrays."""
        pairs = [
            (self._arrays[variable], self._twins[variable])
            for variable in dict.fromkeys(variables)
            if isinstance(variable, DynamicArrayVariable) and variable in self._twins
        ]
        for array, twin in pairs:
            _copy(array, twin)
        try:
            yield
        finally:
            for array, twin in pairs:
                _copy(twin, array)


def _copy(source: Any, target: Any) -> None:
    shape: Any = source.shape
    if tuple(target.shape) != tuple(shape):
        target.resize(shape if len(shape) > 1 else shape[0])
    if isinstance(target, GrowingArray) or shape[0]:
        target.data[...] = source.data


@functools.cache
def on_twins(codeobj_class: type[CythonCodeObject]) -> type[CythonCodeObject]:
    """The same class of code objects, running on twins."""

    def run_block(self: Any, block: str) -> Any:
        variables = [v for v in self.variables.values() if isinstance(v, DynamicArrayVariable)]
        with self.device.mirrors.lent(variables):
            return codeobj_class.run_block(self, block)

    changed: dict[str, Any] = {"run_block": run_block}
    if HAS_CAPSULES and issubclass(codeobj_class, GSLCythonCodeObject):
        changed["generator_class"] = GSLGenerator
    return type(codeobj_class.__name__, (codeobj_class,), changed)
