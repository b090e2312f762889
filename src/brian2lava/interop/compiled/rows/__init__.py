"""Which of Lava's process models have a compiled form, a row each.

A row takes a :class:`~brian2lava.interop.compiled.kit.Kit` and adds operations to it. What it can't
do exactly as the model does, it leaves to the model: it raises ``Unfit``.
"""

from __future__ import annotations

from collections.abc import Callable

from brian2lava.interop.compiled.kit import Kit, Unfit
from brian2lava.interop.compiled.members import Member
from brian2lava.interop.compiled.rows import (
    clp,
    connections,
    graded,
    io,
    learning,
    lif,
    loaders,
    state_space,
)

Row = Callable[[Kit], None]

#: By the full name of the model, so that no module of Lava is imported for nothing.
ROWS: dict[str, Row] = {
    **lif.ROWS,
    **graded.ROWS,
    **connections.ROWS,
    **learning.ROWS,
    **state_space.ROWS,
    **clp.ROWS,
    **io.ROWS,
    **loaders.ROWS,
}


def row_of(member: Member) -> Row:
    """The row of a member's model.

    Raises
    ------
    Unfit
        There is none.
    """
    model = type(member.model)
    row = ROWS.get(f"{model.__module__}.{model.__qualname__}")
    if row is None:
        raise Unfit(f"its model {model.__qualname__} has no compiled form")
    if member.pipes:
        raise Unfit("it exchanges data with the user's code")
    return row
