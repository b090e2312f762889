"""``set_device("lava", hardware="Loihi2")``: Brian2 scripts in a chip's integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PopulationRateMonitor,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
    mV,
    network_operation,
    nS,
    second,
)

from brian2lava import lava_device
from brian2lava.chip.plain import PlainChip
from brian2lava.errors import ChipLimit, ChipOverflow, NotSupported, OptionError
from tests.networks.devices import Engine, reference, under


@contextmanager
def on_chip(**options: Any) -> Iterator[None]:
    given = {"hardware": "Loihi2", "host": "inline", "seed": 1, **options}
    with under(Engine("chip", given)):
        yield


def both(build: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
    """What ``build`` returns (arrays by name) on the chip, and in Brian2's runtime."""
    with on_chip(**options):
        ours = build()
    with reference():
        theirs = build()
    return ours, theirs


def near(ours: Any, theirs: Any, of_threshold: float) -> None:
    """Spikes within 2 steps and 2.5 %, and states within a part of the threshold of 1.

    A decay has 12 bits: time constants of 10 ms are off by up to 1 % with steps of 0.1 ms.
    """
    for name, expected in theirs.items():
        if name.startswith("spikes"):
            assert len(ours[name]) == len(expected), name
            assert np.all(np.abs(ours[name] - expected) <= 2 + 0.025 * expected), name
        else:
            assert np.abs(ours[name] - expected).max() < of_threshold, name


def chip_report() -> Any:
    return lava_device.report().chip


def steps(monitor: Any) -> Any:
    """Spikes as steps, sorted by neuron."""
    order = np.lexsort((monitor.t_[:], monitor.i[:]))
    return np.rint(np.array(monitor.t_[:])[order] / 1e-4).astype(int)


# ---------------------------------------------------------------- thresholds that are reached
_ACCUMULATOR = "v : 1"
_LEAKY = "dv/dt = -v/(10*ms) : 1"
_MOVING = "v : 1\ndtheta/dt = -theta/(20*ms) : 1"
#: equations, threshold, reset, weight of a spike
_REACHED = [
    (_ACCUMULATOR, "v >= 8", "v = 0", 1.0),
    (_ACCUMULATOR, "8 <= v", "v = 0", 0.5),
    (_ACCUMULATOR, "v > 8", "v = 0", 1.0),
    (_LEAKY, "v >= 1", "v = 0", 1.0),
    (_ACCUMULATOR, "v >= 8", "v -= 8", 1.0),
    (_ACCUMULATOR, "v > 8", "v -= 8", 1.0),
    (_ACCUMULATOR, "v >= 3 or v <= -6", "v = 0", 1.0),
    (_ACCUMULATOR, "v >= 6 or v <= -3", "v = 0", -1.0),
    (_ACCUMULATOR, "abs(v) > 3", "v = 0", -1.0),
    (_MOVING, "v >= theta + 4", "v = 0; theta += 1", 1.0),
]


@pytest.mark.parametrize(("hardware", "count"), [("Loihi1", 4), ("Loihi2", len(_REACHED))])
def test_a_voltage_at_the_threshold_fires_where_the_condition_says_so(
    hardware: str, count: int
) -> None:
    def build() -> Any:
        source = SpikeGeneratorGroup(1, np.zeros(60, int), np.arange(60) * 0.8 * ms)
        made, monitors = [source], []
        for equations, threshold, reset, weight in _REACHED[:count]:
            group = NeuronGroup(1, equations, threshold=threshold, reset=reset, method="exact")
            synapses = Synapses(source, group, "w : 1", on_pre="v += w")
            synapses.connect()
            synapses.w = weight
            monitors.append(SpikeMonitor(group))
            made += [group, synapses]
        Network(made, monitors).run(50 * ms)
        return [steps(monitor) for monitor in monitors]

    for case, ours, theirs in zip(_REACHED, *both(build, hardware=hardware), strict=False):
        assert len(theirs) >= 3, case
        np.testing.assert_array_equal(ours, theirs, str(case))


