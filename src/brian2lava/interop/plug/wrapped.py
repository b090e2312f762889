"""A whole Brian2 network as one process of a Lava program: ``brian2lava.as_process``."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.magic import MagicNetwork
from brian2.core.namespace import get_local_namespace
from brian2.core.network import Network
from brian2.devices.device import get_device
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.process import AbstractProcess

from brian2lava.device import LavaDevice
from brian2lava.device.clocks import due
from brian2lava.device.stepping import Stepping
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.plug.brian_model import BrianModel, brian_model
from brian2lava.interop.plug.connecting import name_problems
from brian2lava.interop.plug.schedule import EARLY, exchange_order
from brian2lava.interop.plug.terminals import Contributions, EventsOut, Place, SpikesIn, ValuesOut
from brian2lava.interop.plug.watched import Confession
from brian2lava.options import CHIPS
from brian2lava.processes.lava_host import forgotten_by_lava


def as_process(
    network: Network,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, Any] | None = None,
    states: Mapping[str, Any] | None = None,
    *,
    latency: int = 1,
    name: str | None = None,
    namespace: Mapping[str, Any] | None = None,
) -> BrianModel:
    """A Brian2 network as one Lava process, for a Lava program that somebody runs with Lava.

    A Lava step is a pass of the network's loop. The process runs under any run configuration that
    simulates, ``Loihi2SimCfg`` and ``brian2lava.CompiledCfg`` among them.

    Parameters
    ----------
    network : Network
        Made while ``set_device("lava")`` was on. It belongs to the process from now on; under
        Lava's own configurations it runs in a process of the system, so that what monitors record
        and variables hold there is read through ports and Vars.
    inputs : dict
        By name of the port: ``(group, "variable")`` or ``(group, "variable", unit)``, to which
        what arrives is added, or a SpikeGeneratorGroup, which spikes where a number other than 0
        arrives.
    outputs : dict
        By name of the port: a group, whose spikes are sent as 1 (int32), ``(group, "event")``, or
        ``(group, "variable")`` and ``(group, "variable", unit)``, whose values are sent.
    states : dict
        By name of the Var: ``(group, "variable")``, in base units.
    latency : int
        Of contributions. 1: what arrives in step t is added where synapses add and acts on the
        state update of step t + 1. The process sends before it receives, so it may be in a loop.
        0: it is added before the state update of step t, as in Lava's own neurons.
    name : str, optional
        Of the process; without it the network's.
    namespace : dict, optional
        For names in equations; without it the caller's variables.

    Raises
    ------
    OptionError
        A port is described otherwise, or its variable does not exist.
    NotSupported
        The device is another, or the network runs on a chip, or it has Lava processes itself.

    Examples
    --------
    >>> process = brian2lava.as_process(net, {"a_in": (G, "v", mV)}, {"s_out": G})
    >>> dense.a_out.connect(process.a_in)
    >>> process.run(RunSteps(100), run_cfg=Loihi2SimCfg())
    """
    device = _device_for(network)
    names = get_local_namespace(level=1) if namespace is None else dict(namespace)
    wrapped = Wrapped(
        [_input(port, given, latency) for port, given in (inputs or {}).items()],
        [_output(port, given) for port, given in (outputs or {}).items()],
        [_state(var, given) for var, given in (states or {}).items()],
    )
    taken: set[str] = set()
    for what in (*wrapped.inputs, *wrapped.outputs, *wrapped.states):
        _refuse_name(what.port, taken)
        taken.add(what.port)
        if what.place.group not in network.sorted_objects:
            raise OptionError(
                f"as_process({network.name!r}): '{what.port}' is about '{what.place.name}', which"
                " isn't in this network."
            )
    wrapped.begin(device, network, names)
    name_problems()
    with forgotten_by_lava():
        return brian_model(
            name or network.name,
            wrapped,
            {each.port: (each.size, each.dtype) for each in wrapped.inputs},
            {each.port: (each.size, each.dtype) for each in wrapped.outputs},
            {each.port: each.values().copy() for each in wrapped.states},
        )


class _Exchange(BrianObject):
    """The place in the schedule at which the process sends and receives."""

    add_to_magic_network = False
    invalidates_magic_network = False

    def __init__(self, clock: Any, when: str, order: float, name: str, work: Any) -> None:
        super().__init__(clock=clock, when=when, order=order, name=name)
        self._work = work

    def run(self) -> None:
        """One time step."""
        self._work()


class Wrapped:
    """The inside of a process: a network that goes on step by step, and what its ports mean.

    Parameters
    ----------
    inputs, outputs, states
        Terminals; states are read as outputs are.
    """

    def __init__(
        self, inputs: Sequence[Any], outputs: Sequence[Any], states: Sequence[ValuesOut]
    ) -> None:
        self.inputs, self.outputs, self.states = tuple(inputs), tuple(outputs), tuple(states)
        self._model: Any = None
        self._done: set[str] = set()
        self._seen: dict[str, Any] = {}
        self._confession = Confession()

    def begin(self, device: LavaDevice, network: Network, namespace: Any) -> None:
        """Put the exchange into the network's schedule, and compile the network."""
        terminals = (*self.inputs, *self.outputs)
        groups = {id(each.place.group): each.place.group for each in terminals}
        clocks = {id(group.clock): group.clock for group in groups.values()}
        order = exchange_order(terminals)
        for clock in clocks.values():
            if any(each.latency == 0 for each in self.inputs):
                network.add(_Exchange(clock, *EARLY, f"{network.name}_early*", self._receive_early))
            network.add(
                _Exchange(clock, "thresholds", order, f"{network.name}_ports*", self._exchange)
            )
        for each in (*terminals, *self.states):
            each.prepare()
        self._stepping = Stepping(device, network, namespace)

    def step(self, model: Any) -> None:
        """One pass of the network's loop."""
        self._model = model
        self._done.clear()
        self._take_written(model)
        now = {id(each.clock) for each in due(self._stepping.ticking)[1]}
        self._due = now
        pause = self._stepping.step()
        self._receive_early()  # a pass without a step of the groups has messages too
        self._exchange()
        for state in self.states:
            values = state.values()
            getattr(model, state.port)[...] = values
            self._seen[state.port] = values.copy()
        if pause:
            model.ask_for_pause()

    def failed(self) -> None:
        """In a process of Lava's an exception would be waited for without end."""
        self._confession.make(traceback.format_exc())

    @property
    def confession(self) -> Confession:
        """What went wrong in a process of the system."""
        return self._confession

    # ------------------------------------------------------------ in a step
    def _receive_early(self) -> None:
        if "early" not in self._done:
            self._done.add("early")
            self._receive(0)

    def _exchange(self) -> None:
        if "exchange" in self._done:
            return
        self._done.add("exchange")
        for outlet in self.outlets_now():
            getattr(self._model, outlet[0]).send(outlet[1])
        self._receive(1)

    def outlets_now(self) -> list[tuple[str, Any]]:
        """Ports and what they send; a group without a step in this pass sends zeros."""
        return [
            (each.port, each.values())
            if id(each.place.group.clock) in self._due
            else (each.port, np.zeros(each.size, each.dtype))
            for each in self.outputs
        ]

    def _receive(self, latency: int) -> None:
        for inlet in self.inputs:
            if inlet.latency == latency:
                inlet.take(getattr(self._model, inlet.port).recv())

    def _take_written(self, model: Any) -> None:
        """Vars that somebody has written since the last step change the network."""
        for state in self.states:
            value, seen = getattr(model, state.port), self._seen.get(state.port)
            if seen is not None and not np.array_equal(value, seen, equal_nan=True):
                state.write(value)


