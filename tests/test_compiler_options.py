"""Preferences for the compiler, C++ functions with files of their own, and names that C++ uses."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    DEFAULT_FUNCTIONS,
    Function,
    Network,
    NeuronGroup,
    StateMonitor,
    Synapses,
    check_units,
    device,
    implementation,
    ms,
    prefs,
    restore_initial_state,
    set_device,
)
from brian2.devices.device import reset_device

import brian2lava  # noqa: F401
from brian2lava.device.preferences import PREFERENCES
from brian2lava.errors import CompileError, NotSupported

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def lava() -> Iterator[None]:
    kept = {row.name: prefs[row.name] for row in PREFERENCES}
    set_device("lava", host="inline")
    yield
    for name, value in kept.items():
        prefs[name] = value
    device.reinit()
    reset_device("runtime")
    restore_initial_state()


def _evaluate(expression: str, **namespace: Any) -> np.ndarray:
    """``expression`` at each of three neurons, evaluated by the engine."""
    group = NeuronGroup(3, "v : 1")
    group.v = "i + 1"
    group.run_regularly(f"v = {expression}")
    Network(group).run(0.1 * ms, namespace=namespace)
    return np.array(group.v)


# ---------------------------------------------------------------- preferences
def test_every_preference_has_a_row_and_the_page_tells_them() -> None:
    names = {
        f"{group}.{key}"
        for group in ("codegen.cpp", "codegen.generators.cpp", "devices.cpp_standalone")
        for key in prefs.pref_register[group][0]
    }
    assert {row.name for row in PREFERENCES} == names
    path = REPOSITORY / "tools" / "options_page.py"
    spec = importlib.util.spec_from_file_location("options_page", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == (REPOSITORY / "docs" / "options.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("codegen.cpp.compiler", "msvc"),
        ("codegen.generators.cpp.restrict_keyword", "restrict"),
        ("devices.cpp_standalone.make_cmd_unix", "gmake"),
        ("devices.cpp_standalone.extra_make_args_unix", ["-j", "VERBOSE=1"]),
        ("devices.cpp_standalone.run_cmd_unix", ["valgrind", "./main"]),
        ("devices.cpp_standalone.run_environment_variables", {"A": "1"}),
        ("devices.cpp_standalone.openmp_threads", 1000),
    ],
)
def test_preferences_without_a_meaning_are_refused(name: str, value: Any) -> None:
    prefs[name] = value
    with pytest.raises(NotSupported, match=f"prefs.{name} = "):
        _evaluate("v")


def test_openmp_threads_are_the_engines_threads() -> None:
    prefs["devices.cpp_standalone.openmp_threads"] = 2
    prefs["devices.cpp_standalone.extra_make_args_unix"] = ["-j4"]
    _evaluate("v")
    assert device.report().threads == 2
    set_device("lava", host="inline", threads=1)
    _evaluate("v")
    assert device.report().threads == 1


def test_headers_macros_and_arguments_of_the_preferences() -> None:
    prefs["codegen.cpp.headers"] = ["<complex>"]
    prefs["codegen.cpp.define_macros"] = [("THREE", "3")]
    prefs["codegen.cpp.extra_compile_args"] = ["-O1", "-DFOUR=4"]

    @implementation(
        "cpp", "double length(double x) { return std::abs(std::complex<double>(THREE, FOUR)); }"
    )
    @check_units(x=1, result=1)
    def length(x: Any) -> Any:
        return 0 * x + 5

    np.testing.assert_allclose(_evaluate("length(v)", length=length), 5)


# ---------------------------------------------------------------- functions
def test_a_function_with_a_header_a_source_and_macros(tmp_path: Path) -> None:
    (tmp_path / "twice.h").write_text(
        "#include <algorithm>\n#include <vector>\n"
        "template <typename T> static inline T twice(T x) { return x + x; }\n"
        "static inline double normal(double x) { return -x; }  // the engine has one as well\n"
        "struct Queue { int size; };\n"
        "double shifted(double x);\n"
    )
    (tmp_path / "shifted.cpp").write_text("double shifted(double x) { return x + SHIFT; }\n")

    @implementation(
        "cpp",
        """
        static inline double largest(double x)
        {
            std::vector<double> values = {x, 2.0};
            Queue queue = {1};
            return twice<double>(*std::max_element(values.begin(), values.end()))
                   + normal(1.0) + shifted(queue.size);
        }
        """,
        headers=['"twice.h"'],
        sources=[str(tmp_path / "shifted.cpp")],
        include_dirs=[str(tmp_path)],
        define_macros=[("SHIFT", "100")],
        libraries=["m"],
    )
    @check_units(x=1, result=1)
    def largest(x: Any) -> Any:
        return 2 * np.maximum(x, 2.0) + 100

    expected = [104, 104, 106]
    np.testing.assert_allclose(_evaluate("largest(v)", largest=largest), expected)


def test_code_that_includes_a_header_or_declares_a_function_of_another_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "other.cpp").write_text("double other(double x) { return x + 40; }\n")
    set_device("lava", host="inline", additional_source_files=[str(tmp_path / "other.cpp")])

    @implementation(
        "cpp",
        """
        #include <map>
        double other(double x);
        double later(double x);
        double looked_up(double x)
        {
            std::map<int, double> table;
            table[1] = later(x);
            double copy(table[1]);
            return other(copy);
        }
        double later(double x) { return 2 * x; }
        """,
    )
    @check_units(x=1, result=1)
    def looked_up(x: Any) -> Any:
        return 2 * x + 40

    np.testing.assert_allclose(_evaluate("looked_up(v)", looked_up=looked_up), [42, 44, 46])


def test_a_function_with_a_table_and_one_that_draws() -> None:
    table = Function(lambda i: i, arg_units=[1], return_unit=1, arg_names=["i"])
    table.implementations.add_implementation(
        "cpp",
        "double table(int i) { return _namespace_values[i]; }",
        namespace={"_values": np.array([5.0, 6.0, 7.0])},
        name="table",
    )
    np.testing.assert_array_equal(_evaluate("table(i)", table=table), [5, 6, 7])
    noisy = Function(
        lambda x: x, arg_units=[1], return_unit=1, stateless=False, auto_vectorise=True
    )
    noisy.implementations.add_implementation(
        "cpp",
        "double noisy(double x, int _vectorisation_idx) { return x * _rand(_vectorisation_idx); }",
        dependencies={"_rand": DEFAULT_FUNCTIONS["rand"]},
        name="noisy",
    )
    values = _evaluate("noisy(10.0)", noisy=noisy)
    assert len(set(values)) == 3
    assert all(0 <= value < 10 for value in values)


def test_a_function_that_exists_in_python_only_is_called_everywhere() -> None:
    def plus_one(x: Any) -> Any:
        return x + 1

    namespace = {"plus_one": Function(plus_one, arg_units=[1], return_unit=1)}
    group = NeuronGroup(
        2,
        "v : 1\nnext = plus_one(v) : 1",
        threshold="plus_one(v) > 2",
        reset="v = plus_one(v) - 1",
    )
    group.v = [0, 5]
    synapses = Synapses(group, group, on_pre="v_post += plus_one(v_post)")
    synapses.connect(i=1, j=0)
    trace = StateMonitor(group, "next", record=True)
    Network(group, synapses, trace).run(0.3 * ms, namespace=namespace)
    np.testing.assert_array_equal(trace.next, [[1, 2, 4], [6, 6, 6]])
    assert any("called back to Python" in note for note in device.report().notes)


def test_a_function_that_does_not_compile_is_named() -> None:
    @implementation("cpp", "double broken(double x) { return y; }")
    @check_units(x=1, result=1)
    def broken(x: Any) -> Any:
        return x

    with pytest.raises(CompileError, match="(?s)v = broken.*'y' was not declared|‘y’ was not"):
        _evaluate("broken(v)", broken=broken)


# ---------------------------------------------------------------- names
_WORDS = """
    c q n k low high state_ unit site share mix normal uniform Context Queue step events kernel data
    main order_ first last targets body run count bin period saved done until leave make team
    double bool auto delete operator char new this const struct true NULL M_PI EOF errno stdin
    linux isnan j0 gamma index_ free signal time_
