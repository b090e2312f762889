"""``set_device("lava", …)`` and the device's own methods; nothing is silently ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Network,
    NeuronGroup,
    SpikeMonitor,
    TimedArray,
    check_units,
    implementation,
    ms,
    prefs,
    run,
    seed,
)

from brian2lava.errors import ForeignArray, NotSupported, OptionError
from tests.networks.devices import (  # noqa: F401
    ENGINES,
    Engine,
    needs_lava_device,
    pytest_generate_tests,
    reference,
    under,
)

pytestmark = needs_lava_device

_INLINE = ENGINES[0]


def _with(**options: Any) -> Any:
    return under(Engine("special", {"host": "inline", **options}))


@pytest.mark.parametrize(
    "options, text",
    (
        ({"hardwear": "CPU"}, "hardware"),
        ({"thread": 2}, "threads"),
        ({"hardware": "cpu"}, "CPU"),
        ({"hardware": "Loihi"}, "Loihi"),
        ({"host": "inlin"}, "inline"),
        ({"engine": "numpi"}, "numpy"),
        ({"threads": 0}, "threads"),
        ({"threads": "2"}, "threads"),
        ({"fuse": "yes"}, "fuse"),
        ({"granularity": "objects"}, "object"),
        ({"zebra": 1}, "zebra"),
    ),
)
def test_unknown_options_name_the_nearest(options: dict[str, Any], text: str) -> None:
    """A misspelt name or value raises, and the message has the right one."""
    with pytest.raises(OptionError, match=text), under(Engine("wrong", options)):
        pass


@pytest.mark.parametrize(
    "options",
    (
        {"hardware": "GPU"},
        {"backend": "chip", "hardware": "Loihi2"},
        {"use_f2f": False, "num_repr": "fixed"},
    ),
)
def test_options_for_later_raise(options: dict[str, Any]) -> None:
    """What other versions will do isn't silently done otherwise."""
    name = next(iter(options))
    with pytest.raises(NotSupported, match=name), under(Engine("later", options)):
        group = NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler")
        Network(group).run(1 * ms)


def test_a_failed_set_device_leaves_the_old_device() -> None:
    """After a misspelt option, Brian2 still runs."""
    before = brian2.get_device()
    with pytest.raises(OptionError), under(Engine("wrong", {"thread": 2})):
        pass
    assert brian2.get_device() is before
    with reference():
        group = NeuronGroup(1, "dv/dt = 1/ms : 1", method="euler")
        run(1 * ms)
        assert group.v[0] == pytest.approx(1)


def test_objects_made_before_set_device_raise_and_are_named(engine: Engine) -> None:
    """A group of the runtime device can't run on ours."""
    with reference():
        group = NeuronGroup(3, "dv/dt = 1/ms : 1", method="euler", name="too_early")
        with under(engine), pytest.raises(ForeignArray, match="too_early"):
            Network(group).run(1 * ms)


def test_monitors_and_synapses_made_before_set_device_are_named(engine: Engine) -> None:
    """Also when only some of the objects are too old."""
    with reference():
        old = NeuronGroup(3, "v : 1", threshold="v > 1", reset="v = 0", name="old_group")
        with under(engine):
            new = NeuronGroup(3, "dv/dt = 1/ms : 1", method="euler")
            with pytest.raises(ForeignArray, match="old_group"):
                Network(old, new).run(1 * ms)
            Network(new).run(1 * ms)


def test_report_says_where_it_ran(engine: Engine) -> None:
    """Host, engine, versions, seed and the time of each phase."""
    with under(engine):
        seed(77)
        group = NeuronGroup(3, "dv/dt = 1/ms : 1", method="euler")
        Network(group).run(1 * ms)
        report = brian2.get_device().report()
    assert report.host == engine.options.get("host", "lava")
    assert report.engine == engine.options.get("engine", "cpu")
    assert report.threads == engine.options.get("threads", 1)
    assert report.seed == 77
    assert report.steps == 10 and report.biological == pytest.approx(0.001)
    assert {"capture", "compile", "start", "tables", "loop", "read"} <= set(report.phases)
    assert all(time >= 0 for time in report.phases.values())
    assert report.versions["brian2"] == brian2.__version__
    assert str(report) and report.to_dict()["host"] == report.host


def test_seed_as_an_option() -> None:
    """``set_device("lava", seed=…)`` is ``seed(…)`` right after it."""
    values = []
    for given in (5, 5, 6):
        with _with():
            brian2.set_device("lava", host="inline", seed=given)
            group = NeuronGroup(5, "dv/dt = xi*ms**-0.5 : 1", method="euler")
            Network(group).run(1 * ms)
            values.append(np.array(group.v))
    assert np.array_equal(values[0], values[1])
    assert not np.array_equal(values[0], values[2])


# ---------------------------------------------------------------- the ritual of standalone mode
def test_standalone_scripts_run_unchanged(tmp_path: Path) -> None:
    """``build_on_run=False``, a directory, and ``device.build``."""
    with _with(build_on_run=False, directory=str(tmp_path / "a project")):
        group = NeuronGroup(3, "dv/dt = 1/ms : 1", method="euler")
        run(1 * ms)
        run(1 * ms)
        brian2.device.build(run=True)
        assert np.allclose(group.v, 2)
        brian2.device.reinit()
        brian2.device.activate()
    with _with(build_on_run=True), pytest.raises(RuntimeError, match="build_on_run"):
        brian2.device.build()


