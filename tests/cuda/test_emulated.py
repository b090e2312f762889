"""Networks on an emulated card: the same as on the processor, whatever runs first."""

from __future__ import annotations

import functools
from typing import Any

import brian2 as b2
import numpy as np
import pytest

import brian2lava
from brian2lava.engine.cuda import emulated, queues
from brian2lava.errors import CompileError, NotSupported
from tests.cuda.networks import CARD, NETWORKS, cells, on, results

processor = functools.cache(results)


def assert_agree(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for key, value in theirs.items():
        if value.dtype.kind == "f":
            np.testing.assert_allclose(ours[key], value, rtol=1e-9, atol=1e-12, err_msg=key)
        else:
            np.testing.assert_array_equal(ours[key], value, err_msg=key)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_processors_results(
    name: str, deterministic: bool, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulated, "ORDER", order)
    found = results(name, **CARD, deterministic=deterministic)
    assert len(found["i"]) > 50
    assert_agree(found, processor(name))


@pytest.mark.parametrize("name", NETWORKS)
def test_deterministic_results_do_not_depend_on_what_runs_first(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = results(name, **CARD, deterministic=True)
    monkeypatch.setattr(emulated, "ORDER", 2)
    second = results(name, **CARD, deterministic=True)
    for key, value in first.items():
        np.testing.assert_array_equal(second[key], value, err_msg=key)


@pytest.mark.parametrize("name", ["plastic", "noisy"])
def test_queues_grow_where_many_spikes_are_in_flight(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "FIRST_ROOM", 1)
    grown = []
    grow = queues.CardQueue.grow

    def noting(queue: queues.CardQueue, more: int) -> None:
        grown.append(more)
        grow(queue, more)

    monkeypatch.setattr(queues.CardQueue, "grow", noting)
    assert_agree(results(name, **CARD), processor(name))
    assert grown


def test_every_operation_by_itself() -> None:
    assert_agree(results("shared", **CARD, fuse=False), processor("shared"))


def _in_flight(delay: str) -> tuple[Any, Any, Any]:
    group = cells(30)
    synapses = b2.Synapses(group, group, on_pre="ge += 0.2", name="synapses")
    synapses.connect(p=0.4)
    synapses.delay = delay
    spikes = b2.SpikeMonitor(group, name="spikes")
    return b2.Network(group, synapses, spikes), synapses, spikes


@pytest.mark.parametrize("delay", ["3*ms", "rand()*4*ms"])
def test_spikes_in_flight_are_stored_as_by_the_processor(delay: str) -> None:
    """What is in flight, stored and restored; delays that change while spikes are on their way."""
    found = []
    for options in ({}, CARD):
        with on(**options):
            net, synapses, spikes = _in_flight(delay)
            net.run(15 * b2.ms)
            net.store()
            state = synapses.pre.queue._full_state()
            synapses.delay = "0.5*ms + rand()*ms"
            net.run(5 * b2.ms)
            after = np.array(spikes.t_)
            net.restore()
            net.run(5 * b2.ms)
            found.append((state, after, np.array(spikes.t_), np.array(spikes.i)))
    assert len(found[0][0][1]) > 0
    assert repr(found[0][0]) == repr(found[1][0])
    for first, second in zip(found[0][1:], found[1][1:]):
        np.testing.assert_allclose(first, second, rtol=1e-12)


def test_a_profile_names_the_objects() -> None:
    with on(**CARD):
        net, *_ = _in_flight("1*ms")
        net.run(5 * b2.ms, profile=True)
        names = [name for name, _ in net.profiling_info]
    assert {"cells_stateupdater", "cells_spike_thresholder", "synapses_pre"} <= set(names)


def test_a_report_sees_the_present_values() -> None:
    seen = []
    with on(**CARD):
        net, *_ = _in_flight("1*ms")
        group = net["cells"]

        def report(elapsed: Any, completed: float, start: Any, duration: Any) -> None:
            seen.append((completed, float(net.t_), np.array(group.v)))

        net.run(3 * b2.second, report=report, report_period=0.05 * b2.second)
    inside = [part for part in seen if 0 < part[0] < 1]
    assert inside
    for completed, t, v in inside:
        assert t == pytest.approx(3 * completed, abs=1e-6)
        assert v.std() > 0


def test_stopping_leaves_the_network_where_it_is() -> None:
    with on(**CARD):
        net, _, spikes = _in_flight("1*ms")

        @b2.network_operation(dt=1 * b2.ms)
        def stop(t: Any) -> None:
            if t > 5 * b2.ms:
                net.stop()

        net.add(stop)
        net.run(50 * b2.ms)
        stopped = float(net.t_)
        net.remove(stop)
        net.run(10 * b2.ms)
        assert 0.005 < stopped < 0.0075
        assert float(net.t_) == pytest.approx(stopped + 0.01)
        assert spikes.t_[:].max() > stopped


def test_what_one_thread_runs_is_in_the_report() -> None:
    with on(**CARD):
        NETWORKS["shared"]()
        said = str(brian2lava.report())
    assert "engine 'cuda'" in said
    assert "run by one thread, since the order matters: back_down, other_run_regularly" in said


def test_a_chips_integers_are_the_same() -> None:
    found = []
    for options in ({}, {"engine": "cuda", "emulate": True}):
        with on(hardware="Loihi2", **options):
            group = cells(40)
            synapses = b2.Synapses(group, group, on_pre="ge += 0.1", name="synapses")
            synapses.connect(p=0.3)
            synapses.delay = "rand()*3*ms"
            spikes = b2.SpikeMonitor(group, name="spikes")
            net = b2.Network(group, synapses, spikes)
            net.run(40 * b2.ms)
            found.append((np.array(spikes.i), np.array(spikes.t_), np.array(group.v)))
    assert len(found[0][0]) > 20
    for ours, theirs in zip(*found):
        np.testing.assert_array_equal(ours, theirs)


def test_functions_that_a_card_can_not_have_are_named() -> None:
    @b2.implementation("cpp", "double doubled(double x) { return 2 * x; }", headers=["<vector>"])
    @b2.check_units(x=1, result=1)
    def doubled(x: Any) -> Any:
        return 2 * x

    with on(**CARD):
        group = b2.NeuronGroup(2, "x : 1", name="group", namespace={"doubled": doubled})
        group.run_regularly("x = doubled(x) + 1")
        with pytest.raises(NotSupported, match="<vector>"):
            b2.Network(group).run(1 * b2.ms)


def test_a_compilers_error_names_the_object() -> None:
    @b2.implementation("cpp", "double broken(double x) { return x +; }")
    @b2.check_units(x=1, result=1)
    def broken(x: Any) -> Any:
        return x

    with on(**CARD):
        group = b2.NeuronGroup(2, "x : 1", name="group", namespace={"broken": broken})
        group.run_regularly("x = broken(x)")
        with pytest.raises(CompileError, match="group_run_regularly"):
            b2.Network(group).run(1 * b2.ms)


def test_empty_networks_and_no_time() -> None:
    with on(**CARD):
        idle = b2.Network(b2.NeuronGroup(3, "v : 1", name="idle"))
        idle.run(2 * b2.ms)
        assert float(idle.t_) == 0.002
        group = cells(5)
        none = b2.Synapses(group, group, on_pre="ge += 1", name="none")
        none.connect(False)
        spikes = b2.SpikeMonitor(group)
        net = b2.Network(group, none, spikes)
        net.run(0 * b2.ms)
        net.run(10 * b2.ms)
        assert spikes.num_spikes > 0


def test_a_network_that_does_not_fit_is_refused_before_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with on(**CARD):
        net, synapses, _ = _in_flight("1*ms")
        net.run(0.2 * b2.ms)
        synapses.connect(n=40)
        monkeypatch.setattr(emulated, "ROOM", 200_000)
        told = r"has [\d.]+ kB free, and .* arrays need [\d.]+ [kM]B: .*synapses.*hardware='CPU'"
        with pytest.raises(MemoryError, match=told):
            net.run(1 * b2.ms)
        assert float(net.t) == pytest.approx(0.2e-3)
