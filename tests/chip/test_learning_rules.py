"""Learning rules as values: grammar, text, limits, monomials; random numbers as tapes."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from brian2lava.chip.learning import (
    Factor,
    FixedLearning,
    FloatLearning,
    LavaTape,
    LearningRule,
    PhiloxTape,
    Product,
    RuleError,
    Synapses,
    Trace,
    from_monomials,
    learning_rule,
    learning_state,
    parse,
)
from brian2lava.chip.learning.monomials import scalings
from brian2lava.chip.learning.rule import VARIABLES
from brian2lava.chip.learning.tape import stream_key, uniform
from brian2lava.errors import ChipLimit

ON = Trace(16, 10)


def test_a_rule_is_read_term_by_term() -> None:
    assert parse("2^-3*x1*y0 - (y1+2)*x0*w") == (
        Product(1, -3, "y0", (Factor("x1"),)),
        Product(-1, 0, "x0", (Factor("y1", 2), Factor("w"))),
    )
    assert parse("u2*12*sgn(t-3)") == (Product(6, 1, "u2", (Factor("t", -3, True),)),)
    assert parse(" ") == ()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("x0*(3-w)", "-x0*(w-3)"),
        ("(-y1)*x0", "-x0*y1"),
        ("x0*(y1+x1)", "x0*y1 + x0*x1"),
        ("-(x0*y1 - y0*x1)*2", "-2*x0*y1 + 2*y0*x1"),
        ("x0*y1*2*2^2*2^-5", "2*2^-3*x0*y1"),
        ("x0*-2*w", "-2*x0*w"),
        ("(x0)*(w)", "x0*w"),
        ("2^+3*u0", "2^3*u0"),
        ("x0*sign(w+1)", "x0*sgn(w+1)"),
    ],
)
def test_what_means_the_same(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x1*y1", "term 'x1.y1': no dependency"),
        ("x0*y1 +", "expected at the end"),
        ("x0*(y1", r"'\)' was expected at the end"),
        ("x0*r1", "'r1' .a reward. is not supported"),
        ("x0*u*w", "u without its k"),
        ("x0*y1/2", "'/2' can't be read"),
        ("0.5*x0", "can't be read"),
        ("3^2*x0", "only powers of 2"),
        ("x0*v", "a number, a variable or a bracket"),
        ("u10*w", "the k of u<k>: 10 is outside 0..9"),
        ("u1*u2*w", "u1 and u2 in one term"),
        ("u1*w + u2*w", "u1 and u2 in one rule"),
        ("11*x0*y1", "term '11.x0.y1': mantissa: 11 is outside -8..7"),
        ("2^9*x0*y1", "exponent: 9 is outside -7..8"),
        ("2^-8*x0*y1", "exponent: -8 is outside -7..8"),
        ("x0*(y1+300)", "constant: 300 is outside -256..255"),
        ("x0*sgn(y1)", "sgn is there for w, d and t only"),
        ("x0*sgn(2*w)", "the sign of a variable"),
        ("x0*w*w*w*y1", "34 bits together"),
        ("", "changes nothing"),
    ],
)
def test_errors_name_the_term_and_the_limit(text: str, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        learning_rule(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2^-1*x0*y2", "the trace y2 has no impulse"),
        ("y0*w", "y0 without a trace of that side"),
        ("x0*t", "no tag t"),
        ("2^10*x0", "exponent: 10 is outside -7..9"),
    ],
)
def test_limits_of_brian2loihi(text: str, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        learning_rule(text, dialect="brian2loihi", x1=ON)


def test_brian2loihi_has_no_four_bit_mantissas() -> None:
    rule = learning_rule("127*x0*x1", dialect="brian2loihi", x1=ON)
    assert rule.dw == (Product(127, 0, "x0", (Factor("x1"),)),)
    with pytest.raises(RuleError, match="mantissa: 127"):
        rule.check("lava")


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"t_epoch": 0}, "t_epoch.: 0 is outside 1..63"),
        ({"t_epoch": 64}, "64 is outside"),
    ],
)
def test_limits_of_the_configuration(configuration: Any, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        learning_rule("x0*y1", **configuration)


@pytest.mark.parametrize("values", [(128, 1), (-1, 1), (1, -1), (1, float("nan")), (1, np.inf)])
def test_limits_of_traces(values: tuple[float, float]) -> None:
    with pytest.raises(RuleError):
        Trace(*values)


def test_a_float_trace_needs_a_time_constant() -> None:
    one = Synapses(np.array([0]), np.array([0]), 1, 1)
    with pytest.raises(RuleError, match="trace y1 is read and has the time constant 0"):
        FloatLearning(learning_rule("x0*y1"), one, 1.0)


@pytest.mark.parametrize(
    ("weights", "message"), [(256, "256 at 0"), ([1, 2], "expected .1,."), (1.5, "whole numbers")]
)
def test_weights_are_checked(weights: Any, message: str) -> None:
    one = Synapses(np.array([0]), np.array([0]), 1, 1)
    with pytest.raises(ChipLimit, match=message):
        FixedLearning(learning_rule("x0*y1"), one, weights, PhiloxTape(0))


def test_third_factors_are_given_if_and_only_if_asked_for() -> None:
    one = Synapses(np.array([0]), np.array([0]), 1, 1)
    spike = np.array([True])
    for third in (True, False):
        state = FixedLearning(learning_rule("x0*y1", third_factor=third), one, 2, PhiloxTape(0))
        with pytest.raises(ChipLimit, match="post_traces"):
            state.step(spike, spike, None if third else {"y1": np.array([3])})


def test_no_synapses_no_neurons() -> None:
    nothing = np.zeros(0, dtype=int)
    state = FixedLearning(
        learning_rule("x0*y1", y1=ON), Synapses(nothing, nothing, 0, 0), 2, PhiloxTape(0)
    )
    state.step(nothing.astype(bool), nothing.astype(bool))
    assert state.weights.size == 0


def test_synapses_are_checked() -> None:
    with pytest.raises(ChipLimit, match="post: neurons 0..2"):
        Synapses(np.array([0]), np.array([3]), 4, 3)


constants = st.integers(-256, 255)
factors = st.one_of(
    st.builds(Factor, st.sampled_from(VARIABLES), constants),
    st.builds(Factor, st.sampled_from(("w", "d", "t")), constants, st.just(True)),
)


def chosen(k: int) -> st.SearchStrategy[Product]:
    spike = st.builds(
        Product, st.integers(-7, 7), st.integers(-7, 8), st.sampled_from(("x0", "y0")),
        st.lists(factors, max_size=4).map(tuple),
    )  # fmt: skip
    clock = st.builds(
        Product, st.integers(-7, 7), st.integers(-7, 8), st.just(f"u{k}"),
        st.lists(factors, max_size=4).map(tuple),
    )  # fmt: skip
    return st.one_of(spike, clock)


@st.composite
def rules(draw: Any) -> LearningRule:
    change = st.lists(chosen(draw(st.integers(0, 9))), max_size=4).map(tuple)
    parts = [draw(change) for _ in range(3)]
    if not any(parts):
        parts[0] = (Product(1, 0, "x0"),)
    return LearningRule(*parts)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rules())
def test_text_and_back(rule: LearningRule) -> None:
    for change in ("dw", "dd", "dt"):
        assert parse(rule.text(change)) == getattr(rule, change)
        assert parse(rule.text(change, "sign"), "brian2loihi") == getattr(rule, change)


def test_pair_stdp_from_monomials() -> None:
    rule = from_monomials(
        {"dw": {(("x0", 1), ("y1", 1)): -0.25, (("y0", 1), ("x1", 1), ("w", 2)): 0.3125}}
    )
    assert rule.text() == "-2^-2*x0*y1 + 5*2^-4*y0*w*w*x1"


@pytest.mark.parametrize(
    ("monomial", "coefficient", "message"),
    [
        ((("x1", 1),), 1.0, "a term needs x0, y0 or one u<k>"),
        ((("x0", 1), ("y1", -1)), 1.0, "negative powers"),
        ((("x0", 1),), float("nan"), "not finite"),
        ((("x0", 1),), 0.3, "more than 2 products"),
        ((("x0", 1),), 2.0**-9, "below the smallest step"),
    ],
)
def test_monomials_that_do_not_fit(monomial: Any, coefficient: float, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        from_monomials({"dw": {monomial: coefficient}})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.floats(0.5, 1000).flatmap(lambda x: st.sampled_from((x, -x))))
def test_coefficients_within_their_tolerance(coefficient: float) -> None:
    pairs = scalings(coefficient, 0.01, 3)
    total = sum(mantissa * 2.0**exponent for mantissa, exponent in pairs)
    assert abs(total - coefficient) <= 0.01 * abs(coefficient)
    assert all(-8 <= mantissa <= 7 and -7 <= exponent <= 8 for mantissa, exponent in pairs)


def test_a_lava_tape_is_read_in_order() -> None:
    tape = LavaTape(3)
    assert tape.traces(1) != tape.traces(2)
    with pytest.raises(ValueError, match="step 4 is not the next one"):
        tape.traces(4)


def test_a_philox_tape_is_uniform_and_free_to_be_read_anywhere() -> None:
    tape = PhiloxTape(5, stream=2)
    late = tape.traces(900)
    draws = np.array([tape.traces(step).x_decay for step in range(1, 2001)])
    assert late == tape.traces(900)
    assert abs(draws.mean() - 0.5) < 0.03 and abs(draws.std() - 12**-0.5) < 0.02
    assert {tape.traces(step).x_impulse for step in range(1, 3000)} == set(range(128))
    assert PhiloxTape(5, stream=3).weights(1) != tape.weights(1)


def test_philox_gives_the_published_numbers() -> None:
    """Random123's known answer: counter and key all zero."""
    words = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    for element, (high, low) in enumerate((words[:2], words[2:])):
        assert uniform(0, element, 0, 0) == ((high << 32 | low) >> 11) * 2.0**-53
    assert stream_key(0, 0) == 0xE220A8397B1DCDAF  # splitmix64's first number


def test_an_unknown_rounding_is_named() -> None:
    one = Synapses(np.array([0]), np.array([0]), 1, 1)
    with pytest.raises(RuleError, match="learning rounding 'x'; there are nearest_draw, grid_draw"):
        learning_state("x", learning_rule("x0*y1"), one, 2, PhiloxTape(0), "MIXED")
