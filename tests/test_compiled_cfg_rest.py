"""Processes of Lava's library that few graphs have, compiled, against Lava's models of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import brian2lava
from brian2lava.processes.shim import import_lava

import_lava()
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.proc.bit_check.process import BitCheck  # noqa: E402
from lava.proc.clp.novelty_detector.process import NoveltyDetector  # noqa: E402
from lava.proc.clp.nsm.process import Allocator, Readout  # noqa: E402
from lava.proc.clp.prototype_lif.process import PrototypeLIF  # noqa: E402
from lava.proc.conv_in_time.process import ConvInTime  # noqa: E402
from lava.proc.graded.process import InvSqrt  # noqa: E402
from lava.proc.io.dataloader import SpikeDataloader, StateDataloader  # noqa: E402
from lava.proc.io.encoder import (  # noqa: E402
    Compression,
    DeltaEncoder,
    PyDeltaEncoderModelDense,
    PyDeltaEncoderModelSparse,
)
from lava.proc.io.sink import Read  # noqa: E402
from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402
from lava.proc.io.source import RingBuffer as Source  # noqa: E402
from lava.proc.lif.process import LIF  # noqa: E402
from lava.proc.s4d.process import S4d, SigmaS4dDelta  # noqa: E402
from lava.proc.spiker.process import Spiker  # noqa: E402

# Var.get gives the real part of a complex state, with this warning, in Lava, too.
pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values to real")

_STEPS = (9, 1, 14)
_ROOM = sum(_STEPS)
_RNG = np.random.default_rng


def _source(n: int, low: int, high: int, seed: int = 1, often: float = 1.0) -> Any:
    rng = _RNG(seed)
    data = rng.integers(low, high + 1, (n, 30)) * (rng.random((n, 30)) < often)
    return Source(data=data)


def _sinks(process: Any, names: Sequence[str] = ()) -> list[Any]:
    """What each out-port sends, or those with these names."""
    sinks = []
    for port in process.out_ports.members:
        if names and port.name not in names:
            continue
        sink = Sink(shape=port.shape, buffer=_ROOM)
        port.connect(sink.a_in)
        sinks.append(sink)
    return sinks


def _fed(process: Any, *sources: Any) -> list[Any]:
    """A process whose in-ports get what ``sources`` send, with its sinks."""
    for source, port in zip(sources, process.in_ports.members):
        source.s_out.reshape(port.shape).connect(port)
    return [process, *_sinks(process)]


def _encoder(**named: Any) -> list[Any]:
    return _fed(DeltaEncoder(shape=(4,), **named), _source(4, -60, 60))


def _prototypes() -> list[Any]:
    """Prototypes that win, lose, are reset and get a third factor, all with the real protocol."""
    rng = _RNG(4)
    third = np.where(rng.random(30) < 0.4, rng.integers(1, 4, 30), 0)
    process = PrototypeLIF(shape=(3,), du=4095, dv=0, vth=90, bias_mant=30, bias_exp=6)
    sources = {
        "a_in": _source(3, 0, 80, 5),
        "a_third_factor_in": Source(data=np.tile(third, (3, 1))),
        "reset_in": _source(3, 0, 1, 6, 0.2),
    }
    for port in process.in_ports.members:
        sources[port.name].s_out.connect(port)
    return [process, *_sinks(process, ("s_out", "s_out_bap", "s_out_y1"))]


def _spike_loader() -> list[Any]:
    class Samples:
        def __len__(self) -> int:
            return 5

        def __getitem__(self, k: int) -> Any:
            return _RNG(k).integers(0, 3, (2, 3, 3 if k == 2 else 4)), k % 5  # one is short

    loader = SpikeDataloader(dataset=Samples(), interval=4, offset=1)
    return [loader, *_sinks(loader)]


def _state_loader() -> list[Any]:
    class Samples:
        def __len__(self) -> int:
            return 7

        def __getitem__(self, k: int) -> Any:
            return _RNG(k).integers(0, 900, 3), k

    loader = StateDataloader(dataset=Samples(), interval=3, offset=2)
    neurons = LIF(shape=(3,), du=0, dv=100, vth=5, bias_mant=40, bias_exp=3)
    loader.connect_var(neurons.v)
    return [neurons, loader, *_sinks(loader), *_sinks(neurons)]


def _read() -> list[Any]:
    neuron = LIF(shape=(1,), du=0, dv=100, vth=5, bias_mant=40, bias_exp=3)
    read = Read(buffer=9, interval=4, offset=3)
    read.connect_var(neuron.v)
    return [neuron, read]


def _checked() -> list[Any]:
    neuron = LIF(shape=(2,), du=0, dv=0, vth=100000, bias_mant=400, bias_exp=6)
    check = BitCheck(layerid=3, debug=0, bits=17)
    check.connect_var(neuron.v)
    return [neuron, check]


FIXED: dict[str, Callable[[], list[Any]]] = {
    "ConvInTime": lambda: _fed(
        ConvInTime(weights=_RNG(2).integers(-90, 90, (3, 5, 4)), num_message_bits=0),
        _source(4, 0, 1, 3, 0.4),
    ),
    "ConvInTime, graded": lambda: _fed(
        ConvInTime(weights=_RNG(2).integers(-90, 90, (3, 5, 4)), num_message_bits=8),
        _source(4, 0, 70, 3, 0.4),
    ),
    "InvSqrt": lambda: _fed(InvSqrt(shape=(1,), fp_base=12), _source(1, 1, 1 << 20)),
    "NoveltyDetector": lambda: _fed(
        NoveltyDetector(t_wait=3), _source(1, 0, 1, 3, 0.3), _source(1, 0, 1, 4, 0.2)
    ),
    "Readout": lambda: _fed(
        Readout(n_protos=4), _source(4, 0, 1, 3, 0.2), _source(1, 1, 3, 4, 0.4)
    ),
    "Allocator": lambda: _fed(Allocator(n_protos=4), _source(1, 0, 1, 3, 0.3)),
    "PrototypeLIF": _prototypes,
    "SpikeDataloader": _spike_loader,
    "StateDataloader": _state_loader,
    "Read": _read,
    "BitCheck": _checked,
    "Spiker": lambda: _fed(Spiker(shape=(3,), period=4, payload=5)),
}
FLOAT: dict[str, Callable[[], list[Any]]] = {
    "ConvInTime": lambda: _fed(
        ConvInTime(weights=_RNG(2).normal(size=(3, 5, 4))), _source(4, 0, 1, 3, 0.4)
    ),
    "InvSqrt": lambda: _fed(InvSqrt(shape=(3,)), _source(3, 1, 900)),
    "S4d": lambda: _fed(S4d(shape=(3,), a=0.7, b=0.2, c=1.5), _source(3, -9, 9)),
    "S4d, complex": lambda: _fed(
        S4d(shape=(3,), a=0.6 + 0.3j, b=0.2, c=1 - 0.5j), _source(3, -9, 9)
    ),
    "SigmaS4dDelta": lambda: _fed(
        SigmaS4dDelta(shape=(3,), vth=0.5, a=0.7, b=0.2, c=1.5), _source(3, -9, 9)
    ),
    "SpikeDataloader": _spike_loader,
}


ENCODERS: dict[str, Callable[[], list[Any]]] = {
    "DeltaEncoder": lambda: _encoder(vth=7),
    "DeltaEncoder, shifted": lambda: _encoder(vth=3, spike_exp=2),
    "DeltaEncoder, few bits": lambda: _encoder(vth=2, num_bits=5),
}


def _held(processes: list[Any]) -> dict[str, Any]:
    found = {}
    for place, process in enumerate(processes):
        for var in process.vars:
            found[f"{place} {type(process).__name__}.{var.name}"] = np.array(var.get())
    return found


#: Which model a process has where its tags don't say it.
_MODELS: dict[Any, Any] = {DeltaEncoder: PyDeltaEncoderModelDense}


def _ran(made: list[Any], tag: str, compiled: bool) -> tuple[list[dict[str, Any]], list[type]]:
    first = made[0]
    found = []
    try:
        for steps in _STEPS:
            config = brian2lava.CompiledCfg(
                select_tag=tag, compile_models=compiled, exception_proc_model_map=_MODELS
            )
            first.run(RunSteps(steps), config)
            found.append(_held(made))
        return found, [type(member.process) for member in first.runtime.plan.python]
    finally:
        first.stop()


_CASES = [
    *[pytest.param(make, "fixed_pt", id=f"{name}-fixed") for name, make in FIXED.items()],
    *[pytest.param(make, "floating_pt", id=f"{name}-float") for name, make in FLOAT.items()],
    *[pytest.param(make, "fixed_pt", id=name) for name, make in ENCODERS.items()],
]


@pytest.mark.parametrize(("make", "tag"), _CASES)
def test_states_and_messages_are_lavas(make: Callable[[], list[Any]], tag: str) -> None:
    ours, slow = _ran(make(), tag, True)
    theirs, _ = _ran(make(), tag, False)
    assert not slow
    for mine, other in zip(ours, theirs):
        assert mine.keys() == other.keys()
        for name, value in other.items():
            if tag != "floating_pt":
                np.testing.assert_array_equal(mine[name], value, err_msg=name)
            else:
                np.testing.assert_allclose(mine[name], value, rtol=1e-12, atol=1e-12, err_msg=name)
    changed = [name for name in ours[0] if (ours[0][name] != ours[-1][name]).any()]
    assert changed, "nothing happened"


@pytest.mark.parametrize("mode", [Compression.SPARSE, Compression.PACKED_4])
def test_compressed_messages_stay_lavas(mode: Compression, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(_MODELS, DeltaEncoder, PyDeltaEncoderModelSparse)
    encoder, *_ = _encoder(vth=7, compression=mode)
    _, slow = _ran([encoder], "fixed_pt", True)
    assert slow == [DeltaEncoder]
