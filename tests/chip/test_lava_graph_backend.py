"""Where a chip network runs; what hardware configurations select, with stand-ins for the chip's."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.backend import (
    choose_backend,
    hardware_run_config,
    missing_for_chip,
)

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
