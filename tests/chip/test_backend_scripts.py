"""``set_device("lava", hardware=..., backend="lava")``: whole scripts in Lava's own processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    PopulationRateMonitor,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
)

from brian2lava import lava_device
from brian2lava.errors import EngineError, NotSupported, OptionError
from brian2lava.interop import lava_run, stock_neurons
from brian2lava.report import Report
from tests.chip.test_on_chip import on_chip
from tests.networks.devices import Engine, under

Results = dict[str, Any]
CURRENT = "dv/dt = (g - v)/(10*ms) : 1\ndg/dt = -g/(5*ms) : 1"


def identical(build: Callable[[], Results], **options: Any) -> tuple[Results, Report]:
    """``build``'s arrays from both backends, bit by bit the same; and Lava's report."""
    with on_chip(backend="emulator", **options):
        emulated = build()
    with on_chip(backend="lava", **options):
        lavas = build()
        report = lava_device.report()
    assert emulated.keys() == lavas.keys()
    for name, values in emulated.items():
        np.testing.assert_array_equal(lavas[name], values, err_msg=name)
    return lavas, report


def everything(*monitors: Any, **groups: Any) -> Results:
    """What monitors recorded, and the last values of groups' variables."""
    found: Results = {}
    for number, monitor in enumerate(monitors):
        for name in ("t", "i", "rate", "v", "g", "w"):
            if name in monitor.variables or name in getattr(monitor, "record_variables", ()):
                found[f"{number} {name}"] = np.array(getattr(monitor, name))
    for name, (group, variables) in groups.items():
        for variable in variables:
            found[f"{name}.{variable}"] = np.array(getattr(group, variable)[:])
    return found


