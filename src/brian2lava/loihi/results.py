"""What the chip has done -> states, spikes on their way, and monitors of the Loihi objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import SpikeMonitor, StateMonitor
from numpy.typing import NDArray

from brian2lava.chip.arithmetic import ROWS
from brian2lava.chip.learning.rule import TRACES
from brian2lava.errors import NotSupported
from brian2lava.loihi.describe import arriving, delays, ends
from brian2lava.loihi.members import Members, owner
from brian2lava.loihi.neurons import LoihiNeuronGroup
from brian2lava.loihi.spike_generator import generated, lag
from brian2lava.loihi.synapses import InFlight, LoihiSynapses

Steps = NDArray[np.int64]
#: The chip's name of what is recorded for a variable.
CHIP_STATES = {"v": "v", "I": "u"}
_STEP = 1e-3


@dataclass(frozen=True)
class Outcome:
    """What the steps ``first`` .. ``end - 1`` have left.

    Attributes
    ----------
    first, end : int
    spikes : dict of group to (steps, indices)
        Steps as Brian2 counts them.
    traces : dict of (group, chip state) to array (steps, size)
    final : dict of (group, chip state) to array (size,)
    synaptic : dict of (monitor, variable) to array (steps, recorded)
        What monitors saw of synapses that learn.
    """

    first: int
    end: int
    spikes: dict[str, tuple[Steps, Steps]]
    traces: dict[tuple[str, str], NDArray[Any]]
    final: dict[tuple[str, str], NDArray[Any]]
    synaptic: dict[tuple[str, str], NDArray[Any]] = field(default_factory=dict)


def recorded_pairs(members: Members) -> list[tuple[str, str]]:
    """Which chip states the monitors need: (group, state).

    Raises
    ------
    NotSupported
        A monitor wants something that the chip does not have, or at another moment.
    """
    pairs = set()
    for monitor in members.state_monitors:
        group = owner(monitor.source)[0]
        for variable in monitor.record_variables:
            _check_moment(monitor, variable, group)
            if isinstance(group, LoihiNeuronGroup):
                pairs.add((group.name, CHIP_STATES[variable]))
    for monitor in members.spike_monitors:
        group = owner(monitor.source)[0]
        for variable in monitor.record_variables - {"i", "t"}:
            if monitor.when != "end":
                raise NotSupported(
                    f"{monitor.name!r} records {variable!r} in the slot {monitor.when!r}; at a"
                    " spike it can be read in the slot 'end', as LoihiSpikeMonitor does."
                )
            _check_known(monitor, variable, group)
            pairs.add((group.name, CHIP_STATES[variable]))
    return sorted(pairs)


#: Moments at which a state can be read: (variable, slot).
_MOMENTS = frozenset(
    {(name, slot) for name in ("v", "I") for slot in ("start", "synapses", "end")}
    | {(name, "end") for name in ("w", "w_act")}
    | {(name, "synapses") for name in TRACES}
)


def _check_moment(monitor: StateMonitor, variable: str, source: Any) -> None:
    _check_known(monitor, variable, source)
    if (variable, monitor.when) not in _MOMENTS or (monitor.when == "synapses" and monitor.order):
        raise NotSupported(
            f"{monitor.name!r} records {variable!r} in the slot {monitor.when!r} with order"
            f" {monitor.order}; use a LoihiStateMonitor with order 0."
        )


def _check_known(monitor: Any, variable: str, source: Any) -> None:
    known: tuple[str, ...] = ("v", "I")
    if not isinstance(source, LoihiNeuronGroup):
        known = ("w", "w_act", *source.traces)
    if variable not in known:
        raise NotSupported(
            f"{monitor.name!r} records {variable!r} of {source.name!r}; what can be recorded is"
            f" {', '.join(known)}."
        )


def write_back(members: Members, outcome: Outcome) -> None:
    """Brings monitors, synapses and groups from step ``first`` to step ``end``, in this order."""
    for spike_monitor in members.spike_monitors:
        _add_spikes(spike_monitor, outcome)
    for state_monitor in members.state_monitors:
        _add_states(state_monitor, outcome)
    on_their_way = [_on_their_way(synapses, outcome) for synapses in members.synapses]
    for synapses, flight in zip(members.synapses, on_their_way):
        synapses._in_flight = flight
    for group in members.groups:
        _set_states(group, outcome)


def _set_states(group: LoihiNeuronGroup, outcome: Outcome) -> None:
    steps, indices = outcome.spikes[group.name]
    group._fired = indices[steps == outcome.end - 1]
    u, v = outcome.final[group.name, "u"], outcome.final[group.name, "v"]
    group.variables["I"].set_value(_decayed(group, u).astype(float))
    group.variables["v"].set_value(v.astype(float))
    last = np.asarray(group.variables["lastspike"].get_value()).copy()
    np.maximum.at(last, indices, steps * _STEP)
    group.variables["lastspike"].set_value(last)
    since = outcome.end - 1 - np.round(last / _STEP)
    ready = since >= group.loihi_parameters["refractory"]
    group.variables["not_refractory"].set_value(ready)


def _decayed(group: LoihiNeuronGroup, u: NDArray[Any]) -> NDArray[Any]:
    """I at the end of a step, from the chip's u."""
    decayed: NDArray[Any] = ROWS["decay"].meaning(
        u.astype(np.int64), np.int64(group.loihi_parameters["decay_I"])
    )
    return decayed


