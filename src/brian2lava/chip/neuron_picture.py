"""A picture of one neuron on the chip: traces, bits over time, registers as bits, cores."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.chip.one_neuron import NeuronTrace, Word, links_of
from brian2lava.chip.quantise import Span
from brian2lava.chip.resources import ResourceReport
from brian2lava.chip.table import per_unit, physical
from brian2lava.errors import NotSupported, OptionError

_FLOAT, _CHIP, _INK = "#9a9a9a", "#d55e00", "#303030"
#: A one and a zero, by kind of word; the sign of a state is a one of its own.
_ONES = {"state": "#d55e00", "level": "#0072b2", "fraction": "#009e73"}
_SIGN, _ZERO, _EMPTY = "#5d3a9b", "#eceae6", "#ececec"
_BITS = 24
#: Cores in a row of the chip's square.
_COLUMNS = 20


@dataclass(frozen=True)
class BitByBit:
    """One neuron in floating point and on the chip, as numbers and as a picture.

    Shows itself in a notebook; :meth:`save` writes a file.

    Attributes
    ----------
    trace : NeuronTrace
    at : int
        The step whose states the registers' panel shows.
    resources : ResourceReport
    figure : matplotlib.figure.Figure
    """

    trace: NeuronTrace
    at: int
    resources: ResourceReport
    figure: Any = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the picture; the ending of ``path`` says in which format."""
        self.figure.savefig(path, dpi=110)
        return Path(path)

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.figure.savefig(buffer, dpi=100, format="png")
        return buffer.getvalue()


def draw(trace: NeuronTrace, resources: ResourceReport, at: int | None = None) -> BitByBit:
    """Draw a neuron.

    Parameters
    ----------
    trace : NeuronTrace
    resources : ResourceReport
    at : int, optional
        The step whose states are shown bit by bit; the one before the first spike without it.

    Raises
    ------
    NotSupported
        matplotlib is not installed.
    OptionError
        There is no such step.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NotSupported(
            "bit_by_bit() needs matplotlib, which is not installed: pip install 'brian2lava[demo]'."
        ) from error
    at = trace.telling if at is None else at
    if not 0 <= at < trace.steps:
        raise OptionError(f"bit_by_bit(at={at}): the steps are 0..{trace.steps - 1}.")
    words, levels = trace.words(at), trace.levels
    height = 2.6 + max(1.9 * len(levels), 0.33 * len(words) + 2.0)
    figure = Figure(figsize=(13, height), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=[1.15, 1], wspace=0.04)
    left, right = halves
    axes = np.atleast_1d(
        left.subplots(1 + len(levels), 1, sharex=True, height_ratios=[1.5, *[1] * len(levels)])
    )
    _traces(axes[0], trace, at)
    for ax, state in zip(axes[1:], levels):
        _bits_over_time(ax, trace, state, at)
    axes[-1].set_xlabel("time (ms)", fontsize=9)
    registers, cores = right.subplots(2, 1, height_ratios=[0.33 * len(words) + 1.0, 2.0])
    _words(registers, trace, words, at)
    _cores(cores, trace, resources)
    return BitByBit(trace, at, resources, figure)


def _times(trace: NeuronTrace) -> Any:
    """Ends of the steps, in ms: the state after step n is what Brian2 shows at (n + 1) dt."""
    return (np.arange(trace.steps) + 1) * trace.dt * 1e3


def _plain(ax: Any) -> None:
    ax.tick_params(labelsize=8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


# ---------------------------------------------------------------- float against chip
def _traces(ax: Any, trace: NeuronTrace, at: int) -> None:
    """The voltage in the user's unit, with the threshold and both trains of spikes."""
    links = links_of(trace.quantised, trace.population)
    link = links.get("v", next(iter(links.values()), None))
    _plain(ax)
    if link is None:
        ax.set_title("no state of this model has a variable of yours", fontsize=9, loc="left")
        return
    unit, factor = _shown_unit(trace, link.variable)
    times = _times(trace)
    chip, floating = trace.chip[link.variable] / factor, trace.floating[link.variable] / factor
    ax.plot(times, floating, color=_FLOAT, linewidth=3.5, label="floating point")
    ax.plot(times, chip, color=_CHIP, linewidth=1.1, label="chip")
    top = max(float(np.max(chip)), float(np.max(floating)))
    span = max(top - min(float(np.min(chip)), float(np.min(floating))), 1e-12)
    vth = trace.registers.get("vth")
    if vth is not None and "theta1" not in links:
        offset = float(np.ravel(np.broadcast_to(link.offset, (trace.neuron + 1,)))[-1])
        level = (offset + vth * 64 / trace.scale) / factor
        if level < top + 3 * span:
            ax.axhline(level, color=_INK, linewidth=0.8, linestyle=":")
            ax.annotate("threshold", (times[0], level), fontsize=7, color=_INK, va="bottom")
            top = max(top, level)
    for spikes, colour, place in ((trace.expected, _FLOAT, 0.22), (trace.spikes, _CHIP, 0.12)):
        ax.plot((spikes + 1) * trace.dt * 1e3, np.full(len(spikes), top + place * span), "|",
                color=colour, markersize=9, markeredgewidth=1.6)  # fmt: skip
    ax.set_ylim(top=top + 0.42 * span)
    ax.axvline(times[at], color=_INK, linewidth=0.7, alpha=0.6)
    ax.set_title(f"{link.variable} of neuron {trace.neuron} of '{trace.population}'"
                 + (f" ({unit})" if unit else ""), fontsize=10, loc="left")  # fmt: skip
    ax.legend(fontsize=8, loc="upper right", ncol=2, frameon=False, borderaxespad=0)