"""
#: What stands in rendered code or in its headers, C++ keywords and macros, and a long name.
NAMES = [*_WORDS.split(), "a_name_of_many_words" * 8]
_ENGINE_WORDS = "c q n k state Context Queue step normal uniform kernel data low mix share"


def test_variables_of_neurons_may_have_any_name() -> None:
    rows = [f"d{name}/dt = ({k} - {name}) / (10*ms) : 1" for k, name in enumerate(NAMES)]
    group = NeuronGroup(
        2,
        "\n".join(rows),
        method="euler",
        threshold=f"{NAMES[1]} > 0.001",
        reset="\n".join(f"{name} += 0.5" for name in NAMES),
    )
    Network(group).run(0.1 * ms)
    for k, name in enumerate(NAMES):
        np.testing.assert_allclose(group.variables[name].get_value(), k / 100 + 0.5)


def test_variables_of_synapses_may_have_any_name() -> None:
    group = NeuronGroup(2, "own_value : 1", threshold="i == 0")
    group.own_value = [3, 4]
    synapses = Synapses(
        group,
        group,
        "\n".join(f"{name} : 1" for name in NAMES),
        on_pre="\n".join(f"{name} += own_value_post + 1" for name in NAMES),
    )
    synapses.connect(i=0, j=1)
    Network(group, synapses).run(0.2 * ms)
    for name in NAMES:
        np.testing.assert_array_equal(synapses.variables[name].get_value(), [10])


def test_constants_may_have_any_name() -> None:
    constants = {name: float(k) for k, name in enumerate(NAMES)}
    summed = _evaluate(" + ".join(NAMES), **constants)
    np.testing.assert_allclose(summed, sum(constants.values()))


def test_functions_may_be_called_what_the_engine_calls_its_own() -> None:
    names = _ENGINE_WORDS.split()

    def double_of(name: str) -> Function:
        function = Function(lambda x: 2 * x, arg_units=[1], return_unit=1)
        function.implementations.add_implementation(
            "cpp", f"static double {name}(double x) {{ return 2 * x; }}", name=name
        )
        return function

    functions = {name: double_of(name) for name in names}
    values = _evaluate(" + ".join(f"{name}(v)" for name in names), **functions)
    np.testing.assert_allclose(values, 2 * len(names) * np.array([1, 2, 3]))


def test_single_precision_everywhere() -> None:
    prefs.core.default_float_dtype = np.float32
    group = NeuronGroup(
        3,
        "dv/dt = -v / (10*ms) : 1\nk : integer\non : boolean",
        threshold="v > 0.5 and on",
        reset="v = 0; k += 1",
        method="exact",
    )
    group.v, group.on = [0.25, 1, 1], [True, True, False]
    synapses = Synapses(group, group, "w : 1", on_pre="w += v_post", delay=0.1 * ms)
    synapses.connect(j="i")
    trace = StateMonitor(group, "v", record=True)
    Network(group, synapses, trace).run(1 * ms)
    assert trace.v.dtype == np.float32 and synapses.w[:].dtype == np.float32
    np.testing.assert_array_equal(group.k, [0, 1, 0])
    np.testing.assert_allclose(group.v, [0.25 * np.exp(-0.1), 0, np.exp(-0.1)], rtol=1e-5)