def _on_their_way(synapses: LoihiSynapses, outcome: Outcome) -> InFlight:
    """Spikes that have set out before ``end`` and act in step ``end`` or later."""
    flight = arriving(synapses, outcome.first)
    late = flight.steps >= outcome.end
    numbers, steps = [flight.synapses[late]], [flight.steps[late]]
    delay = np.broadcast_to(delays(synapses), (len(synapses),))
    pre = ends(synapses)[0]
    for back in range(1, min(int(delay.max(initial=0)), outcome.end - outcome.first - 1) + 1):
        setting_out = outcome.end - back
        sources = _setting_out(synapses, setting_out, outcome)
        chosen = np.flatnonzero(np.isin(pre, sources) & (delay >= back))
        numbers.append(chosen)
        steps.append(setting_out + delay[chosen])
    return InFlight(np.concatenate(numbers), np.concatenate(steps))


def _setting_out(synapses: LoihiSynapses, step: int, outcome: Outcome) -> Steps:
    """Sources whose spikes set out in ``step``."""
    source = owner(synapses.source)[0]
    if isinstance(source, LoihiNeuronGroup):
        steps, indices = outcome.spikes[source.name]
        return indices[steps == step - 1]
    return generated(source, step - lag(source), step - lag(source) + 1)[1]


def _add_spikes(monitor: SpikeMonitor, outcome: Outcome) -> None:
    source, start, stop = owner(monitor.source)
    if isinstance(source, LoihiNeuronGroup):
        steps, indices = outcome.spikes[source.name]
    else:
        steps, indices = generated(source, outcome.first, outcome.end)
    inside = (indices >= start) & (indices < stop)
    steps, indices = steps[inside], indices[inside] - start
    counts = monitor.variables["count"]
    added = np.bincount(indices, minlength=stop - start)
    counts.set_value(np.asarray(counts.get_value()) + added)
    before = int(monitor.variables["N"].get_value()[0])
    columns: dict[str, Any] = {"i": indices, "t": steps * _STEP}
    for variable in monitor.record_variables - {"i", "t"}:
        table = _table(source, variable, "end", outcome)
        columns[variable] = table[steps - outcome.first, indices + start]
    monitor.resize(before + len(steps))
    for name in monitor.record_variables:
        monitor.variables[name].get_value()[before:] = columns[name]
    monitor.variables["N"].set_value(before + len(steps))


def _add_states(monitor: StateMonitor, outcome: Outcome) -> None:
    source, start, _ = owner(monitor.source)
    before = int(monitor.variables["N"].get_value()[0])
    count = outcome.end - outcome.first
    monitor.resize(before + count)
    times = np.arange(outcome.first, outcome.end) * _STEP
    monitor.variables["t"].get_value()[before:] = times
    for variable in monitor.record_variables:
        column = outcome.synaptic.get((monitor.name, variable))
        if column is None:
            table = _table(source, variable, monitor.when, outcome)
            column = table[:, np.asarray(monitor.record) + start]
        monitor.variables[variable].get_value()[before:] = column


def _table(source: Any, variable: str, moment: str, outcome: Outcome) -> NDArray[Any]:
    """Values of all elements in the slot ``moment`` of each step, shape (steps, size)."""
    if not isinstance(source, LoihiNeuronGroup):
        constant = np.asarray(source.variables[variable].get_value())
        return np.broadcast_to(constant, (outcome.end - outcome.first, len(constant)))
    after = outcome.traces[source.name, CHIP_STATES[variable]]
    if variable == "I":
        if moment == "synapses":
            return after
        after = _decayed(source, after)
    if moment == "end":
        return after
    before = np.asarray(source.variables[variable].get_value())
    return np.concatenate([before[None], after[:-1]])
