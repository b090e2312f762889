"""Runs a chip network as Lava processes, and brings back what the emulator would."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brian2lava.chip.network import ChipNetwork, Integers
from brian2lava.chip.plain import Recorded
from brian2lava.engine.host import interrupts_deferred
from brian2lava.errors import EngineDied, NotSupported, OptionError
from brian2lava.interop.backend import chip_run_config
from brian2lava.interop.lava_graph import (
    MOST_PROCESSES,
    Form,
    LavaGraph,
    Spikes,
    Traces,
    lava_graph,
)
from brian2lava.interop.notes import Notes
from brian2lava.interop.observation import Failures, Watched, is_python, watch
from brian2lava.interop.written import Written, refuse_unwritable
from brian2lava.processes.forking import ForkingThread
from brian2lava.processes.lava_host import forgotten_by_lava
from brian2lava.processes.runtime import WatchfulRuntime


@dataclass(frozen=True)
class LavaRecorded(Recorded):
    """What a run through Lava leaves behind.

    Attributes
    ----------
    ours : dict of str to str
        Populations and projections that were processes of ours, and why.
    on_chip : tuple of str
        Those that were on the chip: their states are as they were before the first step.
    """

    ours: Mapping[str, str] = field(default_factory=dict)
    on_chip: tuple[str, ...] = ()


def run_lava(
    network: ChipNetwork,
    steps: int,
    record: Sequence[tuple[str, str]] = (),
    replay: Mapping[str, Spikes] | None = None,
    select: str = "fixed_pt",
    form: Form = "auto",
    seed: int = 0,
    rng_seed: int | None = None,
    words: Mapping[str, Integers] | None = None,
    hardware: str = "",
    traces: Traces | None = None,
    written: Written | None = None,
) -> LavaRecorded:
    """Run ``network`` for ``steps`` steps in Lava's simulation of the chip.

    Parameters
    ----------
    network : ChipNetwork
    steps : int
    record : sequence of (name, state)
        What is recorded after each step: states of populations; of projections that learn "w", the
        mantissas, and traces ("x1", ...).
    replay : dict of str to (steps, indices), or (steps, indices, counts)
        Spikes of random sources (those that the emulator recorded), and what they carry.
    select : str
        Lava's tag of the models to take.
    form, seed, words, traces
        See :func:`brian2lava.interop.lava_graph.lava_graph`.
    rng_seed : int, optional
        Lava's LearningDense rounds by its own generators, which begin with this
        (:func:`~brian2lava.interop.lava_graph.lava_graph`). Without it, it rounds by the draws that
        the emulator has with the same ``seed``.
    hardware : str
        "Loihi1" or "Loihi2": what Intel's extension has models for runs on the chip; ``select`` is
        not used then. Spikes come back; states of neurons on the chip, and draws of learning there,
        do not: such states are recorded as they were before the first step.
    written : dict of (population, register) to array of shape (steps, size)
        Registers that the host writes before each step, of populations that are Lava's processes.

    Returns
    -------
    LavaRecorded
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
    notes = Notes(network, steps, record, traces, written)
    graph = lava_graph(
        network,
        max(1, steps),
        replay,
        form,
        seed,
        rng_seed=rng_seed or 0,
        masked=not hardware,
        words=words,
        heard=bool(hardware),
        traces=traces,
    )
    if len(graph.processes) > MOST_PROCESSES:
        raise NotSupported(
            f"the network becomes {len(graph.processes)} Lava processes, and more than"
            f" {MOST_PROCESSES} are not started: each is a process of the system. Join"
            " populations and projections, or use the emulator (brian2lava.chip.emulate)."
        )
    refuse_unwritable(graph, written or {}, hardware)
    on_chip: tuple[str, ...] = ()
    if steps and graph.processes:
        config = chip_run_config(graph.processes, hardware) if hardware else _simulated(select)
        on_chip = _run(graph, config, notes, drawn=rng_seed is None)
    return LavaRecorded(**vars(notes.recorded()), ours=graph.ours, on_chip=on_chip)


class _GraphRuntime(WatchfulRuntime):
    """A runtime that tells what failed in which process.

    ``on_chip``: populations and projections whose models do not run in Python.
    """

    on_chip: tuple[str, ...] = ()

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


def _simulated(select: str) -> Any:
    from lava.magma.core.run_configs import Loihi2SimCfg

    return Loihi2SimCfg(select_tag=select)


def _run(graph: LavaGraph, config: Any, notes: Notes, drawn: bool) -> tuple[str, ...]:
    """Run the graph; returns which populations and projections were on the chip."""
    from lava.magma.core.run_conditions import RunSteps

    first = graph.processes[0]
    thread = ForkingThread()
    with interrupts_deferred():
        runtime = thread.run(lambda: _started(graph, config, notes, drawn))
    try:
        first.run(RunSteps(graph.steps, blocking=False))
        runtime.finish_run()
    finally:
        with interrupts_deferred():
            runtime.stop()
            thread.release()
    return runtime.on_chip


def _started(graph: LavaGraph, config: Any, notes: Notes, drawn: bool) -> _GraphRuntime:
    """All processes of the graph, forked and waiting."""
    with forgotten_by_lava():
        executable = graph.processes[0].compile(config)
    titles = _titles(graph)
    names = [titles[process] for process in executable.proc_builders]
    on_chip = {
        titles[process]
        for process, builder in executable.proc_builders.items()
        if not is_python(builder.proc_model)
    }
    failures = Failures(names)
    watching = notes.watching(graph, drawn)
    for number, (process, builder) in enumerate(executable.proc_builders.items()):
        if is_python(builder.proc_model):
            watched = watching[process](builder.proc_model) if process in watching else Watched()
            watch(builder, number, failures, watched)
    runtime = _GraphRuntime(executable, names, failures)
    runtime.on_chip = tuple(sorted(on_chip))
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
