"""The step program: its text, its checker, what may be fused; golden texts of small networks.

``pytest tests/test_program.py --update-golden`` writes the golden files anew; look at the diff.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import brian2 as b2
import pytest
from brian2.devices.device import reset_device

import brian2lava
from brian2lava.engine.cpu.deliveries import target_index
from brian2lava.engine.cpu.fuse import group_operations
from brian2lava.engine.cpu.render import render
from brian2lava.errors import ProgramError
from brian2lava.program import step_program as program
from brian2lava.program.check import check
from brian2lava.program.effects import commute, effects, element_by_element
from brian2lava.program.text import as_text

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture
def lava():
    """The device, inline, and Brian2 as it was afterwards."""
    b2.start_scope()
    b2.set_device("lava", host="inline")
    yield brian2lava.lava_device
    reset_device()


def small_network(reset: str = "v = 0") -> b2.Network:
    """Integrate and fire, with refractoriness, a delay and a monitor."""
    group = b2.NeuronGroup(
        3,
        "dv/dt = (2 - v)/tau : 1 (unless refractory)",
        threshold="v > 1",
        reset=reset,
        refractory=1 * b2.ms,
        method="exact",
        name="cells",
        namespace={"tau": 10 * b2.ms},
    )
    synapses = b2.Synapses(group, group, on_pre="v_post += 0.1", delay=2 * b2.ms, name="links")
    synapses.connect()
    monitor = b2.SpikeMonitor(group, name="spikes")
    return b2.Network(group, synapses, monitor)


def program_of(device, network: b2.Network) -> program.StepProgram:
    """What a run of the network leaves behind."""
    network.run(1 * b2.ms)
    assert device.last_program is not None
    return device.last_program


def golden(name: str, text: str, update: bool) -> None:
    """Compare with the file of that name, or write it."""
    place = GOLDEN / name
    if update:
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    assert text == place.read_text(encoding="utf-8"), f"see the diff after --update-golden: {place}"


def test_text_of_a_small_network(lava, update_golden):
    found = program_of(lava, small_network())
    assert as_text(found) == lava.program_text()
    golden("small_network.program.txt", as_text(found), update_golden)


def test_source_of_a_small_network(lava, update_golden):
    golden(
        "small_network.cpp", render(program_of(lava, small_network())).text + "\n", update_golden
    )


def test_source_does_not_depend_on_names_of_objects(lava):
    first = render(program_of(lava, small_network())).text
    group = b2.NeuronGroup(
        3,
        "dv/dt = (2 - v)/tau : 1 (unless refractory)",
        threshold="v > 1",
        reset="v = 0",
        refractory=1 * b2.ms,
        method="exact",
        name="others",
        namespace={"tau": 20 * b2.ms},
    )
    synapses = b2.Synapses(group, group, on_pre="v_post += 0.1", delay=2 * b2.ms, name="zlinks")
    synapses.connect()
    monitor = b2.SpikeMonitor(group, name="zspikes")
    second = render(program_of(lava, b2.Network(group, synapses, monitor))).text
    assert first == second


def test_state_update_and_threshold_share_a_pass(lava):
    found = program_of(lava, small_network())
    kinds = [
        {type(found.operations[member]).__name__ for member in group.members}
        for group in group_operations(found)
    ]
    assert {"Elementwise", "Threshold"} in kinds
    assert all(len(group.members) == 1 for group in group_operations(found, fuse=False))


def test_what_a_threshold_marks_late_keeps_readers_out_of_its_pass():
    access = program.Access("lastspike", program.ELEMENT)
    threshold = program.Threshold(
        name="t",
        origin=program.Origin("t"),
        clock=0,
        count="N",
        domain="g",
        events="events",
        not_refractory="not_refractory",
        lastspike="lastspike",
        time="t",
    )
    reader = program.Elementwise(
        name="r",
        origin=program.Origin("r"),
        clock=0,
        count="N",
        domain="g",
        statements=program.Statements(reads=frozenset({access})),
    )
    assert element_by_element(effects(reader), effects(threshold))
    assert not element_by_element(effects(threshold), effects(reader))
    assert not commute(effects(threshold), effects(reader))


def test_checker_names_the_object_and_the_missing_array(lava):
    found = program_of(lava, small_network())
    broken = replace(found, arrays=tuple(a for a in found.arrays if not a.id.endswith("_cells_v")))
    with pytest.raises(ProgramError, match=r"(?s)cells_stateupdater.*array '_array_cells_v'"):
        check(broken)


def test_checker_refuses_an_unknown_clock(lava):
    found = program_of(lava, small_network())
    operations = (replace(found.operations[0], clock=7), *found.operations[1:])
    with pytest.raises(ProgramError, match="there is no clock 7"):
        check(replace(found, operations=operations))


@pytest.mark.parametrize("side", ["pre", "post"])
@pytest.mark.parametrize("number", ["", "_17"])
def test_the_side_that_spikes_arrive_at_has_a_number_where_names_repeat(side: str, number: str):
    pathway = program.Pathway(
        "pathway",
        program.Origin("synapses"),
        0,
        targets=f"_array_synapses__synaptic_{side}{number}",
    )
    assert target_index(pathway) == f"_{side}synaptic_idx"
