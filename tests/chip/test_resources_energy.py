"""Events of a run, counted one by one, and what they take on Loihi 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.resources import DAVIES2018, LOIHI1, energy
from brian2lava.errors import OptionError

STEPS = 60


class Rule:
    """What is read of a learning rule: nothing but that there is one."""


def network(learning: Any = None) -> ChipNetwork:
    rng = np.random.default_rng(0)
    drive = Population("a", "LIF", 30, {"vth": 20, "dv": 50, "bias_mant": 300})
    return ChipNetwork(
        (drive, Population("b", "LIF", 10, {"vth": 30})),
        (SpikeTimes("s", 4, [0, 1, 2], [3, 5, 7]),),
        (
            Projection("ab", "a", "b", rng.integers(0, 30, 200), rng.integers(0, 10, 200),
                       rng.integers(0, 20, 200), learning=learning),
            Projection("sa", "s", "a", rng.integers(0, 4, 50), rng.integers(0, 30, 50),
                       np.full(50, 9)),
        ),
    )  # fmt: skip


def run(net: ChipNetwork) -> Recorded:
    return PlainChip(net).run(STEPS)


def test_events_are_what_counting_one_by_one_finds() -> None:
    net = network(Rule())
    recorded = run(network())
    report = energy(net, recorded, STEPS, "Loihi2")
    a, b, s = report.events
    assert a.spikes == len(recorded.spikes["a"][0]) > 50 and s.spikes == 3 and b.spikes > 0
    ab, sa = net.projections
    operations = sum(int((ab.pre == who).sum()) for who in recorded.spikes["a"][1])
    assert a.synaptic_operations == operations
    assert s.synaptic_operations == sum(int((sa.pre == who).sum()) for who in (0, 1, 2))
    assert (a.updates, b.updates, s.updates) == (30 * STEPS, 10 * STEPS, 0)
    assert a.learning == operations and s.learning == 0
    assert b.learning == sum(int((ab.post == who).sum()) for who in recorded.spikes["b"][1])
    reaching = np.isin(recorded.spikes["a"][1], ab.pre).sum()
    assert a.messages == reaching  # one core, so one message a spike
    assert report.total("spikes") == a.spikes + b.spikes + 3


def test_messages_are_one_a_core_that_is_reached() -> None:
    net, recorded = network(), run(network())
    four = replace(LOIHI1, compartments=10)
    report = energy(net, recorded, STEPS, "Loihi1", four)
    sa, spikes = net.projections[1], (0, 1, 2)
    assert report.events[2].messages == sum(len(set(sa.post[sa.pre == k] // 10)) for k in spikes)


def test_joules_are_counts_times_published_figures() -> None:
    net, recorded = network(Rule()), run(network())
    report = energy(net, recorded, STEPS, "Loihi1")
    assert report.energy is not None and report.joules is not None
    assert report.energy["updates"] == pytest.approx((40 * STEPS * 52e-12, 40 * STEPS * 81e-12))
    operations = report.total("synaptic_operations") * 23.6e-12
    assert report.energy["synaptic operations"] == pytest.approx((operations, operations))
    assert report.energy["learning"][0] == pytest.approx(report.total("learning") * 120e-12)
    assert report.energy["spikes in a tile"][0] == pytest.approx(report.total("messages") * 1.7e-12)
    assert report.joules[1] - report.joules[0] == pytest.approx(40 * STEPS * 29e-12)
    text = str(report)
    assert "estimate" in text and "Davies et al. 2018" in text and "Left out" in text


def test_a_time_step_is_that_of_the_busiest_core() -> None:
    net, recorded = network(), run(network())
    report = energy(net, recorded, STEPS, "Loihi1")
    work = report.total("synaptic_operations") * 3.5e-9 / STEPS
    assert report.step_time == pytest.approx(
        (40 * 5.3e-9 + work + 113e-9, 40 * 8.4e-9 + work + 465e-9)
    )
    spread = energy(net, recorded, STEPS, "Loihi1", replace(LOIHI1, compartments=10))
    assert spread.step_time is not None and report.step_time is not None
    assert spread.step_time[1] < report.step_time[1]


def test_a_time_step_has_its_learning() -> None:
    recorded = run(network())
    plain, plastic = (energy(network(rule), recorded, STEPS, "Loihi1") for rule in (None, Rule()))
    assert plain.step_time is not None and plastic.step_time is not None
    assert plastic.total("learning") > 0 == plain.total("learning")
    longer = plastic.total("learning") * 6.1e-9 / STEPS
    assert plastic.step_time[0] - plain.step_time[0] == pytest.approx(longer)


def test_loihi2_has_counts_and_no_joules() -> None:
    report = energy(network(), run(network()), STEPS, "Loihi2")
    assert report.energy is None and report.joules is None and report.step_time is None
    assert "no energy of an operation of Loihi2 is public" in str(report)
    assert " J" not in str(report)


def test_compartments_are_updated_not_neurons() -> None:
    two = replace(LOIHI1, per_neuron={"LIF": 2})
    report = energy(network(), run(network()), STEPS, "Loihi1", two)
    assert report.total("updates") == 80 * STEPS


def test_a_run_of_another_network_is_refused() -> None:
    recorded = run(network())
    with pytest.raises(OptionError, match="no spikes of 'c'"):
        energy(ChipNetwork((Population("c", "LIF", 3),)), recorded, STEPS)
    with pytest.raises(OptionError, match="'a': a spike of neuron .* lies outside 30 neurons"):
        energy(network(), recorded, STEPS // 2)


def test_nothing_takes_nothing() -> None:
    report = energy(ChipNetwork(), Recorded({}, {}, {}), 0, "Loihi1")
    assert report.joules == (0, 0) and "0 J" in str(report)
    assert report.step_time == (DAVIES2018.barrier_least, DAVIES2018.barrier_most)