def _shown_unit(trace: NeuronTrace, variable: str) -> tuple[str, float]:
    """A unit with a prefix that suits the trace, and what to divide by: ("mV", 1e-3)."""
    largest = float(np.max(np.abs(trace.floating[variable]), initial=0.0))
    told = physical(Span(largest, largest), trace.units[variable]).partition(" ")[2]
    return told, {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "p": 1e-12, "f": 1e-15}.get(
        told.removesuffix(trace.units[variable]), 1.0
    )


# ---------------------------------------------------------------- bits over time
def _bits_over_time(ax: Any, trace: NeuronTrace, state: str, at: int) -> None:
    """The 24 bits of a state after each step: a column a step, the sign on top."""
    from matplotlib.colors import ListedColormap

    values = trace.integers[state]
    bits = (values[None, :] >> np.arange(_BITS - 1, -1, -1)[:, None]) & 1
    bits[0] *= 2
    dt = trace.dt * 1e3
    ax.imshow(
        bits, cmap=ListedColormap([_ZERO, _ONES["state"], _SIGN]), vmin=0, vmax=2, aspect="auto",
        interpolation="nearest", extent=(dt / 2, (trace.steps + 0.5) * dt, -0.5, _BITS - 0.5),
    )  # fmt: skip
    _plain(ax)
    ax.set_yticks([0, 6, 12, 18, 23], ["0", "6", "12", "18", "sign"])
    ax.set_ylabel("bit", fontsize=8)
    ax.axvline((at + 1) * dt, color=_INK, linewidth=0.7, alpha=0.6)
    low, high = int(values.min()), int(values.max())
    variable = _variable(trace, state)
    ax.set_title(f"{state}{variable}: its 24 bits, from {low:,} to {high:,}",
                 fontsize=9, loc="left")  # fmt: skip


def _variable(trace: NeuronTrace, state: str) -> str:
    link = links_of(trace.quantised, trace.population).get(state)
    return "" if link is None or link.variable == state else f" ({link.variable})"


