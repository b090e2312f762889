"""Brian2 objects as a Lava process with named ports, in Lava's per-step protocol.

Lava's models declare ports as class attributes, and objects differ in theirs. So each set of ports
has a class of its own, made when it is first asked for and kept in this module, where Lava looks
for models.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from brian2lava.processes.forking import flush_output
from brian2lava.processes.passage import Passage
from brian2lava.processes.walker import Line, Walker
from brian2lava.processes.ways import PortPlan, Way

Passages = Mapping[str, Sequence[Passage]]

_kinds: dict[tuple[tuple[PortPlan, ...], tuple[PortPlan, ...]], type[BrianObjects]] = {}


class BrianObjects(AbstractProcess):
    """A Brian2 object as a Lava process. Made by :func:`brian_objects`.

    State isn't in Lava variables, which travel one element a message, but in memory that all
    processes of the graph share with the program that started them.

    Ports carry ``<event>_out`` / ``<event>_from_<object>``, the event space of a group (its events
    in order, their number last), and ``<variable>_to_<object>`` / ``<variable>_from_<object>``, the
    number of the pass in which a variable is lent, or given back with contributions. Lava knows
    the connections; what goes over them takes the :class:`~brian2lava.processes.passage.Passage`
    beside each, in a tenth of the time.
    """

    def __init__(self, *, way: Way, line: Line, passages: Passages) -> None:
        super().__init__(name=way.name, way=way, line=line, passages=passages)
        for port in way.inputs:
            setattr(self, port.name, InPort(shape=(port.size,)))
        for port in way.outputs:
            setattr(self, port.name, OutPort(shape=(port.size,)))

    def __del__(self) -> None:
        """Nothing: the host stops the runtime. Lava's own would stop it from any forked process."""


class _ObjectsModel(PyLoihiProcessModel):
    """Goes through the part of a step that is its own."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._walker = Walker(*(proc_params[name] for name in ("way", "line", "passages")))
        threading.Thread(target=self._walker.serve, name="commands", daemon=True).start()

    def run_spk(self) -> None:
        """One pass of the network's loop."""
        try:
            self._walker.step()
        except BaseException:
            flush_output()
            self._walker.fail()


def brian_objects(way: Way, line: Line, passages: Passages) -> BrianObjects:
    """The process that goes ``way`` and listens at ``line``; ``passages`` by name of the port."""
    key = way.inputs, way.outputs
    if key not in _kinds:
        _kinds[key] = _kind(*key)
    return _kinds[key](way=way, line=line, passages=passages)


def _kind(inputs: tuple[PortPlan, ...], outputs: tuple[PortPlan, ...]) -> type[BrianObjects]:
    """The process class with these ports; its model is left where Lava looks for it."""
    number = len(_kinds)
    process = _class(f"BrianObjects{number}", BrianObjects, {})
    members: dict[str, Any] = {}
    for port in inputs:
        members[port.name] = LavaPyType(PyInPort.VEC_DENSE, np.dtype(port.dtype).type)
    for port in outputs:
        members[port.name] = LavaPyType(PyOutPort.VEC_DENSE, np.dtype(port.dtype).type)
    model = _class(f"_ObjectsModel{number}", _ObjectsModel, members)
    model = implements(proc=process, protocol=LoihiProtocol)(model)
    globals()[model.__name__] = requires(CPU)(model)
    found: type[BrianObjects] = process
    return found


def _class(name: str, base: type, members: Mapping[str, Any]) -> Any:
    return type(base)(name, (base,), {**members, "__module__": __name__, "__doc__": base.__doc__})
