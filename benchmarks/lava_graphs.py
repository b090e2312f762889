"""Graphs of Lava's processes: Lava's own runtime against CompiledCfg, loop against loop.

    python -m benchmarks.lava_graphs
    python -m benchmarks.lava_graphs --only ring,conv --steps 50

Each graph is made twice. Both run the same steps once, to start; then the time of a further run is
taken on both sides (the best of five), in the same process, one after the other. Finally the
states of both are compared: fixed-point graphs must have the same integers. Ends with status 1
where a bar is missed or the sides disagree.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.processes.shim import import_lava

import_lava()
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.proc.conv.process import Conv  # noqa: E402
from lava.proc.dense.process import Dense, LearningDense  # noqa: E402
from lava.proc.io.source import RingBuffer  # noqa: E402
from lava.proc.lif.process import LIF  # noqa: E402
from lava.proc.sdn.process import ActivationMode, SigmaDelta  # noqa: E402
from lava.proc.sparse.process import Sparse  # noqa: E402
from scipy.sparse import csr_matrix, random  # noqa: E402

from brian2lava.interop.compiled import CompiledCfg  # noqa: E402

#: Processes whose Vars are compared, and the Vars.
Watched = list[tuple[Any, tuple[str, ...]]]


@dataclass(frozen=True)
class Case:
    """A graph with its bar.

    Attributes
    ----------
    make : callable
        Makes the graph; the first process is run.
    tag : str
        Of the models.
    steps : int
        Timed on Lava's side; on ours twenty times as many, and the time is divided.
    bar : float
        How many times faster it is to be.
    """

    make: Callable[[], Watched]
    tag: str
    steps: int
    bar: float


_ACTIVE = 0.015
_PERIOD = 97
#: Thresholds of the two layers, at which about 2 % of the neurons spike in a step, on average.
_LEVELS = (14500, 15000)


def _input(n: int, seed: int, high: int = 2) -> Any:
    """Spikes (or numbers below ``high``) of about 1.5 % of ``n`` neurons a step."""
    rng = np.random.default_rng(seed)
    active = rng.random((n, _PERIOD)) < _ACTIVE
    return RingBuffer(data=active * rng.integers(1, high, (n, _PERIOD)))


def lif_dense_lif(fixed: bool) -> Watched:
    """Input -> Dense -> LIF -> Dense -> LIF, 1,000 neurons a layer, at most 2 % spikes a step."""
    n, rng = 1000, np.random.default_rng(1)
    scale = 1 if fixed else 1 / 64
    source = _input(n, 2)
    first, second = (Dense(weights=rng.integers(0, 100, (n, n)) * scale) for _ in range(2))
    layers = [
        LIF(shape=(n,), du=4095, dv=200, vth=vth, v=rng.integers(0, vth << 6, n))
        if fixed
        else LIF(shape=(n,), du=1.0, dv=0.05, vth=vth / 64, v=rng.random(n) * vth / 64)
        for vth in _LEVELS
    ]
    source.s_out.connect(first.s_in)
    first.a_out.connect(layers[0].a_in)
    layers[0].s_out.connect(second.s_in)
    second.a_out.connect(layers[1].a_in)
    return [(layers[0], ("u", "v")), (layers[1], ("u", "v"))]


def recurrent() -> Watched:
    """4,000 LIF neurons with sparse recurrent connections, about 2 % spikes a step."""
    n = 4000
    rng = np.random.default_rng(3)
    weights = random(n, n, 0.02, format="csr", random_state=4)
    weights.data = rng.integers(-40, 41, weights.data.size)
    neurons = LIF(
        shape=(n,), du=400, dv=40, vth=2000, bias_mant=rng.integers(30, 60, n), bias_exp=6,
        v=rng.integers(0, 2000 << 6, n),
    )  # fmt: skip
    back = Sparse(weights=csr_matrix(weights.astype(np.int32)))
    neurons.s_out.connect(back.s_in)
    back.a_out.connect(neurons.a_in)
    return [(neurons, ("u", "v"))]


def graded_dense() -> Watched:
    """Three layers of Dense with graded spikes and sigma-delta neurons, 400 each."""
    n, rng = 400, np.random.default_rng(5)
    source = _input(n, 6, high=64)
    watched: Watched = []
    last = source.s_out
    for _ in range(3):
        dense = Dense(weights=rng.integers(-20, 21, (n, n)), num_message_bits=16, weight_exp=-4)
        neurons = SigmaDelta(shape=(n,), vth=40, act_mode=ActivationMode.RELU)
        last.connect(dense.s_in)
        dense.a_out.connect(neurons.a_in)
        last = neurons.s_out
        watched.append((neurons, ("sigma", "act", "residue")))
    return watched


def conv_sdn() -> Watched:
    """Five layers of Conv with sigma-delta neurons on a 32 x 32 image with two channels."""
    rng = np.random.default_rng(7)
    shape: tuple[int, ...] = (32, 32, 2)
    values = rng.integers(0, 64, (*shape, 50)) * (rng.random((*shape, 50)) < 0.05)
    source = RingBuffer(data=values)
    watched: Watched = []
    last = source.s_out
    for channels in (8, 8, 16, 16, 4):
        weight = rng.integers(-8, 9, (channels, 3, 3, shape[2]))
        conv = Conv(weight=weight, input_shape=shape, padding=1, num_message_bits=16)
        shape = tuple(int(x) for x in conv.output_shape)
        neurons = SigmaDelta(shape=shape, vth=400, act_mode=ActivationMode.RELU)
        last.connect(conv.s_in)
        conv.a_out.connect(neurons.a_in)
        last = neurons.s_out
        watched.append((neurons, ("sigma", "act", "residue")))
    return watched


def ring() -> Watched:
    """20 LIF and 20 Dense processes of 10 neurons each, in a ring."""
    rng = np.random.default_rng(8)
    neurons = [
        LIF(shape=(10,), du=400, dv=100, vth=300, bias_mant=rng.integers(0, 30, 10), bias_exp=5)
        for _ in range(20)
    ]
    for k, each in enumerate(neurons):
        dense = Dense(weights=rng.integers(-60, 61, (10, 10)))
        each.s_out.connect(dense.s_in)
        dense.a_out.connect(neurons[(k + 1) % len(neurons)].a_in)
    return [(each, ("u", "v")) for each in neurons]


def learning() -> Watched:
    """Input -> LearningDense with a pair rule -> LIF, 500 neurons each, an epoch of 4 steps."""
    n, rng = 500, np.random.default_rng(9)
    rule = Loihi2FLearningRule(
        dw="2^-3 * y0 * x1 - 2^-3 * x0 * y1", x1_impulse=16, x1_tau=4, y1_impulse=16, y1_tau=6,
        t_epoch=4, rng_seed=1,
    )  # fmt: skip
    source = _input(n, 10)
    dense = LearningDense(weights=rng.integers(0, 100, (n, n)), learning_rule=rule)
    neurons = LIF(shape=(n,), du=4095, dv=200, vth=7000, v=rng.integers(0, 7000 << 6, n))
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(neurons.a_in)
    neurons.s_out.connect(dense.s_in_bap)
    return [(neurons, ("u", "v")), (dense, ("weights",))]


CASES = {
    "lif_dense_lif": Case(lambda: lif_dense_lif(True), "fixed_pt", 200, 100),
    "lif_dense_lif_float": Case(lambda: lif_dense_lif(False), "floating_pt", 200, 100),
    "recurrent": Case(recurrent, "fixed_pt", 200, 100),
    "graded_dense": Case(graded_dense, "fixed_pt", 200, 10),
    "conv_sdn": Case(conv_sdn, "fixed_pt", 30, 10),
    "ring": Case(ring, "fixed_pt", 200, 1000),
    "learning": Case(learning, "fixed_pt", 100, 10),
}


def _timed(process: Any, config: Any, start: int, steps: int) -> float:
    """Milliseconds a step of a run of ``steps`` after a first one: the best of five."""
    process.run(RunSteps(start), config)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        process.run(RunSteps(steps), config)
        times.append(1e3 * (time.perf_counter() - began) / steps)
    return min(times)


def _states(watched: Watched) -> list[Any]:
    return [getattr(process, name).get() for process, names in watched for name in names]


def measure(case: Case, steps: int | None = None) -> tuple[float, float, bool]:
    """Milliseconds a step in Lava and in ours, and whether both have the same states."""
    steps = steps or case.steps
    theirs, ours, again = (case.make() for _ in range(3))
    slow = _timed(theirs[0][0], Loihi2SimCfg(select_tag=case.tag), 20, steps)
    fast = _timed(ours[0][0], CompiledCfg(select_tag=case.tag), 20, 20 * steps)
    again[0][0].run(RunSteps(20 + 5 * steps), CompiledCfg(select_tag=case.tag))
    close = np.array_equal if case.tag == "fixed_pt" else np.allclose
    same = all(close(a, b) for a, b in zip(_states(theirs), _states(again)))
    for watched in (theirs, ours, again):
        watched[0][0].stop()
    return slow, fast, same


def main() -> int:
    """Measure and print a table; 1 if a bar is missed or results differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help=f"of {', '.join(CASES)}")
    parser.add_argument("--steps", type=int, default=None)
    given = parser.parse_args()
    names = given.only.split(",") if given.only else list(CASES)
    missed = False
    print(f"{'graph':22}{'Lava, ms':>10}{'ours, ms':>11}{'times':>8}{'bar':>7}  states")
    for name in names:
        slow, fast, same = measure(CASES[name], given.steps)
        bar = CASES[name].bar
        missed |= slow / fast < bar or not same
        verdict = "the same" if same else "DIFFER"
        print(f"{name:22}{slow:10.3f}{fast:11.5f}{slow / fast:8.0f}{bar:7.0f}  {verdict}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
