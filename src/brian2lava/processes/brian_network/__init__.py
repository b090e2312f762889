"""The Lava process of a whole Brian2 network, and its model.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.processes.brian_network.process import BrianNetwork

__all__ = ["BrianNetwork"]
