"""Runs a chip network as Lava processes, and brings back what the emulator would."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brian2lava.chip.network import ChipNetwork, Integers
from brian2lava.chip.plain import Recorded
from brian2lava.engine.host import interrupts_deferred
from brian2lava.errors import EngineDied, NotSupported, OptionError
from brian2lava.interop.chip_steps import initial_states, word_of
from brian2lava.interop.lava_graph import Form, LavaGraph, Spikes, lava_graph
from brian2lava.interop.observation import Failures, shared_array, watch
from brian2lava.processes.forking import ForkingThread
from brian2lava.processes.lava_host import _forgotten_by_lava
from brian2lava.processes.runtime import WatchfulRuntime

#: Each Lava process is a process of the system, and Lava's compiler recurses over them.
_MOST_PROCESSES = 500


def run_lava(
    network: ChipNetwork,
    steps: int,
    record: Sequence[tuple[str, str]] = (),
    replay: Mapping[str, Spikes] | None = None,
    select: str = "fixed_pt",
    form: Form = "auto",
    seed: int = 0,
) -> Recorded:
    """Run ``network`` for ``steps`` steps in Lava's simulation of the chip.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
    record : sequence of (population, state)
        States that are recorded after each step.
    replay : dict of str to (steps, indices)
        Spikes of Poisson sources (those that the emulator recorded).
    select : str
        Lava's tag of the models to take.
    form, seed
        See :func:`brian2lava.interop.lava_graph.lava_graph`.

    Returns
    -------
    Recorded
        As the emulator's; ``counts`` is empty, for Lava counts nothing.

    Raises
    ------
    EngineError
        A Lava process raised an exception: it is named, with its traceback.
    EngineDied
        A Lava process was killed.
    NotSupported, OptionError
    """
    if steps < 0:
        raise OptionError(f"run_lava: {steps} steps; 0 or more are needed.")
    for population, state in record:
        known = [item.name for item in network.population(population).neuron.states]
        if state not in known:
            raise OptionError(
                f"record={(population, state)!r}: {population!r} keeps no state {state!r}; it"
                f" keeps {', '.join(known)}."
            )
    notes = _Notes(network, steps, record)
    graph = lava_graph(network, max(1, steps), replay, form, seed)
    if len(graph.processes) > _MOST_PROCESSES:
        raise NotSupported(
            f"the network becomes {len(graph.processes)} Lava processes, and more than"
            f" {_MOST_PROCESSES} are not started: each is a process of the system. Join"
            " populations and projections, or use the emulator (brian2lava.chip.emulate)."
        )
    if steps and graph.processes:
        _run(graph, select, notes)
    return notes.recorded()


class _Notes:
    """Arrays, shared with Lava's processes, for spikes and states."""

    def __init__(self, network: ChipNetwork, steps: int, record: Sequence[tuple[str, str]]) -> None:
        self._network, self._steps = network, steps
        kind = word_of(network.arithmetic)
        origins = (*network.populations, *network.sources)
        self.spikes = {item.name: shared_array((steps, item.size), np.bool_) for item in origins}
        self.states = {}
        for population, state in record:
            rows = shared_array((steps, network.population(population).size), kind)
            rows[:] = initial_states(network.population(population), network.arithmetic)[state]
            self.states[population, state] = rows

    def of(self, name: str, model: Any) -> dict[str, Integers]:
        """The states of a population that its Lava model keeps; others never change."""
        return {
            state: rows
            for (population, state), rows in self.states.items()
            if population == name and hasattr(model, state)
        }

    def recorded(self) -> Recorded:
        """What was noted, in the order of time, then index."""
        spikes = {name: np.nonzero(rows) for name, rows in self.spikes.items()}
        return Recorded(
            spikes={name: (when, who) for name, (when, who) in spikes.items()},
            states={pair: rows.copy() for pair, rows in self.states.items()},
            counts={},
        )


class _GraphRuntime(WatchfulRuntime):
    """A runtime that tells what failed in which process."""

    def __init__(self, executable: Any, names: list[str], failures: Failures) -> None:
        super().__init__(executable, self._obituary)
        self._names, self._failures = names, failures

    def check(self) -> None:
        """Raise if a process has failed or ended."""
        self._failures.check()
        super().check()

    def finish_run(self) -> None:
        """Wait until the run is over."""
        self._await_word()
        self.check()  # before Lava joins processes that wait for each other
        self.wait()

    def _obituary(self, process: Any, role: str) -> Exception:
        self._failures.check()  # it may have written since
        names = [*self._names, role]
        name = names[min(self.processes.index(process), len(names) - 1)]
        return EngineDied(
            f"Lava's process {name!r} (process {process.pid}) {_end(process)} while the graph ran;"
            " its results are lost. The emulator runs the same network in this process."
        )


def _end(process: multiprocessing.Process) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _run(graph: LavaGraph, select: str, notes: _Notes) -> None:
    from lava.magma.core.run_conditions import RunSteps

    first = graph.processes[0]
    thread = ForkingThread()
    with interrupts_deferred():
        runtime = thread.run(lambda: _started(graph, select, notes))
    try:
        first.run(RunSteps(graph.steps, blocking=False))
        runtime.finish_run()
    finally:
        with interrupts_deferred():
            runtime.stop()
            thread.release()


def _started(graph: LavaGraph, select: str, notes: _Notes) -> _GraphRuntime:
    """All processes of the graph, forked and waiting."""
    from lava.magma.core.run_configs import Loihi2SimCfg

    with _forgotten_by_lava():
        executable = graph.processes[0].compile(Loihi2SimCfg(select_tag=select))
    titles = _titles(graph)
    names = [titles[process] for process in executable.proc_builders]
    failures = Failures(names)
    origins = {process: name for name, process in graph.neurons.items()}
    for number, (process, builder) in enumerate(executable.proc_builders.items()):
        origin = origins.get(process)
        states = {} if origin is None else notes.of(origin, builder.proc_model)
        spikes = None if origin is None else notes.spikes[origin]
        watch(builder, number, failures, states, spikes)
    runtime = _GraphRuntime(executable, names, failures)
    executable.assign_runtime_to_all_processes(runtime)
    try:
        runtime.initialize()
    except BaseException:
        runtime.stop()
        failures.check()
        raise
    return runtime


def _titles(graph: LavaGraph) -> dict[Any, str]:
    """What each process is called in messages: as in the chip network."""
    titles = {process: name for name, process in graph.neurons.items()}
    titles.update({process: name for name, process in graph.stimuli.items()})
    for name, layers in graph.layers.items():
        titles.update(dict.fromkeys(layers, name))
    if graph.hub is not None:
        titles[graph.hub] = "hub"
    return titles
