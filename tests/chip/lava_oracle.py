"""Lava's own fixed-point process models, driven directly: what the chip's arithmetic is held to.

No runtime and no operating-system processes: each ``ProcessModel`` is built from its ``Process``
as Lava's builder does it, its ports are stand-ins, and a network is stepped by hand in Lava's
order. A connection sends what it summed in the step before *and then* receives, so that what it
sends can be read from its buffer before the neurons run; that it sent just this is asserted.
:mod:`tests.chip.lava_runtime` runs the same processes through Lava's runtime.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from brian2lava.chip.network import (
    ChipNetwork,
    Population,
    Projection,
    SignMode,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain import Recorded
from brian2lava.processes.shim import import_lava

import_lava()

from lava.magma.core.model.py.ports import PyInPort, PyOutPort  # noqa: E402
from lava.magma.core.model.py.type import LavaPyType  # noqa: E402
from lava.proc.atrlif import models as atrlif_models  # noqa: E402
from lava.proc.atrlif.process import ATRLIF  # noqa: E402
from lava.proc.dense import models as dense_models  # noqa: E402
from lava.proc.dense.process import DelayDense, Dense  # noqa: E402
from lava.proc.io.source import RingBuffer  # noqa: E402
from lava.proc.lif import models as lif_models  # noqa: E402
from lava.proc.lif.process import LIF, LIFRefractory, LIFReset, TernaryLIF  # noqa: E402
from lava.proc.rf import models as rf_models  # noqa: E402
from lava.proc.rf.process import RF  # noqa: E402
from lava.proc.rf_iz import models as rf_iz_models  # noqa: E402
from lava.proc.rf_iz.process import RF_IZ  # noqa: E402
from lava.proc.sparse import models as sparse_models  # noqa: E402
from lava.proc.sparse.process import DelaySparse, Sparse  # noqa: E402
from lava.utils import weightutils  # noqa: E402

MODELS: dict[type, type] = {
    LIF: lif_models.PyLifModelBitAcc,
    LIFReset: lif_models.PyLifResetModelBitAcc,
    LIFRefractory: lif_models.PyLifRefractoryModelFloat,
    TernaryLIF: lif_models.PyTernLifModelFixed,
    ATRLIF: atrlif_models.PyATRLIFModelFixed,
    RF: rf_models.PyRFModelFixed,
    RF_IZ: rf_iz_models.PyRF_IZModelFixed,
    Dense: dense_models.PyDenseModelBitAcc,
    DelayDense: dense_models.PyDelayDenseModelBitAcc,
    Sparse: sparse_models.PySparseModelBitAcc,
    DelaySparse: sparse_models.PyDelaySparseModelBitAcc,
}


@contextmanager
def quiet_processes() -> Iterator[None]:
    """Lava gives the root logger another handler with each process; they are taken away again."""
    before = list(logging.root.handlers)
    try:
        yield
    finally:
        logging.root.handlers[:] = before


# ------------------------------------------------------------------ processes
def neurons(population: Population) -> Any:
    """The Lava process of a population whose chip model is one of Lava's."""
    with quiet_processes():
        return _NEURONS[population.model](population, _Registers(population))


class _Registers:
    """A population's registers as Lava wants them: one number where all neurons have the same."""

    def __init__(self, population: Population) -> None:
        self.population = population

    def __getitem__(self, name: str) -> Any:
        values = np.asarray(self.population.registers[name])
        if values.ndim == 0 or np.all(values == values.ravel()[0]):
            return int(values.ravel()[0])
        return values.copy()

    def many(self, *names: str) -> dict[str, Any]:
        return {name: self[name] for name in names}

    def fraction(self, name: str) -> float:
        """Of 4096: Lava's ATRLIF takes fractions, which k / 4096 meets exactly."""
        return float(self[name] / 4096)

    def initial(self, *names: str) -> dict[str, Any]:
        return {name: self.population.initial.get(name, 0) for name in names}


def _lif(population: Population, registers: _Registers, kind: Any = LIF, **more: Any) -> Any:
    return kind(
        shape=(population.size,),
        **registers.many("du", "dv", "bias_mant", "bias_exp", "vth"),
        **registers.initial("u", "v"),
        **more,
    )


def _lif_reset(population: Population, registers: _Registers) -> Any:
    timing = registers.many("reset_interval", "reset_offset")
    return _lif(population, registers, LIFReset, **timing)


def _ternary(population: Population, registers: _Registers) -> Any:
    return TernaryLIF(
        shape=(population.size,),
        **registers.many("du", "dv", "bias_mant", "bias_exp", "vth_hi", "vth_lo"),
        **registers.initial("u", "v"),
    )


def _atrlif(population: Population, registers: _Registers) -> Any:
    decays = ("delta_i", "delta_v", "delta_theta", "delta_r")
    return ATRLIF(
        shape=(population.size,),
        **{name: registers.fraction(name) for name in decays},
        **registers.many("theta_0", "theta_step", "bias_mant", "bias_exp"),
        **registers.initial("i", "v", "r"),
    )


