"""The shortest way through a lattice, found by a wave of spikes and remembered by synapses.

Every node is a neuron, every edge a pair of synapses. A spike at the start sets off a wave that
passes each node once, at the step that is its distance. An anti-Hebbian rule weakens the synapses
along which the wave came, and strengthens those against it; from any node, the way back is to
follow weakened synapses. Ponulak and Hopfield (2013), Front. Comput. Neurosci. 7:98; the numbers
are those of the public notebooks Winnus/Brian2Loihi_SSSP, for brian2-loihi.
"""

from __future__ import annotations

import numpy as np
from brian2 import prefs

from brian2lava.loihi import (
    LoihiNetwork,
    LoihiNeuronGroup,
    LoihiSpikeGeneratorGroup,
    LoihiSpikeMonitor,
    LoihiSynapses,
    synapse_sign_mode,
)

WEIGHT = 2  # 128 on the chip: one spike passes the threshold of 64


def edges(rows):
    """Sources and targets of a square lattice's edges, each in both directions."""
    node = np.arange(rows * rows).reshape(rows, rows)
    pairs = [(node[:, :-1], node[:, 1:]), (node[:-1], node[1:])]
    one = np.concatenate([left.ravel() for left, _ in pairs])
    other = np.concatenate([right.ravel() for _, right in pairs])
    return np.concatenate([one, other]), np.concatenate([other, one])


def wave(rows, steps):
    """Runs the wave from node 0; gives the nodes' synapses and the spikes."""
    nodes = LoihiNeuronGroup(
        rows * rows, refractory=63, threshold_v_mant=1, decay_v=3000, decay_I=4095
    )
    lattice = LoihiSynapses(
        nodes,
        dw="x0*y1 - y0*x1",
        imp_x1=127,
        tau_x1=10,
        imp_y1=127,
        tau_y1=10,
        sign_mode=synapse_sign_mode.MIXED,
    )
    sources, targets = edges(rows)
    lattice.connect(i=sources, j=targets)
    lattice.w = WEIGHT

    start = LoihiSpikeGeneratorGroup(1, indices=[0], times=[0])
    begin = LoihiSynapses(start, nodes)
    begin.connect(i=0, j=0)
    begin.w = WEIGHT

    spikes = LoihiSpikeMonitor(nodes)
    LoihiNetwork(nodes, lattice, start, begin, spikes).run(steps)
    return lattice, spikes


def way_back(lattice, node):
    """The nodes from ``node`` to the start, along weakened synapses."""
    weakened = lattice.w_[:] < WEIGHT
    came_from = dict(zip(lattice.j[:][weakened], lattice.i[:][weakened]))
    way = [node]
    while way[-1] != 0:
        way.append(came_from[way[-1]])
    return way


if __name__ == "__main__":
    import os

    import matplotlib.pyplot as plt

    prefs.codegen.target = "numpy"
    rows = int(os.environ.get("ROWS", 60))
    lattice, spikes = wave(rows, 2 * rows)
    way = way_back(lattice, rows * rows - 1)
    print(f"{spikes.num_spikes} spikes; the far corner is {len(way) - 1} edges away")

    arrival = np.zeros(rows * rows)
    arrival[spikes.i] = spikes.t
    plt.figure(figsize=(5, 4), layout="constrained")
    plt.imshow(arrival.reshape(rows, rows), cmap="viridis")
    plt.colorbar(label="step of the spike")
    plt.plot(np.array(way) % rows, np.array(way) // rows, color="white", linewidth=1.5)
    plt.gca().set(xlabel="column", ylabel="row", title="a wave, and the way back")
    plt.savefig("shortest_path.png")
