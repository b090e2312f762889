"""``deterministic=True``: the same bits from every engine, and functions that every machine has."""

from __future__ import annotations

import ctypes
import functools
import hashlib
from typing import Any

import brian2 as b2
import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler
from brian2lava.errors import OptionError
from tests.cuda.networks import CARD, NETWORKS, on, results

#: With the largest error that exact.hpp promises, in units of the last place.
FUNCTIONS = {
    "exp": 1.0, "expm1": 1.0, "log": 1.0, "log10": 1.0, "log1p": 1.0, "sin": 1.0, "cos": 1.0,
    "atan": 1.0, "tan": 2.5, "asin": 2.5, "acos": 2.5, "sinh": 2.5, "cosh": 2.5, "tanh": 2.5,
}  # fmt: skip
Values = NDArray[np.float64]


@functools.cache
def _library() -> ctypes.CDLL:
    compiler = find_compiler()
    assert compiler is not None
    source = "".join(
        f'extern "C" void of_{name}(const double *x, double *y, int64_t n) {{\n'
        f"for (int64_t k = 0; k < n; k++) y[k] = {name}(x[k]);\n}}\n"
        for name in (*FUNCTIONS, "lgamma")
    )
    source += (
        'extern "C" void of_pow(const double *x, const double *z, double *y, int64_t n) {\n'
        "for (int64_t k = 0; k < n; k++) y[k] = pow(x[k], z[k]);\n}\n"
        'extern "C" void of_single(const float *x, float *y, int64_t n) {\n'
        "for (int64_t k = 0; k < n; k++) y[k] = exp(x[k]) + pow(x[k], x[k]);\n}\n"
    )
    return ctypes.CDLL(str(build(source, Toolchain(compiler, ("-O3",), exact=True)).path))


def ours(name: str, *arguments: NDArray[Any]) -> Any:
    made = np.empty_like(arguments[0])
    addresses = [ctypes.c_void_p(a.ctypes.data) for a in (*arguments, made)]
    getattr(_library(), f"of_{name}")(*addresses, ctypes.c_int64(len(made)))
    return made


def _arguments(name: str) -> Values:
    """Where the function is steep, flat, near its zeros, and at the ends of its range."""
    rng = np.random.default_rng(5)
    size = 10.0 ** rng.uniform(-12, 0, 150)
    signs = rng.choice([-1.0, 1.0], 150)
    if name in ("log", "log10"):
        far = 10.0 ** rng.uniform(-320, 308, 150)
        return np.concatenate([1 + 0.3 * signs * size, far, rng.uniform(0.1, 3, 150)])
    if name == "log1p":
        return np.concatenate([0.99 * signs * size, 10.0 ** rng.uniform(0, 300, 100)])
    if name in ("asin", "acos"):
        return np.concatenate([signs * size, 1 - size, size - 1])
    if name in ("sin", "cos", "tan"):
        near_zeros = np.arange(1, 100) * np.pi / 2
        far = signs * 10.0 ** rng.uniform(5, 308, 150)
        return np.concatenate([signs * size, rng.uniform(-40, 40, 150), near_zeros, far])
    most = {"exp": 708, "expm1": 709, "sinh": 710, "cosh": 710}.get(name, 25)
    return np.concatenate([signs * size, signs * rng.uniform(0, most, 150), 8 * signs * size])


def _units(values: Values, exact: list[Any]) -> Values:
    """Errors in units of the last place."""
    unit = np.spacing(np.abs([float(value) for value in exact]))
    error = [abs(mpmath.mpf(value) - right) for value, right in zip(values, exact, strict=True)]
    return np.array([float(e / mpmath.mpf(u)) for e, u in zip(error, unit, strict=True)])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_as_near_as_they_promise(name: str) -> None:
    x = _arguments(name)
    with mpmath.workprec(1200):
        right = [getattr(mpmath, name)(mpmath.mpf(float(value))) for value in x]
        assert _units(ours(name, x), right).max() < FUNCTIONS[name]


