"""Random graphs of Lava's library processes, made from a number, and what they hold after a run.

A graph is made as often as one likes from its seed: other process objects every time, with the same
values and connections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from brian2lava.processes.shim import import_lava

import_lava()
from lava.magma.compiler.compiler_graphs import find_processes  # noqa: E402
from lava.proc.atrlif.process import ATRLIF  # noqa: E402
from lava.proc.conv.process import Conv  # noqa: E402
from lava.proc.dense.process import DelayDense, Dense  # noqa: E402
from lava.proc.graded.process import GradedReluVec, GradedVec, NormVecDelay  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.process import LIF, LIFRefractory, LIFReset, TernaryLIF  # noqa: E402
from lava.proc.monitor.process import Monitor  # noqa: E402
from lava.proc.prodneuron.process import ProdNeuron  # noqa: E402
from lava.proc.resfire.process import RFZero  # noqa: E402
from lava.proc.rf.process import RF  # noqa: E402
from lava.proc.rf_iz.process import RF_IZ  # noqa: E402
from lava.proc.sdn.process import ActivationMode, Delta, Sigma, SigmaDelta  # noqa: E402
from lava.proc.sparse.process import DelaySparse, Sparse  # noqa: E402

#: Steps for which sinks and Monitors have room.
ROOM = 40


@dataclass
class Graph:
    """Processes of a drawn graph; the first reaches all others."""

    neurons: list[Any]
    others: list[Any]
    monitors: list[Any]

    @property
    def processes(self) -> list[Any]:
        return [*self.neurons, *self.others]


class Draw:
    """One graph from a seed, in fixed or floating point."""

    def __init__(self, seed: int, fixed: bool) -> None:
        self.rng = np.random.default_rng(seed)
        self.fixed = fixed

    def integers(self, low: int, high: int, size: Any = None) -> Any:
        return self.rng.integers(low, high + 1, size)

    def fraction(self, low: int, high: int, size: Any = None) -> Any:
        """Multiples of 1/64, whose sums are exact in any order."""
        return self.integers(low, high, size) / 64

    def neurons(self) -> Any:
        """A group of neurons of a random kind."""
        kinds = _FIXED if self.fixed else _FLOAT
        return kinds[self.integers(0, len(kinds) - 1)](self, int(self.integers(1, 6)))

    def connection(self, n_in: int, n_out: int) -> Any:
        """A connection of a random kind between so many neurons."""
        low = int(self.rng.choice([-300, 0])) if self.fixed else -128
        high = int(self.rng.choice([300, 0] if low else [300])) if self.fixed else 128
        weights = self.integers(low, high, (n_out, n_in))
        named: dict[str, Any] = {"num_message_bits": int(self.rng.choice([0, 16]))}
        if self.fixed:
            named |= {
                "weight_exp": int(self.integers(-3, 2)),
                "num_weight_bits": int(self.integers(4, 8)),
            }
        else:
            weights = weights / 64
        delays = self.integers(0, 3, (n_out, n_in))
        kind = int(self.integers(0, 3))
        if kind >= 2:
            named["num_message_bits"] = 0
        if kind == 0:
            return Dense(weights=weights, **named)
        if kind == 2:
            return DelayDense(weights=weights, delays=delays, **named)
        weights[self.rng.random(weights.shape) < 0.4] = 0
        weights[0, 0] = 64 if high else -64  # Lava can't read a matrix without entries
        if kind == 1:
            return Sparse(weights=csr_matrix(weights), **named)
        delays[weights == 0] = 0
        weights, delays = csr_matrix(weights), csr_matrix(delays)
        return DelaySparse(weights=weights, delays=delays, max_delay=3, **named)


def _lif(draw: Draw, n: int, kind: Any = LIF, **more: Any) -> Any:
    each = bool(draw.integers(0, 1))
    return kind(
        shape=(n,), du=draw.integers(0, 4095, n) if each else int(draw.integers(0, 4095)),
        dv=int(draw.integers(0, 4095)), bias_mant=draw.integers(-100, 400, n),
        bias_exp=draw.integers(0, 5, n), v=draw.integers(-2000, 2000, n),
        u=draw.integers(-2000, 2000, n),
        **({} if more.get("vth_hi") else {"vth": int(draw.integers(10, 300))}), **more,
    )  # fmt: skip


def _float_lif(draw: Draw, n: int, kind: Any = LIF, **more: Any) -> Any:
    return kind(
        shape=(n,), du=float(draw.fraction(0, 64)), dv=float(draw.fraction(0, 64)),
        bias_mant=draw.fraction(-6, 20, n), v=draw.fraction(-60, 60, n),
        **({} if more.get("vth_hi") else {"vth": float(draw.fraction(30, 200))}), **more,
    )  # fmt: skip


def _sigma_delta(draw: Draw, n: int, kind: Any) -> Any:
    named: dict[str, Any] = {
        "vth": int(draw.integers(1, 60)),
        "cum_error": bool(draw.integers(0, 1)),
        "spike_exp": int(draw.integers(0, 2)),
        "state_exp": int(draw.integers(0, 2)),
    }
    if kind is SigmaDelta:
        named["bias"] = int(draw.integers(-9, 9))
        named["act_mode"] = ActivationMode(int(draw.integers(0, 1)))
    return kind(shape=(n,), **named)


def _atrlif(draw: Draw, n: int) -> Any:
    named = {name: float(draw.integers(1, 4095)) / 4096
             for name in ("delta_i", "delta_v", "delta_theta", "delta_r")}  # fmt: skip
    return ATRLIF(
        shape=(n,), **named, theta_0=int(draw.integers(5, 50)), theta=5,
        theta_step=int(draw.integers(1, 30)), bias_mant=draw.integers(-100, 300, n), bias_exp=4,
    )  # fmt: skip


def _resonator(draw: Draw, n: int, kind: Any) -> Any:
    return kind(
        shape=(n,), period=float(draw.integers(3, 12)), alpha=float(draw.fraction(1, 20)),
        state_exp=int(draw.integers(1, 6)), decay_bits=12, vth=float(draw.integers(1, 40)),
    )  # fmt: skip


def _rf_zero(draw: Draw, n: int) -> Any:
    freqs, taus = draw.integers(5, 200, n).astype(float), draw.fraction(1, 9, n)
    return RFZero(shape=(n,), freqs=freqs, decay_tau=taus, uth=int(draw.integers(1, 50)))


_Kind = Callable[[Draw, int], Any]
_SDN: list[_Kind] = [
    lambda d, n: _sigma_delta(d, n, SigmaDelta),
    lambda d, n: _sigma_delta(d, n, Delta),
]
_FIXED: list[_Kind] = [
    _lif,
    lambda d, n: _lif(d, n, LIFReset, reset_interval=7, reset_offset=2),
    lambda d, n: _lif(d, n, TernaryLIF, vth_hi=60, vth_lo=-40),
    _atrlif,
    lambda d, n: _resonator(d, n, RF),
    lambda d, n: _resonator(d, n, RF_IZ),
    _rf_zero,
    *_SDN,
    lambda d, n: Sigma(shape=(n,)),
    lambda d, n: GradedVec(shape=(n,), vth=int(d.integers(0, 90))),
    lambda d, n: GradedReluVec(shape=(n,), vth=int(d.integers(0, 90))),
    lambda d, n: ProdNeuron(shape=(n,), vth=int(d.integers(0, 90)), exp=int(d.integers(0, 4))),
    lambda d, n: NormVecDelay(shape=(n,), vth=int(d.integers(0, 90))),
]
_FLOAT: list[_Kind] = [
    _float_lif,
    lambda d, n: _float_lif(d, n, LIFReset, reset_interval=5),
    lambda d, n: _float_lif(d, n, LIFRefractory, refractory_period=2),
    lambda d, n: _float_lif(d, n, TernaryLIF, vth_hi=1.5, vth_lo=-1.0),
    lambda d, n: RF(shape=(n,), period=7.0, alpha=0.1, vth=float(d.fraction(9, 90))),
    lambda d, n: RF_IZ(shape=(n,), period=5.0, alpha=0.1, vth=float(d.fraction(9, 90))),
    lambda d, n: ATRLIF(shape=(n,), bias_mant=d.fraction(0, 60, n)),
    *_SDN,
    lambda d, n: Sigma(shape=(n,)),
]


def make(seed: int, fixed: bool) -> Graph:
    """The graph of ``seed``."""
    draw = Draw(seed, fixed)
    groups = [draw.neurons() for _ in range(int(draw.integers(2, 4)))]
    sources = [_source(draw, int(draw.integers(1, 5))) for _ in range(2)]
    others: list[Any] = list(sources)
    senders = [*[source.s_out for source in sources], *[group.s_out for group in groups]]
    for place, group in enumerate(groups):
        for port in group.in_ports.members:
            # the group before, so that the graph hangs together, and any other
            for sender in (groups[place - 1].s_out, senders[draw.integers(0, len(senders) - 1)]):
                connection = draw.connection(sender.shape[0], port.shape[0])
                sender.connect(connection.s_in)
                connection.a_out.connect(port)
                others.append(connection)
    others.append(_image(draw, groups[0], fixed))
    sink = Sink(shape=(groups[-1].s_out.shape[0], 1), buffer=ROOM // 2)
    groups[-1].s_out.reshape((groups[-1].s_out.shape[0], 1)).connect(sink.a_in)
    others.append(sink)
    monitors = [Monitor(), Monitor()]
    monitors[0].probe(groups[0].s_out, ROOM)
    state = next(name for name in ("v", "imag", "act", "sigma") if hasattr(groups[1], name))
    monitors[1].probe(getattr(groups[1], state), ROOM)
    reached = find_processes(groups[0])
    others = [process for process in others if process in reached]
    return Graph(groups, others, monitors)


def _source(draw: Draw, n: int) -> Any:
    data = draw.integers(0, 5, (n, 11)) * draw.integers(0, 1, (n, 11))
    return Source(data=data if draw.fixed else data / 4)


def _image(draw: Draw, group: Any, fixed: bool) -> Any:
    """A convolution of what a group sends, taken as an image of one column."""
    n = group.s_out.shape[0]
    weight = draw.integers(-9, 9, (2, 1, 1, 1)) / (1 if fixed else 8)
    conv = Conv(weight=weight, input_shape=(n, 1, 1), num_message_bits=16, padding=1, stride=2)
    group.s_out.reshape((n, 1, 1)).connect(conv.s_in)
    return conv


def held(graph: Graph, names: Sequence[Sequence[str]]) -> list[Any]:
    """Vars of a graph's processes, then what its Monitors recorded, as arrays."""
    found = [getattr(process, name).get()
             for process, chosen in zip(graph.processes, names) for name in chosen]  # fmt: skip
    for monitor in graph.monitors:
        found += [data for by_name in monitor.get_data().values() for data in by_name.values()]
    return [np.asarray(x.toarray() if hasattr(x, "toarray") else x, float) for x in found]


def readable(graph: Graph) -> list[list[str]]:
    """Vars, by process, that Lava's own runtime can read.

    It waits for ever for numbers that are no integers, and for sparse matrices whose entries have
    become zero; it has no room for a parameter with a value for every neuron.
    """
    runtime = graph.neurons[0].runtime
    models = {member.process: member.model for member in runtime.plan.members}

    def can(process: Any, var: Any) -> bool:
        value = getattr(models[process], var.name)
        fills = np.size(value) == np.prod(var.shape)  # a decay a neuron does not
        return bool(isinstance(value, (np.ndarray, np.int32, int)) and fills)

    return [[var.name for var in each.vars.members if can(each, var)] for each in graph.processes]
