"""The emulator of the chip, loop only: against Lava's runtime and brian2-loihi, and two programs.

Against Lava: the same LIF and Sparse processes in fixed point, in turn in one process, the same
integers at the end. Against brian2-loihi: the same script with its classes and with ours, compiled
by Cython there, the same spikes. The two programs are the applications of examples/loihi.

A figure against another simulator is the least of several: microseconds are disturbed upwards only.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from statistics import mean, stdev
from typing import Any

from ..chip_networks import BIASES, SIZE
from ..plan import Plan
from ..process import call
from ..table import Row, middle

_SIMULATE = "benchmarks.chip_simulate"
_LAVA_BAR, _LOIHI_BAR, _PATH_BAR = 200.0, 20.0, 1.1
_AT_MOST = 0.02
_QUICK_SIZE = 1_000
#: Spikes a neuron in 1,000 steps, as published with the network's scripts.
_PUBLISHED = {"e": 51.8, "i": 36.1}
_KINDS = {"e": "excitatory", "i": "inhibitory"}
_SEEDS = 16


def measure(plan: Plan) -> Iterator[Row]:
    size = _QUICK_SIZE if plan.quick else SIZE
    for percent in BIASES:
        if plan.wants(f"lava {percent}"):
            yield _against_lava(plan, percent, size)
    if plan.wants("brian2-loihi") and find_spec("brian2_loihi"):
        yield _against_brian2loihi(plan, size)
    if plan.wants("shortest path"):
        yield _shortest_path(plan)
    if plan.wants("anisotropic"):
        yield from _anisotropic(plan)


def least(seconds: list[float]) -> float:
    """The least, in microseconds, to four digits."""
    return middle([1e6 * min(seconds)])


def _here(plan: Plan, function: str, **arguments: Any) -> dict[str, Any]:
    return call(_SIMULATE, function, cache=plan.cache("ours"), **arguments)


def _against_lava(plan: Plan, percent: float, size: int) -> Row:
    steps = 100 if plan.quick else 500
    answer = _here(
        plan, "against_lava", percent=percent, size=size, steps=steps, repeats=5 * plan.repeats
    )
    mine, other = (least(answer[side]) for side in ("ours", "theirs"))
    few = answer["mean_share"] <= _AT_MOST and answer["largest_share"] <= _AT_MOST
    return Row(
        measure="emulator against Lava",
        case=f"recurrent LIF {size:,}, {answer['synapses']:,} synapses, {_spikes(answer)}",
        ours=mine,
        theirs=other,
        unit="µs a step",
        figure=f"{other / mine:.0f} times faster",
        bar=f"{_LAVA_BAR:g} times" if few else "",
        met=other / mine >= _LAVA_BAR if few else None,
        agree=answer["same"],
        detail=answer,
    )


def _spikes(answer: dict[str, Any]) -> str:
    return f"{answer['mean_share']:.1%} spike in a step (at most {answer['largest_share']:.1%})"


def _against_brian2loihi(plan: Plan, size: int) -> Row:
    steps = 100 if plan.quick else 500
    answers = {
        side: _here(plan, "loihi_side", side=side, size=size, steps=steps, repeats=plan.repeats)
        for side in ("theirs", "ours")
    }
    mine, other = (least(answers[side]["loop"]) for side in ("ours", "theirs"))
    return Row(
        measure="emulator against brian2-loihi",
        case=f"recurrent LIF {size:,}, {_spikes(answers['ours'])}",
        ours=mine,
        theirs=other,
        unit="µs a step",
        figure=f"{other / mine:.0f} times faster",
        bar=f"{_LOIHI_BAR:g} times",
        met=other / mine >= _LOIHI_BAR,
        agree=answers["ours"]["digest"] == answers["theirs"]["digest"],
        detail=answers,
    )


def _shortest_path(plan: Plan) -> Row:
    rows = 60 if plan.quick else 300
    answer = _here(plan, "shortest_path", rows=rows, repeats=plan.repeats)
    seconds = middle(answer["loop"])
    return Row(
        measure="shortest path by spikes",
        case=f"{rows} x {rows}, {answer['synapses']:,} plastic synapses, {2 * rows} steps",
        ours=seconds,
        theirs=None,
        unit="s",
        figure=f"{answer['spikes']:,} spikes, far corner in step {answer['corner']}",
        bar=f"{_PATH_BAR:g} s",
        met=seconds <= _PATH_BAR,
        agree=(
            answer["spikes"] == rows**2
            and answer["corner"] == [2 * rows - 2]
            and answer["way"] == 2 * rows - 2
        ),
        detail=answer,
    )


def _anisotropic(plan: Plan) -> Iterator[Row]:
    rows, steps = (30, 200) if plan.quick else (60, 1_000)
    seeds = 3 if plan.quick else _SEEDS
    answer = _here(plan, "anisotropic", rows=rows, steps=steps, seeds=seeds)
    for kind, published in _PUBLISHED.items():
        spread, rate = stdev(answer[kind]), mean(answer[kind])
        yield Row(
            measure="anisotropic network, spikes a neuron",
            case=f"{_KINDS[kind]}, {seeds} seeds, {steps:,} steps",
            ours=rate,
            theirs=published,
            unit="",
            figure=f"standard deviation over seeds {spread:.2f}; {middle(answer['loop']):.2f} s",
            bar="two standard deviations",
            met=None if plan.quick else abs(rate - published) <= 2 * spread,
            agree=None,
            detail=answer,
        )
