"""Lava runs on today's Pythons once the shim is installed, and every repair repairs.

``BRIAN2LAVA_PYTHONS`` may name more interpreters, separated as in ``PATH``, in whose environments
lava-nc is installed; without it the tests run on the current one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lava")

Array = np.ndarray[Any, Any]
State = tuple[Array, Array, Array]
Step = Callable[[Array, Array, Array, dict[str, Any]], State]

SHIM = Path(__file__).parents[1] / "src" / "brian2lava" / "processes" / "shim.py"
PYTHONS = os.environ.get("BRIAN2LAVA_PYTHONS", sys.executable).split(os.pathsep)
STEPS = 60

LOAD_SHIM = f"""
import importlib.util
spec = importlib.util.spec_from_file_location("shim", {str(SHIM)!r})
shim = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shim)
"""

LIF_DENSE_LIF = """
import json, sys, warnings
shim.install()
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor

settings = json.loads(sys.argv[1])
first = LIF(shape=(3,), **settings["first"])
dense = Dense(weights=np.array(settings["weights"]))
second = LIF(shape=(2,), **settings["second"])
first.s_out.connect(dense.s_in)
dense.a_out.connect(second.a_in)
voltage, spikes = Monitor(), Monitor()
voltage.probe(second.v, settings["steps"])
spikes.probe(second.s_out, settings["steps"])
first.run(RunSteps(settings["steps"]), Loihi2SimCfg(select_tag=settings["tag"]))
result = {
    "v": voltage.get_data()[second.name]["v"].tolist(),
    "s": spikes.get_data()[second.name]["s_out"].tolist(),
}
first.stop()
print(json.dumps(result))
"""


def run(python: str, script: str, *arguments: str, seconds: float = 60) -> str:
    """Output of ``script`` after the shim is loaded; whatever it started is killed."""
    script = LOAD_SHIM + textwrap.dedent(script)
    process = subprocess.Popen(
        [python, "-W", "error::DeprecationWarning:lava", "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == 0, errors
    return output


def floating_lif(v: Array, u: Array, drive: Array, parameters: dict[str, Any]) -> State:
    """One step of Lava's floating-point LIF."""
    u = u * (1 - parameters["du"]) + drive
    v = v * (1 - parameters["dv"]) + u + parameters["bias_mant"]
    spikes = v > parameters["vth"]
    return np.where(spikes, 0, v), u, spikes


def fixed_lif(v: Array, u: Array, drive: Array, parameters: dict[str, Any]) -> State:
    """One step of Lava's fixed-point LIF, within the range where nothing wraps."""

    def decayed(x: Array, decay: int) -> Array:
        return np.asarray(np.sign(x) * (np.abs(x) * (4096 - decay) >> 12))

    u = decayed(u, parameters["du"] + 1) + (drive << 6)
    v = decayed(v, parameters["dv"]) + u + parameters["bias_mant"]
    spikes = v > parameters["vth"] << 6
    return np.where(spikes, 0, v), u, spikes


def expected(step: Step, settings: dict[str, Any]) -> tuple[Array, Array]:
    """Voltages and spikes of the second layer, (steps, 2); Dense delays by a step."""
    weights = np.array(settings["weights"])
    v1, u1, v2, u2 = (np.zeros(n, dtype=weights.dtype) for n in (3, 3, 2, 2))
    drive = np.zeros(2, dtype=weights.dtype)
    voltages, spikes = [], []
    for _ in range(STEPS):
        v1, u1, first = step(v1, u1, np.zeros(3, dtype=weights.dtype), settings["first"])
        v2, u2, second = step(v2, u2, drive, settings["second"])
        drive = weights @ first
        voltages.append(v2)
        spikes.append(second)
    return np.array(voltages), np.array(spikes)


