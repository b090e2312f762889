"""What Brian2 groups send to Lava processes and take from them: the Brian2 side of a port."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from brian2.core.variables import ArrayVariable, Subexpression
from brian2.groups.subgroup import Subgroup
from brian2.input.spikegeneratorgroup import SpikeGeneratorGroup
from brian2.synapses.synapses import Synapses
from brian2.units.fundamentalunits import Quantity, get_dimensions, have_same_dimensions

from brian2lava.errors import NotSupported, OptionError

#: What a contribution acts on, counted in steps from the one in which it was sent.
LATENCIES = (0, 1)


@dataclass(frozen=True)
class Place:
    """A group, or the neurons ``start`` .. ``stop`` - 1 of one.

    The group is held weakly: whoever keeps a Brian2 object alive changes magic networks.
    """

    name: str
    reference: Callable[[], Any]
    start: int
    stop: int

    @classmethod
    def of(cls, group: Any) -> Place:
        """The place of a group, Synapses, or subgroup.

        Raises
        ------
        NotSupported
            Another Brian2 object.
        """
        home = home_of(group)
        if not hasattr(home, "variables") or not (
            isinstance(home, Synapses) or hasattr(home, "events")
        ):
            name = getattr(group, "name", group)
            raise NotSupported(
                f"process({name!r}): a {type(group).__name__} has no ports. A NeuronGroup,"
                " SpatialNeuron, PoissonGroup, SpikeGeneratorGroup, Synapses or a subgroup has;"
                " what a monitor records is in the monitor."
            )
        start = group.start if isinstance(group, Subgroup) else 0
        stop = group.stop if isinstance(group, Subgroup) else len(home)
        return cls(group.name, weakref.ref(home), int(start), int(stop))

    @property
    def group(self) -> Any:
        """The group that has the variables."""
        found = self.reference()
        if found is None:
            raise OptionError(f"'{self.name}' does not exist any more; its process can't be used.")
        return found

    @property
    def events(self) -> tuple[str, ...]:
        """The names of its events; Synapses have none of their own."""
        return () if isinstance(self.group, Synapses) else tuple(sorted(self.group.events))

    @property
    def size(self) -> int:
        """Neurons, or synapses."""
        return self.stop - self.start


def home_of(group: Any) -> Any:
    """The group of a subgroup (which holds it by a weak proxy); any other group itself."""
    return group.source.__repr__.__self__ if isinstance(group, Subgroup) else group


class Terminal(Protocol):
    """The Brian2 side of one port."""

    place: Place
    port: str
    size: int
    dtype: Any
    settings: tuple[Any, ...]

    def prepare(self) -> None:
        """Look up where the arrays are; before each run."""
        ...


class Outlet(Terminal, Protocol):
    """Sends."""

    def values(self) -> Any:
        """What is sent in this step, of shape (size,)."""
        ...


class Inlet(Terminal, Protocol):
    """Receives."""

    latency: int

    def take(self, values: Any) -> None:
        """What arrived in this step, of shape (size,)."""
        ...


@dataclass
class EventsOut:
    """The events of a step: 1 or 0 for each neuron."""

    place: Place
    event: str
    port: str
    dtype: Any = np.int32
    _space: Any = field(default=None, repr=False)

    @property
    def size(self) -> int:
        return self.place.size

    @property
    def settings(self) -> tuple[Any, ...]:
        return (self.event,)

    @property
    def schedule(self) -> tuple[str, int]:
        """Slot and order in which the events are found."""
        return schedule_of(self.place.group, self.event)

    def prepare(self) -> None:
        self._space = self.place.group.variables[event_space(self.event)].get_value()

    def values(self) -> Any:
        found = self._space[: self._space[-1]]
        if self.size + 1 != len(self._space):
            found = found[(found >= self.place.start) & (found < self.place.stop)]
            found = found - self.place.start
        sent = np.zeros(self.size, np.int32)
        sent[found] = 1
        return sent


@dataclass
class SpikesIn:
    """Spikes of a SpikeGeneratorGroup that come from outside, besides its own."""

    place: Place
    port: str = "s_in"
    dtype: Any = np.float64
    latency: int = 1
    settings: tuple[Any, ...] = ()
    _space: Any = field(default=None, repr=False)

    @property
    def size(self) -> int:
        return self.place.size

    @property
    def schedule(self) -> tuple[str, int]:
        """Slot and order in which the group's own spikes are found."""
        return schedule_of(self.place.group, "spike")

    def prepare(self) -> None:
        self._space = self.place.group.variables[event_space("spike")].get_value()

    def take(self, values: Any) -> None:
        found = np.flatnonzero(values)
        if not len(found):
            return
        spikes = np.union1d(self._space[: self._space[-1]], found + self.place.start)
        self._space[: len(spikes)] = spikes
        self._space[-1] = len(spikes)


