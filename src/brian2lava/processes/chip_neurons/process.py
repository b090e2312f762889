"""Chip neurons as a Lava process of ours, with its model.

Lava's models declare ports and variables as class attributes, and chip models differ in both. So
each set of ports and states has a class of its own, made when it is first asked for and kept in
this module, where Lava looks for models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

#: One step: (states, what arrived at each port, number of the step from 1) -> what is sent. The
#: states are changed in place.
NeuronStep = Callable[[Mapping[str, Any], Mapping[str, Any], int], Any]

_kinds: dict[tuple[tuple[str, ...], tuple[str, ...]], type[ChipNeurons]] = {}


class ChipNeurons(AbstractProcess):
    """Chip neurons of brian2lava's own (not Lava's library): any model, any arithmetic profile.

    Made by :func:`chip_neurons`. Ports: the model's inputs, and ``s_out``, the payload of a spike
    or 0. Variables: the model's states, int64.
    """

    ports: tuple[str, ...] = ()

    def __init__(
        self,
        *,
        name: str,
        size: int,
        initial: Mapping[str, Any],
        make_step: Callable[[], NeuronStep],
    ) -> None:
        super().__init__(name=name, make_step=make_step)
        for port in self.ports:
            setattr(self, port, InPort(shape=(size,)))
        self.s_out = OutPort(shape=(size,))
        for state, values in initial.items():
            setattr(self, state, Var(shape=(size,), init=values))


class _Neurons(PyLoihiProcessModel):
    """Takes what arrived, makes one step of the chip model, and sends the spikes."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int64)
    ports: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._step: NeuronStep = proc_params["make_step"]()

    def run_spk(self) -> None:
        """One time step."""
        arrived = {port: getattr(self, port).recv() for port in self.ports}
        states = {state: getattr(self, state) for state in self.states}
        self.s_out.send(self._step(states, arrived, self.time_step))


def chip_neurons(
    name: str,
    size: int,
    ports: tuple[str, ...],
    initial: Mapping[str, Any],
    make_step: Callable[[], NeuronStep],
) -> ChipNeurons:
    """A process of ``size`` neurons.

    Parameters
    ----------
    name : str
    size : int
    ports : tuple of str
        Names of the input ports.
    initial : dict of str to array of shape (size,)
        States before the first step.
    make_step : callable
        Makes what computes a step; called in the process that Lava starts.
    """
    key = ports, tuple(initial)
    if key not in _kinds:
        _kinds[key] = _kind(*key)
    return _kinds[key](name=name, size=size, initial=initial, make_step=make_step)


def _kind(ports: tuple[str, ...], states: tuple[str, ...]) -> type[ChipNeurons]:
    """The process class with these ports and states; its model is left where Lava looks."""
    title = "_".join(["", *ports, "_", *states])
    process = _class(f"ChipNeurons{title}", ChipNeurons, {"ports": ports})
    members: dict[str, Any] = {"ports": ports, "states": states}
    members.update({port: LavaPyType(PyInPort.VEC_DENSE, np.int64) for port in ports})
    members.update({state: LavaPyType(np.ndarray, np.int64) for state in states})
    model = _class(f"_Neurons{title}", _Neurons, members)
    model = implements(proc=process, protocol=LoihiProtocol)(model)
    globals()[model.__name__] = tag("fixed_pt", "brian2lava")(requires(CPU)(model))
    return process


def _class(name: str, base: type, members: Mapping[str, Any]) -> Any:
    return type(base)(name, (base,), {**members, "__module__": __name__, "__doc__": base.__doc__})