# ---------------------------------------------------------------- registers as bits
def _words(ax: Any, trace: NeuronTrace, words: Sequence[Word], at: int) -> None:
    """Every number of the neuron with its bits where they stand in a state's word."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    boxes, colours = [], []
    for row, word in enumerate(words):
        for k, one in zip(range(word.bits - 1, -1, -1), word.ones()):
            place = _BITS - 1 - (k + word.low)
            boxes.append(Rectangle((place + 0.06, row + 0.14), 0.88, 0.72))
            is_sign = word.kind == "state" and k == _BITS - 1
            colours.append((_SIGN if is_sign else _ONES[word.kind]) if one else _ZERO)
        ax.text(-0.4, row + 0.5, f"{word.name} = {word.value:,}", fontsize=8.5, ha="right",
                va="center", color=_INK)  # fmt: skip
        ax.text(_BITS + 0.4, row + 0.5, word.meaning, fontsize=8, ha="left", va="center",
                color=_INK)  # fmt: skip
    ax.add_collection(PatchCollection(boxes, facecolors=colours, linewidths=0))
    for bit in (0, 6, 12, 18, 23):
        ax.text(_BITS - bit - 0.5, -0.25, "sign" if bit == 23 else str(bit), fontsize=7,
                ha="center", va="bottom", color=_INK)  # fmt: skip
    ax.plot([_BITS - 6] * 2, [-0.2, len(words)], color=_INK, linewidth=0.6, linestyle=":")
    ax.set(xlim=(-9.5, _BITS + 10.5), ylim=(len(words) + 1.1, -0.9))
    ax.axis("off")
    ax.set_title(
        f"Registers, and states after step {at}, bit by bit"
        f" (scale: {per_unit(trace.scale, trace.unit)})", fontsize=10, loc="left",
    )  # fmt: skip
    told = (
        "orange: states, as two's complement; blue: magnitudes, where they stand in a state\n"
        "(thresholds and weights begin at bit 6); green: fractions of 4096, with no place there"
    )
    below = len(words) + 0.15
    ax.text(-9.5, below, told, fontsize=7.5, color="#606060", va="top", linespacing=1.4)


# ---------------------------------------------------------------- cores
def _cores(ax: Any, trace: NeuronTrace, report: ResourceReport) -> None:
    """The cores of the first chip: those that hold this population, and the neuron's own."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    own = _core_of(trace, report)
    first = own // report.budget.cores * report.budget.cores
    holds = {core for core, name, _ in report.pieces if name == trace.population}
    boxes, colours = [], []
    for core in range(first, first + report.budget.cores):
        x, y = (core - first) % _COLUMNS, (core - first) // _COLUMNS
        boxes.append(Rectangle((x + 0.06, y + 0.06), 0.88, 0.88))
        used = "#9ecae1" if core < len(report.cores) else _EMPTY
        colours.append(_CHIP if core == own else "#0072b2" if core in holds else used)
    ax.add_collection(PatchCollection(boxes, facecolors=colours, linewidths=0))
    rows = -(-report.budget.cores // _COLUMNS)
    ax.text(
        0, rows + 0.25, f"orange: the neuron's core; dark blue: others with '{trace.population}';"
        " light blue: other populations", fontsize=7.5, color="#606060", va="top",
    )  # fmt: skip
    ax.set(xlim=(-0.2, 2.1 * _COLUMNS), ylim=(rows + 0.9, -0.2))
    ax.axis("off")
    ax.set_title(f"Core {own} of {report.headline().split(';')[0]}", fontsize=10, loc="left")
    shares = {name: float(full[own]) for name, full in report.full().items()}
    step = rows / max(len(shares), 1)
    left, wide = _COLUMNS + 1.0, 9.0
    for row, (name, share) in enumerate(shares.items()):
        at = (row + 0.5) * step
        ax.barh(at, wide, height=0.5 * step, left=left, color=_EMPTY)
        ax.barh(at, wide * min(share, 1.0), height=0.5 * step, left=left, color=_CHIP)
        ax.text(left + wide + 0.4, at, f"{name} {share:.1%}", fontsize=8, va="center", color=_INK)


def _core_of(trace: NeuronTrace, report: ResourceReport) -> int:
    """The core that holds the neuron: populations are cut into pieces in order."""
    passed = 0
    for core, name, neurons in report.pieces:
        if name != trace.population:
            continue
        passed += neurons
        if trace.neuron < passed:
            return core
    return 0
