"""What ``brian2lava export`` does: a script is run, and what it ran is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brian2.core.namespace import get_local_namespace

from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.export import export_lava
from brian2lava.interop.export.folder import check_folder
from brian2lava.run_script import choose_lava, read_script, run_script

#: What there is to export to.
FORMATS = ("lava", "nir")


@dataclass(frozen=True)
class Command:
    """``brian2lava export --to FORMAT WHERE SCRIPT``.

    Attributes
    ----------
    to : "lava" or "nir"
    where : Path
        A folder, or a file.
    script : str
        A Python file, or "-".
    arguments : sequence of str
        The script's.
    options : dict
        Of ``set_device("lava", ...)``; they win over the script's own.
    force : bool
        Whether something may be there already.
    """

    to: str
    where: Path
    script: str
    arguments: Sequence[str]
    options: Mapping[str, Any]
    force: bool = False


def run(command: Command) -> str:
    """Do it; returns what to tell.

    Raises
    ------
    OSError
        The script can't be read.
    OptionError, NotSupported
        What is there already, or can't be exported.
    SystemExit, Exception
        The script's own.
    """
    if command.to not in FORMATS:
        raise OptionError(f"export: --to {command.to!r}; there are {', '.join(FORMATS)}.")
    return (_to_lava if command.to == "lava" else _to_nir)(command)


def _to_lava(command: Command) -> str:
    """The last run on a chip."""
    check_folder(command.where, command.force)
    source = read_script(command.script)
    choose_lava(dict(command.options))
    try:
        run_script(command.script, source, command.arguments, command.options)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
    return str(export_lava(command.where, force=command.force))


# ---------------------------------------------------------------- NIR
class _Reached(SystemExit):
    """The script has come to its first run; it is no error, and nobody catches it."""

    def __init__(self, graph: Any) -> None:
        super().__init__(0)
        self.graph = graph


def _to_nir(command: Command) -> str:
    """The network of the first run, as it is before that begins."""
    if command.where.is_dir() or (command.where.exists() and not command.force):
        raise OptionError(
            f"export: '{command.where}' is there already. Name another file, or use --force."
        )
    from brian2lava.interop import nir as ours  # says what to install where nir is missing

    source = read_script(command.script)
    choose_lava(dict(command.options))
    try:
        with _StopsAtRun():
            run_script(command.script, source, command.arguments, command.options)
    except _Reached as reached:
        ours.write_graph(command.where, reached.graph)
        nodes = ", ".join(
            f"{name} ({type(node).__name__})" for name, node in reached.graph.nodes.items()
        )
        return f"{command.where}: {nodes}"
    raise NotSupported(
        f"export: '{command.script}' has run nothing on the device 'lava', so there is no network"
        " to write. It has to call run(...)."
    )


class _StopsAtRun:
    """While it is open, a run on our device ends the script, with the network's graph."""

    def __enter__(self) -> None:
        from brian2lava.device import lava_device

        lava_device.network_run = self._reached

    def __exit__(self, *_: object) -> None:
        from brian2lava.device import lava_device

        del lava_device.network_run

    def _reached(
        self, net: Any, duration: Any, *others: Any, namespace: Any = None, level: int = 0,
        **more: Any,
    ) -> None:  # fmt: skip
        from brian2lava.interop.nir import to_nir

        if namespace is None:
            namespace = get_local_namespace(level=level + 2)
        raise _Reached(to_nir(net, namespace=namespace))