FLOATING = {
    "tag": "floating_pt",
    "steps": STEPS,
    "first": {"du": 0.5, "dv": 0.1, "vth": 1.0, "bias_mant": 0.3},
    "weights": [[0.5, 0.25, 0.125], [0.1, 0.0, -0.2]],
    "second": {"du": 0.2, "dv": 0.05, "vth": 3.0, "bias_mant": 0.0},
}
FIXED = {
    "tag": "fixed_pt",
    "steps": STEPS,
    "first": {"du": 2000, "dv": 400, "vth": 20, "bias_mant": 300},
    "weights": [[20, 10, 6], [4, 0, -8]],
    "second": {"du": 800, "dv": 200, "vth": 110, "bias_mant": 0},
}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("step, settings", [(floating_lif, FLOATING), (fixed_lif, FIXED)])
def test_lava_runs_two_layers(python: str, step: Step, settings: dict[str, Any]) -> None:
    result = json.loads(run(python, LIF_DENSE_LIF, json.dumps(settings)).splitlines()[-1])
    voltages, spikes = expected(step, settings)
    assert spikes.sum() > 3
    np.testing.assert_array_equal(np.array(result["s"]), spikes)
    np.testing.assert_allclose(np.array(result["v"]), voltages, rtol=1e-12)


@pytest.mark.parametrize("python", PYTHONS)
def test_repairs(python: str) -> None:
    """Each line of the shim's table, but the start method."""
    output = run(
        python,
        """
        shim.install()
        shim.install()
        import numpy as np, sys
        print(sum(type(finder).__name__ == "_RepairingFinder" for finder in sys.meta_path))

        import lava.magma.compiler.var_model as var_model
        print(var_model.CoreEncoder().x.base)

        from lava.magma.core.process.process import AbstractProcess
        process = AbstractProcess()
        print(hasattr(process.vars, "__wrapped__"), hasattr(process.vars, "_no_such"))
        try:
            process.vars.no_such
        except AssertionError as error:
            print("no_such" in str(error))

        from lava.magma.core.process.ports.ports import ReshapePort
        port = ReshapePort(new_shape=(2, 3), old_shape=(6,))
        print(port.get_transform_func_fwd()(np.arange(6)).shape)
        print(port.get_transform_func_bwd()(np.zeros((2, 3))).shape)

        from lava.proc.graded.models import inv_sqrt
        print(inv_sqrt(np.array([4 << 12])) == inv_sqrt(4 << 12))

        from lava.proc.clp.nsm.models import PyAllocatorModel

        class Port:
            shape = (1,)
            def recv(self): return np.array([1])
            def send(self, data): print(data.tolist())

        class Allocator:
            trigger_in = allocate_out = Port()
            next_alloc_id = np.array([1])

        allocator = Allocator()
        PyAllocatorModel.run_spk(allocator)
        PyAllocatorModel.run_spk(allocator)
        """,
    )
    assert output.splitlines() == [
        "1", "0", "False False", "True", "(2, 3)", "(6,)", "True", "[1]", "[2]",
    ]  # fmt: skip


def test_the_start_method_stays_free() -> None:
    output = run(
        sys.executable,
        """
        import multiprocessing
        multiprocessing.set_start_method("spawn")
        shim.install()
        import lava.magma.runtime.runtime
        print(multiprocessing.get_start_method())
        multiprocessing.set_start_method("fork", force=True)
        print(multiprocessing.get_start_method())
        """,
    )
    assert output.split() == ["spawn", "fork"]


def test_importing_brian2lava_is_enough() -> None:
    code = """
import brian2lava
from lava.proc.lif.process import LIF
print(LIF(shape=(3,)).v.shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "(3,)\n", done.stderr


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="Lava can't be imported without the shim")
def test_modules_that_are_there_already_are_repaired() -> None:
    output = run(
        sys.executable,
        """
        from lava.magma.core.process.process import AbstractProcess
        shim.install()
        print(hasattr(AbstractProcess().vars, "_no_such"))
        """,
    )
    assert output.split() == ["False"]


def test_everything_is_put_back() -> None:
    """The library functions that are replaced during an import are the old ones afterwards."""
    output = run(
        sys.executable,
        """
        import dataclasses, multiprocessing
        before = dataclasses._get_field, multiprocessing.set_start_method
        shim.install()
        import lava.magma.runtime.runtime
        print((dataclasses._get_field, multiprocessing.set_start_method) == before)
        """,
    )
    assert output.split() == ["True"]
