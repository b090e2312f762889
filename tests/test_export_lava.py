"""``brian2lava export --to lava``: packages that run with lava-nc alone have the emulator's spikes.

Packages run in a process of their own, in which only Lava's import is repaired from outside.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    TimedArray,
    defaultclock,
    ms,
)

import brian2lava
from brian2lava.chip import arithmetic
from brian2lava.chip.given_words import GivenWords
from brian2lava.chip.learning import LearningRule, Trace, parse
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import (
    ChipNetwork,
    PoissonSpikes,
    Population,
    Projection,
    SpikeTimes,
)
from brian2lava.chip.plain_steps import PopulationStep, initial_states
from brian2lava.chip.profiles import PROFILES
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.export import Given, LavaPackage, export_run, given, python_text, script
from brian2lava.interop.export.sections import Pieces
from brian2lava.processes.shim import install
from tests.chip.lava_graph_networks import SIZE, drawn_part, registers, side_by_side
from tests.chip.test_on_chip import on_chip

ALONE = """
import runpy, sys
from brian2lava.processes.shim import install
install()
del sys.modules["brian2lava.processes.shim"]
sys.path.insert(0, "")
sys.modules["brian2lava"] = sys.modules["brian2lava.processes"] = None  # no import of ours
runpy.run_path("run.py", run_name="__main__")
"""


def run(package: LavaPackage) -> subprocess.CompletedProcess[str]:
    """``run.py`` in a process of its own; Lava's processes end with it, whatever happens."""
    child = subprocess.Popen(
        [sys.executable, "-c", ALONE], cwd=package.directory, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        told, errors = child.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        told, errors = child.communicate()
    return subprocess.CompletedProcess(child.args, child.returncode, told, errors)


def found(package: LavaPackage) -> dict[str, Any]:
    """Rows of (step, neuron) by group: what Lava gave, after a check that it is the emulator's."""
    done = run(package)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT" not in done.stdout
    with np.load(package.directory / "spikes.npz") as spikes:
        return dict(spikes)


def rows(monitor: Any) -> Any:
    """A SpikeMonitor's, in the order of time, then neuron."""
    steps = np.rint(np.asarray(monitor.t) / float(monitor.clock.dt)).astype(int)
    table = np.stack([steps, np.asarray(monitor.i)], axis=1)
    return table[np.lexsort(table.T[::-1])]


def exported(
    build: Callable[[], Mapping[str, Any]], path: Path, duration: Any, **options: Any
) -> tuple[LavaPackage, dict[str, Any]]:
    """A script's last run as a package, and its monitors' rows by group."""
    with on_chip(**options):
        defaultclock.dt = 1 * ms
        monitors = build()
        objects = {id(obj): obj for value in monitors.values() for obj in value}.values()
        Network(*objects).run(duration)
        package = brian2lava.export_lava(path / "package")
        return package, {name: rows(value[0]) for name, value in monitors.items()}


# ---------------------------------------------------------------- what scripts become
def everything() -> dict[str, Any]:
    """Refractory, two currents, a moving threshold, noise, chance, delays, graded counts."""
    source = SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 4, 9, 12] * ms, period=20 * ms, name="given")
    noise = PoissonGroup(4, 150 * Hz, name="noise")
    lif = NeuronGroup(
        6, "dv/dt = (g + 1.2*i/N - v)/(10*ms) : 1 (unless refractory)\ndg/dt = -g/(4*ms) : 1",
        threshold="v > 1", reset="v = 0", refractory=3 * ms, method="exact", name="lif",
    )  # fmt: skip
    two = NeuronGroup(
        4, "dv/dt = (g + h - v)/(10*ms) : 1\ndg/dt = -g/(4*ms) : 1\ndh/dt = -h/(9*ms) : 1",
        threshold="v > 0.5", reset="v = 0", method="exact", name="two",
    )  # fmt: skip
    moving = NeuronGroup(
        3, "dv/dt = (drive(t) - v)/(10*ms) : 1\ndtheta/dt = -theta/(30*ms) : 1",
        threshold="v > 1 + theta", reset="v = 0; theta += 0.3", method="exact", name="lambda",
        namespace={"drive": TimedArray([2.0, 3.0, 0.5, 2.5], dt=25 * ms)},
    )  # fmt: skip
    random = NeuronGroup(5, "", threshold="rand() < 0.1", name="random")
    rough = NeuronGroup(
        3, "dv/dt = (0.9 - v)/(10*ms) + 0.2*xi*(10*ms)**-0.5 : 1", threshold="v > 1",
        reset="v = 0", method="euler", name="rough",
    )  # fmt: skip
    plain = NeuronGroup(
        2, "dv/dt = (0.7 - v)/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact",
        name="plain",
    )  # fmt: skip
    inputs = PoissonInput(plain, "v", N=20, rate=100 * Hz, weight=0.05)
    synapses = [
        Synapses(source, lif, on_pre="g += 1.5", delay=2 * ms, name="a"),
        Synapses(lif, lif, on_pre="g -= 0.3", name="b"),
        Synapses(noise, two, on_pre="g += 1.9", name="c"),
        Synapses(lif, two, on_pre="h += 0.9", name="d"),
        Synapses(two, plain, "w : 1", on_pre="v_post += w", name="e"),
        Synapses(random, rough, on_pre="v_post += 0.2", name="f"),
    ]
    for each in synapses:
        each.connect()
    synapses[0].connect()  # several a pair
    synapses[4].w = "0.2*i - 0.3*j"
    synapses[4].delay = "i*ms"
    groups = [lif, two, moving, random, rough, plain]
    others = [source, noise, inputs, *synapses, *groups]
    return {group.name: (SpikeMonitor(group), *others) for group in groups}


