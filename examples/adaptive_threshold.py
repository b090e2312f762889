"""A neuron whose threshold jumps with each spike and falls back on two time scales.

The model of Kobayashi, Tsubo and Shinomoto (2009), Frontiers in Computational Neuroscience 3:9:
a leaky integrator that is never reset; only its threshold knows of its spikes. The numbers are
chosen for the picture.
"""

from brian2 import *

import brian2lava

set_device("lava")
seed(2009)

neuron = NeuronGroup(
    1,
    """dv/dt = (drive - v) / (5*ms) : volt
       ddrive/dt = (25*mV - drive) / (20*ms) + 12*mV*sqrt(2/(20*ms))*xi : volt
       dfast/dt = -fast / (10*ms) : volt
       dslow/dt = -slow / (200*ms) : volt
       theta = 18*mV + fast + slow : volt""",
    threshold="v > theta",
    reset="""fast += 15*mV
             slow += 2*mV""",
    refractory=2 * ms,
    method="euler",
)
trace = StateMonitor(neuron, ["v", "theta"], record=True)
spikes = SpikeMonitor(neuron)
run(600 * ms)

figure(figsize=(7, 3), layout="constrained")
plot(trace.t / ms, trace.v[0] / mV, "k", linewidth=0.9, label="potential")
plot(trace.t / ms, trace.theta[0] / mV, "tab:red", linewidth=0.9, label="threshold")
for t in spikes.t:
    axvline(t / ms, 0.94, 1, color="k", linewidth=1.2)
xlabel("time (ms)")
ylabel("mV")
xlim(0, 600)
ylim(-18, 80)
legend(loc="lower left", frameon=False, ncols=2)
savefig("adaptive_threshold.png")