def _resonator(kind: Any) -> Any:
    def make(population: Population, registers: _Registers) -> Any:
        process = kind(shape=(population.size,), period=10, alpha=0.1)
        for name in ("sin_decay", "cos_decay", "decay_bits", "state_exp", "vth"):
            getattr(process, name).init = registers[name]
        for name, values in registers.initial("real", "imag").items():
            getattr(process, name).init = values
        return process

    return make


_NEURONS: dict[str, Any] = {
    "LIF": _lif,
    "LIFReset": _lif_reset,
    "TernaryLIF": _ternary,
    "ATRLIF": _atrlif,
    "RF": _resonator(RF),
    "RF_IZ": _resonator(RF_IZ),
}


def layers(projection: Projection) -> list[np.ndarray]:
    """Indices of the first synapse of each pair, of the second, and so on."""
    rank = np.zeros(projection.size, np.int64)
    seen: dict[tuple[int, int], int] = {}
    for synapse, pair in enumerate(zip(projection.pre.tolist(), projection.post.tolist())):
        rank[synapse] = seen.get(pair, 0)
        seen[pair] = int(rank[synapse]) + 1
    return [np.flatnonzero(rank == k) for k in range(int(rank.max(initial=-1)) + 1)]


def connections(
    projection: Projection, sources: int, targets: int, sparse: bool, delayed: bool
) -> list[Any]:
    """The Lava processes of a projection, one a layer; ``delayed`` asks for a Delay* process."""
    made = []
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    for chosen in layers(projection):
        place = projection.post[chosen], projection.pre[chosen]
        arrays = []
        for values in (projection.weights, delays):
            matrix = np.zeros((targets, sources), np.int64)
            matrix[place] = values[chosen]
            arrays.append(csr_matrix(matrix) if sparse else matrix)
        weights, matrix_of_delays = arrays
        options: dict[str, Any] = {
            "weights": weights,
            "weight_exp": projection.exponent,
            "num_weight_bits": projection.num_weight_bits,
            "sign_mode": weightutils.SignMode(SignMode(projection.signs).value),
            "num_message_bits": projection.message_bits,
        }
        if delayed or np.any(delays):
            kind = DelaySparse if sparse else DelayDense
            options["delays"] = matrix_of_delays
        else:
            kind = Sparse if sparse else Dense
        with quiet_processes():
            made.append(kind(**options))
    return made


def spike_table(source: SpikeTimes, steps: int) -> np.ndarray:
    """What a source sends in each step: (steps, size)."""
    table = np.zeros((steps, source.size), np.int32)
    if source.period:
        for start in range(0, steps, source.period):
            inside = source.steps + start < steps
            table[source.steps[inside] + start, source.indices[inside]] = 1
    else:
        inside = source.steps < steps
        table[source.steps[inside], source.indices[inside]] = 1
    return table


def stimulus_table(stimulus: Stimulus, steps: int, size: int) -> np.ndarray:
    """What a stimulus adds in each step: (steps, size)."""
    table = np.zeros((steps, size), np.int32)
    rows = np.asarray(stimulus.values).reshape(len(stimulus.values), -1)
    for n in range(steps):
        if n < len(rows) or (stimulus.repeat and len(rows)):
            table[n] = rows[n % len(rows)]
    return table


@dataclass
class Graph:
    """The Lava processes of a chip network, not joined yet.

    ``joints`` are (connection, source, target, port).
    """

    network: ChipNetwork
    populations: dict[str, Any] = field(default_factory=dict)
    joints: list[tuple[Any, str, str, str]] = field(default_factory=list)


def graph(
    network: ChipNetwork, sparse: frozenset[str] = frozenset(), delayed: bool = False
) -> Graph:
    """The Lava processes of ``network``; projections named in ``sparse`` become Sparse."""
    made = Graph(network)
    for population in network.populations:
        made.populations[population.name] = neurons(population)
    for projection in network.projections:
        sizes = network.origin(projection.source).size, network.population(projection.target).size
        for process in connections(projection, *sizes, projection.name in sparse, delayed):
            made.joints.append((process, projection.source, projection.target, projection.port))
    return made


def ring_buffer(table: np.ndarray) -> Any:
    """A Lava source that sends row after row."""
    with quiet_processes():
        return RingBuffer(data=np.ascontiguousarray(table.T))


# ------------------------------------------------------------------ models with stand-in ports
class _In:
    """An input port that adds what was put into it, as ``PyInPortVectorDense`` does."""

    def __init__(self, shape: tuple[int, ...], kind: Any) -> None:
        self.empty = np.zeros(shape, kind)
        self.arrived: list[np.ndarray] = []

    def put(self, data: np.ndarray) -> None:
        self.arrived.append(data)

    def recv(self) -> np.ndarray:
        total = self.empty.copy()
        for data in self.arrived:
            total = total + data
        self.arrived = []
        return total


