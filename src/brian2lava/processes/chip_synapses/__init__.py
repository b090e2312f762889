"""Our own Lava process of synapses, for arithmetic that Lava's library does not compute.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.processes.chip_synapses.process import ChipSynapses

__all__ = ["ChipSynapses"]
