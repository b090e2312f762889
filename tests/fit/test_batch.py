"""The batch: candidates' settings in it as in the emulator, forced runs, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.profiles import LAVA
from brian2lava.errors import ChipLimit, FitError
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.batch.batch import Drive
from brian2lava.fit.batch.kernel import LANES
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.network import NEURON, emulated, train_of
from brian2lava.fit.search.space import Space
from tests.fit.drawn_settings import drawn_settings, drawn_stimulus

#: Candidates whose stimulus may be a bias.
BIASED = [n for n, c in CANDIDATES.items() if any(p.register == "bias_mant" for p in c.parameters)]
#: The largest value of the stimuli drawn here.
REACH = 2.0


def searched(name: str, drive: Drive, size: int) -> Settings:
    """Register sets from all over the cube in which a search moves."""
    space = Space(CANDIDATES[name], Frame(1e-3, REACH, drive=drive))
    points = np.random.default_rng(5).random((size, space.dimensions))
    return space.settings(points)


@pytest.mark.parametrize(
    ("name", "drive"),
    [*((name, "graded") for name in CANDIDATES), *((name, "bias") for name in BIASED)],
)
def test_every_candidate_runs_as_in_the_emulator(name: str, drive: Drive) -> None:
    settings, stimulus = searched(name, drive, 48), drawn_stimulus(300, 3)
    assert 1 < np.abs(stimulus.values).max() <= REACH
    out = Batch(settings.model, LAVA, drive).run(settings, stimulus, traces=True)
    inside = np.flatnonzero(out.outside == 0)
    assert inside.size > 24 and (out.counts[inside] > 0).sum() >= 5
    recorded = emulated(settings.take(inside), stimulus, drive, LAVA, tuple(out.traces))
    for k, place in enumerate(inside.tolist()):
        assert out.train(place).tolist() == train_of(recorded, k).tolist(), f"setting {place}"
    for state, values in out.traces.items():
        assert np.array_equal(values[inside].T, recorded.states[NEURON, state]), state


def test_some_candidates_have_a_synapse_onto_themselves() -> None:
    recurrent = [n for n in CANDIDATES if searched(n, "graded", 8).recurrent]
    assert recurrent == ["ALIF2Current", "CubaLIF2", "CubaLIF2Slow"]


# ------------------------------------------------------------ forced
def decayed(value: int, decay: int) -> int:
    """What is left after a step, towards zero."""
    kept = abs(value) * (4096 - decay) >> 12
    return kept if value >= 0 else -kept


def forced_by_hand(
    settings: Settings, stimulus: Stimulus, due: Any, voltage: Any
) -> tuple[float, float, float]:
    """Missed, extra and unlike of one ALIF or LIF setting, step by step in Python's integers."""
    r = {name: int(values[0]) for name, values in settings.registers.items()}
    weight, exponent = int(settings.weights[0, 0]), int(settings.exponents[0, 0])
    parts = [k for k in ("1", "2") if f"step{k}" in r]
    theta = dict.fromkeys(parts, 0)
    u = v = rest = 0
    missed = extra = 0.0
    own = []
    for n, level in enumerate(stimulus.values):
        product = int(np.rint(level * settings.scale[0])) * weight
        arriving = product << exponent if exponent >= 0 else product >> -exponent
        u = decayed(u, r["du"] + 1) + 64 * arriving
        rests, rest = rest > 0, max(0, rest - 1)
        moved = decayed(v, r["dv"]) + u + (r["bias_mant"] << r["bias_exp"])
        v = 0 if rests else min(max(moved, -(2**23) + 1), 2**23 - 1)
        theta = {k: decayed(theta[k], r[f"dtheta{k}"]) for k in parts}
        above = v - 64 * r["vth"] - sum(theta.values())
        # LIF rests at 0, below any threshold; ALIF's may be negative, so it has a gate of its own
        is_open = not (parts and rests)
        if n in due:
            missed += is_open * max(0, 1 - above)
            v, rest = 0, r["refractory"]
            theta = {k: min(theta[k] + r[f"step{k}"], 2**23 - 1) for k in parts}
        else:
            extra += is_open * max(0, above)
        own.append(v)
    return missed, extra, 1 - float(np.corrcoef(own, voltage)[0, 1]) ** 2