def _model() -> Any:
    stimulus = TimedArray([1.0, 3.0], dt=1 * ms, name="stimulus")
    group = NeuronGroup(
        3,
        "dv/dt = stimulus(t)*gain/ms : 1\ngain : 1\nk : integer",
        threshold="v > 2.5",
        reset="v = 0; k += 1",
        method="euler",
        name="swept",
        namespace={"stimulus": stimulus},
    )
    group.gain = "1 + i"
    spikes = SpikeMonitor(group, name="swept_spikes")
    return stimulus, group, spikes


def test_run_again_with_other_values(tmp_path: Path) -> None:
    """``device.run(run_args=…)`` with variables, timed arrays, and texts."""
    with _with(build_on_run=False, directory=str(tmp_path)):
        stimulus, group, spikes = _model()
        run(2 * ms)
        brian2.device.build(run=False)
        original = np.array(group.v), spikes.num_spikes
        brian2.device.run(run_args={group.gain: 0.25})
        assert np.allclose(group.v, 1.0) and spikes.num_spikes == 0
        brian2.device.run(run_args={group.gain: [0.1, 0.2, 0.3]})
        assert np.allclose(group.v, [0.4, 0.8, 1.2])
        brian2.device.run(run_args=["swept.gain=0.5"])
        assert np.allclose(group.v, 2.0)
        brian2.device.run(run_args={stimulus: [0.5, 0.5], group.gain: 1})
        assert np.allclose(group.v, 1.0)
        brian2.device.run()
        assert np.allclose(group.v, original[0]) and spikes.num_spikes == original[1]


def test_results_directory(tmp_path: Path) -> None:
    """Results of several runs lie beside one another."""
    with _with(build_on_run=False, directory=str(tmp_path)):
        _, group, spikes = _model()
        run(2 * ms)
        brian2.device.run(results_directory="one", run_args={group.gain: 0.1})
        brian2.device.run(results_directory="two", run_args={group.gain: 0.2})
        assert (tmp_path / "one").is_dir() and (tmp_path / "two").is_dir()
        assert np.allclose(group.v, 0.8)
        brian2.device.read_results("one")
        assert np.allclose(group.v, 0.4)
        with pytest.raises(TypeError, match="relative"):
            brian2.device.run(results_directory=str(tmp_path / "absolute"))
        assert spikes.num_spikes == 0


def test_apply_run_args(tmp_path: Path) -> None:
    """What is set after ``apply_run_args`` can depend on the arguments."""
    with _with(build_on_run=False, directory=str(tmp_path)):
        group = NeuronGroup(2, "dv/dt = a/ms : 1\na : 1", method="euler", name="applied")
        group.a = 1
        brian2.device.apply_run_args()
        group.v = "2*a"
        run(1 * ms)
        brian2.device.build(run=False)
        brian2.device.run(run_args={group.a: 3})
        assert np.allclose(group.v, 9)
        with pytest.raises(RuntimeError, match="once"):
            brian2.device.apply_run_args()


@pytest.mark.parametrize(
    "wrong, problem",
    (
        (["swept.gian=1"], ValueError),
        (["gain"], ValueError),
        ({"gain": 1}, TypeError),
    ),
)
def test_wrong_run_args_raise(wrong: Any, problem: type[Exception], tmp_path: Path) -> None:
    """Names that nothing has, and keys of another kind."""
    with _with(build_on_run=False, directory=str(tmp_path)):
        model = _model()
        Network(model[1:]).run(1 * ms)
        with pytest.raises(problem):
            brian2.device.run(run_args=wrong)


@pytest.mark.parametrize("slot", ("main", "before_start", "nowhere"))
def test_insert_code_is_refused(slot: str) -> None:
    """C++ for a main function that isn't there; the message says what to write instead."""
    with _with(), pytest.raises(NotSupported, match=slot):
        brian2.device.insert_code(slot, "x += 1;")


@pytest.mark.parametrize(
    "name, value",
    (
        ("devices.cpp_standalone.run_cmd_unix", "valgrind ./main"),
        ("devices.cpp_standalone.run_environment_variables", {"A": "1"}),
        ("codegen.cpp.compiler", "msvc"),
    ),
)
def test_preferences_without_meaning_are_refused(name: str, value: Any) -> None:
    """The preference, its value and what to do are told."""
    with _with():
        prefs[name] = value
        group = NeuronGroup(2, "dv/dt = 1/ms : 1", method="euler")
        with pytest.raises(NotSupported, match=name.rsplit(".", 1)[-1]):
            Network(group).run(1 * ms)


def test_compiler_preferences_are_honoured(tmp_path: Path) -> None:
    """Macros, headers and include folders reach the compiler."""
    (tmp_path / "constants.h").write_text("#define FROM_HEADER 5.0\n")
    with _with():
        prefs.codegen.cpp.define_macros = [("FROM_MACRO", "2.0")]
        prefs.codegen.cpp.include_dirs = [str(tmp_path)]
        prefs.codegen.cpp.headers = ["<cmath>", '"constants.h"']

        @implementation("cpp", "inline double told() { return FROM_MACRO + FROM_HEADER; }")
        @check_units(result=1)
        def told() -> Any:
            raise NotImplementedError

        group = NeuronGroup(2, "v : 1")
        group.run_regularly("v = told()")
        Network(group).run(0.1 * ms)
        assert list(group.v) == [7, 7]
        prefs.codegen.cpp.headers = []


def test_importing_registers_and_does_nothing_else() -> None:
    """Lava isn't imported by importing the package; the device is there by name."""
    import subprocess
    import sys

    text = (
        "import sys, brian2; before = brian2.get_device(); import brian2lava;"
        "from brian2.devices.device import all_devices;"
        "assert 'lava' in all_devices and brian2.get_device() is before;"
        "assert not any(name.split('.')[0] == 'lava' for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", text], check=True, timeout=120)