def test_a_script_with_everything_has_the_same_spikes(tmp_path: Path) -> None:
    package, monitored = exported(everything, tmp_path, 100 * ms)
    got = found(package)
    assert got.keys() == {"lambda_2" if name == "lambda" else name for name in monitored}
    for name, expected in monitored.items():
        spikes = got["lambda_2" if name == "lambda" else name]
        assert len(expected) > 5, name
        np.testing.assert_array_equal(spikes, expected, err_msg=name)
    assert set(package.own) == {"lif", "two", "lambda", "random", "rough"}
    text = package.script.read_text()
    assert "brian2lava.processes" not in text
    assert "dv = 390" in text  # a time constant of 10 ms
    imported = {
        name
        for path in package.directory.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for name in ([node.module] if isinstance(node, ast.ImportFrom)
                     else [alias.name for alias in node.names])
    }  # fmt: skip
    assert {str(name).split(".")[0] for name in imported} == {
        "sys", "pathlib", "numpy", "lava", "processes",
    }  # fmt: skip


def learns() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    steps, who = np.nonzero(rng.random((150, 8)) < 0.12)
    source = SpikeGeneratorGroup(8, who, steps * ms, name="pre")
    group = NeuronGroup(
        3, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact", name="post"
    )
    synapses = Synapses(
        source, group,
        """w : 1
        dapre/dt = -apre/(20*ms) : 1 (event-driven)
        dapost/dt = -apost/(30*ms) : 1 (event-driven)""",
        on_pre="v_post += w\napre += 0.2\nw = clip(w + apost, 0, 1)",
        on_post="apost += -0.2\nw = clip(w + apre, 0, 1)", name="plastic",
    )  # fmt: skip
    synapses.connect(p=0.7)
    synapses.w = "0.3 + 0.4*rand()"
    return {"post": (SpikeMonitor(group), source, group, synapses)}


