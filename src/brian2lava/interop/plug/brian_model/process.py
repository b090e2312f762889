"""A Brian2 network as a Lava process with ports and Vars, in Lava's per-step protocol.

Lava's models declare ports and variables as class attributes, and networks differ in both. So each
set of them has a class of its own, made when it is first asked for and kept in this module, where
Lava looks for models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

#: Name and type of numbers.
Typed = tuple[str, str]

_kinds: dict[tuple[tuple[Typed, ...], ...], type[BrianModel]] = {}


class Inside(Protocol):
    """What a step consists of; ``brian2lava.interop.plug.wrapped.Wrapped`` in earnest."""

    @property
    def confession(self) -> Any:
        """What went wrong in a process of the system."""
        ...

    def step(self, model: Any) -> None:
        """One pass of the network's loop, with messages through the ports of ``model``."""
        ...

    def failed(self) -> None:
        """An exception ends the process; tell the user's program what it was."""
        ...


class BrianModel(AbstractProcess):
    """A Brian2 network as a Lava process. Made by :func:`brian2lava.as_process`.

    A Lava step is a pass of the network's loop. Its ports are those that were named, its Vars the
    variables that were named as states.
    """

    def __init__(
        self,
        *,
        name: str,
        inside: Inside,
        inputs: Mapping[str, int],
        outputs: Mapping[str, int],
        states: Mapping[str, Any],
    ) -> None:
        super().__init__(name=name, inside=inside)
        self.inside = inside
        for port, size in inputs.items():
            setattr(self, port, InPort(shape=(size,)))
        for port, size in outputs.items():
            setattr(self, port, OutPort(shape=(size,)))
        for state, values in states.items():
            setattr(self, state, Var(shape=values.shape, init=values))


class _Model(PyLoihiProcessModel):
    """Moves the network on."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._inside: Inside = proc_params["inside"]

    def run_spk(self) -> None:
        """One pass of the network's loop."""
        try:
            self._inside.step(self)
        except BaseException:
            self._inside.failed()
            raise

    def ask_for_pause(self) -> None:
        """The network has called ``stop()``."""
        self._req_pause = True


def brian_model(
    name: str,
    inside: Inside,
    inputs: Mapping[str, tuple[int, Any]],
    outputs: Mapping[str, tuple[int, Any]],
    states: Mapping[str, Any],
) -> BrianModel:
    """The process.

    Parameters
    ----------
    inputs, outputs : dict of str to (int, dtype)
        Size and type of numbers by port.
    states : dict of str to array
        Present values by Var.
    """
    key = (
        tuple((port, np.dtype(dtype).name) for port, (_, dtype) in inputs.items()),
        tuple((port, np.dtype(dtype).name) for port, (_, dtype) in outputs.items()),
        tuple((state, values.dtype.name) for state, values in states.items()),
    )
    if key not in _kinds:
        _kinds[key] = _kind(*key)
    return _kinds[key](
        name=name,
        inside=inside,
        inputs={port: size for port, (size, _) in inputs.items()},
        outputs={port: size for port, (size, _) in outputs.items()},
        states=states,
    )


def _kind(
    inputs: tuple[Typed, ...], outputs: tuple[Typed, ...], states: tuple[Typed, ...]
) -> type[BrianModel]:
    number = len(_kinds)
    process = _class("BrianModel", BrianModel, {})
    members = {
        **{port: LavaPyType(PyInPort.VEC_DENSE, np.dtype(dtype).type) for port, dtype in inputs},
        **{port: LavaPyType(PyOutPort.VEC_DENSE, np.dtype(dtype).type) for port, dtype in outputs},
        **{state: LavaPyType(np.ndarray, np.dtype(dtype).type) for state, dtype in states},
    }
    model = _class(f"_Model{number}", _Model, members)
    model = implements(proc=process, protocol=LoihiProtocol)(model)
    globals()[model.__name__] = requires(CPU)(model)
    found: type[BrianModel] = process
    return found


def _class(name: str, base: type, members: Mapping[str, Any]) -> Any:
    return type(base)(name, (base,), {**members, "__module__": __name__, "__doc__": base.__doc__})
