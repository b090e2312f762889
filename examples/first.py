"""The README's example: a hundred noisy neurons, each driven more than the one before."""

from brian2 import *

import brian2lava

set_device("lava")

neurons = NeuronGroup(
    100,
    """dv/dt = (drive - v) / (10*ms) + 0.1*xi*sqrt(2/(10*ms)) : 1 (unless refractory)
       drive : 1""",
    threshold="v > 1",
    reset="v = 0",
    refractory=2 * ms,
    method="euler",
)
neurons.drive = "0.7 + i/80"
spikes = SpikeMonitor(neurons)
run(500 * ms)

figure(figsize=(7, 3), layout="constrained")
plot(spikes.t / ms, spikes.i, ".k", markersize=3)
xlabel("time (ms)")
ylabel("neuron")
savefig("first.png")
