"""Drawn graphs through Lava's own runtime, all in one: a program of its own, which may hang.

``python -m tests.compiled_cfg_lava IN OUT``: IN holds seeds, whether they are in fixed point, steps
and which Vars to read; OUT gets these, graph by graph.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.processes.shim import import_lava


def through_lava(given: Any, folder: Path, seconds: float) -> list[list[Any]]:
    """What :func:`tests.compiled_cfg_graphs.held` finds in each graph after Lava has run it."""
    asked, told = folder / "asked", folder / "told"
    asked.write_bytes(pickle.dumps(given))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.compiled_cfg_lava", str(asked), str(told)],
        cwd=Path(__file__).parents[1], start_new_session=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        text, _ = process.communicate(timeout=seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, text
    found: list[list[Any]] = pickle.loads(told.read_bytes())
    return found


def main(asked: str, told: str) -> None:
    """Run what the file ``asked`` says; write the file ``told``."""
    import_lava()
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.dense.process import Dense

    from tests.compiled_cfg_graphs import held, make

    seeds, fixed, steps, names = pickle.loads(Path(asked).read_bytes())
    graphs = [make(seed, fixed) for seed in seeds]
    for before, after in zip(graphs, graphs[1:]):  # one runtime runs what hangs together
        source, port = before.neurons[0].s_out, after.neurons[0].in_ports.members[0]
        tie = Dense(weights=np.zeros((port.shape[0], source.shape[0]), int))
        source.connect(tie.s_in)
        tie.a_out.connect(port)
    first = graphs[0].neurons[0]
    tag = "fixed_pt" if fixed else "floating_pt"
    try:
        for count in steps:
            first.run(RunSteps(count), Loihi2SimCfg(select_tag=tag))
        found = [held(graph, chosen) for graph, chosen in zip(graphs, names)]
    finally:
        first.stop()
    Path(told).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
