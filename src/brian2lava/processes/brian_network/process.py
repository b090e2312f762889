"""The Lava process of a whole Brian2 network."""

from __future__ import annotations

from collections.abc import Callable

from lava.magma.core.process.process import AbstractProcess

from brian2lava.engine.host import Executor
from brian2lava.processes.mailbox import Mailbox


class BrianNetwork(AbstractProcess):
    """A Brian2 network that runs as one Lava process.

    Its state isn't in Lava variables, which travel one element a message, but in the arena that it
    shares with the program that started it. Ports, for networks that talk to other Lava processes,
    would be attributes set in ``__init__``, as in any Lava process.

    Parameters
    ----------
    mailbox : Mailbox
        Through which the process model gets its commands.
    make_worker : callable
        Makes what executes them; called once, in the process that Lava starts.
    """

    def __init__(self, *, mailbox: Mailbox, make_worker: Callable[[], Executor]) -> None:
        super().__init__(name="brian_network", mailbox=mailbox, make_worker=make_worker)

    def __del__(self) -> None:
        """Nothing: the host stops the runtime. Lava's own would stop it from any forked process."""
