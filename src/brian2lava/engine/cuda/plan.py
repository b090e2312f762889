"""A rendered program for a graphics card, and what its host has to know to run it."""

from __future__ import annotations

from dataclasses import dataclass

from brian2lava.engine.cpu.source import Source


@dataclass(frozen=True)
class Count:
    """A number of elements: ``array``'s length or first value, a constant, or a number.

    ``kind`` is "length", "value" (both of the array at ``place``), "integer" (of the context's
    integers) or "number" (``place`` itself).
    """

    kind: str
    place: int


@dataclass(frozen=True)
class GroupPlan:
    """What one group of operations wants of a launch: a thread for ``each`` of its ``elements``.

    ``rows`` names a queue: then threads share that queue's rows.
    """

    elements: Count
    each: int = 1
    rows: int | None = None


@dataclass(frozen=True)
class LevelPlan:
    """One kernel: ``groups`` run side by side in it; ``operations`` are theirs."""

    name: str
    groups: tuple[GroupPlan, ...]
    operations: tuple[int, ...]


@dataclass(frozen=True)
class QueuePlan:
    """The table of one pathway; fields are places of arrays. ``by_target`` orders its segments."""

    first: int
    last: int
    sources: int
    targets: int
    delays: int
    dt: int
    by_target: bool


@dataclass(frozen=True)
class SumPlan:
    """A summed variable: its synapses are listed for each of ``targets`` from ``start`` on."""

    index: int
    synapses: Count
    targets: Count
    start: int


@dataclass(frozen=True)
class CudaSource(Source):
    """A rendered program. ``written`` and ``grown`` are places of arrays that a run changes, and
    whose rows it adds to; ``clocks`` those of the clocks' time steps and times. ``exact`` computes
    the same bits everywhere."""

    #: Macros that say how large the context is.
    sizes: str = ""
    levels: tuple[LevelPlan, ...] = ()
    queues: tuple[QueuePlan, ...] = ()
    sums: tuple[SumPlan, ...] = ()
    thresholds: tuple[Count, ...] = ()
    written: tuple[int, ...] = ()
    grown: tuple[int, ...] = ()
    clocks: tuple[int, ...] = ()
    one_by_one: tuple[int, ...] = ()
    exact: bool = False
