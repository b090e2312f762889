"""``brian2lava.report(dt_scan=True)``: what another time step would give."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
    mV,
    second,
    us,
)

import brian2lava
from brian2lava import lava_device
from brian2lava.chip.dt_scan import StepRow, _told, recommended
from brian2lava.chip.profiles import LAVA
from brian2lava.chip.quantise import ParameterRow, quantise
from brian2lava.errors import ChipLimit, OptionError
from tests.chip.test_on_chip import on_chip


def driven(
    tau_v: Any = 20 * ms, tau_g: Any = 5 * ms, delay: Any = 1 * ms, refractory: Any = 2 * ms
) -> tuple[Network, NeuronGroup]:
    """Four neurons with a current, a voltage away from 0, and two given spikes."""
    group = NeuronGroup(
        4,
        """dv/dt = (-55*mV + 8*mV*i/N - v + g)/tau_v : volt (unless refractory)
        dg/dt = -g/tau_g : volt""",
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=refractory,
        method="exact",
        namespace={"tau_v": tau_v, "tau_g": tau_g},
        name="group",
    )
    group.v = "-58*mV + i*mV"
    group.g = "2*mV"
    source = SpikeGeneratorGroup(1, [0, 0], [1, 4.3] * ms, name="source")
    synapses = Synapses(source, group, on_pre="g += 3*mV", delay=delay, name="synapses")
    synapses.connect()
    return Network(group, source, synapses, SpikeMonitor(group)), group


def chip_part(dt_scan: Any = False) -> Any:
    return lava_device.report(dt_scan).chip


def rows_of(table: Any) -> dict[str, dict[str, Any]]:
    return {row["time step"]: row for row in table.to_dicts()}


def test_each_time_step_is_what_a_run_with_it_reports() -> None:
    """The rows of the scan against runs that really had that time step."""
    with on_chip():
        net, _ = driven()
        net.run(20 * ms)
        scan = rows_of(chip_part([0.2, 0.5] * ms).dt_scan)
        assert list(scan) == ["100 µs", "200 µs", "500 µs"]
        assert scan["100 µs"][""] == "now" and scan["200 µs"][""] == "recommended"
    for dt, told in ((0.1, "100 µs"), (0.2, "200 µs"), (0.5, "500 µs")):
        with on_chip():
            defaultclock.dt = dt * ms
            net, _ = driven()
            net.run(20 * ms)
            chip = chip_part()
            assert int(scan[told]["flags"]) == len(chip.quantised.warnings)
            errors = [row.error for row in chip.quantised.rows if row.unit == "s"]
            worst = f"{max(errors, key=abs):+.2%}"
            assert scan[told]["time constants"] == worst


def test_the_ideal_network_is_that_of_a_run_with_the_time_step() -> None:
    """Registers, weights, delays, given spikes, and the states at the start, exactly."""
    with on_chip():
        net, _ = driven(delay=1.3 * ms)
        net.run(20 * ms)
        ideal = chip_part().other_steps(0.5e-3).ideal
    with on_chip():
        defaultclock.dt = 0.5 * ms
        net, _ = driven(delay=1.3 * ms)
        net.run(20 * ms)
        expected = chip_part().quantised.ideal
    assert ideal.dt == expected.dt
    (ours,), (theirs,) = ideal.populations, expected.populations
    for one, other in zip(ours.quantities, theirs.quantities, strict=True):
        assert one.register == other.register
        np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    assert set(ours.initial) == set(theirs.initial)
    for state, values in theirs.initial.items():
        np.testing.assert_allclose(ours.initial[state], values, rtol=1e-9)
    np.testing.assert_allclose(ideal.projections[0].weights, expected.projections[0].weights)
    np.testing.assert_array_equal(ideal.projections[0].delays, expected.projections[0].delays)
    np.testing.assert_array_equal(ideal.sources[0].steps, expected.sources[0].steps)


def test_the_network_goes_on_as_if_nobody_had_asked() -> None:
    ends = []
    for ask in (False, True):
        with on_chip():
            net, group = driven()
            trace = StateMonitor(group, "v", record=True)
            net.add(trace)
            net.run(10 * ms)
            if ask:
                brian2lava.report(dt_scan=True)
                assert float(defaultclock.dt) == 1e-4
            net.run(10 * ms)
            ends.append((np.array(trace.t), np.array(trace.v), np.array(group.v)))
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_clock_is_put_back_after_a_refusal() -> None:
    with on_chip():
        net, _ = driven(delay=6 * ms)
        net.run(5 * ms)
        other_steps = chip_part().other_steps
        (row,) = [
            row for row in chip_part([50 * us]).dt_scan.to_dicts() if row["time step"] == "50 µs"
        ]
        assert row["flags"] == "does not fit" and "a delay of 120 steps" in row["remark"]
        assert float(defaultclock.dt) == 1e-4
        with pytest.raises(ChipLimit):  # what is behind that row
            quantise(other_steps(50e-6).ideal, "Loihi2", LAVA)


def test_what_does_not_fit_is_a_row_with_the_reason() -> None:
    with on_chip():
        net, _ = driven(tau_g=2 * ms, delay=1 * ms, refractory=1 * ms)
        net.run(5 * ms)
        steps = [0.01, 1, 4, 10] * ms
        rows = rows_of(chip_part(steps).dt_scan)
    assert rows["10 µs"]["flags"] == "does not fit"
    assert "outside 0..63" in rows["10 µs"]["remark"]
    assert rows["1 ms"]["times"] == "300 µs"  # the spike at 4.3 ms
    assert "time constant of g (2 ms) is shorter than a step" in rows["4 ms"]["remark"]
    # both spikes of the source would fall into one step
    assert rows["10 ms"]["flags"] == "does not fit"
    assert "more than once in a step. Use a shorter" in rows["10 ms"]["remark"]


def test_delays_and_refractory_periods_that_vanish_are_flagged() -> None:
    with on_chip():
        net, _ = driven(delay=0.3 * ms, refractory=0.4 * ms)
        net.run(5 * ms)
        at = chip_part().other_steps(1e-3)
    assert at.flags == (
        "'group': 1 of 1 refractory periods become 0 steps",
        "'synapses_pre': 1 of 1 delays become 0 steps",
    )
    assert at.rounded == pytest.approx(0.4e-3)


def test_a_timed_array_keeps_its_own_time_step() -> None:
    drive = TimedArray([0.0, 1.6, 0.4, 1.9], dt=8 * ms)
    with on_chip():
        group = NeuronGroup(
            2, "dv/dt = (drive(t) - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0",
            method="euler",
        )  # fmt: skip
        net = Network(group)
        net.run(32 * ms, namespace={"drive": drive})
        chip = chip_part([0.5, 3] * ms)
        ideal = chip.other_steps(0.5e-3).ideal
        rows = rows_of(chip.dt_scan)
    values = ideal.stimuli[0].values[:64].ravel() / (0.5 / 10)
    np.testing.assert_allclose(values, np.repeat([0.0, 1.6, 0.4, 1.9], 16))
    assert rows["500 µs"]["flags"] != "does not fit"


def test_synapses_that_learn_begin_with_their_weights_of_then() -> None:
    """The row of now has the flags of the report, whatever has been learned since."""
    with on_chip():
        defaultclock.dt = 1 * ms
        source = PoissonGroup(6, rates=200 * Hz)
        group = NeuronGroup(
            4, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
        )
        synapses = Synapses(
            source, group,
            """w : 1
            da/dt = -a/(20*ms) : 1 (event-driven)
            db/dt = -b/(20*ms) : 1 (event-driven)""",
            on_pre="v_post += w; a += 0.01; w = clip(w + b, 0, 1)",
            on_post="b -= 0.01; w = clip(w + a, 0, 1)",
        )  # fmt: skip
        synapses.connect()
        synapses.w = "0.0013 + 0.5*i/6 + 0.011*j"
        began = np.array(synapses.w)
        net = Network(source, group, synapses)
        net.run(100 * ms)
        assert np.abs(np.array(synapses.w) - began).max() > 0.02
        chip = chip_part([0.5] * ms)
        (projection,) = chip.other_steps(0.5e-3).ideal.projections
    np.testing.assert_allclose(projection.weights / projection.unit_gain, began, rtol=1e-9)
    assert int(rows_of(chip.dt_scan)["1 ms"]["flags"]) == len(chip.quantised.warnings)


def test_a_scan_as_text_html_and_values() -> None:
    with on_chip():
        net, _ = driven()
        net.run(5 * ms)
        plain = brian2lava.report()
        report = brian2lava.report(dt_scan=True)
    assert "Other time steps" not in str(plain) and plain.to_dict()["chip"]["dt_scan"] is None
    text = str(report)
    assert "Other time steps (Loihi2, profile 'lava'; worst errors)" in text
    assert "Recommended: 200 µs, the nearest to 100 µs without a flag." in text
    page = report.to_html()
    assert page.count("<table") == page.count("</table>") == 7
    for part in ("Parameters", "What the integers cost", "Other time steps", "populations",
                 "projections", "the fullest cores", "Recommended: 200 µs", "1 chip,"):  # fmt: skip
        assert part in page, part
    assert "http" not in page and page == report._repr_html_()
    found = report.to_dict()["chip"]["dt_scan"]
    assert [row["time step"] for row in found] == [
        "20 µs", "50 µs", "100 µs", "200 µs", "500 µs", "1 ms",
    ]  # fmt: skip


def test_what_no_scan_can_be_made_of_is_refused() -> None:
    with on_chip():
        net, group = driven()
        net.run(1 * ms)
        for wrong in ("yes", [1.0], [1 * mV], [], 3, [0 * second], [-1 * ms]):
            with pytest.raises(OptionError, match="dt_scan"):
                lava_device.report(dt_scan=wrong)
    with on_chip(hardware="CPU"):
        net, group = driven()
        net.run(1 * ms)
        with pytest.raises(OptionError, match="hardware='Loihi2'"):
            lava_device.report(dt_scan=True)
        with pytest.raises(OptionError, match="hardware='Loihi2'"):
            brian2lava.report().to_frame()


def test_objects_that_are_gone_cannot_be_asked() -> None:
    def run() -> None:
        driven()[0].run(1 * ms)

    with on_chip():
        run()
        gc.collect()
        with pytest.raises(RuntimeError, match="have been deleted"):
            brian2lava.report(dt_scan=True)


def test_the_nearest_without_a_flag_is_recommended() -> None:
    def row(dt: float, excess: float, refusal: str = "", resolves: bool = True) -> StepRow:
        worst: dict[str, ParameterRow] = {}
        flags = ("f",) * int(excess)
        return StepRow(dt, refusal, worst, flags=flags, excess=excess, resolves=resolves)

    rows = [row(1, 0.1), row(2, 3.0), row(4, 2.0), row(5, 0.2), row(8, 0.1)]
    assert recommended(rows, 2.5) is rows[3]
    assert recommended(rows, 1.5) is rows[0]
    assert recommended(rows, None) is rows[0]
    assert recommended(rows[1:3], 2) is rows[2]
    assert recommended([row(1, 0.1, "no")], 1) is None
    # a longer step has to resolve the time constants; the present one may be what it is
    rows = [row(1, 3.0, resolves=False), row(2, 2.0, resolves=False), row(4, 0.1, resolves=False)]
    assert recommended(rows, 2) is rows[1]
    assert recommended(rows, 1) is rows[0]
    assert recommended(rows[2:], 1) is None


def test_a_longer_step_without_flags_is_told_apart() -> None:
    now = StepRow(1e-4, flags=("one",), excess=2.0)
    long = StepRow(2e-3, excess=0.5, resolves=False)
    best = recommended([now, long], 1e-4)
    assert best is now
    assert "a longer step without flags has fewer than five" in _told(best, 1e-4, clean=True)
    assert "all have flags" in _told(best, 1e-4, clean=False)
