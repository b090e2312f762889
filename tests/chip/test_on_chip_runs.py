"""Several runs of a network on a chip: what stays between them, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    ms,
    run,
    start_scope,
)

from brian2lava import lava_device
from brian2lava.errors import NotSupported
from tests.chip.test_on_chip import on_chip

ADAPTIVE = """dv/dt = (I - v)/(20*ms) : 1
dI/dt = -I/(8*ms) : 1
dtheta/dt = (theta_0 - theta)/(40*ms) : 1
dr/dt = -r/(15*ms) : 1"""
TURN = """dx/dt = -d*x - omega*y : 1
dy/dt = omega*x - d*y : 1
"""
VALUES = {"d": 15 * Hz, "omega": 2 * np.pi * 40 * Hz, "theta_0": 1}


def neurons(model: str, target: str, size: int = 3) -> NeuronGroup:
    """A group of a chip model that takes input to ``target``."""
    if model == "ATRLIF":
        equations = ADAPTIVE
        if target == "v":
            equations = ADAPTIVE.replace("(I - v)", "-v").replace("dI/dt = -I/(8*ms) : 1", "")
        rule = {"threshold": "v - r >= theta", "reset": "r += 2*theta; theta += 2"}
    elif model == "RF_IZ":
        equations, rule = TURN, {"threshold": "y >= 2", "reset": "x = 0; y = 2"}
    else:
        kept = "y_before : 1" if target == "y" else "y_before = y : 1 (constant over dt)"
        equations = TURN + kept
        rule = {"threshold": "x >= 2 and y >= 0 and y_before < 0", "reset": ""}
    group = NeuronGroup(size, equations, method="exact", namespace=VALUES, **rule)
    if model == "ATRLIF":
        group.theta = 1
    elif model == "RF" and target == "y":
        group.run_regularly("y_before = y", when="after_thresholds")
    return group


def scale_of(population: str) -> float:
    """State units a unit of the voltage, in the last run."""
    chip: Any = lava_device.report().chip
    return float(chip.quantised.scales[population])


# ---------------------------------------------------------------- input at the seam
TARGETS = ("RF x", "RF y", "RF_IZ x", "RF_IZ y", "ATRLIF I", "ATRLIF v")


def test_input_of_a_runs_last_step_arrives_in_the_next_run() -> None:
    def left_by(pieces: Sequence[float]) -> dict[str, Any]:
        with on_chip():
            brian2.defaultclock.dt = 0.5 * ms
            source = SpikeGeneratorGroup(1, [0, 0, 0], [3, 9.5, 15] * ms)  # the last of 10 ms
            network = Network(source)
            monitors: dict[str, Any] = {}
            for target in TARGETS:
                model, variable = target.split()
                group = neurons(model, variable)
                synapses = Synapses(source, group, "w : 1", on_pre=f"{variable} += w")
                synapses.connect()
                synapses.w = "2 + j"
                names = ["v", "theta", "r"] if model == "ATRLIF" else ["x", "y"]
                trace = StateMonitor(group, names, record=True)
                spikes = SpikeMonitor(group)
                network.add(group, synapses, trace, spikes)
                monitors |= {f"{target}: {name}": (trace, name) for name in names}
                monitors[f"{target}: spikes"] = (spikes, "t")
            for piece in pieces:
                network.run(piece * ms)
            return {what: np.array(getattr(of, name)) for what, (of, name) in monitors.items()}

    whole = left_by([20])
    for what, values in left_by([10, 10]).items():
        np.testing.assert_array_equal(values, whole[what], what)


def test_input_of_a_runs_last_step_is_not_lost_with_its_synapses() -> None:
    with on_chip():
        source = SpikeGeneratorGroup(1, [0], [0.9] * ms)
        group = NeuronGroup(1, "dv/dt = -v/(20*ms) : 1", threshold="v > 9", reset="v = 0",
                            method="exact")  # fmt: skip
        synapses = Synapses(source, group, on_pre="v += 1")
        synapses.connect()
        network = Network(source, group, synapses)
        network.run(1 * ms)
        synapses.active = False
        with pytest.raises(NotSupported, match="last step of the run before.*port 'a_in'"):
            network.run(1 * ms)
        synapses.active = True
        network.run(0.1 * ms)
        assert group.v[0] > 0.9
        synapses.active = False
        network.run(1 * ms)
        assert group.v[0] > 0.9


def test_a_threshold_that_is_set_between_runs_counts() -> None:
    with on_chip():
        brian2.defaultclock.dt = 0.5 * ms
        group = neurons("ATRLIF", "I")
        group.theta = [1, 4, 1]
        trace = StateMonitor(group, "theta", record=True)
        network = Network(group, trace)
        network.run(10 * ms)
        group.theta[2] = 3
        network.run(10 * ms)
        relaxing = np.exp(-np.arange(20) * 0.5 / 40)
        expected = 1 + np.array([0, 3, 2])[:, None] * relaxing
        expected[1] = 1 + 3 * np.exp(-np.arange(20, 40) * 0.5 / 40)
        np.testing.assert_allclose(trace.theta[:, 20:], expected, rtol=0.01)


# ---------------------------------------------------------------- other objects of the same names
def test_new_groups_with_old_names_begin_afresh() -> None:
    """The magic network is one object for all scripts of a session."""

    def script(size: int, drive: float) -> tuple[Any, float]:
        start_scope()
        group = NeuronGroup(
            size, "dv/dt = (drive - v)/(10*ms) : 1", threshold="v > 0.8*drive", reset="v = 0",
            method="exact", namespace={"drive": drive}, name="cells",
        )  # fmt: skip
        trace = StateMonitor(group, "v", record=True, name="trace")
        run(7 * ms, namespace={})
        return np.array(trace.v), scale_of("cells")

    def alone(size: int, drive: float) -> tuple[Any, float]:
        with on_chip():
            return script(size, drive)

    expected = [alone(3, 1.0), alone(3, 40.0), alone(5, 40.0)]
    assert expected[0][1] != expected[1][1]
    with on_chip():
        found = [script(3, 1.0), script(3, 40.0), script(5, 40.0)]
    for (ours, scale), (others, other) in zip(found, expected, strict=True):
        assert scale == other
        np.testing.assert_array_equal(ours, others)


def test_what_is_still_there_goes_on_beside_what_is_new() -> None:
    """A group and its spikes in flight stay; a Synapses of an old name is another one."""

    def build(swap: bool) -> tuple[Any, Any, Any]:
        with on_chip():
            source = SpikeGeneratorGroup(1, [0, 0], [2, 9] * ms)
            group = NeuronGroup(
                2, "dv/dt = -v/(20*ms) : 1", threshold="v > 50", reset="v = 0", method="exact"
            )
            stays = Synapses(source, group, on_pre="v += 1", delay=3 * ms, name="stays")
            stays.connect()
            first = Synapses(source, group, on_pre="v += 2", delay=3 * ms, name="other")
            first.connect()
            trace = StateMonitor(group, "v", record=True)
            network = Network(source, group, stays, first, trace)
            network.run(10 * ms)
            scale = scale_of(group.name)
            if swap:
                network.remove(first)
                del first
                second = Synapses(source, group, on_pre="v += 4", delay=1 * ms, name="another")
                second.connect()
                early = Synapses(source, group, on_pre="v += 4", delay=1 * ms, name="a_first_one")
                early.connect()
                network.add(second, early)
            network.run(5 * ms)
            assert scale_of(group.name) == scale
            return np.array(trace.v[0]), np.array(trace.t / ms), scale

    plain, times, scale = build(swap=False)
    swapped, _, _ = build(swap=True)
    before, after = times < 12, times > 12.2
    np.testing.assert_array_equal(swapped[before], plain[before])
    decayed = np.exp(-(times[after] - 12.1) / 20)
    gained = plain[after] - swapped[after]  # the spike of 'other' that was in flight
    np.testing.assert_allclose(gained, 2 * decayed, rtol=0.02)


def test_when_neurons_fired_and_whether_they_rest_is_known_as_in_brian2() -> None:
    def left_by(pieces: Sequence[float], **options: Any) -> tuple[Any, ...]:
        with on_chip(**options):
            brian2.defaultclock.dt = 1 * ms
            group = NeuronGroup(
                3, "dv/dt = I / (10*ms) : 1 (unless refractory)\nI : 1", threshold="v > 1",
                reset="v = 0", refractory=4 * ms, method="euler",
            )  # fmt: skip
            group.I = [0, 4, 8]
            rests = StateMonitor(group, "not_refractory", record=True)
            network = Network(group, rests)
            for piece in pieces:
                network.run(piece * ms)
            return (
                np.array(group.lastspike_[:]),
                np.array(group.not_refractory[:]),
                np.array(rests.not_refractory),
            )

    plain = left_by([9], hardware="CPU")
    assert plain[0].max() > 0 and not plain[2].all()
    for chip in (left_by([9]), left_by([5, 4]), left_by([9], hardware="Loihi1")):
        for ours, theirs in zip(chip, plain):
            np.testing.assert_array_equal(ours, theirs)
