"""Our own Lava process of chip neurons, for what Lava's library has no fixed-point process for.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.processes.chip_neurons.process import ChipNeurons, chip_neurons

__all__ = ["ChipNeurons", "chip_neurons"]