@pytest.mark.parametrize("chip", ["Loihi1", "Loihi2"])
def test_learning_by_the_networks_own_synapses(chip: str, tmp_path: Path) -> None:
    package, monitored = exported(learns, tmp_path, 150 * ms, hardware=chip)
    np.testing.assert_array_equal(found(package)["post"], monitored["post"])
    assert len(monitored["post"]) > 20
    still = given(*_without_learning(chip))
    assert not np.array_equal(still.spikes["post"][0], monitored["post"][:, 0])


def _without_learning(chip: str) -> tuple[ChipNetwork, int]:
    from dataclasses import replace

    kept = brian2lava.lava_device.chip_runs.last
    assert kept is not None
    network = kept.quantised.network
    projections = tuple(replace(each, learning=None) for each in network.projections)
    return replace(network, projections=projections), kept.steps


# ---------------------------------------------------------------- chip networks
def drawn(profile: str) -> ChipNetwork:
    """Stimuli, initial states, several synapses a pair, delays, payloads, negative exponents."""
    some = ("LIF", "CubaLIF2", "TernaryLIF", "RF") if profile == "lava" else ("LIF", "RF_IZ")
    exponents = (0, 5) if profile == "lava" else (-2, 5)
    parts = [drawn_part(f"{model}.{k}", model, 10 + k, exponents) for k, model in enumerate(some)]
    return side_by_side(parts, PROFILES[profile])


@pytest.mark.parametrize(
    "profile", ["lava", "loihi1", pytest.param("brian2loihi", marks=pytest.mark.long)]
)
def test_drawn_networks(profile: str, tmp_path: Path) -> None:
    got = found(export_run(given(drawn(profile), 40), tmp_path / "package"))
    assert sum(map(len, got.values())) > 50


class _Port:
    """In the place of a port of Lava's."""

    def __init__(self, arriving: Any = None) -> None:
        self.arriving, self.sent = arriving, None

    def recv(self) -> Any:
        return self.arriving

    def send(self, values: Any) -> None:
        self.sent = values


