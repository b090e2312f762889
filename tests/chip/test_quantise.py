"""Whole networks in the chip's integers: registers, scales, weights, rows, flags, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava.chip.emulate import emulate
from brian2lava.chip.ideal import IdealNetwork, IdealStimulus, StateLink, real
from brian2lava.chip.learning.ideal import IdealLearning, IdealTerm
from brian2lava.chip.network import SignMode, SpikeTimes
from brian2lava.chip.plain import PlainChip
from brian2lava.chip.profiles import BRIAN2LOIHI, LAVA, LOIHI1, PROFILES, Arithmetic
from brian2lava.chip.quantise import (
    ParameterRow,
    Quantised,
    float_ranges,
    quantise,
    run_real,
    states_to_user,
)
from brian2lava.chip.quantise.plastic_weights import GREATEST
from brian2lava.chip.quantise.search import CANDIDATES, Inputs, best_scale, bounds, loss
from brian2lava.chip.quantise.synapses import exponents, signed_parts
from brian2lava.chip.table import percent
from brian2lava.errors import ChipLimit
from tests.chip.quantise_networks import cuba, lif, network, projection, quantity

CHECKED = settings(derandomize=True, deadline=None, max_examples=100)


def row(quantised: Quantised, register: str) -> ParameterRow:
    return next(row for row in quantised.rows if row.register == register)


# ------------------------------------------------------------------ registers
def test_registers_are_what_the_reference_says() -> None:
    ideal = network(lif(more=[quantity("refractory", "count", 50)]))
    made = quantise(ideal, "Loihi2", LAVA, scales={"a": 2.0**29}, compensate="none")
    registers = made.network.population("a").registers
    assert registers["du"] == 81  # round(4096 * 0.1 / 5) - 1
    assert registers["dv"] == 20  # round(4096 * 0.1 / 20)
    assert registers["vth"] == round(2**29 * 10e-3 / 64)
    assert registers["bias_mant"] << registers["bias_exp"] == pytest.approx(2**29 * 55e-6, abs=4)
    assert registers["refractory"] == 50
    assert made.scales == {"a": 2.0**29}


def test_brian2loihi_s_current_decay_has_no_offset() -> None:
    made = quantise(network(), "Loihi1", BRIAN2LOIHI)
    assert made.network.population("a").registers["du"] == 82


def test_a_row_says_what_its_register_means() -> None:
    made = quantise(network(), "Loihi2", LAVA)
    leak = row(made, "dv")
    assert (leak.value.low, leak.unit, leak.integer.low) == (20e-3, "s", 20)
    assert leak.meant.low == pytest.approx(4096 / 20 * 1e-4)
    assert leak.error == pytest.approx(0.024)
    assert leak.flagged
    assert not row(made, "vth").flagged
    assert row(made, "vth").unit == "V"
    assert any("dv" in warning and "+2.40%" in warning for warning in made.warnings)


def test_exact_decays_mean_exact_time_constants() -> None:
    exact = quantity("dv", "decay", 1 - np.exp(-0.1), "tau", 1e-3)
    leak = row(quantise(network(lif(more=[exact])), "Loihi2", LAVA), "dv")
    assert leak.integer.low == 390
    assert leak.meant.low == pytest.approx(-1e-4 / np.log(1 - 390 / 4096))


def test_per_neuron_values_stay_per_neuron() -> None:
    rng, n = np.random.default_rng(0), 100
    population = lif(
        n,
        tau_v=rng.uniform(10e-3, 40e-3, n),
        tau_u=rng.uniform(2e-3, 9e-3, n),
        threshold=rng.uniform(8e-3, 12e-3, n),
        bias=rng.uniform(-5e-5, 9e-5, n),
    )
    made = quantise(network(population), "Loihi2", LAVA)
    registers = made.network.population("a").registers
    for name in ("du", "dv", "vth", "bias_mant"):
        assert registers[name].shape == (n,)
        assert len(set(registers[name].tolist())) > 20
    decays = np.ravel(population.quantities[1].value)
    np.testing.assert_array_equal(registers["dv"], np.rint(4096 * decays))
    assert not row(made, "dv").value.single
    with_synapses = network(population, [projection(np.full(300, 1e-5), n)])
    assert run_both(with_synapses) == pytest.approx(1, abs=0.05)


def run_both(ideal: IdealNetwork, steps: int = 2000) -> float:
    """Spikes of the plain chip over spikes in floating point."""
    made = quantise(float_ranges(ideal, 500), "Loihi2", LAVA)
    real_spikes = len(run_real(ideal, steps).spikes["a"][0])
    assert real_spikes > 50
    return len(PlainChip(made.network).run(steps).spikes["a"][0]) / real_spikes


# ------------------------------------------------------------------ rounded decays
def test_steady_states_stay_although_decays_are_rounded() -> None:
    population = lif(threshold=30e-3, bias=11e-3 * 0.005)
    for compensate, expected in (("currents", 11e-3), ("none", 11e-3 * 1.024)):
        made = quantise(network(population), "Loihi2", LAVA, compensate=compensate)  # type: ignore[arg-type]
        states = PlainChip(made.network).run(4000, [("a", "v")]).states["a", "v"]
        reached = states_to_user(made, "a", population.links[0], states[-1]) + 60e-3
        bound = made.costs["a"].bound_v / made.scales["a"]
        np.testing.assert_allclose(reached, expected, atol=bound)
        assert bound < 0.01 * 11e-3


def test_areas_of_currents_stay_and_jumps_are_exact() -> None:
    def weights(compensate: Any, tau_u: float) -> float:
        ideal = network(lif(tau_u=tau_u), [projection([1e-5])])
        made = quantise(ideal, "Loihi2", LAVA, compensate=compensate)
        drawn = made.network.projections[0]
        return float((drawn.weights[0] << drawn.exponent) * 64 / made.scales["a"])

    area = 20 / 20.48 * 82 / 81.92
    assert weights("currents", 5e-3) == pytest.approx(1e-5 * area, rel=3e-3)
    assert weights("none", 5e-3) == pytest.approx(1e-5, rel=3e-3)
    assert weights("currents", 1e-4) == pytest.approx(1e-5, rel=3e-3)
    assert weights("all", 1e-4) == pytest.approx(1e-5 * 20 / 20.48, rel=3e-3)


def test_a_stimulus_is_scaled_as_its_port_is() -> None:
    values = real(np.linspace(-1e-4, 1e-4, 50))
    ideal = network(stimuli=[IdealStimulus("i", "a", "a_in", values, True)])
    made = quantise(ideal, "Loihi2", LAVA)
    stimulus = made.network.stimuli[0]
    factor = 20 / 20.48 * 82 / 81.92
    expected = values * factor * made.scales["a"] / 64
    assert stimulus.repeat
    np.testing.assert_allclose(stimulus.values, expected, atol=0.5 + 1e-9)
    found = next(r for r in made.rows if r.object == "i")
    assert abs(found.error) < 0.01


# ------------------------------------------------------------------ weights
def rule(scale: float) -> IdealLearning:
    """A spike adds one mantissa at exponent 0; weights may take both signs and stay together."""
    return IdealLearning("s", "w", (IdealTerm("w", "x0", 64 / scale, (), "w += 1"),))


@CHECKED
@given(
    weights=st.lists(st.floats(-1e-3, 1e-3), min_size=1, max_size=30),
    scale=st.floats(1e3, 1e8),
    learning=st.booleans(),
)
def test_weights_are_the_nearest_on_their_grid(
    weights: list[float], scale: float, learning: bool
) -> None:
    synapses = projection(weights, learning=rule(scale) if learning else None)
    ideal = network(lif(threshold=0.0), [synapses])
    made = quantise(ideal, "Loihi2", LAVA, scales={"a": scale}, compensate="none")
    seen = []
    for part in made.network.projections:
        assert part.exponent >= 0
        grid = 2 if part.signs is SignMode.MIXED else 1
        assert np.all(part.weights % grid == 0)
        assert np.abs(part.weights).max(initial=0) <= GREATEST[part.signs]
        origin = made.parts[part.name]
        meant = part.weights * origin.step
        assert np.all(np.abs(meant - synapses.weights[origin.synapses]) <= 0.5001 * grid
                      * origin.step)  # fmt: skip
        np.testing.assert_array_equal(part.pre, synapses.pre[origin.synapses])
        seen += origin.synapses.tolist()
    assert sorted(seen) == list(range(len(weights)))
    assert not learning or len(made.network.projections) == 1


@CHECKED
@given(scale=st.floats(1e-3, 1e9), power=st.integers(-30, 6), signs=st.sampled_from(SignMode))
def test_an_exponent_is_the_least_that_holds_the_weight(
    scale: float, power: int, signs: SignMode
) -> None:
    for units in (GREATEST[signs] * 2.0**power * x for x in (1, 1 + 1e-12, 1 - 1e-12, 1.5)):
        exponent = int(exponents(units * 64 / scale, scale, signs))
        assert exponent >= 0
        assert np.rint(units / 2**exponent) <= GREATEST[signs]
        assert exponent == 0 or units / 2 ** (exponent - 1) > GREATEST[signs] * (1 - 1e-9)


def test_both_signs_are_split_and_found_again() -> None:
    weights = [1e-5, -3e-5, 2e-5, -4e-5, 0.0]
    made = quantise(
        network(projections=[projection(weights, delays=[1, 2, 3, 4, 5])]), "Loihi2", LAVA
    )
    by_name = {part.name: part for part in made.network.projections}
    assert list(by_name) == ["p_excitatory", "p_inhibitory"]
    assert by_name["p_excitatory"].sign_mode is SignMode.EXCITATORY
    assert by_name["p_excitatory"].delays.tolist() == [1, 3, 5]
    assert by_name["p_inhibitory"].delays.tolist() == [2, 4]
    assert made.parts["p_inhibitory"].synapses.tolist() == [1, 3]
    assert (by_name["p_inhibitory"].weights < 0).all()


def test_weights_of_one_sign_keep_their_name() -> None:
    made = quantise(network(projections=[projection([-1e-5, -2e-5])]), "Loihi2", LAVA)
    assert [(p.name, p.sign_mode) for p in made.network.projections] == [("p", SignMode.INHIBITORY)]


def test_weights_that_vanish_are_counted() -> None:
    weights = [1e-3, 1e-9, 1e-9, 0.0]
    made = quantise(network(projections=[projection(weights)]), "Loihi2", LAVA)
    assert any("p: 2 of 4 weights became 0" in warning for warning in made.warnings)


def test_ternary_spikes_carry_their_sign() -> None:
    ternary = lif(model="TernaryLIF")
    rest = tuple(q for q in ternary.quantities if q.register != "vth")
    levels = quantity("vth_hi", "threshold", 0.01), quantity("vth_lo", "threshold", -0.01)
    ideal = network(replace(ternary, quantities=(*rest, *levels)), [projection([1e-5])])
    made = quantise(ideal, "Loihi2", LAVA)
    assert made.network.projections[0].message_bits > 0
    assert made.network.population("a").registers["vth_lo"] < 0


# ------------------------------------------------------------------ scales
@CHECKED
@given(
    threshold=st.floats(1e-4, 1e2),
    drive=st.floats(0, 3),
    weight=st.floats(1e-6, 10),
    tau=st.floats(2e-4, 0.1),
    profile=st.sampled_from(list(PROFILES.values())),
)
def test_a_found_scale_always_fits(
    threshold: float, drive: float, weight: float, tau: float, profile: Arithmetic
) -> None:
    population = lif(threshold=threshold, tau_v=tau, bias=drive * threshold * 1e-4 / tau)
    weights = np.array([weight, -weight, weight / 3]) * threshold
    ideal = float_ranges(network(population, [projection(weights)]), 20)
    for chip in ("Loihi1", "Loihi2"):
        made = quantise(ideal, chip, profile)
        assert made.costs["a"].headroom >= 1.2499


def test_of_equal_scales_the_one_with_most_head_room_is_taken() -> None:
    ideal = network(lif(threshold=64.0, bias=0.0, tau_v=1e9), [projection([64.0])])
    population = replace(ideal.populations[0], quantities=ideal.populations[0].quantities[2:3])
    inputs = Inputs(list(signed_parts(ideal.projections[0], real(1.0))))
    limits = bounds(population, inputs, "Loihi2", LAVA, 1.25)
    scale = best_scale(population, inputs, LAVA, limits)
    candidates = np.geomspace(scale, min(limits.values()), CANDIDATES)
    losses = loss(population, inputs, LAVA, candidates)
    assert losses[0] <= losses.min() * 1.05 + 2e-8
    assert scale < min(limits.values()) / 2


def test_every_projection_onto_one_population_shares_its_scale() -> None:
    two = [projection(np.full(5, 1.7e-5)), projection(np.full(5, 5.3e-5), name="q")]
    made = quantise(network(projections=two), "Loihi2", LAVA)
    assert max(abs(row.error) for row in made.rows if row.register == "weights") < 0.005


def test_loihi_1_bounds_what_arrives_in_a_step() -> None:
    size = 400
    source = SpikeTimes("s", size, range(size), [5] * size)
    synapses = projection(
        np.full(size, 1e-4), 10, source="s", pre=np.arange(size), post=np.zeros(size, int)
    )
    ideal = float_ranges(network(lif(), [synapses], sources=[source]), 20)
    assert ideal.populations[0].ranges["a_in"] == pytest.approx((0, 400e-4))
    on_first, on_second = (quantise(ideal, chip, LAVA) for chip in ("Loihi1", "Loihi2"))
    assert on_first.costs["a"].bounded_by == "peak input of a_in"
    assert on_first.scales["a"] * 0.04 * 1.25 == pytest.approx(2**21, rel=0.05)
    assert on_second.scales["a"] > 2 * on_first.scales["a"]
    made = quantise(ideal, "Loihi1", LOIHI1)
    assert PlainChip(made.network).run(20).counts["a", "overflowed"] == 0


# ------------------------------------------------------------------ a whole network
def test_quantised_cuba_has_the_rates_of_floating_point() -> None:
    size, steps = 4000, 5000
    rates = []
    for seed in range(3):
        ideal = cuba(size, seed)
        made = quantise(float_ranges(ideal, 1000), "Loihi2", LAVA)
        spikes = [
            len(spikes["a"][0])
            for spikes in (run_real(ideal, steps).spikes, emulate(made.network, steps).spikes)
        ]
        rates.append(np.array(spikes) / size / (steps * 1e-4))
        for found in made.rows:
            assert abs(found.error) < 0.01 or any(
                found.parameter in warning and found.object in warning for warning in made.warnings
            )
        assert made.costs["a"].headroom > 1.1
    floating, chip = np.mean(rates, axis=0)
    assert 4 < floating < 8
    assert chip == pytest.approx(floating, rel=0.03)


# ------------------------------------------------------------------ flags
def warned(ideal: IdealNetwork, **options: Any) -> str:
    return "\n".join(quantise(ideal, "Loihi2", LAVA, **options).warnings)


def test_little_head_room_is_flagged() -> None:
    ideal = float_ranges(network(), 500)
    greatest = (2**23 - 1) / ideal.populations[0].ranges["v"][1]
    assert "head-room 1.05, less than 1.1" in warned(ideal, scales={"a": greatest / 1.05})
    assert "head-room" not in warned(ideal, scales={"a": greatest / 1.15})
    assert np.isnan(quantise(network(), "Loihi2", LAVA).costs["a"].headroom)


def test_a_bound_beyond_5_per_cent_of_the_threshold_is_flagged() -> None:
    assert "voltage's error is bounded by" in warned(network(), scales={"a": 1e6})
    assert "bounded by" not in warned(network())
    made = quantise(network(), "Loihi2", LAVA, scales={"a": 1e6}, compensate="none")
    cost = made.costs["a"]
    bias = made.network.population("a").registers
    bias_error = abs((bias["bias_mant"] << bias["bias_exp"]) - 55.0)
    assert cost.bound_u == pytest.approx(4096 / 82)
    assert cost.bound_v == pytest.approx(4096 / 20 * (1 + 4096 / 82 + bias_error))
    assert cost.bound_share == pytest.approx(cost.bound_v / 1e4)


def test_a_voltage_without_leak_has_no_bound() -> None:
    assert "without bound (no leak" in warned(network(lif(more=[quantity("dv", "decay", 0.0)])))


def test_a_decay_that_rounds_to_nothing_is_refused() -> None:
    longest = quantise(network(lif(tau_v=0.8191)), "Loihi2", LAVA)
    assert row(longest, "dv").integer.low == 1
    assert row(longest, "dv").flagged
    taus = np.full(10, 20e-3)
    taus[7] = 2.0
    told = (
        r"'dv' .*: 2 s of neuron 7 are 20,000 steps of 0.0001 s.*longest is 8,191 steps \(0.8191 s"
    )
    with pytest.raises(ChipLimit, match=told):
        quantise(network(lif(tau_v=taus)), "Loihi2", LAVA)
    with pytest.raises(ChipLimit, match="'du' .*: 2 s of neuron 0"):
        quantise(network(lif(tau_u=2.0)), "Loihi2", BRIAN2LOIHI)
    none = quantise(network(lif(more=[quantity("dv", "decay", 0.0)])), "Loihi2", LAVA)
    assert row(none, "dv").integer.low == 0


def test_a_threshold_that_would_be_nothing_is_refused() -> None:
    """One neuron's drive is so large that the scale for all leaves no threshold to the others."""
    drive = np.full(10, 1e-3)
    quantise(network(lif(bias=drive)), "Loihi2", LAVA)
    drive[3] = 1e4
    with pytest.raises(ChipLimit, match="'vth'.*neuron 0 would be 0.*a group of their own"):
        quantise(network(lif(bias=drive)), "Loihi2", LAVA)


