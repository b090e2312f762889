"""``device.verify()``: its reference is the user's own program, which tests recognition too."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    ms,
)

from brian2lava import lava_device
from brian2lava.chip.ideal import IdealPopulation, real
from brian2lava.chip.recognise import brian_network
from tests.chip.test_on_chip import on_chip


def driven(group: Any) -> tuple[Any, Any]:
    """A group with spikes at given times, and its monitor."""
    source = SpikeGeneratorGroup(2, [0, 1, 0], [1, 2, 6] * ms)
    synapses = Synapses(source, group, on_pre="g += 0.3")
    synapses.connect()
    spikes = SpikeMonitor(group)
    return Network(source, group, synapses, spikes), spikes


def cuba(size: int = 3) -> Any:
    return NeuronGroup(
        size,
        """dv/dt = (1.3 + 0.1*i + g - v)/(10*ms) : 1 (unless refractory)
        dg/dt = -g/(5*ms) : 1""",
        threshold="v > 1",
        reset="v = 0",
        refractory=1 * ms,
        method="exact",
    )


def shifted(found: Any) -> Any:
    """Recognition with a threshold that is 5 % too high."""

    def one(population: IdealPopulation) -> IdealPopulation:
        return replace(
            population,
            quantities=tuple(
                replace(q, value=real(q.value * 1.05)) if q.register == "vth" else q
                for q in population.quantities
            ),
        )

    matched = {
        name: replace(each, population=one(each.population)) for name, each in found.matched.items()
    }
    populations = tuple(map(one, found.ideal.populations))
    return replace(found, matched=matched, ideal=replace(found.ideal, populations=populations))


def test_a_wrong_recognition_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    recognise = brian_network.recognise
    monkeypatch.setattr("brian2lava.device.on_chip.recognise", lambda *a: shifted(recognise(*a)))
    with on_chip():
        network, _ = driven(cuba())
        network.run(30 * ms)
        found = lava_device.verify(lava=False)
    (check,) = found.populations
    assert found.reference == "your own program"
    assert found.recognition.startswith("BUG: the map that was recognised is not your program")
    assert check.matched < 0.5 and "recognition: see below" in check.first


def test_a_right_recognition_is_the_program() -> None:
    with on_chip():
        network, spikes = driven(cuba())
        network.run(30 * ms)
        found = lava_device.verify(lava=False)
        assert spikes.num_spikes == found.populations[0].spikes
    (check,) = found.populations
    assert found.recognition.startswith("the same map in real numbers does what your program does")
    assert check.same_map == check.expected > 3
    assert set(check.states) == {"v", "g"} and 0 < check.states["g"] < 0.02
    assert "rounding, most of it of" in check.first


@pytest.mark.parametrize("hardware", ["Loihi1", "Loihi2"])
def test_random_sources_send_what_they_sent_in_the_run(hardware: str) -> None:
    with on_chip(hardware=hardware):
        group = cuba(4)
        source = PoissonGroup(5, 200 * Hz)
        synapses = Synapses(source, group, on_pre="g += 0.2")
        synapses.connect()
        noise = PoissonInput(group[1:3], "g", 10, 100 * Hz, 0.1)
        spikes = SpikeMonitor(group)
        network = Network(source, group, synapses, noise, spikes)
        network.run(20 * ms)
        first = lava_device.verify(lava=False)
        assert first.populations[0].spikes == spikes.num_spikes
        network.run(20 * ms)
        second = lava_device.verify(lava=False)
    for found in (first, second):
        assert found.recognition.startswith("the same map in real numbers"), found
        assert found.populations[0].expected > 3


def test_an_event_of_the_chips_order_is_named() -> None:
    with on_chip():
        source = SpikeGeneratorGroup(2, [0, 1], [1, 1.1] * ms)
        group = NeuronGroup(1, "dv/dt = -v/(400*ms) : 1", threshold="v > 1", reset="v = 0",
                            method="exact")  # fmt: skip
        synapses = Synapses(source, group, on_pre="v += 1.5")
        synapses.connect()
        Network(source, group, synapses).run(5 * ms)
        found = lava_device.verify(lava=False)
    assert "chip's order of things" in found.recognition
    assert found.populations[0].expected == 1 and found.populations[0].spikes == 2
    assert "order: a spike arrived" in found.populations[0].first


def test_spikes_on_their_way_are_named() -> None:
    with on_chip():
        source = SpikeGeneratorGroup(1, [0], [4] * ms)
        group = cuba(1)
        synapses = Synapses(source, group, on_pre="g += 0.3", delay=3 * ms)
        synapses.connect()
        network = Network(source, group, synapses)
        network.run(5 * ms)
        network.run(5 * ms)
        found = lava_device.verify(lava=False)
    assert "1 spikes were on their way" in str(found)


def test_large_arrays_that_were_changed_since_are_named() -> None:
    with on_chip():
        source = SpikeGeneratorGroup(100, [0], [1] * ms)
        group = cuba(100)
        synapses = Synapses(source, group, "w : 1", on_pre="g += w")
        synapses.connect()
        synapses.w = 0.01
        Network(source, group, synapses).run(3 * ms)
        synapses.w = np.full(len(synapses), 0.02)
        found = lava_device.verify(lava=False)
    # there is a number where another test's synapses are not gone yet
    assert re.search(r"synapses_w(_\d+)?' has been changed since the last run", str(found))
    assert found.recognition == ""


def test_input_in_the_last_refractory_step_is_an_event_of_the_chips_order() -> None:
    """Brian2 takes no input in the 10 steps from the spike on; the chip sees it a step later."""
    with on_chip():
        source = SpikeGeneratorGroup(2, [0, 1], [1, 1.9] * ms)
        group = NeuronGroup(1, "dv/dt = -v/(20*ms) : 1 (unless refractory)", threshold="v > 1",
                            reset="v = 0", refractory=1 * ms, method="exact")  # fmt: skip
        synapses = Synapses(source, group, on_pre="v += 1.5")
        synapses.connect(i=0, j=0)
        late = Synapses(source, group, on_pre="v += 0.5", delay=0.1 * ms)
        late.connect(i=1, j=0)
        Network(source, group, synapses, late).run(5 * ms)
        found = lava_device.verify(lava=False)
    assert found.order_events == {group.name: 1}
    assert "chip's order of things" in found.recognition


def test_what_a_resonators_reset_erases_is_an_event_of_the_chips_order() -> None:
    """A weight comes by two ports there; it counts once."""
    with on_chip():
        group = NeuronGroup(
            1, "dx/dt = -15*Hz*x - 80*pi*Hz*y : 1\ndy/dt = 80*pi*Hz*x - 15*Hz*y : 1",
            threshold="y >= 2", reset="x = 0; y = 2", method="exact",
        )  # fmt: skip
        group.x, group.y = 0.5, 1.995
        source = SpikeGeneratorGroup(1, [0], [0] * ms)
        synapses = Synapses(source, group, on_pre="x += 1.5")
        synapses.connect()
        Network(source, group, synapses).run(3 * ms)
        found = lava_device.verify(lava=False)
    assert found.order_events == {group.name: 1}
    assert "chip's order of things" in found.recognition


_JUMPS = {
    "LIFSoft": ("v : 1", "v > 1", "v -= 1"),
    "TernaryLIF": ("v : 1", "v > 1 or v < -1", "v = 0"),
    "ALIF": ("v : 1\ntheta : 1", "v > 1 + theta", "v = 0; theta += 0.1"),
    "ATRLIF": ("v : 1\ntheta : 1\nr : 1", "v - r > 1 + theta", "r += 2 + 2*theta; theta += 0.1"),
}


@pytest.mark.parametrize("model", _JUMPS)
def test_any_model_may_stand_at_its_threshold(model: str) -> None:
    """Ten times 0.1 is not 1 in doubles, and with a scale it may be."""
    equations, threshold, reset = _JUMPS[model]
    with on_chip():
        group = NeuronGroup(20, equations, threshold=threshold, reset=reset)
        source = SpikeGeneratorGroup(1, np.zeros(40, int), 2 * np.arange(40) * 0.1 * ms)
        synapses = Synapses(source, group, "w : 1", on_pre="v += w")
        synapses.connect()
        synapses.w = "1/(j + 1.0)"
        Network(source, group, synapses).run(8 * ms)
        found = lava_device.verify(lava=False)
    assert "BUG" not in found.recognition
    assert "a tie at" in found.recognition or "order" in found.recognition, found.recognition
    if model == "LIFSoft":  # what is above the threshold stays in Brian2, too
        assert not found.order_events
        assert "a tie at" in found.recognition


def test_a_group_without_threshold_is_held_against_your_program_too() -> None:
    with on_chip():
        group = NeuronGroup(2, "dv/dt = (2 - v)/(20*ms) : 1", method="exact", name="quiet")
        source = SpikeGeneratorGroup(1, [0], [1] * ms)
        synapses = Synapses(source, group, on_pre="v += 0.5")
        synapses.connect()
        Network(source, group, synapses).run(20 * ms)
        found = lava_device.verify(lava=True)
    assert found.reference == "your own program" and "the same map" in found.recognition
    assert found.lava == "identical integers"
    assert found.populations[0].spikes == found.populations[0].expected == 0
    assert 0 < found.populations[0].states["v"] < 0.01
