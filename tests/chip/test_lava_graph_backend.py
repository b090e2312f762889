"""Where a chip network runs; what hardware configurations select, with stand-ins for the chip's."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from brian2lava.chip.plain import PlainChip
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop import lava_run
from brian2lava.interop.backend import (
    choose_backend,
    hardware_run_config,
    missing_for_chip,
)
from tests.chip.lava_graph_networks import drawn_part, side_by_side

ROOT = Path(__file__).parents[2]

#: What Intel's extension would bring, as far as the selection of models sees it: base classes, and
#: a model of LIF for each chip.
STAND_INS = """
    import importlib.machinery, sys, types

    def module(name, **members):
        made = types.ModuleType(name)
        made.__spec__ = importlib.machinery.ModuleSpec(name, None)
        made.__dict__.update(members)
        sys.modules[name] = made
        return made

    from brian2lava.processes.shim import install
    install()
    import lava.magma.core.model.model as models

    class CLoihiProcessModel(models.AbstractProcessModel):
        pass

    class AbstractNcProcessModel(models.AbstractProcessModel):
        pass

    module("lava.magma.core.model.c")
    module("lava.magma.core.model.c.model", CLoihiProcessModel=CLoihiProcessModel)
    module("lava.magma.core.model.nc")
    module("lava.magma.core.model.nc.model", AbstractNcProcessModel=AbstractNcProcessModel)
    module("lava.utils.loihi2_profiler")

    import lava.proc.lif.models as lif
    from lava.magma.core.decorator import implements, requires
    from lava.magma.core.resources import Loihi1NeuroCore, Loihi2NeuroCore
    from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

    for core in (Loihi1NeuroCore, Loihi2NeuroCore):
        name = "On" + core.__name__
        made = type(name, (AbstractNcProcessModel,), {"__module__": "lava.proc.lif.process"})
        made = requires(core)(implements(proc=lif.LIF, protocol=LoihiProtocol)(made))
        setattr(sys.modules["lava.proc.lif.process"], name, made)
"""

#: The same, but the models of LIF do compute (in Python, as Lava's simulation does).
COMPUTING = STAND_INS.replace(
    'made = type(name, (AbstractNcProcessModel,), {"__module__"',
    'made = type(name, (lif.PyLifModelBitAcc, AbstractNcProcessModel), {"__module__"',
)

SCRIPT = """
    from brian2 import *
    import numpy as np
    import brian2lava
    from brian2lava.interop import lava_run

    def results(backend):
        set_device("lava", hardware="Loihi2", backend=backend, host="inline", seed=3)
        source = PoissonGroup(4, 300*Hz)
        group = NeuronGroup(
            3, "dv/dt = (g - v)/(10*ms) : 1\\ndg/dt = -g/(5*ms) : 1", threshold="v > 1",
            reset="v = 0", method="exact", name="group",
        )
        synapses = Synapses(source, group, on_pre="g += 1.5")
        synapses.connect()
        spikes, states = SpikeMonitor(group), StateMonitor(group, "v", record=True)
        Network(source, group, synapses, spikes, states).run(20*ms)
        return np.array(spikes.t), np.array(spikes.i), np.array(states.v)

    models = []
    watch = lava_run.watch

    def watched(builder, *arguments):
        models.append(builder.proc_model.__name__)
        watch(builder, *arguments)

    lava_run.watch = watched
    emulated, on_chip = results("emulator"), results(BACKEND)
    assert len(emulated[0]) > 10
    for one, other in zip(emulated, on_chip):
        assert np.array_equal(one, other)
    report = brian2lava.lava_device.report()
    assert report.arithmetic.endswith("computed on the chip"), report.arithmetic
    assert "OnLoihi2NeuroCore" in models, models
    print("ran", report.notes)
"""

SELECTION = """
    from brian2lava.chip.network import ChipNetwork, Population, Projection
    from brian2lava.interop.backend import (
        choose_backend, hardware_run_config, missing_for_chip, selected_models,
    )
    from brian2lava.interop.lava_graph import lava_graph

    assert missing_for_chip() == "", missing_for_chip()
    populations = (Population("a", "LIF", 2), Population("b", "LIF", 2, {"refractory": 3}))
    join = Projection("p", "a", "b", [0], [1], [5])
    for chip in ("Loihi1", "Loihi2"):
        assert choose_backend("auto", chip, True)[0] == "chip"
        assert choose_backend("chip", chip, True)[0] == "chip"
        assert choose_backend("emulator", chip, True)[0] == "emulator"
        config = hardware_run_config(chip)
        assert type(config).__name__ == chip + "HwCfg"
        graph = lava_graph(ChipNetwork(populations, (), (join,)), 5)
        models = selected_models(graph.processes, config)
        names = {name: models[process].__name__ for name, process in graph.neurons.items()}
        assert names["a"] == f"On{chip}NeuroCore", names
        assert names["b"].startswith("_Neurons"), names  # ours runs beside the chip
    print("selected")
