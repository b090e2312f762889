"""The Lava process of a Brian2 object (or of several that share one), with its model.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.processes.brian_objects.process import BrianObjects, brian_objects

__all__ = ["BrianObjects", "brian_objects"]