@pytest.mark.parametrize("model", ["LIF", "ALIF"])
def test_forced_sums_are_those_of_a_loop_in_python(model: str) -> None:
    rng = np.random.default_rng(1)
    stimulus = drawn_stimulus(600, 1)
    due = np.flatnonzero(rng.random(600) < 0.05)
    voltage = np.convolve(stimulus.values, np.ones(9), "same") + 3
    drawn = drawn_settings(model, 40, seed=4)
    settings = Settings(model, drawn.registers, np.abs(drawn.weights), drawn.exponents,
                        drawn.scale * 0.05)  # fmt: skip
    out = Batch(model).run(settings, stimulus, forced=due, voltage=voltage)
    assert (out.missed > 0).mean() > 0.9 and (out.extra > 0).mean() > 0.2
    for k in np.flatnonzero(out.counters["wrapped"] == 0).tolist():
        missed, extra, unlike = forced_by_hand(settings.one(k), stimulus, set(due.tolist()),
                                               voltage)  # fmt: skip
        # the kernel's steps are summed in single precision
        assert out.missed[k] == pytest.approx(missed, rel=1e-5), k
        assert out.extra[k] == pytest.approx(extra, rel=1e-5), k
        if out.unlike[k] < 1:  # 1 also stands for a voltage that goes the other way
            assert out.unlike[k] == pytest.approx(unlike, abs=1e-6), k


def test_forced_with_its_own_spikes_and_voltage_nothing_is_wrong() -> None:
    settings, stimulus = drawn_settings("LIF", 1, seed=9), drawn_stimulus(900, 2)
    settings = Settings("LIF", {**settings.registers, "vth": [800]}, [[120]], [[0]], [40.0])
    batch = Batch("LIF")
    free = batch.run(settings, stimulus, traces=True)
    assert free.counts[0] > 5
    own = free.traces["v"][0] * 0.02 - 65
    forced = batch.run(settings, stimulus, forced=free.train(0), voltage=own)
    assert (forced.missed[0], forced.extra[0]) == (0, 0)
    assert forced.unlike[0] < 1e-9
    shifted = batch.run(settings, stimulus, forced=free.train(0) + 1, voltage=own)
    assert shifted.missed[0] + shifted.extra[0] > 0 and shifted.unlike[0] > 1e-3


def test_only_the_steps_asked_for_are_compared() -> None:
    settings, stimulus = drawn_settings("LIF", 1, seed=9), drawn_stimulus(500, 2)
    batch = Batch("LIF")
    own = batch.run(settings, stimulus, traces=True)
    voltage = own.traces["v"][0].astype(float)
    voltage[100:200] = 1e9
    compared = np.ones(500, bool)
    compared[100:200] = False
    due = own.train(0)
    with_all = batch.run(settings, stimulus, forced=due, voltage=voltage)
    with_some = batch.run(settings, stimulus, forced=due, voltage=voltage, compared=compared)
    assert with_some.unlike[0] < 1e-9 < with_all.unlike[0]


# ------------------------------------------------------------ many at once
def test_a_setting_does_not_see_its_neighbours_nor_the_number_of_threads() -> None:
    settings, stimulus = drawn_settings("ALIF", 2 * LANES + 3, seed=2), drawn_stimulus(400)
    out = Batch("ALIF").run(settings, stimulus)
    threaded = Batch("ALIF", workers=3).run(settings, stimulus)
    for k in (0, LANES - 1, LANES, 2 * LANES + 2):
        alone = Batch("ALIF").run(settings.one(k), stimulus)
        assert out.train(k).tolist() == alone.train(0).tolist() == threaded.train(k).tolist()
    assert np.array_equal(out.counts, threaded.counts)


