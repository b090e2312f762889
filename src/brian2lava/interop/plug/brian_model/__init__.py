"""The Lava process of a Brian2 network for Lava programs, with its model.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.interop.plug.brian_model.process import BrianModel, brian_model

__all__ = ["BrianModel", "brian_model"]