def _modules(population: Population, arithmetic: Any, monkeypatch: Any) -> Any:
    """The model that is written out for a population, executed."""
    network = ChipNetwork((population,), (), (), (), arithmetic)
    words = np.random.default_rng(1).integers(0, 1 << 24, (60, population.size))
    pieces = Pieces(Given(network, 60, {}, words={population.name: words}))
    lines = list(pieces._own_population(population, "a reason"))
    integers: dict[str, Any] = {}
    exec(script._integers(pieces)["integers"], integers)
    module = types.ModuleType("processes.integers")
    module.__dict__.update(integers)
    monkeypatch.setitem(sys.modules, "processes", types.ModuleType("processes"))
    monkeypatch.setitem(sys.modules, "processes.integers", module)
    found: dict[str, Any] = {"__name__": "written"}
    (text,) = (text for name, text in pieces.modules.items() if name != "integers")
    exec(text, found)
    (process,) = pieces.imports[next(iter(pieces.imports))]
    assert any(process in line for line in lines)
    return found[f"Py{process}"]({"words": words}), words


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("model", MODELS)
def test_what_is_written_out_steps_as_the_definition(
    model: str, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registers of all sizes, input up to where currents wrap."""
    install()
    computed = PROFILES[profile]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        chosen = {
            **{each.name: each.default for each in MODELS[model].registers},
            **registers(model, rng),
        }
        if "refractory" in chosen and seed % 2:
            chosen["refractory"] = rng.integers(0, 4, SIZE)
        if "inclusive" in chosen and seed % 2:
            chosen["inclusive"] = 1
        if "noise_exp" in chosen and seed in (2, 3):
            chosen |= {"noise_exp": 12, "noise_at_u": seed - 2}
        if model == "ProbSpiker":
            chosen["p_spike"] = 1 << 22
        population = Population("cells", model, SIZE, chosen)
        written, words = _modules(population, computed, monkeypatch)
        states = initial_states(population, computed)
        step = PopulationStep(population, computed, GivenWords(words))  # type: ignore[arg-type]
        kind = np.int32 if computed.word == 32 else np.int64
        for name, values in {**population.registers, **states}.items():
            setattr(written, name, np.array(np.broadcast_to(values, SIZE), kind))
        ports = MODELS[model].ports
        large = 40_000 if seed == 4 else 60
        for now in range(60):
            arrived = {port: rng.integers(-large, 2 * large, SIZE) for port in ports}
            for port in ports:
                setattr(written, port, _Port(arrived[port]))
            written.s_out, written.time_step = _Port(), now + 1
            written.run_spk()
            sent = step(states, arrived, now + 1)
            np.testing.assert_array_equal(written.s_out.sent, sent, err_msg=f"{now}")
            for name in states:
                np.testing.assert_array_equal(getattr(written, name), states[name], err_msg=name)


def test_every_operation_of_the_chip_can_be_written_out() -> None:
    assert python_text.ROWS.keys() == arithmetic.ROWS.keys()
    called = {name for name, row in arithmetic.ROWS.items() if row.c.startswith("static")}
    assert called - {"shift"} <= python_text.FUNCTIONS.keys()


# ---------------------------------------------------------------- mistakes, and what is refused
def small(steps: int = 30, **options: Any) -> Any:
    source = SpikeTimes("input", 2, [0, 1, 0], [1, 3, 8])
    cells = Population("LIF", "LIF", 2, {"du": 4095, "dv": 200, "vth": 100})
    others = Population("np", "LIF", 1, {"du": 4095, "dv": 0, "vth": 3})
    feed = Projection("a-b", "input", "LIF", [0, 1, 1], [0, 1, 0], [200, 100, 7], delays=[0, 2, 1])
    more = Projection("a_b", "LIF", "np", [0, 1], [0, 0], [5, 5])
    return given(ChipNetwork((cells, others), (source,), (feed, more)), steps, **options)


def test_a_wrong_weight_is_noticed(tmp_path: Path) -> None:
    package = export_run(small(), tmp_path / "package")
    data = package.directory / "parameters.npz"
    with np.load(data) as arrays:
        values = dict(arrays)
    assert values["a_b.weights"].tolist() == [200, 100, 7]
    values["a_b.weights"] = np.array([100, 100, 7])
    np.savez(data, **values)
    done = run(package)
    assert done.returncode == 1
    assert "LIF_2: 1 spikes, NOT the emulator's" in done.stdout


def test_names_become_pythons(tmp_path: Path) -> None:
    package = export_run(small(), tmp_path / "package")
    text = package.script.read_text()
    for line in ("input_2 = Source(", "LIF_2 = LIF(", "np_2 = LIF(", "a_b = DelayDense(",
                 "a_b_2 = Dense("):  # fmt: skip
        assert line in text, line
    assert package.own == {}
    assert "but for the recorder" in (package.directory / "README.md").read_text()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(OptionError, match="is not empty.*--force"):
        export_run(small(), tmp_path)
    with pytest.raises(OptionError, match="mine.txt' is a file"):
        export_run(small(), tmp_path / "mine.txt")
    (tmp_path / "processes").mkdir()
    (tmp_path / "processes" / "mine.py").write_text("pass")
    first = export_run(small(), tmp_path, force=True)
    old = tmp_path / "processes" / "chip_lif.py"
    old.write_text((tmp_path / "processes" / "spike_recorder.py").read_text())
    export_run(small(), tmp_path, force=True)
    assert not old.exists()
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert (tmp_path / "processes" / "mine.py").exists()
    assert all((tmp_path / each).is_file() for each in first.files)


def test_what_cannot_be_exported_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    with on_chip():
        brian2lava.lava_device.reinit()
        with pytest.raises(NotSupported, match="nothing ran in a chip's integers.*hardware='Loihi"):
            brian2lava.export_lava(tmp_path / "a")
        group = NeuronGroup(1, "v : 1", threshold="v > 1", reset="v = 0", name="cells")
        network = Network(group)
        with pytest.raises(NotSupported, match=f"'{network.name}' has not run in a chip's"):
            brian2lava.export_lava(tmp_path / "a", network)
        network.run(1 * ms)
        network.run(1 * ms)
        with pytest.raises(NotSupported, match="began at step 10.*in one run"):
            brian2lava.export_lava(tmp_path / "a", network)
    with pytest.raises(OptionError, match="0 steps"):
        small(steps=0)
    cells = Population("cells", "LIF", 2, {"vth": 3})
    with pytest.raises(NotSupported, match="source 'poisson' is random"):
        given(ChipNetwork((cells,), (PoissonSpikes("poisson", 2, 0.1),)), 3)
    with pytest.raises(NotSupported, match="no neurons"):
        given(ChipNetwork(), 3)
    rule = LearningRule(dw=parse("2^-2*x0*y1"), y1=Trace(16, 10), t_epoch=2)
    learning = Projection("slow", "cells", "cells", [0], [1], [5], learning=rule)
    with pytest.raises(NotSupported, match="'slow' has t_epoch=2"):
        export_run(given(ChipNetwork((cells,), (), (learning,)), 3), tmp_path / "a")
    monkeypatch.setattr(script, "MOST_PROCESSES", 3)
    with pytest.raises(NotSupported, match="6 Lava processes"):
        export_run(small(), tmp_path / "a")
    monkeypatch.setattr(script, "MOST_BYTES", 10)
    with pytest.raises(NotSupported, match="30 steps of 'input'"):
        export_run(small(), tmp_path / "a")
    assert not (tmp_path / "a").exists()


# ---------------------------------------------------------------- the command
SCRIPT = """
import sys
from brian2 import *
assert sys.argv[1:] == ["--force", "x"], sys.argv
E = -70*mV
g = NeuronGroup(2, "dv/dt = (E - v)/(10*ms) : volt", threshold="v > -50*mV", reset="v = E",
                method="exact", name="cells")
g.v = E
s = SpikeGeneratorGroup(1, [0], [1]*ms, name="source")
w = Synapses(s, g, on_pre="v += 25*mV", name="w")
w.connect()
run(10*ms)
if "never" in sys.argv:
    run(10*ms)
sys.exit(0)
"""


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "brian2lava.cli", "export", *words],
        cwd=cwd, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(SCRIPT)
    words = ["--to", "lava", "folder", "--hardware", "Loihi2", "model.py", "--", "--force", "x"]
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "folder" / "run.py").is_file()
    again = command(*words, cwd=tmp_path)
    assert again.returncode == 2
    assert "'folder' is not empty" in again.stderr
    graph = command("--to", "nir", "g.nir", "model.py", "--", "--force", "x", cwd=tmp_path)
    assert graph.returncode == 0, graph.stderr
    assert "cells (LIF)" in graph.stdout
    import nir

    node = nir.read(tmp_path / "g.nir").nodes["cells"]
    assert "v_start" not in (node.metadata or {})  # as it is before the run
    np.testing.assert_allclose(node.v_leak, -0.07)
    missing = command("--to", "lava", "other", "nothing.py", cwd=tmp_path)
    assert missing.returncode == 2
    assert "nothing.py" in missing.stderr


def test_the_chapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[1] / "docs" / "export.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    shown = re.findall(r"```text\n(.*?)```", page, flags=re.S)
    assert len(shown) == 4
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    with on_chip():
        exec(compile(code, "docs/export.md", "exec"), names)
        expected = rows(names["spikes"])
    package = names["package"]
    assert names["spikes"].num_spikes > 20
    texts = "\n".join(path.read_text() for path in package.directory.rglob("*.py"))
    for each in shown:
        assert each in texts, each
    files = {each.name for each in package.directory.iterdir()}
    assert files == set(re.findall(r"^\| `(.*?)/?` \|", page, flags=re.M))
    np.testing.assert_array_equal(found(package)["cells"], expected)
