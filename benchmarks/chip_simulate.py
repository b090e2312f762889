"""What runs in the fresh processes of the chip's measures.

All functions take and return what JSON can hold; times are wall times in seconds of the loop
alone, without the making of networks, compilation, and the start of processes.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from brian2lava.chip.emulate import Emulation
from brian2lava.chip.network import ChipNetwork

from .chip_networks import example, loihi_recurrent, recurrent

_SAME_SPIKES_STEPS = 200


def against_lava(percent: float, size: int, steps: int, repeats: int) -> dict[str, Any]:
    """Emulator and Lava's runtime in turn, ``steps`` at a time.

    ``ours``, ``theirs`` are seconds a step; ``same`` says whether all currents and voltages at the
    end, and all spikes of the first steps, are the same integers.
    """
    from brian2lava.interop.lava_run import run_lava

    network = recurrent(percent, size)
    ours, theirs = [], []
    with Emulation(network) as emulation, _in_lava(network) as (process, run):
        for each in range(repeats + 1):
            seconds = _seconds(emulation.advance, steps), _seconds(run, steps)
            if each:  # the first warms both up
                ours.append(seconds[0] / steps)
                theirs.append(seconds[1] / steps)
        same = all(
            np.array_equal(emulation.state("neurons", name), getattr(process, name).get())
            for name in ("u", "v")
        )
        when, who = emulation.recorded().spikes["neurons"]
    few = min(steps, _SAME_SPIKES_STEPS)
    spikes = run_lava(network, few).spikes["neurons"]
    same = same and np.array_equal(spikes, (when[when < few], who[when < few]))
    share = np.bincount(when, minlength=steps * (repeats + 1))[steps:] / size
    return {
        "ours": ours, "theirs": theirs, "same": bool(same),
        "synapses": network.projections[0].size,
        "mean_share": float(share.mean()), "largest_share": float(share.max()),
    }  # fmt: skip


@contextmanager
def _in_lava(network: ChipNetwork) -> Iterator[tuple[Any, Any]]:
    """Lava's LIF and Sparse processes, started; the neurons, and a function that runs steps."""
    from brian2lava.processes.shim import import_lava

    import_lava()
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.lif.process import LIF
    from lava.proc.sparse.process import Sparse
    from scipy.sparse import csr_matrix

    population, projection = network.populations[0], network.projections[0]
    size = population.size
    registers = {name: np.array(values) for name, values in population.registers.items()}
    single = {name: int(values) for name, values in registers.items() if not values.ndim}
    lif = LIF(
        shape=(size,), v=np.array(population.initial["v"]), bias_mant=registers["bias_mant"],
        **single,
    )  # fmt: skip
    matrix = csr_matrix((projection.weights, (projection.post, projection.pre)), (size, size))
    sparse = Sparse(weights=matrix)
    lif.s_out.connect(sparse.s_in)
    sparse.a_out.connect(lif.a_in)
    selected = Loihi2SimCfg(select_tag="fixed_pt")
    try:
        yield lif, lambda steps: lif.run(RunSteps(steps), selected)
    finally:
        lif.stop()


def _seconds(run: Any, steps: int) -> float:
    begin = perf_counter()
    run(steps)
    return perf_counter() - begin


def loihi_side(side: str, size: int, steps: int, repeats: int) -> dict[str, Any]:
    """The recurrent network in the classes of one ``side``: "ours" or "theirs" (with Cython).

    ``loop`` are seconds a step; ``digest`` stands for all spikes. Theirs is what a run of three
    times as many steps costs more than one, so that what comes before the loop does not count.
    """
    import brian2

    brian2.prefs.codegen.target = "cython" if side == "theirs" else "numpy"
    if side == "ours":
        package = importlib.import_module("brian2lava.loihi")
        with _emulations() as seconds:
            net, spikes = loihi_recurrent(package, 4 * steps * (repeats + 1), size)
            for _ in range(repeats + 1):
                net.run(4 * steps)
        loop = [each / (4 * steps) for each in seconds[1:]]
    else:
        package = importlib.import_module("brian2_loihi")
        net, spikes = loihi_recurrent(package, 4 * steps * (repeats + 1), size)
        net.after_run = lambda: None  # it forgets the spikes of the last step of a run
        loop = []
        for each in range(repeats + 1):
            short, long = _seconds(net.run, steps), _seconds(net.run, 3 * steps)
            if each:
                loop.append((long - short) / (2 * steps))
    when, who = np.asarray(spikes.t_), np.asarray(spikes.i)
    when = np.rint(when * 1000).astype(np.int64)
    order = np.lexsort((who, when))
    text = when[order].tobytes() + who[order].astype(np.int64).tobytes()
    share = np.bincount(when) / size
    return {
        "loop": loop, "digest": hashlib.sha256(text).hexdigest(),
        "mean_share": float(share.mean()), "largest_share": float(share.max()),
    }  # fmt: skip


@contextmanager
def _emulations() -> Iterator[list[float]]:
    """The seconds of every call of ``Emulation.advance``."""
    seconds: list[float] = []
    original = Emulation.advance

    def timed(self: Emulation, steps: int) -> None:
        seconds.append(_seconds(lambda number: original(self, number), steps))

    Emulation.advance = timed  # type: ignore[method-assign]
    try:
        yield seconds
    finally:
        Emulation.advance = original  # type: ignore[method-assign]


def shortest_path(rows: int, repeats: int) -> dict[str, Any]:
    """The wave through a lattice of ``rows`` x ``rows``: ``loop`` (s), spikes, the last step."""
    import brian2

    brian2.prefs.codegen.target = "numpy"
    script = example("shortest_path")
    loop = []
    for _ in range(repeats):
        with _emulations() as seconds:
            lattice, spikes = script.wave(rows, 2 * rows)
        loop.append(sum(seconds))
    corner = np.asarray(spikes.t)[np.asarray(spikes.i) == rows * rows - 1]
    way = script.way_back(lattice, rows * rows - 1)
    return {
        "loop": loop, "spikes": int(spikes.num_spikes), "synapses": len(lattice),
        "corner": [int(step) for step in corner], "way": len(way) - 1,
    }  # fmt: skip


def anisotropic(rows: int, steps: int, seeds: int) -> dict[str, Any]:
    """Spikes a neuron, by seed, of excitatory and inhibitory neurons; ``loop`` (s)."""
    import brian2

    brian2.prefs.codegen.target = "numpy"
    script = example("anisotropic_network")
    loop: list[float] = []
    rates: dict[str, list[float]] = {"e": [], "i": []}
    for number in range(1, seeds + 1):
        made = script.network(rows, steps, number)
        with _emulations() as seconds:
            made.net.run(steps)
        loop.append(sum(seconds))
        for kind, found in rates.items():
            found.append(float(np.mean(getattr(made, kind).count)))
    return {"loop": loop, **rates}
