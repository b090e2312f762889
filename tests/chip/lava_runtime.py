"""Chip networks through Lava's real runtime, all in one graph: a program of its own.

``python -m tests.chip.lava_runtime IN OUT``: IN holds pickled networks and the steps after which
states are read; OUT gets, a network and reading, the states of all populations. Lava starts an
operating-system process for every process of the graph and hangs where one of them fails, so the
caller keeps a time limit and ends the whole process group.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.chip.drawn_networks import Drawn

States = dict[tuple[str, str], np.ndarray]


def through_the_runtime(
    networks: Sequence[Drawn], readings: Sequence[int], folder: Path, seconds: float
) -> list[list[States]]:
    """By network, then reading: the states after that many steps."""
    given, made = folder / "networks", folder / "states"
    given.write_bytes(pickle.dumps((list(networks), list(readings))))
    command = [sys.executable, "-m", "tests.chip.lava_runtime", str(given), str(made)]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        text, _ = process.communicate(timeout=seconds)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, text
    states: list[list[States]] = pickle.loads(made.read_bytes())
    return states


def _wired(network: Drawn, steps: int) -> dict[str, Any]:
    """The populations of one network, joined."""
    from tests.chip.lava_oracle import graph, ring_buffer, spike_table, stimulus_table

    made = graph(network.network, network.sparse)
    senders = dict(made.populations)
    for source in network.network.sources:
        senders[source.name] = ring_buffer(spike_table(source, steps))  # type: ignore[arg-type]
    for connection, origin, target, port in made.joints:
        senders[origin].s_out.connect(connection.s_in)
        connection.a_out.connect(getattr(made.populations[target], port))
    for stimulus in network.network.stimuli:
        place = getattr(made.populations[stimulus.target], stimulus.port)
        ring_buffer(stimulus_table(stimulus, steps, place.shape[0])).s_out.connect(place)
    return made.populations


def _tie(populations: Sequence[Any]) -> None:
    """Join what is not connected by weights of zero: Lava runs one connected graph."""
    from lava.magma.compiler.compiler_graphs import find_processes
    from lava.proc.dense.process import Dense

    seen: set[Any] = set()
    last = None
    for population in populations:
        if population in seen:
            continue
        component = find_processes(population)
        if last is not None:
            target = next(iter(population.in_ports))
            tie = Dense(weights=np.zeros((*target.shape, *last.s_out.shape), np.int64))
            last.s_out.connect(tie.s_in)
            tie.a_out.connect(target)
        seen.update(component)
        last = population


def main(given: str, made: str) -> None:
    """Run what the file ``given`` says; write states to the file ``made``."""
    from brian2lava.processes.shim import import_lava

    import_lava()
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    networks, readings = pickle.loads(Path(given).read_bytes())
    wired = [_wired(network, readings[-1]) for network in networks]
    _tie([process for populations in wired for process in populations.values()])
    results: list[list[States]] = [[] for _ in networks]
    first: Any = next(iter(wired[0].values()))
    done = 0
    try:
        for reading in readings:
            first.run(RunSteps(reading - done), Loihi2SimCfg(select_tag="fixed_pt"))
            done = reading
            for network, populations, states in zip(networks, wired, results):
                states.append(
                    {
                        (name, state): getattr(populations[name], state).get()
                        for name, state in network.record
                    }
                )
    finally:
        first.stop()
    Path(made).write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
