"""Networks that lava-dl wrote (its "netx" files, HDF5), as NIR graphs.

A file has the layers ``layer/0``, ``layer/1`` ...: a ``type``, a ``shape`` (channels, height,
width), integer weights, and the neuron's registers. What they mean, as lava-dl's netx takes them::

    u <- u (4096 - iDecay)/4096 + 64 sum(weight)
    v <- v (4096 - vDecay)/4096 + u + 64 bias;   fires and resets to 0 where v > 64 vThMant

NIR gets this divided by 64, with gains that undo Euler's dt/tau: r = tau/dt and w_in = tau_syn/dt.
The chip's rounding is not part of it; a run on a chip quantises anew.

Source: lava-dl, src/lava/lib/dl/netx/README.md and hdf5.py (formats and registers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np

from brian2lava.chip.limits import DECAY_UNITY
from brian2lava.errors import NotSupported, OptionError

Nodes = list[tuple[str, Any]]


def is_netx(path: Path) -> bool:
    """Whether an HDF5 file has lava-dl's layers rather than a NIR graph."""
    with h5py.File(path, "r") as file:
        return "layer" in file and "node" not in file


def read_netx(path: Path, dt: float | None) -> Any:
    """The NIR graph of a file of lava-dl.

    Parameters
    ----------
    path : Path
    dt : float
        Seconds a step; the file counts in steps.

    Raises
    ------
    OptionError
        No dt.
    NotSupported
        A layer or neuron that NIR has no node for; the message names it.
    """
    if dt is None:
        raise OptionError(
            f"{path.name!r} was written by lava-dl, which counts in steps: from_nir() needs to know"
            " how long one is. Give dt, as in dt=1*ms."
        )
    with h5py.File(path, "r") as file:
        layers = file["layer"]
        chain = _Chain(path.name, dt)
        for number in sorted(layers, key=int):
            chain.add(f"layer{number}", _contents(layers[number]))
    return chain.graph()


def _contents(group: Any, prefix: str = "") -> dict[str, Any]:
    """All data of a layer: "neuron/vDecay" and the like, words as str."""
    found: dict[str, Any] = {}
    for key, item in group.items():
        if isinstance(item, h5py.Group):
            found |= _contents(item, f"{prefix}{key}/")
            continue
        value = item[()]
        if isinstance(value, np.ndarray) and value.dtype.kind == "S":
            value = value.ravel()[0]
        found[prefix + key] = value.decode() if isinstance(value, bytes) else value
    return found


