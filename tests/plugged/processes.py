"""Processes that fail, or ask for a pause, in a given step."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np

from brian2lava.processes.shim import import_lava

import_lava()
from lava.magma.core.decorator import implements, requires, tag  # noqa: E402
from lava.magma.core.model.py.model import PyAsyncProcessModel, PyLoihiProcessModel  # noqa: E402
from lava.magma.core.model.py.ports import PyInPort, PyOutPort  # noqa: E402
from lava.magma.core.model.py.type import LavaPyType  # noqa: E402
from lava.magma.core.process.ports.ports import InPort, OutPort  # noqa: E402
from lava.magma.core.process.process import AbstractProcess  # noqa: E402
from lava.magma.core.process.variable import Var  # noqa: E402
from lava.magma.core.resources import CPU  # noqa: E402
from lava.magma.core.sync.protocols.async_protocol import AsyncProtocol  # noqa: E402
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol  # noqa: E402


class Failing(AbstractProcess):
    """Sends zeros, and fails in step ``step``."""

    def __init__(self, *, shape: tuple[int, ...], step: int) -> None:
        super().__init__(shape=shape, step=step)
        self.s_out = OutPort(shape=shape)


@implements(proc=Failing, protocol=LoihiProtocol)
@requires(CPU)
class FailingModel(PyLoihiProcessModel):
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)

    def run_spk(self) -> None:
        left = self.proc_params["step"] - self.time_step
        self.s_out.send(0 * left / left + _zeros(self.proc_params))


class Adding(AbstractProcess):
    """Adds up what it gets, in a model of its own; sends 1 and begins anew from 200."""

    def __init__(self, *, shape: tuple[int, ...]) -> None:
        super().__init__(shape=shape)
        self.a_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)
        self.v = Var(shape=shape, init=0)


@implements(proc=Adding, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class AddingModel(PyLoihiProcessModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    v: np.ndarray = LavaPyType(np.ndarray, np.int32, precision=24)

    def run_spk(self) -> None:
        self.v[:] += self.a_in.recv()
        fired = self.v >= 200
        self.v[fired] = 0
        self.s_out.send(fired)


class Pausing(AbstractProcess):
    """Asks for a pause in step ``step``."""

    def __init__(self, *, shape: tuple[int, ...], step: int) -> None:
        super().__init__(shape=shape, step=step)
        self.a_in = InPort(shape=shape)


@implements(proc=Pausing, protocol=LoihiProtocol)
@requires(CPU)
class PausingModel(PyLoihiProcessModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)

    def run_spk(self) -> None:
        self.a_in.recv()
        self._req_pause = self.time_step == self.proc_params["step"]


class Interrupting(AbstractProcess):
    """Presses Ctrl-C in step ``step``."""

    def __init__(self, *, shape: tuple[int, ...], step: int) -> None:
        super().__init__(shape=shape, step=step)
        self.a_in = InPort(shape=shape)


@implements(proc=Interrupting, protocol=LoihiProtocol)
@requires(CPU)
class InterruptingModel(PyLoihiProcessModel):
    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, float)

    def run_spk(self) -> None:
        self.a_in.recv()
        if self.time_step == self.proc_params["step"]:
            os.kill(os.getpid(), signal.SIGINT)


class Free(AbstractProcess):
    """Runs at its own pace."""

    def __init__(self, *, shape: tuple[int, ...]) -> None:
        super().__init__(shape=shape)
        self.s_out = OutPort(shape=shape)


@implements(proc=Free, protocol=AsyncProtocol)
@requires(CPU)
class FreeModel(PyAsyncProcessModel):
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, float)

    def run_async(self) -> None:
        """Nothing."""


def _zeros(parameters: Any) -> Any:
    import numpy as np

    return np.zeros(parameters["shape"])
