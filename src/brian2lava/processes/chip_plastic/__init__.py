"""Our own Lava process of synapses that learn, for what Lava's LearningDense is not.

Lava looks for process models by executing every module beside a process: nothing else lives here.
"""

from brian2lava.processes.chip_plastic.process import ChipPlastic

__all__ = ["ChipPlastic"]