class _Chain:
    """Layers one behind the other, as nodes and edges."""

    def __init__(self, file: str, dt: float) -> None:
        self.file, self.dt = file, dt
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.last = ""
        self.shape: tuple[int, ...] = ()

    def refuse(self, layer: str, what: str, remedy: str) -> NotSupported:
        """An error about a layer of the file."""
        return NotSupported(f"{self.file}, {layer}: {what}. {remedy}.")

    def append(self, name: str, node: Any) -> None:
        """Put a node behind the last one."""
        self.nodes[name] = node
        if self.last:
            self.edges.append((self.last, name))
        self.last = name

    def begin(self, shape: tuple[int, ...]) -> None:
        """The input, if there is none yet."""
        if not self.nodes:
            self.shape = shape
            self.append("input", nir.Input(input_type={"input": np.array(shape)}))

    def add(self, name: str, layer: Mapping[str, Any]) -> None:
        """A layer of the file."""
        kind = str(layer["type"])
        if kind not in LAYERS:
            raise self.refuse(
                name,
                f"a layer of type {kind!r}",
                f"Known are {', '.join(sorted(LAYERS))}; leave it out or replace it",
            )
        if any(key.startswith("weight/") for key in layer):
            raise self.refuse(name, "complex weights", "NIR's weights are real")
        if "delay" in layer and kind not in ("dense", "dense_rec"):
            raise self.refuse(name, f"delays in a {kind} layer", "netx has them in dense layers")
        LAYERS[kind](self, name, layer)

    def neurons(self, name: str, layer: Mapping[str, Any]) -> None:
        """The neurons of a layer, in units of 64 of the chip's voltage."""
        self.append(f"{name}_neurons", self._neuron(name, layer))

    def _neuron(self, name: str, layer: Mapping[str, Any]) -> Any:
        self._check_neuron(name, layer)
        ones = np.ones(self.shape)
        current, voltage = (float(layer[f"neuron/{key}"]) for key in ("iDecay", "vDecay"))
        threshold = ones * float(layer["neuron/vThMant"])
        zero = 0.0 * ones
        if voltage == 0 and current == DECAY_UNITY:
            return nir.IF(r=ones / self.dt, v_threshold=threshold, v_reset=zero)
        if voltage == 0 or current == 0:
            raise self.refuse(
                name,
                f"neurons with iDecay = {current:g} and vDecay = {voltage:g}",
                "NIR's CubaLIF leaks; where nothing decays NIR has IF, without a synaptic current",
            )
        gain = ones * (DECAY_UNITY / voltage)
        if current == DECAY_UNITY:
            return nir.LIF(
                tau=gain * self.dt, r=gain, v_leak=zero, v_threshold=threshold, v_reset=zero
            )
        w_in = ones * (DECAY_UNITY / current)
        return nir.CubaLIF(
            tau_syn=w_in * self.dt, tau_mem=gain * self.dt, r=gain, v_leak=zero, w_in=w_in,
            v_threshold=threshold, v_reset=zero,
        )  # fmt: skip

    def _check_neuron(self, name: str, layer: Mapping[str, Any]) -> None:
        kind = str(layer.get("neuron/type", "none"))
        if kind not in ("LOIHI", "CUBA"):
            raise self.refuse(
                name, f"neurons of type {kind!r}", "Known are CUBA neurons (LOIHI, CUBA)"
            )
        if int(layer.get("neuron/messageBits", 0)) or bool(layer.get("neuron/gradedSpike", False)):
            raise self.refuse(name, "neurons that send numbers with their spikes",
                              "NIR's neurons send spikes")  # fmt: skip
        if int(layer.get("neuron/refDelay", 1)) > 1:
            raise self.refuse(
                name,
                f"a refractory period of {int(layer['neuron/refDelay'])} steps",
                "NIR's neurons have none",
            )

    def graph(self) -> Any:
        """The whole as a NIR graph."""
        self.append("output", nir.Output(output_type={"output": np.array(self.shape)}))
        return nir.NIRGraph(
            nodes=self.nodes, edges=self.edges, metadata={"dt": self.dt}, type_check=False
        )


# ---------------------------------------------------------------- one function a type of layer
def _input(chain: _Chain, name: str, layer: Mapping[str, Any]) -> None:
    """With neurons, what comes in is scaled and drives them as their bias does."""
    shape = tuple(int(size) for size in np.ravel(layer["shape"]))
    chain.begin(shape)
    if "neuron/type" not in layer:
        return
    weight, bias = float(layer.get("weight", 64)), float(layer.get("bias", 0))
    if bias:
        count = shape[0]
        chain.append(f"{name}_transform", _channels(shape, weight, np.full(count, bias)))
    else:
        chain.append(f"{name}_transform", nir.Scale(scale=np.full(shape, weight)))
    chain.neurons(name, layer)


def _channels(shape: tuple[int, ...], weight: float, bias: Any) -> Any:
    """The node that multiplies by one number and adds one a channel."""
    if len(shape) == 1:
        return nir.Affine(weight=np.eye(shape[0]) * weight, bias=bias)
    kernel = np.full((shape[0], 1, *[1] * (len(shape) - 1)), weight)
    options: dict[str, Any] = {
        "stride": 1, "padding": 0, "dilation": 1, "groups": shape[0], "bias": bias, "weight": kernel
    }  # fmt: skip
    return (
        nir.Conv2d(input_shape=shape[1:], **options)
        if len(shape) == 3
        else nir.Conv1d(input_shape=shape[1], **options)
    )


def _conv(chain: _Chain, name: str, layer: Mapping[str, Any]) -> None:
    weight = np.asarray(layer["weight"], np.float64)
    weight = weight.reshape(weight.shape[:4])
    _append_conv(chain, name, layer, weight, int(layer["groups"]))


def _pool(chain: _Chain, name: str, layer: Mapping[str, Any]) -> None:
    """A sum over a window times one weight."""
    _known_input(chain, name)
    weight = np.asarray(layer["weight"], np.float64)
    kernel = np.broadcast_to(np.asarray(layer["kernelSize"], int), (2,))
    each = np.broadcast_to(
        weight.ravel()[0] if weight.size == 1 else weight.reshape(kernel), kernel
    )
    weight = np.broadcast_to(each, (chain.shape[0], 1, *kernel)).copy()
    _append_conv(chain, name, layer, weight, chain.shape[0])


