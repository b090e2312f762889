"""The run in floating point: held against a loop in plain Python and against the chip itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.arithmetic import ROWS, Row, call
from brian2lava.chip.emulate import emulate
from brian2lava.chip.ideal import IdealNetwork, IdealPopulation, IdealStimulus, real
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import PoissonSpikes, SpikeTimes
from brian2lava.chip.plain import PlainChip
from brian2lava.chip.profiles import LAVA, PROFILES, Arithmetic
from brian2lava.chip.quantise import float_ranges, quantise, replayed, run_real
from brian2lava.chip.quantise.real_arithmetic import REAL, evaluate_real
from brian2lava.chip.quantise.realise import RealChip
from brian2lava.errors import ChipLimit, NotSupported, OptionError
from tests.chip.quantise_networks import OF_MODEL, cuba, lif, network, projection, quantity


def by_hand(ideal: IdealNetwork, steps: int) -> tuple[list[tuple[int, int]], Any]:
    """LIF neurons with one projection and a stimulus, written as the equations are."""
    population, synapses = ideal.populations[0], ideal.projections[0]
    value = {q.register: float(q.value) for q in population.quantities}
    n, stimulus = population.size, ideal.stimuli[0].values
    u, v, blocked = np.zeros(n), np.zeros(n), np.zeros(n)
    arriving: dict[tuple[int, int], float] = {}
    spikes, trace = [], np.zeros((steps, n))
    for t in range(steps):
        fired = []
        for i in range(n):
            given = stimulus[t] if t < len(stimulus) else 0.0
            u[i] = u[i] * (1 - value["du"]) + arriving.pop((t, i), 0.0) + given
            v[i] = v[i] * (1 - value["dv"]) + u[i] + value["bias"]
            if blocked[i] > 0:
                v[i], blocked[i] = 0.0, blocked[i] - 1
            elif v[i] > value["vth"]:
                v[i], blocked[i] = 0.0, value["refractory"]
                fired.append(i)
        trace[t] = v
        for i in fired:
            spikes.append((t, i))
            for s in np.flatnonzero(synapses.pre == i):
                place = t + 1 + int(synapses.delays[s]), int(synapses.post[s])
                arriving[place] = arriving.get(place, 0.0) + float(synapses.weights[s])
    return spikes, trace


def test_it_is_what_a_loop_over_neurons_computes() -> None:
    rng = np.random.default_rng(1)
    population = lif(8, [quantity("refractory", "count", 7)])
    synapses = projection(rng.normal(5e-5, 3e-5, 40), 8, delays=rng.integers(0, 9, 40))
    stimulus = IdealStimulus("i", "a", "a_in", real(rng.normal(1e-5, 2e-5, 300)))
    ideal = network(population, [synapses], [stimulus])
    spikes, trace = by_hand(ideal, 1500)
    assert len(spikes) > 50
    found = run_real(ideal, 1500, [("a", "v")])
    assert list(zip(*found.spikes["a"])) == spikes
    np.testing.assert_allclose(found.states["a", "v"], trace, rtol=1e-9, atol=1e-12)
    coarse = run_real(ideal, 1500, [("a", "v")], scales={"a": 3.0})
    assert list(zip(*coarse.spikes["a"])) == spikes
    np.testing.assert_allclose(coarse.states["a", "v"], trace, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("arithmetic", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_chip_model_follows_its_real_counterpart(model: str, arithmetic: Arithmetic) -> None:
    """Same input and draws: nearly the same spikes, states within the bound until one differs."""
    n, steps = 30, 400
    rng = np.random.default_rng(3)
    population = IdealPopulation("a", model, n, OF_MODEL[model])
    stimuli = [
        IdealStimulus(port, "a", port, real(rng.normal(0.0, 0.0006, (steps, n))))
        for port in population.neuron.ports
    ]
    ideal = float_ranges(network(population, stimuli=stimuli), steps)
    made = quantise(ideal, "Loihi2", arithmetic)
    record = [("a", state.name) for state in population.neuron.states]
    floating = run_real(ideal, steps, record)
    chip = PlainChip(made.network, np.random.default_rng(0)).run(steps, record)
    assert not any(chip.counts.values())
    one, other = (set(zip(*run.spikes["a"])) for run in (floating, chip))
    assert len(one) > 100
    assert matched(one, other) > 0.95
    assert matched(other, one) > 0.95
    first = min((step for step, _ in one ^ other), default=steps)
    bound = made.costs["a"].bound_v / made.scales["a"]
    for state in {"v", "real", "imag"} & {name for _, name in record}:
        error = chip.states["a", state] / made.scales["a"] - floating.states["a", state]
        largest = np.abs(floating.states["a", state]).max()
        assert first > 10
        assert np.abs(error[:first]).max() <= bound + 0.01 * largest


def matched(spikes: set[tuple[int, int]], others: set[tuple[int, int]]) -> float:
    """Share of spikes that the others have within one step."""
    return float(np.mean([bool({(t - 1, i), (t, i), (t + 1, i)} & others) for t, i in spikes]))


def test_whole_numbers_without_leak_are_the_chip_s_own() -> None:
    """Nothing is rounded here, so the integers and the reals are the same numbers."""
    rng = np.random.default_rng(2)
    population = lif(20, tau_u=1e-4, threshold=640.0, bias=12.0)
    population = replace(
        population,
        quantities=tuple(
            quantity("dv", "decay", 0.0) if q.register == "dv" else q for q in population.quantities
        ),
    )
    weights = 64.0 * rng.integers(1, 5, 60)
    ideal = network(population, [projection(weights, 20, delays=rng.integers(0, 5, 60))])
    made = quantise(ideal, "Loihi2", LAVA, scales={"a": 1.0})
    assert all(row.error == 0 for row in made.rows)
    record = [("a", "v")]
    chip, floating = PlainChip(made.network).run(400, record), run_real(ideal, 400, record)
    assert len(chip.spikes["a"][0]) > 100
    for one, other in zip(chip.spikes["a"], floating.spikes["a"]):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(chip.states["a", "v"], floating.states["a", "v"])


@pytest.mark.parametrize(("inclusive", "period"), [(True, 10), (False, 11)])
def test_an_inclusive_threshold_is_reached_in_floating_point_too(
    inclusive: bool, period: int
) -> None:
    """Ten of 64 are 640 exactly."""
    population = lif(1, (quantity("dv", "decay", 0.0),), tau_u=1e-4, bias=64.0)
    quantities = [
        replace(q, value=real(640.0), inclusive=inclusive) if q.register == "vth" else q
        for q in population.quantities
    ]
    ideal = network(replace(population, quantities=tuple(quantities)))
    made = quantise(ideal, "Loihi2", LAVA, scales={"a": 1.0})
    floating, chip = run_real(ideal, 60).spikes["a"][0], PlainChip(made.network).run(60)
    np.testing.assert_array_equal(floating, np.arange(period - 1, 60, period))
    np.testing.assert_array_equal(chip.spikes["a"][0], floating)


def test_periodic_sources_and_delays() -> None:
    source = SpikeTimes("s", 2, [0, 1], [1, 4], period=10)
    population = lif(2, tau_u=1e-4, threshold=1.0, bias=0.0)
    synapses = projection([2.0, 2.0], 2, source="s", pre=[0, 1], post=[0, 1], delays=[0, 3])
    synapses = replace(synapses, pre=np.array([0, 1]), post=np.array([0, 1]))
    found = run_real(network(population, [synapses], sources=[source]), 25)
    assert list(zip(*found.spikes["a"])) == [(2, 0), (8, 1), (12, 0), (18, 1), (22, 0)]
    assert list(zip(*found.spikes["s"])) == [(1, 0), (4, 1), (11, 0), (14, 1), (21, 0), (24, 1)]


def test_draws_are_the_plain_chip_s_and_can_be_replayed() -> None:
    source = PoissonSpikes("s", 50, 0.02)
    synapses = projection(
        np.full(50, 1e-3), 10, source="s", pre=np.arange(50), post=np.arange(50) % 10
    )
    ideal = network(lif(bias=0.0), [synapses], sources=[source])
    made = quantise(ideal, "Loihi2", LAVA)
    one = run_real(ideal, 300, seed=4)
    other = PlainChip(made.network, np.random.default_rng(4)).run(300)
    assert len(one.spikes["s"][0]) > 200
    np.testing.assert_array_equal(one.spikes["s"], other.spikes["s"])
    emulated = emulate(made.network, 300, seed=9)
    again = run_real(replayed(ideal, emulated), 300)
    np.testing.assert_array_equal(again.spikes["s"], emulated.spikes["s"])
    assert len(again.spikes["a"][0]) == pytest.approx(len(emulated.spikes["a"][0]), rel=0.03)


def test_graded_spikes_carry_their_number() -> None:
    ternary = IdealPopulation("a", "TernaryLIF", 2, (
        quantity("du", "current_decay", 1.0), quantity("vth_hi", "threshold", 1.0),
        quantity("vth_lo", "threshold", -1.0),
    ))  # fmt: skip
    target = replace(lif(2, tau_u=1e-4, threshold=100.0, bias=0.0), name="b")
    synapses = replace(projection([3.0, 3.0], 2, target="b"), pre=np.arange(2), post=np.arange(2))
    values = real([[2.0, -2.0], [0.0, 0.0], [0.0, 0.0]])
    ideal = IdealNetwork(
        1e-4, (ternary, target), (), (synapses,), (IdealStimulus("i", "a", "a_in", values),)
    )
    found = run_real(ideal, 3, [("b", "v")])
    assert found.states["b", "v"][1].tolist() == pytest.approx([3.0, -3.0])
    made = quantise(ideal, "Loihi2", LAVA)
    chip = PlainChip(made.network).run(3, [("b", "v")]).states["b", "v"]
    np.testing.assert_allclose(chip[1] / made.scales["b"], [3.0, -3.0], rtol=0.01)


# ------------------------------------------------------------------ ranges
def test_ranges_hold_all_that_states_reach() -> None:
    ideal = cuba(200, 0)
    filled = float_ranges(ideal, 400)
    states = run_real(ideal, 400, [("a", "u"), ("a", "u2"), ("a", "v")]).states
    ranges = filled.populations[0].ranges
    for name in ("u", "u2"):
        assert ranges[name] == pytest.approx(
            (min(0, states["a", name].min()), max(0, states["a", name].max()))
        )
    # before the reset the voltage is above the threshold, which no recorded one is
    assert ranges["v"][0] == pytest.approx(states["a", "v"].min())
    assert ranges["v"][1] > 10e-3 > states["a", "v"].max()
    assert "blocked" not in ranges
    assert ranges["a_in"][0] == 0
    assert ranges["a_in2"][1] == 0


@pytest.mark.parametrize(("events", "ran"), [(40, 50), (239, 60), (241, 70), (np.inf, 100)])
def test_a_run_for_the_ranges_ends_after_so_many_deliveries(
    events: float, ran: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """20 neurons that fire every 10th step, with 40 synapses: 40 deliveries in 10 steps."""
    leakless = quantity("dv", "decay", 0.0)
    population = lif(20, (leakless,), tau_u=1e-4, threshold=9.5, bias=1.0)
    pre = np.repeat(np.arange(20), 2)
    ideal = network(population, [projection(np.full(40, 1e-3), 20, pre=pre, post=pre)])
    seen: list[int] = []
    step = RealChip.step

    def counted(chip: RealChip) -> dict[str, Any]:
        seen.append(chip.now)
        return step(chip)

    monkeypatch.setattr(RealChip, "step", counted)
    share = float_ranges(ideal, 100, events=events).projections[0].share
    assert len(seen) == ran
    drive = 1e-3 * 40 * (ran // 10)
    assert share == pytest.approx(drive / (drive + 20 * ran)), "of the steps that ran"


def test_shares_are_what_projections_add_over_time() -> None:
    source = SpikeTimes("s", 2, [0, 1, 1], [0, 0, 5])
    synapses = [
        projection([2e-5], source="s", pre=[0], post=[0], name="once"),
        projection([-3e-5], source="s", pre=[1], post=[0], name="twice"),
    ]
    synapses = [replace(p, pre=np.array(p.pre), post=np.array(p.post)) for p in synapses]
    ideal = network(lif(1, bias=1e-6), synapses, sources=[source])
    once, twice = (p.share for p in float_ranges(ideal, 10).projections)
    drives = np.array([2e-5 / 0.02, 2 * 3e-5 / 0.02, 10 * 1e-6])
    assert [once, twice] == pytest.approx((drives / drives.sum())[:2].tolist())
    silent = float_ranges(network(lif(1, bias=0.0), [projection([1e-5], 1)]), 10)
    assert silent.projections[0].share == 1.0


# ------------------------------------------------------------------ the interpreter
def test_every_integer_operation_has_a_real_meaning() -> None:
    assert REAL.keys() == ROWS.keys()
    made_up = replace(call("add", 1, 2), row=Row("round_up", lambda x: x, "", "ceil(x)"))
    with pytest.raises(NotSupported, match="'round_up'"):
        evaluate_real(made_up, {})


def test_real_meanings_are_the_integers_where_nothing_is_rounded() -> None:
    rng = np.random.default_rng(0)
    x, y, z = (rng.integers(-1000, 1000, 50) << 12 for _ in range(3))
    small = rng.integers(0, 4, 50)
    operands: dict[str, tuple[Any, ...]] = {
        "add": (x, y), "subtract": (x, y), "multiply": (x >> 12, y >> 12),
        "shift_left": (x, small), "shift_right": (x, small), "shift": (x, small - 2),
        "remainder": (np.abs(x), 77), "greater": (x, y), "greater_or_equal": (x, x),
        "equal": (x, np.where(small > 1, x, y)), "both": (x, small), "either": (x * 0, small),
        "negation": (small,), "select": (small, y, z), "decay": (x, small << 10),
        "rotate": (x, small, y, -small, 12, z), "wrap_once": (x,),
        "drawn_below": ((2 * np.abs(x) + (1 << 12)) << 3, 256), "wrap_modulo": (x, 24),
        "clip": (x, -500 << 12, 300 << 12),
    }  # fmt: skip
    assert operands.keys() == ROWS.keys()
    for name, numbers in operands.items():
        integers = [np.asarray(number, np.int64) for number in numbers]
        expected = ROWS[name].meaning(*integers)
        reals = REAL[name](*(np.asarray(number, np.float64) for number in numbers))
        np.testing.assert_array_equal(reals, expected, err_msg=name)


def test_the_end_of_a_word_is_no_bound_in_real_numbers() -> None:
    ends = -(2**23) + 1, 2**23 - 1
    assert REAL["clip"](np.array([-1e9, 5.0, 1e9]), *ends).tolist() == [-1e9, 5.0, 1e9]
    assert REAL["clip"](np.array([-1e9, 1e9]), 0.0, ends[1]).tolist() == [0.0, 1e9]


def test_what_it_cannot_do_is_named() -> None:
    with pytest.raises(ChipLimit, match=r"record=\('a', 'w'\): there is no such"):
        run_real(network(), 1, [("a", "w")])
    with pytest.raises(OptionError, match=r"run_real\(-1\)"):
        run_real(network(), -1)
    with pytest.raises(OptionError, match="at least one step"):
        float_ranges(network(), 0)
    assert run_real(network(), 0, [("a", "v")]).states["a", "v"].shape == (0, 10)
