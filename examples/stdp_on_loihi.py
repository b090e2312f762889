"""STDP finds the inputs that fire together (Song and others 2000), by a Loihi 2's learning rule.

The first 100 of 500 inputs have common events. The same script in floating point and on the chip:
a weight's bound is the greatest mantissa, 255, and the report says which traces, coefficients and
time constants the equations became.
"""

from brian2 import *

import brian2lava

defaultclock.dt = 1 * ms  # a weight has to be seen beside the threshold's 17 bits
largest = 0.25
seeded = np.random.RandomState(1)
together = seeded.rand(10_000, 1) < 10e-3  # 10 Hz for 10 s
chance = np.where(np.arange(500) < 100, np.where(together, 0.6, 0.009), 0.015)
when, who = np.nonzero(seeded.rand(10_000, 500) < chance)
begin = largest * seeded.rand(500)


def network():
    """500 inputs with given spikes onto one neuron."""
    inputs = SpikeGeneratorGroup(500, who, when * ms)
    neuron = NeuronGroup(
        1,
        """dv/dt = (g - v) / (10*ms) : 1
        dg/dt = -g / (5*ms) : 1""",
        threshold="v > 4",
        reset="v = 0",
        method="exact",
    )
    synapses = Synapses(
        inputs,
        neuron,
        """w : 1
        dapre/dt = -apre / (20*ms) : 1 (event-driven)
        dapost/dt = -apost / (20*ms) : 1 (event-driven)""",
        on_pre="""g_post += w
        apre += 0.02*largest
        w = clip(w + apost, 0, largest)""",
        on_post="""apost -= 0.021*largest
        w = clip(w + apre, 0, largest)""",
    )
    synapses.connect()
    synapses.w = begin
    spikes = SpikeMonitor(neuron)
    weights = StateMonitor(synapses, "w", record=True, dt=50 * ms)
    return Network(inputs, neuron, synapses, spikes, weights), synapses, spikes, weights


figure, axes = subplots(2, 2, figsize=(8, 6), sharex="col", sharey="col")
for row, hardware in zip(axes, ("CPU", "Loihi2")):
    set_device("lava", hardware=hardware)
    seed(1)
    model, synapses, spikes, weights = network()
    model.run(10 * second)
    found, rest = mean(synapses.w[:100]) / largest, mean(synapses.w[100:]) / largest
    print(f"{hardware}: {spikes.num_spikes} spikes, mean weights {found:.2f} and {rest:.2f}")
    both = [synapses.w[:100] / largest, synapses.w[100:] / largest]
    row[0].hist(both, 20, range=(0, 1), stacked=True, label=["together", "alone"])
    row[0].set(ylabel="synapses", title=f'hardware="{hardware}"')
    row[1].plot(weights.t / second, mean(weights.w[:100], axis=0) / largest)
    row[1].plot(weights.t / second, mean(weights.w[100:], axis=0) / largest)
    row[1].set(ylabel="mean w / largest", title=f"{spikes.num_spikes} spikes", ylim=(0, 1))
axes[0, 0].legend()
axes[1, 0].set(xlabel="w / largest after 10 s")
axes[1, 1].set(xlabel="time (s)")
print(brian2lava.report())
tight_layout()
savefig("stdp_on_loihi.png")