def test_the_report_says_that_a_threshold_is_inclusive() -> None:
    with on_chip():
        group = NeuronGroup(1, "v : 1", threshold="v >= 8", reset="v = 0")
        Network(group).run(1 * ms)
        row = next(row for row in chip_report().quantised.rows if row.register == "vth")
        assert "one step of 64 nearer" in row.note
        steps_of_64 = 8 * chip_report().quantised.scales[group.name] / 64
        assert row.integer.low == np.rint(steps_of_64) - 1
        assert row.error == pytest.approx(row.integer.low / steps_of_64 - 1)


# ---------------------------------------------------------------- models
def test_leaky_neurons_with_a_current_each_of_their_own() -> None:
    def build() -> Any:
        group = NeuronGroup(
            6,
            """dv/dt = (1.15 + 0.1*i + g - v)/tau : 1 (unless refractory)
            dg/dt = -g/(5*ms) : 1
            tau : second (constant)""",
            threshold="v > 1",
            reset="v = 0",
            refractory=2 * ms,
            method="exact",
        )
        group.tau = "(8 + i)*ms"
        group.v = "0.1*i"
        source = SpikeGeneratorGroup(2, [0, 1, 0, 1], [3, 9.1, 21, 22] * ms)
        synapses = Synapses(source, group, "w : 1", on_pre="g += w")
        synapses.connect()
        synapses.w = "0.3 - 0.5*i + 0.02*j"
        synapses.delay = "(i + j)*0.7*ms"
        spikes = SpikeMonitor(group)
        trace = StateMonitor(group, ["v", "g"], record=True)
        Network(group, source, synapses, spikes, trace).run(40 * ms)
        quiet = slice(0, 20)  # until the first spikes states follow closely
        return {
            "spikes": steps(spikes),
            "g": np.array(trace.g),
            "v": np.array(trace.v)[:, quiet],
            "end": np.array(group.g),
        }

    near(*both(build), of_threshold=0.01)


@pytest.mark.parametrize("method", ("exact", "euler", "exponential_euler", "rk2", "rk4", "heun"))
def test_whatever_the_integrator(method: str) -> None:
    def build() -> Any:
        group = NeuronGroup(
            3, "dx/dt = (1.3 + 0.1*i - x)/(11*ms) : 1", threshold="x > 1", reset="x = 0",
            method=method,
        )  # fmt: skip
        spikes = SpikeMonitor(group)
        Network(group, spikes).run(30 * ms)
        return {"spikes": steps(spikes)}

    near(*both(build), of_threshold=0.01)


def test_reset_and_rest_away_from_zero_in_volt() -> None:
    def build() -> Any:
        group = NeuronGroup(
            4, "dv/dt = (-49*mV + i*mV - v)/(20*ms) : volt", threshold="v > -50*mV",
            reset="v = -60*mV", method="exact",
        )  # fmt: skip
        group.v = "-60*mV + i*2*mV"
        spikes = SpikeMonitor(group)
        trace = StateMonitor(group, "v", record=True)
        Network(group, spikes, trace).run(50 * ms)
        return {"spikes": steps(spikes), "v": np.array(trace.v / mV)[:, :80] / 10}

    near(*both(build), of_threshold=0.01)


def test_jumps_of_the_voltage() -> None:
    def build() -> Any:
        source = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 2, 3, 10.5] * ms)
        group = NeuronGroup(
            3, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
        )
        synapses = Synapses(source, group, on_pre="v += 0.4 + 0.1*i")
        synapses.connect()
        spikes = SpikeMonitor(group)
        trace = StateMonitor(group, "v", record=True)
        Network(source, group, synapses, spikes, trace).run(20 * ms)
        before = np.setdiff1d(np.arange(28), [11, 21])  # Brian2's v has a jump a step earlier
        return {"spikes": steps(spikes), "v": np.array(trace.v)[:, before]}

    ours, theirs = both(build)
    near(ours, theirs, of_threshold=0.01)
    assert "erases" in chip_report().notes[0]


def test_a_threshold_that_adapts() -> None:
    def build() -> Any:
        group = NeuronGroup(
            3,
            """dv/dt = (2 + 0.3*i - v)/(10*ms) : 1
            dtheta/dt = (1 - theta)/(40*ms) : 1""",
            threshold="v > theta",
            reset="v = 0; theta += 0.2",
            method="exact",
        )
        group.theta = 1
        spikes = SpikeMonitor(group)
        trace = StateMonitor(group, "theta", record=True)
        Network(group, spikes, trace).run(60 * ms)
        return {"spikes": steps(spikes), "theta": np.array(trace.theta)[:, :45]}

    near(*both(build), of_threshold=0.01)