def test_powers_are_as_near_as_they_promise() -> None:
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.uniform(0, 9, 200), 1 + rng.normal(0, 1e-3, 200), -np.arange(1, 30.0)])
    y = np.concatenate(
        [rng.uniform(-90, 90, 200), rng.uniform(-9e4, 9e4, 200), rng.integers(-30, 30, 29)]
    )
    with mpmath.workprec(300):
        right = [mpmath.power(mpmath.mpf(a), mpmath.mpf(b)) for a, b in zip(x, y, strict=True)]
        assert _units(ours("pow", x, y), right).max() < 1


def test_the_logarithm_of_gamma() -> None:
    x = np.concatenate([np.arange(1, 60.0), 10.0 ** np.arange(2, 9)])
    right = np.array([float(mpmath.loggamma(value)) for value in x])
    np.testing.assert_allclose(ours("lgamma", x), right, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_numbers(name: str) -> None:
    """Infinities, no number, zeros with their signs, the ends of ranges, as C has them."""
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1, -1, 2, -2, 1e300, -1e300, 5e-324, 800])
    library = ctypes.CDLL(None)
    function = getattr(library, name)
    function.argtypes, function.restype = [ctypes.c_double], ctypes.c_double
    expected = np.array([function(value) for value in x])
    found = ours(name, x)
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    np.testing.assert_array_equal(
        np.signbit(found)[~np.isnan(found)], np.signbit(expected)[~np.isnan(expected)]
    )


def test_powers_of_special_numbers() -> None:
    some = [0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 7.5, 1e300, -1e300, np.inf, -np.inf, np.nan]
    x, y = (np.ravel(axis).copy() for axis in np.meshgrid(some, some))
    library = ctypes.CDLL(None)
    library.pow.argtypes, library.pow.restype = [ctypes.c_double] * 2, ctypes.c_double
    expected = np.array([library.pow(a, b) for a, b in zip(x, y, strict=True)])
    found = ours("pow", x, y)
    np.testing.assert_allclose(found, expected, rtol=4e-16)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found)[numbers], np.signbit(expected)[numbers])


def test_single_precision_is_the_double_one_rounded() -> None:
    x = np.linspace(0.1, 5, 200, dtype=np.float32)
    wide = x.astype(np.float64)
    expected = np.exp(wide).astype(np.float32) + np.power(wide, wide).astype(np.float32)
    np.testing.assert_array_equal(ours("single", x), expected)


def test_all_machines_have_these_bits() -> None:
    """One number for what all functions say of the same arguments, wherever this runs."""
    k = np.arange(1, 4001)
    x = (k * 2654435761 % 2**32) * 2.0**-32  # in (0, 1)
    found = [ours(name, x) for name in FUNCTIONS]
    found += [ours("exp", 1400 * x - 700), ours("sin", 1e18 * x), ours("pow", 9 * x, 60 * x[::-1])]
    assert hashlib.sha256(np.concatenate(found).tobytes()).hexdigest()[:16] == "37cc25079119e0b1"


# ---------------------------------------------------------------- networks


def functions() -> dict[str, Any]:
    """Every function of Brian2's, with noise, in double and single precision."""
    group = b2.NeuronGroup(
        100,
        """dv/dt = (sin(300*Hz*t + 0.1*i) + drive - v) / (10*ms) + 0.2*xi*(10*ms)**-0.5 : 1
        dw/dt = (exp(-w**2) + exprel(v) - abs(w)**1.7 + tanh(v)*cos(50*w) + log(1 + v**2)
                 + log1p(abs(w)) + log10(2 + v**2) - expm1(v/9) + tan(w/9)) / (20*ms) : 1
        drive = 1.2*arctan(w) + 0.1*sinh(v/3) + 0.1*cosh(v/3) + 0.1*arccos(clip(v, -1, 1))
                + 0.1*arcsin(clip(w, -1, 1)) + sqrt(abs(v)) : 1
        """,
        threshold="v > 1 + 0.1*rand()", reset="v = 0.1*randn() + 0.01*poisson(15)", method="euler",
        name="functions",
    )  # fmt: skip
    group.v = "rand()"
    group.w = "0.5 + 0.1*randn()"
    spikes = b2.SpikeMonitor(group)
    b2.Network(group, spikes).run(20 * b2.ms)
    return {"v": group.v[:], "w": group.w[:], "i": spikes.i[:], "t": spikes.t_[:]}


