"""The networks: plain Brian2 scripts as functions of a size and of what stands for `run`.

A script sets its network up in local variables and calls `run(duration)` once; `run` finds the
objects and constants in the script's frame, as Brian2's own does. Nothing here names a device.
"""

# Brian2 finds the constants of the equations among the local variables.
# ruff: noqa: F841

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from brian2 import (
    Hz,
    NeuronGroup,
    PoissonGroup,
    SpikeMonitor,
    Synapses,
    ms,
    msiemens,
    mV,
    nS,
    second,
    ufarad,
    umetre,
)
from brian2 import cm as centimetre
from brian2.tests.features import speed

Run = Callable[[Any], None]
Script = Callable[[int, Run], None]


def cuba(size: int, run: Run, excitation: float = 1.62, membrane: float = 20.0) -> None:
    """Current-based network of Vogels and Abbott (2005), as in Brette et al. (2007)."""
    taum, taue, taui = membrane * ms, 5 * ms, 10 * ms
    Vt, Vr, El = -50 * mV, -60 * mV, -49 * mV
    we, wi = excitation * mV, -9 * mV
    equations = """
    dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
    dge/dt = -ge / taue : volt
    dgi/dt = -gi / taui : volt
    """
    P = NeuronGroup(
        size, equations, threshold="v > Vt", reset="v = Vr", refractory=5 * ms, method="exact"
    )
    P.v = "Vr + rand() * (Vt - Vr)"
    excitatory = int(0.8 * size)
    Ce = Synapses(P[:excitatory], P, on_pre="ge += we")
    Ci = Synapses(P[excitatory:], P, on_pre="gi += wi")
    Ce.connect(p=min(1.0, 80.0 / size))
    Ci.connect(p=min(1.0, 80.0 / size))
    spikes = SpikeMonitor(P)
    run(1 * second)