def test_spikes_of_a_second_threshold_are_spikes_like_others() -> None:
    """Lava's TernaryLIF sends -1 below; a spike of Brian2's abs(v) > 1 has no sign."""

    def build() -> Any:
        source = SpikeGeneratorGroup(1, [0, 0], [1, 6] * ms)
        group = NeuronGroup(2, "dv/dt = -v/(10*ms) : 1", threshold="abs(v) > 1", reset="v = 0",
                            method="exact", name="both")  # fmt: skip
        after = NeuronGroup(2, "dx/dt = -x/(10*ms) : 1", method="exact", name="after")
        jumps = Synapses(source, group, on_pre="v += 1.5*(1 - 2*j)")
        jumps.connect()
        onward = Synapses(group, after, on_pre="x += 0.5")
        onward.connect(j="i")
        spikes = SpikeMonitor(group)
        Network(source, group, after, jumps, onward, spikes).run(10 * ms)
        return {"spikes": steps(spikes), "x": np.array(after.x)}

    ours, theirs = both(build)
    assert len(theirs["spikes"]) == 4 and np.all(theirs["x"] > 0.3)
    near(ours, theirs, of_threshold=0.01)


def test_a_soft_reset() -> None:
    def build() -> Any:
        group = NeuronGroup(
            3, "dv/dt = (1.7 + 0.2*i - v)/(15*ms) : 1", threshold="v > 1", reset="v -= 1",
            method="exact",
        )  # fmt: skip
        spikes = SpikeMonitor(group)
        Network(group, spikes).run(38 * ms)
        return {"spikes": steps(spikes)}

    near(*both(build), of_threshold=0.01)


def test_input_from_a_timed_array() -> None:
    drive = TimedArray([0.0, 1.6, 0.4, 1.9], dt=8 * ms)  # noqa: F841
    two = TimedArray([[0.0, 3.0], [2.0, 0.0]], dt=9 * ms)  # noqa: F841

    def build() -> Any:
        group = NeuronGroup(
            2,
            """dv/dt = (drive(t) + g - v)/(10*ms) : 1
            dg/dt = (two(t, i) - g)/(5*ms) : 1""",
            threshold="v > 1", reset="v = 0", method="euler",
        )  # fmt: skip
        spikes = SpikeMonitor(group)
        trace = StateMonitor(group, ["v", "g"], record=True)
        network = Network(group, spikes, trace)
        network.run(17 * ms, namespace={"drive": drive, "two": two})
        network.run(17 * ms, namespace={"drive": drive, "two": two})
        return {"spikes": steps(spikes), "g": np.array(trace.g), "v": np.array(trace.v)[:, :100]}

    near(*both(build), of_threshold=0.015)


def test_random_neurons_and_poisson_groups_have_their_rates() -> None:
    with on_chip():
        drawn = NeuronGroup(500, "", threshold="rand() < 0.02")
        poisson = PoissonGroup(500, rates=100 * Hz)
        target = NeuronGroup(
            500, "dv/dt = -v/(5*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
        )
        synapses = Synapses(poisson, target, on_pre="v += 1.1")
        synapses.connect(j="i")
        monitors = [SpikeMonitor(group) for group in (drawn, poisson, target)]
        rate = PopulationRateMonitor(drawn)
        Network(drawn, poisson, target, synapses, rate, *monitors).run(200 * ms)
        counts = [monitor.num_spikes for monitor in monitors]
        mean = float(np.mean(rate.rate / Hz))
    for count, expected in zip(counts, (20_000, 10_000, 10_000), strict=True):
        assert abs(count - expected) < 5 * np.sqrt(expected)
    assert mean == pytest.approx(counts[0] / 500 / 0.2)


