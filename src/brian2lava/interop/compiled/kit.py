"""What a row has to work with when it turns one process model into compiled operations.

The state stays where it is, in the arrays of Lava's own model object, which ``Var.get`` and
``Var.set`` reach; operations hold their addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.interop.compiled.library import Operation, has
from brian2lava.interop.compiled.members import Link, Member

_NAMES = {
    np.dtype(np.bool_): "bool",
    np.dtype(np.int16): "int16",
    np.dtype(np.int32): "int32",
    np.dtype(np.int64): "int64",
    np.dtype(np.float64): "double",
}


class Unfit(Exception):
    """This process has no compiled form; the text says why. It runs as Lava's Python model."""


def name_of(*dtypes: Any) -> str:
    """Types as they stand in the names of operations: "int32_double"."""
    try:
        return "_".join(_NAMES[np.dtype(each)] for each in dtypes)
    except KeyError as problem:
        raise Unfit(f"there are no compiled operations for numbers of type {problem}") from None


@dataclass
class Hosted:
    """What a compiled process does in Python, in the phase after learning of every ``interval``-th
    step, counted from ``offset``."""

    interval: int
    offset: int
    call: Callable[[int], None]

    def next(self, done: int) -> int:
        """Its first step after ``done`` steps."""
        return done + 1 + (self.offset - done) % self.interval


@dataclass
class Unit:
    """Operations of one process that run together: they take from ports, and send to ports."""

    member: Member
    operations: list[Operation] = field(default_factory=list)
    reads: list[Link] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)


class Signals:
    """By port that sends: what it sent last."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[int, str], Any] = {}

    def of(self, member: Member, port: str) -> Any:
        """The array of an OutPort, flat, in the type of its model's port."""
        key = (id(member), port)
        if key not in self._arrays:
            declared = member.builder.py_ports[port]
            size = int(np.prod(declared.shape, dtype=int))
            self._arrays[key] = np.zeros(size, declared.d_type)
        return self._arrays[key]