def single() -> dict[str, Any]:
    b2.prefs.core.default_float_dtype = np.float32
    try:
        return functions()
    finally:
        b2.prefs.core.default_float_dtype = np.float64


def cable() -> dict[str, Any]:
    """Hodgkin and Huxley's channels in a branched cable."""
    morphology = b2.Soma(30 * b2.um)
    morphology.axon = b2.Cylinder(length=100 * b2.um, diameter=1 * b2.um, n=10)
    morphology.dendrite = b2.Cylinder(length=50 * b2.um, diameter=2 * b2.um, n=5)
    neuron = b2.SpatialNeuron(
        morphology,
        """Im = gl*(-70*mV - v) + gna*m**3*(50*mV - v) : amp/meter**2
        dm/dt = (1/(1 + exp(-(v + 40*mV)/(5*mV))) - m)/(0.1*ms) : 1
        gna : siemens/meter**2
        I : amp (point current)""",
        Cm=1 * b2.uF / b2.cm**2, Ri=100 * b2.ohm * b2.cm, method="exponential_euler",
        namespace={"gl": 1e-4 * b2.siemens / b2.cm**2}, name="cable",
    )  # fmt: skip
    neuron.v = -70 * b2.mV
    neuron.gna = "10*msiemens/cm**2*exp(-distance/(100*um))"
    neuron.I[0] = 0.5 * b2.nA
    b2.Network(neuron).run(5 * b2.ms)
    return {"v": neuron.v_[:], "m": neuron.m[:]}


MORE = {"functions": functions, "single": single, "cable": cable}


def computed(name: str, **options: Any) -> dict[str, Any]:
    if name in NETWORKS:
        return results(name, **options)
    with on(**options):
        return {key: np.array(value) for key, value in MORE[name]().items()}


processor = functools.cache(lambda name: computed(name, deterministic=True))


def assert_same_bits(found: dict[str, Any], expected: dict[str, Any]) -> None:
    for key, value in expected.items():
        assert found[key].dtype == value.dtype, key
        assert found[key].tobytes() == value.tobytes(), key


@pytest.mark.parametrize("name", [*NETWORKS, *MORE])
def test_a_card_has_the_processors_bits(name: str) -> None:
    found = computed(name, deterministic=True, **CARD)
    assert_same_bits(found, processor(name))
    assert all(np.all(np.isfinite(value)) for value in found.values())


@pytest.mark.parametrize("options", [{"threads": 2}, {"fuse": False}], ids=["threads", "unfused"])
@pytest.mark.parametrize("name", ["plastic", "functions"])
def test_the_same_bits_however_it_runs(name: str, options: dict[str, Any]) -> None:
    assert_same_bits(computed(name, deterministic=True, **options), processor(name))


def test_preferences_of_the_compiler_do_not_count() -> None:
    key = "codegen.cpp.extra_compile_args"
    b2.prefs[key] = ["-Ofast", "-march=native", "-ffast-math", "-fassociative-math"]
    try:
        assert_same_bits(computed("functions", deterministic=True), processor("functions"))
    finally:
        b2.prefs[key] = None


def test_it_differs_from_what_is_fast() -> None:
    """Else the tests of this file could not fail; both are right to rounding."""
    fast, slow = computed("cable"), processor("cable")
    assert fast["v"].tobytes() != slow["v"].tobytes()
    np.testing.assert_allclose(fast["v"], slow["v"], rtol=1e-9)


def test_numpy_is_refused() -> None:
    with (
        pytest.raises(OptionError, match="deterministic=True, engine='numpy'"),
        on(deterministic=True, engine="numpy"),
    ):
        pass
