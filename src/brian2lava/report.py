"""Where and how a result was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


class ChipPart(Protocol):
    """What a model became on a chip: rows of parameters, costs, warnings, counters."""

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
        "lava" or "inline"; "cpu" or "numpy".
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

    def __str__(self) -> str:
        where = "a Lava process" if self.host == "lava" else "this process"
        lines = [
            f"{self.network}: {self.biological:g} s of biological time, {self.steps} steps",
            f"  where      {where}, engine '{self.engine}', {self.threads} thread(s)",
            f"  arithmetic {self.arithmetic}",
            f"  compiler   {self.compiler}{' (cached)' if self.cached else ''}",
            "  time       "
            + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in self.phases.items()),
            "  versions   " + ", ".join(f"{k} {v}" for k, v in self.versions.items()),
            f"  seed       {'none was set' if self.seed is None else self.seed}",
        ]
        lines += [f"  note       {note}" for note in self.notes]
        if self.chip is not None:
            lines += ["", str(self.chip)]
        return "\n".join(lines)
