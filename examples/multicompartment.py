"""An action potential travels along the giant axon of the squid.

Hodgkin and Huxley (1952), Journal of Physiology 117:500-544, at 6.3 degrees Celsius; potentials
are counted from rest. The axon is 10 cm long, in 1,000 compartments.
"""

from brian2 import *

import brian2lava

set_device("lava")
defaultclock.dt = 0.01 * ms

E_sodium, E_potassium, E_leak = 115 * mV, -12 * mV, 10.613 * mV
g_sodium, g_potassium, g_leak = (
    120 * msiemens / cm**2,
    36 * msiemens / cm**2,
    0.3 * msiemens / cm**2,
)

axon = SpatialNeuron(
    Cylinder(length=10 * cm, diameter=2 * 238 * um, n=1000),
    """
    Im = g_leak*(E_leak - v) + g_sodium*m**3*h*(E_sodium - v)
         + g_potassium*n**4*(E_potassium - v) : amp/meter**2
    I : amp (point current)
    dm/dt = alpha_m*(1 - m) - beta_m*m : 1
    dn/dt = alpha_n*(1 - n) - beta_n*n : 1
    dh/dt = alpha_h*(1 - h) - beta_h*h : 1
    alpha_m = 1 / exprel((25*mV - v)/(10*mV)) / ms : Hz
    beta_m = 4 * exp(-v/(18*mV)) / ms : Hz
    alpha_h = 0.07 * exp(-v/(20*mV)) / ms : Hz
    beta_h = 1 / (exp((30*mV - v)/(10*mV)) + 1) / ms : Hz
    alpha_n = 0.1 / exprel((10*mV - v)/(10*mV)) / ms : Hz
    beta_n = 0.125 * exp(-v/(80*mV)) / ms : Hz
    """,
    Cm=1 * ufarad / cm**2,
    Ri=35.4 * ohm * cm,
    method="exponential_euler",
    threshold="m > 0.5",
    threshold_location=900,
    refractory="m > 0.4",
)
axon.v = 0 * mV
axon.m, axon.h, axon.n = 0.0529, 0.5961, 0.3177

potential = StateMonitor(axon, "v", record=range(0, 1000, 5), dt=0.05 * ms)
run(3 * ms)
axon.I[0] = 10 * uA
run(1 * ms)
axon.I = 0 * amp
run(16 * ms)

figure(figsize=(7, 4), layout="constrained")
imshow(potential.v / mV, aspect="auto", origin="lower", cmap="magma", extent=(0, 20, 0, 10))
colorbar(label="potential above rest (mV)")
arrival = potential.t[potential.v.argmax(axis=1)]
speed = polyfit(arrival[40:160] / second, arange(200)[40:160] * 0.05e-2, 1)[0]
title(f"{speed:.1f} metres per second")
xlabel("time (ms)")
ylabel("place on the axon (cm)")
savefig("multicompartment.png")
