"""Kernels as text: that NVRTC takes them, what shares one, and what is done at once."""

from __future__ import annotations

import re
from pathlib import Path

import brian2 as b2
import pytest

from brian2lava.engine.cpu.fuse import group_operations
from brian2lava.engine.cuda.accumulate import with_sums
from brian2lava.engine.cuda.build import cuda_text
from brian2lava.engine.cuda.levels import levels_of
from brian2lava.engine.cuda.modes import Mode, mode_of
from brian2lava.engine.cuda.render import render
from brian2lava.program import step_program as program
from brian2lava.program.effects import commute, effects
from tests.cuda.networks import CARD, NETWORKS, cells, on
from tests.cuda.nvrtc import ARCHITECTURES, needs_nvrtc, ptx
from tests.test_program import golden, small_network

GOLDEN = Path(__file__).parents[1] / "golden"


def _programs() -> dict[str, program.StepProgram]:
    found = {}
    for name, network in NETWORKS.items():
        with on(**CARD) as device:
            network()
            found[name] = device.last_program
    with on(hardware="Loihi2", engine="cuda", emulate=True) as device:
        group = cells(5)
        synapses = b2.Synapses(group, group, on_pre="ge += 0.1", name="synapses")
        synapses.connect()
        b2.Network(group, synapses).run(1 * b2.ms)
        found["chip"] = device.last_program
    return found


@pytest.fixture(scope="module")
def programs() -> dict[str, program.StepProgram]:
    return _programs()


def test_kernels_of_a_small_network(update_golden: bool) -> None:
    with on(**CARD) as device:
        small_network().run(1 * b2.ms)
        text = render(device.last_program).text
    golden("small_network.cu", text + "\n", update_golden)


@needs_nvrtc
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nvrtc_compiles_them(programs: dict[str, program.StepProgram], architecture: str) -> None:
    for found in programs.values():
        for deterministic in (False, True):
            made = ptx(cuda_text(render(found, True, deterministic)), architecture)
            assert ".visible .entry b2l_level_0(" in made


@needs_nvrtc
def test_deterministic_code_has_no_sums_in_one_operation(
    programs: dict[str, program.StepProgram],
) -> None:
    """But those of integers, whose order does not matter, and no fused multiplication."""
    found = programs["plastic"]
    free = ptx(cuda_text(render(found)))
    ordered = ptx(cuda_text(render(found, True, True)), ARCHITECTURES[-1], "-fmad=false")
    floats = re.compile(r"(red|atom)(\.global)?\.add\.f64")
    assert floats.search(free)
    assert not floats.search(ordered)
    added = re.findall(r"fma\.rn\.f64", ordered)
    assert len(added) < len(re.findall(r"fma\.rn\.f64", free))


def test_a_balanced_network_is_two_kernels_a_step() -> None:
    """State update, threshold; then both pathways, the reset and the spike monitor."""
    with on(**CARD) as device:
        group = b2.NeuronGroup(
            10, """dv/dt = (ge + gi - v) / (20*ms) : 1
            dge/dt = -ge / (5*ms) : 1
            dgi/dt = -gi / (10*ms) : 1""", threshold="v > 1", reset="v = 0", method="exact",
        )  # fmt: skip
        nets = [
            b2.Synapses(part, group, on_pre=f"{name} += 0.1")
            for part, name in ((group[:8], "ge"), (group[8:], "gi"))
        ]
        for synapses in nets:
            synapses.connect()
        b2.Network(group, nets, b2.SpikeMonitor(group)).run(1 * b2.ms)
        made = render(device.last_program)
    assert [len(level.groups) for level in made.levels] == [1, 4]


