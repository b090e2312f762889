"""Groups that fire by the clock: the host sends their spikes into the chip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, ms

from brian2lava import lava_device
from brian2lava.errors import NotSupported
from tests.chip.test_on_chip import on_chip
from tests.networks.devices import reference

EQUATIONS = "t_steps = int(t/dt) : 1\nt_spike_steps : 1\nx : 1"
DT = 0.1


def timed(**arguments: Any) -> NeuronGroup:
    given = {"threshold": "t_steps > t_spike_steps", "refractory": 2 * ms, **arguments}
    group = NeuronGroup(3, EQUATIONS, name="timed", **given)
    group.t_spike_steps = [0, 50.5, 100]
    return group


def relayed(*durations: float, **arguments: Any) -> dict[str, Any]:
    """Spikes of such a group and of cells behind it."""
    group = timed(**arguments)
    cells = NeuronGroup(3, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0",
                        method="euler")  # fmt: skip
    synapses = Synapses(group, cells, "w : 1", on_pre="v += w", delay=0.3 * ms)
    synapses.connect(j="i")
    synapses.w = [0.6, 0.7, 1.2]
    first, second = SpikeMonitor(group), SpikeMonitor(cells)
    network = Network(group, cells, synapses, first, second)
    for duration in durations:
        network.run(duration * ms)
    return {
        f"{name}_{what}": values
        for name, monitor in (("timed", first), ("cells", second))
        for what, values in (("i", np.array(monitor.i)), ("step", np.rint(monitor.t / (DT * ms))))
    }


@pytest.mark.parametrize(
    ("options", "durations"),
    [({}, (30,)), ({}, (7, 23)), ({"hardware": "Loihi1"}, (30,)), ({"backend": "lava"}, (30,))],
    ids=["one run", "two runs", "Loihi1", "Lava"],
)
def test_spikes_are_brian2s(options: dict[str, Any], durations: tuple[float, ...]) -> None:
    with reference():
        theirs = relayed(30)
    with on_chip(**options):
        ours = relayed(*durations)
    assert len(theirs["timed_i"]) > 30 and len(theirs["cells_i"]) > 20
    for name, values in theirs.items():
        np.testing.assert_array_equal(ours[name], values, name)


@pytest.mark.parametrize(
    "arguments",
    [{"refractory": False}, {"threshold": "t > t_spike_steps*dt and i < 2"},
     {"refractory": "t_spike_steps*dt/10"}],
    ids=["in every step", "two conditions", "a refractory period a neuron"],
)  # fmt: skip
def test_other_conditions(arguments: dict[str, Any]) -> None:
    with reference():
        theirs = relayed(20, **arguments)
    with on_chip():
        ours = relayed(20, **arguments)
    assert len(theirs["timed_i"]) > 10
    for name in ("timed_i", "timed_step"):  # cells that fire as input arrives: another order
        np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_verify_has_the_same_spikes() -> None:
    with on_chip():
        relayed(30)
        told = str(lava_device.verify(lava=False))
    assert "does what your program does, spike by spike" in told


def driven(variable: str) -> list[Any]:
    group = timed()
    source = NeuronGroup(1, "dv/dt = 1/ms : 1", threshold="v > 1", reset="v = 0", method="euler")
    synapses = Synapses(source, group, on_pre=f"{variable} += 1")
    synapses.connect()
    return [group, source, synapses]


REFUSED: dict[str, tuple[Callable[[], list[Any]], str]] = {
    "a reset": (lambda: [timed(reset="x += 1")], "'timed': it has a reset.*host sends"),
    "chance": (
        lambda: [timed(threshold="t > 1*ms and rand() < 0.5")], r"'timed'.*calls 'rand\(\)'",
    ),
    "input that counts": (
        lambda: driven("t_spike_steps"), "reads 't_spike_steps', which synapses change.*no input",
    ),
    "input that does not": (lambda: driven("x"), "'x' of it synapses change.*leave out"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    make, message = REFUSED[case]
    with on_chip():
        parts = make()
        with pytest.raises(NotSupported, match=message.replace("leave", "[lL]eave")):
            Network(*parts).run(1 * ms)
