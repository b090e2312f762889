"""The classes of brian2-loihi, on the chip's emulator: its scripts run with another import line.

::

    from brian2lava.loihi import *        # instead of: from brian2_loihi import *

Groups, synapses and monitors are Brian2's own objects, so that connections, indexing and string
expressions are Brian2's; :meth:`LoihiNetwork.run` turns them into a chip network in the arithmetic
profile ``brian2loihi``, runs it in integers, and writes the results back into them. Arguments,
attributes and results are those of brian2-loihi 0.5.2 (Michaelis et al. 2022, Front. Neuroinform.).
"""

from brian2lava.loihi.constants import state, synapse_sign_mode
from brian2lava.loihi.monitors import LoihiSpikeMonitor, LoihiStateMonitor
from brian2lava.loihi.network import LoihiNetwork
from brian2lava.loihi.neurons import LoihiNeuronGroup
from brian2lava.loihi.spike_generator import LoihiSpikeGeneratorGroup
from brian2lava.loihi.synapses import LoihiSynapses

__all__ = [
    "LoihiNetwork",
    "LoihiNeuronGroup",
    "LoihiSpikeGeneratorGroup",
    "LoihiSpikeMonitor",
    "LoihiStateMonitor",
    "LoihiSynapses",
    "state",
    "synapse_sign_mode",
]
