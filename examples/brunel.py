"""Fast oscillations of a network whose neurons fire slowly and irregularly.

Brunel and Hakim (1999), Neural Computation 11:1621-1671: inhibitory neurons with noise, each
inhibited by 1,000 others after a delay of 2 ms.
"""

from brian2 import *

import brian2lava

set_device("lava")
seed(1999)

tau = 20 * ms
neurons = NeuronGroup(
    5000,
    "dv/dt = (25*mV - v + 1*mV*sqrt(tau)*xi) / tau : volt (unless refractory)",
    threshold="v > 20*mV",
    reset="v = 10*mV",
    refractory=2 * ms,
    method="euler",
)
neurons.v = 10 * mV

inhibit = Synapses(neurons, neurons, on_pre="v -= 0.1*mV", delay=2 * ms)
inhibit.connect(p=0.2)

spikes = SpikeMonitor(neurons)
rate = PopulationRateMonitor(neurons)
run(150 * ms)

_, (above, below) = subplots(
    2, 1, sharex=True, figsize=(7, 4.5), height_ratios=(2, 1), layout="constrained"
)
above.plot(spikes.t / ms, spikes.i, ",k")
above.set(ylabel="neuron", ylim=(0, 5000))
below.plot(rate.t / ms, rate.smooth_rate(width=0.5 * ms) / Hz, "k", linewidth=0.8)
below.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, 150), ylim=(0, None))
savefig("brunel.png")
