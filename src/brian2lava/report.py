"""Where and how a result was made."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from brian2lava.errors import OptionError


class ChipPart(Protocol):
    """What a model became on a chip: rows of parameters, costs, warnings, counters."""

    def scanned(self, dts: Iterable[float] | None = None) -> ChipPart:
        """With a table of what other time steps (s) would give."""
        ...

    def to_frame(self) -> Any:
        """The table of parameters as a ``pandas.DataFrame``."""
        ...

    def to_html(self) -> str:
        """As HTML that needs nothing from outside."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Report:
    """One run.

    Attributes
    ----------
    network : str
        Name of the Brian2 network.
    biological : float
        Time simulated, in seconds.
    steps : int
        Passes of the loop.
    host, engine : str
        "lava" or "inline"; "cpu", "cuda" or "numpy".
    arithmetic : str
        What numbers are computed in.
    phases : dict of str to float
        Wall time in seconds: capture (Brian2's code generation), compile, start (of the host),
        tables (of synapses), loop, read.
    compiler : str
        Version of the compiler, or why there is none.
    cached : bool
        Whether the compiled code was there already.
    versions : dict of str to str
    seed : int or None
        What ``seed()`` was given.
    notes : tuple of str
        What a user should know: another host or engine than asked for, Python calls.
    chip : ChipPart or None
        What the model became, where it ran in a chip's integers.
    """

    network: str
    biological: float
    steps: int
    host: str
    engine: str
    arithmetic: str
    threads: int
    phases: dict[str, float]
    compiler: str
    cached: bool
    versions: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    notes: tuple[str, ...] = ()
    chip: ChipPart | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        chip = None if self.chip is None else self.chip.to_dict()
        return {**self.__dict__, "notes": list(self.notes), "chip": chip}

    def scanned(self, dts: Iterable[float] | None = None) -> Report:
        """The report with what other time steps (s) would give.

        Raises
        ------
        OptionError
            The run was not in a chip's integers.
        """
        return replace(self, chip=self._on_chip("report(dt_scan=...)").scanned(dts))

    def to_frame(self) -> Any:
        """What each parameter became on the chip, as a ``pandas.DataFrame``.

        Raises
        ------
        OptionError
            The run was not in a chip's integers.
        BrianLavaError
            pandas is not installed.
        """
        return self._on_chip("report().to_frame()").to_frame()

    def to_html(self) -> str:
        """Everything as HTML that needs nothing from outside."""
        rows = "".join(
            f'<tr><th style="text-align:left;padding:1px 12px 1px 0">{html.escape(name)}</th>'
            f"<td>{html.escape(told)}</td></tr>"
            for name, told in self._facts()
        )
        run = (
            f'<div style="font:13px sans-serif"><b>{html.escape(self._headline())}</b>'
            f'<table style="font:13px sans-serif">{rows}</table></div>'
        )
        return run if self.chip is None else f"{run}\n{self.chip.to_html()}"

    _repr_html_ = to_html

    def _on_chip(self, what: str) -> ChipPart:
        if self.chip is None:
            raise OptionError(
                f"{what}: the last run was in {self.arithmetic}, and there is such a table only of"
                " runs in a chip's integers. Run with set_device('lava', hardware='Loihi2')."
            )
        return self.chip

    def _headline(self) -> str:
        return f"{self.network}: {self.biological:g} s of biological time, {self.steps} steps"

    def _facts(self) -> list[tuple[str, str]]:
        where = "a Lava process" if self.host == "lava" else "this process"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        times = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in self.phases.items())
        return [
            ("where", f"{where}, engine '{self.engine}', {threads}"),
            ("arithmetic", self.arithmetic),
            ("compiler", f"{self.compiler}{' (cached)' if self.cached else ''}"),
            ("time", times),
            ("versions", ", ".join(f"{k} {v}" for k, v in self.versions.items())),
            ("seed", "none was set" if self.seed is None else str(self.seed)),
            *(("note", note) for note in self.notes),
        ]

    def __str__(self) -> str:
        lines = [
            self._headline(),
            *(f"  {name.ljust(10)} {told}" for name, told in self._facts()),
        ]
        if self.chip is not None:
            lines += ["", str(self.chip)]
        return "\n".join(lines)