def _pairs(draws: np.random.Generator, sources: int, targets: int, p: float) -> dict[str, Any]:
    """Random connections as arguments of `connect`: each pair at most once, about p of all."""
    number = draws.binomial(sources * targets, p)
    pairs = np.unique(draws.integers(0, sources * targets, number))
    return {"i": pairs // targets, "j": pairs % targets}


def cobahh(size: int, run: Run) -> None:
    """Conductance-based Hodgkin-Huxley network of Brette et al. (2007).

    Its rate depends much on what is drawn (13 percent between seeds at 4,000 neurons), so NumPy
    draws it, the same for both sides.
    """
    area = 20000 * umetre**2
    Cm = 1 * ufarad * centimetre**-2 * area
    gl = 5e-5 * (1000 * msiemens) * centimetre**-2 * area
    g_na = 100 * msiemens * centimetre**-2 * area
    g_kd = 30 * msiemens * centimetre**-2 * area
    El, EK, ENa, VT = -60 * mV, -90 * mV, 50 * mV, -63 * mV
    taue, taui = 5 * ms, 10 * ms
    Ee, Ei = 0 * mV, -80 * mV
    we, wi = 6 * nS, 67 * nS
    equations = """
    dv/dt = (gl * (El - v) + ge * (Ee - v) + gi * (Ei - v) - g_na * m**3 * h * (v - ENa)
             - g_kd * n**4 * (v - EK)) / Cm : volt
    dm/dt = alpha_m * (1 - m) - beta_m * m : 1
    dn/dt = alpha_n * (1 - n) - beta_n * n : 1
    dh/dt = alpha_h * (1 - h) - beta_h * h : 1
    dge/dt = -ge / taue : siemens
    dgi/dt = -gi / taui : siemens
    alpha_m = 0.32 / mV * 4 * mV / exprel((13 * mV - v + VT) / (4 * mV)) / ms : Hz
    beta_m = 0.28 / mV * 5 * mV / exprel((v - VT - 40 * mV) / (5 * mV)) / ms : Hz
    alpha_h = 0.128 * exp((17 * mV - v + VT) / (18 * mV)) / ms : Hz
    beta_h = 4 / (1 + exp((40 * mV - v + VT) / (5 * mV))) / ms : Hz
    alpha_n = 0.032 / mV * 5 * mV / exprel((15 * mV - v + VT) / (5 * mV)) / ms : Hz
    beta_n = 0.5 * exp((10 * mV - v + VT) / (40 * mV)) / ms : Hz
    """
    P = NeuronGroup(
        size, equations, threshold="v > -20*mV", refractory=3 * ms, method="exponential_euler"
    )
    draws = np.random.default_rng(2007)
    P.v = El + (draws.standard_normal(size) * 5 - 5) * mV
    P.ge = (draws.standard_normal(size) * 1.5 + 4) * 10 * nS
    P.gi = (draws.standard_normal(size) * 12 + 20) * 10 * nS
    excitatory = int(0.8 * size)
    Ce = Synapses(P[:excitatory], P, on_pre="ge += we")
    Ci = Synapses(P[excitatory:], P, on_pre="gi += wi")
    p = min(1.0, 80.0 / size)
    Ce.connect(**_pairs(draws, excitatory, size, p))
    Ci.connect(**_pairs(draws, size - excitatory, size, p))
    spikes = SpikeMonitor(P)
    run(1 * second)


def brunel_hakim(size: int, run: Run, heterogeneous: bool = False) -> None:
    """Sparsely connected inhibitory neurons with noise, after Brunel and Hakim (1999).

    All delays are 2 ms or, `heterogeneous`, drawn between 1 and 3 ms, one for each synapse.
    """
    Vr, theta, tau = 10 * mV, 20 * mV, 20 * ms
    muext, sigmaext, J = 25 * mV, 1 * mV, 0.1 * mV
    equations = "dV/dt = (-V + muext + sigmaext * sqrt(tau) * xi) / tau : volt"
    P = NeuronGroup(
        size, equations, threshold="V > theta", reset="V = Vr", refractory=2 * ms, method="euler"
    )
    P.V = Vr
    C = Synapses(P, P, on_pre="V += -J", **({} if heterogeneous else {"delay": 2 * ms}))
    C.connect(p=min(1.0, 1000.0 / size))
    if heterogeneous:
        C.delay = "1*ms + 2*ms*rand()"
    spikes = SpikeMonitor(P)
    run(1 * second)


def stdp(size: int, run: Run) -> None:
    """Pair-based plasticity after Song, Miller and Abbott (2000): many inputs, size/100 neurons.

    Each neuron receives from 1000 of the `size` Poisson inputs.
    """
    taum, taupre, taupost, taue = 10 * ms, 20 * ms, 20 * ms, 5 * ms
    Ee, vt, vr, El = 0 * mV, -54 * mV, -60 * mV, -74 * mV
    gmax = 0.01
    dApre = 0.01 * gmax
    dApost = -0.01 * gmax * 1.05
    inputs = PoissonGroup(size, rates=15 * Hz)
    neurons = NeuronGroup(
        max(1, size // 100),
        """
        dv/dt = (ge * (Ee - vr) + El - v) / taum : volt
        dge/dt = -ge / taue : 1
        """,
        threshold="v > vt",
        reset="v = vr",
        method="exact",
    )
    neurons.v = vr
    S = Synapses(
        inputs,
        neurons,
        """
        w : 1
        dApre/dt = -Apre / taupre : 1 (event-driven)
        dApost/dt = -Apost / taupost : 1 (event-driven)
        """,
        on_pre="""
        ge += w
        Apre += dApre
        w = clip(w + Apost, 0, gmax)
        """,
        on_post="""
        Apost += dApost
        w = clip(w + Apre, 0, gmax)
        """,
    )
    S.connect(p=min(1.0, 1000.0 / size))
    S.w = "rand() * gmax"
    input_spikes = SpikeMonitor(inputs)
    output_spikes = SpikeMonitor(neurons)
    run(1 * second)


def one_weight_each(size: int, run: Run) -> None:
    """`size` neurons that fire at random, size**2 / 20 synapses with a weight each; 10 ms."""
    G = NeuronGroup(size, "v : 1", threshold="rand() < 0.001")
    S = Synapses(G, G, "w : 1", on_pre="v_post += w")
    S.connect(p=0.05)
    S.w = "rand()"
    spikes = SpikeMonitor(G)
    run(10 * ms)


def connect_by_condition(size: int, run: Run) -> None:
    """size**2 / 20 synapses by a condition with a probability."""
    G = NeuronGroup(size, "v : 1", threshold="v > 1")
    S = Synapses(G, G, on_pre="v_post += 1")
    S.connect(condition="i != j", p=0.05)
    run(0 * second)


def connect_by_expression(size: int, run: Run) -> None:
    """About size**2 / 20 synapses by a probability that depends on both positions."""
    G = NeuronGroup(size, "x : 1", threshold="x < 0")
    # The mean of exp(-d**2) over positions on a line of length L is close to sqrt(pi) / L.
    G.x = np.linspace(0, 20 * np.sqrt(np.pi), size)
    S = Synapses(G, G, on_pre="x_post += 0")
    S.connect(p="exp(-(x_pre - x_post)**2)")
    run(0 * second)


def connect_by_sample(size: int, run: Run) -> None:
    """size**2 / 20 synapses by a generator that samples."""
    G = NeuronGroup(size, "v : 1", threshold="v > 1")
    S = Synapses(G, G, on_pre="v_post += 1")
    S.connect(j="k for k in sample(N_post, p=0.05)")
    run(0 * second)


def connect_by_range(size: int, run: Run) -> None:
    """size**2 / 20 synapses by a generator over a range: each neuron to its neighbours."""
    G = NeuronGroup(size, "v : 1", threshold="v > 1")
    S = Synapses(G, G, on_pre="v_post += 1")
    reach = size // 40
    S.connect(j="k for k in range(i - reach, i + reach)", skip_if_invalid=True)
    run(0 * second)


def _speed_test(name: str, n: int, run: Run) -> None:
    """One of Brian2's own speed tests, with its `timed_run` in our hands."""
    test = getattr(speed, name)(n)
    test.timed_run = run
    test.run()


SPEED_TESTS = tuple(speed.__all__)

SCRIPTS: dict[str, Script] = {
    "cuba": cuba,
    "cuba_other_values": partial(cuba, excitation=1.7, membrane=19.0),
    "cobahh": cobahh,
    "brunel_hakim": brunel_hakim,
    "brunel_hakim_delays": partial(brunel_hakim, heterogeneous=True),
    "stdp": stdp,
    "one_weight_each": one_weight_each,
    "connect_by_condition": connect_by_condition,
    "connect_by_expression": connect_by_expression,
    "connect_by_sample": connect_by_sample,
    "connect_by_range": connect_by_range,
    **{name: partial(_speed_test, name) for name in SPEED_TESTS},
}
