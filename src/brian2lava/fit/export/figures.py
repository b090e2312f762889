"""The figures of a fit: stimulus, voltage and spikes; how the search went; candidates compared."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.limits import ALIGNMENT
from brian2lava.fit.batch import Stimulus
from brian2lava.fit.export.plotting import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    RED,
    Panel,
    figure,
)
from brian2lava.fit.export.winner import Winner
from brian2lava.fit.metrics.matching import match
from brian2lava.fit.network import NEURON, emulated
from brian2lava.fit.search.result import FitResult, Found

#: Seconds that are drawn of a sweep: more is a black bar.
_DRAWN = 1.0


def response(winner: Winner, window: float = 2e-3, sweep: int = 0) -> str:
    """Stimulus, voltages and spikes of a second around where the held-out part begins."""
    target, found = winner.target, winner.found
    one = target.sweeps[sweep]
    span = _span(winner, sweep)
    first, last = (round(t / target.dt) for t in span)
    times = np.arange(first, last) * target.dt
    stimulus = Panel(70, "I")
    stimulus.line(times, one.current[first:last], GREY)
    state = "v" if "v" in {s.name for s in found.candidate.neuron.states} else "imag"
    recorded = emulated(
        found.settings, Stimulus(one.current[:last]), found.frame.drive, winner.arithmetic, [state]
    )
    chip = Panel(150, "chip: v / threshold")
    level = recorded.states[NEURON, state][first:last, 0] / (found.frame.threshold << ALIGNMENT)
    chip.line(times, level, BLUE)
    panels = [stimulus, chip]
    if one.voltage is not None:
        voltage = Panel(110, "target: V")
        voltage.line(times, one.voltage[first:last], BLACK)
        panels.append(voltage)
    own = found.evaluation.trains[sweep]
    wanted = one.spikes[0] if one.spikes else np.zeros(0)
    pairs = match(wanted, own, window)
    spikes = Panel(96, "spikes")
    spikes.ticks("target", wanted, BLACK)
    spikes.ticks("hit", wanted[pairs.hit], GREEN)
    spikes.ticks("missed", wanted[pairs.miss], RED)
    spikes.ticks("extra", own[pairs.extra], COLOURS[1])
    title = (
        f"{found.candidate.name} in the place of {target.name} (pairs within {window * 1e3:g} ms)"
    )
    return figure([*panels, spikes], title, "seconds", span)


def _span(winner: Winner, sweep: int) -> tuple[float, float]:
    end = winner.target.sweeps[sweep].steps * winner.target.dt
    begin = next((a for a, _ in winner.target.held_out if a < end), 0.0)
    begin = max(0.0, min(begin - _DRAWN / 3, end - _DRAWN))
    return begin, min(end, begin + _DRAWN)


def convergence(found: Found) -> str:
    """The least loss of every seed against evaluations."""
    panel = Panel(160, "loss")
    most = 1.0
    for k, history in enumerate(found.history):
        if history:
            done, losses = np.array(history, float).T
            panel.line(done, losses, COLOURS[k % len(COLOURS)])
            most = max(most, float(done[-1]))
    return figure([panel], f"{found.candidate.name}: every seed's loss", "evaluations", (0.0, most))


def ranking(result: FitResult) -> str:
    """Held-out gamma factors of all candidates: of every seed, and of the one that was chosen."""
    panels = []
    for each in result.found:
        values = np.array([seed.gamma("held_out") for seed in each.seeds])
        panel = Panel(26, "")
        panel.ticks(each.candidate.name, values[np.isfinite(values)], GREY)
        panel.rows.append(("", np.array([each.evaluation.gamma("held_out")]), BLUE))
        panels.append(panel)
    known = [float(t) for p in panels for _, times, _ in p.rows for t in times if np.isfinite(t)]
    span = (min([0.0, *known]) - 0.02, 1.02)
    return figure(panels, "Held-out gamma factor (grey: seeds; blue: chosen)", "gamma factor", span)
