"""How the synapses of a pathway are shared out among threads."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import replace

from brian2lava.engine.cpu.deliveries import target_index
from brian2lava.engine.cuda.accumulate import with_sums
from brian2lava.program import step_program as program
from brian2lava.program.effects import writes_only


class Mode(enum.Enum):
    """A thread for each synapse; for each range of targets, in order; or one for all."""

    AT_ONCE = "a thread a synapse"
    BY_TARGET = "a thread a range of targets, in order"
    IN_ORDER = "one thread, in order"


def mode_of(operation: program.Pathway, ctype: Callable[[str], str], deterministic: bool) -> Mode:
    """The quickest way that is right.

    Synapses that write only what is their own, and sums, can run at once. Those that write what is
    their target's must keep the order at each target. With ``deterministic`` sums of floating-point
    numbers keep it, too.
    """
    statements = operation.statements
    if statements.scalar_writes:
        return Mode.IN_ORDER
    _, sums = with_sums(operation, ctype, deterministic)
    rest = replace(statements, reads=statements.reads - sums, writes=statements.writes - sums)
    if writes_only(rest, {program.ELEMENT}):
        return Mode.AT_ONCE
    if writes_only(statements, {program.ELEMENT, target_index(operation)}):
        return Mode.BY_TARGET
    return Mode.IN_ORDER
