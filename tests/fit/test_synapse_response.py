"""Fits of static synapses, by the chip's integers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest

from brian2lava.chip.profiles import LAVA, LOIHI1, Arithmetic
from brian2lava.errors import FitError
from brian2lava.fit.synapse import (
    SynapseFound,
    SynapseOptions,
    SynapseTarget,
    alpha,
    double_exponential,
    exponential,
    fit_synapse,
    recorded,
)
from brian2lava.fit.synapse.response_chip import Layout, responses, verified

QUICK = SynapseOptions(evaluations=800, seeds=1)
ONE = Layout("LIF", (0,), "current")


def table(layout: Layout, **registers: int) -> Any:
    return np.array([[registers[name] for name in layout.names]])


# -- the chip's responses


def test_a_response_by_hand() -> None:
    """64 * 100 * 2**3 behind a delay of 2 and a step, then (4096 - 501) / 4096 each, truncated."""
    found = responses(ONE, table(ONE, du=500, exponent=3, delay=2, weight=-100), 6, LAVA)
    u = 64 * 100 * 8
    wanted = [0, 0, 0, -u]
    for _ in range(3):
        u = u * (4096 - 501) >> 12
        wanted.append(-u)
    assert found.trace[0].tolist() == wanted
    assert found.largest[0] == 64 * 100 * 8


LAYOUTS = [
    Layout("LIF", (0,), "current"),
    Layout("LIF", (0, 0, 0, 0), "potential"),
    Layout("CubaLIF2", (0, 1), "current"),
    Layout("CubaLIF2", (0, 1), "potential"),
]


@pytest.mark.parametrize("arithmetic", [LAVA, LOIHI1], ids=lambda each: each.name)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda each: f"{each.model}-{each.state}")
def test_many_register_sets_are_what_the_plain_chip_computes(
    layout: Layout, arithmetic: Arithmetic
) -> None:
    """``verified`` runs the network with its source and projections, and compares."""
    rng = np.random.default_rng(1)
    low, high = layout.limits
    for _ in range(8):
        row = rng.integers(low, high + 1)
        for name, most in (("exponent", 4), ("exponent2", 4), ("dv", 4000)):
            if name in layout.names:
                place = layout.names.index(name)
                row[place] = rng.integers(50 if name == "dv" else 0, most)
        verified(layout, row, 80, arithmetic)


def test_a_response_that_saturates_is_not_passed_off_as_one() -> None:
    layout = Layout("LIF", (0,), "potential")
    row = table(layout, du=0, dv=1, exponent=7, delay=0, weight=255)[0]
    with pytest.raises(FitError, match="use more headroom"):
        verified(layout, row, 60, LAVA)


def test_synapses_of_one_delay_are_joined_where_they_fit() -> None:
    layout = Layout("LIF", (0, 0, 0, 0), "current")
    row = table(layout, du=300, exponent=2, delay1=9, weight1=40, delay2=3, weight2=200,
                delay3=9, weight3=60, delay4=5, weight4=0)[0]  # fmt: skip
    tidy = layout.tidied(row)
    assert tidy.tolist() == table(layout, du=300, exponent=2, delay1=3, weight1=200, delay2=9,
                                  weight2=100, delay3=0, weight3=0, delay4=0,
                                  weight4=0)[0].tolist()  # fmt: skip
    before, after = (responses(layout, each[None], 40, LAVA).trace for each in (row, tidy))
    assert np.array_equal(before, after)


# -- fits


@pytest.mark.parametrize("seed", range(4))
def test_a_chips_synapse_is_recovered(seed: int) -> None:
    """Decay and delay to the bit; the scale is free, so of the weight only the sign remains."""
    rng = np.random.default_rng(seed)
    known = {"du": int(rng.integers(60, 1500)), "exponent": 5, "delay": int(rng.integers(0, 30)),
             "weight": int(rng.integers(100, 256)) * int(rng.choice([-1, 1]))}  # fmt: skip
    trace = responses(ONE, table(ONE, **known), 150, LAVA).trace[0]
    target = SynapseTarget("known", 1e-3, trace * 3e-16)
    found = fit_synapse(target, ["exponential"], QUICK).best
    assert found.registers["du"] == known["du"] and found.registers["delay"] == known["delay"]
    assert np.sign(found.registers["weight"]) == np.sign(known["weight"])
    assert found.errors["nrmse"] < 5e-5
    assert found.physical["amplitude"] == pytest.approx(trace[known["delay"] + 1] * 3e-16, rel=1e-4)


def test_a_given_scale_gives_the_weight_too() -> None:
    known = {"du": 400, "exponent": 3, "delay": 4, "weight": 173}
    trace = responses(ONE, table(ONE, **known), 80, LAVA).trace[0]
    target = SynapseTarget("known", 1e-3, trace / 2e15)
    found = fit_synapse(target, ["exponential"], QUICK, scale=2e15).best
    assert found.registers == known and found.errors["nrmse"] < 1e-12
    assert found.physical["scale"] == pytest.approx(2e15)


def test_an_alpha_function_needs_two_currents() -> None:
    """The difference of two currents is within 1 % of it; delays make a staircase of 15 %."""
    found = fit_synapse(alpha(5e-3), options=QUICK)
    assert [each.candidate.name for each in found.found] == ["two_currents", "delayed",
                                                             "exponential"]  # fmt: skip
    best = found.best
    assert best.errors["nrmse"] < 0.01
    assert abs(best.errors["peak"]) < 0.01 and abs(best.errors["time_to_peak"]) < 1.5e-3
    assert abs(best.errors["rise"]) < 0.02 and abs(best.errors["decay"]) < 0.02
    assert abs(best.errors["paired_pulse_ratio"]) < 0.01
    assert found["delayed"].errors["nrmse"] < 0.15 < found["exponential"].errors["nrmse"]
    assert best.costs["headroom"] >= QUICK.headroom
    assert "two_currents" in str(found) and found.table()[0]["register du"] > 0


@pytest.mark.parametrize("arithmetic", ["lava", "loihi1"])
def test_a_double_exponential(arithmetic: str) -> None:
    target = double_exponential(2e-3, 15e-3, delay=2e-3)
    found = fit_synapse(target, ["two_currents"], QUICK, arithmetic=arithmetic).best
    assert found.errors["nrmse"] < 0.005
    taus = sorted([found.physical["tau1"], found.physical["tau2"]])
    assert taus == pytest.approx([2e-3, 15e-3], rel=0.05)
    assert found.physical["delay1"] == found.physical["delay2"] == 2e-3


def test_an_inhibitory_potential_behind_a_known_membrane() -> None:
    target = exponential(4e-3, -1e-3, tau_m=20e-3)
    found = fit_synapse(target, ["exponential"], QUICK).best
    assert found.errors["nrmse"] < 0.002 and found.registers["weight"] < 0
    assert found.registers["dv"] == 200  # rint(4096 * (1 - exp(-1 / 20)))
    assert found.physical["tau"] == pytest.approx(4e-3, rel=0.02)


def test_a_response_beyond_a_given_scale_is_refused_or_bad() -> None:
    """A scale at which the weight does not reach: the error says so, and nothing is hidden."""
    found = fit_synapse(exponential(5e-3, 1e-9), ["exponential"], QUICK, scale=1e16).best
    assert found.registers["weight"] == 255 and found.registers["exponent"] == 7
    assert found.errors["peak"] < -0.5 and found.errors["nrmse"] > 0.5


def test_a_scale_that_leaves_no_weight_is_refused() -> None:
    with pytest.raises(FitError, match="less than half of the smallest weight"):
        fit_synapse(exponential(5e-3, 1e-10), ["exponential"], QUICK, scale=1e10)


def test_a_noisy_recording_whose_peak_comes_late() -> None:
    """Noise of 3 % of the peak; the trace ends before a second response would be seen."""
    rng = np.random.default_rng(0)
    times = np.arange(-20e-3, 30e-3, 5e-4)
    clean = 80e-12 * np.maximum(times - 10e-3, 0) / 8e-3 * np.exp(1 - (times - 10e-3) / 8e-3)
    noisy = clean + rng.normal(0, 2.4e-12, len(times)) - 30e-12
    found = fit_synapse(recorded(times, noisy, 0.0), ["two_currents"]).best
    assert found.errors["nrmse"] < 0.05
    wanted = np.interp(found.curves[0].x, times, clean)
    assert found.curves[0].chip == pytest.approx(wanted, abs=6e-12)


def test_fits_repeat_themselves() -> None:
    one, two = (fit_synapse(alpha(3e-3), ["two_currents"], QUICK) for _ in range(2))
    assert one.best.registers == two.best.registers and one.best.losses == two.best.losses
    other = fit_synapse(alpha(3e-3), ["two_currents"], QUICK, seeds=2).best
    assert len(other.losses) == 2 and other.loss <= one.best.loss


def test_the_clock_of_a_search_is_told() -> None:
    told: list[tuple[str, float]] = []
    fit_synapse(
        exponential(5e-3), ["exponential"], QUICK, lambda name, part: told.append((name, part))
    )
    assert told == [("exponential", 0.0), ("exponential", 1.0)]


# -- code


@pytest.fixture(scope="module")
def several() -> SynapseFound:
    return fit_synapse(double_exponential(2e-3, 8e-3), ["delayed"], QUICK).best


def printed(code: str, folder: Path) -> str:
    path = folder / "script.py"
    path.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=120, cwd=folder
    )
    assert done.returncode == 0, code + done.stderr
    return done.stdout


def test_lavas_own_processes_answer_with_the_same_integers(
    several: SynapseFound, tmp_path: Path
) -> None:
    found = several
    said = np.array(printed(found.lava_code(), tmp_path).split(), int)
    layout = Layout("LIF", (0, 0, 0, 0), "current")
    row = table(layout, **found.registers)
    wanted = responses(layout, row, len(said) - 1, LAVA).trace[0]
    assert np.array_equal(said, wanted)


def test_the_brian2_script_has_the_same_decays_and_delays(
    several: SynapseFound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = several
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    try:
        exec(compile(found.brian2_code(), "<script>", "exec"), names)
        network = names["brian2lava"].report().chip.quantised.network
        response = np.asarray(names["response"])
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")
        brian2.defaultclock.dt = 0.1 * brian2.ms
    registers = found.registers
    assert network.populations[0].registers["du"].ravel().tolist() == [registers["du"]]
    wanted = sorted(registers[f"delay{k}"] for k in range(1, 5) if registers[f"weight{k}"])
    assert sorted(int(np.ravel(p.delays)[0]) for p in network.projections) == wanted
    curve = found.curves[0]
    assert response == pytest.approx(curve.chip, abs=0.01 * np.abs(curve.chip).max())


def test_ours_are_run_through_our_processes() -> None:
    found = fit_synapse(alpha(3e-3), ["two_currents"], QUICK).best
    code = found.lava_code()
    compile(code, "script", "exec")
    assert "run_lava" in code and f"'du': {found.registers['du']}" in code
    compile(found.brian2_code(), "script", "exec")
