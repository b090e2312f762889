"""What ran, and from which state, so that ``device.run(run_args=...)`` can do it again.

A recording begins with the first ``run()`` (or ``device.apply_run_args()``): from then on it keeps
the state that arrays had when they were first met, and what happened to them: runs, and settings
between the runs. Objects are referred to weakly, so that a recording keeps none of them alive.
"""

from __future__ import annotations

import numbers
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2.core.functions import Function
from brian2.core.network import Network
from brian2.core.variables import ArrayVariable, DynamicArrayVariable
from brian2.units.fundamentalunits import Quantity

from brian2lava.errors import NotSupported

#: A recording that nobody asked for is given up beyond so many bytes or events.
_MOST_BYTES = 1 << 24
_MOST_EVENTS = 256

#: What a SpikeGeneratorGroup knows outside its arrays.
_GENERATOR_ATTRIBUTES = ("_spike_time", "_neuron_index", "_previous_dt")


@dataclass(frozen=True)
class _Member:
    """One object of a network as it was when a run began."""

    reference: Callable[[], Any]
    name: str
    active: bool
    when: str
    order: int
    namespace: dict[str, Any] | None
    generator: dict[str, Any]

    @classmethod
    def of(cls, brian_object: Any) -> _Member:
        """The object's present condition."""
        namespace = getattr(brian_object, "namespace", None)
        return cls(
            weakref.ref(brian_object),
            brian_object.name,
            brian_object._active,
            brian_object.when,
            brian_object.order,
            usable(namespace) if isinstance(namespace, dict) else None,
            {
                name: getattr(brian_object, name)
                for name in _GENERATOR_ATTRIBUTES
                if hasattr(brian_object, name)
            },
        )

    def bring_back(self) -> None:
        """Put the object into that condition."""
        brian_object = self.reference()
        brian_object._active = self.active
        brian_object.when = self.when
        brian_object.order = self.order
        if self.namespace is not None:
            brian_object.namespace.update(self.namespace)
        for name, value in self.generator.items():
            setattr(brian_object, name, value)
        if self.generator:
            brian_object._spikes_changed = True


@dataclass(frozen=True)
class Run:
    """One ``run()``; ``t`` is the network's time at its beginning, in seconds."""

    network: Callable[[], Network | None]
    t: float
    arguments: dict[str, Any]
    schedule: Any
    objects: tuple[Callable[[], Any], ...]
    members: tuple[_Member, ...]


@dataclass(frozen=True)
class Change:
    """Something that happened between two runs; ``doubt`` is why it can't be repeated."""

    repeat: Callable[[], None]
    doubt: str | None = None


class ApplyArguments:
    """Where ``run_args`` take effect."""


def usable(namespace: Any) -> dict[str, Any]:
    """The part of a namespace that equations can use; the rest would keep objects alive."""
    return {
        name: value
        for name, value in namespace.items()
        if isinstance(value, numbers.Number | Quantity | Function | np.bool_)
        or (callable(value) and hasattr(value, "_arg_units"))
    }