def cuba(size: int) -> tuple[Any, Any]:
    group = NeuronGroup(
        size,
        """dv/dt = (ge + gi - (v + 49*mV))/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : volt
        dgi/dt = -gi/(10*ms) : volt""",
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * ms,
        method="exact",
    )
    drawn = np.random.RandomState(4)
    group.v = (-60 + 10 * drawn.rand(size)) * mV
    i, j = np.nonzero(drawn.rand(size, size) < 0.02 * 4000 / size)
    split = int(0.8 * size)
    synapses = []
    for change, chosen in (("ge += 1.62*mV", i < split), ("gi += -9*mV", i >= split)):
        synapses.append(Synapses(group, group, on_pre=change))
        synapses[-1].connect(i=i[chosen], j=j[chosen])
    spikes = SpikeMonitor(group)
    return Network(group, spikes, *synapses), spikes


def test_a_network_with_two_currents_has_its_rate() -> None:
    rates = []
    for device in (on_chip(), reference()):
        with device:
            network, spikes = cuba(1000)
            network.run(0.3 * second)
            rates.append(spikes.num_spikes)
    assert rates[1] > 500
    assert abs(rates[0] / rates[1] - 1) < 0.1


@pytest.mark.parametrize("chip", ("Loihi1", "Loihi2"))
@pytest.mark.parametrize("arithmetic", (None, "lava", "loihi1", "brian2loihi"))
def test_every_chip_with_every_profile(chip: str, arithmetic: str | None) -> None:
    with on_chip(hardware=chip, arithmetic=arithmetic):
        network, spikes = cuba(300)
        network.run(0.1 * second)
        assert spikes.num_spikes > 20
        name = arithmetic or {"Loihi1": "loihi1", "Loihi2": "lava"}[chip]
        assert f"integers of {chip}, profile '{name}'" in lava_device.report().arithmetic


# ---------------------------------------------------------------- runs
def recurrent() -> tuple[Any, ...]:
    group = NeuronGroup(
        5,
        """dv/dt = (1.2 + 0.1*i - v)/(10*ms) + g/(10*ms) : 1 (unless refractory)
        dg/dt = -g/(5*ms) : 1""",
        threshold="v > 1",
        reset="v = 0",
        refractory=2 * ms,
        method="exact",
        name="group",
    )
    synapses = Synapses(group, group, "w : 1", on_pre="g += w", delay=3.3 * ms)
    synapses.connect("i != j")
    synapses.w = "0.05*(i - j)"
    source = SpikeGeneratorGroup(2, [0, 1, 0], [1, 5, 30] * ms)
    jumps = Synapses(source, group, on_pre="v += 0.4")
    jumps.connect()
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, ["v", "g"], record=True)
    return Network(group, synapses, source, jumps, spikes, trace), group, spikes, trace


def left_by(pieces: Sequence[float]) -> list[Any]:
    with on_chip():
        network, group, spikes, trace = recurrent()
        for piece in pieces:
            network.run(piece * ms)
        return [np.array(x) for x in (spikes.t, spikes.i, trace.v, trace.g, group.v, group.g)]


def test_one_run_is_several_runs() -> None:
    """With spikes in flight, refractory neurons and currents at the seams."""
    whole = left_by([60])
    assert len(whole[0]) > 15
    for pieces in ([20, 20, 20], [7, 0, 13, 40]):
        for one, other in zip(left_by(pieces), whole, strict=True):
            np.testing.assert_array_equal(one, other)


def test_store_and_restore() -> None:
    with on_chip():
        network, group, spikes, trace = recurrent()
        network.store("beginning")
        network.run(19 * ms)
        network.store()
        network.run(20 * ms)
        first = [np.array(x) for x in (spikes.t, spikes.i, trace.v, group.g)]
        network.restore()
        network.run(20 * ms)
        for one, other in zip((spikes.t, spikes.i, trace.v, group.g), first, strict=True):
            np.testing.assert_array_equal(np.array(one), other)
        network.restore("beginning")
        network.run(39 * ms)
        for one, other in zip((spikes.t, spikes.i, trace.v, group.g), first, strict=True):
            np.testing.assert_array_equal(np.array(one), other)
        with pytest.raises(NotSupported, match="stored in memory only"):
            network.store(filename="anything")


def test_values_set_between_runs_count() -> None:
    with on_chip():
        network, group, spikes, trace = recurrent()
        network.run(10 * ms)
        group.v = 0.5
        group.g = 0.25
        network.run(1 * ms)
        assert np.array(trace.v)[:, 100] == pytest.approx(0.5, abs=1e-3)
        assert np.array(trace.g)[:, 100] == pytest.approx(0.25, abs=1e-2)


