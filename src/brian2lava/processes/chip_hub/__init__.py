"""Our own Lava process that holds the parts of a graph together.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.processes.chip_hub.process import ChipHub, chip_hub

__all__ = ["ChipHub", "chip_hub"]