"""


def run(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(text)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_the_extension_it_is_the_emulator_and_the_reason_says_why() -> None:
    backend, reason = choose_backend("auto", "Loihi2", True)
    assert backend == "emulator"
    assert "lava-loihi" in reason


def test_a_chip_that_is_not_there_is_refused_with_what_is_missing() -> None:
    for chip in ("Loihi1", "Loihi2"):
        with pytest.raises(
            NotSupported, match="lava-loihi .* is not installed.*backend='emulator'"
        ):
            choose_backend("chip", chip, True)
        with pytest.raises(NotSupported, match=f"{chip}HwCfg: .*lava-loihi .*emulator"):
            hardware_run_config(chip)


def test_what_is_asked_for_is_taken() -> None:
    assert choose_backend("emulator", "Loihi1", False)[0] == "emulator"
    assert choose_backend("lava", "Loihi2", True) == ("lava", "it was asked for")
    assert "take long" in choose_backend("lava", "Loihi2", False)[1]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(OptionError, match="'cloud': the backends are 'auto', 'emulator'"):
        choose_backend("cloud", "Loihi2", True)
    with pytest.raises(OptionError, match="'Loihi3': the chips are 'Loihi1', 'Loihi2'"):
        choose_backend("auto", "Loihi3", True)


def test_the_extension_in_part_is_not_enough() -> None:
    done = run(STAND_INS.replace('"lava.magma.core.model.nc.model", A', '"elsewhere", A') + """
    from brian2lava.interop.backend import missing_for_chip
    print(missing_for_chip())
    """)  # fmt: skip
    assert "installed in part: lava.magma.core.model.nc.model is missing" in done.stdout, (
        done.stderr
    )


def test_hardware_configurations_select_the_chips_models() -> None:
    assert missing_for_chip()
    done = run(STAND_INS + SELECTION)
    assert done.stdout.strip() == "selected", done.stderr


@pytest.mark.parametrize("backend", ["chip", "auto"])
def test_a_script_runs_with_the_chips_models(backend: str) -> None:
    """With stand-ins that compute in Python: hardware itself is not here."""
    done = run(COMPUTING + SCRIPT.replace("BACKEND", repr(backend)))
    assert done.stdout.strip() == "ran ()", done.stderr


def test_of_what_is_on_the_chip_spikes_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no model could be watched: the hub hears the spikes, and states stay as they were."""
    network = side_by_side([drawn_part("a", "LIF", 4)])
    record = [("a", "v")]
    want = PlainChip(network).run(60, record)
    monkeypatch.setattr(lava_run, "is_python", lambda model: "Hub" in model.__name__)
    monkeypatch.setattr(lava_run, "chip_run_config", lambda *_: lava_run._simulated("fixed_pt"))
    got = lava_run.run_lava(network, 60, record, hardware="Loihi2")
    assert "a" in got.on_chip
    assert len(want.spikes["a"][0]) > 5
    for name, spikes in want.spikes.items():
        assert np.array_equal(got.spikes[name], spikes), name
    assert np.all(got.states["a", "v"] == network.population("a").initial["v"])


def test_what_was_on_the_chip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their states are the emulator's, and the report says so."""
    from brian2lava import lava_device
    from tests.chip.test_backend_scripts import currents_and_sources
    from tests.chip.test_on_chip import on_chip

    with on_chip(backend="emulator"):
        emulated = currents_and_sources()
    monkeypatch.setattr(lava_run, "is_python", lambda model: "Hub" in model.__name__)
    monkeypatch.setattr(lava_run, "chip_run_config", lambda *_: lava_run._simulated("fixed_pt"))
    monkeypatch.setattr("brian2lava.interop.backend.missing_for_chip", lambda: "")
    with on_chip(backend="chip"):
        found = currents_and_sources()
        notes = lava_device.report().notes
    for name, values in emulated.items():
        assert np.array_equal(found[name], values), name
    assert any("ran on the chip, which gives its spikes: its states are" in note for note in notes)
