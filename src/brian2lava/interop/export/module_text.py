"""What every Lava process that is written out begins and ends with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: The first line of a module of ours, by which a later export knows it.
MARK = "# Written by brian2lava export."
#: The module with what Python has no operator for.
INTEGERS = "integers"

_IMPORTS = """\
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import {py_ports}
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import {ports}
from lava.magma.core.process.process import AbstractProcess
{var}from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
"""


def head(
    doc: Sequence[str],
    inputs: bool = True,
    outputs: bool = True,
    variables: bool = False,
    integers: Iterable[str] = (),
    standard: Sequence[str] = (),
) -> list[str]:
    """The docstring and the imports of a module with one process and its model."""
    ends = [end for end, used in (("InPort", inputs), ("OutPort", outputs)) if used]
    wanted = sorted(integers, key=lambda name: (not name.isupper(), name))
    lines = [MARK, f'"""{doc[0]}', *doc[1:], '"""' if len(doc) > 1 else ""]
    if len(doc) == 1:
        lines = [MARK, f'"""{doc[0]}"""']
    lines += ["", *standard, "import numpy as np"]
    lines += _IMPORTS.format(
        py_ports=", ".join(f"Py{end}" for end in ends),
        ports=", ".join(ends),
        var="from lava.magma.core.process.variable import Var\n" if variables else "",
    ).splitlines()
    if wanted:
        lines += ["", f"from processes.{INTEGERS} import {', '.join(wanted)}"]
    return lines


def model_head(process: str) -> list[str]:
    """What stands before the body of the model of ``process``."""
    return [
        "",
        "",
        f"@implements(proc={process}, protocol=LoihiProtocol)",
        "@requires(CPU)",
        '@tag("fixed_pt")',
        f"class Py{process}(PyLoihiProcessModel):",
    ]


def wrapped(text: str, indent: str, width: int = 96) -> list[str]:
    """A text in lines of comments or docstrings."""
    import textwrap

    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
