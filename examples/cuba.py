"""A network that keeps itself active: integrate-and-fire neurons, current-based synapses (CUBA).

Vogels and Abbott (2005), Journal of Neuroscience 25:10786-10795; in the form of benchmark 2 of
Brette et al. (2007), Journal of Computational Neuroscience 23:349-398.
"""

from brian2 import *

import brian2lava

set_device("lava")
seed(2005)

neurons = NeuronGroup(
    4000,
    """dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
       dge/dt = -ge / (5*ms) : volt
       dgi/dt = -gi / (10*ms) : volt""",
    threshold="v > -50*mV",
    reset="v = -60*mV",
    refractory=5 * ms,
    method="exact",
)
neurons.v = "-60*mV + rand()*10*mV"

excite = Synapses(neurons[:3200], neurons, on_pre="ge += 1.62*mV")
excite.connect(p=0.02)
inhibit = Synapses(neurons[3200:], neurons, on_pre="gi -= 9*mV")
inhibit.connect(p=0.02)

spikes = SpikeMonitor(neurons)
rate = PopulationRateMonitor(neurons)
run(500 * ms)

_, (above, below) = subplots(
    2, 1, sharex=True, figsize=(7, 5), height_ratios=(3, 1), layout="constrained"
)
above.plot(spikes.t / ms, spikes.i, ",k")
above.axhline(3200, color="tab:red", linewidth=0.8)
above.set(ylabel="neuron (inhibitory above the line)", ylim=(0, 4000))
below.fill_between(rate.t / ms, rate.smooth_rate(width=2 * ms) / Hz, color="0.6")
below.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, 500), ylim=(0, None))
savefig("cuba.png")
