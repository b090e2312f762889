"""A cell's equations, and names, as Brian2 reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from brian2lava.chip.ideal import Reals
from brian2lava.interop.nir.cells import Cell


def equations(
    made: Cell, parameters: Mapping[str, tuple[str, Reals]], driven: bool, continuous: list[str]
) -> str:
    """The equations of a cell.

    ``driven``: by the TimedArray ``drive``; ``continuous``: sources whose voltages arrive as x0, x1
    and so on.
    """
    values = [f"x{number}" for number in range(len(continuous))]
    total = " + ".join(values)
    flowing = ["bias"] if "bias" in parameters else []
    flowing += ["drive(t, i)"] if driven else []
    if values and made.kept != "0":
        flowing.append(f"{made.kept}*({total})")
    lines = [
        f"dv/dt = {made.voltage.format(drive=_drive_text(made, total))} : 1",
        f"dI/dt = {_current_text(made, flowing)} : 1",
        *(f"{name} : 1" for name in values),
    ]
    for name, (unit, array) in parameters.items():
        flags = "constant" if varies(array) else "shared, constant"
        lines.append(f"{name} : {unit} ({flags})")
    return "\n".join(lines)


def _drive_text(made: Cell, total: str) -> str:
    return f"(I + {made.direct}({total}))" if total else "I"


def _current_text(made: Cell, flowing: list[str]) -> str:
    if flowing:
        total = " + ".join(flowing)
        return made.current.format(input=f"({total})" if len(flowing) > 1 else total)
    return re.sub(r"\((w_in\*)?\{input\} - I\)", "-I", made.current)


def varies(values: Reals) -> bool:
    """Whether neurons differ."""
    return bool(np.any(values != values[0]))


def brian_name(name: str) -> str:
    """A name that Brian2 takes; it makes it a new one where the name is in use."""
    plain = re.sub(r"\W", "_", name)
    return (plain if plain[:1].isalpha() else f"node_{plain}") + "*"