@dataclass
class _OfVariable:
    """A variable, or the part of it that belongs to a subgroup."""

    place: Place
    variable: str
    unit: Any
    port: str
    _array: Any = field(default=None, repr=False)
    _refractory: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        found = self._found()
        self.dtype: Any = np.dtype(found.dtype).type
        self.scale = _scale(self.place, self.variable, found, self.unit)
        self._whole = bool(found.scalar)
        self.size = 1 if self._whole else self.place.size

    def _found(self) -> Any:
        return variable_of(self.place, self.variable)

    def prepare(self) -> None:
        """Look up the array; the number of synapses must be that of the port.

        Raises
        ------
        OptionError
            It is another.
        """
        found = self._found()
        values = found.get_value()
        self._array = values if self._whole else values[self.place.start : self.place.stop]
        if len(self._array) != self.size:
            raise OptionError(
                f"'{self.place.name}' had {self.size} elements when process() was called, and has"
                f" {len(values)} now; call process() when all synapses are made."
            )
        conditional = found.conditional_write
        self._refractory = None
        if conditional is not None:
            self._refractory = conditional.get_value()[self.place.start : self.place.stop]


@dataclass
class ValuesOut(_OfVariable):
    """The values of a variable."""

    @property
    def settings(self) -> tuple[Any, ...]:
        return (self.variable, self.scale)

    def values(self) -> Any:
        return self._array if self.scale == 1 else self._array / self.scale

    def write(self, values: Any) -> None:
        """Set the variable."""
        self._array[...] = values * self.scale if self.scale != 1 else values


@dataclass
class Contributions(_OfVariable):
    """Adds to a variable."""

    latency: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.latency not in LATENCIES:
            raise OptionError(
                f"'{self.place.name}'.into({self.variable!r}, latency={self.latency!r}): 1 (acts on"
                " the next step's state update) or 0 (on this step's); longer ones are a matter of"
                " Lava's DelayDense."
            )
        _refuse_unchangeable(self.place, self.variable, self._found())

    @property
    def settings(self) -> tuple[Any, ...]:
        return (self.variable, self.scale, self.latency)

    def take(self, values: Any) -> None:
        if self.scale != 1:
            values = values * self.scale
        if self._refractory is None:
            np.add(self._array, values, out=self._array, casting="same_kind")
        else:
            free = self._refractory
            self._array[free] += values[free]


def variable_of(place: Place, name: str) -> Any:
    """A variable of a group with values of its own.

    Raises
    ------
    OptionError
        There is none of this name.
    NotSupported
        It is a subexpression, or no array.
    """
    group = place.group
    variables = group.variables
    if name not in variables:
        own = sorted(
            each for each, found in variables.items()
            if isinstance(found, ArrayVariable) and not each.startswith("_") and not found.read_only
        )  # fmt: skip
        raise OptionError(f"'{place.name}' has no variable {name!r}; there are {', '.join(own)}.")
    found = variables[name]
    if isinstance(found, Subexpression):
        raise NotSupported(
            f"'{place.name}': {name} is a subexpression and has no values of its own. Give the"
            f" group a variable for it: run_regularly('{name}_now = {name}', when='after_groups')."
        )
    if not isinstance(found, ArrayVariable):
        raise NotSupported(f"'{place.name}': {name} is a constant, {found.get_value()!r}.")
    if getattr(found.owner, "name", None) != group.name:  # the owner is a weak proxy
        raise NotSupported(
            f"'{place.name}': {name} belongs to {getattr(found.owner, 'name', 'another object')!r}"
            " (a linked variable); ask for the process of that."
        )
    return found


def _refuse_unchangeable(place: Place, name: str, found: Any) -> None:
    if found.read_only or found.constant or np.dtype(found.dtype) == np.dtype(bool):
        why = (
            "is read-only" if found.read_only
            else "is constant, which says that it does not change during a run" if found.constant
            else "is true or false"
        )  # fmt: skip
        raise NotSupported(f"'{place.name}'.into({name!r}): {name} {why}; nothing can be added.")


def _scale(place: Place, name: str, found: Any, unit: Any) -> float:
    """What one of Lava's numbers is, in base units.

    Raises
    ------
    OptionError
        The unit is none of the variable's.
    """
    if unit is None:
        return 1.0
    if not isinstance(unit, Quantity | int | float) or np.ndim(unit) != 0 or not unit > 0 * unit:
        raise OptionError(f"'{place.name}', {name}: unit={unit!r} is no unit such as mV.")
    if not have_same_dimensions(unit, found.dim):
        raise OptionError(
            f"'{place.name}', {name}: unit={unit!r} has the dimension {get_dimensions(unit)}, and"
            f" {name} has {found.dim}."
        )
    return float(unit)


def event_space(event: str) -> str:
    """The variable that holds the events."""
    return "_spikespace" if event == "spike" else f"_{event}space"


def schedule_of(group: Any, event: str) -> tuple[str, int]:
    """Slot and order in which a group's events are found."""
    finder = group if isinstance(group, SpikeGeneratorGroup) else group.thresholder[event]
    return str(finder.when), finder.order