def _append_conv(
    chain: _Chain, name: str, layer: Mapping[str, Any], weight: Any, groups: int
) -> None:
    _known_input(chain, name)
    chain.append(
        f"{name}_conv",
        nir.Conv2d(
            input_shape=chain.shape[1:],
            weight=weight,
            stride=_pair(layer["stride"]),
            padding=_pair(layer["padding"]),
            dilation=_pair(layer["dilation"]),
            groups=groups,
            bias=np.broadcast_to(
                np.ravel(np.asarray(layer.get("bias", 0.0), np.float64)), weight.shape[:1]
            ).copy(),
        ),
    )
    chain.shape = tuple(int(size) for size in layer["shape"])
    chain.neurons(name, layer)


def _pair(value: Any) -> tuple[int, int]:
    first, second = np.broadcast_to(np.asarray(value, int), (2,))
    return int(first), int(second)


def _known_input(chain: _Chain, name: str) -> None:
    if not chain.nodes:
        raise chain.refuse(
            name, "the file does not say what the shape of its input is", "Write an input layer"
        )


def _flatten(chain: _Chain, name: str, layer: Mapping[str, Any]) -> None:
    _known_input(chain, name)
    chain.append(
        f"{name}_flatten", nir.Flatten(input_type=np.array(chain.shape), start_dim=0, end_dim=-1)
    )
    chain.shape = (prod(chain.shape),)


def _dense(chain: _Chain, name: str, layer: Mapping[str, Any]) -> None:
    count = prod(int(size) for size in np.ravel(layer["shape"]))
    weight = np.asarray(layer["weight"], np.float64).reshape(count, -1)
    chain.begin((weight.shape[1],))
    if len(chain.shape) > 1:
        _flatten(chain, name, layer)
    delay = np.asarray(layer.get("delay", 0.0), np.float64).ravel() * chain.dt
    of_inputs = delay.size == weight.shape[1] != count
    if np.any(delay) and of_inputs:
        chain.append(f"{name}_delay", nir.Delay(delay=delay))
    chain.append(f"{name}_dense", _affine(weight, layer.get("bias")))
    chain.shape = (count,)
    if np.any(delay) and not of_inputs:
        chain.append(f"{name}_delay", nir.Delay(delay=np.broadcast_to(delay, (count,)).copy()))
    chain.neurons(name, layer)
    if "weight_rec" in layer:
        back = np.asarray(layer["weight_rec"], np.float64).reshape(count, count)
        chain.nodes[f"{name}_recurrent"] = nir.Linear(weight=back)
        chain.edges += [
            (chain.last, f"{name}_recurrent"),
            (f"{name}_recurrent", chain.last),
        ]


def _affine(weight: Any, bias: Any) -> Any:
    if bias is None or not np.any(bias):
        return nir.Linear(weight=weight)
    bias = np.broadcast_to(np.ravel(np.asarray(bias, np.float64)), weight.shape[:1])
    return nir.Affine(weight=weight, bias=bias.copy())


def _average(chain: _Chain, name: str, layer: Mapping[str, Any]) -> None:
    """Means over groups of neighbours; no neurons."""
    _known_input(chain, name)
    if len(chain.shape) > 1:
        _flatten(chain, name, layer)
    inputs, outputs = prod(chain.shape), prod(int(size) for size in np.ravel(layer["shape"]))
    if inputs % outputs:
        raise chain.refuse(
            name,
            f"an average of {inputs} neurons in {outputs} groups",
            "Their number must be a multiple of the number of groups",
        )
    each = inputs // outputs
    chain.append(
        f"{name}_average",
        nir.Linear(weight=np.kron(np.eye(outputs), np.full((1, each), 1 / each))),
    )
    chain.shape = (outputs,)


LAYERS: Mapping[str, Callable[[_Chain, str, Mapping[str, Any]], None]] = {
    "average": _average,
    "conv": _conv,
    "dense": _dense,
    "dense_rec": _dense,
    "flatten": _flatten,
    "input": _input,
    "pool": _pool,
}
