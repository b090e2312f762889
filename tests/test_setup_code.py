"""Compiled set-up code against Brian2's NumPy code: settings, look-ups, making synapses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    NeuronGroup,
    Synapses,
    TimedArray,
    check_units,
    implementation,
    ms,
    mV,
    set_device,
)
from brian2.core.base import BrianObjectException

from brian2lava.capture.setup import split_probability
from brian2lava.device import setup as setup_code
from brian2lava.device.setup import SetupCode
from brian2lava.errors import CompileError

Made = dict[str, np.ndarray]


@pytest.fixture(autouse=True)
def lava_device() -> Iterator[Any]:
    set_device("lava", host="inline")
    brian2.seed(4711)
    yield brian2.get_device()
    brian2.get_device().reinit()
    set_device("runtime")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whatever can be compiled is; the names of the code objects that were."""
    for name in ("ELEMENTS", "ROWS", "PAIRS"):
        monkeypatch.setattr(setup_code, name, 0)
    names: list[str] = []
    build = SetupCode._build

    def note(self: SetupCode) -> Any:
        names.append(self.name)
        return build(self)

    monkeypatch.setattr(SetupCode, "_build", note)
    return names


def neurons(n: int, **kwds: Any) -> NeuronGroup:
    group = NeuronGroup(n, "v : 1\nx : 1\nk : integer\nb : boolean\ns : 1 (shared)", **kwds)
    group.x = np.sin(np.arange(n))
    group.v = np.arange(n) ** 2 / 7
    group.k = (7 * np.arange(n)) % 5
    group.b = np.arange(n) % 3 == 0
    group.s = 3
    return group


def pairs(synapses: Synapses) -> Made:
    """All that the making of synapses writes."""
    number = synapses.multisynaptic_index
    return {
        "i": np.array(synapses.variables["_synaptic_pre"].get_value()),
        "j": np.array(synapses.variables["_synaptic_post"].get_value()),
        "outgoing": np.array(synapses.variables["N_outgoing"].get_value()),
        "incoming": np.array(synapses.variables["N_incoming"].get_value()),
        "number": np.array(synapses.variables[number].get_value()) if number else np.empty(0),
        "N": np.array(len(synapses)),
    }


