"""Every conversion has its inverse: back again within half of what a unit means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava.chip.ideal import StateLink, real
from brian2lava.chip.limits import BIAS_EXPONENT, BIAS_MANTISSA, STATE_MAX
from brian2lava.chip.profiles import BRIAN2LOIHI, LAVA, PROFILES, Arithmetic
from brian2lava.chip.quantise import (
    Quantised,
    quantise,
    real_to_user,
    states_to_user,
    user_to_states,
)
from brian2lava.chip.quantise.kinds import (
    KINDS,
    mantissa_and_exponent,
    relative_error,
    rounded,
    worst,
)
from brian2lava.errors import ChipLimit
from tests.chip.quantise_networks import lif, network

#: Kinds whose registers are not multiples of a value.
EXPONENTS = ("bias", "noise")
#: One below, at and above each power of two, of both signs.
EDGES = sorted({sign * (2**k + d) for k in range(24) for d in (-1, 0, 1) for sign in (-1, 1)})
REGISTERS = st.one_of(st.sampled_from(EDGES), st.floats(-(2.0**23), 2.0**23))
SCALES = st.floats(1e-3, 1e12)
PROFILE = st.sampled_from(list(PROFILES.values()))
CHECKED = settings(derandomize=True, deadline=None, max_examples=300)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in EXPONENTS])
@CHECKED
@given(register=REGISTERS, scale=SCALES, profile=PROFILE)
def test_back_again_within_half_a_step(
    kind: str, register: float, scale: float, profile: Arithmetic
) -> None:
    row = KINDS[kind]
    value = row.unscale(register, scale, profile)
    step = row.unscale(1.0, scale, profile) - row.unscale(0.0, scale, profile)
    again = row.unscale(rounded(row.scale(value, scale, profile)), scale, profile)
    assert abs(again - value) <= 0.5 * step * (1 + 1e-6)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in EXPONENTS])
@CHECKED
@given(register=st.sampled_from(EDGES), scale=SCALES, profile=PROFILE)
def test_integers_come_back_as_they_were(
    kind: str, register: int, scale: float, profile: Arithmetic
) -> None:
    row = KINDS[kind]
    assert rounded(row.scale(row.unscale(register, scale, profile), scale, profile)) == register


@CHECKED
@given(value=st.one_of(st.sampled_from(EDGES), st.floats(-(4095 << 7), 4095 << 7)))
def test_no_mantissa_and_exponent_come_nearer_to_a_bias(value: float) -> None:
    value = float(np.clip(value, BIAS_MANTISSA.high * -128, BIAS_MANTISSA.high * 128))
    mantissa, exponent = mantissa_and_exponent(value)
    assert BIAS_MANTISSA.low <= mantissa <= BIAS_MANTISSA.high
    assert BIAS_EXPONENT.low <= exponent <= BIAS_EXPONENT.high
    found = abs((int(mantissa) << int(exponent)) - value)
    assert found <= 0.5 * 2**exponent
    for other in range(BIAS_EXPONENT.high + 1):
        nearest = np.clip(np.rint(value / 2**other), BIAS_MANTISSA.low, BIAS_MANTISSA.high)
        assert found <= abs(nearest * 2**other - value)


@CHECKED
@given(exponent=st.integers(1, 23), scale=SCALES, part=st.floats(-0.5, 0.5))
def test_noise_comes_back_within_half_an_exponent(exponent: int, scale: float, part: float) -> None:
    row, profile = KINDS["noise"], PROFILES["lava"]
    deviation = row.unscale(exponent, scale, profile)
    assert rounded(row.scale(deviation, scale, profile)) == exponent
    again = rounded(row.scale(deviation * 2.0 ** (0.99 * part), scale, profile))
    assert again == exponent
    assert row.unscale(0, scale, profile) == row.scale(0.0, scale, profile) == 0


def test_a_bias_that_does_not_fit_is_not_clipped() -> None:
    mantissa, exponent = mantissa_and_exponent([4096 << 7, 4095 << 7])
    assert mantissa.tolist() == [4096, 4095]
    assert exponent.tolist() == [7, 7]


def test_the_offset_of_a_current_decay_is_the_profile_s() -> None:
    row = KINDS["current_decay"]
    assert row.scale(1.0, 1.0, LAVA) == 4095
    assert row.scale(1.0, 1.0, BRIAN2LOIHI) == 4096


def test_relative_errors_know_nothing_and_everything() -> None:
    errors = relative_error([0.0, 0.0, 2.0, -2.0], [0.0, 1.0, 0.0, -3.0])
    assert errors.tolist() == [0.0, np.inf, -1.0, -0.5]
    assert worst(errors[2:]) == -1.0
    assert worst([]) == 0.0


# ------------------------------------------------------------------ states
LINKS = (
    StateLink("v", "v", real(1.0), real(-60e-3), unit="V"),
    StateLink("g", "u", real(0.005), real(0.0), True, "V"),
    StateLink("x", "v", real(np.linspace(0.5, 2, 10)), real(np.linspace(-1, 1, 10)), unit=""),
)


MADE: Quantised = quantise(network(lif()), "Loihi2", LAVA)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.variable)
@CHECKED
@given(states=st.lists(st.sampled_from(EDGES), min_size=10, max_size=10))
def test_states_come_back_as_they_were(link: StateLink, states: list[int]) -> None:
    user = states_to_user(MADE, "a", link, states)
    assert user_to_states(MADE, "a", link, user).tolist() == states


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.variable)
@CHECKED
@given(share=st.lists(st.floats(-1, 1), min_size=10, max_size=10))
def test_user_s_values_come_back_within_half_a_state(link: StateLink, share: list[float]) -> None:
    unit = 1 / (MADE.scales["a"] * link.gain)
    values = link.offset + np.array(share) * STATE_MAX * unit
    again = states_to_user(MADE, "a", link, user_to_states(MADE, "a", link, values))
    assert np.all(np.abs(again - values) <= 0.5 * unit * (1 + 1e-6) + 1e-15)


def test_some_neurons_and_several_steps() -> None:
    states = np.arange(30).reshape(3, 10)
    everything = states_to_user(MADE, "a", LINKS[2], states)
    some = states_to_user(MADE, "a", LINKS[2], states[:, [7, 2]], [7, 2])
    np.testing.assert_array_equal(some, everything[:, [7, 2]])
    assert user_to_states(MADE, "a", LINKS[2], some, [7, 2]).tolist() == states[:, [7, 2]].tolist()


def test_counts_are_not_scaled() -> None:
    link = StateLink("left", "blocked", real(1.0), real(0.0))
    assert states_to_user(MADE, "a", link, [3, 0]).tolist() == [3, 0]
    with pytest.raises(ChipLimit, match="no population 'b'; there are 'a'"):
        states_to_user(MADE, "b", link, [3])


def test_real_states_have_the_same_way_back() -> None:
    link = LINKS[1]
    states = np.array([100, -200])
    in_unit_of_v = states / MADE.scales["a"]
    np.testing.assert_allclose(
        real_to_user(link, in_unit_of_v), states_to_user(MADE, "a", link, states)
    )