class Recording:
    """Runs and changes since the first run of ``device``."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._asked_for = False
        self.clear()

    def clear(self, asked_for: bool | None = None) -> None:
        """Forget everything; with ``asked_for`` a recording has no limits."""
        if asked_for is not None:
            self._asked_for = asked_for
        self._arrays: weakref.WeakKeyDictionary[ArrayVariable, tuple[np.ndarray, Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._bytes = 0
        self._queues: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
        self._times: weakref.WeakKeyDictionary[Network, float] = weakref.WeakKeyDictionary()
        self._random: dict[str, Any] | None = None
        self._events: list[Run | Change | ApplyArguments] = []
        self._read: str | None = None
        self._refused: str | None = None
        self._paused = 0

    @property
    def begun(self) -> bool:
        """Whether anything is recorded."""
        return bool(self._events)

    @property
    def listening(self) -> bool:
        """Whether what happens now is to be recorded."""
        return self.begun and not self._paused and self._refused is None

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens inside is part of something that is recorded as a whole."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    def refuse(self, reason: str) -> None:
        """Something happened that can't be repeated; ``reason`` is a sentence for the user."""
        if self._refused is None:
            self._refused = reason
            self._events = self._events[:2]  # enough to see when the model is gone
            self._arrays.clear()

    # ------------------------------------------------------------ what happens
    def begin(self) -> None:
        """The state is as it shall be at the start of a repetition."""
        if not self.begun:
            if self._device.random.given is not None:
                self._random = self._device.get_random_state()
            self._note(ApplyArguments())

    def note_run(self, net: Network, arguments: dict[str, Any]) -> None:
        """A run is about to start; ``arguments`` are those of ``network_run``."""
        if self._paused:
            return
        if self._over(net):
            self.clear()
        self.begin()
        for event in self._events:
            if isinstance(event, Change) and event.doubt is not None:
                self.refuse(event.doubt)
                break
        self._read = None
        if self._refused is not None:
            return
        members = tuple(_Member.of(obj) for obj in net.sorted_objects)
        self._times.setdefault(net, net.t_)
        for member in members:
            queue = getattr(member.reference(), "queue", None)
            if queue is not None and queue not in self._queues:
                self._queues[queue] = queue._full_state()
        self._note(
            Run(
                weakref.ref(net),
                net.t_,
                {**arguments, "namespace": usable(arguments["namespace"])},
                list(net.schedule),
                tuple(weakref.ref(obj) for obj in net.objects),
                members,
            )
        )

    def note_change(self, what: str, repeat: Callable[[], None], constant: bool = False) -> None:
        """A change between runs; ``repeat`` does it again.

        With ``constant`` the new value can't come from what was read before.
        """
        if not self.listening:
            return
        doubt = None
        if self._read is not None and not constant:
            doubt = (
                f"{what} was set after {self._read} had been read, between two runs; what was read"
                " would be another value in a repetition. Set it by an expression (a string), or"
                " before the first run."
            )
        self._note(Change(repeat, doubt))

    def note_read(self, what: str) -> None:
        """Values that a run made are read; what is set next may depend on them."""
        if self.listening and self._read is None:
            self._read = what

    def _over(self, net: Network) -> bool:
        """Whether the recorded objects are gone and ``net`` is another model."""
        members = [m.reference() for event in self._runs() for m in event.members]
        if not members or all(member is not None for member in members):
            return False
        recorded = {id(member) for member in members if member is not None}
        return recorded.isdisjoint(id(obj) for obj in net.sorted_objects)

    def _runs(self) -> list[Run]:
        return [event for event in self._events if isinstance(event, Run)]

    def _note(self, event: Run | Change | ApplyArguments) -> None:
        for variable, array in list(self._device.arrays.items()):
            if variable not in self._arrays:
                self._bytes += array[:].nbytes
                if not self._asked_for and self._bytes > _MOST_BYTES:
                    break
                self._arrays[variable] = (np.array(array[:]), variable.size)
        self._events.append(event)
        if self._asked_for:
            return
        if self._bytes > _MOST_BYTES or len(self._events) > _MOST_EVENTS:
            self.refuse(
                "the simulation is too large to be recorded unasked. Ask for it:"
                " set_device('lava', build_on_run=False) or set_device('lava', directory=None)."
            )

    # ------------------------------------------------------------ again
    def repeat(
        self, apply: Callable[[], None], run: Callable[[Network, dict[str, Any]], None]
    ) -> None:
        """Go back to the state before the first run, and do everything again.

        ``apply`` sets the arguments of the repetition; ``run`` gets a network and the arguments
        of its run.

        Raises
        ------
        RuntimeError
            Nothing has run, or objects are gone.
        NotSupported
            What happened can't be repeated; says why and what to do.
        """
        if self._refused is not None:
            raise NotSupported(f"device.run() can't repeat the simulation: {self._refused}")
        if not self._runs():
            raise RuntimeError("device.run(): nothing has run yet; call run(...) first.")
        while not isinstance(self._events[-1], Run):
            self._events.pop()
        self._read = None
        with self.paused():
            self._go_back()
            for event in self._events:
                if isinstance(event, ApplyArguments):
                    apply()
                elif isinstance(event, Change):
                    event.repeat()
                else:
                    run(self._set_up(event), event.arguments)

    def _go_back(self) -> None:
        for variable, (values, size) in self._arrays.items():
            if isinstance(variable, DynamicArrayVariable):
                self._device.resize(variable, size)
                variable.size = size
            self._device.arrays[variable][:] = values
        for queue, state in self._queues.items():
            queue._restore_from_full_state(state)
        for net, t in self._times.items():
            net.t_ = t
        if self._random is None:
            self._device.seed(None)
        else:
            self._device.set_random_state(self._random)

    def _set_up(self, event: Run) -> Network:
        """The network with its objects in the condition that they had when the run began."""
        objects = [reference() for reference in event.objects]
        if any(brian_object is None for brian_object in objects):
            gone = [member.name for member in event.members if member.reference() is None]
            raise RuntimeError(
                f"device.run(): {', '.join(map(repr, gone))} took part in the first run and no"
                " longer exist; keep references to them."
            )
        net = event.network()
        if net is None:
            net = Network()
            net.t_ = event.t
            for member in event.members:
                member.reference()._network = None  # they were in the one that is gone
        net.objects = set(objects)
        net.schedule = event.schedule
        for brian_object in net.sorted_objects:
            brian_object._active = False  # those that came later have no part in this run
        for member in event.members:
            member.bring_back()
        return net
