"""Draws one neuron in floating point and on the chip, for docs/what_your_model_becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tools.model_demos import DT, STEPS, Shown

_FLOAT, _CHIP, _INPUT = "#9a9a9a", "#d55e00", "#0072b2"


def draw(shown: Shown, path: Path) -> None:
    """Spikes, states, and what the chip's states differ by, as a PNG at ``path``."""
    from matplotlib.figure import Figure

    states = shown.demo.shows
    figure = Figure(figsize=(9, 1.5 + 1.6 * len(states)), layout="constrained")
    axes = np.atleast_1d(
        figure.subplots(len(states) + 1, 1, sharex=True, height_ratios=[1] + [1.6] * len(states))
    )
    _spikes(axes[0], shown)
    for ax, state in zip(axes[1:], states):
        _state(ax, shown, state)
    axes[-1].set_xlabel("time (ms)", fontsize=9)
    axes[-1].set_xlim(0, STEPS * DT * 1e3)
    for ax in axes:
        ax.tick_params(labelsize=8)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    figure.savefig(path, dpi=110)


def _spikes(ax: Any, shown: Shown) -> None:
    steps, who = shown.chip.spikes["input"]
    floating, chip = shown.spikes()
    rows = [("chip", chip, _CHIP), ("float", floating, _FLOAT)]
    if len(steps) and shown.demo.weights:
        rows += [(f"input {n}", steps[who == n], _INPUT) for n in (1, 0)]
    times = [(at + 1) * DT * 1e3 for _, at, _ in rows]
    ax.eventplot(
        times, colors=[colour for *_, colour in rows], lineoffsets=range(len(rows)),
        linelengths=0.75, linewidths=1.2,
    )  # fmt: skip
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set_title("spikes", fontsize=9, loc="left")


def _state(ax: Any, shown: Shown, state: str) -> None:
    floating, chip = shown.states(state)
    times = (np.arange(STEPS) + 1) * DT * 1e3
    ax.plot(times, floating, color=_FLOAT, linewidth=3.2, label="float")
    ax.plot(times, chip, color=_CHIP, linewidth=1, label="chip")
    meaning = next(
        s.meaning for s in shown.quantised.network.populations[0].neuron.states if s.name == state
    )
    ax.set_title(f"{state}: {meaning} (mV)", fontsize=9, loc="left")
    ax.legend(fontsize=8, loc="upper right", ncol=2, frameon=False, bbox_to_anchor=(1, 1.2))