class Kit:
    """Collects the compiled form of one member.

    Attributes
    ----------
    member, model
    units : list of Unit
        Of the spiking phase, in the order of the model's own sends and receives.
    learn : list of Operation
        Of the learning phase (LRN).
    after : list of Operation
        Of the phase after it (POST_MGMT), where RefPorts read.
    hosted : list of Hosted
    faults : list of (array, str)
        A step in which the model's Python fails (0: none), and why.
    refresh : list of callables
        Run before the first step, and after somebody has written a Var.
    store : list of callables
        Run before somebody reads a Var.
    room : int, optional
        Steps (counted from the start) for which there is room.
    replaced : set of str
        Vars whose arrays are exchanged for others in the course of a run.
    """

    def __init__(self, member: Member, signals: Signals, compiled: dict[int, Kit]) -> None:
        self.member = member
        self.model = member.model
        self.units = [Unit(member)]
        self.learn: list[Operation] = []
        self.after: list[Operation] = []
        self.hosted: list[Hosted] = []
        self.faults: list[tuple[Any, str]] = []
        self.refresh: list[Callable[[], None]] = []
        self.store: list[Callable[[], None]] = []
        self.room: int | None = None
        self.replaced: set[str] = set()
        self._states: set[str] = set()
        self._signals = signals
        self._compiled = compiled

    def fault(self, why: str) -> Any:
        """A word that an operation sets to the step in which it can't go on."""
        word = np.zeros(1, np.int64)
        self.faults.append((word, why))
        return word

    def then(self) -> None:
        """What is added from here on may run later than what was added before."""
        self.units.append(Unit(self.member))

    def add(self, operation: str, **fields: Any) -> Operation:
        """An operation of ``operations`` in the spiking phase."""
        if not has(operation):
            raise Unfit(f"there is no compiled operation {operation}")
        made = Operation(operation, **fields)
        self.units[-1].operations.append(made)
        return made

    def output(self, port: str, dtype: Any) -> Any:
        """The array that is sent through ``port``, to be filled by this unit."""
        array = self._signals.of(self.member, port)
        if array.dtype != np.dtype(dtype):
            raise Unfit(f"its port {port} sends {array.dtype}")
        self.units[-1].writes.append(port)
        return array

    def input(self, port: str, *allowed: Any) -> Any:
        """The sum of all that arrives at ``port``: flat, of one of the allowed types."""
        declared = self.member.builder.py_ports[port]
        links = self.member.inputs.get(port, [])
        size = int(np.prod(declared.shape, dtype=int))
        if not links:  # zeros, whatever their type
            known = not allowed or np.dtype(declared.d_type) in map(np.dtype, allowed)
            return np.zeros(size, declared.d_type if known else allowed[0])
        dtypes = {link.channel.dtype for link in links}
        if len(dtypes) > 1:
            raise Unfit(f"its port {port} receives numbers of several types")
        (dtype,) = dtypes
        summed = (np.zeros(1, declared.d_type) + np.zeros(1, dtype)).dtype
        self.units[-1].reads.extend(links)
        sources = [(self._signals.of(link.source, link.source_port), _map(link)) for link in links]
        if len(sources) == 1 and sources[0][1] is None and dtype == summed:
            return self._of_type(sources[0][0], allowed, port)
        total = self._of_type(np.zeros(size, summed), allowed, port)
        for place, (array, order) in enumerate(sources):
            self.add(
                "gather_" + name_of(dtype, summed),
                n=size, **{"in": array}, map=order, out=total, first=place == 0,
            )  # fmt: skip
        return total

    def state(self, name: str, *allowed: Any) -> Any:
        """A Var's own array, flat: what operations write there, everybody sees, and vice versa."""
        array = self.array(name, *allowed)
        self._states.add(name)
        return array

    def array(self, name: str, *allowed: Any) -> Any:
        """As :meth:`state`, where more must be done when others write it (``refresh``)."""
        array = getattr(self.model, name)
        if not isinstance(array, np.ndarray) or not array.flags.c_contiguous:
            raise Unfit(f"{name} is no array in one piece")
        return self._of_type(array, allowed, name).reshape(-1)

    def converted(self, array: Any, dtype: Any) -> Any:
        """``array`` in another type, brought up to date in each step."""
        if array.dtype == dtype:
            return array
        made = np.zeros(array.size, dtype)
        self.add(
            f"gather_{name_of(array.dtype, dtype)}", n=array.size, map=None, first=1,
            **{"in": array}, out=made,
        )  # fmt: skip
        return made

    def is_state(self, member: Member, name: str) -> bool:
        """Whether operations of ``member`` work on the Var itself, so that others may write it."""
        kit = self._compiled.get(id(member))
        return kit is not None and name in kit._states

    def observed(self, port: str) -> tuple[Any, Any]:
        """The array that a RefPort reads, and the type in which it comes."""
        target, name = self.member.references[port]
        kit = self._compiled.get(id(target))
        if kit is None:
            raise Unfit(f"{name} of {target.name} is not in compiled code")
        if kit.store:
            raise Unfit(f"{name} of {target.name} is kept in another order")
        array = getattr(target.model, name)
        if not isinstance(array, np.ndarray) or not array.flags.c_contiguous:
            raise Unfit(f"{name} of {target.name} is no array in one piece")
        if name in kit.replaced:
            raise Unfit(f"{name} of {target.name} may become another array")
        return array.reshape(-1), np.dtype(getattr(target.builder.proc_model, name).d_type)

    @staticmethod
    def _of_type(array: Any, allowed: tuple[Any, ...], what: str) -> Any:
        if allowed and array.dtype not in {np.dtype(each) for each in allowed}:
            raise Unfit(f"{what} has numbers of type {array.dtype}")
        return array


def _map(link: Link) -> Any:
    """Which element of the sender each element of the receiver takes; None: its own.

    Virtual ports (reshape, transpose) move elements: what they do with numbers 0, 1, ... tells how.
    """
    shape = link.channel.shape
    numbers = np.arange(int(np.prod(shape, dtype=int)), dtype=np.int64).reshape(shape)
    port = getattr(link.target.model, link.target_port)
    end = next(end for end in port.csp_ports if end.channel is link.channel)
    order = np.ascontiguousarray(port._transformer.transform(numbers, end)).reshape(-1)
    return None if np.array_equal(order, numbers.reshape(-1)) else order
