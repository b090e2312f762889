"""How a :class:`BrianNetwork` runs on a CPU."""

from __future__ import annotations

import os
from typing import Any

from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyAsyncProcessModel
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.async_protocol import AsyncProtocol

from brian2lava.processes.brian_network.process import BrianNetwork
from brian2lava.processes.conversation import serve
from brian2lava.processes.forking import flush_output


@implements(proc=BrianNetwork, protocol=AsyncProtocol)
@requires(CPU)
class BrianNetworkModel(PyAsyncProcessModel):
    """Runs the network with a compiled engine, at its own pace.

    Lava's protocol for Loihi synchronises processes in every time step, which costs far more than
    a step of compiled code. Here Lava says once how many steps a run has; the engine gets its
    commands from the host in the meantime, and Lava's runtime hears when the run is over.
    """

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._mailbox = proc_params["mailbox"]
        self._worker = proc_params["make_worker"]()
        self._host_pid = os.getppid()

    def run_async(self) -> None:
        """One run of the Brian2 network."""
        serve(self._mailbox, self._worker, go_on=self._is_wanted)
        flush_output()

    def _is_wanted(self) -> bool:
        return os.getppid() == self._host_pid and not self.check_for_stop_cmd()
