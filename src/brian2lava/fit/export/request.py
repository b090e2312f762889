"""What was asked of a fit, as Python and as a command: each reproduces it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.search import FitOptions
from brian2lava.fit.search.weights import weights_text
from brian2lava.fit.target import Target, model_target, read_recording
from brian2lava.fit.target.models import TARGET_MODELS

#: Options of a fit that the command line has.
_ON_COMMAND_LINE = ("evaluations", "seeds", "window", "dt", "drive", "arithmetic", "optimiser",
                    "workers")  # fmt: skip


@dataclass(frozen=True)
class Request:
    """A fit of one target.

    Attributes
    ----------
    source : str
        A model of ``TARGET_MODELS``, or the path of a recording.
    pattern : str or None
        Of a model.
    candidates : tuple of str or None
        None: all that the drive can serve.
    options : FitOptions
    """

    source: str
    pattern: str | None = None
    candidates: tuple[str, ...] | None = None
    options: FitOptions = field(default_factory=FitOptions)

    @property
    def is_file(self) -> bool:
        """Whether the target is a recording: what looks like a file, or is one."""
        if self.source in TARGET_MODELS:
            return False
        return bool(Path(self.source).suffix) or os.sep in self.source or Path(self.source).exists()

    def target(self) -> Target:
        """The target.

        Raises
        ------
        FitError
            There is no such model or file, or a file has no pattern.
        """
        if not self.is_file:
            return model_target(self.source, self.pattern)
        if self.pattern is not None:
            raise FitError(
                f"{self.source} is a recording, and pattern={self.pattern!r} is one of a model's"
                " firing patterns; leave it out."
            )
        return read_recording(self.source)

    def changed(self) -> dict[str, Any]:
        """Options that are not the defaults, by name."""
        found = {}
        for each in fields(FitOptions):
            value = getattr(self.options, each.name)
            made = each.default_factory() if each.default_factory is not MISSING else each.default
            if value != made:
                found[each.name] = value
        return found

    def python(self) -> str:
        """The Python that does it."""
        if self.is_file:
            imported, made = "read_recording", f"read_recording({self.source!r})"
        else:
            pattern = "" if self.pattern is None else f", {self.pattern!r}"
            imported, made = "model_target", f"model_target({self.source!r}{pattern})"
        given = ["target"]
        given += [repr(list(self.candidates))] if self.candidates is not None else []
        given += [f"{name}={value!r}" for name, value in self.changed().items()]
        return (
            "from brian2lava.fit import fit\n"
            f"from brian2lava.fit.target import {imported}\n"
            "\n"
            f"target = {made}\n"
            f"result = fit({', '.join(given)})\n"
            "print(result)\n"
        )

    def command(self) -> str:
        """The command line that does it; bounds and fixed values are for Python alone."""
        return shlex.join(["brian2lava", "fit", *self._words()])

    def _words(self) -> Sequence[str]:
        words = [self.source]
        words += ["--pattern", self.pattern] if self.pattern is not None else []
        words += ["--candidates", ",".join(self.candidates)] if self.candidates is not None else []
        for name, value in self.changed().items():
            if name in _ON_COMMAND_LINE:
                words += [f"--{name}", str(value)]
            elif name == "weights":
                words += ["--weights", weights_text(value)]
        return words