def test_a_threshold_that_the_rounded_voltage_cannot_reach_is_flagged() -> None:
    population = lif(bias=10.02e-3 * 0.005)
    assert "threshold unreachable" in warned(network(population), scales={"a": 2e6})
    assert "threshold unreachable" not in warned(network(population), scales={"a": 5e8})
    # a steady state that is the threshold up to the rounding of doubles crosses nothing
    same = lif(bias=10e-3 * 0.005 * (1 + 1e-14))
    assert "threshold unreachable" not in warned(network(same), scales={"a": 2e6})
    made = quantise(network(population), "Loihi2", LAVA, scales={"a": 2e6})
    assert len(PlainChip(made.network).run(5000).spikes["a"][0]) == 0
    assert len(run_real(network(population), 5000).spikes["a"][0]) > 0


def test_a_decay_of_everything_leaves_a_4096th() -> None:
    made = quantise(network(lif(more=[quantity("dv", "decay", 1.0)])), "Loihi2", LAVA)
    assert row(made, "dv").integer.low == 4095
    assert row(made, "dv").note == "1/4096 of it stays"


def test_a_resonator_s_damping_is_flagged_where_12_bits_do_not_hold_it() -> None:
    def resonator(kept: float) -> IdealNetwork:
        angle = 2 * np.pi / 200
        turn = [quantity("sin_decay", "level", kept * np.sin(angle)),
                quantity("cos_decay", "level", kept * np.cos(angle)),
                quantity("vth", "level", 0.01)]  # fmt: skip
        return network(replace(lif(), model="RF", quantities=tuple(turn), links=()))

    made = quantise(resonator(1 - 5e-5), "Loihi2", LAVA)
    flagged = {row.register: row for row in made.rows if row.flagged}
    told = [text for text in made.warnings if "is off" in text]
    assert "cos_decay" in flagged and len(told) == len(flagged)  # each once, and as in the table
    error = percent(flagged["cos_decay"].error)
    assert f"a: time constant (cos_decay) is off by {error}, more than 1%." in told
    assert "cos_decay" not in warned(resonator(1 - 0.0495))


