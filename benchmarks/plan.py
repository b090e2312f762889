"""What a run of the benchmarks is to measure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure, and where to work.

    `sizes` names the sizes of the networks ("mid", "large"), `repeats` is how often each side runs,
    `match` restricts the cases to those whose name contains it, `folder` is for temporary files.
    With `quick` the networks are small and the runs short: the figures mean nothing then.
    """

    folder: Path
    sizes: tuple[str, ...]
    repeats: int
    quick: bool
    match: str

    @property
    def shorter(self) -> float:
        """The factor on the biological time of every network."""
        return 0.2 if self.quick else 1.0

    def wants(self, case: str) -> bool:
        return self.match in case

    def cache(self, name: str) -> Path:
        """The folder for compiled code called `name`, new at the first call."""
        path = self.folder / "caches" / name
        path.mkdir(parents=True, exist_ok=True)
        return path
