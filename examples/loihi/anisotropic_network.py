"""Moving bumps of activity in a sheet of neurons with a preferred direction at every place.

Excitatory neurons reach further in a direction that changes smoothly from place to place, and
activity travels along. Spreizer, Aertsen and Kumar (2019), PLoS Comput. Biol. 15:e1007432; the
numbers are those of the public repository andrewlehr/Brian2Loihi_SpreizerNet, for brian2-loihi.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from brian2 import prefs, seed

from brian2lava.loihi import (
    LoihiNetwork,
    LoihiNeuronGroup,
    LoihiSpikeGeneratorGroup,
    LoihiSpikeMonitor,
    LoihiSynapses,
    synapse_sign_mode,
)

EXCITATION, INHIBITION = 30, -240
SHARE = 0.05  # of all pairs that are connected
REACH = {"e": 0.067, "i": 0.1}  # in widths of the sheet
NEURON = {"threshold_v_mant": 2188, "refractory": 2, "decay_v": 400, "decay_I": 380}
INPUTS, INPUT_RATE, INPUT_WEIGHT = 1000, 0.2, 2

# slopes of the noise at the corners of 4 x 4 squares, which make the repository's landscape
SLOPES = np.array(
    [
        [(1, 0), (1, 0), (0, -1), (-1, 0)],
        [(1, 0), (1, 1), (1, 0), (0, -1)],
        [(-1, -1), (0, 1), (-1, -1), (1, 0)],
        [(0, -1), (0, 1), (1, 1), (1, 0)],
    ]
)

PLACE = """
x : 1
y : 1
x_shift : 1
y_shift : 1
"""


def landscape(rows):
    """Angles (radians) on a grid of ``rows`` x ``rows``, all equally frequent and smooth in space.

    Gradient noise (Perlin 2002): the slopes at the corners of squares on a torus, blended in
    between; then ranks in place of values.
    """
    patches = len(SLOPES)
    at = np.linspace(0, patches, rows)
    corner = np.minimum(at.astype(int), patches)
    inside = at - corner
    blend = inside**3 * (inside * (6 * inside - 15) + 10)
    noise = np.zeros((rows, rows))
    for right in (0, 1):
        for down in (0, 1):
            slope = SLOPES[np.ix_((corner + right) % patches, (corner + down) % patches)]
            height = slope[..., 0] * (inside - right)[:, None] + slope[..., 1] * (inside - down)
            share_x = blend if right else 1 - blend
            share_y = blend if down else 1 - blend
            noise += height * share_x[:, None] * share_y
    ranks = noise.ravel().argsort().argsort().reshape(rows, rows)
    levels = 2 * rows
    return 2 * np.pi * (ranks * levels // rows**2) / (levels - 1)


def sheet(kind, rows, offset=0.0):
    """``rows`` x ``rows`` neurons on the unit torus."""
    group = LoihiNeuronGroup(rows * rows, **NEURON, eqn_str=PLACE, name=f"{kind}_neurons")
    number = np.arange(rows * rows)
    group.x = number // rows / rows + offset
    group.y = number % rows / rows + offset
    return group


def connected(source, target, kind, weight):
    """Synapses whose number falls off with distance as a Gaussian."""
    mode = synapse_sign_mode.EXCITATORY if weight > 0 else synapse_sign_mode.INHIBITORY
    synapses = LoihiSynapses(source, target, sign_mode=mode)
    reach = REACH[kind]
    # the distance on a circle of length 1
    dx = "(0.5 - abs(0.5 - abs(x_pre + x_shift_pre - x_post) % 1))"
    dy = "(0.5 - abs(0.5 - abs(y_pre + y_shift_pre - y_post) % 1))"
    peak = SHARE / (2 * np.pi * reach**2)
    expected = f"{peak} * exp(-({dx}**2 + {dy}**2) / {2 * reach**2})"
    near = f"int({expected} >= 1)"  # there, two synapses at once with half the chance
    synapses.connect(p=f"{expected} * (1 - {near})")
    if peak > 1:
        synapses.connect(p=f"{expected} / 2 * {near}", n=2)
    synapses.w = weight
    return synapses


def network(rows=60, steps=1000, number=1):
    """The network of ``rows``**2 excitatory and a quarter as many inhibitory neurons."""
    random = np.random.default_rng(number)
    seed(number)
    e, i = sheet("e", rows), sheet("i", rows // 2, offset=1 / (2 * rows))
    angles = landscape(rows).ravel()
    e.x_shift, e.y_shift = np.cos(angles) / rows, np.sin(angles) / rows
    ee = connected(e, e, "e", EXCITATION)
    e.x_shift, e.y_shift = 0, 0  # excitation of inhibitory neurons has no direction
    paths = [
        ee,
        connected(e, i, "e", EXCITATION),
        connected(i, e, "i", INHIBITION),
        connected(i, i, "i", INHIBITION),
    ]
    count = int(INPUT_RATE * steps)
    times = [np.sort(random.choice(steps, count, replace=False)) for _ in range(INPUTS)]
    inputs = LoihiSpikeGeneratorGroup(
        INPUTS, np.repeat(np.arange(INPUTS), count), np.concatenate(times)
    )
    drive = LoihiSynapses(inputs, e)
    drive.connect(p=SHARE)
    drive.w = INPUT_WEIGHT
    monitors = {"e": LoihiSpikeMonitor(e), "i": LoihiSpikeMonitor(i)}
    net = LoihiNetwork(e, i, inputs, drive, paths, monitors)
    return SimpleNamespace(net=net, angles=angles, synapses=paths, **monitors)


if __name__ == "__main__":
    import os

    import matplotlib.pyplot as plt

    prefs.codegen.target = "numpy"
    rows = int(os.environ.get("ROWS", 60))  # 60 is the network of the paper
    steps, each = 1000, 20
    made = network(rows, steps)
    made.net.run(steps)
    rates = {kind: np.mean(getattr(made, kind).count) for kind in "ei"}
    print(f"spikes a neuron in {steps:,} steps: {rates['e']:.1f} (E), {rates['i']:.1f} (I)")

    figure, places = plt.subplots(1, 5, figsize=(12, 2.8), layout="constrained")
    places[0].imshow(made.angles.reshape(rows, rows).T, origin="lower", cmap="hsv")
    places[0].set_title("direction")
    for place, begin in zip(places[1:], range(800, 800 + 4 * each, each)):
        now = (made.e.t >= begin) & (made.e.t < begin + each)
        counts = np.bincount(made.e.i[now], minlength=rows**2)
        place.imshow(counts.reshape(rows, rows).T, origin="lower", vmin=0, vmax=5)
        place.set_title(f"steps {begin} to {begin + each - 1}")
    plt.savefig("anisotropic_network.png")
