"""The README's example: a hundred noisy neurons, each driven more than the one before."""

from brian2 import *

import brian2lava

set_device("lava")
equation = "dv/dt = (0.7 + i/80 - v) / (10*ms) + 0.1*xi*sqrt(2/(10*ms)) : 1"
neurons = NeuronGroup(100, equation, threshold="v > 1", reset="v = 0", method="euler")
spikes = SpikeMonitor(neurons)
run(500 * ms)

plot(spikes.t / ms, spikes.i, ".k", markersize=3)
xlabel("time (ms)")
ylabel("neuron")
savefig("first.png")
