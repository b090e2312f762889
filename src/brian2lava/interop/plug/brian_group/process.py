"""A Brian2 group as a Lava process: ports that other Lava processes are connected to.

Lava's models declare ports as class attributes, and groups differ in theirs. So each set of ports
has a class of its own, made when it is first needed and kept in this module, where Lava looks for
models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn, Protocol

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from brian2lava.errors import NotSupported

#: Name, whether messages leave the group, and the type of their numbers.
PortKind = tuple[str, bool, str]

_kinds: dict[tuple[PortKind, ...], type[BrianGroup]] = {}


class PortMaker(Protocol):
    """Makes the ports that are asked for; ``brian2lava.interop.plug.plug.Plug`` in earnest."""

    def into(self, variable: str, unit: Any, latency: int) -> InPort:
        """A port that adds to a variable."""
        ...

    def out(self, variable: str, unit: Any) -> OutPort:
        """A port that sends a variable."""
        ...

    def events(self, event: str) -> OutPort:
        """A port that sends events."""
        ...


class BrianGroup(AbstractProcess):
    """A Brian2 group among Lava processes; ``brian2lava.lava_device.process(group)`` makes it.

    One Lava step is one pass of Brian2's loop in which a group of the graph has a step. Messages
    are exchanged once in it, between thresholds and synapses (slot "thresholds", after the
    thresholds).

    Attributes
    ----------
    s_out : OutPort
        The spikes of the step, 1 or 0 a neuron (int32), in the same step. Groups with spikes.
    s_in : InPort
        Makes neurons spike: other numbers than 0 are spikes of the same step. SpikeGeneratorGroups.
    """

    def __init__(self, *, name: str, ports: PortMaker) -> None:
        super().__init__(name=name)
        self._maker = ports

    def into(self, variable: str, unit: Any = None, latency: int = 1) -> InPort:
        """The port ``<variable>_in``: what arrives is added to the variable, in each step.

        Several processes may be connected to it: their numbers are added up first.

        Parameters
        ----------
        variable : str
            A variable of floating-point numbers or integers; ``(unless refractory)`` holds for it
            as it does for synapses.
        unit : Quantity, optional
            What a 1 from Lava means; without it the base unit (volt, not mV).
        latency : int
            1: what is sent in step t is added where synapses add, before they do, so it acts on the
            state update of step t + 1. Through a ``Dense`` (which takes one step) that is
            ``Synapses(..., on_pre="v_post += w", delay=dt)``; what arrives at a neuron together is
            summed first, so last bits can differ where that is more than one number.
            0: it is added before the state update of step t. Then it can't depend on what groups
            send in step t, unless a process that sends before it receives (Dense, Sparse, Conv)
            stands in between.

        Raises
        ------
        OptionError
            There is no such variable, the unit has other dimensions, or the port was made
            otherwise before.
        NotSupported
            Nothing can be added to the variable.
        """
        return self._maker.into(variable, unit, latency)

    def out(self, variable: str, unit: Any = None) -> OutPort:
        """The port ``<variable>_out``: the variable's values in each step, in the same step.

        They are those after the thresholds and before the reset, as synapses see them.

        Parameters
        ----------
        variable : str
        unit : Quantity, optional
            What is sent as a 1; without it the base unit.

        Raises
        ------
        OptionError
            As for :meth:`into`.
        NotSupported
            The variable has no values of its own (a subexpression).
        """
        return self._maker.out(variable, unit)

    def events(self, event: str) -> OutPort:
        """The port ``<event>_out``: the events of the step, as ``s_out`` has spikes.

        Raises
        ------
        OptionError
            There is no such event.
        """
        return self._maker.events(event)

    def run(self, *arguments: Any, **named: Any) -> NoReturn:
        """Brian2's ``run()`` runs the group and all that is connected to it.

        Raises
        ------
        NotSupported
            Always.
        """
        raise NotSupported(
            f"'{self.name}' is a Brian2 group: Brian2's run(duration) runs it and the Lava"
            " processes that are connected to it, a step of theirs in each of its own. (A Brian2"
            " network inside of a Lava program is made by brian2lava.as_process().)"
        )

    def __del__(self) -> None:
        """Nothing: the network's run owns the runtime."""


class _GroupModel(PyLoihiProcessModel):
    """Holds the ports; what goes through them is Brian2's own."""

    def run_spk(self) -> None:
        """Nothing is computed here."""


def with_model(process: BrianGroup, kinds: Mapping[str, str]) -> None:
    """Give ``process``, now that its ports are known, the class whose model has them.

    ``kinds`` are the types of numbers by port.
    """
    key = tuple((name, name in process.out_ports.member_names, kinds[name])
                for name in sorted(kinds))  # fmt: skip
    if key not in _kinds:
        _kinds[key] = _kind(key)
    process.__class__ = _kinds[key]


def _kind(ports: tuple[PortKind, ...]) -> type[BrianGroup]:
    number = len(_kinds)
    process = _class("BrianGroup", BrianGroup, {})
    members = {
        name: LavaPyType(
            PyOutPort.VEC_DENSE if leaves else PyInPort.VEC_DENSE, np.dtype(dtype).type
        )
        for name, leaves, dtype in ports
    }
    model = _class(f"_GroupModel{number}", _GroupModel, members)
    model = implements(proc=process, protocol=LoihiProtocol)(model)
    globals()[model.__name__] = requires(CPU)(model)
    found: type[BrianGroup] = process
    return found


def _class(name: str, base: type, members: Mapping[str, Any]) -> Any:
    return type(base)(name, (base,), {**members, "__module__": __name__, "__doc__": base.__doc__})
