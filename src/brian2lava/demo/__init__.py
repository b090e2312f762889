"""The demonstration: one network on Lava and, beside it, on Brian2's own runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2.devices.device import reset_device

import brian2lava  # noqa: F401  (importing it registers the device)
from brian2lava.demo.network import NEURONS, Outcome, Wiring, draw_wiring, run_cuba
from brian2lava.demo.picture import draw


def demonstrate(seconds: float, picture: Path, options: Mapping[str, Any]) -> None:
    """Runs both, prints what happened and draws the picture.

    Parameters
    ----------
    seconds
        Biological time.
    picture
        Where the PNG is written.
    options
        For ``set_device("lava", ...)``.
    """
    wiring = draw_wiring()
    synapses = wiring.excitatory.shape[1] + wiring.inhibitory.shape[1]
    print("CUBA, the network of Vogels and Abbott (2005) as in Brette et al. (2007):")
    print(f"{NEURONS:,} neurons, {synapses:,} synapses, {seconds:g} s in steps of 0.1 ms\n")

    brian2.set_device("lava", **options)
    ours = run_cuba(wiring, seconds)
    report = brian2.device.report()
    print(f"On Lava\n{_indented(str(report))}")
    _print_outcome(ours, seconds)

    theirs = _on_brian2_runtime(wiring, seconds)
    print("\nOn Brian2's own runtime (NumPy target)")
    _print_outcome(theirs, seconds)

    print("\nBoth had the same connections, initial potentials and equations.")
    print(agreement(ours, theirs))
    draw(picture, ours, theirs, seconds)
    print(f"\nThe picture: {picture}")


def _on_brian2_runtime(wiring: Wiring, seconds: float) -> Outcome:
    target = brian2.prefs.codegen.target
    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    try:
        return run_cuba(wiring, seconds)
    finally:
        brian2.prefs.codegen.target = target
        reset_device()


def agreement(ours: Outcome, theirs: Outcome) -> str:
    """How long the two runs give the same spikes, in words."""
    count = min(len(ours.steps), len(theirs.steps))
    same = (ours.steps[:count] == theirs.steps[:count]) & (
        ours.neurons[:count] == theirs.neurons[:count]
    )
    if same.all() and len(ours.steps) == len(theirs.steps):
        return f"All {count:,} spikes are the same, neuron for neuron and step for step."
    first = count if same.all() else int(np.argmin(same))
    step = min(outcome.steps[first] for outcome in (ours, theirs) if first < len(outcome.steps))
    return (
        f"The first {first:,} spikes, up to {step / 10:.1f} ms, are the same, neuron for neuron and"
        " step for step;\nthen a difference in the last bit of a potential has grown into a spike."
    )


def _print_outcome(outcome: Outcome, seconds: float) -> None:
    print(f"  making the objects   {outcome.building:7.2f} s")
    print(f"  run() and reading    {outcome.running:7.2f} s")
    rate = f"{outcome.rate(seconds):.2f} a neuron and second"
    print(f"  spikes               {len(outcome.steps):7,}   ({rate})")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
