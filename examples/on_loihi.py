"""The network of Vogels and Abbott (2005) in the integers of a Loihi 2, and in floating point.

The same script for both: only ``hardware`` differs. The report says what each parameter became.
"""

from brian2 import *

import brian2lava

seeded = np.random.RandomState(3)
start = -60 + 10 * seeded.rand(2000)
pairs = np.nonzero(seeded.rand(2000, 2000) < 0.04)


def network():
    """2,000 neurons with two currents each, the same synapses every time."""
    neurons = NeuronGroup(
        2000,
        """dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
        dge/dt = -ge / (5*ms) : volt
        dgi/dt = -gi / (10*ms) : volt""",
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * ms,
        method="exact",
    )
    neurons.v = start * mV
    excite = Synapses(neurons, neurons, on_pre="ge += 1.62*mV")
    inhibit = Synapses(neurons, neurons, on_pre="gi -= 9*mV")
    excitatory = pairs[0] < 1600
    excite.connect(i=pairs[0][excitatory], j=pairs[1][excitatory])
    inhibit.connect(i=pairs[0][~excitatory], j=pairs[1][~excitatory])
    spikes = SpikeMonitor(neurons)
    trace = StateMonitor(neurons, "v", record=[7])
    return Network(neurons, excite, inhibit, spikes, trace), spikes, trace


figure, axes = subplots(3, 1, figsize=(7, 7), sharex=True, height_ratios=[2, 2, 1])
for axis, hardware in zip(axes, ("CPU", "Loihi2")):
    set_device("lava", hardware=hardware)
    model, spikes, trace = network()
    model.run(300 * ms)
    rate = spikes.num_spikes / 2000 / 0.3
    print(f"{hardware}: {rate:.2f} spikes a second and neuron")
    axis.plot(spikes.t / ms, spikes.i, ".k", markersize=1)
    axis.set(ylabel="neuron", title=f'hardware="{hardware}": {rate:.2f} Hz')
    axes[2].plot(trace.t / ms, trace.v[0] / mV, label=hardware, lw=1)
axes[2].set(xlabel="time (ms)", ylabel="v (mV)")
axes[2].legend(loc="upper right")
print(brian2lava.report())
tight_layout()
savefig("on_loihi.png")
