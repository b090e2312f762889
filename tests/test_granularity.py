"""One Lava process a Brian2 object: the same results to the bit, and failures that name it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NetworkOperation,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    linked_var,
    ms,
    seed,
    set_device,
)
from brian2.groups.group import VariableOwner

import brian2lava
from brian2lava.errors import EngineDied, EngineError, NotSupported, OptionError
from tests.networks.compare import Results, snapshot
from tests.networks.devices import Engine, needs_lava_device, under
from tests.networks.programs import still_running

pytestmark = needs_lava_device

_WHOLE = Engine("inline", {"host": "inline"})
_OBJECTS = Engine("object", {"granularity": "object"})

#: What a failure may take until it is raised (seconds).
_SOON = 2.0


@pytest.fixture
def objects() -> Iterator[None]:
    with under(_OBJECTS):
        yield


def _cells(**options: Any) -> NeuronGroup:
    cells = NeuronGroup(
        30,
        """dv/dt = (1.1 - v + 0.3*xi*sqrt(10*ms))/(10*ms) : 1 (unless refractory)
        dg/dt = -g/(5*ms) : 1
        p : 1""",
        threshold="v > 1",
        reset="v = 0",
        refractory=1 * ms,
        method="euler",
        **options,
    )
    cells.v = "rand()"
    cells.p = "rand()"
    return cells


def learning() -> list[Any]:
    """Values of both sides, plasticity, delays, all kinds of sources."""
    cells = _cells()
    lateral = Synapses(
        cells,
        cells,
        """w : 1
        da/dt = -a/(10*ms) : 1 (event-driven)""",
        on_pre="""g_post += w*p_pre
        a += 0.1
        w = clip(w + a, 0, 1)
        v_post += 0.01*w*(1 - v_post)""",
        on_post="a -= 0.05",
    )
    lateral.connect(p=0.4)
    lateral.w = "rand()"
    lateral.pre.delay = "0.5*ms*rand()"
    noise = PoissonGroup(20, 200 * Hz)
    times = SpikeGeneratorGroup(3, [0, 2, 1], [1, 2, 3] * ms)
    inputs = [
        Synapses(noise, cells, on_pre="v_post += 0.1"),
        Synapses(times, cells, on_pre="v_post -= 0.2*rand()"),
    ]
    for each in inputs:
        each.connect(p=0.4)
    extra = PoissonInput(cells, "g", 10, 20 * Hz, 0.05)
    watched = [StateMonitor(cells, ("v", "g"), record=True), SpikeMonitor(cells)]
    return [cells, lateral, noise, times, *inputs, extra, *watched, SpikeMonitor(noise)]


def order_of_two() -> list[Any]:
    """Two pathways change one variable of a group that runs nothing itself, by turns."""
    source = SpikeGeneratorGroup(4, [0, 1, 2, 3] * 5, np.arange(20) * 0.2 * ms)
    store = NeuronGroup(3, "x : 1\ny : 1")
    store.x = 1
    grow = Synapses(source, store, on_pre="x_post += 0.1*x_post")
    shrink = Synapses(source, store, on_pre="x_post -= 0.3*x_post + 0.01*y_post")
    back = Synapses(source, store, on_pre="y_post += x_post")
    for order, each in enumerate((grow, back, shrink)):
        each.connect()
        each.pre.order = order
    return [source, store, grow, shrink, back, StateMonitor(store, ("x", "y"), record=True)]


def several_clocks() -> list[Any]:
    """Groups with steps of their own, one that starts with resets, and a call of Python."""
    fast, slow = _cells(dt=0.05 * ms), _cells(dt=0.3 * ms)
    slow.resetter["spike"].when = "start"
    there = Synapses(fast, slow, "w : 1", on_pre="v_post += 0.1*w*p_pre", delay=0.4 * ms)
    back = Synapses(slow, fast, on_pre="v_post -= 0.05*v_pre", on_post="g_pre += 0.1")
    for each in (there, back):
        each.connect(p=0.5)
    there.w = "rand()"

    def nudge() -> None:
        slow.p[:] = np.asarray(fast.v)[::-1]

    watched = [SpikeMonitor(fast), SpikeMonitor(slow), StateMonitor(slow, "v", record=[0, 5])]
    return [fast, slow, there, back, *watched, NetworkOperation(nudge, dt=0.5 * ms, when="start")]


def shared() -> list[Any]:
    """Linked and summed variables, and gap junctions."""
    first, second = _cells(), _cells()
    follower = NeuronGroup(30, "dz/dt = (q - z)/(5*ms) : 1\nq : 1 (linked)\ns : 1", method="euler")
    follower.q = linked_var(first, "v")
    total = Synapses(second, follower, "s_post = 0.1*v_pre : 1 (summed)")
    total.connect(p=0.3)
    chemical = Synapses(second, first, on_pre="v_post += 0.1*z_there", on_post="v_pre = 0.2",
                        namespace={"z_there": 0.3})  # fmt: skip
    chemical.connect(p=0.2)
    return [
        first,
        second,
        follower,
        total,
        chemical,
        StateMonitor(follower, ("z", "s"), record=True),
    ]


def events_of_the_step_before() -> list[Any]:
    """A pathway that runs before thresholds, and Python before both."""
    cells = NeuronGroup(20, "dv/dt = 1/ms : 1\np : 1", threshold="v > p", reset="v = 0")
    cells.p = "0.3 + rand()"
    rule = Synapses(cells, cells, "w : 1", on_pre="w += 0.1", on_post="w *= 0.9")
    rule.connect(p=0.3)
    rule.pre.when = rule.post.when = "groups"

    def look() -> None:
        cells.p[0] += 0.01

    return [cells, rule, NetworkOperation(look, when="start"), SpikeMonitor(cells)]


def events_taken_in_python() -> list[Any]:
    """Python takes events away before synapses deliver them."""
    cells = NeuronGroup(10, "dv/dt = 1/ms : 1", threshold="v > 0.8", reset="v = 0")
    cells.v = "rand()"
    others = NeuronGroup(10, "x : 1")
    counts = Synapses(cells, others, on_pre="x_post += v_pre")
    counts.connect(j="i")
    turns = iter(range(10**6))

    def take() -> None:
        if next(turns) % 2:
            cells.variables["_spikespace"].get_value()[-1] = 0

    watched = [StateMonitor(others, "x", record=True), SpikeMonitor(cells)]
    return [cells, others, counts, NetworkOperation(take, when="after_thresholds"), *watched]


def _host(net: Network) -> Any:
    """What runs ``net``."""
    loaded = brian2lava.lava_device.runs.of(net)
    assert loaded is not None
    return loaded.host


def _children() -> set[str]:
    """The processes that threads of this one have forked and that have not ended."""
    found: set[str] = set()
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            found.update((thread / "children").read_text().split())
    return found


def _results(build: Callable[[], list[Any]], engine: Engine) -> tuple[Results, dict[str, int]]:
    """What a network leaves after some runs, and the ids of its processes by name."""
    with under(engine):
        seed(11)
        made = build()
        net = Network(*made)
        net.run(3 * ms)
        net.store()
        net.run(2 * ms)
        net.restore()
        net.run(4 * ms)
        left = snapshot([each for each in made if isinstance(each, VariableOwner)])
        return left, getattr(_host(net), "pids", {})


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (
            learning,
            "neurongroup poissongroup spikegeneratorgroup synapses synapses_1 synapses_2",
        ),
        (order_of_two, "neurongroup spikegeneratorgroup synapses synapses_1 synapses_2"),
        (several_clocks, "neurongroup neurongroup_1 python synapses synapses_1"),
        (events_of_the_step_before, "neurongroup python synapses"),
        (events_taken_in_python, "neurongroup neurongroup_1 python synapses"),
        (shared, "neurongroup"),
    ],
    ids=[
        "learning",
        "order_of_two",
        "several_clocks",
        "events_of_the_step_before",
        "events_taken_in_python",
        "shared",
    ],
)
def test_a_graph_of_objects_computes_what_one_process_does(build: Any, names: str) -> None:
    whole = _results(build, _WHOLE)[0]
    graph, processes = _results(build, _OBJECTS)
    assert whole.keys() == graph.keys()
    for name, values in whole.items():
        assert values.dtype == graph[name].dtype
        assert values.tobytes() == graph[name].tobytes(), name
    assert processes.keys() == {*names.split(), "runtime service"}
    assert len(set(processes.values())) == len(processes)


def test_draw_says_what_goes_where_and_why_objects_share(objects: None, tmp_path: Any) -> None:
    Network(*shared()).run(0.2 * ms)
    text = str(brian2lava.draw())
    assert "'neurongroup_2' reads v in its equations (a linked variable), which is of" in text
    assert "'synapses' has a summed variable in s of 'neurongroup_2'" in text
    assert "'synapses_1' sets v (it does more than to add to it) of 'neurongroup_1'" in text
    Network(*learning()).run(0.2 * ms)
    drawn = brian2lava.draw()
    assert "spike_out -> " in str(drawn)
    assert "contributions to g, v" in str(drawn)
    assert "'poissoninput' writes g of 'neurongroup" in str(drawn)
    assert drawn.save(tmp_path / "graph.svg").read_text().startswith("<svg")
    assert drawn.save(tmp_path / "graph.txt").read_text() == str(drawn)
    with pytest.raises(OptionError, match=r"\.svg"):
        drawn.save(tmp_path / "graph.png")


def test_the_page_prints_what_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "objects_as_processes.md").read_text("utf-8")
    code, said = (page.split(f"```{kind}\n")[1].split("\n```")[0] for kind in ("python", "text"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.stdout.strip() == said.strip(), done.stderr
    assert (tmp_path / "objects.svg").read_text().startswith("<svg")


def test_spikes_in_flight_and_the_graph_stay_between_runs(objects: None) -> None:
    source = SpikeGeneratorGroup(1, [0], [0.3] * ms)
    target = NeuronGroup(1, "x : 1")
    late = Synapses(source, target, on_pre="x_post += 1", delay=2 * ms)
    late.connect()
    net = Network(source, target, late)
    net.run(1 * ms)
    host = _host(net)
    assert late.pre.queue._full_state()[1][-1] == [0]
    net.run(1 * ms)
    assert target.x[0] == 0
    net.run(1 * ms)
    assert target.x[0] == 1
    assert _host(net) is host


def test_a_report_while_it_runs(objects: None) -> None:
    cells, told = _cells(), []

    def rest() -> None:
        time.sleep(0.02)

    net = Network(cells, NetworkOperation(rest, dt=1 * ms))
    net.run(10 * ms, report=lambda *said: told.append(float(said[1])), report_period=20 * ms)
    assert told[0] == 0 and told[-1] == 1
    assert any(0 < part < 1 for part in told)


def test_stop_ends_all_processes_in_the_same_step(objects: None) -> None:
    cells, others = _cells(), _cells()
    between = Synapses(cells, others, on_pre="v_post += 0.1")
    between.connect(p=0.2)
    watched = StateMonitor(others, "v", record=[0])

    def stop_late() -> None:
        if net.t >= 1 * ms:
            net.stop()

    net = Network(cells, others, between, watched, NetworkOperation(stop_late, when="end"))
    net.run(5 * ms)
    assert len(watched.t) == 11
    assert abs(float(net.t / ms) - 1.1) < 1e-9
    net.run(1 * ms)


def test_an_exception_of_the_user_leaves_a_network_that_runs_again(objects: None) -> None:
    cells = _cells()
    to_fail = [True]

    def fail() -> None:
        if to_fail[0] and net.t >= 0.5 * ms:
            raise ValueError("of the user")

    net = Network(cells, SpikeMonitor(cells), NetworkOperation(fail))
    with pytest.raises(Exception, match="of the user"):
        net.run(2 * ms)
    to_fail[0] = False
    net.run(1 * ms)


def test_a_network_in_which_nothing_happens(objects: None) -> None:
    group = NeuronGroup(3, "x : 1")
    net = Network(group)
    net.run(1 * ms)
    assert float(net.t / ms) == 1
    assert not group.x[:].any()


def test_recorders_grow_in_their_own_process(objects: None) -> None:
    dense = NeuronGroup(500, "v : 1", threshold="True", reset="v = 0")
    spikes = SpikeMonitor(dense)
    Network(dense, spikes).run(40 * ms)
    assert spikes.num_spikes == 400 * 500


def test_a_killed_process_is_named_and_leaves_none_behind(objects: None) -> None:
    cells = _cells()
    net = Network(cells, PoissonGroup(3, 10 * Hz))
    pids: dict[str, int] = {}

    def kill_late() -> None:
        if net.t >= 0.5 * ms:
            pids.update(_host(net).pids)
            os.kill(pids["neurongroup"], signal.SIGKILL)

    net.add(NetworkOperation(kill_late))
    before = time.monotonic()
    with pytest.raises(EngineDied, match="process 'neurongroup'.*SIGKILL"):
        net.run(1000 * ms)
    assert time.monotonic() - before < _SOON + 2  # with the making of code and processes
    assert not still_running(list(pids.values()))


def test_an_exception_in_a_process_has_its_name_and_traceback(
    objects: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from brian2lava.processes.walker import Walker

    def fails(walker: Walker) -> None:
        raise ArithmeticError(f"something in {walker._way.name}")

    cells = _cells(name="failing_cells")
    net = Network(cells, SpikeMonitor(cells))
    monkeypatch.setattr(Walker, "step", fails)
    there = _children()
    before = time.monotonic()
    with pytest.raises(EngineError, match=r"'failing_cells' failed") as caught:
        net.run(10 * ms)
    assert "ArithmeticError: something in failing_cells" in str(caught.value)
    assert "Traceback" in str(caught.value)
    assert time.monotonic() - before < _SOON + 2
    assert _children() <= there


@pytest.mark.parametrize("options", [{"host": "inline"}, {"engine": "numpy"},
                                     {"hardware": "Loihi2"}])  # fmt: skip
def test_what_can_not_be_together_is_refused_by_name(options: dict[str, str]) -> None:
    (name,) = options
    with under(_WHOLE), pytest.raises(NotSupported, match=f"granularity='object', {name}="):
        set_device("lava", granularity="object", **options)


def test_drawing_before_any_graph_ran_says_what_to_do() -> None:
    with under(_WHOLE):
        device = brian2lava.lava_device
        kept, device.last_parts = device.last_parts, None
        try:
            with pytest.raises(RuntimeError, match="granularity='object'"):
                brian2lava.draw()
        finally:
            device.last_parts = kept
