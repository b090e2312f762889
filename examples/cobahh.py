"""A network of Hodgkin-Huxley neurons with conductance-based synapses (COBAHH).

Benchmark 3 of Brette et al. (2007), Journal of Computational Neuroscience 23:349-398; the
currents are those of Traub and Miles (1991), Neuronal Networks of the Hippocampus.
"""

from brian2 import *

import brian2lava

set_device("lava")
seed(1991)

area = 20000 * umetre**2
capacitance = (1 * ufarad * cm**-2) * area
g_leak = (5e-5 * siemens * cm**-2) * area
g_sodium = (100 * msiemens * cm**-2) * area
g_potassium = (30 * msiemens * cm**-2) * area
E_leak, E_potassium, E_sodium = -60 * mV, -90 * mV, 50 * mV
E_excitatory, E_inhibitory = 0 * mV, -80 * mV
V_T = -63 * mV

neurons = NeuronGroup(
    4000,
    """
    dv/dt = (g_leak*(E_leak - v) + ge*(E_excitatory - v) + gi*(E_inhibitory - v)
             - g_sodium*m**3*h*(v - E_sodium) - g_potassium*n**4*(v - E_potassium)
            ) / capacitance : volt
    dm/dt = alpha_m*(1 - m) - beta_m*m : 1
    dn/dt = alpha_n*(1 - n) - beta_n*n : 1
    dh/dt = alpha_h*(1 - h) - beta_h*h : 1
    dge/dt = -ge / (5*ms) : siemens
    dgi/dt = -gi / (10*ms) : siemens
    alpha_m = 1.28 / exprel((13*mV - v + V_T)/(4*mV)) / ms : Hz
    beta_m = 1.4 / exprel((v - V_T - 40*mV)/(5*mV)) / ms : Hz
    alpha_h = 0.128 * exp((17*mV - v + V_T)/(18*mV)) / ms : Hz
    beta_h = 4 / (1 + exp((40*mV - v + V_T)/(5*mV))) / ms : Hz
    alpha_n = 0.16 / exprel((15*mV - v + V_T)/(5*mV)) / ms : Hz
    beta_n = 0.5 * exp((10*mV - v + V_T)/(40*mV)) / ms : Hz
    """,
    threshold="v > -20*mV",
    refractory=3 * ms,
    method="exponential_euler",
)
neurons.v = "E_leak + (5*randn() - 5)*mV"
neurons.ge = "(1.5*randn() + 4) * 10*nS"
neurons.gi = "(12*randn() + 20) * 10*nS"

excite = Synapses(neurons[:3200], neurons, on_pre="ge += 6*nS")
excite.connect(p=0.02)
inhibit = Synapses(neurons[3200:], neurons, on_pre="gi += 67*nS")
inhibit.connect(p=0.02)

potentials = StateMonitor(neurons, "v", record=[1, 10, 100])
run(400 * ms)

_, rows = subplots(3, 1, sharex=True, sharey=True, figsize=(7, 4), layout="constrained")
for axes, potential, index in zip(rows, potentials.v, potentials.record):
    axes.plot(potentials.t / ms, potential / mV, "k", linewidth=0.8)
    axes.set_ylabel(f"v$_{{{index}}}$ (mV)")
xlabel("time (ms)")
xlim(0, 400)
savefig("cobahh.png")
