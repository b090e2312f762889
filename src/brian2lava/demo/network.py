"""CUBA, the benchmark network with current-based synapses.

Brette et al. (2007), Journal of Computational Neuroscience 23:349-398, after Vogels and Abbott
(2005), Journal of Neuroscience 25:10786-10795: 3,200 excitatory and 800 inhibitory
integrate-and-fire neurons, two per cent of all pairs connected.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import brian2
import numpy as np
from brian2.units import ms, second
from numpy.typing import NDArray

EXCITATORY, INHIBITORY = 3200, 800
NEURONS = EXCITATORY + INHIBITORY
CONNECTED = 0.02
DRAWN_FROM = 2007

EQUATIONS = """
dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
dge/dt = -ge / (5*ms) : volt
dgi/dt = -gi / (10*ms) : volt
"""


@dataclass(frozen=True)
class Wiring:
    """What chance decides, drawn once for both runs.

    Attributes
    ----------
    excitatory, inhibitory
        Connections as arrays of shape (2, synapses): indices of sources, counted in their own
        population, and of targets.
    potentials
        Initial membrane potentials in volt, shape (NEURONS,).
    """

    excitatory: NDArray[np.int64]
    inhibitory: NDArray[np.int64]
    potentials: NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What a run gave.

    Attributes
    ----------
    steps, neurons
        One entry a spike, in the order of time, then of neurons.
    building, running
        Seconds of wall time spent on making the Brian2 objects, and in `run()`.
    """

    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]
    building: float
    running: float

    def rate(self, duration: float) -> float:
        """Spikes a neuron and second."""
        return len(self.steps) / NEURONS / duration


def draw_wiring() -> Wiring:
    """The same for every call."""
    chance = np.random.default_rng(DRAWN_FROM)
    return Wiring(
        excitatory=np.array(np.nonzero(chance.random((EXCITATORY, NEURONS)) < CONNECTED)),
        inhibitory=np.array(np.nonzero(chance.random((INHIBITORY, NEURONS)) < CONNECTED)),
        potentials=chance.uniform(-60e-3, -50e-3, NEURONS),
    )


def run_cuba(wiring: Wiring, seconds: float) -> Outcome:
    """Makes the network on the current device, runs it and reads its spikes."""
    start = time.perf_counter()
    neurons = brian2.NeuronGroup(
        NEURONS, EQUATIONS, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms,
        method="exact",
    )  # fmt: skip
    neurons.v = wiring.potentials * brian2.volt
    excite = brian2.Synapses(neurons[:EXCITATORY], neurons, on_pre="ge += 1.62*mV")
    excite.connect(i=wiring.excitatory[0], j=wiring.excitatory[1])
    inhibit = brian2.Synapses(neurons[EXCITATORY:], neurons, on_pre="gi -= 9*mV")
    inhibit.connect(i=wiring.inhibitory[0], j=wiring.inhibitory[1])
    spikes = brian2.SpikeMonitor(neurons)
    network = brian2.Network(neurons, excite, inhibit, spikes)
    built = time.perf_counter()
    network.run(seconds * second)
    steps = np.rint(np.asarray(spikes.t_[:]) / 1e-4).astype(np.int64)
    indices = np.asarray(spikes.i[:]).astype(np.int64)
    done = time.perf_counter()
    order = np.lexsort((indices, steps))
    return Outcome(steps[order], indices[order], built - start, done - built)
