"""Functions of the user: in Python, in C++, with files and libraries, in every place."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Function,
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    check_units,
    declare_types,
    implementation,
    ms,
    network_operation,
    run,
    second,
    volt,
)

from tests.networks.compare import same_as_runtime
from tests.networks.devices import (  # noqa: F401
    ENGINES,
    Engine,
    needs_lava_device,
    pytest_generate_tests,
    under,
)

_COMPILED = [engine for engine in ENGINES if engine.name in ("inline", "lava")]


@same_as_runtime
def test_python_function_in_equations_and_resets() -> Any:
    """A function that exists in Python only, called in every step with arrays."""

    @check_units(x=1, y=1, result=1)
    def saturate(x: Any, y: Any) -> Any:
        return np.tanh(x) * y + 0.1

    group = NeuronGroup(
        5,
        "dv/dt = (1.4 + saturate(v, 0.3) - v)/(5*ms) : 1\nw : 1",
        threshold="v > 1.0021",
        reset="v = saturate(v, -0.2); w += 1",
        method="euler",
    )
    group.v = "saturate(i*0.1, 0.2)"
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, "v", record=True)
    run(8 * ms)
    return group, spikes, trace


@same_as_runtime
def test_python_function_in_synapses_and_operations() -> Any:
    """The same in synaptic code, conditions of ``connect``, thresholds and ``run_regularly``."""

    @check_units(x=1, result=1)
    def double(x: Any) -> Any:
        return 2 * x

    @check_units(x=1, result=bool)
    def is_small(x: Any) -> Any:
        return x < 3

    group = NeuronGroup(
        6,
        "dv/dt = 0.3/ms : 1\nu : 1",
        threshold="double(v) > 2.0013",
        reset="v = 0",
        method="euler",
    )
    group.v = "i*0.1"
    synapses = Synapses(group, group, "w : 1", on_pre="u_post += double(w)")
    synapses.connect("is_small(abs(i - j))")
    synapses.w = "double(i) + 0.1*j"
    group.run_regularly("u = double(u)*0.4", dt=1 * ms)
    run(9 * ms)
    return group, synapses


@same_as_runtime
def test_python_function_with_units_and_time() -> Any:
    """Arguments and results with units."""

    @check_units(t=second, amplitude=volt, result=volt)
    def wave(t: Any, amplitude: Any) -> Any:
        return amplitude * np.sin(t / (3 * ms) * 2)

    group = NeuronGroup(
        3,
        "dv/dt = (wave(t, 3*mV) - v)/(2*ms) : volt\nnow = wave(t, v) : volt (constant over dt)",
        method="euler",
    )
    group.v = "i*mV"
    trace = StateMonitor(group, ["v", "now"], record=True)
    run(6 * ms)
    return trace


@same_as_runtime
def test_python_function_with_state() -> Any:
    """A function that isn't pure is called once a step, in the right order."""
    counter = {"calls": 0}

    @implementation("numpy", discard_units=True)
    @declare_types(i="integer", result="integer")
    @check_units(i=1, result=1)
    def ticket(i: Any) -> Any:
        counter["calls"] += 1
        return counter["calls"] + 0 * np.asarray(i)

    ticket.stateless = False
    group = NeuronGroup(4, "k : integer")
    group.run_regularly("k = ticket(i)")
    trace = StateMonitor(group, "k", record=True)
    run(1 * ms)
    return group, trace, counter["calls"]


@same_as_runtime
def test_function_with_namespace_and_dependencies() -> Any:
    """``Function`` with several implementations and a namespace of arrays."""
    table = np.array([0.5, 1.5, -0.25])
    lookup = Function(
        lambda index: table[np.asarray(index, dtype=int) % 3],
        arg_units=[1],
        return_unit=1,
        arg_types=["integer"],
        return_type="float",
    )
    lookup.implementations.add_implementation(
        "cpp",
        """
        static inline double lookup(const int index)
        {
            return _namespacelookup_table[index % 3];
        }
        """,
        namespace={"lookup_table": table},
    )
    group = NeuronGroup(5, "v : 1")
    group.run_regularly("v += lookup(i + 1)")
    run(1 * ms)
    return group


@same_as_runtime
def test_cpp_and_python_implementation() -> Any:
    """Both are there: the compiled engine uses C++."""

    @implementation(
        "cpp",
        "inline double piecewise(double x, double y) { return x > y ? x - y : 0.5*(y - x); }",
    )
    @check_units(x=1, y=1, result=1)
    def piecewise(x: Any, y: Any) -> Any:
        return np.where(x > y, x - y, 0.5 * (y - x))

    group = NeuronGroup(7, "dv/dt = (piecewise(v, 0.4) + 0.7 - v)/(4*ms) : 1", method="rk2")
    group.v = "piecewise(i*0.2, 0.7)"
    trace = StateMonitor(group, "v", record=True)
    run(5 * ms)
    return trace


