"""Which Brian2 objects of a step program share a process, and why.

Every object could have a process of its own if processes said to each other all that one object
does to another. They say what has a meaning between neurons and synapses: spikes, contributions
(``x_post += ...``), and values that synapses read. Objects that are tied by more share a process.

::

    object      a NeuronGroup, Synapses, PoissonGroup, monitor, ... by name
    part        objects that share a process, and the operations that it runs
    bond        two objects of one part, and what ties them
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from brian2lava.program import step_program as program
from brian2lava.program.effects import effects

#: The process of what only Python can run; it has to call the user's own process.
PYTHON = "python"

_RECORDERS = (program.StateRecorder, program.EventRecorder, program.RateRecorder)


@dataclass(frozen=True)
class Ownership:
    """Whose a program's operations and arrays are.

    Attributes
    ----------
    operations : tuple of str
        The object of each operation, by name.
    arrays : dict of str to (str, str)
        Object and variable of each array that belongs to an object; clocks' arrays are left out.
    kinds : dict of str to str
        The Brian2 class of each object.
    """

    operations: tuple[str, ...]
    arrays: Mapping[str, tuple[str, str]]
    kinds: Mapping[str, str] = field(default_factory=dict)

    def owner(self, array: str) -> str | None:
        """The object that an array belongs to."""
        return self.arrays[array][0] if array in self.arrays else None

    def variable(self, array: str) -> str:
        """The variable that an array holds."""
        return self.arrays[array][1] if array in self.arrays else array


@dataclass(frozen=True)
class Bond:
    """Two objects that share a process, and why."""

    first: str
    second: str
    reason: str

    def __str__(self) -> str:
        return f"'{self.first}' {self.reason} '{self.second}'"


@dataclass(frozen=True)
class Part:
    """The objects of one process; the first gives it its name."""

    name: str
    objects: tuple[str, ...]
    operations: tuple[int, ...]


@dataclass(frozen=True)
class Partition:
    """All parts of a program, in the order in which they first run, and the bonds inside them."""

    parts: tuple[Part, ...]
    bonds: tuple[Bond, ...]
    #: The part of each operation.
    part_of: tuple[int, ...]


def mutable_arrays(step_program: program.StepProgram) -> frozenset[str]:
    """The arrays that some operation writes; nothing has to be said about the others."""
    clocks = {name for clock in step_program.clocks for name in (clock.timestep, clock.t)}
    written = (effects(operation).all_writes for operation in step_program.operations)
    return frozenset().union(*written) - clocks


def partition(
    step_program: program.StepProgram,
    ownership: Ownership,
    passes: Sequence[Sequence[int]] = (),
) -> Partition:
    """The parts of ``step_program``; ``passes`` are operations (by index) that run together."""
    bonds = tuple(dict.fromkeys(_bonds(step_program, ownership, passes)))
    # An object that runs nothing itself may still be what synapses add to.
    owners = (ownership.owner(array) for array in sorted(mutable_arrays(step_program)))
    bound = (name for bond in bonds for name in (bond.first, bond.second))
    objects = [name for name in (*ownership.operations, *owners, *bound) if name is not None]
    leaders = {name: name for name in objects}

    def leader(name: str) -> str:
        while leaders[name] != name:
            name = leaders[name]
        return name

    for bond in bonds:
        leaders[leader(bond.first)] = leader(bond.second)
    places: dict[str, int] = {}
    for name in leaders:
        places.setdefault(leader(name), len(places))
    part_of = tuple(places[leader(name)] for name in ownership.operations)
    parts = []
    for top, place in places.items():
        members = [name for name in leaders if leader(name) == top]
        members.sort(key=lambda name: (_rank(name, ownership), name))
        operations = tuple(k for k, part in enumerate(part_of) if part == place)
        parts.append(Part(members[0], tuple(members), operations))
    return Partition(tuple(parts), bonds, part_of)


def _rank(name: str, ownership: Ownership) -> int:
    """Groups give a process its name before synapses, and these before all that serves them."""
    kind = ownership.kinds.get(name, "")
    if kind.endswith("Monitor") or kind in ("PoissonInput", ""):
        return 2
    return 1 if kind == "Synapses" else 0


def _bonds(
    step_program: program.StepProgram, ownership: Ownership, passes: Sequence[Sequence[int]]
) -> Iterator[Bond]:
    mutable = mutable_arrays(step_program)
    for operation, name in zip(step_program.operations, ownership.operations, strict=True):
        if isinstance(operation, program.PythonCall):
            continue
        what = effects(operation)
        for array in sorted(what.all_reads | what.all_writes):
            owner = ownership.owner(array)
            if owner is None or owner == name:
                continue
            reason = _reason(
                operation, ownership, array, array in what.all_writes, array in mutable
            )
            if reason is not None:
                yield Bond(name, owner, reason.format(variable=ownership.variable(array)))
    for members in passes:
        first = ownership.operations[members[0]]
        for other in (ownership.operations[k] for k in members[1:]):
            if other != first:
                yield Bond(other, first, "is computed in one pass with")


def _reason(
    operation: program.Operation,
    ownership: Ownership,
    array: str,
    written: bool,
    mutable: bool,
) -> str | None:
    """What an operation does to another object's array, if no port can carry that."""
    if isinstance(operation, _RECORDERS):
        return "records"
    if isinstance(operation, program.Pathway):
        if not written:
            return None
        index = target_index(operation, ownership)
        if any(a.array == array and a.index != index for a in operation.statements.writes):
            return "writes {variable} on the side that its spikes come from, which is of"
        if not contributes(operation.statements, array, index):
            return "sets {variable} (it does more than to add to it) of"
        return None
    if isinstance(operation, program.SummedVariable):
        return "has a summed variable in {variable} of" if written else _if(mutable, "sums over")
    if written:
        return "writes {variable} of"
    return _if(mutable, "reads {variable} in its equations (a linked variable), which is of")


def _if(condition: bool, reason: str) -> str | None:
    return reason if condition else None


def target_index(operation: program.Pathway, ownership: Ownership) -> str:
    """The index that a pathway's statements use for the side that its spikes act on."""
    post = ownership.variable(operation.targets) == "_synaptic_post"
    return "_postsynaptic_idx" if post else "_presynaptic_idx"


def contributes(statements: program.Statements, array: str, index: str) -> bool:
    """Whether all that happens to ``array`` is that something is added to it, or subtracted."""
    loaded = re.search(
        rf"\b(\w+) = _ptr{re.escape(array)}\[{re.escape(index)}\];", statements.vector
    )
    if loaded is None:
        return False
    name = re.escape(loaded.group(1))
    assigned = re.findall(rf"(?<![\w.]){name}\s*([-+*/%|&^]?=)(?!=)", statements.vector)
    return assigned.count("=") == 1 and set(assigned) <= {"=", "+=", "-="}
