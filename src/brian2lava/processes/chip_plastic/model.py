"""How :class:`ChipPlastic` run on a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from brian2lava.processes.chip_plastic.process import ChipPlastic, PlasticRing


@implements(proc=ChipPlastic, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt", "brian2lava")
class ChipPlasticModel(PyLoihiProcessModel):
    """Sends before it receives, so that loops of neurons do not wait for themselves."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int64)
    s_in_bap: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int64)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int64)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self.ring: PlasticRing = proc_params["make_ring"]()

    def run_spk(self) -> None:
        """One time step."""
        self.a_out.send(self.ring.due())
        sent = self.s_in.recv()
        self.ring.take(sent, self.s_in_bap.recv())
