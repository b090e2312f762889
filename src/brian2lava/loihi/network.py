"""A network of Loihi objects: from their Brian2 containers to the chip's emulator and back."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from brian2 import Network, defaultclock, get_device, ms, second
from brian2.core.network import TextReport
from brian2.devices.device import RuntimeDevice
from numpy.typing import NDArray

from brian2lava.chip.emulate import Emulation
from brian2lava.chip.network import ChipNetwork
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.engine.cpu.toolchain import find_compiler
from brian2lava.errors import NotSupported, OptionError
from brian2lava.loihi.compiled_learning import can_compile, run_compiled
from brian2lava.loihi.describe import chip_network, first_step_alone, held
from brian2lava.loihi.learning import LearningChip
from brian2lava.loihi.members import Members, members
from brian2lava.loihi.neurons import LoihiNeuronGroup
from brian2lava.loihi.results import Outcome, recorded_pairs, write_back

SCHEDULE = ["start", "synapses", "groups", "thresholds", "resets", "end"]
Tables = dict[tuple[str, str], NDArray[Any]]
#: Numbers that are recorded in one piece; longer runs go in several.
_PIECE = 1 << 25
_STEP = 1e-3


class LoihiNetwork(Network):
    """Loihi groups, synapses, generators and monitors that run together.

    Sets ``defaultclock.dt`` to 1 ms, one step of the chip. Objects have to be handed over, or added
    with ``add``; there is no magic network.
    """

    def __init__(self, *objs: Any, **kwds: Any) -> None:
        defaultclock.dt = 1 * ms
        super().__init__(*objs, **kwds)
        self.schedule = SCHEDULE

    def run(
        self,
        duration: float,
        report: str | Callable[..., None] | None = None,
        report_period: Any = 10 * second,
        namespace: Any = None,
        profile: bool | None = None,
        level: int = 0,
    ) -> None:
        """Run ``duration`` steps. ``namespace`` and ``level`` are of no use here.

        Raises
        ------
        OptionError
            The duration is no whole number of steps, 0 or more.
        NotSupported
            The network has an object, a time step or a schedule that the chip has not.
        """
        steps = _whole_steps(duration)
        if profile:
            raise NotSupported("profile=True: the chip's step is one piece. Leave it out.")
        if self.schedule != SCHEDULE:
            raise NotSupported(
                f"the schedule was changed to {self.schedule}; the chip's is {SCHEDULE}. Leave it."
            )
        if not isinstance(get_device(), RuntimeDevice):
            raise NotSupported(
                f"a LoihiNetwork under the device {type(get_device()).__name__}, whose arrays hold"
                " nothing before it is built. Use set_device('runtime') or set_device('lava')."
            )
        found = members(self.objects)
        self._claim_objects()
        tell = _reporter(report)
        began, start = time.time(), self.t
        tell(0 * second, 0.0, start, steps * ms)
        self._advance(found, steps)
        tell((time.time() - began) * second, 1.0, start, steps * ms)

    def _claim_objects(self) -> None:
        """As Brian2's networks do: an object is run by one network only."""
        for item in [part for whole in self.objects for part in (whole, *whole.contained_objects)]:
            if item._network not in (None, self.id):
                raise NotSupported(
                    f"{item.name!r} was run by another network before; its state belongs to that"
                    " one. Use add and remove on one network."
                )
            item._network = self.id

    def _advance(self, found: Members, steps: int) -> None:
        first = round(float(self.t / second) / _STEP)
        end = first + steps
        pairs = recorded_pairs(found)
        numbers = sum(len(group) for group in found.groups if group.name in dict(pairs))
        piece = max(1, _PIECE // max(1, numbers))
        now = first
        while now < end:
            alone = first_step_alone(found, now)
            then = min(end, now + (1 if alone else piece))
            write_back(found, _emulated(found, now, then, pairs))
            now = then
        self.t_ = end * _STEP
        for clock in {item.clock for item in self.objects}:
            clock.variables["timestep"].set_value(end)
            clock.variables["t"].set_value(end * _STEP)


def _emulated(found: Members, first: int, end: int, pairs: list[tuple[str, str]]) -> Outcome:
    """The steps ``first`` .. ``end - 1``, by the engine that can run them."""
    network = chip_network(found, first, end)
    wanted = [(group.name, state) for group in found.groups for state in ("u", "v")]
    synaptic: Tables = {}
    if any(item.learns for item in found.synapses):
        recorded, final, synaptic = _learning(found, network, first, end - first, pairs)
    elif find_compiler() is None:
        warnings.warn(
            "no C++ compiler was found: the network runs step by step in NumPy, slowly. Install"
            " g++ (Debian: apt install g++).",
            stacklevel=4,
        )
        plain = PlainChip(network)
        recorded = plain.run(end - first, pairs)
        final = {(name, state): plain.states[name][state] for name, state in wanted}
    else:
        with Emulation(network, pairs) as emulation:
            recorded = emulation.run(end - first)
            final = {pair: emulation.state(*pair).copy() for pair in wanted}
    traces = dict(recorded.states)
    for group in found.groups:
        _put_back(group, first, final, traces)
    none = np.zeros(0, np.int64)
    spikes = {group.name: recorded.spikes.get(group.name, (none, none)) for group in found.groups}
    return Outcome(
        first=first,
        end=end,
        spikes={name: (steps + first, indices) for name, (steps, indices) in spikes.items()},
        traces=traces,
        final=final,
        synaptic=synaptic,
    )


def _learning(
    found: Members, network: ChipNetwork, first: int, steps: int, pairs: list[tuple[str, str]]
) -> tuple[Recorded, Tables, Tables]:
    """What was recorded of groups, their final states, and what was recorded of synapses."""
    learning = [item for item in found.synapses if item.learns and len(item)]
    if learning and can_compile(found, learning, first):
        return *run_compiled(network, learning, first, steps, pairs), {}
    chip = LearningChip(
        network,
        first,
        learning,
        {group.name: group._fired for group in found.groups},
        found.state_monitors,
    )
    recorded = chip.run(steps, pairs)
    for learner in chip.learners:
        learner.end()
    final = {
        (group.name, state): chip.states[group.name][state]
        for group in found.groups
        for state in ("u", "v")
    }
    rows = {pair: np.array(seen) for item in chip.learners for pair, seen in item.rows.items()}
    return recorded, final, rows


def _put_back(group: LoihiNeuronGroup, first: int, final: Any, traces: Any) -> None:
    """In a step that was run alone, the v of refractory neurons stays what it was set to."""
    stays = held(group, first)
    if stays.any():
        pair = group.name, "v"
        v = group.whole_state("v")
        final[pair] = np.where(stays, v, final[pair])
        if pair in traces:
            traces[pair] = np.where(stays, v, traces[pair])


def _whole_steps(duration: Any) -> int:
    if not isinstance(duration, Real) or duration < 0 or float(duration) % 1:
        raise OptionError(
            f"run({duration!r}): a whole number of steps, 0 or more, is needed, without a unit."
        )
    return round(float(duration))


def _reporter(report: Any) -> Callable[..., None]:
    if report is None:
        return lambda *_: None
    if callable(report):
        told: Callable[..., None] = report
        return told
    streams = {"text": sys.stdout, "stdout": sys.stdout, "stderr": sys.stderr}
    if report not in streams:
        raise OptionError(f"report={report!r}: 'text', 'stdout', 'stderr' or a function.")
    text: Callable[..., None] = TextReport(streams[report])
    return text
