"""A package on the disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.errors import OptionError
from brian2lava.interop.export.module_text import MARK
from brian2lava.interop.export.names import by_reason
from brian2lava.interop.export.script import SCRIPT, Package


@dataclass(frozen=True)
class LavaPackage:
    """A folder with a network in Lava.

    Attributes
    ----------
    directory : Path
    files : tuple of Path
        Relative to it.
    own : dict of group or projection to str
        What is a Lava process of the package's own, and why.
    """

    directory: Path
    files: tuple[Path, ...]
    own: dict[str, str] = field(default_factory=dict)

    @property
    def script(self) -> Path:
        """What runs it."""
        return self.directory / SCRIPT

    def __str__(self) -> str:
        lines = [f"{self.directory}: {', '.join(str(each) for each in self.files)}"]
        for why, names in by_reason(self.own).items():
            lines.append(f"  the package's own processes: {', '.join(names)} ({why})")
        return "\n".join(lines)


def check_folder(directory: Any, force: bool) -> Path:
    """Where a package may be written.

    Raises
    ------
    OptionError
        It is a file, or holds something and ``force`` is not given.
    """
    path = Path(directory)
    if path.exists() and not path.is_dir():
        raise OptionError(f"export: '{path}' is a file; the name of a folder is needed.")
    if not force and path.is_dir() and any(path.iterdir()):
        raise OptionError(
            f"export: the folder '{path}' is not empty. Name another one, or write into it with"
            " force=True (--force); files of an earlier export are replaced, others stay."
        )
    return path


def write_package(package: Package, directory: Path) -> LavaPackage:
    """Write all files; modules of an earlier export, which Lava would execute too, go."""
    for old in (directory / "processes").glob("*.py"):
        if old.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            old.unlink()
    for name, text in package.texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, arrays in package.tables.items():
        np.savez_compressed(directory / name, **arrays)
    files = sorted(Path(name) for name in (*package.texts, *package.tables))
    return LavaPackage(directory, tuple(files), dict(package.own))
