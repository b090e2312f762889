"""Competition between synapses: spike-timing dependent plasticity drives weights to the two ends.

Song, Miller and Abbott (2000), Nature Neuroscience 3:919-926: a thousand Poisson inputs on one
neuron. The rule, which the paper applies pair by pair, is written with a trace for each side.
"""

from brian2 import *

import brian2lava

set_device("lava")
seed(2000)

largest = 0.01
step = 0.01
inputs = PoissonGroup(1000, rates=15 * Hz)
neuron = NeuronGroup(
    1,
    """dv/dt = (ge*(0*mV - v) + (-74*mV - v)) / (10*ms) : volt
       dge/dt = -ge / (5*ms) : 1""",
    threshold="v > -54*mV",
    reset="v = -60*mV",
    method="euler",
)
neuron.v = -60 * mV
synapses = Synapses(
    inputs,
    neuron,
    """w : 1
       dbefore/dt = -before / (20*ms) : 1 (event-driven)
       dafter/dt = -after / (20*ms) : 1 (event-driven)""",
    on_pre="""ge += w
              before += step*largest
              w = clip(w + after, 0, largest)""",
    on_post="""after -= 1.05*step*largest
               w = clip(w + before, 0, largest)""",
)
synapses.connect()
synapses.w = "rand()*largest"

followed = StateMonitor(synapses, "w", record=range(0, 1000, 100), dt=100 * ms)
run(120 * second)

_, (left, right) = subplots(1, 2, figsize=(8, 3.2), width_ratios=(3, 2), layout="constrained")
left.plot(followed.t / second, followed.w.T / largest, linewidth=0.8)
left.set(xlabel="time (s)", ylabel="weight / largest weight", xlim=(0, 120), ylim=(0, 1))
right.hist(synapses.w / largest, 20, range=(0, 1), color="0.4")
right.set(xlabel="weight / largest weight after 120 s", ylabel="synapses", xlim=(0, 1))
savefig("stdp.png")
