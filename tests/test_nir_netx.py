"""Networks in lava-dl's HDF5 format, against the registers' meaning in NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from brian2 import ms

import brian2lava
from brian2lava.errors import NotSupported, OptionError
from tests.networks.devices import reference
from tests.test_nir import events, run

RNG = np.random.default_rng(11)
CUBA = {"type": "CUBA", "iDecay": 1024, "vDecay": 512, "vThMant": 60, "refDelay": 1}
JUMPS = CUBA | {"iDecay": 4096}
COUNTS = JUMPS | {"vDecay": 0}


@pytest.fixture(autouse=True)
def plain_brian2() -> Iterator[None]:
    with reference():
        yield


def write(path: Path, *layers: Mapping[str, Any]) -> Path:
    """A file as lava-dl writes it: words as bytes, a group for the neuron."""
    with h5py.File(path, "w") as file:
        for number, layer in enumerate(layers):
            group = file.create_group(f"layer/{number}")
            for key, value in layer.items():
                if key == "type":
                    group.create_dataset(key, (1,), "S10", [str(value).encode()])
                elif key == "neuron":
                    for name, number_ in value.items():
                        group.create_dataset(f"neuron/{name}", data=number_)
                else:
                    group.create_dataset(key, data=value)
    return path


def integers(*shape: int) -> Any:
    return RNG.integers(-12, 30, shape).astype(np.float32)


def dense(rows: int, columns: int, **more: Any) -> dict[str, Any]:
    return {"type": "dense", "shape": [rows, 1, 1], "weight": integers(rows, columns),
            "neuron": CUBA} | more  # fmt: skip


def layer(inputs: Any, neuron: Mapping[str, Any], bias: Any = 0.0, back: Any = None) -> Any:
    """Spikes of one layer: u and v by their registers, without rounding; inputs (steps, size)."""
    u, v, z = (np.zeros(inputs.shape[1]) for _ in range(3))
    spikes = []
    for arriving in inputs:
        a = arriving if back is None else arriving + back @ z
        u = u * (4096 - neuron["iDecay"]) / 4096 + a
        v = v * (4096 - neuron["vDecay"]) / 4096 + u + bias
        z = (v > neuron["vThMant"]).astype(float)
        v = np.where(z, 0, v)
        spikes.append(z)
    return np.array(spikes)


def late(spikes: Any, steps: int = 1) -> Any:
    return np.concatenate([np.zeros((steps, spikes.shape[1])), spikes])[: len(spikes)]


def test_dense_layers(tmp_path: Path) -> None:
    first = dense(5, 4, bias=np.array([1.0, 0, 3, 0, 0]), neuron=JUMPS)
    second = dense(3, 5, type="dense_rec", weight_rec=integers(3, 3) / 4)
    third = dense(2, 3, neuron=COUNTS, delay=np.array([2.0, 5.0]))
    path = write(tmp_path / "net.net", {"type": "input", "shape": [4]}, first, second, third)
    x = events(300, 4, 0.15)
    made = brian2lava.from_nir(path, dt=1 * ms)
    ours = run(made, 300, x)
    one = layer(late(x) @ first["weight"].T, JUMPS, first["bias"])
    two = layer(late(one) @ second["weight"].T, CUBA, back=second["weight_rec"])
    sums = late(two) @ third["weight"].T
    sums = np.stack([late(sums, 2)[:, 0], late(sums, 5)[:, 1]], axis=1)
    three = layer(sums, COUNTS)
    for number, expected in enumerate((one, two, three), 1):
        assert 10 < expected.sum() < 0.9 * expected.size, number
        assert np.array_equal(ours[f"layer{number}_neurons"], expected), number
    assert made.outputs["output"] is made.groups["layer3_neurons"]


def test_convolutions_pools_flatten_and_averages(tmp_path: Path) -> None:
    conv = {"type": "conv", "shape": [3, 4, 3], "weight": integers(3, 2, 3, 2), "stride": [2, 1],
            "padding": [1, 0], "dilation": [1, 2], "groups": 1, "neuron": JUMPS,
            "bias": np.array([0.0, 2.0, -1.0])}  # fmt: skip
    pool = {"type": "pool", "shape": [3, 2, 3], "kernelSize": [2, 1], "stride": [2, 1],
            "padding": [0, 0], "dilation": 1, "weight": np.full((1, 1, 2, 1), 70.0),
            "neuron": JUMPS}  # fmt: skip
    path = write(
        tmp_path / "net.net", {"type": "input", "shape": [2, 7, 5]}, conv, pool,
        {"type": "flatten", "shape": [1, 1, 18]}, dense(4, 18), {"type": "average", "shape": [2]},
    )  # fmt: skip
    made = brian2lava.from_nir(path, dt=1 * ms)
    assert made.shapes["layer1_neurons"] == (3, 4, 3)
    assert made.shapes["layer2_neurons"] == (3, 2, 3)
    x = events(60, (2, 7, 5), 0.1)
    ours = run(made, 60, x)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    sums = np.zeros((60, 3, 4, 3))
    for f, c, i, j in np.ndindex(*conv["weight"].shape):
        part = padded[:, c, i : i + 7 : 2, 2 * j : 2 * j + 3]
        sums[:, f] += conv["weight"][f, c, i, j] * part
    one = layer(late(sums.reshape(60, -1)), JUMPS, np.repeat([0.0, 2.0, -1.0], 12))
    assert np.array_equal(ours["layer1_neurons"], one)
    pooled = 70 * one.reshape(60, 3, 2, 2, 3).sum(axis=3).reshape(60, -1)
    assert np.array_equal(ours["layer2_neurons"], layer(late(pooled), JUMPS))
    four = ours["layer4_neurons"]
    assert four.sum() > 10
    assert np.allclose(ours["output"], late(four).reshape(60, 2, 2).mean(axis=2))


def test_an_input_layer_with_neurons_turns_values_into_spikes(tmp_path: Path) -> None:
    head = {"type": "input", "shape": [2, 2, 3], "weight": 20.0, "bias": 4.0, "neuron": JUMPS}
    path = write(tmp_path / "net.net", head, dense(2, 12))
    image = RNG.random((1, 2, 2, 3)) * np.ones((50, 1, 1, 1))
    made = brian2lava.from_nir(path, dt=1 * ms, inputs={"input": image})
    ours = run(made, 50)["layer0_neurons"]
    assert np.array_equal(ours, layer(20 * image.reshape(50, -1), JUMPS, 4.0))
    assert 0 < ours.sum() < ours.size


def test_the_graph_goes_into_a_nir_file(tmp_path: Path) -> None:
    path = write(tmp_path / "net.net", {"type": "input", "shape": [4]}, dense(3, 4))
    graph = brian2lava.to_nir(brian2lava.from_nir(path, dt=1 * ms))
    nir.write(tmp_path / "net.nir", graph)
    back = nir.read(tmp_path / "net.nir").nodes["layer1_neurons"]
    assert np.allclose(back.tau_mem, 0.008)
    assert np.allclose(back.tau_syn, 0.004)
    assert brian2lava.from_nir(tmp_path / "net.nir").convention.dt == 1e-3


REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "layer": ({"type": "concat", "shape": [4], "layers": [0]}, "a layer of type 'concat'"),
    "no neuron": ({"type": "dense", "shape": [2], "weight": integers(2, 4)},
                  "neurons of type 'none'"),
    "sigma-delta": (dense(2, 4, neuron=CUBA | {"type": "SDNN"}), "neurons of type 'SDNN'"),
    "graded": (dense(2, 4, neuron=CUBA | {"gradedSpike": True}), "send numbers with their spikes"),
    "message bits": (dense(2, 4, neuron=CUBA | {"messageBits": 8}), "send numbers"),
    "refractory": (dense(2, 4, neuron=CUBA | {"refDelay": 3}), "a refractory period of 3 steps"),
    "no leak": (dense(2, 4, neuron=CUBA | {"vDecay": 0}), "neurons with iDecay = 1024 and vDecay"),
    "average": ({"type": "average", "shape": [3]}, "an average of 4 neurons in 3 groups"),
    "delay": ({"type": "flatten", "shape": [4], "delay": 3.0}, "delays in a flatten layer"),
    "complex": ({"type": "dense", "shape": [2], "weight/real": integers(2, 4)}, "complex weights"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_layers_without_a_nir_node_are_refused_by_name(name: str, tmp_path: Path) -> None:
    refused, message = REFUSED[name]
    path = write(tmp_path / "net.net", {"type": "input", "shape": [4]}, refused)
    with pytest.raises(NotSupported, match=rf"net\.net, layer1: {message}|net\.net.*{message}"):
        brian2lava.from_nir(path, dt=1 * ms)


def test_a_file_of_steps_needs_a_time_step(tmp_path: Path) -> None:
    path = write(tmp_path / "net.net", dense(2, 4))
    with pytest.raises(OptionError, match=r"'net\.net' was written by lava-dl.*Give dt"):
        brian2lava.from_nir(path)
    lonely = write(tmp_path / "lonely.net", {"type": "flatten", "shape": [4]})
    with pytest.raises(NotSupported, match="does not say what the shape of its input is"):
        brian2lava.from_nir(lonely, dt=1 * ms)
