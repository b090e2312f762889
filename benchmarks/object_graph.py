"""One Lava process a Brian2 object: what a step of CUBA costs, against empty Lava processes.

    python -m benchmarks.object_graph

CUBA with 1,000 neurons runs with ``granularity="object"`` (three Lava processes: neurons with their
monitor, and both kinds of synapses), with ``"network"``, and as many processes that do nothing,
joined by as many ports, run by Lava's own runtime. The three take turns; what is told is the median
of their rounds, loop against loop. All spikes of both runs have to be the same. Ends with status 1
where they are not, or where the bar is missed.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import Any

import numpy as np

from brian2lava.processes.shim import import_lava

import_lava()
import brian2 as b2  # noqa: E402
from brian2 import ms  # noqa: E402
from lava.magma.core.decorator import implements, requires  # noqa: E402
from lava.magma.core.model.py.model import PyLoihiProcessModel  # noqa: E402
from lava.magma.core.model.py.ports import PyInPort, PyOutPort  # noqa: E402
from lava.magma.core.model.py.type import LavaPyType  # noqa: E402
from lava.magma.core.process.ports.ports import InPort, OutPort  # noqa: E402
from lava.magma.core.process.process import AbstractProcess  # noqa: E402
from lava.magma.core.resources import CPU  # noqa: E402
from lava.magma.core.run_conditions import RunSteps  # noqa: E402
from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol  # noqa: E402

import brian2lava  # noqa: E402

STEPS, ROUNDS, BAR = 2_000, 7, 1.5


class Empty(AbstractProcess):
    """A process with two ports, and nothing to do."""

    def __init__(self) -> None:
        super().__init__()
        self.inp = InPort(shape=(1,))
        self.out = OutPort(shape=(1,))


@implements(proc=Empty, protocol=LoihiProtocol)
@requires(CPU)
class EmptyModel(PyLoihiProcessModel):
    """Sends and receives nothing."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, int)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, int)


class Lava:
    """Empty processes in a ring, in Lava's own runtime."""

    def __init__(self, count: int) -> None:
        ring = [Empty() for _ in range(count)]
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            one.out.connect(other.inp)
        self._first = ring[0]
        self._config = Loihi2SimCfg(exception_proc_model_map={Empty: EmptyModel})
        self._first.run(RunSteps(20), self._config)

    def step(self) -> float:
        """Microseconds a step of a run."""
        began = time.perf_counter()
        self._first.run(RunSteps(STEPS), self._config)
        return 1e6 * (time.perf_counter() - began) / STEPS

    def stop(self) -> None:
        """End the processes."""
        self._first.stop()


class Cuba:
    """CUBA of 1,000 neurons on the device."""

    def __init__(self, granularity: str) -> None:
        self._granularity = granularity
        self._choose()
        b2.start_scope()
        b2.seed(4)
        equations = """dv/dt = (ge + gi - (v + 49*mV))/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : volt
        dgi/dt = -gi/(10*ms) : volt"""
        neurons = b2.NeuronGroup(
            1000, equations, threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * ms,
            method="exact",
        )  # fmt: skip
        neurons.v = "-60*mV + rand()*10*mV"
        exciting = b2.Synapses(neurons[:800], neurons, on_pre="ge += 1.62*mV")
        inhibiting = b2.Synapses(neurons[800:], neurons, on_pre="gi -= 9*mV")
        for each in (exciting, inhibiting):
            each.connect(p=0.08)
        self.spikes = b2.SpikeMonitor(neurons)
        self._net = b2.Network(neurons, exciting, inhibiting, self.spikes)
        self._net.run(10 * ms)

    def _choose(self) -> None:
        b2.set_device("lava", granularity=self._granularity)

    def step(self) -> float:
        """Microseconds a step of the loop of a run."""
        self._choose()
        self._net.run(STEPS * 0.1 * ms)
        found: float = 1e6 * brian2lava.report().phases["loop"] / STEPS
        return found

    @property
    def processes(self) -> int:
        """How many Lava processes there are."""
        return len(brian2lava.lava_device.last_parts.graph.ways)  # type: ignore[union-attr]


def main() -> int:
    """Measure, and print a table; 1 if the bar is missed or spikes differ."""
    whole, parts = Cuba("network"), Cuba("object")
    sides: dict[str, Any] = {
        'granularity="network"': whole, 'granularity="object"': parts,
        f"{parts.processes} empty Lava processes": Lava(parts.processes),
    }  # fmt: skip
    rounds: dict[str, list[float]] = {name: [] for name in sides}
    try:
        for _ in range(ROUNDS):
            for name, side in sides.items():
                rounds[name].append(side.step())
    finally:
        list(sides.values())[-1].stop()
    for name, times in rounds.items():
        print(f"{name:30}{median(times):9.2f} us a step ({min(times):.2f} to {max(times):.2f})")
    _, ours, empty = (median(times) for times in rounds.values())
    same = all(
        np.array_equal(getattr(whole.spikes, name), getattr(parts.spikes, name)) for name in "it"
    )
    print(f"objects against empty processes: {ours / empty:.2f} (bar {BAR}); "
          f"{whole.spikes.num_spikes} spikes, {'the same' if same else 'DIFFERENT'}")  # fmt: skip
    return int(ours / empty > BAR or not same)


if __name__ == "__main__":
    sys.exit(main())