@needs_lava_device
@pytest.mark.parametrize("compiled", _COMPILED, ids=str)
def test_cpp_only_function(compiled: Engine) -> None:
    """A function that exists in C++ only works in the loop and in set-up code."""
    with under(compiled):

        @implementation("cpp", "inline double cubed(double x) { return x*x*x; }")
        @check_units(x=1, result=1)
        def cubed(x: Any) -> Any:
            raise NotImplementedError("use the C++ implementation")

        group = NeuronGroup(4, "v : 1\nw : 1")
        group.v = "cubed(i)"
        group.run_regularly("w = cubed(v) + 1")
        run(0.1 * ms)
        assert list(group.v) == [0, 1, 8, 27]
        assert list(group.w) == [1, 2, 513, 19684]


@needs_lava_device
@pytest.mark.parametrize("compiled", _COMPILED, ids=str)
def test_sources_headers_macros(compiled: Engine, tmp_path: Path) -> None:
    """``@implementation`` with source files, headers, include folders and macros."""
    folder = tmp_path / "with a space"
    folder.mkdir()
    (folder / "scaled.h").write_text("double scaled(double x);\n")
    (folder / "scaled.cpp").write_text(
        '#include "scaled.h"\ndouble scaled(double x) { return x*2.5; }\n'
    )
    with under(compiled):

        @implementation(
            "cpp",
            "static inline double shifted(double x) { return scaled(x) + SHIFT; }",
            sources=[str(folder / "scaled.cpp")],
            headers=['"scaled.h"', "<cmath>"],
            include_dirs=[str(folder)],
            define_macros=[("SHIFT", "7")],
        )
        @check_units(x=1, result=1)
        def shifted(x: Any) -> Any:
            raise NotImplementedError

        group = NeuronGroup(3, "v : 1")
        group.run_regularly("v = shifted(i)")
        run(0.1 * ms)
        assert list(group.v) == [7, 9.5, 12]


@needs_lava_device
@pytest.mark.skipif(shutil.which("g++") is None, reason="builds a library with g++")
@pytest.mark.parametrize("compiled", _COMPILED, ids=str)
def test_library(compiled: Engine, tmp_path: Path) -> None:
    """``@implementation`` with a shared library of the user."""
    (tmp_path / "answer.cpp").write_text('extern "C" double answer(double x) { return x + 42; }\n')
    subprocess.run(
        ["g++", "-shared", "-fPIC", "-o", "libanswer.so", "answer.cpp"], cwd=tmp_path, check=True
    )
    with under(compiled):

        @implementation(
            "cpp",
            'extern "C" double answer(double x);',
            libraries=["answer"],
            library_dirs=[str(tmp_path)],
            runtime_library_dirs=[str(tmp_path)],
        )
        @check_units(x=1, result=1)
        def answer(x: Any) -> Any:
            raise NotImplementedError

        group = NeuronGroup(2, "v : 1")
        group.run_regularly("v = answer(i)")
        run(0.1 * ms)
        assert list(group.v) == [42, 43]


def test_an_exception_in_a_function_names_it(engine: Engine) -> None:
    """The function's name, the object's name and the original error are told."""
    with under(engine):

        @check_units(x=1, result=1)
        def fragile(x: Any) -> Any:
            raise ArithmeticError("the well is dry")

        group = NeuronGroup(2, "v : 1", name="thirsty")
        group.run_regularly("v = fragile(v)")
        with pytest.raises(Exception) as caught:  # noqa: PT011  (Brian2 wraps it)
            run(1 * ms)
        chain = ""
        problem: BaseException | None = caught.value
        while problem is not None:
            chain += f"{type(problem).__name__}: {problem}\n"
            problem = problem.__cause__ or problem.__context__
        assert "the well is dry" in chain and "ArithmeticError" in chain
        assert "fragile" in chain and "thirsty" in chain


def test_an_exception_in_a_network_operation_reaches_the_caller(engine: Engine) -> None:
    """Unchanged, and the network can run again."""
    with under(engine):
        group = NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler")
        calls = []

        @network_operation(dt=1 * ms)
        def fail_once() -> None:
            calls.append(1)
            if len(calls) == 3:
                raise KeyError("third call")

        network = Network(group, fail_once)
        with pytest.raises(KeyError, match="third call"):
            network.run(5 * ms)
        before = network.t
        network.run(2 * ms)
        assert abs(float((network.t - before) / ms) - 2) < 1e-9
        assert len(calls) >= 5


@same_as_runtime
def test_functions_that_hold_python_objects() -> Any:
    """Interpolation over a closure, as users write it."""
    xs, ys = np.linspace(-1, 2, 7), np.random.RandomState(1).uniform(-1, 1, 7)

    @check_units(x=1, result=1)
    def curve(x: Any) -> Any:
        return np.interp(x, xs, ys)

    group = NeuronGroup(9, "dv/dt = (curve(v) - 0.2*v)/(3*ms) : 1", method="euler")
    group.v = np.linspace(-1, 2, 9)
    trace = StateMonitor(group, "v", record=True)
    run(5 * ms)
    return trace
