"""The picture of the demonstration: who fires when on Lava, and the rates of both runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from brian2lava.demo.network import EXCITATORY, NEURONS, Outcome

#: Width of a bar of the rates, in steps of 0.1 ms.
BIN = 50
EXCITATORY_COLOUR, INHIBITORY_COLOUR, REFERENCE_COLOUR = "#1f5fa8", "#c8452f", "#222222"


def draw(path: Path, ours: Outcome, theirs: Outcome, seconds: float) -> None:
    """Writes the PNG ``path``: a raster of all neurons of our run, the rates of both below it."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    raster, rates = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))

    inhibitory = ours.neurons >= EXCITATORY
    populations = (
        (~inhibitory, EXCITATORY_COLOUR, f"{EXCITATORY:,} excitatory"),
        (inhibitory, INHIBITORY_COLOUR, f"{NEURONS - EXCITATORY:,} inhibitory"),
    )
    for chosen, colour, label in populations:
        raster.plot(ours.steps[chosen] / 10, ours.neurons[chosen], ".", markersize=1.2,
                    markeredgewidth=0, color=colour, label=label)  # fmt: skip
    raster.set(ylim=(0, NEURONS), ylabel="neuron")
    raster.set_title(
        f"CUBA on Lava: {NEURONS:,} neurons, {len(ours.steps):,} spikes in {seconds:g} s",
        loc="left",
    )
    raster.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, markerscale=8,
                  borderaxespad=0.1, handletextpad=0.2, columnspacing=1.2)  # fmt: skip

    edges, heights = binned_rate(ours.steps, seconds)
    rates.stairs(heights, edges, fill=True, color=EXCITATORY_COLOUR, alpha=0.45, label="Lava")
    edges, heights = binned_rate(theirs.steps, seconds)
    rates.stairs(heights, edges, color=REFERENCE_COLOUR, linewidth=0.9, label="Brian2's runtime")
    rates.set(xlim=(0, seconds * 1000), xlabel="time (ms)", ylabel="spikes / s\na neuron")
    rates.set_ylim(0, 1.35 * max(1.0, float(heights.max())))
    rates.legend(loc="upper right", ncols=2, frameon=False, borderaxespad=0.1)

    for axes in (raster, rates):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def binned_rate(
    steps: NDArray[np.int64], seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The rate of the whole network in bins of BIN steps.

    Returns
    -------
    edges, heights
        Borders of the bins in ms, shape (bins + 1,); spikes a neuron and second, shape (bins,).
        The last bin is shorter where the duration is no multiple of BIN.
    """
    last = round(seconds * 10_000)
    edges = np.append(np.arange(0, last, BIN), last)
    counts, _ = np.histogram(steps, edges)
    return edges / 10, counts / NEURONS / (np.diff(edges) * 1e-4)
