"""A Lava process of ours that listens to several others, so that Lava runs them together.

Lava runs what is connected by ports; a network may consist of parts that are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

_kinds: dict[int, type[ChipHub]] = {}


class ChipHub(AbstractProcess):
    """Takes in spikes of brian2lava's chip networks and does nothing. Made by :func:`chip_hub`."""

    def __init__(self, *, name: str, sizes: Sequence[int]) -> None:
        super().__init__(name=name)
        for number, size in enumerate(sizes):
            setattr(self, f"s_in_{number}", InPort(shape=(size,)))


class _Hub(PyLoihiProcessModel):
    """Receives, so that no sender waits for ever."""

    inputs = 0

    def run_spk(self) -> None:
        """One time step."""
        for number in range(self.inputs):
            getattr(self, f"s_in_{number}").recv()


def chip_hub(name: str, sizes: Sequence[int]) -> ChipHub:
    """A hub with an input port ``s_in_<k>`` for each of ``sizes``."""
    count = len(sizes)
    if count not in _kinds:
        _kinds[count] = _kind(count)
    return _kinds[count](name=name, sizes=sizes)


def _kind(count: int) -> Any:
    """The class with so many ports; its model is left where Lava looks for it."""
    process = _class(f"ChipHub{count}", ChipHub, {})
    members: dict[str, Any] = {"inputs": count}
    for number in range(count):
        members[f"s_in_{number}"] = LavaPyType(PyInPort.VEC_DENSE, np.int64)
    model = _class(f"_Hub{count}", _Hub, members)
    model = implements(proc=process, protocol=LoihiProtocol)(model)
    globals()[model.__name__] = tag("fixed_pt", "brian2lava")(requires(CPU)(model))
    return process


def _class(name: str, base: type, members: Mapping[str, Any]) -> Any:
    return type(base)(name, (base,), {**members, "__module__": __name__, "__doc__": base.__doc__})