def test_connections_changed_with_spikes_in_flight_raise() -> None:
    with on_chip():
        network, group, spikes, trace = recurrent()
        network.run(5.3 * ms)
        assert spikes.num_spikes
        for synapses in (o for o in network.objects if isinstance(o, Synapses)):
            synapses.pre.delay = 1 * ms
        with pytest.raises(NotSupported, match="on their way from the last run"):
            network.run(1 * ms)


def test_several_monitors_clocks_and_options() -> None:
    with on_chip(host="lava", threads=2):
        network, group, spikes, trace = recurrent()
        slow = StateMonitor(group, "v", record=[1, 3], dt=1 * ms, when="end")
        counted = SpikeMonitor(group[1:3], record=False)
        rate = PopulationRateMonitor(group)
        network.add(slow, counted, rate)
        network.run(30 * ms)
        assert slow.v.shape == (2, 30)
        assert list(counted.count) == [int(np.sum(spikes.i == k)) for k in (1, 2)]
        assert len(rate.t) == 300
    whole = left_by([30])
    np.testing.assert_array_equal(np.array(spikes.t), whole[0])


# ---------------------------------------------------------------- the report
def test_the_report_says_what_the_model_became() -> None:
    with on_chip():
        network, *_ = recurrent()
        network.run(10 * ms)
        report = lava_device.report()
    text = str(report)
    assert "core" in text
    assert chip_report().resources.cores
    for part in ("integers of Loihi2, profile 'lava', emulated", "time constant of v", "dv",
                 "v > 1", "vth", "weights to group.a_in", "head-room"):  # fmt: skip
        assert part in text, part
    values = report.to_dict()["chip"]
    assert values["scales"]["group"] > 0
    assert {row["register"] for row in values["parameters"]} >= {"dv", "du", "vth", "refractory"}
    assert "<table" in chip_report().to_html()


def test_overflow_raises_where_that_is_asked_for() -> None:
    def run(overflow: str) -> Any:
        with on_chip(overflow=overflow):
            group = NeuronGroup(3, "dv/dt = -v/(800*ms) : 1", method="exact")
            # after the run that shows the range
            source = SpikeGeneratorGroup(1, [0] * 1000, np.arange(1000, 2000) * 0.1 * ms)
            synapses = Synapses(source, group, "w : 1", on_pre="v += w")
            synapses.connect()
            synapses.w = [0.777, 0.5123, 0.91237]
            Network(group, source, synapses).run(200 * ms)
            return chip_report().counts

    assert sum(run("chip").values()) > 0
    with pytest.raises(
        ChipOverflow, match="'.*': states (wrapped|saturated) [0-9]+ times.*scales="
    ):
        run("raise")


# ---------------------------------------------------------------- what no chip has
def refused(*objects: Any) -> None:
    Network(*objects).run(1 * ms)


