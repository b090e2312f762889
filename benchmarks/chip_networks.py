"""The networks in a chip's integers: recurrent LIF, for Lava, for brian2-loihi, and for ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.chip.network import ChipNetwork, Population, Projection

SIZE, DENSITY, EXCITATORY = 4_000, 0.02, 0.8
_EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "loihi"

#: Lowest and highest bias mantissa by about how many percent of the neurons spike in a step.
#: Neurons fire by themselves from a mantissa of 78 on.
BIASES = {0.3: (40, 84), 0.8: (60, 100), 1.8: (100, 140)}


def _pairs(rng: np.random.Generator, size: int) -> tuple[Any, Any]:
    number = rng.binomial(size * size, DENSITY)
    return np.divmod(np.unique(rng.integers(0, size * size, number)), size)


def recurrent(percent: float, size: int = SIZE, seed: int = 1) -> ChipNetwork:
    """LIF neurons with a bias of their own, 80 % excitatory, joined with p = 0.02.

    ``percent`` is one of :data:`BIASES`. All that is in it exists in lava-nc: LIF and Sparse.
    """
    rng = np.random.default_rng(seed)
    pre, post = _pairs(rng, size)
    excitatory = pre < EXCITATORY * size
    weights = np.where(excitatory, 1, -1) * rng.integers(
        np.where(excitatory, 1, 8), np.where(excitatory, 4, 16)
    )
    registers = {
        "du": 2048, "dv": 200, "vth": 100,
        "bias_mant": rng.integers(*BIASES[percent], size, endpoint=True), "bias_exp": 2,
    }  # fmt: skip
    start = {"v": rng.integers(0, 6400, size)}
    neurons = Population("neurons", "LIF", size, registers, start)
    synapses = Projection("synapses", "neurons", "neurons", pre, post, weights)
    return ChipNetwork((neurons,), projections=(synapses,))


def loihi_recurrent(package: Any, steps: int, size: int = SIZE, seed: int = 1) -> tuple[Any, Any]:
    """The same kind of network in brian2-loihi's classes, driven by sources; and its spikes.

    ``package`` has the classes: brian2_loihi or brian2lava.loihi. Both get the same synapses, and
    400 sources that spike in 2 % of the steps.
    """
    rng = np.random.default_rng(seed)
    neurons = package.LoihiNeuronGroup(
        size, refractory=2, threshold_v_mant=100, decay_v=200, decay_I=2048, name="neurons"
    )
    pre, post = _pairs(rng, size)
    excitatory = pre < EXCITATORY * size
    paths: list[Any] = []
    for chosen, sign, low, high in ((excitatory, 1, 1, 4), (~excitatory, -1, 8, 16)):
        modes = package.synapse_sign_mode
        mode = modes.EXCITATORY if sign > 0 else modes.INHIBITORY
        path = package.LoihiSynapses(neurons, sign_mode=mode, name=f"path{len(paths)}")
        path.connect(i=pre[chosen], j=post[chosen])
        path.w = sign * rng.integers(low, high, int(chosen.sum()))
        paths.append(path)
    sources = size // 10
    fired = rng.random((steps, sources)) < 0.02
    times, indices = np.nonzero(fired)
    drive = package.LoihiSpikeGeneratorGroup(sources, indices, times, name="drive")
    into = package.LoihiSynapses(drive, neurons, name="into")
    into.connect(i=np.repeat(np.arange(sources), 80), j=rng.integers(0, size, 80 * sources))
    into.w = 9
    spikes = package.LoihiSpikeMonitor(neurons, name="spikes")
    return package.LoihiNetwork(neurons, *paths, drive, into, spikes), spikes


def example(name: str) -> Any:
    """A script of examples/loihi as a module."""
    spec = importlib.util.spec_from_file_location(name, _EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
