"""Lets lava-nc 0.10 run on Python 3.11 to 3.13 and on NumPy 2; no installed file is changed.

lava-nc 0.10.0, the last release, declares Python 3.10 and NumPy 1. Six modules need a repair:

=============================================  ====================================================
module                                         what is repaired
=============================================  ====================================================
``lava.magma.compiler.var_model``              dataclass defaults must be hashable (Python 3.11)
``lava.magma.core.process.process``            ``Collection`` raises ``AssertionError`` for private
                                               names (``unittest.mock``, ``inspect``; Python 3.12)
``lava.magma.core.process.ports.ports``        ``numpy.reshape(newshape=)`` is gone (NumPy 2.4)
``lava.proc.clp.nsm.models``                   arrays of one element are no scalars (NumPy 2.4)
``lava.proc.graded.models``                    the same
``lava...message_infrastructure.multiprocessing``  sets the start method of the whole program, which
                                               fails after a pool and binds the user
=============================================  ====================================================

:func:`install` puts an import hook in place that repairs each of them when, and if, it is imported.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import importlib.abc
import importlib.machinery
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

import numpy as np

#: Opens around the execution of a module's code; what follows its ``yield`` repairs the module.
Repair = Callable[[ModuleType], AbstractContextManager[None]]


@contextmanager
def _hashable_defaults(module: ModuleType) -> Iterator[None]:
    """Instances of ``ByteEncoder`` may be defaults of dataclass fields: give the class a hash.

    Dataclasses ask each default for its hash while ``module`` is executed; the class exists only
    then, so the question is intercepted.
    """
    original = dataclasses._get_field  # type: ignore[attr-defined]

    def get_field(owner: type, name: str, *arguments: Any) -> Any:
        default = type(getattr(owner, name, None))
        if default.__name__ == "ByteEncoder" and default.__hash__ is None:
            default.__hash__ = object.__hash__
        return original(owner, name, *arguments)

    dataclasses._get_field = get_field  # type: ignore[attr-defined]
    try:
        yield
    finally:
        dataclasses._get_field = original  # type: ignore[attr-defined]


@contextmanager
def _polite_collections(module: ModuleType) -> Iterator[None]:
    """Private names that a ``Collection`` lacks raise ``AttributeError``, as Python expects."""
    yield
    look_up = module.Collection.__getattr__

    @functools.wraps(look_up)
    def get_attribute(self: Any, item: str) -> Any:
        if item.startswith("_"):
            raise AttributeError(item)
        return look_up(self, item)

    module.Collection.__getattr__ = get_attribute


@contextmanager
def _reshape_by_position(module: ModuleType) -> Iterator[None]:
    """The transforms of a ``ReshapePort`` name the new shape in a way that every NumPy knows."""
    yield

    def forward(port: Any) -> functools.partial[Any]:
        return functools.partial(_reshape, shape=port.shape)

    def backward(port: Any) -> functools.partial[Any]:
        return functools.partial(_reshape, shape=port.old_shape)

    module.ReshapePort.get_transform_func_fwd = forward
    module.ReshapePort.get_transform_func_bwd = backward


def _reshape(data: Any, shape: tuple[int, ...]) -> Any:
    return np.reshape(data, shape)


@contextmanager
def _scalar_allocation(module: ModuleType) -> Iterator[None]:
    """The allocator's counter, an array of one element, becomes one of no dimension."""
    yield
    run_step = module.PyAllocatorModel.run_spk

    @functools.wraps(run_step)
    def run_spk(self: Any) -> None:
        if np.size(self.next_alloc_id) == 1:
            self.next_alloc_id = np.reshape(self.next_alloc_id, ())
        run_step(self)

    module.PyAllocatorModel.run_spk = run_spk


@contextmanager
def _scalar_inverse_root(module: Any) -> Iterator[None]:
    """``inv_sqrt`` is for scalars and is called with arrays of one element."""
    yield
    inverse_root = module.inv_sqrt

    @functools.wraps(inverse_root)
    def inv_sqrt(s_fp: Any, *arguments: Any, **named: Any) -> Any:
        value = np.ravel(s_fp)[0] if np.size(s_fp) == 1 else s_fp
        return inverse_root(value, *arguments, **named)

    module.inv_sqrt = inv_sqrt


@contextmanager
def _no_start_method(module: ModuleType) -> Iterator[None]:
    """The start method of multiprocessing stays the user's; hosts choose their own."""
    original = multiprocessing.set_start_method
    multiprocessing.set_start_method = lambda *_, **__: None
    try:
        yield
    finally:
        multiprocessing.set_start_method = original


REPAIRS: dict[str, Repair] = {
    "lava.magma.compiler.var_model": _hashable_defaults,
    "lava.magma.core.process.process": _polite_collections,
    "lava.magma.core.process.ports.ports": _reshape_by_position,
    "lava.proc.clp.nsm.models": _scalar_allocation,
    "lava.proc.graded.models": _scalar_inverse_root,
    "lava.magma.runtime.message_infrastructure.multiprocessing": _no_start_method,
}


class _RepairingLoader(importlib.abc.Loader):
    """Loads a module as its own loader does, with a repair around it."""

    def __init__(self, loader: importlib.abc.Loader, repair: Repair) -> None:
        self._loader = loader
        self._repair = repair

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with self._repair(module):
            self._loader.exec_module(module)

    def __getattr__(self, name: str) -> Any:  # get_source, get_filename, ... of tracebacks
        return getattr(self._loader, name)


class _RepairingFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of :data:`REPAIRS` where every other finder would."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        repair = REPAIRS.get(fullname)
        if repair is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        specs = (finder.find_spec(fullname, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _RepairingLoader(spec.loader, repair)
        return spec


def install() -> None:
    """Repair Lava's modules from now on, and those that are imported already. Can be repeated."""
    if any(isinstance(finder, _RepairingFinder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _RepairingFinder())
    for name, repair in REPAIRS.items():
        module = sys.modules.get(name)
        if module is not None:
            with repair(module):
                pass


def import_lava() -> None:
    """Import what hosts need of Lava, repaired; raises ``ImportError`` where there is no Lava."""
    install()
    importlib.import_module("lava.magma.core.process.process")
    importlib.import_module("lava.magma.runtime.runtime")