def neurons(equations: str = "dv/dt = (1 - v)/(10*ms) : 1", **changes: Any) -> Any:
    given = {"threshold": "v > 1", "reset": "v = 0", "method": "euler", **changes}
    return NeuronGroup(3, equations, name="cells", **given)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "quadratic": (
        lambda: refused(neurons("dv/dt = (v**2 - v)/(10*ms) : 1")), r"'cells'.*v\*\*2",
    ),
    "adaptation current": (
        lambda: refused(
            neurons("dv/dt = (1 - v - w)/(10*ms) : 1\ndw/dt = (v - w)/(50*ms) : 1")
        ), "'cells': dw/dt contains 'v'.*ALIF",
    ),
    "noise that a state scales": (
        lambda: refused(neurons("dv/dt = -v/(10*ms) + v*xi/ms**0.5 : 1", method="milstein")),
        "'cells'.*xi",
    ),
    "no reset": (lambda: refused(neurons(reset=None)), "'cells': it fires but resets nothing"),
    "odd reset": (lambda: refused(neurons(reset="v = 0.5*v")), "'cells': the reset"),
    "three currents": (
        lambda: refused(
            neurons(
                "dv/dt = (a + b + c - v)/(10*ms) : 1\nda/dt = -a/ms : 1\ndb/dt = -b/ms : 1\n"
                "dc/dt = -c/ms : 1"
            )
        ), "'cells': input comes by 3 ways.*CubaLIF2",
    ),
    "idle state": (
        lambda: refused(neurons("dv/dt = (1 - v)/(10*ms) : 1\ndx/dt = -x/ms : 1")),
        "'cells': 'x' neither drives 'v'",
    ),
    "voltage not held": (
        lambda: refused(neurons(refractory=2 * ms)), "'v' is not held while.*unless refractory",
    ),
    "refractory condition": (lambda: refused(neurons(refractory="v > 0.5")), "'cells'.*v > 0.5"),
    "custom event": (lambda: refused(neurons(events={"high": "v > 0.5"})), "custom event 'high'"),
    "python": (
        lambda: refused(neurons(), network_operation(lambda: None)),
        "'networkoperation.*Python code",
    ),
    "time constant below a step": (
        lambda: refused(neurons("dv/dt = (1 - v)/(0.05*ms) : 1")), "(?s)'cells'.*time constant",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_chip_neuron_equals_raises(case: str) -> None:
    """Names the object and the term that does not fit."""
    run, message = REFUSED[case]
    with on_chip(), pytest.raises((NotSupported, ChipLimit), match=message):
        run()


ADAPTIVE = """dv/dt = (I + u - v)/(10*ms) : 1
du/dt = -u/(5*ms) : 1
dtheta/dt = (1 - theta)/(30*ms) : 1
I : 1"""


def at_spikes(*durations: float) -> dict[str, Any]:
    """What monitors record at spikes: before the reset, and after it; and each step beside."""
    group = NeuronGroup(4, ADAPTIVE, threshold="v > theta", reset="v = 0\ntheta += 0.3",
                        method="euler", name="cells")  # fmt: skip
    group.I, group.theta = [1.5, 2, 3, 4], 1
    source = SpikeGeneratorGroup(1, [0] * 4, [1, 5, 9, 12] * ms)
    synapses = Synapses(source, group, on_pre="u += 0.5")
    synapses.connect()
    before = SpikeMonitor(group, ["v", "theta", "u"])
    after = SpikeMonitor(group, ["v", "theta"])
    after.when = "end"
    each = StateMonitor(group, ["v", "theta"], record=True)
    network = Network(group, source, synapses, before, after, each)
    for duration in durations:
        network.run(duration * ms)
    found = {f"{name} before": getattr(before, name)[:] for name in ("i", "v", "theta", "u")}
    found |= {f"{name} after": getattr(after, name)[:] for name in ("v", "theta")}
    found |= {"v": each.v[:], "theta": each.theta[:], "theta at last": group.theta[:]}
    # from Brian2 2.10 on, what monitors show goes with them
    return {name: np.array(values) for name, values in found.items()}


def test_values_at_spikes_are_those_before_the_reset() -> None:
    ours, theirs = both(lambda: at_spikes(30))
    assert len(theirs["i before"]) > 10
    np.testing.assert_array_equal(ours["i before"], theirs["i before"])
    assert theirs["v before"].min() > 1 and not theirs["v after"].any()
    for name in ("v before", "theta before", "theta after", "u before", "v after"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=0.05, err_msg=name)
    assert (ours["theta after"] - ours["theta before"]).min() > 0.29


def test_values_at_spikes_change_nothing_else() -> None:
    with on_chip():
        whole = at_spikes(30)
    with on_chip():
        parts = at_spikes(11, 19)
    for name, values in whole.items():
        np.testing.assert_array_equal(parts[name], values, name)


def test_lava_shows_no_values_before_the_reset() -> None:
    with on_chip(backend="lava"), pytest.raises(NotSupported, match="'cells' at its spikes"):
        at_spikes(1)


def test_an_initial_state_near_zero_has_no_large_error() -> None:
    with on_chip():
        at_spikes(1)
        rows = [row for row in chip_report().quantised.rows if row.parameter.startswith("initial")]
    assert len(rows) > 2 and not any(row.flagged for row in rows)


def test_inputs_and_clocks_that_a_chip_has_not() -> None:
    with on_chip():
        other = NeuronGroup(1, "dv/dt = (2-v)/ms : 1", threshold="v > 1", reset="v = 0",
                            dt=0.2 * ms, method="euler", name="other")  # fmt: skip
        with pytest.raises(NotSupported, match="A chip has one time step"):
            refused(neurons(), other)
    with on_chip():
        group = neurons()
        synapses = Synapses(group, group, "w : 1", on_pre="v += w*v_pre", name="bent")
        synapses.connect()
        synapses.w = 1
        with pytest.raises(NotSupported, match="bent"):
            refused(group, synapses)


def test_another_schedule_is_refused() -> None:
    with on_chip():
        network, *_ = recurrent()
        network.schedule = ["start", "synapses", "groups", "thresholds", "resets", "end"]
        with pytest.raises(NotSupported, match="has the schedule .*synapses.*groups, thresholds"):
            network.run(1 * ms)


def test_a_neuron_that_fits_no_core_is_named_before_anything_runs() -> None:
    with on_chip():
        group = neurons()
        synapses = Synapses(group, group, on_pre="v += 0.1")
        synapses.connect(i=0, j=1, n=120_000)
        with pytest.raises(ChipLimit, match="'cells'"):
            refused(group, synapses)


def test_options_for_chips_need_a_chip() -> None:
    with reference():
        for name, value in (
            ("arithmetic", "loihi1"),
            ("overflow", "raise"),
            ("backend", "emulator"),
        ):
            with pytest.raises(OptionError, match=f"{name}=.*add hardware="):
                brian2.set_device("lava", **{name: value})
        with pytest.raises(OptionError, match="the profiles are"):
            brian2.set_device("lava", hardware="Loihi2", arithmetic="float")
        with pytest.raises(NotSupported, match="engine='cpu'"):
            brian2.set_device("lava", hardware="Loihi2", engine="numpy")


def test_an_empty_group_and_a_run_of_no_step() -> None:
    with on_chip():
        group = NeuronGroup(1, "dg/dt = -g/ms : siemens", method="exact")
        group.g = 3 * nS
        Network(group).run(0 * ms)
        assert group.g[0] == 3 * nS


# ---------------------------------------------------------------- verification
def test_verify_holds_integers_against_floating_point_and_lava() -> None:
    with on_chip():
        network, *_ = recurrent()
        network.run(20 * ms)
        found = lava_device.verify(network)
    assert found.lava == "identical integers"
    (group,) = found.populations
    assert group.name == "group" and group.expected > 5
    assert group.matched > 0.5 and group.error < 0.02
    assert "within one step" in str(found)


def test_verify_counts_events_of_the_chips_order() -> None:
    """A spike that arrives at v in the step in which v crosses the threshold."""
    with on_chip():
        source = SpikeGeneratorGroup(2, [0, 1], [1, 1.1] * ms)
        group = NeuronGroup(1, "dv/dt = -v/(400*ms) : 1", threshold="v > 1", reset="v = 0",
                            method="exact")  # fmt: skip
        synapses = Synapses(source, group, on_pre="v += 1.5")
        synapses.connect()
        spikes = SpikeMonitor(group)
        Network(source, group, synapses, spikes).run(5 * ms)
        found = lava_device.verify(lava=False)
        assert spikes.num_spikes == 2  # with Brian2's order the second input is erased
    assert found.order_events == {group.name: 1}


def test_verify_needs_a_run() -> None:
    with on_chip():
        lava_device.reinit()
        with pytest.raises(RuntimeError, match="nothing has run in a chip's integers"):
            lava_device.verify()


@pytest.mark.parametrize("hardware", ["Loihi1", "Loihi2"])
def test_a_neuron_without_threshold_is_never_reset(hardware: str) -> None:
    """The last 63 voltages lie above the highest threshold of 17 bits."""
    top = (1 << 23) - 1
    with on_chip(hardware=hardware, scales={"sums": 64.0}):
        group = NeuronGroup(2, "dv/dt = a/ms : 1\na : 1", method="euler", name="sums")
        group.v = [(top - 40) / 64, 0]
        group.a = [0, 4000]
        trace = StateMonitor(group, "v", record=True)
        Network(group, trace).run(60 * ms)
        made = chip_report()
        chip = PlainChip(made.quantised.network)
        recorded = chip.run(40, [("sums", "v")])
    assert trace.v[0, -1] == (top - 40) / 64
    if hardware == "Loihi2":
        assert trace.v[1, -1] == top / 64
        assert made.counts["sums", "saturated"] > 0
    assert not len(recorded.spikes["sums"][0])