class _Out:
    """An output port: data are cast to its type, as in a channel."""

    def __init__(self, shape: tuple[int, ...], kind: Any) -> None:
        self.shape, self.kind = shape, kind
        self.sent = np.zeros(shape, kind)

    def cast(self, data: np.ndarray) -> np.ndarray:
        assert data.shape == self.shape
        placed = np.empty(self.shape, self.kind)
        placed[:] = data
        return placed

    def send(self, data: np.ndarray) -> None:
        self.sent = self.cast(np.asarray(data))


def model(process: Any) -> Any:
    """The fixed-point model of a process, with its variables and stand-in ports."""
    kind = MODELS[type(process)]
    made = kind(process.proc_params)
    ports = {port.name: port for port in (*process.in_ports, *process.out_ports)}
    for name in dir(kind):
        declared = getattr(kind, name)
        if not isinstance(declared, LavaPyType):
            continue
        if issubclass(declared.cls, PyInPort):
            setattr(made, name, _In(ports[name].shape, declared.d_type))
        elif issubclass(declared.cls, PyOutPort):
            setattr(made, name, _Out(ports[name].shape, declared.d_type))
        else:
            setattr(made, name, _variable(declared, getattr(process, name)))
    return made


def _variable(declared: Any, variable: Any) -> Any:
    """A variable as ``PyProcessBuilder.build`` makes it."""
    if not issubclass(declared.cls, np.ndarray):
        return variable.init
    values: np.ndarray = np.ndarray(variable.shape, declared.d_type)
    values[:] = variable.init
    return values


class LavaOracle:
    """A chip network in Lava's models, stepped by hand."""

    def __init__(
        self, network: ChipNetwork, sparse: frozenset[str] = frozenset(), delayed: bool = False
    ) -> None:
        made = graph(network, sparse, delayed)
        self.network = network
        self.populations = {name: model(process) for name, process in made.populations.items()}
        self.joints = [(_connection(process), *ends) for process, *ends in made.joints]
        self.now = 0

    def run(self, steps: int, record: Sequence[tuple[str, str]] = ()) -> Recorded:
        """Run; the same record as the plain definition gives, without counts."""
        network = self.network
        tables = {source.name: _table(source, steps) for source in network.sources}
        currents = [
            (stimulus, stimulus_table(stimulus, steps, network.population(stimulus.target).size))
            for stimulus in network.stimuli
        ]
        events: dict[str, list[tuple[int, np.ndarray]]] = {
            name: [] for name in (*tables, *self.populations)
        }
        traces: dict[tuple[str, str], list[np.ndarray]] = {pair: [] for pair in record}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy on how DelaySparse sets elements
            for n in range(steps):
                sent = {name: table[n] for name, table in tables.items()}
                for stimulus, table in currents:
                    self._put(stimulus.target, stimulus.port, table[n])
                sent.update(self._step(sent))
                for name, data in sent.items():
                    events[name].append((n, np.flatnonzero(data)))
                for name, state in record:
                    traces[name, state].append(np.array(getattr(self.populations[name], state)))
        return Recorded(
            spikes={
                name: (
                    np.repeat([n for n, _ in rows], [len(who) for _, who in rows]).astype(np.int64),
                    np.concatenate([who for _, who in rows]).astype(np.int64),
                )
                for name, rows in events.items()
            },
            states={pair: np.array(rows) for pair, rows in traces.items()},
            counts={},
        )

    def _put(self, target: str, port: str, data: np.ndarray) -> None:
        getattr(self.populations[target], port).put(data)

    def _step(self, emitted: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One step: what connections hold goes out, neurons run, connections run."""
        self.now += 1
        held = []
        for connection, _, target, port in self.joints:
            waiting = connection.a_buff
            held.append(connection.a_out.cast(waiting[:, 0] if waiting.ndim == 2 else waiting))
            self._put(target, port, held[-1])
        sent = {}
        for name, neuron in self.populations.items():
            neuron.time_step = self.now
            neuron.run_spk()
            sent[name] = neuron.s_out.sent
        for (connection, source, _, _), expected in zip(self.joints, held):
            connection.time_step = self.now
            connection.s_in.put(emitted[source] if source in emitted else sent[source])
            connection.run_spk()
            assert np.array_equal(connection.a_out.sent, expected)
        return sent


def _table(source: Any, steps: int) -> np.ndarray:
    assert isinstance(source, SpikeTimes)
    return spike_table(source, steps)


def _connection(process: Any) -> Any:
    """A connection's model; the matrix that a delayed one makes anew in each step is kept."""
    made = model(process)
    if type(process) in (DelayDense, DelaySparse):
        original = made.get_delay_wgts_mat
        kept: list[Any] = []

        def remembered(*arguments: Any) -> Any:
            if not kept:
                kept.append(original(*arguments))
            return kept[0]

        made.get_delay_wgts_mat = remembered
    return made