def with_numpy(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patched:
        for name in ("ELEMENTS", "ROWS", "PAIRS"):
            patched.setattr(setup_code, name, 1 << 62)
        return make()


def assert_equal(ours: Made, theirs: Made) -> None:
    assert ours.keys() == theirs.keys()
    for key, values in theirs.items():
        assert ours[key].dtype == values.dtype, key
        np.testing.assert_array_equal(ours[key], values, err_msg=key)


# ---------------------------------------------------------------- making synapses
def connected(
    *calls: dict[str, Any], source: slice | None = None, target: slice | None = None
) -> Callable[[], Made]:
    """A function that makes synapses by the given calls of ``connect``."""

    def make() -> Made:
        G, H = neurons(23), neurons(31)
        first = G if source is None else G[source]
        second = H if target is None else H[target]
        S = Synapses(first, second, "w : 1", multisynaptic_index="number")
        for kwds in calls:
            S.connect(namespace={"reach": 3, "limit": 0.2}, **kwds)
        return pairs(S)

    return make


DETERMINISTIC = {
    "all": connected({}),
    "condition": connected({"condition": "i != j"}),
    "condition on values": connected(
        {"condition": "abs(i - j) < reach and x_pre > x_post - limit or b_post"}
    ),
    "number": connected({"condition": "x_pre > 0", "n": "k_pre + 1"}),
    "condition on the source alone": connected({"condition": "x_pre > limit"}),
    "range": connected(
        {"j": "k for k in range(i - reach, i + reach + 1) if k != i", "skip_if_invalid": True}
    ),
    "range with a step": connected({"j": "k for k in range(1, N_post, 4) if x_post > 0"}),
    "range backwards": connected({"j": "k for k in range(N_post - 1, i, -2)"}),
    "empty ranges": connected({"j": "k for k in range(5, i)"}),
    "an element a row": connected({"j": "(3*i + 2) % N_post"}),
    "over targets": connected({"i": "q for q in range(2, N_pre) if x_pre > x_post"}),
    "all of a sample": connected({"j": "k for k in sample(2, N_post, 3, p=1) if k != i"}),
    "nothing of a sample": connected({"j": "k for k in sample(N_post, p=0)"}),
    "a sample of all": connected({"j": "k for k in sample(4, size=4)"}),
    "one after the other": connected(
        {"condition": "i == j"}, {"j": "k for k in range(5)"}, {"condition": "i == j", "n": 2}
    ),
    "subgroups": connected(
        {"condition": "i <= j and x_pre > x_post"},
        {"j": "k for k in range(i, i + 2)"},
        source=slice(4, 15),
        target=slice(9, 30),
    ),
    "subgroups, over targets": connected(
        {"i": "k for k in range(N_pre) if k > j"}, source=slice(4, 15), target=slice(9, 30)
    ),
}


@pytest.mark.parametrize("make", DETERMINISTIC.values(), ids=DETERMINISTIC.keys())
def test_synapses_are_those_of_numpy(
    make: Callable[[], Made], compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make()
    assert compiled
    assert_equal(ours, with_numpy(make, monkeypatch))


def test_synapses_on_synapses(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Made:
        G = neurons(9)
        S = Synapses(G, G, "w : 1", name="below_*")
        S.connect(condition="i < j")
        S.w = "i + 10*j"
        T = Synapses(G, S, "u : 1")
        T.connect(condition="w_post > 35 and i % 2 == 0")
        first = pairs(T)
        U = Synapses(S, G, "u : 1")
        U.connect(j="k for k in range(N_post) if w_pre > 11*k")
        return {**first, **{f"second {key}": value for key, value in pairs(U).items()}}

    ours = make()
    assert len(compiled) >= 4
    assert_equal(ours, with_numpy(make, monkeypatch))


def test_what_numpy_refuses_although_it_makes_sense(compiled: list[str]) -> None:
    """Brian2's NumPy code stumbles over some numbers for each target, and some invalid results."""
    G, H = neurons(23), neurons(31)
    S = Synapses(G, H)
    S.connect(condition="i < j", n="k_post")
    wanted = [(i, j) for i in range(23) for j in range(31) if i < j for _ in range(int(H.k[j]))]
    assert list(zip(S.i[:], S.j[:])) == wanted
    T = Synapses(G, H)
    T.connect(j="i + k - 4 for k in range(9) if x_post > 0", skip_if_invalid=True)
    wanted = [
        (i, i + k - 4)
        for i in range(23)
        for k in range(9)
        if 0 <= i + k - 4 < 31 and H.x[i + k - 4] > 0
    ]
    assert list(zip(T.i[:], T.j[:])) == wanted


def test_samples_that_are_too_large_are_cut(compiled: list[str]) -> None:
    G = neurons(9)
    S = Synapses(G, G)
    S.connect(j="k for k in sample(4, size=i - 2)", skip_if_invalid=True)
    np.testing.assert_array_equal(np.bincount(S.i[:]), [0, 0, 0, 1, 2, 3, 4, 4, 4])
    assert S.j[:].max() == 3
    np.testing.assert_array_equal(S.j[6, :], [0, 1, 2, 3])


def test_arrays_that_grow_on_the_way(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is made again where the arrays were too small, with the same random numbers."""

    def make() -> Made:
        brian2.seed(3)
        G = neurons(3000)
        S = Synapses(G, G, "w : 1")
        S.connect(j="k for k in sample(N_post, p=0.01) if rand() < 0.9", n="1 + int(rand() < 0.1)")
        return pairs(S)

    at_once = make()
    assert len(at_once["i"]) > setup_code._FIRST_ROOM
    assert np.all(np.diff(at_once["i"]) >= 0) and at_once["i"][0] == 0
    monkeypatch.setattr(setup_code, "_FIRST_ROOM", 1)
    monkeypatch.setattr("brian2lava.engine.memory._GROWTH", 1)
    assert_equal(make(), at_once)


# ---------------------------------------------------------------- chance
def count_of(n: int, **kwds: Any) -> tuple[np.ndarray, np.ndarray]:
    G = neurons(n)
    S = Synapses(G, G, "w : 1")
    S.connect(**kwds)
    made = pairs(S)
    return made["i"], made["j"]


def assert_probability(counts: np.ndarray, trials: int, p: float) -> None:
    """Each count lies within five standard deviations; the spread is binomial, too."""
    deviations = (counts - trials * p) / np.sqrt(trials * p * (1 - p))
    assert np.abs(deviations).max() < 5
    assert abs(deviations.mean()) * np.sqrt(len(counts)) < 4
    assert 0.7 < deviations.std() < 1.3


@pytest.mark.parametrize(
    "p, kwds",
    [
        (0.03, {"p": 0.03}),
        (0.6, {"p": 0.6}),
        (0.1, {"j": "k for k in sample(N_post, p=0.1)"}),
        (0.1, {"condition": "rand() < 0.1"}),
        (0.2, {"condition": "rand()*rand() < p_product", "namespace": {"p_product": 0.0473}}),
        (0.3, {"p": "0.3 + 0*j"}),
    ],
    ids=["rare", "frequent", "sample", "rand", "two draws", "expression"],
)
def test_probability(p: float, kwds: dict[str, Any], compiled: list[str]) -> None:
    n = 700
    if "namespace" in kwds:
        z = kwds["namespace"]["p_product"]
        p = z - z * np.log(z)  # of a product of two uniform numbers to be smaller
    i, j = count_of(n, **kwds)
    assert compiled
    assert_probability(np.bincount(i, minlength=n), n, p)
    assert_probability(np.bincount(j, minlength=n), n, p)
    assert len(np.unique(i.astype(np.int64) * n + j)) == len(i)
    assert np.all(np.diff(i.astype(np.int64) * n + j) > 0)


def test_probability_of_each_pair(compiled: list[str]) -> None:
    n = 600
    i, j = count_of(n, condition="i != j", p="exp(-((i - j)/60.0)**2)")
    assert np.all(i != j)
    for distance in (1, 10, 40, 80):
        p = np.exp(-((distance / 60.0) ** 2))
        found = np.count_nonzero(np.abs(i - j) == distance)
        trials = 2 * (n - distance)
        assert abs(found - trials * p) < 5 * np.sqrt(trials * p * (1 - p))


@pytest.mark.parametrize("size", [3, 150, 299, 290])
def test_samples_of_fixed_size(size: int, compiled: list[str]) -> None:
    n = 300
    i, j = count_of(n, j=f"k for k in sample(N_post, size={size})")
    np.testing.assert_array_equal(np.bincount(i, minlength=n), size)
    rows = j.reshape(n, size)
    assert np.all(np.diff(rows) > 0)
    assert_probability(np.bincount(j, minlength=n), n, size / n)


def test_extreme_probabilities(compiled: list[str]) -> None:
    i, _ = count_of(50, p="1.0 + 0*j")
    assert len(i) == 2500
    i, _ = count_of(50, p="0.0*j")
    assert len(i) == 0
    i, _ = count_of(50, p="-1.0 + 0*j")
    assert len(i) == 0


@pytest.mark.parametrize(
    "condition, expected",
    [
        ("(i != j) and rand() < exp(-x)", ("(i != j)", "exp(- x)")),
        ("rand() < 0.5", ("True", "0.5")),
        ("i < j", None),
        ("rand() < rand()", None),
        ("rand() > 0.5", None),
        ("rand() < 0.5 or i == j", None),
        ("rand() < 0.2 and i == j", None),
    ],
)
def test_which_conditions_hold_a_probability(
    condition: str, expected: tuple[str, str] | None
) -> None:
    from brian2.core.functions import DEFAULT_FUNCTIONS

    code = f"_post_idx = _raw_post_idx \n_cond = {condition}\n"
    if expected is None:
        assert split_probability(code, dict(DEFAULT_FUNCTIONS)) is None
    else:
        split = split_probability(code, dict(DEFAULT_FUNCTIONS))
        assert split is not None
        assert split.splitlines()[1:] == [
            f"_cond = {expected[0]}",
            f"_probability = {expected[1]}",
        ]


def draws() -> Made:
    G = neurons(400)
    G.v = "rand()"
    G.x = "randn()"
    S = Synapses(G, G, "w : 1")
    S.connect(p=0.02)
    S.connect(p="0.1*rand() + 0.01*(i == j)", condition="rand() < 0.5")
    S.w = "poisson(3.5) + rand()"
    return {**pairs(S), "v": np.array(G.v), "x": np.array(G.x)}


def test_seeds(compiled: list[str], lava_device: Any) -> None:
    brian2.seed(12)
    first = draws()
    state = lava_device.get_random_state()
    second = draws()
    assert not np.array_equal(first["v"], second["v"])
    lava_device.set_random_state(state)
    assert_equal(draws(), second)
    brian2.seed(12)
    assert_equal(draws(), first)
    brian2.seed(13)
    assert not np.array_equal(draws()["v"], first["v"])


def test_distributions_of_settings(compiled: list[str]) -> None:
    n = 40_000
    G = NeuronGroup(n, "u : 1\ng : 1\nc : 1")
    G.u = "rand()"
    G.g = "randn()"
    G.c["rand() < 0.25"] = "1 + rand()"
    assert len(compiled) == 3
    assert 0 <= G.u[:].min() < 1e-3 and 1 - 1e-3 < G.u[:].max() < 1
    assert abs(G.u[:].mean() - 0.5) < 5 * np.sqrt(1 / 12 / n)
    assert abs(G.g[:].mean()) < 5 / np.sqrt(n) and abs(G.g[:].std() - 1) < 0.02
    assert abs(np.corrcoef(G.u[:], G.g[:])[0, 1]) < 5 / np.sqrt(n)
    chosen = G.c[:] > 0
    assert abs(chosen.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / n)
    assert abs(G.c[:][chosen].mean() - 1.5) < 5 * np.sqrt(1 / 12 / chosen.sum())


# ---------------------------------------------------------------- settings and look-ups
def settings() -> Made:
    G = neurons(101, threshold="v > 1e9", reset="")
    G.v = "i/N + exp(-x**2)"
    G.x["k > 2 and v > 0.3"] = "v*s + 1/(1.0 + i)"
    G.k = "i // 3 - i % 5"
    G.b["i > 50"] = "not b and v > 0.5"
    G.v[[3, 7, 3, 90]] = "x - k"
    G[20:30].x = "-i"
    refractory = NeuronGroup(
        40, "dv/dt = -v/(10*ms) : volt (unless refractory)", threshold="v > 1*volt",
        refractory=5 * ms, method="exact",
    )  # fmt: skip
    refractory.v = "i*mV + 2*mV"
    T = TimedArray(np.arange(12.0).reshape(4, 3), dt=1 * ms)  # noqa: F841  (a name in the expression)
    timed = NeuronGroup(3, "y : 1")
    timed.y = "T(2*ms, i)"
    S = Synapses(G, G, "w : 1\nd : second", on_pre="v_post += w")
    S.connect(condition="i == j or i == 5")
    S.w = "x_pre + 2*v_post + i*j"
    S.d["i < 10"] = "1*ms*i + 0.1*ms"
    S.delay = "0.1*ms*(1 + j % 4)"
    S.w[5, :] = "j"
    every = {name: np.array(G.variables[name].get_value()) for name in ("v", "x", "k", "b")}
    return {
        **every,
        "refractory": np.array(refractory.v_),
        "timed": np.array(timed.y),
        "w": np.array(S.w),
        "d": np.array(S.d_),
        "delay": np.array(S.delay_),
    }


def test_settings_are_those_of_numpy(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ours = settings()
    assert len(compiled) >= 12
    theirs = with_numpy(settings, monkeypatch)
    for key, values in theirs.items():
        assert ours[key].dtype == values.dtype
        np.testing.assert_allclose(ours[key], values, rtol=1e-14, atol=0, err_msg=key)


def test_settings_that_read_what_others_write_are_left_to_numpy(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> Made:
        G = neurons(11)
        S = Synapses(G, G)
        S.connect(condition="abs(i - j) < 3")
        S.v_post = "v_post + 1"
        G.v[[2, 2, 2]] = "v + 1"
        return {"v": np.array(G.v)}

    ours = make()
    assert len(compiled) == 1
    assert_equal(ours, with_numpy(make, monkeypatch))


def test_look_ups_are_those_of_numpy(compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> Made:
        G = NeuronGroup(77, "v : volt\ntwice = 2*v + 1*mV : volt")
        G.v = np.arange(77) * mV
        S = Synapses(G, G, "w : 1")
        S.connect(condition="i % 7 == j % 7")
        S.w = np.arange(len(S))
        return {
            "indices": np.array(G.indices["v > 20*mV and i % 2 == 0"]),
            "values": np.array(G.v_["i < 5"]),
            "subexpression": np.array(G.twice_[:]),
            "of some": np.array(G.twice_[[5, 3, 9]]),
            "of a synapse": np.array(S.w["i == 8 and v_post > 10*mV"]),
            "synapses": np.array(S.indices["i == 8"]),
        }

    ours = make()
    assert len(compiled) >= 6
    theirs = with_numpy(make, monkeypatch)
    for key, values in theirs.items():
        np.testing.assert_allclose(ours[key], values, rtol=1e-14, err_msg=key)


# ---------------------------------------------------------------- functions in C++ alone
@implementation("cpp", "double only_here(double x) { return 3*x + 1; }")
@check_units(x=1, result=1)
def only_here(x: float) -> float:
    raise NotImplementedError("this function has C++ code alone")


def test_functions_that_exist_in_cpp_alone() -> None:
    G = neurons(12)
    G.v = "only_here(i)"
    np.testing.assert_array_equal(G.v[:], 3 * np.arange(12) + 1.0)
    G.v[[1, 2]] = "only_here(0)"
    assert list(G.v[:4]) == [1, 1, 1, 10]
    G.x["only_here(i) > 20"] = "only_here(-1)"
    np.testing.assert_array_equal(G.x[7:], -2.0)
    np.testing.assert_array_equal(G.indices["only_here(i) < 8"], [0, 1, 2])
    np.testing.assert_array_equal(G.v["only_here(i) > 30"], [31, 34])
    G.s = "only_here(2)"
    assert G.s == 7
    S = Synapses(G, G, "w : 1")
    S.connect(condition="only_here(i) == j")
    assert list(zip(S.i[:], S.j[:])) == [(0, 1), (1, 4), (2, 7), (3, 10)]


def test_code_that_does_not_compile_is_named() -> None:
    @implementation("cpp", "double broken(double x) { return y_that_is_not_there; }")
    @check_units(x=1, result=1)
    def broken(x: float) -> float:
        raise NotImplementedError

    G = neurons(3)
    with pytest.raises(CompileError, match="y_that_is_not_there") as failed:
        G.v = "broken(i)"
    assert repr(G.name) in str(failed.value) and "v = broken(i)" in str(failed.value)


def test_names_that_cpp_keeps_for_itself(
    compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> Made:
        EL = 2.5  # noqa: F841  (a name in the expressions)
        G = NeuronGroup(9, "double : 1\nnew : 1")
        G.double = "i*EL"
        G.new["double > 2"] = "double + EL"
        S = Synapses(G, G)
        S.connect(j="this for this in range(N_post) if double_post > EL*this/5")
        return {"double": np.array(G.double), "new": np.array(G.new), **pairs(S)}

    ours = make()
    assert len(compiled) == 3
    assert_equal(ours, with_numpy(make, monkeypatch))


# ---------------------------------------------------------------- errors and thresholds
@pytest.mark.parametrize(
    "kwds",
    [
        {"j": "i + 1"},
        {"j": "i - 1"},
        {"j": "k for k in range(i - 3, i + 4)"},
        {"j": "i + 20 for _ in range(1) if x_post > 0"},
        {"j": "k for k in range(i - 3, N_post) if x_post > 0"},
        {"i": "j + 5"},
        {"j": "k for k in sample(N_post, size=i - 4)"},
        {"j": "k for k in sample(5, size=6)"},
    ],
    ids=lambda kwds: next(iter(kwds.values())),
)
def test_errors_are_those_of_numpy(
    kwds: dict[str, str], compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(go_on: bool = False) -> tuple[type, str]:
        G = neurons(20)
        S = Synapses(G, G, "w : 1")
        S.connect(condition="i == 7")
        with pytest.raises(BrianObjectException) as failed:
            S.connect(**kwds)
        if go_on:
            assert len(S) == 20  # nothing is left of the attempt
            S.connect(condition="i == j")
            assert list(S.i[20:]) == list(range(20))
        cause = failed.value.__cause__
        return type(cause), str(cause)

    ours = make(go_on=True)
    assert ours[0] is IndexError
    assert ours == with_numpy(make, monkeypatch)


def test_steps_of_zero_and_negative_numbers(compiled: list[str]) -> None:
    G = neurons(5)
    S = Synapses(G, G, "w : 1")
    with pytest.raises(BrianObjectException) as failed:
        S.connect(j="k for k in range(0, N_post, 0)")
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    with pytest.raises(BrianObjectException) as failed:
        S.connect(condition="i == j", n="i - 3")
    assert isinstance(failed.value.__cause__, ValueError)


def test_small_things_need_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: SetupCode) -> Any:
        raise AssertionError("was compiled")

    monkeypatch.setattr(SetupCode, "_build", refuse)
    connected({"condition": "i != j"}, {"p": 0.1})()
    settings()


def test_functions_in_python_alone_run_in_numpy(compiled: list[str]) -> None:
    @check_units(x=1, result=1)
    def squared(x: Any) -> Any:
        return x**2

    G = neurons(5)
    G.v = "squared(i)"
    assert list(G.v[:]) == [0, 1, 4, 9, 16]
    assert not compiled
