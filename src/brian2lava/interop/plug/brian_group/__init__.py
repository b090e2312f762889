"""The Lava process that stands for a Brian2 group in a graph of other Lava processes.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.interop.plug.brian_group.process import BrianGroup, with_model

__all__ = ["BrianGroup", "with_model"]