# ---------------------------------------------------------------- the same as the emulator
def currents_and_sources() -> Results:
    """Two kinds of sources, delays, recurrent synapses, monitors with time steps of their own."""
    random = PoissonGroup(5, 250 * Hz)
    given = SpikeGeneratorGroup(2, [0, 1, 0, 1], [3, 9.1, 21, 22] * ms)
    group = NeuronGroup(6, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
    group.v = "0.1*i"
    ahead = Synapses(random, group, "w : 1", on_pre="g += w")
    ahead.connect(p=0.7)
    ahead.w = "0.8 + 0.1*j"
    ahead.delay = "j*0.1*ms"
    other = Synapses(given, group, on_pre="g += 1.5")
    other.connect()
    own = Synapses(group, group, on_pre="g -= 0.4")
    own.connect(condition="i != j")
    monitors = (
        SpikeMonitor(group),
        SpikeMonitor(random),
        StateMonitor(group, ["v", "g"], record=True),
        StateMonitor(group, "v", record=[1, 3], dt=0.3 * ms),
        PopulationRateMonitor(group),
        PopulationRateMonitor(random),
    )
    Network(random, given, group, ahead, other, own, *monitors).run(40 * ms)
    assert len(monitors[0].t) > 5
    return everything(*monitors, group=(group, "vg"))


@pytest.mark.parametrize("host", ["inline", "lava"])
def test_currents_and_sources(host: str) -> None:
    _, report = identical(currents_and_sources, host=host)
    assert "computed by Lava's processes" in report.arithmetic
    assert not report.notes


def test_lava_runs_and_the_emulator_does_not_stand_in_for_it(monkeypatch: Any) -> None:
    """A process that Lava computes otherwise shows in every monitor."""
    stock = stock_neurons.stock_process

    def reluctant(population: Any) -> Any:
        process = stock(population)
        process.vth.init = int(np.max(process.vth.init)) * 5 // 4
        return process

    with on_chip(backend="emulator"):
        emulated = currents_and_sources()
    monkeypatch.setattr(stock_neurons, "stock_process", reluctant)
    with on_chip(backend="lava"):
        lavas = currents_and_sources()
    assert len(lavas["0 t"]) < len(emulated["0 t"])
    np.testing.assert_array_equal(lavas["1 t"], emulated["1 t"])  # the sources' spikes
    assert np.max(lavas["2 v"]) > np.max(emulated["2 v"])
    assert np.sum(lavas["4 rate"]) < np.sum(emulated["4 rate"])
    assert np.any(lavas["group.v"] != emulated["group.v"])


@pytest.mark.parametrize("hardware", [pytest.param("Loihi1", marks=pytest.mark.long), "Loihi2"])
def test_what_lavas_library_lacks_is_told(hardware: str) -> None:
    """Refractoriness, an input current, two populations; on Loihi 1 another profile."""

    def build() -> Results:
        drive = TimedArray(np.array([1.6, 0.4, 2.1]), dt=7 * ms)  # noqa: F841
        first = NeuronGroup(
            4, "dv/dt = (drive(t) - v)/(10*ms) : 1 (unless refractory)", threshold="v > 1",
            reset="v = 0", refractory=1 * ms, method="exact", name="first",
        )  # fmt: skip
        second = NeuronGroup(3, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
        between = Synapses(first, second, on_pre="g += 2.5\nv += 0.1")
        between.connect()
        monitors = SpikeMonitor(first), SpikeMonitor(second), StateMonitor(second, "v", record=True)
        Network(first, second, between, *monitors).run(25 * ms)
        assert len(monitors[1].t)
        return everything(*monitors, first=(first, "v"), second=(second, "vg"))

    _, report = identical(build, hardware=hardware)
    told = [note for note in report.notes if note.startswith("'first'")]
    assert len(told) == 1
    assert "a Lava process of brian2lava's own" in told[0]


ADAPTIVE = """dv/dt = (I - v)/(20*ms) : 1
dI/dt = -I/(8*ms) : 1
dtheta/dt = (5 - theta)/(40*ms) : 1
dr/dt = -r/(15*ms) : 1"""
RESONATOR = """dx/dt = -d*x - omega*y : 1
dy/dt = omega*x - d*y : 1
y_before = y : 1 (constant over dt)"""


@pytest.mark.long
@pytest.mark.parametrize("model", ["ATRLIF", "RF"])
def test_other_models_of_lavas_library(model: str) -> None:
    def build() -> Results:
        models: dict[str, dict[str, Any]] = {
            "ATRLIF": {
                "model": ADAPTIVE, "threshold": "v - r >= theta",
                "reset": "r += 2*theta; theta += 2",
            },
            "RF": {
                "model": RESONATOR, "threshold": "x >= 2 and y >= 0 and y_before < 0", "reset": "",
                "namespace": {"d": 15 * Hz, "omega": 2 * np.pi * 40 * Hz},
            },
        }  # fmt: skip
        group = NeuronGroup(3, method="exact", **models[model])
        source = PoissonGroup(5, 200 * Hz)
        into = Synapses(source, group, on_pre="I += 9" if model == "ATRLIF" else "x += 5")
        into.connect()
        if model == "ATRLIF":
            group.theta = 5
        spikes, trace = SpikeMonitor(group), StateMonitor(group, into_names[model], record=True)
        Network(source, group, into, spikes, trace).run(40 * ms)
        assert len(spikes.t)
        return {"trace": np.array([getattr(trace, n) for n in into_names[model]]),
                **everything(spikes)}  # fmt: skip

    into_names = {"ATRLIF": ["v", "theta", "r"], "RF": ["x", "y"]}
    _, report = identical(build)
    assert not report.notes


def test_neurons_that_fire_at_random_have_the_emulators_numbers() -> None:
    def build() -> Results:
        group = NeuronGroup(50, "p : 1", threshold="rand() < p", reset="")
        group.p = "0.01*(i % 20)"
        spikes = SpikeMonitor(group)
        Network(group, spikes).run(20 * ms)
        assert len(spikes.t) > 300
        return everything(spikes)

    identical(build)


@pytest.mark.parametrize("hardware", [pytest.param("Loihi1", marks=pytest.mark.long), "Loihi2"])
def test_poisson_inputs_count_the_same(hardware: str) -> None:
    """Counts as payloads on Loihi 2, and sources of their own on Loihi 1."""

    def build() -> Results:
        group = NeuronGroup(5, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
        noise = PoissonInput(group, "g", 20, 120 * Hz, weight=0.3)
        spikes, trace = SpikeMonitor(group), StateMonitor(group, ["v", "g"], record=True)
        Network(group, noise, spikes, trace).run(20 * ms)
        assert len(spikes.t) > 3
        return everything(spikes, trace, group=(group, "vg"))

    identical(build, hardware=hardware)


def test_synapses_that_learn() -> None:
    def build() -> Results:
        source = PoissonGroup(5, 300 * Hz)
        group = NeuronGroup(
            4, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
        )
        plastic = Synapses(
            source,
            group,
            """w : 1
            dpre/dt = -pre/(8*ms) : 1 (event-driven)
            dpost/dt = -post/(9*ms) : 1 (event-driven)""",
            on_pre="v += w\npre += 0.1\nw = clip(w + post, 0, 1)",
            on_post="post -= 0.08\nw = clip(w + pre, 0, 1)",
        )
        plastic.connect()
        plastic.w = "0.3 + 0.05*i"
        monitors = (
            SpikeMonitor(group),
            StateMonitor(plastic, "w", record=True, dt=2 * ms),
            StateMonitor(group, "v", record=True),
        )
        Network(source, group, plastic, *monitors).run(40 * ms)
        assert len(monitors[0].t) > 10
        assert np.ptp(np.array(plastic.w)) > 0.2
        return everything(*monitors, plastic=(plastic, "w"))

    identical(build)
    assert lava_device.verify(steps=100, lava=True).lava == "identical integers"


# ---------------------------------------------------------------- several runs
def test_a_second_run_goes_on() -> None:
    """Delays of no step: nothing is under way between the runs but what has arrived."""

    def build() -> Results:
        source = PoissonGroup(5, 200 * Hz)
        group = NeuronGroup(
            6, "dv/dt = (g + drive(t) - v)/(10*ms) : 1\ndg/dt = -g/(5*ms) : 1",
            threshold="v > 1", reset="v = 0", method="exact",
            namespace={"drive": TimedArray(np.array([0.2, 0.9, 0.4]), dt=9 * ms)},
        )  # fmt: skip
        ahead = Synapses(source, group, on_pre="g += 1.2")
        ahead.connect()
        monitors = (
            SpikeMonitor(group),
            StateMonitor(group, ["v", "g"], record=True),
        )
        network = Network(source, group, ahead, *monitors)
        network.run(10 * ms)
        group.v[2] = 0.7
        network.run(0 * ms)
        network.run(15 * ms)
        assert len(monitors[0].t)
        return everything(*monitors, group=(group, "vg"))

    identical(build)


def test_a_threshold_that_does_not_begin_at_rest_is_a_process_of_ours() -> None:
    def build() -> Results:
        group = NeuronGroup(
            3, ADAPTIVE, threshold="v - r >= theta", reset="r += 2*theta; theta += 2",
            method="exact",
        )  # fmt: skip
        group.theta = 2
        group.I = "20 + 10*i"
        spikes, trace = SpikeMonitor(group), StateMonitor(group, "theta", record=True)
        network = Network(group, spikes, trace)
        network.run(8 * ms)
        network.run(8 * ms)
        return {"theta": np.array(trace.theta), **everything(spikes)}

    found, report = identical(build)
    assert len(found["0 t"]) and found["theta"][:, 0] == pytest.approx(2, abs=1e-4)
    assert any("begins with a 'theta' of its own" in note for note in report.notes)


def test_a_later_run_of_what_learns_is_refused() -> None:
    with on_chip(backend="lava"):
        source = SpikeGeneratorGroup(1, [0], [0.5] * ms)
        group = NeuronGroup(1, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
        plastic = Synapses(
            source, group, "w : 1\ndpost/dt = -post/(9*ms) : 1 (event-driven)", name="plastic",
            on_pre="g += w\nw = clip(w + post, 0, 1)", on_post="post += 0.1",
        )  # fmt: skip
        plastic.connect()
        network = Network(source, group, plastic)
        network.run(2 * ms)
        with pytest.raises(NotSupported, match="'plastic.* learns, .*all steps at once"):
            network.run(3 * ms)


def test_spikes_under_way_between_runs_are_refused() -> None:
    with on_chip(backend="lava"):
        source = SpikeGeneratorGroup(1, [0], [0.5] * ms)
        group = NeuronGroup(1, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
        late = Synapses(source, group, on_pre="g += 2", delay=2 * ms, name="late")
        late.connect()
        network = Network(source, group, late)
        network.run(1 * ms)
        with pytest.raises(NotSupported, match="1 spikes of 'late.* are on their way.*all steps"):
            network.run(3 * ms)


# ---------------------------------------------------------------- what can't be
def test_a_process_that_fails_is_told_and_the_network_can_run_again(monkeypatch: Any) -> None:
    from brian2lava.interop import lava_graph

    with on_chip(backend="lava"):
        group = NeuronGroup(
            2, "dv/dt = (2 - v)/(10*ms) : 1 (unless refractory)", threshold="v > 1",
            reset="v = 0", refractory=1 * ms, method="exact", name="group",
        )  # fmt: skip
        spikes = SpikeMonitor(group)
        network = Network(group, spikes)

        def broken(*_: Any) -> Any:
            raise FloatingPointError("no step")

        with monkeypatch.context() as context:
            context.setattr(lava_graph, "PopulationStep", broken)
            with pytest.raises(EngineError, match="process 'group' failed: FloatingPointError"):
                network.run(10 * ms)
        network.run(10 * ms)
        assert len(spikes.t) == 2


def test_size_is_limited_before_anything_runs(monkeypatch: Any) -> None:
    from brian2lava.device import lava_steps

    monkeypatch.setattr(lava_steps, "MOST_BYTES", 1000)
    with on_chip(backend="lava"):
        group = NeuronGroup(100, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
        with pytest.raises(NotSupported, match="backend='lava': 100 steps .*emulator"):
            Network(group).run(10 * ms)
    monkeypatch.undo()
    monkeypatch.setattr(lava_run, "MOST_PROCESSES", 3)
    with on_chip(backend="lava"):
        groups = [
            NeuronGroup(1, CURRENT, threshold="v > 1", reset="v = 0", method="exact")
            for _ in range(3)
        ]
        with pytest.raises(NotSupported, match="4 Lava processes, and more than 3.*emulator"):
            Network(*groups).run(1 * ms)


def test_backends_belong_to_chips() -> None:
    wrong = under(Engine("wrong", {"backend": "lava"}))
    with pytest.raises(OptionError, match="backend='lava'.*add hardware='Loihi2'"), wrong:
        pass
    absent = pytest.raises(NotSupported, match="lava-loihi .* is not installed.*'emulator'")
    with absent, on_chip(backend="chip"):
        pass
    with on_chip(backend="auto"):
        currents_and_sources()
        assert lava_device.report().arithmetic.endswith("emulated")