def test_kernels_keep_the_order_of_what_depends(programs: dict[str, program.StepProgram]) -> None:
    for found in programs.values():
        groups = group_operations(found)
        levels = levels_of(found, groups)
        place = {number: k for k, level in enumerate(levels) for number in level}
        what = [[effects(found.operations[k]) for k in group.members] for group in groups]
        assert sorted(place) == list(range(len(groups)))
        for first in range(len(groups)):
            for second in range(first + 1, len(groups)):
                if not all(commute(a, b) for a in what[first] for b in what[second]):
                    assert place[first] < place[second]


def _pathway(statements: str, **more: str) -> tuple[program.Pathway, program.StepProgram]:
    with on(**CARD) as device:
        group = b2.NeuronGroup(4, "v : 1\nu : 1", threshold="v > 1", name="group")
        synapses = b2.Synapses(group, group, "w : 1\nshare : 1 (shared)", on_pre=statements,
                               name="synapses")  # fmt: skip
        synapses.connect()
        b2.Network(group, synapses).run(0.1 * b2.ms)
        found = device.last_program
    (pathway,) = (o for o in found.operations if isinstance(o, program.Pathway))
    return pathway, found


@pytest.mark.parametrize(
    ("statements", "free", "ordered"),
    [
        ("v_post += w", Mode.AT_ONCE, Mode.BY_TARGET),
        ("v_post -= 2 * w; w = clip(w + 1, 0, 3)", Mode.AT_ONCE, Mode.BY_TARGET),
        ("v_post += w; u_post -= u_post", Mode.BY_TARGET, Mode.BY_TARGET),
        ("w += 1", Mode.AT_ONCE, Mode.AT_ONCE),
        ("v_post = w", Mode.BY_TARGET, Mode.BY_TARGET),
        ("v_post += w * v_post", Mode.BY_TARGET, Mode.BY_TARGET),
        ("v_post += w; u_pre += 1", Mode.AT_ONCE, Mode.IN_ORDER),
        ("v_post += w * v_pre", Mode.IN_ORDER, Mode.IN_ORDER),
        ("v_pre = w", Mode.IN_ORDER, Mode.IN_ORDER),
    ],
)
def test_how_synapses_are_shared_out(statements: str, free: Mode, ordered: Mode) -> None:
    pathway, found = _pathway(statements)
    ctypes = {array.id: array.ctype for array in found.arrays}
    assert mode_of(pathway, ctypes.__getitem__, False) is free
    assert mode_of(pathway, ctypes.__getitem__, True) is ordered


def test_sums_in_one_operation_in_the_text() -> None:
    pathway, found = _pathway("v_post += w; v_post -= 2 * w")
    ctypes = {array.id: array.ctype for array in found.arrays}
    text, sums = with_sums(pathway, ctypes.__getitem__)
    place = "&_ptr_array_group_v[_postsynaptic_idx]"
    assert f"b2l::add({place}, (double)((w)));" in text
    assert f"b2l::add({place}, (double)(-(2.0 * w)));" in text
    assert "double v" not in text
    assert {access.array for access in sums} == {"_array_group_v"}


def test_queues_are_counted_as_by_the_host() -> None:
    """Not in the order of kernels: the spikes in flight of one are not another's."""
    with on(**CARD) as device:
        group = b2.NeuronGroup(4, "v : 1\nu : 1\nx : 1\ny : 1", threshold="v > 1", reset="",
                               name="group")  # fmt: skip
        first = b2.Synapses(group, group, on_pre="x_post += 1", name="a_first")
        late = b2.Synapses(group, group, on_pre="v_post += x_post", name="b_late")
        early = b2.Synapses(group, group, on_pre="u_post += 1", name="c_early")
        for synapses in (first, late, early):
            synapses.connect()
        b2.Network(group, first, late, early).run(0.1 * b2.ms)
        found = device.last_program
    made = render(found)
    pathways = [k for k, o in enumerate(found.operations) if isinstance(o, program.Pathway)]
    in_kernels = [k for level in made.levels for k in level.operations if k in pathways]
    assert in_kernels != pathways
    assert [made.arrays[queue.sources] for queue in made.queues] == [
        found.operations[k].sources for k in pathways
    ]
