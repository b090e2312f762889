"""Which processes are compiled, which stay Lava's Python models, and in what order they run.

In a step, a receiver runs after the senders of what it takes: Lava's channels say nothing else of
the order. Connections that send before they receive are two units, which is what breaks loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from brian2lava.errors import NotSupported
from brian2lava.interop.compiled.kit import Kit, Signals, Unfit, Unit
from brian2lava.interop.compiled.members import Member
from brian2lava.interop.compiled.rows import row_of


@dataclass(frozen=True)
class Plan:
    """The processes of a graph, divided.

    Attributes
    ----------
    members : tuple of Member
    kits : tuple of Kit
        Of those that are compiled.
    python : tuple of Member
        Those that are not.
    reasons : dict of name to str
        Why they are not.
    units : tuple of Unit
        The compiled units; in an order that can run if all processes are compiled.
    signals
        What ports sent last.
    """

    members: tuple[Member, ...]
    kits: tuple[Kit, ...]
    python: tuple[Member, ...]
    reasons: dict[str, str]
    units: tuple[Unit, ...]
    signals: Signals


def plan(members: Sequence[Member], compile_models: bool = True) -> Plan:
    """Divide ``members``; without ``compile_models`` all stay Lava's Python models.

    Raises
    ------
    NotSupported
        Compiled processes wait for each other in a circle.
    """
    signals = Signals()
    kits: dict[int, Kit] = {}
    reasons: dict[str, str] = {}
    for member in sorted(members, key=lambda member: bool(member.references)):
        kit = Kit(member, signals, kits)
        try:
            if not compile_models:
                raise Unfit("CompiledCfg(compile_models=False)")
            row_of(member)(kit)
        except Unfit as reason:
            reasons[member.name] = str(reason)
        else:
            kits[id(member)] = kit
    python = tuple(member for member in members if id(member) not in kits)
    ordered = [kits[id(member)] for member in members if id(member) in kits]
    units = [unit for kit in ordered for unit in kit.units if unit.operations]
    return Plan(
        members=tuple(members),
        kits=tuple(ordered),
        python=python,
        reasons=reasons,
        units=tuple(units) if python else _in_order(units),
        signals=signals,
    )


def _in_order(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Senders before receivers, and the units of one process one after the other."""
    left, done = list(units), []
    sent: set[tuple[int, str]] = set()
    while left:
        ready = []
        busy: set[int] = set()
        for unit in left:
            waits = any((id(link.source), link.source_port) not in sent for link in unit.reads)
            if waits or id(unit.member) in busy:
                busy.add(id(unit.member))
                continue
            ready.append(unit)
            sent.update((id(unit.member), port) for port in unit.writes)
        if not ready:
            raise NotSupported(deadlock({unit.member.name for unit in left}))
        left = [unit for unit in left if not any(unit is other for other in ready)]
        done += ready
    return tuple(done)


def deadlock(names: set[str]) -> str:
    """The message about processes that wait for each other."""
    return (
        f"the processes {', '.join(sorted(names))} wait for each other's messages in the same step"
        " (Lava would hang). A loop needs a process that sends before it receives: put a Dense,"
        " Sparse, Conv or another connection into it."
    )