def test_spikes_beyond_the_capacity_are_counted() -> None:
    settings, stimulus = drawn_settings("LIF", 30, seed=3), drawn_stimulus(400)
    whole, cut = (Batch("LIF").run(settings, stimulus, capacity=n) for n in (400, 2))
    assert np.array_equal(whole.counts, cut.counts) and whole.counts.max() > 2
    for k in range(30):
        assert cut.train(k).tolist() == whole.train(k)[:2].tolist()


def one_to_one(own: list[int], train: list[int], window: int) -> tuple[int, int]:
    """The largest matching in time, by trying everything, and its summed distance."""
    best = (0, 0)
    for k, spike in enumerate(own):
        for j, other in enumerate(train):
            if abs(spike - other) <= window:
                pairs, apart = one_to_one(own[k + 1 :], train[j + 1 :], window)
                best = max(best, (pairs + 1, -(abs(spike - other) - apart)), key=lambda x: x[0])
    return best


def test_coincidences_are_those_of_the_largest_matching() -> None:
    settings, stimulus = drawn_settings("LIF", 24, seed=6), drawn_stimulus(80, 5)
    out = Batch("LIF").run(settings, stimulus)
    train = [3, 9, 10, 31, 32, 47, 60, 61, 75]
    matched, fired, distance = out.coincidences(train, 2, 5, 70)
    assert matched.max() > 2
    for k in range(24):
        own = [n for n in out.train(k).tolist() if 5 <= n < 70][:9]
        if fired[k] > 9:  # trying everything takes its time
            continue
        assert fired[k] == len(own)
        assert matched[k] == one_to_one(own, [n for n in train if 5 <= n < 70], 2)[0]
        assert matched[k] or not distance[k]


# ------------------------------------------------------------ refused
def test_a_bias_that_leaves_its_bits_is_told() -> None:
    settings = Settings("LIF", {"vth": [10, 10]}, 0, 0, [2000.0, 3000.0])
    out = Batch("LIF", LAVA, "bias").run(settings, Stimulus([0.0, 1.0, 2.0, -1.0, -2.0]))
    assert out.outside.tolist() == [0, 2]


def test_stimuli_and_settings_that_no_chip_takes() -> None:
    good = Stimulus([1.0, 2.0])
    with pytest.raises(FitError, match="got shape \\(0,\\)"):
        Stimulus([])
    with pytest.raises(FitError, match="is nan in step 1; it has to be finite"):
        Stimulus([0.0, np.nan])
    with pytest.raises(FitError, match="10000000 are the most"):
        Stimulus(np.broadcast_to(0.0, 10_000_001))
    with pytest.raises(ChipLimit, match="register 'dv'.*5000 is outside 0..4095"):
        Settings("LIF", {"dv": 5000}, 1, 0, 1.0)
    with pytest.raises(ChipLimit, match="no register 'tau'"):
        Settings("LIF", {"tau": 1}, 1, 0, 1.0)
    with pytest.raises(ChipLimit, match="weights: 256 is outside -255..255"):
        Settings("LIF", {}, 256, 0, 1.0)
    with pytest.raises(ChipLimit, match="arrays of different lengths"):
        Settings("LIF", {"dv": [1, 2]}, [[1, 2, 3]], 0, 1.0)
    with pytest.raises(ChipLimit, match="no chip model 'Lif'"):
        Settings("Lif", {}, 1, 0, 1.0)
    with pytest.raises(FitError, match="a current has 24 bits"):
        Batch("LIF").run(Settings("LIF", {}, 255, 7, 2000.0), good)
    with pytest.raises(FitError, match="settings of LIF for a batch of ALIF"):
        Batch("ALIF").run(Settings("LIF", {}, 1, 0, 1.0), good)
    with pytest.raises(FitError, match="RF has no bias"):
        Batch("RF", LAVA, "bias").run(drawn_settings("RF", 2), good)
    with pytest.raises(FitError, match="nothing to force"):
        Batch("RF").run(drawn_settings("RF", 2), good, forced=[1])
    with pytest.raises(FitError, match="words of"):
        Batch("LIF", replace(LAVA, name="wide", word=64))
    with pytest.raises(FitError, match="drive='current'"):
        Batch("LIF", LAVA, "current")  # type: ignore[arg-type]