# ------------------------------------------------------------------ refusals
REFUSED: dict[str, tuple[Any, str]] = {
    "short time constant": (
        lambda: network(lif(tau_u=5e-5)),
        r"'a', register 'du'.*: 2 of it would be lost a step \(a time constant of 5e-05 s, with a"
        r" time step of 0.0001 s\).*at least one time step, or a shorter time step",
    ),
    "growth": (lambda: network(lif(tau_v=-1e-3)), "'dv'.*growth"),
    "long current": (
        lambda: network(lif(tau_u=1.0)), r"'du'.*: -1 is outside 0..4095.*at most 4096 steps",
    ),
    "refractory": (
        lambda: network(lif(more=[quantity("refractory", "count", 64, "refractory 6.4 ms")])),
        r"refractory 6.4 ms.*64 is outside 0..63.*Use a longer time step",
    ),
    "delay": (
        lambda: network(projections=[projection([1e-5, 1e-5], delays=[0, 64])]),
        r"'p': a delay of 64 steps \(6.4 ms\) is outside 0..63.*longer time step, or relay",
    ),
    "no number": (lambda: network(lif(threshold=np.nan)), "'vth'.*nan; finite numbers"),
    "infinite weight": (
        lambda: network(projections=[projection([1e-5, np.inf])]),
        "'p': the weight of synapse 1 is inf",
    ),
    "infinite start": (
        lambda: network(lif(3, initial={"v": real([0, np.nan, 1])})),
        "'a', initial 'v': neuron 1 begins with nan; finite numbers.*Set 'v'",
    ),
    "unknown state": (
        lambda: network(lif(initial={"w": real(1)})), "'w': LIF has no such state; it has u, v",
    ),
    "unknown register": (
        lambda: network(lif(more=[quantity("du2", "decay", 0.1)])),
        "'du2'.*LIF has no such register; it has du",
    ),
    "probability": (
        lambda: network(replace(lif(), model="ProbSpiker",
                                quantities=(quantity("p_spike", "fraction", 1.5),))),
        "'p_spike'.*1.5.*A probability lies between 0 and 1",
    ),
    "negative threshold": (
        lambda: network(lif(threshold=-1.0)),
        "'vth'.*-1 V.*outside 0..131071.*lies below it",
    ),
    "infinite stimulus": (
        lambda: network(stimuli=[IdealStimulus("i", "a", "a_in", real([np.nan]))]),
        "stimulus 'i': finite",
    ),
    "no target": (
        lambda: network(projections=[projection([1e-5], target="b")]),
        "'p' goes to 'b', which is no population; there are a",
    ),
    "resonator": (
        lambda: network(replace(lif(), model="RF")), "RF needs 'sin_decay'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_raises(case: str) -> None:
    make, message = REFUSED[case]
    with pytest.raises(ChipLimit, match=message):
        quantise(make(), "Loihi2", LAVA)


SCALED: dict[str, tuple[Any, str]] = {
    "threshold": (lif(), r"'vth' \(threshold\), 0.01 V with the scale 1e\+10: 1562500 is outside"),
    "bias": (
        lif(threshold=0.0), r"'bias' \(drive\), 5.5e-05 V a step with the scale 1e\+10.*scales=",
    ),
    "initial": (
        lif(threshold=0.0, bias=0.0, initial={"v": real(1e-2)}), "initial 'v' with the scale",
    ),
    "weights": (
        lif(threshold=0.0, bias=0.0),
        r"'p': a weight of 0.001 V with the scale 1e\+10 needs the exponent 10, the chip has up to"
        r" 7.*Use a scale of up to 2.1\d+e\+09",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SCALED)
def test_a_scale_that_is_too_large_raises(case: str) -> None:
    population, message = SCALED[case]
    ideal = network(population, [projection([1e-3])])
    with pytest.raises(ChipLimit, match=message):
        quantise(ideal, "Loihi2", LAVA, scales={"a": 1e10})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": {"b": 1.0}}, "there is no population 'b'; there are a"),
        ({"scales": {"a": -1.0}}, "'a' has -1.0; a number above 0"),
        ({"headroom": 0.5}, "headroom=0.5: a number of at least 1"),
        ({"chip": "Loihi3"}, "chip='Loihi3': the chips are 'Loihi1', 'Loihi2'"),
    ],
    ids=str,
)
def test_options_are_checked(options: Any, message: str) -> None:
    with pytest.raises(ChipLimit, match=message):
        quantise(network(), **({"chip": "Loihi2", "arithmetic": LAVA} | options))


def test_delays_end_earlier_on_loihi_1() -> None:
    ideal = network(projections=[projection([1e-5], delays=63)])
    assert quantise(ideal, "Loihi2", LAVA).network.projections[0].delays == 63
    with pytest.raises(ChipLimit, match=r"63 steps .* outside 0..62"):
        quantise(ideal, "Loihi1", LOIHI1)


def test_empty_things_are_quantised() -> None:
    empty = replace(lif(0), links=(StateLink("v", "v", real(1.0), real(0.0)),))
    ideal = network(empty, [projection(np.zeros(0), 0)])
    made = quantise(float_ranges(ideal, 3), "Loihi2", LAVA)
    assert made.network.projections[0].size == 0
    assert len(run_real(ideal, 3).spikes["a"][0]) == 0
    silent = replace(lif(), quantities=())
    assert quantise(network(silent), "Loihi2", LAVA).scales["a"] > 0