def _device_for(network: Any) -> LavaDevice:
    device = get_device()
    if not isinstance(device, LavaDevice):
        raise NotSupported("as_process(): call set_device('lava') before the network is made.")
    if not isinstance(network, Network) or isinstance(network, MagicNetwork):
        raise OptionError(f"as_process({network!r}): a Network is needed: Network(collect()).")
    if device.options.hardware in CHIPS or device.options.granularity == "object":
        raise NotSupported(
            f"as_process({network.name!r}): one process that runs a whole network in floating point"
            " needs set_device('lava') with hardware='CPU' and granularity='network'."
            " brian2lava.export_lava() writes a chip's network as Lava processes."
        )
    device.refuse_plugged(network, "as_process()")
    return device


def _described(port: str, given: Any) -> tuple[Any, str | None, Any]:
    """Group, name of a variable or event, unit."""
    parts = given if isinstance(given, tuple) else (given,)
    if 1 <= len(parts) <= 3 and all(isinstance(word, str) for word in parts[1:2]):
        group, *rest = parts
        return group, rest[0] if rest else None, rest[1] if len(rest) > 1 else None
    raise OptionError(
        f"as_process(): '{port}' is {given!r}; a group, (group, 'variable') or (group, 'variable',"
        " unit) is needed."
    )


def _input(port: str, given: Any, latency: int) -> Any:
    group, variable, unit = _described(port, given)
    place = Place.of(group)
    if variable is not None:
        return Contributions(place, variable, unit, port, latency=latency)
    if not isinstance(place.group, SpikeGeneratorGroup):
        raise OptionError(
            f"as_process(): the input '{port}' is the group '{place.name}'; name the variable that"
            f" is added to, ({place.name}, 'v'). Spikes can be given to a SpikeGeneratorGroup."
        )
    return SpikesIn(place, port)


def _output(port: str, given: Any) -> Any:
    group, name, unit = _described(port, given)
    place = Place.of(group)
    events = place.events
    if name is None and "spike" not in events:
        raise OptionError(f"as_process(): the output '{port}': '{place.name}' has no spikes.")
    if name is None or name in events:
        return EventsOut(place, name or "spike", port)
    return ValuesOut(place, name, unit, port)


def _state(var: str, given: Any) -> ValuesOut:
    group, name, unit = _described(var, given)
    if name is None or unit is not None:
        raise OptionError(f"as_process(): the state '{var}' is {given!r}; (group, 'variable').")
    state = ValuesOut(Place.of(group), name, None, var)
    state.prepare()
    return state


def _refuse_name(port: str, taken: set[str]) -> None:
    if port in taken:
        raise OptionError(f"as_process(): {port!r} is named twice.")
    if not port.isidentifier() or port.startswith("_") or port in _OWN or port in _taken_by_lava():
        raise OptionError(f"as_process(): {port!r} can't be the name of a port or Var.")


def _taken_by_lava() -> set[str]:
    """The attributes that a process and its model have anyway."""
    return {*dir(AbstractProcess), *dir(PyLoihiProcessModel)}


#: Those that they get when they are made.
_OWN = (
    "id", "inside", "in_ports", "log", "model_id", "name", "out_ports", "parent_proc", "phase",
    "proc_params", "procs", "ref_ports", "time_step", "var_ports", "vars",
)  # fmt: skip
