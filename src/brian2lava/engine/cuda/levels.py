"""Which groups share a kernel: all that may run at the same time.

The end of a kernel is the only border between blocks. A group goes into the first kernel after
those of the groups that it may not change places with.
"""

from __future__ import annotations

from brian2lava.engine.cpu.fuse import Group
from brian2lava.program import step_program as program
from brian2lava.program.effects import commute, effects


def levels_of(
    step_program: program.StepProgram, groups: list[Group], side_by_side: bool = True
) -> list[list[int]]:
    """Numbers of groups, kernel by kernel; with ``side_by_side=False`` a kernel for each."""
    if not side_by_side:
        return [[number] for number in range(len(groups))]
    what = [[effects(step_program.operations[k]) for k in group.members] for group in groups]
    level: list[int] = []
    for number, mine in enumerate(what):
        level.append(
            1
            + max(
                (
                    level[other]
                    for other in range(number)
                    if not all(commute(a, b) for a in what[other] for b in mine)
                ),
                default=-1,
            )
        )
    made: list[list[int]] = [[] for _ in range(max(level, default=-1) + 1)]
    for number, place in enumerate(level):
        made[place].append(number)
    return made
