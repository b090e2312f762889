"""Networks that together have everything that a program can hold, and what they compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import brian2 as b2
import numpy as np
from brian2.devices.device import reset_device

import brian2lava
from tests.networks import devices

#: On a graphics card where ``make test-gpu`` says so.
CARD = {"hardware": "GPU", "emulate": not devices.CARD}


@contextmanager
def on(**options: Any) -> Iterator[Any]:
    """The device with these options, in this process, and a clean Brian2."""
    b2.start_scope()
    b2.set_device("lava", host="inline", **options)
    b2.defaultclock.dt = 0.1 * b2.ms
    b2.seed(3)
    try:
        yield brian2lava.lava_device
    finally:
        reset_device()


def cells(n: int = 150, **more: Any) -> Any:
    """Neurons with a synaptic current, refractory, that fire by themselves at different rates."""
    group = b2.NeuronGroup(
        n,
        """dv/dt = (ge + drive - v) / (10*ms) : 1 (unless refractory)
        dge/dt = -ge / (5*ms) : 1
        drive : 1""",
        threshold="v > 1", reset="v = 0", refractory=2 * b2.ms, method="exact", name="cells",
        **more,
    )  # fmt: skip
    group.v = "rand()"
    group.drive = "1 + 0.3 * rand()"
    return group


def plastic() -> dict[str, Any]:
    """Event-driven STDP, heterogeneous delays, all monitors, two runs."""
    group = cells()
    synapses = b2.Synapses(
        group, group,
        """w : 1
        dapre/dt = -apre / (10*ms) : 1 (event-driven)
        dapost/dt = -apost / (10*ms) : 1 (event-driven)""",
        on_pre="""ge += 0.05 * w
        apre += 0.1
        w = clip(w + apost, 0, 1)""",
        on_post="""apost -= 0.1
        w = clip(w + apre, 0, 1)""",
        name="synapses",
    )  # fmt: skip
    synapses.connect(p=0.2)
    synapses.w = "rand()"
    synapses.delay = "rand() * 3 * ms"
    monitors = [
        b2.StateMonitor(group, ["v", "ge"], record=[1, 5, 7]),
        b2.SpikeMonitor(group),
        b2.PopulationRateMonitor(group),
        b2.SpikeMonitor(group[20:90], variables="ge"),
    ]
    net = b2.Network(group, synapses, monitors)
    net.run(12 * b2.ms)
    net.run(8 * b2.ms)
    states, spikes, rate, part = monitors
    return {
        "i": spikes.i[:], "t": spikes.t_[:], "states": states.v[:], "currents": states.ge[:],
        "rate": rate.rate_[:], "part": part.ge[:], "w": synapses.w[:], "apre": synapses.apre[:],
        "v": group.v[:], "counts": spikes.count[:],
    }  # fmt: skip


def noisy() -> dict[str, Any]:
    """White noise, Poisson sources, random numbers in statements, homogeneous delays."""
    group = b2.NeuronGroup(
        200, "dv/dt = (0.9 - v) / (10*ms) + 0.4 * xi / sqrt(ms) * 0.3 : 1",
        threshold="v > 1 + 0.1 * rand()", reset="v = 0.2 * randn()", method="euler", name="group",
    )  # fmt: skip
    source = b2.PoissonGroup(60, 200 * b2.Hz, name="source")
    fixed = b2.SpikeGeneratorGroup(3, [0, 1, 2, 0], [1, 1, 2, 4] * b2.ms, name="fixed")
    into = b2.Synapses(source, group, on_pre="v += 0.1 * rand()", delay=1.5 * b2.ms, name="into")
    into.connect(p=0.1)
    given = b2.Synapses(fixed, group, on_pre="v_post = clip(v_post + 0.7, 0, 1.5)", name="given")
    given.connect()
    given.delay = "i * ms"
    spikes = b2.SpikeMonitor(group)
    net = b2.Network(group, source, fixed, into, given, spikes)
    net.run(15 * b2.ms)
    return {"i": spikes.i[:], "t": spikes.t_[:], "v": group.v[:]}


def shared() -> dict[str, Any]:
    """Summed variables, several clocks, a shared variable that a statement changes, Python."""
    group = cells(90)
    other = b2.NeuronGroup(
        40, """total : 1
        seen : 1
        x = 0.5 * total : 1
        clicks : 1 (shared)""", name="other", dt=0.3 * b2.ms
    )  # fmt: skip
    gather = b2.Synapses(group, other, "total_post = 0.01 * v_pre * ge_pre : 1 (summed)",
                         name="gather")  # fmt: skip
    gather.connect(p=0.3)
    back = b2.Synapses(group, group, on_pre={"up": "ge += 0.1", "down": "v_post -= 0.05 * v_pre"},
                       name="back")  # fmt: skip
    back.connect(p=0.1)
    back.up.delay = 0.7 * b2.ms
    other.run_regularly(
        """clicks += 1
    seen = seen + x + clicks""",
        dt=0.6 * b2.ms,
    )
    seen: list[float] = []

    @b2.network_operation(dt=1 * b2.ms)
    def look() -> None:
        seen.append(float(np.sum(group.v[:])))
        group.ge = np.array(group.ge) * 0.9

    spikes = b2.SpikeMonitor(group)
    net = b2.Network(group, other, gather, back, look, spikes)
    net.run(14 * b2.ms)
    return {
        "i": spikes.i[:], "t": spikes.t_[:], "total": other.total[:], "seen": other.seen[:],
        "clicks": other.clicks[:], "python": seen, "v": group.v[:],
    }  # fmt: skip


NETWORKS = {"plastic": plastic, "noisy": noisy, "shared": shared}


def results(name: str, **options: Any) -> dict[str, Any]:
    """What a network computes, as arrays of one's own."""
    with on(**options):
        return {key: np.array(value) for key, value in NETWORKS[name]().items()}
